// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What a backend lacks and hoosh does in its stead: answers by a JSON Schema,
// and stop sequences. Several choices are in choices.go.

// schemaTool is the tool that a model must call to give an answer by a schema.
const schemaTool = "hoosh_answer"

const (
	schemaToolText = "Gives the answer to the user. Its arguments are the answer."
	schemaPrompt   = "Answer with one JSON value and nothing else: no words around it, no code fence. It must be valid by this JSON Schema:\n"
)

// asksOtherwise reports that the call wants an answer by a schema of a model that
// is not to be given one.
func (p *Profile) asksOtherwise(c *Call) bool {
	return p.NoSchema != nil && c.load.envelope.Needs&FeatureJSONSchema != 0 && matchAny(p.NoSchema, c.Model)
}

// asksTool reports that a tool stands for the schema of q: it is the only one, and
// the schema is of an object.
func (p *Profile) asksTool(q *Request) bool {
	return !p.SchemaInPrompt && len(q.Tools) == 0 && isObjectSchema(q.Format.Schema)
}

// withoutSchema is q asking for the same in other ways: by a tool where that is
// the only one and the schema is of an object, else by words.
func withoutSchema(q *Request, p *Profile) *Request {
	e := *q
	if p.asksTool(q) {
		e.Format = Format{}
		e.Tools = []Tool{{Name: schemaTool, Description: NewText(schemaToolText), Parameters: q.Format.Schema}}
		e.ToolChoice = ToolChoice{Mode: "function", Name: schemaTool}
		return &e
	}
	e.Format = Format{}
	if p.SchemaInPrompt {
		e.Format.Type = "json_object"
	}
	words := TextPart(schemaPrompt + string(q.Format.Schema))
	at := 0
	for at < len(q.Messages) && (q.Messages[at].Role == RoleSystem || q.Messages[at].Role == RoleDeveloper) {
		at++
	}
	e.Messages = slices.Clone(q.Messages)
	if at == 0 {
		e.Messages = slices.Insert(e.Messages, 0, Message{Role: RoleSystem, Parts: []Part{words}})
		return &e
	}
	last := &e.Messages[at-1]
	last.Parts = slices.Concat(last.Parts, []Part{TextPart("\n\n"), words})
	return &e
}

// isObjectSchema reports that a schema says that the value is an object.
func isObjectSchema(schema []byte) bool {
	c := jsonpeek.NewDepth(schema, jsonpeek.MaxDepth)
	if !c.Object() {
		return false
	}
	for c.Next() {
		if string(c.Key()) == "type" {
			kind, _ := c.Str()
			return jsonpeek.Equal(kind, "object")
		}
	}
	return false
}

// emulated brings a whole answer to what was asked: the arguments of the tool
// that stands for a schema are its text, and it ends before a stop sequence.
func (r *Response) emulated(stops []string, schema bool) {
	for i := range r.Choices {
		ch := &r.Choices[i]
		if schema {
			ch.answer()
		}
		if len(stops) > 0 {
			ch.stopAt(stops)
		}
	}
}

// answer leaves of the choice the thinking, and the call of the schema's tool as text.
func (ch *Choice) answer() {
	parts := ch.Message.Parts
	i := slices.IndexFunc(parts, func(p Part) bool { return p.Call != nil && p.Call.Name == schemaTool })
	if i < 0 {
		return
	}
	text := NewPart(PartText, NewText(string(parts[i].Call.Arguments.JSON())))
	ch.Message.Parts = append(slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.Kind != PartThinking }), text)
	if ch.Finish == FinishToolCalls {
		ch.Finish = FinishStop
	}
}

// stopAt cuts the choice at the first stop sequence.
func (ch *Choice) stopAt(stops []string) {
	for j := range ch.Message.Parts {
		p := &ch.Message.Parts[j]
		if p.Kind != PartText {
			continue
		}
		text := p.Text()
		if at, which := firstStop(text, stops); at >= 0 {
			p.text = NewText(text[:at])
			ch.Message.Parts = ch.Message.Parts[:j+1]
			if at == 0 {
				ch.Message.Parts = ch.Message.Parts[:j]
			}
			ch.Finish, ch.Stopped = FinishStop, which
			return
		}
	}
}

