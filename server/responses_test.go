// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/server"
)

// said lists what a backend was last sent, "role: text" a message.
func said(t testing.TB, b *hooshtest.Backend) string {
	t.Helper()
	var q struct {
		Messages []struct {
			Role    string
			Content any
			Calls   []struct {
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
			CallID string `json:"tool_call_id"`
		}
	}
	if err := json.Unmarshal(b.Last().Body, &q); err != nil {
		t.Fatalf("%v: %s", err, b.Last().Body)
	}
	var list []string
	for _, m := range q.Messages {
		line := m.Role
		if m.Content != nil {
			line += ": " + fmt.Sprint(m.Content)
		}
		for _, c := range m.Calls {
			line += " " + c.Function.Name + c.Function.Arguments
		}
		list = append(list, line)
	}
	return strings.Join(list, "\n")
}

// last gives the answer's object of a stream.
func last(t testing.TB, stream string) string {
	t.Helper()
	_, data, found := strings.Cut(stream, "event: response.completed\ndata: ")
	if !found {
		t.Fatalf("no end in %s", stream)
	}
	data, _, _ = strings.Cut(data, "\n")
	var e struct{ Response json.RawMessage }
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		t.Fatal(err)
	}
	return string(e.Response)
}

// TestPreviousResponse: a client names the answer before, and the backend is sent
// the whole conversation; the answer names it too.
func TestPreviousResponse(t *testing.T) {
	b := hooshtest.New(t)
	b.Script(func(q *hooshtest.Request) hooshtest.Answer { return hooshtest.Text(fmt.Sprintf("answer %d", q.N)) })
	c := serve(t, newRouter(t, b))
	for _, stream := range []bool{false, true} {
		t.Run(fmt.Sprintf("stream %t", stream), func(t *testing.T) {
			n := b.Calls()
			ask := func(more string) (object string) {
				t.Helper()
				resp, text := post(t, c, "/v1/responses", fmt.Sprintf(`{"model":"m","stream":%t,%s}`, stream, more))
				if resp.StatusCode != 200 {
					t.Fatalf("%d %s", resp.StatusCode, text)
				}
				if stream {
					if id := at(t, last(t, text), "previous_response_id"); id != nil && strings.Count(text, fmt.Sprintf(`"previous_response_id":"%s"`, id)) != 3 {
						t.Errorf("not every event names the answer before: %s", text)
					}
					return last(t, text)
				}
				return text
			}
			first := ask(`"input":"one","instructions":"be brief"`)
			if at(t, first, "previous_response_id") != nil {
				t.Errorf("it goes on from nothing: %s", first)
			}
			id1, _ := at(t, first, "id").(string)
			second := ask(`"previous_response_id":"` + id1 + `","input":[{"role":"user","content":[{"type":"input_text","text":"two"}]}]`)
			if want := fmt.Sprintf("user: one\nassistant: answer %d\nuser: two", n+1); said(t, b) != want {
				t.Errorf("sent %q, want %q", said(t, b), want)
			}
			if at(t, second, "previous_response_id") != id1 {
				t.Errorf("it does not say what it goes on from: %s", second)
			}
			id2, _ := at(t, second, "id").(string)
			ask(`"input":"three","instructions":"now","previous_response_id":"` + id2 + `"`)
			if want := fmt.Sprintf("system: now\nuser: one\nassistant: answer %d\nuser: two\nassistant: answer %d\nuser: three", n+1, n+2); said(t, b) != want {
				t.Errorf("sent %q, want %q", said(t, b), want)
			}
			// Without any input it goes on from what was said.
			ask(`"previous_response_id":"` + id1 + `"`)
			if want := fmt.Sprintf("user: one\nassistant: answer %d", n+1); said(t, b) != want {
				t.Errorf("sent %q, want %q", said(t, b), want)
			}
			resp, text := post(t, c, "/v1/responses/input_tokens", `{"model":"m","previous_response_id":"`+id2+`","input":"x"}`)
			if count, _ := at(t, text, "input_tokens").(float64); resp.StatusCode != 200 || count < 5 {
				t.Errorf("the tokens of all of it: %d %s", resp.StatusCode, text)
			}
		})
	}
}

