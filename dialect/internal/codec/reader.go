// SPDX-License-Identifier: AGPL-3.0-only

package codec

import (
	"errors"
	"math"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Reader reads a format's JSON into typed values, which alias it. The first
// thing that is not as it should be is kept; reading goes on, to no effect, so
// that only the end has to ask. A null counts as absent.
type Reader struct {
	C    jsonpeek.Cursor
	Body []byte
	Op   hoosh.Operation
	Kind error // of what is wrong with the body: the caller's fault or a backend's
	Err  *hoosh.Error
}

// NewReader is a reader of a body whose faults are of this kind.
func NewReader(op hoosh.Operation, body []byte, kind error) Reader {
	// How deep a body may be was settled when its envelope was read.
	return Reader{C: jsonpeek.NewDepth(body, jsonpeek.MaxDepth), Body: body, Op: op, Kind: kind}
}

// Fail notes what is wrong with the value whose first byte is at.
func (r *Reader) Fail(at int, message string) { r.FailAs(r.Kind, at, message) }

// FailAs is Fail for another kind of error than the body's.
func (r *Reader) FailAs(kind error, at int, message string) {
	if r.Err != nil || r.C.Err() != nil {
		return
	}
	path := jsonpeek.Path(r.Body, at)
	r.Err = &hoosh.Error{Kind: kind, Op: r.Op, Message: message}
	if kind != hoosh.ErrMalformed {
		r.Err.Param = path
	} else if path != "" { // Param is for what the caller said
		r.Err.Message += ", at " + path
	}
}

var kindWords = [...]string{"nothing", "null", "a boolean", "a number", "a string", "an array", "an object"}

// Want notes that the value at hand should have been something else.
func (r *Reader) Want(what string) {
	r.Fail(r.C.Pos(), "want "+what+", found "+kindWords[r.C.Kind()])
}

// End finishes the document and gives the first thing that was wrong.
func (r *Reader) End() error {
	if err := r.C.End(); err != nil {
		return NotJSON(r.Op, r.Kind, r.Body, err, "")
	}
	if r.Err != nil {
		return r.Err
	}
	return nil
}

// NotJSON is the error of a body that is not well-formed, or not what otherwise
// says.
func NotJSON(op hoosh.Operation, kind error, body []byte, err error, otherwise string) *hoosh.Error {
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

// Invalid is the error of a body that is JSON and not what op wants.
func Invalid(op hoosh.Operation, param, message string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Op: op, Param: param, Message: message}
}

// Fold is a member's name as the most liberal backend reads it: one of known, in
// whatever spelling, or else its text.
func Fold(raw []byte, known []string) []byte {
	if IsPlain(raw) {
		return raw
	}
	for _, name := range known {
		if jsonpeek.EqualFold(raw, name) {
			return []byte(name)
		}
	}
	return Plain(raw)
}

// IsPlain reports that a name is spelt in small ASCII letters, without escapes.
func IsPlain(raw []byte) bool {
	for _, ch := range raw {
		if ch == '\\' || ch >= 0x80 || 'A' <= ch && ch <= 'Z' {
			return false
		}
	}
	return true
}

// Plain is the text of raw, which is raw itself nearly always.
func Plain(raw []byte) []byte {
	if slices.Contains(raw, '\\') {
		return jsonpeek.AppendUnquote(nil, raw)
	}
	return raw
}

// Member takes the member at hand as it stands.
func (r *Reader) Member() hoosh.Member {
	return hoosh.Member{Key: jsonpeek.Unquote(r.C.Key()), Value: r.C.Value()}
}

// Text reads a string; what says what it should be.
func (r *Reader) Text(what string) (t hoosh.Text, ok bool) {
	if raw, ok := r.C.Str(); ok {
		return hoosh.RawText(raw), true
	}
	if !r.C.Null() {
		r.Want(what)
	}
	return hoosh.Text{}, false
}

// Str is Text for what is used as a Go string.
func (r *Reader) Str(what string) string {
	t, _ := r.Text(what)
	return t.String()
}

// Float reads a number, nil for null.
func (r *Reader) Float() *float64 {
	if f, ok := r.C.Float(); ok {
		return &f
	}
	if !r.C.Null() {
		r.Want("a number")
	}
	return nil
}

// Count reads a number of things, 0 when there is none.
func (r *Reader) Count() int {
	at := r.C.Pos()
	n, ok := r.C.Int()
	if !ok && !r.C.Null() {
		r.Want("a whole number")
	}
	return r.Counted(at, n)
}

// Counted is n as a number of things, which was read at.
func (r *Reader) Counted(at int, n int64) int {
	if n < 0 || n > 1<<40 || n > math.MaxInt {
		r.Fail(at, "want a whole number that is not negative")
		return 0
	}
	return int(n)
}

// Bool reads a boolean, nil for null.
func (r *Reader) Bool() *bool {
	if b, ok := r.C.Bool(); ok {
		return &b
	}
	if !r.C.Null() {
		r.Want("true or false")
	}
	return nil
}

// Raw takes an object as it stands; nil for null.
func (r *Reader) Raw(what string) []byte {
	if r.C.Kind() == jsonpeek.Object {
		return r.C.Value()
	}
	if !r.C.Null() {
		r.Want(what)
	}
	return nil
}
