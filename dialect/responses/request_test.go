// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
)

// What Codex sends, as a backend of chat completions gets it.
func TestCodexToChat(t *testing.T) {
	got, dropped, err := translate(t, own, hoosh.OpenAI, string(file(t, "codex.request.json")))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"role":"system","content":"You are a coding agent."},{"role":"developer","content":"<permissions>read-only</permissions>"}`,
		`{"role":"user","content":"list the files, \"all\" of them"}`,
		`{"name":"exec_command","arguments":"{\"cmd\":\"ls -a\"}"}`,
		`"name":"multi_agent_v1__exec_command"`,
		`"name":"spawn_agent"`,
		`{"name":"apply_patch","arguments":"{\"input\":\"*** Begin Patch\\n*** End Patch\"}"}`,
		`The input must be text of this lark grammar:\nstart: \"*** Begin Patch\" LF`,
		`"role":"tool","tool_call_id":"call_Ab1"`,
		`"url":"data:image/png;base64,iVBORw0KGgo="`,
		`"reasoning_effort":"medium"`, `"stream":true`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	for _, not := range []string{"gAAAA", "web_search", "rs_0a1", "msg_0a2"} {
		if strings.Contains(got, not) {
			t.Errorf("%s went out in\n%s", not, got)
		}
	}
	if !slices.Contains(dropped, "tools[4]") || !slices.Contains(dropped, "client_metadata") {
		t.Errorf("dropped %q", dropped)
	}
}

