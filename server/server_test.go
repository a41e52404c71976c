// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/server"
)

// provider puts a scripted backend behind the engine.
type provider struct {
	*hoosh.Upstream
}

func (p provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	path := map[hoosh.Operation]string{hoosh.OpChat: "/chat/completions", hoosh.OpCompletion: "/completions", hoosh.OpEmbed: "/embeddings"}[c.Op]
	return p.Upstream.Do(ctx, c, p.URL(path))
}

func (p provider) Models(context.Context) ([]hoosh.Model, error) {
	return []hoosh.Model{{ID: "test-model"}, {ID: "vendor/with/slashes"}}, nil
}

func newProvider(tb testing.TB, name string, b *hooshtest.Backend) hoosh.Provider {
	tb.Helper()
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: name, BaseURL: b.URL(), DialContext: b.DialContext}, hoosh.Driver{}, &hoosh.Profile{Dialect: hoosh.OpenAI}, "")
	if err != nil {
		tb.Fatal(err)
	}
	return hoosh.Provider{Name: name, Doer: provider{u}}
}

func newRouter(tb testing.TB, backends ...*hooshtest.Backend) *hoosh.Router {
	tb.Helper()
	var providers []hoosh.Provider
	var to []hoosh.Target
	for i, b := range backends {
		name := string(rune('a' + i))
		providers = append(providers, newProvider(tb, name, b))
		to = append(to, hoosh.Target{Target: name + "/m"})
	}
	r, err := hoosh.NewRouter(providers, []hoosh.Route{{Match: []string{"m"}, To: to, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// serve serves the handler in memory, where every peer counts as loopback.
func serve(tb testing.TB, g hoosh.Gateway, opts ...server.Option) *http.Client {
	tb.Helper()
	return hooshtest.Serve(tb, server.New(g, opts...).Handler()).Client()
}

const base = "http://localhost"

func post(tb testing.TB, c *http.Client, path, body string, header ...string) (*http.Response, string) {
	tb.Helper()
	return do(tb, c, http.MethodPost, path, body, header...)
}

func do(tb testing.TB, c *http.Client, method, path, body string, header ...string) (*http.Response, string) {
	tb.Helper()
	req, err := http.NewRequest(method, base+path, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		} else {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := c.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return resp, string(text)
}

const hi = `{"model":"m","messages":[{"role":"user","content":"hi"}]}`
const hiStream = `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true}`

// TestChat: the body comes back as the backend gave it, with headers that tell
// of the way.
func TestChat(t *testing.T) {
	b := hooshtest.New(t)
	raw := `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"\u00e9"},"finish_reason":"stop","vendor":[1.0]}],"usage":{"prompt_tokens":3,"completion_tokens":1}}`
	b.Answer(hooshtest.Raw(200, "application/json", raw))
	c := serve(t, newRouter(t, b))
	resp, text := post(t, c, "/v1/chat/completions", hi, "X-Request-Id", "mine-1")
	if resp.StatusCode != 200 || text != raw {
		t.Fatalf("%s %s", resp.Status, text)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "X-Request-Id": "mine-1", "X-Hoosh-Provider": "a", "X-Hoosh-Model": "m",
		"X-Hoosh-Route": "route m", "X-Hoosh-Attempts": "1",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if resp.Header.Get("X-Hoosh-Overhead-Us") == "" {
		t.Error("no overhead")
	}
	resp, _ = post(t, c, "/v1/chat/completions", hi, "X-Request-Id", "not valid\t")
	if id := resp.Header.Get("X-Request-Id"); len(id) != 24 {
		t.Errorf("request id %q", id)
	}
}

// TestStreamPassage: a stream comes as it was, but for the usage chunk that
// nobody asked for.
func TestStreamPassage(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Text("one two three"))
	c := serve(t, newRouter(t, b))
	resp, text := post(t, c, "/v1/chat/completions", hiStream)
	if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("X-Hoosh-Provider") != "a" {
		t.Errorf("headers %v", resp.Header)
	}
	if !strings.HasSuffix(text, "data: [DONE]\n\n") || strings.Contains(text, `"choices":[]`) || strings.Count(text, `"content":`) != 4 {
		t.Error(text)
	}
	_, text = post(t, c, "/v1/chat/completions", strings.Replace(hiStream, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1))
	if strings.Count(text, `"choices":[]`) != 1 {
		t.Error("the usage chunk was asked for:", text)
	}
}

// TestErrors: what is wrong reaches the client in OpenAI's shape.
func TestErrors(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b), server.Config(hoosh.Config{Server: hoosh.ServerConfig{Limits: hoosh.ServerLimits{Body: 1024}}}))
	for _, tc := range []struct {
		name, method, path, body string
		backend                  hooshtest.Answer
		status                   int
		kind, code, param        string
	}{
		{"no JSON", "POST", "/v1/chat/completions", "{", hooshtest.Answer{}, 400, "invalid_request_error", "invalid_json", ""},
		{"no model", "POST", "/v1/chat/completions", `{"messages":[]}`, hooshtest.Answer{}, 400, "invalid_request_error", "", "model"},
		{"wrong type", "POST", "/v1/chat/completions", `{"model":"m","messages":3}`, hooshtest.Answer{}, 400, "invalid_request_error", "", "messages"},
		{"too large", "POST", "/v1/chat/completions", `{"model":"` + strings.Repeat("x", 2000) + `"}`, hooshtest.Answer{}, 413, "invalid_request_error", "request_too_large", ""},
		{"unknown model", "POST", "/v1/chat/completions", `{"model":"nope","messages":[]}`, hooshtest.Answer{}, 404, "invalid_request_error", "model_not_found", "model"},
		{"unknown path", "POST", "/v1/nope", "{}", hooshtest.Answer{}, 404, "invalid_request_error", "unknown_path", ""},
		{"wrong method", "GET", "/v1/chat/completions", "", hooshtest.Answer{}, 405, "invalid_request_error", "method_not_allowed", ""},
		{"the backend's 400 as it came", "POST", "/v1/chat/completions", hi, hooshtest.Raw(400, "application/json", `{"error":{"message":"m","type":"invalid_request_error","param":"p","code":"c"},"x":1}`), 400, "invalid_request_error", "c", "p"},
		{"the backend's key", "POST", "/v1/chat/completions", hi, hooshtest.Status(401, 0), 502, "server_error", "upstream_auth", ""},
		{"rate limit", "POST", "/v1/chat/completions", hi, hooshtest.Status(429, 7*time.Second), 429, "rate_limit_error", "rate_limit_exceeded", ""},
		{"overload", "POST", "/v1/chat/completions", hi, hooshtest.Status(503, 0), 503, "server_error", "overloaded", ""},
		{"reset", "POST", "/v1/chat/completions", hi, hooshtest.Faulty(hooshtest.Reset, 0), 502, "server_error", "upstream_unavailable", ""},
		{"a stream that fails before it begins", "POST", "/v1/chat/completions", hiStream, hooshtest.Faulty(hooshtest.ErrorFirst, 0), 502, "server_error", "upstream_error", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b.Answer(tc.backend)
			resp, text := do(t, c, tc.method, tc.path, tc.body)
			var e struct {
				Error struct{ Message, Type, Code, Param *string }
			}
			if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error.Message == nil || e.Error.Type == nil {
				t.Fatalf("%v: %s", err, text)
			}
			str := func(p *string) string {
				if p == nil {
					return ""
				}
				return *p
			}
			if resp.StatusCode != tc.status || *e.Error.Type != tc.kind || str(e.Error.Code) != tc.code || str(e.Error.Param) != tc.param {
				t.Errorf("%d %s", resp.StatusCode, text)
			}
			if retry := resp.Header.Get("Retry-After"); (retry != "") != (resp.StatusCode == 429 || resp.StatusCode == 503) {
				t.Errorf("Retry-After %q", retry)
			}
		})
	}
}

// TestErrorInStream: after content an error is the dialect's event, and nothing
// comes after it.
func TestErrorInStream(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for _, fault := range []hooshtest.Fault{hooshtest.ResetMid, hooshtest.Truncate, hooshtest.ErrorEvent} {
		b.Answer(hooshtest.Answer{Text: "one two three", Fault: fault, After: 2})
		resp, text := post(t, c, "/v1/chat/completions", hiStream)
		last := text[strings.LastIndex(strings.TrimSpace(text), "\n")+1:]
		if resp.StatusCode != 200 || !strings.HasPrefix(last, `data: {"error":{`) || strings.Contains(text, "[DONE]") {
			t.Errorf("%v: %s", fault, text)
		}
	}
}

// TestKeepAlive: a client whose backend is silent gets comments; what was told
// in headers comes as trailers then, and a failure as an event.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		r := newRouter(t, b)
		l := hooshtest.Serve(t, server.New(r).Handler())
		b.Answer(hooshtest.Answer{Text: "late", Delay: 50 * time.Second})
		resp, text := post(t, l.Client(), "/v1/chat/completions", hiStream)
		if n := strings.Count(text, ": keep-alive\n\n"); n != 3 || !strings.HasPrefix(text, ": keep-alive") || !strings.HasSuffix(text, "data: [DONE]\n\n") {
			t.Errorf("%d comments: %s", n, text)
		}
		if resp.Trailer.Get("X-Hoosh-Provider") != "a" || resp.Trailer.Get("X-Hoosh-Attempts") != "1" {
			t.Errorf("trailers %v", resp.Trailer)
		}
		b.Answer(hooshtest.Answer{Status: 503, Delay: 20 * time.Second})
		resp, text = post(t, l.Client(), "/v1/chat/completions", hiStream)
		if resp.StatusCode != 200 || !strings.Contains(text, `data: {"error":{`) {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
		r.Close()
		b.Close()
		l.Close()
	})
}

