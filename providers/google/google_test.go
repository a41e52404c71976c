// SPDX-License-Identifier: AGPL-3.0-only

package google_test

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
	"github.com/maccracken/hoosh/dialect/gemini"
	"github.com/maccracken/hoosh/hooshtest"
)

func TestDriver(t *testing.T) {
	d := driver(t)
	if d.Local || d.BaseURL != "https://generativelanguage.googleapis.com" || !slices.Equal(d.KeyEnv, []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"}) || !slices.Equal(d.Aliases, []string{"gemini"}) {
		t.Errorf("%+v", d)
	}
	if _, err := d.New(hoosh.ProviderConfig{Name: "x", BaseURL: "api.example"}); err == nil {
		t.Error("a base URL that is none was taken")
	}
	for base, issuer := range map[string]string{"": "google", "https://generativelanguage.googleapis.com/v1beta/": "google", "https://proxy.example/gemini": "goo"} {
		p := newProvider(t, hoosh.ProviderConfig{BaseURL: base})
		if got := p.Profile(); got.Issuer != issuer || got.Dialect != gemini.Dialect || got.Lacks != hoosh.FeatureCompletion {
			t.Errorf("%q: %+v", base, got)
		}
		if can := p.Capabilities("any").Features; can&hoosh.FeatureCompletion != 0 || can&hoosh.FeatureCount == 0 || can&hoosh.FeatureEmbed == 0 {
			t.Error(can)
		}
	}
}

