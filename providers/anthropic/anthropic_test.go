// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	dialect "github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/hooshtest"
)

func TestDriver(t *testing.T) {
	d := driver(t)
	if d.Local || d.BaseURL != "https://api.anthropic.com" || !slices.Equal(d.KeyEnv, []string{"ANTHROPIC_API_KEY"}) || !slices.Equal(d.URLEnv, []string{"ANTHROPIC_BASE_URL"}) {
		t.Errorf("%+v", d)
	}
	if _, err := d.New(hoosh.ProviderConfig{Name: "x", BaseURL: "api.example"}); err == nil {
		t.Error("a base URL that is none was taken")
	}
	for base, issuer := range map[string]string{"": "anthropic", "https://api.anthropic.com/v1/": "anthropic", "https://api.anthropic.com": "anthropic", "https://api.deepseek.com/anthropic": "claude"} {
		p := newProvider(t, hoosh.ProviderConfig{BaseURL: base})
		if got := p.Profile(); got.Issuer != issuer || got.Dialect != dialect.Dialect || got.Lacks&(hoosh.FeatureEmbed|hoosh.FeatureCompletion|hoosh.FeatureChoices|hoosh.FeatureAudio) != hoosh.FeatureEmbed|hoosh.FeatureCompletion|hoosh.FeatureChoices|hoosh.FeatureAudio {
			t.Errorf("%q: %+v", base, got)
		}
		can := p.Capabilities("any").Features
		if want := hoosh.FeatureChat | hoosh.FeatureTools | hoosh.FeatureVision | hoosh.FeatureFiles | hoosh.FeatureJSONSchema | hoosh.FeatureThinking | hoosh.FeatureCount; can != want {
			t.Error(can)
		}
	}
}

