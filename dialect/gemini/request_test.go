// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
)

const (
	flash25 = "gemini-2.5-flash"
	pro3    = "gemini-3-pro-preview"
	tools   = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]`
)

func call(id, name, args string) string {
	return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":"` + strings.ReplaceAll(args, `"`, `\"`) + `"}}`
}

// TestToGemini: what is made of an OpenAI request.
func TestToGemini(t *testing.T) {
	for _, tt := range []struct{ name, model, body, want, dropped string }{
		{"all", flash25, `{"model":"x","stream":true,"messages":[{"role":"system","content":"Be brief."},{"role":"developer","content":"Yes."},{"role":"user","content":"Grüß \"Gott\""}],
			"max_tokens":9,"temperature":0.5,"top_p":0.25,"top_k":4,"stop":["a","b"],"seed":7,"n":2,"presence_penalty":1,"frequency_penalty":-1,"user":"u","logprobs":true}`,
			`{"systemInstruction":{"parts":[{"text":"Be brief."},{"text":"Yes."}]},"contents":[{"role":"user","parts":[{"text":"Grüß \"Gott\""}]}],
			"generationConfig":{"maxOutputTokens":9,"temperature":0.5,"topP":0.25,"topK":4,"stopSequences":["a","b"],"candidateCount":2,"seed":7,"presencePenalty":1,"frequencyPenalty":-1}}`, "logprobs user"},
		{"turns", flash25, `{"messages":[{"role":"user","content":"a"},{"role":"user","content":""},{"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":"d"},{"role":"system","content":"s \\ \"t"},{"role":"user","content":"e"}]}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"},{"text":"b"}]},{"role":"model","parts":[{"text":"c"},{"text":"d"}]},{"role":"user","parts":[{"text":"<system>s \\ \"t</system>"},{"text":"e"}]}]}`, ""},
		{"only the system", flash25, `{"messages":[{"role":"system","content":"s"}]}`, `{"systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"(continued)"}]}]}`, ""},
		{"the assistant begins", flash25, `{"messages":[{"role":"assistant","content":"s"},{"role":"user","content":"a"}]}`,
			`{"contents":[{"role":"user","parts":[{"text":"(continued)"}]},{"role":"model","parts":[{"text":"s"}]},{"role":"user","parts":[{"text":"a"}]}]}`, ""},
		{"too many stops", flash25, `{"messages":[{"role":"user","content":"a"}],"stop":["1","2","3","4","5","6"]}`, `{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`, "stop"},
		{"a great seed", flash25, `{"messages":[{"role":"user","content":"a"}],"seed":3000000000}`, `{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`, "seed"},
		{"media", flash25, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"low"}},{"type":"image_url","image_url":{"url":"https://h/a.webp?x=1"}},{"type":"image_url","image_url":{"url":"https://h/a"}},
			{"type":"input_audio","input_audio":{"data":"BBBB","format":"mp3"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}}]}]}`,
			`{"contents":[{"role":"user","parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"fileData":{"fileUri":"https://h/a.webp?x=1","mimeType":"image/webp"}},{"fileData":{"fileUri":"https://h/a","mimeType":"image/jpeg"}},
			{"inlineData":{"mimeType":"audio/mpeg","data":"BBBB"}},{"inlineData":{"mimeType":"application/pdf","data":"JVBERi0="}}]}]}`, "detail"},
		{"tools", flash25, `{"messages":[{"role":"user","content":"a"}],` + tools + `,"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object"}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`, "parallel_tool_calls"},
		{"schema", flash25, `{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}}`, ""},
		{"object", flash25, `{"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_object"}}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]}],"generationConfig":{"responseMimeType":"application/json"}}`, ""},
		{"results", flash25, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[` + call("c1", "f", `{"a":1}`) + `,` + call("c2", "g", ``) + `,` + call("c3", "f", `null`) + `]},
			{"role":"tool","tool_call_id":"c2","content":"rain"},{"role":"tool","tool_call_id":"c1","content":" {\"b\": [1]}"},{"role":"user","content":"now"},{"role":"tool","tool_call_id":"c3","content":"[1]"}],` + tools + `}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{"a":1}}},{"functionCall":{"id":"c2","name":"g","args":{}}},{"functionCall":{"id":"c3","name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"b":[1]}}},{"functionResponse":{"id":"c2","name":"g","response":{"result":"rain"}}},{"functionResponse":{"id":"c3","name":"f","response":{"result":"[1]"}}},{"text":"now"}]}],
			"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object"}}]}]}`, ""},
		{"calls of another model", pro3, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[` + call("c1", "f", `{}`) + `,` + call("c2", "f", `{}`) + `]},{"role":"tool","tool_call_id":"c1","content":"x"},{"role":"tool","tool_call_id":"c2","content":"y"},
			{"role":"assistant","tool_calls":[` + call("c3", "f", `{}`) + `]},{"role":"tool","tool_call_id":"c3","content":"z"}]}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"c2","name":"f","args":{}}}]},
			{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"result":"x"}}},{"functionResponse":{"id":"c2","name":"f","response":{"result":"y"}}}]},
			{"role":"model","parts":[{"functionCall":{"id":"c3","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},{"role":"user","parts":[{"functionResponse":{"id":"c3","name":"f","response":{"result":"z"}}}]}]}`, ""},
		{"a choice of what was not written", flash25, `{"messages":[{"role":"user","content":"a"}],` + tools + `,"tool_choice":{"type":"function","function":{"name":"g"}}}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object"}}]}]}`, "tool_choice"},
		{"a choice among nothing", flash25, `{"messages":[{"role":"user","content":"a"}],"tool_choice":{"type":"function","function":{"name":"g"}}}`, `{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`, "tool_choice"},
		{"a custom call", flash25, `{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"custom","custom":{"name":"sh","input":"ls \"-l\"\n"}}]},{"role":"tool","tool_call_id":"c1","content":"r"}]}`,
			`{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"c1","name":"sh","args":{"input":"ls \"-l\"\n"}}}]},{"role":"user","parts":[{"functionResponse":{"id":"c1","name":"sh","response":{"result":"r"}}}]}]}`, ""},
		{"web search", flash25, `{"messages":[{"role":"user","content":"a"}],"tools":[{"type":"web_search"}],"tool_choice":"required"}`, `{"contents":[{"role":"user","parts":[{"text":"a"}]}]}`, "tools[0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, dropped, err := translate(t, hoosh.OpenAI, native, tt.model, tt.body)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, tt.name, got, tt.want)
			slices.Sort(dropped)
			if d := strings.Join(dropped, " "); d != tt.dropped {
				t.Errorf("dropped %q, want %q", d, tt.dropped)
			}
		})
	}
}

// TestNotes: what a decoder notes for the encoder of its own dialect is neither
// written nor named.
func TestNotes(t *testing.T) {
	note := hoosh.Extra{{Key: "\xffn", Value: []byte(`"NOTE"`)}}
	called := hoosh.CallPart("c1", "f", `{}`)
	called.Call.Extra = note
	text, said := hoosh.TextPart("a"), hoosh.TextPart("r")
	text.Extra, said.Extra = note, note
	q := &hoosh.Request{Model: flash25, Extra: note, Tools: []hoosh.Tool{{Name: "f", Extra: note}}, Messages: []hoosh.Message{
		{Role: hoosh.RoleUser, Parts: []hoosh.Part{text}, Extra: note},
		{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{called}, Extra: note},
		{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: "c1", Parts: []hoosh.Part{said}}, Extra: note}}, Extra: note},
	}}
	for _, c := range []*hoosh.Call{hoosh.NewCall(q), parse(t, hoosh.OpenAI, hoosh.OpChat, `{"messages":[{"role":"user","content":"a"}]}`)} {
		body, dropped, err := native.EncodeRequest(c, q, profile(native))
		if err != nil || len(dropped) > 0 || strings.Contains(string(body), "NOTE") {
			t.Errorf("%v %q %s", err, dropped, body)
		}
	}
}

