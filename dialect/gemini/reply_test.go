// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
)

// TestDecodeResponse: all that an answer may hold.
func TestDecodeResponse(t *testing.T) {
	body := golden(t, "response.json")
	u, fin, err := native.ScanResponse(hoosh.OpChat, body)
	want := hoosh.Usage{Input: 39, CacheRead: 60, AudioInput: 6, Output: 20, Reasoning: 7, Source: hoosh.UsageReported}
	if err != nil || fin != hoosh.FinishToolCalls || u != want {
		t.Errorf("%+v %v %v", u, fin, err)
	}
	r, err := native.DecodeResponse(hoosh.OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "abc123" || r.Model != "gemini-2.5-flash" || r.Usage != want || r.Finish() != hoosh.FinishToolCalls || r.Text() != `Grüße aus "Graz".` {
		t.Errorf("%+v", r)
	}
	parts := r.Choices[0].Message.Parts
	if len(parts) != 5 || parts[0].Kind != hoosh.PartThinking || parts[4].Kind != hoosh.PartOther {
		t.Fatalf("%+v", parts)
	}
	call := parts[2]
	if call.Call.ID != "k1" || string(call.Call.Arguments.JSON()) != `{"city": "Graz"}` || call.Signature.Data.String() != "c2lnbmF0dXJl" || call.Signature.Issuer != "" {
		t.Errorf("%+v", call)
	}
	cites := parts[1].Citations
	if len(cites) != 2 || cites[0].URL != "https://a.example/1" || cites[1].Title != "b.example" || cites[0].Start != 6 || cites[0].End != 9 || cites[0].Raw == nil {
		t.Errorf("%+v", cites) // the two letters before it that are beyond ASCII count once
	}
	var found []string
	native.Signatures(body, func(s []byte) { found = append(found, string(s)) })
	if !slices.Equal(found, []string{"c2lnbmF0dXJl"}) {
		t.Error(found)
	}
}

// TestFinishReasons: Google's words.
func TestFinishReasons(t *testing.T) {
	for word, want := range map[string]hoosh.Finish{
		"STOP": hoosh.FinishStop, "MAX_TOKENS": hoosh.FinishLength, "SAFETY": hoosh.FinishContentFilter, "RECITATION": hoosh.FinishContentFilter, "SPII": hoosh.FinishContentFilter,
		"IMAGE_SAFETY": hoosh.FinishContentFilter, "LANGUAGE": hoosh.FinishContentFilter, "MALFORMED_FUNCTION_CALL": hoosh.FinishError, "UNEXPECTED_TOOL_CALL": hoosh.FinishError, "OTHER": hoosh.FinishOther, "NEW_WORD": hoosh.FinishOther,
	} {
		body := `{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"` + word + `"}]}`
		_, fin, err := native.ScanResponse(hoosh.OpChat, []byte(body))
		r, err2 := native.DecodeResponse(hoosh.OpChat, []byte(body))
		if err != nil || err2 != nil || fin != want || r.Finish() != want {
			t.Errorf("%s: %v, %v %v", word, fin, err, err2)
		}
	}
	r, err := native.DecodeResponse(hoosh.OpChat, []byte(`{"promptFeedback":{"blockReason":"SAFETY"}}`))
	if err != nil || len(r.Choices) != 1 || r.Finish() != hoosh.FinishContentFilter {
		t.Errorf("%+v %v", r, err)
	}
}

// TestAnswerForClients: an answer of each other dialect, as a Gemini client gets it.
func TestAnswerForClients(t *testing.T) {
	c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
	c.Model = "near"
	for _, tt := range []struct {
		from       *hoosh.Dialect
		body, want string
	}{
		{hoosh.OpenAI, `{"id":"chatcmpl-1","created":1,"model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"Hi","tool_calls":[` + call("c1", "f", `{"a":1}`) + `]},"finish_reason":"tool_calls"},{"index":1,"message":{"role":"assistant","content":"Ho"},"finish_reason":"length"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}`,
			`{"candidates":[{"content":{"parts":[{"text":"Hi"},{"functionCall":{"id":"c1","name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0},{"content":{"parts":[{"text":"Ho"}],"role":"model"},"finishReason":"MAX_TOKENS","index":1}],
			"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":3,"totalTokenCount":15,"thoughtsTokenCount":2,"cachedContentTokenCount":4},"modelVersion":"far","responseId":"chatcmpl-1"}`},
		{hoosh.OpenAI, `{"id":"x","model":"far","choices":[{"index":0,"message":{"role":"assistant","content":null},"finish_reason":"content_filter"}]}`,
			`{"candidates":[{"finishReason":"SAFETY","index":0}],"usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0},"modelVersion":"far","responseId":"x"}`},
	} {
		reply, err := send(t, tt.from, c, &answer{kind: "application/json", body: tt.body})
		if err != nil {
			t.Fatal(err)
		}
		if reply, err = reply.For(c); err != nil {
			t.Fatal(err)
		}
		sameJSON(t, "answer", string(reply.Body), tt.want)
	}
	// Citations are grounding: in bytes.
	r := &hoosh.Response{Model: "far", ID: "x", Choices: []hoosh.Choice{{Finish: hoosh.FinishStop, Message: hoosh.Message{Parts: []hoosh.Part{hoosh.TextPart("Grüße aus Graz")}}}}}
	r.Choices[0].Message.Parts[0].Citations = []hoosh.Citation{{URL: "https://a", Title: "A", Start: 6, End: 9}, {URL: "https://b", Title: "B"}}
	out, err := native.EncodeResponse(c, r)
	if err != nil || !strings.Contains(string(out), `"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a","title":"A"}},{"web":{"uri":"https://b","title":"B"}}],"groundingSupports":[{"segment":{"startIndex":8,"endIndex":11,"text":"aus"},"groundingChunkIndices":[0]}]}`) {
		t.Errorf("%s, %v", out, err)
	}
	// What is no object is no call for this format.
	reply, err := send(t, hoosh.OpenAI, c, &answer{kind: "application/json", body: `{"model":"m","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[` + call("c", "f", `[1]`) + `]},"finish_reason":"tool_calls"}]}`})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reply.For(c); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
}

// TestResponseRoundTrip: what is written says the same when it is read.
func TestResponseRoundTrip(t *testing.T) {
	r, err := native.DecodeResponse(hoosh.OpChat, golden(t, "response.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
	r.Choices[0].Message.Parts[2].Signature.Issuer = "far"
	out, err := native.EncodeResponse(c, r)
	if err != nil || !json.Valid(out) {
		t.Fatalf("%s, %v", out, err)
	}
	again, err := native.DecodeResponse(hoosh.OpChat, out)
	if err != nil {
		t.Fatal(err)
	}
	if again.ID != r.ID || again.Model != r.Model || again.Finish() != r.Finish() || again.Usage != r.Usage {
		t.Errorf("%+v\n%+v", again, r)
	}
	a, b := again.Choices[0].Message.Parts, r.Choices[0].Message.Parts
	for i := range b {
		if i == 2 || i == 3 { // a sealed signature, and an id that was made
			a[i].Signature, b[i].Signature, a[3].Call.ID = nil, nil, ""
		}
		if !a[i].Equal(b[i]) {
			t.Errorf("part %d: %+v, want %+v", i, a[i], b[i])
		}
	}
	if len(again.Choices[0].Extra) != 2 {
		t.Errorf("%v", again.Choices[0].Extra.Keys())
	}
}

func TestCountAndEmbed(t *testing.T) {
	count := parse(t, native, hoosh.OpCount, `{"contents":[{"parts":[{"text":"a"}]}]}`)
	out, err := native.EncodeResponse(count, &hoosh.Response{Usage: hoosh.Usage{Input: 4, CacheRead: 2}})
	if err != nil || string(out) != `{"totalTokens":6}` {
		t.Errorf("%s %v", out, err)
	}
	r, err := native.DecodeResponse(hoosh.OpCount, out)
	if err != nil || r.Usage.Input != 6 {
		t.Errorf("%+v %v", r, err)
	}
	// An OpenAI chat is counted as a request to generate.
	c := parse(t, hoosh.OpenAI, hoosh.OpCount, `{"model":"x","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}],"n":2,"seed":1,"x":1}`)
	c.Model = flash25
	b, dropped, err := c.BodyFor(profile(native))
	if err != nil || len(dropped) > 0 {
		t.Fatal(err, dropped)
	}
	sameJSON(t, "count", string(b.Bytes()), `{"generateContentRequest":{"model":"models/gemini-2.5-flash","systemInstruction":{"parts":[{"text":"s"}]},"contents":[{"role":"user","parts":[{"text":"a"}]}]}}`)
	q, err := native.DecodeRequest(hoosh.OpCount, b.Bytes())
	if err != nil || len(q.Messages) != 2 || q.Messages[1].Text() != "a" {
		t.Errorf("%+v %v", q, err)
	}

	c = parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"x","input":["a\u00e4","b"],"dimensions":2,"user":"u"}`)
	c.Model = "e"
	b, dropped, err = c.BodyFor(profile(native))
	if err != nil || !slices.Equal(dropped, []string{"user"}) {
		t.Fatal(err, dropped)
	}
	sameJSON(t, "embed", string(b.Bytes()), `{"requests":[{"model":"models/e","content":{"parts":[{"text":"aä"}]},"outputDimensionality":2},{"model":"models/e","content":{"parts":[{"text":"b"}]},"outputDimensionality":2}]}`)
	c = parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"x","input":[1,2]}`)
	if _, _, err := c.BodyFor(profile(native)); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
	for _, tt := range []struct{ body, openai, answer string }{
		{`{"content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"X","outputDimensionality":3}`, `{"model":"m","input":"a\nb","dimensions":3}`, `{"embedding":{"values":[0.5,-1]}}`},
		{`{"requests":[{"content":{"parts":[{"text":"a"}]},"task_type":"X","title":"t"},{"content":{"parts":[{"text":"b"}]},"taskType":"X"}]}`, `{"model":"m","input":["a","b"]}`, `{"embeddings":[{"values":[0.5,-1]},{"values":[2]}]}`},
	} {
		c := parse(t, native, hoosh.OpEmbed, tt.body)
		c.Model = "m"
		b, _, err := c.BodyFor(profile(hoosh.OpenAI))
		if err != nil {
			t.Fatal(err)
		}
		sameJSON(t, "from "+tt.body, string(b.Bytes()), tt.openai)
		r, err := native.DecodeResponse(hoosh.OpEmbed, []byte(tt.answer))
		if err != nil {
			t.Fatal(err)
		}
		out, err := native.EncodeResponse(c, r)
		if err != nil || string(out) != tt.answer {
			t.Errorf("%s %v", out, err)
		}
		// And what was said beside the text goes out again.
		q, err := c.Request()
		if err != nil {
			t.Fatal(err)
		}
		own, _, err := native.EncodeRequest(c, q, profile(native))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := native.DecodeRequest(hoosh.OpEmbed, own); err != nil || !again.Equal(q) {
			t.Errorf("%s: %v", own, err)
		}
	}
	for _, body := range []string{`{"requests":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}}]}`, `{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":1},{"content":{"parts":[{"text":"a"}]},"outputDimensionality":2}]}`} {
		if _, err := native.DecodeRequest(hoosh.OpEmbed, []byte(body)); !errors.Is(err, hoosh.ErrUnsupported) || hoosh.AsError(err).Param == "" {
			t.Error(err)
		}
	}
}

// TestSignatures: those of a Gemini go through clients of each dialect and come
// back, and reach no other backend.
func TestSignatures(t *testing.T) {
	for _, d := range []*hoosh.Dialect{native, hoosh.OpenAI, anthropic.Dialect} {
		body := map[*hoosh.Dialect]string{
			native:            `{"contents":[{"parts":[{"text":"a"}]},%s]}`,
			hoosh.OpenAI:      `{"model":"m","messages":[{"role":"user","content":"a"},%s]}`,
			anthropic.Dialect: `{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"},%s]}`,
		}[d]
		c := parse(t, d, hoosh.OpChat, strings.Replace(strings.Replace(body, ",%s", "", 1), "%s", "", 1))
		answer, err := native.DecodeResponse(hoosh.OpChat, []byte(`{"candidates":[{"content":{"parts":[{"functionCall":{"id":"k","name":"f","args":{}},"thoughtSignature":"c2ln+/=="}],"role":"model"},"finishReason":"STOP"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		answer.Choices[0].Message.Parts[0].Signature.Issuer = "far"
		out, err := d.EncodeResponse(c, answer)
		if err != nil {
			t.Fatal(err)
		}
		// The client sends it back with a result.
		history := resent(t, d, out)
		c = parse(t, d, hoosh.OpChat, strings.Replace(body, "%s", history, 1))
		c.Model = pro3
		for _, x := range []struct{ issuer, want string }{{"far", "c2ln+/=="}, {"else", "skip_thought_signature_validator"}} {
			b, _, err := c.BodyFor(&hoosh.Profile{Dialect: native, Issuer: x.issuer})
			if err != nil {
				t.Fatal(err)
			}
			var q struct {
				Contents []struct {
					Parts []struct {
						ThoughtSignature string
						FunctionCall     struct{ ID string }
					}
				}
			}
			if err := json.Unmarshal(b.Bytes(), &q); err != nil {
				t.Fatal(err)
			}
			if p := q.Contents[1].Parts[0]; p.ThoughtSignature != x.want || p.FunctionCall.ID != "k" {
				t.Errorf("%s to %s: %s", d.Name, x.issuer, b.Bytes())
			}
		}
	}
}

// resent is the answer as a client's history has it, and a result behind it.
func resent(t *testing.T, d *hoosh.Dialect, answer []byte) string {
	var a struct {
		Candidates []struct{ Content json.RawMessage }
		Choices    []struct{ Message json.RawMessage }
		Content    json.RawMessage
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(err)
	}
	id := func(raw json.RawMessage) string {
		_, rest, _ := strings.Cut(string(raw), `"id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		return id
	}
	switch d {
	case native:
		return string(a.Candidates[0].Content) + `,{"role":"user","parts":[{"functionResponse":{"id":"k","name":"f","response":{}}}]}`
	case hoosh.OpenAI:
		return string(a.Choices[0].Message) + `,{"role":"tool","tool_call_id":"` + id(a.Choices[0].Message) + `","content":"r"}`
	}
	return `{"role":"assistant","content":` + string(a.Content) + `},{"role":"user","content":[{"type":"tool_result","tool_use_id":"` + id(a.Content) + `","content":"r"}]}`
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		status int
		body   string
		kind   error
		code   string
	}{
		{400, `{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`, hoosh.ErrUpstreamAuth, "API_KEY_INVALID"},
		{400, `{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}`, hoosh.ErrContextLength, "context_length_exceeded"},
		{400, `{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}`, hoosh.ErrUnsupported, ""},
		{404, `[{"error":{"code":404,"message":"x","status":"NOT_FOUND"}}]`, hoosh.ErrModelNotFound, ""},
		{429, `{"error":{"code":429,"message":"x","status":"RESOURCE_EXHAUSTED"}}`, hoosh.ErrRateLimited, ""},
		{500, `{"error":{"code":500,"message":"x","status":"INTERNAL"}}`, hoosh.ErrUpstream, ""},
		{503, `nothing`, hoosh.ErrOverloaded, ""},
		{0, `{"error":{"code":503,"message":"x"}}`, hoosh.ErrOverloaded, ""},
		{0, `{"error":"x"}`, hoosh.ErrUpstream, ""},
	} {
		if e := native.DecodeError(tt.status, nil, []byte(tt.body)); e.Kind != tt.kind || e.Code != tt.code || e.Message == "" {
			t.Errorf("%s: %+v", tt.body, e)
		}
	}
	for _, tt := range []struct {
		e    *hoosh.Error
		want string
	}{
		{&hoosh.Error{Kind: hoosh.ErrRateLimited, Message: "slow", RetryAfter: 36200 * time.Millisecond}, `{"error":{"code":429,"message":"slow","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}`},
		{&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Message: "want \"a\"", Param: "contents[0]"}, `{"error":{"code":400,"message":"want \"a\" (at contents[0])","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]","description":"want \"a\""}]}]}}`},
		{&hoosh.Error{Kind: hoosh.ErrModelNotFound, Message: "no"}, `{"error":{"code":404,"message":"no","status":"NOT_FOUND"}}`},
		{&hoosh.Error{Kind: hoosh.ErrUnauthorized, Message: "no"}, `{"error":{"code":401,"message":"no","status":"UNAUTHENTICATED"}}`},
		{&hoosh.Error{Kind: hoosh.ErrContextLength, Code: "context_length_exceeded", Message: "9 > 8"}, `{"error":{"code":400,"message":"The input token count exceeds the maximum number of tokens allowed: 9 > 8","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"context_length_exceeded"}]}}`},
		{&hoosh.Error{Kind: hoosh.ErrInternal, Message: "x"}, `{"error":{"code":500,"message":"x","status":"INTERNAL"}}`},
	} {
		sameJSON(t, "error", string(native.EncodeError(tt.e)), tt.want)
		if got := string(native.StreamError(tt.e)); !strings.HasPrefix(got, "data: {") || !strings.HasSuffix(got, "}\r\n\r\n") {
			t.Error(got)
		}
		// A hoosh at a hoosh reads what it has written.
		back := native.DecodeError(tt.e.HTTPStatus(), nil, native.EncodeError(tt.e))
		if tt.e.Kind == hoosh.ErrRateLimited && back.RetryAfter != 37*time.Second || tt.e.Param != "" && back.Param != tt.e.Param {
			t.Errorf("%+v", back)
		}
	}
}
