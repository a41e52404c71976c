// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Backend is an HTTP server that speaks OpenAI's API and does what its script
// says. Without a script it gives the same deterministic answer to the same
// request. All methods are safe for concurrent use. Make one with [New] or
// [NewTCP]; it is closed when its test ends.
type Backend struct {
	tb     testing.TB
	set    settings
	url    string
	server *http.Server
	listen func() (net.Listener, error)
	dial   func(ctx context.Context, ln net.Listener) (net.Conn, error)

	mu      sync.Mutex // guards what is below; never held while a script runs
	changed sync.Cond  // of anything below
	script  func(*Request) Answer
	probes  func(*Request) Answer
	models  []string
	seen    []*Request
	count   counters
	life    lifetime
}

// counters say what has happened so far and what is happening.
type counters struct {
	calls, inFlight, peak, gone, accepted int
	changes                               int // of anything under the lock
}

// lifetime is what has to end before the backend has.
type lifetime struct {
	ln      net.Listener // nil: killed or closed
	age     int          // rises with each Kill, so that a connection accepted too late is known
	serving int          // Serve goroutines
	served  int          // connection goroutines
	conns   map[*serverConn]struct{}
	closed  bool
}

// Option changes a Backend that is being made.
type Option func(*settings)

type settings struct {
	host    string
	key     string
	strict  bool
	maxBody int64
}

// Strict refuses what OpenAI's own servers refuse and imitations often let
// pass: unknown top-level keys (400, code unknown_parameter), keys given twice,
// and stream_options without stream.
func Strict() Option { return func(s *settings) { s.strict = true } }

// Key demands "Authorization: Bearer key" on every request (401, code
// invalid_api_key).
func Key(key string) Option { return func(s *settings) { s.key = key } }

// Host sets the host, or host:port, of the URL of a backend in memory, for code
// that treats some addresses differently. [NewTCP] has no use for it.
func Host(host string) Option { return func(s *settings) { s.host = host } }

// MaxBody answers a request whose body is over n bytes with 413, without
// reading the rest of it.
func MaxBody(n int64) Option { return func(s *settings) { s.maxBody = n } }

var backends atomic.Int64 // made so far, for their names

// New makes a backend in memory: it is reached through [Backend.DialContext]
// only. Made inside a synctest bubble, with the bubble's own tb, it belongs to
// that bubble.
func New(tb testing.TB, opts ...Option) *Backend {
	tb.Helper()
	b := newBackend(tb, opts)
	if b.set.host == "" {
		b.set.host = fmt.Sprintf("backend-%d.test", backends.Add(1))
	}
	b.url = "http://" + b.set.host + "/v1"
	b.listen = func() (net.Listener, error) { return NewListener(b.set.host), nil }
	b.dial = func(ctx context.Context, ln net.Listener) (net.Conn, error) {
		if ln == nil {
			return nil, refused(Addr(b.set.host))
		}
		return ln.(*Listener).DialContext(ctx, "", "")
	}
	b.Revive()
	return b
}

// NewTCP makes a backend that listens on a free port of 127.0.0.1.
func NewTCP(tb testing.TB, opts ...Option) *Backend {
	tb.Helper()
	b := newBackend(tb, opts)
	addr := ""
	b.listen = func() (net.Listener, error) {
		if addr != "" {
			return net.Listen("tcp", addr) // a revived backend is where it was
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err == nil {
			addr = ln.Addr().String()
		}
		return ln, err
	}
	b.dial = func(ctx context.Context, _ net.Listener) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
	b.Revive()
	b.url = "http://" + addr + "/v1"
	return b
}

func newBackend(tb testing.TB, opts []Option) *Backend {
	b := &Backend{tb: tb}
	for _, o := range opts {
		o(&b.set)
	}
	b.changed.L = &b.mu
	b.life.conns = map[*serverConn]struct{}{}
	b.server = &http.Server{
		Handler:     http.HandlerFunc(b.serve),
		ErrorLog:    log.New(io.Discard, "", 0), // a client that resets is no news here
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ConnState:   b.connState,
	}
	tb.Cleanup(b.Close)
	return b
}

// URL is the base URL, with /v1: "http://backend-1.test/v1" in memory.
func (b *Backend) URL() string { return b.url }

// DialContext connects to this backend whatever the address says.
func (b *Backend) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	b.mu.Lock()
	ln := b.life.ln
	b.mu.Unlock()
	return b.dial(ctx, ln)
}

