// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

const openAITools = `"tools":[{"type":"function","function":{"name":"weather","description":"now","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]`

func TestRequestsToOllama(t *testing.T) {
	for _, x := range []struct {
		name, from, to string
		dropped        []string
	}{
		{"text", `{"model":"x","messages":[{"role":"system","content":"be brief"},{"role":"developer","content":"very"},{"role":"user","content":"h\u00e9 \"you\""}]}`,
			`{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"system","content":"very"},{"role":"user","content":"hé \"you\""}],"stream":false}`, nil},
		{"parts", `{"model":"x","messages":[{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}],"stream":true}`,
			`{"model":"m","messages":[{"role":"user","content":"one\ntwo"}],"stream":true}`, nil},
		{"sampling", `{"model":"x","messages":[{"role":"user","content":"a"}],"max_tokens":9,"temperature":0,"top_p":0.5,"top_k":7,"seed":3,"frequency_penalty":0.1,"presence_penalty":-1,"stop":"END"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"options":{"num_predict":9,"temperature":0,"top_p":0.5,"top_k":7,"seed":3,"frequency_penalty":0.1,"presence_penalty":-1,"stop":["END"]}}`, nil},
		{"stops", `{"model":"x","messages":[{"role":"user","content":"a"}],"stop":["a","b"]}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"options":{"stop":["a","b"]}}`, nil},
		{"image", `{"model":"x","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image\/png;base64,iVBORw0KGgo="}}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":"what?","images":["iVBORw0KGgo="]}],"stream":false}`, nil},
		{"tools", `{"model":"x","messages":[{"role":"user","content":"weather?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Ulm\"}"}},{"id":"c2","type":"function","function":{"name":"time","arguments":""}}]},{"role":"tool","tool_call_id":"c2","content":"noon"},{"role":"tool","tool_call_id":"c1","content":"rain"}],` + openAITools + `}`,
			`{"model":"m","messages":[{"role":"user","content":"weather?"},{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"index":0,"name":"weather","arguments":{"city":"Ulm"}}},{"id":"c2","function":{"index":1,"name":"time","arguments":{}}}]},{"role":"tool","content":"noon","tool_name":"time","tool_call_id":"c2"},{"role":"tool","content":"rain","tool_name":"weather","tool_call_id":"c1"}],"stream":false,` + openAITools + `}`, nil},
		{"tools forbidden", `{"model":"x","messages":[{"role":"user","content":"a"}],"tool_choice":"none",` + openAITools + `}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false}`, nil},
		{"tools demanded", `{"model":"x","messages":[{"role":"user","content":"a"}],"tool_choice":"required","parallel_tool_calls":false,` + openAITools + `}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,` + openAITools + `}`, []string{"tool_choice", "parallel_tool_calls"}},
		{"another kind of tool", `{"model":"x","messages":[{"role":"user","content":"a"}],"tools":[{"type":"web_search"},{"type":"function","function":{"name":"f","strict":true}}]}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}]}`, []string{"tools[0]", "strict"}},
		{"json", `{"model":"x","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"format":"json"}`, nil},
		{"schema", `{"model":"x","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"format":{"type":"object"}}`, nil},
		{"no thinking", `{"model":"x","messages":[{"role":"user","content":"a"}],"reasoning_effort":"none"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"think":false}`, nil},
		{"thinking", `{"model":"x","messages":[{"role":"user","content":"a"},{"role":"assistant","reasoning_content":"hm","content":"b"},{"role":"user","content":"c"}],"reasoning_effort":"high"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","thinking":"hm","content":"b"},{"role":"user","content":"c"}],"stream":false,"think":true}`, nil},
		{"thinking by a level of its own", `{"model":"x","messages":[{"role":"user","content":"a"}],"reasoning_effort":"high","think":"low"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"think":"low"}`, nil},
		{"its own words", `{"model":"x","messages":[{"role":"user","content":"a"}],"temperature":1,"keep_alive":"1h","num_ctx":8192,"min_p":0.1,"truncate":false,"options":{"temperature":0.2,"num_ctx":4096,"mirostat":1}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"keep_alive":"1h","truncate":false,"options":{"temperature":0.2,"num_ctx":4096,"mirostat":1,"min_p":0.1}}`, nil},
		{"a custom call", `{"model":"x","messages":[{"role":"assistant","tool_calls":[{"id":"c1","type":"custom","custom":{"name":"sh","input":"ls \"-l\""}}]},{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`,
			`{"model":"m","messages":[{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"index":0,"name":"sh","arguments":{"input":"ls \"-l\""}}}]},{"role":"tool","content":"a\nb","tool_name":"sh","tool_call_id":"c1"}],"stream":false}`, nil},
		{"what the model said", `{"model":"x","messages":[{"role":"assistant","content":[{"type":"text","text":"one "},{"type":"text","text":""},{"type":"text","text":"two"}]}]}`,
			`{"model":"m","messages":[{"role":"assistant","content":"one two"}],"stream":false}`, nil},
		{"the rest", `{"model":"x","messages":[{"role":"user","name":"bob","content":"a"}],"user":"u","n":2,"store":true,"metadata":{},"logit_bias":{}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false}`, []string{"name", "n", "user", "store", "metadata", "logit_bias"}},
		{"logprobs", `{"model":"x","messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":2}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":false,"logprobs":true,"top_logprobs":2}`, nil},
		{"logprobs of a stream", `{"model":"x","messages":[{"role":"user","content":"a"}],"logprobs":true,"top_logprobs":2,"stream":true}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true}`, []string{"logprobs", "top_logprobs"}},
	} {
		got, dropped, err := translate(t, hoosh.OpenAI, ollamaDialect, hoosh.OpChat, x.from)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		sameJSON(t, got, x.to)
		slices.Sort(dropped)
		slices.Sort(x.dropped)
		if !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: dropped %v, want %v", x.name, dropped, x.dropped)
		}
	}
}

