// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/maccracken/hoosh"
)

type chatCmd struct {
	askFlags `embed:""`
}

const chatHelp = `/model NAME   go on with another model; without a name: which it is
/system TEXT  what the model shall know beforehand; without a text: nothing
/clear        forget what was said
/quit         end; so does ctrl-D
//TEXT        say something that begins with a slash
ctrl-C stops an answer.`

// Run talks until the input ends. Each line is a turn; at a terminal a failed
// turn is told and forgotten, in a script it ends the command.
func (c *chatCmd) Run(ctx context.Context, a *app) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	e, err := a.open()
	if err != nil {
		return err
	}
	var model string
	err = whileNot(ctx, signals, func(ctx context.Context) (err error) {
		e, model, err = a.pick(ctx, e, c.Model)
		return err
	})
	defer func() { e.Close() }()
	if err != nil {
		return err
	}
	t := &talk{a: a, e: e, q: c.request(), signals: signals}
	t.q.Model = model
	if a.errTTY && !a.Quiet {
		fmt.Fprintln(a.err, a.errStyle.dim(clean(model)+" · /help lists the commands"))
	}
	return t.loop(ctx)
}

// whileNot runs f under a context that a signal ends.
func whileNot(ctx context.Context, signals <-chan os.Signal, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-signals:
			cancel()
		case <-done:
		}
	}()
	err := f(ctx)
	close(done)
	<-watched
	cancel()
	return err
}

// talk is a conversation.
type talk struct {
	a       *app
	e       engine
	q       *hoosh.Request
	signals chan os.Signal
}

// maxLine bounds one line of a conversation.
const maxLine = 4 << 20

// line is what was read: text, or why there is no more.
type line struct {
	text string
	err  error
}

func (t *talk) loop(ctx context.Context) error {
	lines := t.lines(ctx)
	for {
		if t.a.inTTY && t.a.errTTY {
			fmt.Fprint(t.a.err, t.a.errStyle.green("> "))
		}
		select {
		case <-t.signals:
			fmt.Fprintln(t.a.err)
			return &problem{code: exitInterrupted}
		case <-ctx.Done():
			return ctx.Err()
		case l := <-lines:
			if l.err == io.EOF {
				return nil
			}
			if l.err != nil {
				return fmt.Errorf("standard input: %w", l.err)
			}
			end, err := t.turn(ctx, l.text)
			if end || err != nil {
				return err
			}
		}
	}
}

// lines reads beside the conversation, for a read cannot be interrupted.
func (t *talk) lines(ctx context.Context) <-chan line {
	lines := make(chan line)
	send := func(l line) bool {
		select {
		case lines <- l:
			return true
		case <-ctx.Done():
			return false
		}
	}
	go func() {
		s := bufio.NewScanner(t.a.in)
		s.Buffer(nil, maxLine)
		for s.Scan() {
			if !send(line{text: strings.ToValidUTF8(s.Text(), "\ufffd")}) {
				return
			}
		}
		err := s.Err()
		if err == nil {
			err = io.EOF
		}
		send(line{err: err})
	}()
	return lines
}

// turn does one line. At the end of the conversation it says so.
func (t *talk) turn(ctx context.Context, text string) (end bool, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return false, nil
	}
	if text[0] == '/' && !strings.HasPrefix(text, "//") {
		return t.command(text)
	}
	text = strings.Replace(text, "//", "/", min(1, strings.Count(text[:min(2, len(text))], "//")))
	asked := len(t.q.Messages)
	t.q.Messages = append(t.q.Messages, hoosh.User(text))
	err = whileNot(ctx, t.signals, t.answer)
	if err == nil {
		return false, nil
	}
	t.q.Messages = t.q.Messages[:asked]
	if !t.a.inTTY {
		return false, err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, hoosh.ErrCanceled) {
		t.a.note("Stopped; this turn is forgotten.")
		return false, nil
	}
	t.a.fail(err)
	return false, nil
}

// answer asks and adds the answer to the conversation.
func (t *talk) answer(ctx context.Context) error {
	if t.a.JSON {
		reply, resp, err := do(ctx, t.e, t.q)
		if err != nil {
			return err
		}
		t.remember(resp)
		return t.a.printResponse(reply, resp)
	}
	s, err := t.e.Stream(ctx, t.q)
	if err != nil {
		return err
	}
	defer s.Close()
	resp, err := t.a.printStream(s)
	if err != nil {
		return err
	}
	t.remember(resp)
	return nil
}

func (t *talk) remember(resp *hoosh.Response) {
	t.q.Messages = append(t.q.Messages, hoosh.Assistant(resp.Text()))
}

// command does a line that begins with a slash.
func (t *talk) command(text string) (end bool, err error) {
	name, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "/quit", "/exit":
		return true, nil
	case "/help":
		fmt.Fprintln(t.a.err, chatHelp)
	case "/clear":
		t.q.Messages = t.q.Messages[:t.beforehand()]
		t.a.note("Forgotten.")
	case "/model":
		if rest != "" {
			t.q.Model = rest
		}
		t.a.note("The model is " + t.q.Model + ".")
	case "/system":
		said := t.q.Messages[t.beforehand():]
		t.q.Messages = nil
		if rest != "" {
			t.q.Messages = append(t.q.Messages, hoosh.System(rest))
		}
		t.q.Messages = append(t.q.Messages, said...)
	default:
		known := []string{"/quit", "/help", "/clear", "/model", "/system"}
		t.a.note("There is no " + name + hoosh.Suggest(name, known) + "; /help lists the commands.")
	}
	return false, nil
}

// beforehand is how many messages come before what was said.
func (t *talk) beforehand() int {
	if len(t.q.Messages) > 0 && t.q.Messages[0].Role == hoosh.RoleSystem {
		return 1
	}
	return 0
}
