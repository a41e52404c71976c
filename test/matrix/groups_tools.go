// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/json"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func someTools() []neutral.Tool {
	return []neutral.Tool{
		{Name: "get_weather", Description: "The weather in a city", Parameters: json.RawMessage(
			`{"type":"object","properties":{"city":{"type":"string","description":"A \"name\""},"days":{"type":"array","items":{"type":"integer"}},` +
				`"where":{"type":"object","properties":{"lat":{"type":"number"}}}},"required":["city"]}`)},
		{Name: "get_time", Description: "What time it is", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)},
	}
}

// tools: what may be called, what must be, and one call.
func tools(c *cell) {
	turns := []neutral.Turn{user("What is it like in Paris?")}
	nested := `{"city":"Paris","days":[1,2.50,-3e2],"where":{"lat":48.8566,"x":{"y":[null,true,{"z":[]}]}},"n":12345678901234567890}`
	c.do(exchange{check: "nested arguments", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said(c.call(1, "get_weather", nested))})
	escapes := `{"city":"a\"b\\c\/d\n\té🙂</x>","k\"ey":"{\"not\": \"an object\"}"}`
	c.do(exchange{check: "escapes", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said(c.call(1, "get_weather", escapes))})
	c.do(exchange{check: "empty arguments", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said(c.call(1, "get_time", `{}`))})
	c.do(exchange{check: "text and a call", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said("I look.", c.call(1, "get_weather", `{"city":"Paris"}`))})
	c.do(exchange{check: "no call", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said("Fine.")})
	long := `{"city":"` + strings.Repeat("long ", 400) + `"}`
	c.do(exchange{check: "long arguments", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: said(c.call(1, "get_weather", long))})
	if !can(c.in, hasChoice) {
		return
	}
	for _, choice := range []string{"auto", "none", "required", "tool:get_time"} {
		answer := said(c.call(1, "get_time", `{}`))
		if choice == "none" {
			answer = said("Fine.")
		}
		x := exchange{check: "choice " + choice, ask: neutral.Ask{Turns: turns, Tools: someTools(), Choice: choice}, answer: answer}
		if choice == "none" && c.out == "ollama" { // which is not told of the tools then
			x.mean = &neutral.Ask{Turns: turns}
		}
		c.do(x)
	}
}

// parallelTools: several calls at once.
func parallelTools(c *cell) {
	turns := []neutral.Turn{user("Paris and Rome?")}
	two := said(c.call(1, "get_weather", `{"city":"Paris"}`), c.call(2, "get_time", `{}`))
	three := said(c.call(1, "get_weather", `{"city":"Paris"}`), c.call(2, "get_weather", `{"city":"Rome"}`), c.call(3, "get_time", `{}`))
	same := said("Both: ", c.call(1, "get_weather", `{"city":"Paris"}`), c.call(2, "get_weather", `{"city":"Paris"}`))
	c.do(exchange{check: "two", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: two})
	c.do(exchange{check: "three", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: three})
	c.do(exchange{check: "the same twice", ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: same})
	if can(c.in, hasParallel) {
		one := said(c.call(1, "get_weather", `{"city":"Paris"}`))
		c.do(exchange{check: "one at a time", ask: neutral.Ask{Turns: turns, Tools: someTools(), Choice: "auto", Parallel: ptr(false)}, answer: one})
		c.do(exchange{check: "at will", ask: neutral.Ask{Turns: turns, Tools: someTools(), Choice: "auto", Parallel: ptr(true)}, answer: two})
	}
}

// toolResults: what the tools answered goes back, to the call it belongs to.
func toolResults(c *cell) {
	paris, rome := `{"city":"Paris"}`, `{"city":"Rome"}`
	done := said("18 degrees at noon.")
	c.do(exchange{check: "one", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(c.outcome(1, "get_weather", "18 °C")),
	}}, answer: done})
	c.do(exchange{check: "another order", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant("I look.", c.past(1, "get_weather", paris), c.past(2, "get_time", `{}`)),
		results(c.outcome(2, "get_time", "noon"), c.outcome(1, "get_weather", "18 °C")),
	}}, answer: done})
	if can(c.in, hasCallID) {
		c.do(exchange{check: "another order, one tool", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
			user("Both?"), assistant(c.past(1, "get_weather", paris), c.past(2, "get_weather", rome)),
			results(c.outcome(2, "get_weather", "hot"), c.outcome(1, "get_weather", "wet")),
		}}, answer: done})
	}
	c.do(exchange{check: "text beside", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(c.outcome(1, "get_weather", "18 °C")), user("And be brief."),
	}}, answer: done})
	c.do(exchange{check: "two rounds", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(c.outcome(1, "get_weather", "18 °C")),
		assistant("And when?", c.past(2, "get_time", `{}`)), results(c.outcome(2, "get_time", "noon")),
		assistant("Warm at noon."), user("And Rome?"), assistant(c.past(3, "get_weather", rome)), results(c.outcome(3, "get_weather", "")),
	}}, answer: done})
	failed := c.outcome(1, "get_weather", "no such city")
	failed.Failed = true
	c.do(exchange{check: "an error", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(failed),
	}}, answer: done})
	object := c.outcome(1, "get_weather", `{"degrees": 18, "sky": ["clear"]}`)
	c.do(exchange{check: "JSON", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
		user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(object),
	}}, answer: done})
	if can(c.in, hasPicture) {
		seen := c.outcome(1, "get_weather", "a picture:")
		seen.Image = red
		x := exchange{check: "an image", ask: neutral.Ask{Tools: someTools(), Turns: []neutral.Turn{
			user("Paris?"), assistant(c.past(1, "get_weather", paris)), results(seen),
		}}, answer: done}
		if c.out == "gemini" && c.in != "gemini" {
			y := x
			y.check, y.model = "an image to a newer model", thinkers[c.out]
			c.do(y)
		}
		if !can(c.out, hasPicture) || c.out == "gemini" && c.in != "gemini" { // then it follows in a message of the user
			x.loose = []string{"turns", "number of turns"}
			x.also = func(r *result, d *diffs) { compare(d, "a user's image at the end", red.Data, lastImage(r.seen[0].Ask)) }
		}
		c.do(x)
	}
	c.loop()
}

