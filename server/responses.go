// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

var responsesSurface = &surface{dialect: responses.Dialect, ping: comment, numbered: true}

// responses serves a call in the Responses format. Where it goes on from an
// answer that is kept here the whole conversation is put in its place, so that
// every backend can go on with it.
func (s *Server) responses(op hoosh.Operation) func(*request) {
	return func(q *request) {
		c := q.read(responses.Dialect, op)
		if c == nil {
			return
		}
		k := keeper{q: q, c: c, keeps: string(value(c, "store")) != "false"} // it is the format's default
		defer func() { k.c.Release() }()
		if string(value(c, "background")) == "true" {
			q.fail(&hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Param: "background", Message: "what is answered in the background could not be fetched here; leave it out, and wait or stream"})
			return
		}
		if err := k.resume(); err != nil {
			q.fail(err)
			return
		}
		f := &form{failure: k.failure}
		if op == hoosh.OpChat && (k.keeps || k.before != nil) {
			f.whole, f.frame = k.whole, k.frame
		}
		q.answer(k.c, f)
	}
}

// value is a top-level member of the body as it stands, nil without one.
func value(c *hoosh.Call, name string) []byte {
	k, ok := c.Envelope().Key(name)
	if !ok {
		return nil
	}
	return c.Body()[k.From:k.To]
}

// says reports that a call has a member, and not null in it.
func says(c *hoosh.Call, name string) bool {
	v := value(c, name)
	return v != nil && string(v) != "null"
}

// keeper is a call that may go on from an answer that is kept here, and whose own
// answer may be kept. It looks at that on its way to the client, and says there
// what it goes on from, which the backend did not know.
type keeper struct {
	q       *request
	c       *hoosh.Call
	before  *storedAnswer // what was put in the place of its id, nil: nothing
	earlier int           // bytes of the input that are of the turns before
	keeps   bool
	buf     []byte
}

// resume puts in the place of a call the one that says all that it refers to. It
// stays as it is where that is not kept here, for a backend may know it.
func (k *keeper) resume() error {
	id := responses.PreviousID(k.c)
	if id == "" {
		return nil
	}
	answers, caller := k.q.s.answers, k.q.caller.Name
	before := answers.get(caller, id)
	if before == nil {
		if !answers.mayAsk(caller, id) {
			return noPrevious(id)
		}
		return nil
	}
	body := net.Buffers{[]byte{'{'}}
	for _, m := range k.c.Envelope().Keys {
		if !jsonpeek.EqualFold(m.Name, "previous_response_id") && !jsonpeek.EqualFold(m.Name, "input") {
			body = append(body, k.c.Body()[m.Start:m.To], comma)
		}
	}
	body = append(body, []byte(`"input":[`))
	head, own := len(body), inputItems(value(k.c, "input"))
	for _, items := range append(before.said(), before.output, own) {
		if len(items) == 0 {
			continue
		}
		if len(body) > head {
			body = append(body, comma)
		}
		body = append(body, items)
	}
	body = append(body, []byte("]}"))

	limits := &k.q.s.cfg.Limits
	size, most := 0, 2*int64(limits.Body)
	for _, piece := range body {
		size += len(piece)
	}
	if int64(size) > most {
		return &hoosh.Error{Kind: hoosh.ErrTooLarge, Code: "request_too_large", Op: k.c.Op, Param: "previous_response_id",
			Message: fmt.Sprintf("with all that was said before, the request has %d bytes of the %d allowed; go on from an earlier answer, or begin anew", size, most)}
	}
	whole, err := hoosh.ReadCall(responses.Dialect, k.c.Op, &body, int64(size), most, limits.Depth)
	if err != nil {
		return err
	}
	k.q.adopt(whole)
	k.earlier = len(elements(value(whole, "input"))) - len(own)
	k.c.Release()
	k.c, k.before = whole, before
	return nil
}

var comma = []byte{','}

// failure is a form's. A backend of another format cannot know what is not here.
func (k *keeper) failure(e *hoosh.Error) *hoosh.Error {
	if e.Kind == hoosh.ErrUnsupported && e.Param == "previous_response_id" {
		return noPrevious(responses.PreviousID(k.c))
	}
	return e
}

// missing are the reasons why an answer is not here.
const missing = "it was not stored, was deleted, has made room for later ones, or hoosh was restarted"

func noPrevious(id string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Code: "previous_response_not_found", Param: "previous_response_id",
		Message: fmt.Sprintf("Previous response with id '%.100s' not found: %s", id, missing)}
}

// elements are what is between the brackets of an array; nothing of anything
// else.
func elements(array []byte) []byte {
	if len(array) < 2 || array[0] != '[' {
		return nil
	}
	return bytes.TrimSpace(array[1 : len(array)-1])
}

// inputItems gives the items of an input. A text is a message of the user.
func inputItems(input []byte) []byte {
	if len(input) > 0 && input[0] == '"' {
		return append(append([]byte(`{"type":"message","role":"user","content":`), input...), '}')
	}
	return elements(input)
}

// member gives the value of a member of an object as it stands, nil without one.
func member(object []byte, name string) []byte {
	from, to := span(object, name)
	return object[from:to]
}

// span is where the value of a member stands in an object, twice 0 without one.
func span(object []byte, name string) (from, to int) {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if c.Object() {
		for c.Next() {
			if jsonpeek.Equal(c.Key(), name) {
				from = c.Pos()
				c.Skip()
				return from, c.Pos()
			}
		}
	}
	return 0, 0
}

// unquoted is a JSON string's text, "" of anything else.
func unquoted(raw []byte) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	return jsonpeek.Unquote(raw[1 : len(raw)-1])
}

