// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// passing is a backend that keeps the body it got and answers with reply.
type passing struct {
	got   []byte
	kind  string
	reply []byte
}

func (p *passing) RoundTrip(r *http.Request) (*http.Response, error) {
	p.got, _ = io.ReadAll(r.Body)
	r.Body.Close()
	if int64(len(p.got)) != r.ContentLength {
		return nil, fmt.Errorf("Content-Length %d, body %d", r.ContentLength, len(p.got))
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {p.kind}}, Body: io.NopCloser(bytes.NewReader(p.reply)), ContentLength: -1, Request: r}, nil
}

// send routes a body for model "m" to a backend that knows it as target.
func send(t *testing.T, p *passing, target string, profile hoosh.Profile, body []byte) (*hoosh.Reply, *hoosh.Call, error) {
	t.Helper()
	profile.Dialect = hoosh.OpenAI
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "up", BaseURL: "http://backend.test", Transport: p}, hoosh.Driver{}, &profile, "")
	if err != nil {
		t.Fatal(err)
	}
	r := newRouter(t, []hoosh.Provider{{Name: "up", Doer: upstreamDoer{u, u.URL("/x")}}}, hoosh.Route{Match: []string{"*"}, To: []hoosh.Target{{Target: "up/" + target}}})
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body)
	if err != nil {
		return nil, nil, err
	}
	reply, err := r.Do(context.Background(), c)
	return reply, c, err
}