// gpt-oss knows three levels only.
func TestLevels(t *testing.T) {
	for _, x := range []struct{ model, effort, think string }{
		{"gpt-oss:20b", "minimal", `"low"`}, {"gpt-oss:20b", "low", `"low"`}, {"gpt-oss:20b", "medium", "true"}, {"gpt-oss:20b", "high", `"high"`},
		{"gpt-oss:120b-cloud", "xhigh", `"high"`}, {"gpt-oss:20b", "max", `"high"`}, {"gpt-oss:20b", "none", "false"}, {"qwen3", "xhigh", "true"},
	} {
		c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"x","messages":[{"role":"user","content":"a"}],"reasoning_effort":"`+x.effort+`"}`)
		c.Model = x.model
		b, _, err := c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, string(b.Bytes()), `{"model":"`+x.model+`","messages":[{"role":"user","content":"a"}],"stream":false,"think":`+x.think+`}`)
	}
	// What a client of Ollama's asks for is for the server to judge.
	c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"gpt-oss","messages":[{"role":"user","content":"a"}],"stream":false}`)
	c.Model = "gpt-oss"
	b, _, err := ollamaDialect.EncodeRequest(c, &hoosh.Request{Messages: []hoosh.Message{hoosh.User("a")}, Reasoning: hoosh.Reasoning{Effort: "max"}}, &hoosh.Profile{Dialect: ollamaDialect})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(b), `{"model":"gpt-oss","messages":[{"role":"user","content":"a"}],"stream":false,"think":"max"}`)
}

// What a decoder notes for the encoder of its own dialect is neither written nor
// named.
func TestNotes(t *testing.T) {
	note := hoosh.Extra{{Key: "\xffn", Value: json.RawMessage(`"NOTE"`)}}
	text, said := hoosh.TextPart("a"), hoosh.TextPart("r")
	text.Extra, said.Extra = note, note
	q := &hoosh.Request{Extra: note, Tools: []hoosh.Tool{{Name: "f", Extra: note}}, Messages: []hoosh.Message{
		{Role: hoosh.RoleUser, Parts: []hoosh.Part{text}, Extra: note},
		{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: "c1", Parts: []hoosh.Part{said}}}}, Extra: note},
	}}
	for _, d := range []*hoosh.Dialect{ollamaDialect, hoosh.OpenAI} {
		c := parse(t, d, hoosh.OpChat, `{"model":"x","messages":[{"role":"user","content":"a"}]}`)
		b, dropped, err := ollamaDialect.EncodeRequest(c, q, &hoosh.Profile{Dialect: ollamaDialect})
		if err != nil || dropped != nil || strings.Contains(string(b), "NOTE") {
			t.Errorf("%v %q %s", err, dropped, b)
		}
	}
}

