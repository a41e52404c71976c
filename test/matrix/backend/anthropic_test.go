// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func anthropicBody(more string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func anthropicTalk(messages string) string {
	return `{"model":"claude-sonnet-4-5","max_tokens":4096,"messages":[{"role":"user","content":"hi"},` + messages + `]}`
}

func anthropicNew(body string) string {
	return strings.ReplaceAll(body, "claude-sonnet-4-5", "claude-opus-4-7")
}

const (
	anthropicTool  = `,"tools":[{"name":"f","description":"d","input_schema":{"type":"object","properties":{}}}]`
	anthropicCalls = `{"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f","input":{}},{"type":"tool_use","id":"c2","name":"f","input":{}}]}`
	anthropicR1    = `{"type":"tool_result","tool_use_id":"c1","content":"ok"}`
	anthropicR2    = `{"type":"tool_result","tool_use_id":"c2","content":"ok"}`
	anthropicThink = `,"thinking":{"type":"enabled","budget_tokens":1024}`
)

func userBlocks(blocks ...string) string {
	return `{"role":"user","content":[` + strings.Join(blocks, ",") + `]}`
}

func anthropicMessageOf(n tree) string {
	if n.at("type").str() != "error" || n.at("error", "type").str() == "" || n.at("request_id").str() == "" {
		return "not the shape of an error"
	}
	return n.at("error", "message").str()
}

