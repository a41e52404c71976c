// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func geminiBody(more string) string {
	return `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]` + more + `}`
}

func geminiTalk(contents string) string {
	return `{"contents":[{"role":"user","parts":[{"text":"hi"}]},` + contents + `]}`
}

func geminiParts(role string, parts ...string) string {
	return `{"role":"` + role + `","parts":[` + strings.Join(parts, ",") + `]}`
}

const (
	geminiTool  = `,"tools":[{"functionDeclarations":[{"name":"f","description":"d","parametersJsonSchema":{"type":"object","properties":{"a":{"const":1}}}}]}]`
	geminiCallF = `{"functionCall":{"name":"f","args":{}}}`
	geminiCallG = `{"functionCall":{"id":"1","name":"g"}}`
	geminiDoneF = `{"functionResponse":{"name":"f","response":{"output":"ok"}}}`
	geminiDoneG = `{"functionResponse":{"id":"1","name":"g","response":{"error":"bad"}}}`
	third       = "/v1beta/models/gemini-3-pro:generateContent"
)

func geminiMessageOf(n tree) string {
	if n.at(0).v != nil {
		n = n.at(0)
	}
	if n.at("error", "status").str() == "" || n.at("error", "code").str() == "" {
		return "not the shape of an error"
	}
	return n.at("error", "message").str()
}

func withSchema(schema string) string {
	return geminiBody(`,"tools":[{"functionDeclarations":[{"name":"f","parameters":` + schema + `}]}]`)
}