// TestPreviousToolCall: calls and their results meet across answers.
func TestPreviousToolCall(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Tool("weather", `{"city":"Graz"}`), hooshtest.Text("rain"))
	c := serve(t, newRouter(t, b))
	const tools = `"tools":[{"type":"function","name":"weather","parameters":{"type":"object"}}]`
	_, text := post(t, c, "/v1/responses", `{"model":"m","input":"weather?",`+tools+`}`)
	id, _ := at(t, text, "id").(string)
	call, _ := at(t, text, "output", 0, "call_id").(string)
	if id == "" || call == "" {
		t.Fatal(text)
	}
	resp, text := post(t, c, "/v1/responses", `{"model":"m","previous_response_id":"`+id+`","input":[{"type":"function_call_output","call_id":"`+call+`","output":"wet"}],`+tools+`}`)
	if want := "user: weather?\nassistant weather{\"city\":\"Graz\"}\ntool: wet"; resp.StatusCode != 200 || said(t, b) != want {
		t.Errorf("%d %s: sent %q", resp.StatusCode, text, said(t, b))
	}
}

// TestStoredResponses: an answer is there again, and its input, until it is
// deleted, for its own caller only.
func TestStoredResponses(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b), server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "k"}, {Name: "l", Secret: "l"}}}))
	as := func(key, method, path, body string) (*http.Response, string) {
		t.Helper()
		return do(t, c, method, path, body, "Authorization", "Bearer "+key)
	}
	_, text := as("k", "POST", "/v1/responses", `{"model":"m","input":[{"role":"user","content":"one"},{"type":"message","id":"mine","role":"assistant","content":"two"},{"role":"user","content":[{"type":"input_text","text":"three"}]}]}`)
	id, _ := at(t, text, "id").(string)
	path := "/v1/responses/" + id
	if resp, again := as("k", "GET", path, ""); resp.StatusCode != 200 || again != text {
		t.Errorf("%d %s, was %s", resp.StatusCode, again, text)
	}

	_, items := as("k", "GET", path+"/input_items", "")
	if at(t, items, "object") != "list" || at(t, items, "has_more") != false || at(t, items, "data", 3) != nil {
		t.Error(items)
	}
	if at(t, items, "data", 0, "content", 0, "text") != "three" || at(t, items, "data", 1, "id") != "mine" || at(t, items, "data", 2, "type") != "message" {
		t.Errorf("not the latest first: %s", items)
	}
	if at(t, items, "data", 1, "content", 0, "type") != "output_text" || at(t, items, "data", 2, "content", 0, "type") != "input_text" {
		t.Errorf("texts are parts: %s", items)
	}
	_, items = as("k", "GET", path+"/input_items?order=asc&limit=2", "")
	next, _ := at(t, items, "last_id").(string)
	if at(t, items, "data", 0, "content", 0, "text") != "one" || at(t, items, "has_more") != true || next != "mine" || at(t, items, "first_id") != at(t, items, "data", 0, "id") {
		t.Error(items)
	}
	_, items = as("k", "GET", path+"/input_items?order=asc&limit=2&after="+next, "")
	if at(t, items, "data", 0, "content", 0, "text") != "three" || at(t, items, "has_more") != false {
		t.Error(items)
	}
	for _, wrong := range []string{"?limit=0", "?limit=101", "?limit=x", "?order=up", "?after=nobody"} {
		if resp, text := as("k", "GET", path+"/input_items"+wrong, ""); resp.StatusCode != 400 || at(t, text, "error", "param") == nil {
			t.Errorf("%s: %d %s", wrong, resp.StatusCode, text)
		}
	}

	for _, method := range []string{"GET", "DELETE"} {
		if resp, text := as("l", method, path, ""); resp.StatusCode != 404 || at(t, text, "error", "code") != "not_found" {
			t.Errorf("another's: %d %s", resp.StatusCode, text)
		}
	}
	resp, text := as("l", "POST", "/v1/responses", `{"model":"m","previous_response_id":"`+id+`","input":"mine?"}`)
	if resp.StatusCode != 400 || at(t, text, "error", "code") != "previous_response_not_found" {
		t.Errorf("another goes on from it: %d %s", resp.StatusCode, text)
	}
	resp, text = as("k", "DELETE", path, "")
	if resp.StatusCode != 200 || at(t, text, "deleted") != true || at(t, text, "id") != id || at(t, text, "object") != "response" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	for _, gone := range []string{path, path + "/input_items", "/v1/responses/resp_unknown"} {
		if resp, _ := as("k", "GET", gone, ""); resp.StatusCode != 404 {
			t.Errorf("%s: %d", gone, resp.StatusCode)
		}
	}
}

