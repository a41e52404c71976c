// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"slices"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIFrameReader reads one chunk. It takes what it knows and passes over the
// rest, as the scanner does.
type openAIFrameReader struct {
	c      jsonpeek.Cursor
	events []Event
}

// decodeOpenAIFrame is [Dialect.DecodeFrame]. A chunk that names a role is a
// start, and some backends name it in every chunk; so an answer may start more
// than once.
func decodeOpenAIFrame(dst []Event, f *Frame) ([]Event, error) {
	if len(f.Data) == 0 || f.Data[0] == '[' && bytes.Equal(bytes.TrimSpace(f.Data), doneMark) {
		return dst, nil
	}
	r := openAIFrameReader{c: jsonpeek.New(f.Data), events: dst}
	if !r.c.Object() {
		return dst, &Error{Kind: ErrMalformed, Message: "an event is not a JSON object"}
	}
	var id, model []byte
	var u Usage
	for r.c.Next() {
		switch string(r.c.Key()) {
		case "id":
			id, _ = r.c.Str()
		case "model":
			model, _ = r.c.Str()
		case "choices":
			if r.c.Array() {
				for r.c.Next() {
					r.choice()
				}
			}
		case "usage":
			u = u.Merge(readOpenAIUsage(&r.c))
		case "x_groq":
			if r.c.Object() {
				for r.c.Next() {
					if string(r.c.Key()) == "usage" {
						u = u.Merge(readOpenAIUsage(&r.c))
					}
				}
			}
		case "error":
			if k := r.c.Kind(); k != jsonpeek.Null && k != jsonpeek.Invalid {
				return dst, upstreamError(OpChat, f.Data)
			}
		}
	}
	if err := r.c.End(); err != nil {
		return dst, &Error{Kind: ErrMalformed, Message: err.Error(), Err: err}
	}
	for i := len(dst); i < len(r.events); i++ {
		// The chunk's id may stand behind its choices.
		if e := &r.events[i]; e.Kind == EventStart {
			e.ID, e.Model = jsonpeek.Unquote(id), jsonpeek.Unquote(model)
		}
	}
	if !u.IsZero() {
		r.events = append(r.events, Event{Kind: EventUsage, Usage: u})
	}
	return r.events, nil
}

// choice reads one element of choices, whose members come in any order.
func (r *openAIFrameReader) choice() {
	if !r.c.Object() {
		return
	}
	from, index, starts := len(r.events), int64(0), false
	fin := FinishNone
	for r.c.Next() {
		switch string(r.c.Key()) {
		case "index":
			index, _ = r.c.Int()
		case "delta":
			starts = r.delta() || starts
		case "text": // of a legacy completion, which names no role
			starts = true
			r.piece(EventText)
		case "finish_reason":
			if word, ok := r.c.Str(); ok {
				fin = openAIFinish(word)
			}
		}
	}
	if starts {
		r.events = slices.Insert(r.events, from, Event{Kind: EventStart})
	}
	if fin != FinishNone {
		r.events = append(r.events, Event{Kind: EventFinish, Finish: fin})
	}
	for i := from; i < len(r.events); i++ {
		r.events[i].Choice = int(min(max(index, 0), maxChoices-1))
	}
}

// piece makes an event of the string at hand, if it says anything, and reports
// that it did.
func (r *openAIFrameReader) piece(kind EventKind) bool {
	raw, ok := r.c.Str()
	if len(raw) > 0 {
		r.events = append(r.events, Event{Kind: kind, text: RawText(raw)})
	}
	return ok && len(raw) > 0
}

// delta reports that a role is named.
func (r *openAIFrameReader) delta() (starts bool) {
	if !r.c.Object() {
		return false
	}
	thought := false
	for r.c.Next() {
		switch string(r.c.Key()) {
		case "role":
			starts = r.c.Kind() == jsonpeek.String
		case "content":
			r.piece(EventText)
			r.contentParts(EventText)
		case "reasoning_content", "reasoning": // some send both, and the same in both
			if !thought {
				thought = r.piece(EventThinking)
			}
		case "refusal":
			r.piece(EventRefusal)
		case "annotations":
			if r.c.Array() {
				for r.c.Next() {
					cite := readAnnotation(&r.c)
					r.events = append(r.events, Event{Kind: EventCitation, Citation: &cite})
				}
			}
		case "tool_calls":
			if r.c.Array() {
				for at := int64(0); r.c.Next(); at++ {
					r.toolCall(at)
				}
			}
		case "function_call":
			r.toolCall(0)
		}
	}
	return starts
}

