// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

var responsesSurface = &surface{dialect: responses.Dialect, ping: comment}

// responses serves a call in the Responses format. Where it goes on from an
// answer that is kept here the whole conversation is put in its place, so that
// every backend can go on with it.
func (s *Server) responses(op hoosh.Operation) func(*request) {
	return func(q *request) {
		c := q.read(responses.Dialect, op)
		if c == nil {
			return
		}
		c, previous, err := q.resumed(c)
		defer func() { c.Release() }()
		if err != nil {
			q.fail(err)
			return
		}
		k := keeper{q: q, c: c, previous: previous, keeps: op == hoosh.OpChat && wantsStored(c)}
		if op != hoosh.OpChat || !k.keeps && previous == "" {
			q.answer(c, nil)
			return
		}
		q.answer(c, &form{whole: k.whole, frame: k.frame})
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

// wantsStored reports that the answer shall be kept, which is the format's
// default.
func wantsStored(c *hoosh.Call) bool { return string(value(c, "store")) != "false" }

// resumed gives the call that says all that c refers to, and the id by which it
// does; c itself where that is not kept here, for a backend may know it. C is
// released if it is not what comes back.
func (q *request) resumed(c *hoosh.Call) (*hoosh.Call, string, error) {
	id := responses.PreviousID(c)
	if id == "" {
		return c, "", nil
	}
	earlier := q.s.answers.get(q.caller.Name, id)
	if earlier == nil {
		return c, "", nil
	}
	body := []byte{'{'}
	for _, k := range c.Envelope().Keys {
		if jsonpeek.EqualFold(k.Name, "previous_response_id") || jsonpeek.EqualFold(k.Name, "input") {
			continue
		}
		body = append(append(body, c.Body()[k.Start:k.To]...), ',')
	}
	body = append(body, `"input":[`...)
	body = join(body, earlier.input)
	body = join(body, elements(member(earlier.object, "output")))
	body = join(body, inputItems(value(c, "input")))
	body = append(body, "]}"...)
	limits := &q.s.cfg.Limits
	whole, err := hoosh.ReadCall(responses.Dialect, c.Op, bytes.NewReader(body), int64(len(body)), int64(len(body)), limits.Depth)
	if err != nil {
		return c, "", err
	}
	q.adopt(whole)
	c.Release()
	return whole, id, nil
}

// join appends items to an array that has begun.
func join(dst, items []byte) []byte {
	if len(items) > 0 && dst[len(dst)-1] != '[' {
		dst = append(dst, ',')
	}
	return append(dst, items...)
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

// keeper looks at an answer on its way to the client: it says there what the
// answer goes on from, which the backend did not know, and keeps the whole.
type keeper struct {
	q        *request
	c        *hoosh.Call
	previous string // "": it goes on from nothing that was put in its place
	keeps    bool
	buf      []byte
}

// whole is a form's.
func (k *keeper) whole(body []byte) []byte {
	body = k.named(body)
	k.keep(body)
	return body
}

// named puts the id of the answer before in its place.
func (k *keeper) named(object []byte) []byte {
	if k.previous == "" {
		return object
	}
	from, to := span(object, "previous_response_id")
	if from == to {
		return object
	}
	out := append(make([]byte, 0, len(object)+len(k.previous)), object[:from]...)
	return append(jsonpeek.AppendQuote(out, k.previous), object[to:]...)
}

// keep keeps an answer that is whole.
func (k *keeper) keep(object []byte) {
	if !k.keeps {
		return
	}
	id, status := unquoted(member(object, "id")), unquoted(member(object, "status"))
	if id == "" || status != "completed" && status != "incomplete" {
		return
	}
	k.q.s.answers.put(&storedAnswer{
		key:   storeKey{k.q.caller.Name, id},
		input: bytes.Clone(inputItems(value(k.c, "input"))), object: bytes.Clone(object),
	})
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
	if k.previous != "" {
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
	if k.previous == "" {
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
	if k.previous != "" {
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
