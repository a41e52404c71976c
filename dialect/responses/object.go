// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// object is a response object for a client, whole or while it is being made.
type object struct {
	id      string
	created int64
	model   string
	echo    []byte // what the request said, as members with a comma before each
	status  string
	reason  string       // of its being incomplete
	err     []byte       // an object with code and message, nil without one
	output  []byte       // items with commas between them
	usage   *hoosh.Usage // nil while it is not known
}

// newObject is the object of an answer to c.
func newObject(c *hoosh.Call, id, model string, created time.Time) object {
	if !strings.HasPrefix(id, "resp_") || len(id) > maxOwnID || strings.ContainsFunc(id, notInID) {
		id = newID("resp_")
	}
	if created.IsZero() {
		created = time.Now()
	}
	if model == "" && c != nil {
		model = c.Model
	}
	return object{id: id, model: model, created: created.Unix(), echo: echo(c)}
}

// maxOwnID bounds the id of a response that is taken over: those of its items are
// made of it.
const maxOwnID = 128

// notInID finds what does not stand in ids, and what JSON would escape.
func notInID(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// newID makes an id nobody else has.
func newID(prefix string) string {
	var b [20]byte
	rand.Read(b[:]) // never fails
	return prefix + hex.EncodeToString(b[:])
}

// echoed are the members of a request that come back with its answer, and what
// comes of those that it does not have: typed clients want them.
var echoed = [...]struct{ name, otherwise string }{
	{"background", "false"}, {"instructions", "null"}, {"max_output_tokens", "null"}, {"max_tool_calls", "null"}, {"metadata", "{}"},
	{"parallel_tool_calls", "true"}, {previousID, "null"}, {"prompt_cache_key", "null"}, {"reasoning", `{"effort":null,"summary":null}`},
	{"safety_identifier", "null"}, {"service_tier", `"default"`}, {"store", "true"}, {"temperature", "null"}, {"text", `{"format":{"type":"text"}}`},
	{"tool_choice", `"auto"`}, {"tools", "[]"}, {"top_logprobs", "0"}, {"top_p", "null"}, {"truncation", `"disabled"`}, {"user", "null"},
}

// echo is what the caller's own body says of these; c may be nil.
func echo(c *hoosh.Call) []byte {
	own := c != nil && c.Dialect() == Dialect && c.Body() != nil
	dst := make([]byte, 0, 768)
	for i := range echoed {
		dst = append(append(append(dst, `,"`...), echoed[i].name...), `":`...)
		value := []byte(echoed[i].otherwise)
		if own {
			if k, ok := c.Envelope().Key(echoed[i].name); ok {
				if said := c.Body()[k.From:k.To]; string(said) != "null" && (echoed[i].name != "service_tier" || string(said) != `"auto"`) {
					value = said
				}
			}
		}
		dst = appendLine(dst, value)
	}
	return dst
}

// appendLine appends JSON without line ends, which an event of a stream cannot
// hold. Within strings there are none.
func appendLine(dst, value []byte) []byte {
	for _, b := range value {
		if b == '\n' || b == '\r' {
			b = ' '
		}
		dst = append(dst, b)
	}
	return dst
}

func (o *object) append(dst []byte) []byte {
	dst = jsonpeek.AppendQuote(append(dst, `{"id":`...), o.id)
	dst = appendInt(append(dst, `,"object":"response","created_at":`...), o.created)
	dst = append(append(append(dst, `,"status":"`...), o.status...), '"')
	dst = append(dst, `,"error":`...)
	if o.err == nil {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, o.err...)
	}
	dst = append(dst, `,"incomplete_details":`...)
	if o.reason == "" {
		dst = append(dst, "null"...)
	} else {
		dst = append(append(append(dst, `{"reason":"`...), o.reason...), `"}`...)
	}
	dst = jsonpeek.AppendQuote(append(dst, `,"model":`...), o.model)
	dst = append(append(append(dst, `,"output":[`...), o.output...), ']')
	dst = append(dst, o.echo...)
	dst = append(dst, `,"usage":`...)
	if o.usage == nil {
		dst = append(dst, "null"...)
	} else {
		dst = appendUsage(dst, *o.usage)
	}
	return append(dst, '}')
}

// end sets what the object says of why the answer ended.
func (o *object) end(f hoosh.Finish) {
	o.status, o.reason = "completed", ""
	switch f {
	case hoosh.FinishLength:
		o.status, o.reason = "incomplete", "max_output_tokens"
	case hoosh.FinishContentFilter:
		o.status, o.reason = "incomplete", "content_filter"
	case hoosh.FinishError:
		o.status, o.err = "failed", []byte(`{"code":"server_error","message":"the backend failed while answering"}`)
	}
}

