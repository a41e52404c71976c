// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
)

var own = responses.Dialect

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// answer is what a backend says, and was asked.
type answer struct {
	status int
	kind   string // content type
	body   string

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
		StatusCode: a.status, Header: http.Header{"Content-Type": {a.kind}},
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

func parse(t testing.TB, d *hoosh.Dialect, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(d, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return c
}

// translate gives the body that goes to a backend of the other dialect, and what
// was dropped.
func translate(t testing.TB, from, to *hoosh.Dialect, body string) (string, []string, error) {
	t.Helper()
	b, dropped, err := parse(t, from, body).BodyFor(&hoosh.Profile{Dialect: to})
	if err != nil {
		return "", nil, err
	}
	return string(b.Bytes()), dropped, nil
}

// drain reads a stream to its end.
func drain(s hoosh.Stream) (raw string, err error) {
	defer s.Close()
	for {
		f, err := s.Next()
		if err == io.EOF {
			return raw, nil
		}
		if err != nil {
			return raw, err
		}
		raw += string(f.Raw)
	}
}

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

// told is what a client that believes everything has of a stream.
type told struct {
	ID, Model, Status string
	Items             []map[string]any
	Response          map[string]any
	Types             []string
}

// follow reads a stream as a strict client does: names, numbers, order, and that
// what is done is what was told before.
func follow(raw string) (*told, error) {
	x := &told{}
	open := map[int]map[string]any{}
	text := map[string]string{} // of deltas, by item and part
	for n, block := range strings.Split(strings.TrimSuffix(raw, "\n\n"), "\n\n") {
		name, data, found := strings.Cut(block, "\ndata: ")
		if !found || !strings.HasPrefix(name, "event: ") {
			return nil, fmt.Errorf("block %d is no event: %q", n, block)
		}
		var e map[string]any
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return nil, fmt.Errorf("%v in %s", err, data)
		}
		kind, _ := e["type"].(string)
		if "event: "+kind != name {
			return nil, fmt.Errorf("%s with type %s", name, kind)
		}
		if seq, ok := e["sequence_number"].(float64); !ok || int(seq) != n {
			return nil, fmt.Errorf("event %d has number %v", n, e["sequence_number"])
		}
		if x.Status != "" {
			return nil, fmt.Errorf("%s after the end", kind)
		}
		x.Types = append(x.Types, strings.TrimPrefix(kind, "response."))
		index, _ := e["output_index"].(float64)
		at := int(index)
		key := fmt.Sprint(e["item_id"], e["content_index"], e["summary_index"])
		response, _ := e["response"].(map[string]any)
		if (kind == "response.created") != (n == 0) || (kind == "response.in_progress") != (n == 1) {
			return nil, fmt.Errorf("%s as event %d", kind, n)
		}
		if id := e["item_id"]; id != nil && (open[at] == nil || open[at]["id"] != id) {
			return nil, fmt.Errorf("%s of item %v, which is not open at %d", kind, id, at)
		}
		same := func(whole any) error {
			if s, _ := whole.(string); s != text[key] {
				return fmt.Errorf("%s says %q, told was %q", kind, s, text[key])
			}
			return nil
		}
		var err error
		switch kind {
		case "response.created", "response.in_progress":
			x.ID, _ = response["id"].(string)
			if response["status"] != "in_progress" {
				err = fmt.Errorf("%s has status %v", kind, response["status"])
			}
		case "response.output_item.added":
			if at != len(x.Items) {
				err = fmt.Errorf("item %d after %d items", at, len(x.Items))
			}
			item, _ := e["item"].(map[string]any)
			open[at] = item
			x.Items = append(x.Items, item)
		case "response.output_item.done":
			item, _ := e["item"].(map[string]any)
			if open[at] == nil || open[at]["id"] != item["id"] || open[at]["type"] != item["type"] {
				err = fmt.Errorf("item %v is done and was not open", item["id"])
			}
			x.Items[at] = item
			delete(open, at)
		case "response.output_text.delta", "response.refusal.delta", "response.reasoning_summary_text.delta",
			"response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
			s, ok := e["delta"].(string)
			if !ok || s == "" {
				err = fmt.Errorf("%s without text", kind)
			}
			text[key] += s
		case "response.output_text.done", "response.reasoning_summary_text.done":
			err = same(e["text"])
		case "response.refusal.done":
			err = same(e["refusal"])
		case "response.custom_tool_call_input.done":
			err = same(e["input"])
		case "response.function_call_arguments.done":
			if err = same(e["arguments"]); err == nil && e["name"] != open[at]["name"] {
				err = fmt.Errorf("arguments of %v are those of %v", open[at]["name"], e["name"])
			}
		case "response.content_part.added", "response.content_part.done", "response.reasoning_summary_part.added", "response.reasoning_summary_part.done",
			"response.output_text.annotation.added":
		case "response.completed", "response.incomplete", "response.failed":
			x.Status, x.Response = strings.TrimPrefix(kind, "response."), response
			x.Model, _ = response["model"].(string)
			items := []any{}
			for _, item := range x.Items {
				items = append(items, item)
			}
			switch {
			case response["status"] != x.Status:
				err = fmt.Errorf("%s has status %v", kind, response["status"])
			case response["id"] != x.ID:
				err = fmt.Errorf("id %v becomes %v", x.ID, response["id"])
			case len(open) > 0:
				err = fmt.Errorf("%d items are open at the end", len(open))
			case !reflect.DeepEqual(response["output"], any(items)):
				err = fmt.Errorf("the output is %v, done were %v", response["output"], items)
			}
		default:
			err = fmt.Errorf("unknown event %s", kind)
		}
		if err != nil {
			return nil, err
		}
	}
	if x.Status == "" {
		return nil, fmt.Errorf("no end")
	}
	return x, nil
}

// say gives what an item says: text, thinking or arguments.
func say(item map[string]any) string {
	var b strings.Builder
	fmt.Fprint(&b, item["type"], ":")
	for _, key := range []string{"content", "summary"} {
		parts, _ := item[key].([]any)
		for _, p := range parts {
			m := p.(map[string]any)
			if m["type"] == "refusal" {
				fmt.Fprint(&b, "[", m["refusal"], "]")
			} else {
				fmt.Fprint(&b, m["text"])
			}
		}
	}
	for _, key := range []string{"name", "namespace", "arguments", "input"} {
		if item[key] != nil {
			fmt.Fprint(&b, " ", item[key])
		}
	}
	return b.String()
}