// Client is a new HTTP client with connections of its own, to this backend
// only. They are closed with the backend.
func (b *Backend) Client() *http.Client {
	t := &http.Transport{DialContext: b.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 64}
	b.tb.Cleanup(t.CloseIdleConnections)
	return &http.Client{Transport: t}
}

// Script lets f decide the answer to every call, which is every POST; nil gives
// the default answer again. f runs on the goroutine that serves the call, so
// calls side by side run it side by side. It may block, but has to return when
// the request's context ends. Requests that OpenAI would refuse (no JSON, no
// model, an unknown model, see also [Strict]) are refused before f is asked.
func (b *Backend) Script(f func(*Request) Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.script = f
}

// Answer sets the answers to the next calls; the last one repeats. It is
// Script([Sequence](answers...)).
func (b *Backend) Answer(answers ...Answer) { b.Script(Sequence(answers...)) }

// Probes lets f decide the answer to everything that is not a POST: model lists
// and whatever else is looked at to see what is here. The zero Answer, and a nil
// f, list the models and know nothing else.
func (b *Backend) Probes(f func(*Request) Answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probes = f
}

// Models sets what is listed and known; other models get a 404 with code
// model_not_found. Until it is called "test-model" is listed and every model is
// known.
func (b *Backend) Models(ids ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.models = slices.Clone(ids)
}

// Requests are all requests that came so far, calls and others, in the order in
// which they were read. What it returns is the caller's; the requests themselves
// are read-only.
func (b *Backend) Requests() []*Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.seen)
}

// Last is the request that came last, or nil.
func (b *Backend) Last() *Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.seen) == 0 {
		return nil
	}
	return b.seen[len(b.seen)-1]
}

// Calls counts the calls (every POST) that came so far.
func (b *Backend) Calls() int { return b.read(func(n *counters) int { return n.calls }) }

// InFlight counts the requests, calls and others, that are being served now. It
// has gone down before a client can have seen the end of an answer.
func (b *Backend) InFlight() int { return b.read(func(n *counters) int { return n.inFlight }) }

// Peak is the highest that InFlight has been.
func (b *Backend) Peak() int { return b.read(func(n *counters) int { return n.peak }) }

// Gone counts the requests whose client left before the whole answer was
// written. Those that the backend cut itself do not count.
func (b *Backend) Gone() int { return b.read(func(n *counters) int { return n.gone }) }

// Accepted counts the connections made so far; a client that uses its
// connections again makes fewer of them than requests.
func (b *Backend) Accepted() int { return b.read(func(n *counters) int { return n.accepted }) }

func (b *Backend) read(f func(*counters) int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return f(&b.count)
}

// Open counts the connections that are open now, idle ones included.
func (b *Backend) Open() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.life.conns)
}

// Wait waits for f, which looks at this backend's counters, to be true; at most
// for d. It looks again whenever a counter changes.
//
//	if !b.Wait(time.Second, func() bool { return b.Gone() == 1 }) { t.Error("the upstream was not cancelled") }
func (b *Backend) Wait(d time.Duration, f func() bool) bool {
	late := false
	timer := time.AfterFunc(d, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		late = true
		b.change()
	})
	defer timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for {
		before := b.count.changes
		b.mu.Unlock()
		ok := f() // takes the lock itself
		b.mu.Lock()
		if ok || late {
			return ok
		}
		if before == b.count.changes {
			b.changed.Wait()
		}
	}
}

// change wakes whoever waits for a change. The lock is held.
func (b *Backend) change() {
	b.count.changes++
	b.changed.Broadcast()
}