func TestRequestsThatOllamaCannotBeAsked(t *testing.T) {
	for _, x := range []struct {
		body, param string
		kind        error
	}{
		{`{"model":"x","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}`, "messages[1].content[1]", hoosh.ErrUnsupported},
		{`{"model":"x","messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"aa","format":"wav"}}]}]}`, "messages[0].content[0]", hoosh.ErrUnsupported},
		{`{"model":"x","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]}`, "messages[0].content[0]", hoosh.ErrUnsupported},
		{`{"model":"x","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]}]}`, "messages[0].tool_calls[1].function.arguments", hoosh.ErrInvalidRequest},
		{`{"model":"x","messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"[1]"}}]}]}`, "messages[0].tool_calls[0].function.arguments", hoosh.ErrInvalidRequest},
		{`{"model":"x","messages":[{"role":"user","content":"a"}],"options":[1]}`, "options", hoosh.ErrInvalidRequest},
	} {
		_, _, err := translate(t, hoosh.OpenAI, ollamaDialect, hoosh.OpChat, x.body)
		e := hoosh.AsError(err)
		if e == nil || e.Kind != x.kind || e.Param != x.param {
			t.Errorf("%s: %+v", x.body, e)
		}
	}
	if _, _, err := translate(t, hoosh.OpenAI, ollamaDialect, hoosh.OpCompletion, `{"prompt":"a"}`); hoosh.AsError(err).Kind != hoosh.ErrUnsupported {
		t.Error(err)
	}
	if _, _, err := translate(t, hoosh.OpenAI, ollamaDialect, hoosh.OpEmbed, `{"input":["a",[1,2]]}`); err == nil {
		t.Error("tokens went through")
	}
	_, _, err := translate(t, hoosh.OpenAI, ollamaDialect, hoosh.OpEmbed, `{"input":[[1,2]]}`)
	if e := hoosh.AsError(err); e.Kind != hoosh.ErrUnsupported || e.Param != "input[0]" {
		t.Error(err)
	}
}

// A Go program's own values are checked, for they become part of the body.
func TestTypedRequests(t *testing.T) {
	ask := func(q hoosh.Request) (string, []string, error) {
		q.Model = "m"
		c := hoosh.NewCall(&q)
		b, dropped, err := c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
		if err != nil {
			return "", nil, err
		}
		return string(b.Bytes()), dropped, nil
	}
	got, dropped, err := ask(hoosh.Request{
		Messages: []hoosh.Message{
			hoosh.User("a\nb", hoosh.Image("data:image/png;base64,AAAA")),
			hoosh.Assistant("c", hoosh.CallPart("i", "f", `{"a":1}`)),
			{Role: hoosh.RoleUser, Parts: []hoosh.Part{ // as Anthropic has them
				{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: "i", Failed: true, Parts: []hoosh.Part{hoosh.TextPart("no"), hoosh.Image("data:image/png;base64,BBBB")}}},
				hoosh.TextPart("go on"),
			}},
		},
		Reasoning: hoosh.Reasoning{Budget: 1000},
		Extra:     hoosh.Extra{{Key: "num_ctx", Value: json.RawMessage("512")}, {Key: "odd", Value: json.RawMessage("1")}},
	})
	if err != nil || !slices.Equal(dropped, []string{"is_error", "odd"}) {
		t.Fatal(dropped, err)
	}
	sameJSON(t, got, `{"model":"m","messages":[{"role":"user","content":"a\nb","images":["AAAA"]},
		{"role":"assistant","content":"c","tool_calls":[{"id":"i","function":{"index":0,"name":"f","arguments":{"a":1}}}]},
		{"role":"tool","content":"no","images":["BBBB"],"tool_name":"f","tool_call_id":"i"},{"role":"user","content":"go on"}],
		"stream":false,"think":true,"options":{"num_ctx":512}}`)

	for _, q := range []hoosh.Request{
		{Temperature: hoosh.Ptr(math.NaN())},
		{Extra: hoosh.Extra{{Key: "keep_alive", Value: json.RawMessage(`1,"model":"other"`)}}},
		{Extra: hoosh.Extra{{Key: "options", Value: json.RawMessage(`{"a":1}}`)}}},
		{Extra: hoosh.Extra{{Key: "options", Value: json.RawMessage(`{"a":`)}}},
		{Tools: []hoosh.Tool{{Name: "f", Parameters: json.RawMessage(`{`)}}},
		{Format: hoosh.Format{Type: "json_schema", Schema: json.RawMessage(`x`)}},
	} {
		if got, _, err := ask(q); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrInvalidRequest {
			t.Errorf("%s, %v", got, err)
		}
	}
}

