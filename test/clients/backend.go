// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

const (
	callerKey  = "sk-of-the-caller"  // between client and hoosh
	backendKey = "sk-of-the-backend" // between hoosh and backend
)

// hooshConfig has one backend. Its model "limited" is tried once only, so that
// the client gets to see the refusal.
func hooshConfig(b *hooshtest.Backend) string {
	return fmt.Sprintf(`version: 1
keys:
  - {name: clients, secret: %s}
providers:
  - {name: backend, driver: compat, base_url: %q, key: %s}
routes:
  - {match: [limited], to: [backend/limited], retry: {attempts: 1}}
`, callerKey, b.URL(), backendKey)
}

// newBackend makes the scripted backend. It is strict: what a client does not
// send, and OpenAI would refuse, hoosh may not add. The checks of all languages
// are written against what is said here.
func newBackend(tb testing.TB) *hooshtest.Backend {
	b := hooshtest.NewTCP(tb, hooshtest.Key(backendKey), hooshtest.Strict())
	b.Models("test-model", "test-embed", "limited", "breaks")
	b.Script(answer)
	return b
}

const (
	weather = `{"city":"Köln","unit":"celsius"}`
	event   = `{"name":"Science fair","participants":["Alice","Bob"]}`
)

func answer(q *hooshtest.Request) hooshtest.Answer {
	var body struct {
		Tools          []any
		Messages       []struct{ Role string }
		ResponseFormat struct{ Type string } `json:"response_format"`
	}
	if q.JSON(&body) != nil { // an embedding's input, say
		return hooshtest.Answer{}
	}
	last := ""
	if n := len(body.Messages); n > 0 {
		last = body.Messages[n-1].Role
	}
	prompt := q.Prompt()
	switch {
	case q.Model == "limited":
		return hooshtest.Status(429, 7*time.Second)
	case q.Model == "breaks":
		return hooshtest.Answer{Pieces: []string{"one ", "two ", "three ", "four "}, Fault: hooshtest.ErrorEvent, After: 3}
	case prompt == "refuse":
		return hooshtest.Raw(400, "application/json", `{"error":{"message":"'temperature' is out of range.","type":"invalid_request_error","param":"temperature","code":"invalid_value"}}`)
	case len(body.Tools) > 0 && last == "tool":
		return hooshtest.Text("The tool says " + prompt)
	case len(body.Tools) > 0 && strings.Contains(prompt, "both"):
		return hooshtest.Answer{ToolCalls: []hooshtest.ToolCall{
			{ID: "call_first", Name: "get_weather", Arguments: weather},
			{ID: "call_second", Name: "get_weather", Arguments: `{"city":"Paris","unit":"celsius"}`},
		}}
	case len(body.Tools) > 0:
		return hooshtest.Answer{ToolCalls: []hooshtest.ToolCall{{ID: "call_only", Name: "get_weather", Arguments: weather}}}
	case body.ResponseFormat.Type == "json_schema":
		return hooshtest.Text(event)
	}
	return hooshtest.Answer{Text: "Hello from the backend 🎈", Usage: &hooshtest.Usage{Prompt: 11, Completion: 5, Cached: 3}}
}

// lasting is a testing.TB of the whole run, for the backend.
type lasting struct {
	testing.TB // nil: for its unexported method

	mu   sync.Mutex
	ends []func()
	why  string
}

func newLasting() *lasting { return &lasting{} }

func (l *lasting) Helper() {}

func (l *lasting) Cleanup(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, f)
}

func (l *lasting) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = fmt.Sprintf(format, args...)
}

func (l *lasting) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l *lasting) problem() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

func (l *lasting) close() {
	for i := len(l.ends) - 1; i >= 0; i-- {
		l.ends[i]()
	}
}
