// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"fmt"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// field is a top-level member of a request that [hoosh.Request] has a field for.
type field struct {
	name string
	read func(r *reader, q *hoosh.Request)
}

// "input" is read apart: it comes after the instructions, wherever it stands.
var fields = [...]field{
	{"input", func(r *reader, _ *hoosh.Request) { r.C.Skip() }},
	{"model", func(r *reader, q *hoosh.Request) { q.Model = r.Str("a string, the model's name") }},
	{"instructions", (*reader).instructions},
	{"stream", func(r *reader, q *hoosh.Request) { b := r.Bool(); q.Stream = b != nil && *b }},
	{"tools", (*reader).tools},
	{"tool_choice", (*reader).toolChoice},
	{"parallel_tool_calls", func(r *reader, q *hoosh.Request) { q.ParallelTools = r.Bool() }},
	{"text", (*reader).textOptions},
	{"reasoning", (*reader).reasoning},
	{"max_output_tokens", func(r *reader, q *hoosh.Request) { q.MaxTokens = r.Count() }},
	{"temperature", func(r *reader, q *hoosh.Request) { q.Temperature = r.Float() }},
	{"top_p", func(r *reader, q *hoosh.Request) { q.TopP = r.Float() }},
	{"user", func(r *reader, q *hoosh.Request) { q.User = r.Str("a string") }},
}

// fieldOf finds the field that a name, as it stands in the JSON, reads as to any
// backend; -1 when there is none.
func fieldOf(name []byte) int {
	spelt := codec.IsPlain(name)
	for i := range fields {
		if string(name) == fields[i].name || !spelt && jsonpeek.EqualFold(name, fields[i].name) {
			return i
		}
	}
	return -1
}

// kept are the members that refer to what is kept at a backend: another one
// would answer something else than what was asked.
var kept = [...]string{previousID, "conversation", "prompt", "background"}

const previousID = "previous_response_id"

// decodeRequest is [hoosh.Dialect.DecodeRequest].
func decodeRequest(op hoosh.Operation, body []byte) (*hoosh.Request, error) {
	q, err := read(op, body, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range kept {
		if v := q.Extra.Get(name); says(v) {
			return nil, unsupported(op, name, "what it refers to is kept at the provider, and this call goes to one of another format")
		}
	}
	q.Extra = slices.DeleteFunc(q.Extra, func(x hoosh.Member) bool { return slices.Contains(kept[:], x.Key) })
	return q, nil
}

// says reports that a member's value is neither null nor false.
func says(v []byte) bool { return v != nil && string(v) != "null" && string(v) != "false" }

// PreviousID is the response that a request of this format goes on from, "" when
// it is a whole conversation. Any other members that refer to what a backend
// keeps are not looked at.
func PreviousID(c *hoosh.Call) string {
	k, ok := c.Envelope().Key(previousID)
	if !ok || c.Dialect() != Dialect || c.Body() == nil || c.Body()[k.From] != '"' {
		return ""
	}
	return jsonpeek.Unquote(c.Body()[k.From+1 : k.To-1])
}

// Resume reads a request as DecodeRequest does, as the continuation of what was
// said earlier: those messages stand between its instructions and its input, and
// its "previous_response_id" is done with. It keeps body.
func Resume(op hoosh.Operation, body []byte, earlier []hoosh.Message) (*hoosh.Request, error) {
	q, err := read(op, body, earlier)
	if err != nil {
		return nil, err
	}
	q.Extra = slices.DeleteFunc(q.Extra, func(x hoosh.Member) bool { return x.Key == previousID })
	for _, name := range kept {
		if says(q.Extra.Get(name)) {
			return nil, unsupported(op, name, "what it refers to is kept at the provider, and this conversation is not")
		}
	}
	return q, nil
}

func read(op hoosh.Operation, body []byte, earlier []hoosh.Message) (*hoosh.Request, error) {
	if !known(op) {
		return nil, noSuch(op)
	}
	r := newReader(op, body, hoosh.ErrInvalidRequest)
	q := &hoosh.Request{Op: op}
	if !r.C.Object() {
		return nil, codec.NotJSON(op, r.Kind, body, r.C.Err(), "want a JSON object")
	}
	var seen [len(fields)]bool
	var input reader
	for r.C.Next() {
		i := fieldOf(r.C.Key())
		if i < 0 {
			q.Extra = append(q.Extra, r.Member())
			continue
		}
		if seen[i] {
			r.Fail(r.C.KeyStart(), fmt.Sprintf("a second key that reads as %q", fields[i].name))
		}
		seen[i] = true
		if i == 0 {
			input = r // a cursor of its own, at this value
		}
		fields[i].read(&r, q)
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	v := conversation{messages: q.Messages}
	v.messages = append(v.messages, earlier...)
	if seen[0] {
		input.Err = nil
		input.input(&v)
		if input.Err != nil {
			return nil, input.Err
		}
	}
	if len(v.messages) == 0 {
		return nil, codec.Invalid(op, "input", "want at least one item that says something")
	}
	q.Messages = v.messages
	rename(q)
	hoosh.OpenIDs(q.Messages)
	return q, nil
}

// instructions is a system message before all others.
func (r *reader) instructions(q *hoosh.Request) {
	if r.C.Kind() == jsonpeek.Array { // an older form: items
		r.Want("a string")
		return
	}
	if t, _ := r.Text("a string"); !t.IsEmpty() {
		q.Messages = []hoosh.Message{{Role: hoosh.RoleSystem, Parts: []hoosh.Part{hoosh.NewPart(hoosh.PartText, t)}}}
	}
}
