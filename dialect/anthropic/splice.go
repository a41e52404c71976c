// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// splice is [hoosh.Dialect.Splice]: the model's name, whether it streams, what the
// vendor wants otherwise, and thinking that another backend signed; not a byte
// more.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	if k, ok := e.Key("model"); !ok {
		insert(e, s, jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	} else if c.Model != e.Model {
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Op == hoosh.OpChat && c.Stream != e.Stream {
		if k, ok := e.Key("stream"); ok {
			s.Replace(k.From, k.To, strconv.AppendBool(nil, c.Stream))
		} else {
			insert(e, s, strconv.AppendBool([]byte(`"stream":`), c.Stream))
		}
	}
	var gone cuts
	dropped := spliceRules(e, c.Model, body, p, s, &gone)
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
	gone.cut(s)
	return dropped, nil
}

// insert puts a member before all others.
func insert(e *hoosh.Envelope, s *hoosh.Splice, member []byte) {
	if len(e.Keys) == 0 {
		s.Replace(e.End, e.End, member)
		return
	}
	s.Replace(e.Keys[0].Start, e.Keys[0].Start, append(member, ','))
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
func noThinking(e *hoosh.Envelope, body []byte, s *hoosh.Splice, gone *cuts) (dropped []string) {
	k, _ := e.Key("thinking")
	s.Replace(k.From, k.To, []byte(`{"type":"disabled"}`))
	dropped = append(dropped, "thinking")
	k, ok := e.Key("context_management")
	if !ok || !bytes.Contains(body[k.From:k.To], []byte("clear_thinking")) {
		return dropped
	}
	for i := range gone.spans {
		if gone.spans[i].from == k.Start {
			gone.spans[i].cut = true
			dropped = append(dropped, "context_management")
		}
	}
	return dropped
}

// spliceRules renames and drops top-level keys, and names what was dropped. All
// members are marked in gone.
func spliceRules(e *hoosh.Envelope, model string, body []byte, p *hoosh.Profile, s *hoosh.Splice, gone *cuts) (dropped []string) {
	for _, k := range e.Keys {
		rule := ruleOf(p, k.Name, model)
		switch {
		case rule == nil, rule.Keep != "" && string(body[k.From:k.To]) == rule.Keep:
		case rule.Rename != "" && !e.Has(rule.Rename):
			s.Replace(k.Start, k.Start+len(k.Name)+2, jsonpeek.AppendQuote(nil, rule.Rename))
		default:
			gone.mark(k.Start, k.To, true)
			if !slices.Contains(dropped, rule.Key) {
				dropped = append(dropped, rule.Key)
			}
			continue
		}
		gone.mark(k.Start, k.To, false)
	}
	return dropped
}

func ruleOf(p *hoosh.Profile, name []byte, model string) *hoosh.Rule {
	for i := range p.Rules {
		if jsonpeek.EqualFold(name, p.Rules[i].Key) {
			return p.RuleFor(p.Rules[i].Key, model)
		}
	}
	return nil
}

// cuts takes members out of an object, or elements out of an array, each with
// one of its commas.
type cuts struct {
	spans []span
	few   [16]span
}

type span struct {
	from, to int
	cut      bool
}

func (x *cuts) mark(from, to int, cut bool) {
	if x.spans == nil {
		x.spans = x.few[:0]
	}
	x.spans = append(x.spans, span{from, to, cut})
}

func (x *cuts) cut(s *hoosh.Splice) {
	kept := false // one before this stays
	for i, m := range x.spans {
		switch {
		case !m.cut:
			kept = true
		case kept: // with the comma before it
			s.Replace(x.spans[i-1].to, m.to, nil)
		case i+1 < len(x.spans): // with the comma behind it
			s.Replace(m.from, x.spans[i+1].from, nil)
		default:
			s.Replace(m.from, m.to, nil)
		}
	}
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
	var blocks cuts
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
		blocks.mark(from, x.base+c.Pos(), cut)
	}
	if kept == 0 && len(blocks.spans) > 0 {
		x.s.Replace(blocks.spans[0].from, blocks.spans[len(blocks.spans)-1].to, nothing)
		return
	}
	blocks.cut(x.s)
}

// block is what passage may have to change in one.
type block struct {
	kind                          []byte // between quotes, as all of them
	sig, data, id, callID         []byte
	sigAt, dataAt, idAt, callIDAt span
}

func (b *block) read(c *jsonpeek.Cursor, base int) {
	for c.Next() {
		key, from := innerKey(c.Key()), base+c.Pos()
		text, ok := c.Str()
		if !ok {
			continue
		}
		at := span{from: from, to: base + c.Pos()}
		switch string(key) {
		case "type":
			b.kind = plain(text)
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
	x.s.Replace(b.sigAt.from, b.sigAt.to, sig.Data.AppendJSON(nil))
	return false
}

// id takes the seal off the id of a call, and brings it to the vendor's form.
func (x *turns) id(raw []byte, at span) {
	if raw == nil || x.p.ToolID == nil && !hoosh.HasSeal(raw) {
		return
	}
	id := jsonpeek.Unquote(raw)
	own := hoosh.CutID(id)
	if x.p.ToolID != nil {
		own = x.p.ToolID(own)
	}
	if own != id {
		x.s.Replace(at.from, at.to, jsonpeek.AppendQuote(nil, own))
	}
}
