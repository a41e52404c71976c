// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// ollamaAnswer writes answers to one request: a line, or many.
type ollamaAnswer struct{ c *check }

func (r ollamaAnswer) write(w http.ResponseWriter, a neutral.Answer) {
	a = r.c.complete(a, "", "")
	if r.c.ask.Stream {
		r.stream(newStream(w, "application/x-ndjson", "\n"), a)
		return
	}
	var thinking string
	var calls []json.RawMessage
	for _, p := range a.Parts {
		thinking += p.Thinking
		if p.Call != nil {
			calls = append(calls, ollamaCall(p.Call, len(calls)))
		}
	}
	message := obj("role", "assistant", "content", text(a.Parts), "thinking", when(thinking != "", thinking), "tool_calls", when(calls != nil, list(calls...)))
	whole(w, http.StatusOK, ollamaLine(a, message, true), a.Error != nil)
}

func ollamaCall(c *neutral.Call, index int) json.RawMessage {
	f := obj("index", index, "name", c.Name, "arguments", compact(c.Args))
	return obj("id", when(c.ID != "", c.ID), "function", f)
}

func ollamaLine(a neutral.Answer, message json.RawMessage, done bool) json.RawMessage {
	at := time.Now().UTC().Format(time.RFC3339Nano)
	if !done {
		return obj("model", a.Model, "created_at", at, "message", message, "done", false)
	}
	reason := "stop" // after calls too
	if a.Finish == "length" {
		reason = "length"
	}
	u := a.Usage
	return obj("model", a.Model, "created_at", at, "message", message, "done", true, "done_reason", reason, "total_duration", 4883583458,
		"load_duration", 1334875, "prompt_eval_count", u.Input+u.CacheRead+u.CacheWrite, "prompt_eval_duration", 342546000,
		"eval_count", u.Output+u.Reasoning, "eval_duration", 4535599000)
}

func (r ollamaAnswer) stream(s *stream, a neutral.Answer) {
	defer s.end()
	line := func(j json.RawMessage) { s.bytes(append(j, '\n')) }
	say := func(kv ...any) {
		line(ollamaLine(a, obj(append([]any{"role", "assistant"}, kv...)...), false))
	}
	calls := 0
	for _, p := range a.Parts {
		switch {
		case p.Call != nil:
			say("content", "", "tool_calls", list(ollamaCall(p.Call, calls)))
			calls++
		case p.Text != "":
			for n, piece := range pieces(p.Text) {
				say("content", written(n, piece))
			}
		default:
			for n, piece := range pieces(p.Thinking) {
				say("content", "", "thinking", written(n, piece))
			}
		}
	}
	switch f := a.Error; {
	case f == nil:
		line(ollamaLine(a, obj("role", "assistant", "content", ""), true))
	case !f.Cut:
		line(ollamaError(r.c, fault{Fault: *f}))
	}
}
