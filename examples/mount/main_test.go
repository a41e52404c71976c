// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/examples/internal/exampletest"
	"github.com/maccracken/hoosh/hooshtest"
)

const (
	whole  = `{"model":"writer","messages":[{"role":"user","content":"Hello"}]}`
	stream = `{"model":"writer","stream":true,"messages":[{"role":"user","content":"Hello"}]}`
	tool   = `{"model":"agent","messages":[{"role":"user","content":"Hello"}],"tools":[{"type":"function","function":{"name":"search","parameters":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}}]}`
)

func TestRun(t *testing.T) {
	router := exampletest.Router(t)
	l := hooshtest.NewListener("localhost")
	client := l.Client()
	defer client.CloseIdleConnections()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out bytes.Buffer
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, &out, router, l) }()

	for _, c := range []struct {
		name, method, path, body string
		host                     string
		status                   int
		want                     []string
	}{
		{"the program's own page", "GET", "/", "", "", 200, []string{"The models are below /ai/."}},
		{"what is nowhere", "GET", "/v1/models", "", "", 404, []string{"404 page not found"}},
		{"models", "GET", "/ai/v1/models", "", "", 200, []string{`"writer"`}},
		{"a whole answer", "POST", "/ai/v1/chat/completions", whole, "", 200, []string{`"content":"You said: Hello"`}},
		{"a stream", "POST", "/ai/v1/chat/completions", stream, "", 200, []string{`"content":"You "`, `"content":"said: "`, `"content":"Hello"`, "data: [DONE]\n\n"}},
		{"a tool call", "POST", "/ai/v1/chat/completions", tool, "", 200, []string{`"name":"search","arguments":"{\"text\":\"the sky\"}"`}},
		{"from another host", "POST", "/ai/v1/chat/completions", whole, "example.com", 403, []string{`"code":"keyless"`}},
	} {
		r, err := http.NewRequestWithContext(ctx, c.method, "http://localhost"+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.host != "" {
			r.Host = c.host
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s: %d, %v: %s", c.name, resp.StatusCode, err, body)
		}
		rest := string(body)
		for _, want := range c.want {
			var found bool
			if _, rest, found = strings.Cut(rest, want); !found {
				t.Errorf("%s: no %s in its place in %s", c.name, want, body)
			}
		}
	}

	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if want := "listening on http://localhost\nended\n"; out.String() != want {
		t.Errorf("it says %q, want %q", &out, want)
	}
}
