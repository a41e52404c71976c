// SPDX-License-Identifier: AGPL-3.0-only

package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
	"github.com/maccracken/hoosh/providers/openai"
)

// server is an OpenAI in memory that is as strict as the real one: a key that it
// does not know is refused.
type server struct {
	without bool // Responses

	mu    sync.Mutex // guards asked
	asked []question
}

type question struct {
	path string
	body map[string]any
}

var chatKeys = []string{"model", "messages", "stream", "stream_options", "temperature", "top_p", "max_completion_tokens", "tools", "tool_choice", "n"}

var responseKeys = []string{"model", "input", "instructions", "stream", "store", "include", "max_output_tokens", "temperature", "top_p", "tools", "tool_choice",
	"parallel_tool_calls", "reasoning", "text", "metadata", "user", "previous_response_id"}

var countKeys = []string{"model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "previous_response_id"}

func (s *server) RoundTrip(req *http.Request) (*http.Response, error) {
	var raw []byte
	if req.Body != nil {
		raw, _ = io.ReadAll(req.Body)
		req.Body.Close()
	}
	q := question{path: req.URL.Path}
	status, kind, answer := http.StatusNotFound, "application/json", `{"error":{"message":"Invalid URL","type":"invalid_request_error","param":null,"code":null}}`
	if req.Method == http.MethodGet && req.URL.Path == "/v1/models" {
		return reply(req, 200, kind, `{"object":"list","data":[{"id":"o3-pro","object":"model"},{"id":"gpt-4o","object":"model"}]}`), nil
	}
	if err := json.Unmarshal(raw, &q.body); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	s.mu.Unlock()
	keys := map[string][]string{"/v1/chat/completions": chatKeys, "/v1/responses": responseKeys, "/v1/responses/input_tokens": countKeys}[req.URL.Path]
	if s.without && strings.HasPrefix(req.URL.Path, "/v1/responses") {
		keys = nil
	}
	if keys != nil {
		status, answer = s.answer(&q, keys)
	}
	if stream, _ := q.body["stream"].(bool); stream && status == 200 {
		kind = "text/event-stream"
		answer = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":" + answer + "}\n\n" +
			"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":1,\"response\":" + answer + "}\n\n"
	}
	return reply(req, status, kind, answer), nil
}

func reply(req *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1, Request: req}
}

func (s *server) answer(q *question, keys []string) (status int, body string) {
	refuse := func(param, code string) (int, string) {
		return 400, fmt.Sprintf(`{"error":{"message":"bad %s","type":"invalid_request_error","param":"%s","code":"%s"}}`, param, param, code)
	}
	for key := range q.body {
		if !slices.Contains(keys, key) {
			return refuse(key, "unknown_parameter")
		}
	}
	model, _ := q.body["model"].(string)
	if t, ok := q.body["temperature"]; ok && strings.HasPrefix(model, "o") && t != 1.0 {
		return refuse("temperature", "unsupported_value")
	}
	if model == "none" {
		return 404, `{"error":{"message":"The model does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}`
	}
	if n, ok := q.body["max_output_tokens"].(float64); ok && n < 16 {
		return refuse("max_output_tokens", "integer_below_min_value")
	}
	switch q.path {
	case "/v1/responses":
		return 200, `{"id":"resp_1","object":"response","created_at":1760000000,"status":"completed","error":null,"incomplete_details":null,"model":"` + model +
			`","output":[{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"gAAA"},{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"by responses","annotations":[]}]}],"usage":{"input_tokens":3,"output_tokens":2,"total_tokens":5}}`
	case "/v1/responses/input_tokens":
		return 200, `{"object":"response.input_tokens","input_tokens":11}`
	}
	return 200, `{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"` + model + `","choices":[{"index":0,"message":{"role":"assistant","content":"by chat"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`
}

