// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"slices"

	"github.com/maccracken/hoosh"
)

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

// models lists them in the words of the surface.
func (s *Server) models(q *request) {
	list, err := q.visible()
	if err != nil {
		q.fail(err)
		return
	}
	q.surface.models(q, list)
}

// model tells of the one that the path names.
func (s *Server) model(q *request) {
	m, err := q.findModel(q.name)
	if err != nil {
		q.fail(err)
		return
	}
	q.surface.model(q, m)
}

// findModel finds one by its name, or by another name of its.
func (q *request) findModel(name string) (*hoosh.Model, error) {
	list, err := q.visible()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(m hoosh.Model) bool { return m.ID == name })
	if i < 0 {
		i = slices.IndexFunc(list, func(m hoosh.Model) bool { return slices.Contains(m.Aliases, name) })
	}
	if i < 0 {
		return nil, &hoosh.Error{Kind: hoosh.ErrModelNotFound, Param: "model", Message: "no backend has the model " + name}
	}
	return &list[i], nil
}

// window is a page of a list of n: those after the one at index after (-1: from
// the beginning), or those before the one at index before (-1: not asked for).
// More reports that there are more in that direction.
func window(n, limit, after, before int) (from, to int, more bool) {
	if before >= 0 {
		from = max(0, before-limit)
		return from, before, from > 0
	}
	from = after + 1
	to = min(n, from+limit)
	return from, to, to < n
}
