// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// Kill does what kill -9 does to a server: every connection is reset at once and
// new ones are refused. Calls in flight end; they do not count as gone. It may be
// called from a script.
func (b *Backend) Kill() {
	b.mu.Lock()
	ln := b.life.ln
	b.life.ln = nil
	b.life.age++
	conns := make([]*serverConn, 0, len(b.life.conns))
	for c := range b.life.conns {
		c.killed.Store(true)
		conns = append(conns, c)
	}
	b.change()
	b.mu.Unlock()
	if ln != nil {
		ln.Close()
	}
	for _, c := range conns {
		c.reset()
	}
}

// Revive lets a killed backend accept connections again, at the same address.
// What it recorded, and its script, stay. It does nothing to a backend that
// lives or is closed.
func (b *Backend) Revive() {
	b.tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.life.ln != nil || b.life.closed {
		return
	}
	ln, err := b.listen()
	if err != nil {
		b.tb.Errorf("hooshtest: the backend cannot listen: %v", err)
		return
	}
	b.life.ln = ln
	b.life.serving++
	go b.accept(&admitting{Listener: ln, b: b, age: b.life.age})
}

func (b *Backend) accept(ln net.Listener) {
	_ = b.server.Serve(ln) // always an error: the listener was closed
	b.mu.Lock()
	defer b.mu.Unlock()
	b.life.serving--
	b.change()
}

// closeTimeout is how long Close waits for scripts to return.
const closeTimeout = 5 * time.Second

// Close kills the backend for good and waits until nothing of it runs. A script
// that does not return within seconds fails the test. The backend is closed by
// itself when the test ends; a test that compares goroutines, or is not the
// bubble's own, calls it before. Only the first call does something.
func (b *Backend) Close() {
	b.tb.Helper()
	b.mu.Lock()
	was := b.life.closed
	b.life.closed = true
	b.mu.Unlock()
	if was {
		return
	}
	b.Kill()
	ended := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.life.serving == 0 && b.life.served == 0
	}
	if !b.Wait(closeTimeout, ended) {
		b.tb.Errorf("hooshtest: %d requests are still served %v after the backend was closed; does a script wait for something?", b.InFlight(), closeTimeout)
	}
	b.server.Close() // its bookkeeping; nothing is left to close
}

// connState counts the goroutines that net/http has for connections.
func (b *Backend) connState(conn net.Conn, state http.ConnState) {
	c, ok := conn.(*serverConn)
	if !ok {
		return
	}
	if state == http.StateIdle && c.closeIdle.Load() {
		c.Close()
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch state {
	case http.StateNew:
		b.life.served++
	case http.StateClosed:
		b.life.served--
	default:
		return
	}
	b.change()
}

// admitting is a listener whose connections the backend can count, slow down and
// reset.
type admitting struct {
	net.Listener
	b   *Backend
	age int
}

func (l *admitting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	b := l.b
	c := &serverConn{Conn: conn, b: b}
	b.mu.Lock()
	b.count.accepted++
	c.n = b.count.accepted
	b.life.conns[c] = struct{}{}
	late := l.age != b.life.age // killed since
	b.change()
	b.mu.Unlock()
	if late {
		c.killed.Store(true)
		c.reset()
	}
	return c, nil
}

type connKey struct{}

// serverConn is the backend's end of a connection.
type serverConn struct {
	net.Conn
	b         *Backend
	n         int
	killed    atomic.Bool
	closeIdle atomic.Bool
	dribble   atomic.Pointer[dribble] // nil: writes go out as they are
}

// dribble makes writes go out byte by byte.
type dribble struct {
	pause time.Duration   // after each byte
	gone  <-chan struct{} // the client has left
}

func (c *serverConn) Write(p []byte) (int, error) {
	d := c.dribble.Load()
	if d == nil {
		return c.Conn.Write(p)
	}
	for i := range p {
		if _, err := c.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
		if !pause(d.pause, d.gone) {
			return i + 1, syscall.EPIPE
		}
	}
	return len(p), nil
}

// CloseWrite is for net/http, which ends some connections in two steps.
func (c *serverConn) CloseWrite() error {
	if h, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

func (c *serverConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

// reset drops the connection without a goodbye: the peer gets ECONNRESET.
func (c *serverConn) reset() {
	c.forget()
	switch conn := c.Conn.(type) {
	case *Conn:
		conn.Reset()
	case *net.TCPConn:
		_ = conn.SetLinger(0) // fails on a closed one only
		conn.Close()
	}
}

func (c *serverConn) forget() {
	c.b.mu.Lock()
	defer c.b.mu.Unlock()
	if _, ok := c.b.life.conns[c]; ok {
		delete(c.b.life.conns, c)
		c.b.change()
	}
}