// TestPassage sends what other gateways mangle and looks at what arrives.
func TestPassage(t *testing.T) {
	reply := `{"id":"x","object":"chat.completion","vendor":{"b":1,"a":2.50},"choices":[{"index":0,"message":{"role":"assistant","content":"h\u00e9 \ud83d\ude00","weird":[1e0]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}, "z":  1.0e+2 }` + "\n"
	for _, tc := range []struct{ name, in, out string }{
		{"model only", `{"model":"m","messages":[]}`, `{"model":"real","messages":[]}`},
		{"unknown fields and order", `{"enable_thinking":true,"model":"m","zeta":{"b":1,"a":[ ]},"messages":[{"content":"x","role":"user","cache_control":{"type":"ephemeral"}}],"chat_template_kwargs":{"x":1.50}}`,
			`{"enable_thinking":true,"model":"real","zeta":{"b":1,"a":[ ]},"messages":[{"content":"x","role":"user","cache_control":{"type":"ephemeral"}}],"chat_template_kwargs":{"x":1.50}}`},
		{"number formats", `{"messages":[],"temperature":7E-1,"top_p":1.0,"seed":12345678901234567890,"model":"m"}`,
			`{"messages":[],"temperature":7E-1,"top_p":1.0,"seed":12345678901234567890,"model":"real"}`},
		{"duplicate unknown keys", `{"a":1,"a":2,"model":"m","messages":[],"a":3}`, `{"a":1,"a":2,"model":"real","messages":[],"a":3}`},
		{"unicode escapes", `{"model":"m","messages":[{"role":"user","content":"\u00e9\ud83d\ude00 é\u2028 \/ \u0000"}]}`,
			`{"model":"real","messages":[{"role":"user","content":"\u00e9\ud83d\ude00 é\u2028 \/ \u0000"}]}`},
		{"white space", " {\n\t\"model\" :\r\n \"m\" , \"messages\":[ ] } \n", " {\n\t\"model\" :\r\n \"real\" , \"messages\":[ ] } \n"},
		{"an escaped model key", `{"mod\u0065l":"m","messages":[]}`, `{"mod\u0065l":"real","messages":[]}`},
		{"a model key in capitals", `{"MODEL":"m","messages":[]}`, `{"MODEL":"real","messages":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &passing{kind: "application/json", reply: []byte(reply)}
			got, _, err := send(t, p, "real", hoosh.Profile{}, []byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if string(p.got) != tc.out {
				t.Errorf("arrived\n %s\nwant\n %s", p.got, tc.out)
			}
			if string(got.Body) != reply {
				t.Errorf("the reply came as\n %s\nwant\n %s", got.Body, reply)
			}
			if got.Usage.Input != 1 || got.Usage.Output != 2 || got.Finish != hoosh.FinishStop {
				t.Errorf("usage %v, finish %v", got.Usage, got.Finish)
			}
		})
	}
}

// TestPassageProperty: whatever the JSON, only the model changes.
func TestPassageProperty(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		members := []string{`"model":"m"`, `"messages":` + randomArray(rng, 3)}
		for range rng.IntN(8) {
			members = append(members, randomString(rng)+":"+randomJSON(rng, 4))
		}
		rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if i%100 == 0 { // now and then a long prompt
			members = append(members, `"pad":"`+strings.Repeat(`lorem \n ipsum \u00e9 `, 25_000)+`"`)
		}
		in := "{" + space(rng) + strings.Join(members, space(rng)+","+space(rng)) + space(rng) + "}"
		want := strings.Replace(in, `"model":"m"`, `"model":"the \"real\" one"`, 1)
		p := &passing{kind: "application/json", reply: []byte(`{"choices":[],"extra":` + randomJSON(rng, 4) + `}`)}
		reply, _, err := send(t, p, `the "real" one`, hoosh.Profile{}, []byte(in))
		if err != nil {
			t.Fatalf("%v\n%s", err, in)
		}
		if string(p.got) != want {
			t.Fatalf("arrived\n %s\nwant\n %s", p.got, want)
		}
		if !bytes.Equal(reply.Body, p.reply) {
			t.Fatalf("the reply came as\n %s\nwant\n %s", reply.Body, p.reply)
		}
	}
}

func space(rng *rand.Rand) string {
	return [...]string{"", "", " ", "\n\t", "\r\n"}[rng.IntN(5)]
}

func randomString(rng *rand.Rand) string {
	pieces := [...]string{"a", "key", "é", "日本", `\n`, `\"`, `\\`, `\u00e9`, `\ud83d\ude00`, "\u2028", " ", "/", `\/`, "{", "]", ":"}
	var b strings.Builder
	b.WriteString(`"x`) // not a name that hoosh acts on
	for range rng.IntN(6) {
		b.WriteString(pieces[rng.IntN(len(pieces))])
	}
	b.WriteByte('"')
	return b.String()
}

func randomArray(rng *rand.Rand, depth int) string {
	var items []string
	for range rng.IntN(4) {
		items = append(items, `{"role":"user","content":`+randomString(rng)+`,`+randomString(rng)+":"+randomJSON(rng, depth)+"}")
	}
	return "[" + strings.Join(items, space(rng)+",") + "]"
}

func randomJSON(rng *rand.Rand, depth int) string {
	kind := rng.IntN(8)
	if depth == 0 {
		kind = rng.IntN(6)
	}
	switch kind {
	case 0:
		return "null"
	case 1:
		return [...]string{"true", "false"}[rng.IntN(2)]
	case 2, 3:
		return [...]string{"0", "-0", "1.0", "1e0", "1E+2", "-12.5e-3", "12345678901234567890", "0.1000"}[rng.IntN(8)]
	case 4, 5:
		return randomString(rng)
	case 6:
		var items []string
		for range rng.IntN(4) {
			items = append(items, randomJSON(rng, depth-1))
		}
		return "[" + space(rng) + strings.Join(items, ",") + space(rng) + "]"
	}
	var items []string
	for range rng.IntN(4) {
		items = append(items, randomString(rng)+space(rng)+":"+randomJSON(rng, depth-1))
	}
	return "{" + strings.Join(items, ",") + space(rng) + "}"
}

// TestTwiceTheSameKey: a second key that some backend reads as one that hoosh
// acts on would be a way round what hoosh decided by the first.
func TestTwiceTheSameKey(t *testing.T) {
	for _, body := range []string{
		`{"model":"m","messages":[],"model":"other"}`,
		`{"model":"m","messages":[],"MODEL":"other"}`,
		`{"model":"m","messages":[],"Mod\u0065l":"other"}`,
		`{"model":"m","messages":[],"meſſages":[]}`, // U+017F folds to s
		`{"model":"m","messages":[],"stream":false,"ſtream":true}`,
		`{"model":"m","messages":[],"to\u212Aens":1,"toKens":2,"max_tokens":1,"max_to\u212Aens":2}`, // the Kelvin sign folds to k
		`{"model":"m","messages":[],"stream_options":{"include_usage":true,"INCLUDE_USAGE":false}}`,
	} {
		_, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
		if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrInvalidRequest || e.Param == "" {
			t.Errorf("%s: got %v, want invalid request with the key's name", body, err)
		}
	}
}

// TestEnvelope is what one look at a body finds.
func TestEnvelope(t *testing.T) {
	body := `{"model":"m\u0031","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":50,"n":2,
		"messages":[{"role":"developer","content":"abc"},{"role":"user","content":[{"type":"text","text":"defg"},{"type":"image_url","image_url":{"url":"data:x"}}]},
		{"role":"assistant","tool_calls":[{"id":"1"}]},{"role":"tool","tool_call_id":"1","content":"h"}],
		"tools":[{"type":"function"}],"response_format":{"type":"json_schema","json_schema":{}}}`
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	e := c.Envelope()
	if e.Model != "m1" || !e.Stream || !e.WantsUsage || e.MaxTokens != 50 || e.Choices != 2 {
		t.Errorf("envelope %+v", e)
	}
	want := hoosh.FeatureChat | hoosh.FeatureVision | hoosh.FeatureTools | hoosh.FeatureJSONSchema | hoosh.FeatureChoices
	if e.Needs != want {
		t.Errorf("needs %v, want %v", e.Needs, want)
	}
	if e.Deep != hoosh.DeepDeveloper|hoosh.DeepToolIDs {
		t.Errorf("deep %b", e.Deep)
	}
	if text := len("abc") + len("defg") + len(`[{"id":"1"}]`) + len("h") + len(`[{"type":"function"}]`); e.Text != text {
		t.Errorf("text %d, want %d", e.Text, text)
	}
	if k, ok := e.Key("n"); !ok || body[k.From:k.To] != "2" {
		t.Error("the span of n")
	}
}

// TestBadBodies: what is wrong, where, and what would be right.
func TestBadBodies(t *testing.T) {
	for _, tc := range []struct {
		op          hoosh.Operation
		body, param string
		message     string
	}{
		{hoosh.OpChat, ``, "", "JSON"},
		{hoosh.OpChat, `[]`, "", "want a JSON object"},
		{hoosh.OpChat, `{"model":"m","messages":[{"content":"x" "y":1}]}`, "messages[0]", "invalid JSON at byte"},
		{hoosh.OpChat, `{"model":"m","messages":[]} x`, "", "invalid JSON at byte"},
		{hoosh.OpChat, `{"model":3,"messages":[]}`, "model", "want a string"},
		{hoosh.OpChat, `{"model":"m"}`, "messages", "missing"},
		{hoosh.OpChat, `{"model":"m","messages":"hi"}`, "messages", "want an array"},
		{hoosh.OpChat, `{"model":"m","messages":["hi"]}`, "messages", "want an array of message objects"},
		{hoosh.OpChat, `{"model":"m","messages":[],"stream":"yes"}`, "stream", "want true or false"},
		{hoosh.OpChat, `{"model":"m","messages":[],"max_tokens":-1}`, "max_tokens", "want a whole number"},
		{hoosh.OpChat, `{"model":"m","messages":[],"max_tokens":1.5}`, "max_tokens", "want a whole number"},
		{hoosh.OpEmbed, `{"model":"m"}`, "input", "missing"},
		{hoosh.OpEmbed, `{"model":"m","input":{}}`, "input", "want a string"},
		{hoosh.OpChat, `{"model":"m","messages":[],"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, "", "deep"},
	} {
		_, err := hoosh.ParseCall(hoosh.OpenAI, tc.op, []byte(tc.body))
		e := hoosh.AsError(err)
		if e == nil || e.Kind != hoosh.ErrInvalidRequest || tc.param != "" && e.Param != tc.param || !strings.Contains(e.Message, tc.message) {
			t.Errorf("%.80s:\n got %v (param %q)\nwant %q at %q", tc.body, err, e.Param, tc.message, tc.param)
		}
	}
}

// TestUsageSwitch: hoosh asks every stream for its usage, and hides the chunk
// from a caller who did not.
func TestUsageSwitch(t *testing.T) {
	for _, tc := range []struct{ in, out string }{
		{`{"model":"m","messages":[],"stream":true}`, `{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}`},
		{`{"model":"m","messages":[],"stream":true} `, `{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}} `},
		{`{"model":"m","stream":true,"stream_options":{"include_usage":false,"x":1},"messages":[]}`, `{"model":"m","stream":true,"stream_options":{"include_usage":true,"x":1},"messages":[]}`},
		{`{"model":"m","stream":true,"stream_options":{ "x":1},"messages":[]}`, `{"model":"m","stream":true,"stream_options":{ "include_usage":true,"x":1},"messages":[]}`},
		{`{"model":"m","stream":true,"stream_options":{ },"messages":[]}`, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}`},
		{`{"model":"m","stream":true,"stream_options":null,"messages":[]}`, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}`},
		{`{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}`, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[]}`},
	} {
		asked := tc.in == tc.out
		p := &passing{kind: "text/event-stream", reply: streamBytes(3)}
		reply, c, err := send(t, p, "*", hoosh.Profile{}, []byte(tc.in))
		if err != nil {
			t.Fatal(err)
		}
		if string(p.got) != tc.out {
			t.Errorf("arrived\n %s\nwant\n %s", p.got, tc.out)
		}
		shown, usage := drainStream(t, reply.Stream)
		if usage.Input != 10 || usage.Output != 20 || usage.Source != hoosh.UsageReported {
			t.Errorf("metered %v", usage)
		}
		whole := string(streamBytes(3))
		if hidden := whole[:strings.Index(whole, `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1732000000,"model":"m","choices":[],`)] + "data: [DONE]\n\n"; !asked && shown != hidden {
			t.Errorf("shown\n%s\nwant\n%s", shown, hidden)
		}
		if asked && shown != whole {
			t.Errorf("shown\n%s\nwant\n%s", shown, whole)
		}
		if c.WantsUsage() != asked {
			t.Error("WantsUsage")
		}
	}
}

