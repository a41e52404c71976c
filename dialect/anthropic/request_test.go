// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// models of each generation.
const (
	new5   = "claude-opus-5-1"
	new47  = "claude-opus-4-7"
	mid46  = "claude-sonnet-4-6"
	mid45  = "claude-sonnet-4-5-20250929"
	mid40  = "claude-opus-4-20250514"
	old37  = "claude-3-7-sonnet-latest"
	old35  = "claude-3-5-haiku-20241022"
	old3   = "claude-3-opus-20240229"
	odd    = "someone/else"
	hi     = `"messages":[{"role":"user","content":"hi"}]`
	hiThem = `"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]`
)

const tools = `"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"number"}}}}}]`
const toolsThem = `"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{"a":{"type":"number"}}}}]`

func call(id, name, arguments string) string {
	args, _ := json.Marshal(arguments)
	return `{"id":"` + id + `","type":"function","function":{"name":"` + name + `","arguments":` + string(args) + `}}`
}

func use(id, name, input string) string {
	return `{"type":"tool_use","id":"` + id + `","name":"` + name + `","input":` + input + `}`
}

func TestRequestsToAnthropic(t *testing.T) {
	ask := `{"role":"user","content":"hi"}`
	asked := `{"role":"user","content":[{"type":"text","text":"hi"}]}`
	for _, x := range []struct {
		name, model, from, to string
		dropped               []string
	}{
		{"text", mid45, `{"model":"x",` + hi + `}`, `{"max_tokens":64000,` + hiThem + `}`, nil},
		{"ceilings", old35, `{"model":"x",` + hi + `}`, `{"max_tokens":8192,` + hiThem + `}`, nil},
		{"of the oldest", old3, `{"model":"x",` + hi + `}`, `{"max_tokens":4096,` + hiThem + `}`, nil},
		{"of the newest", new5, `{"model":"x",` + hi + `}`, `{"max_tokens":64000,` + hiThem + `}`, nil},
		{"of others", odd, `{"model":"x","stream":true,` + hi + `}`, `{"max_tokens":64000,"stream":true,` + hiThem + `}`, nil},
		{"a ceiling", old3, `{"model":"x","max_completion_tokens":7,` + hi + `}`, `{"max_tokens":7,` + hiThem + `}`, nil},

		{"system", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"system","content":"a"},` + ask + `]}`, `{"max_tokens":7,"system":"a","messages":[` + asked + `]}`, nil},
		{"two of them", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"system","content":"a"},{"role":"developer","content":"b"},` + ask + `]}`,
			`{"max_tokens":7,"system":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"messages":[` + asked + `]}`, nil},
		{"an empty one", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"system","content":" \n"},` + ask + `]}`, `{"max_tokens":7,"messages":[` + asked + `]}`, nil},
		{"a later one", mid46, `{"model":"x","max_tokens":7,"messages":[` + ask + `,{"role":"developer","content":"b\"c"},{"role":"assistant","content":"d"},` + ask + `]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"<system>b\"c</system>"}]},{"role":"assistant","content":[{"type":"text","text":"d"}]},` + asked + `]}`, nil},
		{"a later one, newest", new47, `{"model":"x","max_tokens":7,"messages":[` + ask + `,{"role":"system","content":"b"},{"role":"assistant","content":"d"},` + ask + `]}`,
			`{"max_tokens":7,"messages":[` + asked + `,{"role":"system","content":[{"type":"text","text":"b"}]},{"role":"assistant","content":[{"type":"text","text":"d"}]},` + asked + `]}`, nil},
		{"only system", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"system","content":"a"}]}`,
			`{"max_tokens":7,"system":"a","messages":[{"role":"user","content":[{"type":"text","text":"(continued)"}]}]}`, nil},
		{"turns", old3, `{"model":"x","max_tokens":7,"messages":[` + ask + `,` + ask + `,{"role":"assistant","content":"a"},{"role":"assistant","content":"b \n\u00a0"}]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"hi"}]},{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}`, nil},
		{"the assistant begins", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"user","content":"\t"},{"role":"assistant","content":"a"},` + ask + `]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"(continued)"}]},{"role":"assistant","content":[{"type":"text","text":"a"}]},` + asked + `]}`, nil},
		{"blank text", old3, `{"model":"x","max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"\u2003\n"},{"type":"text","text":""}]},{"role":"assistant","content":""},{"role":"user","content":"\u0041 "}]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"text","text":"A "}]}]}`, nil},
		{"refusal", old3, `{"model":"x","max_tokens":7,"messages":[` + ask + `,{"role":"assistant","content":null,"refusal":"no"},` + ask + `]}`,
			`{"max_tokens":7,"messages":[` + asked + `,{"role":"assistant","content":[{"type":"text","text":"no"}]},` + asked + `]}`, nil},

		// Results in another order and in several messages, with something between them.
		{"tools", mid45, `{"model":"x","max_tokens":7,` + tools + `,"messages":[` + ask + `,{"role":"assistant","content":"x","tool_calls":[` + call("a", "f", `{"a":1}`) + `,` + call("b.c", "f", ``) + `]},{"role":"tool","tool_call_id":"b.c","content":"B"},{"role":"tool","tool_call_id":"a","content":""},` + ask + `]}`,
			`{"max_tokens":7,` + toolsThem + `,"messages":[` + asked + `,{"role":"assistant","content":[{"type":"text","text":"x"},` + use("a", "f", `{"a":1}`) + `,` + use("toolu_b476cc5a2c583fbb3af86336", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"},{"type":"tool_result","tool_use_id":"toolu_b476cc5a2c583fbb3af86336","content":"B"},{"type":"text","text":"hi"}]}]}`, nil},
		{"tools of the history only", mid45, `{"model":"x","max_tokens":7,"tool_choice":"auto","messages":[` + ask + `,{"role":"assistant","tool_calls":[` + call("a", "f", `null`) + `]},{"role":"tool","tool_call_id":"a","content":"A"}]}`,
			`{"max_tokens":7,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"none"},"messages":[` + asked + `,{"role":"assistant","content":[` + use("a", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"}]}]}`, nil},
		{"kinds of tools", mid45, `{"model":"x","max_tokens":7,"tools":[{"type":"web_search"},{"type":"function","function":{"name":"f","strict":true,"parameters":{}},"cache_control":{"type":"ephemeral"},"odd":1},{"type":"function","function":{"name":"g","parameters":{"properties":{"a":{}}}}}],` + hi + `}`,
			`{"max_tokens":7,"tools":[{"name":"f","strict":true,"input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}},{"name":"g","input_schema":{"type":"object","properties":{"a":{}}}}],` + hiThem + `}`, []string{"odd", "tools[0]"}},
		{"strict, not known", old3, `{"model":"x","max_tokens":7,"tools":[{"type":"function","function":{"name":"f","strict":true}}],` + hi + `}`,
			`{"max_tokens":7,"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],` + hiThem + `}`, []string{"strict"}},
		{"any tool", mid45, `{"model":"x","max_tokens":7,"tool_choice":"required","parallel_tool_calls":false,` + tools + `,` + hi + `}`,
			`{"max_tokens":7,"tool_choice":{"type":"any","disable_parallel_tool_use":true},` + toolsThem + `,` + hiThem + `}`, nil},
		{"one tool", mid45, `{"model":"x","max_tokens":7,"tool_choice":{"type":"function","function":{"name":"f"}},` + tools + `,` + hi + `}`,
			`{"max_tokens":7,"tool_choice":{"type":"tool","name":"f"},` + toolsThem + `,` + hiThem + `}`, nil},
		{"no tool", mid45, `{"model":"x","max_tokens":7,"tool_choice":"none","parallel_tool_calls":true,` + tools + `,` + hi + `}`,
			`{"max_tokens":7,"tool_choice":{"type":"none"},` + toolsThem + `,` + hiThem + `}`, nil},
		{"not in parallel", mid45, `{"model":"x","max_tokens":7,"parallel_tool_calls":false,` + tools + `,` + hi + `}`,
			`{"max_tokens":7,"tool_choice":{"type":"auto","disable_parallel_tool_use":true},` + toolsThem + `,` + hiThem + `}`, nil},
		{"a choice of OpenAI's", mid45, `{"model":"x","max_tokens":7,"tool_choice":{"type":"allowed_tools"},` + tools + `,` + hi + `}`,
			`{"max_tokens":7,` + toolsThem + `,` + hiThem + `}`, []string{"tool_choice"}},
		{"a choice without tools", mid45, `{"model":"x","max_tokens":7,"tool_choice":"required",` + hi + `}`, `{"max_tokens":7,` + hiThem + `}`, nil},

		{"images", mid45, `{"model":"x","max_tokens":7,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/","detail":"high"}},{"type":"image_url","image_url":{"url":"https://x/y.png","detail":"auto"},"cache_control":{"type":"ephemeral"}}]}]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"/9j/"}},{"type":"image","source":{"type":"url","url":"https://x/y.png"},"cache_control":{"type":"ephemeral"}}]}]}`, []string{"detail"}},
		{"documents", mid45, `{"model":"x","max_tokens":7,"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBERi0="}},{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,aMOpCg=="}}]}]}`,
			`{"max_tokens":7,"messages":[{"role":"user","content":[{"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}},{"type":"document","title":"a.txt","source":{"type":"text","media_type":"text/plain","data":"hé\n"}}]}]}`, nil},

		{"sampling", mid45, `{"model":"x","max_tokens":7,"temperature":0.5,"top_k":3,"stop":["a","b"],"user":"u",` + hi + `}`,
			`{"max_tokens":7,"temperature":0.5,"top_k":3,"stop_sequences":["a","b"],"metadata":{"user_id":"u"},` + hiThem + `}`, nil},
		{"two samplers", mid45, `{"model":"x","max_tokens":7,"temperature":2,"top_p":0.5,` + hi + `}`, `{"max_tokens":7,"temperature":1,` + hiThem + `}`, []string{"temperature", "top_p"}},
		{"two samplers, older", old37, `{"model":"x","max_tokens":7,"temperature":0,"top_p":0.5,` + hi + `}`, `{"max_tokens":7,"temperature":0,"top_p":0.5,` + hiThem + `}`, nil},
		{"no sampling", new5, `{"model":"x","max_tokens":7,"temperature":1,"top_p":1,"top_k":1,` + hi + `}`, `{"max_tokens":7,` + hiThem + `}`, []string{"temperature", "top_k", "top_p"}},
		{"blank stop", mid45, `{"model":"x","max_tokens":7,"stop":["a","\n\n",""],` + hi + `}`, `{"max_tokens":7,"stop_sequences":["a"],` + hiThem + `}`, []string{"stop"}},
		{"what it has not", mid45, `{"model":"x","max_tokens":7,"n":2,"seed":1,"frequency_penalty":1,"presence_penalty":1,"logit_bias":{},"logprobs":true,"verbosity":"low","service_tier":"flex","store":true,"metadata":{"a":"b"},"safety_identifier":"s",` + hi + `}`,
			`{"max_tokens":7,"metadata":{"user_id":"s"},` + hiThem + `}`, []string{"frequency_penalty", "logit_bias", "logprobs", "metadata", "n", "presence_penalty", "seed", "service_tier", "store", "verbosity"}},
		{"a tier", mid45, `{"model":"x","max_tokens":7,"service_tier":"auto",` + hi + `}`, `{"max_tokens":7,"service_tier":"auto",` + hiThem + `}`, nil},
		{"schema", mid45, `{"model":"x","max_tokens":7,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},` + hi + `}`,
			`{"max_tokens":7,"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},` + hiThem + `}`, nil},
		{"json", mid45, `{"model":"x","max_tokens":7,"response_format":{"type":"json_object"},` + hi + `}`, `{"max_tokens":7,` + hiThem + `}`, []string{"response_format"}},

		{"effort", new5, `{"model":"x","reasoning_effort":"minimal",` + hi + `}`, `{"max_tokens":64000,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"},` + hiThem + `}`, nil},
		{"the greatest", new5, `{"model":"x","reasoning_effort":"xhigh",` + hi + `}`, `{"max_tokens":64000,"thinking":{"type":"adaptive"},"output_config":{"effort":"xhigh"},` + hiThem + `}`, nil},
		{"of 4.6", mid46, `{"model":"x","reasoning_effort":"xhigh",` + hi + `}`, `{"max_tokens":64000,"thinking":{"type":"adaptive"},"output_config":{"effort":"max"},` + hiThem + `}`, nil},
		{"as a budget", mid45, `{"model":"x","reasoning_effort":"low","temperature":0.5,"top_k":1,"top_p":0.99,"tool_choice":"required",` + tools + `,` + hi + `}`,
			`{"max_tokens":64000,"thinking":{"type":"enabled","budget_tokens":4096},"top_p":0.99,` + toolsThem + `,` + hiThem + `}`, []string{"temperature", "tool_choice", "top_k"}},
		{"lowered", mid40, `{"model":"x","max_tokens":4000,"temperature":1,"reasoning_effort":"high",` + hi + `}`, `{"max_tokens":4000,"temperature":1,"thinking":{"type":"enabled","budget_tokens":3000},` + hiThem + `}`, nil},
		{"too low", mid45, `{"model":"x","max_tokens":1000,"reasoning_effort":"high",` + hi + `}`, `{"max_tokens":1000,` + hiThem + `}`, []string{"reasoning_effort"}},
		{"cannot think", old35, `{"model":"x","reasoning_effort":"high",` + hi + `}`, `{"max_tokens":8192,` + hiThem + `}`, []string{"reasoning_effort"}},
		{"shall not", mid45, `{"model":"x","reasoning_effort":"none",` + hi + `}`, `{"max_tokens":64000,"thinking":{"type":"disabled"},` + hiThem + `}`, nil},
		{"shall not and cannot", old35, `{"model":"x","reasoning_effort":"none",` + hi + `}`, `{"max_tokens":8192,` + hiThem + `}`, nil},
		// A turn in the loop has no signed thinking: the vendor would refuse it.
		{"thinking in a loop", new5, `{"model":"x","max_tokens":7,"reasoning_effort":"low",` + tools + `,"messages":[` + ask + `,{"role":"assistant","reasoning_content":"hm","tool_calls":[` + call("a", "f", `{}`) + `]},{"role":"tool","tool_call_id":"a","content":"A"}]}`,
			`{"max_tokens":7,"thinking":{"type":"disabled"},` + toolsThem + `,"messages":[` + asked + `,{"role":"assistant","content":[` + use("a", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"}]}]}`, []string{"reasoning_effort"}},
		{"after a loop", mid45, `{"model":"x","max_tokens":7000,"reasoning_effort":"low",` + tools + `,"messages":[` + ask + `,{"role":"assistant","tool_calls":[` + call("a", "f", `{}`) + `]},{"role":"tool","tool_call_id":"a","content":"A"},` + ask + `]}`,
			`{"max_tokens":7000,"thinking":{"type":"enabled","budget_tokens":4096},` + toolsThem + `,"messages":[` + asked + `,{"role":"assistant","content":[` + use("a", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"},{"type":"text","text":"hi"}]}]}`, nil},
	} {
		got, dropped, err := translate(t, hoosh.OpenAI, native, x.model, x.from)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		sameJSON(t, x.name, got, strings.Replace(x.to, "{", `{"model":"`+x.model+`",`, 1))
		slices.Sort(dropped)
		if !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: dropped %v, want %v", x.name, dropped, x.dropped)
		}
	}
}

func TestRequestsThatAnthropicCannotBeAsked(t *testing.T) {
	part := func(p string) string {
		return `{"model":"x","messages":[{"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"b"},` + p + `]}]}`
	}
	calls := func(messages string) string {
		return `{"model":"x","messages":[{"role":"user","content":"a"},{"role":"assistant","content":"t","tool_calls":[` + call("a", "f", `{}`) + `,` + call("b", "f", `{}`) + `]}` + messages + `]}`
	}
	for _, x := range []struct {
		body, param string
		kind        error
	}{
		{part(`{"type":"input_audio","input_audio":{"data":"aa","format":"wav"}}`), "messages[1].content[1]", hoosh.ErrUnsupported},
		{part(`{"type":"file","file":{"file_id":"f"}}`), "messages[1].content[1]", hoosh.ErrUnsupported},
		{part(`{"type":"file","file":{"file_data":"data:application/zip;base64,AAAA"}}`), "messages[1].content[1]", hoosh.ErrUnsupported},
		{part(`{"type":"file","file":{"file_data":"data:text/plain;base64,A"}}`), "messages[1].content[1]", hoosh.ErrInvalidRequest},
		{part(`{"type":"image_url","image_url":{"url":"data:image/bmp;base64,AAAA"}}`), "messages[1].content[1]", hoosh.ErrUnsupported},
		{part(`{"type":"image_url","image_url":{"url":"data:image/png,AAAA"}}`), "messages[1].content[1]", hoosh.ErrUnsupported},
		{`{"model":"x","messages":[{"role":"system","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}]}`, "messages[0].content[0]", hoosh.ErrUnsupported},
		{calls(``), "messages[1].content[1]", hoosh.ErrInvalidRequest},
		{calls(`,{"role":"tool","tool_call_id":"a","content":"A"}`), "messages[1].content[2]", hoosh.ErrInvalidRequest},
		{calls(`,{"role":"tool","tool_call_id":"a","content":"A"},{"role":"tool","tool_call_id":"c","content":"A"}`), "messages[3].content[0]", hoosh.ErrInvalidRequest},
		{calls(`,{"role":"tool","tool_call_id":"a","content":"A"},{"role":"tool","tool_call_id":"a","content":"A"}`), "messages[3].content[0]", hoosh.ErrInvalidRequest},
		{`{"model":"x","messages":[{"role":"user","content":"a"},{"role":"tool","tool_call_id":"a","content":"A"}]}`, "messages[1].content[0]", hoosh.ErrInvalidRequest},
		{`{"model":"x","messages":[{"role":"assistant","tool_calls":[` + call("a", "f", `[1]`) + `]},{"role":"tool","tool_call_id":"a","content":"A"}]}`, "messages[0].content[0]", hoosh.ErrInvalidRequest},
		{`{"model":"x","messages":[{"role":"assistant","tool_calls":[` + call("a", "f", `{"a":`) + `]},{"role":"tool","tool_call_id":"a","content":"A"}]}`, "messages[0].content[0]", hoosh.ErrInvalidRequest},
	} {
		_, _, err := translate(t, hoosh.OpenAI, native, mid45, x.body)
		e := hoosh.AsError(err)
		if e == nil || e.Kind != x.kind || e.Param != x.param || e.Message == "" {
			t.Errorf("%s: %+v", x.body, e)
		}
	}
	for _, op := range []hoosh.Operation{hoosh.OpCompletion, hoosh.OpEmbed} {
		c := parse(t, hoosh.OpenAI, op, `{"model":"x","prompt":"a","input":"a"}`)
		if _, _, err := c.BodyFor(profile(native)); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrUnsupported {
			t.Errorf("%v: %v", op, err)
		}
		if _, err := hoosh.ParseCall(native, op, []byte(`{"messages":[]}`)); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrUnsupported {
			t.Errorf("%v: %v", op, err)
		}
	}
}

func TestRequestsFromAnthropic(t *testing.T) {
	for _, x := range []struct {
		name, from, to string
		dropped        []string
	}{
		{"text", `{"model":"x","max_tokens":7,"system":"s","stop_sequences":["a"],"temperature":0.5,"top_k":2,"metadata":{"user_id":"u"},"messages":[{"role":"user","content":"hi"}]}`,
			`{"model":"m","max_tokens":7,"stop":"a","temperature":0.5,"top_k":2,"user":"u","messages":[{"role":"system","content":"s"},{"role":"user","content":"hi"}]}`, nil},
		{"blocks", `{"model":"x","max_tokens":7,"stream":true,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}},{"type":"image","source":{"type":"url","url":"https://x"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA"},"title":"t"},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a\n"}}]}]}`,
			`{"model":"m","max_tokens":7,"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"image_url","image_url":{"url":"https://x"}},{"type":"file","file":{"filename":"t","file_data":"data:application/pdf;base64,AA"}},{"type":"file","file":{"filename":"file.plain","file_data":"data:text/plain;base64,YQo="}}]}]}`, []string{"cache_control"}},
		{"tools", `{"model":"x","max_tokens":7,"tool_choice":{"type":"any","disable_parallel_tool_use":true},"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}},{"type":"web_search_20260209","name":"web_search"}],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"t"},` + use("a", "f", `{"a": 1}`) + `,` + use("b", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"b","content":"B"},{"type":"tool_result","tool_use_id":"a","is_error":true,"content":[{"type":"text","text":"A1"},{"type":"text","text":"A2"}]},{"type":"text","text":"go on"}]}]}`,
			`{"model":"m","max_tokens":7,"tool_choice":"required","parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"t","tool_calls":[` + call("a", "f", `{"a": 1}`) + `,` + call("b", "f", `{}`) + `]},{"role":"tool","tool_call_id":"b","content":"B"},{"role":"tool","tool_call_id":"a","content":"A1\nA2"},{"role":"user","content":"go on"}]}`, []string{"is_error", "tools[1]"}},
		{"a tool", `{"max_tokens":7,"tool_choice":{"type":"tool","name":"f"},"tools":[{"type":"custom","name":"f","input_schema":{"type":"object"},"strict":true}],` + hi + `}`,
			`{"model":"m","max_tokens":7,"tool_choice":{"type":"function","function":{"name":"f"}},"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}}],` + hi + `}`, nil},
		{"budget", `{"max_tokens":70000,"thinking":{"type":"enabled","budget_tokens":31999,"display":"omitted"},` + hi + `}`, `{"model":"m","max_tokens":70000,"reasoning_effort":"high",` + hi + `}`, nil},
		{"effort", `{"max_tokens":7,"output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"object"}}},"thinking":{"type":"adaptive"},` + hi + `}`,
			`{"model":"m","max_tokens":7,"reasoning_effort":"xhigh","response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{"type":"object"}}},` + hi + `}`, nil},
		{"adaptive", `{"max_tokens":7,"thinking":{"type":"adaptive"},` + hi + `}`, `{"model":"m","max_tokens":7,"reasoning_effort":"high",` + hi + `}`, nil},
		{"disabled", `{"max_tokens":7,"thinking":{"type":"disabled"},"output_config":{"effort":"low"},` + hi + `}`, `{"model":"m","max_tokens":7,"reasoning_effort":"none",` + hi + `}`, nil},
		{"its own words", `{"max_tokens":7,"context_management":{"edits":[]},"container":"c","output_config":{"task_budget":{"type":"tokens"}},` + hi + `}`, `{"model":"m","max_tokens":7,` + hi + `}`, []string{"container", "context_management", "output_config"}},
		{"system in between", `{"max_tokens":7,"messages":[{"role":"user","content":"a"},{"content":[{"type":"text","text":"b"}],"role":"system"}]}`,
			`{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a"},{"role":"system","content":"b"}]}`, nil},
		{"thinking", `{"max_tokens":7,"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},{"type":"text","text":"b"}]}]}`,
			`{"model":"m","max_tokens":7,"messages":[{"role":"user","content":"a"},{"role":"assistant","reasoning_content":"hm","content":"b"}]}`, nil},
	} {
		got, dropped, err := translate(t, native, hoosh.OpenAI, "m", x.from)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		sameJSON(t, x.name, got, x.to)
		slices.Sort(dropped)
		if !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: dropped %v, want %v", x.name, dropped, x.dropped)
		}
	}
}

// A model that takes no schema answers by a tool that it must call, which goes
// before thinking.
func TestSchemaByTool(t *testing.T) {
	c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"x","max_tokens":7000,"reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},`+hi+`}`)
	c.Model = mid40
	p := profile(native)
	p.NoSchema = []string{mid40}
	b, dropped, err := c.BodyFor(p)
	if err != nil || !slices.Equal(dropped, []string{"reasoning_effort"}) || !strings.Contains(string(b.Bytes()), `"tool_choice":{"type":"tool","name":"hoosh_answer"}`) || strings.Contains(string(b.Bytes()), "thinking") {
		t.Errorf("%v, %v, %s", err, dropped, b.Bytes())
	}
}

// A Go program's own values are checked, for they become part of the body.
func TestTypedRequests(t *testing.T) {
	ask := func(q hoosh.Request) (string, []string, error) {
		if q.Model = mid45; q.Messages == nil {
			q.Messages = []hoosh.Message{hoosh.User("a")}
		}
		b, dropped, err := hoosh.NewCall(&q).BodyFor(profile(native))
		if err != nil {
			return "", nil, err
		}
		return string(b.Bytes()), dropped, nil
	}
	got, dropped, err := ask(hoosh.Request{
		Messages: []hoosh.Message{
			hoosh.User("a"),
			{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{hoosh.CallPart("", "f", "{}"), hoosh.CallPart("", "g", ""), hoosh.CallPart("", "f", "{}")}}, // without ids
			{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{Name: "g", Parts: []hoosh.Part{hoosh.TextPart("G")}}}}},
			{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{Parts: []hoosh.Part{hoosh.TextPart("F1")}}}}},
			{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{Name: "f", Failed: true, Parts: []hoosh.Part{hoosh.TextPart("F2"), hoosh.TextPart(" ")}}}}},
		},
		Tools:     []hoosh.Tool{{Name: "f"}},
		MaxTokens: 9,
		Extra:     hoosh.Extra{{Key: "thinking", Value: json.RawMessage(`{"type":"between_tools"}`)}, {Key: "output_config", Value: json.RawMessage(`{"a":1}`)}, {Key: "metadata", Value: json.RawMessage(`{}`)}, {Key: "temperature", Value: json.RawMessage(`1`)}, {Key: "inference_geo", Value: json.RawMessage(`"eu"`)}},
	})
	if err != nil || !slices.Equal(dropped, []string{"temperature"}) {
		t.Fatal(dropped, err)
	}
	sameJSON(t, "typed", got, `{"model":"`+mid45+`","max_tokens":9,"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":[`+use("call_1_0", "f", `{}`)+`,`+use("call_1_1", "g", `{}`)+`,`+use("call_1_2", "f", `{}`)+`]},
		{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1_0","content":"F1"},{"type":"tool_result","tool_use_id":"call_1_1","content":"G"},{"type":"tool_result","tool_use_id":"call_1_2","is_error":true,"content":[{"type":"text","text":"F2"}]}]}],
		"tools":[{"name":"f","input_schema":{"type":"object","properties":{}}}],"thinking":{"type":"between_tools"},"output_config":{"a":1},"inference_geo":"eu"}`)

	for _, q := range []hoosh.Request{
		{Temperature: hoosh.Ptr(math.NaN())},
		{Extra: hoosh.Extra{{Key: "container", Value: json.RawMessage(`1,"model":"other"`)}}},
		{Extra: hoosh.Extra{{Key: "output_config", Value: json.RawMessage(`{"a":1}}`)}}},
		{Extra: hoosh.Extra{{Key: "thinking", Value: json.RawMessage(`{`)}}},
		{Tools: []hoosh.Tool{{Name: "f", Parameters: json.RawMessage(`{"a":`)}}},
		{Tools: []hoosh.Tool{{Type: "x", Raw: json.RawMessage(`x`)}}},
		{Format: hoosh.Format{Type: "json_schema", Schema: json.RawMessage(`x`)}},
		{Messages: []hoosh.Message{}},
		{Messages: []hoosh.Message{{Role: hoosh.RoleTool, Parts: []hoosh.Part{hoosh.TextPart("a")}}}},
		{Messages: []hoosh.Message{{Role: hoosh.RoleUser, Parts: []hoosh.Part{{Kind: hoosh.PartImage}}}}},
		{Messages: []hoosh.Message{{Role: hoosh.RoleUser, Parts: []hoosh.Part{{Kind: hoosh.PartFile}}}}},
	} {
		if got, _, err := ask(q); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrInvalidRequest {
			t.Errorf("%s, %v", got, err)
		}
	}
}
