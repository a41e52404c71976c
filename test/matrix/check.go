// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/backend"
	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// exchange is one check: a question, what the vendor's model answers, and what
// must have been understood at both ends.
type exchange struct {
	check   string
	dialect *client.Dialect // nil: the pair's own
	model   string          // "": the plain one
	ask     neutral.Ask
	answer  neutral.Answer
	more    []neutral.Answer // to the next requests, if there are several

	edit   func([]byte) []byte // of the client's body
	chop   bool                // bytes come a few at a time, both ways
	only   string              // "whole" or "streamed"; "": both
	expect *neutral.Answer     // what the client is to get, if that is not answer
	mean   *neutral.Ask        // what the vendor is to understand, if that is not ask
	loose  []string            // differences that are no matter here, by how they begin
	also   func(r *result, d *diffs)
}

// result is an exchange that has happened.
type result struct {
	*told
	seen []backend.Seen
}

// do runs the exchange, whole and streamed, and gives the last result, nil if
// there was none.
func (c *cell) do(x exchange) (last *result) {
	c.ran = append(c.ran, x.check)
	for _, mode := range []string{"whole", "streamed"} {
		if x.only == "" || x.only == mode {
			last = c.once(x, mode == "streamed")
		}
	}
	return last
}

func (c *cell) once(x exchange, streamed bool) *result {
	mode := " whole"
	if streamed {
		mode = " streamed"
	}
	d := x.dialect
	if d == nil {
		d = client.For(c.in)
	}
	if x.model == "" {
		x.model = plainModels[c.out]
	}
	ask, mean := x.ask, x.ask
	if x.mean != nil {
		mean = *x.mean
	}
	ask.Stream, mean.Stream = streamed, streamed
	ask.Model, mean.Model = c.model(first, x.model), x.model
	c.vendor.Take()
	c.vendor.Script(append([]neutral.Answer{x.answer}, x.more...)...)
	c.chopped.Store(x.chop)
	got, err := c.send(d, ask, x.edit)
	seen := c.vendor.Take()
	if got == nil {
		c.fail(x.check, mode, true, "%v", err)
		return nil
	}
	r := &result{told: got, seen: seen}
	if err != nil {
		c.fail(x.check, mode, true, "%v", err)
		c.show(r)
		return nil
	}
	refused := false
	for _, s := range seen {
		if s.Refused != "" {
			refused = true
			c.fail(x.check, mode, true, "the vendor refuses what was sent to %s: %s; it was %s", s.Path, s.Refused, short(string(s.Body)))
		}
	}
	if refused {
		c.show(r)
		return nil
	}
	want := x.answer
	if x.expect != nil {
		want = *x.expect
	}
	var found diffs
	switch {
	case len(seen) == 0:
		found.add("the vendor", "to be asked", fmt.Sprintf("not; the client was told %+v", got.Error))
	case len(seen) > 1 && x.more == nil:
		found.add("the vendor", "to be asked once", fmt.Sprint(len(seen), " times"))
	default:
		found = append(found, sameAsk(mean, seen[len(seen)-1].Ask, c.in, c.out)...)
	}
	if len(seen) > 0 {
		found = append(found, sameAnswer(want, got.Answer, c.in, c.out)...)
		if x.also != nil {
			x.also(r, &found)
		}
	}
	broken := got.Error != nil && (got.Error.Cut || got.Error.Status >= 500)
	ok := true
	for _, f := range found {
		if !matches(x.loose, f) {
			c.add(failure{x.check, mode, f, broken, got.dropped})
			ok = false
		}
	}
	if !ok {
		c.show(r)
	}
	return r
}

func matches(prefixes []string, s string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// show prints what passed at both ends, with -v.
func (c *cell) show(r *result) {
	if !c.verbose {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s/%s, %s\nclient sent: %s\n", c.in, c.out, c.group, r.sent)
	for _, s := range r.seen {
		fmt.Fprintf(&b, "vendor got %s: %s\n", s.Path, s.Body)
	}
	fmt.Fprintf(&b, "client got HTTP %d: %+v\n", r.status, r.Answer)
	for _, f := range r.Frames {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	fmt.Print(b.String())
}

// A few words for asks and answers.

func system(s string) neutral.Turn {
	return neutral.Turn{Role: "system", Parts: []neutral.Part{{Text: s}}}
}

func user(parts ...any) neutral.Turn { return turn("user", parts...) }

func assistant(parts ...any) neutral.Turn { return turn("assistant", parts...) }

func results(rs ...*neutral.Result) neutral.Turn {
	t := neutral.Turn{Role: "tool"}
	for _, r := range rs {
		t.Parts = append(t.Parts, neutral.Part{Result: r})
	}
	return t
}

func turn(role string, parts ...any) neutral.Turn {
	return neutral.Turn{Role: role, Parts: list(parts...)}
}

// list makes parts of texts, media (images), calls and parts.
func list(parts ...any) []neutral.Part {
	var ps []neutral.Part
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			ps = append(ps, neutral.Part{Text: p})
		case *neutral.Media:
			ps = append(ps, neutral.Part{Image: p})
		case *neutral.Call:
			ps = append(ps, neutral.Part{Call: p})
		case neutral.Part:
			ps = append(ps, p)
		case []neutral.Part:
			ps = append(ps, p...)
		default:
			panic(fmt.Sprintf("no part: %T", p))
		}
	}
	return ps
}

// said is an answer of the parts.
func said(parts ...any) neutral.Answer {
	a := neutral.Answer{Parts: list(parts...), Finish: "stop", Usage: neutral.Usage{Input: 11, Output: 7}}
	for _, p := range a.Parts {
		if p.Call != nil {
			a.Finish = "tool_calls"
		}
	}
	return a
}

func ptr[T any](v T) *T { return &v }
