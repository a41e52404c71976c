// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// think puts in how the client's format asks for thinking: a budget of tokens
// or a word.
func (c *cell) think(a neutral.Ask) neutral.Ask {
	if c.in == "anthropic" {
		a.Budget = 2048
	} else {
		a.Effort = "medium"
	}
	return a
}

// signature is one that a vendor gives, in a form that its clients can hold.
func signature(of string, n int) string {
	return base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%s's own thoughts, no. %04d, %s", of, n, strings.Repeat("x", n%3))))
}

// thoughts are thinking and a call of it, signed as the vendor signs.
func thoughts(of string, n int, call *neutral.Call) []neutral.Part {
	thinking := neutral.Part{Thinking: fmt.Sprintf("I should look, thinks %s %d.", of, n)}
	p := neutral.Part{Call: call}
	switch of {
	case "openai":
		return []neutral.Part{p}
	case "anthropic", "responses":
		thinking.Signature = signature(of, n)
	case "gemini":
		p.Signature = signature(of, n)
	}
	return []neutral.Part{thinking, p}
}

// reasoning: how much to think, what was thought, and that a vendor gets its own
// signatures back, and nobody else's.
func reasoning(c *cell) {
	turns := []neutral.Turn{user("Is 91 prime?")}
	model := thinkers[c.out]
	answer := said(neutral.Part{Thinking: "7 × 13 = 91, \"so\"\nno."}, "No.")
	if c.out == "anthropic" || c.out == "responses" {
		answer.Parts[0].Signature = signature(c.out, 1)
	}
	if c.out == "openai" {
		answer.Parts = answer.Parts[1:]
	}
	answer.Usage.Reasoning = 12
	c.do(exchange{check: "thinking", model: model, ask: c.think(neutral.Ask{Turns: turns}), answer: answer})
	c.do(exchange{check: "not asked", model: model, ask: neutral.Ask{Turns: turns}, answer: said("No.")})
	if c.in != "anthropic" && c.out != "anthropic" {
		for _, effort := range []string{"low", "high"} {
			x := exchange{check: "effort", model: model, ask: neutral.Ask{Turns: turns, Effort: effort}, answer: answer}
			x.also = func(r *result, d *diffs) { compare(d, "effort", effort, r.seen[0].Ask.Effort) }
			c.do(x)
		}
	}
	if (c.in == "anthropic" || c.in == "gemini") && (c.out == "anthropic" || c.out == "gemini") {
		x := exchange{check: "budget", ask: neutral.Ask{Turns: turns, Budget: 3000}, answer: answer}
		x.also = func(r *result, d *diffs) { compare(d, "budget", 3000, r.seen[0].Ask.Budget) }
		c.do(x)
	}
	for _, only := range []string{"whole", "streamed"} {
		c.signatures(only, false)
		if c.in == "openai" {
			c.signatures(only, true)
		}
		if !c.direct {
			c.between(only)
		}
	}
}

// signatures goes round a tool loop: the vendor refuses a turn of its own whose
// signature it does not get back. With bare the client keeps only what its
// format's own vendor knows.
func (c *cell) signatures(only string, bare bool) {
	check := "signatures"
	if bare {
		check = "signatures, standard client"
	}
	turns := []neutral.Turn{user("Paris?")}
	for n := range 3 {
		answer := said(thoughts(c.out, 10+n, c.call(10+n, "get_weather", `{"city":"Paris"}`)))
		if n == 2 {
			answer = said("18 degrees.")
		}
		x := exchange{check: check, only: only, model: thinkers[c.out], ask: c.think(neutral.Ask{Turns: turns, Tools: someTools()}), answer: answer}
		if bare {
			x.loose = []string{"whether to think"}
		}
		x.also = func(r *result, d *diffs) {
			for i := range n {
				if s := signature(c.out, 10+i); can(c.out, hasSign) && !slices.Contains(signed(r.seen[0].Ask), s) && !bare {
					d.add("signatures", s, fmt.Sprint(signed(r.seen[0].Ask)))
				}
			}
		}
		r := c.do(x)
		if r == nil || !called(r) {
			return
		}
		turns = append(turns, c.took(r, bare)...)
	}
}

// called reports that the client was given a call.
func called(r *result) bool {
	return slices.ContainsFunc(r.Parts, func(p neutral.Part) bool { return p.Call != nil })
}

// took is what the client puts into its history: the turn it was given, and the
// results of the calls.
func (c *cell) took(r *result, bare bool) []neutral.Turn {
	parts := slices.Clone(r.Parts)
	if bare {
		parts = slices.DeleteFunc(parts, func(p neutral.Part) bool { return kind(p) == "thinking" })
	}
	t := neutral.Turn{Role: "tool"}
	for _, p := range parts {
		if p.Call != nil {
			t.Parts = append(t.Parts, neutral.Part{Result: &neutral.Result{ID: p.Call.ID, Name: p.Call.Name, Text: "18 °C"}})
		}
	}
	return []neutral.Turn{{Role: "assistant", Parts: parts}, t}
}

// signed lists the signatures in what a vendor was asked.
func signed(a neutral.Ask) []string {
	var out []string
	for _, t := range a.Turns {
		for _, p := range t.Parts {
			if p.Signature != "" {
				out = append(out, p.Signature)
			}
		}
	}
	return out
}

// between asks another vendor in the middle of a loop: neither gets a signature
// of the other's, and neither refuses.
func (c *cell) between(only string) {
	const check = "another vendor between"
	c.ran = append(c.ran, check)
	turns := []neutral.Turn{user("Paris?")}
	for n, provider := range []string{first, second, first} {
		of, v := c.out, c.vendor
		if provider == second {
			of, v = c.other, c.second
		}
		call := &neutral.Call{Name: "get_weather", Args: `{"city":"Paris"}`}
		switch of {
		case "openai", "responses":
			call.ID = fmt.Sprintf("call_%024d", 20+n)
		case "anthropic":
			call.ID = fmt.Sprintf("toolu_%024d", 20+n)
		}
		v.Take()
		v.Script(said(thoughts(of, 20+n, call)))
		ask := c.think(neutral.Ask{Model: c.model(provider, thinkers[of]), Stream: only == "streamed", Turns: turns, Tools: someTools()})
		got, err := c.send(c.clientOf(), ask, nil)
		seen := v.Take()
		if err != nil {
			c.fail(check, " "+only, true, "turn %d: %v", n, err)
			return
		}
		r := &result{told: got, seen: seen}
		if len(seen) != 1 || seen[0].Refused != "" || got.Error != nil {
			c.fail(check, " "+only, true, "turn %d, to %s: asked %d times, refused %s; the client got %+v", n, of, len(seen), refusals(seen), got.Error)
			c.show(r)
			return
		}
		for _, s := range signed(seen[0].Ask) {
			raw, _ := base64.StdEncoding.DecodeString(s)
			if !strings.HasPrefix(string(raw), of+"'s own thoughts") {
				c.fail(check, " "+only, true, "turn %d: %s gets a signature that is not its own: %q", n, of, s)
			}
		}
		if !called(r) {
			c.fail(check, " "+only, false, "turn %d: no call: %s", n, show(got.Parts))
			return
		}
		turns = append(turns, c.took(r, false)...)
	}
}