// TestKeyless: with no key only this machine is served, wherever the handler is
// mounted, and not the web pages on it.
func TestKeyless(t *testing.T) {
	b := hooshtest.New(t)
	r := newRouter(t, b)
	cfg := hoosh.Config{Server: hoosh.ServerConfig{Hosts: []string{"ai.example"}, CORS: []string{"https://app.example"}}}
	tcp := &net.TCPAddr{IP: net.IPv4zero, Port: 8088}
	for _, tc := range []struct {
		name, peer, host, origin string
		local                    net.Addr
		opts                     []server.Option
		want                     int
	}{
		{"loopback", "127.0.0.1:5000", "localhost:8088", "", tcp, nil, 200},
		{"loopback by number", "[::1]:5000", "[::1]:8088", "", tcp, nil, 200},
		{"a 4-in-6 loopback", "[::ffff:127.0.0.1]:5000", "127.0.0.2", "", tcp, nil, 200},
		{"a foreign peer", "192.0.2.7:5000", "localhost", "", tcp, nil, 403},
		{"a foreign peer, as some middlewares write it", "192.0.2.7", "localhost", "", nil, nil, 403},
		{"a peer that is no address", "somebody", "localhost", "", tcp, nil, 403},
		{"a Unix socket", "@", "localhost", "", &net.UnixAddr{Net: "unix"}, nil, 200},
		{"HTTP/3, from elsewhere", "203.0.113.9:5000", "localhost", "", &net.UDPAddr{IP: net.IPv4zero, Port: 8088}, nil, 403},
		{"HTTP/3, from here", "127.0.0.1:5000", "localhost", "", &net.UDPAddr{IP: net.IPv4zero, Port: 8088}, nil, 200},
		{"a foreign Host: DNS rebinding", "127.0.0.1:5000", "evil.example", "", tcp, nil, 403},
		{"a foreign Host on a Unix socket", "@", "evil.example", "", &net.UnixAddr{Net: "unix"}, nil, 403},
		{"no Host", "127.0.0.1:5000", "", "", tcp, nil, 403},
		{"a Host that only begins well", "127.0.0.1:5000", "localhost.evil.example", "", tcp, nil, 403},
		{"a listed Host", "127.0.0.1:5000", "AI.example.:80", "", tcp, []server.Option{server.Config(cfg)}, 200},
		{"a foreign Origin", "127.0.0.1:5000", "localhost", "https://evil.example", tcp, nil, 403},
		{"Origin null", "127.0.0.1:5000", "localhost", "null", tcp, nil, 403},
		{"a listed Origin", "127.0.0.1:5000", "localhost", "https://app.example", tcp, []server.Option{server.Config(cfg)}, 200},
		{"server.Open", "192.0.2.7:5000", "evil.example", "https://evil.example", tcp, []server.Option{server.Open()}, 200},
		{"server.insecure", "192.0.2.7:5000", "evil.example", "", tcp, []server.Option{server.Config(hoosh.Config{Server: hoosh.ServerConfig{Insecure: true}})}, 200},
	} {
		for _, mounted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, mounted %t", tc.name, mounted), func(t *testing.T) {
				h, path := server.Handler(r, tc.opts...), "/v1/chat/completions"
				if mounted {
					mux := http.NewServeMux()
					mux.Handle("/ai/", http.StripPrefix("/ai", h))
					h, path = mux, "/ai"+path
				}
				req := httptest.NewRequest("POST", "http://x"+path, strings.NewReader(hi))
				req.RemoteAddr, req.Host = tc.peer, tc.host
				if tc.origin != "" {
					req.Header.Set("Origin", tc.origin)
				}
				if tc.local != nil {
					req = req.WithContext(context.WithValue(req.Context(), http.LocalAddrContextKey, tc.local))
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, req)
				if w.Code != tc.want {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				if tc.want == 403 && !strings.Contains(w.Body.String(), "no key is configured") {
					t.Errorf("the refusal does not say why: %s", w.Body)
				}
			})
		}
	}
}

