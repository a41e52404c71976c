// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/dialect/ollama"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/server"
)

// at walks into a JSON document: names of members, and numbers of elements.
func at(t testing.TB, doc string, path ...any) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(doc), &v); err != nil {
		t.Errorf("%v: %s", err, doc)
		return nil
	}
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			a, _ := v.([]any)
			if step >= len(a) {
				return nil
			}
			v = a[step]
		}
	}
	return v
}

// asked is one way to ask for the same, with its answer.
type asked struct {
	name, path, body string
	text             []any // where the answer's text is
	streamPath       string
	streamBody       string
	contentType      string   // of the stream
	has              []string // in this order, in the stream
}

var askings = []asked{
	{
		"anthropic", "/v1/messages?beta=true", `{"model":"m","max_tokens":50,"messages":[{"role":"user","content":"hi"}]}`, []any{"content", 0, "text"},
		"/v1/messages", `{"model":"m","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"hi"}]}`,
		"text/event-stream", []string{"event: message_start\n", `"text":"one `, `"stop_reason":"end_turn"`, "event: message_stop\n"},
	},
	{
		"responses", "/v1/responses", `{"model":"m","input":"hi"}`, []any{"output", 0, "content", 0, "text"},
		"/v1/responses", `{"model":"m","stream":true,"input":"hi"}`,
		"text/event-stream", []string{"event: response.created\n", `"delta":"one `, "event: response.completed\n"},
	},
	{
		"ollama chat", "/api/chat", `{"model":"m","stream":false,"messages":[{"role":"user","content":"hi"}]}`, []any{"message", "content"},
		"/api/chat", `{"model":"m","messages":[{"role":"user","content":"hi"}]}`,
		"application/x-ndjson", []string{`"content":"one `, `"done":true,"done_reason":"stop"`},
	},
	{
		"ollama generate", "/api/generate", `{"model":"m","stream":false,"prompt":"hi"}`, []any{"response"},
		"/api/generate", `{"model":"m","prompt":"hi"}`,
		"application/x-ndjson", []string{`"response":"one `, `"done":true,"done_reason":"stop"`},
	},
}

// TestSurfaces: clients of every format are answered in their own by a backend of
// another, whole and streamed, with the headers that tell of the way.
func TestSurfaces(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for _, x := range askings {
		t.Run(x.name, func(t *testing.T) {
			b.Answer(hooshtest.Text("one two three"))
			resp, text := post(t, c, x.path, x.body)
			if got := at(t, text, x.text...); resp.StatusCode != 200 || got != "one two three" {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			var sent struct {
				Messages []struct{ Role, Content string }
			}
			if err := json.Unmarshal(b.Last().Body, &sent); err != nil || len(sent.Messages) != 1 || sent.Messages[0].Content != "hi" {
				t.Errorf("the backend was sent %s", b.Last().Body)
			}
			resp, text = post(t, c, x.streamPath, x.streamBody)
			if kind := resp.Header.Get("Content-Type"); kind != x.contentType {
				t.Errorf("content type %q", kind)
			}
			if resp.Header.Get("X-Hoosh-Provider") != "a" || resp.Header.Get("X-Request-Id") == "" {
				t.Errorf("headers %v", resp.Header)
			}
			rest := text
			for _, want := range x.has {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("no %s, in its place, in %s", want, text)
				}
				rest = after
			}
			b.Answer(hooshtest.Answer{Text: "one two three", Fault: hooshtest.ErrorEvent, After: 2})
			if _, text = post(t, c, x.streamPath, x.streamBody); !strings.Contains(text[strings.LastIndex(text, "one"):], `"error"`) || strings.Contains(text, x.has[len(x.has)-1]) {
				t.Errorf("an error in mid-stream: %s", text)
			}
		})
	}
}

// refusals is how each surface says that something is wrong.
var refusals = []struct {
	name, path, bad string
	header          []string
	message         []any // where the text is
	kind            []any // where the word for the kind is; nil: there is none
	unauthorized    string
	missing         string
}{
	{"openai", "/v1/chat/completions", "/v1/nope", nil, []any{"error", "message"}, []any{"error", "code"}, "invalid_api_key", "unknown_path"},
	{"openai models", "/v1/models", "/v1/models/nope", nil, []any{"error", "message"}, []any{"error", "code"}, "invalid_api_key", "model_not_found"},
	{"anthropic", "/v1/messages", "/v1/messages/nope", nil, []any{"error", "message"}, []any{"error", "type"}, "authentication_error", "not_found_error"},
	{"anthropic models", "/v1/models", "/v1/models/nope", []string{"Anthropic-Version", "2023-06-01"}, []any{"error", "message"}, []any{"error", "type"}, "authentication_error", "not_found_error"},
	{"responses", "/v1/responses", "/v1/responses/a/b", nil, []any{"error", "message"}, []any{"error", "code"}, "invalid_api_key", "unknown_path"},
	{"ollama", "/api/chat", "/api/nope", nil, []any{"error"}, nil, "", ""},
}

