// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/backend"
	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func (c *cell) clientOf() *client.Dialect { return client.For(c.in) }

func refusals(seen []backend.Seen) string {
	var all []string
	for _, s := range seen {
		if s.Refused != "" {
			all = append(all, s.Refused+" in "+short(string(s.Body)))
		}
	}
	return strings.Join(all, "; ")
}

// refusal is a fault of the vendor, and what the client is to make of it.
type refusal struct {
	check    string
	fault    neutral.Fault
	kinds    []string
	statuses []int // through hoosh
	message  bool  // the vendor's own words reach the client
	wait     int
}

var refused = []refusal{
	{"the client's mistake", neutral.Fault{Kind: neutral.FaultInvalid, Status: 400, Message: "temperature is too hot"},
		[]string{neutral.FaultInvalid}, []int{400}, true, 0},
	{"context", neutral.Fault{Kind: neutral.FaultContext, Status: 400}, []string{neutral.FaultContext}, []int{400}, false, 0},
	{"the vendor's key", neutral.Fault{Kind: neutral.FaultAuth, Status: 401, Message: "no such key"}, []string{neutral.FaultServer}, []int{502}, false, 0},
	{"no such model", neutral.Fault{Kind: neutral.FaultNotFound, Status: 404, Message: "no model of that name"}, []string{neutral.FaultNotFound}, []int{404}, false, 0},
	{"too many", neutral.Fault{Kind: neutral.FaultRate, Status: 429, Message: "slow down", RetryAfter: 7}, []string{neutral.FaultRate}, []int{429}, false, 7},
	{"overloaded", neutral.Fault{Kind: neutral.FaultOverloaded, Message: "busy"}, []string{neutral.FaultOverloaded}, []int{503, 529}, false, 0},
	{"a fault of the vendor", neutral.Fault{Kind: neutral.FaultServer, Status: 500, Message: "oops"}, []string{neutral.FaultServer}, []int{502, 500}, false, 0},
}

// failures: what goes wrong, and that nothing broken ever looks whole.
func failures(c *cell) {
	turns := []neutral.Turn{user("Hello")}
	for _, want := range refused {
		for _, streamed := range []bool{false, true} {
			c.refused(want, neutral.Ask{Turns: turns, Stream: streamed})
		}
	}
	c.broken("an error in the stream", turns, neutral.Fault{Kind: neutral.FaultOverloaded, Message: "busy", InStream: true})
	c.broken("a stream that is cut", turns, neutral.Fault{Cut: true})
	c.early(turns)
	c.badBody(turns)
	if !c.direct {
		c.nowhere(turns)
	}
}

func mode(streamed bool) string {
	if streamed {
		return " streamed"
	}
	return " whole"
}

// tell sends a, and hands a well-formed refusal on.
func (c *cell) tell(check string, a neutral.Ask, edit func([]byte) []byte, answer neutral.Answer) *result {
	if len(c.ran) == 0 || c.ran[len(c.ran)-1] != check {
		c.ran = append(c.ran, check)
	}
	c.vendor.Take()
	c.vendor.Script(answer)
	got, err := c.send(c.clientOf(), a, edit)
	seen := c.vendor.Take()
	if err != nil {
		c.fail(check, mode(a.Stream), true, "%v", err)
		return nil
	}
	r := &result{told: got, seen: seen}
	if s := refusals(seen); s != "" && answer.Error == nil {
		c.fail(check, mode(a.Stream), true, "the vendor refuses: %s", s)
		return nil
	}
	if got.Error == nil {
		c.fail(check, mode(a.Stream), true, "looks like a whole answer: %s, finish %q", show(got.Parts), got.Finish)
		c.show(r)
		return nil
	}
	return r
}

