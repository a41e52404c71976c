// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeFrame is [hoosh.Dialect.DecodeFrame]. Calls have no place that is counted:
// each is one by itself, and whole.
func decodeFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	if len(f.Data) == 0 {
		return dst, nil
	}
	d := frameReader{first: string(f.Event) == string(firstFrame), toolCalls: f.Finish == hoosh.FinishToolCalls}
	from := len(dst)
	c := jsonpeek.New(f.Data)
	if !c.Object() {
		if c.Kind() == jsonpeek.Array && jsonpeek.Valid(f.Data) == nil && isError(f.Data) {
			return dst, upstreamError(hoosh.OpChat, f.Data)
		}
		return dst, malformed(hoosh.OpChat, "the answer is not a JSON object", c.Err())
	}
	if d.first {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventStart})
	}
	candidates := 0
	for c.Next() {
		switch string(c.Key()) {
		case "candidates":
			if c.Array() {
				for c.Next() {
					if c.Object() {
						candidates++
						dst = d.candidate(dst, &c)
					}
				}
			}
		case "usageMetadata":
			d.usage = readUsage(&c).classes()
		case "promptFeedback":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "blockReason" {
						word, _ := c.Str()
						d.blocked = len(word) > 0 && string(word) != "BLOCK_REASON_UNSPECIFIED"
					}
				}
			}
		case "responseId":
			if d.first {
				dst[from].ID = str(&c)
			}
		case "modelVersion":
			if d.first {
				dst[from].Model = str(&c)
			}
		case "error":
			d.failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return dst[:from], malformed(hoosh.OpChat, err.Error(), err)
	}
	if d.failed {
		return dst[:from], upstreamError(hoosh.OpChat, f.Data)
	}
	if d.blocked && candidates == 0 {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: hoosh.FinishContentFilter})
	}
	if !d.usage.IsZero() {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventUsage, Usage: d.usage})
	}
	return dst, nil
}

// frameReader reads one frame.
type frameReader struct {
	first, toolCalls, blocked, failed bool
	usage                             hoosh.Usage
}

// candidate gives the events of the candidate that was entered. Its index may stand
// last.
func (d *frameReader) candidate(dst []hoosh.Event, c *jsonpeek.Cursor) []hoosh.Event {
	from, index, calls := len(dst), int64(0), 0
	var reason []byte
	for c.Next() {
		switch string(c.Key()) {
		case "content":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "parts" && c.Array() {
						for c.Next() {
							dst = appendPart(dst, c, &calls)
						}
					}
				}
			}
		case "finishReason":
			reason, _ = c.Str()
		case "index":
			index, _ = c.Int()
		case "groundingMetadata":
			var g grounding
			g.read(c)
			dst = g.events(dst)
		case "citationMetadata":
			var g grounding
			g.readCitations(c)
			dst = g.events(dst)
		}
	}
	if fin := finishOf(reason, calls > 0 || d.toolCalls); fin != hoosh.FinishNone {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: fin})
	}
	if i := int(min(max(index, 0), maxChoices-1)); i != 0 {
		for k := range dst[from:] {
			dst[from+k].Choice = i
		}
	}
	return dst
}

// events gives the sources. Where in a stream they belong to is not known: Google
// counts over all of it.
func (g *grounding) events(dst []hoosh.Event) []hoosh.Event {
	for i := range g.chunks {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventCitation, Citation: &g.chunks[i]})
	}
	return dst
}

// appendPart gives the events of the part at hand. calls counts the calls of the
// frame.
func appendPart(dst []hoosh.Event, c *jsonpeek.Cursor, calls *int) []hoosh.Event {
	if !c.Object() {
		return dst
	}
	var text, signature []byte
	thought, isCall := false, false
	at := len(dst)
	for c.Next() {
		switch string(c.Key()) {
		case "text":
			text, _ = c.Str()
		case "thought":
			thought, _ = c.Bool()
		case "thoughtSignature":
			signature, _ = c.Str()
		case "functionCall":
			if c.Object() && !isCall {
				isCall = true
				dst = append(dst, hoosh.Event{Kind: hoosh.EventToolCall, Index: *calls, Value: emptyObject})
				*calls++
				for c.Next() {
					switch string(c.Key()) {
					case "id":
						dst[at].ID = str(c)
					case "name":
						dst[at].Name = str(c)
					case "args":
						if c.Kind() == jsonpeek.Object {
							dst[at].Value = c.Value()
						}
					}
				}
			}
		}
	}
	switch {
	case isCall:
		if len(signature) > 0 {
			dst[at].Signature = &hoosh.Signature{Data: hoosh.RawText(signature)}
		}
	case thought:
		if len(text) > 0 {
			dst = append(dst, hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.RawText(text)))
		}
		if len(signature) > 0 {
			dst = append(dst, hoosh.Event{Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.RawText(signature)}})
		}
	case len(text) > 0:
		dst = append(dst, hoosh.NewEvent(hoosh.EventText, 0, hoosh.RawText(text)))
	}
	return dst
}

var emptyObject = []byte("{}")

