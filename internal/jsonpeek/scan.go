// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"encoding/binary"
	"math/bits"
)

// The scanners below return the offset one past what they passed, or, when the
// text is at fault, the complement (^offset, negative) of where.

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stops looks at eight bytes of a string at once and marks, by the high bit of
// its byte, the first that is a quote, a backslash or a control character.
// Marks above the first may be false, through borrows. Bits other than the
// high ones are noise, for callers to mask.
func stops(w uint64) uint64 {
	// With bit 1 flipped the quote (0x22) is 0x20 and joins the control
	// characters in one range, while the space and '!' go above it.
	quotes := w ^ 0x02*lows
	slashes := w ^ '\\'*lows
	return ((quotes - 0x21*lows) | (slashes - lows)) &^ w
}

// scanString passes the rest of a string, of which i is the first byte after
// the opening quote, and its closing quote.
func scanString(data []byte, i int) int {
	for {
		i = scanPlain(data, i)
		if i >= len(data) {
			return ^i
		}
		switch data[i] {
		case '"':
			return i + 1
		case '\\':
			if i = scanEscape(data, i); i < 0 {
				return i
			}
		default:
			return ^i
		}
	}
}

// scanPlain passes bytes up to the first that means something inside a string,
// or the end of data.
func scanPlain(data []byte, i int) int {
	// Keys and short strings end within a word or two.
	if len(data)-i >= 8 {
		if m := stops(binary.LittleEndian.Uint64(data[i:])) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for len(data)-i >= 32 {
		block := data[i : i+32 : i+32]
		m0 := stops(binary.LittleEndian.Uint64(block))
		m1 := stops(binary.LittleEndian.Uint64(block[8:]))
		m2 := stops(binary.LittleEndian.Uint64(block[16:]))
		m3 := stops(binary.LittleEndian.Uint64(block[24:]))
		if (m0|m1|m2|m3)&highs != 0 {
			break
		}
		i += 32
	}
	for len(data)-i >= 8 {
		if m := stops(binary.LittleEndian.Uint64(data[i:])) & highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(data) && data[i] >= 0x20 && data[i] != '"' && data[i] != '\\' {
		i++
	}
	return i
}

// escapes maps the byte after a backslash to the character meant; 0: no such
// escape, or 'u'.
var escapes = [256]byte{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// scanEscape passes the escape that the backslash at i begins.
func scanEscape(data []byte, i int) int {
	i++
	if i >= len(data) {
		return ^len(data)
	}
	if escapes[data[i]] != 0 {
		return i + 1
	}
	if data[i] != 'u' {
		return ^i
	}
	for end := i + 4; i < end; {
		i++
		if i >= len(data) || hexValue(data[i]) < 0 {
			return ^i
		}
	}
	return i + 1
}

// hexValue returns the value of a hexadecimal digit; -1 when it is none.
func hexValue(ch byte) rune {
	switch {
	case '0' <= ch && ch <= '9':
		return rune(ch - '0')
	case 'a' <= ch && ch <= 'f':
		return rune(ch - 'a' + 10)
	case 'A' <= ch && ch <= 'F':
		return rune(ch - 'A' + 10)
	}
	return -1
}

// scanScalar passes a number or one of the three words.
func scanScalar(data []byte, i int) int {
	switch data[i] {
	case 't':
		return scanWord(data, i, "true")
	case 'f':
		return scanWord(data, i, "false")
	case 'n':
		return scanWord(data, i, "null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return scanNumber(data, i)
	}
	return ^i
}

func scanWord(data []byte, i int, word string) int {
	if end := i + len(word); end <= len(data) && string(data[i:end]) == word {
		return end
	}
	k := 0
	for i+k < len(data) && data[i+k] == word[k] {
		k++
	}
	return ^(i + k)
}

// scanNumber passes the number that starts at i.
func scanNumber(data []byte, i int) int {
	if data[i] == '-' {
		i++
	}
	switch ch := byteAt(data, i); {
	case ch == '0':
		i++
	case isDigit(ch):
		i = scanDigits(data, i)
	default:
		return ^i
	}
	if byteAt(data, i) == '.' {
		i++
		if !isDigit(byteAt(data, i)) {
			return ^i
		}
		i = scanDigits(data, i)
	}
	if byteAt(data, i)|0x20 == 'e' {
		i++
		if ch := byteAt(data, i); ch == '+' || ch == '-' {
			i++
		}
		if !isDigit(byteAt(data, i)) {
			return ^i
		}
		i = scanDigits(data, i)
	}
	return i
}

func scanDigits(data []byte, i int) int {
	for i < len(data) && isDigit(data[i]) {
		i++
	}
	return i
}

func isDigit(ch byte) bool { return ch-'0' <= 9 }

// skipSpace returns the offset of the first byte at or after i that is not
// white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && data[i] <= ' ' && spaces>>data[i]&1 != 0 {
		i++
	}
	return i
}

const spaces uint64 = 1<<' ' | 1<<'\t' | 1<<'\n' | 1<<'\r'

// byteAt returns data[i], or 0, which no JSON text holds outside of faults,
// when data ends before.
func byteAt(data []byte, i int) byte {
	if i < len(data) {
		return data[i]
	}
	return 0
}
