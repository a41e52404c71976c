// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"cmp"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// encoder is [hoosh.Dialect.NewEncoder]'s. The last event holds the whole answer,
// so the encoder keeps what it has told.
type encoder struct {
	call   *hoosh.Call
	issuer string // of the source's signatures
	w      eventWriter
	obj    object
	base   string // of the items' ids
	begun  bool
	ended  bool
	tools  origins
	looked bool // at the tools

	items [][]byte // that are done, by index; nil: begun
	size  int      // of all text so far

	open  openPart
	calls []openTool
	fin   hoosh.Finish
	usage hoosh.Usage
}

// openPart is the item of text or thinking that is open.
type openPart struct {
	kind   hoosh.EventKind // text, refusal or thinking; EventStart: none is
	ref    ref
	prefix []byte // of its deltas
	text   []byte // of the part so far, between quotes
	parts  []byte // of the message that are done

	annotations []byte
	cited       int64
}

// openTool is a tool call.
type openTool struct {
	index     int    // the source's
	id        string // likewise
	callID    string
	origin    origin
	ref       ref
	prefix    []byte // of its deltas
	arguments []byte // between quotes
	done      bool
}

// maxText bounds what is kept of one answer.
const maxText = 64 << 20

// maxCalls bounds the tool calls of one answer.
const maxCalls = 1024

func newEncoder(c *hoosh.Call, r *hoosh.Reply) hoosh.FrameEncoder {
	return &encoder{call: c, issuer: r.Issuer}
}

// Encode writes e. Of several choices the first is the answer.
func (s *encoder) Encode(dst []byte, e *hoosh.Event) ([]byte, error) {
	switch {
	case s.ended || e.Choice != 0:
		return dst, nil
	case e.Kind == hoosh.EventUsage:
		s.usage = s.usage.Merge(e.Usage)
		return dst, nil
	case s.size > maxText:
		return dst, malformed(hoosh.OpChat, "the answer is too large")
	}
	s.w.b = dst
	if !s.begun {
		s.begin(e)
	}
	switch e.Kind {
	case hoosh.EventText, hoosh.EventRefusal, hoosh.EventThinking:
		if t := e.Content(); !t.IsEmpty() {
			if s.open.kind != e.Kind {
				s.openPart(e.Kind)
			}
			s.piece(t)
		}
	case hoosh.EventToolCall:
		s.toolCall(e)
	case hoosh.EventArguments:
		if t := s.find(e.Index); t != nil && !e.Content().IsEmpty() {
			s.arguments(t, e.Content())
		}
	case hoosh.EventSignature:
		s.signature(e.Signature)
	case hoosh.EventCitation:
		s.citation(e.Citation)
	case hoosh.EventFinish:
		s.fin = cmp.Or(s.fin, e.Finish)
	}
	dst, s.w.b = s.w.b, nil
	return dst, nil
}

func (s *encoder) begin(e *hoosh.Event) {
	s.begun = true
	s.obj = newObject(s.call, e.ID, e.Model, time.Time{})
	s.base = strings.TrimPrefix(s.obj.id, "resp_")
	s.w.begin(&s.obj)
}

// newItem begins the next item and says which it is.
func (s *encoder) newItem(prefix string) ref {
	s.closeWhole()
	n := len(s.items)
	s.items = append(s.items, nil)
	return ref{id: []byte(itemID(prefix, s.base, n)), output: int64(n)}
}

// done ends an item.
func (s *encoder) done(r ref, item []byte) {
	s.w.ref = r
	s.w.itemEnd(item)
	s.items[r.output] = item
}

// deltas' names by the kind of what is open, and what their index is called.
var deltaNames = [...]struct{ name, index string }{
	hoosh.EventText:     {"response.output_text.delta", "content_index"},
	hoosh.EventRefusal:  {"response.refusal.delta", "content_index"},
	hoosh.EventThinking: {"response.reasoning_summary_text.delta", "summary_index"},
}

// openPart makes the part of that kind the one that is open. A message goes on
// with a part of another kind; else it is a new item.
func (s *encoder) openPart(kind hoosh.EventKind) {
	o := &s.open
	message := kind != hoosh.EventThinking
	if message && (o.kind == hoosh.EventText || o.kind == hoosh.EventRefusal) {
		s.closePart()
		o.ref.part++
	} else {
		s.closeItem("completed")
		if message {
			o.ref = s.newItem("msg_")
			s.w.ref = o.ref
			s.w.itemBegin(appendMessageItem(nil, string(o.ref.id), "in_progress", nil))
		} else {
			o.ref = s.newItem(ownReasoning)
			s.w.ref = o.ref
			s.w.itemBegin(appendReasoningItem(nil, string(o.ref.id), nil, ""))
		}
	}
	o.kind = kind
	s.w.ref = o.ref
	if message {
		s.w.textBegin(o.noted())
	} else {
		s.w.summaryBegin()
	}
	// What all deltas of the part begin with is made once.
	p := eventWriter{b: o.prefix[:0], ref: o.ref}
	p.open(deltaNames[kind].name)
	p.at(deltaNames[kind].index)
	o.prefix = append(p.b, `,"delta":`...)
}

