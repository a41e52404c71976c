// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"
	"slices"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

var anthropicSurface = &surface{
	dialect:       anthropic.Dialect,
	ping:          []byte("event: ping\ndata: {\"type\": \"ping\"}\n\n"), // its SDKs know it
	idHeader:      "Request-Id",
	completeError: withRequestID,
	models:        anthropicModels,
	model:         func(q *request, m *hoosh.Model) { q.json(200, anthropicEntry(m)) },
}

// withRequestID adds the request's id to an error that has none.
func withRequestID(q *request, body []byte) []byte {
	end := bytes.LastIndexByte(body, '}')
	if end < 1 || bytes.Contains(body, []byte(`"request_id"`)) {
		return body
	}
	out := append(bytes.Clone(body[:end]), `,"request_id":`...)
	return append(jsonpeek.AppendQuote(out, q.id), '}')
}

// anthropicModel is an entry of the list of models.
type anthropicModel struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	DisplayName string    `json:"display_name"`
	CreatedAt   time.Time `json:"created_at"`
}

func anthropicEntry(m *hoosh.Model) anthropicModel {
	created := m.Created
	if created.IsZero() {
		created = time.Unix(0, 0) // as Anthropic says of a date that it does not know
	}
	return anthropicModel{"model", m.ID, m.ID, created.UTC().Truncate(time.Second)}
}

// Anthropic's bounds of a page of models.
const (
	usualAnthropicPage = 20
	mostAnthropicPage  = 1000
)

func anthropicModels(q *request, list []hoosh.Model) {
	limit, err := q.number("limit", usualAnthropicPage, 1, mostAnthropicPage)
	if err != nil {
		q.fail(err)
		return
	}
	at := func(param string) int {
		id := q.r.URL.Query().Get(param)
		if id == "" {
			return -1
		}
		i := slices.IndexFunc(list, func(m hoosh.Model) bool { return m.ID == id })
		if i < 0 && err == nil {
			err = &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: param, Message: "there is no model " + id + " in the list"}
		}
		return i
	}
	after, before := at("after_id"), at("before_id")
	if err != nil {
		q.fail(err)
		return
	}
	out := struct {
		Data    []anthropicModel `json:"data"`
		HasMore bool             `json:"has_more"`
		FirstID *string          `json:"first_id"`
		LastID  *string          `json:"last_id"`
	}{Data: []anthropicModel{}}
	from, to, more := window(len(list), limit, after, before)
	out.HasMore = more
	for i := from; i < to; i++ {
		out.Data = append(out.Data, anthropicEntry(&list[i]))
	}
	if n := len(out.Data); n > 0 {
		out.FirstID, out.LastID = &out.Data[0].ID, &out.Data[n-1].ID
	}
	q.json(200, out)
}