// lastImage is the data of an image in the last turn, if that is the user's.
func lastImage(a neutral.Ask) string {
	if n := len(a.Turns); n > 0 && a.Turns[n-1].Role == "user" {
		for _, p := range a.Turns[n-1].Parts {
			if p.Image != nil {
				return p.Image.Data
			}
		}
	}
	return ""
}

// loop takes the vendor's own calls back to it: with its own ids, where it has any.
func (c *cell) loop() {
	turns := []neutral.Turn{user("Paris?")}
	calls := said(c.call(7, "get_weather", `{"city":"Paris"}`), c.call(8, "get_time", `{}`))
	for _, only := range []string{"whole", "streamed"} {
		r := c.do(exchange{check: "a loop", only: only, ask: neutral.Ask{Turns: turns, Tools: someTools()}, answer: calls})
		if r == nil || len(r.Parts) != 2 || r.Parts[0].Call == nil || r.Parts[1].Call == nil {
			continue
		}
		back := results(
			&neutral.Result{ID: r.Parts[0].Call.ID, Name: "get_weather", Text: "18 °C"},
			&neutral.Result{ID: r.Parts[1].Call.ID, Name: "get_time", Text: "noon"})
		ask := neutral.Ask{Tools: someTools(), Turns: append(turns[:1:1], turn("assistant", r.Parts), back)}
		c.do(exchange{check: "a loop", only: only, ask: ask, answer: said("Done."), also: func(r *result, d *diffs) {
			if !can(c.out, hasCallID) || !can(c.in, hasCallID) {
				return
			}
			var ids []string
			for _, t := range r.seen[0].Ask.Turns {
				for _, p := range t.Parts {
					if p.Call != nil {
						ids = append(ids, p.Call.ID)
					}
				}
			}
			compare(d, "the vendor's own ids", strings.Join([]string{c.id(7), c.id(8)}, " "), strings.Join(ids, " "))
		}})
	}
}

var (
	red  = &neutral.Media{Type: "image/png", Data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="}
	blue = &neutral.Media{Type: "image/png", Data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="}
	far  = &neutral.Media{Type: "image/png", URL: "https://example.com/a%20cat.png?x=1&y=2"}
)

// vision: images, and what stands around them.
func vision(c *cell) {
	answer := said("A red dot.")
	c.do(exchange{check: "base64", ask: neutral.Ask{Turns: []neutral.Turn{user("What is this?", red)}}, answer: answer})
	c.do(exchange{check: "two and text", ask: neutral.Ask{Turns: []neutral.Turn{user("First:", red, "then:", blue, "Which is red?")}}, answer: answer})
	c.do(exchange{check: "in an earlier turn", ask: neutral.Ask{Turns: []neutral.Turn{user(blue, "This?"), assistant("Blue."), user("Sure?")}}, answer: answer})
	c.do(exchange{check: "without text", ask: neutral.Ask{Turns: []neutral.Turn{system("Describe."), user(red)}}, answer: answer})
	if can(c.in, hasURL) {
		c.do(exchange{check: "URL", ask: neutral.Ask{Turns: []neutral.Turn{user("What is this?", far)}}, answer: answer})
	}
}

// structured: an answer by a JSON Schema.
func structured(c *cell) {
	schema := json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"},"degrees":{"type":"integer"},` +
		`"sky":{"type":"array","items":{"type":"string","enum":["clear","grey"]}}},"required":["city","degrees","sky"],"additionalProperties":false}`)
	turns := []neutral.Turn{system("Answer in JSON."), user("The weather in Paris, as JSON?")}
	answer := said(`{"city":"Paris \"é\"","degrees":18,"sky":["clear"]}`)
	c.do(exchange{check: "schema", ask: neutral.Ask{Turns: turns, Schema: schema, SchemaName: "weather"}, answer: answer})
	c.do(exchange{
		check: "schema and tools", ask: neutral.Ask{Turns: turns, Schema: schema, SchemaName: "weather", Tools: someTools()},
		answer: said(c.call(1, "get_weather", `{"city":"Paris"}`)),
	})
}