func TestAnthropicRules(t *testing.T) {
	b := start(t, "anthropic")
	b.check([]rule{
		{name: "plain", body: anthropicBody(``)},
		{name: "no max_tokens", body: `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`, why: "max_tokens: Field required"},
		{name: "n", body: anthropicBody(`,"n":1`), why: "n: Extra inputs are not permitted"},
		{name: "extra within", body: anthropicTalk(`{"role":"user","content":[{"type":"text","text":"x","foo":1}]}`), why: "messages.1.content.0.foo: Extra inputs"},
		{name: "both", body: anthropicBody(`,"temperature":1,"top_p":1`), why: "cannot both"},
		{name: "both, older", body: strings.ReplaceAll(anthropicBody(`,"temperature":1,"top_p":1`), "claude-sonnet-4-5", "claude-3-haiku")},
		{name: "too hot", body: anthropicBody(`,"temperature":1.5`), why: "temperature"},
		{name: "assistant first", body: `{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"assistant","content":"hi"}]}`, why: "first message"},
		{name: "two of the user", body: anthropicTalk(`{"role":"user","content":"more"}`)},
		{name: "system among messages", body: anthropicTalk(`{"role":"system","content":"x"},{"role":"user","content":"y"}`), why: "role"},
		{name: "system among messages, newer", body: anthropicNew(anthropicTalk(`{"role":"system","content":"x"},{"role":"user","content":"y"}`))},
		{name: "empty text", body: anthropicTalk(userBlocks(`{"type":"text","text":""}`)), why: "non-empty"},
		{name: "blank text", body: anthropicTalk(userBlocks(`{"type":"text","text":" \n"}`)), why: "non-whitespace"},
		{name: "no content", body: anthropicTalk(`{"role":"user","content":""}`), why: "non-empty content"},
		{name: "no blocks", body: anthropicTalk(`{"role":"user","content":[]}`), why: "non-empty content"},
		{name: "empty system", body: anthropicBody(`,"system":""`), why: "system"},
		{name: "system in blocks", body: anthropicBody(`,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]`)},
		{name: "prefill", body: anthropicTalk(`{"role":"assistant","content":"and"}`)},
		{name: "prefill with a space", body: anthropicTalk(`{"role":"assistant","content":"and "}`), why: "trailing whitespace"},
		{name: "prefill, newer", body: anthropicNew(anthropicTalk(`{"role":"assistant","content":"and"}`)), why: "prefill"},
		{name: "results", body: anthropicTalk(anthropicCalls + `,` + userBlocks(anthropicR2, anthropicR1, `{"type":"text","text":"x"}`))},
		{name: "text ahead of results", body: anthropicTalk(anthropicCalls + `,` + userBlocks(`{"type":"text","text":"x"}`, anthropicR1, anthropicR2)), why: "must come first"},
		{name: "results in two messages", body: anthropicTalk(anthropicCalls + `,` + userBlocks(anthropicR1) + `,` + userBlocks(anthropicR2)), why: "without `tool_result`"},
		{name: "no results", body: anthropicTalk(anthropicCalls), why: "without `tool_result`"},
		{name: "a result of nothing", body: anthropicTalk(userBlocks(anthropicR1)), why: "unexpected `tool_use_id`"},
		{name: "a result twice", body: anthropicTalk(anthropicCalls + `,` + userBlocks(anthropicR1, anthropicR2, anthropicR2)), why: "single result"},
		{name: "failed result that is empty", body: anthropicTalk(anthropicCalls + `,` + userBlocks(anthropicR1, `{"type":"tool_result","tool_use_id":"c2","content":"","is_error":true}`)), why: "is_error"},
		{name: "an id that is odd", body: anthropicTalk(strings.ReplaceAll(anthropicCalls, "c1", "c.1") + `,` + userBlocks(strings.ReplaceAll(anthropicR1, "c1", "c.1"), anthropicR2)), why: "pattern"},
		{name: "an id twice", body: anthropicTalk(strings.ReplaceAll(anthropicCalls, "c1", "c2") + `,` + userBlocks(anthropicR2)), why: "unique"},
		{name: "input as a string", body: anthropicTalk(strings.ReplaceAll(anthropicCalls, `"input":{}`, `"input":"{}"`) + `,` + userBlocks(anthropicR1, anthropicR2)), why: "an object"},
		{name: "call of the user", body: anthropicTalk(userBlocks(`{"type":"tool_use","id":"c1","name":"f","input":{}}`)), why: "Supported"},
		{name: "choice", body: anthropicBody(anthropicTool + `,"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}`)},
		{name: "choice without tools", body: anthropicBody(`,"tool_choice":{"type":"auto"}`), why: "only be specified while providing tools"},
		{name: "choice as a word", body: anthropicBody(anthropicTool + `,"tool_choice":"auto"`), why: "an object"},
		{name: "choice of another", body: anthropicBody(anthropicTool + `,"tool_choice":{"type":"tool","name":"g"}`), why: "not found"},
		{name: "tool of OpenAI", body: anthropicBody(`,"tools":[` + openAITool + `]`), why: "tools.0"},
		{name: "schema without type", body: anthropicBody(`,"tools":[{"name":"f","input_schema":{}}]`), why: "'object'"},
		{name: "served tool", body: anthropicBody(`,"tools":[{"type":"web_search_20250305","name":"web_search"}]`)},
		{name: "blank stop", body: anthropicBody(`,"stop_sequences":["\n"]`), why: "non-whitespace"},
		{name: "service_tier", body: anthropicBody(`,"service_tier":"flex"`), why: "Supported"},
		{name: "image", body: anthropicTalk(userBlocks(`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}`))},
		{name: "image of a strange type", body: anthropicTalk(userBlocks(`{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":"QUJD"}}`)), why: "image/tiff"},
		{name: "image by http", body: anthropicTalk(userBlocks(`{"type":"image","source":{"type":"url","url":"http://a/b"}}`)), why: "HTTPS"},
		{name: "format", body: anthropicBody(`,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{},"additionalProperties":false}}}`)},
		{name: "open format", body: anthropicBody(`,"output_config":{"format":{"type":"json_schema","schema":{"type":"object","properties":{}}}}`), why: "additionalProperties"},
		{name: "format, older", body: strings.ReplaceAll(anthropicBody(`,"output_config":{}`), "claude-sonnet-4-5", "claude-3-5-haiku"), why: "output_config"},
		{name: "effort of one that has none", body: anthropicBody(`,"output_config":{"effort":"low"}`), why: "effort"},
		{name: "thinking", body: anthropicBody(anthropicThink + `,"temperature":1`)},
		{name: "small budget", body: anthropicBody(`,"thinking":{"type":"enabled","budget_tokens":1023}`), why: "1024"},
		{name: "big budget", body: anthropicBody(`,"thinking":{"type":"enabled","budget_tokens":4096}`), why: "`max_tokens` must be greater"},
		{name: "thinking, cold", body: anthropicBody(anthropicThink + `,"temperature":0`), why: "may only be set to 1"},
		{name: "thinking and top_k", body: anthropicBody(anthropicThink + `,"top_k":4`), why: "top_k"},
		{name: "thinking and a must", body: anthropicBody(anthropicThink + anthropicTool + `,"tool_choice":{"type":"any"}`), why: "forces tool use"},
		{name: "adaptive", body: anthropicBody(`,"thinking":{"type":"adaptive"}`), why: "adaptive"},
		{name: "adaptive, newer", body: anthropicNew(anthropicBody(`,"thinking":{"type":"adaptive"},"output_config":{"effort":"max"}`))},
		{name: "thinking, newer", body: anthropicNew(anthropicBody(anthropicThink)), why: "thinking.type.adaptive"},
		{name: "temperature, newer", body: anthropicNew(anthropicBody(`,"temperature":1`)), why: "not supported"},
		{name: "thinking of another", body: anthropicTalk(`{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"abc"},{"type":"text","text":"y"}]},{"role":"user","content":"z"}`), why: "Invalid `signature` in `thinking` block"},
		{name: "hidden thinking of another", body: anthropicTalk(`{"role":"assistant","content":[{"type":"redacted_thinking","data":"abc"},{"type":"text","text":"y"}]},{"role":"user","content":"z"}`), why: "Invalid `data`"},
		{name: "loop without thinking", body: strings.TrimSuffix(anthropicTalk(anthropicCalls+`,`+userBlocks(anthropicR1, anthropicR2)), "}") + anthropicThink + anthropicTool + `}`, why: "Expected `thinking`"},
		{name: "loop of another turn", body: strings.TrimSuffix(anthropicTalk(anthropicCalls+`,`+userBlocks(anthropicR1, anthropicR2, `{"type":"text","text":"x"}`)+`,{"role":"assistant","content":"y"},{"role":"user","content":"z"}`), "}") + anthropicThink + anthropicTool + `}`},
		{name: "beta", body: anthropicBody(`,"context_management":{}`), why: "context_management: Extra"},
		{name: "count", body: `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`, path: "/v1/messages/count_tokens"},
		{name: "count with max_tokens", body: anthropicBody(``), path: "/v1/messages/count_tokens", why: "max_tokens: Extra"},
	}, anthropicMessageOf)
	b.header.Set("Anthropic-Beta", "context-management-2025-06-27")
	b.header.Set("Anthropic-Version", "2026-10-21")
	b.check([]rule{
		{name: "beta", body: anthropicBody(`,"context_management":{}`)},
		{name: "sampling by the new version", body: anthropicBody(`,"temperature":1`), why: "2026-10-21"},
	}, anthropicMessageOf)
	b.header.Set("Anthropic-Version", "2024-01-01")
	b.check([]rule{{name: "strange version", body: anthropicBody(``), why: "not a valid version"}}, anthropicMessageOf)
	b.header.Del("Anthropic-Version")
	b.check([]rule{{name: "no version", body: anthropicBody(``), why: "anthropic-version"}}, anthropicMessageOf)
	b.header.Del("X-Api-Key")
	b.check([]rule{{name: "no key", body: anthropicBody(``), why: "API key"}}, anthropicMessageOf)
}

