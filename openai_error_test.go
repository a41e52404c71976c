// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestContextLength: who says in whatever words that a prompt is too long, the
// client is told the code that clients look for.
func TestContextLength(t *testing.T) {
	for _, tc := range []struct {
		vendor string
		status int
		body   string
		own    bool // the body has the code already, and is handed on
	}{
		{"OpenAI", 400, `{"error":{"message":"This model's maximum context length is 8192 tokens.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`, true},
		{"llama.cpp", 400, `{"error":{"code":400,"message":"request (5000 tokens) exceeds the available context size (2048 tokens)","type":"exceed_context_size_error","n_ctx":2048}}`, false},
		{"vLLM", 400, `{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens","type":"BadRequestError","param":null,"code":400}`, false},
		{"Mistral", 400, `{"object":"error","message":"Prompt contains 40000 tokens, too large for model with 32768 maximum context length","type":"invalid_request_error","code":"3051"}`, false},
		{"xAI", 400, `{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 200000 tokens."}`, false},
		{"OpenRouter", 400, `{"error":{"code":400,"message":"This endpoint's maximum context length is 32768 tokens.","metadata":{}}}`, false},
		{"TGI", 422, "{\"error\":\"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048.\",\"error_type\":\"validation\"}", false},
	} {
		e := OpenAI.DecodeError(tc.status, http.Header{}, []byte(tc.body))
		e.Upstream, e.Body, e.dialect = true, []byte(tc.body), OpenAI
		if !errors.Is(e, ErrContextLength) {
			t.Errorf("%s: %v", tc.vendor, e)
		}
		told := string(OpenAI.EncodeError(e))
		if !strings.Contains(told, `"code":"context_length_exceeded"`) || !strings.Contains(told, e.Message) || tc.own != (told == tc.body) {
			t.Errorf("%s: the client is told %s", tc.vendor, told)
		}
	}
}
