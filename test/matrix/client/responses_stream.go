// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// responsesStream follows the events of one response.
type responsesStream struct {
	d     *doc
	got   *Got
	items []*responsesOpen
	id    string // of the response
	state string // the last event of the response itself
}

// responsesOpen is an item that is being told.
type responsesOpen struct {
	kind, id string
	parts    []*strings.Builder // texts of contents or summaries
	ended    []int              // how far each part is: 0 open, 1 its text is done, 2 done
	args     strings.Builder
	argsDone bool
	done     bool
	item     node
}

func readResponsesStream(h http.Header, body io.Reader) (got Got, err error) {
	if err := media(h, "text/event-stream"); err != nil {
		return got, err
	}
	e := newEvents(body, "\n")
	s := &responsesStream{d: &doc{}, got: &got}
	defer func() { got.Frames = e.frames }()
	for i := int64(0); ; i++ {
		ev, err := e.next()
		if err == io.EOF || err == errTorn {
			if s.state != "error" {
				s.far()
				got.Error = &neutral.Fault{Cut: true}
			}
			return got, s.d.err
		}
		if err != nil {
			return got, err
		}
		path := fmt.Sprintf("event %d (%s)", i, ev.name)
		n := s.d.parse(path, []byte(ev.data))
		n.at("type").is(ev.name)
		if seq := n.at("sequence_number").int(); seq != i {
			s.d.fail(path+".sequence_number", "%d, not %d", seq, i)
		}
		was := s.state
		over := s.event(ev.name, n)
		if s.d.err != nil {
			return got, s.d.err
		}
		if was == "error" && ev.name != "response.failed" {
			return got, fmt.Errorf("after an error comes %s", ev.name)
		}
		if over {
			return got, e.nothing(ev.name)
		}
	}
}

// far gives what had come of a response that does not end.
func (s *responsesStream) far() {
	var j joiner
	for _, it := range s.items {
		for _, b := range it.parts {
			if it.kind == "reasoning" {
				j.thinking(b.String())
			} else {
				j.text(b.String())
			}
		}
	}
	s.got.Parts = j.parts
}

// event takes one in, and reports that it was the last.
func (s *responsesStream) event(name string, n node) (over bool) {
	switch name {
	case "error":
		n.needs("code", "message", "param")
		s.got.Error = responsesKind(n.at("code").strOr(), n.at("message").some())
		s.far()
	case "response.failed": // an error may come before it, for clients that know only that
		s.response(n.at("response"), "failed")
		s.got.Error = responsesFailed(n.at("response"))
		s.far()
		return true
	case "response.created":
		s.expect(n, "")
		s.response(n.at("response"), "in_progress")
	case "response.in_progress":
		s.expect(n, "response.created")
		s.response(n.at("response"), "in_progress")
	case "response.completed", "response.incomplete":
		s.expect(n, "response.in_progress")
		s.response(n.at("response"), strings.TrimPrefix(name, "response."))
		s.end(n.at("response"))
		return true
	default:
		if s.state != "response.in_progress" {
			s.d.fail(n.path, "comes after %q", s.state)
		}
		s.ofItem(name, n)
		return false
	}
	s.state = name
	return false
}

func (s *responsesStream) expect(n node, before string) {
	if s.state != before {
		s.d.fail(n.path, "comes after %q, not after %q", s.state, before)
	}
}

func (s *responsesStream) response(r node, status string) {
	responsesHead(r)
	r.at("status").is(status)
	id := r.at("id").some()
	if s.id == "" {
		s.id = id
	}
	if id != s.id {
		s.d.fail(r.path+".id", "%q, and was %q", id, s.id)
	}
	if status == "in_progress" && len(r.at("output").list()) > 0 {
		s.d.fail(r.path+".output", "is not empty at the start")
	}
}

// end compares the whole response with what was told in pieces.
func (s *responsesStream) end(r node) {
	pieces := s.got.Pieces
	*s.got = Got{Answer: responsesWhole(r), Pieces: pieces}
	out := r.at("output").list()
	if len(out) != len(s.items) {
		s.d.fail(r.path+".output", "%d items, and %d were told", len(out), len(s.items))
		return
	}
	for i, it := range s.items {
		if !it.done {
			s.d.fail(out[i].path, "was never done")
		}
		if string(canonical(out[i].raw)) != string(canonical(it.item.raw)) {
			s.d.fail(out[i].path, "%s, and output_item.done said %s", out[i].raw, it.item.raw)
		}
	}
}

