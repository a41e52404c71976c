// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/maccracken/hoosh"
)

type inferCmd struct {
	askFlags `embed:""`

	Prompt     []string `arg:"" optional:"" help:"The question; - reads it from standard input. What is piped in is appended."`
	JSONSchema string   `name:"json-schema" placeholder:"FILE" help:"JSON Schema that the answer shall follow."`
	Image      []string `sep:"none" placeholder:"FILE|URL" help:"Image to look at; may be repeated."`
	NoStream   bool     `help:"Wait for the whole answer."`
}

// Run asks and prints the answer.
func (c *inferCmd) Run(ctx context.Context, a *app) error {
	q := c.request()
	message, err := c.message(ctx, a)
	if err != nil {
		return err
	}
	q.Messages = append(q.Messages, message)
	if c.JSONSchema != "" {
		if q.Format, err = schemaFormat(c.JSONSchema); err != nil {
			return err
		}
	}
	e, err := a.open()
	if err != nil {
		return err
	}
	defer func() { e.Close() }() // pick may change it
	e, q.Model, err = a.pick(ctx, e, q.Model)
	switch {
	case err != nil:
		return err
	case a.JSON:
		return a.inferJSON(ctx, e, q)
	case c.NoStream:
		return a.inferWhole(ctx, e, q)
	}
	s, err := e.Stream(ctx, q)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = a.printStream(s)
	return err
}

// message is the question: arguments, then what was piped in, and the images.
func (c *inferCmd) message(ctx context.Context, a *app) (hoosh.Message, error) {
	prompt := strings.Join(c.Prompt, " ")
	if prompt == "-" {
		prompt = ""
		a.piped = true // it was asked for
	}
	if a.piped {
		more, err := a.stdin(ctx, maxInput)
		if err != nil {
			return hoosh.Message{}, err
		}
		if prompt != "" && more != "" {
			prompt += "\n\n"
		}
		prompt += more
	}
	if strings.TrimSpace(prompt) == "" && len(c.Image) == 0 {
		return hoosh.Message{}, &problem{code: exitUsage, text: "there is nothing to ask", hint: `give a question, as in: hoosh infer "Why is the sky blue?"; or pipe one in`}
	}
	var images []hoosh.Part
	for _, ref := range c.Image {
		url, err := imageURL(ref)
		if err != nil {
			return hoosh.Message{}, err
		}
		images = append(images, hoosh.Image(url))
	}
	return hoosh.User(prompt, images...), nil
}

// inferWhole prints a whole answer.
func (a *app) inferWhole(ctx context.Context, e engine, q *hoosh.Request) error {
	reply, resp, err := do(ctx, e, q)
	if err != nil {
		return err
	}
	out := &printer{w: a.out, terminal: a.outTTY}
	for _, p := range choiceParts(resp) {
		if p.Kind == hoosh.PartText || p.Kind == hoosh.PartRefusal {
			out.print(p.Text())
		}
	}
	out.end()
	a.footer(reply, resp)
	return out.err
}

func choiceParts(resp *hoosh.Response) []hoosh.Part {
	if len(resp.Choices) == 0 {
		return nil
	}
	return resp.Choices[0].Message.Parts
}

// inferJSON prints the answer in OpenAI's form, with what hoosh knows beside it.
func (a *app) inferJSON(ctx context.Context, e engine, q *hoosh.Request) error {
	reply, resp, err := do(ctx, e, q)
	if err != nil {
		return err
	}
	return a.printResponse(reply, resp)
}

// told is what --json adds to an answer, under the key "hoosh".
type told struct {
	Provider string   `json:"provider"`
	Model    string   `json:"model"`
	Route    string   `json:"route"`
	Attempts int      `json:"attempts,omitempty"`
	Usage    string   `json:"usage"`
	Dropped  []string `json:"dropped,omitempty"`
}

func (a *app) printResponse(reply *hoosh.Reply, resp *hoosh.Response) error {
	body, err := json.Marshal(resp)
	if err != nil {
		return err
	}
	extra, err := json.Marshal(told{reply.Provider, reply.Model, reply.Route, reply.Attempts, resp.Usage.Source.String(), reply.Dropped})
	if err != nil {
		return err
	}
	// The members stay in OpenAI's order, ours comes last.
	body = append(body[:len(body)-1], `,"hoosh":`...)
	return a.printJSON(json.RawMessage(append(append(body, extra...), '}')))
}

// printJSON prints v, indented.
func (a *app) printJSON(v any) error {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = a.out.Write(append(body, '\n'))
	return err
}

// do is Infer with the reply, which tells of the route.
func do(ctx context.Context, e engine, q *hoosh.Request) (*hoosh.Reply, *hoosh.Response, error) {
	c := hoosh.NewCall(q)
	defer c.Release()
	reply, err := e.Do(ctx, c)
	if err != nil {
		return nil, nil, err
	}
	resp, err := reply.Response()
	return reply, resp, err
}

// printStream prints an answer as it comes, and gives the whole of it. Thinking
// is shown to who watches, beside the answer.
func (a *app) printStream(s *hoosh.EventStream) (*hoosh.Response, error) {
	out := &printer{w: a.out, terminal: a.outTTY}
	aside := &printer{w: a.err}
	watch := a.errTTY && a.outTTY && !a.Quiet
	for event, err := range s.Events() {
		if err != nil {
			aside.end()
			out.end()
			return nil, err
		}
		switch event.Kind {
		case hoosh.EventText, hoosh.EventRefusal:
			aside.end()
			out.print(event.Content().String())
		case hoosh.EventThinking:
			if watch {
				aside.print(a.errStyle.dim(clean(event.Content().String())))
			}
		}
		if out.err != nil { // nobody reads any more
			return nil, out.err
		}
	}
	out.end()
	resp, err := s.Response()
	if err != nil {
		return nil, err
	}
	a.footer(s.Reply(), resp)
	return resp, nil
}

// footer tells who watches where the answer came from, and what it took.
func (a *app) footer(reply *hoosh.Reply, resp *hoosh.Response) {
	switch resp.Finish() {
	case hoosh.FinishLength:
		a.note("The answer was cut at the ceiling of its tokens.")
	case hoosh.FinishContentFilter:
		a.note("The backend withheld the rest.")
	}
	if len(reply.Dropped) > 0 {
		a.note("The backend cannot do, and was not asked for: " + strings.Join(reply.Dropped, ", ") + ".")
	}
	if a.Quiet || !a.errTTY && !a.Verbose {
		return
	}
	parts := []string{reply.Provider, reply.Model}
	if reply.Route != "" {
		parts = append(parts, reply.Route)
	}
	if reply.Attempts > 1 {
		parts = append(parts, fmt.Sprintf("%d attempts", reply.Attempts))
	}
	u := resp.Usage
	tokens := "tokens not told"
	if !u.IsZero() {
		tokens = fmt.Sprintf("%d tokens in, %d out", u.Prompt(), u.Completion())
		if u.Source != hoosh.UsageReported {
			tokens += " (" + u.Source.String() + ")"
		}
	}
	fmt.Fprintln(a.err, a.errStyle.dim(clean(strings.Join(append(parts, tokens), " · "))))
}

func (a *app) note(text string) {
	if !a.Quiet {
		fmt.Fprintln(a.err, a.errStyle.yellow(clean(text)))
	}
}
