// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import "github.com/maccracken/hoosh/internal/jsonpeek"

// accumulator joins the events of a stream into a response.
type accumulator struct {
	resp    Response
	choices []grownChoice
}

// grownChoice is a choice whose parts still grow.
type grownChoice struct {
	finish  Finish
	stopped string
	parts   []grownPart
}

// grownPart collects the pieces of one part in a buffer, for a string that
// grows by appending costs its length anew with every piece.
type grownPart struct {
	kind  PartKind
	text  []byte // text, or arguments that come in pieces
	call  *ToolCall
	index int // of the call

	signature *Signature
	citations []Citation
}

// maxChoices bounds what a backend can make us hold.
const maxChoices = 128

func (a *accumulator) choice(i int) *grownChoice {
	i = min(max(i, 0), maxChoices-1)
	for len(a.choices) <= i {
		a.choices = append(a.choices, grownChoice{})
	}
	return &a.choices[i]
}

func (a *accumulator) add(e *Event) {
	switch e.Kind {
	case EventStart:
		if e.ID != "" {
			a.resp.ID = e.ID
		}
		if e.Model != "" {
			a.resp.Model = e.Model
		}
	case EventUsage:
		a.resp.Usage = a.resp.Usage.Merge(e.Usage)
	case EventFinish:
		ch := a.choice(e.Choice)
		ch.finish, ch.stopped = e.Finish, e.Name
	case EventText:
		a.choice(e.Choice).grow(PartText, e.text)
	case EventThinking:
		a.choice(e.Choice).grow(PartThinking, e.text)
	case EventRefusal:
		a.choice(e.Choice).grow(PartRefusal, e.text)
	case EventToolCall:
		ch := a.choice(e.Choice)
		if p := ch.call(e.Index); p != nil && e.ID != "" && p.call.ID == e.ID {
			p.text = appendText(p.text, e.text) // some backends begin a call again with every piece
			break
		}
		call := &ToolCall{ID: e.ID, Name: e.Name}
		if e.Value != nil {
			call.Arguments = ValueArguments(e.Value)
		}
		ch.parts = append(ch.parts, grownPart{kind: PartToolCall, call: call, index: e.Index, text: appendText(nil, e.text), signature: e.Signature})
	case EventArguments:
		if p := a.choice(e.Choice).call(e.Index); p != nil {
			p.text = appendText(p.text, e.text)
		}
	case EventSignature:
		a.choice(e.Choice).sign(e.Signature)
	case EventCitation:
		if ch := a.choice(e.Choice); e.Citation != nil {
			ch.grow(PartText, Text{})
			p := &ch.parts[len(ch.parts)-1]
			p.citations = append(p.citations, *e.Citation)
		}
	}
}

// sign ends the thinking with its signature; thinking that is redacted is a part
// of its own.
func (c *grownChoice) sign(s *Signature) {
	if s == nil {
		return
	}
	n := len(c.parts)
	if s.Redacted || n == 0 || c.parts[n-1].kind != PartThinking || c.parts[n-1].signature != nil {
		c.parts = append(c.parts, grownPart{kind: PartThinking})
		n++
	}
	c.parts[n-1].signature = s
}

// call is the last call begun of this index, nil without one: some backends
// count none of their calls.
func (c *grownChoice) call(index int) *grownPart {
	for i := len(c.parts) - 1; i >= 0; i-- {
		if p := &c.parts[i]; p.call != nil && p.index == index {
			return p
		}
	}
	return nil
}

func (c *grownChoice) grow(kind PartKind, t Text) {
	n := len(c.parts)
	if n == 0 || c.parts[n-1].kind != kind || c.parts[n-1].signature != nil {
		c.parts = append(c.parts, grownPart{kind: kind})
		n++
	}
	c.parts[n-1].text = appendText(c.parts[n-1].text, t)
}

// response is what has been said so far.
func (a *accumulator) response() *Response {
	r := a.resp
	for i := range a.choices {
		c := Choice{Index: i, Finish: a.choices[i].finish, Stopped: a.choices[i].stopped, Message: Message{Role: RoleAssistant}}
		for _, p := range a.choices[i].parts {
			if p.call == nil {
				part := NewPart(p.kind, NewText(string(p.text)))
				part.Signature, part.Citations = p.signature, p.citations
				c.Message.Parts = append(c.Message.Parts, part)
				continue
			}
			call := *p.call
			if len(p.text) > 0 {
				call.Arguments = QuotedArguments(NewText(string(p.text)))
			}
			c.Message.Parts = append(c.Message.Parts, Part{Kind: PartToolCall, Call: &call, Signature: p.signature})
			if c.Finish == FinishStop { // some backends say so of calls too
				c.Finish = FinishToolCalls
			}
		}
		r.Choices = append(r.Choices, c)
	}
	return &r
}

// appendText appends what t says.
func appendText(dst []byte, t Text) []byte {
	if t.raw == nil {
		return append(dst, t.s...)
	}
	return jsonpeek.AppendUnquote(dst, t.raw)
}
