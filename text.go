// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Text is text that a Go program gave, or the inside of a JSON string as it
// stood in a body. The second kind is unescaped only when somebody asks for
// String, so that a long prompt can pass from one wire format to another as it
// is: all of them quote alike. The zero value is the empty text. A Text read
// from a body aliases it and lives as long as the call that owns the body.
type Text struct {
	s   string
	raw []byte // between the quotes, not unescaped; nil when s holds the text
}

// NewText makes a Text of a Go string.
func NewText(s string) Text { return Text{s: s} }

// RawText makes a Text of the bytes between the quotes of a valid JSON string.
// It keeps raw.
func RawText(raw []byte) Text { return Text{raw: raw} }

// String unescapes the text, anew each time.
func (t Text) String() string {
	if t.raw == nil {
		return t.s
	}
	return jsonpeek.Unquote(t.raw)
}

// Len is the size in bytes, before unescaping where the text came from a body:
// an upper bound that costs nothing.
func (t Text) Len() int { return len(t.s) + len(t.raw) }

// IsEmpty reports that there is no text.
func (t Text) IsEmpty() bool { return len(t.s) == 0 && len(t.raw) == 0 }

// AppendJSON appends the text as a JSON string, quotes included.
func (t Text) AppendJSON(dst []byte) []byte {
	if t.raw == nil {
		return jsonpeek.AppendQuote(dst, t.s)
	}
	dst = append(dst, '"')
	dst = append(dst, t.raw...)
	return append(dst, '"')
}

// Equal compares what the texts say, however they are held.
func (t Text) Equal(u Text) bool {
	if t.raw != nil && u.raw != nil && bytes.Equal(t.raw, u.raw) {
		return true
	}
	return t.String() == u.String()
}

// clone gives a Text that owns its bytes.
func (t Text) clone() Text {
	if t.raw == nil {
		return t
	}
	return Text{raw: bytes.Clone(t.raw)}
}

// MarshalJSON gives the text as a JSON string.
func (t Text) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil), nil }

// Arguments are those of a tool call: a JSON value, as Ollama, Anthropic and
// Gemini send them, or the JSON string that holds one, as OpenAI does. The form
// they came in is kept, even if what is inside the string is not valid JSON:
// models do that, and it is for the caller to see.
type Arguments struct {
	value  []byte // a JSON value
	quoted Text   // a string that holds one
}

// ValueArguments makes Arguments of a JSON value, which it keeps.
func ValueArguments(value []byte) Arguments { return Arguments{value: value} }

// QuotedArguments makes Arguments of text that holds a JSON value.
func QuotedArguments(t Text) Arguments { return Arguments{quoted: t} }

// isBlank reports that there are none: some models say so with a space.
func (a Arguments) isBlank() bool {
	return a.value == nil && a.quoted.Len() < 16 && strings.TrimSpace(a.quoted.String()) == ""
}

// JSON is the value as text, "{}" when there is none. It may be invalid, see
// [Arguments].
func (a Arguments) JSON() []byte {
	if a.value != nil {
		return a.value
	}
	if a.isBlank() {
		return []byte("{}")
	}
	return []byte(a.quoted.String())
}

// AppendString appends the arguments as a JSON string that holds their value.
func (a Arguments) AppendString(dst []byte) []byte {
	if a.value == nil {
		if a.isBlank() {
			return append(dst, `"{}"`...)
		}
		return a.quoted.AppendJSON(dst)
	}
	dst = append(dst, '"')
	dst = jsonpeek.AppendEscape(dst, a.value)
	return append(dst, '"')
}

// AppendValue appends the arguments as a JSON value and reports whether they
// are one; if not, dst comes back as it was.
func (a Arguments) AppendValue(dst []byte) ([]byte, bool) {
	value := a.JSON()
	if jsonpeek.Valid(value) != nil {
		return dst, false
	}
	return append(dst, value...), true
}

// Equal compares the values as text.
func (a Arguments) Equal(b Arguments) bool { return bytes.Equal(a.JSON(), b.JSON()) }
