// SPDX-License-Identifier: AGPL-3.0-only

package responses

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

// innerKeys are the names below the top level that say what is asked. Backends
// differ in how they read names: Go's take ROLE, and all take rol\u0065. In
// another spelling they must not pass as unknown.
var innerKeys = [...]string{"type", "role", "content", "text", "refusal", "annotations", "image_url", "file_id", "detail", "file_data", "file_url", "filename",
	"input_audio", "data", "format", "call_id", "name", "namespace", "arguments", "input", "output", "summary", "encrypted_content", "id",
	"description", "parameters", "strict", "tools", "functions", "schema", "verbosity", "effort"}

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

// peek looks ahead for a string member of the object at hand, nil without one.
func (r *reader) peek(name string) []byte {
	c := r.c
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == name {
				raw, _ := c.Str()
				return plain(raw)
			}
		}
	}
	return nil
}

// member gives the value of an object's first member of this name, nil without
// one.
func member(object []byte, name string) []byte {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == name {
				return c.Value()
			}
		}
	}
	return nil
}

// stringMember is member for a string, as it stands between its quotes.
func stringMember(object []byte, name string) []byte {
	if v := member(object, name); len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1]
	}
	return nil
}
