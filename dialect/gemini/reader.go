// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"errors"
	"fmt"
	"math"
	"strconv"

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
func (r *reader) fail(at int, message string) { r.failAs(r.kind, at, message) }

func (r *reader) failAs(kind error, at int, message string) {
	if r.err != nil || r.c.Err() != nil {
		return
	}
	path := jsonpeek.Path(r.body, at)
	r.err = &hoosh.Error{Kind: kind, Op: r.op, Message: message}
	if kind != hoosh.ErrMalformed {
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

func malformed(op hoosh.Operation, message string, err error) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: message, Err: err}
}

func unsupportedOp(op hoosh.Operation) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Message: "Gemini's format has no " + op.String()}
}

// twice is the text about a second key that reads as one that was there.
func twice(raw []byte, name string) string {
	return fmt.Sprintf("a second key, %q, that reads as %q", jsonpeek.Unquote(raw), name)
}

// object walks the object at hand; null is none. Each member that read does not
// take is skipped. A known name may stand in it once.
func (r *reader) object(what string, read func(name string)) bool {
	if r.c.Null() {
		return false
	}
	if !r.c.Object() {
		r.want(what)
		return false
	}
	var few [16]string
	seen := few[:0]
	for r.c.Next() {
		raw := r.c.Key()
		name := nameOf(raw)
		if name != "" {
			for _, s := range seen {
				if s == name {
					r.fail(r.c.KeyStart(), twice(raw, name))
				}
			}
			seen = append(seen, name)
		}
		read(name)
	}
	return true
}

// array walks the array at hand; null is an empty one.
func (r *reader) array(what string, read func()) bool {
	if r.c.Null() {
		return false
	}
	if !r.c.Array() {
		r.want(what)
		return false
	}
	for r.c.Next() {
		read()
	}
	return true
}

// member takes the member at hand as it stands.
func (r *reader) member() hoosh.Member {
	return hoosh.Member{Key: keyOf(r.c.Key()), Value: r.c.Value()}
}

// text reads a string.
func (r *reader) text() (t hoosh.Text, ok bool) {
	if raw, ok := r.c.Str(); ok {
		return hoosh.RawText(raw), true
	}
	if !r.c.Null() {
		r.want("a string")
	}
	return hoosh.Text{}, false
}

// str is text for what is used as a Go string.
func (r *reader) str() string {
	t, _ := r.text()
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

// int reads a whole number, which proto-JSON also lets stand in a string.
func (r *reader) int() (n int64, ok bool) {
	if n, ok = r.c.Int(); ok {
		return n, true
	}
	at := r.c.Pos()
	if raw, isText := r.c.Str(); isText {
		n, err := strconv.ParseInt(string(plain(raw)), 10, 64)
		if err != nil {
			r.fail(at, "want a whole number")
		}
		return n, err == nil
	}
	if !r.c.Null() {
		r.want("a whole number")
	}
	return 0, false
}

// count reads a number of things, 0 when there is none.
func (r *reader) count() int {
	at := r.c.Pos()
	n, _ := r.int()
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

// appendMember adds the member at hand to an object that is being made.
func appendMember(dst []byte, r *reader) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	dst = jsonpeek.AppendQuote(dst, keyOf(r.c.Key()))
	return append(append(dst, ':'), r.c.Value()...)
}
