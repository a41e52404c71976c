// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// golden is an answer as a vendor writes it, and what breaks it.
type golden struct {
	dialect *Dialect
	stream  bool
	text    string
	want    neutral.Answer
	breaks  [][2]string // old, new: each must be noticed
}

func (g *golden) header() http.Header {
	kind := "application/json"
	switch {
	case g.stream && g.dialect == Ollama:
		kind = "application/x-ndjson"
	case g.stream && g.dialect != GeminiArray:
		kind = "text/event-stream; charset=utf-8"
	}
	return http.Header{"Content-Type": {kind}}
}

func (g *golden) read(text string) (Got, error) {
	return g.dialect.Read(http.StatusOK, g.header(), strings.NewReader(text), g.stream)
}

var (
	twoCalls = []neutral.Part{
		{Thinking: "hm "}, {Text: "Look 🙂"},
		{Call: &neutral.Call{ID: "c1", Name: "f", Args: `{"a":1}`}}, {Call: &neutral.Call{ID: "c2", Name: "g", Args: `{}`}},
	}
	someUsage = neutral.Usage{Input: 4, CacheRead: 3, CacheWrite: 2, Output: 6, Reasoning: 1}
)

func answer(id, model string, u neutral.Usage, parts ...neutral.Part) neutral.Answer {
	a := neutral.Answer{ID: id, Model: model, Parts: parts, Usage: u, Finish: "stop"}
	if called(parts) {
		a.Finish = "tool_calls"
	}
	return a
}

func signedParts(signature string) []neutral.Part {
	parts := append([]neutral.Part(nil), twoCalls...)
	parts[0].Signature = signature
	return parts
}

func withoutIDs(parts []neutral.Part) []neutral.Part {
	var out []neutral.Part
	for _, p := range parts {
		if p.Call != nil {
			p.Call = &neutral.Call{Name: p.Call.Name, Args: p.Call.Args}
		}
		out = append(out, p)
	}
	return out
}

const openAIHead = `"id":"x","created":1,"model":"m",`

