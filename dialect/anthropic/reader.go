// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"errors"
	"math"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// reader reads the format's JSON into typed values, which alias it. The first
// thing that is not as it should be is kept; reading goes on, to no effect, so
// that only the end has to ask. A null counts as absent.
type reader struct {
	c    jsonpeek.Cursor
	body []byte
	op   hoosh.Operation
	kind error // of what is wrong with the body: the caller's fault or a backend's
	err  *hoosh.Error
}

func newReader(op hoosh.Operation, body []byte, kind error) reader {
	// How deep a body may be was settled when its envelope was read.
	return reader{c: jsonpeek.NewDepth(body, jsonpeek.MaxDepth), body: body, op: op, kind: kind}
}

// fail notes what is wrong with the value whose first byte is at.
func (r *reader) fail(at int, message string) {
	if r.err != nil || r.c.Err() != nil {
		return
	}
	path := jsonpeek.Path(r.body, at)
	r.err = &hoosh.Error{Kind: r.kind, Op: r.op, Message: message}
	if r.kind == hoosh.ErrInvalidRequest {
		r.err.Param = path
	} else if path != "" { // Param is for what the caller said
		r.err.Message += ", at " + path
	}
}

var kindWords = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}

// want notes that the value at hand should have been something else.
func (r *reader) want(what string) {
	r.fail(r.c.Pos(), "want "+what+", found "+kindWords[r.c.Kind()])
}

// end finishes the document and gives the first thing that was wrong.
func (r *reader) end() error {
	if err := r.c.End(); err != nil {
		return notJSON(r.op, r.kind, r.body, err, "")
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// notJSON is the error of a body that is not well-formed, or not what otherwise
// says.
func notJSON(op hoosh.Operation, kind error, body []byte, err error, otherwise string) *hoosh.Error {
	e := &hoosh.Error{Kind: kind, Op: op, Message: otherwise}
	var syntax *jsonpeek.SyntaxError
	if errors.As(err, &syntax) {
		e.Message, e.Err = syntax.Error(), syntax
		if kind == hoosh.ErrInvalidRequest {
			e.Code, e.Param = "invalid_json", jsonpeek.Path(body, syntax.Offset)
		}
	}
	return e
}

// invalid is the error of a body that is JSON and not what op wants.
func invalid(op hoosh.Operation, param, message string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Op: op, Param: param, Message: message}
}

func unsupportedOp(op hoosh.Operation) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Message: "Anthropic's format has no " + op.String()}
}

// innerKeys are the names below the top level that say what is asked. Backends
// differ in how they read names, so in another spelling they must not pass as
// unknown.
var innerKeys = [...]string{"type", "role", "content", "text", "citations", "thinking", "signature", "data", "source", "media_type", "url", "file_id", "title",
	"id", "name", "input", "tool_use_id", "is_error", "description", "input_schema", "strict", "disable_parallel_tool_use",
	"budget_tokens", "display", "format", "schema", "effort", "user_id"}

// key is the name of the member at hand as the most liberal backend reads it.
func (r *reader) key() []byte { return innerKey(r.c.Key()) }

func innerKey(raw []byte) []byte {
	if isPlain(raw) {
		return raw
	}
	for _, name := range innerKeys {
		if jsonpeek.EqualFold(raw, name) {
			return []byte(name)
		}
	}
	return plain(raw)
}

// isPlain reports that a name is spelt as this format spells its own.
func isPlain(raw []byte) bool {
	for _, ch := range raw {
		if ch == '\\' || ch >= 0x80 || 'A' <= ch && ch <= 'Z' {
			return false
		}
	}
	return true
}

// plain is the text of raw, which is raw itself nearly always.
func plain(raw []byte) []byte {
	if slices.Contains(raw, '\\') {
		return jsonpeek.AppendUnquote(nil, raw)
	}
	return raw
}

// member takes the member at hand as it stands.
func (r *reader) member() hoosh.Member {
	return hoosh.Member{Key: jsonpeek.Unquote(r.c.Key()), Value: r.c.Value()}
}

// text reads a string.
func (r *reader) text(what string) (t hoosh.Text, ok bool) {
	if raw, ok := r.c.Str(); ok {
		return hoosh.RawText(raw), true
	}
	if !r.c.Null() {
		r.want(what)
	}
	return hoosh.Text{}, false
}

// str is text for what is used as a Go string.
func (r *reader) str(what string) string {
	t, _ := r.text(what)
	return t.String()
}

func (r *reader) float() *float64 {
	if f, ok := r.c.Float(); ok {
		return &f
	}
	if !r.c.Null() {
		r.want("a number")
	}
	return nil
}

// count reads a number of things, 0 when there is none.
func (r *reader) count() int {
	at := r.c.Pos()
	n, ok := r.c.Int()
	if !ok && !r.c.Null() {
		r.want("a whole number")
	}
	if n < 0 || n > 1<<40 || n > math.MaxInt {
		r.fail(at, "want a whole number that is not negative")
		return 0
	}
	return int(n)
}

func (r *reader) bool() *bool {
	if b, ok := r.c.Bool(); ok {
		return &b
	}
	if !r.c.Null() {
		r.want("true or false")
	}
	return nil
}

// raw takes an object as it stands; nil for null.
func (r *reader) raw(what string) []byte {
	if r.c.Kind() == jsonpeek.Object {
		return r.c.Value()
	}
	if !r.c.Null() {
		r.want(what)
	}
	return nil
}

// typeOf looks ahead for the type of the object at hand, nil without one.
func (r *reader) typeOf() []byte {
	c := r.c
	return typeOf(&c)
}

// typeOf consumes what is at the cursor up to its type.
func typeOf(c *jsonpeek.Cursor) []byte {
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == "type" {
				raw, _ := c.Str()
				return plain(raw)
			}
		}
	}
	return nil
}
