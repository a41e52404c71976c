// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

// kept gives the stored answer that the path names, nil after saying that there
// is none.
func (q *request) kept() *storedAnswer {
	a := q.s.answers.get(q.caller.Name, q.name)
	if a == nil {
		q.fail(noResponse(q.name))
	}
	return a
}

func noResponse(id string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrModelNotFound, Code: "not_found", Param: "response_id",
		Message: fmt.Sprintf("Response with id '%.100s' not found: %s", id, missing)}
}

// storedResponse gives a stored answer again.
func (s *Server) storedResponse(q *request) {
	if q.r.URL.Query().Get("stream") == "true" {
		q.fail(&hoosh.Error{Kind: hoosh.ErrUnsupported, Param: "stream", Message: "a stored answer is given as a whole"})
		return
	}
	if a := q.kept(); a != nil {
		q.write(http.StatusOK, a.object)
	}
}

func (s *Server) deleteResponse(q *request) {
	if !s.answers.delete(q.caller.Name, q.name) {
		q.fail(noResponse(q.name))
		return
	}
	q.json(http.StatusOK, map[string]any{"id": q.name, "object": "response", "deleted": true})
}

// OpenAI's bounds of a page of items.
const (
	usualItemPage = 20
	mostItemPage  = 100
)

// inputItems lists what a stored answer answers, the latest first unless asked
// otherwise.
func (s *Server) inputItems(q *request) {
	a := q.kept()
	if a == nil {
		return
	}
	query := q.r.URL.Query()
	limit, err := q.number("limit", usualItemPage, 1, mostItemPage)
	order := query.Get("order")
	if err == nil && order != "" && order != "asc" && order != "desc" {
		err = &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: "order", Message: `want "asc" or "desc"`}
	}
	var items []item
	if err == nil {
		items, err = a.items()
	}
	if err != nil {
		q.fail(err)
		return
	}
	if order != "asc" {
		slices.Reverse(items)
	}
	after := -1
	if id := query.Get("after"); id != "" {
		if after = slices.IndexFunc(items, func(x item) bool { return x.id == id }); after < 0 {
			q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: "after", Message: "there is no item " + id + " in the list"})
			return
		}
	}
	from, to, more := window(len(items), limit, after, -1)
	out := struct {
		Object  string            `json:"object"`
		Data    []json.RawMessage `json:"data"`
		FirstID *string           `json:"first_id"`
		LastID  *string           `json:"last_id"`
		HasMore bool              `json:"has_more"`
	}{Object: "list", Data: []json.RawMessage{}, HasMore: more}
	for _, x := range items[from:to] {
		out.Data = append(out.Data, x.body)
	}
	if to > from {
		out.FirstID, out.LastID = &items[from].id, &items[to-1].id
	}
	q.json(http.StatusOK, out)
}

// item is an item of an input as it is listed.
type item struct {
	id   string
	body json.RawMessage
}

// items reads all that was said before the answer. Clients leave out what typed readers of the list want:
// ids, types, and texts as parts.
func (a *storedAnswer) items() ([]item, error) {
	var list []map[string]json.RawMessage
	for _, piece := range a.said() {
		var part []map[string]json.RawMessage
		if err := json.Unmarshal(slices.Concat([]byte{'['}, piece, []byte{']'}), &part); err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	base := strings.TrimPrefix(a.id, "resp_")
	items := make([]item, 0, len(list))
	for i, m := range list {
		if m == nil {
			continue
		}
		if m["type"] == nil {
			m["type"] = json.RawMessage(`"message"`)
		}
		kind := word(m["type"])
		if kind == "message" && len(m["content"]) > 0 && m["content"][0] == '"' {
			part := `"input_text"`
			if word(m["role"]) == "assistant" {
				part = `"output_text","annotations":[]`
			}
			m["content"] = fmt.Appendf(nil, `[{"type":%s,"text":%s}]`, part, m["content"])
		}
		id := word(m["id"])
		if id == "" {
			id = fmt.Sprintf("%s_%s%02x", prefixes[kind], base, i)
			if prefixes[kind] == "" {
				id = fmt.Sprintf("item_%s%02x", base, i)
			}
			m["id"], _ = json.Marshal(id)
		}
		body, err := json.Marshal(m)
		if err != nil {
			return nil, err
		}
		items = append(items, item{id, body})
	}
	return items, nil
}

// prefixes begin the ids of items, by type.
var prefixes = map[string]string{"message": "msg", "reasoning": "rs", "function_call": "fc", "function_call_output": "fco"}

func word(raw json.RawMessage) (s string) {
	json.Unmarshal(raw, &s) //nolint:errcheck // what is no string is no word
	return s
}