// drainStream reads a stream to its end: what a client is shown, and what is
// metered.
func drainStream(t *testing.T, s hoosh.Stream) (shown string, u hoosh.Usage) {
	t.Helper()
	var b strings.Builder
	for {
		f, err := s.Next()
		if err == io.EOF {
			return b.String(), u
		}
		if err != nil {
			t.Fatal(err)
		}
		b.Write(f.Raw)
		if f.Usage.Source != hoosh.UsageNone {
			u = u.Merge(f.Usage)
		}
	}
}

// TestProfileRules: what a vendor wants otherwise changes where it stands.
func TestProfileRules(t *testing.T) {
	profile := hoosh.Profile{
		Rules: []hoosh.Rule{
			{Key: "seed", Rename: "random_seed"},
			{Key: "user"},
			{Key: "logprobs"},
			{Key: "temperature", Models: []string{"strict-*"}, Keep: "1"},
		},
		NoDeveloper: true, NoStreamOptions: true, ToolChoiceRequired: "any",
		ToolID: func(id string) string { return "T" + strings.TrimPrefix(id, "T") },
	}
	for _, tc := range []struct{ target, in, out, dropped string }{
		{"*", `{"user":"u","model":"m","messages":[],"logprobs":true}`, `{"model":"m","messages":[]}`, "user,logprobs"},
		{"*", `{"user":"u","logprobs":true,"model":"m","messages":[],"seed":3}`, `{"model":"m","messages":[],"random_seed":3}`, "user,logprobs"},
		{"*", `{"model":"m","seed":1,"random_seed":2,"messages":[]}`, `{"model":"m","random_seed":2,"messages":[]}`, "seed"},
		{"*", `{"model":"m","messages":[],"temperature":0.5}`, `{"model":"m","messages":[],"temperature":0.5}`, ""},
		{"strict-1", `{"model":"m","messages":[],"temperature":0.5}`, `{"model":"strict-1","messages":[]}`, "temperature"},
		{"strict-1", `{"model":"m","messages":[],"temperature":1}`, `{"model":"strict-1","messages":[],"temperature":1}`, ""},
		{"*", `{"model":"m","stream":false,"stream_options":null,"messages":[]}`, `{"model":"m","stream":false,"messages":[]}`, ""},
		{"*", `{"model":"m","tool_choice":"required","messages":[{"role":"developer","content":"x"},{"role":"assistant","tool_calls":[{"id":"a","x":1},{"id":"Tb"}]},{"tool_call_id":"a","role":"tool","content":"y"}]}`,
			`{"model":"m","tool_choice":"any","messages":[{"role":"system","content":"x"},{"role":"assistant","tool_calls":[{"id":"Ta","x":1},{"id":"Tb"}]},{"tool_call_id":"Ta","role":"tool","content":"y"}]}`, ""},
	} {
		p := &passing{kind: "application/json", reply: []byte(`{"choices":[]}`)}
		reply, _, err := send(t, p, tc.target, profile, []byte(tc.in))
		if err != nil {
			t.Fatal(err)
		}
		if string(p.got) != tc.out || !json.Valid(p.got) {
			t.Errorf("arrived\n %s\nwant\n %s", p.got, tc.out)
		}
		if got := strings.Join(reply.Dropped, ","); got != tc.dropped {
			t.Errorf("%s: dropped %q, want %q", tc.in, got, tc.dropped)
		}
	}
}