// What a backend can make an encoder hold.
const (
	maxCalls     = 1024
	maxArguments = 16 << 20 // bytes, of all calls together
)

func tooLarge(op hoosh.Operation) error {
	return malformed(op, "the tool calls of the answer are too large", nil)
}

// encoder is [hoosh.Dialect.NewEncoder]'s. Calls are whole in this format, so the
// pieces of one are kept until something else comes and it is whole, or the answer
// has ended: those of parallel calls may alternate. The reasons are kept for the end, which has the usage beside them.
type encoder struct {
	op      hoosh.Operation
	asked   string
	id      string
	model   string
	issuer  string // of the source's signatures
	issued  bool   // tail is made, with the id and the model
	tail    []byte // what ends a frame of choice 0, after its parts
	calls   []growingCall
	waiting int // of them, not sent
	held    int // bytes of arguments
	choices []choice
	usage   hoosh.Usage
}

// choice is what the end has to say of one.
type choice struct {
	finish  hoosh.Finish
	sources []hoosh.Citation
}

// growingCall is a tool call that was begun, and perhaps sent.
type growingCall struct {
	choice, index int
	id, name      string
	signature     *hoosh.Signature
	arguments     []byte
	scan          jsonpeek.Whole
	whole         bool // they came at once
	bad           bool // they have an end and are no object
	sent          bool
}

func newEncoder(c *hoosh.Call, r *hoosh.Reply) hoosh.FrameEncoder {
	return &encoder{op: c.Op, asked: c.Model, issuer: cmp.Or(r.Issuer, r.Provider)}
}

func (s *encoder) Encode(dst []byte, e *hoosh.Event) ([]byte, error) {
	switch e.Kind {
	case hoosh.EventStart:
		if !s.issued {
			s.id, s.model = cmp.Or(s.id, e.ID), cmp.Or(s.model, e.Model)
		}
		return dst, nil
	case hoosh.EventUsage:
		s.usage = s.usage.Merge(e.Usage)
		return dst, nil
	}
	if e.Choice < 0 || e.Choice >= maxChoices {
		return dst, nil
	}
	for len(s.choices) <= e.Choice {
		s.choices = append(s.choices, choice{})
	}
	if s.waiting > 0 {
		dst = s.settle(dst, e.Choice, s.callOf(e))
	}
	switch e.Kind {
	case hoosh.EventText, hoosh.EventRefusal:
		return s.text(dst, e, textEnd), nil
	case hoosh.EventThinking:
		return s.text(dst, e, thoughtEnd), nil
	case hoosh.EventSignature:
		if e.Signature != nil {
			dst = append(dst, `data: {"candidates":[{"content":{"parts":[{"text":"","thought":true`...)
			dst = s.signature(dst, e.Signature)
			dst = s.end(append(dst, '}'), e.Choice)
		}
	case hoosh.EventCitation:
		if ch := &s.choices[e.Choice]; e.Citation != nil && len(ch.sources) < maxCitations {
			cite := *e.Citation
			cite.Raw = nil // it is the frame's
			ch.sources = append(ch.sources, cite)
		}
	case hoosh.EventToolCall:
		return s.toolCall(dst, e)
	case hoosh.EventArguments:
		if i := s.callOf(e); i >= 0 {
			return dst, s.grow(&s.calls[i], e)
		}
	case hoosh.EventFinish:
		if e.Finish != hoosh.FinishNone {
			s.choices[e.Choice].finish = e.Finish
		}
		return s.flush(dst, e.Choice)
	}
	return dst, nil
}

const (
	textHead   = `data: {"candidates":[{"content":{"parts":[{"text":`
	textEnd    = "}"
	thoughtEnd = `,"thought":true}`
)

// text writes a piece. It is the hot path: what each frame ends with is made once.
func (s *encoder) text(dst []byte, e *hoosh.Event, end string) []byte {
	if e.Content().IsEmpty() {
		return dst
	}
	dst = e.Content().AppendJSON(append(dst, textHead...))
	return s.end(append(dst, end...), e.Choice)
}

// end ends a frame after its parts.
func (s *encoder) end(dst []byte, choice int) []byte {
	if !s.issued {
		s.issued = true
		s.id = cmp.Or(s.id, newID(""))
		s.tail = append(s.tail, `],"role":"model"},"index":0}]`...)
		s.tail = append(appendIdentity(s.tail, s.id, s.model, s.asked), "}\r\n\r\n"...)
	}
	if choice == 0 {
		return append(dst, s.tail...)
	}
	const before = `],"role":"model"},"index":`
	dst = strconv.AppendInt(append(dst, before...), int64(choice), 10)
	return append(dst, s.tail[len(before)+len("0"):]...)
}

// signature writes one as a member.
func (s *encoder) signature(dst []byte, sig *hoosh.Signature) []byte {
	own := &hoosh.Signature{Issuer: cmp.Or(sig.Issuer, s.issuer), Data: sig.Data, Redacted: sig.Redacted}
	return jsonpeek.AppendQuote(append(dst, `,"thoughtSignature":`...), sealed(own))
}