// TestRefusals: whatever is wrong is said in the words of the path, before
// anybody knows who asks.
func TestRefusals(t *testing.T) {
	b := hooshtest.New(t)
	r := newRouter(t, b)
	small := hoosh.ServerConfig{Limits: hoosh.ServerLimits{Body: 1024}}
	open := serve(t, r, server.Config(hoosh.Config{Server: small}))
	locked := serve(t, r, server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "sk-k"}}, Server: small}))
	for _, x := range refusals {
		t.Run(x.name, func(t *testing.T) {
			check := func(what, kind string, status int, resp *http.Response, text string) {
				t.Helper()
				if message, _ := at(t, text, x.message...).(string); resp.StatusCode != status || message == "" {
					t.Errorf("%s: %d %s", what, resp.StatusCode, text)
				}
				if x.kind != nil && kind != "" && at(t, text, x.kind...) != kind {
					t.Errorf("%s: not %s: %s", what, kind, text)
				}
				if strings.HasPrefix(x.name, "anthropic") {
					if id := resp.Header.Get("Request-Id"); id == "" || at(t, text, "request_id") != id || at(t, text, "type") != "error" {
						t.Errorf("%s: request id %q, %s", what, id, text)
					}
				}
			}
			resp, text := do(t, locked, "GET", x.path, "", x.header...)
			check("no key", x.unauthorized, 401, resp, text)
			resp, text = do(t, locked, "GET", x.bad, "", append(x.header, "Authorization", "Bearer nope")...)
			check("a wrong key and a wrong path", x.unauthorized, 401, resp, text)
			resp, text = do(t, open, "GET", x.bad, "", x.header...)
			check("nothing there", x.missing, 404, resp, text)
			if strings.HasSuffix(x.name, "models") {
				resp, text = do(t, open, "DELETE", x.path, "", x.header...)
				check("a wrong method", "", 405, resp, text)
				return
			}
			resp, text = do(t, open, "GET", x.path, "", x.header...)
			check("a wrong method", "", 405, resp, text)
			if resp.Header.Get("Allow") != "POST" {
				t.Errorf("Allow %q", resp.Header.Get("Allow"))
			}
			resp, text = post(t, open, x.path, "{", x.header...)
			check("no JSON", "", 400, resp, text)
			resp, text = post(t, open, x.path, `{"model":"`+strings.Repeat("x", 2000)+`"}`, x.header...)
			check("too large", "", 413, resp, text)
		})
	}
}

// TestKeysByHeader: a key is taken from where the clients of each format put it.
func TestKeysByHeader(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b), server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "sk-k"}}}))
	for _, x := range []struct {
		path   string
		header []string
		want   int
	}{
		{"/v1/models", []string{"Authorization", "Bearer sk-k"}, 200},
		{"/v1/models", []string{"X-Api-Key", "sk-k"}, 200},
		{"/v1/models", []string{"X-Goog-Api-Key", "sk-k"}, 200},
		{"/v1/models", []string{"X-Api-Key", " sk-k "}, 200},
		{"/v1/models", []string{"X-Api-Key", "sk-x"}, 401},
		{"/v1/models", []string{"X-Goog-Api-Key", ""}, 401},
		{"/v1/models", []string{"Authorization", "Bearer another-vendors", "X-Api-Key", "sk-k"}, 200},
		{"/v1/models?key=sk-k", nil, 401}, // URLs are written into logs along the way
		{"/v1beta/models?key=sk-k", nil, 200},
		{"/v1beta/models?key=sk-x", nil, 401},
		{"/api/tags", []string{"Authorization", "Bearer sk-k"}, 200},
		{"/api/tags", nil, 401},
		{"/", nil, 200},
	} {
		if resp, text := do(t, c, "GET", x.path, "", x.header...); resp.StatusCode != x.want {
			t.Errorf("%s %q: %d %s", x.path, x.header, resp.StatusCode, text)
		} else if (x.want == 401) != (resp.Header.Get("WWW-Authenticate") != "") {
			t.Errorf("%s %q: WWW-Authenticate", x.path, x.header)
		}
	}
}

