// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/framing"
)

// maxErrorBody bounds what is kept of an error.
const maxErrorBody = 64 << 10

// reported is the error that a backend reports under a 200 or within a stream.
func reported(op hoosh.Operation, data []byte) *hoosh.Error {
	e := hoosh.OpenAI.DecodeError(0, nil, data)
	if e.Type == "error" { // the event's
		e.Type = ""
	}
	switch {
	case e.Kind != hoosh.ErrUpstream:
	case e.Code == "invalid_prompt", strings.HasPrefix(e.Code, "invalid_image"), strings.HasPrefix(e.Code, "image_"),
		e.Code == "unsupported_image_media_type", e.Code == "invalid_base64_image", e.Code == "empty_image_file",
		e.Type == "invalid_request_error":
		e.Kind = hoosh.ErrInvalidRequest
	}
	e.Op, e.Upstream, e.Body = op, true, bytes.Clone(data[:min(len(data), maxErrorBody)])
	return e
}

// encodeError is [hoosh.Dialect.EncodeError]: OpenAI's shape and words. What a
// backend of either of OpenAI's formats said of the client's own matter is handed
// on as it came.
func encodeError(e *hoosh.Error) []byte {
	if own := e.Original(Dialect); own != nil {
		return own
	}
	return hoosh.OpenAI.EncodeError(e)
}

// streamError is [hoosh.Dialect.StreamError]. OpenAI's SDKs raise on an event with
// an "error" in it, Codex heeds response.failed alone; so both are said. The
// number is not known here.
func streamError(e *hoosh.Error) []byte {
	object := member(encodeError(e), "error")
	if len(object) == 0 || object[0] != '{' {
		object = []byte(`{"message":"","type":"server_error","param":null,"code":null}`)
	}
	orNull := func(dst []byte, name string) []byte {
		if v := member(object, name); v != nil {
			return append(dst, v...)
		}
		return append(dst, "null"...)
	}
	data := append([]byte(`{"type":"error","error":`), object...)
	data = orNull(append(data, `,"code":`...), "code")
	data = orNull(append(data, `,"message":`...), "message")
	data = orNull(append(data, `,"param":`...), "param")
	out := framing.AppendSSE(nil, "error", append(data, `,"sequence_number":0}`...))

	data = append([]byte(`{"type":"response.failed","response":`), failedObject(e, object)...)
	return framing.AppendSSE(out, "response.failed", append(data, `,"sequence_number":0}`...))
}
