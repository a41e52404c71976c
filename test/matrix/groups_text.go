// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// chat: who said what, and how the model is to choose its words.
func chat(c *cell) {
	c.do(exchange{check: "turns", ask: neutral.Ask{Turns: []neutral.Turn{
		system("You are terse.\nYou like \"quotes\"."), user("Hello"), assistant("Hi. What is it?"), user("How far is the moon?"),
	}}, answer: said("384 400 km.")})
	c.do(exchange{check: "one turn", ask: neutral.Ask{Turns: []neutral.Turn{user("Hello")}}, answer: said("Hi!")})
	hello := []neutral.Turn{user("Hello")}
	c.do(exchange{check: "max tokens", ask: neutral.Ask{Turns: hello, MaxTokens: 321}, answer: said("Hi!")})
	if c.in != "responses" || c.out != "responses" { // whose models all reason, and refuse these: that is the client's matter
		c.do(exchange{check: "temperature", ask: neutral.Ask{Turns: hello, Temperature: ptr(0.5)}, answer: said("Hi!")})
		c.do(exchange{check: "top_p", ask: neutral.Ask{Turns: hello, TopP: ptr(0.25)}, answer: said("Hi!")})
	}
	if can(c.in, hasSeed) {
		c.do(exchange{check: "seed", ask: neutral.Ask{Turns: hello, Seed: ptr(int64(42))}, answer: said("Hi!")})
	}
	if can(c.in, hasN) {
		c.choices(hello)
	}
}

// choices asks for two answers: a vendor that gives one at a time is asked twice.
func (c *cell) choices(turns []neutral.Turn) {
	x := exchange{check: "choices", ask: neutral.Ask{Turns: turns, N: 2}}
	one, two := said("Heads"), said("Tails")
	both := one
	both.More = []neutral.Answer{two}
	if can(c.out, hasN) {
		x.answer = both
		c.do(x)
		return
	}
	// Which of the two requests comes first is chance, so the model says the same.
	two = one
	both.More = []neutral.Answer{two}
	x.answer, x.more, x.expect = one, []neutral.Answer{one}, &both
	x.mean = &neutral.Ask{Turns: turns}
	x.also = func(r *result, d *diffs) { compare(d, "requests", 2, len(r.seen)) }
	c.do(x)
}

var longText = strings.Repeat("The quick brown fox jumps over the lazy dog, says 🦊. ", 12) + "Ende."

// stream: text in pieces, one end, and the forms of streams that clients ask for.
func stream(c *cell) {
	x := exchange{
		check: "pieces", only: "streamed", ask: neutral.Ask{Turns: []neutral.Turn{user("Tell me a story")}}, answer: said(longText),
		also: func(r *result, d *diffs) {
			if r.Pieces < 3 {
				d.add("pieces of text", "several", r.Pieces)
			}
		},
	}
	c.do(x)
	x.check, x.chop = "pieces of a few bytes", true
	c.do(x)
	x.chop = false
	switch c.in {
	case "openai":
		x.check, x.dialect = "without usage", client.OpenAIBare
		c.do(x)
	case "gemini":
		x.check, x.dialect = "as an array", client.GeminiArray
		x.also = nil
		c.do(x)
	}
	c.do(exchange{
		check: "text, then a call", only: "streamed", ask: neutral.Ask{Turns: []neutral.Turn{user("Weather?")}, Tools: someTools()},
		answer: said("Let me look. ", c.call(1, "get_weather", `{"city":"Paris"}`)),
	})
	c.do(exchange{check: "a short word", only: "streamed", ask: neutral.Ask{Turns: []neutral.Turn{user("Yes or no?")}}, answer: said("No")})
}

// usage: the classes of tokens that both formats have.
func usage(c *cell) {
	for _, u := range []struct {
		check string
		usage neutral.Usage
	}{
		{"all classes", neutral.Usage{Input: 101, CacheRead: 32, CacheWrite: 17, Output: 43, Reasoning: 12}},
		{"no cache", neutral.Usage{Input: 9, Output: 5}},
		{"all from the cache", neutral.Usage{Input: 1, CacheRead: 4096, Output: 1}},
	} {
		a := said("Counted.")
		a.Usage = u.usage
		c.do(exchange{
			check: u.check, model: thinkers[c.out], ask: neutral.Ask{Turns: []neutral.Turn{user("Count")}}, answer: a,
			also: func(r *result, d *diffs) {
				want := fold(fold(u.usage, c.out), c.in)
				compare(d, "usage", want, fold(fold(r.Usage, c.out), c.in))
			},
		})
	}
}

