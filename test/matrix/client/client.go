// SPDX-License-Identifier: AGPL-3.0-only

// Package client speaks to an inference server in five wire formats, as the
// strictest of their clients do: what it renders is what the vendors' own SDKs
// send, and what it reads must be what those SDKs may rely on. It knows nothing
// of hoosh.
package client

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Names are the formats that [For] knows.
var Names = []string{"openai", "responses", "anthropic", "gemini", "ollama"}

// Request is one HTTP request; Path is relative to the server's address and may
// have a query.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
}

// Dialect is one wire format, seen from a client.
type Dialect struct {
	Name string
	// Render makes the request that asks a. What the format has no word for is
	// left out.
	Render func(a neutral.Ask) Request
	// Read reads the answer to a request that Render made, to its end. An error
	// means that the format was broken; a well-formed refusal is Answer.Error, and
	// so is a stream that just ends (Cut).
	Read func(status int, header http.Header, body io.Reader, stream bool) (Got, error)
}

// Got is what a client was given.
type Got struct {
	neutral.Answer
	// Pieces counts the events of a stream that brought text.
	Pieces int
	// Frames are the raw events of a stream, for the reader of a failed check.
	Frames []string
}

var dialects = map[string]*Dialect{}

func register(d *Dialect) *Dialect {
	dialects[d.Name] = d
	return d
}

// For gives a format by its name, or panics.
func For(name string) *Dialect {
	d := dialects[name]
	if d == nil {
		panic("client: no dialect " + name)
	}
	return d
}

// head is the header of a JSON request with a few more fields.
func head(more ...string) http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	for i := 0; i < len(more); i += 2 {
		h.Set(more[i], more[i+1])
	}
	return h
}

// media checks the type of an answer, ignoring a charset.
func media(h http.Header, want string) error {
	got, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	if strings.TrimSpace(got) != want {
		return fmt.Errorf("Content-Type is %q, not %q", h.Get("Content-Type"), want)
	}
	return nil
}

// retryAfter reads the header in seconds; 0: not said.
func retryAfter(h http.Header) int {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// text joins the text parts of a turn.
func text(parts []neutral.Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// plain reports that parts are text and nothing else.
func plain(parts []neutral.Part) bool {
	for _, p := range parts {
		if p.Thinking != "" || p.Image != nil || p.File != nil || p.Call != nil || p.Result != nil || p.Signature != "" {
			return false
		}
	}
	return true
}

// dataURL is the image as a URL.
func dataURL(m *neutral.Media) string {
	if m.URL != "" {
		return m.URL
	}
	return "data:" + m.Type + ";base64," + m.Data
}

// systemAhead takes the system turns at the start off.
func systemAhead(turns []neutral.Turn) (system []neutral.Part, rest []neutral.Turn) {
	for len(turns) > 0 && turns[0].Role == "system" {
		system = append(system, turns[0].Parts...)
		turns = turns[1:]
	}
	return system, turns
}

// joiner collects the parts of an answer, and joins pieces of one kind.
type joiner struct{ parts []neutral.Part }

func (j *joiner) last() *neutral.Part {
	if len(j.parts) == 0 {
		return nil
	}
	return &j.parts[len(j.parts)-1]
}

func (j *joiner) text(s string) {
	if s == "" {
		return
	}
	if p := j.last(); p != nil && p.Text != "" {
		p.Text += s
		return
	}
	j.parts = append(j.parts, neutral.Part{Text: s})
}

func (j *joiner) thinking(s string) {
	if s == "" {
		return
	}
	if p := j.last(); p != nil && p.Call == nil && p.Text == "" && p.Signature == "" {
		p.Thinking += s
		return
	}
	j.parts = append(j.parts, neutral.Part{Thinking: s})
}

// called reports that there is a call among the parts.
func called(parts []neutral.Part) bool {
	for _, p := range parts {
		if p.Call != nil {
			return true
		}
	}
	return false
}

// fault makes a [neutral.Fault] of a refusal.
func fault(kind string, status int, message string, h http.Header) *neutral.Fault {
	f := &neutral.Fault{Kind: kind, Status: status, Message: message, InStream: status == http.StatusOK}
	if h != nil {
		f.RetryAfter = retryAfter(h)
	}
	return f
}

// kindOf is what a status alone says.
func kindOf(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return neutral.FaultAuth
	case status == http.StatusNotFound:
		return neutral.FaultNotFound
	case status == http.StatusTooManyRequests:
		return neutral.FaultRate
	case status == http.StatusServiceUnavailable, status == 529:
		return neutral.FaultOverloaded
	case status >= 500:
		return neutral.FaultServer
	}
	return neutral.FaultInvalid
}

// readWhole reads a body that is no stream.
func readWhole(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return b, fmt.Errorf("the body broke off after %d bytes: %w", len(b), err)
	}
	return b, nil
}
