// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"cmp"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// event numbers the types of events that mean something.
type event uint8

const (
	eventOther event = iota
	eventCreated
	eventItemAdded
	eventItemDone
	eventText
	eventTextDone
	eventRefusal
	eventRefusalDone
	eventSummaryPart
	eventSummary
	eventSummaryDone
	eventThought
	eventThoughtDone
	eventArguments
	eventArgumentsDone
	eventInput
	eventInputDone
	eventInputWhole // of the scanner's making
	eventItemWhole  // likewise
	eventEndWhole   // likewise
	eventAnnotation
	eventCompleted
	eventIncomplete
	eventFailed
	eventError
)

// Types that no backend sends: the scanner puts them before DecodeFrame where
// something came whole.
const (
	wholeInput = "hoosh.custom_tool_call_input"
	wholeItem  = "hoosh.output_item"
	wholeEnd   = "hoosh.response" // what it ended with is in the frame
)

// eventOf reads a type as it stands between its quotes. The first is the hot one.
func eventOf(name []byte) event {
	switch string(name) {
	case "response.output_text.delta":
		return eventText
	case "response.function_call_arguments.delta":
		return eventArguments
	case "response.reasoning_summary_text.delta":
		return eventSummary
	case "response.reasoning_text.delta":
		return eventThought
	case "response.created":
		return eventCreated
	case "response.output_item.added":
		return eventItemAdded
	case "response.output_item.done":
		return eventItemDone
	case "response.output_text.done":
		return eventTextDone
	case "response.refusal.delta":
		return eventRefusal
	case "response.refusal.done":
		return eventRefusalDone
	case "response.reasoning_summary_part.added":
		return eventSummaryPart
	case "response.reasoning_summary_text.done":
		return eventSummaryDone
	case "response.reasoning_text.done":
		return eventThoughtDone
	case "response.function_call_arguments.done":
		return eventArgumentsDone
	case "response.custom_tool_call_input.delta":
		return eventInput
	case "response.custom_tool_call_input.done":
		return eventInputDone
	case wholeInput:
		return eventInputWhole
	case wholeItem:
		return eventItemWhole
	case wholeEnd:
		return eventEndWhole
	case "response.output_text.annotation.added":
		return eventAnnotation
	case "response.completed":
		return eventCompleted
	case "response.incomplete":
		return eventIncomplete
	case "response.failed", "response.cancelled":
		return eventFailed
	case "error":
		return eventError
	}
	return eventOther
}

// payload is the data of an event, read once from end to end. It aliases the
// frame.
type payload struct {
	kind     event
	text     []byte // delta, or the whole of what is done; between quotes, nil when there is none
	object   []byte // item, response or annotation
	failed   bool   // there is an error
	sequence int64
	output   int64 // index of the item
	part     int64 // index of the content, or of the summary, within it
}

func readPayload(data []byte) (x payload, err error) {
	c := jsonpeek.NewDepth(data, jsonpeek.MaxDepth)
	if !c.Object() {
		return x, &hoosh.Error{Kind: hoosh.ErrMalformed, Message: "an event is not a JSON object"}
	}
	for c.Next() {
		switch string(c.Key()) {
		case "type":
			kind, _ := c.Str()
			x.kind = eventOf(kind)
		case "delta", "arguments", "input", "text", "refusal":
			if text, ok := c.Str(); ok {
				x.text = text
			}
		case "item", "response", "annotation":
			if c.Kind() == jsonpeek.Object {
				x.object = c.Value()
			}
		case "error":
			x.failed = c.Kind() != jsonpeek.Null
		case "sequence_number":
			x.sequence, _ = c.Int()
		case "output_index":
			n, _ := c.Int()
			x.output = min(max(n, 0), maxItems-1)
		case "content_index", "summary_index":
			x.part, _ = c.Int()
		}
	}
	if err := c.End(); err != nil {
		return x, &hoosh.Error{Kind: hoosh.ErrMalformed, Message: err.Error(), Err: err}
	}
	if x.kind == eventOther && x.failed { // some servers forget the type
		x.kind = eventError
	}
	return x, nil
}

