// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"bytes"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// splice is [hoosh.Dialect.Splice]: the model's name, whether it streams, what the
// vendor wants otherwise, and thinking that another backend signed; not a byte
// more.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	if k, ok := e.Key("model"); !ok {
		codec.Insert(e, s, jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	} else if c.Model != e.Model {
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Op == hoosh.OpChat && c.Stream != e.Stream {
		if k, ok := e.Key("stream"); ok {
			s.Replace(k.From, k.To, strconv.AppendBool(nil, c.Stream))
		} else {
			codec.Insert(e, s, strconv.AppendBool([]byte(`"stream":`), c.Stream))
		}
	}
	var gone codec.Cuts
	dropped := codec.SpliceRules(e, c.Model, body, p, s, &gone)
	if !p.Sealed && e.Deep != 0 {
		asked := askedThinking(e, body)
		if e.Deep&hoosh.DeepSignatures != 0 || asked == "enabled" || p.ToolID != nil {
			if k, ok := e.Key("messages"); ok {
				x := spliceTurns(body, k, p, s)
				if asked == "enabled" && (x.unsigned || x.removed) || asked == "adaptive" && x.removed {
					dropped = append(dropped, noThinking(e, body, s, &gone)...)
				}
			}
		}
	}
	gone.Cut(s)
	return dropped, nil
}

// askedThinking is the type of the thinking that the body asks for.
func askedThinking(e *hoosh.Envelope, body []byte) string {
	k, ok := e.Key("thinking")
	if !ok {
		return ""
	}
	c := jsonpeek.New(body[k.From:k.To])
	return string(typeOf(&c))
}

// noThinking turns thinking off, and what Anthropic refuses without it.
func noThinking(e *hoosh.Envelope, body []byte, s *hoosh.Splice, gone *codec.Cuts) (dropped []string) {
	k, _ := e.Key("thinking")
	s.Replace(k.From, k.To, []byte(`{"type":"disabled"}`))
	dropped = append(dropped, "thinking")
	k, ok := e.Key("context_management")
	if !ok || !bytes.Contains(body[k.From:k.To], []byte("clear_thinking")) {
		return dropped
	}
	for i := range gone.Spans {
		if gone.Spans[i].From == k.Start {
			gone.Spans[i].Cut = true
			dropped = append(dropped, "context_management")
		}
	}
	return dropped
}

// turns is what was found and changed in the messages.
type turns struct {
	base int
	p    *hoosh.Profile
	s    *hoosh.Splice

	// of the loop of tool calls at the end, if there is one:
	removed  bool // thinking was taken out of it
	unsigned bool // one of its turns calls tools without thinking first
}

// turn is what was found in one message.
type turn struct {
	role                    []byte
	calls, results, removed bool
	thinksFirst             bool
}

// nothing is what is left of an answer that was only another's thinking.
var nothing = []byte(`{"type":"text","text":"…"}`)

func spliceTurns(body []byte, messages hoosh.TopKey, p *hoosh.Profile, s *hoosh.Splice) *turns {
	// The cursor is over the value, and what it finds lies that much further on.
	c := jsonpeek.NewDepth(body[messages.From:messages.To], jsonpeek.MaxDepth)
	x := &turns{base: messages.From, p: p, s: s}
	if !c.Array() {
		return x
	}
	open := false // the last turn waits for a tool
	for c.Next() {
		var t turn
		if c.Object() {
			for c.Next() {
				switch string(innerKey(c.Key())) {
				case "role":
					t.role, _ = c.Str()
				case "content":
					if c.Array() {
						x.content(&c, &t)
					}
				}
			}
		}
		switch {
		case string(t.role) == "assistant":
			x.removed = x.removed || t.removed && t.calls
			x.unsigned = x.unsigned || t.calls && !t.thinksFirst
			open = t.calls
		case !t.results && string(t.role) == "user": // a new question ends the loop
			x.removed, x.unsigned, open = false, false, false
		}
	}
	if !open {
		x.removed, x.unsigned = false, false
	}
	return x
}

// content looks at the blocks of a message, whose array was entered.
func (x *turns) content(c *jsonpeek.Cursor, t *turn) {
	var blocks codec.Cuts
	kept := 0
	for c.Next() {
		from := x.base + c.Pos()
		var b block
		if c.Object() {
			b.read(c, x.base)
		} else {
			c.Skip()
		}
		cut := false
		switch kind := string(b.kind); kind {
		case "thinking", "redacted_thinking":
			if kind == "redacted_thinking" {
				b.sig, b.sigAt = b.data, b.dataAt
			}
			if cut = x.foreign(&b); !cut && kept == 0 {
				t.thinksFirst = true
			}
		case "tool_use":
			t.calls = true
			x.id(b.id, b.idAt)
		case "tool_result":
			t.results = true
			x.id(b.callID, b.callIDAt)
		}
		if t.removed = t.removed || cut; !cut {
			kept++
		}
		blocks.Mark(from, x.base+c.Pos(), cut)
	}
	if kept == 0 && len(blocks.Spans) > 0 {
		x.s.Replace(blocks.Spans[0].From, blocks.Spans[len(blocks.Spans)-1].To, nothing)
		return
	}
	blocks.Cut(x.s)
}

// block is what passage may have to change in one.
type block struct {
	kind                          []byte // between quotes, as all of them
	sig, data, id, callID         []byte
	sigAt, dataAt, idAt, callIDAt codec.Span
}

func (b *block) read(c *jsonpeek.Cursor, base int) {
	for c.Next() {
		key, from := innerKey(c.Key()), base+c.Pos()
		text, ok := c.Str()
		if !ok {
			continue
		}
		at := codec.Span{From: from, To: base + c.Pos()}
		switch string(key) {
		case "type":
			b.kind = codec.Plain(text)
		case "signature":
			b.sig, b.sigAt = text, at
		case "data":
			b.data, b.dataAt = text, at
		case "id":
			b.id, b.idAt = text, at
		case "tool_use_id":
			b.callID, b.callIDAt = text, at
		}
	}
}

// foreign reports that the thinking is another backend's, which this one would
// refuse. A seal on a signature of its own is taken off.
func (x *turns) foreign(b *block) bool {
	if len(b.sig) == 0 {
		return false
	}
	sig := hoosh.OpenSignature(hoosh.RawText(b.sig))
	switch {
	case sig.Issuer == "":
		return x.p.Foreign([]byte(sig.Data.String()))
	case sig.Issuer != x.p.Issuer:
		return true
	}
	x.s.Replace(b.sigAt.From, b.sigAt.To, sig.Data.AppendJSON(nil))
	return false
}

// id takes the seal off the id of a call, and brings it to the vendor's form.
func (x *turns) id(raw []byte, at codec.Span) {
	if raw == nil || x.p.ToolID == nil && !hoosh.HasSeal(raw) {
		return
	}
	id := jsonpeek.Unquote(raw)
	own := hoosh.CutID(id)
	if x.p.ToolID != nil {
		own = x.p.ToolID(own)
	}
	if own != id {
		x.s.Replace(at.From, at.To, jsonpeek.AppendQuote(nil, own))
	}
}
