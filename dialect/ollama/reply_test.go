// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/dialect/ollama"
	"github.com/maccracken/hoosh/internal/framing"
)

const ndjson = "application/x-ndjson"

// A whole answer of Ollama's for a client of OpenAI's, and the other way.
func TestWholeAnswers(t *testing.T) {
	for _, x := range []struct {
		name      string
		from, to  *hoosh.Dialect
		body, out string
	}{
		{"to OpenAI", ollamaDialect, hoosh.OpenAI,
			`{"model":"far","created_at":"2026-11-24T06:12:20Z","message":{"role":"assistant","content":"a\u00e9","thinking":"hm"},"done":true,"done_reason":"length","total_duration":9,"prompt_eval_count":3,"eval_count":2}`,
			`{"id":"I","object":"chat.completion","created":0,"model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"aé","reasoning_content":"hm"},"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`},
		{"calls to OpenAI", ollamaDialect, hoosh.OpenAI,
			`{"model":"far","created_at":"2026-11-24T06:12:20Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{"a": "b"}}}]},"done":true,"done_reason":"stop"}`,
			`{"id":"I","object":"chat.completion","created":0,"model":"far","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\": \"b\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}]}`},
		{"logprobs to OpenAI", ollamaDialect, hoosh.OpenAI,
			`{"model":"far","created_at":"2026-11-24T06:12:20Z","message":{"role":"assistant","content":"a"},"done":true,"logprobs":[{"token":"a","logprob":-1}]}`,
			`{"id":"I","object":"chat.completion","created":0,"model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"logprobs":{"content":[{"token":"a","logprob":-1}]},"finish_reason":"stop"}]}`},
		{"to Ollama", hoosh.OpenAI, ollamaDialect,
			`{"id":"i","object":"chat.completion","created":1,"model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"a","reasoning_content":"hm","tool_calls":[{"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`,
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"a","thinking":"hm","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{"a":1}}}]},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}`},
		{"cut short to Ollama", hoosh.OpenAI, ollamaDialect,
			`{"id":"i","model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"a","refusal":"b"},"finish_reason":"length","logprobs":{"content":[]}}]}`,
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"ab"},"done":true,"done_reason":"length","logprobs":[]}`},
		{"a call cut off to Ollama", hoosh.OpenAI, ollamaDialect,
			`{"id":"i","model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"a","tool_calls":[{"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"l","type":"function","function":{"name":"g","arguments":"{\"a\":"}}]},"finish_reason":"length"}]}`,
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"a","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{"a":1}}}]},"done":true,"done_reason":"length"}`},
		{"pieces to Ollama", anthropic.Dialect, ollamaDialect,
			`{"id":"m","type":"message","role":"assistant","model":"far","content":[{"type":"thinking","thinking":"h","signature":"s"},{"type":"thinking","thinking":"m","signature":"t"},{"type":"text","text":"The sky is "},{"type":"text","text":"\"blue\""},{"type":"text","text":" today."}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}`,
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"The sky is \"blue\" today.","thinking":"hm"},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":1}`},
	} {
		c := parse(t, x.to, hoosh.OpChat, `{"model":"near","messages":[{"role":"user","content":"x"}],"stream":false}`)
		reply, err := send(t, x.from, c, &answer{contentType: "application/json", body: x.body})
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		out, err := reply.For(c)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		sameAnswer(t, x.name, string(out.Body), x.out)
	}
}

// sameAnswer compares an answer, but for what differs from run to run.
func sameAnswer(t *testing.T, name, got, want string) {
	t.Helper()
	before := t.Failed()
	got = strings.ReplaceAll(still(got), `,"refusal":null`, "")
	if sameJSON(t, got, want); t.Failed() && !before {
		t.Log("in " + name)
	}
}