// TestNotStored: nothing is kept of a call that says so, nor of one that failed.
func TestNotStored(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	b.Answer(hooshtest.Text("yes"))
	_, text := post(t, c, "/v1/responses", `{"model":"m","input":"a","store":false}`)
	if resp, _ := do(t, c, "GET", "/v1/responses/"+at(t, text, "id").(string), ""); resp.StatusCode != 404 {
		t.Error("it was kept")
	}
	_, text = post(t, c, "/v1/responses", `{"model":"m","input":"a","store":false,"stream":true}`)
	if resp, _ := do(t, c, "GET", "/v1/responses/"+at(t, last(t, text), "id").(string), ""); resp.StatusCode != 404 {
		t.Error("a stream was kept")
	}
	b.Answer(hooshtest.Answer{Text: "one two three", Fault: hooshtest.Truncate, After: 2})
	_, text = post(t, c, "/v1/responses", `{"model":"m","input":"a","stream":true}`)
	_, begin, _ := strings.Cut(text, "event: response.created\ndata: ")
	begin, _, _ = strings.Cut(begin, "\n")
	id, _ := at(t, begin, "response", "id").(string)
	if resp, _ := do(t, c, "GET", "/v1/responses/"+id, ""); id == "" || resp.StatusCode != 404 {
		t.Errorf("a broken one, %q, was kept", id)
	}
}

// objectOf is an answer as a backend of the format gives it.
func objectOf(id, text string) string {
	return fmt.Sprintf(`{"id":%q,"object":"response","status":"completed","model":"m","previous_response_id":null,"output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":%q,"annotations":[]}]}]}`, id, text)
}

// TestPreviousMissing: who goes on from what is nowhere is told so.
func TestPreviousMissing(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for _, body := range []string{
		`{"model":"m","previous_response_id":"resp_0","input":"a"}`,
		`{"model":"m","previous_response_id":"resp_0","input":"a","store":false}`,
		`{"model":"m","previous_response_id":"resp_0","input":"a","stream":true}`,
	} {
		resp, text := post(t, c, "/v1/responses", body)
		message, _ := at(t, text, "error", "message").(string)
		if resp.StatusCode != 400 || at(t, text, "error", "code") != "previous_response_not_found" || at(t, text, "error", "param") != "previous_response_id" ||
			at(t, text, "error", "type") != "invalid_request_error" || !strings.Contains(message, "'resp_0'") || !strings.Contains(message, "restarted") {
			t.Errorf("%s: %d %s", body, resp.StatusCode, text)
		}
	}
	// Other things that cannot be done are not this.
	if resp, text := post(t, c, "/v1/responses", `{"model":"m","conversation":"conv_1","input":"a"}`); resp.StatusCode != 400 || at(t, text, "error", "param") != "conversation" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if b.Calls() != 0 {
		t.Errorf("%d calls", b.Calls())
	}
}

// TestBackground: what could not be fetched again is not begun.
func TestBackground(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, routerOf(t, b, responses.Dialect, "/responses"))
	for _, more := range []string{`"background":true`, `"Background" : true`, `"background":true,"stream":true`} {
		resp, text := post(t, c, "/v1/responses", `{"model":"m","input":"a",`+more+`}`)
		if resp.StatusCode != 400 || at(t, text, "error", "param") != "background" || b.Calls() != 0 {
			t.Errorf("%s: %d %s", more, resp.StatusCode, text)
		}
	}
	b.Answer(hooshtest.Raw(200, "application/json", objectOf("resp_1", "yes")))
	if resp, text := post(t, c, "/v1/responses", `{"model":"m","input":"a","background":false}`); resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestNothingIsLost: of a conversation that is partly kept at a backend no part is
