// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxErrorBody bounds what is kept of an error event.
const maxErrorBody = 64 << 10

// errorKinds are Anthropic's words for what went wrong.
var errorKinds = map[string]error{
	"invalid_request_error": hoosh.ErrInvalidRequest,
	"authentication_error":  hoosh.ErrUpstreamAuth,
	"billing_error":         hoosh.ErrInsufficientQuota,
	"permission_error":      hoosh.ErrUpstreamAuth,
	"not_found_error":       hoosh.ErrModelNotFound,
	"request_too_large":     hoosh.ErrTooLarge,
	"rate_limit_error":      hoosh.ErrRateLimited,
	"api_error":             hoosh.ErrUpstream,
	"timeout_error":         hoosh.ErrTimeout,
	"overloaded_error":      hoosh.ErrOverloaded,
}

// errorTexts are those faults of which only the text says what they are.
var errorTexts = []struct {
	text string
	kind error
}{
	{"prompt is too long", hoosh.ErrContextLength},
	{"exceed context limit", hoosh.ErrContextLength}, // of prompt and ceiling together
	{"maximum context length", hoosh.ErrContextLength},
	{"credit balance is too low", hoosh.ErrInsufficientQuota},
	{"content filtering policy", hoosh.ErrContentPolicy},
}

const contextCode = "context_length_exceeded"

// decodeError is [hoosh.Dialect.DecodeError]. Status 0 is that of an error within
// a stream.
func decodeError(status int, _ http.Header, body []byte) *hoosh.Error {
	e := &hoosh.Error{Status: status}
	c := jsonpeek.New(body)
	if c.Object() {
		for c.Next() {
			readError(&c, e)
		}
	}
	switch kind := errorKinds[e.Type]; {
	case kind != nil:
		e.Kind = kind
	case status == 0:
		e.Kind = hoosh.ErrUpstream
	default:
		e.Kind = hoosh.StatusKind(status)
	}
	if e.Kind == hoosh.ErrInvalidRequest {
		for _, t := range errorTexts {
			if strings.Contains(e.Message, t.text) {
				e.Kind = t.kind
				break
			}
		}
		e.Param = paramOf(e.Message)
	}
	if e.Kind == hoosh.ErrContextLength {
		e.Code = contextCode
	}
	if e.Message == "" {
		e.Message = strings.TrimSpace("HTTP " + strconv.Itoa(status) + " " + http.StatusText(status))
		if status == 0 {
			e.Message = "an error without a text"
		}
	}
	return e
}

func readError(c *jsonpeek.Cursor, e *hoosh.Error) {
	text := func(into *string) bool {
		raw, ok := c.Str()
		if ok {
			*into = jsonpeek.Unquote(raw)
		}
		return ok
	}
	switch string(c.Key()) {
	case "error":
		if text(&e.Message) || !c.Object() {
			return
		}
		for c.Next() {
			switch string(c.Key()) {
			case "type":
				text(&e.Type)
			case "message":
				text(&e.Message)
			case "details":
				if c.Object() {
					for c.Next() {
						if string(c.Key()) == "error_code" {
							text(&e.Code)
						}
					}
				}
			}
		}
	case "message": // of who stands before the API
		if e.Message == "" {
			text(&e.Message)
		}
	}
}

// paramOf finds the path with which Anthropic begins a text about a part of the
// request, "messages.1.content.0: …", as JSON has it.
func paramOf(message string) string {
	path, _, found := strings.Cut(message, ": ")
	if !found {
		return ""
	}
	var b strings.Builder
	for i, word := range strings.Split(path, ".") {
		_, err := strconv.Atoi(word)
		switch {
		case word == "" || strings.ContainsFunc(word, notOfName):
			return ""
		case err == nil && i > 0:
			b.WriteString("[" + word + "]")
		case i > 0:
			b.WriteString("." + word)
		default:
			b.WriteString(word)
		}
	}
	return b.String()
}

func notOfName(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }

// errorWords are what a client is told.
var errorWords = map[error]string{
	hoosh.ErrInvalidRequest: "invalid_request_error",
	hoosh.ErrUnsupported:    "invalid_request_error",
	hoosh.ErrContextLength:  "invalid_request_error",
	hoosh.ErrContentPolicy:  "invalid_request_error",
	hoosh.ErrTooLarge:       "request_too_large",
	hoosh.ErrUnauthorized:   "authentication_error",
	hoosh.ErrForbidden:      "permission_error",
	hoosh.ErrModelNotFound:  "not_found_error",
	hoosh.ErrRateLimited:    "rate_limit_error",
	hoosh.ErrTimeout:        "timeout_error",
	hoosh.ErrOverloaded:     "overloaded_error",
	hoosh.ErrNoProvider:     "overloaded_error",
}

// encodeError is [hoosh.Dialect.EncodeError]. A refusal that is the client's own
// matter and came in this dialect is handed on as it came.
func encodeError(e *hoosh.Error) []byte {
	if own := e.Original(Dialect); own != nil {
		return own
	}
	return appendError(nil, e)
}

// tooLong is how Anthropic begins the text of a context that is too small: clients
// look for it, to shorten the conversation.
const tooLong = "prompt is too long"

func appendError(dst []byte, e *hoosh.Error) []byte {
	word := errorWords[e.Kind]
	if word == "" {
		word = "api_error"
	}
	text := e.ClientMessage()
	if e.Kind == hoosh.ErrContextLength && !strings.Contains(text, tooLong) {
		text = tooLong + ": " + text
	}
	if e.Param != "" && !strings.Contains(text, e.Param) && paramOf(text) != e.Param { // the format has no other place for it
		text += " (at " + e.Param + ")"
	}
	dst = append(append(dst, `{"type":"error","error":{"type":"`...), word...)
	dst = jsonpeek.AppendQuote(append(dst, `","message":`...), text)
	// A backend's code is the client's business only where the refusal is.
	if e.Code != "" && (!e.Upstream || e.Final()) {
		dst = jsonpeek.AppendQuote(append(dst, `,"details":{"error_code":`...), e.Code)
		dst = append(dst, '}')
	}
	return append(dst, "}}"...)
}

// streamError is [hoosh.Dialect.StreamError].
func streamError(e *hoosh.Error) []byte {
	return framing.AppendSSE(nil, "error", appendError(nil, e))
}
