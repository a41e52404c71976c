// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"cmp"
	"crypto/rand"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeFrame is [hoosh.Dialect.DecodeFrame]. There is no [hoosh.EventStart]: no
// line says that it is the first.
func decodeFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	return chatForm.decodeFrame(dst, f)
}

// decodeGenerateFrame is that of [Generate].
func decodeGenerateFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	return generateForm.decodeFrame(dst, f)
}

func (form form) decodeFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	if f.Data == nil {
		return dst, nil
	}
	l, err := scanLine(form, f.Data)
	if err != nil {
		return dst, err
	}
	if l.failed {
		return dst, upstreamError(hoosh.OpChat, f.Data)
	}
	if len(l.thinking) > 0 {
		dst = append(dst, hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.RawText(l.thinking)))
	}
	if len(l.content) > 0 {
		dst = append(dst, hoosh.NewEvent(hoosh.EventText, 0, hoosh.RawText(l.content)))
	}
	if l.calls != nil {
		dst = appendCallEvents(dst, l.calls)
	}
	if l.done {
		// The scan has seen the calls of earlier lines as well.
		why := f.Finish
		if why == hoosh.FinishNone {
			why = finishOf(l.reason, l.calls != nil)
		}
		dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: why})
	}
	if u := l.usage(); u.Source != hoosh.UsageNone {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventUsage, Usage: u})
	}
	return dst, nil
}

// appendCallEvents gives one event for each tool call of a line, which come
// whole.
func appendCallEvents(dst []hoosh.Event, calls []byte) []hoosh.Event {
	c := jsonpeek.NewDepth(calls, jsonpeek.MaxDepth)
	c.Array()
	for n := 0; c.Next(); n++ {
		if !c.Object() {
			continue
		}
		e := hoosh.Event{Kind: hoosh.EventToolCall, Index: n, Value: emptyObject}
		for c.Next() {
			switch string(c.Key()) {
			case "id":
				id, _ := c.Str()
				e.ID = jsonpeek.Unquote(id)
			case "function":
				if c.Object() {
					for c.Next() {
						readCallEvent(&c, &e)
					}
				}
			}
		}
		dst = append(dst, e)
	}
	return dst
}

var emptyObject = []byte("{}")

func readCallEvent(c *jsonpeek.Cursor, e *hoosh.Event) {
	switch string(c.Key()) {
	case "index":
		if i, ok := c.Int(); ok && i >= 0 && i < 1<<20 {
			e.Index = int(i)
		}
	case "name":
		name, _ := c.Str()
		e.Name = jsonpeek.Unquote(name)
	case "arguments":
		if c.Kind() == jsonpeek.Object {
			e.Value = c.Value()
		}
	}
}

// What a backend can make an encoder hold.
const (
	maxCalls     = 1024
	maxArguments = 16 << 20 // bytes, of all calls together
)

func tooLarge(op hoosh.Operation) error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: "the tool calls of the answer are too large"}
}

// encoder is [hoosh.Dialect.NewEncoder]'s. Ollama's tool calls are whole, so the
// pieces of one are kept until something else comes and it is whole, or the answer
// has ended: those of parallel calls may alternate.
type encoder struct {
	start  time.Time     // when the first content had come
	waited time.Duration // until then
	form   form
	model  []byte // as a JSON string
	op     hoosh.Operation
	issuer string // of the source's signatures
	calls  []growingCall
	first  int // of calls, that was not sent
	held   int // bytes of arguments
	nCalls int // sent
	finish hoosh.Finish
	usage  hoosh.Usage

	thoughts int        // parts of thinking
	thinks   bool       // one of them is open
	thinking hoosh.Part // the last of them, without its text
	thought  []byte
}

// growingCall is a tool call whose arguments come in pieces, or that came whole
// behind such a one.
type growingCall struct {
	index     int
	id, name  string
	shown     string // the id with the signatures that belong there
	arguments []byte
	scan      jsonpeek.Whole
	bad       bool // the arguments have an end and are no object
}

func newEncoder(c *hoosh.Call, r *hoosh.Reply) hoosh.FrameEncoder {
	return &encoder{form: chatForm, start: time.Now(), op: c.Op, issuer: r.Issuer, waited: r.Waited, model: jsonpeek.AppendQuote(nil, c.Model)}
}

