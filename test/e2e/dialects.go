// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// spoken is one of the formats that clients speak, as a client sees it: what it
// asks, what it reads the text of an answer from, and how a stream ends.
type spoken struct {
	name   string
	path   func(model string, stream bool) string
	body   func(model string, stream bool) doc
	header []string
	lines  bool                           // a stream is a JSON value a line
	text   func(v any) string             // of a whole answer, or of one event
	ends   func(event string, v any) bool // the event that ends a stream; nil: [DONE]
	// native: engines have this surface themselves, the yardstick of ours.
	native []string
	// also are members that an engine adds to the format, or leaves out where it
	// likes: no client depends on them.
	also []string
}

// at walks into a JSON value: names of members, and numbers of elements.
func at(v any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			a, _ := v.([]any)
			if step >= len(a) {
				return nil
			}
			v = a[step]
		}
	}
	return v
}

func word(v any) string { s, _ := v.(string); return s }

func fixed(path string) func(string, bool) string {
	return func(string, bool) string { return path }
}

const question = "What is the capital of France?"

var formats = []spoken{
	{
		name: "OpenAI chat", path: fixed("/v1/chat/completions"),
		body: func(model string, stream bool) doc {
			return doc{"model": model, "max_tokens": 12, "temperature": 0, "stream": stream, "messages": []doc{{"role": "user", "content": question}}}
		},
		text: func(v any) string {
			return word(at(v, "choices", 0, "message", "content")) + word(at(v, "choices", 0, "delta", "content"))
		},
		native: []string{"llamacpp", "ollama"}, also: []string{"timings", "system_fingerprint", "reasoning"},
	},
	{
		name: "OpenAI Responses", path: fixed("/v1/responses"),
		body: func(model string, stream bool) doc {
			return doc{"model": model, "max_output_tokens": 16, "temperature": 0, "stream": stream, "input": question}
		},
		text: func(v any) string {
			if at(v, "type") == "response.output_text.delta" {
				return word(at(v, "delta"))
			}
			var b strings.Builder
			items, _ := at(v, "output").([]any)
			for _, item := range items {
				b.WriteString(word(at(item, "content", 0, "text")))
			}
			return b.String()
		},
		ends: func(event string, v any) bool {
			return event == word(at(v, "type")) && (event == "response.completed" || event == "response.incomplete")
		},
		native: []string{"llamacpp", "ollama"},
		// Ollama also says what it takes sampling to be where nobody said anything.
		also: []string{"completed_at", "timings", "top_p", "frequency_penalty", "presence_penalty"},
	},
	{
		name: "Anthropic", path: fixed("/v1/messages"), header: []string{"Anthropic-Version", "2023-06-01", "X-Api-Key", "any"},
		body: func(model string, stream bool) doc {
			return doc{"model": model, "max_tokens": 12, "stream": stream, "messages": []doc{{"role": "user", "content": question}}}
		},
		text: func(v any) string {
			return word(at(v, "content", 0, "text")) + word(at(v, "delta", "text"))
		},
		ends:   func(event string, v any) bool { return event == "message_stop" && at(v, "type") == "message_stop" },
		native: []string{"llamacpp", "ollama"},
	},
	{
		name: "Gemini", header: []string{"X-Goog-Api-Key", "any"},
		path: func(model string, stream bool) string {
			if stream {
				return "/v1beta/models/" + (&url.URL{Path: model}).EscapedPath() + ":streamGenerateContent?alt=sse"
			}
			return "/v1beta/models/" + (&url.URL{Path: model}).EscapedPath() + ":generateContent"
		},
		body: func(string, bool) doc {
			return doc{
				"contents":         []doc{{"role": "user", "parts": []doc{{"text": question}}}},
				"generationConfig": doc{"maxOutputTokens": 12, "temperature": 0},
			}
		},
		text: func(v any) string { return word(at(v, "candidates", 0, "content", "parts", 0, "text")) },
		ends: func(_ string, v any) bool {
			return word(at(v, "candidates", 0, "finishReason")) != "" && at(v, "usageMetadata", "totalTokenCount") != nil
		},
	},
	{
		name: "Ollama", path: fixed("/api/chat"), lines: true,
		body: func(model string, stream bool) doc {
			return doc{"model": model, "stream": stream, "options": doc{"num_predict": 12, "temperature": 0}, "messages": []doc{{"role": "user", "content": question}}}
		},
		text:   func(v any) string { return word(at(v, "message", "content")) },
		ends:   func(_ string, v any) bool { return at(v, "done") == true },
		native: []string{"ollama"}, also: []string{"total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "eval_count", "prompt_eval_count"},
	},
}

// spokenCases ask a model in each of the formats.
func (s *suite) spokenCases(through surface, g target, e *engine, name string) {
	for i := range formats {
		f := &formats[i]
		for _, stream := range []bool{false, true} {
			what := f.name
			if stream {
				what += ", streamed"
			}
			s.run(through.name+" "+g.name+" by "+what, func(t *T) {
				mine := f.ask(t, through, g.id(), stream)
				if strings.TrimSpace(mine.text) == "" {
					t.Errorf("no text")
				}
				if slices.Contains(f.native, name) {
					f.compare(t, mine, f.ask(t, e.surface, g.model, stream))
				}
			})
		}
		s.run(through.name+" "+g.name+": an error in the shape of "+f.name, func(t *T) { f.refusal(t, through) })
	}
}

// seen is what a client sees of an answer.
type seen struct {
	text   string
	events []string                   // the kinds of a stream's events, each run of the same once
	shape  map[string]map[string]bool // of each kind of event: path and type of everything in it
}

// ask asks, reads, and checks how the answer is framed.
func (f *spoken) ask(t *T, s surface, model string, stream bool) *seen {
	resp := must(s.send(t.ctx, http.MethodPost, f.path(model, stream), f.body(model, stream), f.header...))(t)
	defer resp.Body.Close()
	var data bytes.Buffer
	if _, err := data.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		t.Fatalf("%s: status %d: %s", s.name, resp.StatusCode, short(data.Bytes()))
	}
	out := &seen{shape: map[string]map[string]bool{}}
	kind := resp.Header.Get("Content-Type")
	if !stream {
		if !strings.HasPrefix(kind, "application/json") {
			t.Errorf("%s: Content-Type %q", s.name, kind)
		}
		out.add(t, f, "", data.Bytes())
		return out
	}
	if want := map[bool]string{false: "text/event-stream", true: "application/x-ndjson"}[f.lines]; !strings.HasPrefix(kind, want) {
		t.Errorf("%s: Content-Type %q", s.name, kind)
	}
	ended, event := false, ""
	for lines := bufio.NewScanner(&data); lines.Scan(); {
		line := strings.TrimRight(lines.Text(), "\r")
		payload, isData := strings.CutPrefix(line, "data:")
		switch {
		case f.lines && line != "":
			payload = line
		case strings.HasPrefix(line, "event:"):
			event = strings.TrimSpace(line[len("event:"):])
			continue
		case !isData:
			if line == "" {
				event = ""
			}
			continue
		}
		payload = strings.TrimSpace(payload)
		if ended {
			t.Errorf("%s: an event after the end: %s", s.name, payload)
		}
		if payload == "[DONE]" {
			ended = f.ends == nil
			continue
		}
		v := out.add(t, f, event, []byte(payload))
		if f.ends != nil && f.ends(event, v) {
			ended = true
		}
	}
	if !ended {
		t.Errorf("%s: the stream has no end", s.name)
	}
	return out
}

