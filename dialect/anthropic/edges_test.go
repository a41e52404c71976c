// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// A failure is not a good end.
func TestFailedAnswer(t *testing.T) {
	c := parse(t, native, hoosh.OpChat, `{"model":"m","messages":[{"role":"user","content":"a"}]}`)
	enc := native.NewEncoder(c, &hoosh.Reply{Provider: "far"})
	text := hoosh.NewEvent(hoosh.EventText, 0, hoosh.NewText("a"))
	out, err := enc.Encode(nil, &text)
	if err != nil {
		t.Fatal(err)
	}
	out, err = enc.Encode(out, &hoosh.Event{Kind: hoosh.EventFinish, Finish: hoosh.FinishError})
	if !errors.Is(err, hoosh.ErrUpstream) || !strings.Contains(err.Error(), "the model's answer failed") {
		t.Error(err)
	}
	if out = enc.End(out); strings.Contains(string(out), "stop_reason\":\"") || strings.Contains(string(out), "message_stop") {
		t.Errorf("%s", out)
	}
	r := &hoosh.Response{Choices: []hoosh.Choice{{Message: hoosh.Assistant("a"), Finish: hoosh.FinishError}}}
	if body, err := native.EncodeResponse(c, r); !errors.Is(err, hoosh.ErrUpstream) {
		t.Errorf("%s %v", body, err)
	}
}

// Of a call that the ceiling cut off nothing is told; others' arguments must be whole.
func TestCutCall(t *testing.T) {
	const answer = `{"choices":[{"index":0,"message":{"role":"assistant","content":"so far","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}},
		{"id":"d","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]},"finish_reason":"%s"}]}`
	c := parse(t, native, hoosh.OpChat, `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}]}`)
	for reason, want := range map[string]error{"length": nil, "stop": hoosh.ErrMalformed} {
		r, err := hoosh.OpenAI.DecodeResponse(hoosh.OpChat, fmt.Appendf(nil, answer, reason))
		if err != nil {
			t.Fatal(err)
		}
		body, err := native.EncodeResponse(c, r)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", reason, err)
		}
		if s := string(body); want == nil && (!strings.Contains(s, "so far") || !strings.Contains(s, `"id":"c"`) || strings.Contains(s, `"id":"d"`) || !strings.Contains(s, `"stop_reason":"max_tokens"`)) {
			t.Error(s)
		}
	}
}

// The text of a custom tool is the input of a function.
func TestCustomCalls(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"custom","custom":{"name":"sh","input":%s}}]},{"role":"tool","tool_call_id":"c","content":"r"}]}`
	for input, want := range map[string]string{
		`"ls \"-l\"\n"`:             `"input":{"input":"ls \"-l\"\n"}`,
		`""`:                        `"input":{"input":""}`,
		`"{\"input\":\"a\"}"`:       `"input":{"input":"{\"input\":\"a\"}"}`,
		`"{\"cmd\":[\"ls\",\"\"]}"`: `"input":{"input":"{\"cmd\":[\"ls\",\"\"]}"}`,
	} {
		got, dropped, err := translate(t, hoosh.OpenAI, native, "claude-opus-4-7", fmt.Sprintf(ask, input))
		if err != nil || !strings.Contains(got, want) || len(dropped) > 0 {
			t.Errorf("%s: %s, dropped %q, %v", input, got, dropped, err)
		}
	}
	// Those of another format are wrapped already.
	q := &hoosh.Request{Messages: []hoosh.Message{hoosh.User("x"), hoosh.Assistant("", hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{ID: "c", Name: "sh",
		Arguments: hoosh.ValueArguments([]byte(`{"input":"ls"}`)), Extra: hoosh.Extra{{Key: "type", Value: []byte(`"custom"`)}}}}), hoosh.ToolResult("c", "r")}}
	got, _, err := native.EncodeRequest(hoosh.NewCall(q), q, nil)
	if err != nil || !strings.Contains(string(got), `"input":{"input":"ls"}`) {
		t.Errorf("%s %v", got, err)
	}
}

// A call whose arguments are only white space has none.
func TestBlankArguments(t *testing.T) {
	call := hoosh.Event{Kind: hoosh.EventToolCall, ID: "c", Name: "f"}
	piece := func(s string) hoosh.Event { return hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(s)) }
	if s := write(t, native, []hoosh.Event{call, piece(" "), piece("\n")}); strings.Count(s, "input_json_delta") != 1 { // the empty one
		t.Error(s)
	}
	all := events(t, native, write(t, native, []hoosh.Event{call, piece(" "), piece(`{"a":"x`), piece(" "), piece(`y"}`)}))
	said := ""
	for _, e := range all {
		if e.Kind == hoosh.EventArguments {
			said += e.Content().String()
		}
	}
	if said != `{"a":"x y"}` {
		t.Error(said)
	}
}

// Thinking that came without a signature is known as its issuer's all the same.
func TestSealOfNothing(t *testing.T) {
	thought := hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.NewText("hm"))
	stream := write(t, native, []hoosh.Event{thought, hoosh.NewEvent(hoosh.EventText, 0, hoosh.NewText("a"))})
	var seal string
	for _, e := range events(t, native, stream) {
		if e.Kind == hoosh.EventSignature {
			seal = e.Signature.Data.String()
		}
	}
	q, err := native.DecodeRequest(hoosh.OpChat, []byte(`{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"`+seal+`"},{"type":"text","text":"a"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	s := q.Messages[1].Parts[0].Signature
	if s == nil || s.Issuer != "far" || !s.Data.IsEmpty() {
		t.Errorf("%q is %+v", seal, s)
	}
}

