// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"fmt"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// reader is a [codec.Reader] that knows the format.
type reader struct{ codec.Reader }

func newReader(op hoosh.Operation, body []byte, kind error) reader {
	return reader{codec.NewReader(op, body, kind)}
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
	if r.C.Null() {
		return false
	}
	if !r.C.Object() {
		r.Want(what)
		return false
	}
	var few [16]string
	seen := few[:0]
	for r.C.Next() {
		raw := r.C.Key()
		name := nameOf(raw)
		if name != "" {
			for _, s := range seen {
				if s == name {
					r.Fail(r.C.KeyStart(), twice(raw, name))
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
	if r.C.Null() {
		return false
	}
	if !r.C.Array() {
		r.Want(what)
		return false
	}
	for r.C.Next() {
		read()
	}
	return true
}

// Member is that of [codec.Reader] with the format's own name of the member.
func (r *reader) Member() hoosh.Member {
	return hoosh.Member{Key: keyOf(r.C.Key()), Value: r.C.Value()}
}

// int reads a whole number, which proto-JSON also lets stand in a string.
func (r *reader) int() (n int64, ok bool) {
	if n, ok = r.C.Int(); ok {
		return n, true
	}
	at := r.C.Pos()
	if raw, isText := r.C.Str(); isText {
		n, err := strconv.ParseInt(string(codec.Plain(raw)), 10, 64)
		if err != nil {
			r.Fail(at, "want a whole number")
		}
		return n, err == nil
	}
	if !r.C.Null() {
		r.Want("a whole number")
	}
	return 0, false
}

// Count is that of [codec.Reader], also for a number in a string.
func (r *reader) Count() int {
	at := r.C.Pos()
	n, _ := r.int()
	return r.Counted(at, n)
}

// appendMember adds the member at hand to an object that is being made.
func appendMember(dst []byte, r *reader) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	dst = jsonpeek.AppendQuote(dst, keyOf(r.C.Key()))
	return append(append(dst, ':'), r.C.Value()...)
}
