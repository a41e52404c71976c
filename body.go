// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"sync"
)

// Body is what goes to a backend: pieces of the caller's bytes and what was
// spliced between them, never joined. Any number of readers may be open, one
// for each attempt.
type Body struct {
	pieces [][]byte
	size   int64
	load   *payload // kept from being recycled while a reader is open; may be nil
	small  []byte   // the pieces joined, if they are few bytes
	few    [7][]byte
}

// smallBody is the size up to which a body is copied after all: net/http sends
// one that it knows to be in memory together with the headers, which saves a
// system call, and it knows no other than the standard library's. What fits
// its buffer with them is small.
const (
	smallBody   = 14 << 10
	writeBuffer = 16 << 10
)

// build cuts src, which belongs to load, at the edits.
func (b *Body) build(load *payload, src []byte, edits []edit) {
	b.load = load
	b.pieces = b.few[:0]
	at := 0
	for _, e := range edits {
		if e.from < at {
			continue // of two changes to one place the first is made
		}
		b.add(src[at:e.from])
		b.add(e.text)
		at = e.to
	}
	b.add(src[at:])
	if b.size <= smallBody {
		b.small = slices.Concat(b.pieces...)
	}
}

func (b *Body) add(piece []byte) {
	if len(piece) > 0 {
		b.pieces = append(b.pieces, piece)
		b.size += int64(len(piece))
	}
}

// Len is the size in bytes.
func (b *Body) Len() int64 { return b.size }

// Bytes joins the pieces into a slice of its own.
func (b *Body) Bytes() []byte {
	return slices.Concat(b.pieces...)
}

// Open gives a reader from the start. Closing it, once, is what lets the
// caller's buffer be used again.
func (b *Body) Open() io.ReadCloser {
	if b.small != nil {
		return io.NopCloser(bytes.NewReader(b.small))
	}
	if b.load != nil {
		b.load.refs.Add(1)
	}
	return &bodyReader{rest: b.pieces, load: b.load}
}

type bodyReader struct {
	rest [][]byte
	at   int // in rest[0]
	load *payload

	mu     sync.Mutex // a transport may close in mid-read, and the bytes go back to a pool
	closed bool
}

func (r *bodyReader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, errors.New("hoosh: read of a closed body")
	}
	n := 0
	for n < len(p) && len(r.rest) > 0 {
		k := copy(p[n:], r.rest[0][r.at:])
		n += k
		r.at += k
		if r.at == len(r.rest[0]) {
			r.rest, r.at = r.rest[1:], 0
		}
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *bodyReader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && r.load != nil {
		r.load.release()
	}
	r.closed = true
	return nil
}

// sendTo writes what is left to a connection, in one system call where it can.
// The bytes stay lent until the write has returned, whoever closes meanwhile.
func (r *bodyReader) sendTo(conn net.Conn, limited *io.LimitedReader) (int64, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return 0, errors.New("hoosh: read of a closed body")
	}
	var few [7][]byte
	rest := append(net.Buffers(few[:0]), r.rest...)
	if len(rest) > 0 {
		rest[0] = rest[0][r.at:]
	}
	r.rest, r.at = nil, 0
	if r.load != nil {
		r.load.refs.Add(1)
		defer r.load.release()
	}
	r.mu.Unlock()
	n, err := rest.WriteTo(conn)
	limited.N -= n
	return n, err
}

// Splice collects the changes to a body. Edits must not overlap; two insertions
// at one place keep their order, and of two that meet the first is made.
type Splice struct {
	edits []edit
	few   [6]edit
}

type edit struct {
	from, to int
	text     []byte
}

// Replace puts text, which it keeps, in the place of the bytes [from, to).
func (s *Splice) Replace(from, to int, text []byte) {
	if s.edits == nil {
		s.edits = s.few[:0]
	}
	s.edits = append(s.edits, edit{from, to, text})
}

func (s *Splice) sorted() []edit {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	return s.edits
}

// bodyBuffer is a pooled buffer that holds one body.
type bodyBuffer struct{ b []byte }

// maxPooledBody is the largest buffer kept for another body; a coding agent's
// prompt fits.
const maxPooledBody = 1 << 20

var bodyBuffers = sync.Pool{New: func() any { return &bodyBuffer{b: make([]byte, 0, 4<<10)} }}

func (b *bodyBuffer) free() {
	if cap(b.b) <= maxPooledBody {
		b.b = b.b[:0]
		bodyBuffers.Put(b)
	}
}

func readBody(r io.Reader, size, limit int64) (*bodyBuffer, error) {
	limit = min(limit, math.MaxInt64-1)
	if size > limit {
		return nil, tooLarge(limit)
	}
	buf := bodyBuffers.Get().(*bodyBuffer)
	// One byte more than the body: the read that finds its end needs room.
	// What a client merely says of the size is believed up to a megabyte.
	if want := int(min(size, 1<<20) + 1); want > cap(buf.b) {
		buf.b = make([]byte, 0, want)
	}
	for {
		if len(buf.b) == cap(buf.b) {
			buf.b = slices.Grow(buf.b, cap(buf.b))
		}
		n, err := r.Read(buf.b[len(buf.b):min(int64(cap(buf.b)), limit+1)])
		buf.b = buf.b[:len(buf.b)+n]
		switch {
		case int64(len(buf.b)) > limit:
			buf.free()
			return nil, tooLarge(limit)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			buf.free()
			return nil, &Error{Kind: ErrInvalidRequest, Message: "the request body broke off", Err: err}
		}
	}
}

func tooLarge(limit int64) error {
	return &Error{Kind: ErrTooLarge, Code: "request_too_large", Message: fmt.Sprintf("the body has more than the %d bytes allowed", limit)}
}
