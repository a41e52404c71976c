// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions of this file take the bytes between a JSON string's quotes, as
// a Cursor hands them out, and understand them as encoding/json does: a pair
// of surrogate escapes is one character; a lone surrogate, and each byte of
// invalid UTF-8, is U+FFFD. In bytes that no Cursor would hand out, a
// backslash that begins no escape is U+FFFD too.

// NeedsUnquote tells whether the text of raw is anything but raw: whether it
// contains a backslash or invalid UTF-8.
func NeedsUnquote(raw []byte) bool {
	return bytes.IndexByte(raw, '\\') >= 0 || !utf8.Valid(raw)
}

// Unquote returns the text of raw.
func Unquote(raw []byte) string {
	p := newPieces(raw)
	if p.plain == len(raw) && p.valid {
		return string(raw)
	}
	var b strings.Builder
	b.Grow(len(raw))
	for p.next() {
		b.Write(p.span)
		if p.span == nil {
			b.WriteRune(p.char)
		}
	}
	return b.String()
}

// AppendUnquote appends the text of raw to dst.
func AppendUnquote(dst, raw []byte) []byte {
	dst = slices.Grow(dst, len(raw))
	for p := newPieces(raw); p.next(); {
		dst = append(dst, p.span...)
		if p.span == nil {
			dst = utf8.AppendRune(dst, p.char)
		}
	}
	return dst
}

// pieces cuts raw bytes into spans that are their own text and single
// characters that are written otherwise, or wrongly.
type pieces struct {
	rest  []byte
	plain int  // how many bytes at the front of rest hold no backslash
	valid bool // rest is valid UTF-8

	span []byte // what next found: either a span, or, when that is nil,
	char rune   // a character
}

func newPieces(raw []byte) pieces {
	return pieces{rest: raw, plain: plainBytes(raw), valid: utf8.Valid(raw)}
}

// plainBytes returns how many bytes come before the first backslash of raw.
func plainBytes(raw []byte) int {
	if n := bytes.IndexByte(raw, '\\'); n >= 0 {
		return n
	}
	return len(raw)
}

// next finds the next piece; false at the end.
func (p *pieces) next() bool {
	if len(p.rest) == 0 {
		return false
	}
	if p.plain == 0 {
		r, size := decodeEscape(p.rest)
		p.span, p.char = nil, r
		p.rest = p.rest[size:]
		// Searched once after each backslash, not for each piece: invalid
		// bytes make many pieces.
		p.plain = plainBytes(p.rest)
		return true
	}
	size := p.plain
	if !p.valid {
		size = validPrefix(p.rest[:size])
	}
	if size > 0 {
		p.span = p.rest[:size]
	} else {
		p.span, p.char = nil, utf8.RuneError
		size = 1
	}
	p.rest = p.rest[size:]
	p.plain -= size
	return true
}

// validPrefix returns how many bytes of text come before its first invalid one.
func validPrefix(text []byte) int {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	return i
}

// decodeEscape decodes the escape, or the pair of surrogate escapes, that raw
// begins with, and returns its character and its length.
func decodeEscape(raw []byte) (r rune, size int) {
	if len(raw) > 1 && escapes[raw[1]] != 0 {
		return rune(escapes[raw[1]]), 2
	}
	r = hexEscape(raw)
	switch {
	case r < 0:
		return utf8.RuneError, 1
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if pair := utf16.DecodeRune(r, hexEscape(raw[6:])); pair != utf8.RuneError {
		return pair, 12
	}
	return utf8.RuneError, 6
}

// hexEscape returns the code unit of the \uXXXX that raw begins with; -1 when
// it does not.
func hexEscape(raw []byte) rune {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return -1
	}
	var r rune
	for _, ch := range raw[2:6] {
		v := hexValue(ch)
		if v < 0 {
			return -1
		}
		r = r<<4 | v
	}
	return r
}

// decodeChar decodes the character that raw, which is not empty, begins with.
func decodeChar(raw []byte) (r rune, size int) {
	if raw[0] == '\\' {
		return decodeEscape(raw)
	}
	return utf8.DecodeRune(raw)
}