// kept here, so that nothing is forgotten when it goes on.
func TestNothingIsLost(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, routerOf(t, b, responses.Dialect, "/responses"))
	for i, more := range []string{
		`"previous_response_id":"resp_before","input":"a"`,
		`"conversation":"conv_1","input":"a"`,
		`"conversation":{"id":"conv_1"},"input":"a","stream":false`,
		`"prompt":{"id":"pmpt_1"}`,
		`"input":[{"role":"user","content":"a"},{"type":"item_reference","id":"msg_1"}]`,
		`"input":[{"id":"msg_1"}]`,
		`"input":[{"type":null,"id":"msg_1"}]`,
	} {
		id := fmt.Sprintf("resp_%d", i)
		b.Answer(hooshtest.Raw(200, "application/json", objectOf(id, "yes")))
		if resp, text := post(t, c, "/v1/responses", `{"model":"m",`+more+`}`); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", more, resp.StatusCode, text)
		}
		body := `{"model":"m","previous_response_id":"` + id + `","input":"b","store":false}`
		if post(t, c, "/v1/responses", body); string(b.Last().Body) != body {
			t.Errorf("%s: sent %s", more, b.Last().Body)
		}
	}
	b.Answer(hooshtest.Raw(200, "application/json", objectOf("resp_whole", "yes")))
	post(t, c, "/v1/responses", `{"model":"m","previous_response_id":null,"conversation":null,"prompt":null,"input":[{"role":"user","content":"a"}]}`)
	post(t, c, "/v1/responses", `{"model":"m","previous_response_id":"resp_whole","input":"b"}`)
	if sent := string(b.Last().Body); at(t, sent, "previous_response_id") != nil || at(t, sent, "input", 2, "content") != "b" {
		t.Errorf("sent %s", sent)
	}
}

// TestPreviousOfAnother: hoosh asks backends with its own key, so what one caller
// may not go on from must not be asked of them.
func TestPreviousOfAnother(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, routerOf(t, b, responses.Dialect, "/responses"), server.Config(hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "k"}, {Name: "l", Secret: "l"}}}))
	as := func(key, method, path, body string) (*http.Response, string) {
		t.Helper()
		return do(t, c, method, path, body, "Authorization", "Bearer "+key)
	}
	goOn := func(key, id string, want int) {
		t.Helper()
		n := b.Calls()
		resp, text := as(key, "POST", "/v1/responses", `{"model":"m","previous_response_id":"`+id+`","input":"more","store":false}`)
		if resp.StatusCode != want || want != 200 && (b.Calls() != n || at(t, text, "error", "code") != "previous_response_not_found") {
			t.Errorf("%s goes on from %s: %d %s, %d calls", key, id, resp.StatusCode, text, b.Calls()-n)
		}
	}
	b.Answer(hooshtest.Raw(200, "application/json", objectOf("resp_1", "yes")))
	as("k", "POST", "/v1/responses", `{"model":"m","input":"a"}`)
	goOn("l", "resp_1", 400)
	goOn("k", "resp_1", 200)
	as("k", "DELETE", "/v1/responses/resp_1", "")
	goOn("k", "resp_1", 400)
	goOn("l", "resp_1", 400)
	// One that is kept at the backend is its caller's too.
	b.Answer(hooshtest.Raw(200, "application/json", objectOf("resp_2", "yes")))
	as("k", "POST", "/v1/responses", `{"model":"m","previous_response_id":"resp_0","input":"a"}`)
	goOn("k", "resp_2", 200)
	goOn("l", "resp_2", 400)
	goOn("l", "resp_unknown", 200)
}

// TestWholeConversation: what is sent for a short body has a bound, and one can go
// on from before it.
func TestWholeConversation(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Text("yes"))
	cfg := hoosh.Config{}
	cfg.Server.Limits.Body = 4 * hoosh.KiB
	c := serve(t, newRouter(t, b), server.Config(cfg))
	ids := []string{""}
	ask := func(previous string, size int) (*http.Response, string) {
		t.Helper()
		body := `{"model":"m","input":"` + strings.Repeat("x", size) + `"`
		if previous != "" {
			body += `,"previous_response_id":"` + previous + `"`
		}
		return post(t, c, "/v1/responses", body+"}")
	}
	for range 2 {
		resp, text := ask(ids[len(ids)-1], 3000)
		if resp.StatusCode != 200 {
			t.Fatalf("%d %s", resp.StatusCode, text)
		}
		ids = append(ids, at(t, text, "id").(string))
	}
	resp, text := ask(ids[2], 3000)
	if resp.StatusCode != 413 || at(t, text, "error", "code") != "request_too_large" || at(t, text, "error", "param") != "previous_response_id" || b.Calls() != 2 {
		t.Errorf("%d %s after %d calls", resp.StatusCode, text, b.Calls())
	}
	for i, size := range []int{3000, 3000, 1000} {
		if resp, text := ask(ids[i], size); resp.StatusCode != 200 {
			t.Errorf("after turn %d: %d %s", i, resp.StatusCode, text)
		}
	}
	// All of it is listed.
	_, text = do(t, c, "GET", "/v1/responses/"+ids[2]+"/input_items?order=asc", "")
	if at(t, text, "data", 0, "role") != "user" || at(t, text, "data", 1, "content", 0, "text") != "yes" || at(t, text, "data", 2, "role") != "user" || at(t, text, "data", 3) != nil {
		t.Error(text)
	}
}

