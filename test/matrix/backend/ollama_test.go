// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

func ollamaBody(more string) string {
	return `{"model":"qwen3:8b","stream":false,"messages":[{"role":"user","content":"hi"}]` + more + `}`
}

func ollamaTalk(messages string) string {
	return `{"model":"qwen3:8b","stream":false,"messages":[{"role":"user","content":"hi"},` + messages + `]}`
}

func ollamaMessageOf(n tree) string { return n.at("error").str() }

func TestOllamaRules(t *testing.T) {
	b := start(t, "ollama")
	b.header.Del("Content-Type") // nobody looks at it
	calls := `{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]}`
	b.check([]rule{
		{name: "plain", body: ollamaBody(``)},
		{name: "no model", body: `{"messages":[{"role":"user","content":"hi"}]}`, why: "model"},
		{name: "unknown key", body: ollamaBody(`,"tool_choice":"auto"`), why: "tool_choice"},
		{name: "max_tokens", body: ollamaBody(`,"max_tokens":1`), why: "max_tokens"},
		{name: "options", body: ollamaBody(`,"options":{"num_predict":9,"stop":["x"],"num_ctx":4096}`)},
		{name: "unknown option", body: ollamaBody(`,"options":{"max_tokens":9}`), why: "options.max_tokens"},
		{name: "stop as a string", body: ollamaBody(`,"options":{"stop":"x"}`), why: "options.stop"},
		{name: "content in parts", body: ollamaTalk(`{"role":"user","content":[{"type":"text","text":"x"}]}`), why: "cannot unmarshal an array"},
		{name: "null content", body: ollamaTalk(`{"role":"user","content":null}`), why: "cannot unmarshal null"},
		{name: "empty message", body: ollamaTalk(`{"role":"user","content":""}`), why: "empty"},
		{name: "role developer", body: ollamaTalk(`{"role":"developer","content":"x"}`), why: "Supported values"},
		{name: "image", body: ollamaTalk(`{"role":"user","content":"x","images":["` + png + `"]}`)},
		{name: "image as a data URL", body: ollamaTalk(`{"role":"user","content":"x","images":["data:image/png;base64,` + png + `"]}`), why: "illegal base64"},
		{name: "image by URL", body: ollamaTalk(`{"role":"user","content":"x","images":["https://a/b.png"]}`), why: "illegal base64"},
		{name: "no image", body: ollamaTalk(`{"role":"user","content":"x","images":["aGVsbG8="]}`), why: "Failed to load image"},
		{name: "calls", body: ollamaTalk(calls + `,{"role":"tool","content":"ok","tool_name":"f"}`)},
		{name: "result of no tool", body: ollamaTalk(calls + `,{"role":"tool","content":"ok"}`), why: "tool_name"},
		{name: "arguments as a string", body: ollamaTalk(strings.ReplaceAll(calls, `{"a":1}`, `"{}"`)), why: "arguments"},
		{name: "type of a call", body: ollamaTalk(strings.ReplaceAll(calls, `{"function"`, `{"type":"function","function"`)), why: "type"},
		{name: "tools", body: ollamaBody(`,"tools":[` + openAITool + `]`)},
		{name: "flat tool", body: ollamaBody(`,"tools":[` + responsesTool + `]`), why: "tools[0]"},
		{name: "format", body: ollamaBody(`,"format":{"type":"object"}`)},
		{name: "format json", body: ollamaBody(`,"format":"json"`)},
		{name: "format of OpenAI", body: ollamaBody(`,"response_format":{"type":"json_object"}`), why: "response_format"},
		{name: "think", body: ollamaBody(`,"think":"high","keep_alive":"5m"`)},
		{name: "think much", body: ollamaBody(`,"think":"minimal"`), why: "think"},
	}, ollamaMessageOf)
}

func TestOllamaAsk(t *testing.T) {
	b := start(t, "ollama")
	b.post(`{"model":"qwen3:8b","messages":[{"role":"system","content":"S"},{"role":"user","content":"a","images":["` + png + `"]},
		{"role":"assistant","content":"b","thinking":"t","tool_calls":[{"function":{"name":"f","arguments":{"a": 1}}},{"id":"c","function":{"name":"g","arguments":{}}}]},
		{"role":"tool","content":"r","tool_name":"f"},{"role":"tool","content":"s","tool_call_id":"c"}],"tools":[` + openAITool + `],"think":true,
		"options":{"num_predict":9,"temperature":0.5,"top_p":0.25,"seed":7,"stop":["x"]},"format":{"type":"object"}}`)
	a := b.asked()
	equal(t, "ask", fmt.Sprintln(a.Stream, a.Effort, a.MaxTokens, a.Stop, *a.Temperature, *a.TopP, *a.Seed, string(a.Schema), a.Tools[0].Name), "true medium 9 [x] 0.5 0.25 7 {\"type\":\"object\"} f\n")
	equal(t, "turns", outline(a.Turns), "system(S) user(a image:image/png:"+png+`) assistant(thinking:t b call::f:{"a": 1} call:c:g:{}) tool(result::f:r result:c::s)`)
}