// noted are the annotations of the part, nil of a refusal.
func (o *openPart) noted() []byte {
	switch {
	case o.kind == hoosh.EventRefusal:
		return nil
	case o.annotations == nil:
		return []byte{}
	}
	return o.annotations
}

// piece writes a delta of the part that is open.
func (s *encoder) piece(t hoosh.Text) {
	o := &s.open
	b := append(s.w.b, o.prefix...)
	from := len(b)
	b = t.AppendJSON(b)
	o.text = append(o.text, b[from+1:len(b)-1]...)
	s.size += len(b) - from
	if o.kind == hoosh.EventText {
		b = append(b, `,"logprobs":[]`...)
	}
	s.w.b = b
	s.w.close()
}

// closePart ends the part that is open, but not its item.
func (s *encoder) closePart() {
	o := &s.open
	s.w.ref = o.ref
	if o.kind == hoosh.EventThinking {
		s.w.summaryEnd(o.text)
		return
	}
	s.w.textEnd(o.text, o.noted())
	if len(o.parts) > 0 {
		o.parts = append(o.parts, ',')
	}
	o.parts = appendTextPart(o.parts, o.text, o.noted())
	o.text, o.annotations, o.cited = o.text[:0], o.annotations[:0], 0
}

// closeItem ends the item of text or thinking that is open.
func (s *encoder) closeItem(status string) {
	o := &s.open
	switch o.kind {
	case hoosh.EventText, hoosh.EventRefusal:
		s.closePart()
		s.done(o.ref, appendMessageItem(nil, string(o.ref.id), status, o.parts))
	case hoosh.EventThinking:
		s.closeThinking(s.own(&hoosh.Signature{}).Seal()) // see outputWriter.thinking
	}
	o.kind, o.text, o.parts = hoosh.EventStart, o.text[:0], o.parts[:0]
}

func (s *encoder) closeThinking(sealed string) {
	o := &s.open
	s.closePart()
	s.done(o.ref, appendReasoningItem(nil, string(o.ref.id), o.text, sealed))
	o.kind, o.text = hoosh.EventStart, o.text[:0]
}

// signature ends the thinking that is open, or is an item by itself.
func (s *encoder) signature(sig *hoosh.Signature) {
	if sig == nil {
		return
	}
	sealed := s.own(sig).Seal()
	s.size += len(sealed)
	if s.open.kind == hoosh.EventThinking && !sig.Redacted {
		s.closeThinking(sealed)
		return
	}
	s.closeItem("completed")
	r := s.newItem(ownReasoning)
	s.w.ref = r
	s.w.itemBegin(appendReasoningItem(nil, string(r.id), nil, ""))
	s.done(r, appendReasoningItem(nil, string(r.id), nil, sealed))
}

// own is the signature with its issuer.
func (s *encoder) own(sig *hoosh.Signature) *hoosh.Signature {
	return &hoosh.Signature{Issuer: cmp.Or(sig.Issuer, s.issuer), Data: sig.Data, Redacted: sig.Redacted}
}

// citation notes a source of the text that is open. Some come before the text.
func (s *encoder) citation(t *hoosh.Citation) {
	o := &s.open
	if t == nil {
		return
	}
	raw := appendLine(nil, appendAnnotation(nil, t))
	if len(raw) == 0 {
		return
	}
	if o.kind != hoosh.EventText {
		s.openPart(hoosh.EventText)
	}
	s.w.ref = o.ref
	s.w.open("response.output_text.annotation.added")
	s.w.at("content_index")
	s.w.member("annotation_index", appendInt(nil, o.cited))
	s.w.member("annotation", raw)
	s.w.close()
	if o.cited++; o.cited > 1 {
		o.annotations = append(o.annotations, ',')
	}
	o.annotations = append(o.annotations, raw...)
	s.size += len(raw)
}

// find is the last call begun that the source counts so: some count none of
// their calls.
func (s *encoder) find(index int) *openTool {
	for k := len(s.calls) - 1; k >= 0; k-- {
		if s.calls[k].index == index {
			return &s.calls[k]
		}
	}
	return nil
}

