// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func openAIBody(more string) string {
	return `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func openAITalk(messages string) string {
	return `{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"},` + messages + `]}`
}

const (
	openAITool   = `{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{}}}}`
	openAICalled = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"f","arguments":"{}"}}]}`
)

func openAIResult(id string) string {
	return `{"role":"tool","tool_call_id":"` + id + `","content":"ok"}`
}

func TestOpenAIRules(t *testing.T) {
	b := start(t, "openai")
	b.check([]rule{
		{name: "plain", body: openAIBody(``)},
		{name: "no JSON", body: `{`, why: "parse the JSON"},
		{name: "a name twice", body: openAIBody(`,"n":1,"n":1`), why: "twice"},
		{name: "unknown key", body: openAIBody(`,"top_k":3`), why: "Unknown parameter: 'top_k'"},
		{name: "no model", body: `{"messages":[{"role":"user","content":"hi"}]}`, why: "'model'"},
		{name: "no messages", body: `{"model":"m"}`, why: "'messages'"},
		{name: "empty messages", body: `{"model":"m","messages":[]}`, why: "empty array"},
		{name: "unknown role", body: openAITalk(`{"role":"model","content":"x"}`), why: "Supported values"},
		{name: "unknown key of a message", body: openAITalk(`{"role":"assistant","content":"x","reasoning_content":"y"}`), why: "reasoning_content"},
		{name: "empty content", body: openAITalk(`{"role":"user","content":""}`), why: "must not be empty"},
		{name: "null content", body: openAITalk(`{"role":"assistant","content":null}`), why: "got null"},
		{name: "refusal", body: openAITalk(`{"role":"assistant","content":null,"refusal":"no"}`)},
		{name: "image for an assistant", body: openAITalk(`{"role":"assistant","content":[{"type":"image_url","image_url":{"url":"https://a/b.png"}}]}`), why: "Supported values"},
		{name: "image", body: openAITalk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD","detail":"low"}},{"type":"text","text":"x"}]}`)},
		{name: "image of a strange type", body: openAITalk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/tiff;base64,QUJD"}}]}`), why: "unsupported image"},
		{name: "image that is no base64", body: openAITalk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,Q!"}}]}`), why: "not valid base64"},
		{name: "bare image", body: openAITalk(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"QUJD"}}]}`), why: "valid URL"},
		{name: "calls and results", body: openAITalk(openAICalled + `,` + openAIResult("c2") + `,` + openAIResult("c1"))},
		{name: "a result missing", body: openAITalk(openAICalled + `,` + openAIResult("c1")), why: "c2"},
		{name: "a result too late", body: openAITalk(openAICalled + `,` + openAIResult("c1") + `,{"role":"user","content":"x"},` + openAIResult("c2")), why: "did not have response messages"},
		{name: "a result of nothing", body: openAITalk(openAIResult("c1")), why: "must be a response"},
		{name: "a result twice", body: openAITalk(openAICalled + `,` + openAIResult("c1") + `,` + openAIResult("c1")), why: "must be a response"},
		{name: "arguments no string", body: openAITalk(strings.ReplaceAll(openAICalled, `"{}"`, `{}`)), why: "expected a string"},
		{name: "long id", body: openAITalk(strings.ReplaceAll(openAICalled, `"c1"`, `"`+strings.Repeat("c", 65)+`"`)), why: "maximum length 64"},
		{name: "odd id", body: openAITalk(strings.ReplaceAll(openAICalled, `"c1"`, `"a b"`)), why: "no id of a call"},
		{name: "no calls", body: openAITalk(`{"role":"assistant","content":"x","tool_calls":[]}`), why: "empty array"},
		{name: "image as a result", body: openAITalk(openAICalled + `,{"role":"tool","tool_call_id":"c1","content":[{"type":"image_url","image_url":{"url":"https://a/b"}}]}`), why: "Supported values"},
		{name: "choice", body: openAIBody(`,"tools":[` + openAITool + `],"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false`)},
		{name: "choice of another", body: openAIBody(`,"tools":[` + openAITool + `],"tool_choice":{"type":"function","function":{"name":"g"}}`), why: "not found in 'tools'"},
		{name: "choice without tools", body: openAIBody(`,"tool_choice":"auto"`), why: "only allowed when 'tools'"},
		{name: "parallel without tools", body: openAIBody(`,"parallel_tool_calls":true`), why: "only allowed when 'tools'"},
		{name: "choice any", body: openAIBody(`,"tools":[` + openAITool + `],"tool_choice":"any"`), why: "Supported values"},
		{name: "no tools", body: openAIBody(`,"tools":[]`), why: "'tools'"},
		{name: "flat tool", body: openAIBody(`,"tools":[{"type":"function","name":"f"}]`), why: "tools[0].name"},
		{name: "bad name of a tool", body: openAIBody(`,"tools":[{"type":"function","function":{"name":"a.b"}}]`), why: "pattern"},
		{name: "schema without type", body: openAIBody(`,"tools":[{"type":"function","function":{"name":"f","parameters":{}}}]`), why: "type: "},
		{name: "array without items", body: openAIBody(`,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"a":{"type":"array"}}}}}]`), why: "missing items"},
		{name: "strict", body: openAIBody(`,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}]`), why: "required"},
		{name: "stream_options", body: openAIBody(`,"stream_options":{"include_usage":true}`), why: "only allowed when 'stream'"},
		{name: "stream_options with stream", body: openAIBody(`,"stream":true,"stream_options":{"include_usage":true}`)},
		{name: "stops", body: openAIBody(`,"stop":["a","b","c","d"]`)},
		{name: "too many stops", body: openAIBody(`,"stop":["a","b","c","d","e"]`), why: "maximum length 4"},
		{name: "too hot", body: openAIBody(`,"temperature":2.5`), why: "temperature"},
		{name: "a null", body: openAIBody(`,"temperature":null,"stop":null,"tools":null`)},
		{name: "both limits", body: openAIBody(`,"max_tokens":5,"max_completion_tokens":5`), why: "at the same time"},
		{name: "schema", body: openAIBody(`,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{},"additionalProperties":false}}}`)},
		{name: "schema without name", body: openAIBody(`,"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}`), why: "json_schema.name"},
		{name: "flat schema", body: openAIBody(`,"response_format":{"type":"json_schema","name":"n","schema":{"type":"object"}}`), why: "response_format.name"},
		{name: "schema that is not strict", body: openAIBody(`,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{}}}}`), why: "additionalProperties"},
		{name: "JSON unmentioned", body: openAIBody(`,"response_format":{"type":"json_object"}`), why: "must contain the word 'json'"},
		{name: "effort of one that does not think", body: openAIBody(`,"reasoning_effort":"low"`), why: "reasoning_effort"},
		{name: "thinker", body: strings.ReplaceAll(openAIBody(`,"reasoning_effort":"low","max_completion_tokens":9,"temperature":1`), "gpt-4.1", "gpt-5-mini")},
		{name: "thinker's max_tokens", body: strings.ReplaceAll(openAIBody(`,"max_tokens":9`), "gpt-4.1", "gpt-5"), why: "max_completion_tokens"},
		{name: "thinker's temperature", body: strings.ReplaceAll(openAIBody(`,"temperature":0`), "gpt-4.1", "o3"), why: "temperature"},
		{name: "thinker's stop", body: strings.ReplaceAll(openAIBody(`,"stop":"x"`), "gpt-4.1", "o4-mini"), why: "'stop'"},
		{name: "elsewhere", body: openAIBody(``), path: "/v1/chat", why: "Unknown request URL"},
	}, func(n tree) string { return n.at("error", "message").str() })
	b.header.Del("Authorization")
	b.check([]rule{{name: "no key", body: openAIBody(``), why: "API key"}}, func(n tree) string { return n.at("error", "message").str() })
}

