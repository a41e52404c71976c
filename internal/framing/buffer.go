// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"io"
	"sync"
)

const (
	defaultMax = 4 << 20
	firstSize  = 8 << 10
	keepSize   = 64 << 10 // larger buffers are left to the garbage collector
	emptyReads = 100      // reads of nothing in a row that are borne

	// slack is what the buffer may hold beyond max: a line feed left over from
	// the frame before, the byte that shows a frame to be too long or, in its
	// place, the line ends that complete the last frame.
	slack = 4
)

// pool holds *[]byte, for putting a plain slice into an interface allocates.
var pool = sync.Pool{New: func() any {
	b := make([]byte, firstSize)
	return &b
}}

// buffer holds what was read and not yet handed out: buf[start:end].
// Bytes keep their place between fill calls.
type buffer struct {
	src        io.Reader
	box        *[]byte // where buf came from, nil until the first fill and after release
	buf        []byte
	start, end int
	limit      int   // len(buf) does not grow past it
	err        error // what the last Read said besides its bytes
	moved      int   // bytes copied inside or between buffers; tests bound it
}

// rest is what was not handed out yet.
func (b *buffer) rest() []byte { return b.buf[b.start:b.end] }

// fill reads once, into all the room there is. It must not be called when the
// rest has reached limit, nor after an error.
func (b *buffer) fill() {
	if b.box == nil {
		b.box = pool.Get().(*[]byte)
		b.buf = *b.box
	}
	if b.start == b.end {
		b.start, b.end = 0, 0
	}
	// After this the unfinished frame is at the front and stays there until it
	// is whole: a byte moves once, whatever the size of the reads.
	if len(b.buf)-b.end < len(b.buf)/2 {
		b.compact()
	}
	b.room(1)
	for range emptyReads {
		n, err := b.src.Read(b.buf[b.end:])
		b.end += n
		if n > 0 || err != nil {
			b.err = err
			return
		}
	}
	b.err = io.ErrNoProgress
}

// room makes place for n more bytes; the rest and n must fit into limit.
func (b *buffer) room(n int) {
	if len(b.buf)-b.end >= n {
		return
	}
	b.compact()
	if len(b.buf)-b.end >= n {
		return
	}
	grown := make([]byte, min(2*len(b.buf), b.limit))
	b.moved += copy(grown, b.rest())
	b.buf, *b.box = grown, grown
}

func (b *buffer) compact() {
	if b.start == 0 {
		return
	}
	n := copy(b.buf, b.rest())
	b.moved += n
	b.start, b.end = 0, n
}

// release gives the memory back; slices of it are dead from here on.
func (b *buffer) release() {
	if b.box != nil && len(b.buf) <= keepSize {
		pool.Put(b.box)
	}
	b.box, b.buf, b.src = nil, nil, nil
	b.start, b.end = 0, 0
}
