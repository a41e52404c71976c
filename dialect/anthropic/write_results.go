// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// waitingCall is a tool call that waits for its result.
type waitingCall struct {
	id, name string
	place    string // in the request
	result   *hoosh.Part
	at       int // the message of the result
}

// results writes those among the messages [from, to), which are all up to the next
// turn of the assistant: in the order of the calls, in one message, first in it.
func (w *writer) results(ms []hoosh.Message, from, to int) {
	var later []waitingCall // without an id
	for i := from; i < to; i++ {
		for j := range ms[i].Parts {
			p := &ms[i].Parts[j]
			if p.Kind != hoosh.PartToolResult || p.Result == nil {
				continue
			}
			if p.Result.ID == "" {
				later = append(later, waitingCall{name: p.Result.Name, place: place(i, j), result: p, at: i})
				continue
			}
			k := slices.IndexFunc(w.waiting, func(c waitingCall) bool { return c.id == p.Result.ID && c.result == nil })
			w.answer(k, p, i, place(i, j))
		}
	}
	for _, r := range later {
		k := slices.IndexFunc(w.waiting, func(c waitingCall) bool { return r.name != "" && c.name == r.name && c.result == nil })
		if k < 0 {
			k = slices.IndexFunc(w.waiting, func(c waitingCall) bool { return c.result == nil })
		}
		w.answer(k, r.result, r.at, r.place)
	}
	for i := range w.waiting {
		c := &w.waiting[i]
		if c.result == nil {
			w.fail(hoosh.ErrInvalidRequest, c.place, unanswered)
			continue
		}
		w.result(c)
	}
	w.waiting = w.waiting[:0]
}

func (w *writer) answer(k int, p *hoosh.Part, i int, where string) {
	if k < 0 {
		w.fail(hoosh.ErrInvalidRequest, where, "this tool result answers no call of the assistant's turn before it; want one for each call")
		return
	}
	w.waiting[k].result, w.waiting[k].at = p, i
}

// result writes one.
func (w *writer) result(c *waitingCall) {
	w.begin("user")
	w.b = append(w.b, `{"type":"tool_result","tool_use_id":`...)
	w.id(c.id)
	r := c.result.Result
	from := len(w.b)
	w.key("content")
	if n := len(r.Parts); n == 1 && r.Parts[0].Kind == hoosh.PartText && len(r.Parts[0].Extra) == 0 {
		at := len(w.b)
		w.b = r.Parts[0].Content().AppendJSON(w.b)
		if sabotaged {
			w.b = appendMaimed(w.b[:at], r.Parts[0].Content())
		}
		if blank(w.b[at+1 : len(w.b)-1]) {
			w.b = w.b[:from]
		}
	} else {
		w.b = append(w.b, '[')
		inside := len(w.b)
		was := w.turn
		w.turn.system = true // within the array there are no turns
		for j := range r.Parts {
			w.userPart(c.at, j, &r.Parts[j])
		}
		if w.turn = was; len(w.b) == inside {
			w.b = w.b[:from]
		} else {
			w.b = append(w.b, ']')
		}
	}
	if r.Failed {
		w.b = append(w.b, `,"is_error":true`...)
	}
	w.extra(c.result.Extra, "type", "tool_use_id", "content", "is_error")
	w.b = append(w.b, '}')
}

// appendMaimed is the text without its last byte, see sabotaged.
func appendMaimed(dst []byte, t hoosh.Text) []byte {
	s := t.String()
	return jsonpeek.AppendQuote(dst, s[:max(len(s)-1, 0)])
}
