// SPDX-License-Identifier: AGPL-3.0-only

package framing

import "bytes"

// scanNDJSON goes on from where it stopped to the next LF. A CR before it is
// white space like any other, so CRLF needs no care.
func scanNDJSON(r *Reader, w []byte, eof bool) {
	l := &r.lines
	i := bytes.IndexByte(w[l.lf:], '\n')
	if i < 0 {
		l.scanned += len(w) - l.lf
		l.lf = len(w)
		if eof {
			r.tail = "\n"
			r.ndjsonLine(w, len(w), len(w))
		}
		return
	}
	l.scanned += i
	l.lf += i
	r.ndjsonLine(w, l.lf, l.lf+1)
}

// ndjsonLine makes the frame w[:next] of the line w[:end].
func (r *Reader) ndjsonLine(w []byte, end, next int) {
	r.whole, r.size = next, next
	from := 0
	for from < end && isSpace(w[from]) {
		from++
	}
	for from < end && isSpace(w[end-1]) {
		end--
	}
	if from < end {
		r.block.dataLines = 1
		r.block.data = span{from, end}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
