// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/all" // the drivers that the vendors are reached by
	"github.com/maccracken/hoosh/server"
	"github.com/maccracken/hoosh/test/matrix/backend"
	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// world is one vendor, a second one, and a hoosh in front of both, on loopback.
type world struct {
	in, out string
	other   string      // the second vendor's name
	direct  bool        // no hoosh between
	chopped atomic.Bool // bytes come a few at a time

	vendor, second *backend.Server
	base           string // where the client asks
	client         *http.Client
	closers        []func()
}

// others are the vendors that stand beside one: of another format, with
// signatures of their own.
var others = map[string]string{"openai": "anthropic", "responses": "anthropic", "anthropic": "gemini", "gemini": "responses", "ollama": "gemini"}

// drivers are what hoosh reaches a vendor by, with the path of its base URL.
var drivers = map[string][2]string{
	"openai": {"openai", "/v1"}, "responses": {"openai", "/v1"}, "anthropic": {"anthropic", ""}, "gemini": {"google", ""}, "ollama": {"ollama", ""},
}

// Names of the two providers.
const (
	first  = "first"
	second = "second"
)

func newWorld(in, out string, direct bool) (*world, error) {
	w := &world{in: in, out: out, direct: direct, other: others[out], vendor: backend.New(out), second: backend.New(others[out])}
	w.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}, Timeout: 15 * time.Second}
	w.closers = append(w.closers, w.client.CloseIdleConnections)
	at, err := w.listen(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.chopped.Load() {
			rw = &chopper{rw}
		}
		w.vendor.ServeHTTP(rw, r)
	}))
	if err != nil {
		return nil, err
	}
	if direct {
		w.base = at
		return w, nil
	}
	beside, err := w.listen(w.second)
	if err != nil {
		w.close()
		return nil, err
	}
	cfg := hoosh.Config{Providers: []hoosh.ProviderConfig{provider(first, out, at), provider(second, w.other, beside)}}
	once := hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}
	for _, models := range []map[string]string{plainModels, thinkers} {
		for name, of := range map[string]string{first: out, second: w.other} {
			target := name + "/" + models[of]
			cfg.Routes = append(cfg.Routes, hoosh.Route{Match: []string{target}, To: []hoosh.Target{{Target: target}}, Retry: once})
		}
	}
	cfg.Routes = distinct(cfg.Routes)
	router, err := hoosh.New(cfg)
	if err != nil {
		w.close()
		return nil, err
	}
	w.closers = append(w.closers, func() { router.Close() })
	if w.base, err = w.listen(server.New(router, server.Config(cfg)).Handler()); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func provider(name, of, at string) hoosh.ProviderConfig {
	d := drivers[of]
	return hoosh.ProviderConfig{
		Name: name, Driver: d[0], BaseURL: at + d[1], Key: "test-key", Models: []string{plainModels[of], thinkers[of]},
		Timeouts: hoosh.Timeouts{Connect: 5 * time.Second, FirstEvent: 10 * time.Second, Idle: 10 * time.Second},
	}
}

// distinct leaves out routes that match the same.
func distinct(routes []hoosh.Route) []hoosh.Route {
	var out []hoosh.Route
	seen := map[string]bool{}
	for _, r := range routes {
		if !seen[r.Match[0]] {
			out = append(out, r)
		}
		seen[r.Match[0]] = true
	}
	return out
}

func (w *world) listen(h http.Handler) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h, ErrorLog: quiet}
	go s.Serve(l) //nolint:errcheck // it ends when it is closed
	w.closers = append(w.closers, func() { s.Close() })
	return "http://" + l.Addr().String(), nil
}

func (w *world) close() {
	for i := len(w.closers) - 1; i >= 0; i-- {
		w.closers[i]()
	}
}

// model is how the client names a model of the first or the second vendor.
func (w *world) model(provider, name string) string {
	if w.direct {
		return name
	}
	return provider + "/" + name
}

// told is what came of one request.
type told struct {
	client.Got
	status  int
	dropped string // what hoosh says that it left out
	sent    []byte // the client's body
	header  http.Header
}

// send asks through d. The error tells of an answer that is not of the format.
func (w *world) send(d *client.Dialect, a neutral.Ask, edit func([]byte) []byte) (*told, error) {
	q := d.Render(a)
	if edit != nil {
		q.Body = edit(q.Body)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, q.Method, w.base+q.Path, w.body(q.Body))
	if err != nil {
		return nil, err
	}
	r.Header = q.Header
	resp, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var kept bytes.Buffer
	t := &told{status: resp.StatusCode, sent: q.Body, header: resp.Header, dropped: resp.Header.Get("X-Hoosh-Dropped")}
	t.Got, err = d.Read(resp.StatusCode, resp.Header, io.TeeReader(resp.Body, &kept), a.Stream)
	if err != nil {
		return t, fmt.Errorf("not of the format: %w (HTTP %d: %s)", err, resp.StatusCode, short(kept.String()))
	}
	if w.direct || resp.StatusCode != http.StatusOK {
		return t, nil
	}
	if resp.Header.Get("X-Request-Id") == "" {
		return t, fmt.Errorf("no x-request-id in %v", resp.Header)
	}
	return t, nil
}

// body is the request's, in pieces if bytes are chopped.
func (w *world) body(b []byte) io.Reader {
	if w.chopped.Load() {
		return &dribble{b: b}
	}
	return bytes.NewReader(b)
}

// chopper writes and flushes a few bytes at a time, so that characters, escapes
// and events are cut anywhere.
type chopper struct{ http.ResponseWriter }

func (c *chopper) Write(b []byte) (int, error) {
	rc := http.NewResponseController(c.ResponseWriter)
	for n := 0; n < len(b); {
		step := min(7, len(b)-n)
		if _, err := c.ResponseWriter.Write(b[n : n+step]); err != nil {
			return n, err
		}
		if err := rc.Flush(); err != nil {
			return n, err
		}
		n += step
	}
	return len(b), nil
}

// Unwrap gives the writer beneath, to be flushed and hijacked.
func (c *chopper) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// dribble reads a few bytes at a time.
type dribble struct{ b []byte }

func (d *dribble) Read(p []byte) (int, error) {
	if len(d.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(5, len(p))], d.b)
	d.b = d.b[n:]
	return n, nil
}

func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 600 {
		return s[:400] + " … " + s[len(s)-180:]
	}
	return s
}