// newGenerateEncoder is that of [Generate].
func newGenerateEncoder(c *hoosh.Call, r *hoosh.Reply) hoosh.FrameEncoder {
	return &encoder{form: generateForm, start: time.Now(), op: c.Op, issuer: r.Issuer, waited: r.Waited, model: jsonpeek.AppendQuote(nil, c.Model)}
}

func (s *encoder) Encode(dst []byte, e *hoosh.Event) ([]byte, error) {
	switch {
	case e.Kind == hoosh.EventStart:
		if e.Model != "" {
			s.model = jsonpeek.AppendQuote(s.model[:0], e.Model)
		}
		return dst, nil
	case e.Kind == hoosh.EventUsage:
		s.usage = s.usage.Merge(e.Usage)
		return dst, nil
	case e.Choice != 0: // the format has room for one answer
		return dst, nil
	}
	if s.first < len(s.calls) {
		dst = s.settle(dst, s.callOf(e))
	}
	switch e.Kind {
	case hoosh.EventText, hoosh.EventRefusal:
		return s.text(dst, false, e), nil
	case hoosh.EventThinking:
		s.think(e)
		return s.text(dst, true, e), nil
	case hoosh.EventSignature:
		s.think(e)
	case hoosh.EventToolCall:
		if s.form == generateForm {
			return dst, nil // it has no tools that could be called
		}
		if e.Value != nil && s.first == len(s.calls) {
			call := hoosh.ToolCall{ID: s.seal(e), Name: e.Name, Arguments: hoosh.ValueArguments(e.Value)}
			return s.call(dst, &call)
		}
		i := s.callOf(e)
		if i < 0 {
			if i = len(s.calls); i == maxCalls {
				return dst, tooLarge(s.op)
			}
			s.calls = append(s.calls, growingCall{index: e.Index, id: e.ID, shown: s.seal(e), name: e.Name})
		}
		if e.Value != nil {
			if len(s.calls[i].arguments) > 0 {
				return dst, nil
			}
			return dst, s.grow(i, hoosh.NewText(string(e.Value)))
		}
		return dst, s.grow(i, e.Content())
	case hoosh.EventArguments:
		if i := s.callOf(e); i >= 0 {
			return dst, s.grow(i, e.Content())
		}
	case hoosh.EventFinish:
		s.finish = e.Finish
		return s.flush(dst)
	}
	return dst, nil
}

// callOf is the place of the call that an event goes on with, -1 for none: some
// backends say the beginning of a call with every piece.
func (s *encoder) callOf(e *hoosh.Event) int {
	if e.Kind != hoosh.EventToolCall && e.Kind != hoosh.EventArguments {
		return -1
	}
	for i := len(s.calls) - 1; i >= 0; i-- {
		g := &s.calls[i]
		if g.index == e.Index && (e.Kind == hoosh.EventArguments || e.ID != "" && g.id == e.ID) {
			return i
		}
	}
	return -1
}

// think notes a piece of thinking, or the signature that ends a part of it.
func (s *encoder) think(e *hoosh.Event) {
	if !s.thinks {
		s.thoughts++
		s.thinks, s.thinking, s.thought = true, hoosh.Part{Kind: hoosh.PartThinking}, s.thought[:0]
	}
	if e.Kind == hoosh.EventThinking {
		if len(s.thought) < maxArguments { // of what is longer no signature is kept
			s.thought = append(s.thought, e.Content().String()...)
		}
		return
	}
	s.thinks = false
	if sign := e.Signature; sign != nil {
		s.thinking.Signature = s.own(sign)
	}
}

// own is a signature of the source's that can be kept.
func (s *encoder) own(sign *hoosh.Signature) *hoosh.Signature {
	return &hoosh.Signature{Issuer: cmp.Or(sign.Issuer, s.issuer), Data: hoosh.NewText(sign.Data.String()), Redacted: sign.Redacted}
}

