// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

var wantUsage = hoosh.Usage{Input: 12, CacheRead: 5, CacheWrite: 3, Output: 10, Reasoning: 30, Source: hoosh.UsageReported}

func TestResponse(t *testing.T) {
	body := golden(t, "response.json")
	u, fin, err := native.ScanResponse(hoosh.OpChat, body)
	if err != nil || u != wantUsage || fin != hoosh.FinishToolCalls {
		t.Error(u, fin, err)
	}
	r, err := native.DecodeResponse(hoosh.OpChat, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != "msg_01XFDUDYJgAACzvnptvVoYEL" || r.Model != "claude-opus-4-7" || r.Usage != wantUsage || r.Finish() != hoosh.FinishToolCalls {
		t.Errorf("%+v", r)
	}
	p := r.Choices[0].Message.Parts
	if len(p) != 5 || p[0].Text() != "Let me see." || p[0].Signature.Data.String() != "EqQBsig==" || !p[1].Signature.Redacted || p[1].Signature.Data.String() != "EmwKAhgBredacted" ||
		p[2].Text() != "The sky is blue" || len(p[2].Citations) != 2 || p[3].Kind != hoosh.PartOther || string(p[4].Call.Arguments.JSON()) != `{"city": "Ulm"}` {
		t.Errorf("%+v", p)
	}
	if c := p[2].Citations; c[0].URL != "https://sky.example/" || c[0].Title != "Sky" || c[0].Quote != "blue" || c[1].Title != "Doc" || c[1].Quote != "sky" || c[1].Raw == nil {
		t.Errorf("%+v", c)
	}
	var signed []string
	native.Signatures(body, func(s []byte) { signed = append(signed, string(s)) })
	if strings.Join(signed, " ") != "EqQBsig== EmwKAhgBredacted" {
		t.Error(signed)
	}

	// To a client of the format: the same but for the seals.
	p[0].Signature.Issuer, p[1].Signature.Issuer = "far", "far"
	call := parse(t, native, hoosh.OpChat, `{"model":"m","messages":[]}`)
	out, err := native.EncodeResponse(call, r)
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if json.Unmarshal(out, &got) != nil || json.Unmarshal(body, &want) != nil {
		t.Fatalf("%s", out)
	}
	for _, gone := range []string{"stop_details"} {
		delete(want, gone)
	}
	content := want["content"].([]any)
	content[0].(map[string]any)["signature"] = sealed("far", "EqQBsig==")
	content[1].(map[string]any)["data"] = p[1].Signature.Seal()
	delete(want["usage"].(map[string]any), "cache_creation")
	delete(want["usage"].(map[string]any), "service_tier")
	w, _ := json.Marshal(want)
	sameJSON(t, "encoded", string(out), string(w))

	again, err := native.DecodeResponse(hoosh.OpChat, out)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range again.Choices[0].Message.Parts {
		if i != 3 && !part.Equal(p[i]) {
			t.Errorf("part %d: %+v, want %+v", i, part, p[i])
		}
	}
}

func TestFinishes(t *testing.T) {
	call := parse(t, native, hoosh.OpChat, `{"messages":[]}`)
	for word, want := range map[string]hoosh.Finish{
		"end_turn": hoosh.FinishStop, "stop_sequence": hoosh.FinishStop, "max_tokens": hoosh.FinishLength, "model_context_window_exceeded": hoosh.FinishLength,
		"tool_use": hoosh.FinishToolCalls, "refusal": hoosh.FinishContentFilter, "pause_turn": hoosh.FinishOther, "news": hoosh.FinishOther,
	} {
		r, err := native.DecodeResponse(hoosh.OpChat, []byte(`{"type":"message","content":[],"stop_reason":"`+word+`","stop_sequence":"END"}`))
		if err != nil || r.Finish() != want || r.Choices[0].Stopped != "END" {
			t.Errorf("%s: %v, %v", word, r.Finish(), err)
		}
	}
	for _, x := range []struct {
		ch   hoosh.Choice
		want string
	}{
		{hoosh.Choice{Finish: hoosh.FinishStop}, `"stop_reason":"end_turn","stop_sequence":null`},
		{hoosh.Choice{Finish: hoosh.FinishStop, Stopped: "a\n"}, `"stop_reason":"stop_sequence","stop_sequence":"a\n"`},
		{hoosh.Choice{Finish: hoosh.FinishLength}, `"stop_reason":"max_tokens"`},
		{hoosh.Choice{Finish: hoosh.FinishContentFilter}, `"stop_reason":"refusal"`},
		{hoosh.Choice{Finish: hoosh.FinishStop, Message: hoosh.Assistant("", hoosh.CallPart("a", "f", ""))}, `"stop_reason":"tool_use"`},
		{hoosh.Choice{}, `"stop_reason":"end_turn"`},
	} {
		out, err := native.EncodeResponse(call, &hoosh.Response{Choices: []hoosh.Choice{x.ch}})
		if err != nil || !strings.Contains(string(out), x.want) || !json.Valid(out) {
			t.Errorf("%v: %s", err, out)
		}
	}
}

func TestResponsesOfOthers(t *testing.T) {
	body := `{"id":"x","object":"chat.completion","created":1,"model":"far","choices":[{"index":0,"message":{"role":"assistant","reasoning_content":"hm","content":"a\"b","refusal":null,"annotations":[{"type":"url_citation","url_citation":{"url":"https://x","title":"X","start_index":0,"end_index":1}}],"tool_calls":[{"id":"functions.f:0","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":2}}}`
	r, err := hoosh.OpenAI.DecodeResponse(hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Provider = "far"
	call := parse(t, native, hoosh.OpChat, `{"messages":[]}`)
	out, err := native.EncodeResponse(call, r)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "translated", string(out), `{"id":"x","type":"message","role":"assistant","model":"far","content":[{"type":"thinking","thinking":"hm","signature":"`+sealed("far", "")+`"},{"type":"text","text":"a\"b","citations":[{"type":"web_search_result_location","cited_text":"","url":"https://x","title":"X","encrypted_index":""}]},{"type":"tool_use","id":"toolu_d6bdd4de328a22edd610f954","name":"f","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":6,"cache_creation_input_tokens":0,"cache_read_input_tokens":4,"output_tokens":5,"output_tokens_details":{"thinking_tokens":2}}}`)
	r.Choices[0].Message.Parts[len(r.Choices[0].Message.Parts)-1].Call.Arguments = hoosh.ValueArguments([]byte(`{"a":`))
	if _, err := native.EncodeResponse(call, r); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
	out, err = native.EncodeResponse(call, &hoosh.Response{})
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "nothing", still(string(out)), `{"id":"msg_X","type":"message","role":"assistant","model":"","content":[],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}`)
}