// TestSilence: what keeps a stream alive is what its clients know.
func TestSilence(t *testing.T) {
	for _, x := range []struct {
		name, path, body, ping string
		times                  int
	}{
		{"anthropic", "/v1/messages", askings[0].streamBody, "event: ping\ndata: {\"type\": \"ping\"}\n\n", 3},
		{"responses", "/v1/responses", askings[1].streamBody, ": keep-alive\n\n", 3},
		{"ollama", "/api/chat", askings[2].streamBody, "keep-alive", 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := hooshtest.New(t)
				r := newRouter(t, b)
				l := hooshtest.Serve(t, server.New(r).Handler())
				b.Answer(hooshtest.Answer{Text: "late", Delay: 50 * time.Second})
				resp, text := post(t, l.Client(), x.path, x.body)
				if n := strings.Count(text, x.ping); n != x.times || !strings.Contains(text, `"late`) {
					t.Errorf("%d pings: %s", n, text)
				}
				told := resp.Trailer
				if x.times == 0 {
					told = resp.Header
				}
				if told.Get("X-Hoosh-Provider") != "a" {
					t.Errorf("headers %v, trailers %v", resp.Header, resp.Trailer)
				}
				r.Close()
				b.Close()
				l.Close()
			})
		})
	}
}

// TestDroppedOnSurfaces: what the backend could not be told is named whoever asks.
func TestDroppedOnSurfaces(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	resp, text := post(t, c, "/api/chat", `{"model":"m","stream":false,"keep_alive":"1h","messages":[{"role":"user","content":"hi"}]}`)
	if resp.Header.Get("X-Hoosh-Dropped") != "keep_alive" {
		t.Errorf("%q, %s", resp.Header.Get("X-Hoosh-Dropped"), text)
	}
}

// TestCountTokens: where no backend can count there is an estimate, in the words
// of each format.
func TestCountTokens(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for path, body := range map[string]string{
		"/v1/messages/count_tokens":  `{"model":"m","messages":[{"role":"user","content":"one two three four"}]}`,
		"/v1/responses/input_tokens": `{"model":"m","input":"one two three four"}`,
	} {
		resp, text := post(t, c, path, body)
		if n, _ := at(t, text, "input_tokens").(float64); resp.StatusCode != 200 || n < 4 || n > 20 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
}

// everywhere is a backend that also draws, judges and ranks.
type everywhere struct{ provider }

func (e everywhere) Capabilities(string) hoosh.Capabilities {
	return hoosh.Capabilities{Features: hoosh.AllFeatures | hoosh.FeatureImages | hoosh.FeatureModeration | hoosh.FeatureRerank}
}

func (e everywhere) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	path := map[hoosh.Operation]string{hoosh.OpImage: "/images/generations", hoosh.OpModerate: "/moderations", hoosh.OpRerank: "/rerank"}[c.Op]
	return e.Upstream.Do(ctx, c, e.URL(path))
}

// TestSameDialectPassages: images, moderations and reranking go through as they
// are, to backends that speak OpenAI's dialect.
func TestSameDialectPassages(t *testing.T) {
	b := hooshtest.New(t)
	u := newProvider(t, "a", b)
	u.Doer = everywhere{u.Doer.(provider)}
	r, err := hoosh.NewRouter([]hoosh.Provider{u}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := serve(t, r)
	for _, x := range []struct{ path, at, body, sent, answer string }{
		{"/v1/images/generations", "/images/generations", `{"model":"test-model","prompt":"a cat","size":"1x1"}`, ``, `{"created":1,"data":[{"b64_json":"AA=="}],"x":[1.0]}`},
		{"/v1/rerank", "/rerank", `{"model":"test-model","query":"q","documents":["a"]}`, ``, `{"results":[{"index":0,"relevance_score":1}]}`},
		{"/v1/moderations", "/moderations", `{"model":"test-model","input":"a"}`, ``, `{"id":"m","results":[{"flagged":false}]}`},
	} {
		b.Answer(hooshtest.Raw(200, "application/json", x.answer))
		resp, text := post(t, c, x.path, x.body)
		if resp.StatusCode != 200 || text != x.answer {
			t.Errorf("%s: %d %s", x.path, resp.StatusCode, text)
			continue
		}
		if last := b.Last(); !strings.HasSuffix(last.Path, x.at) || string(last.Body) != x.body {
			t.Errorf("%s: sent %s to %s", x.path, last.Body, last.Path)
		}
	}
	resp, text := post(t, c, "/v1/moderations", `{"input":"a"}`)
	if resp.StatusCode != 404 || !strings.Contains(text, "omni-moderation-latest") {
		t.Errorf("a moderation without a model: %d %s", resp.StatusCode, text)
	}
}

// speaking is a backend of another dialect.
type speaking struct {
	*hoosh.Upstream
	path string
}

func (p speaking) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	return p.Upstream.Do(ctx, c, p.URL(p.path))
}

