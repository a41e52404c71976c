// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

const unixPrefix = "unix:"

// listen opens the listener of a server. Off loopback it needs keys, or somebody
// who said that it need not.
func listen(ctx context.Context, where string, guarded bool) (net.Listener, error) {
	if path, ok := strings.CutPrefix(where, unixPrefix); ok {
		return listenUnix(ctx, path)
	}
	// The address is looked up once, so that what is checked is what is bound.
	addr, err := net.ResolveTCPAddr("tcp", where)
	if err != nil {
		return nil, &problem{code: exitUsage, text: fmt.Sprintf("cannot listen on %q: %v", where, err), hint: "want host:port, such as 127.0.0.1:8088, or unix:PATH"}
	}
	if !guarded && !addr.IP.IsLoopback() {
		return nil, &problem{
			code: exitUsage, text: fmt.Sprintf("%s can be reached from other machines, and no key is configured: anyone could use your backends", where),
			hint: "list keys in hoosh.yaml, listen on 127.0.0.1, or say --insecure",
		}
	}
	ln, err := net.ListenTCP("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, &problem{code: exitFailure, text: where + " is taken: does a hoosh run already?", hint: "choose another with --listen, such as --listen 127.0.0.1:0 for any free port"}
	case err != nil:
		return nil, &problem{code: exitFailure, text: fmt.Sprintf("cannot listen on %s: %v", where, err)}
	}
	return ln, nil
}

// listenUnix takes over a socket that nobody serves any more.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if path == "" {
		return nil, usagef("unix: wants a path, such as unix:/run/hoosh.sock")
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, &problem{code: exitUsage, text: path + " is there already, and is not a socket"}
		}
		d := net.Dialer{Timeout: time.Second}
		if c, err := d.DialContext(ctx, "unix", path); err == nil {
			c.Close()
			return nil, &problem{code: exitFailure, text: path + " is taken: does a hoosh run already?"}
		}
		os.Remove(path) //nolint:errcheck // listening will tell
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, &problem{code: exitFailure, text: fmt.Sprintf("cannot listen on %s: %v", path, err)}
	}
	return ln, nil
}

// baseURL is where clients reach a listener.
func baseURL(ln net.Listener) string {
	addr, ok := ln.Addr().(*net.TCPAddr)
	if !ok {
		return unixPrefix + ln.Addr().String()
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1" // on this machine
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// The pace at which a request's body must come. The server has no read timeout:
// it would end long uploads, and streams, along with clients that stall.
const (
	bodyStall = 30 * time.Second // the longest silence
	bodyRest  = 2 * time.Second  // for what nobody wants to read
	bodyPace  = 4 << 10          // bytes a second that must come on average after that
)

// paced ends requests whose body does not come on.
func paced(h http.Handler, stall time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 { // no body, nothing to wait for
			h.ServeHTTP(w, r)
			return
		}
		b := &pacedBody{ReadCloser: r.Body, control: http.NewResponseController(w), start: time.Now(), stall: stall}
		r.Body = b
		h.ServeHTTP(w, r)
		if !b.ended {
			// An answer that needed no body, a refusal for one. net/http reads what
			// is left of it before it sends the answer: not for long.
			b.control.SetReadDeadline(time.Now().Add(min(stall, bodyRest))) //nolint:errcheck
		}
	})
}

type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
	start   time.Time
	stall   time.Duration
	n       int64
	ended   bool
}

func (b *pacedBody) Read(p []byte) (int, error) {
	if b.ended {
		return b.ReadCloser.Read(p)
	}
	stalled := time.Now().Add(b.stall)
	slow := b.start.Add(b.stall + time.Duration(b.n/bodyPace)*time.Second)
	if slow.Before(stalled) {
		stalled = slow
	}
	b.control.SetReadDeadline(stalled) //nolint:errcheck // not every connection has deadlines
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	if err != nil {
		b.ended = true
		if err == io.EOF {
			// From here on net/http reads to see whether the client is there still,
			// and takes a deadline that passes for one that has left.
			b.control.SetReadDeadline(time.Time{}) //nolint:errcheck
		}
	}
	return n, err
}
