// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIErrorKinds are the words, in code or type, that say more than the
// status does.
var openAIErrorKinds = map[string]error{
	"context_length_exceeded":    ErrContextLength,
	"exceed_context_size_error":  ErrContextLength, // llama.cpp
	"content_filter":             ErrContentPolicy,
	"content_policy_violation":   ErrContentPolicy,
	"insufficient_quota":         ErrInsufficientQuota,
	"billing_hard_limit_reached": ErrInsufficientQuota,
	"invalid_api_key":            ErrUpstreamAuth,
	"model_not_found":            ErrModelNotFound,
	"rate_limit_exceeded":        ErrRateLimited,
	"overloaded_error":           ErrOverloaded,
	"unavailable_error":          ErrOverloaded, // llama.cpp while it loads
}

// decodeOpenAIError is [Dialect.DecodeError], for OpenAI's shape and for those
// of the vendors that speak the rest of its dialect: an error that is a string
// (xAI), a message or a detail at the top (Mistral, FastAPI), code as a number.
func decodeOpenAIError(status int, _ http.Header, body []byte) *Error {
	e := &Error{Status: status}
	c := jsonpeek.New(body)
	if text, ok := c.Str(); ok {
		e.Message = jsonpeek.Unquote(text)
	} else if c.Object() {
		for c.Next() {
			readErrorMember(&c, e)
		}
	}
	if e.Status == 0 { // within a stream: some put the status into code
		if n, err := strconv.Atoi(e.Code); err == nil && n >= 400 && n < 600 {
			e.Status = n
		}
	}
	switch kind := openAIErrorKinds[e.Code]; {
	case kind != nil:
		e.Kind = kind
	case openAIErrorKinds[e.Type] != nil:
		e.Kind = openAIErrorKinds[e.Type]
	case e.Status == 0:
		e.Kind = ErrUpstream
	default:
		e.Kind = StatusKind(e.Status)
	}
	if e.Kind == ErrInvalidRequest && saysTooLong(e.Message) {
		e.Kind = ErrContextLength
	}
	if e.Message == "" {
		e.Message = strings.TrimSpace("HTTP " + strconv.Itoa(status) + " " + http.StatusText(status))
	}
	return e
}

// tooLong are the words of vendors and engines that have no code for a prompt
// over the context window.
var tooLong = [...]string{
	"maximum context length", // OpenAI, vLLM, DeepSeek, OpenRouter
	"maximum prompt length",  // xAI
	"context window",         // Groq, Fireworks
	"context length",         // LM Studio, SGLang
	"prompt is too long",     // Fireworks, Anthropic's
	"too large for model",    // Mistral
	"exceeds the maximum number of tokens",
	"exceeds the available context size", // llama.cpp
	"`inputs` tokens",                    // TGI, Together: with the ceiling of the answer
	"too many tokens",                    // Cohere
	"exceeded model token limit",         // Moonshot
}

