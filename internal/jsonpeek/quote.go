// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"math/bits"
	"unicode/utf8"
)

// AppendQuote appends s to dst as a JSON string, quotes included. It escapes
// only what JSON demands; each byte of invalid UTF-8 becomes \ufffd.
func AppendQuote(dst []byte, s string) []byte {
	dst = append(dst, '"')
	dst = AppendEscape(dst, s)
	return append(dst, '"')
}

// AppendEscape is AppendQuote without the quotes. What it appends can be put
// between those of a JSON string, next to other such text.
func AppendEscape[T string | []byte](dst []byte, s T) []byte {
	// Of valid text, only what JSON demands is looked at; otherwise every
	// character beyond ASCII as well.
	beyond := uint64(highs)
	if valid(s) {
		beyond = 0
	}
	done := 0 // how much of s is in dst
	for i := 0; ; i++ {
		i = plainText(s, i, beyond)
		if i == len(s) {
			return append(dst, s[done:]...)
		}
		ch := s[i]
		if ch >= utf8.RuneSelf {
			size := runeSize(s, i)
			if size > 0 {
				i += size - 1
				continue
			}
			dst = append(dst, s[done:i]...)
			dst = append(dst, `\ufffd`...)
		} else {
			dst = append(dst, s[done:i]...)
			dst = appendEscaped(dst, ch)
		}
		done = i + 1
	}
}

// appendEscaped appends the shortest escape of a quote, a backslash or a
// control character.
func appendEscaped(dst []byte, ch byte) []byte {
	switch ch {
	case '"', '\\':
		return append(dst, '\\', ch)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[ch>>4], digits[ch&15])
}

// plainText returns the offset, from i on, of the first byte of s that must be
// escaped, or that has a bit in common with every byte of beyond; len(s) when
// there is none.
func plainText[T string | []byte](s T, i int, beyond uint64) int {
	for len(s)-i >= 8 {
		w := load(s[i:])
		if m := (stops(w) | w&beyond) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(s) && s[i] >= 0x20 && s[i]&byte(beyond) == 0 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

// load returns the first eight bytes of s, the first one lowest.
func load[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// runeSize returns how many bytes of s the character at i takes; 0 when it is
// not valid UTF-8.
func runeSize[T string | []byte](s T, i int) int {
	// So small a conversion stays on the stack.
	r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
	if r == utf8.RuneError && size <= 1 {
		return 0
	}
	return size
}

func valid[T string | []byte](s T) bool {
	if b, ok := any(s).([]byte); ok {
		return utf8.Valid(b)
	}
	return utf8.ValidString(string(s))
}