// TestBehindAProxy: a proxy on this machine that says for whom it asks is no way
// round.
func TestBehindAProxy(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for via, want := range map[string]int{"203.0.113.9": 403, "127.0.0.1, 203.0.113.9": 403, "127.0.0.1": 200, "::1, unknown": 403,
		"203.0.113.9:4711": 403, "[2001:db8::1]:4711": 403, "[::1]:4711": 200} {
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip"} {
			if resp, _ := post(t, c, "/v1/chat/completions", hi, name, via); resp.StatusCode != want {
				t.Errorf("%s %s: %d", name, via, resp.StatusCode)
			}
		}
	}
	if resp, _ := post(t, c, "/v1/chat/completions", hi, "Forwarded", "for=203.0.113.9"); resp.StatusCode != 403 {
		t.Errorf("Forwarded: %d", resp.StatusCode)
	}
}

// TestKeys: who may do what.
func TestKeys(t *testing.T) {
	b := hooshtest.New(t)
	cfg := hoosh.Config{Keys: []hoosh.KeyConfig{
		{Name: "all", Secret: "sk-all"},
		{Name: "hashed", Hash: "sha256:1fa1a8f4ab1d6a7dbbc5f3e5f4d15a4f7c4b8b6d6bf0a2b3c0c3bb4d0f0e0d0c"},
		{Name: "narrow", Secret: "sk-narrow", Models: []string{"other-*"}},
		{Name: "elsewhere", Secret: "sk-elsewhere", Providers: []string{"z"}},
	}}
	c := serve(t, newRouter(t, b), server.Config(cfg))
	for _, tc := range []struct {
		auth string
		want int
		code string
	}{
		{"", 401, "invalid_api_key"}, {"Bearer nope", 401, "invalid_api_key"}, {"Basic sk-all", 401, "invalid_api_key"},
		{"Bearer sk-all", 200, ""}, {"bearer  sk-all ", 200, ""},
		{"Bearer sk-narrow", 403, "forbidden"}, {"Bearer sk-elsewhere", 403, "forbidden"},
	} {
		resp, text := post(t, c, "/v1/chat/completions", hi, "Authorization", tc.auth, "Host", "any.example", "X-Hoosh-Provider", "zzz")
		if resp.StatusCode != tc.want || tc.code != "" && !strings.Contains(text, tc.code) {
			t.Errorf("%q: %d %s", tc.auth, resp.StatusCode, text)
		}
		if (resp.StatusCode == 401) != (resp.Header.Get("WWW-Authenticate") != "") {
			t.Error("WWW-Authenticate")
		}
	}
	if resp, _ := do(t, c, "GET", "/livez", ""); resp.StatusCode != 200 {
		t.Error("liveness needs no key")
	}
	if resp, text := do(t, c, "GET", "/v1/models", "", "Authorization", "Bearer sk-narrow"); resp.StatusCode != 200 || strings.Contains(text, "test-model") {
		t.Errorf("a key lists only what it may ask for: %s", text)
	}
}