func saysTooLong(message string) bool {
	message = strings.ToLower(message)
	for _, words := range tooLong {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

func readErrorMember(c *jsonpeek.Cursor, e *Error) {
	text := func(into *string) {
		if raw, ok := c.Str(); ok {
			*into = jsonpeek.Unquote(raw)
		}
	}
	switch string(c.Key()) {
	case "error":
		if text(&e.Message); c.Object() {
			for c.Next() {
				readErrorMember(c, e)
			}
		}
	case "message":
		if text(&e.Message); c.Object() {
			for c.Next() {
				readErrorMember(c, e)
			}
		}
	case "detail":
		if text(&e.Message); c.Array() {
			for c.Next() {
				if c.Object() {
					for c.Next() {
						readErrorMember(c, e)
					}
				}
			}
		}
	case "msg":
		text(&e.Message)
	case "loc":
		e.Param = readLocation(c)
	case "type":
		text(&e.Type)
	case "param":
		text(&e.Param)
	case "code":
		if text(&e.Code); c.Kind() == jsonpeek.Number {
			e.Code = string(c.Value())
		}
	}
}

// readLocation turns FastAPI's ["body", "messages", 0, "role"] into a path.
func readLocation(c *jsonpeek.Cursor) string {
	var b strings.Builder
	if !c.Array() {
		return ""
	}
	for c.Next() {
		if name, ok := c.Str(); ok {
			if string(name) == "body" && b.Len() == 0 {
				continue
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(jsonpeek.Unquote(name))
		} else if n, ok := c.Int(); ok {
			b.WriteString("[" + strconv.FormatInt(n, 10) + "]")
		}
	}
	return b.String()
}

// openAIErrorWords are what a client is told of an error that has no code of
// its own.
var openAIErrorWords = map[error]struct{ kind, code string }{
	ErrInvalidRequest:    {"invalid_request_error", ""},
	ErrTooLarge:          {"invalid_request_error", "request_too_large"},
	ErrUnsupported:       {"invalid_request_error", "unsupported"},
	ErrContextLength:     {"invalid_request_error", "context_length_exceeded"},
	ErrContentPolicy:     {"invalid_request_error", "content_policy_violation"},
	ErrUnauthorized:      {"invalid_request_error", "invalid_api_key"},
	ErrForbidden:         {"permission_error", "forbidden"},
	ErrModelNotFound:     {"invalid_request_error", "model_not_found"},
	ErrRateLimited:       {"rate_limit_error", "rate_limit_exceeded"},
	ErrNoProvider:        {"server_error", "no_provider"},
	ErrInsufficientQuota: {"server_error", "upstream_quota"},
	ErrUpstreamAuth:      {"server_error", "upstream_auth"},
	ErrOverloaded:        {"server_error", "overloaded"},
	ErrUnavailable:       {"server_error", "upstream_unavailable"},
	ErrTimeout:           {"server_error", "upstream_timeout"},
	ErrUpstream:          {"server_error", "upstream_error"},
	ErrMalformed:         {"server_error", "upstream_malformed"},
	ErrStreamCut:         {"server_error", "stream_cut"},
	ErrCanceled:          {"server_error", "canceled"},
	ErrInternal:          {"server_error", "internal_error"},
}

// encodeOpenAIError is [Dialect.EncodeError]. A refusal that is the client's own
// matter and came in this dialect is handed on as it came.
func encodeOpenAIError(e *Error) []byte {
	if own := e.Original(OpenAI); own != nil {
		return own
	}
	return appendOpenAIError(nil, e)
}

func isObject(body []byte) bool {
	return len(body) > 0 && body[0] == '{' && jsonpeek.Valid(body) == nil
}

func appendOpenAIError(dst []byte, e *Error) []byte {
	words := openAIErrorWords[e.Kind]
	if words.kind == "" {
		words = openAIErrorWords[ErrInternal]
	}
	// A backend's code is the client's business only where the refusal is.
	if e.Code != "" && (!e.Upstream || e.Final() && !bytes.ContainsAny([]byte(e.Code[:1]), "0123456789")) {
		words.code = e.Code
	}
	if e.Kind == ErrContextLength {
		words.code = contextLength
	}
	orNull := func(dst []byte, s string) []byte {
		if s == "" {
			return append(dst, "null"...)
		}
		return jsonpeek.AppendQuote(dst, s)
	}
	dst = append(dst, `{"error":{"message":`...)
	dst = jsonpeek.AppendQuote(dst, e.ClientMessage())
	dst = append(dst, `,"type":`...)
	dst = jsonpeek.AppendQuote(dst, words.kind)
	dst = append(dst, `,"param":`...)
	dst = orNull(dst, e.Param)
	dst = append(dst, `,"code":`...)
	dst = orNull(dst, words.code)
	return append(dst, "}}"...)
}

// openAIStreamError is [Dialect.StreamError].
func openAIStreamError(e *Error) []byte {
	return framing.AppendSSE(nil, "", appendOpenAIError(nil, e))
}
