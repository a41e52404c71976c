// SPDX-License-Identifier: AGPL-3.0-only

package codec

import (
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Cuts takes members out of an object, or elements out of an array, each with
// one of its commas.
type Cuts struct {
	// Spans are all members or elements, in their order.
	Spans []Span
}

// Span is where a member or an element is in the body.
type Span struct {
	From, To int  // [From, To), in bytes
	Cut      bool // it goes
}

// Mark adds the next member or element, whether it goes or stays.
func (x *Cuts) Mark(from, to int, cut bool) {
	if x.Spans == nil {
		x.Spans = make([]Span, 0, 16)
	}
	x.Spans = append(x.Spans, Span{from, to, cut})
}

// Cut takes out what was marked to go.
func (x *Cuts) Cut(s *hoosh.Splice) {
	kept := false // one before this stays
	for i, m := range x.Spans {
		switch {
		case !m.Cut:
			kept = true
		case kept: // with the comma before it
			s.Replace(x.Spans[i-1].To, m.To, nil)
		case i+1 < len(x.Spans): // with the comma behind it
			s.Replace(m.From, x.Spans[i+1].From, nil)
		default:
			s.Replace(m.From, m.To, nil)
		}
	}
}

// Insert puts a member before all others of the body.
func Insert(e *hoosh.Envelope, s *hoosh.Splice, member []byte) {
	if len(e.Keys) == 0 {
		s.Replace(e.End, e.End, member)
		return
	}
	s.Replace(e.Keys[0].Start, e.Keys[0].Start, append(member, ','))
}

// SpliceRules renames top-level keys as the profile says, and names those that must
// go. All members are marked in gone; the cut is the caller's.
func SpliceRules(e *hoosh.Envelope, model string, body []byte, p *hoosh.Profile, s *hoosh.Splice, gone *Cuts) (dropped []string) {
	for _, k := range e.Keys {
		rule, cut := ruleOf(p, k.Name, model), false
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
