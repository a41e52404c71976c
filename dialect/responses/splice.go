// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// splice is [hoosh.Dialect.Splice]: the model's name, whether it streams, and what
// the vendor wants otherwise; not a byte more.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	if k, ok := e.Key("model"); !ok {
		insert(e, s, jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	} else if c.Model != e.Model {
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Stream != e.Stream && c.Op == hoosh.OpChat {
		if k, ok := e.Key("stream"); ok {
			s.Replace(k.From, k.To, strconv.AppendBool(nil, c.Stream))
		} else {
			insert(e, s, strconv.AppendBool([]byte(`"stream":`), c.Stream))
		}
	}
	dropped := spliceRules(e, c.Model, body, p, s)
	signed := !p.Sealed && e.Deep&hoosh.DeepSignatures != 0
	if p.NoDeveloper && e.Deep&hoosh.DeepDeveloper != 0 || p.ToolID != nil && e.Deep&hoosh.DeepToolIDs != 0 || signed {
		if k, ok := e.Key("input"); ok {
			spliceInput(body, k, p, s)
		}
	}
	if p.ToolChoiceRequired != "" {
		if k, ok := e.Key("tool_choice"); ok && string(body[k.From:k.To]) == `"required"` {
			s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, p.ToolChoiceRequired))
		}
	}
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

// spliceRules renames and drops top-level keys, and names what was dropped.
func spliceRules(e *hoosh.Envelope, model string, body []byte, p *hoosh.Profile, s *hoosh.Splice) (dropped []string) {
	var gone cuts
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
	gone.cut(s)
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
type cuts struct{ spans []span }

type span struct {
	from, to int
	cut      bool
}

func (x *cuts) mark(from, to int, cut bool) { x.spans = append(x.spans, span{from, to, cut}) }

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

// inputItem is what passage may have to change in an item.
type inputItem struct {
	kind, role []byte // between quotes
	roleAt     span
	callID     []byte
	callIDAt   span
	id         []byte
	sealed     []byte
	sealedAt   span
	members    cuts // all of them, the id to be cut
}

func spliceInput(body []byte, input hoosh.TopKey, p *hoosh.Profile, s *hoosh.Splice) {
	// The cursor is over the value, and what it finds lies that much further on.
	c := jsonpeek.NewDepth(body[input.From:input.To], jsonpeek.MaxDepth)
	if !c.Array() {
		return
	}
	var items cuts
	for c.Next() {
		from := input.From + c.Pos()
		var x inputItem
		if c.Object() {
			x.read(&c, input.From)
		} else {
			c.Skip()
		}
		to := input.From + c.Pos()
		cut := !p.Sealed && string(x.kind) == "reasoning" && x.foreign(p, s)
		items.mark(from, to, cut)
		if cut {
			continue
		}
		if p.NoDeveloper && string(x.role) == "developer" {
			s.Replace(x.roleAt.from, x.roleAt.to, []byte(`"system"`))
		}
		if len(x.callID) > 0 {
			x.spliceID(p, s)
		}
	}
	items.cut(s)
}

func (x *inputItem) read(c *jsonpeek.Cursor, base int) {
	for c.Next() {
		start := base + c.KeyStart()
		key, from := string(c.Key()), base+c.Pos()
		var text []byte
		if text, _ = c.Str(); text == nil {
			c.Skip()
		}
		at := span{from: from, to: base + c.Pos()}
		x.members.mark(start, at.to, key == "id")
		switch key {
		case "type":
			x.kind = text
		case "role":
			x.role, x.roleAt = text, at
		case "call_id":
			x.callID, x.callIDAt = text, at
		case "id":
			x.id = text
		case "encrypted_content":
			x.sealed, x.sealedAt = text, at
		}
	}
}

// foreign reports that the item is another backend's, which this one would
// refuse. A signature that is its own is bared.
func (x *inputItem) foreign(p *hoosh.Profile, s *hoosh.Splice) bool {
	ours := bytes.HasPrefix(x.id, []byte(ownReasoning))
	if len(x.sealed) == 0 {
		return ours
	}
	sig := hoosh.OpenSignature(hoosh.RawText(x.sealed))
	if sig.Issuer == "" {
		return p.Foreign([]byte(sig.Data.String()))
	}
	if sig.Issuer != p.Issuer || sig.Data.IsEmpty() {
		return true
	}
	s.Replace(x.sealedAt.from, x.sealedAt.to, sig.Data.AppendJSON(nil))
	if ours { // the backend compares the id with that in the signature; none is as good
		x.members.cut(s)
	}
	return false
}

// spliceID takes the seal off the id of a call, and brings it to the vendor's
// form.
func (x *inputItem) spliceID(p *hoosh.Profile, s *hoosh.Splice) {
	id := jsonpeek.Unquote(x.callID)
	own := id
	if !p.Sealed {
		own = hoosh.CutID(own)
	}
	if p.ToolID != nil {
		own = p.ToolID(own)
	}
	if own != id {
		s.Replace(x.callIDAt.from, x.callIDAt.to, jsonpeek.AppendQuote(nil, own))
	}
}
