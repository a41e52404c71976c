// SPDX-License-Identifier: AGPL-3.0-only

package dialect

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

var update = flag.Bool("update", false, "write testdata/pairs/*.golden")

// told is what a backend answers: always the same.
type told struct {
	contentType string
	body        []byte
}

func (t told) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // of a test
		r.Body.Close()
	}
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: -1,
		Header: http.Header{"Content-Type": {t.contentType}}, Body: io.NopCloser(bytes.NewReader(t.body))}, nil
}

// volatile is what is made anew each time: times and ids.
var volatile = regexp.MustCompile(`"(created|created_at|completed_at|total_duration|eval_duration|prompt_eval_duration)": ?("[^"]*"|[0-9]+)|[_-][A-Za-z0-9]{16,}|"[A-Z0-9]{26}"`)

func steady(b []byte) []byte {
	return volatile.ReplaceAllFunc(b, func(m []byte) []byte {
		name, _, isTime := bytes.Cut(m, []byte(":"))
		switch {
		case isTime:
			return append(bytes.Clone(name), ":0"...)
		case m[0] == '"':
			return []byte(`"*"`)
		}
		return append(bytes.Clone(m[:1]), '*')
	})
}

func sample(t *testing.T, d *hoosh.Dialect, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "pairs", d.Name, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// callOf is the sample request of a dialect, which a client of it makes.
func callOf(t *testing.T, d *hoosh.Dialect, model string, stream bool) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, hoosh.OpChat, sample(t, d, "request.json"))
	if err != nil {
		t.Fatal(err)
	}
	c.Model, c.Stream = model, stream
	return c
}

// TestPairs holds what becomes of one request, one answer, one stream and one
// error between each two dialects against what a reader has found right.
func TestPairs(t *testing.T) {
	for _, from := range All {
		for i, to := range All {
			if from == to {
				continue
			}
			model := models[i]
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				golden(t, from, to, "request", func() ([]byte, error) {
					body, dropped, err := callOf(t, from, model, false).BodyFor(&hoosh.Profile{Dialect: to, Issuer: "here"})
					if err != nil {
						return nil, err
					}
					var b bytes.Buffer
					if err := json.Indent(&b, body.Bytes(), "", " "); err != nil {
						return nil, err
					}
					fmt.Fprintf(&b, "\ndropped: %s\n", strings.Join(dropped, ", "))
					return b.Bytes(), nil
				})
				golden(t, from, to, "response", func() ([]byte, error) {
					reply := &hoosh.Reply{Provider: "here", Model: "far", Dialect: from, Body: bytes.TrimSpace(sample(t, from, "response.json"))}
					r, err := reply.For(callOf(t, to, "near", false))
					if err != nil {
						return nil, err
					}
					var b bytes.Buffer
					err = json.Indent(&b, r.Body, "", " ")
					b.WriteByte('\n')
					return b.Bytes(), err
				})
				golden(t, from, to, "stream", func() ([]byte, error) { return streamed(t, from, to) })
				golden(t, from, to, "error", func() ([]byte, error) {
					e := from.DecodeError(400, http.Header{}, bytes.TrimSpace(sample(t, from, "error.json")))
					e.Upstream, e.Status, e.Provider = true, 400, "here"
					return fmt.Appendf(nil, "%d\n%s\n%s", e.HTTPStatus(), to.EncodeError(e), to.StreamError(e)), nil
				})
			})
		}
	}
}

// streamed is a backend's stream as a client of the other dialect gets it.
func streamed(t *testing.T, from, to *hoosh.Dialect) ([]byte, error) {
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "here", BaseURL: "http://backend.test", Transport: told{from.Framing.ContentType(), sample(t, from, "stream.txt")}},
		hoosh.Driver{}, &hoosh.Profile{Dialect: from}, "")
	if err != nil {
		return nil, err
	}
	defer u.Close()
	c := callOf(t, to, "near", true)
	reply, err := u.Do(context.Background(), c, u.URL("/"))
	if err != nil {
		return nil, err
	}
	defer reply.Stream.Close()
	if reply, err = reply.For(c); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			return b.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		b.Write(f.Raw)
	}
}

// golden compares with the file, or writes it.
func golden(t *testing.T, from, to *hoosh.Dialect, what string, f func() ([]byte, error)) {
	t.Helper()
	got, err := f()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	got = steady(got)
	name := filepath.Join("testdata", "pairs", from.Name+"-"+to.Name+"."+what+".golden")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