// TestConcurrencyOfAKey: one key cannot hold everything.
func TestConcurrencyOfAKey(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Faulty(hooshtest.Hang, 0))
	cfg := hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "k"}, {Name: "l", Secret: "l"}}}
	cfg.Server.Limits.StreamsPerKey = 2
	c := serve(t, newRouter(t, b), server.Config(cfg))
	ctx, cancel := context.WithCancel(context.Background())
	for range 2 {
		go func() {
			req, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/chat/completions", strings.NewReader(hi))
			req.Header.Set("Authorization", "Bearer k")
			if resp, err := c.Do(req); err == nil {
				resp.Body.Close()
			}
		}()
	}
	if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 2 }) {
		t.Fatal("the two calls did not arrive")
	}
	if resp, text := do(t, c, "GET", "/v1/models", "", "Authorization", "Bearer k"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("the third: %d %s", resp.StatusCode, text)
	}
	if resp, _ := do(t, c, "GET", "/v1/models", "", "Authorization", "Bearer l"); resp.StatusCode != 200 {
		t.Error("another key has places of its own")
	}
	cancel()
	if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 0 }) {
		t.Error("the calls did not end")
	}
}

// TestModels: the list and its entries.
func TestModels(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	resp, text := do(t, c, "GET", "/v1/models", "")
	var list struct {
		Object string
		Data   []struct{ ID, Object, Owned_by string }
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil || list.Object != "list" || len(list.Data) != 3 || list.Data[0].ID != "m" || list.Data[0].Owned_by != "a" {
		t.Errorf("%d %s %v", resp.StatusCode, text, err)
	}
	if resp, text := do(t, c, "GET", "/v1/models/vendor/with/slashes", ""); resp.StatusCode != 200 || !strings.Contains(text, `"id":"vendor/with/slashes"`) {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := do(t, c, "GET", "/v1/models/nope", ""); resp.StatusCode != 404 || !strings.Contains(text, "model_not_found") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestHealthAndExplain walks what hoosh tells of itself.
func TestHealthAndExplain(t *testing.T) {
	b := hooshtest.New(t)
	r := newRouter(t, b)
	c := serve(t, r)
	for path, want := range map[string]string{
		"/livez": `"status":"ok"`, "/healthz": `"status":"ok"`, "/health/liveliness": `"status":"ok"`, "/health": `"status":"ok"`,
		"/readyz": `"ready":true`, "/health/readiness": `"ready":true`,
		"/v1/health": `"status":"ok"`, "/v1/health/providers": `"name":"a"`, "/v1/health/heartbeat": `"provider":"a"`,
	} {
		if resp, text := do(t, c, "GET", path, ""); resp.StatusCode != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	for _, body := range []string{`{"model":"m"}`, hi, `{"model":"m","input":"x"}`, `{"model":"m","prompt":"x"}`} {
		if resp, text := post(t, c, "/v1/route/explain", body); resp.StatusCode != 200 || !strings.Contains(text, `"route":"route m"`) || !strings.Contains(text, `"tried":true`) {
			t.Errorf("%s: %d %s", body, resp.StatusCode, text)
		}
	}
	if resp, _ := post(t, c, "/v1/route/explain", `{"model":"nope"}`); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

// panicking is a Doer with a fault of its own.
type panicking struct{}

func (panicking) Do(context.Context, *hoosh.Call) (*hoosh.Reply, error) { panic("a fault") }

// TestPanic: it is logged and becomes a 500, and the server goes on.
func TestPanic(t *testing.T) {
	var log strings.Builder
	c := serve(t, hoosh.NewGateway(panicking{}), server.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	for _, body := range []string{hi, hiStream} {
		resp, text := post(t, c, "/v1/chat/completions", body)
		if resp.StatusCode != 500 || !strings.Contains(text, resp.Header.Get("X-Request-Id")) {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
	if strings.Count(log.String(), "msg=panic") != 2 {
		t.Error(log.String())
	}
}

// TestCORS: listed pages may read answers, others learn nothing.
func TestCORS(t *testing.T) {
	b := hooshtest.New(t)
	cfg := hoosh.Config{Server: hoosh.ServerConfig{CORS: []string{"https://app.example"}}, Keys: []hoosh.KeyConfig{{Name: "k", Secret: "k"}}}
	c := serve(t, newRouter(t, b), server.Config(cfg))
	resp, _ := do(t, c, "OPTIONS", "/v1/chat/completions", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization")
	if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || resp.Header.Get("Access-Control-Allow-Headers") != "authorization" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	resp, _ = do(t, c, "OPTIONS", "/v1/chat/completions", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST")
	if resp.StatusCode == 204 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// TestTransport runs an HTTP client over the engine without a listener.
func TestTransport(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	b := hooshtest.New(t)
	r := newRouter(t, b)
	c := &http.Client{Transport: server.Transport(r, server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "k"}}}))}
	req, _ := http.NewRequest("POST", "https://wherever.example/v1/chat/completions", strings.NewReader(hi))
	req.Header.Set("Origin", "https://evil.example")
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.Status != "200 OK" || resp.ContentLength != int64(len(text)) || !strings.Contains(string(text), "You said: hi") {
		t.Errorf("%s, %d bytes: %s", resp.Status, resp.ContentLength, text)
	}
	b.Answer(hooshtest.Answer{Text: "one two", Fault: hooshtest.HangMid, After: 2})
	resp, err = c.Post("https://x/v1/chat/completions", "application/json", strings.NewReader(hiStream))
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(resp.Body).ReadString('\n')
	if !strings.HasPrefix(line, "data: ") {
		t.Error(line)
	}
	resp.Body.Close()
	if !b.Wait(5*time.Second, func() bool { return b.Gone() == 1 }) {
		t.Error("closing the body does not reach the backend")
	}
	r.Close()
	b.Close()
}

// leave makes a call and leaves it soon, after so many bytes of the answer if
// there are any.
func leave(c *http.Client, body string, read int) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "POST", base+"/v1/chat/completions", strings.NewReader(body))
	resp, err := c.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if read > 0 {
		io.ReadFull(resp.Body, make([]byte, read))
		return
	}
	<-ctx.Done()
}

// TestClientGone: whoever leaves, in whatever phase, lets the backend go within
// a second; and nothing stays behind.
func TestClientGone(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	n := 2500 // of each phase
	if testing.Short() {
		n = 100
	}
	b := hooshtest.New(t)
	r := newRouter(t, b)
	l := hooshtest.Serve(t, server.New(r).Handler())
	for _, phase := range []struct {
		name   string
		answer hooshtest.Answer
		body   string
		read   int
	}{
		{"waiting for headers", hooshtest.Faulty(hooshtest.Hang, 0), hi, 0},
		{"waiting for the first event", hooshtest.Faulty(hooshtest.HangMid, 0), hiStream, 0},
		{"in mid-stream", hooshtest.Answer{Text: "one two three", Fault: hooshtest.HangMid, After: 3}, hiStream, 1},
		{"waiting for a retry", hooshtest.Status(429, 20*time.Second), hi, 0},
	} {
		t.Run(phase.name, func(t *testing.T) {
			b.Answer(phase.answer)
			c := l.Client()
			before := b.Calls()
			var crowd sync.WaitGroup
			var left atomic.Int64
			for range 64 {
				crowd.Go(func() {
					for left.Add(1) <= int64(n) {
						leave(c, phase.body, phase.read)
					}
				})
			}
			crowd.Wait()
			if !b.Wait(time.Second, func() bool { return b.InFlight() == 0 }) {
				t.Errorf("%d requests are still open a second after the last client left", b.InFlight())
			}
			if got := b.Calls() - before; got < n/10 {
				t.Errorf("only %d of %d calls arrived", got, n)
			}
		})
	}
	r.Close()
	b.Close()
	l.Close()
}

// TestSlowButSteady: a client that reads more slowly than the backend speaks
// gets all of it; one that does not read at all is let go.
func TestSlowButSteady(t *testing.T) {
	for _, tc := range []struct {
		name   string
		bytes  int // at each step
		whole  bool
		atMost time.Duration
	}{{"steady", 64 << 10, true, time.Hour}, {"stuck", 0, false, time.Minute}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := hooshtest.New(t)
				r := newRouter(t, b)
				l := hooshtest.Serve(t, server.New(r).Handler())
				b.Answer(hooshtest.Answer{Pieces: slices.Repeat([]string{strings.Repeat("x", 16<<10)}, 300)})
				resp, err := l.Client().Post(base+"/v1/chat/completions", "application/json", strings.NewReader(hiStream))
				if err != nil {
					t.Fatal(err)
				}
				start, got := time.Now(), 0
				buf := make([]byte, max(tc.bytes, 1))
				for err == nil && time.Since(start) < tc.atMost {
					time.Sleep(2 * time.Second)
					if tc.bytes > 0 {
						var n int
						n, err = resp.Body.Read(buf)
						got += n
					}
				}
				if whole := err == io.EOF && got > 300*16<<10; whole != tc.whole {
					t.Errorf("%d bytes and %v after %v", got, err, time.Since(start))
				}
				if !tc.whole && b.InFlight() != 0 {
					t.Error("the backend still speaks to nobody")
				}
				resp.Body.Close()
				r.Close()
				b.Close()
				l.Close()
			})
		})
	}
}

// TestTinyKeepAlive races the timer against everything.
func TestTinyKeepAlive(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b), server.Config(hoosh.Config{Server: hoosh.ServerConfig{Keepalive: time.Nanosecond}}))
	for range 50 {
		if _, text := post(t, c, "/v1/chat/completions", hiStream); strings.Count(text, "data: [DONE]\n\n") != 1 {
			t.Error(text)
		}
	}
}