func TestEmbeddings(t *testing.T) {
	c := parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"near","input":["hello","there"],"dimensions":4}`)
	a := &answer{contentType: "application/json", body: string(wire(t, "embed.dimensions.json"))}
	reply, err := send(t, ollamaDialect, c, a)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(a.asked), `{"model":"near","input":["hello","there"],"dimensions":4}`)
	out, err := reply.For(c)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(out.Body), `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[-0.36409223,-0.533276,0.031700864,0.7629211]},{"object":"embedding","index":1,"embedding":[-0.3480953,-0.53018725,0.0045468374,0.7731174]}],"model":"smollm2:135m","usage":{"prompt_tokens":2,"total_tokens":2}}`)

	c = parse(t, ollamaDialect, hoosh.OpEmbed, `{"model":"near","input":["hello"]}`)
	reply, err = send(t, hoosh.OpenAI, c, &answer{contentType: "application/json", body: `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[1e-9,-2]}],"model":"far","usage":{"prompt_tokens":2,"total_tokens":2}}`})
	if err != nil {
		t.Fatal(err)
	}
	if out, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(out.Body), `{"model":"far","embeddings":[[1e-9,-2]],"prompt_eval_count":2}`)
}

// chunks makes an OpenAI stream of deltas, the finish and the usage.
func chunks(finish string, deltas ...string) string {
	var dst []byte
	for i, d := range append(deltas, "") {
		chunk := `{"id":"i","object":"chat.completion.chunk","created":1,"model":"far","choices":[{"index":0,"delta":{` + d + `},"finish_reason":null}]}`
		if i == len(deltas) {
			chunk = strings.Replace(chunk, "null", `"`+finish+`"`, 1)
		}
		dst = framing.AppendSSE(dst, "", []byte(chunk))
	}
	dst = framing.AppendSSE(dst, "", []byte(`{"id":"i","model":"far","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}`))
	return string(framing.AppendSSE(dst, "", []byte("[DONE]")))
}

func TestStreamsToOllama(t *testing.T) {
	for _, x := range []struct{ name, body, out string }{
		{"text", chunks("length", `"role":"assistant","content":""`, `"reasoning_content":"hm"`, `"content":"a\n"`, `"refusal":"b"`),
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"a\n"},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"b"},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":3,"eval_count":2}
`},
		{"parallel calls whose pieces alternate", chunks("tool_calls", `"role":"assistant","content":null`,
			`"tool_calls":[{"index":0,"id":"k","type":"function","function":{"name":"f","arguments":""}}]`,
			`"tool_calls":[{"index":1,"id":"l","type":"function","function":{"name":"g","arguments":"{\"b\""}}]`,
			`"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":\"\\\"\""}}]`,
			`"tool_calls":[{"index":1,"function":{"arguments":":1}"}},{"index":0,"function":{"arguments":"}"}}]`,
			`"tool_calls":[{"index":2,"id":"m","type":"function","function":{"name":"h","arguments":""}}]`),
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{"a":"\""}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"l","function":{"index":1,"name":"g","arguments":{"b":1}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"m","function":{"index":2,"name":"h","arguments":{}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}
`},
		{"text between calls", chunks("tool_calls",
			`"role":"assistant","tool_calls":[{"index":0,"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]`, `"tool_calls":[{"index":0,"function":{"arguments":"\"}\"}"}}]`, `"content":"then"`,
			`"tool_calls":[{"index":1,"id":"l","type":"function","function":{"name":"g","arguments":"{}"}}]`),
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{"a":"}"}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"then"},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"l","function":{"index":1,"name":"g","arguments":{}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":2}
`},
		{"a call cut off", chunks("length", `"role":"assistant","content":"a"`,
			`"tool_calls":[{"index":0,"id":"k","type":"function","function":{"name":"f","arguments":"{}"}}]`, `"tool_calls":[{"index":1,"id":"l","type":"function","function":{"name":"g","arguments":"{\"a\":"}}]`),
			`{"model":"far","created_at":"T","message":{"role":"assistant","content":"a"},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":"","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{}}}]},"done":false}
{"model":"far","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":3,"eval_count":2}
`},
	} {
		c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near","messages":[{"role":"user","content":"x"}]}`)
		reply, err := send(t, hoosh.OpenAI, c, &answer{contentType: "text/event-stream", body: x.body})
		if err != nil {
			t.Fatal(err)
		}
		if reply, err = reply.For(c); err != nil {
			t.Fatal(err)
		}
		raw, _, err := drain(reply.Stream)
		if err != nil || still(raw) != x.out {
			t.Errorf("%s: %v\ngot\n%swant\n%s", x.name, err, still(raw), x.out)
		}
		// What we write, we read: the same events come of it.
		c = parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"near","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}`)
		if reply, err = send(t, ollamaDialect, c, &answer{contentType: ndjson, body: raw}); err != nil {
			t.Fatal(err)
		}
		if reply, err = reply.For(c); err != nil {
			t.Fatal(err)
		}
		if _, _, err := drain(reply.Stream); err != nil {
			t.Error(err)
		}
	}
}