// toolCall begins a call, unless the source says the same beginning again. It
// stays open beside others: pieces of parallel calls may alternate.
func (s *encoder) toolCall(e *hoosh.Event) {
	t := s.find(e.Index)
	if t == nil || e.ID == "" || t.id != e.ID {
		if len(s.calls) == maxCalls {
			return
		}
		s.closeItem("completed")
		t = s.beginCall(e)
	}
	switch {
	case e.Value != nil && len(t.arguments) == 0:
		s.arguments(t, hoosh.NewText(string(e.Value)))
	case !e.Content().IsEmpty():
		s.arguments(t, e.Content())
	}
}

func (s *encoder) beginCall(e *hoosh.Event) *openTool {
	if !s.looked {
		s.tools, s.looked = originsOf(s.call), true
	}
	t := openTool{index: e.Index, id: e.ID, callID: e.ID, origin: s.tools.of(e.Name)}
	if t.callID == "" {
		t.callID = newID("call_")
	}
	if e.Signature != nil {
		t.callID = hoosh.SealID(t.callID, s.own(e.Signature), nil)
	}
	s.size += len(t.callID) + len(e.Name)
	name, prefix := "response.function_call_arguments.delta", "fc_"
	if t.origin.custom {
		name, prefix = "response.custom_tool_call_input.delta", "ctc_"
	}
	t.ref = s.newItem(prefix)
	s.w.ref = t.ref
	s.w.itemBegin(t.item("in_progress", []byte(`""`)))
	p := eventWriter{ref: t.ref}
	p.open(name)
	p.at("")
	t.prefix = append(p.b, `,"delta":`...)
	s.calls = append(s.calls, t)
	return &s.calls[len(s.calls)-1]
}

// isBlank reports that a piece is white space; a long one is not looked at.
func isBlank(t hoosh.Text) bool { return t.Len() < 64 && strings.TrimSpace(t.String()) == "" }

func (t *openTool) item(status string, arguments []byte) []byte {
	return appendCallItem(nil, string(t.ref.id), status, t.callID, t.origin, arguments)
}

// arguments writes a piece of those of a call; white space that they begin with says
// nothing, and all of them may be such. The input of a custom tool can be told only
// when all of it is there.
func (s *encoder) arguments(t *openTool, piece hoosh.Text) {
	if t.done || len(t.arguments) == 0 && !t.origin.custom && isBlank(piece) {
		return
	}
	b := append(s.w.b, t.prefix...)
	from := len(b)
	b = piece.AppendJSON(b)
	t.arguments = append(t.arguments, b[from+1:len(b)-1]...)
	s.size += len(b) - from
	if t.origin.custom {
		return
	}
	s.w.b = b
	s.w.close()
}

// closeCall ends a call. One without arguments gets the empty object: clients
// parse what they were sent.
func (s *encoder) closeCall(t *openTool, status string) {
	if t.done {
		return
	}
	if len(t.arguments) == 0 && !t.origin.custom {
		s.arguments(t, hoosh.NewText("{}"))
	}
	t.done = true
	quoted := append(append([]byte{'"'}, t.arguments...), '"')
	if t.origin.custom {
		if quoted = []byte(`""`); len(t.arguments) > 0 {
			quoted = appendLine(nil, inputOf(jsonpeek.AppendUnquote(nil, t.arguments)))
		}
		if len(quoted) > 2 {
			s.w.b = append(append(s.w.b, t.prefix...), quoted...)
			s.w.close()
		}
	}
	s.w.ref = t.ref
	s.w.argumentsEnd(&t.origin, quoted)
	s.done(t.ref, t.item(status, quoted))
	t.arguments = nil
}

// closeWhole ends the calls whose arguments are all there, as far as one can
// know before the end.
func (s *encoder) closeWhole() {
	for k := range s.calls {
		t := &s.calls[k]
		if t.done || len(t.arguments) == 0 || t.arguments[0] != '{' || t.arguments[len(t.arguments)-1] != '}' {
			continue
		}
		if jsonpeek.Valid(jsonpeek.AppendUnquote(nil, t.arguments)) == nil {
			s.closeCall(t, "completed")
		}
	}
}

// End ends what is open, and the answer.
func (s *encoder) End(dst []byte) []byte {
	if s.ended {
		return dst
	}
	s.w.b = dst
	if !s.begun {
		s.begin(&hoosh.Event{})
	}
	s.ended = true
	s.obj.end(s.fin)
	status := "completed"
	if s.obj.status != "completed" {
		status = "incomplete"
	}
	s.closeItem(status)
	for k := range s.calls {
		s.closeCall(&s.calls[k], status)
	}
	s.obj.output = bytes.Join(s.items, []byte{','})
	if !s.usage.IsZero() {
		s.obj.usage = &s.usage
	}
	s.w.end(&s.obj)
	return s.w.b
}