// seal is the id of a call that begins, with the signatures that belong there:
// the format has no field for them.
func (s *encoder) seal(e *hoosh.Event) string {
	id := cmp.Or(e.ID, newID())
	var sign *hoosh.Signature
	if e.Signature != nil {
		sign = s.own(e.Signature)
	}
	if s.nCalls+len(s.calls) > 0 || s.thoughts != 1 {
		return hoosh.SealID(id, sign, nil)
	}
	whole := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText(string(s.thought)))
	whole.Signature = s.thinking.Signature
	return hoosh.SealID(id, sign, &whole)
}

// newID makes the id of a call that came without one.
func newID() string { return "call_" + rand.Text() }

// text sends a piece of the answer, or of the thinking before it.
func (s *encoder) text(dst []byte, thinking bool, e *hoosh.Event) []byte {
	if e.Content().IsEmpty() {
		return dst
	}
	dst = appendHead(dst, s.model)
	before, after := `"message":{"role":"assistant","content":`, "},\"done\":false}\n"
	if s.form == generateForm {
		before, after = `"response":`, ",\"done\":false}\n"
	}
	dst = append(dst, before...)
	if thinking {
		dst = append(dst, `"","thinking":`...)
	}
	dst = e.Content().AppendJSON(dst)
	return append(dst, after...)
}

// grow adds a piece to the arguments of a call.
func (s *encoder) grow(i int, piece hoosh.Text) error {
	if piece.IsEmpty() || i < s.first {
		return nil
	}
	if s.held += piece.Len(); s.held > maxArguments {
		return tooLarge(s.op)
	}
	g, text := &s.calls[i], piece.String()
	g.arguments = append(g.arguments, text...)
	g.scan.Add(text)
	return nil
}

// settle sends the first calls that are whole, up to call growing: what comes next
// shall not overtake them, nor they each other.
func (s *encoder) settle(dst []byte, growing int) []byte {
	for s.first < len(s.calls) {
		g := &s.calls[s.first]
		if s.first == growing || g.bad || !g.scan.Done() {
			break
		}
		var err error
		if dst, err = s.send(dst, g); err != nil {
			g.bad = true // perhaps it was cut off: the end will tell
			break
		}
	}
	return dst
}

// flush sends the calls that are left. One in which the answer was cut off is left
// out.
func (s *encoder) flush(dst []byte) (_ []byte, err error) {
	for s.first < len(s.calls) {
		g := &s.calls[s.first]
		if len(g.arguments) > 0 && s.finish == hoosh.FinishLength && jsonpeek.Valid(g.arguments) != nil {
			s.done(g)
			continue
		}
		if dst, err = s.send(dst, g); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// send sends the first call that was not sent.
func (s *encoder) send(dst []byte, g *growingCall) ([]byte, error) {
	call := hoosh.ToolCall{ID: g.shown, Name: g.name}
	if len(g.arguments) > 0 {
		call.Arguments = hoosh.ValueArguments(g.arguments)
	}
	dst, err := s.call(dst, &call)
	if err == nil {
		s.done(g)
	}
	return dst, err
}

// done notes that nothing more is to be said of a call, the first that was not sent.
func (s *encoder) done(g *growingCall) {
	s.held -= len(g.arguments)
	g.arguments = nil
	s.first++
}

// call sends a whole call as a line of its own, as Ollama does.
func (s *encoder) call(dst []byte, call *hoosh.ToolCall) ([]byte, error) {
	from := len(dst)
	dst = appendHead(dst, s.model)
	dst = append(dst, `"message":{"role":"assistant","content":"","tool_calls":[`...)
	dst, ok := appendCall(dst, call, s.nCalls)
	if !ok {
		return dst[:from], badArguments(s.op)
	}
	s.nCalls++
	return append(dst, "]},\"done\":false}\n"...), nil
}

func (s *encoder) End(dst []byte) []byte {
	// A stream that gave no reason may hold calls still.
	dst, err := s.flush(dst)
	if err != nil {
		return append(dst, streamError(hoosh.AsError(err))...)
	}
	dst = appendHead(dst, s.model)
	dst = append(dst, s.form.empty()...)
	now := time.Now()
	took := durations{total: s.waited + now.Sub(s.start), prompt: s.waited}
	took.answer = took.total - took.prompt
	return append(appendDone(dst, s.finish, s.usage, took), '\n')
}
