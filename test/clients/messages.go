// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/maccracken/hoosh/hooshtest"
)

// messagesModels are those of the scripted backend of Anthropic's format.
var messagesModels = []string{"claude-test", "claude-limited", "claude-breaks"}

// countedTokens is what that backend counts in every prompt.
const countedTokens = 42

// newMessages makes the scripted backend of Anthropic's Messages format. What
// Anthropic would refuse it refuses too; see messages_read.go.
func newMessages() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, r *http.Request) { serveMessages(w, r, false) })
	mux.HandleFunc("POST /v1/messages/count_tokens", func(w http.ResponseWriter, r *http.Request) { serveMessages(w, r, true) })
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, r *http.Request) {
		var list []any
		for _, id := range messagesModels {
			list = append(list, map[string]any{"type": "model", "id": id, "display_name": id, "created_at": "2026-01-01T00:00:00Z"})
		}
		sendJSON(w, 200, map[string]any{"data": list, "has_more": false, "first_id": messagesModels[0], "last_id": messagesModels[len(messagesModels)-1]})
	})
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Request-Id", "req_scripted")
		switch {
		case r.Header.Get("X-Api-Key") != backendKey && r.Header.Get("Authorization") != "Bearer "+backendKey:
			sendError(w, 401, "authentication_error", "invalid x-api-key")
		case r.Header.Get("Anthropic-Version") == "":
			sendError(w, 400, "invalid_request_error", "anthropic-version: header is required")
		default:
			mux.ServeHTTP(w, r)
		}
	}))
}

func serveMessages(w http.ResponseWriter, r *http.Request, count bool) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m, a, err := readMessages(data, r.Header.Get("Anthropic-Version"), count)
	switch {
	case errors.Is(err, errNoModel):
		sendError(w, 404, "not_found_error", err.Error())
		return
	case errors.Is(err, errNoThreads): // the SDKs go on without, if they are told like this
		sendJSON(w, 400, map[string]any{"type": "error", "request_id": "req_scripted", "error": map[string]any{
			"type": "invalid_request_error", "message": err.Error(), "details": map[string]any{"error_code": "thread_unsupported_request", "unsupported": []string{"thread"}},
		}})
		return
	case err != nil:
		sendError(w, 400, "invalid_request_error", err.Error())
		return
	case count:
		sendJSON(w, 200, map[string]any{"input_tokens": countedTokens})
		return
	case m.Model == "claude-limited":
		w.Header().Set("Retry-After", "7")
		sendError(w, 429, "rate_limit_error", "This request would exceed your organization's rate limit.")
		return
	case a.prompt == "refuse":
		sendError(w, 400, "invalid_request_error", refusalText)
		return
	}
	var out said
	out.text, out.calls = a.answer()
	out.usage = hooshtest.Usage{Prompt: countedTokens, Completion: 17}
	if out.text == hello {
		out.usage = helloUsage
	}
	if out.model = m.Model; m.Model == "claude-breaks" {
		out.text = "one two three four "
	}
	out.thinks = m.Thinking != nil && m.Thinking.Type != "disabled"
	if m.Stream {
		out.stream(w)
		return
	}
	if m.Model == "claude-breaks" {
		sendError(w, 529, "overloaded_error", "Overloaded")
		return
	}
	sendJSON(w, 200, out.message(out.content(), out.reason()))
}

// said is an answer.
type said struct {
	model, text string
	calls       []hooshtest.ToolCall
	usage       hooshtest.Usage
	thinks      bool
}

// thought and thoughtSignature come before what is said where thinking was asked
// for, and have to come back as they were in a turn that called tools.
const (
	thought          = "Two steps at a time."
	thoughtSignature = "c2lnbmVkIGJ5IHRoZSBiYWNrZW5k"
)

func (s *said) reason() string {
	if len(s.calls) > 0 {
		return "tool_use"
	}
	return "end_turn"
}

func (s *said) tokens(output int) map[string]any {
	return map[string]any{
		"input_tokens": s.usage.Prompt - s.usage.Cached, "cache_creation_input_tokens": 0, "cache_read_input_tokens": s.usage.Cached,
		"output_tokens": output, "service_tier": "standard",
	}
}

func (s *said) message(content []any, reason any) map[string]any {
	output := s.usage.Completion
	if reason == nil {
		output = 1
	}
	return map[string]any{
		"id": "msg_scripted", "type": "message", "role": "assistant", "model": s.model, "content": content,
		"stop_reason": reason, "stop_sequence": nil, "usage": s.tokens(output),
	}
}

func (s *said) content() []any {
	list := []any{}
	if s.thinks {
		list = append(list, map[string]any{"type": "thinking", "thinking": thought, "signature": thoughtSignature})
	}
	if s.text != "" {
		list = append(list, map[string]any{"type": "text", "text": s.text})
	}
	for _, c := range s.calls {
		list = append(list, map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": json.RawMessage(c.Arguments)})
	}
	return list
}

// stream writes the events in the order in which Anthropic does.
func (s *said) stream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	send := func(kind string, fields map[string]any) {
		fields["type"] = kind
		data, _ := json.Marshal(fields)
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", kind, data)
		http.NewResponseController(w).Flush() //nolint:errcheck // the client's matter
	}
	index := 0
	block := func(start map[string]any, deltas ...map[string]any) {
		send("content_block_start", map[string]any{"index": index, "content_block": start})
		for _, d := range deltas {
			send("content_block_delta", map[string]any{"index": index, "delta": d})
		}
		send("content_block_stop", map[string]any{"index": index})
		index++
	}
	send("message_start", map[string]any{"message": s.message([]any{}, nil)})
	send("ping", map[string]any{})
	if s.thinks {
		block(map[string]any{"type": "thinking", "thinking": "", "signature": ""},
			map[string]any{"type": "thinking_delta", "thinking": thought},
			map[string]any{"type": "signature_delta", "signature": thoughtSignature})
	}
	if s.text != "" {
		var deltas []map[string]any
		for _, word := range strings.SplitAfter(s.text, " ") {
			deltas = append(deltas, map[string]any{"type": "text_delta", "text": word})
		}
		if s.model == "claude-breaks" {
			send("content_block_start", map[string]any{"index": index, "content_block": map[string]any{"type": "text", "text": ""}})
			send("content_block_delta", map[string]any{"index": index, "delta": deltas[0]})
			send("error", map[string]any{"error": map[string]any{"type": "overloaded_error", "message": "Overloaded"}})
			return
		}
		block(map[string]any{"type": "text", "text": ""}, deltas...)
	}
	for _, c := range s.calls {
		deltas := []map[string]any{{"type": "input_json_delta", "partial_json": ""}}
		for rest := []rune(c.Arguments); len(rest) > 0; rest = rest[min(8, len(rest)):] {
			deltas = append(deltas, map[string]any{"type": "input_json_delta", "partial_json": string(rest[:min(8, len(rest))])})
		}
		block(map[string]any{"type": "tool_use", "id": c.ID, "name": c.Name, "input": map[string]any{}}, deltas...)
	}
	send("message_delta", map[string]any{"delta": map[string]any{"stop_reason": s.reason(), "stop_sequence": nil}, "usage": s.tokens(s.usage.Completion)})
	send("message_stop", map[string]any{})
}

func sendJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the client's matter
}

func sendError(w http.ResponseWriter, status int, kind, message string) {
	sendJSON(w, status, map[string]any{"type": "error", "error": map[string]any{"type": kind, "message": message}, "request_id": "req_scripted"})
}
