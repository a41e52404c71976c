// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// fields are the top-level members of a request that [hoosh.Request] has room for.
var fields = [...]struct {
	name string
	read func(r *reader, q *hoosh.Request)
}{
	{"model", func(r *reader, q *hoosh.Request) { q.Model = r.Str("a string, the model's name") }},
	{"messages", (*reader).messages},
	{"system", (*reader).system},
	{"max_tokens", (*reader).ceiling},
	{"stream", func(r *reader, q *hoosh.Request) { on := r.Bool(); q.Stream = on != nil && *on }},
	{"temperature", func(r *reader, q *hoosh.Request) { q.Temperature = r.Float() }},
	{"top_p", func(r *reader, q *hoosh.Request) { q.TopP = r.Float() }},
	{"top_k", (*reader).topK},
	{"stop_sequences", (*reader).stop},
	{"tools", (*reader).tools},
	{"tool_choice", (*reader).toolChoice},
	{"thinking", (*reader).thinking},
	{"output_config", (*reader).outputConfig},
	{"output_format", func(r *reader, q *hoosh.Request) { r.format(q) }},
	{"metadata", (*reader).metadata},
}

// fieldOf finds the field that a name reads as, -1 without one.
func fieldOf(name []byte) int {
	spelt := codec.IsPlain(name)
	for i := range fields {
		if string(name) == fields[i].name || !spelt && jsonpeek.EqualFold(name, fields[i].name) {
			return i
		}
	}
	return -1
}

// decodeRequest is [hoosh.Dialect.DecodeRequest].
func decodeRequest(op hoosh.Operation, body []byte) (*hoosh.Request, error) {
	if op != hoosh.OpChat && op != hoosh.OpCount {
		return nil, unsupportedOp(op)
	}
	r := newReader(op, body, hoosh.ErrInvalidRequest)
	q := &hoosh.Request{Op: op}
	if !r.C.Object() {
		return nil, codec.NotJSON(op, r.Kind, body, r.C.Err(), "want a JSON object")
	}
	var seen [len(fields)]bool
	for r.C.Next() {
		i := fieldOf(r.C.Key())
		if i < 0 && string(r.C.Key()) == "thread" && r.Err == nil {
			// Without it the next request would be the end of a conversation that
			// nobody has. SDKs go on with all of it when they are told so.
			r.Err = &hoosh.Error{Kind: r.Kind, Op: op, Code: "thread_unsupported_request", Param: "thread",
				Message: "the backend of this model keeps no message threads; send the whole conversation"}
		}
		if i < 0 {
			q.Extra = append(q.Extra, r.Member())
			continue
		}
		if seen[i] {
			r.Fail(r.C.KeyStart(), fmt.Sprintf("a second key that reads as %q", fields[i].name))
		}
		seen[i] = true
		fields[i].read(&r, q)
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	if !seen[1] {
		return nil, codec.Invalid(op, "messages", "missing; want an array of messages")
	}
	hoosh.OpenIDs(q.Messages)
	return q, nil
}

// ceiling reads how long the answer may be. With 0 only the prompt is to be cached,
// which nothing else than a body of this format can ask: nothing said would mean
// no ceiling at all.
func (r *reader) ceiling(q *hoosh.Request) {
	said := r.C.Kind() == jsonpeek.Number
	q.MaxTokens = r.Count()
	if said && q.MaxTokens == 0 && r.Op == hoosh.OpChat && r.Err == nil {
		r.Err = &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: r.Op, Param: "max_tokens",
			Message: "a call without an answer, which only warms the cache, cannot be said to this model's backend; want at least 1"}
	}
}

func (r *reader) topK(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	k := r.Count()
	q.TopK = &k
}

func (r *reader) stop(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Array() {
		r.Want("an array of strings")
		return
	}
	for r.C.Next() {
		raw, ok := r.C.Str()
		if !ok {
			r.Want("a string")
		}
		q.Stop = append(q.Stop, hoosh.RawText(raw))
	}
}

// thinking reads how the model is asked to think. Adaptive thinking without an
// effort is at Anthropic's own default, "high".
func (r *reader) thinking(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Object() {
		r.Want("an object with a type")
		return
	}
	kind, budget := "", 0
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
			kind = r.Str("a string")
		case "budget_tokens":
			budget = r.Count()
		case "display":
			if word := r.Str("a string"); word != "" {
				q.Reasoning.Show = hoosh.Ptr(word != "omitted")
			}
		}
	}
	switch kind {
	case "disabled":
		q.Reasoning.Effort = "none"
	case "enabled":
		q.Reasoning.Budget = budget
	default: // adaptive, between_tools
		if q.Reasoning.Effort == "" {
			q.Reasoning.Effort = "high"
		}
	}
}

// outputConfig reads the form of the answer and the effort. What else there is
// stays with the unknown members.
func (r *reader) outputConfig(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Object() {
		r.Want("an object")
		return
	}
	var rest []byte
	for r.C.Next() {
		switch string(r.key()) {
		case "format":
			r.format(q)
		case "effort":
			effort := r.Str("a string")
			if effort == "max" { // the greatest of OpenAI's words
				effort = "xhigh"
			}
			if effort != "" && q.Reasoning.Effort != "none" {
				q.Reasoning.Effort = effort
			}
		default:
			rest = appendMember(rest, r)
		}
	}
	if rest != nil {
		q.Extra = append(q.Extra, hoosh.Member{Key: "output_config", Value: append(rest, '}')})
	}
}

// appendMember adds the member at hand to an object that is being made.
func appendMember(dst []byte, r *reader) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	dst = append(append(dst, '"'), r.C.Key()...)
	return append(append(dst, `":`...), r.C.Value()...)
}

func (r *reader) format(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	at := r.C.Pos()
	if !r.C.Object() {
		r.Want("an object with a type and a schema")
		return
	}
	kind, f := "", hoosh.Format{}
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
			kind = r.Str("a string")
		case "schema":
			f.Schema = r.Raw("a JSON Schema object")
		}
	}
	if kind != "json_schema" || f.Schema == nil {
		r.Fail(at, `want a type "json_schema" and a schema`)
	}
	f.Type = "json_schema"
	q.Format = f
}

func (r *reader) metadata(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Object() {
		r.Want("an object")
		return
	}
	var rest []byte
	for r.C.Next() {
		if string(r.key()) == "user_id" {
			q.User = r.Str("a string")
		} else {
			rest = appendMember(rest, r)
		}
	}
	if rest != nil {
		q.Extra = append(q.Extra, hoosh.Member{Key: "metadata", Value: append(rest, '}')})
	}
}
