// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"encoding/base64"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// splice is [hoosh.Dialect.Splice]: the model's name where a body has it, what the
// vendor wants otherwise, and what another backend signed; not a byte more. The model
// of a chat, and whether it streams, are in the path.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	x := &passage{body: body, p: p, s: s, model: c.Model, signed: generationOf(c.Model).signed}
	var gone codec.Cuts
	var dropped []string
	for _, k := range e.Keys {
		rule := ruleOf(p, k.Name, c.Model)
		cut := false
		switch {
		case rule == nil, rule.Keep != "" && string(body[k.From:k.To]) == rule.Keep:
		case rule.Rename != "" && !e.Has(rule.Rename):
			s.Replace(k.Start, k.Start+len(k.Name)+2, jsonpeek.AppendQuote(nil, rule.Rename))
		default:
			cut = true
			if !slices.Contains(dropped, rule.Key) {
				dropped = append(dropped, rule.Key)
			}
		}
		gone.Mark(k.Start, k.To, cut)
		if !cut {
			x.member(nameOf(k.Name), k.From, k.To, !p.Sealed && (e.Deep&hoosh.DeepSignatures != 0 || p.ToolID != nil || x.signed && e.Deep&hoosh.DeepToolIDs != 0))
		}
	}
	gone.Cut(s)
	return dropped, nil
}

func ruleOf(p *hoosh.Profile, name []byte, model string) *hoosh.Rule {
	for i := range p.Rules {
		if r := &p.Rules[i]; jsonpeek.EqualFold(name, r.Key) || nameOf(name) != "" && nameOf(name) == nameOf([]byte(r.Key)) {
			return p.RuleFor(r.Key, model)
		}
	}
	return nil
}

// passage looks at the inside of a body.
type passage struct {
	body   []byte
	p      *hoosh.Profile
	s      *hoosh.Splice
	model  string
	signed bool // the model refuses a call without a signature
	called bool // a call of this content was seen
	base   int  // of the value that the cursor is over
}

// member looks at a top-level member, whose value is at [from, to); deep tells that
// the contents must be looked at.
func (x *passage) member(name string, from, to int, deep bool) {
	x.base = from
	c := jsonpeek.NewDepth(x.body[from:to], jsonpeek.MaxDepth)
	switch name {
	case "model":
		x.name(&c)
	case "requests":
		if c.Array() {
			for c.Next() {
				if !c.Object() {
					continue
				}
				for c.Next() {
					if nameOf(c.Key()) == "model" {
						x.name(&c)
					}
				}
			}
		}
	case "generateContentRequest":
		if c.Object() {
			for c.Next() {
				switch nameOf(c.Key()) {
				case "model":
					x.name(&c)
				case "contents":
					if deep {
						x.contents(&c)
					}
				}
			}
		}
	case "contents":
		if deep {
			x.contents(&c)
		}
	}
}

// name looks at a model's name.
func (x *passage) name(c *jsonpeek.Cursor) {
	from := x.base + c.Pos()
	raw, ok := c.Str()
	if want := modelName(x.model); ok && !jsonpeek.Equal(raw, want) {
		x.s.Replace(from, x.base+c.Pos(), jsonpeek.AppendQuote(nil, want))
	}
}

func (x *passage) contents(c *jsonpeek.Cursor) {
	if !c.Array() {
		return
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			if nameOf(c.Key()) == "parts" && c.Array() {
				x.parts(c)
			}
		}
	}
}

// nothing is what is left of a content that was only another's thinking.
var nothing = []byte(`{"text":"…"}`)

// parts looks at the parts of a content, whose array was entered.
func (x *passage) parts(c *jsonpeek.Cursor) {
	var parts codec.Cuts
	kept := 0
	x.called = false
	for c.Next() {
		from := x.base + c.Pos()
		cut := c.Object() && x.part(c)
		c.Skip() // what is no object
		if !cut {
			kept++
		}
		parts.Mark(from, x.base+c.Pos(), cut)
	}
	if kept == 0 && len(parts.Spans) > 0 {
		x.s.Replace(parts.Spans[0].From, parts.Spans[len(parts.Spans)-1].To, nothing)
		return
	}
	parts.Cut(x.s)
}

// part looks at the part that was entered, and reports that it must go: thinking of
// another. Of other parts only the signature goes.
func (x *passage) part(c *jsonpeek.Cursor) (cut bool) {
	var members codec.Cuts
	var sig []byte
	at := -1 // place of the signature among the members
	var value codec.Span
	thought, call := false, false
	for c.Next() {
		start, from := x.base+c.KeyStart(), x.base+c.Pos()
		switch nameOf(c.Key()) {
		case "thought":
			thought, _ = c.Bool()
		case "thoughtSignature":
			if raw, ok := c.Str(); ok {
				at, value = len(members.Spans), codec.Span{From: from, To: x.base + c.Pos()}
				if len(raw) > 0 {
					sig = raw
				}
			}
		case "functionCall":
			call = c.Kind() == jsonpeek.Object
			x.call(c)
		case "functionResponse":
			x.call(c)
		}
		c.Skip() // what was not looked at
		members.Mark(start, x.base+c.Pos(), false)
	}
	first := call && !x.called
	x.called = x.called || call
	if sig == nil {
		if first && x.signed { // it was made by another backend
			if end := members.Spans[len(members.Spans)-1].To; at < 0 {
				x.s.Replace(end, end, []byte(`,"thoughtSignature":"`+noSignature+`"`))
			} else { // an empty one
				x.s.Replace(value.From, value.To, []byte(`"`+noSignature+`"`))
			}
		}
		return false
	}
	s := openSignature(hoosh.RawText(sig))
	switch {
	case s.Issuer == "" && !x.foreign(s.Data.String()):
	case s.Issuer != "" && s.Issuer == x.p.Issuer:
		x.s.Replace(value.From, value.To, s.Data.AppendJSON(nil))
	case thought:
		return true
	case call && x.signed:
		x.s.Replace(value.From, value.To, []byte(`"`+noSignature+`"`))
	default:
		members.Spans[at].Cut = true
		if len(members.Spans) == 1 {
			return true
		}
		members.Cut(x.s)
	}
	return false
}

// foreign reports that another backend issued the signature. Clients that hold bytes
// write them in the alphabet that they like; Google's own is the standard one.
func (x *passage) foreign(text string) bool {
	if x.p.Foreign([]byte(text)) {
		return true
	}
	b, ok := unbase64(text)
	return ok && x.p.Foreign([]byte(base64.StdEncoding.EncodeToString(b)))
}

// call looks at a call or a result: the seal of its id is taken off, and it is
// brought to the vendor's form.
func (x *passage) call(c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	for c.Next() {
		if nameOf(c.Key()) != "id" {
			continue
		}
		from := x.base + c.Pos()
		raw, ok := c.Str()
		if !ok || len(raw) == 0 || x.p.ToolID == nil && !hoosh.HasSeal(raw) {
			continue
		}
		id := jsonpeek.Unquote(raw)
		own := hoosh.CutID(id)
		if x.p.ToolID != nil {
			own = x.p.ToolID(own)
		}
		if own != id {
			x.s.Replace(from, x.base+c.Pos(), jsonpeek.AppendQuote(nil, own))
		}
	}
}
