// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"cmp"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// scanner is [hoosh.Dialect.NewScanner]'s. For a clean early end it keeps what a
// client must be told then: the items that are done, and the one that is not.
//
// It also sees to it that nothing which came whole is lost to who reads pieces:
// DecodeFrame takes text and arguments from deltas alone, and where an item, or
// a piece of it, is done without any, the scanner gives DecodeFrame a delta to
// read in its place. The bytes of the frame, which a client of this format gets,
// stay as they came.
type scanner struct {
	op       hoosh.Operation
	complete bool
	calls    bool  // of functions were made
	next     int64 // sequence number
	head     []byte
	done     []byte // items with commas between them
	items    int64  // that were begun
	kept     int    // bytes in done, see maxKept

	open  openItem
	told  []bool // by output index: something of the item was told
	kinds said   // of what was told
	spare []byte // what DecodeFrame reads in the place of a frame's data
}

// said is a set of kinds of items.
type said uint8

const (
	saidMessage said = 1 << iota
	saidThought
	saidCall
)

// saidBy is the kind of an item of this type, 0 for one that tells a reader of
// pieces nothing.
func saidBy(kind []byte) said {
	switch {
	case string(kind) == "message":
		return saidMessage
	case string(kind) == "reasoning":
		return saidThought
	case isCallType(kind):
		return saidCall
	}
	return 0
}

// tell notes that something of an item was told.
func (s *scanner) tell(output int64, kind said) {
	s.kinds |= kind
	for int64(len(s.told)) <= output { // which is less than maxItems
		s.told = append(s.told, false)
	}
	s.told[output] = true
}

// openItem is the item that was begun last and is not done.
type openItem struct {
	begun bool
	index int64
	value []byte // as it was begun
	kind  event  // of its deltas, eventOther before the first
	part  int64  // which content or summary
	text  []byte // of that, between quotes
	said  bool   // a delta came since the item, or its part, was begun
}

// maxKept bounds what is kept for an early end; what is beyond it is not told
// again.
const maxKept = 1 << 20

func newScanner(op hoosh.Operation, _ int) hoosh.FrameScanner { return &scanner{op: op} }

func (s *scanner) Complete() bool { return s.complete }

func (s *scanner) Scan(f *hoosh.Frame) error {
	if len(f.Data) == 0 {
		return nil
	}
	if f.Data[0] == '[' && string(bytes.TrimSpace(f.Data)) == "[DONE]" { // which some servers add
		return nil
	}
	x, err := readPayload(f.Data)
	if err != nil {
		hoosh.AsError(err).Op = s.op
		return err
	}
	if x.sequence >= s.next {
		s.next = x.sequence + 1
	}
	switch x.kind {
	case eventCreated:
		s.begin(&x)
	case eventText, eventRefusal, eventSummary, eventThought, eventArguments, eventInput:
		f.Text = len(x.text)
		if len(x.text) > 0 {
			f.Kind = hoosh.FrameContent
		}
		s.piece(&x)
	case eventSummaryPart, eventTextDone, eventRefusalDone, eventSummaryDone, eventThoughtDone, eventArgumentsDone, eventInputDone:
		s.partDone(f, &x)
	case eventItemAdded:
		s.added(f, &x)
	case eventItemDone:
		s.itemDone(f, &x)
	case eventCompleted, eventIncomplete:
		o := x.ending()
		if err := o.failure(s.op); err != nil {
			return err
		}
		s.untold(f, &x)
		f.Kind, f.Usage, f.Finish = hoosh.FrameEnd, o.usage, cmp.Or(o.finish(), hoosh.FinishStop)
		if f.Finish == hoosh.FinishStop && s.calls {
			f.Finish = hoosh.FinishToolCalls
		}
		s.complete = true
	case eventFailed, eventError:
		return x.failure(s.op, f.Data)
	}
	return nil
}

// begin keeps the response object as the backend began it.
func (s *scanner) begin(x *payload) {
	if s.head == nil && len(x.object) <= maxKept {
		s.head = bytes.Clone(x.object)
	}
}

// added begins an item.
func (s *scanner) added(f *hoosh.Frame, x *payload) {
	it := readItem(x.object)
	s.begun(x, isCallType(it.kind))
	if x.output < int64(len(s.told)) { // of an item before it: some servers count none
		s.told[x.output] = false
	}
	if isCallType(it.kind) {
		s.tell(x.output, saidCall)
		f.Kind, f.Text = hoosh.FrameContent, len(it.name)+len(it.text)
		s.open.said = len(it.text) > 0
	}
}

func (s *scanner) begun(x *payload, call bool) {
	s.calls = s.calls || call
	s.items = max(s.items, x.output+1)
	o := &s.open
	o.begun, o.index, o.kind, o.part, o.said = true, x.output, eventOther, 0, false
	o.text, o.value = o.text[:0], o.value[:0]
	if len(x.object) <= maxKept {
		o.value = append(o.value, x.object...)
	}
}

