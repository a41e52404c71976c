// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// responsesAnswer writes answers to one request.
type responsesAnswer struct {
	c                                    *check
	o                                    object // the request
	store, summary, encrypted, obfuscate bool

	a       neutral.Answer
	created int64
	seq     int
}

// responsesItem is an item of the output: a part of the answer, or several texts.
type responsesItem struct {
	id   string
	part neutral.Part
	// status is that of the item when it is done; summary is what is told of
	// thinking.
	status, summary string
	encrypted       any
}

func (r responsesAnswer) write(w http.ResponseWriter, a neutral.Answer) {
	r.a, r.created = r.c.complete(a, "resp_", "call_"), time.Now().Unix()
	w.Header().Set("X-Request-Id", r.c.s.id("req_"))
	items := r.items()
	if r.store {
		r.c.s.keep(r.a.ID)
	}
	if r.c.ask.Stream {
		r.stream(newStream(w, "text/event-stream; charset=utf-8", "\n"), items)
		return
	}
	var output []json.RawMessage
	for _, it := range items {
		output = append(output, it.done())
	}
	status, _ := r.status()
	whole(w, http.StatusOK, r.response(status, output, nil), a.Error != nil)
}

func (r *responsesAnswer) items() []responsesItem {
	prefixes := map[bool]string{true: "msg_", false: "fc_"}
	var items []responsesItem
	for i, p := range r.a.Parts {
		it := responsesItem{part: p, status: "completed", encrypted: omit{}, id: r.c.s.id(prefixes[p.Text != ""])}
		if i == len(r.a.Parts)-1 {
			it.status, _ = r.status()
		}
		if isThinking(p) {
			it.id = r.c.s.id("rs_")
			if p.Signature == "" {
				it.part.Signature = r.c.s.signature()
			}
			if r.summary {
				it.summary = p.Thinking
			}
			if r.encrypted {
				it.encrypted = it.part.Signature
				r.c.s.issue(it.part.Signature, p.Thinking)
			}
		}
		if r.store {
			r.c.s.keep(it.id)
		}
		items = append(items, it)
	}
	return items
}

// status is that of the whole response, and what is not complete about it.
func (r *responsesAnswer) status() (status string, details any) {
	switch r.a.Finish {
	case "length":
		return "incomplete", obj("reason", "max_output_tokens")
	case "content_filter":
		return "incomplete", obj("reason", "content_filter")
	}
	return "completed", nil
}

func (it responsesItem) done() json.RawMessage {
	return it.json(it.status, true)
}

// json is the item; without content it is as it begins.
func (it responsesItem) json(status string, content bool) json.RawMessage {
	switch p := it.part; {
	case p.Call != nil:
		args := ""
		if content {
			args = p.Call.Args
		}
		return obj("id", it.id, "type", "function_call", "status", status, "arguments", args, "call_id", p.Call.ID, "name", p.Call.Name)
	case p.Text != "":
		parts := list[any]()
		if content {
			parts = list(outputText(p.Text))
		}
		return obj("id", it.id, "type", "message", "status", status, "content", parts, "role", "assistant")
	default:
		summary := list[any]()
		if content && it.summary != "" {
			summary = list(summaryText(it.summary))
		}
		return obj("id", it.id, "type", "reasoning", "summary", summary, "encrypted_content", it.encrypted)
	}
}

func outputText(s string) json.RawMessage {
	return obj("type", "output_text", "annotations", list[any](), "logprobs", list[any](), "text", s)
}

func summaryText(s string) json.RawMessage { return obj("type", "summary_text", "text", s) }

func responsesUsage(u neutral.Usage) json.RawMessage {
	in, out := u.Input+u.CacheRead+u.CacheWrite, u.Output+u.Reasoning
	return obj("input_tokens", in, "input_tokens_details", obj("cached_tokens", u.CacheRead, "cache_write_tokens", when(u.CacheWrite > 0, u.CacheWrite)),
		"output_tokens", out, "output_tokens_details", obj("reasoning_tokens", u.Reasoning), "total_tokens", in+out)
}

// or is a member of the request, or what holds without it.
func (r *responsesAnswer) or(key string, otherwise any) any {
	if r.o.has(key) {
		return r.o.at(key).raw
	}
	return otherwise
}