func routerOf(t *testing.T, b *hooshtest.Backend, d *hoosh.Dialect, path string) *hoosh.Router {
	t.Helper()
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "own", BaseURL: b.URL(), DialContext: b.DialContext}, hoosh.Driver{}, &hoosh.Profile{Dialect: d}, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := hoosh.NewRouter([]hoosh.Provider{{Name: "own", Doer: speaking{u, path}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestFormatHeaders: the headers of a format go to backends of the same one, and
// nothing else of the client's does.
func TestFormatHeaders(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Raw(200, "application/json", `{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"yes"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`))
	headers := []string{"Anthropic-Version", "2026-10-21", "Anthropic-Beta", "a,b", "X-Api-Key", "secret", "Cookie", "c=1", "X-Stainless-Lang", "go"}
	c := serve(t, routerOf(t, b, anthropic.Dialect, "/messages"))
	resp, text := post(t, c, "/v1/messages?beta=true", askings[0].body, headers...)
	got := b.Last()
	if resp.StatusCode != 200 || got.Header.Get("Anthropic-Version") != "2026-10-21" || got.Header.Get("Anthropic-Beta") != "a,b" || got.Query != "" {
		t.Errorf("%d %s: %v", resp.StatusCode, text, got.Header)
	}
	for _, name := range []string{"X-Api-Key", "Cookie", "X-Stainless-Lang"} {
		if got.Header.Get(name) != "" {
			t.Errorf("%s went to the backend", name)
		}
	}
	if string(got.Body) != askings[0].body {
		t.Errorf("sent %s", got.Body)
	}
	if resp.Header.Get("Request-Id") != resp.Header.Get("X-Request-Id") || resp.Header.Get("Request-Id") == "" {
		t.Errorf("request ids: %v", resp.Header)
	}

	c = serve(t, newRouter(t, b))
	b.Answer(hooshtest.Text("yes"))
	post(t, c, "/v1/messages", askings[0].body, headers...)
	if got := b.Last(); got.Header.Get("Anthropic-Version") != "" {
		t.Error("a header of the format went to a backend of another")
	}
}

// TestErrorsAsTheyCame: a refusal that is the client's own matter keeps the
// backend's words where both speak the same.
func TestErrorsAsTheyCame(t *testing.T) {
	b := hooshtest.New(t)
	own := `{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: want one"},"request_id":"req_1"}`
	b.Answer(hooshtest.Raw(400, "application/json", own))
	if resp, text := post(t, serve(t, routerOf(t, b, anthropic.Dialect, "/messages")), "/v1/messages", askings[0].body); resp.StatusCode != 400 || text != own {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	b.Answer(hooshtest.Raw(404, "application/json", `{"error":"model 'm' not found"}`))
	if resp, text := post(t, serve(t, routerOf(t, b, ollama.Dialect, "/api/chat")), "/v1/messages", askings[0].body); resp.StatusCode != 404 || at(t, text, "error", "type") != "not_found_error" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestKeysAreNotLogged: not those in a URL either.
func TestKeysAreNotLogged(t *testing.T) {
	var log strings.Builder
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b), server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "sk-right"}}}),
		server.Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	for _, key := range []string{"sk-right", "sk-wrong"} {
		post(t, c, "/v1beta/models/m:generateContent?key="+key, `{"contents":[{"parts":[{"text":"hi"}]}]}`)
		post(t, c, "/v1/messages", askings[0].body, "X-Api-Key", key)
	}
	if text := log.String(); !strings.Contains(text, "msg=call") || strings.Contains(text, "sk-") {
		t.Error(text)
	}
}
