// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"slices"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

var (
	askUsage       = []byte(`,"stream_options":{"include_usage":true}`)
	usageOptions   = []byte(`{"include_usage":true}`)
	usageMember    = []byte(`"include_usage":true,`)
	jsonTrue       = []byte("true")
	quotedSystem   = []byte(`"system"`)
	quotedRequired = []byte(`"required"`)
)

// spliceOpenAI is [Dialect.Splice]: the model's name, the switch that asks for
// usage in a stream, and what the vendor wants otherwise; not a byte more.
func spliceOpenAI(c *Call, p *Profile, s *Splice) ([]string, error) {
	e, body := c.Envelope(), c.Body()
	k, ok := e.Key("model")
	switch {
	case !ok && len(e.Keys) == 0:
		s.Replace(e.End, e.End, jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	case !ok:
		member := append(jsonpeek.AppendQuote([]byte(`"model":`), c.Model), ',')
		s.Replace(e.Keys[0].Start, e.Keys[0].Start, member)
	case ok && c.Model != e.Model:
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Stream && !e.WantsUsage && !p.NoStreamOptions {
		spliceAskUsage(e, body, s)
	}
	dropped := p.spliceRules(e, c.Model, body, s)
	if p.NoDeveloper && e.Deep&DeepDeveloper != 0 || p.ToolID != nil && e.Deep&DeepToolIDs != 0 || !p.Sealed && e.Deep&DeepSignatures != 0 ||
		p.NoThinking && e.Deep&DeepThinking != 0 {
		if k, ok := e.Key("messages"); ok {
			p.spliceMessages(body, k, s)
		}
	}
	if p.ToolChoiceRequired != "" {
		if k, ok := e.Key("tool_choice"); ok && bytes.Equal(body[k.From:k.To], quotedRequired) {
			s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, p.ToolChoiceRequired))
		}
	}
	return dropped, nil
}

// spliceAskUsage turns include_usage on.
func spliceAskUsage(e *Envelope, body []byte, s *Splice) {
	k, ok := e.Key("stream_options")
	if !ok {
		s.Replace(e.End, e.End, askUsage)
		return
	}
	c := jsonpeek.New(body[k.From:k.To])
	if !c.Object() { // null
		s.Replace(k.From, k.To, usageOptions)
		return
	}
	first := -1
	for c.Next() {
		if first < 0 {
			first = c.KeyStart()
		}
		if jsonpeek.EqualFold(c.Key(), "include_usage") {
			from := c.Pos()
			c.Skip()
			s.Replace(k.From+from, k.From+c.Pos(), jsonTrue)
			return
		}
	}
	if first < 0 {
		s.Replace(k.From, k.To, usageOptions)
		return
	}
	s.Replace(k.From+first, k.From+first, usageMember)
}

// spliceRules renames and drops top-level keys, and names what was dropped.
func (p *Profile) spliceRules(e *Envelope, model string, body []byte, s *Splice) (dropped []string) {
	if len(p.Rules) == 0 && !p.NoStreamOptions {
		return nil
	}
	kept := false // a member before this one stays
	for i, k := range e.Keys {
		rule := p.ruleOf(k.Name, model)
		drop := false
		switch {
		case p.NoStreamOptions && jsonpeek.EqualFold(k.Name, "stream_options"):
			drop = true // nothing is lost: such a vendor reports usage unasked
		case rule == nil, rule.Keep != "" && string(body[k.From:k.To]) == rule.Keep:
		case rule.Rename != "" && !e.Has(rule.Rename):
			s.Replace(k.Start, k.Start+len(k.Name)+2, jsonpeek.AppendQuote(nil, rule.Rename))
		default:
			drop = true
			if !slices.Contains(dropped, rule.Key) {
				dropped = append(dropped, rule.Key)
			}
		}
		switch {
		case !drop:
			kept = true
		case kept: // with the comma before it
			s.Replace(e.Keys[i-1].To, k.To, nil)
		case i+1 < len(e.Keys): // with the comma behind it
			s.Replace(k.Start, e.Keys[i+1].Start, nil)
		default:
			s.Replace(k.Start, k.To, nil)
		}
	}
	return dropped
}

// spliceOut takes the member at hand out of its object, with the comma before it
// or, of the first, behind it. Two that follow each other are not both cut well,
// so it is for members that stand once.
func spliceOut(c *jsonpeek.Cursor, body []byte, offset int, first bool, s *Splice) {
	start := offset + c.KeyStart()
	c.Skip()
	end := offset + c.Pos()
	if !first {
		for start--; body[start] != ','; start-- {
		}
	} else {
		for end < len(body) && body[end] != ',' && body[end] != '}' {
			end++
		}
		if end < len(body) && body[end] == ',' {
			end++
		}
	}
	s.Replace(start, end, nil)
}

func (p *Profile) ruleOf(name []byte, model string) *Rule {
	for i := range p.Rules {
		if jsonpeek.EqualFold(name, p.Rules[i].Key) && p.Rules[i].applies(model) {
			return &p.Rules[i]
		}
	}
	return nil
}

// spliceMessages changes roles and tool-call ids where they stand.
func (p *Profile) spliceMessages(body []byte, messages TopKey, s *Splice) {
	c := jsonpeek.New(body[messages.From:messages.To])
	replaceID := func(c *jsonpeek.Cursor) {
		from := c.Pos()
		raw, ok := c.Str()
		if !ok || p.ToolID == nil && !HasSeal(raw) {
			return
		}
		was := jsonpeek.Unquote(raw)
		id := was
		if !p.Sealed {
			id = CutID(id)
		}
		if p.ToolID != nil {
			id = p.ToolID(id)
		}
		if id != was {
			s.Replace(messages.From+from, messages.From+c.Pos(), jsonpeek.AppendQuote(nil, id))
		}
	}
	if !c.Array() {
		return
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for first := true; c.Next(); first = false {
			switch string(c.Key()) {
			case "reasoning_content":
				if p.NoThinking {
					spliceOut(&c, body[:messages.To], messages.From, first, s)
				}
			case "role":
				from := c.Pos()
				if role, _ := c.Str(); p.NoDeveloper && string(role) == "developer" {
					s.Replace(messages.From+from, messages.From+c.Pos(), quotedSystem)
				}
			case "tool_call_id":
				replaceID(&c)
			case "tool_calls":
				if !c.Array() {
					continue
				}
				for c.Next() {
					if !c.Object() {
						continue
					}
					for c.Next() {
						if string(c.Key()) == "id" {
							replaceID(&c)
						}
					}
				}
			}
		}
	}
}
