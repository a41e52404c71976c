// SPDX-License-Identifier: AGPL-3.0-only

package all_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// vendor is one vendor's driver in front of a scripted backend, in a router of
// its own.
type vendor struct {
	t       *testing.T
	backend *hooshtest.Backend
	router  *hoosh.Router
}

func newVendor(t *testing.T, driver string, answers ...hooshtest.Answer) *vendor {
	t.Helper()
	b := hooshtest.New(t)
	b.Answer(answers...)
	r, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "v", Driver: driver, BaseURL: b.URL(), DialContext: b.DialContext, Models: []string{"*"}}},
		Routes:    []hoosh.Route{{Match: []string{"*"}, To: []hoosh.Target{{Target: "v/*"}}, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &vendor{t, b, r}
}

// ask gives the answer as an OpenAI client gets it.
func (v *vendor) ask(body string) (*hoosh.Reply, string, error) {
	v.t.Helper()
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
	if err != nil {
		v.t.Fatal(err)
	}
	reply, err := v.router.Do(context.Background(), c)
	if err == nil {
		reply, err = reply.For(c)
	}
	if err != nil {
		return nil, "", err
	}
	if reply.Stream == nil {
		return reply, string(reply.Body), nil
	}
	defer reply.Stream.Close()
	var b strings.Builder
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			return reply, b.String(), nil
		}
		if err != nil {
			return reply, b.String(), err
		}
		b.Write(f.Raw)
	}
}

// wants checks that the texts are in what was sent or received, and those that
// begin with ! are not.
func wants(t *testing.T, what, got string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		not, absent := strings.CutPrefix(text, "!")
		if absent && strings.Contains(got, not) || !absent && !strings.Contains(got, text) {
			t.Errorf("%s: want %s in\n%s", what, text, got)
		}
	}
}

const schemaBody = `{"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object","properties":{"a":{"type":"string"}}}}}}`

func TestDeepSeek(t *testing.T) {
	v := newVendor(t, "deepseek", hooshtest.Text(`{"a":"b"}`))
	_, got, err := v.ask(schemaBody)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "sent", string(v.backend.Last().Body), `"response_format":{"type":"json_object"}`, `JSON Schema`, `\"properties\"`, `!json_schema`)
	wants(t, "answer", got, `{\"a\":\"b\"}`)

	// Thinking goes back with the results of tools, and its usage has names of its own.
	v = newVendor(t, "deepseek", hooshtest.Raw(200, "application/json", `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"hi","reasoning_content":"hm"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}}`))
	resp, err := v.router.Infer(context.Background(), &hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("q"),
		{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("so")), hoosh.CallPart("c1", "f", "{}")}}, hoosh.ToolResult("c1", "1")}})
	if err != nil || resp.Usage != (hoosh.Usage{Input: 4, CacheRead: 6, Output: 4, Source: hoosh.UsageReported}) {
		t.Errorf("%+v, %v", resp, err)
	}
	wants(t, "sent", string(v.backend.Last().Body), `"reasoning_content":"so"`)
}