func TestCount(t *testing.T) {
	u, _, err := native.ScanResponse(hoosh.OpCount, []byte(`{"input_tokens":2095}`))
	if err != nil || u.Input != 2095 || u.Source != hoosh.UsageReported {
		t.Error(u, err)
	}
	r, err := native.DecodeResponse(hoosh.OpCount, []byte(`{"input_tokens":2095}`))
	if err != nil || r.Usage != u {
		t.Error(r, err)
	}
	c := parse(t, native, hoosh.OpCount, `{"messages":[{"role":"user","content":"a"}]}`)
	if out, err := native.EncodeResponse(c, r); err != nil || string(out) != `{"input_tokens":2095}` {
		t.Errorf("%v: %s", err, out)
	}
	c = parse(t, hoosh.OpenAI, hoosh.OpCount, `{"model":"x","max_tokens":3,"stop":"a","temperature":1,"seed":2,"user":"u",`+tools+`,`+hi+`}`)
	c.Model = mid45
	b, dropped, err := c.BodyFor(profile(native))
	if err != nil || dropped != nil {
		t.Fatal(err, dropped)
	}
	sameJSON(t, "count", string(b.Bytes()), `{"model":"`+mid45+`",`+toolsThem+`,`+hiThem+`}`)
	for _, body := range []string{`{}`, `[]`, `{"input_tokens":"a"}`, `{`} {
		if _, _, err := native.ScanResponse(hoosh.OpCount, []byte(body)); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%s: %v", body, err)
		}
		if _, err := native.DecodeResponse(hoosh.OpCount, []byte(body)); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestErrors(t *testing.T) {
	body := func(kind, message string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + message + `"},"request_id":"req_1"}`
	}
	for _, x := range []struct {
		status int
		body   string
		kind   error
		param  string
		code   string
	}{
		{400, body("invalid_request_error", "messages.1.content.0: bad"), hoosh.ErrInvalidRequest, "messages[1].content[0]", ""},
		{400, body("invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"), hoosh.ErrContextLength, "", "context_length_exceeded"},
		{400, body("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3"), hoosh.ErrContextLength, "", "context_length_exceeded"},
		{400, body("invalid_request_error", "Your credit balance is too low to access the Anthropic API."), hoosh.ErrInsufficientQuota, "", ""},
		{400, body("invalid_request_error", "Output blocked by content filtering policy"), hoosh.ErrContentPolicy, "", ""},
		{401, body("authentication_error", "invalid x-api-key"), hoosh.ErrUpstreamAuth, "", ""},
		{402, body("billing_error", "pay"), hoosh.ErrInsufficientQuota, "", ""},
		{403, body("permission_error", "no"), hoosh.ErrUpstreamAuth, "", ""},
		{404, body("not_found_error", "model: claude-x"), hoosh.ErrModelNotFound, "", ""},
		{413, body("request_too_large", "big"), hoosh.ErrTooLarge, "", ""},
		{413, "", hoosh.ErrTooLarge, "", ""},
		{429, body("rate_limit_error", "slow"), hoosh.ErrRateLimited, "", ""},
		{500, body("api_error", "oops"), hoosh.ErrUpstream, "", ""},
		{504, body("timeout_error", "late"), hoosh.ErrTimeout, "", ""},
		{529, body("overloaded_error", "Overloaded"), hoosh.ErrOverloaded, "", ""},
		{529, "<html>", hoosh.ErrOverloaded, "", ""},
		{502, `{"error":"bad gateway"}`, hoosh.ErrUpstream, "", ""},
		{400, `{"type":"error","error":{"type":"invalid_request_error","message":"x","details":{"error_code":"why"}}}`, hoosh.ErrInvalidRequest, "", "why"},
	} {
		e := native.DecodeError(x.status, nil, []byte(x.body))
		if e.Kind != x.kind || e.Param != x.param || e.Code != x.code || e.Status != x.status || e.Message == "" {
			t.Errorf("%d %s: %+v", x.status, x.body, e)
		}
	}
	for _, x := range []struct {
		e    hoosh.Error
		want string
	}{
		{hoosh.Error{Kind: hoosh.ErrInvalidRequest, Message: "want a", Param: "messages[0]"}, `{"type":"error","error":{"type":"invalid_request_error","message":"want a (at messages[0])"}}`},
		{hoosh.Error{Kind: hoosh.ErrContextLength, Message: "8000 > 4000", Code: "context_length_exceeded"}, `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 8000 > 4000","details":{"error_code":"context_length_exceeded"}}}`},
		{hoosh.Error{Kind: hoosh.ErrUnauthorized, Message: "no key"}, `{"type":"error","error":{"type":"authentication_error","message":"no key"}}`},
		{hoosh.Error{Kind: hoosh.ErrForbidden, Message: "m"}, `{"type":"error","error":{"type":"permission_error","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrModelNotFound, Message: "m"}, `{"type":"error","error":{"type":"not_found_error","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrTooLarge, Message: "m"}, `{"type":"error","error":{"type":"request_too_large","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrRateLimited, Message: "m"}, `{"type":"error","error":{"type":"rate_limit_error","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrNoProvider, Message: "m"}, `{"type":"error","error":{"type":"overloaded_error","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrTimeout, Message: "m"}, `{"type":"error","error":{"type":"timeout_error","message":"m"}}`},
		{hoosh.Error{Kind: hoosh.ErrUpstreamAuth, Provider: "p", Upstream: true, Status: 401, Message: "m", Code: "c"}, `{"type":"error","error":{"type":"api_error","message":"p: upstream refused its key: m"}}`},
		{hoosh.Error{}, `{"type":"error","error":{"type":"api_error","message":""}}`},
	} {
		sameJSON(t, "error", string(native.EncodeError(&x.e)), x.want)
		s := string(native.StreamError(&x.e))
		data, ok := strings.CutPrefix(s, "event: error\ndata: ")
		if !ok || !strings.HasSuffix(s, "\n\n") {
			t.Errorf("%q", s)
		}
		sameJSON(t, "event", data, x.want)
	}

	// A refusal that is the client's own goes on as it came, another vendor's does not.
	raw := body("invalid_request_error", "temperature: odd")
	c := parse(t, native, hoosh.OpChat, `{"model":"m","messages":[{"role":"user","content":"a"}]}`)
	_, err := send(t, native, c, &answer{status: 400, kind: "application/json", body: raw})
	if got := native.EncodeError(hoosh.AsError(err)); string(got) != raw {
		t.Errorf("%s", got)
	}
	sameJSON(t, "to OpenAI", string(hoosh.OpenAI.EncodeError(hoosh.AsError(err))), `{"error":{"message":"temperature: odd","type":"invalid_request_error","param":"temperature","code":null}}`)
	_, err = send(t, hoosh.OpenAI, c, &answer{status: 400, kind: "application/json", body: `{"error":{"message":"no","type":"invalid_request_error","param":"stop","code":null}}`})
	sameJSON(t, "from OpenAI", string(native.EncodeError(hoosh.AsError(err))), `{"type":"error","error":{"type":"invalid_request_error","message":"no (at stop)"}}`)
	for _, body := range []string{`{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`} {
		_, err = send(t, native, c, &answer{kind: "application/json", body: body})
		if !errors.Is(err, hoosh.ErrOverloaded) {
			t.Error(err)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"content":{}}`, `{"content":[`} {
		if _, err = send(t, native, c, &answer{kind: "application/json", body: body}); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%s: %v", body, err)
		}
	}
}