// maxItems bounds the items of one answer.
const maxItems = 4096

// item is what an output item, valid JSON, says to a stream.
type item struct {
	kind, callID, name []byte // between quotes
	text               []byte // arguments or input
	sealed             []byte
	thought            bool // there is thinking to be read
}

func readItem(object []byte) (x item) {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if !c.Object() {
		return x
	}
	var id []byte
	for c.Next() {
		switch string(c.Key()) {
		case "type":
			x.kind, _ = c.Str()
		case "id":
			id, _ = c.Str()
		case "call_id":
			x.callID, _ = c.Str()
		case "name":
			x.name, _ = c.Str()
		case "arguments", "input":
			x.text, _ = c.Str()
		case "encrypted_content":
			x.sealed, _ = c.Str()
		case "summary", "content":
			if c.Array() {
				for c.Next() {
					x.thought = true
				}
			}
		}
	}
	if len(x.callID) == 0 {
		x.callID = id
	}
	return x
}

// inputHead and inputTail stand around the input of a custom tool, as the inside
// of the JSON string that holds a function's arguments.
const (
	inputHead = `{\"input\":\"`
	inputTail = `\"}`
)

// decodeFrame is [hoosh.Dialect.DecodeFrame].
func decodeFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	if len(f.Data) == 0 || f.Data[0] == '[' { // [DONE], which some servers add
		return dst, nil
	}
	x, err := readPayload(f.Data)
	if err != nil {
		return dst, err
	}
	piece := func(kind hoosh.EventKind) {
		if len(x.text) > 0 {
			dst = append(dst, hoosh.NewEvent(kind, 0, hoosh.RawText(x.text)))
		}
	}
	switch x.kind {
	case eventCreated:
		c := jsonpeek.NewDepth(x.object, jsonpeek.MaxDepth)
		o := scanObject(&c)
		dst = append(dst, hoosh.Event{Kind: hoosh.EventStart, ID: jsonpeek.Unquote(o.id), Model: jsonpeek.Unquote(o.model)})
	case eventText:
		piece(hoosh.EventText)
	case eventRefusal:
		piece(hoosh.EventRefusal)
	case eventSummary, eventThought:
		piece(hoosh.EventThinking)
	case eventSummaryPart:
		if x.part > 0 {
			dst = append(dst, hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.RawText([]byte(blankLine))))
		}
	case eventItemAdded:
		dst = appendBegun(dst, &x)
	case eventArguments:
		if n := len(dst); len(x.text) > 0 {
			piece(hoosh.EventArguments)
			dst[n].Index = int(x.output)
		}
	case eventInput:
		if len(x.text) > 0 {
			dst = append(dst, arguments(&x, jsonpeek.AppendEscape(nil, x.text)))
		}
	case eventInputDone:
		dst = append(dst, arguments(&x, []byte(inputTail)))
	case eventInputWhole:
		dst = append(dst, arguments(&x, append(jsonpeek.AppendEscape(nil, x.text), inputTail...)))
	case eventItemWhole:
		dst = appendItem(dst, x.object, x.output)
	case eventEndWhole:
		dst = appendOutput(dst, x.object)
		dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: f.Finish})
		if !f.Usage.IsZero() {
			dst = append(dst, hoosh.Event{Kind: hoosh.EventUsage, Usage: f.Usage})
		}
	case eventItemDone:
		if it := readItem(x.object); string(it.kind) == "reasoning" && len(it.sealed) > 0 {
			dst = append(dst, hoosh.Event{Kind: hoosh.EventSignature,
				Signature: &hoosh.Signature{Data: hoosh.RawText(it.sealed), Redacted: !it.thought}})
		}
	case eventAnnotation:
		if x.object != nil {
			t := citation(x.object)
			dst = append(dst, hoosh.Event{Kind: hoosh.EventCitation, Citation: &t})
		}
	case eventCompleted, eventIncomplete:
		dst = appendEnd(dst, &x)
	case eventFailed, eventError:
		return dst, x.failure(hoosh.OpChat, f.Data)
	}
	return dst, nil
}