func TestCodexIsUnderstood(t *testing.T) {
	q, err := own.DecodeRequest(hoosh.OpChat, file(t, "codex.request.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range q.Messages {
		var kinds []string
		for _, p := range m.Parts {
			kinds = append(kinds, p.Kind.String())
		}
		got = append(got, string(m.Role)+":"+strings.Join(kinds, "+"))
	}
	want := "system:text developer:text developer:text user:text user:text assistant:thinking+text+tool_call+tool_call+tool_call tool:tool_result tool:tool_result tool:tool_result"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	turn := q.Messages[5]
	if p := turn.Parts[0]; p.Text() != "**Listing**\n\nI run ls.\n\nThen I look." || p.Signature == nil || p.Signature.Data.String() != "gAAAAABp-enc" || p.Signature.Redacted {
		t.Errorf("thinking %q %+v", p.Text(), p.Signature)
	}
	if q.Verbosity != "low" || q.Reasoning.Effort != "medium" || q.Reasoning.Show == nil || !*q.Reasoning.Show || !q.Stream {
		t.Errorf("%+v", q)
	}
	if len(q.Tools) != 5 || string(q.Tools[1].Extra.Get("\xffnamespace")) != `"multi_agent_v1"` || q.Tools[4].Type != "web_search" {
		t.Errorf("tools %+v", q.Tools)
	}
}

// A request that is decoded and encoded says the same.
func sameAgain(t *testing.T, body string) {
	t.Helper()
	c, err := hoosh.ParseCall(own, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	q, err := c.Request()
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	b, dropped, err := own.EncodeRequest(c, q, &hoosh.Profile{Dialect: own})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	again, err := own.DecodeRequest(hoosh.OpChat, b)
	if err != nil {
		t.Fatalf("%s\nbecomes %s: %v", body, b, err)
	}
	if !q.Equal(again) || len(dropped) > 0 {
		t.Fatalf("%s\nbecomes %s\ndropped %q", body, b, dropped)
	}
}

func TestRoundTrip(t *testing.T) {
	sameAgain(t, string(file(t, "codex.request.json")))
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		sameAgain(t, anyRequest(r))
	}
}

// anyRequest makes a body of what the format can say.
func anyRequest(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	word := func() string { return pick(`a`, `\"q\"`, `é\n`, `\ud83d\ude00`, `{}`, `x y`, `\u0041`) }
	part := func(kind string) string {
		switch r.IntN(7) {
		case 0:
			return `{"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"}`
		case 1:
			return `{"type":"input_image","file_id":"file_1"}`
		case 2:
			return `{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AAAA"}`
		case 3:
			return pick(`{"type":"input_file","file_url":"https://x/a.pdf"}`, `{"type":"input_file","file_data":"AAAA","filename":"b"}`)
		case 4:
			return pick(`{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}`, `{"type":"odd","x":[1]}`, `{"type":"input_text","text":"a","mark":1}`)
		}
		return `{"type":"` + kind + `","text":"` + word() + `"}`
	}
	list := func(n int, make func() string) string {
		var all []string
		for range r.IntN(n) + 1 {
			all = append(all, make())
		}
		return strings.Join(all, ",")
	}
	item := func() string {
		switch r.IntN(10) {
		case 0:
			return `{"role":"` + pick("user", "assistant", "system", "developer") + `","content":"` + pick(word(), "") + `"}`
		case 1, 2:
			return `{"type":"message","role":"` + pick("user", "system", "developer") + `","content":[` + list(3, func() string { return part("input_text") }) + `]}`
		case 3:
			return `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"` + word() + `","annotations":[` +
				pick(``, `{"type":"url_citation","url":"https://x","title":"t","start_index":1,"end_index":2}`, `{"type":"odd"},{"type":"file_citation","file_id":"f"}`) + `]}` +
				pick(``, `,{"type":"refusal","refusal":"no"}`) + `]}`
		case 4:
			return `{"type":"reasoning","id":"rs_1","summary":[` + pick(``, `{"type":"summary_text","text":"`+word()+`"}`, `{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}`) +
				`],"encrypted_content":"` + pick("gAAA", "e\\/1") + `"}`
		case 5:
			return `{"type":"function_call","id":"fc_1","call_id":"c` + pick("1", "2") + `","name":"f","arguments":"` + pick(`{}`, `{\"a\":1}`, `broken`) + `"}`
		case 6:
			return `{"type":"custom_tool_call","call_id":"c3","name":"p","input":"` + pick(word(), "") + `"}`
		case 7:
			return `{"type":"` + pick("function_call_output", "custom_tool_call_output") + `","call_id":"c` + pick("1", "2", "3") + `","output":` + pick(`"`+word()+`"`, `""`, `[`+list(3, func() string { return part("input_text") })+`]`) + `}`
		case 8:
			return pick(`{"type":"item_reference","id":"x"}`, `{"type":"web_search_call","id":"ws","action":{}}`, `{"type":"compaction","encrypted_content":"c"}`)
		}
		return `{"type":"function_call","call_id":"c9","name":"g","namespace":"ns","arguments":"{}"}`
	}
	body := `{"model":"m","input":`
	if r.IntN(6) == 0 {
		body += `"` + word() + `"`
	} else {
		body += `[{"role":"user","content":"a"},` + list(8, item) + "]"
	}
	for _, member := range []string{`"instructions":"` + pick(word(), "") + `"`, `"temperature":` + pick("0", "0.5", "1e-9"), `"top_p":0.1`, `"stream":true`,
		`"max_output_tokens":` + pick("16", "1000"), `"user":"u"`, `"store":false`, `"metadata":{"a":"b"}`, `"include":["x"]`, `"truncation":"auto"`, `"odd":[1,{"a":null}]`,
		`"parallel_tool_calls":` + pick("true", "false"), `"reasoning":` + pick(`{"effort":"high"}`, `{"summary":"auto"}`, `{}`, "null"),
		`"text":` + pick(`{"format":{"type":"text"}}`, `{"format":{"type":"json_object"},"verbosity":"low"}`, `{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}}`, `{"format":{"type":"odd"},"verbosity":"high"}`),
		`"tools":[` + list(4, func() string {
			return pick(`{"type":"function","name":"f","parameters":{"type":"object"},"strict":true,"defer_loading":true}`, `{"type":"function","name":"h","description":"d"}`,
				`{"type":"custom","name":"p","format":{"type":"text"}}`, `{"type":"web_search"}`,
				`{"type":"namespace","name":"ns","description":"n","tools":[{"type":"function","name":"g"},{"type":"custom","name":"f"}]}`,
				`{"type":"namespace","name":"n2","tools":[{"type":"function","name":"g"},{"type":"odd"}]}`)
		}) + `]`,
		`"tool_choice":` + pick(`"auto"`, `"required"`, `{"type":"function","name":"f"}`, `{"type":"custom","name":"p"}`, `{"type":"allowed_tools","mode":"auto","tools":[]}`)} {
		if r.IntN(3) == 0 {
			body += "," + member
		}
	}
	return body + "}"
}

func TestChatToResponses(t *testing.T) {
	for _, x := range []struct{ name, body, want, dropped string }{
		{"plain", `{"model":"gpt-4.1","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"max_tokens":5,"temperature":0}`,
			`{"model":"gpt-4.1","instructions":"Be brief.","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"max_output_tokens":16,"temperature":0,"store":false}`, ``},
		{"thinker", `{"model":"o3-pro","messages":[{"role":"user","content":"Hi"}],"reasoning_effort":"high","stream":true,"stop":["a"],"seed":1,"n":2,"logit_bias":{"1":1},"frequency_penalty":1,"presence_penalty":0}`,
			`{"model":"o3-pro","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"reasoning":{"effort":"high"},"stream":true,"store":false,"include":["reasoning.encrypted_content"]}`,
			`[frequency_penalty seed stop n logit_bias]`},
		{"shared keys", `{"model":"gpt-5-pro","messages":[{"role":"user","content":"Hi"}],"store":true,"metadata":{"a":"b"},"service_tier":"flex","prompt_cache_key":"k","safety_identifier":"s","verbosity":"low","user":"u","top_logprobs":2}`,
			`{"model":"gpt-5-pro","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}],"text":{"verbosity":"low"},"user":"u","include":["reasoning.encrypted_content"],"store":true,"metadata":{"a":"b"},"service_tier":"flex","prompt_cache_key":"k","safety_identifier":"s","top_logprobs":2}`, ``},
		{"tools", `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"https://x/i.png","detail":"low"}},{"type":"file","file":{"file_data":"data:application/pdf;base64,AA","filename":"a.pdf"}}]},
{"role":"assistant","content":"let me","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"custom","custom":{"name":"p","input":"raw \"text\""}}]},
{"role":"tool","tool_call_id":"c1","content":"one"},{"role":"tool","tool_call_id":"c2","content":"two"}],
"tools":[{"type":"function","function":{"name":"f"}},{"type":"custom","custom":{"name":"p","description":"d","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"x"}}}}],
"tool_choice":{"type":"custom","custom":{"name":"p"}},"parallel_tool_calls":false,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"},"strict":true}}}`,
			`{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"https://x/i.png","detail":"low"},{"type":"input_file","file_data":"data:application/pdf;base64,AA","filename":"a.pdf"}]},
{"type":"message","role":"assistant","content":[{"type":"output_text","text":"let me"}]},{"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1}"},{"type":"custom_tool_call","call_id":"c2","name":"p","input":"raw \"text\""},
{"type":"function_call_output","call_id":"c1","output":"one"},{"type":"custom_tool_call_output","call_id":"c2","output":"two"}],
"tools":[{"type":"function","name":"f","parameters":{"type":"object","properties":{}},"strict":false},{"type":"custom","name":"p","description":"d","format":{"type":"grammar","syntax":"lark","definition":"x"}}],
"tool_choice":{"type":"custom","name":"p"},"parallel_tool_calls":false,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true}},"store":false}`, ``},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, dropped, err := translate(t, hoosh.OpenAI, own, x.body)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, got, x.want)
			if s := fmt.Sprint(dropped); s != x.dropped && len(dropped)+len(x.dropped) > 0 {
				t.Errorf("dropped %s, want %s", s, x.dropped)
			}
		})
	}
}

