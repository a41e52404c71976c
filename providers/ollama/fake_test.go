// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/maccracken/hoosh"
	dialect "github.com/maccracken/hoosh/dialect/ollama"
	_ "github.com/maccracken/hoosh/providers/ollama"
)

// server is an Ollama in memory, that says what a real one said.
type server struct {
	// pages answer paths, before what was recorded does.
	pages map[string]func(body []byte) (status int, answer string)

	mu    sync.Mutex // guards asked
	asked []question
}

type question struct {
	path string
	body []byte
}

var recorded = map[string]string{
	"/api/version": "version.json", "/api/tags": "tags.json", "/api/show": "show.json", "/api/ps": "ps.json",
	"/api/chat": "chat.json", "/api/embed": "embed.json",
}

func wire(name string) string {
	b, err := os.ReadFile(filepath.Join("../../testdata/wire/ollama", name))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	s.mu.Lock()
	s.asked = append(s.asked, question{req.URL.Path, body})
	s.mu.Unlock()
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	status, kind, answer := 404, "application/json; charset=utf-8", "404 page not found"
	switch page := s.pages[req.URL.Path]; {
	case page != nil:
		status, answer = page(body)
	case req.URL.Path == "/":
		status, kind, answer = 200, "text/plain; charset=utf-8", "Ollama is running"
	case recorded[req.URL.Path] != "":
		status, answer = 200, wire(recorded[req.URL.Path])
		if req.URL.Path == "/api/chat" && !strings.Contains(string(body), `"stream":false`) {
			kind, answer = "application/x-ndjson", wire("chat.stream.ndjson")
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Request: req,
		Body: io.NopCloser(strings.NewReader(answer)), ContentLength: int64(len(answer)),
	}, nil
}

// times counts how often a path was asked.
func (s *server) times(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		if q.path == path {
			n++
		}
	}
	return n
}

// last is the body of the last question.
func (s *server) last() (path string, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.asked[len(s.asked)-1]
	return q.path, string(q.body)
}

// options are those of the last question.
func (s *server) options(t *testing.T) map[string]any {
	t.Helper()
	_, body := s.last()
	var q struct {
		Options map[string]any `json:"options"`
	}
	if err := json.Unmarshal([]byte(body), &q); err != nil {
		t.Fatal(err)
	}
	return q.Options
}

// provider is all that the driver makes.
type provider interface {
	hoosh.Doer
	Models(ctx context.Context) ([]hoosh.Model, error)
	Health(ctx context.Context) error
	Capabilities(model string) hoosh.Capabilities
	Close() error
}

func driver(t testing.TB) hoosh.Driver {
	t.Helper()
	for _, d := range hoosh.Drivers() {
		if d.Name == "ollama" {
			return d
		}
	}
	t.Fatal("the driver is not registered")
	return hoosh.Driver{}
}

func newProvider(t testing.TB, s http.RoundTripper) provider {
	t.Helper()
	d, err := driver(t).New(hoosh.ProviderConfig{Name: "near", Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := d.(provider)
	if !ok {
		t.Fatalf("%T lacks a method", d)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func parse(t testing.TB, d *hoosh.Dialect, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, op, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openAI(t testing.TB, body string) *hoosh.Call {
	return parse(t, hoosh.OpenAI, hoosh.OpChat, body)
}

func native(t testing.TB, body string) *hoosh.Call {
	return parse(t, dialect.Dialect, hoosh.OpChat, body)
}

// shows describes models by name, in place of what was recorded.
func shows(descriptions map[string]string) func([]byte) (int, string) {
	return func(body []byte) (int, string) {
		var q struct {
			Model string `json:"model"`
		}
		json.Unmarshal(body, &q)
		if d, ok := descriptions[q.Model]; ok {
			return 200, d
		}
		return 404, `{"error":"model '` + q.Model + `' not found"}`
	}
}

// lists makes the answer of /api/tags, of names and digests in turn.
func lists(pairs ...string) func([]byte) (int, string) {
	var models []string
	for i := 0; i < len(pairs); i += 2 {
		models = append(models, `{"name":"`+pairs[i]+`","model":"`+pairs[i]+`","modified_at":"2026-11-24T06:03:19Z","digest":"`+pairs[i+1]+`"}`)
	}
	return func([]byte) (int, string) { return 200, `{"models":[` + strings.Join(models, ",") + `]}` }
}

func text(s string) func([]byte) (int, string) {
	return func([]byte) (int, string) { return 200, s }
}
