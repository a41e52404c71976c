// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func responsesBody(more string) string {
	return `{"model":"gpt-5.1-codex","input":"hi"` + more + `}`
}

func responsesTalk(items string) string {
	return `{"model":"gpt-5.1-codex","input":[{"role":"user","content":"hi"},` + items + `]}`
}

const (
	responsesTool = `{"type":"function","name":"f","description":"d","parameters":{"type":"object","properties":{}},"strict":false}`
	responsesCall = `{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}`
	responsesDone = `{"type":"function_call_output","call_id":"c1","output":"ok"}`
)

func TestResponsesRules(t *testing.T) {
	b := start(t, "responses")
	b.check([]rule{
		{name: "plain", body: responsesBody(``)},
		{name: "messages", body: `{"model":"m","messages":[]}`, why: "moved to 'input'"},
		{name: "max_tokens", body: responsesBody(`,"max_tokens":99`), why: "moved to 'max_output_tokens'"},
		{name: "stop", body: responsesBody(`,"stop":"x"`), why: "Unknown parameter: 'stop'"},
		{name: "n", body: responsesBody(`,"n":1`), why: "Unknown parameter: 'n'"},
		{name: "seed", body: responsesBody(`,"seed":1`), why: "Unknown parameter: 'seed'"},
		{name: "few tokens", body: responsesBody(`,"max_output_tokens":15`), why: "from 16"},
		{name: "enough tokens", body: responsesBody(`,"max_output_tokens":16`)},
		{name: "thinker's temperature", body: responsesBody(`,"temperature":0.5`), why: "'temperature'"},
		{name: "temperature", body: strings.ReplaceAll(responsesBody(`,"temperature":0.5`), "gpt-5.1-codex", "gpt-4.1")},
		{name: "flat tool", body: responsesBody(`,"tools":[` + responsesTool + `],"tool_choice":{"type":"function","name":"f"}`)},
		{name: "nested tool", body: responsesBody(`,"tools":[` + openAITool + `]`), why: "tools[0].function"},
		{name: "nested choice", body: responsesBody(`,"tools":[` + responsesTool + `],"tool_choice":{"type":"function","function":{"name":"f"}}`), why: "tool_choice.function"},
		{name: "tool without parameters", body: responsesBody(`,"tools":[{"type":"function","name":"f"}]`), why: "parameters"},
		{name: "choice without tools", body: responsesBody(`,"tool_choice":"required"`), why: "must be specified with 'tools'"},
		{name: "other tools", body: responsesBody(`,"tools":[{"type":"web_search"},{"type":"namespace","name":"n","description":"d","tools":[` + responsesTool + `]}]`)},
		{name: "format", body: responsesBody(`,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}},"verbosity":"low"}`)},
		{name: "nested format", body: responsesBody(`,"text":{"format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}}`), why: "json_schema"},
		{name: "effort", body: responsesBody(`,"reasoning":{"effort":"low","summary":"auto"}`)},
		{name: "effort max", body: responsesBody(`,"reasoning":{"effort":"max"}`), why: "Supported values"},
		{name: "include", body: responsesBody(`,"include":["reasoning"]`), why: "Supported values"},
		{name: "call and output", body: responsesTalk(responsesCall + `,` + responsesDone)},
		{name: "no output", body: responsesTalk(responsesCall), why: "No tool output found for function call c1"},
		{name: "no call", body: responsesTalk(responsesDone), why: "No tool call found"},
		{name: "two outputs", body: responsesTalk(responsesCall + `,` + responsesDone + `,` + responsesDone), why: "Duplicate"},
		{name: "arguments no string", body: responsesTalk(strings.ReplaceAll(responsesCall, `"{}"`, `{}`) + `,` + responsesDone), why: "expected a string"},
		{name: "id of a call as id", body: responsesTalk(strings.ReplaceAll(responsesCall, `"name"`, `"id":"call_1","name"`) + `,` + responsesDone), why: "begins with 'fc'"},
		{name: "key of chat", body: responsesTalk(`{"role":"assistant","content":"x","tool_calls":[]}`), why: "tool_calls"},
		{name: "role tool", body: responsesTalk(`{"role":"tool","content":"x"}`), why: "Supported values"},
		{name: "assistant's input_text", body: responsesTalk(`{"role":"assistant","content":[{"type":"input_text","text":"x"}]}`), why: "output_text"},
		{name: "user's output_text", body: responsesTalk(`{"role":"user","content":[{"type":"output_text","text":"x"}]}`), why: "input_text"},
		{name: "image of chat", body: responsesTalk(`{"role":"user","content":[{"type":"input_image","image_url":{"url":"https://a/b"}}]}`), why: "expected a string"},
		{name: "image", body: responsesTalk(`{"role":"user","content":[{"type":"input_image","image_url":"https://a/b","detail":"auto"}]}`)},
		{name: "unknown item", body: responsesTalk(`{"type":"thought"}`), why: "Supported values"},
		{name: "reasoning of another", body: responsesTalk(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"abc"},{"role":"assistant","content":"x"}`), why: "could not be verified"},
		{name: "reasoning that is not kept", body: responsesTalk(`{"type":"reasoning","id":"rs_1","summary":[]},{"role":"assistant","content":"x"}`), why: "not found"},
		{name: "previous", body: responsesBody(`,"previous_response_id":"resp_1"`), why: "not found"},
	}, func(n tree) string { return n.at("error", "message").str() })
}

func TestResponsesAsk(t *testing.T) {
	b := start(t, "responses")
	b.post(`{"model":"gpt-5.1-codex","stream":true,"instructions":"S","input":[{"type":"message","role":"developer","content":"D"},
		{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:image/png;base64,QUJD"},{"type":"input_file","filename":"x.pdf","file_data":"data:application/pdf;base64,QUJD"}]},
		{"type":"message","role":"assistant","id":"msg_1","status":"completed","content":[{"type":"output_text","text":"b","annotations":[]}]},` + responsesCall + `,
		{"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"r"},{"type":"input_image","image_url":"data:image/png;base64,QUJD"}]}],
		"tools":[` + responsesTool + `],"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"reasoning":{"effort":"high"},"max_output_tokens":16,
		"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}}}`)
	a := b.asked()
	equal(t, "ask", fmt.Sprintln(a.Stream, a.Choice, *a.Parallel, a.Effort, a.MaxTokens, a.SchemaName, string(a.Schema), string(a.Tools[0].Parameters)),
		"true tool:f false high 16 n {\"type\":\"object\"} {\"type\":\"object\",\"properties\":{}}\n")
	equal(t, "turns", outline(a.Turns), "system(S) system(D) user(a image:image/png:QUJD file:application/pdf:QUJD:x.pdf) assistant(b call:c1:f:{}) tool(result:c1::r:image)")
}

const withReasoning = `,"reasoning":{"effort":"low","summary":"auto"},"include":["reasoning.encrypted_content"],"store":false`

func thoughtAndCall() neutral.Answer {
	return answerOf(neutral.Part{Thinking: odd}, textPart(odd), call("c1", "f", oddArgs), call("c2", "g", "{}"))
}

func checkResponsesOutput(t *testing.T, n tree) {
	t.Helper()
	equal(t, "status", n.at("status").str(), "completed")
	equal(t, "number of items", n.at("output").len(), 4)
	equal(t, "summary", n.at("output", 0, "summary", 0, "text").str(), odd)
	equal(t, "text", n.at("output", 1, "content", 0, "text").str(), odd)
	equal(t, "arguments", n.at("output", 2, "arguments").str(), oddArgs)
	equal(t, "call", n.at("output", 3, "call_id").str()+n.at("output", 3, "name").str(), "c2g")
	u := n.at("usage")
	equal(t, "usage", fmt.Sprintln(u.at("input_tokens").str(), u.at("input_tokens_details", "cached_tokens").str(), u.at("input_tokens_details", "cache_write_tokens").str(),
		u.at("output_tokens").str(), u.at("output_tokens_details", "reasoning_tokens").str(), u.at("total_tokens").str()), "137 30 7 49 9 186\n")
}

func TestResponsesWhole(t *testing.T) {
	b := start(t, "responses")
	b.Script(thoughtAndCall())
	_, body := b.post(responsesBody(withReasoning))
	n := parse(t, body)
	checkResponsesOutput(t, n)
	signature := n.at("output", 0, "encrypted_content").str()
	if len(signature) < 200 {
		t.Fatalf("encrypted_content: %q", signature)
	}
	b.Take()
	// Its own reasoning comes back.
	b.check([]rule{{name: "own", body: responsesTalk(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"` + signature + `"},` + responsesCall + `,` + responsesDone)},
		{name: "own at the end", body: responsesTalk(`{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"` + signature + `"}`), why: "required following item"}},
		func(n tree) string { return n.at("error", "message").str() })

	_, body = b.post(responsesBody(``))
	n = parse(t, body)
	equal(t, "summary that was not asked for", n.at("output", 0, "summary").len(), 0)
	equal(t, "content that was not asked for", n.at("output", 0, "encrypted_content").v, nil)
	b.Take()
	b.check([]rule{{name: "kept reasoning", body: responsesTalk(`{"type":"reasoning","id":"` + n.at("output", 0, "id").str() + `","summary":[]},{"role":"assistant","content":"x"}`)},
		{name: "kept response", body: responsesBody(`,"previous_response_id":"` + n.at("id").str() + `"`)}}, func(n tree) string { return n.at("error", "message").str() })

	b.Script(neutral.Answer{Parts: []neutral.Part{textPart("x")}, Finish: "length"})
	_, body = b.post(responsesBody(``))
	n = parse(t, body)
	equal(t, "cut short", n.at("status").str()+" "+n.at("incomplete_details", "reason").str(), "incomplete max_output_tokens")
	equal(t, "status of the item", n.at("output", 0, "status").str(), "incomplete")
}

func TestResponsesStream(t *testing.T) {
	b := start(t, "responses")
	b.Script(thoughtAndCall())
	_, body := b.post(responsesBody(withReasoning + `,"stream":true`))
	names, events := sse(t, body, "\n")
	deltas := map[string]string{}
	var order []string
	for i, e := range events {
		equal(t, "sequence_number", e.at("sequence_number").str(), fmt.Sprint(i))
		equal(t, "type", e.at("type").str(), names[i])
		if d := e.at("delta").str(); d != "" {
			deltas[e.at("output_index").str()] += d
		}
		if name := strings.TrimPrefix(names[i], "response."); len(order) == 0 || order[len(order)-1] != name {
			order = append(order, name)
		}
	}
	equal(t, "order", strings.Join(order, " "), "created in_progress "+
		"output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done "+
		"output_item.added content_part.added output_text.delta output_text.done content_part.done output_item.done "+
		"output_item.added function_call_arguments.delta function_call_arguments.done output_item.done "+
		"output_item.added function_call_arguments.delta function_call_arguments.done output_item.done completed")
	equal(t, "deltas", fmt.Sprint(deltas), fmt.Sprint(map[string]string{"0": odd, "1": odd, "2": oddArgs, "3": "{}"}))
	checkResponsesOutput(t, events[len(events)-1].at("response"))
}

func TestResponsesFaults(t *testing.T) {
	b := start(t, "responses")
	ends := func(a neutral.Answer) (string, tree) {
		b.Script(a)
		_, body := b.post(responsesBody(`,"stream":true`))
		names, events := sse(t, body, "\n")
		return names[len(names)-1], events[len(events)-1]
	}
	begun := []neutral.Part{textPart("some text")}
	name, e := ends(neutral.Answer{Parts: begun, Error: &neutral.Fault{Kind: neutral.FaultOverloaded, InStream: true}})
	equal(t, "in the stream", name+" "+e.at("response", "error", "code").str(), "response.failed server_is_overloaded")
	name, e = ends(neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultRate, Message: "slow", InStream: true}})
	equal(t, "at its start", name+" "+e.at("code").str()+" "+e.at("message").str(), "error rate_limit_exceeded slow")
	name, _ = ends(neutral.Answer{Parts: begun, Error: &neutral.Fault{Cut: true}})
	equal(t, "cut", name, "response.output_text.delta")
	b.Script(neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultRate, RetryAfter: 7}})
	resp, body := b.post(responsesBody(`,"stream":true`))
	equal(t, "rate", fmt.Sprint(resp.StatusCode, resp.Header.Get("Retry-After"), parse(t, body).at("error", "code").str()), "4297rate_limit_exceeded")
}