func chat(t testing.TB, d *hoosh.Dialect, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(s hoosh.Stream) (string, error) {
	defer s.Close()
	var all strings.Builder
	for {
		f, err := s.Next()
		if err == io.EOF {
			return all.String(), nil
		}
		if err != nil {
			return all.String(), err
		}
		all.Write(f.Raw)
	}
}

const question = `"messages":[{"role":"user","content":"Hi"}]`

func TestCalls(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	reply, err := p.Do(t.Context(), chat(t, hoosh.OpenAI, `{"model":"claude-sonnet-4-5","temperature":0.5,"top_p":0.5,"seed":1,"stop":"x",`+question+`}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := reply.Response()
	if err != nil || resp.Text() != "Hello there" || resp.Usage.Input != 3 || resp.Usage.Output != 5 || !slices.Equal(reply.Dropped, []string{"top_p", "seed"}) {
		t.Errorf("%v %+v %v", err, resp, reply.Dropped)
	}
	if f.asked[0] != "POST /v1/messages" {
		t.Error(f.asked)
	}

	c := chat(t, hoosh.OpenAI, `{"model":"claude-sonnet-4-5","stream":true,`+question+`}`)
	if reply, err = p.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	if got, err := read(reply.Stream); err != nil || !strings.Contains(got, `"content":"there"`) || !strings.HasSuffix(got, "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, got)
	}

	// A client of the format: its own version, and not a byte of its body changed.
	body := `{"stream":true, "model":"claude-opus-4-7", "max_tokens": 5, ` + question + ` }`
	c = chat(t, dialect.Dialect, body)
	c.Header = http.Header{"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a,b"}}
	if reply, err = p.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got, err := read(reply.Stream); err != nil || got != stream {
		t.Errorf("%v: %s", err, got)
	}
	last := len(f.bodies) - 1
	if f.bodies[last] != body || f.headers[last].Get("Anthropic-Version") != "2026-10-21" || f.headers[last].Get("Anthropic-Beta") != "a,b" {
		t.Errorf("%s %v", f.bodies[last], f.headers[last])
	}

	// Tokens are counted, of any client's chat.
	count, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpCount, []byte(`{"model":"claude-sonnet-4-5","max_tokens":4,"temperature":1,`+question+`}`))
	if err != nil {
		t.Fatal(err)
	}
	reply, err = p.Do(t.Context(), count)
	if err != nil || reply.Usage.Input != 14 || f.asked[len(f.asked)-1] != "POST /v1/messages/count_tokens" {
		t.Errorf("%v %+v %v", err, reply, f.asked)
	}
	embed, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpEmbed, []byte(`{"model":"m","input":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Do(t.Context(), embed); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
}

// An answer by a schema of a model that takes none, and a configured version.
func TestOlderModels(t *testing.T) {
	f := newFake(t)
	p := newProvider(t, hoosh.ProviderConfig{BaseURL: f.listener.URL(), DialContext: f.listener.DialContext, Headers: map[string]string{"anthropic-version": "2026-10-21"}})
	f.then(says("application/json", `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"tool_use","id":"toolu_1","name":"hoosh_answer","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":5}}`))
	c := chat(t, hoosh.OpenAI, `{"model":"claude-3-5-haiku-latest","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},`+question+`}`)
	reply, err := p.Do(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := reply.Response()
	if err != nil || resp.Text() != `{"a":1}` || resp.Finish() != hoosh.FinishStop {
		t.Errorf("%v %+v", err, resp)
	}
	if got := f.bodies[0]; !strings.Contains(got, `"tool_choice":{"type":"tool","name":"hoosh_answer"}`) || strings.Contains(got, "output_config") {
		t.Error(got)
	}
	if got := f.headers[0].Get("Anthropic-Version"); got != "2026-10-21" {
		t.Error(got)
	}
}

func TestModels(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	models, err := p.Models(t.Context())
	if err != nil || len(models) != 45 {
		t.Fatal(len(models), err)
	}
	if want := []string{"GET /v1/models", "GET /v1/models?after_id=claude-sonnet-4-19", "GET /v1/models?after_id=claude-sonnet-4-39"}; !slices.Equal(f.asked, want) {
		t.Error(f.asked)
	}
	first := models[0]
	if first.ID != "claude-sonnet-4-0" || first.Provider != "claude" || first.Context != 200000 || first.Features&hoosh.FeatureVision != 0 || first.Features&hoosh.FeatureFiles == 0 || first.Created != time.Date(2026, 2, 4, 0, 0, 0, 0, time.UTC) {
		t.Errorf("%+v", first)
	}
	if p.Capabilities("claude-sonnet-4-0") != first.Capabilities || p.Capabilities("claude-sonnet-4-1").Features&hoosh.FeatureVision == 0 {
		t.Error("the list is not remembered")
	}
	if err := p.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestModelsGoWrong(t *testing.T) {
	for _, body := range []string{"", "<html>", "[]", "{}", `{"data":{}}`} {
		l := hooshtest.Serve(t, http.HandlerFunc(says("application/json", body)))
		p := newProvider(t, hoosh.ProviderConfig{BaseURL: l.URL(), DialContext: l.DialContext})
		if _, err := p.Models(t.Context()); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%q: %v", body, err)
		}
	}
	f := newFake(t)
	p := newProvider(t, hoosh.ProviderConfig{BaseURL: f.listener.URL(), DialContext: f.listener.DialContext, Key: "wrong-key"})
	if _, err := p.Models(t.Context()); !errors.Is(err, hoosh.ErrUpstreamAuth) {
		t.Error(err)
	}
	if err := p.Health(t.Context()); !errors.Is(err, hoosh.ErrUpstreamAuth) {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	cutAt := func(mark string) string { return stream[:strings.Index(stream, mark)] }
	overloaded := "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
	for _, x := range []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		streams bool
		kind    error
		text    string
		wait    time.Duration
	}{
		{"overloaded", refuse(529, "overloaded_error", "Overloaded", "Retry-After", "7"), true, hoosh.ErrOverloaded, "Overloaded", 7 * time.Second},
		{"rate limit", refuse(429, "rate_limit_error", "slow down", "Retry-After", "3"), false, hoosh.ErrRateLimited, "slow down", 3 * time.Second},
		{"no credit", refuse(400, "invalid_request_error", "Your credit balance is too low"), false, hoosh.ErrInsufficientQuota, "", 0},
		{"key", refuse(401, "authentication_error", "invalid x-api-key "+key), true, hoosh.ErrUpstreamAuth, "invalid x-api-key", 0},
		{"no model", refuse(404, "not_found_error", "model: claude-9"), false, hoosh.ErrModelNotFound, "claude-9", 0},
		{"too long", refuse(400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"), true, hoosh.ErrContextLength, "", 0},
		{"a web page", says("text/html", "<html>"), false, hoosh.ErrMalformed, "", 0},
		{"a web page with an error", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(502)
			io.WriteString(w, "<html>")
		}, true, hoosh.ErrUpstream, "Bad Gateway", 0},
		{"overloaded at the start", says("text/event-stream", cutAt("event: content_block_start")+overloaded), true, hoosh.ErrOverloaded, "Overloaded", 0},
		{"overloaded in between", says("text/event-stream", cutAt("event: content_block_stop")+overloaded), true, hoosh.ErrOverloaded, "Overloaded", 0},
		{"cut", says("text/event-stream", cutAt("event: message_delta")), true, hoosh.ErrStreamCut, "", 0},
		{"cut before its end", says("text/event-stream", cutAt("event: message_stop")), true, hoosh.ErrStreamCut, "", 0},
		{"no stream", says("application/json", `{"type":"message","content":[]}`), true, hoosh.ErrMalformed, "", 0},
		{"garbage", says("application/json", `{"type":"message","content":`), false, hoosh.ErrMalformed, "", 0},
	} {
		f := newFake(t)
		p := at(t, f)
		f.then(x.answer)
		body := `{"model":"claude-9",` + question + `}`
		if x.streams {
			body = `{"model":"claude-9","stream":true,` + question + `}`
		}
		reply, err := p.Do(t.Context(), chat(t, hoosh.OpenAI, body))
		if err == nil && reply.Stream != nil {
			_, err = read(reply.Stream)
		}
		var e *hoosh.Error
		if !errors.As(err, &e) || e.Kind != x.kind || !strings.Contains(e.Message, x.text) || e.RetryAfter != x.wait || e.Provider != "claude" {
			t.Errorf("%s: %+v", x.name, e)
		} else if strings.Contains(e.Error()+string(e.Body), key) {
			t.Errorf("%s: the key is told: %v", x.name, e)
		}
	}
}

// A router goes on to the next when the error comes before the answer.
func TestFailover(t *testing.T) {
	first, second := newFake(t), newFake(t)
	first.then(says("text/event-stream", stream[:strings.Index(stream, "event: content_block_delta")]+"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"))
	router, err := hoosh.NewRouter([]hoosh.Provider{{Name: "a", Doer: named(t, first, "a"), Models: []string{"claude-*"}}, {Name: "b", Doer: named(t, second, "b"), Models: []string{"claude-*"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	s, err := router.Stream(context.Background(), &hoosh.Request{Model: "claude-sonnet-4-5", Messages: []hoosh.Message{hoosh.User("Hi")}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Response()
	if err != nil || resp.Text() != "Hello there" || s.Provider() != "b" || len(second.asked) == 0 {
		t.Errorf("%v %+v", err, resp)
	}
}