func TestOpenAIAsk(t *testing.T) {
	b := start(t, "openai")
	b.post(`{"model":"gpt-4.1","stream":true,"messages":[{"role":"system","content":"S"},{"role":"user","content":[{"type":"text","text":"a"},
		{"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},{"type":"file","file":{"filename":"x.pdf","file_data":"data:application/pdf;base64,QUJD"}}]},` +
		openAICalled + `,` + openAIResult("c2") + `,` + openAIResult("c1") + `],"tools":[` + openAITool + `],"tool_choice":"required","parallel_tool_calls":false,
		"n":2,"seed":7,"stop":"x","temperature":0.5,"top_p":0.25,"max_tokens":11,
		"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}`)
	a := b.asked()
	got := fmt.Sprintln(a.Model, a.Stream, a.Choice, *a.Parallel, a.N, *a.Seed, a.Stop, *a.Temperature, *a.TopP, a.MaxTokens, a.SchemaName, string(a.Schema), len(a.Tools), string(a.Tools[0].Parameters))
	equal(t, "ask", got, `gpt-4.1 true required false 2 7 [x] 0.5 0.25 11 n {"type":"object"} 1 {"type":"object","properties":{}}`+"\n")
	equal(t, "turns", outline(a.Turns), "system(S) user(a image:image/png:QUJD file:application/pdf:QUJD:x.pdf) assistant(call:c1:f:{} call:c2:f:{}) tool(result:c2::ok result:c1::ok)")
}