var goldens = []golden{
	{OpenAI, false, `{` + openAIHead + `"object":"chat.completion","choices":[{"index":0,"logprobs":null,"finish_reason":"tool_calls","message":{"role":"assistant",
"refusal":null,"content":"Look 🙂","reasoning_content":"hm ","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]}}],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,
"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}}}`,
		answer("x", "m", someUsage, twoCalls...), [][2]string{
			{`"total_tokens":16`, `"total_tokens":17`}, {`"tool_calls","m`, `"stop","m`}, {`"tool_calls","m`, `"tool_use","m`}, {`"c1"`, `""`},
			{`{\"a\":1}`, `{\"a\":1`}, {`"{}"`, `""`}, {`"index":0`, `"index":1`}, {`"refusal":null,`, ``}, {`"refusal":null,`, `"refusal":null,"x":1,`},
			{`"role":"assistant"`, `"role":"model"`}, {`"object":"chat.completion"`, `"object":"chat.completion.chunk"`}, {`"id":"x"`, `"id":"x","id":"x"`},
			{`"cached_tokens":3`, `"cached_tokens":30`},
		}},
	{OpenAI, true, `: comment

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"reasoning_content":"hm "},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Lo"},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"ok 🙂"},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},"finish_reason":null}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {` + openAIHead + `"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":7,"total_tokens":16,"prompt_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}}}

data: [DONE]

`, answer("x", "m", someUsage, twoCalls...), [][2]string{
		{`"choices":[],"usage"`, `"choices":[{"index":0,"delta":{},"finish_reason":null}],"usage"`}, {"data: [DONE]\n\n", "data: [DONE]\n\ndata: {}\n\n"},
		{`"delta":{"role":"assistant","content":""}`, `"delta":{"content":""}`}, {`"delta":{"content":"Lo"}`, `"delta":{"role":"assistant","content":"Lo"}`},
		{`"id":"x","created":1,"model":"m","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Lo"`, `"id":"y","created":1,"model":"m","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Lo"`},
		{`:1}"`, `:1"`}, {`{"index":1,"id":"c2"`, `{"index":2,"id":"c2"`}, {`"finish_reason":"tool_calls"`, `"finish_reason":"stop"`}, {`"finish_reason":"tool_calls"`, `"finish_reason":null`},
		{`{"index":0,"function":{"arguments":"{\"a\""}}`, `{"index":0,"id":"c1","function":{"arguments":"{\"a\""}}`}, {"data: {", "event: x\ndata: {"}, {"\n\n", "\r\n\r\n"},
	}},
	{Responses, false, responsesJSON("completed", responsesOutput), answer("x", "m", someUsage, signedParts("sig")...), [][2]string{
		{`"parallel_tool_calls":true,`, ``}, {`"top_p":1,`, ``}, {`"status":"completed","error"`, `"status":"done","error"`}, {`"total_tokens":16`, `"total_tokens":9`},
		{`"annotations":[]`, `"annotations":null`}, {`"id":"i4"`, `"id":"i3"`}, {`"call_id":"c1",`, ``}, {`"cached_tokens":3,`, ``},
	}},
	{Responses, true, responsesEvents(), answer("x", "m", someUsage, signedParts("sig")...), [][2]string{
		{`"sequence_number":7`, `"sequence_number":8`}, {"event: response.in_progress", "event: response.created"}, {`"delta":"ok 🙂"`, `"delta":"oops"`},
		{`"item_id":"i2","output_index":1,"content_index":0,"delta":"Lo"`, `"item_id":"i9","output_index":1,"content_index":0,"delta":"Lo"`},
		{`"output_index":1,"content_index":0,"delta":"Lo"`, `"output_index":0,"content_index":0,"delta":"Lo"`}, {`"logprobs":[],`, ``},
		{`"arguments":"{\"a\":1}","name":"f"`, `"arguments":"{\"a\":2}","name":"f"`}, {`"arguments":"{\"a\":1}","name":"f"`, `"arguments":"{\"a\":1}"`},
		{"event: response.completed", "event: response.done"},
	}},
	{Anthropic, false, `{"id":"x","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"hm ","signature":"sig"},{"type":"text","text":"Look 🙂"},
{"type":"tool_use","id":"c1","name":"f","input":{"a":1}},{"type":"tool_use","id":"c2","name":"g","input":{}}],"stop_reason":"tool_use","stop_sequence":null,
"usage":{"input_tokens":4,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":7,"output_tokens_details":{"thinking_tokens":1}}}`,
		answer("x", "m", someUsage, signedParts("sig")...), [][2]string{
			{`"stop_sequence":null,`, ``}, {`"tool_use","stop`, `"end_turn","stop`}, {`"tool_use","stop`, `"tool_calls","stop`}, {`"input":{}`, `"input":"{}"`},
			{`"c1"`, `"c|1"`}, {`,"signature":"sig"`, ``}, {`"type":"message"`, `"type":"msg"`}, {`"text":"Look 🙂"`, `"text":""`},
		}},
	{Anthropic, true, anthropicEvents(), answer("x", "m", someUsage, signedParts("sig")...), [][2]string{
		{`"index":1,"delta"`, `"index":0,"delta"`}, {`"index":1,"content_block"`, `"index":2,"content_block"`}, {"event: ping\ndata: {\"type\":\"ping\"}\n\n", "event: pong\ndata: {\"type\":\"pong\"}\n\n"},
		{`"text_delta","text":"Lo"`, `"thinking_delta","thinking":"Lo"`}, {"event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n", ""},
		{`"input":{}`, `"input":{"a":1}`}, {`"partial_json":":1}"`, `"partial_json":":1"`}, {`"stop_reason":"tool_use","stop_sequence":null`, `"stop_reason":"tool_use"`},
		{"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\ndata: [DONE]\n\n"}, {"event: message_start", "event: start"},
	}},
	{Gemini, false, geminiWhole, answer("x", "m", neutral.Usage{Input: 6, CacheRead: 3, Output: 6, Reasoning: 1}, withoutIDs(twoCalls)...), [][2]string{
		{`"totalTokenCount":16`, `"totalTokenCount":15`}, {`"STOP"`, `"stop"`}, {`"finishReason":"STOP",`, ``}, {`"args":{"a":1}`, `"args":"{}"`}, {`"role":"model"`, `"role":"assistant"`},
		{`"thought":true`, `"thought":"yes"`}, {`,"responseId":"x"`, ``}, {`{"text":"Look 🙂"}`, `{"text":"Look 🙂","type":"text"}`},
	}},
	{Gemini, true, "data: " + geminiStart + "\r\n\r\ndata: " + geminiMiddle + "\r\n\r\ndata: " + geminiEnd + "\r\n\r\n",
		answer("x", "m", neutral.Usage{Input: 6, CacheRead: 3, Output: 6, Reasoning: 1}, withoutIDs(twoCalls)...), [][2]string{
			{"\r\n\r\n", "\n\n"}, {"data: {", "event: x\r\ndata: {"}, {`"responseId":"x","modelVersion"`, `"responseId":"y","modelVersion"`}, {`"STOP"`, `"END"`}, {`"text":"Lo"`, `"thoughtSignature":"-_-_","text":"Lo"`},
		}},
	{GeminiArray, true, "[" + geminiStart + "\n,\r\n" + geminiMiddle + "\n,\r\n" + geminiEnd + "\n]\n",
		answer("x", "m", neutral.Usage{Input: 6, CacheRead: 3, Output: 6, Reasoning: 1}, withoutIDs(twoCalls)...), [][2]string{
			{"\n,\r\n", "\n"}, {"[{", "{"}, {"\n]\n", "\n]\nx"},
		}},
	{Ollama, false, `{"model":"m","created_at":"2026-11-24T10:00:00.123Z","message":{"role":"assistant","content":"Look 🙂","thinking":"hm ","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}},
{"function":{"name":"g","arguments":{}}}]},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":9,"eval_count":7}`,
		answer("", "m", neutral.Usage{Input: 9, Output: 7}, withoutIDs(twoCalls)...), [][2]string{
			{`"done":true`, `"done":false`}, {`"arguments":{}`, `"arguments":"{}"`}, {`"done_reason":"stop"`, `"done_reason":"tool_calls"`}, {`"content":"Look 🙂",`, ``}, {`2026-11-24T`, `2026-11-24 `},
		}},
	{Ollama, true, ollamaLine(`"content":"","thinking":"hm "`, `false`) + ollamaLine(`"content":"Lo"`, `false`) + ollamaLine(`"content":"ok 🙂"`, `false`) +
		ollamaLine(`"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]`, `false`) + ollamaLine(`"content":"","tool_calls":[{"function":{"name":"g","arguments":{}}}]`, `false`) +
		ollamaLine(`"content":""`, `true,"done_reason":"stop","total_duration":5,"prompt_eval_count":9,"eval_count":7`),
		answer("", "m", neutral.Usage{Input: 9, Output: 7}, withoutIDs(twoCalls)...), [][2]string{
			{`"done":false`, `"done":true`}, {`"done_reason":"stop"`, `"done_reason":null`}, {`"model":"m"`, `"model":""`}, {"{\"model\"", "data: {\"model\""},
		}},
}