// TestDeletedTurn: an answer goes on from one that was deleted since.
func TestDeletedTurn(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Text("yes"))
	c := serve(t, newRouter(t, b))
	_, text := post(t, c, "/v1/responses", `{"model":"m","input":"one"}`)
	first, _ := at(t, text, "id").(string)
	_, text = post(t, c, "/v1/responses", `{"model":"m","input":"two","previous_response_id":"`+first+`"}`)
	second, _ := at(t, text, "id").(string)
	do(t, c, "DELETE", "/v1/responses/"+first, "")
	resp, text := post(t, c, "/v1/responses", `{"model":"m","input":[],"previous_response_id":"`+second+`"}`)
	if want := "user: one\nassistant: yes\nuser: two\nassistant: yes"; resp.StatusCode != 200 || said(t, b) != want {
		t.Errorf("%d %s, sent %q", resp.StatusCode, text, said(t, b))
	}
}

// TestPreviousElsewhere: an answer that is not kept here may be known to a backend
// of the same format, which is sent the body as it came; and what such a backend
// answers is not changed by a byte.
func TestPreviousElsewhere(t *testing.T) {
	b := hooshtest.New(t)
	r := routerOf(t, b, responses.Dialect, "/responses")
	c := serve(t, r)
	object := `{"id":"resp_1","object":"response","status":"completed","model":"m", "previous_response_id": null,"output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"yes","annotations":[]}]}],"vendor":1.0}`
	b.Answer(hooshtest.Raw(200, "application/json", object))
	body := `{"model":"m", "previous_response_id":"resp_0","input":"a"}`
	resp, text := post(t, c, "/v1/responses", body)
	if resp.StatusCode != 200 || text != object || string(b.Last().Body) != body {
		t.Errorf("%d %s, sent %s", resp.StatusCode, text, b.Last().Body)
	}
	// Half a conversation is not kept: the backend goes on from it too.
	body = `{"model":"m","previous_response_id":"resp_1","input":"b"}`
	if post(t, c, "/v1/responses", body); string(b.Last().Body) != body {
		t.Errorf("sent %s", b.Last().Body)
	}
	// A whole one is.
	post(t, c, "/v1/responses", `{"model":"m","input":"a"}`)
	_, text = post(t, c, "/v1/responses", `{"model":"m", "odd" : [1.50],"previous_response_id":"resp_1","input":"b","store":false}`)
	if want := strings.Replace(object, "null", `"resp_1"`, 1); text != want {
		t.Errorf("got %s", text)
	}
	sent := string(b.Last().Body)
	if at(t, sent, "previous_response_id") != nil || at(t, sent, "input", 1, "id") != "msg_1" || at(t, sent, "input", 2, "content") != "b" || !strings.Contains(sent, `"odd" : [1.50]`) {
		t.Errorf("sent %s", sent)
	}
	stream := "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_2\",\"previous_response_id\":null},\"sequence_number\":0}\n\n" +
		"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"\\\"response\\\" \\\"previous_response_id\\\":null\",\"sequence_number\":1}\n\n" +
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + strings.Replace(object, "resp_1", "resp_2", 1) + ",\"sequence_number\":2}\n\n"
	b.Answer(hooshtest.Raw(200, "text/event-stream", stream))
	if _, text = post(t, c, "/v1/responses", `{"model":"m","stream":true,"input":"a"}`); text != stream {
		t.Errorf("got  %s\nwant %s", text, stream)
	}
	_, text = post(t, c, "/v1/responses", `{"model":"m","stream":true,"input":"b","previous_response_id":"resp_2","store":false}`)
	if want := strings.NewReplacer(`{"id":"resp_2","previous_response_id":null}`, `{"id":"resp_2","previous_response_id":"resp_2"}`, `"previous_response_id": null`, `"previous_response_id": "resp_2"`).Replace(stream); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