func (c *cell) refused(want refusal, a neutral.Ask) {
	a.Model = c.model(first, plainModels[c.out])
	f := want.fault
	r := c.tell(want.check, a, nil, neutral.Answer{Error: &f})
	if r == nil {
		return
	}
	var d diffs
	e := r.Error
	kinds, statuses := want.kinds, want.statuses
	if c.direct && f.Kind == neutral.FaultAuth {
		kinds, statuses = []string{neutral.FaultAuth, neutral.FaultInvalid}, []int{400, 401, 403}
	}
	if !slices.Contains(kinds, e.Kind) {
		d.add("kind", fmt.Sprint(kinds), fmt.Sprintf("%q (%s)", e.Kind, e.Message))
	}
	if !slices.Contains(statuses, r.status) {
		d.add("status", fmt.Sprint(statuses), r.status)
	}
	if want.message && !strings.Contains(e.Message, f.Message) {
		d.add("message", f.Message, e.Message)
	}
	if want.wait > 0 && can(c.out, hasWait) && (!c.direct || can(c.in, hasWait)) {
		compare(&d, "Retry-After", want.wait, e.RetryAfter)
	}
	compare(&d, "requests to the vendor", 1, len(r.seen))
	for _, what := range d {
		c.fail(want.check, mode(a.Stream), true, "%s", what)
	}
	if len(d) > 0 {
		c.show(r)
	}
}

// broken has a stream go wrong after some text.
func (c *cell) broken(check string, turns []neutral.Turn, f neutral.Fault) {
	const begun = "Partial text, of some length, that comes ahead of the trouble"
	a := neutral.Ask{Model: c.model(first, plainModels[c.out]), Turns: turns, Stream: true}
	r := c.tell(check, a, nil, neutral.Answer{Parts: list(begun), Error: &f})
	if r == nil {
		return
	}
	var d diffs
	if got := show(r.Parts); len(r.Parts) != 1 || !strings.HasPrefix(begun, r.Parts[0].Text) || r.Parts[0].Text == "" {
		d.add("what came before", begun, got)
	}
	if !c.direct || !f.Cut {
		compare(&d, "an error that the stream tells of", true, !r.Error.Cut)
	}
	if f.Kind != "" && can(c.in, hasKind) && can(c.out, hasKind) && !r.Error.Cut {
		if !slices.Contains([]string{f.Kind, neutral.FaultServer}, r.Error.Kind) {
			d.add("kind", f.Kind, r.Error.Kind)
		}
	}
	for _, what := range d {
		c.fail(check, mode(true), true, "%s", what)
	}
	if len(d) > 0 {
		c.show(r)
	}
}

// early has a stream fail before any text: nothing was promised yet.
func (c *cell) early(turns []neutral.Turn) {
	const check = "an error ahead of the text"
	a := neutral.Ask{Model: c.model(first, plainModels[c.out]), Turns: turns, Stream: true}
	r := c.tell(check, a, nil, neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultServer, Message: "oops", InStream: true}})
	if r == nil || c.direct {
		return
	}
	if r.status < 500 {
		c.fail(check, mode(true), true, "status %d, and no text had come", r.status)
	}
}

// badBody sends what is no JSON: it is the client's mistake, and the vendor is
// not asked.
func (c *cell) badBody(turns []neutral.Turn) {
	const check = "a body that is no JSON"
	a := neutral.Ask{Model: c.model(first, plainModels[c.out]), Turns: turns}
	r := c.tell(check, a, func(b []byte) []byte { return b[:len(b)-1] }, neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultInvalid, Status: 400, Message: "no JSON"}})
	if r == nil {
		return
	}
	if r.status != 400 || r.Error.Kind != neutral.FaultInvalid {
		c.fail(check, mode(false), true, "status %d, kind %q: %s", r.status, r.Error.Kind, r.Error.Message)
	}
	if !c.direct && len(r.seen) > 0 {
		c.fail(check, mode(false), true, "the vendor was asked")
	}
}

// nowhere asks for a model that no backend has.
func (c *cell) nowhere(turns []neutral.Turn) {
	const check = "a model that is nowhere"
	for _, streamed := range []bool{false, true} {
		a := neutral.Ask{Model: "nowhere/to-be-found", Turns: turns, Stream: streamed}
		r := c.tell(check, a, nil, neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultServer, Status: 500, Message: "not mine"}})
		if r == nil {
			continue
		}
		if r.status != 404 || r.Error.Kind != neutral.FaultNotFound || len(r.seen) > 0 {
			c.fail(check, mode(streamed), true, "status %d, kind %q, asked %d times: %s", r.status, r.Error.Kind, len(r.seen), r.Error.Message)
		}
	}
}
