// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"errors"
	"io"
	"math"
)

// ErrTooLong says that a frame has more bytes than the Reader was allowed.
var ErrTooLong = errors.New("framing: frame too long")

// Frame is one unit of a stream: an SSE block (its lines and the blank line
// that ends it) or one NDJSON line. Its slices belong to the [Reader] and are
// valid until the next call of Next; Raw is not to be written to, for Event and
// Data may lie inside it.
type Frame struct {
	// Raw is the frame as it came, framing included. All Raw together are the
	// input, except that line ends may be added to the last one; see [Reader.Next].
	Raw []byte

	// Event is the SSE event name, nil when no event line was there.
	Event []byte

	// Data is the data lines joined with LF, or the NDJSON line without its end
	// and the white space around it. Nil when there was no data line (a block of
	// comments, say), or the NDJSON line was blank.
	Data []byte
}

// Reader splits a stream into frames. It is one goroutine's, and it never
// closes what it reads from; that may be closed beside a running Next.
type Reader struct {
	buf  buffer
	max  int
	scan func(r *Reader, w []byte, eof bool) // finds the end of the frame at the head of w
	done error                               // the final error

	// What scan knows about the frame at the head of the rest. Offsets count from
	// its first byte, so that they outlive a move of the buffer.
	body  int    // where counting begins: after a line feed that was the end of the frame before
	size  int    // the offset that max applies to, set with whole
	whole int    // the frame's length, 0 while its end has not been found
	tail  string // what is to be added to complete it

	lines lineScanner
	bom   bool // the first line of the stream is still to come
	block block

	// Two, because More may join the lines of the next frame while the caller
	// still has the Data of this one.
	joined, spare []byte
}

// NewSSE returns a Reader of the Server-Sent Events in r. A frame may have max
// bytes; max <= 0 means 4 MiB.
func NewSSE(r io.Reader, max int) *Reader {
	nr := newReader(r, max, scanSSE)
	nr.bom = true
	return nr
}

// NewNDJSON returns a Reader of the lines in r. A line may have max bytes, its
// end included; max <= 0 means 4 MiB.
func NewNDJSON(r io.Reader, max int) *Reader {
	return newReader(r, max, scanNDJSON)
}

func newReader(src io.Reader, max int, scan func(*Reader, []byte, bool)) *Reader {
	if max <= 0 {
		max = defaultMax
	}
	max = min(max, math.MaxInt-slack)
	return &Reader{max: max, scan: scan, buf: buffer{src: src, limit: max + slack}}
}

// Next returns the next frame, and reads only if [Reader.More] is false.
//
// A frame that the end of the stream cuts short is returned with what is
// missing added to Raw: a line end if its last line has none and, for SSE, the
// blank line. Whether its Data is whole is for the caller to find out. Line ends
// behind the last frame are returned as a frame without Data.
//
// The error is io.EOF at the end, [ErrTooLong], io.ErrNoProgress, or what the
// io.Reader returned, which then drops an unfinished frame. It comes after the
// frames that were whole before it, and every later call returns it again. The
// Reader's memory is recycled with it, and so the frame before ends to be valid.
func (r *Reader) Next() (Frame, error) {
	if r.done != nil {
		return Frame{}, r.done
	}
	for !r.More() {
		switch {
		case len(r.buf.rest())-r.body > r.max:
			return Frame{}, r.finish(ErrTooLong)
		case r.buf.err != nil:
			return Frame{}, r.finish(r.buf.err)
		}
		r.buf.fill()
	}
	return r.take(), nil
}

// More reports whether Next has a frame to return without reading. What it
// finds out is kept: Next does not look for the frame's end again.
func (r *Reader) More() bool {
	if r.whole == 0 {
		w := r.buf.rest()
		if len(w) == 0 {
			return false
		}
		r.scan(r, w, r.buf.err == io.EOF)
	}
	return r.whole > 0 && r.size-r.body <= r.max
}

// take hands out the frame that scan has found.
func (r *Reader) take() Frame {
	if r.tail != "" {
		r.buf.room(len(r.tail))
		r.buf.end += copy(r.buf.buf[r.buf.end:], r.tail)
		r.whole += len(r.tail)
		r.tail = ""
	}
	w := r.buf.rest()
	f := Frame{Raw: w[:r.whole:r.whole]}
	if b := &r.block; b.hasEvent {
		f.Event = b.event.of(w)
	}
	switch r.block.dataLines {
	case 0:
	case 1:
		f.Data = r.block.data.of(w)
	default:
		f.Data = r.joined[:len(r.joined):len(r.joined)]
		r.joined, r.spare = r.spare, r.joined
	}
	r.buf.start += r.whole
	r.lines.shift(r.whole)
	r.block = block{}
	r.body, r.size, r.whole = 0, 0, 0
	return f
}

func (r *Reader) finish(err error) error {
	r.done = err
	r.whole = 0
	r.joined, r.spare = nil, nil
	r.buf.release()
	return err
}

// span is a part of the frame at the head of the rest.
type span struct{ from, to int }

// of caps the slice, so that appending to it cannot reach the bytes behind.
func (s span) of(w []byte) []byte { return w[s.from:s.to:s.to] }