func TestOllamaAnswers(t *testing.T) {
	b := start(t, "ollama")
	b.Script(answerOf(neutral.Part{Thinking: odd}, textPart(odd), call("", "f", oddArgs), call("", "g", "{}")))
	for _, streamed := range []bool{false, true} {
		body := ollamaBody(``)
		if streamed {
			body = strings.ReplaceAll(body, `"stream":false,`, ``)
		}
		resp, got := b.post(body)
		equal(t, "type", resp.Header.Get("Content-Type"), map[bool]string{false: "application/json", true: "application/x-ndjson"}[streamed])
		lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
		equal(t, "several lines", len(lines) > 1, streamed)
		content, thinking, calls := "", "", ""
		for i, l := range lines {
			n := parse(t, l)
			equal(t, "done", n.at("done").str() == "true", i == len(lines)-1)
			content += n.at("message", "content").str()
			thinking += n.at("message", "thinking").str()
			for k := range n.at("message", "tool_calls").len() {
				calls += n.at("message", "tool_calls", k, "function", "name").str()
			}
		}
		equal(t, "content", content, odd)
		equal(t, "thinking", thinking, odd)
		equal(t, "calls", calls, "fg")
		equal(t, "arguments", strings.Contains(got, `"arguments":`+oddArgs), true)
		last := parse(t, lines[len(lines)-1])
		equal(t, "end", fmt.Sprintln(last.at("done_reason").str(), last.at("prompt_eval_count").str(), last.at("eval_count").str()), "stop 137 49\n")
	}
}

func TestOllamaFaults(t *testing.T) {
	b := start(t, "ollama")
	b.Script(neutral.Answer{Error: &neutral.Fault{Kind: neutral.FaultNotFound}})
	resp, body := b.post(ollamaBody(``))
	equal(t, "not found", fmt.Sprint(resp.StatusCode, ollamaMessageOf(parse(t, body))), "404model 'qwen3:8b' not found")
	streamed := strings.ReplaceAll(ollamaBody(``), `"stream":false,`, ``)
	for _, f := range []*neutral.Fault{{Kind: neutral.FaultServer, Message: "oops", InStream: true}, {Cut: true}} {
		b.Script(neutral.Answer{Parts: []neutral.Part{textPart("some text")}, Error: f})
		_, body := b.post(streamed)
		lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
		equal(t, "end", parse(t, lines[len(lines)-1]).at("error").str(), f.Message)
		equal(t, "done", strings.Contains(body, `"done":true`), false)
	}
}

// TestLists asks for what a gateway wants to know of a backend; no model is asked.
func TestLists(t *testing.T) {
	for _, l := range []struct{ vendor, method, path, body, want string }{
		{"openai", "GET", "/v1/models", "", `"id":"M"`},
		{"responses", "GET", "/v1/models/M", "", `"object":"model"`},
		{"anthropic", "GET", "/v1/models?limit=1000", "", `"display_name":"M"`},
		{"gemini", "GET", "/v1beta/models", "", `"name":"models/M"`},
		{"ollama", "GET", "/api/tags", "", `"model":"M"`},
		{"ollama", "GET", "/api/version", "", `"version"`},
		{"ollama", "POST", "/api/show", `{"model":"M"}`, `"capabilities":["completion","tools","vision","thinking"]`},
		{"ollama", "POST", "/api/show", `{"model":"other"}`, `model 'other' not found`},
	} {
		b := start(t, l.vendor)
		b.Model = "M"
		_, body, err := b.send(l.method, l.path, l.body)
		if err != nil || !strings.Contains(body, l.want) {
			t.Errorf("%s %s: %s %v, want %s in it", l.vendor, l.path, body, err, l.want)
		}
		equal(t, l.path+" noted", len(b.Take()), 0)
	}
}

// TestScript has many ask at once: answers come in order, the last repeats, and
// what is refused takes none.
func TestScript(t *testing.T) {
	b := start(t, "ollama")
	says := func(s string) neutral.Answer { return neutral.Answer{Parts: []neutral.Part{textPart(s)}} }
	said := func(body string) string {
		_, got := b.post(body)
		return parse(t, got).at("message", "content").str()
	}
	equal(t, "no script", said(ollamaBody(``)), "Hello.")
	b.Script(says("1"), says("2"))
	got := said(ollamaBody(``)) + said(`{}`) + said(ollamaBody(``)) + said(ollamaBody(``))
	equal(t, "answers", got, "122")
	equal(t, "noted", len(b.Take()), 5)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if said(ollamaBody(``)) != "2" {
				t.Error("another answer")
			}
		})
	}
	wg.Wait()
	seen := b.Take()
	equal(t, "noted at once", len(seen), 8)
	equal(t, "path", seen[0].Path, "/api/chat")
	equal(t, "body", string(seen[0].Body), ollamaBody(``))
}

// TestPieces looks at where texts are cut: they join to what they were.
func TestPieces(t *testing.T) {
	equal(t, "pieces", strings.Join(pieces(odd), ""), odd)
	got := fragments(oddArgs)
	equal(t, "fragments", strings.Join(got, ""), oddArgs)
	within := 0
	for _, f := range got[:len(got)-1] {
		if strings.HasSuffix(f, `\`) {
			within++
		}
	}
	equal(t, "cuts within escapes", within > 3, true)
	b := []byte("data: \"é🙂\\n\"\r\n\r\n")
	split := false
	for seed := range 20 {
		for _, c := range awkward(b, seed) {
			split = split || b[c]&0xC0 == 0x80
		}
	}
	equal(t, "cuts within characters", split, true)
}