// stop: why an answer ends.
func stop(c *cell) {
	turns := []neutral.Turn{user("Count")}
	if can(c.in, hasStop) {
		x := exchange{check: "stop sequences", ask: neutral.Ask{Turns: turns, Stop: []string{"STOP", "END"}}}
		cut := said("one two ")
		cut.StopSequence = "STOP"
		x.answer = cut
		if !can(c.out, hasStop) { // then hoosh looks for them
			x.answer, x.expect = said("one two STOP three END four"), &cut
			x.mean = &neutral.Ask{Turns: turns}
		}
		c.do(x)
		x.check = "one of them, within a word"
		x.ask.Stop = []string{"TOPS"}
		cut = said("one tw")
		cut.StopSequence = "TOPS"
		x.answer = cut
		if !can(c.out, hasStop) {
			x.answer = said("one twTOPSo TOP")
		}
		c.do(x)
	}
	c.do(exchange{check: "the end", ask: neutral.Ask{Turns: turns}, answer: said("one")})
	long := said("one two thr")
	long.Finish = "length"
	c.do(exchange{check: "length", ask: neutral.Ask{Turns: turns, MaxTokens: 16}, answer: long})
	if c.out != "ollama" {
		filtered := said("one two")
		filtered.Finish = "content_filter"
		x := exchange{check: "filter", ask: neutral.Ask{Turns: turns}, answer: filtered}
		if c.in == "ollama" { // which has no word for it
			x.loose = []string{"finish"}
		}
		c.do(x)
	}
}

// Text that has been got wrong somewhere.
const odd = "naïve 🙂 👩‍👩‍👧 שלום مرحبا [\u2028\u2029\u0085] [\u0000\u0001\u001f\u007f] \t\r\n \"q\" \\ \\u0041 / </script>&amp; 𝒳𐍈 [\ufeff] e\u0301 \U0010ffff \ufffd."

// unicodes: every character arrives, at both ends, however the bytes are cut.
func unicodes(c *cell) {
	args, _ := json.Marshal(map[string]string{"city": odd})
	x := exchange{
		check: "text", ask: neutral.Ask{Turns: []neutral.Turn{system("System: " + odd), user("User: " + odd), assistant(odd), user(odd)}},
		answer: said("Model: " + odd),
	}
	c.do(x)
	x.check, x.chop = "cut anywhere", true
	c.do(x)
	tools := someTools()
	tools[0].Description = odd
	x = exchange{
		check: "in tools", ask: neutral.Ask{Turns: []neutral.Turn{
			user("Go"), assistant(c.past(1, "get_weather", string(args))), results(c.outcome(1, "get_weather", odd)),
		}, Tools: tools},
		answer: said(c.call(2, "get_weather", string(args))),
	}
	c.do(x)
	x.check, x.chop = "in tools, cut anywhere", true
	c.do(x)
	x = exchange{
		check: "lone surrogates", ask: neutral.Ask{Turns: []neutral.Turn{user("a LONE1 b LONE2 c")}, Tools: someTools()},
		mean:   &neutral.Ask{Turns: []neutral.Turn{user("a \ufffd b \ufffd c")}, Tools: someTools()},
		answer: said(c.call(3, "get_weather", `{"city":"a \ud83d b \udc00 c \u0000 \u20ac"}`)),
		edit: func(b []byte) []byte {
			b = bytes.ReplaceAll(b, []byte("LONE1"), []byte(`\ud83d`))
			return bytes.ReplaceAll(b, []byte("LONE2"), []byte(`\uDC00`))
		},
	}
	c.do(x)
	escaped := exchange{
		check: "escapes", ask: neutral.Ask{Turns: []neutral.Turn{user("ESCAPED")}}, answer: said("\u00e9"),
		mean: &neutral.Ask{Turns: []neutral.Turn{user("é🙂/\u2028\u0000\"")}},
		edit: func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("ESCAPED"), []byte(`\u00e9\ud83d\ude42\/\u2028\u0000\"`))
		},
	}
	c.do(escaped)
}

// id is of a call of the vendor's model, in the vendor's manner.
func (c *cell) id(n int) string {
	switch c.out {
	case "openai", "responses":
		return fmt.Sprintf("call_%024d", n)
	case "anthropic":
		return fmt.Sprintf("toolu_%024d", n)
	}
	return ""
}

// call is one that the vendor's model makes.
func (c *cell) call(n int, name, args string) *neutral.Call {
	return &neutral.Call{ID: c.id(n), Name: name, Args: args}
}

// past is a call in a history that the client has made up, or has from elsewhere.
func (c *cell) past(n int, name, args string) *neutral.Call {
	return &neutral.Call{ID: c.pastID(n), Name: name, Args: args}
}

func (c *cell) pastID(n int) string {
	if c.in == "ollama" {
		return ""
	}
	return fmt.Sprintf("past_%d", n)
}

// outcome is what a tool answered to a call of the past.
func (c *cell) outcome(n int, name, text string) *neutral.Result {
	return &neutral.Result{ID: c.pastID(n), Name: name, Text: text}
}
