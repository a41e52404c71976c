// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// newTransport is the hop to a backend. Local calls never use a proxy.
func newTransport(dial func(context.Context, string, string) (net.Conn, error), connect time.Duration, local bool) http.RoundTripper {
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeoutCause(ctx, connect, errConnectTimeout)
			defer cancel()
			conn, err := dial(ctx, network, addr)
			if err != nil {
				if context.Cause(ctx) == errConnectTimeout {
					err = errConnectTimeout
				}
				return nil, err
			}
			return upstreamConn{conn}, nil
		},
		Proxy:               http.ProxyFromEnvironment,
		TLSHandshakeTimeout: connect,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 512,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
		WriteBufferSize:     writeBuffer,
		ReadBufferSize:      8 << 10,
	}
	if local {
		t.Proxy = nil
	}
	return t
}

// The causes with which an exchange ends itself.
var (
	errConnectTimeout = errors.New("connect timeout")
	errFirstTimeout   = errors.New("first-event timeout")
	errIdleTimeout    = errors.New("idle timeout")
	errTotalTimeout   = errors.New("total timeout")
	errClosed         = errors.New("closed") // the stream was, or the whole Upstream
)

// upstreamConn sends a [Body] from where it lies: a transport asks a connection
// to read from the request's body once the body is larger than its own buffer,
// and a long prompt is not copied then.
type upstreamConn struct{ net.Conn }

// ReadFrom implements [io.ReaderFrom].
func (c upstreamConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(*bodyReader); ok {
			all := limited.N
			n, err := body.sendTo(c.Conn, limited)
			if _, broken := err.(net.Error); broken {
				// net/http would take it for a failure of the body, and neither
				// send it again nor look for an answer that came early. The
				// connection's reader finds out by itself, and does both.
				limited.N = 0
				return all, nil
			}
			return n, err
		}
	}
	return io.Copy(struct{ io.Writer }{c.Conn}, r)
}