func TestRequestsFromOllama(t *testing.T) {
	for _, x := range []struct {
		name, from, to string
		dropped        []string
	}{
		{"text", `{"model":"x","messages":[{"Role":"SYSTEM","content":"be brief"},{"role":"user","content":"hi"}],"stream":false}`,
			`{"model":"m","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hi"}]}`, nil},
		{"a stream is the default", `{"model":"x","messages":[{"role":"user","content":"hi"}]}`,
			`{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true}}`, nil},
		{"options", `{"model":"x","messages":[{"role":"user","content":"hi"}],"stream":false,"keep_alive":0,"options":{"num_predict":5,"temperature":0.5,"top_p":1,"top_k":2,"seed":4,"stop":["x"],"num_ctx":99,"presence_penalty":1}}`,
			`{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5,"temperature":0.5,"top_p":1,"top_k":2,"seed":4,"stop":"x","presence_penalty":1}`, []string{"keep_alive", "options"}},
		{"no ceiling", `{"model":"x","messages":[{"role":"user","content":"hi"}],"stream":false,"options":{"num_predict":-1}}`,
			`{"model":"m","messages":[{"role":"user","content":"hi"}]}`, nil},
		{"image", `{"model":"x","messages":[{"role":"user","content":"what?","images":["iVBORw0KGgo=","\/9j\/4AAQ"]}],"stream":false}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"what?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/4AAQ"}}]}]}`, nil},
		{"formats", `{"model":"x","messages":[{"role":"user","content":"a"}],"stream":false,"format":"json"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}`, nil},
		{"schema", `{"model":"x","messages":[{"role":"user","content":"a"}],"stream":false,"format":{"type":"object"}}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{"type":"object"}}}}`, nil},
		{"think", `{"model":"x","messages":[{"role":"user","content":"a"}],"stream":false,"think":"low"}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"reasoning_effort":"low"}`, nil},
		{"do not think", `{"model":"x","messages":[{"role":"user","content":"a"}],"stream":false,"think":false}`,
			`{"model":"m","messages":[{"role":"user","content":"a"}],"reasoning_effort":"none"}`, nil},
		// Calls without ids get them, and each result the one it belongs to.
		{"tools", `{"model":"x","messages":[{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a": 1}}},{"function":{"name":"g","arguments":{}}},{"function":{"name":"f","arguments":{"a":2}}}]},{"role":"tool","tool_name":"g","content":"G"},{"role":"tool","tool_name":"f","content":"F1"},{"role":"tool","content":"F2"}],"stream":false,` + openAITools + `}`,
			`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_0_0","type":"function","function":{"name":"f","arguments":"{\"a\": 1}"}},{"id":"call_0_1","type":"function","function":{"name":"g","arguments":"{}"}},{"id":"call_0_2","type":"function","function":{"name":"f","arguments":"{\"a\":2}"}}]},{"role":"tool","tool_call_id":"call_0_1","name":"g","content":"G"},{"role":"tool","tool_call_id":"call_0_0","name":"f","content":"F1"},{"role":"tool","tool_call_id":"call_0_2","content":"F2"}],` + openAITools + `}`, nil},
		{"tools with ids", `{"model":"x","messages":[{"role":"assistant","tool_calls":[{"id":"k","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"k","content":"F"}],"stream":false}`,
			`{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"k","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"k","content":"F"}]}`, nil},
		{"thinking", `{"model":"x","messages":[{"role":"assistant","content":"b","thinking":"hm"}],"stream":false}`,
			`{"model":"m","messages":[{"role":"assistant","content":"b","reasoning_content":"hm"}]}`, nil},
	} {
		got, dropped, err := translate(t, ollamaDialect, hoosh.OpenAI, hoosh.OpChat, x.from)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		sameJSON(t, got, x.to)
		if !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: dropped %v, want %v", x.name, dropped, x.dropped)
		}
	}
	for _, x := range []struct{ from, to string }{
		{`{"model":"x","input":"a"}`, `{"model":"m","input":"a"}`},
		{`{"model":"x","input":["a","b"],"dimensions":3}`, `{"model":"m","input":["a","b"],"dimensions":3}`},
	} {
		got, _, err := translate(t, ollamaDialect, hoosh.OpenAI, hoosh.OpEmbed, x.from)
		if err != nil {
			t.Fatal(err)
		}
		if got = strings.Replace(got, `,"encoding_format":"float"`, "", 1); got != "" {
			sameJSON(t, got, x.to)
		}
	}
}

// There and back a request says what it said.
func TestRequestRoundTrip(t *testing.T) {
	for _, body := range []string{
		`{"model":"m","messages":[{"role":"user","content":"hé \ud83d\ude00 \u0000"}],"stream":true}`,
		`{"model":"m","messages":[{"role":"user","content":"what?","images":["iVBORw0KGgo="]}],"stream":true,"think":true,"options":{"num_predict":1,"seed":-9007199254740993}}`,
		`{"model":"m","messages":[{"role":"assistant","content":"x","thinking":"y","tool_calls":[{"id":"a","function":{"index":0,"name":"f","arguments":{"b":[1,2.50]}}}]},{"role":"tool","content":"z","tool_name":"f","tool_call_id":"a"}],"stream":true,` + openAITools + `,"format":{"type":"object"}}`,
	} {
		c := parse(t, ollamaDialect, hoosh.OpChat, body)
		there, _, err := c.BodyFor(&hoosh.Profile{Dialect: hoosh.OpenAI})
		if err != nil {
			t.Fatal(err)
		}
		back := parse(t, hoosh.OpenAI, hoosh.OpChat, string(there.Bytes()))
		got, dropped, err := back.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
		if err != nil || dropped != nil {
			t.Fatal(dropped, err)
		}
		sameJSON(t, string(got.Bytes()), body)
	}
}
