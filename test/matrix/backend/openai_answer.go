// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// openAISays are the messages of faults for which the script has none.
var openAISays = map[string]string{
	neutral.FaultInvalid:    "Invalid request.",
	neutral.FaultContext:    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130001 tokens. Please reduce the length of the messages.",
	neutral.FaultAuth:       "Incorrect API key provided: test-key. You can find your API key in your account.",
	neutral.FaultNotFound:   "The model does not exist or you do not have access to it.",
	neutral.FaultRate:       "Rate limit reached for requests per min. Please try again later.",
	neutral.FaultOverloaded: "The engine is currently overloaded, please try again later.",
	neutral.FaultServer:     "The server had an error while processing your request. Sorry about that!",
}

// openAIError is the object of an error, in both of OpenAI's APIs.
func openAIError(f fault) json.RawMessage {
	kind, param, code := "invalid_request_error", any(nil), any(nil)
	switch f.Kind {
	case neutral.FaultContext:
		param, code = "messages", "context_length_exceeded"
	case neutral.FaultAuth:
		code = "invalid_api_key"
	case neutral.FaultNotFound:
		code = "model_not_found"
	case neutral.FaultRate:
		kind, code = "requests", "rate_limit_exceeded"
	case neutral.FaultOverloaded:
		kind, code = "service_unavailable_error", "server_is_overloaded"
	case neutral.FaultServer:
		kind = "server_error"
	}
	if f.code != "" {
		code = f.code
	}
	if f.param != "" {
		param = f.param
	}
	return obj("message", say(f.Fault, openAISays), "type", kind, "param", param, "code", code)
}

func refuseOpenAI(c *check, w http.ResponseWriter, f fault) {
	w.Header().Set("X-Request-Id", c.s.id("req_"))
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		w.Header().Set("Retry-After-Ms", strconv.Itoa(f.RetryAfter*1000))
	}
	whole(w, statusOf(f.Fault), obj("error", openAIError(f)), false)
}

var openAIFinishes = map[string]string{"stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}

// openAIAnswer writes answers to one request.
type openAIAnswer struct {
	c                *check
	usage, obfuscate bool
	created          int64
	a                neutral.Answer
}

func (o openAIAnswer) write(w http.ResponseWriter, a neutral.Answer) {
	a = o.c.complete(a, "chatcmpl-", "call_")
	o.a, o.created = a, time.Now().Unix()
	w.Header().Set("X-Request-Id", o.c.s.id("req_"))
	if o.c.ask.Stream {
		o.stream(newStream(w, "text/event-stream; charset=utf-8", "\n"))
		return
	}
	var choices []json.RawMessage
	for i, c := range append([]neutral.Answer{a}, a.More...) {
		message := obj("role", "assistant", "content", openAIText(c), "refusal", nil, "annotations", list[any](), "tool_calls", openAICalls(c))
		choices = append(choices, obj("index", i, "message", message, "logprobs", nil, "finish_reason", openAIFinishes[c.Finish]))
	}
	body := obj("id", a.ID, "object", "chat.completion", "created", o.created, "model", a.Model, "choices", list(choices...),
		"usage", openAIUsage(a.Usage), "service_tier", "default", "system_fingerprint", "fp_1234567890")
	whole(w, http.StatusOK, body, a.Error != nil)
}

// openAIText is the content of a message: its thinking is not told.
func openAIText(a neutral.Answer) any {
	if s := text(a.Parts); s != "" {
		return s
	}
	for _, p := range a.Parts {
		if p.Call != nil {
			return nil
		}
	}
	return ""
}

func openAICalls(a neutral.Answer) any {
	var calls []json.RawMessage
	for _, p := range a.Parts {
		if c := p.Call; c != nil {
			calls = append(calls, obj("id", c.ID, "type", "function", "function", obj("name", c.Name, "arguments", c.Args)))
		}
	}
	return when(calls != nil, list(calls...))
}

func openAIUsage(u neutral.Usage) json.RawMessage {
	prompt, completion := u.Input+u.CacheRead+u.CacheWrite, u.Output+u.Reasoning
	return obj("prompt_tokens", prompt, "completion_tokens", completion, "total_tokens", prompt+completion,
		"prompt_tokens_details", obj("cached_tokens", u.CacheRead, "cache_write_tokens", when(u.CacheWrite > 0, u.CacheWrite), "audio_tokens", 0),
		"completion_tokens_details", obj("reasoning_tokens", u.Reasoning, "audio_tokens", 0, "accepted_prediction_tokens", 0, "rejected_prediction_tokens", 0))
}

// chunk writes one; usage is null in all but the last, and only where it was
// asked for.
func (o *openAIAnswer) chunk(s *stream, choices json.RawMessage, usage any) {
	if !o.usage {
		usage = omit{}
	}
	s.event("", obj("id", o.a.ID, "object", "chat.completion.chunk", "created", o.created, "model", o.a.Model, "service_tier", "default",
		"system_fingerprint", "fp_1234567890", "choices", choices, "usage", usage,
		"obfuscation", when(o.obfuscate, strings.Repeat("x", 1+s.events%7))))
}

func (o *openAIAnswer) delta(s *stream, index int, finish any, kv ...any) {
	choice := obj("index", index, "delta", obj(kv...), "logprobs", nil, "finish_reason", finish)
	o.chunk(s, list(choice), nil)
}

func (o *openAIAnswer) stream(s *stream) {
	defer s.end()
	all := append([]neutral.Answer{o.a}, o.a.More...)
	f := o.a.Error
	if f == nil || len(o.a.Parts) > 0 {
		for i := range all {
			o.delta(s, i, nil, "role", "assistant", "content", "", "refusal", nil)
		}
	}
	var queues [][]func() // of each choice, told in turn
	for i, a := range all {
		queues = append(queues, o.deltas(s, i, a))
	}
	interleave(queues)
	if f != nil {
		if !f.Cut {
			s.event("", obj("error", openAIError(fault{Fault: *f})))
		}
		return
	}
	for i, a := range all {
		o.delta(s, i, openAIFinishes[a.Finish])
	}
	if o.usage {
		o.chunk(s, list[any](), openAIUsage(o.a.Usage))
	}
	s.comment()
	s.bytes([]byte("data: [DONE]\n\n"))
}

// interleave runs one of each queue after the other.
func interleave(queues [][]func()) {
	for i, more := 0, true; more; i++ {
		more = false
		for _, q := range queues {
			if i < len(q) {
				q[i]()
				more = true
			}
		}
	}
}

// deltas are the chunks of a choice between the first and the last, to be written.
func (o *openAIAnswer) deltas(s *stream, index int, a neutral.Answer) (q []func()) {
	calls := 0
	for _, p := range a.Parts {
		switch {
		case p.Call != nil:
			n := calls
			calls++
			q = append(q, func() {
				first := obj("index", n, "id", p.Call.ID, "type", "function", "function", obj("name", p.Call.Name, "arguments", ""))
				o.delta(s, index, nil, "tool_calls", list(first))
			})
			for i, piece := range fragments(p.Call.Args) {
				q = append(q, func() {
					next := obj("index", n, "function", obj("arguments", written(i, piece)))
					o.delta(s, index, nil, "tool_calls", list(next))
				})
			}
		case p.Text != "":
			for i, piece := range pieces(p.Text) {
				q = append(q, func() {
					if i%5 == 2 {
						s.comment()
					}
					o.delta(s, index, nil, "content", written(i, piece))
				})
			}
		}
	}
	return q
}