const (
	geminiRest   = `"modelVersion":"m","responseId":"x"}`
	geminiCalls  = `{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"g","args":{}}}`
	geminiCount  = `"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":3,"candidatesTokenCount":6,"thoughtsTokenCount":1,"totalTokenCount":16},`
	geminiWhole  = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hm ","thought":true},{"text":"Look 🙂"},` + geminiCalls + `]},"finishReason":"STOP","index":0}],` + geminiCount + geminiRest
	geminiStart  = `{"candidates":[{"content":{"role":"model","parts":[{"text":"hm ","thought":true}]},"index":0}],` + geminiRest
	geminiMiddle = `{"candidates":[{"content":{"role":"model","parts":[{"text":"Lo"},{"text":"ok 🙂"},` + geminiCalls + `]},"index":0}],"responseId":"x","modelVersion":"m"}`
	geminiEnd    = `{"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],` + geminiCount + geminiRest
)

func ollamaLine(message, done string) string {
	return `{"model":"m","created_at":"2026-11-24T10:00:00.123456789Z","message":{"role":"assistant",` + message + `},"done":` + done + "}\n"
}

const (
	reasoningItem   = `{"id":"i1","type":"reasoning","summary":[{"type":"summary_text","text":"hm "}],"encrypted_content":"sig"}`
	messageItem     = `{"id":"i2","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Look 🙂","annotations":[],"logprobs":[]}]}`
	callItem        = `{"id":"i3","type":"function_call","status":"completed","call_id":"c1","name":"f","arguments":"{\"a\":1}"}`
	emptyItem       = `{"id":"i4","type":"function_call","status":"completed","call_id":"c2","name":"g","arguments":"{}"}`
	responsesOutput = reasoningItem + "," + messageItem + "," + callItem + "," + emptyItem
)

func responsesJSON(status, output string) string {
	usage := "null"
	if status == "completed" {
		usage = `{"input_tokens":9,"input_tokens_details":{"cached_tokens":3,"cache_write_tokens":2},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":16}`
	}
	return `{"id":"x","object":"response","created_at":1,"status":"` + status + `","error":null,"incomplete_details":null,"instructions":null,"metadata":{},"model":"m",` +
		`"output":[` + output + `],"parallel_tool_calls":true,"temperature":1,"tool_choice":"auto","tools":[],"top_p":1,"usage":` + usage + `}`
}

