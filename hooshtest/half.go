// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// halfSize is what one direction holds.
const halfSize = 64 << 10

// half is one direction of a connection: one end writes and the other reads.
type half struct {
	mu      sync.Mutex // guards all below
	changed sync.Cond
	buf     []byte // what was written and not yet read
	reader  end
	writer  end
	ended   bool // the reader gets EOF after buf
	broken  bool // the reader gets ECONNRESET after buf, the writer at once
	busy    bool // a Write is under way; others wait, so that writes are not mixed
}

// end is the state of one of the two ends.
type end struct {
	closed bool
	timer  *time.Timer // the deadline's; nil: none is set, or it has passed
	late   bool        // the deadline has passed
}

func newHalf() *half {
	h := &half{}
	h.changed.L = &h.mu
	return h
}

func (h *half) read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.reader.closed:
			return 0, net.ErrClosed
		case h.reader.late:
			return 0, os.ErrDeadlineExceeded
		case len(p) == 0:
			return 0, nil
		case len(h.buf) > 0:
			n := copy(p, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.broken:
			return 0, syscall.ECONNRESET
		case h.ended:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(p []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// Not a mutex of its own: waiting for one is no durable blocking.
	for h.busy {
		if err := h.writable(); err != nil {
			return 0, err
		}
		h.changed.Wait()
	}
	h.busy = true
	defer func() {
		h.busy = false
		h.changed.Broadcast()
	}()
	for {
		if err := h.writable(); err != nil {
			return n, err
		}
		if room := halfSize - len(h.buf); room > 0 {
			k := min(room, len(p)-n)
			h.buf = append(h.buf, p[n:n+k]...)
			n += k
			h.changed.Broadcast()
		}
		if n == len(p) {
			return n, nil
		}
		h.changed.Wait()
	}
}

// writable says why a write has to fail now.
func (h *half) writable() error {
	switch {
	case h.writer.closed:
		return net.ErrClosed
	case h.writer.late:
		return os.ErrDeadlineExceeded
	case h.broken:
		return syscall.ECONNRESET
	case h.reader.closed, h.ended:
		return syscall.EPIPE
	}
	return nil
}

// closeReader reports whether it was open.
func (h *half) closeReader() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.reader.closed
	h.reader.close()
	h.buf = nil
	h.changed.Broadcast()
	return !was
}

func (h *half) closeWriter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writer.close()
	h.ended = true
	h.changed.Broadcast()
}

func (h *half) endWriting() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writer.closed {
		return net.ErrClosed
	}
	h.ended = true
	h.changed.Broadcast()
	return nil
}

func (h *half) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.broken = true
	h.changed.Broadcast()
}

func (e *end) close() {
	e.closed = true
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// setDeadline sets the deadline of e, which is one of the two ends.
func (h *half) setDeadline(e *end, t time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	e.late = false
	if !t.IsZero() {
		wait := time.Until(t)
		if e.late = wait <= 0; !e.late {
			var timer *time.Timer
			timer = time.AfterFunc(wait, func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				if e.timer == timer { // not replaced while this waited for the lock
					e.late, e.timer = true, nil
					h.changed.Broadcast()
				}
			})
			e.timer = timer
		}
	}
	h.changed.Broadcast()
	return nil
}

func isEOF(err error) bool { return err == io.EOF }