// whole is a form's.
func (k *keeper) whole(body []byte) []byte {
	body = k.named(body)
	k.keep(body)
	return body
}

// named puts the id of the answer before in its place.
func (k *keeper) named(object []byte) []byte {
	if k.before == nil {
		return object
	}
	from, to := span(object, "previous_response_id")
	if from == to {
		return object
	}
	out := append(make([]byte, 0, len(object)+len(k.before.id)), object[:from]...)
	return append(jsonpeek.AppendQuote(out, k.before.id), object[to:]...)
}

// keep keeps an answer that is whole, with what this turn said. What the call
// refers to and a backend keeps is not known here: then the answer is not kept
// either, and a backend is asked to go on from it too.
func (k *keeper) keep(object []byte) {
	if !k.keeps {
		return
	}
	id, status := unquoted(member(object, "id")), unquoted(member(object, "status"))
	if id == "" || status != "completed" && status != "incomplete" {
		return
	}
	answers, caller := k.q.s.answers, k.q.caller.Name
	input := inputItems(value(k.c, "input"))[k.earlier:]
	if k.refers(input) {
		answers.leave(caller, id)
		return
	}
	object = bytes.Clone(object)
	answers.put(&storedAnswer{caller: caller, id: id, before: k.before,
		input: bytes.Clone(input), output: elements(member(object, "output")), object: object})
}

// refers reports that the call says something by the name of what a backend keeps.
func (k *keeper) refers(input []byte) bool {
	if says(k.c, "previous_response_id") || says(k.c, "conversation") || says(k.c, "prompt") {
		return true
	}
	c := jsonpeek.NewDepth(slices.Concat([]byte{'['}, input, []byte{']'}), jsonpeek.MaxDepth)
	c.Array()
	for c.Next() {
		item := c.Value()
		kind := unquoted(member(item, "type"))
		if kind == "item_reference" || kind == "" && len(member(item, "role")) == 0 {
			return true
		}
	}
	return false
}

var (
	responseMark = []byte(`"response"`)
	lastMarks    = [...][]byte{[]byte("response.completed"), []byte("response.incomplete")}
)

// concerns reports that an event may have the answer's object in it. Deltas, of
// which there are many, have not.
func (k *keeper) concerns(raw []byte) bool {
	if !bytes.Contains(raw, responseMark) {
		return false
	}
	if k.before != nil {
		return true
	}
	for _, mark := range lastMarks {
		if bytes.Contains(raw, mark) {
			return true
		}
	}
	return false
}

// frame is a form's. An event with the answer's object is told anew only where
// something must be put into it.
func (k *keeper) frame(f *hoosh.Frame) []byte {
	if len(f.Raw) == 0 || !k.concerns(f.Raw) {
		return f.Raw
	}
	k.buf = k.buf[:0]
	r := framing.NewSSE(bytes.NewReader(f.Raw), len(f.Raw)+16)
	for {
		event, err := r.Next()
		if err != nil { // the end: what is in memory cannot fail
			break
		}
		k.event(&event)
	}
	if k.before == nil {
		return f.Raw
	}
	return k.buf
}

func (k *keeper) event(e *framing.Frame) {
	from, to := span(e.Data, "response")
	if from == to || e.Data[from] != '{' {
		k.buf = append(k.buf, e.Raw...)
		return
	}
	named := k.named(e.Data[from:to])
	switch unquoted(member(e.Data, "type")) {
	case "response.completed", "response.incomplete":
		k.keep(named)
	}
	if k.before != nil {
		data := slices.Concat(e.Data[:from], named, e.Data[to:])
		k.buf = framing.AppendSSE(k.buf, string(e.Event), data)
	}
}

// numbering is what an error must follow that ends a stream of events: their
// numbers and the id of the answer, which no dialect knows of a stream that it did
// not write.
type numbering struct {
	last int
	id   []byte // as a JSON string
}

var (
	sequenceNumber = []byte(`"sequence_number":`)
	responseID     = []byte(`"response":{"id":`)
)

// note looks at a frame.
func (n *numbering) note(raw []byte) {
	if n.id == nil {
		if i := bytes.Index(raw, responseID); i >= 0 {
			n.id = bytes.Clone(quoted(raw[i+len(responseID):]))
		}
	}
	i := bytes.LastIndex(raw, sequenceNumber)
	if i < 0 {
		return
	}
	n.last = 0
	for _, digit := range raw[i+len(sequenceNumber):] {
		if digit < '0' || digit > '9' || n.last > 1<<30 {
			break
		}
		n.last = 10*n.last + int(digit-'0')
	}
}

// quoted is the string that b begins with.
func quoted(b []byte) []byte {
	if len(b) > 0 && b[0] == '"' {
		if end := bytes.IndexByte(b[1:], '"'); end >= 0 {
			return b[:end+2]
		}
	}
	return nil
}

// follow gives the events of an error the numbers that come next, and the id.
func (n *numbering) follow(events []byte) []byte {
	var out []byte
	for {
		i := bytes.Index(events, append(bytes.Clone(sequenceNumber), "0}"...))
		if i < 0 {
			out = append(out, events...)
			break
		}
		i += len(sequenceNumber)
		n.last++
		out = strconv.AppendInt(append(out, events[:i]...), int64(n.last), 10)
		events = events[i+1:]
	}
	if i := bytes.Index(out, responseID); i >= 0 && n.id != nil {
		i += len(responseID)
		out = slices.Replace(out, i, i+len(quoted(out[i:])), n.id...)
	}
	return out
}