// sse writes events whose type is their name.
func sse(numbered bool, events ...string) string {
	var b strings.Builder
	for i, e := range events {
		name, rest, _ := strings.Cut(e, " ")
		b.WriteString("event: " + name + "\ndata: {\"type\":\"" + name + `"`)
		if numbered {
			n, _ := json.Marshal(i)
			b.WriteString(`,"sequence_number":` + string(n))
		}
		if rest != "" {
			b.WriteString("," + rest)
		}
		b.WriteString("}\n\n")
	}
	return b.String()
}

func responsesEvents() string {
	const sum, part, args = `"item_id":"i1","output_index":0,"summary_index":0,`, `"item_id":"i2","output_index":1,"content_index":0,`, `"item_id":"i3","output_index":2,`
	return sse(true,
		`response.created "response":`+responsesJSON("in_progress", ""), `response.in_progress "response":`+responsesJSON("in_progress", ""),
		`response.output_item.added "output_index":0,"item":{"id":"i1","type":"reasoning","summary":[]}`,
		`response.reasoning_summary_part.added `+sum+`"part":{"type":"summary_text","text":""}`, `response.reasoning_summary_text.delta `+sum+`"delta":"hm "`,
		`response.reasoning_summary_text.done `+sum+`"text":"hm "`, `response.reasoning_summary_part.done `+sum+`"part":{"type":"summary_text","text":"hm "}`,
		`response.output_item.done "output_index":0,"item":`+reasoningItem,
		`response.output_item.added "output_index":1,"item":{"id":"i2","type":"message","role":"assistant","status":"in_progress","content":[]}`,
		`response.content_part.added `+part+`"part":{"type":"output_text","text":"","annotations":[]}`, `response.output_text.delta `+part+`"delta":"Lo","logprobs":[],"x":0`,
		`response.output_text.delta `+part+`"delta":"ok 🙂","logprobs":[]`, `response.output_text.done `+part+`"text":"Look 🙂","logprobs":[]`,
		`response.content_part.done `+part+`"part":{"type":"output_text","text":"Look 🙂","annotations":[]}`, `response.output_item.done "output_index":1,"item":`+messageItem,
		`response.output_item.added "output_index":2,"item":{"id":"i3","type":"function_call","status":"in_progress","call_id":"c1","name":"f","arguments":""}`,
		`response.function_call_arguments.delta `+args+`"delta":"{\"a\""`, `response.function_call_arguments.delta `+args+`"delta":":1}"`,
		`response.function_call_arguments.done `+args+`"arguments":"{\"a\":1}","name":"f"`, `response.output_item.done "output_index":2,"item":`+callItem,
		`response.output_item.added "output_index":3,"item":{"id":"i4","type":"function_call","status":"in_progress","call_id":"c2","name":"g","arguments":""}`,
		`response.function_call_arguments.delta "item_id":"i4","output_index":3,"delta":"{}"`, `response.function_call_arguments.done "item_id":"i4","output_index":3,"arguments":"{}","name":"g"`,
		`response.output_item.done "output_index":3,"item":`+emptyItem, `response.completed "response":`+responsesJSON("completed", responsesOutput))
}

func anthropicEvents() string {
	block := func(i, start string, deltas ...string) []string {
		out := []string{`content_block_start "index":` + i + `,"content_block":` + start}
		for _, d := range deltas {
			out = append(out, `content_block_delta "index":`+i+`,"delta":`+d)
		}
		return append(out, `content_block_stop "index":`+i)
	}
	events := []string{`message_start "message":{"id":"x","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,"stop_sequence":null,` +
		`"usage":{"input_tokens":4,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":1}}`}
	events = append(events, block("0", `{"type":"thinking","thinking":"","signature":""}`, `{"type":"thinking_delta","thinking":"hm "}`, `{"type":"signature_delta","signature":"sig"}`)...)
	events = append(events, "ping")
	events = append(events, block("1", `{"type":"text","text":""}`, `{"type":"text_delta","text":"Lo"}`, `{"type":"text_delta","text":"ok 🙂"}`)...)
	events = append(events, block("2", `{"type":"tool_use","id":"c1","name":"f","input":{}}`, `{"type":"input_json_delta","partial_json":""}`, `{"type":"input_json_delta","partial_json":"{\"a\""}`, `{"type":"input_json_delta","partial_json":":1}"}`)...)
	events = append(events, block("3", `{"type":"tool_use","id":"c2","name":"g","input":{}}`, `{"type":"input_json_delta","partial_json":""}`)...)
	events = append(events, `message_delta "delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":7,"output_tokens_details":{"thinking_tokens":1}}`, "message_stop")
	return sse(false, events...)
}

