// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/anthropic"
)

const key = "sk-ant-secret"

// fake is an Anthropic that is as strict as the real one.
type fake struct {
	listener *hooshtest.Listener
	mu       sync.Mutex
	asked    []string // method and path with query
	headers  []http.Header
	bodies   []string
	answers  []func(w http.ResponseWriter, r *http.Request) // one for each message; then the usual
	models   int
}

func newFake(t testing.TB) *fake {
	f := &fake{models: 45}
	f.listener = hooshtest.Serve(t, f)
	return f
}

func (f *fake) then(answer ...func(w http.ResponseWriter, r *http.Request)) {
	f.answers = append(f.answers, answer...)
}

func refuse(status int, kind, message string, header ...string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"type":"error","error":{"type":%q,"message":%q},"request_id":"req_1"}`, kind, message)
	}
}

// says answers with these bytes.
func says(kind, body string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.RequestURI())
	f.headers = append(f.headers, r.Header.Clone())
	f.bodies = append(f.bodies, string(body))
	f.mu.Unlock()
	switch version := r.Header.Get("Anthropic-Version"); {
	case r.Header.Get("X-Api-Key") != key || r.Header.Get("Authorization") != "":
		refuse(401, "authentication_error", "invalid x-api-key")(w, r)
	case version != "2023-06-01" && version != "2026-10-21":
		refuse(400, "invalid_request_error", "anthropic-version: header is required")(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/v1/models":
		f.list(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/messages/count_tokens":
		if fault := check(body, version, true); fault != "" {
			refuse(400, "invalid_request_error", fault)(w, r)
			return
		}
		says("application/json", `{"input_tokens":14}`)(w, r)
	case r.Method == http.MethodPost && r.URL.Path == "/v1/messages":
		f.mu.Lock()
		var next func(w http.ResponseWriter, r *http.Request)
		if len(f.answers) > 0 {
			next, f.answers = f.answers[0], f.answers[1:]
		}
		f.mu.Unlock()
		if next != nil {
			next(w, r)
			return
		}
		f.message(w, r, body, version)
	default:
		refuse(404, "not_found_error", "Not found")(w, r)
	}
}

// list gives twenty models a page, as the real one does.
func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	from := 0
	if after := r.URL.Query().Get("after_id"); after != "" {
		fmt.Sscanf(after, "claude-sonnet-4-%d", &from)
		from++
	}
	to := min(from+20, f.models)
	var data []string
	for i := from; i < to; i++ {
		more := ""
		if i == 0 {
			more = `,"max_input_tokens":200000,"capabilities":{"image_input":{"supported":false},"pdf_input":{"supported":true}}`
		}
		data = append(data, fmt.Sprintf(`{"type":"model","id":"claude-sonnet-4-%d","display_name":"x","created_at":"2026-02-04T00:00:00Z"%s}`, i, more))
	}
	says("application/json", fmt.Sprintf(`{"data":[%s],"has_more":%v,"first_id":"claude-sonnet-4-%d","last_id":"claude-sonnet-4-%d"}`, strings.Join(data, ","), to < f.models, from, to-1))(w, r)
}

const stream = `event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type":"ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello "}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"there"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":5}}

event: message_stop
data: {"type":"message_stop"}

`

func (f *fake) message(w http.ResponseWriter, r *http.Request, body []byte, version string) {
	if fault := check(body, version, false); fault != "" {
		refuse(400, "invalid_request_error", fault)(w, r)
		return
	}
	var q struct{ Stream bool }
	json.Unmarshal(body, &q)
	if q.Stream {
		says("text/event-stream; charset=utf-8", stream)(w, r)
		return
	}
	says("application/json", `{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[{"type":"text","text":"Hello there"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":5}}`)(w, r)
}

// check says what the real one would refuse, "" for nothing.
func check(body []byte, version string, count bool) string {
	var q map[string]json.RawMessage
	if err := json.Unmarshal(body, &q); err != nil {
		return "The request body is not valid JSON"
	}
	known := []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata", "service_tier"}
	if count {
		known = known[:7]
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return name + ": Extra inputs are not permitted"
		}
	}
	if q["model"] == nil || q["messages"] == nil {
		return "model: Field required"
	}
	if q["max_tokens"] == nil && !count {
		return "max_tokens: Field required"
	}
	if version == "2026-10-21" && (q["temperature"] != nil || q["top_p"] != nil || q["top_k"] != nil) {
		return "temperature: not supported in this version"
	}
	if q["temperature"] != nil && q["top_p"] != nil {
		return "temperature and top_p cannot both be specified for this model"
	}
	return ""
}

type provider interface {
	hoosh.Doer
	Models(ctx context.Context) ([]hoosh.Model, error)
	Health(ctx context.Context) error
	Capabilities(model string) hoosh.Capabilities
	Profile() *hoosh.Profile
	Close() error
}

func driver(t testing.TB) hoosh.Driver {
	t.Helper()
	for _, d := range hoosh.Drivers() {
		if d.Name == "anthropic" {
			return d
		}
	}
	t.Fatal("the driver is not registered")
	return hoosh.Driver{}
}

func newProvider(t testing.TB, cfg hoosh.ProviderConfig) provider {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "claude"
	}
	if cfg.Key == "" {
		cfg.Key = key
	}
	d, err := driver(t).New(cfg)
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

// at is a provider of the fake.
func at(t testing.TB, f *fake) provider { return named(t, f, "claude") }

func named(t testing.TB, f *fake, name string) provider {
	return newProvider(t, hoosh.ProviderConfig{Name: name, BaseURL: f.listener.URL() + "/v1/", DialContext: f.listener.DialContext})
}
