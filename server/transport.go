// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/maccracken/hoosh"
)

// Transport serves requests over g in this process, without a listener: put it
// under any SDK and existing code gets the whole engine.
//
//	client := &http.Client{Transport: server.Transport(router)}
//
// The host of a URL does not matter, its path does. Neither key, peer, Host nor
// Origin is asked for. Options other than that work as in [New].
func Transport(g hoosh.Gateway, opts ...Option) http.RoundTripper {
	return &transport{New(g, opts...).Handler()}
}

type transport struct{ handler http.Handler }

// RoundTrip runs the handler in a goroutine that ends with the answer: when its
// body was read or closed, or the request's context has ended.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(withoutGate(r.Context()))
	in := r.Clone(ctx)
	if in.URL.Path == "" {
		in.URL.Path = "/" // as over a socket
	}
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "in-process"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	pr, pw := io.Pipe()
	w := &pipeWriter{
		pipe: pw, header: http.Header{}, ready: make(chan struct{}),
		resp: &http.Response{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1},
	}
	stop := context.AfterFunc(ctx, func() { pw.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer func() {
			v := recover() // the handler aborts an answer that has begun
			in.Body.Close()
			w.begin(http.StatusOK)
			if t := w.trailers(); t != nil { // there was a body then, whose end comes after this
				w.resp.Trailer = t
			}
			if v != nil {
				pw.CloseWithError(io.ErrUnexpectedEOF)
			} else {
				pw.Close()
			}
			stop()
		}()
		t.handler.ServeHTTP(w, in)
	}()
	select {
	case <-w.ready:
	case <-ctx.Done():
		cancel()
		return nil, context.Cause(ctx)
	}
	w.resp.Body = &pipeBody{pr, cancel}
	return w.resp, nil
}

// pipeBody is the answer's body; closing it ends the handler.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *pipeBody) Read(p []byte) (int, error) {
	n, err := b.PipeReader.Read(p)
	if err != nil {
		b.cancel()
	}
	return n, err
}

func (b *pipeBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// pipeWriter is the handler's side.
type pipeWriter struct {
	pipe   *io.PipeWriter
	header http.Header
	once   sync.Once
	ready  chan struct{}
	resp   *http.Response
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) { w.begin(status) }

func (w *pipeWriter) begin(status int) {
	w.once.Do(func() {
		w.resp.StatusCode = status
		w.resp.Status = strconv.Itoa(status) + " " + http.StatusText(status)
		if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil {
			w.resp.ContentLength = n
		}
		w.resp.Header = w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.begin(http.StatusOK)
	return w.pipe.Write(b)
}

// Flush does nothing: what is written is read at once.
func (w *pipeWriter) Flush() { w.begin(http.StatusOK) }

func (w *pipeWriter) trailers() http.Header {
	var t http.Header
	for name, v := range w.header {
		if len(name) > len(http.TrailerPrefix) && name[:len(http.TrailerPrefix)] == http.TrailerPrefix {
			if t == nil {
				t = http.Header{}
			}
			t[http.CanonicalHeaderKey(name[len(http.TrailerPrefix):])] = v
		}
	}
	return t
}