func TestAnthropicAsk(t *testing.T) {
	b := start(t, "anthropic")
	b.post(`{"model":"claude-sonnet-4-5","max_tokens":4096,"system":"S","stream":true,"messages":[{"role":"user","content":[{"type":"text","text":"a"},
		{"type":"image","source":{"type":"url","url":"https://a/b"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"},"title":"x.pdf"}]},` + anthropicCalls + `,` +
		userBlocks(anthropicR1, `{"type":"tool_result","tool_use_id":"c2","is_error":true,"content":[{"type":"text","text":"bad"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"QUJD"}}]}`, `{"type":"text","text":"go on"}`) +
		`],"stop_sequences":["x"],"temperature":0.5,"output_config":{"format":{"type":"json_schema","schema":{"type":"string"}}}` + anthropicTool + `,"tool_choice":{"type":"any","disable_parallel_tool_use":true}}`)
	a := b.asked()
	equal(t, "ask", fmt.Sprintln(a.Stream, a.Choice, *a.Parallel, a.MaxTokens, a.Stop, *a.Temperature, string(a.Schema), a.Tools[0].Description), "true required false 4096 [x] 0.5 {\"type\":\"string\"} d\n")
	equal(t, "turns", outline(a.Turns), "system(S) user(a image::https://a/b file:application/pdf:QUJD:x.pdf) assistant(call:c1:f:{} call:c2:f:{}) tool(result:c1::ok result:c2::bad:failed:image) user(go on)")
	b.post(anthropicBody(anthropicThink))
	equal(t, "budget", b.asked().Budget, 1024)
	b.post(anthropicNew(anthropicBody(`,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"}`)))
	equal(t, "effort", b.asked().Effort, "low")
}

