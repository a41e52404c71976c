// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// odd is text that has been got wrong somewhere.
const odd = "naïve 🙂 👩‍👩‍👧 [\u2028\u0085] \"q\" \\ \\u0041 / </b>&\n\t\u0001 𝒳𐍈 \ufeff end"

// oddArgs are arguments with all kinds of escapes.
const oddArgs = `{"city":"a\"b\\c\/d\n\u00e9\ud83d\ude42🙂","n":[1,2.50,-3e2,12345678901234567890],"o":{"x":null}}`

// backend is a server on loopback, with how to ask it.
type backend struct {
	*Server
	t      *testing.T
	url    string
	path   string
	header http.Header
}

var paths = map[string]string{
	"openai": "/v1/chat/completions", "responses": "/v1/responses", "anthropic": "/v1/messages",
	"gemini": "/v1beta/models/gemini-2.5-flash:generateContent", "ollama": "/api/chat",
}

func start(t *testing.T, name string) *backend {
	t.Helper()
	s := New(name)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	b := &backend{Server: s, t: t, url: h.URL, path: paths[name], header: http.Header{"Content-Type": {"application/json"}}}
	switch name {
	case "openai", "responses":
		b.header.Set("Authorization", "Bearer k")
	case "anthropic":
		b.header.Set("X-Api-Key", "k")
		b.header.Set("Anthropic-Version", "2023-06-01")
	case "gemini":
		b.header.Set("X-Goog-Api-Key", "k")
	}
	return b
}

// send asks, and gives the answer and its body as far as it came.
func (b *backend) send(method, path, body string) (*http.Response, string, error) {
	b.t.Helper()
	r, err := http.NewRequest(method, b.url+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp, string(got), err
}

// post asks at the format's own path.
func (b *backend) post(body string) (*http.Response, string) {
	b.t.Helper()
	resp, got, err := b.send("POST", b.path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, got
}

// asked gives the one request that was noted, which must not be refused.
func (b *backend) asked() neutral.Ask {
	b.t.Helper()
	seen := b.Take()
	if len(seen) != 1 || seen[0].Refused != "" {
		b.t.Fatalf("noted: %+v, want one request, accepted", seen)
	}
	return seen[0].Ask
}

// tree is any JSON, to be walked by keys and indexes.
type tree struct{ v any }

func parse(t *testing.T, s string) tree {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("no JSON: %v: %s", err, s)
	}
	return tree{v}
}

func (n tree) at(path ...any) tree {
	v := n.v
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[p]
		case int:
			l, _ := v.([]any)
			if p < 0 {
				p += len(l)
			}
			if p < 0 || p >= len(l) {
				return tree{}
			}
			v = l[p]
		}
	}
	return tree{v}
}

func (n tree) str() string {
	switch v := n.v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return map[bool]string{true: "true", false: "false"}[v]
	}
	return ""
}

func (n tree) len() int {
	l, _ := n.v.([]any)
	return len(l)
}

// sse splits a stream into its events; the data of one is parsed unless it is
// "[DONE]". eol is what its lines end with.
func sse(t *testing.T, s, eol string) (names []string, events []tree) {
	t.Helper()
	if !strings.HasSuffix(s, eol+eol) {
		t.Fatalf("the stream does not end with an empty line: %q", s[max(0, len(s)-40):])
	}
	for _, block := range strings.Split(strings.TrimSuffix(s, eol+eol), eol+eol) {
		name, data := "", ""
		for _, l := range strings.Split(block, eol) {
			switch {
			case strings.HasPrefix(l, ":"):
			case strings.HasPrefix(l, "event: "):
				name = l[7:]
			case strings.HasPrefix(l, "data: "):
				data += l[6:]
			default:
				t.Fatalf("a line that is none of SSE: %q", l)
			}
		}
		switch data {
		case "":
			continue
		case "[DONE]":
			names, events = append(names, "[DONE]"), append(events, tree{})
		default:
			names, events = append(names, name), append(events, parse(t, data))
		}
	}
	return names, events
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// rule is a request that the vendor accepts, or refuses for a reason.
type rule struct {
	name string
	body string
	why  string // within the message of the refusal; "": it is accepted
	path string // other than the format's
}

// check sends what the rules say, and looks at how it was taken. Each refusal
// must have the vendor's shape, of which message gives the text.
func (b *backend) check(rules []rule, message func(tree) string) {
	b.t.Helper()
	for _, r := range rules {
		path := r.path
		if path == "" {
			path = b.path
		}
		resp, body, err := b.send("POST", path, r.body)
		if err != nil {
			b.t.Errorf("%s: %v", r.name, err)
			continue
		}
		seen := b.Take()
		if len(seen) != 1 {
			b.t.Errorf("%s: noted %d requests", r.name, len(seen))
			continue
		}
		refused := seen[0].Refused
		switch {
		case r.why == "":
			if refused != "" || resp.StatusCode != 200 {
				b.t.Errorf("%s: refused with %d: %s", r.name, resp.StatusCode, refused)
			}
		case refused == "" || resp.StatusCode < 400:
			b.t.Errorf("%s: accepted, and should be refused with %q: %s", r.name, r.why, r.body)
		default:
			if got := message(parse(b.t, body)); !strings.Contains(got, r.why) {
				b.t.Errorf("%s: refused with %q, want %q", r.name, got, r.why)
			}
		}
	}
}

// answerOf is an answer of every kind of part.
func answerOf(parts ...neutral.Part) neutral.Answer {
	return neutral.Answer{Parts: parts, Usage: neutral.Usage{Input: 100, CacheRead: 30, CacheWrite: 7, Output: 40, Reasoning: 9}}
}

func call(id, name, args string) neutral.Part {
	return neutral.Part{Call: &neutral.Call{ID: id, Name: name, Args: args}}
}
