// SPDX-License-Identifier: AGPL-3.0-only

// Package server puts a [hoosh.Gateway] on HTTP, in the wire formats that
// clients speak already:
//
//	router, err := hoosh.New(cfg)
//	…
//	http.ListenAndServe("127.0.0.1:8088", server.New(router).Handler())
//
// The handler can be mounted in any mux. Without configured keys it serves this
// machine only, wherever it is mounted: see [New]. [Transport] runs the same
// handler under any HTTP client, in this process and without a listener.
package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/maccracken/hoosh"
)

// Server turns HTTP requests into calls of a Gateway.
type Server struct {
	gateway hoosh.Gateway
	cfg     hoosh.ServerConfig
	keys    keyring
	open    bool // Open was given
	log     *slog.Logger
	paths   map[string]endpoint
	idle    *account // of callers without a key
}

// Option changes what [New] makes.
type Option func(*Server)

// Config takes the keys and the server section of a configuration.
func Config(cfg hoosh.Config) Option {
	return func(s *Server) {
		s.cfg = cfg.WithDefaults().Server
		s.keys = newKeyring(cfg.Keys)
	}
}

// Open lets in every peer, Host and Origin though no key is configured: for a
// program that authenticates by itself, in front of the handler.
func Open() Option { return func(s *Server) { s.open = true } }

// Logger is told of each call at level debug, of failures of hoosh or its
// backends at level warn, and of panics at level error. Without one nothing is
// logged. Prompts and keys never are.
func Logger(l *slog.Logger) Option { return func(s *Server) { s.log = l } }

// New makes a Server over g, which stays its maker's to close.
//
// With no key configured the handler refuses, with 403, a request whose peer is
// not loopback, whose Host is neither a loopback name nor listed in
// server.hosts, or which carries an Origin that server.cors does not list: web
// pages reach loopback ports too. A Unix-socket or in-memory peer counts as
// loopback. server.insecure, or [Open], lifts that.
func New(g hoosh.Gateway, opts ...Option) *Server {
	s := &Server{gateway: g, cfg: hoosh.Config{}.WithDefaults().Server, log: slog.New(slog.DiscardHandler), idle: &account{}}
	for _, o := range opts {
		o(s)
	}
	s.paths = s.endpoints()
	return s
}

// Handler is New(g, opts...).Handler().
func Handler(g hoosh.Gateway, opts ...Option) http.Handler { return New(g, opts...).Handler() }

// Handler serves all paths; mount it at the root, or with [http.StripPrefix].
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// endpoint is what is behind one path.
type endpoint struct {
	method string
	public bool // needs no key
	handle func(*request)
}

func (s *Server) endpoints() map[string]endpoint {
	post := func(h func(*request)) endpoint { return endpoint{method: http.MethodPost, handle: h} }
	get := func(h func(*request)) endpoint { return endpoint{method: http.MethodGet, handle: h} }
	public := func(h func(*request)) endpoint { return endpoint{http.MethodGet, true, h} }
	live, ready := public(s.live), public(s.ready)
	return map[string]endpoint{
		"/v1/chat/completions": post(s.call(hoosh.OpenAI, hoosh.OpChat)),
		"/v1/completions":      post(s.call(hoosh.OpenAI, hoosh.OpCompletion)),
		"/v1/embeddings":       post(s.call(hoosh.OpenAI, hoosh.OpEmbed)),
		"/v1/models":           get(s.models),
		"/v1/route/explain":    post(s.explain),
		"/v1/health":           get(s.health),
		"/v1/health/providers": get(s.providers),
		"/v1/health/heartbeat": get(s.heartbeat),
		"/livez":               live,
		"/health/liveliness":   live,
		"/healthz":             live,
		"/health":              live,
		"/readyz":              ready,
		"/health/readiness":    ready,
		"/v1/models/":          get(s.model), // and what is below it
	}
}

// find gives the endpoint of a path. The id of a model may hold slashes.
func (s *Server) find(path string) (endpoint, bool) {
	if e, ok := s.paths[path]; ok {
		return e, true
	}
	if strings.HasPrefix(path, modelPrefix) {
		return s.paths[modelPrefix], true
	}
	if len(path) > 1 && path[len(path)-1] == '/' {
		e, ok := s.paths[path[:len(path)-1]]
		return e, ok
	}
	return endpoint{}, false
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	q := newRequest(s, w, r)
	defer q.recovered()
	e, ok := s.find(r.URL.Path)
	if ok && e.public && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		e.handle(q)
		return
	}
	if err := s.admit(q); err != nil {
		q.fail(err)
		return
	}
	defer q.leave()
	switch {
	case r.Method == http.MethodOptions && q.preflight():
	case !ok:
		q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Status: http.StatusNotFound, Code: "unknown_path", Message: "there is nothing at " + r.URL.Path})
	case r.Method != e.method && !(r.Method == http.MethodHead && e.method == http.MethodGet):
		w.Header().Set("Allow", e.method)
		q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: r.URL.Path + " wants " + e.method})
	default:
		e.handle(q)
	}
}

// recovered turns a panic into an error to the client; once an answer has begun
// it can only break off.
func (q *request) recovered() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	q.s.log.Error("panic", "request_id", q.id, "path", q.r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if q.begun {
		panic(http.ErrAbortHandler)
	}
	q.fail(&hoosh.Error{Kind: hoosh.ErrInternal, Message: "a fault in hoosh; its log has the request id " + q.id})
}