// TestAnthropicLoop takes thinking back to where it came from.
func TestAnthropicLoop(t *testing.T) {
	b := start(t, "anthropic")
	b.Script(answerOf(neutral.Part{Thinking: "hm"}, call("c1", "f", "{}")))
	_, body := b.post(anthropicBody(anthropicThink + anthropicTool))
	b.Take()
	signature := parse(t, body).at("content", 0, "signature").str()
	loop := func(blocks string) string {
		return strings.TrimSuffix(anthropicTalk(`{"role":"assistant","content":[`+blocks+`{"type":"tool_use","id":"c1","name":"f","input":{}}]},`+userBlocks(anthropicR1)), "}") + anthropicThink + anthropicTool + `}`
	}
	b.check([]rule{
		{name: "own", body: loop(`{"type":"thinking","thinking":"hm","signature":"` + signature + `"},`)},
		{name: "own, not told", body: loop(`{"type":"thinking","thinking":"","signature":"` + signature + `"},`)},
		{name: "changed", body: loop(`{"type":"thinking","thinking":"ho","signature":"` + signature + `"},`), why: "cannot be modified"},
		{name: "left out", body: loop(``), why: "Expected `thinking`"},
		{name: "text first", body: loop(`{"type":"text","text":"x"},`), why: "but found `text`"},
	}, anthropicMessageOf)
}

func TestAnthropicWhole(t *testing.T) {
	b := start(t, "anthropic")
	b.Script(answerOf(neutral.Part{Thinking: odd, Signature: "mine"}, textPart(odd), call("", "f", oddArgs)))
	_, body := b.post(anthropicBody(``))
	n := parse(t, body)
	equal(t, "thinking", n.at("content", 0, "thinking").str()+n.at("content", 0, "signature").str(), odd+"mine")
	equal(t, "text", n.at("content", 1, "text").str(), odd)
	equal(t, "input", strings.Contains(body, `"input":`+oddArgs), true)
	equal(t, "stop", n.at("stop_reason").str(), "tool_use")
	u := n.at("usage")
	equal(t, "usage", fmt.Sprintln(u.at("input_tokens").str(), u.at("cache_read_input_tokens").str(), u.at("cache_creation_input_tokens").str(), u.at("output_tokens").str(), u.at("output_tokens_details", "thinking_tokens").str()), "100 30 7 49 9\n")
	for _, want := range []struct{ finish, sequence, stop string }{{"length", "", "max_tokens"}, {"content_filter", "", "refusal"}, {"stop", "", "end_turn"}, {"stop", "END", "stop_sequence"}} {
		b.Script(neutral.Answer{Parts: []neutral.Part{textPart("x")}, Finish: want.finish, StopSequence: want.sequence})
		_, body := b.post(anthropicBody(``))
		equal(t, "stop_reason", parse(t, body).at("stop_reason").str()+parse(t, body).at("stop_sequence").str(), want.stop+want.sequence)
	}
	b.Script(answerOf(neutral.Part{Thinking: "hm"}, textPart("x")))
	_, body = b.post(anthropicBody(`,"thinking":{"type":"enabled","budget_tokens":1024,"display":"omitted"}`))
	equal(t, "omitted", parse(t, body).at("content", 0, "thinking").str(), "")
	b.Script(answerOf())
	_, body, _ = b.send("POST", "/v1/messages/count_tokens", `{"model":"claude-sonnet-4-5","messages":[{"role":"user","content":"hi"}]}`)
	equal(t, "count", parse(t, body).at("input_tokens").str(), "137")
}