// TestManyKeys: a small body cannot make hoosh work or hold much.
func TestManyKeys(t *testing.T) {
	profile := hoosh.Profile{Rules: []hoosh.Rule{{Key: "seed", Rename: "random_seed"}}}
	body := func(n int) []byte {
		return []byte(`{"model":"m","messages":[]` + strings.Repeat(`,"seed":1`, n) + `}`)
	}
	p := &passing{kind: "application/json", reply: []byte(`{"choices":[]}`)}
	reply, _, err := send(t, p, "*", profile, append(body(100)[:len(body(100))-1], `,"random_seed":2}`...))
	if err != nil || len(reply.Dropped) != 1 {
		t.Errorf("%v, %v", reply, err)
	}
	if _, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body(100_000)); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Error(err)
	}
	long := strings.Repeat("x", 1<<20)
	r := newRouter(t, []hoosh.Provider{{Name: "p", Doer: lists("a-model", "another")}})
	if _, err := r.Do(context.Background(), hoosh.NewCall(&hoosh.Request{Model: long})); !errors.Is(err, hoosh.ErrModelNotFound) || len(err.Error()) > 1000 {
		t.Error("a name of a megabyte:", len(err.Error()))
	}
}

// TestOverlappingRules: a profile that wants two things of one place gets one.
func TestOverlappingRules(t *testing.T) {
	profile := hoosh.Profile{ToolChoiceRequired: "any", Rules: []hoosh.Rule{{Key: "tool_choice"}, {Key: "stream_options"}}}
	p := &passing{kind: "text/event-stream", reply: streamBytes(1)}
	reply, _, err := send(t, p, "*", profile, []byte(`{"model":"m","messages":[],"tool_choice":"required","stream_options":{"include_usage":false},"stream":true}`))
	if err != nil || !json.Valid(p.got) {
		t.Errorf("%v: %s", err, p.got)
	} else {
		reply.Stream.Close()
	}
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpCompletion, []byte(` { } `))
	if err != nil {
		t.Fatal(err)
	}
	c.Model = "m"
	b, _, err := c.BodyFor(&hoosh.Profile{Dialect: hoosh.OpenAI})
	if err != nil || string(b.Bytes()) != ` { "model":"m"} ` {
		t.Errorf("%v: %s", err, b.Bytes())
	}
}

