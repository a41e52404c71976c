// SPDX-License-Identifier: AGPL-3.0-only

package framing

import "bytes"

const byteOrderMark = "\uFEFF"

// block is what was found so far in the frame at the head of the rest. An
// NDJSON line counts as one data line.
type block struct {
	begun     bool // a line that is not blank was seen
	hasEvent  bool
	dataLines int
	event     span
	data      span // of the only data line; several are in Reader.joined
}

// scanSSE goes on from where it stopped, line by line, to the blank line that
// ends the block. Blank lines before the block belong to it.
func scanSSE(r *Reader, w []byte, eof bool) {
	l := &r.lines
	for l.pos < len(w) {
		if l.skipLF(w) {
			if l.pos == 1 {
				r.body = 1
			}
			continue
		}
		from := l.pos
		end, ok := l.next(w)
		if !ok {
			break
		}
		if from = r.skipBOM(w, from, end); from < end {
			r.sseLine(w, from, end)
		} else if r.block.begun {
			// The end is here even if it is half of a CRLF: waiting for the other half
			// would hold the event back until the next one comes.
			r.whole, r.size = l.pos, l.pos
			if w[end] == '\r' && l.pos == end+2 {
				r.size-- // as if it had come later
			}
			return
		}
	}
	if eof {
		r.sseEOF(w)
	}
}

// sseEOF makes a frame of a block that has no end.
func (r *Reader) sseEOF(w []byte) {
	from, end := r.lines.pos, len(w)
	if from = r.skipBOM(w, from, end); from < end {
		r.sseLine(w, from, end)
		r.tail = "\n\n"
	} else if r.block.begun {
		r.tail = "\n"
		if w[end-1] == '\r' {
			r.tail = "\n\n" // the first LF only makes the CR a CRLF
		}
	}
	r.whole, r.size = end, end
}

func (r *Reader) skipBOM(w []byte, from, end int) int {
	if r.bom {
		r.bom = false
		if bytes.HasPrefix(w[from:end], []byte(byteOrderMark)) {
			from += len(byteOrderMark)
		}
	}
	return from
}

// sseLine takes in the line w[from:end], which is not blank. Only data and
// event lines mean anything here; all others are just in Raw.
func (r *Reader) sseLine(w []byte, from, end int) {
	b := &r.block
	b.begun = true
	switch line := w[from:end]; {
	case isField(line, "data"):
		r.addData(w, value(w, from+len("data"), end))
	case isField(line, "event"):
		b.hasEvent = true
		b.event = value(w, from+len("event"), end)
	}
}

func isField(line []byte, name string) bool {
	return len(line) >= len(name) && string(line[:len(name)]) == name &&
		(len(line) == len(name) || line[len(name)] == ':')
}

// value is what follows the colon at from, if there is one, less one space.
func value(w []byte, from, end int) span {
	if from < end {
		from++
	}
	if from < end && w[from] == ' ' {
		from++
	}
	return span{from, end}
}

func (r *Reader) addData(w []byte, line span) {
	b := &r.block
	switch b.dataLines {
	case 0:
		b.data = line
	case 1:
		r.joined = append(r.joined[:0], b.data.of(w)...)
		fallthrough
	default:
		r.joined = append(r.joined, '\n')
		r.joined = append(r.joined, line.of(w)...)
	}
	b.dataLines++
}
