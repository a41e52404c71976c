// SPDX-License-Identifier: AGPL-3.0-only

package framing

import "bytes"

// lineScanner finds lines that end with LF, CRLF or CR. It is called again with
// more bytes when a line was not whole, and looks at each byte once per kind of
// line end, however the bytes come: the nearest LF stays known while the lines
// before it end with CR.
type lineScanner struct {
	pos    int  // where the current line starts
	lf     int  // no LF in [pos, lf) …
	isLF   bool // … and one at lf
	cr     int  // no CR in [pos, cr)
	halfCR bool // the line before ended with the last byte there was, a CR: an LF at pos is its other half

	scanned int // bytes looked at; tests bound it
}

// next returns the end of the line at pos, without what ends it, and moves pos
// behind it. It returns false if w has no whole line at pos.
func (l *lineScanner) next(w []byte) (end int, ok bool) {
	if !l.isLF {
		i := bytes.IndexByte(w[l.lf:], '\n')
		if l.isLF = i >= 0; !l.isLF {
			i = len(w) - l.lf
		}
		l.lf += i
		l.scanned += i
	}
	if i := bytes.IndexByte(w[l.cr:l.lf], '\r'); i >= 0 {
		l.scanned += i
		end = l.cr + i
		l.pos = end + 1
		l.cr = l.pos
		if l.pos == l.lf && l.isLF {
			l.afterLF()
		} else {
			l.halfCR = l.pos == len(w)
		}
		return end, true
	}
	l.scanned += l.lf - l.cr
	l.cr = l.lf
	if !l.isLF {
		return 0, false
	}
	end = l.lf
	l.afterLF()
	return end, true
}

// skipLF moves pos over the second half of a CRLF that came in two reads, and
// reports whether there was one. w must reach past pos.
func (l *lineScanner) skipLF(w []byte) bool {
	if !l.halfCR {
		return false
	}
	l.halfCR = false
	if w[l.pos] != '\n' {
		return false
	}
	l.lf = l.pos
	l.afterLF()
	return true
}

func (l *lineScanner) afterLF() {
	l.pos = l.lf + 1
	l.lf, l.cr, l.isLF = l.pos, l.pos, false
}

// shift says that the first n bytes of w, which end with a line, are gone.
func (l *lineScanner) shift(n int) {
	l.pos = 0
	l.lf = max(l.lf-n, 0)
	l.cr = 0
}
