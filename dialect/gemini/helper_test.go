// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/gemini"
	"github.com/maccracken/hoosh/internal/framing"
)

var native = gemini.Dialect

// golden reads a file of testdata.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, d *hoosh.Dialect, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, op, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return c
}

// profile is that of a provider named "far".
func profile(d *hoosh.Dialect) *hoosh.Profile { return &hoosh.Profile{Dialect: d, Issuer: "far"} }

// translate gives the body that goes from a client of one dialect to a model of
// the other, and what was dropped.
func translate(t testing.TB, from, to *hoosh.Dialect, model, body string) (string, []string, error) {
	t.Helper()
	c := parse(t, from, hoosh.OpChat, body)
	c.Model = model
	b, dropped, err := c.BodyFor(profile(to))
	if err != nil {
		return "", nil, err
	}
	return string(b.Bytes()), dropped, nil
}

// sameJSON compares two documents by what they say.
func sameJSON(t testing.TB, what, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%s: %v in %s", what, err, got)
	} else if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Errorf("%s: %v in %s", what, err, want)
	} else if !reflect.DeepEqual(g, w) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
	}
}

var ids = regexp.MustCompile(`"(call_|chatcmpl-|toolu_|)[A-Z0-9]{26}"`)

// still takes out of a body what differs from run to run.
func still(body string) string { return ids.ReplaceAllString(body, `"${1}X"`) }

// frames cuts a stream, scanning each frame.
func frames(t testing.TB, d *hoosh.Dialect, stream string) (list []hoosh.Frame, s hoosh.FrameScanner) {
	t.Helper()
	r := framing.NewSSE(strings.NewReader(stream), 1<<20)
	s = d.NewScanner(hoosh.OpChat, 1)
	for {
		fr, err := r.Next()
		if err == io.EOF {
			return list, s
		}
		if err != nil {
			t.Fatal(err)
		}
		if fr.Data == nil {
			continue
		}
		f := (&hoosh.Frame{Raw: fr.Raw, Event: fr.Event, Data: fr.Data}).Clone()
		if err := s.Scan(f); err != nil {
			t.Fatalf("%s: %v", fr.Data, err)
		}
		list = append(list, *f)
	}
}

// events decodes a stream.
func events(t testing.TB, d *hoosh.Dialect, stream string) (all []hoosh.Event) {
	t.Helper()
	list, _ := frames(t, d, stream)
	for i := range list {
		var err error
		if all, err = d.DecodeFrame(all, &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// write encodes events for a client of dialect d.
func write(t testing.TB, d *hoosh.Dialect, all []hoosh.Event) string {
	t.Helper()
	body := `{"model":"m","messages":[{"role":"user","content":"a"}]}`
	if d == native {
		body = `{"contents":[{"parts":[{"text":"a"}]}]}`
	}
	c := parse(t, d, hoosh.OpChat, body)
	c.Model, c.Stream = "m", true
	enc := d.NewEncoder(c, &hoosh.Reply{Provider: "far", Issuer: "far"})
	var out []byte
	var err error
	for i := range all {
		if out, err = enc.Encode(out, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return string(enc.End(out))
}

// answer is what a backend says.
type answer struct {
	status int
	kind   string
	body   string
	header http.Header
	asked  []byte
}

func (a *answer) RoundTrip(req *http.Request) (*http.Response, error) {
	a.asked, _ = io.ReadAll(req.Body)
	req.Body.Close()
	h := a.header.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", a.kind)
	if a.status == 0 {
		a.status = 200
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: -1, Request: req}, nil
}

// send does a call at a backend of dialect d that answers a.
func send(t testing.TB, d *hoosh.Dialect, c *hoosh.Call, a *answer) (*hoosh.Reply, error) {
	t.Helper()
	up, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "far", Transport: a}, hoosh.Driver{BaseURL: "http://far"}, &hoosh.Profile{Dialect: d}, "")
	if err != nil {
		t.Fatal(err)
	}
	return up.Do(t.Context(), c, up.URL("/x"))
}

// drain reads a stream to its end.
func drain(s hoosh.Stream) (string, error) {
	defer s.Close()
	var raw bytes.Buffer
	for {
		f, err := s.Next()
		if err == io.EOF {
			return raw.String(), nil
		}
		if err != nil {
			return raw.String(), err
		}
		raw.Write(f.Raw)
	}
}
