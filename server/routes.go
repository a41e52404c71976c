// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"net/http"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/dialect/ollama"
)

// endpoint is what is behind one path.
type endpoint struct {
	public  bool // needs no key
	methods []method
}

type method struct {
	name   string
	handle func(*request)
}

func get(h func(*request)) endpoint  { return endpoint{methods: []method{{http.MethodGet, h}}} }
func post(h func(*request)) endpoint { return endpoint{methods: []method{{http.MethodPost, h}}} }

// by gives what serves a method, nil if nothing does. HEAD is a GET whose body is
// not sent.
func (e endpoint) by(name string) func(*request) {
	if name == http.MethodHead {
		name = http.MethodGet
	}
	for _, m := range e.methods {
		if m.name == name {
			return m.handle
		}
	}
	return nil
}

// allow lists the methods.
func (e endpoint) allow() string {
	names := make([]string, len(e.methods))
	for i, m := range e.methods {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

// endpoints are those whose whole path is known. Those with a name in the path
// are in find.
func (s *Server) endpoints() map[string]endpoint {
	public := func(h func(*request)) endpoint {
		e := get(h)
		e.public = true
		return e
	}
	live, ready := public(s.live), public(s.ready)
	return map[string]endpoint{
		"/v1/chat/completions":   post(s.call(hoosh.OpenAI, hoosh.OpChat)),
		"/v1/completions":        post(s.call(hoosh.OpenAI, hoosh.OpCompletion)),
		"/v1/embeddings":         post(s.call(hoosh.OpenAI, hoosh.OpEmbed)),
		"/v1/images/generations": post(s.call(hoosh.OpenAI, hoosh.OpImage)),
		"/v1/moderations":        post(s.moderations),
		"/v1/rerank":             post(s.call(hoosh.OpenAI, hoosh.OpRerank)),
		"/v1/models":             get(s.models),

		"/v1/responses":              post(s.responses(hoosh.OpChat)),
		"/v1/responses/input_tokens": post(s.responses(hoosh.OpCount)),

		"/v1/messages":              post(s.call(anthropic.Dialect, hoosh.OpChat)),
		"/v1/messages/count_tokens": post(s.call(anthropic.Dialect, hoosh.OpCount)),

		"/v1beta/models": get(s.models),

		"/api/chat":       post(s.ollamaChat(ollama.Dialect)),
		"/api/generate":   post(s.ollamaChat(ollama.Generate)),
		"/api/embed":      post(s.call(ollama.Dialect, hoosh.OpEmbed)),
		"/api/embeddings": post(s.call(ollama.Dialect, hoosh.OpEmbed)),
		"/api/show":       post(s.show),
		"/api/tags":       get(s.models),
		"/api/ps":         get(s.running),
		"/api/version":    get(s.version),
		"/api/pull":       post(s.managesNothing),
		"/api/push":       post(s.managesNothing),
		"/api/create":     post(s.managesNothing),
		"/api/copy":       post(s.managesNothing),
		"/api/delete":     {methods: []method{{http.MethodDelete, s.managesNothing}}},
		"/":               public(s.root),

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
	}
}

// find gives the endpoint of the request's path, and notes the name in it. Only
// the id of a model may hold slashes.
func (s *Server) find(q *request) (endpoint, bool) {
	path := q.r.URL.Path
	if e, ok := s.paths[path]; ok {
		return e, true
	}
	if len(path) > 1 && path[len(path)-1] == '/' {
		e, ok := s.paths[path[:len(path)-1]]
		return e, ok
	}
	root, name := below(path)
	switch root {
	case "/v1/models/", "/v1beta/models/":
		if q.r.Method == http.MethodPost && q.surface == geminiSurface {
			return s.geminiVerb(q, name)
		}
		q.name = name
		return get(s.model), true
	case "/v1beta/":
		return s.geminiVerb(q, name)
	case "/v1/responses/":
		if id, ok := strings.CutSuffix(name, "/input_items"); ok && id != "" && !strings.Contains(id, "/") {
			q.name = id
			return get(s.inputItems), true
		}
		if !strings.Contains(name, "/") {
			q.name = name
			return endpoint{methods: []method{{http.MethodGet, s.storedResponse}, {http.MethodDelete, s.deleteResponse}}}, true
		}
	case "/api/blobs/":
		return endpoint{methods: []method{{http.MethodGet, s.managesNothing}, {http.MethodPost, s.managesNothing}}}, true
	}
	return endpoint{}, false
}

// roots are those below which a path names something.
var roots = [...]string{"/v1/models/", "/v1/responses/", "/v1beta/models/", "/v1beta/", "/api/blobs/"}

// below splits a path into its root and the rest, both "" when it is below none.
func below(path string) (root, name string) {
	for _, root := range roots {
		if name, ok := strings.CutPrefix(path, root); ok && name != "" {
			return root, name
		}
	}
	return "", ""
}