// Ids are brought to what the vendor takes, calls and results alike.
func TestCallIDs(t *testing.T) {
	long := strings.Repeat("x", 70)
	q := &hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("a"),
		hoosh.Assistant("", hoosh.CallPart(long, "f", "{}"), hoosh.CallPart(long+"y", "f", "{}"), hoosh.CallPart("", "g", "{}"), hoosh.CallPart("", "h", "{}")),
		hoosh.ToolResult(long+"y", "1"), hoosh.ToolResult(long, "2"),
		{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{Name: "h"}}, {Kind: hoosh.PartToolResult, Result: &hoosh.Result{}}}}}}
	b, _, err := own.EncodeRequest(hoosh.NewCall(q), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := own.DecodeRequest(hoosh.OpChat, b)
	if err != nil {
		t.Fatal(err)
	}
	var calls, results []string
	for _, m := range got.Messages {
		for _, p := range m.Parts {
			if p.Call != nil {
				calls = append(calls, p.Call.ID)
			} else if p.Result != nil {
				results = append(results, p.Result.ID)
			}
		}
	}
	if len(calls) != 4 || len(results) != 4 || results[0] != calls[1] || results[1] != calls[0] || results[2] != calls[3] || results[3] != calls[2] {
		t.Errorf("calls %q, results %q", calls, results)
	}
	slices.Sort(calls)
	if len(slices.Compact(calls)) != 4 || slices.ContainsFunc(calls, func(id string) bool { return len(id) > 64 || id == "" }) {
		t.Errorf("ids %q", calls)
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, x := range []struct {
		body  string
		kind  error
		param string
	}{
		{`{"model":"m","input":"a","previous_response_id":"resp_1"}`, hoosh.ErrUnsupported, "previous_response_id"},
		{`{"model":"m","input":"a","conversation":{"id":"c"}}`, hoosh.ErrUnsupported, "conversation"},
		{`{"model":"m","input":"a","background":true}`, hoosh.ErrUnsupported, "background"},
		{`{"model":"m","input":[{"role":"king","content":"a"}]}`, hoosh.ErrInvalidRequest, "input[0].role"},
		{`{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_image"}]}]}`, hoosh.ErrInvalidRequest, "input[0].content[0]"},
		{`{"model":"m","input":[{"type":"function_call","name":"f","arguments":"{}"}]}`, hoosh.ErrInvalidRequest, "input[0]"},
		{`{"model":"m","input":[{"type":"function_call_output","output":"x"}]}`, hoosh.ErrInvalidRequest, "input[0]"},
		{`{"model":"m","input":[{"x":1}]}`, hoosh.ErrInvalidRequest, "input[0]"},
		{`{"model":"m","input":"a","temperature":"hot"}`, hoosh.ErrInvalidRequest, "temperature"},
		{`{"model":"m","input":"a","tools":[{"type":"function"}]}`, hoosh.ErrInvalidRequest, "tools[0]"},
	} {
		_, _, err := translate(t, own, hoosh.OpenAI, x.body)
		if e := hoosh.AsError(err); e == nil || e.Kind != x.kind || e.Param != x.param || e.Message == "" {
			t.Errorf("%s: %v", x.body, err)
		}
	}
	for _, body := range []string{`[]`, `{"model":"m"}`, `{"model":"m","input":3}`, `{"model":1,"input":"a"}`, `{"model":"a","input":"a","Model":"b"}`, `{"model":"m","input":"a"`, `{"model":"m","input":[1]}`,
		`{"model":"m","input":null,"input":"a"}`, `{"model":"m","input":"a","input":null}`, `{"model":"m","input":"a","stream":null,"stream":true}`, `{"model":"m","input":null}`,
		`{"model":"m","input":"a","store":true,"store":false}`, `{"model":"m","input":"a","background":false,"Background":true}`} {
		if _, err := hoosh.ParseCall(own, hoosh.OpChat, []byte(body)); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrInvalidRequest {
			t.Errorf("%s: %v", body, err)
		}
	}
	// What was refused is answered when somebody remembers what was said before.
	body := `{"model":"m","instructions":"i","input":"and now?","previous_response_id":"resp_1","background":false}`
	c := parse(t, own, body)
	if id := responses.PreviousID(c); id != "resp_1" {
		t.Errorf("previous %q", id)
	}
	q, err := responses.Resume(hoosh.OpChat, []byte(body), []hoosh.Message{hoosh.User("before"), hoosh.Assistant("yes")})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(q.Messages); got != "[system: i user: before assistant: yes user: and now?]" {
		t.Error(got)
	}
	for _, d := range []*hoosh.Dialect{hoosh.OpenAI, own} {
		b, dropped, err := c.With(q).BodyFor(&hoosh.Profile{Dialect: d})
		if err != nil || strings.Contains(string(b.Bytes()), "previous") || slices.Contains(dropped, "previous_response_id") {
			t.Errorf("%v %q %s", err, dropped, b.Bytes())
		}
	}
}

func TestCount(t *testing.T) {
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpCount, []byte(`{"model":"m","messages":[{"role":"user","content":"Hi"}],"temperature":1,"max_tokens":3,"metadata":{},"stream":true}`))
	if err != nil {
		t.Fatal(err)
	}
	a := &answer{kind: "application/json", body: `{"object":"response.input_tokens","input_tokens":7}`}
	reply, err := send(t, own, c, a)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(a.asked), `{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi"}]}]}`)
	if !reply.Usage.IsZero() {
		t.Errorf("a count is charged: %v", reply.Usage)
	}
	resp, err := reply.Response()
	if err != nil || resp.Usage.Input != 7 {
		t.Errorf("%v %v", resp, err)
	}
	mine, err := hoosh.ParseCall(own, hoosh.OpCount, []byte(`{"model":"m","input":"Hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := own.EncodeResponse(mine, resp)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, string(b), a.body)
	if mine.Envelope().Needs != hoosh.FeatureCount {
		t.Errorf("needs %v", mine.Envelope().Needs)
	}
}

func TestEnvelope(t *testing.T) {
	e := parse(t, own, string(file(t, "codex.request.json"))).Envelope()
	if e.Model != "gpt-5.2-codex" || !e.Stream || !e.WantsUsage || e.Choices != 1 || e.Text < 1000 {
		t.Errorf("%+v", e)
	}
	if want := hoosh.FeatureChat | hoosh.FeatureTools | hoosh.FeatureVision; e.Needs != want {
		t.Errorf("needs %v, want %v", e.Needs, want)
	}
	if want := hoosh.DeepDeveloper | hoosh.DeepToolIDs | hoosh.DeepSignatures; e.Deep != want {
		t.Errorf("deep %b", e.Deep)
	}
	e = parse(t, own, `{"model":"m","max_output_tokens":9,"text":{"format":{"type":"json_schema","name":"n","schema":{}}},"input":[{"role":"user","content":[{"type":"input_file","file_id":"f"},{"type":"input_audio","input_audio":{}}]}]}`).Envelope()
	if want := hoosh.FeatureChat | hoosh.FeatureJSONSchema | hoosh.FeatureFiles | hoosh.FeatureAudio; e.Needs != want || e.MaxTokens != 9 {
		t.Errorf("needs %v, at most %d", e.Needs, e.MaxTokens)
	}
}
