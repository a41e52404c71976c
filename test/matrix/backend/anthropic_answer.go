// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

var anthropicErrors = map[string]struct {
	status  int
	kind    string
	message string
}{
	neutral.FaultInvalid:    {400, "invalid_request_error", "Invalid request."},
	neutral.FaultContext:    {400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"},
	neutral.FaultAuth:       {401, "authentication_error", "invalid x-api-key"},
	neutral.FaultNotFound:   {404, "not_found_error", "model: not found"},
	neutral.FaultRate:       {429, "rate_limit_error", "This request would exceed your organization's rate limit."},
	neutral.FaultOverloaded: {529, "overloaded_error", "Overloaded"},
	neutral.FaultServer:     {500, "api_error", "Internal server error"},
}

// anthropicError is the body of an error, and its status.
func anthropicError(c *check, f fault) (body json.RawMessage, status int) {
	known := anthropicErrors[f.Kind]
	message, kind := f.Message, known.kind
	if message == "" {
		message = known.message
	}
	if kind == "" {
		kind = "api_error"
	}
	if status = f.Status; status == 0 {
		status = known.status
	}
	switch status {
	case http.StatusForbidden:
		kind = "permission_error"
	case http.StatusRequestEntityTooLarge:
		kind = "request_too_large"
	case http.StatusGatewayTimeout:
		kind = "timeout_error"
	}
	return obj("type", "error", "error", obj("type", kind, "message", message), "request_id", c.s.id("req_")), status
}

func refuseAnthropic(c *check, w http.ResponseWriter, f fault) {
	body, status := anthropicError(c, f)
	w.Header().Set("Request-Id", c.s.id("req_"))
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	whole(w, status, body, false)
}

// anthropicAnswer writes answers to one request.
type anthropicAnswer struct {
	c      *check
	silent bool
}

func (r anthropicAnswer) write(w http.ResponseWriter, a neutral.Answer) {
	a = r.c.complete(a, "msg_", "toolu_")
	last := ""
	for i, p := range a.Parts {
		switch {
		case isThinking(p):
			if p.Signature == "" {
				p.Signature = r.c.s.signature()
			}
			r.c.s.issue(p.Signature, p.Thinking)
			last = p.Signature
			if r.silent {
				p.Thinking = ""
			}
			a.Parts[i] = p
		case p.Call != nil:
			r.c.s.called(p.Call.ID, last)
		}
	}
	w.Header().Set("Request-Id", r.c.s.id("req_"))
	if r.c.ask.Stream {
		r.stream(newStream(w, "text/event-stream; charset=utf-8", "\n"), a)
		return
	}
	content := []json.RawMessage{}
	for _, p := range a.Parts {
		switch {
		case p.Call != nil:
			content = append(content, obj("type", "tool_use", "id", p.Call.ID, "name", p.Call.Name, "input", compact(p.Call.Args)))
		case p.Text != "":
			content = append(content, obj("type", "text", "text", p.Text, "citations", nil))
		default:
			content = append(content, obj("type", "thinking", "thinking", p.Thinking, "signature", p.Signature))
		}
	}
	body := anthropicMessage(a, list(content...), true, anthropicUsage(a.Usage, a.Usage.Output+a.Usage.Reasoning, true))
	whole(w, http.StatusOK, body, a.Error != nil)
}

// anthropicMessage is a whole message, or how one begins.
func anthropicMessage(a neutral.Answer, content json.RawMessage, ended bool, usage json.RawMessage) json.RawMessage {
	var reason, sequence, details any
	if ended {
		reason, sequence, details = anthropicStop(a)
	}
	return obj("id", a.ID, "type", "message", "role", "assistant", "model", a.Model, "content", content, "stop_reason", reason,
		"stop_sequence", sequence, "stop_details", details, "usage", usage)
}

func anthropicStop(a neutral.Answer) (reason, sequence, details any) {
	switch {
	case a.StopSequence != "":
		return "stop_sequence", a.StopSequence, nil
	case a.Finish == "length":
		return "max_tokens", nil, nil
	case a.Finish == "tool_calls":
		return "tool_use", nil, nil
	case a.Finish == "content_filter":
		return "refusal", nil, obj("type", "refusal", "category", nil, "explanation", nil)
	}
	return "end_turn", nil, nil
}

// anthropicUsage has counts that do not overlap, but for thinking within output.
func anthropicUsage(u neutral.Usage, output int64, details bool) json.RawMessage {
	return obj("input_tokens", u.Input, "cache_creation_input_tokens", u.CacheWrite, "cache_read_input_tokens", u.CacheRead,
		"cache_creation", obj("ephemeral_5m_input_tokens", u.CacheWrite, "ephemeral_1h_input_tokens", 0), "output_tokens", output,
		"output_tokens_details", when(details && u.Reasoning > 0, obj("thinking_tokens", u.Reasoning)), "service_tier", "standard")
}

func (r anthropicAnswer) stream(s *stream, a neutral.Answer) {
	defer s.end()
	event := func(kind string, kv ...any) { s.event(kind, obj(append([]any{"type", kind}, kv...)...)) }
	total := a.Usage.Output + a.Usage.Reasoning
	event("message_start", "message", anthropicMessage(a, list[any](), false, anthropicUsage(a.Usage, min(1, total), false)))
	event("ping")
	for i, p := range a.Parts {
		delta := func(kind, key string, v any) {
			event("content_block_delta", "index", i, "delta", obj("type", kind, key, v))
		}
		switch {
		case p.Call != nil:
			event("content_block_start", "index", i, "content_block", obj("type", "tool_use", "id", p.Call.ID, "name", p.Call.Name, "input", obj()))
			delta("input_json_delta", "partial_json", "")
			if args := compact(p.Call.Args); string(args) != "{}" {
				for n, piece := range fragments(p.Call.Args) {
					delta("input_json_delta", "partial_json", written(n, piece))
				}
			}
		case p.Text != "":
			event("content_block_start", "index", i, "content_block", obj("type", "text", "text", ""))
			for n, piece := range pieces(p.Text) {
				delta("text_delta", "text", written(n, piece))
				if n%5 == 1 {
					event("ping")
				}
			}
		default:
			event("content_block_start", "index", i, "content_block", obj("type", "thinking", "thinking", "", "signature", ""))
			for n, piece := range pieces(p.Thinking) {
				delta("thinking_delta", "thinking", written(n, piece))
			}
			delta("signature_delta", "signature", p.Signature)
		}
		if a.Error != nil && i == len(a.Parts)-1 {
			break // it ends in the middle of the block
		}
		event("content_block_stop", "index", i)
		if i%2 == 0 {
			event("ping")
		}
	}
	if f := a.Error; f != nil {
		if !f.Cut {
			body, _ := anthropicError(r.c, fault{Fault: *f})
			s.event("error", body)
		}
		return
	}
	reason, sequence, details := anthropicStop(a)
	event("message_delta", "delta", obj("stop_reason", reason, "stop_sequence", sequence, "stop_details", when(details != nil, details)),
		"usage", anthropicUsage(a.Usage, total, true))
	event("message_stop")
}
