// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Request is one request as it came. It is read-only.
type Request struct {
	N      int // 1 for the first that this backend got
	Conn   int // which connection it came on, 1 for the first
	At     time.Time
	Method string
	Path   string // with /v1
	Query  string // without "?"
	Host   string
	Header http.Header
	Body   []byte // the bytes of the body, exactly
	Cut    bool   // the body ended early: the client left while sending it, or it is over MaxBody

	// What the body says, where it is JSON.
	Model        string
	Stream       bool
	IncludeUsage bool // stream_options.include_usage

	ctx    context.Context
	fields fields
}

// fields are what the backend itself reads of a body.
type fields struct {
	Model          string            `json:"model"`
	Stream         bool              `json:"stream"`
	Messages       []json.RawMessage `json:"messages"`
	Prompt         json.RawMessage   `json:"prompt"`
	Input          json.RawMessage   `json:"input"`
	N              int               `json:"n"`
	Dimensions     int               `json:"dimensions"`
	EncodingFormat string            `json:"encoding_format"`
	StreamOptions  *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`

	bad error // why the body could not be read
}

// Context ends when the client has left or the backend is killed or closed. A
// script that waits has to watch it.
func (q *Request) Context() context.Context { return q.ctx }

// JSON decodes the body into v.
func (q *Request) JSON(v any) error { return json.Unmarshal(q.Body, v) }

// Prompt is the text of the last message, of the prompt, or of the first input
// of an embedding; "" when there is none.
func (q *Request) Prompt() string {
	f := &q.fields
	if n := len(f.Messages); n > 0 {
		var m struct{ Content json.RawMessage }
		_ = json.Unmarshal(f.Messages[n-1], &m) // no text, then
		return textOf(m.Content)
	}
	if len(f.Prompt) > 0 {
		return textOf(f.Prompt)
	}
	return textOf(f.Input)
}

// textOf reads a string, the first string of a list, or the text parts of a
// message's content.
func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0]
	}
	var parts []struct{ Text string }
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// readRequest reads all of r's body, up to limit if that is not 0.
func readRequest(r *http.Request, limit int64) *Request {
	q := &Request{
		At: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery,
		Host: r.Host, Header: r.Header.Clone(), ctx: r.Context(),
	}
	body := io.Reader(r.Body)
	if limit > 0 {
		body = io.LimitReader(body, limit+1)
	}
	var err error
	q.Body, err = io.ReadAll(body)
	if limit > 0 && int64(len(q.Body)) > limit {
		err = errTooLarge
		q.Body = q.Body[:limit]
	}
	if err != nil {
		q.Cut = true
		q.fields.bad = err
		return q
	}
	q.fields.bad = json.Unmarshal(q.Body, &q.fields)
	q.Model, q.Stream = q.fields.Model, q.fields.Stream
	q.IncludeUsage = q.fields.StreamOptions != nil && q.fields.StreamOptions.IncludeUsage
	return q
}

var errTooLarge = errors.New("body too large")
