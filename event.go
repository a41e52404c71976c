// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"io"
	"iter"
	"slices"
	"time"
)

// EventKind says what happened in a stream.
type EventKind uint8

// The kinds of events.
const (
	EventStart     EventKind = iota // ID, Model: the answer has begun
	EventText                       // a piece of text
	EventThinking                   // a piece of the model's thinking
	EventRefusal                    // a piece of a refusal
	EventToolCall                   // a tool call begins: Index, ID, Name, and perhaps text: its first arguments
	EventArguments                  // a piece of the arguments of tool call Index
	EventFinish                     // Finish: this choice has ended; Name is the stop sequence that was met, if that is known
	EventUsage                      // Usage: cumulative
	EventSignature                  // Signature: of the thinking that ends here, or redacted thinking by itself
	EventCitation                   // Citation: a source of the text before it
)

func (k EventKind) String() string {
	return [...]string{"start", "text", "thinking", "refusal", "tool_call", "arguments", "finish", "usage", "signature", "citation"}[min(k, EventCitation)]
}

// Event is one thing that happened in a stream.
type Event struct {
	Kind   EventKind
	Choice int // which answer, 0 for the first
	Index  int // which tool call of the choice
	ID     string
	Name   string // of the tool
	Model  string
	Finish Finish
	Usage  Usage
	text   Text
	// Signature is that of an [EventSignature], or of a tool call that begins. A
	// decoder leaves its Issuer empty.
	Signature *Signature
	Citation  *Citation
	// Value holds whole arguments, where the dialect gives them as a JSON value
	// with the [EventToolCall]. Arguments that come in pieces are text.
	Value []byte
}

// NewEvent makes an event of a kind that carries text.
func NewEvent(kind EventKind, choice int, t Text) Event {
	return Event{Kind: kind, Choice: choice, text: t}
}

// WithText is the event with this text.
func (e Event) WithText(t Text) Event { e.text = t; return e }

// Text is the text of an [EventText] and "" of all others, so that a loop may
// print it of every event.
func (e Event) Text() string {
	if e.Kind != EventText {
		return ""
	}
	return e.text.String()
}

// Content is the piece that the event carries, of whatever kind, as it is held.
func (e *Event) Content() Text { return e.text }

func (e Event) clone() Event {
	e.text = e.text.clone()
	e.Value = slices.Clone(e.Value)
	if e.Signature != nil {
		s := *e.Signature
		s.Data = s.Data.clone()
		e.Signature = &s
	}
	if e.Citation != nil {
		c := *e.Citation
		c.Raw = slices.Clone(c.Raw)
		e.Citation = &c
	}
	return e
}

// EventStream is a typed stream. It is used once, by one goroutine; Close may
// come from any.
type EventStream struct {
	reply   *Reply
	sum     accumulator
	emulate emulation
	err     error // final, io.EOF after a whole answer
	queue   []Event
	told    []Event // the queue, where something is emulated
	next    int
}

func newEventStream(r *Reply, c *Call) *EventStream {
	return &EventStream{reply: r, emulate: newEmulation(r, c), sum: accumulator{resp: Response{Provider: r.Provider, Model: r.Model}}}
}

// Events yields what happens until the answer has ended; an error is the last
// thing it yields. Leaving the loop keeps the stream open: go on with another
// Events, ask for the Response, or Close it.
func (s *EventStream) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := s.read()
			if err == io.EOF {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

func (s *EventStream) read() (Event, error) {
	for s.next == len(s.queue) {
		if s.err != nil {
			return Event{}, s.err
		}
		f, err := s.reply.Stream.Next()
		if err == nil {
			err = s.decode(f)
		}
		if err != nil {
			s.queue, s.next, s.err = nil, 0, err
			s.queue = s.emulate.end(nil)
			s.reply.Stream.Close()
			continue
		}
	}
	// The caller may keep an event, the frame's bytes it may not.
	e := s.queue[s.next].clone()
	if e.Signature != nil && e.Signature.Issuer == "" {
		e.Signature.Issuer = or(s.reply.Issuer, s.reply.Provider)
	}
	s.next++
	s.sum.add(&e)
	return e, nil
}

// decode makes the queue of a frame.
func (s *EventStream) decode(f *Frame) (err error) {
	s.next = 0
	s.queue, err = s.reply.Dialect.DecodeFrame(s.queue[:0], f)
	if err != nil || s.emulate.idle() {
		return err
	}
	s.told = s.told[:0]
	for i := range s.queue {
		s.told = s.emulate.pass(s.told, &s.queue[i])
	}
	s.queue, s.told = s.told, s.queue
	return nil
}

// Response reads what is left and gives the whole answer.
func (s *EventStream) Response() (*Response, error) {
	for {
		if _, err := s.read(); err == io.EOF {
			return s.sum.response(), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// Provider is the name of who answers.
func (s *EventStream) Provider() string { return s.reply.Provider }

// Reply is the reply beneath: route, attempts, what was dropped.
func (s *EventStream) Reply() *Reply { return s.reply }

// Close lets go of the backend. After it Events yields an error, unless the
// answer had ended.
func (s *EventStream) Close() error { return s.reply.Stream.Close() }

// epoch turns a wire format's Unix seconds into a time; 0 is the zero time.
func epoch(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
