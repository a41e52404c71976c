// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/framing"
)

// jsonArray is a stream as Gemini sends it without alt=sse: one JSON array that
// grows. An error in mid-stream is its last element.
type jsonArray struct {
	begun bool
	buf   []byte
}

func newJSONArray() *jsonArray { return &jsonArray{} }

func (a *jsonArray) form() *form {
	return &form{contentType: "application/json", frame: a.frame, end: a.end}
}

// frame gives the payloads of a frame as elements.
func (a *jsonArray) frame(f *hoosh.Frame) []byte {
	a.buf = a.buf[:0]
	if f.Data != nil && f.Raw != nil { // one event, looked at already
		a.add(f.Data)
		return a.buf
	}
	if len(f.Raw) == 0 {
		return nil
	}
	r := framing.NewSSE(bytes.NewReader(f.Raw), len(f.Raw)+16)
	for {
		event, err := r.Next()
		if err != nil { // the end: what is in memory cannot fail
			return a.buf
		}
		a.add(event.Data)
	}
}

func (a *jsonArray) add(data []byte) {
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return
	}
	if a.begun {
		a.buf = append(a.buf, ",\r\n"...)
	} else {
		a.buf = append(a.buf, '[')
	}
	a.begun = true
	a.buf = append(a.buf, data...)
}

func (a *jsonArray) end() []byte {
	if !a.begun {
		return []byte("[]")
	}
	return []byte("\n]\n")
}