// contentParts reads content as Mistral's models that think send it: parts of
// text, and parts of thinking that hold parts of text.
func (r *openAIFrameReader) contentParts(kind EventKind) {
	if !r.c.Array() {
		return
	}
	for r.c.Next() {
		if !r.c.Object() {
			continue
		}
		for r.c.Next() {
			switch string(r.c.Key()) {
			case "text":
				r.piece(kind)
			case "thinking":
				if kind == EventText {
					r.contentParts(EventThinking)
				}
			}
		}
	}
}

// openAICallPiece is an element of a delta's tool_calls.
type openAICallPiece struct {
	id, name, arguments []byte // between quotes
	value               []byte // arguments that are not a string
}

// toolCall reads a piece of a tool call, the at-th unless it says otherwise. A
// name begins a call. So does an id without arguments: with arguments, it is
// that of a call begun before, which some backends repeat.
func (r *openAIFrameReader) toolCall(at int64) {
	if !r.c.Object() {
		return
	}
	var p openAICallPiece
	for r.c.Next() {
		switch string(r.c.Key()) {
		case "index":
			if n, ok := r.c.Int(); ok {
				at = n
			}
		case "id":
			p.id, _ = r.c.Str()
		case "function", "custom":
			if r.c.Object() {
				for r.c.Next() {
					p.function(&r.c)
				}
			}
		default: // function_call has them at this level
			p.function(&r.c)
		}
	}
	e := Event{Kind: EventArguments, Index: int(min(max(at, 0), maxCalls-1)), text: RawText(p.arguments), Value: p.value}
	if len(p.name) > 0 || len(p.id) > 0 && len(p.arguments) == 0 && p.value == nil {
		e.Kind, e.ID, e.Name = EventToolCall, jsonpeek.Unquote(p.id), jsonpeek.Unquote(p.name)
	} else if p.value != nil {
		e.text, e.Value = NewText(string(p.value)), nil
	} else if len(p.arguments) == 0 {
		return
	}
	r.events = append(r.events, e)
}

func (p *openAICallPiece) function(c *jsonpeek.Cursor) {
	switch string(c.Key()) {
	case "name":
		p.name, _ = c.Str()
	case "arguments", "input":
		if raw, ok := c.Str(); ok {
			p.arguments = raw
		} else if c.Kind() != jsonpeek.Null {
			p.value = c.Value()
		}
	}
}

// maxCalls bounds the tool calls of one answer.
const maxCalls = 1024

// openAIEncoder is [Dialect.NewEncoder]'s.
type openAIEncoder struct {
	call    *Call
	op      Operation
	wants   bool   // usage
	issuer  string // of the source's signatures
	head    []byte // what every chunk begins with, from `data: ` to `"choices":[`
	choices []openAIOpenChoice
	usage   Usage
}

// openAIOpenChoice is what an encoder knows of one answer.
type openAIOpenChoice struct {
	begun    bool
	finished bool
	calls    []openAIOpenCall
	thoughts int  // parts of thinking
	thinks   bool // one of them is open
	thinking Part // the last of them, without its text
	thought  []byte
}

// think notes a piece of thinking, or the signature that ends a part of it.
func (ch *openAIOpenChoice) think(e *Event, issuer string) {
	if !ch.thinks {
		ch.thoughts++
		ch.thinks, ch.thinking, ch.thought = true, Part{Kind: PartThinking}, ch.thought[:0]
	}
	if e.Kind == EventThinking {
		if len(ch.thought) < maxBeside { // of what is longer no signature is kept
			ch.thought = appendText(ch.thought, e.text)
		}
		return
	}
	ch.thinks = false
	if s := e.Signature; s != nil {
		ch.thinking.Signature = &Signature{Issuer: or(s.Issuer, issuer), Data: s.Data.clone(), Redacted: s.Redacted}
	}
}

