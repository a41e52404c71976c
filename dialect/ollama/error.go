// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxErrorBody bounds what is kept of an error line.
const maxErrorBody = 64 << 10

// errorKinds are those errors whose kind the status does not tell: Ollama has no
// code beside the text, and some faults of the client are a 500 there, which must
// not count against the backend. Checked in order.
var errorKinds = []struct {
	text string
	kind error
}{
	{"exceeds the context length", hoosh.ErrContextLength},
	{"exceeds maximum context length", hoosh.ErrContextLength},
	{"exceeded max context length", hoosh.ErrContextLength}, // "prompt too long; …"
	{"exceeds the available context size", hoosh.ErrContextLength},
	{"does not support", hoosh.ErrUnsupported}, // tools, thinking, chat, embeddings …
	{"is not supported for this model", hoosh.ErrUnsupported},
	{"requires more system memory", hoosh.ErrUnsupported}, // the model, not the machine: others may run
	{"must be of type", hoosh.ErrInvalidRequest},          // an option, 500
	{"must be of an array", hoosh.ErrInvalidRequest},
	{"invalid format: ", hoosh.ErrInvalidRequest}, // 500
}

// kindOf is the kind of an error; status 0 is one within a stream.
func kindOf(status int, text string) error {
	for _, k := range errorKinds {
		if strings.Contains(text, k.text) {
			return k.kind
		}
	}
	if status == 0 {
		return hoosh.ErrUpstream
	}
	return hoosh.StatusKind(status)
}

// readError finds the text of an error. It is ok when the body is Ollama's own.
func readError(body []byte) (text string, ok bool) {
	c := jsonpeek.New(body)
	if c.Object() {
		for c.Next() {
			if string(c.Key()) != "error" {
				continue
			}
			raw, isText := c.Str()
			if isText {
				text, ok = jsonpeek.Unquote(raw), true
			} else if c.Object() { // of its OpenAI face
				for c.Next() {
					if raw, isText := c.Str(); isText && string(c.Key()) == "message" {
						text = jsonpeek.Unquote(raw)
					}
				}
			}
		}
	}
	return text, ok && c.End() == nil
}

// decodeError is [hoosh.Dialect.DecodeError].
func decodeError(status int, _ http.Header, body []byte) *hoosh.Error {
	text, _ := readError(body)
	e := newError(status, text)
	if text == "" {
		if status == http.StatusNotFound { // it is not a model that was not found, but the path: an older server
			e.Kind = hoosh.ErrUnsupported
		}
		e.Message = strings.TrimSpace("HTTP " + strconv.Itoa(status) + " " + http.StatusText(status))
	}
	return e
}

// contextCode is the code of a prompt that is too long, in OpenAI's words, as
// clients of all formats are told it.
const contextCode = "context_length_exceeded"

func newError(status int, text string) *hoosh.Error {
	e := &hoosh.Error{Kind: kindOf(status, text), Status: status, Message: text}
	if e.Kind == hoosh.ErrContextLength {
		e.Code = contextCode
	}
	return e
}

// upstreamError is the error that Ollama reports in a stream, or under a 200.
func upstreamError(op hoosh.Operation, data []byte) *hoosh.Error {
	text, _ := readError(data)
	if text == "" {
		text = "an error without a text"
	}
	e := newError(0, text)
	e.Op, e.Upstream, e.Body = op, true, bytes.Clone(data[:min(len(data), maxErrorBody)])
	return e
}

// encodeError is [hoosh.Dialect.EncodeError]. A refusal that is the client's own
// matter and came in this dialect is handed on as it came.
func encodeError(e *hoosh.Error) []byte {
	if own := e.Original(Dialect); own != nil {
		return own
	}
	return appendError(nil, e)
}

// encodeGenerateError is that of [Generate].
func encodeGenerateError(e *hoosh.Error) []byte {
	if own := e.Original(Generate); own != nil {
		return own
	}
	return encodeError(e)
}

// streamError is [hoosh.Dialect.StreamError].
func streamError(e *hoosh.Error) []byte { return append(appendError(nil, e), '\n') }

// appendError writes the one text that the format has for an error, with the path
// of what is wrong in it.
func appendError(dst []byte, e *hoosh.Error) []byte {
	text := e.ClientMessage()
	if e.Param != "" {
		text += " (at " + e.Param + ")"
	}
	dst = append(dst, `{"error":`...)
	return append(jsonpeek.AppendQuote(dst, text), '}')
}
