// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"net/http"
	"strings"

	"github.com/maccracken/hoosh"
)

// surface is a wire format as clients see it: how hoosh itself speaks in it.
// Which one a request belongs to is known from its path, before it is known
// whether there is anything and who asks, so that every refusal has the form
// that the client can read.
type surface struct {
	dialect  *hoosh.Dialect
	ping     []byte // keeps a silent stream alive; nil: the format has nothing for that
	idHeader string // its own name for x-request-id, "" without one

	// completeError adds what the dialect does not know of; nil: nothing.
	completeError func(q *request, body []byte) []byte

	numbered bool // the events of a stream carry numbers, which an error must go on with

	models func(q *request, list []hoosh.Model)
	model  func(q *request, m *hoosh.Model)
}

// comment is what keeps a stream of Server-Sent Events alive.
var comment = []byte(": keep-alive\n\n")

// surfaceOf tells by the path, and of the paths that several have by the rest.
func surfaceOf(r *http.Request) *surface {
	path := r.URL.Path
	switch {
	case within(path, "/v1/messages"):
		return anthropicSurface
	case within(path, "/v1/responses"):
		return responsesSurface
	case within(path, "/v1/models"):
		return surfaceOfModels(r)
	case within(path, "/v1beta"):
		return geminiSurface
	case within(path, "/api"):
		return ollamaSurface
	}
	return openAISurface
}

// within reports that path is root, or below it.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// surfaceOfModels tells who asks for models: Gemini's clients also post there, and
// Anthropic's always send a version.
func surfaceOfModels(r *http.Request) *surface {
	h := r.Header
	switch {
	case r.Method == http.MethodPost && strings.Contains(r.URL.Path, ":"):
		return geminiSurface
	case h.Get("Anthropic-Version") != "":
		return anthropicSurface
	case h.Get("X-Goog-Api-Key") != "", h.Get("X-Goog-Api-Client") != "":
		return geminiSurface
	}
	return openAISurface
}