func TestAnthropicStream(t *testing.T) {
	b := start(t, "anthropic")
	b.Script(answerOf(neutral.Part{Thinking: odd, Signature: "mine"}, textPart(odd), call("c1", "f", oddArgs), call("c2", "g", "{}")))
	_, body := b.post(anthropicBody(`,"stream":true`))
	names, events := sse(t, body, "\n")
	var got [4]string
	var order []string
	pings := 0
	for i, e := range events {
		equal(t, "type", e.at("type").str(), names[i])
		if names[i] == "ping" {
			pings++
			continue
		}
		d := e.at("delta")
		if names[i] == "content_block_delta" {
			at := map[string]int{"0": 0, "1": 1, "2": 2, "3": 3}[e.at("index").str()]
			got[at] += d.at("text").str() + d.at("thinking").str() + d.at("signature").str() + d.at("partial_json").str()
		}
		name := strings.TrimPrefix(names[i], "content_block_")
		if d.at("type").str() != "" {
			name = strings.TrimSuffix(d.at("type").str(), "_delta")
		}
		if len(order) == 0 || order[len(order)-1] != name {
			order = append(order, name)
		}
	}
	equal(t, "order", strings.Join(order, " "), "message_start start thinking signature stop start text stop start input_json stop start input_json stop message_delta message_stop")
	equal(t, "pieces", got, [4]string{odd + "mine", odd, oddArgs, ""})
	equal(t, "pings", pings > 2, true)
	equal(t, "input_tokens", events[0].at("message", "usage", "input_tokens").str(), "100")
	equal(t, "output_tokens", events[len(events)-2].at("usage", "output_tokens").str(), "49")
}

func TestAnthropicFaults(t *testing.T) {
	b := start(t, "anthropic")
	for kind, want := range map[string]string{
		neutral.FaultInvalid: "400 invalid_request_error", neutral.FaultContext: "400 invalid_request_error", neutral.FaultAuth: "401 authentication_error",
		neutral.FaultNotFound: "404 not_found_error", neutral.FaultRate: "429 rate_limit_error", neutral.FaultOverloaded: "529 overloaded_error", neutral.FaultServer: "500 api_error",
	} {
		b.Script(neutral.Answer{Error: &neutral.Fault{Kind: kind, RetryAfter: 7}})
		resp, body := b.post(anthropicBody(`,"stream":true`))
		equal(t, kind, fmt.Sprint(resp.StatusCode, " ", parse(t, body).at("error", "type").str()), want)
		equal(t, kind+" retry-after", resp.Header.Get("Retry-After"), "7")
	}
	for _, f := range []*neutral.Fault{{Kind: neutral.FaultOverloaded, InStream: true}, {Cut: true}} {
		b.Script(neutral.Answer{Parts: []neutral.Part{textPart("some text")}, Error: f})
		_, body := b.post(anthropicBody(`,"stream":true`))
		names, events := sse(t, body, "\n")
		last := len(names) - 1
		equal(t, "end", names[last]+events[last].at("error", "type").str(), map[bool]string{true: "content_block_delta", false: "erroroverloaded_error"}[f.Cut])
	}
}