// response is the whole object, with the request's parameters in it.
func (r *responsesAnswer) response(status string, output []json.RawMessage, failure any) json.RawMessage {
	var details, usage, completed any
	if status == "incomplete" {
		_, details = r.status()
	}
	if status == "completed" || status == "incomplete" {
		usage, completed = responsesUsage(r.a.Usage), r.created+1
	}
	return obj("id", r.a.ID, "object", "response", "created_at", r.created, "status", status, "background", false, "completed_at", completed,
		"error", failure, "incomplete_details", details, "instructions", r.or("instructions", nil), "max_output_tokens", r.or("max_output_tokens", nil),
		"max_tool_calls", r.or("max_tool_calls", nil), "model", r.a.Model, "output", list(output...),
		"parallel_tool_calls", r.or("parallel_tool_calls", true), "previous_response_id", r.or("previous_response_id", nil),
		"prompt_cache_key", r.or("prompt_cache_key", nil), "reasoning", r.or("reasoning", obj("effort", nil, "summary", nil)),
		"safety_identifier", r.or("safety_identifier", nil), "service_tier", "default", "store", r.store,
		"temperature", r.or("temperature", 1.0), "text", r.or("text", obj("format", obj("type", "text"), "verbosity", "medium")),
		"tool_choice", r.or("tool_choice", "auto"), "tools", r.or("tools", list[any]()), "top_logprobs", r.or("top_logprobs", 0),
		"top_p", r.or("top_p", 1.0), "truncation", r.or("truncation", "disabled"), "usage", usage, "user", r.or("user", nil),
		"metadata", r.or("metadata", obj()))
}

// event writes one with the next number.
func (r *responsesAnswer) event(s *stream, kind string, kv ...any) {
	s.event(kind, obj(append([]any{"type", kind, "sequence_number", r.seq}, kv...)...))
	r.seq++
}

func (r *responsesAnswer) stream(s *stream, items []responsesItem) {
	defer s.end()
	r.event(s, "response.created", "response", r.response("in_progress", nil, nil))
	r.event(s, "response.in_progress", "response", r.response("in_progress", nil, nil))
	f := r.a.Error
	var output []json.RawMessage
	for i, it := range items {
		last := f != nil && i == len(items)-1 // it is not told to its end
		r.event(s, "response.output_item.added", "output_index", i, "item", it.json("in_progress", false))
		switch {
		case it.part.Call != nil:
			r.call(s, i, it, !last)
		case it.part.Text != "":
			r.texts(s, told{i, it.id, "content_index", "response.content_part", "response.output_text", it.part.Text, outputText, true}, !last)
		case it.summary != "":
			r.texts(s, told{i, it.id, "summary_index", "response.reasoning_summary_part", "response.reasoning_summary_text", it.summary, summaryText, false}, !last)
		}
		if !last {
			r.event(s, "response.output_item.done", "output_index", i, "item", it.done())
			output = append(output, it.done())
		}
		s.comment()
	}
	switch {
	case f == nil:
		status, _ := r.status()
		r.event(s, "response."+status, "response", r.response(status, output, nil))
	case f.Cut:
	case len(items) == 0: // nothing has begun
		var e struct{ Message, Code, Param any }
		json.Unmarshal(openAIError(fault{Fault: *f}), &e)
		r.event(s, "error", "code", responsesCode(f.Kind), "message", e.Message, "param", e.Param)
	default:
		r.event(s, "response.failed", "response", r.response("failed", output, obj("code", responsesCode(f.Kind), "message", say(*f, openAISays))))
	}
}

func responsesCode(kind string) string {
	switch kind {
	case neutral.FaultRate:
		return "rate_limit_exceeded"
	case neutral.FaultOverloaded:
		return "server_is_overloaded"
	case neutral.FaultContext:
		return "context_length_exceeded"
	case neutral.FaultInvalid:
		return "invalid_prompt"
	}
	return "server_error"
}

func (r *responsesAnswer) call(s *stream, i int, it responsesItem, whole bool) {
	for n, piece := range fragments(it.part.Call.Args) {
		r.event(s, "response.function_call_arguments.delta", "item_id", it.id, "output_index", i, "delta", written(n, piece), "obfuscation", r.noise(n))
	}
	if whole {
		r.event(s, "response.function_call_arguments.done", "item_id", it.id, "output_index", i, "arguments", it.part.Call.Args, "name", it.part.Call.Name)
	}
}

// told is a text of an item, with what its events are called.
type told struct {
	item           int
	id, index      string
	part, of, text string
	json           func(string) json.RawMessage
	logprobs       bool
}

func (r *responsesAnswer) texts(s *stream, t told, whole bool) {
	at := []any{"item_id", t.id, "output_index", t.item, t.index, 0}
	with := func(kv ...any) []any { return append(at[:len(at):len(at)], kv...) }
	logprobs := when(t.logprobs, list[any]())
	r.event(s, t.part+".added", with("part", t.json(""))...)
	for n, piece := range pieces(t.text) {
		r.event(s, t.of+".delta", with("delta", written(n, piece), "logprobs", logprobs, "obfuscation", r.noise(n))...)
	}
	if !whole {
		return
	}
	r.event(s, t.of+".done", with("text", t.text, "logprobs", logprobs)...)
	r.event(s, t.part+".done", with("part", t.json(t.text))...)
}

func (r *responsesAnswer) noise(n int) any {
	return when(r.obfuscate, strings.Repeat("x", 1+n%5))
}