// TestThinking: each generation is told in its own way.
func TestThinking(t *testing.T) {
	for _, tt := range []struct{ model, from, want, dropped string }{
		{flash25, `"reasoning_effort":"low"`, `{"thinkingBudget":1024,"includeThoughts":true}`, ""},
		{flash25, `"reasoning_effort":"high"`, `{"thinkingBudget":24576,"includeThoughts":true}`, ""},
		{flash25, `"reasoning_effort":"none"`, `{"thinkingBudget":0}`, ""},
		{"gemini-2.5-pro", `"reasoning_effort":"none"`, `{"thinkingBudget":128}`, "reasoning_effort"},
		{"gemini-2.5-pro", `"reasoning_effort":"xhigh"`, `{"thinkingBudget":32768,"includeThoughts":true}`, ""},
		{"gemini-2.5-flash-lite", `"reasoning_effort":"minimal"`, `{"thinkingBudget":1024,"includeThoughts":true}`, ""},
		{"google/gemini-3-pro-preview", `"reasoning_effort":"medium"`, `{"thinkingLevel":"HIGH","includeThoughts":true}`, ""},
		{"gemini-3-pro-preview", `"reasoning_effort":"minimal"`, `{"thinkingLevel":"LOW","includeThoughts":true}`, ""},
		{"gemini-3.1-pro-preview", `"reasoning_effort":"medium"`, `{"thinkingLevel":"MEDIUM","includeThoughts":true}`, ""},
		{"gemini-3-flash", `"reasoning_effort":"minimal"`, `{"thinkingLevel":"MINIMAL","includeThoughts":true}`, ""},
		{"gemini-3-flash", `"reasoning_effort":"none"`, `{"thinkingLevel":"MINIMAL"}`, "reasoning_effort"},
		{"somebody-new", `"reasoning_effort":"max"`, `{"thinkingLevel":"HIGH","includeThoughts":true}`, ""},
		{"gemini-2.0-flash", `"reasoning_effort":"low"`, `null`, "reasoning_effort"},
		{"gemini-2.0-flash", `"reasoning_effort":"none"`, `null`, ""},
		{"gemini-2.5-flash-image", `"reasoning_effort":"low"`, `null`, "reasoning_effort"},
		{"gemma-3-27b-it", `"temperature":1`, `null`, ""},
		{flash25, `"reasoning_effort":"vast"`, `{"includeThoughts":true}`, "reasoning_effort"},
	} {
		got, dropped, err := translate(t, hoosh.OpenAI, native, tt.model, `{"messages":[{"role":"user","content":"a"}],`+tt.from+`}`)
		if err != nil {
			t.Fatal(err)
		}
		if d := strings.Join(dropped, " "); d != tt.dropped {
			t.Errorf("%s %s: dropped %q, want %q", tt.model, tt.from, d, tt.dropped)
		}
		have := "null"
		if _, rest, ok := strings.Cut(got, `"thinkingConfig":`); ok {
			have = rest[:strings.IndexByte(rest, '}')+1]
		}
		sameJSON(t, tt.model+" "+tt.from, have, tt.want)
	}
	// A budget in tokens, from a client that counts them.
	got, _, err := translate(t, anthropic.Dialect, native, flash25, `{"max_tokens":9000,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"enabled","budget_tokens":2048,"display":"omitted"}}`)
	if err != nil || !strings.Contains(got, `"thinkingConfig":{"thinkingBudget":2048}`) {
		t.Errorf("%s, %v", got, err)
	}
	got, _, err = translate(t, anthropic.Dialect, native, "gemini-3-flash", `{"max_tokens":9000,"messages":[{"role":"user","content":"a"}],"thinking":{"type":"enabled","budget_tokens":2048}}`)
	if err != nil || !strings.Contains(got, `"thinkingConfig":{"thinkingLevel":"LOW","includeThoughts":true}`) {
		t.Errorf("%s, %v", got, err)
	}
}