// appendBegun begins a call. Arguments that are here already are its first.
func appendBegun(dst []hoosh.Event, x *payload) []hoosh.Event {
	it := readItem(x.object)
	if !isCallType(it.kind) {
		return dst
	}
	e := hoosh.Event{Kind: hoosh.EventToolCall, Index: int(x.output), ID: jsonpeek.Unquote(it.callID), Name: jsonpeek.Unquote(it.name)}
	if string(it.kind) == "custom_tool_call" {
		return append(dst, e.WithText(hoosh.RawText(jsonpeek.AppendEscape([]byte(inputHead), it.text))))
	}
	return append(dst, e.WithText(hoosh.RawText(it.text)))
}

// appendItem tells a whole item.
func appendItem(dst []hoosh.Event, object []byte, output int64) []hoosh.Event {
	if isCallType(stringMember(object, "type")) {
		n, x := len(dst), &payload{object: object, output: output}
		if dst = appendBegun(dst, x); len(dst) > n && stringMember(object, "type")[0] == 'c' {
			dst = append(dst, arguments(x, []byte(inputTail)))
		}
		return dst
	}
	v := conversation{answer: true}
	r := newReader(hoosh.OpChat, object, hoosh.ErrMalformed)
	r.item(&v) // what is not as it should be says nothing
	for i := range v.messages {
		for j := range v.messages[i].Parts {
			p := &v.messages[i].Parts[j]
			switch p.Kind {
			case hoosh.PartText:
				dst = append(dst, hoosh.NewEvent(hoosh.EventText, 0, p.Content()))
			case hoosh.PartRefusal:
				dst = append(dst, hoosh.NewEvent(hoosh.EventRefusal, 0, p.Content()))
			case hoosh.PartThinking:
				if !p.Content().IsEmpty() {
					dst = append(dst, hoosh.NewEvent(hoosh.EventThinking, 0, p.Content()))
				}
				if p.Signature != nil {
					dst = append(dst, hoosh.Event{Kind: hoosh.EventSignature, Signature: p.Signature})
				}
			}
			for k := range p.Citations {
				dst = append(dst, hoosh.Event{Kind: hoosh.EventCitation, Citation: &p.Citations[k]})
			}
		}
	}
	return dst
}

// appendOutput tells all items of a response object.
func appendOutput(dst []hoosh.Event, object []byte) []hoosh.Event {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if !c.Object() {
		return dst
	}
	for c.Next() {
		if string(c.Key()) != "output" || !c.Array() {
			continue
		}
		for n := int64(0); c.Next(); n++ {
			dst = appendItem(dst, c.Value(), min(n, maxItems-1))
		}
	}
	return dst
}

func arguments(x *payload, raw []byte) hoosh.Event {
	e := hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.RawText(raw))
	e.Index = int(x.output)
	return e
}

// appendEnd reads the last event of a stream.
func appendEnd(dst []hoosh.Event, x *payload) []hoosh.Event {
	o := x.ending()
	dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: cmp.Or(o.finish(), hoosh.FinishStop)})
	if !o.usage.IsZero() {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventUsage, Usage: o.usage})
	}
	return dst
}

// ending is the response object of a last event. One without a status has that
// of the event.
func (x *payload) ending() ending {
	c := jsonpeek.NewDepth(x.object, jsonpeek.MaxDepth)
	o := scanObject(&c)
	if len(o.status) == 0 {
		o.status = []byte("completed")
		if x.kind == eventIncomplete {
			o.status = []byte("incomplete")
		}
	}
	return o
}

// failure is the error that an event reports.
func (x *payload) failure(op hoosh.Operation, data []byte) *hoosh.Error {
	if x.kind == eventFailed {
		c := jsonpeek.NewDepth(x.object, jsonpeek.MaxDepth)
		o := scanObject(&c)
		if len(o.status) == 0 || o.finish() != hoosh.FinishError {
			o.status = []byte("failed")
		}
		return o.failure(op)
	}
	return reported(op, data)
}