func name(g *golden) string {
	n := g.dialect.Name
	if g.dialect == GeminiArray {
		n += " array"
	}
	if g.stream {
		return n + " streamed"
	}
	return n + " whole"
}

// TestRead reads what vendors write, and notices each way of breaking it.
func TestRead(t *testing.T) {
	for i := range goldens {
		g := &goldens[i]
		t.Run(name(g), func(t *testing.T) {
			got, err := g.read(g.text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Answer, g.want) {
				t.Errorf("got  %+v\nwant %+v", got.Answer, g.want)
			}
			if g.stream && got.Pieces != 2 {
				t.Errorf("%d pieces of text, want 2", got.Pieces)
			}
			for _, b := range g.breaks {
				if !strings.Contains(g.text, b[0]) {
					t.Errorf("nothing to break at %s", b[0])
					continue
				}
				if got, err := g.read(strings.Replace(g.text, b[0], b[1], 1)); err == nil && (got.Error == nil || !got.Error.Cut) {
					t.Errorf("unnoticed: %s in place of %s", b[1], b[0])
				}
			}
		})
	}
}

// TestCut cuts each stream, a long one not at each byte: it never looks complete
// ahead of its end.
func TestCut(t *testing.T) {
	for i := range goldens {
		g := &goldens[i]
		if !g.stream {
			continue
		}
		t.Run(name(g), func(t *testing.T) {
			end := len(strings.TrimRight(g.text, "\r\n"))
			for n := 0; n < end; n += 1 + end/400 {
				got, err := g.read(g.text[:n])
				if err == nil && got.Error == nil {
					t.Fatalf("cut at %d of %d it looks complete", n, len(g.text))
				}
			}
		})
	}
}

// TestErrorsInStreams: an error is the last word.
func TestErrorsInStreams(t *testing.T) {
	cases := map[*Dialect][2]string{
		OpenAI:      {"data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n", "data: [DONE]\n\n"},
		Responses:   {"event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"overloaded\",\"message\":\"busy\",\"param\":null}\n\n", "data: [DONE]\n\n"},
		Anthropic:   {"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n", "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"},
		Gemini:      {"data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\r\n\r\n", "data: " + geminiEnd + "\r\n\r\n"},
		GeminiArray: {"[{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}", ",\r\n" + geminiEnd + "]"},
		Ollama:      {"{\"error\":\"busy\"}\n", ollamaLine(`"content":""`, `true,"done_reason":"stop","total_duration":5`)},
	}
	for d, c := range cases {
		g := &golden{dialect: d, stream: true}
		got, err := g.read(c[0])
		if err != nil || got.Error == nil || got.Error.Message != "busy" || !got.Error.InStream {
			t.Errorf("%s: %v %+v", name(g), err, got.Error)
		} else if d != Ollama && got.Error.Kind != neutral.FaultOverloaded {
			t.Errorf("%s: kind %q", name(g), got.Error.Kind)
		}
		if _, err := g.read(c[0] + c[1]); err == nil {
			t.Errorf("%s: what follows an error is not noticed", name(g))
		}
	}
}

// TestRefusals reads errors in each format's own shape, and no other's.
func TestRefusals(t *testing.T) {
	openAI := `{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}`
	bodies := map[string]string{
		"openai": openAI, "responses": openAI,
		"anthropic": `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"},"request_id":"r"}`,
		"gemini":    `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`,
		"ollama":    `{"error":"the prompt exceeds the context length"}`,
	}
	for _, d := range Names {
		for _, of := range Names {
			got, err := For(d).Read(400, http.Header{"Content-Type": {"application/json"}}, strings.NewReader(bodies[of]), false)
			same := bodies[d] == bodies[of]
			switch {
			case same && (err != nil || got.Error.Kind != neutral.FaultContext || got.Error.Status != 400):
				t.Errorf("%s: %v %+v", d, err, got.Error)
			case !same && err == nil:
				t.Errorf("%s takes the error of %s", d, of)
			}
		}
	}
	wait := `{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"6.5s"}]}}`
	got, err := Gemini.Read(429, http.Header{"Content-Type": {"application/json"}}, strings.NewReader(wait), true)
	if err != nil || got.Error.Kind != neutral.FaultRate || got.Error.RetryAfter != 7 {
		t.Errorf("%v %+v", err, got.Error)
	}
}