// TestResultForms: failures and media in a tool's results, which Anthropic's clients
// send.
func TestResultForms(t *testing.T) {
	body := `{"max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}},{"type":"tool_use","id":"t2","name":"g","input":{}}]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":"no {"},{"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"a map"},{"type":"text","text":"of it"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},{"type":"text","text":"go"}]}]}`
	got, _, err := translate(t, anthropic.Dialect, native, flash25, body)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "2.5", got, `{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"id":"t1","name":"f","args":{}}},{"functionCall":{"id":"t2","name":"g","args":{}}}]},
		{"role":"user","parts":[{"functionResponse":{"id":"t1","name":"f","response":{"error":"no {"}}},{"functionResponse":{"id":"t2","name":"g","response":{"result":"a map\nof it"}}},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"text":"go"}]}],"generationConfig":{"maxOutputTokens":9}}`)
	got, _, err = translate(t, anthropic.Dialect, native, pro3, body)
	if err != nil || !strings.Contains(got, `{"functionResponse":{"id":"t2","name":"g","response":{"result":"a map\nof it"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}},{"text":"go"}`) {
		t.Errorf("%v: %s", err, got)
	}
}

// TestFromGemini: what an OpenAI backend is told.
func TestFromGemini(t *testing.T) {
	for _, tt := range []struct{ name, body, want, dropped string }{
		{"camel", string(golden(t, "request.json")), string(golden(t, "request_openai.json")), ""},
		{"snake", string(golden(t, "request_snake.json")), string(golden(t, "request_openai.json")), ""},
		{"ai-sdk", `{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{"a":1}}},{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{"name":"f","content":"rain"}}},{"functionResponse":{"name":"f","response":{"name":"f","content":{"b":1}}}}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"call_1_1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1_0","name":"f","content":"rain"},{"role":"tool","tool_call_id":"call_1_1","name":"f","content":"{\"b\":1}"}]}`, ""},
		{"pieces of a stream kept as contents", `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"Lo\u00"}]},{"role":"model","parts":[{"text":"ok"}]},{"role":"model","parts":[{"text":""}]},{"role":"user","parts":[{"text":"b"}]}]}`, "", "invalid"},
		{"pieces", `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"Lo"}]},{"role":"model","parts":[{"text":"ok"}]},{"role":"model","parts":[{"text":""}]},{"role":"user","parts":[{"text":"b"}]}]}`,
			`{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"Look"},{"role":"user","content":"b"}]}`, ""},
		{"own things", `{"contents":[{"parts":[{"text":"a"},{"fileData":{"fileUri":"https://h/a.png"}}]}],"safetySettings":[{"category":"X"}],"tools":[{"googleSearch":{}},{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}},"generationConfig":{"responseModalities":["TEXT"],"thinkingConfig":{"thinkingBudget":-1}}}`,
			`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://h/a.png"}}]}],"tools":[{"type":"function","function":{"name":"f"}}]}`, "generationConfig safetySettings tool_choice tools[0]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.dropped == "invalid" {
				if _, err := hoosh.ParseCall(native, hoosh.OpChat, []byte(tt.body)); !errors.Is(err, hoosh.ErrInvalidRequest) {
					t.Fatal(err)
				}
				return
			}
			got, dropped, err := translate(t, native, hoosh.OpenAI, "m", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, tt.name, got, tt.want)
			slices.Sort(dropped)
			if d := strings.Join(dropped, " "); d != tt.dropped {
				t.Errorf("dropped %q, want %q", d, tt.dropped)
			}
		})
	}
}

