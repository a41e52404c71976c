// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Addr is the address of an end of a connection in memory.
type Addr string

// Network is "mem".
func (Addr) Network() string { return "mem" }

func (a Addr) String() string { return string(a) }

// Conn is one end of a connection in memory. It behaves as a TCP connection on
// the loopback interface does: each direction holds 64 KiB before a writer
// waits, deadlines end reads and writes that wait, a closed peer reads as
// [io.EOF] after what it sent, and writing to it fails with EPIPE. All waiting
// is durable blocking for [testing/synctest]. Safe for concurrent use.
type Conn struct {
	in, out       *half
	local, remote Addr
}

var _ net.Conn = (*Conn)(nil)

// Pipe makes a connection between two addresses.
func Pipe(a, b Addr) (*Conn, *Conn) {
	ab, ba := newHalf(), newHalf()
	return &Conn{in: ba, out: ab, local: a, remote: b}, &Conn{in: ab, out: ba, local: b, remote: a}
}

// Read waits for bytes from the peer.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.in.read(p)
	return n, c.wrap("read", err)
}

// Write returns when all of p is on its way.
func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.out.write(p)
	return n, c.wrap("write", err)
}

// Close ends both directions. The peer still gets what was written before.
func (c *Conn) Close() error {
	if !c.in.closeReader() {
		return c.wrap("close", net.ErrClosed)
	}
	c.out.closeWriter()
	return nil
}

// CloseWrite ends the direction to the peer, which reads EOF after what was
// written; the other one goes on.
func (c *Conn) CloseWrite() error { return c.wrap("close", c.out.endWriting()) }

// Reset closes the connection abruptly: after what it has received already the
// peer gets "connection reset by peer" (ECONNRESET), from reads and writes.
func (c *Conn) Reset() {
	c.in.reset()
	c.out.reset()
	c.in.closeReader()
	c.out.closeWriter()
}

// LocalAddr is this end's [Addr].
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's [Addr].
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline makes reads fail with [os.ErrDeadlineExceeded] from t on, also
// one that waits already. The zero time means no deadline.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.in.setDeadline(&c.in.reader, t))
}

// SetWriteDeadline is SetReadDeadline for writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.out.setDeadline(&c.out.writer, t))
}

// wrap makes the error that package net would make; EOF stays as it is.
func (c *Conn) wrap(op string, err error) error {
	if err == nil || isEOF(err) {
		return err
	}
	var no syscall.Errno
	if errors.As(err, &no) {
		err = os.NewSyscallError(op, no)
	}
	return &net.OpError{Op: op, Net: "mem", Source: c.local, Addr: c.remote, Err: err}
}

// Listener listens in memory. Made inside a synctest bubble it belongs to that
// bubble. Safe for concurrent use.
type Listener struct {
	addr    Addr
	backlog chan *Conn
	done    chan struct{}
	once    sync.Once
}

var _ net.Listener = (*Listener)(nil)

// backlog is how many connections wait to be accepted before Dial waits.
const backlog = 128

// NewListener makes a listener; addr is a host or host:port, and only a name.
func NewListener(addr string) *Listener {
	return &Listener{addr: Addr(addr), backlog: make(chan *Conn, backlog), done: make(chan struct{})}
}

// Accept waits for the next connection. After Close it gives [net.ErrClosed].
func (l *Listener) Accept() (net.Conn, error) {
	closed := &net.OpError{Op: "accept", Net: "mem", Addr: l.addr, Err: net.ErrClosed}
	select {
	case <-l.done:
		return nil, closed
	default:
	}
	select {
	case c := <-l.backlog:
		return c, nil
	case <-l.done:
		return nil, closed
	}
}

// Close refuses new connections and resets those that were not accepted yet.
// Accepted ones stay.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	l.drain()
	return nil
}

// Addr is what NewListener was given.
func (l *Listener) Addr() net.Addr { return l.addr }

var clients atomic.Int64 // connections dialed so far, for their ports

// Dial connects. It does not wait for Accept, as a kernel would not. The
// client's address is 127.0.0.1 with a port of its own.
func (l *Listener) Dial() (net.Conn, error) { return l.DialContext(context.Background(), "", "") }

// DialContext is Dial for an [http.Transport]: it comes to this listener
// whatever the address says.
func (l *Listener) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	port := 1024 + clients.Add(1)%(1<<16-1024)
	client, server := Pipe(Addr("127.0.0.1:"+strconv.FormatInt(port, 10)), l.addr)
	select {
	case <-l.done:
		return nil, refused(l.addr)
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.addr, Err: ctx.Err()}
	default:
	}
	select {
	case l.backlog <- server:
	case <-l.done:
		return nil, refused(l.addr)
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "mem", Addr: l.addr, Err: ctx.Err()}
	}
	select {
	case <-l.done: // closed meanwhile: Close may have drained before we came
		l.drain()
	default:
	}
	return client, nil
}

func (l *Listener) drain() {
	for {
		select {
		case c := <-l.backlog:
			c.Reset()
		default:
			return
		}
	}
}

func refused(addr Addr) error {
	return &net.OpError{Op: "dial", Net: "mem", Addr: addr, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
}

// Client is a new HTTP client whose every connection comes to this listener.
func (l *Listener) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: l.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 64}}
}

// URL is "http://" and the address.
func (l *Listener) URL() string { return "http://" + string(l.addr) }

// Serve serves h in memory until the test ends. The listener's Client reaches
// it; its connections end with the test too.
func Serve(tb testing.TB, h http.Handler) *Listener {
	l := NewListener("server-" + strconv.FormatInt(backends.Add(1), 10) + ".test")
	server := &http.Server{Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // always an error: the server was closed
	}()
	tb.Cleanup(func() {
		server.Close()
		<-done
	})
	return l
}