func TestStreamsToOpenAI(t *testing.T) {
	for _, x := range []struct{ name, body, out string }{
		{"text", string(wire(t, "chat.length.stream.ndjson")),
			`{"delta":{"role":"assistant","content":""}}
{"delta":{"content":"The"}}
{"delta":{"content":" capital"}}
{"delta":{"content":" of"}}
{"delta":{},"finish_reason":"length"}
{"usage":{"prompt_tokens":16,"completion_tokens":3}}
[DONE]
`},
		// Two lines, each with the first place and without an id.
		{"calls of an older server", `{"model":"far","created_at":"T","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}
{"model":"far","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}
{"model":"far","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":2}}},{"function":{"name":"g","arguments":{}}}]},"done":false}
{"model":"far","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":4}
`,
			`{"delta":{"role":"assistant","content":""}}
{"delta":{"reasoning_content":"hm"}}
{"delta":{"tool_calls":[{"index":0,"id":"call_X","type":"function","function":{"name":"f","arguments":""}}]}}
{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]}}
{"delta":{"tool_calls":[{"index":1,"id":"call_X","type":"function","function":{"name":"f","arguments":""}}]}}
{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{\"a\":2}"}}]}}
{"delta":{"tool_calls":[{"index":2,"id":"call_X","type":"function","function":{"name":"g","arguments":""}}]}}
{"delta":{"tool_calls":[{"index":2,"function":{"arguments":"{}"}}]}}
{"delta":{},"finish_reason":"tool_calls"}
{"usage":{"prompt_tokens":1,"completion_tokens":4}}
[DONE]
`},
		{"all in the last line", `{"model":"far","message":{"role":"assistant","content":"a","tool_calls":[{"id":"k","function":{"index":0,"name":"f","arguments":{}}}]},"done":true}` + "\n",
			`{"delta":{"role":"assistant","content":""}}
{"delta":{"content":"a"}}
{"delta":{"tool_calls":[{"index":0,"id":"k","type":"function","function":{"name":"f","arguments":""}}]}}
{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}
{"delta":{},"finish_reason":"tool_calls"}
[DONE]
`},
	} {
		c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"near","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true}}`)
		reply, err := send(t, ollamaDialect, c, &answer{contentType: ndjson, body: x.body})
		if err != nil {
			t.Fatal(err)
		}
		if reply, err = reply.For(c); err != nil {
			t.Fatal(err)
		}
		raw, _, err := drain(reply.Stream)
		if got := core(raw); err != nil || got != x.out {
			t.Errorf("%s: %v\ngot\n%swant\n%s", x.name, err, got, x.out)
		}
	}
}

// core is what matters of an OpenAI stream, a line each.
func core(sse string) string {
	var b strings.Builder
	for event := range strings.SplitSeq(still(sse), "\n\n") {
		data, ok := strings.CutPrefix(event, "data: ")
		if !ok {
			continue
		}
		if i := strings.Index(data, `"delta"`); i >= 0 {
			data = "{" + strings.TrimSuffix(strings.TrimSuffix(data[i:], `,"usage":null}`), `}]`) + "}"
			data = strings.ReplaceAll(strings.ReplaceAll(data, `,"logprobs":null`, ""), `,"finish_reason":null`, "")
		} else if i := strings.Index(data, `"usage":{`); i >= 0 {
			data = "{" + data[i:strings.Index(data, `,"total_tokens"`)] + "}}"
		}
		b.WriteString(data + "\n")
	}
	return b.String()
}

