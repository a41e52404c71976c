// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/maccracken/hoosh"
)

type explainCmd struct {
	Model      string `arg:"" optional:"" help:"The model that would be asked for."`
	Body       string `placeholder:"FILE" help:"An OpenAI request instead; - reads it from standard input."`
	Stream     bool   `help:"The answer would be streamed."`
	Embed      bool   `help:"It would be an embedding."`
	Vision     bool   `help:"There would be an image."`
	Tools      bool   `help:"There would be tools."`
	Audio      bool   `help:"There would be a sound."`
	Files      bool   `help:"There would be a file."`
	JSONSchema bool   `name:"json-schema" help:"The answer would follow a schema."`
}

// Run prints the plan of a call, which is not made.
func (c *explainCmd) Run(ctx context.Context, a *app) error {
	call, err := c.call(ctx, a)
	if err != nil {
		return err
	}
	defer call.Release()
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	plan, err := e.Plan(ctx, call)
	if err != nil {
		return err
	}
	tried := 0
	for _, candidate := range plan.Candidates {
		if candidate.Tried {
			tried++
		}
	}
	if a.JSON {
		err = a.printJSON(plan)
	} else {
		a.printPlan(plan)
	}
	if err == nil && tried == 0 {
		return &problem{code: exitNobody, text: "nobody would be tried"}
	}
	return err
}

func (c *explainCmd) call(ctx context.Context, a *app) (*hoosh.Call, error) {
	switch {
	case c.Body != "" && c.Model != "":
		return nil, usagef("give a model or --body, not both")
	case c.Body != "":
		return readCall(ctx, a, c.Body)
	case c.Model == "" && a.piped:
		return readCall(ctx, a, "-")
	case c.Model == "":
		return nil, errExplainWhat
	}
	call := hoosh.NewCall(c.request())
	call.Stream = c.Stream
	return call, nil
}

var errExplainWhat = usagef("explain what? Give a model, or a request with --body FILE")

// request is one that needs what the flags say.
func (c *explainCmd) request() *hoosh.Request {
	q := &hoosh.Request{Model: c.Model}
	if c.Embed {
		q.Op = hoosh.OpEmbed
		q.Input = []hoosh.Input{{Content: hoosh.NewText("text")}}
		return q
	}
	message := hoosh.User("Hello")
	add := func(want bool, kind hoosh.PartKind) {
		if want {
			message.Parts = append(message.Parts, hoosh.Part{Kind: kind, Media: hoosh.MediaURL(hoosh.NewText("data:application/octet-stream;base64,AA=="))})
		}
	}
	add(c.Vision, hoosh.PartImage)
	add(c.Audio, hoosh.PartAudio)
	add(c.Files, hoosh.PartFile)
	q.Messages = []hoosh.Message{message}
	if c.Tools {
		q.Tools = []hoosh.Tool{{Name: "tool"}}
	}
	if c.JSONSchema {
		q.Format = hoosh.Format{Type: "json_schema", Name: "answer", Schema: json.RawMessage(`{"type":"object"}`)}
	}
	return q
}

// readCall makes a call of an OpenAI body; its members tell which operation.
func readCall(ctx context.Context, a *app, path string) (*hoosh.Call, error) {
	var body []byte
	if path == "-" {
		in, err := a.stdin(ctx, maxInput)
		if err != nil {
			return nil, err
		}
		if body = []byte(in); len(body) == 0 {
			return nil, errExplainWhat
		}
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, fileProblem("body", path, err)
		}
		defer f.Close()
		if body, err = readText(f, maxInput); err != nil {
			return nil, fileProblem("body", path, err)
		}
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, usagef("body %s: want an OpenAI request, which is a JSON object: %v", path, err)
	}
	op := hoosh.OpChat
	switch {
	case members["messages"] != nil:
	case members["input"] != nil:
		op = hoosh.OpEmbed
	default:
		op = hoosh.OpCompletion
	}
	call, err := hoosh.ParseCall(hoosh.OpenAI, op, body)
	if err != nil {
		return nil, &problem{code: exitUsage, text: "body " + path + ": " + a.problemOf(err).text}
	}
	if call.Model == "" {
		return nil, usagef("body %s: want a model", path)
	}
	return call, nil
}

func (a *app) printPlan(plan *hoosh.Plan) {
	fmt.Fprintf(a.out, "%s → %s, strategy %s", a.style.bold(clean(plan.Model)), clean(plan.Route), plan.Strategy)
	if plan.Needs != "" {
		fmt.Fprintf(a.out, ", needs %s", plan.Needs)
	}
	fmt.Fprintln(a.out)
	var rows [][]cell
	for i, c := range plan.Candidates {
		place := cell{"not tried", a.style.dim}
		if c.Tried {
			place = cell{strconv.Itoa(i + 1), a.style.green}
		}
		rows = append(rows, []cell{place, text(c.Provider), text(c.Model), {c.State.String(), a.stateColour(c.State)}, text(c.Reason)})
	}
	table(a.out, a.style, []string{"", "PROVIDER", "MODEL", "STATE", "WHY"}, rows)
}
