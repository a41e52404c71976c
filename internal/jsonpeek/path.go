// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"strconv"
	"strings"
)

// maxPathKey is how many bytes of a key a path shows.
const maxPathKey = 64

// step is a member or an element on the way down to a value.
type step struct {
	key   []byte // as it stood; nil: an element
	index int
}

// Path tells where in the document offset is, as
// `messages[2].content[0].type`: the path of the innermost value that holds
// the byte there, a member's key counting as part of its value. It is "" at
// the top level. Keys that are not plain words are quoted in brackets, long
// ones are cut.
//
// It is meant for messages about errors: it walks the document from the start,
// it allocates, and of an invalid one it tells what it could before the fault.
func Path(data []byte, offset int) string {
	c := NewDepth(data, MaxDepth)
	var steps []step
	if !c.Object() && !c.Array() {
		return ""
	}
	steps = append(steps, step{index: -1})
	for len(steps) > 0 {
		at := &steps[len(steps)-1]
		more := c.Next()
		if !more && c.state != failed {
			if offset < c.pos {
				return format(steps[:len(steps)-1])
			}
			steps = steps[:len(steps)-1]
			continue
		}
		start := c.pos
		at.key = nil
		if c.keyStart > 0 {
			// After a fault too: it came after this key.
			start = c.keyStart - 1
			at.key = data[c.keyStart:c.keyEnd:c.keyEnd]
		}
		at.index++
		if !more {
			if at.key == nil || offset < start {
				steps = steps[:len(steps)-1]
			}
			return format(steps)
		}
		if offset < start {
			return format(steps[:len(steps)-1])
		}
		if c.Object() || c.Array() {
			steps = append(steps, step{index: -1})
			continue
		}
		c.Skip()
		if c.state == failed || offset < c.pos {
			return format(steps)
		}
	}
	return ""
}

// format writes the path that steps lead.
func format(steps []step) string {
	var path []byte
	for _, s := range steps {
		if s.key == nil {
			path = append(path, '[')
			path = strconv.AppendInt(path, int64(s.index), 10)
			path = append(path, ']')
			continue
		}
		key := Unquote(s.key)
		cut := len(key) > maxPathKey
		if cut {
			key = strings.ToValidUTF8(key[:maxPathKey], "")
		}
		switch {
		case !isWord(key):
			path = append(path, '[')
			path = AppendQuote(path, key)
			path = append(path, ']')
		case len(path) > 0:
			path = append(path, '.')
			fallthrough
		default:
			path = append(path, key...)
		}
		if cut {
			path = append(path, "..."...)
		}
	}
	return string(path)
}

// isWord tells whether a key can stand in a path without quotes.
func isWord(key string) bool {
	for i := range len(key) {
		ch := key[i]
		letter := 'a' <= ch|0x20 && ch|0x20 <= 'z'
		if !letter && !isDigit(ch) && ch != '_' && ch != '-' && ch != '$' {
			return false
		}
	}
	return key != ""
}