func TestStreamsThatGoWrong(t *testing.T) {
	first := `{"model":"far","created_at":"T","message":{"role":"assistant","content":"a"},"done":false}` + "\n"
	for _, x := range []struct {
		name, body string
		kind       error
	}{
		{"an error line", first + `{"error":"an error was encountered while running the model: CUDA error"}` + "\n", hoosh.ErrUpstream},
		{"cut", first, hoosh.ErrStreamCut},
		{"cut in a line", first + `{"model":"far","created_at":"T","mess`, hoosh.ErrMalformed},
		{"not even JSON", first + "<html>\n<body>\n", hoosh.ErrMalformed},
	} {
		c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near"}`)
		reply, err := send(t, ollamaDialect, c, &answer{contentType: ndjson, body: x.body})
		if err != nil {
			t.Fatal(err)
		}
		_, frames, err := drain(reply.Stream)
		if !errors.Is(err, x.kind) || len(frames) == 0 {
			t.Errorf("%s: %d frames, %v", x.name, len(frames), err)
		}
		line := string(ollamaDialect.StreamError(hoosh.AsError(err)))
		if !strings.HasPrefix(line, `{"error":"`) || !strings.HasSuffix(line, "\"}\n") {
			t.Errorf("%s: the client is told %q", x.name, line)
		}
	}
	// One broken line is survived.
	c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near"}`)
	reply, err := send(t, ollamaDialect, c, &answer{contentType: ndjson, body: first + "{\n" + string(wire(t, "chat.stream.ndjson"))})
	if err != nil {
		t.Fatal(err)
	}
	if raw, _, err := drain(reply.Stream); err != nil || strings.Contains(raw, "{\n") {
		t.Errorf("%v, %q", err, raw)
	}
}

// A model that calls a tool with no object fails the call: there is nothing that
// could be put in its place.
func TestArgumentsThatAreNoObject(t *testing.T) {
	c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near","stream":false}`)
	reply, err := send(t, hoosh.OpenAI, c, &answer{contentType: "application/json", body: `{"choices":[{"index":0,"message":{"tool_calls":[{"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\""}}]},"finish_reason":"tool_calls"}]}`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reply.For(c); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
	c = parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near"}`)
	reply, err = send(t, hoosh.OpenAI, c, &answer{contentType: "text/event-stream", body: chunks("tool_calls", `"tool_calls":[{"index":0,"id":"k","function":{"name":"f","arguments":"{\"a\""}}]`)})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	if _, _, err := drain(reply.Stream); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
}

// A stream that is ended early ends as Ollama's do.
func TestStop(t *testing.T) {
	c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"near"}`)
	reply, err := send(t, ollamaDialect, c, &answer{contentType: ndjson, body: string(wire(t, "chat.stream.ndjson"))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reply.Stream.Next(); err != nil {
		t.Fatal(err)
	}
	reply.Stream.Stop(hoosh.FinishLength, hoosh.Usage{Input: 7, Output: 1})
	raw, _, err := drain(reply.Stream)
	want := `{"model":"smollm2:135m","created_at":"T","message":{"role":"assistant","content":""},"done":true,"done_reason":"length","prompt_eval_count":7,"eval_count":1}` + "\n"
	if err != nil || still(raw) != want {
		t.Errorf("%v, %s", err, raw)
	}
}

func TestErrorsForClients(t *testing.T) {
	for _, x := range []struct {
		e    hoosh.Error
		want string
	}{
		{hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: "messages[0]", Message: `want "x"`}, `{"error":"want \"x\" (at messages[0])"}`},
		{hoosh.Error{Kind: hoosh.ErrUpstream, Provider: "far", Upstream: true, Status: 500, Message: "boom", Body: []byte(`{"error":"boom"}`)}, `{"error":"far: upstream error: boom"}`},
		{hoosh.Error{Kind: hoosh.ErrInvalidRequest, Provider: "far", Upstream: true, Status: 400, Message: "no", Body: []byte(`{"error":{"message":"no"}}`)}, `{"error":"no"}`},
	} {
		if got := string(ollamaDialect.EncodeError(&x.e)); got != x.want {
			t.Errorf("got %s, want %s", got, x.want)
		}
	}
	// An Ollama's own words go through, whichever of its formats the call is in.
	for _, d := range []*hoosh.Dialect{ollamaDialect, ollama.Generate} {
		own := `{"error":"no","more":1}`
		_, err := send(t, d, parse(t, d, hoosh.OpChat, `{"model":"x"}`), &answer{status: 400, contentType: "application/json", body: own})
		if got := string(d.EncodeError(hoosh.AsError(err))); got != own {
			t.Errorf("%s: %s", d.Name, got)
		}
	}
	// A prompt that is too long has the code that clients of other formats look for.
	for _, text := range []string{"the input length exceeds the context length", "prompt too long; exceeded max context length by 9 tokens"} {
		if e := ollamaDialect.DecodeError(400, nil, []byte(`{"error":"`+text+`"}`)); e.Kind != hoosh.ErrContextLength || e.Code != "context_length_exceeded" {
			t.Errorf("%s: %v, %s", text, e.Kind, e.Code)
		}
	}
}