// firstStop finds the stop sequence that comes first in text, -1 without one.
func firstStop(text string, stops []string) (at int, which string) {
	at = -1
	for _, stop := range stops {
		if i := strings.Index(text, stop); i >= 0 && (at < 0 || i < at) {
			at, which = i, stop
		}
	}
	return at, which
}

// heldBack is how many bytes at the end of text may be the beginning of a stop
// sequence.
func heldBack(text string, stops []string) int {
	most := 0
	for _, stop := range stops {
		for n := min(len(stop)-1, len(text)); n > most; n-- {
			if strings.HasSuffix(text, stop[:n]) {
				most = n
				break
			}
		}
	}
	return most
}

// emulation does the same to the events of a stream. The zero value is idle.
type emulation struct {
	stops   []string
	choices []emulatedChoice
	usage   Usage
	op      Operation
	prompt  int64  // bytes of the prompt
	sent    int64  // bytes of text so far
	given   Usage  // with which src was ended
	schema  bool   // an answer by a schema was asked of a tool
	src     Stream // to be ended when all choices have met a stop sequence
	want    int    // choices that were asked for
	stopped int    // that have
}

type emulatedChoice struct {
	tail    string // text that may be the beginning of a stop sequence
	stopped bool   // nothing of it is passed on any more
	beside  []byte // text where a call of the schema's tool was wanted
	asked   bool   // that call has come
	answer  int    // its index
}

func newEmulation(r *Reply, c *Call) emulation {
	m := emulation{stops: r.stops, schema: r.schema, src: r.Stream, want: 1, op: r.op}
	if c != nil {
		m.want, m.prompt = max(c.load.envelope.Choices, 1), int64(c.load.envelope.Text)
	}
	if c != nil && r.stops != nil {
		if q, err := c.Request(); err == nil { // each prompt of a legacy completion has its own
			m.want *= max(len(q.Input), 1)
		}
	}
	return m
}

// idle reports that there is nothing to do.
func (m *emulation) idle() bool { return m.stops == nil && !m.schema }

func (m *emulation) choice(i int) *emulatedChoice {
	i = min(max(i, 0), maxChoices-1)
	for len(m.choices) <= i {
		m.choices = append(m.choices, emulatedChoice{})
	}
	return &m.choices[i]
}

// pass appends what is to be told of e.
func (m *emulation) pass(dst []Event, e *Event) []Event {
	switch e.Kind {
	case EventUsage:
		m.usage = m.usage.Merge(e.Usage)
		u := *e
		if m.given.Source != UsageNone {
			u.Usage = m.given // read back of the ending it has lost who counted
		}
		return append(dst, u)
	case EventStart:
		return append(dst, *e)
	}
	ch := m.choice(e.Choice)
	if ch.stopped {
		return dst
	}
	was := *e
	e = &was
	if m.schema {
		if e.Kind == EventFinish {
			dst = m.unasked(dst, ch, e.Choice)
		}
		if !ch.answers(e) {
			return dst
		}
	}
	return m.tell(dst, ch, e)
}

// unasked passes on what a model said that did not call the schema's tool.
func (m *emulation) unasked(dst []Event, ch *emulatedChoice, i int) []Event {
	if ch.asked || len(ch.beside) == 0 {
		return dst
	}
	text := NewText(string(ch.beside))
	ch.asked, ch.answer, ch.beside = true, -1, nil
	return m.tell(dst, ch, &Event{Kind: EventText, Choice: i, text: text})
}