// TestOpenAPISchema: Gemini's own schemas become JSON Schema.
func TestOpenAPISchema(t *testing.T) {
	q, err := native.DecodeRequest(hoosh.OpChat, []byte(`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT","property_ordering":["type"],"properties":{"type":{"type":"STRING","nullable":true,"enum":["A"]},"min_items":{"type":"ARRAY","min_items":"2","maxItems":3,"items":{"anyOf":[{"type":"INTEGER"},{"type":"TYPE_UNSPECIFIED"}]}}},"required":["type"]}}]}],
		"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"ARRAY","items":{"type":"NUMBER"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "parameters", string(q.Tools[0].Parameters), `{"type":"object","properties":{"type":{"type":["string","null"],"enum":["A",null]},"min_items":{"type":"array","minItems":2,"maxItems":3,"items":{"anyOf":[{"type":"integer"},{}]}}},"required":["type"]}`)
	for schema, want := range map[string]string{
		`{"nullable":true,"anyOf":[{"type":"STRING"},{"type":"INTEGER"}]}`:            `{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}`,
		`{"anyOf":[{"type":"STRING"},{"type":"NULL"}],"nullable":true}`:               `{"anyOf":[{"type":"string"},{"type":"null"}]}`,
		`{"type":"STRING","enum":["A",null],"nullable":true}`:                         `{"type":["string","null"],"enum":["A",null]}`,
		`{"type":"STRING","enum":[],"nullable":true}`:                                 `{"type":["string","null"],"enum":[null]}`,
		`{"anyOf":[{"type":"STRING","nullable":true,"enum":["]"]}],"enum":["A"]}`:     `{"anyOf":[{"type":["string","null"],"enum":["]",null]}],"enum":["A"]}`,
		`{"nullable":false,"type":"STRING","enum":["A"],"anyOf":[{"type":"STRING"}]}`: `{"type":"string","enum":["A"],"anyOf":[{"type":"string"}]}`,
	} {
		q, err := native.DecodeRequest(hoosh.OpChat, []byte(`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":`+schema+`}]}]}`))
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, schema, string(q.Tools[0].Parameters), want)
	}
	sameJSON(t, "format", string(q.Format.Schema), `{"type":"array","items":{"type":"number"}}`)
	if q.Format.Type != "json_schema" {
		t.Error(q.Format.Type)
	}
}

