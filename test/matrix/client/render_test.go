// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"encoding/json"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// TestRender compares with bodies written by hand.
func TestRender(t *testing.T) {
	no, half, seed := false, 0.5, int64(7)
	ask := neutral.Ask{
		Model: "v/m", Stream: true, Choice: "tool:f", Parallel: &no, Schema: json.RawMessage(`{"type":"object"}`), SchemaName: "s",
		MaxTokens: 9, Temperature: &half, Stop: []string{"<END>"}, Seed: &seed, N: 2,
		Tools: []neutral.Tool{{Name: "f", Description: "d", Parameters: json.RawMessage(`{"type":"object"}`)}},
		Turns: []neutral.Turn{
			{Role: "system", Parts: []neutral.Part{{Text: "Be."}}},
			{Role: "user", Parts: []neutral.Part{{Text: "a"}, {Image: &neutral.Media{Type: "image/png", Data: "AA=="}}}},
			{Role: "assistant", Parts: []neutral.Part{{Thinking: "hm", Signature: "c2ln"}, {Call: &neutral.Call{ID: "c1", Name: "f", Args: `{"a":1}`}}}},
			{Role: "tool", Parts: []neutral.Part{{Result: &neutral.Result{ID: "c1", Name: "f", Text: "r", Failed: true}}}},
			{Role: "user", Parts: []neutral.Part{{Text: "b"}}},
		},
	}
	const schema = `{"type":"object"}`
	for d, want := range map[*Dialect][2]string{
		OpenAI: {"/v1/chat/completions", `{"model":"v/m","messages":[{"role":"system","content":"Be."},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},` +
			`{"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c1","content":"r"},{"role":"user","content":"b"}],` +
			`"stream":true,"stream_options":{"include_usage":true},"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":` + schema + `}}],"tool_choice":{"type":"function","function":{"name":"f"}},` +
			`"parallel_tool_calls":false,"response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":` + schema + `}},"max_completion_tokens":9,"temperature":0.5,"stop":["<END>"],"seed":7,"n":2}`},
		Responses: {"/v1/responses", `{"model":"v/m","instructions":"Be.","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","detail":"auto","image_url":"data:image/png;base64,AA=="}]},` +
			`{"type":"reasoning","id":"` + itemID("rs_", "hmc2ln") + `","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"c2ln"},{"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},` +
			`{"type":"function_call_output","call_id":"c1","output":"r"},{"type":"message","role":"user","content":"b"}],"tools":[{"type":"function","name":"f","description":"d","parameters":` + schema + `,"strict":false}],` +
			`"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"text":{"format":{"type":"json_schema","name":"s","schema":` + schema + `,"strict":true}},"max_output_tokens":9,"temperature":0.5,` +
			`"store":false,"include":["reasoning.encrypted_content"],"stream":true}`},
		Anthropic: {"/v1/messages", `{"model":"v/m","max_tokens":9,"system":"Be.","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},` +
			`{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"tool_use","id":"c1","name":"f","input":{"a":1}}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"c1","content":"r","is_error":true},{"type":"text","text":"b"}]}],"tools":[{"name":"f","description":"d","input_schema":` + schema + `}],` +
			`"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true},"output_config":{"format":{"type":"json_schema","schema":` + schema + `}},"stop_sequences":["<END>"],"temperature":0.5,"stream":true}`},
		Gemini: {"/v1beta/models/v/m:streamGenerateContent?alt=sse", `{"systemInstruction":{"parts":[{"text":"Be."}]},"contents":[{"role":"user","parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"AA=="}}]},` +
			`{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"c2ln"},{"functionCall":{"id":"c1","name":"f","args":{"a":1}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"error":"r"}}},{"text":"b"}]}],` +
			`"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":` + schema + `}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},` +
			`"generationConfig":{"temperature":0.5,"maxOutputTokens":9,"stopSequences":["<END>"],"seed":7,"candidateCount":2,"responseMimeType":"application/json","responseJsonSchema":` + schema + `}}`},
		Ollama: {"/api/chat", `{"model":"v/m","messages":[{"role":"system","content":"Be."},{"role":"user","content":"a","images":["AA=="]},` +
			`{"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},{"role":"tool","content":"r","tool_name":"f"},{"role":"user","content":"b"}],` +
			`"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":` + schema + `}}],"format":` + schema + `,"options":{"num_predict":9,"temperature":0.5,"seed":7,"stop":["<END>"]},"stream":true}`},
	} {
		q := d.Render(ask)
		if q.Path != want[0] {
			t.Errorf("%s: path %s", d.Name, q.Path)
		}
		if string(q.Body) != want[1] {
			t.Errorf("%s:\n got %s\nwant %s", d.Name, q.Body, want[1])
		}
	}
}

// TestCanonical: two texts that say the same are one, and others are not.
func TestCanonical(t *testing.T) {
	if a, b := Canonical(`{"a" : "\u00e9\/", "b":[1.50,{}]}`), Canonical("{\"a\":\"é/\",\"b\":[ 1.50, {} ]}"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	for _, s := range []string{`{"b":1,"a":2}`, `{"a":2,"b":1.0}`, `{"a":2}`, `{"a":2,"b":1`} {
		if Canonical(s) == Canonical(`{"a":2,"b":1}`) {
			t.Errorf("%s is taken for another", s)
		}
	}
}
