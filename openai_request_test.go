// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestOpenAIRequestGolden writes bodies again. Golden files show the form that
// each takes, and reading that form gives the same request.
func TestOpenAIRequestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/openai/*.request.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, path := range names {
		name := strings.TrimSuffix(filepath.Base(path), ".request.json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			q, err := decodeOpenAIRequest(OpChat, body)
			if err != nil {
				t.Fatal(err)
			}
			out, dropped, err := reencode(q)
			if err != nil || len(dropped) > 0 {
				t.Fatal(dropped, err)
			}
			golden(t, name+".request.golden", out)
			again, err := decodeOpenAIRequest(OpChat, out)
			if err != nil {
				t.Fatal(err)
			}
			if !again.Equal(q) {
				t.Errorf("changed on the way:\n%s\n%s", body, out)
			}
		})
	}
}

// TestOpenAIRequestRecorded writes again what real clients were seen to send.
func TestOpenAIRequestRecorded(t *testing.T) {
	names, err := filepath.Glob("testdata/wire/llamacpp/*.request.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, path := range names {
		name := filepath.Base(path)
		op := OpChat
		switch {
		case strings.HasPrefix(name, "completions"):
			op = OpCompletion
		case strings.HasPrefix(name, "embeddings"):
			op = OpEmbed
		case strings.HasPrefix(name, "error"), strings.HasPrefix(name, "tokenize"):
			continue
		}
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		q, err := decodeOpenAIRequest(op, body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, _, err := reencode(q)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeOpenAIRequest(op, out); err != nil || !again.Equal(q) {
			t.Errorf("%s: changed on the way (%v):\n%s\n%s", name, err, body, out)
		}
	}
}

func TestOpenAIRequestDecode(t *testing.T) {
	ptr := func(f float64) *float64 { return &f }
	user := func(parts ...Part) []Message { return []Message{{Role: RoleUser, Parts: parts}} }
	hi := user(TextPart("hi"))
	const say = `{"messages":[{"role":"user","content":"hi"}],`
	tests := []struct {
		name, body string
		op         Operation
		want       Request
	}{
		{"nothing said", say + `"temperature":null,"stop":null,"n":1,"max_tokens":0,"user":null,"seed":null,"response_format":null,"tool_choice":null}`, OpChat, Request{Messages: hi}},
		{"numbers", say + `"temperature":0,"top_p":5e-324,"max_tokens":2.5e2}`, OpChat, Request{Messages: hi, Temperature: ptr(0), TopP: ptr(5e-324), MaxTokens: 250}},
		{"both ceilings, the later one", say + `"max_completion_tokens":7,"max_tokens":9}`, OpChat, Request{Messages: hi, MaxTokens: 9}},
		{"one stop", say + `"stop":"\n"}`, OpChat, Request{Messages: hi, Stop: []Text{NewText("\n")}}},
		{"unknown members", say + `"foo":{"a":1},"input":[]}`, OpChat, Request{Messages: hi, Extra: Extra{{"foo", []byte(`{"a":1}`)}, {"input", []byte("[]")}}}},
		{"names as Go reads them", `{"MODEL":"m","m\u0065ssages":[{"role":"user","content":"hi"}],"\u017ftream":true}`, OpChat, Request{Model: "m", Messages: hi, Stream: true}},
		{"escapes in a role", `{"messages":[{"role":"\u0075ser","content":"hi"}]}`, OpChat, Request{Messages: hi}},
		{"names below the top", `{"messages":[{"Role":"user","content":"hi","CONTENT":"there"},{"ROL\u0045":"assistant","content":[{"type":"text","TE\u0078t":"hi","FOO":1}]}]}`, OpChat,
			Request{Messages: []Message{User("hi", TextPart("there")), {Role: RoleAssistant, Parts: []Part{{Kind: PartText, text: NewText("hi"), Extra: Extra{{"FOO", []byte("1")}}}}}}}},
		{"empty content", `{"messages":[{"role":"user","content":""},{"role":"user"},{"role":"user","content":null},{"role":"user","content":[]}]}`, OpChat, Request{Messages: []Message{{Role: RoleUser}, {Role: RoleUser}, {Role: RoleUser}, {Role: RoleUser}}}},
		{"name and unknown member", `{"messages":[{"role":"user","content":"hi","name":"ann","weight":1}]}`, OpChat,
			Request{Messages: []Message{{Role: RoleUser, Name: "ann", Parts: []Part{TextPart("hi")}, Extra: Extra{{"weight", []byte("1")}}}}}},
		{"data URL", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA","detail":"high"}}]}]}`, OpChat,
			Request{Messages: user(Part{Kind: PartImage, Media: &Media{Data: NewText("AAAA"), Type: "image/png", Detail: "high"}})}},
		{"data URL of no media type", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:x\"y;base64,AAAA"}}]}]}`, OpChat,
			Request{Messages: user(Part{Kind: PartImage, Media: &Media{URL: NewText(`data:x"y;base64,AAAA`)}})}},
		{"file", `{"messages":[{"role":"user","content":[{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA","filename":"a.pdf","file_id":null}}]}]}`, OpChat,
			Request{Messages: user(Part{Kind: PartFile, Media: &Media{Data: NewText("AAAA"), Type: "application/pdf", Name: "a.pdf"}})}},
		{"arguments that are a value", `{"messages":[{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"a":1}}}]}]}`, OpChat,
			Request{Messages: []Message{Assistant("", CallPart("c", "f", `{"a":1}`))}}},
		{"ids that were left out", `{"messages":[{"role":"assistant","content":"x","tool_calls":[{"function":{"name":"f"}},{"function":{"name":"g"}}]},{"role":"tool","content":"1"},{"role":"tool","content":"2"}]}`, OpChat,
			Request{Messages: []Message{Assistant("x", CallPart("call_0_1", "f", ""), CallPart("call_0_2", "g", "")), ToolResult("call_0_1", "1"), ToolResult("call_0_2", "2")}}},
		{"results out of order, one without an id, one with a name", `{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f"}},{"id":"b","function":{"name":"g"}}]},{"role":"tool","tool_call_id":"a","content":"1","name":"f"},{"role":"tool","content":"2"},{"role":"tool","content":"3"}]}`, OpChat,
			Request{Messages: []Message{Assistant("", CallPart("a", "f", ""), CallPart("b", "g", "")),
				{Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &Result{ID: "a", Name: "f", Parts: []Part{TextPart("1")}}}}}, ToolResult("b", "2"), ToolResult("", "3")}}},
		{"a result in pieces", `{"messages":[{"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"1"},{"type":"text","text":"\u0032"}]},{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"1"},{"type":"text","text":"2","x":1}]}]}`, OpChat,
			Request{Messages: []Message{ToolResult("a", "1\n2"), {Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &Result{ID: "b",
				Parts: []Part{TextPart("1"), {Kind: PartText, text: NewText("2"), Extra: Extra{{"x", []byte("1")}}}}}}}}}}},
		{"thinking first", `{"messages":[{"role":"assistant","content":"x","tool_calls":[{"id":"c","function":{"name":"f"}}],"reasoning":"hm","reasoning_content":"other"}]}`, OpChat,
			Request{Messages: []Message{{Role: RoleAssistant, Parts: []Part{NewPart(PartThinking, NewText("hm")), TextPart("x"), CallPart("c", "f", "")}}}}},
		{"tokens", `{"input":[1,2]}`, OpEmbed, Request{Op: OpEmbed, Input: []Input{{Tokens: []int64{1, 2}}}}},
		{"arrays of tokens", `{"input":[[1],[2,3]],"user":"u"}`, OpEmbed, Request{Op: OpEmbed, User: "u", Input: []Input{{Tokens: []int64{1}}, {Tokens: []int64{2, 3}}}}},
		{"texts", `{"input":["a","\u00e9"],"dimensions":8,"encoding_format":"base64"}`, OpEmbed, Request{Op: OpEmbed, Dimensions: 8, Encoding: "base64", Input: []Input{{Content: NewText("a")}, {Content: NewText("é")}}}},
		{"a prompt", `{"prompt":"a","suffix":"b","tools":[]}`, OpCompletion, Request{Op: OpCompletion, Input: []Input{{Content: NewText("a")}}, Extra: Extra{{"suffix", []byte(`"b"`)}, {"tools", []byte("[]")}}}},
		{"no prompt", `{"prompt":null}`, OpCompletion, Request{Op: OpCompletion}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := decodeOpenAIRequest(tt.op, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(&tt.want) {
				a, _ := json.Marshal(got)
				b, _ := json.Marshal(tt.want)
				t.Errorf("got  %s\nwant %s", a, b)
			}
		})
	}
}

// badRequests are bodies that are refused, with the place of what is wrong.
var badRequests = []struct {
	op                   Operation
	body, param, message string
}{
	{OpChat, ``, "", "want a JSON object"},
	{OpChat, `[]`, "", "want a JSON object"},
	{OpChat, `{"messages":[{"role":"user","content":"a"}`, "messages", "found the end"},
	{OpChat, `{"messages":[{"role":"user","content":"a]}`, "messages[0].content", "found the end"},
	{OpChat, `{"model":"m"}`, "messages", "missing"},
	{OpChat, `{"messages":{}}`, "messages", "want an array of messages, found an object"},
	{OpChat, `{"messages":[]}`, "messages", "at least one"},
	{OpChat, `{"messages":["a"]}`, "messages[0]", "want a message object, found a string"},
	{OpChat, `{"messages":[{"content":"a"}]}`, "messages[0]", "want a role"},
	{OpChat, `{"messages":[{"role":"bot","content":"a"}]}`, "messages[0].role", "want one of"},
	{OpChat, `{"messages":[{"role":1}]}`, "messages[0].role", "found a number"},
	{OpChat, `{"messages":[{"role":"user","content":1}]}`, "messages[0].content", "want a string or an array of content parts, found a number"},
	{OpChat, `{"messages":[{"role":"user","content":["a"]}]}`, "messages[0].content[0]", "want a content part"},
	{OpChat, `{"messages":[{"role":"user","content":[{"text":"a"}]}]}`, "messages[0].content[0]", `want a "type"`},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"text"}]}]}`, "messages[0].content[0]", `want "text"`},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"text","text":{}}]}]}`, "messages[0].content[0].text", "found an object"},
	{OpChat, `{"messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":7}]}]}`, "messages[1].content[1].image_url", "want an object with a url, found a number"},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":7}}]}]}`, "messages[0].content[0].image_url.url", "want a string"},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}`, "messages[0].content[0]", `want "image_url"`},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"format":"wav"}}]}]}`, "messages[0].content[0]", `want "input_audio"`},
	{OpChat, `{"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"x"}}]}]}`, "messages[0].content[0]", `want "file"`},
	{OpChat, `{"messages":[{"role":"assistant","tool_calls":{}}]}`, "messages[0].tool_calls", "want an array"},
	{OpChat, `{"messages":[{"role":"assistant","tool_calls":[{"id":"a"}]}]}`, "messages[0].tool_calls[0]", `want a "function"`},
	{OpChat, `{"messages":[{"role":"assistant","tool_calls":[{"id":"a","type":"magic","function":{"name":"f"}}]}]}`, "messages[0].tool_calls[0]", "want a call of type"},
	{OpChat, `{"messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"arguments":"{}"}}]}]}`, "messages[0].tool_calls[0].function", "want the name"},
	{OpChat, `{"messages":[{"role":"tool","tool_call_id":7,"content":"a"}]}`, "messages[0].tool_call_id", "found a number"},
	{OpChat, `{"messages":[{"role":"tool","content":"a","refusal":"b"}]}`, "messages[0]", "only content"},
	{OpChat, `{"messages":[{"role":"user","content":"a"}],"messages":[]}`, "messages", "second key"},
	{OpChat, `{"messages":[{"role":"user","content":"a"}],"Messages":[]}`, "Messages", "second key"},
	{OpChat, `{"model":1,"messages":[{"role":"user","content":"a"}]}`, "model", "found a number"},
	{OpChat, `{"temperature":"0","messages":[{"role":"user","content":"a"}]}`, "temperature", "want a number, found a string"},
	{OpChat, `{"temperature":1e999,"messages":[{"role":"user","content":"a"}]}`, "temperature", "want a number"},
	{OpChat, `{"max_tokens":1.5,"messages":[{"role":"user","content":"a"}]}`, "max_tokens", "whole number"},
	{OpChat, `{"max_tokens":-1,"messages":[{"role":"user","content":"a"}]}`, "max_tokens", "not negative"},
	{OpChat, `{"stop":[1],"messages":[{"role":"user","content":"a"}]}`, "stop[0]", "want a string"},
	{OpChat, `{"stop":1,"messages":[{"role":"user","content":"a"}]}`, "stop", "array of strings"},
	{OpChat, `{"stream":"yes","messages":[{"role":"user","content":"a"}]}`, "stream", "want true or false"},
	{OpChat, `{"tools":[{"type":""}],"messages":[{"role":"user","content":"a"}]}`, "tools[0]", `want a "function"`},
	{OpChat, `{"tools":[{"type":"function"}],"messages":[{"role":"user","content":"a"}]}`, "tools[0]", `want a "function"`},
	{OpChat, `{"tools":[{"type":"function","function":{"name":""}}],"messages":[{"role":"user","content":"a"}]}`, "tools[0].function", "name"},
	{OpChat, `{"tools":[{"type":"function","function":{"name":"f","parameters":[]}}],"messages":[{"role":"user","content":"a"}]}`, "tools[0].function.parameters", "JSON Schema"},
	{OpChat, `{"tool_choice":"maybe","messages":[{"role":"user","content":"a"}]}`, "tool_choice", `"auto"`},
	{OpChat, `{"tool_choice":{"type":"function"},"messages":[{"role":"user","content":"a"}]}`, "tool_choice", "name"},
	{OpChat, `{"response_format":"json","messages":[{"role":"user","content":"a"}]}`, "response_format", "object with a type"},
	{OpChat, `{"response_format":{"type":"json_schema"},"messages":[{"role":"user","content":"a"}]}`, "response_format", "json_schema"},
	{OpEmbed, `{"model":"m"}`, "input", "missing"},
	{OpEmbed, `{"input":null}`, "input", "found null"},
	{OpEmbed, `{"input":[]}`, "input", "at least one"},
	{OpEmbed, `{"input":["a",null]}`, "input[1]", "found null"},
	{OpEmbed, `{"input":[[1],[]]}`, "input[1]", "at least one"},
	{OpEmbed, `{"input":[["a"]]}`, "input[0][0]", "token"},
	{OpEmbed, `{"input":["a",1]}`, "input", "both"},
	{OpEmbed, `{"input":"a","encoding_format":"int8"}`, "encoding_format", "float"},
	{OpCompletion, `{"prompt":{}}`, "prompt", "found an object"},
}

func TestOpenAIRequestErrors(t *testing.T) {
	for _, tt := range badRequests {
		_, err := decodeOpenAIRequest(tt.op, []byte(tt.body))
		var e *Error
		if !errors.As(err, &e) || e.Kind != ErrInvalidRequest {
			t.Errorf("%s: %v", tt.body, err)
			continue
		}
		if e.Param != tt.param || !strings.Contains(e.Message, tt.message) || e.Op != tt.op {
			t.Errorf("%s:\ngot  %q %q\nwant %q %q", tt.body, e.Param, e.Message, tt.param, tt.message)
		}
	}
}

// TestOpenAIRequestAliases makes sure that a prompt is not copied when read,
// nor unescaped and escaped again when written.
func TestOpenAIRequestAliases(t *testing.T) {
	const text = `line\u000a \ud83d\ude00 \/ \ud800 end`
	body := []byte(`{"model":"m","messages":[{"role":"user","content":"` + text + `"},{"role":"assistant","content":"","reasoning":"` + text + `"}]}`)
	q, err := decodeOpenAIRequest(OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Messages[0].Text(); got != "line\n 😀 / � end" {
		t.Errorf("got %q", got)
	}
	out, _, err := reencode(q)
	if err != nil || strings.Count(string(out), `"`+text+`"`) != 2 {
		t.Errorf("%s %v", out, err)
	}
	body[strings.Index(string(body), "end")] = 'E'
	if got := q.Messages[0].Text(); !strings.HasSuffix(got, "End") {
		t.Errorf("not an alias: %q", got)
	}
}

// typedRequest has something in every field.
func typedRequest() *Request {
	temperature, k, seed, strict, topP := 0.0, 40, int64(math.MinInt64), false, 1e-9
	return &Request{
		Model: "m",
		Messages: []Message{
			System("Be terse.\n\"Really\" \x01 é \xff"),
			User("Look:", Image("https://example.test/a.png"), Image("data:image/png;base64,AAAA"),
				Part{Kind: PartAudio, Media: &Media{Data: NewText("UklG"), Type: "audio/mpeg"}},
				Part{Kind: PartFile, Media: &Media{Data: NewText("JVBE"), Type: "application/pdf", Name: "a.pdf"}}),
			{Role: RoleAssistant, Parts: []Part{NewPart(PartThinking, NewText("Hm.")), TextPart("A dog."), CallPart("c1", "bark", `{"n":2}`),
				{Kind: PartToolCall, Call: &ToolCall{ID: "c2", Name: "sit", Arguments: ValueArguments([]byte(`{"for": "long"}`))}}}},
			{Role: RoleTool, Parts: []Part{ToolResult("c1", "woof").Parts[0], {Kind: PartToolResult, Result: &Result{ID: "c2", Name: "sit", Parts: []Part{TextPart("it "), TextPart("sits")}}}}},
			{Role: RoleUser, Name: "ann", Parts: []Part{TextPart("Good.")}},
		},
		Tools:       []Tool{{Name: "bark", Description: NewText("make noise"), Parameters: []byte(`{"type":"object"}`), Strict: &strict}},
		ToolChoice:  ToolChoice{Mode: "required"},
		Format:      Format{Schema: []byte(`{"type":"object"}`)},
		Reasoning:   Reasoning{Budget: 8192},
		MaxTokens:   100,
		Temperature: &temperature, TopP: &topP, TopK: &k, Seed: &seed,
		Stop:  []Text{NewText("\n")},
		User:  "u",
		Extra: Extra{{Key: "service_tier", Value: []byte(`"flex"`)}},
	}
}

func TestOpenAITypedRequest(t *testing.T) {
	q := typedRequest()
	c := NewCall(q)
	c.Stream = true
	out, dropped, err := encodeOpenAIRequest(c, q, &Profile{Dialect: OpenAI})
	if err != nil || len(dropped) > 0 {
		t.Fatal(dropped, err)
	}
	if !json.Valid(out) {
		t.Errorf("not JSON: %s", out)
	}
	golden(t, "typed.golden", out)

	var again Request
	if err := json.Unmarshal(out, &again); err != nil {
		t.Fatal(err)
	}
	// One message with two results has become two, and the wish to stream is
	// the call's.
	if len(again.Messages) != len(q.Messages)+1 || !again.Stream {
		t.Errorf("%d messages", len(again.Messages))
	}
	marshalled, err := json.Marshal(&again)
	if err != nil {
		t.Fatal(err)
	}
	var third Request
	if err := json.Unmarshal(marshalled, &third); err != nil || !third.Equal(&again) {
		t.Errorf("%v\n%s\n%s", err, out, marshalled)
	}
}

func TestOpenAIEncodeErrors(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name    string
		request Request
		kind    error
		param   string
	}{
		{"not a number", Request{Temperature: &nan}, ErrInvalidRequest, "temperature"},
		{"raw JSON with more behind it", Request{Extra: Extra{{"x", []byte(`1,"model":"other"`)}}}, ErrInvalidRequest, "x"},
		{"a broken schema", Request{Tools: []Tool{{Name: "f", Parameters: []byte(`{`)}}}, ErrInvalidRequest, "tools"},
		{"a sound elsewhere", Request{Messages: []Message{User("a", Part{Kind: PartAudio, Media: &Media{URL: NewText("https://x")}})}}, ErrUnsupported, "messages[0].content[1]"},
		{"an image by id", Request{Messages: []Message{User("a", Part{Kind: PartImage, Media: &Media{ID: "x"}})}}, ErrUnsupported, "messages[0].content[1]"},
		{"no media", Request{Messages: []Message{User("a", Part{Kind: PartImage})}}, ErrInvalidRequest, "messages[0].content[1]"},
		{"text for a tool", Request{Messages: []Message{User("a"), {Role: RoleTool, Parts: []Part{TextPart("x")}}}}, ErrInvalidRequest, "messages[1]"},
	}
	for _, tt := range tests {
		_, _, err := encodeOpenAIRequest(NewCall(&tt.request), &tt.request, &Profile{Dialect: OpenAI})
		e := AsError(err)
		if e == nil || e.Kind != tt.kind || e.Param != tt.param {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestOpenAIRequestProfile(t *testing.T) {
	parallel, seed, one, half := true, int64(7), 1.0, 0.5
	q := &Request{
		Messages: []Message{
			{Role: RoleDeveloper, Parts: []Part{TextPart("a")}},
			{Role: RoleAssistant, Parts: []Part{NewPart(PartThinking, NewText("hm")), CallPart("call_1", "f", "{}")}},
			ToolResult("call_1", "r"),
		},
		Tools: []Tool{{Name: "f"}}, ToolChoice: ToolChoice{Mode: "required"}, ParallelTools: &parallel, Seed: &seed,
		Temperature: &one, TopP: &half, MaxTokens: 5,
		Extra: Extra{{"logit_bias", []byte("{}")}, {"random_seed", []byte("1")}, {"model", []byte(`"other"`)}},
	}
	p := &Profile{
		Dialect: OpenAI, NoStreamOptions: true, NoDeveloper: true, ToolChoiceRequired: "any",
		ToolID: func(id string) string { return strings.TrimPrefix(id, "call_") + "00000000" },
		Rules: []Rule{
			{Key: "seed", Rename: "random_seed"}, {Key: "max_tokens", Rename: "max_completion_tokens"},
			{Key: "temperature", Keep: "1"}, {Key: "top_p", Keep: "1"}, {Key: "parallel_tool_calls", Models: []string{"other*"}},
			{Key: "reasoning_content"}, {Key: "logit_bias", Models: []string{"m*"}},
		},
	}
	c := NewCall(q)
	c.Model, c.Stream = "m1", true
	out, dropped, err := encodeOpenAIRequest(c, q, p)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"m1","messages":[{"role":"system","content":"a"},{"role":"assistant","content":null,"tool_calls":[{"id":"100000000","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"100000000","content":"r"}],` +
		`"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"any","parallel_tool_calls":true,"max_completion_tokens":5,"temperature":1,"random_seed":1,"stream":true}`
	if string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	// A second random_seed would contradict the caller's own.
	if want := []string{"reasoning_content", "top_p", "seed", "logit_bias", "model"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
}

// TestOpenAIForeignRequest encodes what came in another dialect: its own words
// do not go out.
func TestOpenAIForeignRequest(t *testing.T) {
	q := &Request{
		Messages: []Message{
			{Role: RoleUser, Extra: Extra{{"m", nil}}, Parts: []Part{
				{Kind: PartToolResult, Result: &Result{Parts: []Part{TextPart("1")}, Failed: true}},
				{Kind: PartText, text: NewText("and"), Extra: Extra{{"cache_control", []byte("{}")}}},
				{Kind: PartOther, Raw: []byte(`{"type":"search_result"}`)},
			}},
		},
		Tools:      []Tool{{Name: "f", Extra: Extra{{"cache_control", []byte("{}")}}}, {Type: "web_search_20250305", Raw: []byte(`{}`)}},
		ToolChoice: ToolChoice{Raw: []byte(`{"type":"x"}`)},
		Extra:      Extra{{"thinking", []byte("{}")}},
	}
	q.Messages = append([]Message{Assistant("", Part{Kind: PartToolCall, Call: &ToolCall{Name: "f", Arguments: ValueArguments([]byte(`{"a":1}`)), Extra: Extra{{"caller", []byte("{}")}}}})}, q.Messages...)
	c := &Call{Op: OpChat, Model: "m", load: &payload{dialect: &Dialect{Name: "foreign"}}}
	out, dropped, err := encodeOpenAIRequest(c, q, &Profile{Dialect: OpenAI})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"call_0_0","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},` +
		`{"role":"tool","tool_call_id":"call_0_0","content":"1"},{"role":"user","content":"and"}],"tools":[{"type":"function","function":{"name":"f"}}]}`
	if string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	if want := []string{"caller", "is_error", "messages[1].content[2]", "cache_control", "m", "tools[1]", "tool_choice", "thinking"}; !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
	if q.Messages[0].Parts[0].Call.ID != "" {
		t.Error("the caller's request was changed")
	}
}

func TestOpenAIMessageJSON(t *testing.T) {
	messages := []Message{
		System("a"), User("b", Image("https://x/y.png")), Assistant("c", CallPart("1", "f", `{"x":[]}`)), ToolResult("1", "d"),
		{Role: RoleAssistant, Parts: []Part{NewPart(PartThinking, NewText("e")), NewPart(PartRefusal, NewText("f"))}},
	}
	for _, m := range messages {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again Message
		if err := json.Unmarshal(data, &again); err != nil || !again.Equal(m) {
			t.Errorf("%v %s", err, data)
		}
		for _, p := range m.Parts {
			data, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var again Part
			if err := json.Unmarshal(data, &again); err != nil || !again.Equal(p) {
				t.Errorf("%v %s", err, data)
			}
		}
	}
	var m Message
	if err := json.Unmarshal([]byte(`{"role":"user","content":[{"type":"text"}]}`), &m); !errors.Is(err, ErrInvalidRequest) {
		t.Error(err)
	}
	var p Part
	if err := json.Unmarshal([]byte(`[]`), &p); !errors.Is(err, ErrInvalidRequest) {
		t.Error(err)
	}
}

func TestOpenAIRequestRandom(t *testing.T) {
	r := requests{rand.New(rand.NewPCG(1, 2))}
	for n := range 5000 {
		q := r.request()
		data, err := q.MarshalJSON()
		if err != nil || !json.Valid(data) {
			t.Fatalf("request %d: %v\n%s", n, err, data)
		}
		again, err := decodeOpenAIRequest(q.Op, data)
		if err != nil {
			t.Fatalf("request %d: %v\n%s", n, err, data)
		}
		if !again.Equal(q) {
			t.Fatalf("request %d changed on the way:\n%s", n, data)
		}
		out, _, err := reencode(again)
		if err != nil || string(compact(t, out)) != string(compact(t, data)) {
			t.Fatalf("request %d: %v\n%s\n%s", n, err, data, out)
		}
	}
}

// TestOpenAICut cuts bodies off at every byte: what is left is an error, and
// never a panic.
func TestOpenAICut(t *testing.T) {
	names, err := filepath.Glob("testdata/openai/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		whole = bytes.TrimSpace(whole)
		for n := range whole {
			cut := whole[:n:n]
			if strings.HasSuffix(name, ".response.json") {
				_, err = decodeOpenAIResponse(OpChat, cut)
			} else {
				_, err = decodeOpenAIRequest(OpChat, cut)
			}
			if err == nil {
				t.Fatalf("%s: read a whole of %d bytes", name, n)
			}
		}
	}
	for _, tt := range frameCases {
		for n := range tt.data {
			decodeOpenAIFrame(nil, &Frame{Data: []byte(tt.data[:n])})
		}
	}
}