// TestRefused: what was wrong, and where.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		body, param string
	}{
		{`{"contents":[]}`, "contents"},
		{`{"contents":{}}`, "contents"},
		{`{}`, "contents"},
		{`[]`, ""},
		{`{"contents":[{"parts":[{"text":"a"}]}],"Contents":[]}`, "contents"},
		{`{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{},"generation_config":{"maxOutputTokens":1}}`, "generationConfig"},
		{`{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"topP":1,"top_p":2}}`, "generationConfig.top_p"},
		{`{"contents":[{"role":"system","parts":[{"text":"a"}]}]}`, "contents[0].role"},
		{`{"contents":[{"role":"user"}]}`, "contents[0]"},
		{`{"contents":[{"parts":[{}]}]}`, "contents[0].parts[0]"},
		{`{"contents":[{"parts":[{"text":"a","inlineData":{"mimeType":"image/png","data":"AA"}}]}]}`, "contents[0].parts[0].inlineData"},
		{`{"contents":[{"parts":[{"inlineData":{"data":"AA"}}]}]}`, "contents[0].parts[0].inlineData"},
		{`{"contents":[{"parts":[{"functionCall":{"args":{}}}]}]}`, "contents[0].parts[0].functionCall"},
		{`{"contents":[{"parts":[{"functionResponse":{"name":"f","response":"x"}}]}]}`, "contents[0].parts[0].functionResponse.response"},
		{`{"contents":[{"parts":[{"text":5}]}]}`, "contents[0].parts[0].text"},
		{`{"contents":[{"parts":[{"text":"a"}]}],"tools":{}}`, "tools"},
		{`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{}]}]}`, "tools[0].functionDeclarations[0]"},
	} {
		c, err := hoosh.ParseCall(native, hoosh.OpChat, []byte(tt.body))
		if err == nil {
			_, err = c.Request()
		}
		if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Param != tt.param || e.Message == "" {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
	for _, tt := range []struct {
		body, param string
		kind        error
	}{
		{`{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[` + call("c", "f", "{}") + `]},{"role":"user","content":"b"}]}`, "messages[1].content[0]", hoosh.ErrInvalidRequest},
		{`{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[` + call("c", "f", "{}") + `]}]}`, "messages[1].content[0]", hoosh.ErrInvalidRequest},
		{`{"messages":[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"c","content":"b"}]}`, "messages[1].content[0]", hoosh.ErrInvalidRequest},
		{`{"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[` + call("c", "f", "{") + `]},{"role":"tool","tool_call_id":"c","content":"b"}]}`, "messages[1].content[0]", hoosh.ErrInvalidRequest},
		{`{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x/a.png"}}]}]}`, "messages[0].content[0]", hoosh.ErrUnsupported},
		{`{"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f-1"}}]}]}`, "messages[0].content[0]", hoosh.ErrUnsupported},
	} {
		_, _, err := translate(t, hoosh.OpenAI, native, flash25, tt.body)
		if e := hoosh.AsError(err); !errors.Is(err, tt.kind) || e.Param != tt.param {
			t.Errorf("%s: %v", tt.body, err)
		}
	}
}

// TestEnvelope: what routing is told.
func TestEnvelope(t *testing.T) {
	for _, tt := range []struct {
		op    hoosh.Operation
		body  string
		needs hoosh.Features
		deep  hoosh.Deep
		text  int
	}{
		{hoosh.OpChat, `{"contents":[{"parts":[{"text":"abc"}]}],"systemInstruction":"de"}`, hoosh.FeatureChat, 0, 5},
		{hoosh.OpChat, `{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"AAAA"}}]}],"tools":[{"googleSearch":{}}]}`, hoosh.FeatureChat | hoosh.FeatureVision | hoosh.FeatureTools, 0, 21},
		{hoosh.OpChat, `{"contents":[{"parts":[{"fileData":{"fileUri":"https://h/a.mp3"}},{"inlineData":{"mimeType":"application/pdf"}}]}]}`, hoosh.FeatureChat | hoosh.FeatureAudio | hoosh.FeatureFiles, 0, 0},
		{hoosh.OpChat, `{"contents":[{"parts":[{"functionResponse":{"id":"a-hs1b","name":"f","response":{},"parts":[{"inlineData":{"mimeType":"image/png"}}]}}]}]}`, hoosh.FeatureChat | hoosh.FeatureVision, hoosh.DeepToolIDs | hoosh.DeepSignatures, 2},
		{hoosh.OpChat, `{"contents":[{"parts":[{"text":"a","thought_signature":"x"}]}],"generationConfig":{"responseSchema":{},"candidateCount":2,"maxOutputTokens":"7"}}`, hoosh.FeatureChat | hoosh.FeatureJSONSchema | hoosh.FeatureChoices, hoosh.DeepSignatures, 1},
		{hoosh.OpCount, `{"generateContentRequest":{"contents":[{"parts":[{"text":"abc"}]}],"tools":[{}]}}`, hoosh.FeatureCount | hoosh.FeatureTools, 0, 7},
		{hoosh.OpEmbed, `{"requests":[{"content":{"parts":[{"text":"abc"}]}},{"content":{"parts":[{"text":"d"}]}}]}`, hoosh.FeatureEmbed, 0, 4},
		{hoosh.OpEmbed, `{"content":{"parts":[{"text":"abc"}]}}`, hoosh.FeatureEmbed, 0, 3},
	} {
		c, err := hoosh.ParseCall(native, tt.op, []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		e := c.Envelope()
		if e.Needs != tt.needs || e.Deep != tt.deep || e.Text != tt.text || e.Model != "" || e.Stream || !e.WantsUsage {
			t.Errorf("%s: needs %v, deep %d, text %d", tt.body, e.Needs, e.Deep, e.Text)
		}
		if strings.Contains(tt.body, "candidateCount") && (e.Choices != 2 || e.MaxTokens != 7) {
			t.Errorf("%d choices, %d tokens", e.Choices, e.MaxTokens)
		}
	}
}
