// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// surface is a place where HTTP is spoken: a hoosh that is served, a hoosh in
// this process, or an engine itself.
type surface struct {
	name   string
	base   string // without /v1
	client *http.Client
}

// overHTTP is a surface at a real address.
func overHTTP(name, base string) surface {
	return surface{name, base, &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}}}
}

// doc is a JSON object to send.
type doc map[string]any

// answer is a whole reply.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes a request; a []byte body goes as it is, anything else as JSON.
func (s surface) send(ctx context.Context, method, path string, body any, header ...string) (*http.Response, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	default:
		data, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+path, r)
	if err != nil {
		return nil, err
	}
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return s.client.Do(req)
}

// whole sends and reads all of the reply.
func (s surface) whole(ctx context.Context, method, path string, body any, header ...string) (*answer, error) {
	resp, err := s.send(ctx, method, path, body, header...)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return &answer{resp.StatusCode, resp.Header, data}, err
}

func (s surface) get(t *T, path string, header ...string) *answer {
	return must(s.whole(t.ctx, http.MethodGet, path, nil, header...))(t)
}

func (s surface) post(t *T, path string, body any, header ...string) *answer {
	return must(s.whole(t.ctx, http.MethodPost, path, body, header...))(t)
}

// must ends the case on an error.
func must[V any](v V, err error) func(*T) V {
	return func(t *T) V {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// want ends the case unless the reply has the status; v, if not nil, takes its
// JSON.
func (a *answer) want(t *T, status int, v any) *answer {
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, short(a.body))
	}
	if v != nil {
		if err := json.Unmarshal(a.body, v); err != nil {
			t.Fatalf("%v in %s", err, short(a.body))
		}
	}
	return a
}

// refused ends the case unless the reply is OpenAI's error with this code.
func (a *answer) refused(t *T, status int, code string) {
	var e failure
	a.want(t, status, &e)
	if e.Error.Message == "" || e.Error.Type == "" || code != "" && e.Error.Code != code {
		t.Fatalf("want an error with code %q: %s", code, short(a.body))
	}
}

// failure is OpenAI's error.
type failure struct {
	Error struct {
		Message string
		Type    string
		Code    any // a string, null, or of llama.cpp a number
	}
}

func short(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) > 400 {
		return string(b[:400]) + "…"
	}
	return string(b)
}

// sse is a stream that is being read.
type sse struct {
	status int
	header http.Header
	raw    bytes.Buffer // all that was read
	close  func()

	lines *bufio.Reader
}

// stream opens one; it is closed at the latest with the case.
func (s surface) stream(t *T, path string, body any, header ...string) *sse {
	ctx, cancel := context.WithCancel(t.ctx)
	resp, err := s.send(ctx, http.MethodPost, path, body, header...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	st := reading(resp.Body)
	st.status, st.header = resp.StatusCode, resp.Header
	st.close = func() { cancel(); resp.Body.Close() }
	t.Cleanup(st.close)
	if resp.StatusCode != http.StatusOK {
		data, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		t.Fatalf("status %d for a stream: %s", resp.StatusCode, short(data))
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("the stream has Content-Type %q", kind)
	}
	return st
}

func reading(r io.Reader) *sse { return &sse{lines: bufio.NewReader(r)} }

// next gives the data of the next event, io.EOF at the end of the body.
func (s *sse) next() ([]byte, error) {
	var data []byte
	for {
		line, err := s.lines.ReadBytes('\n')
		s.raw.Write(line)
		line = bytes.TrimRight(line, "\r\n")
		switch rest, isData := bytes.CutPrefix(line, []byte("data:")); {
		case isData:
			data = append(data, bytes.TrimPrefix(rest, []byte(" "))...)
		case len(line) == 0 && data != nil:
			return data, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// within polls until f is true, and fails the case if it does not become so.
func within(t *T, d time.Duration, what string, f func() bool) {
	end := time.Now().Add(d)
	for !f() {
		if time.Now().After(end) || t.ctx.Err() != nil {
			t.Fatalf("not within %s: %s", d, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