// outline is turns in short.
func outline(turns []neutral.Turn) string {
	var all []string
	for _, t := range turns {
		var ps []string
		for _, p := range t.Parts {
			s := p.Text
			switch {
			case p.Call != nil:
				s = "call:" + p.Call.ID + ":" + p.Call.Name + ":" + p.Call.Args
			case p.Result != nil:
				s = "result:" + p.Result.ID + ":" + p.Result.Name + ":" + p.Result.Text
				if p.Result.Failed {
					s += ":failed"
				}
				if p.Result.Image != nil {
					s += ":image"
				}
			case p.Image != nil:
				s = "image:" + p.Image.Type + ":" + p.Image.Data + p.Image.URL
			case p.File != nil:
				s = "file:" + p.File.Type + ":" + p.File.Data + p.File.URL + ":" + p.File.Name
			case p.Thinking != "" || p.Signature != "" && p.Text == "":
				s = "thinking:" + p.Thinking
			}
			if p.Signature != "" {
				s += ":signed"
			}
			ps = append(ps, s)
		}
		all = append(all, t.Role+"("+strings.Join(ps, " ")+")")
	}
	return strings.Join(all, " ")
}

func checkOpenAIUsage(t *testing.T, u tree) {
	t.Helper()
	equal(t, "prompt_tokens", u.at("prompt_tokens").str(), "137")
	equal(t, "completion_tokens", u.at("completion_tokens").str(), "49")
	equal(t, "total_tokens", u.at("total_tokens").str(), "186")
	equal(t, "cached_tokens", u.at("prompt_tokens_details", "cached_tokens").str(), "30")
	equal(t, "cache_write_tokens", u.at("prompt_tokens_details", "cache_write_tokens").str(), "7")
	equal(t, "reasoning_tokens", u.at("completion_tokens_details", "reasoning_tokens").str(), "9")
}

func TestOpenAIWhole(t *testing.T) {
	b := start(t, "openai")
	a := answerOf(textPart(odd), call("", "f", oddArgs), call("c9", "g", ""))
	a.More = []neutral.Answer{{Parts: []neutral.Part{textPart("two")}, Finish: "length"}}
	b.Script(a)
	_, body := b.post(openAIBody(``))
	n := parse(t, body)
	m := n.at("choices", 0, "message")
	equal(t, "content", m.at("content").str(), odd)
	equal(t, "arguments", m.at("tool_calls", 0, "function", "arguments").str(), oddArgs)
	equal(t, "no arguments", m.at("tool_calls", 1, "function", "arguments").str(), "{}")
	equal(t, "id", m.at("tool_calls", 1, "id").str(), "c9")
	equal(t, "made id", strings.HasPrefix(m.at("tool_calls", 0, "id").str(), "call_"), true)
	equal(t, "finish", n.at("choices", 0, "finish_reason").str(), "tool_calls")
	equal(t, "second", n.at("choices", 1, "message", "content").str()+n.at("choices", 1, "finish_reason").str(), "twolength")
	checkOpenAIUsage(t, n.at("usage"))
}