// TestPassageThinking: thinking that a client kept is taken out for a vendor that
// refuses it, wherever it stands in its message, and nothing else is touched.
func TestPassageThinking(t *testing.T) {
	for _, tc := range [][2]string{
		{`{"role":"assistant", "reasoning_content":"hm","content":"x"}`, `{"role":"assistant","content":"x"}`},
		{`{"reasoning_content" : "a,b}" , "role":"assistant","content":"x"}`, `{ "role":"assistant","content":"x"}`},
		{`{"role":"assistant","content":"x" , "reasoning_content":null }`, `{"role":"assistant","content":"x"  }`},
	} {
		body := `{"model":"m","messages":[{"role":"user","content":"reasoning_content"},%s]}`
		c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, fmt.Appendf(nil, body, tc[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, refuses := range []bool{true, false} {
			b, dropped, err := c.BodyFor(&hoosh.Profile{Dialect: hoosh.OpenAI, NoThinking: refuses})
			want := fmt.Sprintf(body, tc[0])
			if refuses {
				want = fmt.Sprintf(body, tc[1])
			}
			if err != nil || string(b.Bytes()) != want || dropped != nil {
				t.Errorf("got  %s, %q, %v\nwant %s", b.Bytes(), dropped, err, want)
			}
		}
	}
}
