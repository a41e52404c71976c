// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/json"
	"strings"
	"time"
)

// target is a model behind hoosh. What it says does not matter.
type target struct {
	name     string // of the engine, for the names of cases
	provider string
	model    string // as the provider has it
	schema   bool   // keeps to a JSON schema
	legacy   bool   // has /v1/completions
	words    int    // how much a stream says that is to be left: more than is ever waited for
}

// id is how to ask hoosh for it.
func (g target) id() string { return g.provider + "/" + g.model }

// chat is a body; more wins over what is usual.
func (g target) chat(prompt string, tokens int, more doc) doc {
	return merge(doc{
		"model": g.id(), "max_tokens": tokens, "temperature": 0, "seed": 7,
		"messages": []doc{{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": prompt}},
	}, more)
}

func merge(d, more doc) doc {
	for k, v := range more {
		d[k] = v
	}
	return d
}

// everywhere runs what must work with every engine on every surface.
func (s *suite) everywhere(at surface, g target) {
	run := func(name string, f func(*T)) { s.run(at.name+" "+g.name+": "+name, f) }
	run("chat", func(t *T) { g.plain(t, at) })
	run("several turns, not only ASCII", func(t *T) { g.turns(t, at) })
	run("max_tokens and stop", func(t *T) { g.bounded(t, at) })
	run("stream without usage", func(t *T) { g.streamed(t, at, false) })
	run("stream with usage", func(t *T) { g.streamed(t, at, true) })
	if g.schema {
		run("JSON schema", func(t *T) { g.structured(t, at, false) })
		run("JSON schema, streamed", func(t *T) { g.structured(t, at, true) })
	}
	if g.legacy {
		run("legacy completion", func(t *T) { g.completed(t, at) })
		run("legacy completion, streamed", func(t *T) { g.completedStream(t, at) })
	}
	if g.provider != scripted.provider {
		run("what the model cannot do is refused", func(t *T) { g.lacking(t, at) })
	}
	run("models, all and by id", func(t *T) { g.listed(t, at) })
	run("route explained", func(t *T) { g.explained(t, at) })
}

func (g target) plain(t *T, at surface) {
	a := at.post(t, "/v1/chat/completions", g.chat("What is the capital of France?", 16, nil), "X-Request-Id", "e2e-plain-1")
	var c completion
	a.want(t, 200, &c)
	if c.Object != "chat.completion" || c.ID == "" || len(c.Choices) != 1 {
		t.Fatalf("no chat completion with one choice: %s", short(a.body))
	}
	choice := c.Choices[0]
	if choice.Message.Role != "assistant" || strings.TrimSpace(choice.Message.Content) == "" {
		t.Errorf("no text of an assistant: %s", short(a.body))
	}
	if choice.FinishReason != "stop" && choice.FinishReason != "length" {
		t.Errorf("finish_reason %q", choice.FinishReason)
	}
	c.Usage.check(t)
	for name, want := range map[string]string{
		"X-Hoosh-Provider": g.provider, "X-Hoosh-Model": g.model, "X-Hoosh-Attempts": "1",
		"X-Request-Id": "e2e-plain-1", "Content-Type": "application/json",
	} {
		if got := a.header.Get(name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func (g target) turns(t *T, at surface) {
	body := g.chat("", 8, doc{"messages": []doc{
		{"role": "system", "content": "Réponds en français. 日本語も可。 \"quoted\" \\ and a tab\t."},
		{"role": "user", "content": "Bonjour 🎈"},
		{"role": "assistant", "content": "Salut ! \u2028 Ça va ?"},
		{"role": "user", "content": []doc{{"type": "text", "text": "Oui, "}, {"type": "text", "text": "et toi ?"}}},
	}})
	var c completion
	a := at.post(t, "/v1/chat/completions", body).want(t, 200, &c)
	if len(c.Choices) != 1 || c.Choices[0].Message.Content == "" {
		t.Fatalf("no text: %s", short(a.body))
	}
	c.Usage.check(t)
	if c.Usage.Prompt < 8 {
		t.Errorf("%d prompt tokens: a part of the conversation is missing", c.Usage.Prompt)
	}
}

func (g target) bounded(t *T, at surface) {
	var c completion
	at.post(t, "/v1/chat/completions", g.chat("Count to one hundred.", 3, nil)).want(t, 200, &c)
	c.Usage.check(t)
	if g.provider != "scripted" && c.Usage.Completion > 3 {
		t.Errorf("%d tokens, though 3 were the most", c.Usage.Completion)
	}
	a := at.post(t, "/v1/chat/completions", g.chat("Say something about the sea.", 12, doc{"stop": []string{" "}})).want(t, 200, &c)
	if g.provider != "scripted" && strings.Contains(strings.TrimSpace(c.Choices[0].Message.Content), " ") {
		t.Errorf("the stop sequence is in the answer: %s", short(a.body))
	}
}

func (g target) streamed(t *T, at surface, withUsage bool) {
	more := doc{"stream": true}
	if withUsage {
		more["stream_options"] = doc{"include_usage": true}
	}
	st := at.stream(t, "/v1/chat/completions", g.chat("Tell me about the sea.", 16, more))
	r := st.readAll(t)
	r.checkEnd(t)
	if r.pieces < 2 {
		t.Errorf("the text came in %d pieces", r.pieces)
	}
	if got := st.header.Get("X-Hoosh-Provider"); got != g.provider {
		t.Errorf("X-Hoosh-Provider: %q", got)
	}
	switch {
	case withUsage:
		r.usage.check(t)
		if r.empty != 1 {
			t.Errorf("%d events without a choice, want the one with usage", r.empty)
		}
	case r.empty > 0 || r.usage != nil:
		t.Errorf("usage was not asked for, and came: %d events without a choice, %+v", r.empty, r.usage)
	}
}

func (g target) structured(t *T, at surface, stream bool) {
	schema := doc{
		"type": "object", "additionalProperties": false, "required": []string{"colour", "warm"},
		"properties": doc{"colour": doc{"type": "string", "enum": []string{"red", "blue"}}, "warm": doc{"type": "boolean"}},
	}
	body := g.chat("Is red a warm colour? Answer in JSON.", 24, doc{
		"stream": stream, "response_format": doc{"type": "json_schema", "json_schema": doc{"name": "colour", "strict": true, "schema": schema}},
	})
	text := ""
	if stream {
		r := at.stream(t, "/v1/chat/completions", body).readAll(t)
		r.checkEnd(t)
		text = r.text
	} else {
		var c completion
		at.post(t, "/v1/chat/completions", body).want(t, 200, &c)
		text = c.Choices[0].Message.Content
	}
	var v struct {
		Colour string
		Warm   *bool
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	if v.Colour != "red" && v.Colour != "blue" || v.Warm == nil {
		t.Errorf("not what the schema says: %q", text)
	}
}

func (g target) completed(t *T, at surface) {
	var c completion
	a := at.post(t, "/v1/completions", doc{"model": g.id(), "prompt": "The sea is", "max_tokens": 8, "temperature": 0}).want(t, 200, &c)
	if c.Object != "text_completion" || len(c.Choices) != 1 || c.Choices[0].Text == "" {
		t.Fatalf("no text completion: %s", short(a.body))
	}
	c.Usage.check(t)
}

func (g target) completedStream(t *T, at surface) {
	body := doc{"model": g.id(), "prompt": "The sea is", "max_tokens": 8, "temperature": 0, "stream": true}
	r := at.stream(t, "/v1/completions", body).readAll(t)
	r.checkEnd(t)
	if r.empty > 0 { // llama.cpp puts usage into the last event of these, asked or not
		t.Errorf("%d events without a choice", r.empty)
	}
}

// lacking asks for what engines drop in silence, or fail at, where the model has
// no place for it.
func (g target) lacking(t *T, at surface) {
	tool := doc{"type": "function", "function": doc{"name": "weather", "parameters": doc{"type": "object"}}}
	at.post(t, "/v1/chat/completions", g.chat("hi", 4, doc{"tools": []doc{tool}})).refused(t, 400, "")
	const dot = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	image := doc{"role": "user", "content": []doc{{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": doc{"url": dot}}}}
	at.post(t, "/v1/chat/completions", g.chat("", 4, doc{"messages": []doc{image}})).refused(t, 400, "")
}

func (g target) listed(t *T, at surface) {
	type entry struct{ ID, Object, OwnedBy string }
	var list struct {
		Object string
		Data   []entry
	}
	a := at.get(t, "/v1/models").want(t, 200, &list)
	id := ""
	for _, m := range list.Data {
		if m.ID == g.model || m.ID == g.id() {
			id = m.ID
		}
		if m.Object != "model" {
			t.Errorf("object %q", m.Object)
		}
	}
	if list.Object != "list" || id == "" {
		t.Fatalf("%s is not listed: %s", g.model, short(a.body))
	}
	var one entry
	if at.get(t, "/v1/models/"+id).want(t, 200, &one); one.ID != id {
		t.Errorf("asked for %q and got %q", id, one.ID)
	}
	at.get(t, "/v1/models/no-such-model").refused(t, 404, "model_not_found")
}

// plan is what /v1/route/explain gives.
type plan struct {
	Model, Route string
	Candidates   []struct {
		Provider, Model, State, Reason string
		Tried                          bool
	}
}

func (g target) explained(t *T, at surface) {
	var p plan
	a := at.post(t, "/v1/route/explain", g.chat("Hello", 4, nil)).want(t, 200, &p)
	if p.Model != g.id() || len(p.Candidates) != 1 || !p.Candidates[0].Tried || p.Candidates[0].Provider != g.provider || p.Candidates[0].Model != g.model {
		t.Errorf("unexpected: %s", short(a.body))
	}
	at.post(t, "/v1/route/explain", doc{"model": "no-such-model"}).refused(t, 404, "model_not_found")
}

// leave begins a long stream, reads a little of it, leaves, and gives idle a
// second to become true.
func (g target) leave(t *T, at surface, idle func() bool) {
	st := at.stream(t, "/v1/chat/completions", g.chat("Write a very long story about the sea.", g.words, doc{"stream": true, "temperature": 1}))
	for range 3 {
		if _, err := st.next(); err != nil {
			t.Fatalf("before we left: %v", err)
		}
	}
	if idle() {
		t.Fatalf("the engine is idle while it streams: nothing to show")
	}
	st.close()
	within(t, time.Second, "the engine stops for a client that has left", idle)
}
