// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"strconv"
	"unicode/utf8"
)

// SyntaxError says where a document stopped being JSON, or being JSON that is
// accepted here. Its text quotes at most one character of the document.
type SyntaxError struct {
	Offset int    // of the byte at fault; the length of the document when it ends too early
	Msg    string // what was expected and what was found
}

// Error returns, for instance, "invalid JSON at byte 17: expected ':', found '}'".
func (e *SyntaxError) Error() string {
	return "invalid JSON at byte " + strconv.Itoa(e.Offset) + ": " + e.Msg
}

// The methods below end the walk. They are kept out of line, and return false
// for the convenience of callers that do.

//go:noinline
func (c *Cursor) failWith(offset int, msg string) bool {
	c.err = &SyntaxError{Offset: offset, Msg: msg}
	c.pos = offset
	c.state = failed
	return false
}

//go:noinline
func (c *Cursor) fail(offset int, expected string) bool {
	return c.failWith(offset, "expected "+expected+", found "+c.found(offset))
}

func (c *Cursor) failDepth(offset int) bool {
	return c.failWith(offset, "nested deeper than "+strconv.Itoa(int(c.limit)))
}

// failAfter is for what is neither a comma nor the end of a container.
func (c *Cursor) failAfter(offset int, object bool) bool {
	if object {
		return c.fail(offset, "',' or '}'")
	}
	return c.fail(offset, "',' or ']'")
}

func (c *Cursor) failKey(offset int, first bool) bool {
	if first {
		return c.fail(offset, "a key or '}'")
	}
	return c.fail(offset, "a key")
}

func (c *Cursor) failValue(offset int, orEnd bool) bool {
	if orEnd {
		return c.fail(offset, "a value or ']'")
	}
	return c.fail(offset, "a value")
}

// failScalar is for a number or word that starts at start and has its fault at
// offset.
func (c *Cursor) failScalar(start, offset int) bool {
	switch ch := c.data[start]; {
	case ch == 't':
		return c.fail(offset, "true")
	case ch == 'f':
		return c.fail(offset, "false")
	case ch == 'n':
		return c.fail(offset, "null")
	case kinds[ch] == Number:
		return c.fail(offset, "a digit")
	}
	return c.failValue(offset, false)
}

// failString is for a fault inside a string.
func (c *Cursor) failString(offset int) bool {
	switch {
	case offset >= len(c.data):
		return c.fail(offset, `'"'`)
	case c.data[offset] < 0x20:
		return c.failWith(offset, "control character "+c.found(offset)+" in a string")
	case c.data[offset-1] == '\\':
		return c.fail(offset, "an escape")
	}
	return c.fail(offset, "a hexadecimal digit")
}

// found names what is at offset.
func (c *Cursor) found(offset int) string {
	if offset >= len(c.data) {
		return "the end"
	}
	r, size := utf8.DecodeRune(c.data[offset:])
	if r == utf8.RuneError && size == 1 {
		return "byte 0x" + strconv.FormatUint(uint64(c.data[offset]), 16)
	}
	return strconv.QuoteRuneToASCII(r)
}