func TestOpenAIStream(t *testing.T) {
	b := start(t, "openai")
	a := answerOf(textPart(odd), call("c1", "f", oddArgs), call("c2", "g", `{}`))
	a.More = []neutral.Answer{{Parts: []neutral.Part{textPart(odd + odd)}}}
	b.Script(a)
	resp, body := b.post(openAIBody(`,"stream":true,"stream_options":{"include_usage":true}`))
	equal(t, "type", resp.Header.Get("Content-Type"), "text/event-stream; charset=utf-8")
	equal(t, "comments", strings.Contains(body, "\n: keep-alive"), true)
	names, events := sse(t, body, "\n")
	n := len(events)
	equal(t, "terminator", names[n-1], "[DONE]")
	equal(t, "choices of the usage", events[n-2].at("choices").len(), 0)
	checkOpenAIUsage(t, events[n-2].at("usage"))
	var content, finish [2]string
	var args [2]string
	for i, e := range events[:n-2] {
		equal(t, "number of choices", e.at("choices").len(), 1)
		equal(t, "id", e.at("id").str(), events[0].at("id").str())
		c := e.at("choices", 0)
		k := map[string]int{"0": 0, "1": 1}[c.at("index").str()]
		if i < 2 {
			equal(t, "role", c.at("delta", "role").str(), "assistant")
		}
		content[k] += c.at("delta", "content").str()
		finish[k] += c.at("finish_reason").str()
		if call := c.at("delta", "tool_calls", 0); call.v != nil {
			at := map[string]int{"0": 0, "1": 1}[call.at("index").str()]
			args[at] += call.at("function", "arguments").str()
		}
	}
	equal(t, "content", content, [2]string{odd, odd + odd})
	equal(t, "finish", finish, [2]string{"tool_calls", "stop"})
	equal(t, "arguments", args, [2]string{oddArgs, "{}"})

	_, body = b.post(openAIBody(`,"stream":true`))
	_, events = sse(t, body, "\n")
	for _, e := range events[:len(events)-1] {
		equal(t, "number of choices without usage", e.at("choices").len(), 1)
	}
}

func TestOpenAIFaults(t *testing.T) {
	b := start(t, "openai")
	for kind, want := range map[string]string{
		neutral.FaultInvalid: "400 invalid_request_error ", neutral.FaultContext: "400 invalid_request_error context_length_exceeded",
		neutral.FaultAuth: "401 invalid_request_error invalid_api_key", neutral.FaultNotFound: "404 invalid_request_error model_not_found",
		neutral.FaultRate: "429 requests rate_limit_exceeded", neutral.FaultOverloaded: "503 service_unavailable_error server_is_overloaded",
		neutral.FaultServer: "500 server_error ",
	} {
		b.Script(neutral.Answer{Error: &neutral.Fault{Kind: kind, RetryAfter: 7}})
		resp, body := b.post(openAIBody(`,"stream":true`))
		e := parse(t, body).at("error")
		equal(t, kind, fmt.Sprint(resp.StatusCode, " ", e.at("type").str(), " ", e.at("code").str()), want)
		equal(t, kind+" retry-after", resp.Header.Get("Retry-After"), "7")
	}
	b.Script(neutral.Answer{Parts: []neutral.Part{textPart("some text")}, Error: &neutral.Fault{Kind: neutral.FaultServer, Message: "oops", InStream: true}})
	resp, body := b.post(openAIBody(`,"stream":true`))
	_, events := sse(t, body, "\n")
	equal(t, "status", resp.StatusCode, 200)
	equal(t, "last event", events[len(events)-1].at("error", "message").str(), "oops")
	b.Script(neutral.Answer{Parts: []neutral.Part{textPart("some text")}, Error: &neutral.Fault{Cut: true}})
	_, body = b.post(openAIBody(`,"stream":true`))
	_, events = sse(t, body, "\n")
	come := ""
	for _, e := range events {
		come += e.at("choices", 0, "delta", "content").str()
	}
	equal(t, "what came before the cut", come, "some text")
	equal(t, "cut", !strings.Contains(body, "[DONE]") && !strings.Contains(body, `"finish_reason":"`), true)
	if _, _, err := b.send("POST", b.path, openAIBody(``)); err == nil {
		t.Error("a body that is cut was read to its end")
	}
}