// tell passes e on, up to a stop sequence.
func (m *emulation) tell(dst []Event, ch *emulatedChoice, e *Event) []Event {
	if m.stops == nil {
		return append(dst, *e)
	}
	if e.Kind != EventText {
		return append(ch.flush(dst, e.Choice), *e)
	}
	m.sent += int64(e.text.Len())
	text := ch.tail + e.text.String()
	if at, which := firstStop(text, m.stops); at >= 0 {
		ch.tail, ch.stopped = text[:at], true
		dst = append(ch.flush(dst, e.Choice), Event{Kind: EventFinish, Choice: e.Choice, Finish: FinishStop, Name: which})
		if m.stopped++; m.stopped >= m.want {
			// Most backends would have said what was used only at the end.
			m.given = cut(m.usage, m.op, m.prompt, m.sent)
			m.src.Stop(FinishStop, m.given)
		}
		return dst
	}
	held := heldBack(text, m.stops)
	ch.tail = text[:len(text)-held]
	dst = ch.flush(dst, e.Choice)
	ch.tail = text[len(text)-held:]
	return dst
}

// answers makes of the call of the schema's tool, which is all that is wanted, the
// text that it stands for; false: e is not to be told. What a model says beside it is
// its answer only if it does not call.
func (ch *emulatedChoice) answers(e *Event) bool {
	switch e.Kind {
	case EventText:
		if !ch.asked && len(ch.beside) < maxBeside {
			ch.beside = appendText(ch.beside, e.text)
		}
		return false
	case EventToolCall:
		if ch.asked || e.Name != schemaTool {
			return false
		}
		ch.asked, ch.answer = true, e.Index
		if e.Value != nil {
			e.text = NewText(string(e.Value))
		}
		*e = Event{Kind: EventText, Choice: e.Choice, text: e.text}
	case EventArguments:
		if !ch.asked || e.Index != ch.answer {
			return false
		}
		*e = Event{Kind: EventText, Choice: e.Choice, text: e.text}
	case EventFinish:
		if e.Finish == FinishToolCalls {
			e.Finish = FinishStop
		}
	}
	return true
}

// maxBeside bounds what is held of it.
const maxBeside = 1 << 20

// flush passes the held text on.
func (ch *emulatedChoice) flush(dst []Event, i int) []Event {
	if ch.tail != "" {
		dst = append(dst, Event{Kind: EventText, Choice: i, text: NewText(ch.tail)})
		ch.tail = ""
	}
	return dst
}

// end passes on what is held of choices that gave no reason for their end.
func (m *emulation) end(dst []Event) []Event {
	for i := range m.choices {
		if m.schema {
			dst = m.unasked(dst, &m.choices[i], i)
		}
		dst = m.choices[i].flush(dst, i)
	}
	return dst
}

// stopsOf are the stop sequences of a request that a backend could not be told.
func stopsOf(c *Call) ([]string, error) {
	q, err := c.Request()
	if err != nil {
		return nil, err
	}
	var stops []string
	for _, t := range q.Stop {
		if t.Len() > 0 {
			stops = append(stops, t.String())
		}
		if len(stops) > maxEmulatedStops || t.Len() > maxEmulatedStop {
			return nil, &Error{Kind: ErrInvalidRequest, Op: c.Op, Param: "stop",
				Message: fmt.Sprintf("want at most %d sequences of at most %d bytes", maxEmulatedStops, maxEmulatedStop)}
		}
	}
	return stops, nil
}

// Each event is searched for each sequence.
const (
	maxEmulatedStops = 64
	maxEmulatedStop  = 1 << 10
)

// isUnsaid reports that a body has this among what was dropped, and takes it
// out.
func isUnsaid(dropped []string, name string) (rest []string, found bool) {
	i := slices.Index(dropped, name)
	if i < 0 {
		return dropped, false
	}
	return slices.Delete(slices.Clone(dropped), i, i+1), true
}

// quotedNames is for errors: "seed", "stop".
func quotedNames(names []string) string {
	var b bytes.Buffer
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quoteName(name))
	}
	return b.String()
}
