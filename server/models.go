// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

const modelPrefix = "/v1/models/"

// modelEntry is a model in OpenAI's list, with what hoosh knows beside it.
type modelEntry struct {
	ID            string   `json:"id"`
	Object        string   `json:"object"`
	Created       int64    `json:"created"`
	OwnedBy       string   `json:"owned_by"`
	ContextLength int      `json:"context_length,omitempty"`
	Capabilities  []string `json:"capabilities,omitempty"`
}

func entryOf(m *hoosh.Model) modelEntry {
	e := modelEntry{ID: m.ID, Object: "model", OwnedBy: m.Provider, ContextLength: m.Context}
	if !m.Created.IsZero() {
		e.Created = m.Created.Unix()
	}
	if m.Features != 0 && m.Features != hoosh.AllFeatures {
		e.Capabilities = strings.Split(m.Features.String(), ", ")
	}
	return e
}

// visible are the models that the caller may ask for.
func (q *request) visible() ([]modelEntry, error) {
	models, err := q.s.gateway.Models(q.r.Context())
	if err != nil {
		return nil, err
	}
	list := make([]modelEntry, 0, len(models))
	for i := range models {
		if q.caller.MayAsk(models[i].ID) {
			list = append(list, entryOf(&models[i]))
		}
	}
	return list, nil
}

func (s *Server) models(q *request) {
	list, err := q.visible()
	if err != nil {
		q.fail(err)
		return
	}
	q.json(200, map[string]any{"object": "list", "data": list})
}

func (s *Server) model(q *request) {
	id := strings.TrimPrefix(q.r.URL.Path, modelPrefix)
	list, err := q.visible()
	if err != nil {
		q.fail(err)
		return
	}
	if i := slices.IndexFunc(list, func(m modelEntry) bool { return m.ID == id }); i >= 0 {
		q.json(200, list[i])
		return
	}
	q.fail(&hoosh.Error{Kind: hoosh.ErrModelNotFound, Param: "model", Message: "no backend has the model " + id})
}
