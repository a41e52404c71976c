// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"math"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIReader reads OpenAI's JSON into typed values, which alias it. The first
// thing that is not as it should be is kept; reading goes on, to no effect, so
// that only the end has to ask. A null counts as absent wherever a member may
// be left out.
type openAIReader struct {
	c    jsonpeek.Cursor
	body []byte
	op   Operation
	kind error // of what is wrong with the body: the caller's fault or a backend's
	err  *Error
}

func newOpenAIReader(op Operation, body []byte, kind error) openAIReader {
	// How deep a body may be was settled when its envelope was read.
	return openAIReader{c: jsonpeek.NewDepth(body, jsonpeek.MaxDepth), body: body, op: op, kind: kind}
}

// fail notes what is wrong with the value whose first byte is at.
func (r *openAIReader) fail(at int, message string) {
	if r.err != nil || r.c.Err() != nil {
		return
	}
	path := jsonpeek.Path(r.body, at)
	r.err = &Error{Kind: r.kind, Op: r.op, Message: message}
	if r.kind == ErrInvalidRequest {
		r.err.Param = path
	} else if path != "" { // Param is for what the caller said
		r.err.Message += ", at " + path
	}
}

var openAIKindWords = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}

// want notes that the value at hand should have been something else.
func (r *openAIReader) want(what string) {
	r.fail(r.c.Pos(), "want "+what+", found "+openAIKindWords[r.c.Kind()])
}

// notJSON is the error of a body that is not well-formed, or not what otherwise
// says.
func (r *openAIReader) notJSON(otherwise string) *Error {
	e := notJSON(r.op, r.body, &r.c, otherwise)
	if r.kind != ErrInvalidRequest {
		*e = Error{Kind: r.kind, Op: r.op, Message: e.Message, Err: e.Err}
	}
	return e
}

// end finishes the document and gives the first thing that was wrong.
func (r *openAIReader) end() error {
	if r.c.End() != nil {
		return r.notJSON("")
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// key is the name of the member at hand as the most liberal backend reads it,
// see openAIKeyOf.
func (r *openAIReader) key() []byte { return openAIInnerKey(r.c.Key()) }

// openAIInnerKeys are the names below the top level that say what is asked. In
// another spelling they must not pass as unknown: what looks at a request would
// not see what some backends act on.
var openAIInnerKeys = [...]string{"role", "content", "name", "type", "text", "refusal", "reasoning_content", "reasoning", "thinking",
	"tool_calls", "tool_call_id", "function_call", "function", "custom", "id", "arguments", "input", "image_url", "url", "detail",
	"input_audio", "data", "format", "file", "file_data", "file_id", "filename", "description", "parameters", "strict", "json_schema", "schema"}

func openAIInnerKey(raw []byte) []byte {
	for _, ch := range raw {
		if ch == '\\' || ch >= 0x80 || 'A' <= ch && ch <= 'Z' {
			for _, name := range openAIInnerKeys {
				if jsonpeek.EqualFold(raw, name) {
					return []byte(name)
				}
			}
			return plainJSON(raw)
		}
	}
	return raw
}

// plainJSON is the text of raw, which is raw itself nearly always.
func plainJSON(raw []byte) []byte {
	for _, ch := range raw {
		if ch == '\\' {
			return jsonpeek.AppendUnquote(nil, raw)
		}
	}
	return raw
}

// member takes the member at hand as it stands.
func (r *openAIReader) member() Member {
	return Member{Key: jsonpeek.Unquote(r.c.Key()), Value: r.c.Value()}
}

// text reads a string.
func (r *openAIReader) text(what string) (t Text, ok bool) {
	if raw, ok := r.c.Str(); ok {
		return RawText(raw), true
	}
	if !r.c.Null() {
		r.want(what)
	}
	return Text{}, false
}

// str is text for what is used as a Go string.
func (r *openAIReader) str(what string) string {
	t, _ := r.text(what)
	return t.String()
}

func (r *openAIReader) float() *float64 {
	if f, ok := r.c.Float(); ok {
		return &f
	}
	if !r.c.Null() {
		r.want("a number")
	}
	return nil
}

func (r *openAIReader) int() *int64 {
	if n, ok := r.c.Int(); ok {
		return &n
	}
	if !r.c.Null() {
		r.want("a whole number")
	}
	return nil
}

// count reads a number of things, 0 when there is none.
func (r *openAIReader) count() int {
	at := r.c.Pos()
	n := r.int()
	if n == nil {
		return 0
	}
	if *n < 0 || *n > 1<<40 || *n > math.MaxInt {
		r.fail(at, "want a whole number that is not negative")
		return 0
	}
	return int(*n)
}

func (r *openAIReader) bool() *bool {
	if b, ok := r.c.Bool(); ok {
		return &b
	}
	if !r.c.Null() {
		r.want("true or false")
	}
	return nil
}

// raw takes an object as it stands; nil for null.
func (r *openAIReader) raw(what string) []byte {
	if r.c.Kind() == jsonpeek.Object {
		return r.c.Value()
	}
	if !r.c.Null() {
		r.want(what)
	}
	return nil
}

// typeOf looks ahead for the type of the object at hand, nil without one.
func (r *openAIReader) typeOf() []byte {
	c := r.c
	if c.Object() {
		for c.Next() {
			if string(openAIInnerKey(c.Key())) == "type" {
				raw, _ := c.Str()
				return plainJSON(raw)
			}
		}
	}
	return nil
}