func TestMistral(t *testing.T) {
	v := newVendor(t, "mistral", hooshtest.Raw(200, "application/json",
		`{"id":"1","model":"magistral-small","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"hi"}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}`))
	_, got, err := v.ask(`{"model":"magistral-small","messages":[{"role":"developer","content":"x"},{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_long_long","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_long_long","content":"1"}],"seed":3,"user":"u"}`)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "answer", got, `"content":"hi"`, `"reasoning_content":"hm"`)
	sent := string(v.backend.Last().Body)
	wants(t, "sent", sent, `"random_seed":3`, `!"user":"u"`, `!developer`, `!call_long_long`)
	_, id, _ := strings.Cut(sent, `"id":"`)
	if id, _, _ = strings.Cut(id, `"`); len(id) != 9 || strings.Count(sent, id) != 2 {
		t.Errorf("the id is %q: %s", id, sent)
	}

	chunk := func(delta, finish string) string {
		return `data: {"id":"1","object":"chat.completion.chunk","model":"magistral-small","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + "}]}\n\n"
	}
	v = newVendor(t, "mistral", hooshtest.Answer{Chunks: []string{
		chunk(`{"role":"assistant","content":""}`, "null"),
		chunk(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"h"}]}]}`, "null"),
		chunk(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"m"}]},{"type":"text","text":"hi"}]}`, "null"),
		chunk(`{"content":""}`, `"stop"`), "data: [DONE]\n\n",
	}})
	_, got, err = v.ask(`{"model":"magistral-small","stream":true,"messages":[{"role":"user","content":"q"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	wants(t, "stream", got, `{"reasoning_content":"h"}`, `{"reasoning_content":"m"}`, `{"content":"hi"}`, `"finish_reason":"stop"`, "data: [DONE]", `!"thinking"`)

	// What it says of a key that it does not know.
	v = newVendor(t, "mistral", hooshtest.Raw(422, "application/json",
		`{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","messages",0,"x"],"msg":"Extra inputs are not permitted"}]}}`))
	_, _, err = v.ask(`{"model":"m","messages":[{"role":"user","content":"q"}]}`)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Message != "Extra inputs are not permitted" || e.Param != "messages[0].x" || v.backend.Calls() != 1 {
		t.Errorf("%v at %q", err, e.Param)
	}
	v = newVendor(t, "mistral", hooshtest.Raw(401, "application/json", `{"detail":"Unauthorized"}`))
	if _, _, err = v.ask(`{"model":"m","messages":[{"role":"user","content":"q"}]}`); !errors.Is(err, hoosh.ErrUpstreamAuth) {
		t.Error(err)
	}
}

func TestXAI(t *testing.T) {
	v := newVendor(t, "xai", hooshtest.Raw(400, "application/json", `{"code":"Client specified an invalid argument","error":"Argument not supported: x"}`))
	_, _, err := v.ask(`{"model":"grok-3","messages":[{"role":"user","content":"q"}]}`)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Message != "Argument not supported: x" {
		t.Errorf("%v", err)
	}
	// grok-4 refuses stop sequences: hoosh has them.
	v = newVendor(t, "grok", hooshtest.Pieces("one EN", "D two"))
	reply, got, err := v.ask(`{"model":"grok-4","stream":true,"stop":"END","presence_penalty":1,"messages":[{"role":"user","content":"q"}]}`)
	if err != nil || strings.Join(reply.Dropped, " ") != "presence_penalty" {
		t.Fatalf("%+v, %v", reply, err)
	}
	wants(t, "sent", string(v.backend.Last().Body), `!"stop"`, `!presence_penalty`)
	wants(t, "answer", got, `{"content":"one "}`, `"finish_reason":"stop"`, `!two`)
}

func TestOpenRouter(t *testing.T) {
	v := newVendor(t, "openrouter", hooshtest.Answer{Chunks: []string{
		": OPENROUTER PROCESSING\n\n",
		`data: {"id":"gen-1","provider":"X","model":"a/b","choices":[{"index":0,"delta":{"role":"assistant","content":"hi"},"finish_reason":null,"native_finish_reason":null}]}` + "\n",
		": OPENROUTER PROCESSING\n\n\n",
		`data: {"id":"gen-1","provider":"X","model":"a/b","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}]}` + "\n\n",
		`data: {"id":"gen-1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9,"cost":0.1}}` + "\n\n",
		"data: [DONE]\n\n",
	}})
	stream, err := v.router.Stream(context.Background(), &hoosh.Request{Model: "a/b", Messages: []hoosh.Message{hoosh.User("q")}})
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := stream.Response(); err != nil || resp.Text() != "hi" || resp.Finish() != hoosh.FinishStop || resp.Usage.Total() != 9 {
		t.Errorf("%+v, %v", resp, err)
	}
	v = newVendor(t, "openrouter", hooshtest.Answer{Chunks: []string{
		`data: {"id":"gen-1","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"gen-1","error":{"code":502,"message":"Provider disconnected"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}` + "\n\n",
	}})
	if _, _, err = v.ask(`{"model":"a/b","stream":true,"messages":[{"role":"user","content":"q"}]}`); !errors.Is(err, hoosh.ErrUpstream) {
		t.Error(err)
	}
	v = newVendor(t, "openrouter", hooshtest.Raw(402, "application/json", `{"error":{"code":402,"message":"Insufficient credits","metadata":{}}}`))
	if _, _, err = v.ask(`{"model":"a/b","messages":[{"role":"user","content":"q"}]}`); !errors.Is(err, hoosh.ErrInsufficientQuota) {
		t.Error(err)
	}
}

func TestGroq(t *testing.T) {
	v := newVendor(t, "groq", hooshtest.Answer{Chunks: []string{
		`data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"x_groq":{"id":"req_1"}}` + "\n\n",
		`data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"reasoning":"hm"},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"1","model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}` + "\n\n",
		`data: {"id":"1","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}}` + "\n\n",
		"data: [DONE]\n\n",
	}})
	stream, err := v.router.Stream(context.Background(), &hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("q")}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Response()
	if err != nil || resp.Text() != "hi" || resp.Choices[0].Message.Parts[0].Text() != "hm" || resp.Usage.Total() != 5 {
		t.Errorf("%+v, %v", resp, err)
	}
	// Too many tokens for the minute is a 413, and no fault of the prompt's size.
	v = newVendor(t, "groq", hooshtest.Answer{Status: 413, Header: map[string][]string{"Content-Type": {"application/json"}, "Retry-After": {"7"}},
		Body: []byte(`{"error":{"message":"Request too large for model m on tokens per minute (TPM): Limit 6000, Requested 9000","type":"tokens","code":"rate_limit_exceeded"}}`)})
	_, _, err = v.ask(`{"model":"m","messages":[{"role":"user","content":"q"}]}`)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrRateLimited) || e.RetryAfter != 7*time.Second || e.HTTPStatus() != 429 {
		t.Errorf("%v after %v", err, e.RetryAfter)
	}
	// Several choices it refuses: hoosh asks several times.
	v = newVendor(t, "groq", hooshtest.Text("hi"))
	if _, got, err := v.ask(`{"model":"m","n":2,"messages":[{"role":"user","content":"q"}]}`); err != nil || v.backend.Calls() != 2 {
		t.Errorf("%s, %v after %d calls", got, err, v.backend.Calls())
	}
}
