// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/providers/echo"
	"github.com/maccracken/hoosh/server"
)

// faraway is a hoosh with two backends of which one always fails.
func faraway(t *testing.T, opts ...server.Option) http.RoundTripper {
	t.Helper()
	r, err := hoosh.NewRouter([]hoosh.Provider{
		{Name: "down", Doer: hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
			return nil, &hoosh.Error{Kind: hoosh.ErrUnavailable, Message: "no"}
		}), Local: true, Models: []string{"any"}},
		{Name: "echo", Doer: echo.New(hoosh.ProviderConfig{Name: "echo"}), Local: true, Models: []string{"echo*"}},
	}, []hoosh.Route{{Match: []string{"any"}, To: []hoosh.Target{{Target: "down/any"}, {Target: "echo/echo"}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return server.Transport(r, opts...)
}

func newClient(t *testing.T, cfg hoosh.ClientConfig) *hoosh.Client {
	t.Helper()
	c, err := hoosh.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func hello(model string) *hoosh.Request {
	return &hoosh.Request{Model: model, Messages: []hoosh.Message{hoosh.User("Hello")}}
}

const echoed = "echo: no model was asked; you said: Hello"

func TestClient(t *testing.T) {
	ctx := context.Background()
	c := newClient(t, hoosh.ClientConfig{Transport: faraway(t)})
	resp, err := c.Infer(ctx, hello("any"))
	if err != nil || resp.Text() != echoed || resp.Provider != "echo" || resp.Usage.Source != hoosh.UsageReported {
		t.Fatalf("%+v, %v", resp, err)
	}
	s, err := c.Stream(ctx, hello("echo"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if resp, err = s.Response(); err != nil || resp.Text() != echoed || resp.Provider != "echo" || resp.Usage.Output != 8 {
		t.Errorf("%+v, %v", resp, err)
	}
	q := &hoosh.Request{Model: "echo-embed:3", Input: []hoosh.Input{{Content: hoosh.NewText("a")}, {Content: hoosh.NewText("b")}}}
	if resp, err = c.Embed(ctx, q); err != nil || len(resp.Embeddings) != 2 || len(resp.Embeddings[0]) != 3 {
		t.Errorf("%+v, %v", resp, err)
	}
	q = &hoosh.Request{Op: hoosh.OpCompletion, Model: "echo", Input: []hoosh.Input{{Content: hoosh.NewText("Hello")}}}
	if resp, err = c.Infer(ctx, q); err != nil || resp.Text() != echoed {
		t.Errorf("%+v, %v", resp, err)
	}
	if err := c.Health(ctx); err != nil {
		t.Error(err)
	}
}

// TestClientReply: a raw body goes through, and the reply says what the other
// end did.
func TestClientReply(t *testing.T) {
	for _, streams := range []bool{false, true} {
		c := newClient(t, hoosh.ClientConfig{Transport: faraway(t)})
		body := fmt.Sprintf(`{"model":"any","stream":%v,"messages":[{"role":"user","content":"Hello"}]}`, streams)
		call, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := c.Do(context.Background(), call)
		if err != nil {
			t.Fatal(err)
		}
		if reply.Provider != "echo" || reply.Model != "echo" || reply.Route != "route any" || reply.Attempts != 2 {
			t.Errorf("stream %v: %+v", streams, reply)
		}
		if (reply.Stream != nil) != streams {
			t.Errorf("stream %v: %+v", streams, reply)
		}
		if streams {
			reply.Stream.Close()
		}
		call.Release()
	}
}

func TestClientLists(t *testing.T) {
	ctx := context.Background()
	c := newClient(t, hoosh.ClientConfig{Transport: faraway(t)})
	models, err := c.Models(ctx)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(models, func(m hoosh.Model) bool { return m.ID == "echo-embed" })
	if i < 0 || models[i].Provider != "echo" || models[i].Features != hoosh.FeatureEmbed {
		t.Errorf("%+v", models)
	}
	if c.Capabilities("echo-embed").Features != hoosh.FeatureEmbed || c.Capabilities("unknown").Features != hoosh.AllFeatures {
		t.Error("the list was not learnt")
	}
	if _, err := c.Infer(ctx, hello("any")); err != nil { // so that there is something to tell
		t.Fatal(err)
	}
	providers, err := c.Providers(ctx)
	if err != nil || len(providers) != 2 {
		t.Fatalf("%+v, %v", providers, err)
	}
	for _, p := range providers {
		if p.Name == "echo" && (p.State != hoosh.StateOnline || p.LastOK.IsZero() || !p.Local) || p.Name == "down" && p.Problem == "" {
			t.Errorf("%+v", p)
		}
	}
	call := hoosh.NewCall(hello("any"))
	defer call.Release()
	plan, err := c.Plan(ctx, call)
	if err != nil || plan.Model != "any" || plan.Route != "route any" || len(plan.Candidates) != 2 || plan.Candidates[0].Provider != "echo" || plan.Candidates[1].State != hoosh.StateSuspect {
		t.Errorf("%+v, %v", plan, err)
	}
}

// TestClientErrors: an error has the kind that it has there.
func TestClientErrors(t *testing.T) {
	keyed := server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "right-key-0123456789", Models: []string{"echo*"}}}})
	listen := func(opts ...server.Option) hoosh.ClientConfig {
		r, err := hoosh.New(hoosh.Config{
			Providers: []hoosh.ProviderConfig{{Name: "echo", Driver: "echo", Models: []string{"echo*"}}},
			Routes:    []hoosh.Route{{Match: []string{"once*"}, To: []hoosh.Target{{Target: "echo/*"}}, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		ln := hooshtest.Serve(t, server.Handler(r, opts...))
		return hoosh.ClientConfig{BaseURL: "http://localhost:8088", DialContext: ln.DialContext}
	}
	open, locked := listen(), listen(keyed)
	for _, tc := range []struct {
		model string
		cfg   hoosh.ClientConfig
		key   hoosh.Secret
		kind  error
	}{
		{"nobody-has-this", open, "", hoosh.ErrModelNotFound},
		{"echo/echo-fault:401", open, "", hoosh.ErrUpstreamAuth},
		{"echo/echo-fault:402", open, "", hoosh.ErrInsufficientQuota},
		{"echo/echo-fault:413", open, "", hoosh.ErrTooLarge},
		{"echo/echo-fault:malformed", open, "", hoosh.ErrMalformed},
		{"echo/echo-fault:501", open, "", hoosh.ErrUnsupported},
		{"", open, "", hoosh.ErrInvalidRequest},
		{"echo", locked, "", hoosh.ErrUnauthorized},
		{"echo", locked, "wrong-key-0123456789", hoosh.ErrUnauthorized},
		{"echo", locked, "right-key-0123456789", nil},
		{"gpt-4o", locked, "right-key-0123456789", hoosh.ErrForbidden},
	} {
		tc.cfg.Key = tc.key
		c := newClient(t, tc.cfg)
		_, err := c.Infer(context.Background(), hello(tc.model))
		if tc.kind == nil && err == nil {
			continue
		}
		e := hoosh.AsError(err)
		if tc.kind == nil || !errors.Is(err, tc.kind) || !e.Upstream || e.Provider != "hoosh" {
			t.Errorf("%s with key %q: %+v, want %v", tc.model, string(tc.key), e, tc.kind)
		}
		if strings.Contains(e.Error(), "key-0123456789") {
			t.Errorf("the error tells the key: %v", e)
		}
	}
}

// TestClientStreamErrors: so have those that come in mid-stream.
func TestClientStreamErrors(t *testing.T) {
	c := newClient(t, hoosh.ClientConfig{Transport: faraway(t)})
	for fault, kind := range map[string]error{"cut": hoosh.ErrStreamCut, "malformed": hoosh.ErrMalformed, "error-event": hoosh.ErrUpstream} {
		s, err := c.Stream(context.Background(), hello("echo-fault:"+fault))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = s.Response(); !errors.Is(err, kind) {
			t.Errorf("%s: %v", fault, err)
		}
		s.Close()
	}
}

func TestClientConfig(t *testing.T) {
	var asked []string
	var header http.Header
	trip := roundTripper(func(r *http.Request) (*http.Response, error) {
		asked, header = append(asked, r.Method+" "+r.URL.String()), r.Header
		return nil, errors.New("no network here")
	})
	for base, want := range map[string]string{
		"": "http://127.0.0.1:8088/v1/", "http://h:1": "http://h:1/v1/", "http://h:1/": "http://h:1/v1/", "http://h:1/v1": "http://h:1/v1/", "https://h/ai/v1/": "https://h/ai/v1/", "https://h/ai": "https://h/ai/v1/",
	} {
		asked = nil
		c := newClient(t, hoosh.ClientConfig{BaseURL: base, Key: "k", Headers: map[string]string{"X-A": "b"}, Transport: trip})
		call := hoosh.NewCall(hello("m"))
		call.ID = "req-7"
		if _, err := c.Do(context.Background(), call); !errors.Is(err, hoosh.ErrUnavailable) {
			t.Error(err)
		}
		if header.Get("Authorization") != "Bearer k" || header.Get("X-A") != "b" || header.Get("X-Request-Id") != "req-7" {
			t.Errorf("%v", header)
		}
		c.Models(context.Background())
		if header.Get("X-Request-Id") != "" {
			t.Error("the id of a call is on another request")
		}
		c.Health(context.Background())
		c.Providers(context.Background())
		c.Plan(context.Background(), call)
		wanted := []string{"POST " + want + "chat/completions", "GET " + want + "models", "GET " + want + "health", "GET " + want + "health/providers", "POST " + want + "route/explain"}
		if !slices.Equal(asked, wanted) {
			t.Errorf("%q: %v, want %v", base, asked, wanted)
		}
	}
	for _, base := range []string{"localhost:8088", "ftp://h", "http://u:p@h", "http://h?x=1"} {
		if c, err := hoosh.NewClient(hoosh.ClientConfig{BaseURL: base}); err == nil || c != nil {
			t.Errorf("%q was taken", base)
		}
	}
}

// TestClientOfSomethingElse: what answers is no hoosh, or a broken one.
func TestClientOfSomethingElse(t *testing.T) {
	ctx := context.Background()
	status, body := 200, ""
	ln := hooshtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Hoosh-Attempts", "many")
		w.Header().Set("X-Hoosh-Model", `"unfinished`)
		w.Header().Set("X-Hoosh-Dropped", "a, b, a")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	c := newClient(t, hoosh.ClientConfig{Name: "office", BaseURL: "http://h.test", DialContext: ln.DialContext})
	for _, body = range []string{"", "<html>", "[]", `{"data":7}`, `{"data":[{"id":7}]}`} {
		if list, err := c.Models(ctx); !errors.Is(err, hoosh.ErrMalformed) || hoosh.AsError(err).Provider != "office" {
			t.Errorf("%q: %v, %v", body, list, err)
		}
	}
	if body = "nope"; c.Health(ctx) == nil {
		t.Error("well")
	}
	if body = `{"status":"down"}`; !errors.Is(c.Health(ctx), hoosh.ErrNoProvider) {
		t.Error("no backend is up, and it is well")
	}
	body = `{"choices":[{"index":0,"message":{"role":"assistant","content":"x"},"finish_reason":"stop"}]}`
	reply, err := c.Do(ctx, hoosh.NewCall(hello("m")))
	if err != nil || reply.Attempts != 1 || reply.Model != `"unfinished` || reply.Provider != "office" || !slices.Equal(reply.Dropped, []string{"a", "b"}) {
		t.Errorf("%+v, %v", reply, err)
	}
	status, body = 500, `{"error":{"message":"panic","type":"server_error","code":"internal_error"}}`
	if _, err := c.Infer(ctx, hello("m")); !errors.Is(err, hoosh.ErrUpstream) {
		t.Errorf("its own fault is ours: %v", err)
	}
	if _, err := c.Do(ctx, &hoosh.Call{Op: 200}); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
}

// TestClientSettles: what is booked on a call is ended once, as in any Gateway,
// and a caller that leaves takes the call at the other end along.
func TestClientSettles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Faulty(hooshtest.HangMid, 3))
		c := newClient(t, hoosh.ClientConfig{BaseURL: b.URL(), DialContext: b.DialContext})
		ctx, cancel := context.WithCancel(context.Background())
		call := hoosh.NewCall(hello("test-model"))
		call.Stream = true
		var ends []hoosh.End
		call.OnEnd(enderFunc(func(o *hoosh.Outcome) { ends = append(ends, o.End) }))
		if _, err := c.Do(ctx, call); err != nil {
			t.Fatal(err)
		}
		cancel()
		if !b.Wait(time.Second, func() bool { return b.Gone() == 1 }) {
			t.Error("the other end still works for nobody")
		}
		synctest.Wait()
		if !slices.Equal(ends, []hoosh.End{hoosh.EndGone}) {
			t.Errorf("ended as %v", ends)
		}
	})
}

type enderFunc func(*hoosh.Outcome)

func (f enderFunc) End(o *hoosh.Outcome) { f(o) }
