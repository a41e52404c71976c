// SPDX-License-Identifier: AGPL-3.0-only

// Package server puts a [hoosh.Gateway] on HTTP, in the wire formats that
// clients speak already:
//
//	router, err := hoosh.New(cfg)
//	…
//	http.ListenAndServe("127.0.0.1:8088", server.New(router).Handler())
//
// Every format reaches every backend. Each has its own paths, and its own way of
// saying what is wrong:
//
//	OpenAI      POST   /v1/chat/completions, /v1/completions, /v1/embeddings
//	            POST   /v1/images/generations, /v1/moderations, /v1/rerank
//	            GET    /v1/models, /v1/models/ID
//	Responses   POST   /v1/responses, /v1/responses/input_tokens
//	            GET    /v1/responses/ID, /v1/responses/ID/input_items
//	            DELETE /v1/responses/ID
//	Anthropic   POST   /v1/messages, /v1/messages/count_tokens
//	            GET    /v1/models, /v1/models/ID, with the header anthropic-version
//	Gemini      POST   /v1beta/models/ID:generateContent, :streamGenerateContent,
//	                   :countTokens, :embedContent, :batchEmbedContents;
//	                   also below /v1/models/, and /v1beta/ID: without models/
//	            GET    /v1beta/models, /v1beta/models/ID
//	Ollama      POST   /api/chat, /api/generate, /api/embed, /api/embeddings, /api/show
//	            GET    /api/tags, /api/ps, /api/version, /
//	hoosh       POST   /v1/route/explain
//	            GET    /v1/health, /v1/health/providers, /v1/health/heartbeat
//	            GET    /livez, /healthz, /health, /readyz, …
//
// The id of a model may hold slashes. A key is taken from where the clients of
// any of the formats put it: Authorization: Bearer, x-api-key, x-goog-api-key,
// and on Gemini's paths ?key=.
//
// The handler can be mounted in any mux. Without configured keys it serves this
// machine only, wherever it is mounted: see [New]. [Transport] runs the same
// handler under any HTTP client, in this process and without a listener.
package server

import (
	"log/slog"
	"net/http"
	"runtime/debug"

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
	answers *responseStore
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
	s.answers = newResponseStore(storeEntries, storeBytes)
	s.paths = s.endpoints()
	return s
}

// Handler is New(g, opts...).Handler().
func Handler(g hoosh.Gateway, opts ...Option) http.Handler { return New(g, opts...).Handler() }

// Handler serves all paths; mount it at the root, or with [http.StripPrefix].
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	q := newRequest(s, w, r)
	defer q.recovered()
	e, ok := s.find(q)
	handle := e.by(r.Method)
	if e.public && handle != nil {
		handle(q)
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
		q.fail(&hoosh.Error{Kind: hoosh.ErrModelNotFound, Code: "unknown_path", Message: "there is nothing at " + r.URL.Path})
	case handle == nil:
		w.Header().Set("Allow", e.allow())
		q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: r.URL.Path + " wants " + e.allow()})
	default:
		handle(q)
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
