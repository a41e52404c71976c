// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"unicode"
	"unicode/utf8"
)

// Equal tells whether the text of raw, the bytes between a JSON string's
// quotes, is exactly name.
func Equal(raw []byte, name string) bool {
	if string(raw) == name {
		// An escape is never its own text, nor is an invalid byte.
		return !NeedsUnquote(raw)
	}
	for len(raw) > 0 && len(name) > 0 {
		a, sizeA := decodeChar(raw)
		b, sizeB := utf8.DecodeRuneInString(name)
		if a != b || b == utf8.RuneError && sizeB == 1 {
			return false
		}
		raw, name = raw[sizeA:], name[sizeB:]
	}
	return len(raw) == 0 && len(name) == 0
}

// EqualFold is strings.EqualFold of raw's text and name: equal under Unicode
// simple case folding, where U+017F is an s and U+212A a k. So encoding/json
// matches the keys of an object to the fields of a struct.
func EqualFold(raw []byte, name string) bool {
	for len(raw) > 0 && len(name) > 0 {
		a, sizeA := decodeChar(raw)
		b, sizeB := utf8.DecodeRuneInString(name)
		if a != b && !equalRuneFold(a, b) {
			return false
		}
		raw, name = raw[sizeA:], name[sizeB:]
	}
	return len(raw) == 0 && len(name) == 0
}

// equalRuneFold tells whether b is on a's orbit of simple folding.
func equalRuneFold(a, b rune) bool {
	if a < utf8.RuneSelf && b < utf8.RuneSelf {
		return a^b == 0x20 && 'a' <= a|0x20 && a|0x20 <= 'z'
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}