// deltaOf are the kinds of items that deltas tell of.
var deltaOf = [...]said{eventText: saidMessage, eventRefusal: saidMessage, eventSummary: saidThought, eventThought: saidThought,
	eventArguments: saidCall, eventInput: saidCall}

// piece keeps a delta.
func (s *scanner) piece(x *payload) {
	if len(x.text) > 0 {
		s.tell(x.output, deltaOf[x.kind])
	}
	o := &s.open
	if !o.begun || o.index != x.output { // several are open: the last one is kept
		if !o.begun {
			o.begun, o.index = true, x.output
			s.items = max(s.items, x.output+1)
		} else {
			return
		}
	}
	if o.kind != x.kind || o.part != x.part {
		o.kind, o.part, o.text = x.kind, x.part, o.text[:0]
	}
	o.said = o.said || len(x.text) > 0
	if len(o.text)+len(x.text) <= maxKept {
		o.text = append(o.text, x.text...)
	}
}

// deltas are what stands for something that is done and was not told before.
var deltas = [...]struct {
	kind event
	name string
}{
	eventTextDone:      {eventText, "response.output_text.delta"},
	eventRefusalDone:   {eventRefusal, "response.refusal.delta"},
	eventSummaryDone:   {eventSummary, "response.reasoning_summary_text.delta"},
	eventThoughtDone:   {eventThought, "response.reasoning_text.delta"},
	eventArgumentsDone: {eventArguments, "response.function_call_arguments.delta"},
}

// partDone ends a piece of an item.
func (s *scanner) partDone(f *hoosh.Frame, x *payload) {
	o := &s.open
	if !o.begun || o.index != x.output {
		return
	}
	switch x.kind {
	case eventSummaryPart:
		o.said = false
		return
	case eventInputDone:
		if o.said || len(x.text) == 0 {
			o.kind, o.said = eventInput, true
			return
		}
		s.spare = append(append(s.delta(wholeInput, x), x.text...), `"}`...)
		s.tell(x.output, saidCall)
	default:
		d := deltas[x.kind]
		if o.said && (o.kind == eventOther || o.kind == d.kind && o.part == x.part) || len(x.text) == 0 {
			return
		}
		s.spare = append(append(s.delta(d.name, x), x.text...), `"}`...)
		s.tell(x.output, deltaOf[d.kind])
		o.kind, o.part = d.kind, x.part
	}
	f.Data, f.Kind, f.Text = s.spare, hoosh.FrameContent, len(x.text)
	o.said = true
	o.text = append(o.text[:0], x.text[:min(len(x.text), maxKept)]...)
}

// delta begins the data of an event for DecodeFrame, up to its delta.
func (s *scanner) delta(name string, x *payload) []byte {
	b := append(append(s.spare[:0], `{"type":"`...), name...)
	return append(appendInt(append(b, `","output_index":`...), x.output), `,"delta":"`...)
}

// itemDone ends an item.
func (s *scanner) itemDone(f *hoosh.Frame, x *payload) {
	it := readItem(x.object)
	o := &s.open
	mine := o.begun && o.index == x.output
	call := isCallType(it.kind)
	f.Signature = it.sealed
	if string(it.kind) != "reasoning" || len(it.sealed) == 0 {
		f.Signature = nil
	} else {
		f.Kind = hoosh.FrameContent
	}
	switch {
	case !call:
		if x.output >= int64(len(s.told)) || !s.told[x.output] {
			if n := textIn(x.object); n > 0 {
				s.whole(f, x, n)
				s.tell(x.output, saidBy(it.kind))
			}
		}
	case !mine && x.output >= s.items: // it was not begun
		s.whole(f, x, len(it.name)+len(it.text))
		s.tell(x.output, saidCall)
	case mine && !o.said && len(it.text) > 0:
		name := "response.function_call_arguments.delta"
		if string(it.kind) == "custom_tool_call" {
			name = wholeInput
		}
		s.spare = append(append(s.delta(name, x), it.text...), `"}`...)
		f.Data, f.Kind, f.Text = s.spare, hoosh.FrameContent, len(it.text)
	}
	s.calls = s.calls || call
	s.items = max(s.items, x.output+1)
	if x.output < int64(len(s.told)) { // see added
		s.told[x.output] = false
	}
	if mine {
		o.begun, o.text, o.value = false, o.text[:0], o.value[:0]
	}
	if len(x.object) > 0 && s.kept+len(x.object) <= maxKept {
		if len(s.done) > 0 {
			s.done = append(s.done, ',')
		}
		s.done = append(s.done, x.object...)
		s.kept += len(x.object)
	}
}

// whole gives DecodeFrame an item in the place of the frame's data.
func (s *scanner) whole(f *hoosh.Frame, x *payload, text int) {
	s.spare = appendInt(append(s.spare[:0], `{"type":"`+wholeItem+`","output_index":`...), x.output)
	s.spare = append(append(append(s.spare, `,"item":`...), x.object...), '}')
	f.Data, f.Kind, f.Text = s.spare, hoosh.FrameContent, text
}