func parse(t testing.TB, d *hoosh.Dialect, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, op, []byte(body))
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
	reply, err := p.Do(t.Context(), parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"gemini-2.5-flash","temperature":0.5,"user":"u",`+question+`}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := reply.Response()
	if err != nil || resp.Text() != "Hello there" || resp.Usage.Input != 3 || resp.Usage.Output != 5 || resp.ID != "r1" || !slices.Equal(reply.Dropped, []string{"user"}) {
		t.Errorf("%v %+v %v", err, resp, reply.Dropped)
	}

	c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"gemini-2.5-flash","stream":true,`+question+`}`)
	if reply, err = p.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	if got, err := read(reply.Stream); err != nil || !strings.Contains(got, `"id":"r1"`) || !strings.Contains(got, `"content":"there"`) || !strings.HasSuffix(got, "data: [DONE]\n\n") {
		t.Errorf("%v: %s", err, got)
	}

	// A client of the format: not a byte of its body changed, nor of the answer.
	body := `{"contents" : [{"parts":[{"text":"Hi"}]}] }`
	c = parse(t, gemini.Dialect, hoosh.OpChat, body)
	c.Model, c.Stream = "models/gemini-2.5-flash", true
	if reply, err = p.Do(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if got, err := read(reply.Stream); err != nil || got != stream || f.bodies[len(f.bodies)-1] != body {
		t.Errorf("%v: %s", err, got)
	}
	if want := []string{"POST /v1beta/models/gemini-2.5-flash:generateContent", "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"}; !slices.Equal(f.asked, want) {
		t.Error(f.asked)
	}
	if _, err := p.Do(t.Context(), parse(t, hoosh.OpenAI, hoosh.OpCompletion, `{"model":"m","prompt":"a"}`)); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
}

// Tokens are counted, of any client's chat.
func TestCount(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	for _, c := range []*hoosh.Call{
		parse(t, hoosh.OpenAI, hoosh.OpCount, `{"model":"gemini-2.5-flash","max_tokens":4,"seed":1,`+question+`}`),
		parse(t, gemini.Dialect, hoosh.OpCount, `{"contents":[{"parts":[{"text":"Hi"}]}]}`),
		parse(t, gemini.Dialect, hoosh.OpCount, `{"generateContentRequest":{"model":"models/alias","contents":[{"parts":[{"text":"Hi"}]}]}}`),
	} {
		c.Model = "gemini-2.5-flash"
		reply, err := p.Do(t.Context(), c)
		if err != nil || reply.Usage.Input != 14 || f.asked[len(f.asked)-1] != "POST /v1beta/models/gemini-2.5-flash:countTokens" {
			t.Fatalf("%v %+v %v", err, reply, f.asked)
		}
		if c.Dialect() == gemini.Dialect {
			continue
		}
		if resp, err := reply.Response(); err != nil || resp.Usage.Input != 14 {
			t.Errorf("%v %+v", err, resp)
		}
	}
}

func TestEmbed(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	const model = "gemini-embedding-001"
	c := parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"`+model+`","input":["a","b"],"dimensions":2}`)
	reply, err := p.Do(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := reply.Response()
	if err != nil || len(resp.Embeddings) != 2 || resp.Embeddings[1][0] != 1 {
		t.Errorf("%v %+v", err, resp)
	}
	for body, path := range map[string]string{
		`{"content":{"parts":[{"text":"a"}]},"model":"models/alias","taskType":"X"}`: ":embedContent",
		`{"requests":[{"model":"models/alias","content":{"parts":[{"text":"a"}]}}]}`: ":batchEmbedContents",
	} {
		c := parse(t, gemini.Dialect, hoosh.OpEmbed, body)
		c.Model = model
		reply, err := p.Do(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := reply.Response(); err != nil || len(resp.Embeddings) != 1 || len(resp.Embeddings[0]) != 2 {
			t.Errorf("%v %+v", err, resp)
		}
		if last := f.asked[len(f.asked)-1]; last != "POST /v1beta/models/"+model+path {
			t.Error(last)
		}
	}
}

// The name of a model stays within its place in the path.
func TestAddress(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	for model, want := range map[string]string{
		"vendor/model":      "/v1beta/models/vendor/model",
		"models/m":          "/v1beta/models/m",
		"tunedModels/t-1":   "/v1beta/tunedModels/t-1",
		"a b?key=1#x%2f..":  "/v1beta/models/a%20b%3Fkey=1%23x%252f..",
		"ft:gemini":         "/v1beta/models/ft:gemini",
		"../../v1/x":        "",
		"models/../secrets": "",
		"a//b":              "",
	} {
		before := len(f.asked)
		c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"m",`+question+`}`)
		c.Model = model
		_, err := p.Do(t.Context(), c)
		if want == "" {
			if !errors.Is(err, hoosh.ErrModelNotFound) || len(f.asked) != before {
				t.Errorf("%s: %v", model, err)
			}
			continue
		}
		if got := f.asked[len(f.asked)-1]; got != "POST "+want+":generateContent" {
			t.Errorf("%s: %s", model, got)
		}
	}
}

func TestModels(t *testing.T) {
	f := newFake(t)
	p := at(t, f)
	models, err := p.Models(t.Context())
	if err != nil || len(models) != 3 {
		t.Fatal(models, err)
	}
	if want := []string{"GET /v1beta/models?pageSize=1000", "GET /v1beta/models?pageSize=1000&pageToken=a%2Bb%2F2%3D", "GET /v1beta/models?pageSize=1000&pageToken=a%2Bb%2F4%3D"}; !slices.Equal(f.asked, want) {
		t.Error(f.asked)
	}
	chats, older, vectors := models[0], models[1], models[2]
	if chats.ID != "gemini-2.5-flash" || chats.Context != 1048576 || chats.Features&(hoosh.FeatureChat|hoosh.FeatureThinking|hoosh.FeatureCount|hoosh.FeatureTools) != hoosh.FeatureChat|hoosh.FeatureThinking|hoosh.FeatureCount|hoosh.FeatureTools || chats.Features&hoosh.FeatureEmbed != 0 {
		t.Errorf("%+v", chats)
	}
	if older.Features&hoosh.FeatureThinking != 0 || vectors.Features != hoosh.FeatureEmbed|hoosh.FeatureCount || vectors.Context != 2048 {
		t.Errorf("%+v %+v", older, vectors)
	}
	if p.Capabilities("models/gemini-embedding-001") != vectors.Capabilities || p.Capabilities("gemini-9").Features&hoosh.FeatureChat == 0 {
		t.Error("the list is not remembered")
	}
	if err := p.Health(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestModelsGoWrong(t *testing.T) {
	for _, body := range []string{"", "<html>", "[]", "{}", `{"models":{}}`} {
		l := hooshtest.Serve(t, http.HandlerFunc(says("application/json", body)))
		p := newProvider(t, hoosh.ProviderConfig{BaseURL: l.URL(), DialContext: l.DialContext})
		if _, err := p.Models(t.Context()); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%q: %v", body, err)
		}
	}
	f := newFake(t)
	p := newProvider(t, hoosh.ProviderConfig{BaseURL: f.listener.URL(), DialContext: f.listener.DialContext, Key: "wrong-key"})
	if err := p.Health(t.Context()); !errors.Is(err, hoosh.ErrUpstreamAuth) || strings.Contains(err.Error(), "wrong-key") {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	cut := stream[:strings.Index(stream, `data: {"candidates": [{"content": {"parts": [{"text": ""}]`)]
	failed := "data: {\"error\": {\"code\": 503,\"message\": \"The model is overloaded.\",\"status\": \"UNAVAILABLE\"}}\r\n\r\n"
	const retry = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.5s"}`
	for _, x := range []struct {
		name    string
		answer  func(w http.ResponseWriter, r *http.Request)
		streams bool
		kind    error
		text    string
		wait    time.Duration
	}{
		{"rate limit", refuse(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.", retry), false, hoosh.ErrRateLimited, "quota", 37500 * time.Millisecond},
		{"overloaded", refuse(503, "UNAVAILABLE", "The model is overloaded.", ""), true, hoosh.ErrOverloaded, "overloaded", 0},
		{"key", refuse(400, "INVALID_ARGUMENT", "API key not valid. "+key, `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), true, hoosh.ErrUpstreamAuth, "not valid", 0},
		{"no key", refuse(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers", ""), false, hoosh.ErrUpstreamAuth, "", 0},
		{"no model", refuse(404, "NOT_FOUND", "models/x is not found for API version v1beta", ""), false, hoosh.ErrModelNotFound, "models/x", 0},
		{"too long", refuse(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8).", ""), true, hoosh.ErrContextLength, "", 0},
		{"invalid", refuse(400, "INVALID_ARGUMENT", "bad", `{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].parts","description":"x"}]}`), false, hoosh.ErrInvalidRequest, "bad", 0},
		{"inside", refuse(500, "INTERNAL", "An internal error has occurred.", ""), false, hoosh.ErrUpstream, "", 0},
		{"late", refuse(504, "DEADLINE_EXCEEDED", "The request timed out.", ""), false, hoosh.ErrTimeout, "", 0},
		{"a web page", says("text/html", "<html>"), false, hoosh.ErrMalformed, "", 0},
		{"an error under 200", says("application/json", `{"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}}`), false, hoosh.ErrOverloaded, "busy", 0},
		{"a list with an error under 200", says("application/json", `[{"error":{"code":429,"message":"busy","status":"RESOURCE_EXHAUSTED"}}]`), false, hoosh.ErrRateLimited, "busy", 0},
		{"an error at the start", says("text/event-stream", failed), true, hoosh.ErrOverloaded, "overloaded", 0},
		{"an error in between", says("text/event-stream", cut+failed), true, hoosh.ErrOverloaded, "overloaded", 0},
		{"cut", says("text/event-stream", cut), true, hoosh.ErrStreamCut, "", 0},
		{"no stream", says("application/json", `{"candidates":[]}`), true, hoosh.ErrMalformed, "", 0},
		{"garbage", says("application/json", `{"candidates":[`), false, hoosh.ErrMalformed, "", 0},
		{"nothing", says("application/json", `{}`), false, hoosh.ErrMalformed, "", 0},
	} {
		f := newFake(t)
		p := at(t, f)
		f.then(x.answer)
		body := `{"model":"gemini-9",` + question + `}`
		if x.streams {
			body = `{"model":"gemini-9","stream":true,` + question + `}`
		}
		reply, err := p.Do(t.Context(), parse(t, hoosh.OpenAI, hoosh.OpChat, body))
		if err == nil && reply.Stream != nil {
			_, err = read(reply.Stream)
		}
		var e *hoosh.Error
		if !errors.As(err, &e) || e.Kind != x.kind || !strings.Contains(e.Message, x.text) || e.RetryAfter != x.wait || e.Provider != "goo" {
			t.Errorf("%s: %+v", x.name, e)
		} else if strings.Contains(e.Error()+string(e.Body), key) {
			t.Errorf("%s: the key is told: %v", x.name, e)
		}
	}
}

// What Google withholds is an answer, which says so.
func TestBlocked(t *testing.T) {
	for _, x := range []struct {
		answer string
		stream bool
	}{
		{`{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"m"}`, false},
		{`{"candidates":[{"finishReason":"SAFETY","index":0,"safetyRatings":[{"category":"X","probability":"HIGH"}]}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}`, false},
		{"data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"usageMetadata\":{\"promptTokenCount\":7,\"totalTokenCount\":7}}\r\n\r\n", true},
		{"data: {\"candidates\":[{\"finishReason\":\"SAFETY\",\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":7,\"totalTokenCount\":7}}\r\n\r\n", true},
	} {
		f := newFake(t)
		body, kind := `{"model":"m",`+question+`}`, "application/json"
		if x.stream {
			body, kind = `{"model":"m","stream":true,`+question+`}`, "text/event-stream"
		}
		f.then(says(kind, x.answer))
		c := parse(t, hoosh.OpenAI, hoosh.OpChat, body)
		reply, err := at(t, f).Do(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err = reply.For(c); err != nil {
			t.Fatal(err)
		}
		got := string(reply.Body)
		if x.stream {
			if got, err = read(reply.Stream); err != nil {
				t.Fatal(err)
			}
		}
		if !strings.Contains(got, `"finish_reason":"content_filter"`) {
			t.Error(got)
		}
	}
}

// A router goes on to the next when the error comes before the answer.
func TestFailover(t *testing.T) {
	first, second := newFake(t), newFake(t)
	first.then(says("text/event-stream", "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n"))
	router, err := hoosh.NewRouter([]hoosh.Provider{{Name: "a", Doer: named(t, first, "a"), Models: []string{"gemini-*"}}, {Name: "b", Doer: named(t, second, "b"), Models: []string{"gemini-*"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	s, err := router.Stream(context.Background(), &hoosh.Request{Model: "gemini-2.5-flash", Messages: []hoosh.Message{hoosh.User("Hi")}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Response()
	if err != nil || resp.Text() != "Hello there" || resp.ID != "r1" || s.Provider() != "b" || len(second.asked) == 0 {
		t.Errorf("%v %+v", err, resp)
	}
}
