// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

// maxMagnitude is that of the smallest int64.
const maxMagnitude = 1 << 63

// parseInt returns the value of a well-formed number; false when it is not an
// int64. It is exact: no detour through a float.
func parseInt(raw []byte) (int64, bool) {
	negative := raw[0] == '-'
	if negative {
		raw = raw[1:]
	}
	n, shift, size, ok := parseMantissa(raw)
	if !ok || n == 0 {
		return 0, ok
	}
	if size < len(raw) {
		shift += parseExponent(raw[size+1:], len(raw))
	}
	if shift < 0 {
		return 0, false
	}
	if n, ok = scale(n, shift); !ok {
		return 0, false
	}
	if negative {
		return -int64(n), true
	}
	return int64(n), n < maxMagnitude
}

// parseMantissa reads raw up to its exponent, size bytes. Their value is n
// times ten to the power of shift, where n does not end in 0. It is not ok
// when n is above maxMagnitude.
func parseMantissa(raw []byte) (n uint64, shift, size int, ok bool) {
	zeros, fraction := 0, 0 // zeros: read, but not yet in n
	dot := false
	for ; size < len(raw) && raw[size]|0x20 != 'e'; size++ {
		ch := raw[size]
		if ch == '.' {
			dot = true
			continue
		}
		if dot {
			fraction++
		}
		if ch == '0' {
			zeros++
			continue
		}
		digit := uint64(ch - '0')
		if n, ok = scale(n, zeros+1); !ok || n > maxMagnitude-digit {
			return 0, 0, 0, false
		}
		n += digit
		zeros = 0
	}
	return n, zeros - fraction, size, true
}

// scale multiplies n by ten to the power of shift; false when that is above
// maxMagnitude.
func scale(n uint64, shift int) (uint64, bool) {
	if n == 0 {
		return 0, true
	}
	for ; shift > 0; shift-- {
		if n > maxMagnitude/10 {
			return 0, false
		}
		n *= 10
	}
	return n, true
}

// parseExponent returns the exponent in raw, which may be signed, kept within
// bounds that a number of length digits cannot make up for.
func parseExponent(raw []byte, length int) int {
	bound := length + 64
	negative := raw[0] == '-'
	if negative || raw[0] == '+' {
		raw = raw[1:]
	}
	n := 0
	for _, ch := range raw {
		n = min(n*10+int(ch-'0'), bound)
	}
	if negative {
		return -n
	}
	return n
}