// sealed is the id of a call with the signatures that belong there.
func (ch *openAIOpenChoice) sealed(id string, e *Event, issuer string) string {
	var own *Signature
	if s := e.Signature; s != nil {
		own = &Signature{Issuer: or(s.Issuer, issuer), Data: s.Data}
	}
	if len(ch.calls) > 0 || ch.thoughts != 1 {
		return SealID(id, own, nil)
	}
	ch.thinking.text = NewText(string(ch.thought))
	return SealID(id, own, &ch.thinking)
}

// openAIOpenCall is a tool call that was begun. Its place in the list is its
// index to the client, whatever the source counts.
type openAIOpenCall struct {
	index int // the source's
	id    string
	said  bool // some arguments
}

// call is the place of the last call that the source counts so, -1 without one:
// some count none of their calls.
func (ch *openAIOpenChoice) call(index int) int {
	k := len(ch.calls) - 1
	for k >= 0 && ch.calls[k].index != index {
		k--
	}
	return k
}

func newOpenAIEncoder(c *Call, r *Reply) FrameEncoder {
	return &openAIEncoder{call: c, op: c.Op, wants: c.WantsUsage(), issuer: r.Issuer}
}

// Encode writes chunks straight into dst: none of them has a line end in it, so
// each is one data line.
func (s *openAIEncoder) Encode(dst []byte, e *Event) ([]byte, error) {
	if e.Kind == EventUsage {
		s.usage = s.usage.Merge(e.Usage)
		return dst, nil
	}
	if s.head == nil {
		s.begin(e)
	}
	i := min(max(e.Choice, 0), maxChoices-1)
	for len(s.choices) <= i {
		s.choices = append(s.choices, openAIOpenChoice{})
	}
	ch := &s.choices[i]
	if s.op == OpCompletion {
		return s.legacy(dst, i, ch, e), nil
	}
	dst = s.role(dst, i, ch)
	switch e.Kind {
	case EventText:
		dst = s.text(dst, i, `"content":`, e.text)
	case EventThinking:
		ch.think(e, s.issuer)
		dst = s.text(dst, i, `"reasoning_content":`, e.text)
	case EventSignature:
		ch.think(e, s.issuer)
	case EventCitation:
		if e.Citation != nil && e.Citation.URL != "" {
			dst = append(s.open(dst, i), `"annotations":[`...)
			dst = s.close(append(appendAnnotation(dst, e.Citation, 0), ']'), FinishNone)
		}
	case EventRefusal:
		dst = s.text(dst, i, `"refusal":`, e.text)
	case EventToolCall:
		dst = s.toolCall(dst, i, ch, e)
	case EventArguments:
		if k := ch.call(e.Index); k >= 0 && !e.text.IsEmpty() {
			dst = s.arguments(dst, i, ch, k, QuotedArguments(e.text))
		}
	case EventFinish:
		dst = s.finish(dst, i, ch, e.Finish)
	}
	return dst, nil
}

// begin fixes what all chunks say, of the first event.
func (s *openAIEncoder) begin(e *Event) {
	r := Response{}
	if e.Kind == EventStart {
		r.ID, r.Model = e.ID, e.Model
	}
	s.head = append(s.head, "data: {"...)
	s.head = appendOpenAIHead(s.head, s.call, &r, openAIObject(s.op, true))
	s.head = append(s.head, `,"choices":[`...)
}

// open begins a chunk of choice i up to what its delta holds.
func (s *openAIEncoder) open(dst []byte, i int) []byte {
	dst = append(append(dst, s.head...), `{"index":`...)
	return append(appendInt(dst, int64(i)), `,"delta":{`...)
}

// close ends it.
func (s *openAIEncoder) close(dst []byte, fin Finish) []byte {
	return s.closeChoice(append(dst, '}'), fin)
}