func (s *responsesStream) ofItem(name string, n node) {
	i := int(n.at("output_index").int())
	if name == "response.output_item.added" {
		item := n.at("item")
		if i != len(s.items) || i > 0 && !s.items[i-1].done {
			s.d.fail(n.path+".output_index", "%d begins, with %d items before, done or not", i, len(s.items))
		}
		it := &responsesOpen{kind: item.at("type").oneOf("message", "function_call", "reasoning"), id: item.at("id").some()}
		switch it.kind {
		case "message":
			item.at("role").is("assistant")
			item.at("status").is("in_progress")
			if len(item.at("content").list()) > 0 {
				s.d.fail(item.path+".content", "is not empty at the start")
			}
		case "function_call":
			item.at("status").is("in_progress")
			item.at("call_id").some()
			item.at("name").some()
			item.at("arguments").is("")
		default:
			if len(item.at("summary").list()) > 0 {
				s.d.fail(item.path+".summary", "is not empty at the start")
			}
		}
		s.items = append(s.items, it)
		return
	}
	if i >= len(s.items) || s.items[i].done {
		s.d.fail(n.path+".output_index", "%d is no open item", i)
		return
	}
	it := s.items[i]
	if name == "response.output_item.done" {
		it.finish(n.at("item"))
		return
	}
	n.at("item_id").is(it.id)
	switch {
	case it.kind == "message" && strings.HasPrefix(name, "response.content_part.") || strings.HasPrefix(name, "response.output_text."):
		it.part(name, n, "content_index", "response.content_part.", "response.output_text.", "output_text")
		if name == "response.output_text.delta" {
			s.got.Pieces++
			n.at("logprobs").list()
		} else if name == "response.output_text.done" {
			n.at("logprobs").list()
		}
	case it.kind == "reasoning" && strings.HasPrefix(name, "response.reasoning_summary_"):
		it.part(name, n, "summary_index", "response.reasoning_summary_part.", "response.reasoning_summary_text.", "summary_text")
	case it.kind == "reasoning" && strings.HasPrefix(name, "response.reasoning_text."):
		it.part(name, n, "content_index", "response.content_part.", "response.reasoning_text.", "reasoning_text")
	case it.kind == "function_call" && name == "response.function_call_arguments.delta":
		if it.argsDone {
			s.d.fail(n.path, "after the arguments were done")
		}
		it.args.WriteString(n.at("delta").some())
	case it.kind == "function_call" && name == "response.function_call_arguments.done":
		it.argsDone = true
		n.at("name").some()
		n.at("arguments").is(it.args.String())
	default:
		s.d.fail(n.path, "is no event of a %s", it.kind)
	}
}

// part follows added, delta, done, done of one part of an item.
func (it *responsesOpen) part(name string, n node, index, whole, piece, kind string) {
	i := int(n.at(index).int())
	state := -1
	if i < len(it.parts) {
		state = it.ended[i]
	}
	want := map[string]int{whole + "added": -1, piece + "delta": 0, piece + "done": 0, whole + "done": 1}
	w, ok := want[name]
	if !ok || state != w || i > len(it.parts) {
		n.d.fail(n.path, "part %d of %d is not at that point (%d)", i, len(it.parts), state)
		return
	}
	switch name {
	case whole + "added":
		n.at("part").at("type").is(kind)
		n.at("part").at("text").is("")
		it.parts, it.ended = append(it.parts, &strings.Builder{}), append(it.ended, 0)
	case piece + "delta":
		it.parts[i].WriteString(n.at("delta").str())
	case piece + "done":
		n.at("text").is(it.parts[i].String())
		it.ended[i] = 1
	default:
		n.at("part").at("type").is(kind)
		n.at("part").at("text").is(it.parts[i].String())
		it.ended[i] = 2
	}
}

// finish compares the whole item with its pieces.
func (it *responsesOpen) finish(item node) {
	d := item.d
	it.done, it.item = true, item
	item.at("type").is(it.kind)
	item.at("id").is(it.id)
	if it.kind == "function_call" {
		if !it.argsDone {
			d.fail(item.path, "its arguments were never done")
		}
		item.at("arguments").is(it.args.String())
		return
	}
	key := "content"
	if it.kind == "reasoning" && item.at("summary").there() && len(item.at("summary").list()) > 0 {
		key = "summary"
	}
	l := item.at(key).listOr()
	if len(l) != len(it.parts) {
		d.fail(item.path+"."+key, "%d parts, and %d were told", len(l), len(it.parts))
		return
	}
	for i, p := range l {
		if it.ended[i] != 2 {
			d.fail(p.path, "was never done")
		}
		p.at("text").is(it.parts[i].String())
	}
}
