// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

func TestWholeAnswer(t *testing.T) {
	body := file(t, "whole.response.json")
	u, fin, err := own.ScanResponse(hoosh.OpChat, body)
	if err != nil || fin != hoosh.FinishToolCalls {
		t.Fatal(fin, err)
	}
	if u != (hoosh.Usage{Input: 55, CacheRead: 20, Output: 18, Reasoning: 12, Source: hoosh.UsageReported}) {
		t.Errorf("usage %+v", u)
	}
	r, err := own.DecodeResponse(hoosh.OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "resp_68b" || r.Model != "gpt-5.2-2026-01-01" || r.Created.Unix() != 1760000000 || r.Usage != u || r.Text() != "Ulm." || r.Finish() != fin {
		t.Errorf("%+v", r)
	}
	parts := r.Choices[0].Message.Parts
	if s := fmt.Sprint(parts); s != "[[thinking] [other] Ulm. [tool_call]]" {
		t.Error(s)
	}
	if c := parts[2].Citations; len(c) != 1 || c[0].URL != "https://ulm.example" || c[0].End != 3 {
		t.Errorf("citations %+v", c)
	}
	if s := parts[0].Signature; parts[0].Text() != "First.\n\nSecond." || s == nil || s.Data.String() != "gAAA-full" || s.Issuer != "" || s.Redacted {
		t.Errorf("thinking %q %+v", parts[0].Text(), s)
	}
	var found []string
	own.Signatures(body, func(s []byte) { found = append(found, string(s)) })
	if fmt.Sprint(found) != "[gAAA-full]" {
		t.Errorf("signatures %q", found)
	}
}

// A client of chat completions gets the answer in its words.
func TestAnswerToChat(t *testing.T) {
	c := parse(t, hoosh.OpenAI, `{"model":"m","messages":[{"role":"user","content":"a"}]}`)
	reply, err := send(t, own, c, &answer{kind: "application/json", body: string(file(t, "whole.response.json"))})
	if err != nil {
		t.Fatal(err)
	}
	reply, err = reply.For(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"content":"Ulm."`, `"reasoning_content":"First.\n\nSecond."`, `"arguments":"{\"city\":\"Ulm\"}"`, `"finish_reason":"tool_calls"`,
		`"prompt_tokens":75`, `"completion_tokens":30`, `"reasoning_tokens":12`} {
		if !strings.Contains(string(reply.Body), want) {
			t.Errorf("no %s in %s", want, reply.Body)
		}
	}
}

const chatAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"far-1","choices":[{"index":0,"message":{"role":"assistant","content":"Ulm.","reasoning_content":"hm \"x\"",
"tool_calls":[{"id":"c1","type":"function","function":{"name":"exec_command","arguments":"{\"cmd\":\"ls\"}"}},{"id":"c2","type":"function","function":{"name":"multi_agent_v1__exec_command","arguments":""}},
{"id":"c3","type":"function","function":{"name":"apply_patch","arguments":"{\"input\":\"*** \\\"x\\\"\"}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}`

func TestAnswerToCodex(t *testing.T) {
	c := parse(t, own, strings.Replace(string(file(t, "codex.request.json")), `"stream":true`, `"stream":false`, 1))
	reply, err := send(t, hoosh.OpenAI, c, &answer{kind: "application/json", body: chatAnswer})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(reply.Body, &got); err != nil {
		t.Fatalf("%v in %s", err, reply.Body)
	}
	var items []string
	for _, item := range got["output"].([]any) {
		items = append(items, say(item.(map[string]any)))
	}
	want := "reasoning:hm \"x\" | message:Ulm. | function_call: exec_command {\"cmd\":\"ls\"} | function_call: exec_command multi_agent_v1 {} | custom_tool_call: apply_patch *** \"x\""
	if s := strings.Join(items, " | "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	// Typed clients want these.
	for _, key := range []string{"id", "object", "created_at", "status", "model", "error", "incomplete_details", "instructions", "metadata", "parallel_tool_calls", "temperature",
		"tool_choice", "tools", "top_p", "max_output_tokens", "previous_response_id", "reasoning", "text", "truncation", "usage", "store", "user"} {
		if _, ok := got[key]; !ok {
			t.Errorf("no %s", key)
		}
	}
	if got["status"] != "completed" || got["store"] != false || got["instructions"] != "You are a coding agent." || len(got["tools"].([]any)) != 4 || got["object"] != "response" {
		t.Errorf("%v", got)
	}
	u, fin, err := own.ScanResponse(hoosh.OpChat, reply.Body)
	if err != nil || fin != hoosh.FinishToolCalls || u != (hoosh.Usage{Input: 6, CacheRead: 4, Output: 3, Reasoning: 2, Source: hoosh.UsageReported}) {
		t.Error(u, fin, err)
	}
}

// What an answer's parts say comes back.
func TestAnswerRoundTrip(t *testing.T) {
	body := file(t, "whole.response.json")
	r, err := own.DecodeResponse(hoosh.OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, own, `{"model":"m","input":"a"}`)
	b, err := own.EncodeResponse(c, r)
	if err != nil {
		t.Fatal(err)
	}
	again, err := own.DecodeResponse(hoosh.OpChat, b)
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	// The signature came back sealed, for it may not be of this format.
	for _, p := range again.Choices[0].Message.Parts {
		if p.Signature != nil {
			*p.Signature = *hoosh.OpenSignature(p.Signature.Data)
		}
	}
	if !again.Choices[0].Message.Equal(r.Choices[0].Message) || again.Usage != r.Usage || again.ID != r.ID || again.Model != r.Model || again.Finish() != r.Finish() {
		t.Errorf("%s\nbecomes %s", body, b)
	}
}

func TestEndings(t *testing.T) {
	for _, x := range []struct {
		body string
		fin  hoosh.Finish
		err  error
	}{
		{`{"status":"completed","output":[]}`, hoosh.FinishStop, nil},
		{`{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"output":[]}`, hoosh.FinishLength, nil},
		{`{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}`, hoosh.FinishContentFilter, nil},
		{`{"status":"queued","output":[]}`, hoosh.FinishNone, nil},
		{`{"status":"failed","error":{"code":"server_error","message":"boom"},"output":[]}`, hoosh.FinishError, hoosh.ErrUpstream},
		{`{"status":"failed","error":{"code":"rate_limit_exceeded","message":"slow"},"output":[]}`, hoosh.FinishError, hoosh.ErrRateLimited},
		{`{"status":"failed","error":{"code":"invalid_prompt","message":"no"},"output":[]}`, hoosh.FinishError, hoosh.ErrInvalidRequest},
		{`{"error":{"message":"no such model","code":"model_not_found"}}`, hoosh.FinishError, hoosh.ErrModelNotFound},
		{`{"choices":[]}`, 0, hoosh.ErrMalformed},
		{`{"status":"completed","output":[`, 0, hoosh.ErrMalformed},
		{`[]`, 0, hoosh.ErrMalformed},
	} {
		_, fin, err := own.ScanResponse(hoosh.OpChat, []byte(x.body))
		if (err == nil) != (x.err == nil) || err != nil && hoosh.AsError(err).Kind != x.err || err == nil && fin != x.fin {
			t.Errorf("%s: %v %v", x.body, fin, err)
		}
		r, err := own.DecodeResponse(hoosh.OpChat, []byte(x.body))
		if (err == nil) != (x.err == nil) || err != nil && hoosh.AsError(err).Kind != x.err {
			t.Errorf("%s: %v", x.body, err)
		}
		if err == nil && x.fin == hoosh.FinishNone && string(r.Extra.Get("status")) != `"queued"` {
			t.Errorf("%s: %+v", x.body, r.Extra)
		}
		if err == nil && x.fin == hoosh.FinishLength {
			b, err := own.EncodeResponse(parse(t, own, `{"model":"m","input":"a"}`), r)
			if err != nil || !strings.Contains(string(b), `"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"}`) {
				t.Errorf("%s %v", b, err)
			}
		}
	}
}

// Signatures of another format's backend go to a client of this one and come back.
func TestForeignSignatures(t *testing.T) {
	c := parse(t, own, `{"model":"m","input":"a","include":["reasoning.encrypted_content"]}`)
	thinking := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("I think"))
	thinking.Signature = &hoosh.Signature{Issuer: "claude", Data: hoosh.NewText("Sig+/=")}
	hidden := hoosh.Part{Kind: hoosh.PartThinking, Signature: &hoosh.Signature{Issuer: "claude", Data: hoosh.NewText("R"), Redacted: true}}
	call := hoosh.CallPart("c1", "f", "{}")
	call.Signature = &hoosh.Signature{Issuer: "gemini", Data: hoosh.NewText("T")}
	r := &hoosh.Response{Choices: []hoosh.Choice{{Message: hoosh.Message{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{thinking, hidden, call}}, Finish: hoosh.FinishToolCalls}}}
	b, err := own.EncodeResponse(c, r)
	if err != nil {
		t.Fatal(err)
	}
	var out struct{ Output []json.RawMessage }
	if err := json.Unmarshal(b, &out); err != nil || len(out.Output) != 3 {
		t.Fatalf("%v %s", err, b)
	}
	next := `{"model":"m","input":[{"role":"user","content":"a"},` + string(out.Output[0]) + `,` + string(out.Output[1]) + `,` + string(out.Output[2]) + `]}`
	q, err := own.DecodeRequest(hoosh.OpChat, []byte(next))
	if err != nil {
		t.Fatal(err)
	}
	if want := (hoosh.Message{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{thinking, hidden, call}}); !q.Messages[1].Equal(want) {
		t.Errorf("%s\nis %+v", next, q.Messages[1])
	}
	// OpenAI gets none of it, by passage or encoded anew.
	for _, c := range []*hoosh.Call{parse(t, own, next), parse(t, own, next).With(q)} {
		got, _, err := c.BodyFor(&hoosh.Profile{Dialect: own, Issuer: "openai"})
		if err != nil {
			t.Fatal(err)
		}
		if s := string(got.Bytes()); strings.Contains(s, "reasoning") || strings.Contains(s, "hoosh1") || !strings.Contains(s, `"call_id":"c1"`) {
			t.Error(s)
		}
	}
}

func TestErrors(t *testing.T) {
	body := `{"error":{"message":"Your input exceeds the context window of this model.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}`
	e := own.DecodeError(400, nil, []byte(body))
	if e.Kind != hoosh.ErrContextLength || e.Code != "context_length_exceeded" || e.Param != "input" {
		t.Errorf("%+v", e)
	}
	c := parse(t, own, `{"model":"m","input":"a"}`)
	_, err := send(t, own, c, &answer{status: 400, kind: "application/json", body: body})
	if got := string(own.EncodeError(hoosh.AsError(err))); got != body {
		t.Errorf("a refusal of the same format becomes %s", got)
	}
	sameJSON(t, string(own.EncodeError(&hoosh.Error{Kind: hoosh.ErrRateLimited, Message: "slow"})),
		`{"error":{"message":"slow","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}`)
	raw := string(own.StreamError(&hoosh.Error{Kind: hoosh.ErrStreamCut, Provider: "far", Message: "cut\nhere"}))
	events := strings.Split(strings.TrimSpace(raw), "\n\n")
	if len(events) != 2 {
		t.Fatal(raw)
	}
	for i, kind := range []string{"error", "response.failed"} {
		data, ok := strings.CutPrefix(events[i], "event: "+kind+"\ndata: ")
		if !ok || !json.Valid([]byte(data)) {
			t.Fatal(raw)
		}
		f := hoosh.Frame{Data: []byte(data)}
		_, err := own.DecodeFrame(nil, &f)
		if e := hoosh.AsError(err); e == nil || e.Code != "stream_cut" || !strings.Contains(e.Message, "cut\nhere") {
			t.Errorf("%s: %v", data, err)
		}
		if err := own.NewScanner(hoosh.OpChat, 1).Scan(&f); err == nil {
			t.Errorf("%s passes", data)
		}
	}
}