// textIn is how much text a message or thinking has.
func textIn(object []byte) (n int) {
	for _, e := range appendItem(nil, object, 0) {
		n += e.Content().Len()
	}
	return n
}

// untold gives DecodeFrame the items of a last event of whose kinds nothing was
// told before. Thinking that would come after the answer is not told.
func (s *scanner) untold(f *hoosh.Frame, x *payload) {
	c := jsonpeek.NewDepth(x.object, jsonpeek.MaxDepth)
	if !c.Object() {
		return
	}
	skip := s.kinds
	if skip != 0 {
		skip |= saidThought
	}
	b, n := append(s.spare[:0], `{"type":"`+wholeEnd+`","response":{"output":[`...), 0
	for c.Next() {
		if string(c.Key()) != "output" || !c.Array() {
			continue
		}
		for c.Next() {
			object := c.Value()
			it := readItem(object)
			kind := saidBy(it.kind)
			if kind == 0 || kind&skip != 0 {
				continue
			}
			if n++; n > 1 {
				b = append(b, ',')
			}
			b = append(b, object...)
			if s.kinds |= kind; kind == saidCall {
				s.calls = true
				f.Text += len(it.name) + len(it.text)
			} else {
				f.Text += textIn(object)
			}
		}
	}
	if s.spare = append(b, "]}}"...); n > 0 {
		f.Data = s.spare
	}
}

// End tells the rest as the backend would have.
func (s *scanner) End(dst []byte, why hoosh.Finish, u hoosh.Usage, _ bool) []byte {
	w := eventWriter{b: dst, seq: s.next}
	o := newObject(nil, "", "", time.Time{})
	if s.head == nil {
		w.begin(&o)
	}
	s.closeItem(&w)
	o.end(why)
	name := "response." + o.status
	if o.status == "failed" {
		name = "response.incomplete"
		o.status, o.err = "incomplete", nil
	}
	o.output = s.done
	if !u.IsZero() {
		o.usage = &u
	}
	whole := o.append(nil)
	if s.head != nil {
		whole = s.ended(&o)
	}
	w.open(name)
	w.b = append(append(w.b, `,"response":`...), whole...)
	w.close()
	s.complete = true
	return w.b
}

// ended is the response object that the backend began, with its end.
func (s *scanner) ended(o *object) []byte {
	var dst []byte
	put := func(name string, value []byte) {
		dst = append(append(append(append(dst, `,"`...), name...), `":`...), value...)
	}
	c := jsonpeek.NewDepth(s.head, jsonpeek.MaxDepth)
	c.Object()
	for c.Next() {
		switch key := c.Key(); string(key) {
		case "status", "output", "usage", "incomplete_details", "error":
		default:
			put(string(key), c.Value())
		}
	}
	put("status", jsonpeek.AppendQuote(nil, o.status))
	put("error", []byte("null"))
	reason := []byte("null")
	if o.reason != "" {
		reason = append(jsonpeek.AppendQuote([]byte(`{"reason":`), o.reason), '}')
	}
	put("incomplete_details", reason)
	put("output", append(append([]byte{'['}, o.output...), ']'))
	usage := []byte("null")
	if o.usage != nil {
		usage = appendUsage(nil, *o.usage)
	}
	put("usage", usage)
	dst[0] = '{'
	return append(dst, '}')
}

// closeItem ends the item that is open, with what came of it.
func (s *scanner) closeItem(w *eventWriter) {
	o := &s.open
	if !o.begun || len(o.value) == 0 {
		return
	}
	it := readItem(o.value)
	id := stringMember(o.value, "id")
	w.ref = ref{id: id, output: o.index, part: o.part}
	var value []byte
	switch o.kind {
	case eventText:
		w.textEnd(o.text, []byte{})
		value = appendMessageItem(nil, string(id), "incomplete", appendTextPart(nil, o.text, []byte{}))
	case eventRefusal:
		w.textEnd(o.text, nil)
		value = appendMessageItem(nil, string(id), "incomplete", appendTextPart(nil, o.text, nil))
	case eventSummary:
		w.summaryEnd(o.text)
		value = appendReasoningItem(nil, string(id), o.text, "")
	case eventArguments, eventInput:
		t := origin{name: jsonpeek.Unquote(it.name), namespace: member(o.value, "namespace"), custom: o.kind == eventInput}
		quoted := append(append([]byte{'"'}, o.text...), '"')
		w.argumentsEnd(&t, quoted)
		value = appendCallItem(nil, string(id), "incomplete", jsonpeek.Unquote(it.callID), t, quoted)
	default: // nothing came of it that could be told
		value = o.value
	}
	w.itemEnd(value)
	o.begun = false
	if len(s.done) > 0 {
		s.done = append(s.done, ',')
	}
	s.done = append(s.done, value...)
}