func (s *openAIEncoder) closeChoice(dst []byte, fin Finish) []byte {
	dst = append(dst, `,"logprobs":null,"finish_reason":`...)
	dst = append(appendOpenAIFinish(dst, fin), "}]"...)
	if s.wants {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

// role writes the first chunk of a choice.
func (s *openAIEncoder) role(dst []byte, i int, ch *openAIOpenChoice) []byte {
	if ch.begun {
		return dst
	}
	ch.begun = true
	return s.close(append(s.open(dst, i), `"role":"assistant","content":""`...), FinishNone)
}

func (s *openAIEncoder) text(dst []byte, i int, key string, t Text) []byte {
	if t.IsEmpty() {
		return dst
	}
	return s.close(t.AppendJSON(append(s.open(dst, i), key...)), FinishNone)
}

// toolCall begins a call, unless the source says the same beginning again.
func (s *openAIEncoder) toolCall(dst []byte, i int, ch *openAIOpenChoice, e *Event) []byte {
	k := ch.call(e.Index)
	if k < 0 || e.ID == "" || ch.calls[k].id != e.ID {
		if len(ch.calls) == maxCalls {
			return dst
		}
		k = len(ch.calls)
		id := e.ID
		if id == "" {
			id = newOpenAIID("call_")
		}
		shown := ch.sealed(id, e, s.issuer)
		ch.calls = append(ch.calls, openAIOpenCall{index: e.Index, id: id})
		dst = append(s.open(dst, i), `"tool_calls":[{"index":`...)
		dst = append(appendInt(dst, int64(k)), `,"id":`...)
		dst = append(jsonpeek.AppendQuote(dst, shown), `,"type":"function","function":{"name":`...)
		dst = s.close(append(jsonpeek.AppendQuote(dst, e.Name), `,"arguments":""}}]`...), FinishNone)
	}
	switch {
	case e.Value != nil && !ch.calls[k].said:
		return s.arguments(dst, i, ch, k, ValueArguments(e.Value))
	case !e.text.IsEmpty():
		return s.arguments(dst, i, ch, k, QuotedArguments(e.text))
	}
	return dst
}

// arguments writes a piece of the arguments of call k.
func (s *openAIEncoder) arguments(dst []byte, i int, ch *openAIOpenChoice, k int, a Arguments) []byte {
	ch.calls[k].said = true
	dst = append(s.open(dst, i), `"tool_calls":[{"index":`...)
	dst = append(appendInt(dst, int64(k)), `,"function":{"arguments":`...)
	if a.value != nil || a.quoted.IsEmpty() {
		dst = a.AppendString(dst)
	} else { // a piece, perhaps of nothing but space
		dst = a.quoted.AppendJSON(dst)
	}
	return s.close(append(dst, "}}]"...), FinishNone)
}

// finish ends a choice, once. A call without arguments gets the empty object
// first: clients parse what they were sent.
func (s *openAIEncoder) finish(dst []byte, i int, ch *openAIOpenChoice, fin Finish) []byte {
	if ch.finished || fin == FinishNone {
		return dst
	}
	ch.finished = true
	for k := range ch.calls {
		if !ch.calls[k].said {
			dst = s.arguments(dst, i, ch, k, Arguments{})
		}
	}
	return s.close(s.open(dst, i), openAIFinal(fin, len(ch.calls) > 0))
}

// legacy writes a chunk of a legacy completion, which is text and nothing else.
func (s *openAIEncoder) legacy(dst []byte, i int, ch *openAIOpenChoice, e *Event) []byte {
	ch.begun = true
	var t Text
	var fin Finish
	switch {
	case e.Kind == EventText && !e.text.IsEmpty():
		t = e.text
	case e.Kind == EventFinish && e.Finish != FinishNone && !ch.finished:
		fin, ch.finished = e.Finish, true
	default:
		return dst
	}
	dst = append(append(dst, s.head...), `{"index":`...)
	dst = append(appendInt(dst, int64(i)), `,"text":`...)
	return s.closeChoice(t.AppendJSON(dst), fin)
}

// End finishes the choices that the source left open, and the stream.
func (s *openAIEncoder) End(dst []byte) []byte {
	for i := range max(len(s.choices), 1) {
		if len(s.choices) == 0 || s.choices[i].begun && !s.choices[i].finished {
			dst, _ = s.Encode(dst, &Event{Kind: EventFinish, Choice: i, Finish: FinishStop})
		}
	}
	if s.wants && s.usage.Source != UsageNone {
		dst = append(append(dst, s.head...), `],"usage":`...)
		dst = append(appendOpenAIUsage(dst, s.usage), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}
