// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

// conns gives the conformance tests two ends of a connection: the one in memory,
// and the kernel's, to see that the tests ask what TCP does.
var conns = map[string]func(t *testing.T) (a, b net.Conn){
	"mem": func(t *testing.T) (net.Conn, net.Conn) {
		a, b := hooshtest.Pipe("a", "b")
		return a, b
	},
	"listener": func(t *testing.T) (net.Conn, net.Conn) {
		l := hooshtest.NewListener("l.test")
		a, err := l.Dial()
		must(t, err)
		b, err := l.Accept()
		must(t, err)
		return a, b
	},
	"tcp": func(t *testing.T) (net.Conn, net.Conn) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		defer l.Close()
		a, err := net.Dial("tcp", l.Addr().String())
		must(t, err)
		b, err := l.Accept()
		must(t, err)
		return a, b
	},
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eachConn(t *testing.T, f func(t *testing.T, a, b net.Conn)) {
	for name, make := range conns {
		t.Run(name, func(t *testing.T) {
			hooshtest.CheckGoroutines(t)
			a, b := make(t)
			defer a.Close()
			defer b.Close()
			f(t, a, b)
		})
	}
}

func TestConnCarriesBytes(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		sent := make([]byte, 3<<20)
		for i := range sent {
			sent[i] = byte(rand.Uint32())
		}
		var wg sync.WaitGroup
		for _, way := range [][2]net.Conn{{a, b}, {b, a}} { // both ways at once
			wg.Go(func() {
				for rest := sent; len(rest) > 0; {
					n := min(1+rand.IntN(200_000), len(rest))
					if k, err := way[0].Write(rest[:n]); k != n || err != nil {
						t.Errorf("wrote %d of %d: %v", k, n, err)
						return
					}
					rest = rest[n:]
				}
			})
			wg.Go(func() {
				got := make([]byte, len(sent))
				if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, sent) {
					t.Errorf("the bytes differ: %v", err)
				}
			})
		}
		wg.Wait()
	})
}

func TestConnWritesAreNotMixed(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		const writers, size = 4, 150_000
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				if _, err := a.Write(bytes.Repeat([]byte{byte('a' + i)}, size)); err != nil {
					t.Error(err)
				}
			})
		}
		got := make([]byte, writers*size)
		if _, err := io.ReadFull(b, got); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		for i := 0; i < len(got); i += size {
			if run := got[i : i+size]; bytes.Count(run, run[:1]) != size {
				t.Errorf("the write at %d is mixed with another", i)
			}
		}
	})
}

func TestConnCloseEndsAfterWhatWasWritten(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		a.Write([]byte("last words"))
		must(t, a.Close())
		got, err := io.ReadAll(b)
		if string(got) != "last words" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("read of a closed end: %v", err)
		}
		if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write of a closed end: %v", err)
		}
		if err := a.SetDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline of a closed end: %v", err)
		}
		if err := a.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
	})
}

func TestConnWriteToClosedPeerFails(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		b.Close()
		var err error
		for end := time.Now().Add(5 * time.Second); err == nil && time.Now().Before(end); {
			_, err = a.Write([]byte("x")) // a kernel learns it from the answer to the first
		}
		if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("error %v", err)
		}
	})
}

func TestConnCloseWakesWaiters(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		errs := make(chan error, 2)
		go func() {
			_, err := a.Read(make([]byte, 1))
			errs <- err
		}()
		go func() {
			var err error
			for err == nil {
				_, err = a.Write(make([]byte, 1<<20))
			}
			errs <- err
		}()
		time.Sleep(20 * time.Millisecond) // both are waiting by now, probably; right in either case
		a.Close()
		for range 2 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("error %v", err)
			}
		}
	})
}

func TestConnHalfClose(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		a.Write([]byte("question"))
		must(t, a.(interface{ CloseWrite() error }).CloseWrite())
		if got, err := io.ReadAll(b); string(got) != "question" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := a.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write after CloseWrite: %v", err)
		}
		b.Write([]byte("answer"))
		b.Close()
		if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
	})
}

