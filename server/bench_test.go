// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/server"
)

// nullWriter takes an answer and forgets it.
type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w *nullWriter) WriteHeader(int)             {}
func (w *nullWriter) Flush()                      {}

var nullEvent = []byte("data: {}\n\n")

// nullStream gives n content frames and the end.
type nullStream struct {
	n     int
	frame hoosh.Frame
}

func (s *nullStream) Next() (*hoosh.Frame, error) {
	if s.n--; s.n < 0 {
		return nil, io.EOF
	}
	s.frame = hoosh.Frame{Raw: nullEvent, Kind: hoosh.FrameContent, Text: 4}
	return &s.frame, nil
}
func (*nullStream) Stop(hoosh.Finish, hoosh.Usage) {}
func (*nullStream) Close() error                   { return nil }

// BenchmarkHandler is the served path over a backend that costs nothing: key,
// body, engine, headers; no sockets.
func BenchmarkHandler(b *testing.B) {
	answer := []byte(`{"choices":[],"pad":"` + strings.Repeat("x", 800) + `"}`)
	const events = 200
	null := hoosh.DoerFunc(func(_ context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
		if c.Stream {
			return &hoosh.Reply{Dialect: hoosh.OpenAI, Stream: &nullStream{n: events}}, nil
		}
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: answer}, nil
	})
	r, err := hoosh.NewRouter([]hoosh.Provider{{Name: "null", Doer: null, Models: []string{"m"}}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	h := server.Handler(r, server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "sk-k"}}}))
	for _, bc := range []struct {
		name   string
		size   int
		stream bool
	}{{"1KB", 800, false}, {"200KB", 200_000, false}, {"stream of 200", 800, true}} {
		b.Run(bc.name, func(b *testing.B) {
			body := fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":"%s"}],"stream":%t}`, strings.Repeat("word ", bc.size/5), bc.stream)
			reader := bytes.NewReader(body)
			req, _ := http.NewRequest("POST", "http://localhost/v1/chat/completions", io.NopCloser(reader))
			req.ContentLength = int64(len(body))
			req.Header.Set("Authorization", "Bearer sk-k")
			w := &nullWriter{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				clear(w.header)
				h.ServeHTTP(w, req)
			}
			if bc.stream {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
			}
		})
	}
}
