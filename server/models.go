// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

const modelPrefix = "/v1/models/"

// visible are the models that the caller may ask for.
func (q *request) visible() ([]hoosh.Model, error) {
	models, err := q.s.gateway.Models(q.r.Context())
	if err != nil {
		return nil, err
	}
	list := make([]hoosh.Model, 0, len(models))
	for i := range models {
		if q.caller.MayAsk(models[i].ID) {
			list = append(list, models[i])
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
	if i := slices.IndexFunc(list, func(m hoosh.Model) bool { return m.ID == id }); i >= 0 {
		q.json(200, list[i])
		return
	}
	q.fail(&hoosh.Error{Kind: hoosh.ErrModelNotFound, Param: "model", Message: "no backend has the model " + id})
}