// add takes in one JSON value.
func (x *seen) add(t *T, f *spoken, event string, data []byte) any {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %s", err, short(data))
	}
	x.text += f.text(v)
	kind := or(event, word(at(v, "type")))
	if kind == "response.incomplete" { // llama.cpp says that an answer is complete which its ceiling cut
		kind = "response.completed"
	}
	if event == "ping" || at(v, "type") == "ping" {
		return v
	}
	if n := len(x.events); n == 0 || x.events[n-1] != kind {
		x.events = append(x.events, kind)
	}
	if x.shape[kind] == nil {
		x.shape[kind] = map[string]bool{}
	}
	shape(x.shape[kind], "", v)
	return v
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// shape notes the paths in v, with their types; null is any type, and the
// elements of an array are alike.
func shape(into map[string]bool, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			shape(into, path+"."+name, value)
		}
	case []any:
		into[path+" is an array"] = true
		for _, value := range v {
			shape(into, path+"[]", value)
		}
	case nil:
	default:
		into[fmt.Sprintf("%s is a %T", path, v)] = true
	}
}

// compare holds what a client sees through hoosh against what it sees of the
// engine itself: all that the engine gives must be there.
func (f *spoken) compare(t *T, mine, its *seen) {
	if !slices.Equal(mine.events, its.events) {
		t.Errorf("events %q, of the engine %q", mine.events, its.events)
	}
	for kind, paths := range its.shape {
		for path := range paths {
			if mine.shape[kind][path] || slices.ContainsFunc(f.also, func(name string) bool { return strings.Contains(path, "."+name) }) {
				continue
			}
			t.Errorf("%s: the engine's %s is missing", or(kind, "the answer"), strings.TrimPrefix(path, "."))
		}
	}
}

// refusal asks for a model that nobody has.
func (f *spoken) refusal(t *T, s surface) {
	a := s.post(t, f.path("no-such-model", false), f.body("no-such-model", false), f.header...)
	var v any
	if a.want(t, 404, &v); !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		t.Errorf("Content-Type %q", a.header.Get("Content-Type"))
	}
	message := at(v, "error", "message")
	switch f.name {
	case "Anthropic":
		if at(v, "type") != "error" || at(v, "error", "type") != "not_found_error" {
			t.Errorf("not Anthropic's error: %s", short(a.body))
		}
	case "Gemini":
		if at(v, "error", "code") != 404.0 || at(v, "error", "status") != "NOT_FOUND" {
			t.Errorf("not Gemini's error: %s", short(a.body))
		}
	case "Ollama":
		message = at(v, "error")
	default:
		if at(v, "error", "code") != "model_not_found" {
			t.Errorf("not OpenAI's error: %s", short(a.body))
		}
	}
	if !strings.Contains(word(message), "no-such-model") {
		t.Errorf("the message does not say what was wrong: %s", short(a.body))
	}
}