func TestConnReset(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		b.Write([]byte("before"))
		time.Sleep(10 * time.Millisecond) // the kernel's is on its way
		switch c := b.(type) {
		case *hooshtest.Conn:
			c.Reset()
		case *net.TCPConn:
			c.SetLinger(0)
			c.Close()
		}
		got, err := io.ReadAll(a)
		if string(got) != "before" || !errors.Is(err, syscall.ECONNRESET) || !strings.Contains(err.Error(), "connection reset by peer") {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := b.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("the end that was reset: %v", err)
		}
	})
}

func TestConnResetFailsWriters(t *testing.T) {
	a, b := hooshtest.Pipe("a", "b")
	failed := make(chan error)
	go func() {
		n, err := a.Write(make([]byte, 1<<20))
		if n != 64<<10 {
			t.Errorf("%d bytes fit", n)
		}
		failed <- err
	}()
	synced(b, 64<<10)
	b.Reset()
	if err := <-failed; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v", err)
	}
}

// synced returns when something has been written to c.
func synced(c net.Conn, n int) { _, _ = c.Read(nil); time.Sleep(20 * time.Millisecond) }

func timedOut(err error) bool {
	var ne net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, &ne) && ne.Timeout()
}

func TestConnDeadlines(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		one := make([]byte, 1)
		past := time.Now().Add(-time.Hour)
		b.Write([]byte("x"))
		a.SetReadDeadline(past)
		if n, err := a.Read(one); n != 0 || !timedOut(err) {
			t.Errorf("past deadline: %d, %v", n, err)
		}
		a.SetReadDeadline(time.Time{})
		if n, err := a.Read(one); n != 1 || err != nil {
			t.Errorf("deadline taken away: %d, %v", n, err)
		}
		start := time.Now()
		a.SetReadDeadline(start.Add(30 * time.Millisecond))
		if _, err := a.Read(one); !timedOut(err) || time.Since(start) < 30*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err := a.Read(one); !timedOut(err) {
			t.Errorf("a deadline that has passed stays: %v", err)
		}
		if _, err := a.Write(one); err != nil {
			t.Errorf("a read deadline is none of a write's: %v", err)
		}
		a.SetWriteDeadline(time.Now().Add(30 * time.Millisecond))
		var err error
		for err == nil {
			_, err = a.Write(make([]byte, 1<<20)) // fills what the direction holds
		}
		if !timedOut(err) {
			t.Errorf("write: %v", err)
		}
	})
}

func TestConnDeadlineMovesUnderWaiters(t *testing.T) {
	eachConn(t, func(t *testing.T, a, b net.Conn) {
		errs := make(chan error)
		read := func() {
			_, err := a.Read(make([]byte, 1))
			errs <- err
		}
		a.SetReadDeadline(time.Now().Add(time.Hour))
		go read()
		time.Sleep(10 * time.Millisecond)
		a.SetReadDeadline(time.Unix(1, 0)) // as net/http does to end a read
		if err := <-errs; !timedOut(err) {
			t.Errorf("a deadline brought forward: %v", err)
		}
		a.SetReadDeadline(time.Now().Add(time.Millisecond))
		a.SetReadDeadline(time.Now().Add(time.Hour))
		go read()
		time.Sleep(20 * time.Millisecond)
		b.Write([]byte("x"))
		if err := <-errs; err != nil {
			t.Errorf("a deadline put off: %v", err)
		}
	})
}

