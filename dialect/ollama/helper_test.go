// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
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
	"github.com/maccracken/hoosh/dialect/ollama"
)

// wire reads what a real Ollama said, or was sent.
func wire(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata/wire/ollama", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answer is what a backend says, and was asked.
type answer struct {
	status      int
	contentType string
	body        string

	asked []byte
}

func (a *answer) RoundTrip(req *http.Request) (*http.Response, error) {
	var err error
	if a.asked, err = io.ReadAll(req.Body); err != nil {
		return nil, err
	}
	req.Body.Close()
	if a.status == 0 {
		a.status = 200
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.contentType}},
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: -1, Request: req,
	}, nil
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

func parse(t testing.TB, d *hoosh.Dialect, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, op, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return c
}

// translate gives the body that goes from a client of one dialect to a backend
// of the other, and what was dropped.
func translate(t testing.TB, from, to *hoosh.Dialect, op hoosh.Operation, body string) (string, []string, error) {
	t.Helper()
	c := parse(t, from, op, body)
	c.Model = "m"
	b, dropped, err := c.BodyFor(&hoosh.Profile{Dialect: to})
	if err != nil {
		return "", nil, err
	}
	return string(b.Bytes()), dropped, nil
}

// drain reads a stream to its end.
func drain(s hoosh.Stream) (raw string, frames []hoosh.Frame, err error) {
	defer s.Close()
	for {
		f, err := s.Next()
		if err == io.EOF {
			return raw, frames, nil
		}
		if err != nil {
			return raw, frames, err
		}
		raw += string(f.Raw)
		frames = append(frames, *f.Clone())
	}
}

// sameJSON compares two documents by what they say.
func sameJSON(t testing.TB, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Errorf("%v in %s", err, got)
	} else if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Errorf("%v in %s", err, want)
	} else if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

var (
	times = regexp.MustCompile(`"created_at":"[^"]*"`)
	took  = regexp.MustCompile(`,"(total|prompt_eval|eval)_duration":[0-9]+`)
	heads = regexp.MustCompile(`"id":"chatcmpl-[^"]*","object":"([^"]*)","created":\d+`)
	ids   = regexp.MustCompile(`"call_[A-Z0-9]{26}"`)
)

// still takes out of a body what differs from run to run.
func still(body string) string {
	body = took.ReplaceAllString(times.ReplaceAllString(body, `"created_at":"T"`), "")
	body = heads.ReplaceAllString(body, `"id":"I","object":"$1","created":0`)
	return ids.ReplaceAllString(body, `"call_X"`)
}

var ollamaDialect = ollama.Dialect
