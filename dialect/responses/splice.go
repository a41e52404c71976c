// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// splice is [hoosh.Dialect.Splice]: the model's name, whether it streams, and what
// the vendor wants otherwise; not a byte more.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	if k, ok := e.Key("model"); !ok {
		codec.Insert(e, s, jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	} else if c.Model != e.Model {
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Stream != e.Stream && c.Op == hoosh.OpChat {
		if k, ok := e.Key("stream"); ok {
			s.Replace(k.From, k.To, strconv.AppendBool(nil, c.Stream))
		} else {
			codec.Insert(e, s, strconv.AppendBool([]byte(`"stream":`), c.Stream))
		}
	}
	var gone codec.Cuts
	dropped := codec.SpliceRules(e, c.Model, body, p, s, &gone)
	gone.Cut(s)
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

// inputItem is what passage may have to change in an item.
type inputItem struct {
	kind, role []byte // between quotes
	roleAt     codec.Span
	callID     []byte
	callIDAt   codec.Span
	id         []byte
	sealed     []byte
	sealedAt   codec.Span
	members    codec.Cuts // all of them, the id to be cut
}

func spliceInput(body []byte, input hoosh.TopKey, p *hoosh.Profile, s *hoosh.Splice) {
	// The cursor is over the value, and what it finds lies that much further on.
	c := jsonpeek.NewDepth(body[input.From:input.To], jsonpeek.MaxDepth)
	if !c.Array() {
		return
	}
	var items codec.Cuts
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
		items.Mark(from, to, cut)
		if cut {
			continue
		}
		if p.NoDeveloper && string(x.role) == "developer" {
			s.Replace(x.roleAt.From, x.roleAt.To, []byte(`"system"`))
		}
		if len(x.callID) > 0 {
			x.spliceID(p, s)
		}
	}
	items.Cut(s)
}

func (x *inputItem) read(c *jsonpeek.Cursor, base int) {
	for c.Next() {
		start := base + c.KeyStart()
		key, from := string(c.Key()), base+c.Pos()
		var text []byte
		if text, _ = c.Str(); text == nil {
			c.Skip()
		}
		at := codec.Span{From: from, To: base + c.Pos()}
		x.members.Mark(start, at.To, key == "id")
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
	s.Replace(x.sealedAt.From, x.sealedAt.To, sig.Data.AppendJSON(nil))
	if ours { // the backend compares the id with that in the signature; none is as good
		x.members.Cut(s)
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
		s.Replace(x.callIDAt.From, x.callIDAt.To, jsonpeek.AppendQuote(nil, own))
	}
}