func provider(t *testing.T, s *server, cfg hoosh.ProviderConfig) *openai.Provider {
	t.Helper()
	cfg.Name, cfg.Transport = "mine", s
	p, err := openai.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func call(t *testing.T, d *hoosh.Dialect, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, op, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Which calls go where, and who gets what for an answer.
func TestWhereCallsGo(t *testing.T) {
	chat := func(model string) string {
		return `{"model":"` + model + `","messages":[{"role":"user","content":"Hi"}],"temperature":0.5,"max_tokens":5}`
	}
	own := `{"model":"gpt-4o","input":"Hi","previous_response_id":"resp_0"}`
	for _, x := range []struct {
		name, body string
		from       *hoosh.Dialect
		op         hoosh.Operation
		path, says string
		dropped    string
	}{
		{"chat", strings.Replace(chat("gpt-4o"), "max_tokens", "max_completion_tokens", 1), hoosh.OpenAI, hoosh.OpChat, "/v1/chat/completions", "by chat", "[]"},
		{"thinker", chat("o3"), hoosh.OpenAI, hoosh.OpChat, "/v1/chat/completions", "by chat", "[temperature]"},
		{"passage", own, responses.Dialect, hoosh.OpChat, "/v1/responses", "by responses", "[]"},
		{"passage to a thinker", `{"model":"o3","input":"Hi","temperature":0}`, responses.Dialect, hoosh.OpChat, "/v1/responses", "by responses", "[temperature]"},
		{"pro", chat("o3-pro-2025-06-10"), hoosh.OpenAI, hoosh.OpChat, "/v1/responses", "by responses", "[temperature]"},
		{"codex", chat("gpt-5.2-codex"), hoosh.OpenAI, hoosh.OpChat, "/v1/responses", "by responses", "[temperature]"},
		{"research", chat("o4-mini-deep-research"), hoosh.OpenAI, hoosh.OpChat, "/v1/responses", "by responses", "[temperature]"},
		{"computer", chat("computer-use-preview"), hoosh.OpenAI, hoosh.OpChat, "/v1/responses", "by responses", "[]"},
		{"count", chat("gpt-4o"), hoosh.OpenAI, hoosh.OpCount, "/v1/responses/input_tokens", "", "[]"},
		{"own count", own, responses.Dialect, hoosh.OpCount, "/v1/responses/input_tokens", "", "[]"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := &server{}
			p := provider(t, s, hoosh.ProviderConfig{})
			c := call(t, x.from, x.op, x.body)
			reply, err := p.Do(t.Context(), c)
			if err != nil {
				t.Fatalf("%v, asked was %v", err, s.asked)
			}
			if len(s.asked) != 1 || s.asked[0].path != x.path {
				t.Errorf("asked %v", s.asked)
			}
			if fmt.Sprint(reply.Dropped) != x.dropped || reply.Issuer != "openai" || reply.Provider != "mine" {
				t.Errorf("%+v", reply)
			}
			resp, err := reply.Response()
			if err != nil {
				t.Fatal(err)
			}
			if x.op == hoosh.OpCount {
				if resp.Usage.Input != 11 {
					t.Errorf("counted %v", resp.Usage)
				}
				return
			}
			if resp.Text() != x.says {
				t.Errorf("%q", resp.Text())
			}
			back, err := reply.For(c)
			if err != nil || !strings.Contains(string(back.Body), x.says) || back.Dialect != x.from {
				t.Errorf("%v %s", err, back.Body)
			}
		})
	}
}

func TestNothingIsAdded(t *testing.T) {
	s := &server{}
	p := provider(t, s, hoosh.ProviderConfig{BaseURL: "https://api.openai.com/"})
	reply, err := p.Do(t.Context(), call(t, responses.Dialect, hoosh.OpChat, `{"model":"gpt-5.2","input":"Hi","stream":true}`))
	if err != nil || reply.Issuer != "openai" {
		t.Fatal(reply, err)
	}
	for {
		if _, err = reply.Stream.Next(); err != nil {
			break
		}
	}
	if reply.Stream.Close(); err != io.EOF {
		t.Error(err)
	}
	if fmt.Sprint(s.asked[0].body) != "map[input:Hi model:gpt-5.2 stream:true]" {
		t.Errorf("%v", s.asked[0].body)
	}
	_, err = p.Do(t.Context(), call(t, responses.Dialect, hoosh.OpChat, `{"model":"m","input":"Hi","odd":1}`))
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Param != "odd" || e.Original(responses.Dialect) == nil {
		t.Errorf("%v", err)
	}
}

// A server that is not OpenAI's may have chat completions only.
func TestWithoutResponses(t *testing.T) {
	s := &server{without: true}
	p := provider(t, s, hoosh.ProviderConfig{BaseURL: "http://127.0.0.1:9"})
	own := func() *hoosh.Call {
		return call(t, responses.Dialect, hoosh.OpChat, `{"model":"qwen","input":"Hi"}`)
	}
	for i := range 2 {
		c := own()
		reply, err := p.Do(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := reply.For(c); err != nil || !strings.Contains(string(back.Body), `"text":"by chat"`) || reply.Issuer != "mine" {
			t.Errorf("%d: %v %v", i, reply, err)
		}
	}
	var paths []string
	for _, q := range s.asked {
		paths = append(paths, q.path)
	}
	if got := fmt.Sprint(paths); got != "[/v1/responses /v1/chat/completions /v1/chat/completions]" {
		t.Error(got)
	}
	if p.Capabilities("o3-pro").Features&hoosh.FeatureCount != 0 {
		t.Error("it is said to count")
	}
	// What is kept there cannot be translated.
	_, err := p.Do(t.Context(), call(t, responses.Dialect, hoosh.OpChat, `{"model":"qwen","input":"Hi","previous_response_id":"resp_1"}`))
	if !errors.Is(err, hoosh.ErrUnsupported) || hoosh.AsError(err).Param != "previous_response_id" {
		t.Error(err)
	}
	// A model that is not there is no such sign.
	s = &server{}
	p = provider(t, s, hoosh.ProviderConfig{BaseURL: "http://127.0.0.1:9"})
	_, err = p.Do(t.Context(), call(t, responses.Dialect, hoosh.OpChat, `{"model":"none","input":"Hi"}`))
	if !errors.Is(err, hoosh.ErrModelNotFound) || len(s.asked) != 1 {
		t.Error(err, s.asked)
	}
}

func TestProvider(t *testing.T) {
	s := &server{}
	p := provider(t, s, hoosh.ProviderConfig{})
	list, err := p.Models(context.Background())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, m := range list {
		want := hoosh.AllFeatures | hoosh.FeatureCount | hoosh.FeatureImages | hoosh.FeatureModeration
		if m.ID == "o3-pro" {
			want &^= hoosh.FeatureChoices
		}
		if m.Features != want || p.Capabilities(m.ID).Features != want {
			t.Errorf("%s can %v", m.ID, m.Features)
		}
	}
	if err := p.Health(t.Context()); err != nil {
		t.Error(err)
	}
	if p.Profile().Issuer != "openai" || p.Profile().Dialect != hoosh.OpenAI {
		t.Errorf("%+v", p.Profile())
	}
	if _, err := openai.New(hoosh.ProviderConfig{Name: "x", BaseURL: "nowhere"}); err == nil {
		t.Error("a base URL that is none is taken")
	}
	driver := slices.IndexFunc(hoosh.Drivers(), func(d hoosh.Driver) bool { return d.Name == "openai" })
	if driver < 0 {
		t.Fatal("not registered")
	}
	d := hoosh.Drivers()[driver]
	made, err := d.New(hoosh.ProviderConfig{Name: "x"})
	if _, ok := made.(*openai.Provider); !ok || err != nil || d.BaseURL != "https://api.openai.com/v1" || d.KeyEnv[0] != "OPENAI_API_KEY" {
		t.Errorf("%T %v %+v", made, err, d)
	}
}