func TestGeminiRules(t *testing.T) {
	b := start(t, "gemini")
	config := func(c string) string { return geminiBody(`,"generationConfig":{` + c + `}`) }
	b.check([]rule{
		{name: "plain", body: geminiBody(``)},
		{name: "by v1", body: geminiBody(``), path: "/v1/models/vendor/m:generateContent"},
		{name: "snake case", body: `{"contents":[{"parts":[{"inline_data":{"mime_type":"image/png","data":"QUJD"}}]}],"generation_config":{"max_output_tokens":"5"},"system_instruction":{"parts":[{"text":"S"}]}}`},
		{name: "both cases", body: geminiBody(`,"generationConfig":{},"generation_config":{}`), why: "two spellings"},
		{name: "unknown", body: geminiBody(`,"messages":[]`), why: `Unknown name "messages": Cannot find field`},
		{name: "unknown within", body: config(`"maxTokens":1`), why: `Unknown name "maxTokens" at 'generationConfig'`},
		{name: "no contents", body: `{}`, why: "contents is not specified"},
		{name: "empty contents", body: `{"contents":[]}`, why: "contents is not specified"},
		{name: "role assistant", body: geminiTalk(geminiParts("assistant", `{"text":"x"}`)), why: "valid role: user, model"},
		{name: "no parts", body: geminiTalk(geminiParts("user")), why: "must not be empty"},
		{name: "empty part", body: geminiTalk(geminiParts("user", `{}`)), why: "exactly once"},
		{name: "empty text", body: geminiTalk(geminiParts("user", `{"text":""}`)), why: "empty text"},
		{name: "two in a part", body: geminiTalk(geminiParts("user", `{"text":"x","inlineData":{"mimeType":"image/png","data":"QUJD"}}`)), why: "exactly once"},
		{name: "no base64", body: geminiTalk(geminiParts("user", `{"inlineData":{"mimeType":"image/png","data":"!"}}`)), why: "Base64"},
		{name: "data URL", body: geminiTalk(geminiParts("user", `{"inlineData":{"mimeType":"image/png","data":"data:image/png;base64,QUJD"}}`)), why: "Base64"},
		{name: "calls", body: geminiTalk(geminiParts("model", geminiCallF, geminiCallG) + `,` + geminiParts("user", geminiDoneG, geminiDoneF))},
		{name: "too few results", body: geminiTalk(geminiParts("model", geminiCallF, geminiCallG) + `,` + geminiParts("user", geminiDoneF)), why: "number of function response parts"},
		{name: "results in two contents", body: geminiTalk(geminiParts("model", geminiCallF, geminiCallG) + `,` + geminiParts("user", geminiDoneF) + `,` + geminiParts("user", geminiDoneG)), why: "number of function response parts"},
		{name: "no results", body: geminiTalk(geminiParts("model", geminiCallF)), why: "number of function response parts"},
		{name: "results of nothing", body: geminiTalk(geminiParts("user", geminiDoneF)), why: "immediately after a function call turn"},
		{name: "result of another", body: geminiTalk(geminiParts("model", geminiCallF) + `,` + geminiParts("user", geminiDoneG)), why: "does not match"},
		{name: "response of text", body: geminiTalk(geminiParts("model", geminiCallF) + `,` + geminiParts("user", `{"functionResponse":{"name":"f","response":"ok"}}`)), why: "expected an object"},
		{name: "args as a string", body: geminiTalk(geminiParts("model", `{"functionCall":{"name":"f","args":"{}"}}`) + `,` + geminiParts("user", geminiDoneF)), why: "expected an object"},
		{name: "call of the user", body: geminiTalk(geminiParts("user", geminiCallF)), why: "role 'model'"},
		{name: "calls first", body: `{"contents":[` + geminiParts("model", geminiCallF) + `,` + geminiParts("user", geminiDoneF) + `]}`, why: "immediately after a user turn"},
		{name: "JSON Schema", body: geminiBody(geminiTool + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}`)},
		{name: "names with AUTO", body: geminiBody(geminiTool + `,"toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}}`), why: "should only be set when"},
		{name: "mode in small letters", body: geminiBody(geminiTool + `,"toolConfig":{"functionCallingConfig":{"mode":"any"}}`), why: "Invalid value"},
		{name: "config without tools", body: geminiBody(`,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`), why: "without function_declarations"},
		{name: "OpenAPI schema", body: withSchema(`{"type":"object","properties":{"a_b":{"type":"ARRAY","items":{"type":"string","enum":["x"]}}},"required":["a_b"]}`)},
		{name: "const", body: withSchema(`{"type":"object","properties":{"a":{"const":1}}}`), why: `Unknown name "const"`},
		{name: "additionalProperties", body: withSchema(`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`), why: "additionalProperties"},
		{name: "$schema", body: withSchema(`{"$schema":"x","type":"object","properties":{"a":{"type":"string"}}}`), why: "$schema"},
		{name: "list of types", body: withSchema(`{"type":"object","properties":{"a":{"type":["string","null"]}}}`), why: "type"},
		{name: "no properties", body: withSchema(`{"type":"object","properties":{}}`), why: "should be non-empty"},
		{name: "stops", body: config(`"stopSequences":["1","2","3","4","5"]`)},
		{name: "too many stops", body: config(`"stopSequences":["1","2","3","4","5","6"]`), why: "at most 5"},
		{name: "too hot", body: config(`"temperature":2.1`), why: "temperature"},
		{name: "schema", body: config(`"responseMimeType":"application/json","responseJsonSchema":{"type":"object","properties":{}}`)},
		{name: "schema of text", body: config(`"responseJsonSchema":{"type":"object"}`), why: "response_mime_type"},
		{name: "budget", body: config(`"thinkingConfig":{"includeThoughts":true,"thinkingBudget":1000}`)},
		{name: "level of an older one", body: config(`"thinkingConfig":{"thinkingLevel":"LOW"}`), why: "not supported for this model"},
		{name: "level", body: config(`"thinkingConfig":{"thinkingLevel":"LOW"}`), path: third},
		{name: "level and budget", body: config(`"thinkingConfig":{"thinkingLevel":"LOW","thinkingBudget":1}`), path: third, why: "only one of"},
		{name: "signature of another", body: geminiTalk(geminiParts("model", `{"text":"x","thoughtSignature":"QUJD"}`)), why: "Corrupted thought signature"},
		{name: "signature that is none", body: geminiTalk(geminiParts("model", `{"text":"x","thoughtSignature":"sig 1"}`)), why: "Base64"},
		{name: "count", body: geminiBody(``), path: "/v1beta/models/gemini-2.5-flash:countTokens"},
		{name: "alt", body: geminiBody(``), path: paths["gemini"] + "?alt=sse", why: "alt"},
		{name: "elsewhere", body: geminiBody(``), path: "/v1beta/models/m:generateText", why: "not found"},
		{name: "streamed refusal", body: `{}`, path: "/v1beta/models/m:streamGenerateContent", why: "contents"},
	}, geminiMessageOf)
	b.header.Del("X-Goog-Api-Key")
	b.check([]rule{
		{name: "no key", body: geminiBody(``), why: "unregistered callers"},
		{name: "key in the query", body: geminiBody(``), path: paths["gemini"] + "?key=k"},
	}, geminiMessageOf)
}

// TestGeminiSignatures takes signatures back to where they came from.
func TestGeminiSignatures(t *testing.T) {
	b := start(t, "gemini")
	b.path = third
	b.Script(answerOf(call("", "f", "{}"), call("1", "g", "{}")))
	_, body := b.post(geminiBody(geminiTool))
	b.Take()
	parts := parse(t, body).at("candidates", 0, "content", "parts")
	signature := parts.at(0, "thoughtSignature").str()
	if raw, err := base64.StdEncoding.DecodeString(signature); err != nil || len(raw) < 180 {
		t.Fatalf("thoughtSignature: %q, %v", signature, err)
	}
	equal(t, "signature of the second call", parts.at(1, "thoughtSignature").v, nil)
	signed := func(s string) string { return `{"functionCall":{"name":"f","args":{}},"thoughtSignature":"` + s + `"}` }
	loop := func(f string) string {
		return geminiTalk(geminiParts("model", f, geminiCallG) + `,` + geminiParts("user", geminiDoneF, geminiDoneG))
	}
	b.check([]rule{
		{name: "own", body: loop(signed(signature))},
		{name: "own, other alphabet", body: loop(signed(strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(signature)))},
		{name: "dummy", body: loop(signed("skip_thought_signature_validator"))},
		{name: "dummy in base64", body: loop(signed(base64.StdEncoding.EncodeToString([]byte("skip_thought_signature_validator"))))},
		{name: "missing", body: loop(geminiCallF), why: "missing a thought_signature"},
		{name: "of another", body: loop(signed("QUJD")), why: "Corrupted"},
		{name: "missing in an earlier turn", body: strings.TrimSuffix(loop(geminiCallF), "]}") + `,` + geminiParts("user", `{"text":"x"}`) + `]}`},
		{name: "missing, older model", body: loop(geminiCallF), path: paths["gemini"]},
	}, geminiMessageOf)
}

func TestGeminiAsk(t *testing.T) {
	b := start(t, "gemini")
	b.path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
	b.post(`{"systemInstruction":{"parts":[{"text":"S"}]},"contents":[` + geminiParts("user", `{"text":"a"}`, `{"inlineData":{"mimeType":"image/png","data":"QUJD"}}`, `{"fileData":{"mimeType":"application/pdf","fileUri":"https://a/b"}}`) + `,` +
		geminiParts("model", `{"text":"t","thought":true}`, geminiCallF, geminiCallG) + `,` + geminiParts("user", geminiDoneF, geminiDoneG, `{"text":"go on"}`) + `]` +
		geminiTool + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}},"generationConfig":{"temperature":0.5,"topP":0.25,"maxOutputTokens":9,"stopSequences":["x"],
		"seed":7,"candidateCount":2,"responseMimeType":"application/json","responseSchema":{"type":"OBJECT","properties":{"type":{"type":"STRING"}}},"thinkingConfig":{"thinkingBudget":100}}}`)
	a := b.asked()
	equal(t, "ask", fmt.Sprintln(a.Model, a.Stream, a.Choice, a.MaxTokens, a.Stop, *a.Temperature, *a.TopP, *a.Seed, a.N, a.Budget, string(a.Schema), string(a.Tools[0].Parameters)),
		`gemini-2.5-flash true tool:f 9 [x] 0.5 0.25 7 2 100 {"properties":{"type":{"type":"string"}},"type":"object"} {"type":"object","properties":{"a":{"const":1}}}`+"\n")
	equal(t, "turns", outline(a.Turns), "system(S) user(a image:image/png:QUJD file:application/pdf:https://a/b:) assistant(thinking:t call::f:{} call:1:g:{}) tool(result::f:ok result:1:g:bad:failed) user(go on)")
	b.post(geminiTalk(geminiParts("model", geminiCallF) + `,` + geminiParts("user", `{"functionResponse":{"name":"f","response":{"degrees": 18}}}`)))
	equal(t, "a result by itself", outline(b.asked().Turns), `user(hi) assistant(call::f:{}) tool(result::f:{"degrees": 18})`)
}

func checkGeminiUsage(t *testing.T, u tree) {
	t.Helper()
	equal(t, "usage", fmt.Sprintln(u.at("promptTokenCount").str(), u.at("cachedContentTokenCount").str(), u.at("candidatesTokenCount").str(), u.at("thoughtsTokenCount").str(), u.at("totalTokenCount").str()), "137 30 40 9 186\n")
}

const geminiThoughts = `,"generationConfig":{"thinkingConfig":{"includeThoughts":true}}`

func TestGeminiWhole(t *testing.T) {
	b := start(t, "gemini")
	a := answerOf(neutral.Part{Thinking: odd}, textPart(odd), call("", "f", oddArgs))
	a.More = []neutral.Answer{{Parts: []neutral.Part{textPart("two")}, Finish: "length"}}
	b.Script(a)
	_, body := b.post(geminiBody(geminiThoughts))
	n := parse(t, body)
	parts := n.at("candidates", 0, "content", "parts")
	equal(t, "thought", parts.at(0, "text").str()+parts.at(0, "thought").str(), odd+"true")
	equal(t, "text", parts.at(1, "text").str(), odd)
	equal(t, "args", strings.Contains(body, `"args":`+oddArgs), true)
	equal(t, "finish", n.at("candidates", 0, "finishReason").str()+n.at("candidates", 1, "finishReason").str(), "STOPMAX_TOKENS")
	equal(t, "second", n.at("candidates", 1, "content", "parts", 0, "text").str(), "two")
	checkGeminiUsage(t, n.at("usageMetadata"))
	_, body = b.post(geminiBody(``))
	equal(t, "thoughts that were not asked for", parse(t, body).at("candidates", 0, "content", "parts").len(), 2)
	b.Script(neutral.Answer{Finish: "content_filter"})
	_, body = b.post(geminiBody(``))
	equal(t, "content of what is filtered", parse(t, body).at("candidates", 0, "content").v, nil)
	b.Script(answerOf())
	_, body, _ = b.send("POST", "/v1beta/models/m:countTokens", geminiBody(``))
	equal(t, "count", parse(t, body).at("totalTokens").str(), "137")
}

func TestGeminiStream(t *testing.T) {
	b := start(t, "gemini")
	a := answerOf(neutral.Part{Thinking: odd}, textPart(odd), call("", "f", oddArgs), call("", "g", "{}"), call("", "h", "{}"))
	a.More = []neutral.Answer{{Parts: []neutral.Part{textPart(odd + odd)}}}
	for _, path := range []string{"/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse", "/v1beta/models/gemini-3-pro:streamGenerateContent"} {
		b.path = path
		b.Script(a)
		_, body := b.post(geminiBody(geminiThoughts))
		var events []tree
		if strings.HasSuffix(path, "sse") {
			if strings.Count(body, "\n") != strings.Count(body, "\r\n") {
				t.Error("a line does not end with CR LF")
			}
			_, events = sse(t, body, "\r\n")
		} else {
			for i := range parse(t, body).len() {
				events = append(events, parse(t, body).at(i))
			}
		}
		var texts, thoughts, calls, finish [2]string
		signatures := 0
		for _, e := range events {
			c := e.at("candidates", 0)
			k := map[string]int{"0": 0, "1": 1}[c.at("index").str()]
			finish[k] += c.at("finishReason").str()
			for i := range c.at("content", "parts").len() {
				p := c.at("content", "parts", i)
				if p.at("thought").str() == "true" {
					thoughts[k] += p.at("text").str()
				} else {
					texts[k] += p.at("text").str()
				}
				calls[k] += p.at("functionCall", "name").str()
				if p.at("thoughtSignature").str() != "" {
					signatures++
				}
			}
		}
		equal(t, "texts", texts, [2]string{odd, odd + odd})
		equal(t, "thoughts", thoughts, [2]string{odd, ""})
		equal(t, "calls", calls, [2]string{"fgh", ""})
		equal(t, "finish", finish, [2]string{"STOP", "STOP"})
		equal(t, "signatures", signatures, 2)
		equal(t, "args", strings.Contains(body, `"args":`+oddArgs), true)
		checkGeminiUsage(t, events[len(events)-1].at("usageMetadata"))
	}
}

func TestGeminiFaults(t *testing.T) {
	b := start(t, "gemini")
	for kind, want := range map[string]string{
		neutral.FaultInvalid: "400 INVALID_ARGUMENT ", neutral.FaultContext: "400 INVALID_ARGUMENT ", neutral.FaultAuth: "400 INVALID_ARGUMENT ",
		neutral.FaultNotFound: "404 NOT_FOUND ", neutral.FaultRate: "429 RESOURCE_EXHAUSTED 7s", neutral.FaultOverloaded: "503 UNAVAILABLE ", neutral.FaultServer: "500 INTERNAL ",
	} {
		b.Script(neutral.Answer{Error: &neutral.Fault{Kind: kind, RetryAfter: 7}})
		resp, body := b.post(geminiBody(``))
		e := parse(t, body).at("error")
		equal(t, kind, fmt.Sprint(resp.StatusCode, " ", e.at("status").str(), " ", e.at("details", -1, "retryDelay").str()), want)
		equal(t, kind+" code", e.at("code").str(), fmt.Sprint(resp.StatusCode))
	}
	for _, f := range []*neutral.Fault{{Kind: neutral.FaultOverloaded, InStream: true}, {Cut: true}} {
		b.Script(neutral.Answer{Parts: []neutral.Part{textPart("some text")}, Error: f})
		b.path = "/v1beta/models/m:streamGenerateContent?alt=sse"
		_, body := b.post(geminiBody(``))
		_, events := sse(t, body, "\r\n")
		last := events[len(events)-1]
		equal(t, "error", last.at("error", "status").str(), map[bool]string{false: "UNAVAILABLE"}[f.Cut])
		equal(t, "finish", last.at("candidates", 0, "finishReason").v, nil)
		b.path = "/v1beta/models/m:streamGenerateContent"
		_, body = b.post(geminiBody(``))
		equal(t, "end of the array", strings.HasSuffix(body, "]\n"), !f.Cut)
	}
}