// TestConnDeadlinePutOffInTime: a deadline whose timer runs just as it is
// replaced must not count.
func TestConnDeadlinePutOffInTime(t *testing.T) {
	a, _ := hooshtest.Pipe("a", "b")
	for i := range 20_000 {
		a.SetReadDeadline(time.Now().Add(time.Duration(i%50) * time.Microsecond))
		for range i % 40 {
			a.Read(nil) // passes time, and holds the lock
		}
		a.SetReadDeadline(time.Time{})
		runtime.Gosched()
		if _, err := a.Read(nil); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
}

func TestConnHoldsBack(t *testing.T) {
	a, b := hooshtest.Pipe("a", "b")
	if n, err := a.Write(make([]byte, 64<<10)); n != 64<<10 || err != nil {
		t.Fatalf("64 KiB: %d, %v", n, err)
	}
	a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := a.Write(make([]byte, 10)); n != 0 || !timedOut(err) {
		t.Errorf("one more write: %d, %v", n, err)
	}
	a.SetWriteDeadline(time.Time{})
	io.ReadFull(b, make([]byte, 4))
	a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := a.Write(make([]byte, 10)); n != 4 || !timedOut(err) {
		t.Errorf("four bytes were free: %d, %v", n, err)
	}
}

func TestConnAddresses(t *testing.T) {
	l := hooshtest.NewListener("host.test:8080")
	c, err := l.Dial()
	must(t, err)
	s, err := l.Accept()
	must(t, err)
	if c.RemoteAddr() != l.Addr() || s.LocalAddr() != l.Addr() || c.LocalAddr() != s.RemoteAddr() {
		t.Errorf("addresses %v %v, %v %v", c.LocalAddr(), c.RemoteAddr(), s.LocalAddr(), s.RemoteAddr())
	}
	if n := l.Addr().Network(); n != "mem" || l.Addr().String() != "host.test:8080" {
		t.Errorf("network %q, address %q", n, l.Addr())
	}
	if _, _, err := net.SplitHostPort(s.RemoteAddr().String()); err != nil {
		t.Error(err)
	}
	c.Close()
	_, err = c.Read(nil)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "read" || op.Net != "mem" {
		t.Errorf("error %#v", err)
	}
}

func TestListenerCloses(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	l := hooshtest.NewListener("l.test")
	accepted, err := l.Dial()
	must(t, err)
	server, err := l.Accept()
	must(t, err)
	waiting, err := l.Dial()
	must(t, err)
	must(t, l.Close())
	must(t, l.Close())
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	if _, err := l.Dial(); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial: %v", err)
	}
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a connection nobody accepted: %v", err)
	}
	server.Write([]byte("x"))
	if _, err := accepted.Read(make([]byte, 1)); err != nil {
		t.Errorf("an accepted one: %v", err)
	}
}

func TestListenerCloseLosesNoDialer(t *testing.T) {
	for round := range 3_000 {
		l := hooshtest.NewListener("l.test")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				var dialed []net.Conn
				for range 60 { // fewer than may wait to be accepted
					c, err := l.Dial()
					if err != nil {
						break
					}
					dialed = append(dialed, c)
				}
				for _, c := range dialed {
					c.SetReadDeadline(time.Now().Add(10 * time.Second))
					if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
						t.Errorf("a connection was forgotten: %v", err)
					}
				}
			})
		}
		for range round % 50 {
			runtime.Gosched()
		}
		l.Close()
		wg.Wait()
		if t.Failed() {
			return
		}
	}
}

func TestListenerDialWaitsWithinContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := hooshtest.NewListener("l.test")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var err error
		dialed := 0
		for ; err == nil; dialed++ {
			_, err = l.DialContext(ctx, "tcp", "elsewhere.test:80")
		}
		if !errors.Is(err, context.DeadlineExceeded) || dialed < 100 {
			t.Errorf("after %d: %v", dialed, err)
		}
	})
}

func TestConnBlocksDurably(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := hooshtest.Pipe("a", "b")
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 { // of which two wait for their turn
			wg.Go(func() {
				if _, err := a.Write(make([]byte, 100<<10)); err != nil {
					t.Error(err)
				}
			})
		}
		b.SetReadDeadline(start.Add(time.Hour))
		for range 2 {
			time.Sleep(10 * time.Minute)
			io.ReadFull(b, make([]byte, 150<<10))
		}
		wg.Wait()
		if _, err := b.Read(make([]byte, 1)); !timedOut(err) || time.Since(start) != time.Hour {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestServe(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	l := hooshtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }))
	resp, err := l.Client().Post(l.URL(), "text/plain", strings.NewReader("echo"))
	must(t, err)
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != "echo" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}