// A call that only warms the cache is no call without a ceiling.
func TestNoAnswerAsked(t *testing.T) {
	const ask = `{"model":"m","max_tokens":0,"messages":[{"role":"user","content":"a"}]}`
	_, _, err := translate(t, native, hoosh.OpenAI, "gpt", ask)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrUnsupported) || e.Param != "max_tokens" {
		t.Error(err)
	}
	if got, _, err := translate(t, native, native, "m", ask); err != nil || got != ask {
		t.Error(got, err)
	}
	if _, _, err := translate(t, native, hoosh.OpenAI, "gpt", strings.Replace(ask, "0", "null", 1)); err != nil {
		t.Error(err)
	}
}

func TestChosenTool(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}},{"type":"hologram","name":"h"}],"tool_choice":{"type":"function","function":{"name":"%s"}}}`
	for name, dropped := range map[string]string{"a": "[tools[1]]", "h": "[tools[1] tool_choice]"} {
		got, d, err := translate(t, hoosh.OpenAI, native, "claude-opus-4-7", fmt.Sprintf(ask, name))
		if err != nil || fmt.Sprint(d) != dropped || strings.Contains(got, "tool_choice") != (name == "a") {
			t.Errorf("%s: %s, dropped %q, %v", name, got, d, err)
		}
	}
}

// Objects in the schema of another format's answer are closed, where that says what
// the schema means.
func TestClosedSchemas(t *testing.T) {
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"a":{"type":"string"}}}`: `{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`,
		`{"properties":{}}`: `{"properties":{},"additionalProperties":false}`,
		`{"type":"object","properties":{"properties":{"type":"object","properties":{}}} }`: `{"type":"object","properties":{"properties":{"type":"object","properties":{},"additionalProperties":false}} ,"additionalProperties":false}`,
		`{"items":{"properties":{"a":{}}},"$defs":{"d":{"properties":{"b":{}}}}}`:          `{"items":{"properties":{"a":{}},"additionalProperties":false},"$defs":{"d":{"properties":{"b":{}},"additionalProperties":false}}}`,
		`{"anyOf":[{"properties":{"a":{}}},{"type":"null"}]}`:                              `{"anyOf":[{"properties":{"a":{}},"additionalProperties":false},{"type":"null"}]}`,
		`{"additionalProperties":true,"properties":{"a":{"properties":{}}}}`:               `{"additionalProperties":true,"properties":{"a":{"properties":{},"additionalProperties":false}}}`,
		`{"allOf":[{"properties":{"a":{}}}],"properties":{"b":{}}}`:                        `{"allOf":[{"properties":{"a":{}}}],"properties":{"b":{}}}`,
		`{"type":"object"}`: `{"type":"object"}`,
		`{"enum":[{"properties":{"a":1}}],"properties":7}`: `{"enum":[{"properties":{"a":1}}],"properties":7}`,
	} {
		ask := `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":` + schema + `}}}`
		got, _, err := translate(t, hoosh.OpenAI, native, "claude-opus-4-7", ask)
		if err != nil || !strings.Contains(got, `"schema":`+want+`}}`) {
			t.Errorf("%s: %s, %v", schema, got, err)
		}
		q := &hoosh.Request{Messages: []hoosh.Message{hoosh.User("x")}, Format: hoosh.Format{Type: "json_schema", Schema: []byte(schema)}}
		if got, _, err := native.EncodeRequest(hoosh.NewCall(q), q, nil); err != nil || !strings.Contains(string(got), `"schema":`+schema+`}}`) {
			t.Errorf("of a Go program, %s: %s, %v", schema, got, err)
		}
	}
}