// failedObject is a response object of which nothing is known but why it failed.
func failedObject(e *hoosh.Error, failure []byte) []byte {
	o := newObject(nil, "", e.Model, time.Time{})
	o.status = "failed"
	code, message := member(failure, "code"), member(failure, "message")
	if len(code) == 0 || code[0] != '"' {
		code = []byte(`"server_error"`)
	}
	if len(message) == 0 || message[0] != '"' {
		message = []byte(`""`)
	}
	o.err = append(append([]byte(`{"code":`), code...), `,"message":`...)
	o.err = append(append(o.err, message...), '}')
	return o.append(nil)
}

// Items of an answer. Text goes in as between quotes.

func appendMessageItem(dst []byte, id, status string, content []byte) []byte {
	dst = append(append(dst, `{"id":"`...), id...)
	dst = append(append(dst, `","type":"message","status":"`...), status...)
	dst = append(append(dst, `","role":"assistant","content":[`...), content...)
	return append(dst, "]}"...)
}

// appendTextPart appends a part of a message that is text or, if annotations is
// nil, a refusal.
func appendTextPart(dst, text, annotations []byte) []byte {
	if annotations == nil {
		return append(append(append(dst, `{"type":"refusal","refusal":"`...), text...), `"}`...)
	}
	dst = append(append(dst, `{"type":"output_text","annotations":[`...), annotations...)
	return append(append(append(dst, `],"logprobs":[],"text":"`...), text...), `"}`...)
}

// appendReasoningItem appends what was thought; sealed is "" where there is no
// signature.
func appendReasoningItem(dst []byte, id string, text []byte, sealed string) []byte {
	dst = append(append(dst, `{"id":"`...), id...)
	dst = append(dst, `","type":"reasoning","summary":[`...)
	if len(text) > 0 {
		dst = append(append(append(dst, `{"type":"summary_text","text":"`...), text...), `"}`...)
	}
	dst = append(dst, ']')
	if sealed != "" {
		dst = jsonpeek.AppendQuote(append(dst, `,"encrypted_content":`...), sealed)
	}
	return append(dst, '}')
}

// appendCallItem appends a call of a tool as the request defined it; arguments
// are a JSON string, or the input of a custom tool as one.
func appendCallItem(dst []byte, id, status, callID string, t origin, arguments []byte) []byte {
	dst = append(append(dst, `{"id":"`...), id...)
	if t.custom {
		dst = append(dst, `","type":"custom_tool_call","status":"`...)
	} else {
		dst = append(dst, `","type":"function_call","status":"`...)
	}
	dst = append(append(dst, status...), `","call_id":`...)
	dst = append(jsonpeek.AppendQuote(dst, callID), `,"name":`...)
	dst = jsonpeek.AppendQuote(dst, t.name)
	if t.namespace != nil {
		dst = append(append(dst, `,"namespace":`...), t.namespace...)
	}
	if t.custom {
		dst = append(dst, `,"input":`...)
	} else {
		dst = append(dst, `,"arguments":`...)
	}
	return append(append(dst, arguments...), '}')
}

// origin is how a tool was defined that others know as a function.
type origin struct {
	name      string
	namespace []byte // a JSON string, nil without one
	custom    bool
}

// origins finds them by the functions' names, for the tools of a request that
// are not plain functions.
type origins map[string]origin

func originsOf(c *hoosh.Call) origins {
	if c == nil || c.Dialect() != Dialect {
		return nil
	}
	q := &hoosh.Request{}
	if c.Body() != nil {
		k, ok := c.Envelope().Key("tools")
		if !ok {
			return nil
		}
		r := newReader(c.Op, c.Body()[k.From:k.To], hoosh.ErrInvalidRequest)
		r.tools(q)
		distinct(q.Tools)
	} else if said, err := c.Request(); err == nil {
		q = said
	}
	x := origins{}
	for i := range q.Tools {
		t := &q.Tools[i]
		o := origin{name: ownName(t), namespace: t.Extra.Get(extraNamespace), custom: t.Extra.Get(extraCustom) != nil}
		if t.Type == "" && (o.namespace != nil || o.custom) {
			x[t.Name] = o
		}
	}
	return x
}

func (x origins) of(name string) origin {
	if o, ok := x[name]; ok {
		return o
	}
	return origin{name: name}
}