// callOf is the place of the call that an event goes on with, -1 for none: some
// sources say the beginning of a call with every piece.
func (s *encoder) callOf(e *hoosh.Event) int {
	if e.Kind != hoosh.EventToolCall && e.Kind != hoosh.EventArguments {
		return -1
	}
	for i := len(s.calls) - 1; i >= 0; i-- {
		g := &s.calls[i]
		if g.choice == e.Choice && g.index == e.Index && (e.Kind == hoosh.EventArguments || e.ID != "" && g.id == e.ID) {
			return i
		}
	}
	return -1
}

// toolCall notes a call. One that is whole is sent at once if no other waits.
func (s *encoder) toolCall(dst []byte, e *hoosh.Event) ([]byte, error) {
	i := s.callOf(e)
	if i < 0 {
		if i = len(s.calls); i == maxCalls {
			return dst, tooLarge(s.op)
		}
		g := growingCall{choice: e.Choice, index: e.Index, id: e.ID, name: e.Name}
		if sig := e.Signature; sig != nil {
			g.signature = &hoosh.Signature{Issuer: sig.Issuer, Data: hoosh.NewText(sig.Data.String())}
		}
		s.calls = append(s.calls, g)
		s.waiting++
	}
	g := &s.calls[i]
	if e.Value == nil {
		return dst, s.grow(g, e)
	}
	if !g.whole && !g.sent {
		if s.held += len(e.Value); s.held > maxArguments {
			return dst, tooLarge(s.op)
		}
		g.arguments, g.whole = slices.Clone(e.Value), true
	}
	return s.settle(dst, e.Choice, -1), nil
}

// grow adds the piece that e carries to a call.
func (s *encoder) grow(g *growingCall, e *hoosh.Event) error {
	piece := e.Content()
	if piece.IsEmpty() || g.whole || g.sent {
		return nil
	}
	if s.held += piece.Len(); s.held > maxArguments {
		return tooLarge(s.op)
	}
	text := piece.String()
	g.arguments = append(g.arguments, text...)
	g.scan.Add(text)
	return nil
}

// settle sends the first calls of a choice that are whole, up to call growing: what
// comes next shall not overtake them, nor they each other.
func (s *encoder) settle(dst []byte, choice, growing int) []byte {
	for i := range s.calls {
		g := &s.calls[i]
		if g.sent || g.choice != choice {
			continue
		}
		if i == growing || g.bad || !g.whole && !g.scan.Done() {
			break
		}
		if dst, g.bad = s.send(dst, g); g.bad {
			break
		}
	}
	return dst
}

// send writes a call; it is bad if its arguments are no object.
func (s *encoder) send(dst []byte, g *growingCall) (_ []byte, bad bool) {
	call := hoosh.ToolCall{ID: g.id, Name: g.name}
	if len(g.arguments) > 0 {
		call.Arguments = hoosh.ValueArguments(g.arguments)
	}
	from := len(dst)
	dst = append(dst, `data: {"candidates":[{"content":{"parts":[`...)
	at := len(dst)
	dst, ok := appendCall(dst, &call)
	if !ok {
		return dst[:from], true
	}
	oneLine(dst[at:])
	if g.signature != nil {
		dst = s.signature(dst, g.signature)
	}
	s.done(g)
	return s.end(append(dst, '}'), g.choice), false
}

// done notes that nothing more is to be said of a call.
func (s *encoder) done(g *growingCall) {
	s.held -= len(g.arguments)
	s.waiting--
	g.sent, g.arguments = true, nil
}

// flush sends the calls of a choice that wait, or with -1 of all. It keeps their
// order. One in which the answer was cut off is left out.
func (s *encoder) flush(dst []byte, choice int) ([]byte, error) {
	for i := range s.calls {
		g := &s.calls[i]
		if g.sent || choice >= 0 && g.choice != choice {
			continue
		}
		if len(g.arguments) > 0 && s.choices[g.choice].finish == hoosh.FinishLength && jsonpeek.Valid(g.arguments) != nil {
			s.done(g)
			continue
		}
		var bad bool
		if dst, bad = s.send(dst, g); bad {
			return dst, badArguments(s.op)
		}
	}
	return dst, nil
}

// oneLine takes line ends out of JSON, where they are white space: an event is a
// line.
func oneLine(b []byte) {
	for i := range b {
		if b[i] == '\n' || b[i] == '\r' {
			b[i] = ' '
		}
	}
}

// End writes the last event, with the reasons and the usage.
func (s *encoder) End(dst []byte) []byte {
	// A stream that gave no reason may hold calls still.
	dst, err := s.flush(dst, -1)
	if err != nil {
		return append(dst, streamError(hoosh.AsError(err))...)
	}
	if len(s.choices) == 0 {
		s.choices = append(s.choices, choice{})
	}
	dst = append(dst, `data: {"candidates":[`...)
	for i := range s.choices {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendLast(dst, i, s.choices[i].finish, s.choices[i].sources)
	}
	dst = appendUsage(append(dst, `],"usageMetadata":`...), s.usage)
	dst = appendIdentity(dst, s.id, s.model, s.asked)
	return append(dst, "}\r\n\r\n"...)
}
