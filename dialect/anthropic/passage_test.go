// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

func TestEnvelope(t *testing.T) {
	c := parse(t, native, hoosh.OpChat, string(golden(t, "request.json")))
	e := c.Envelope()
	if e.Model != "claude-opus-4-7" || !e.Stream || e.MaxTokens != 32000 || e.Choices != 1 || !e.WantsUsage {
		t.Errorf("%+v", e)
	}
	if want := hoosh.FeatureChat | hoosh.FeatureTools | hoosh.FeatureVision; e.Needs != want {
		t.Errorf("needs %v, want %v", e.Needs, want)
	}
	if e.Deep != hoosh.DeepToolIDs|hoosh.DeepSignatures {
		t.Error(e.Deep)
	}
	if e.Text < 300 || e.Text > 500 {
		t.Error(e.Text)
	}
	e = parse(t, native, hoosh.OpCount, `{"messages":[{"role":"user","content":[{"type":"document","source":{}}]}],"output_config":{"format":{"type":"json_schema","schema":{}}}}`).Envelope()
	if e.Needs != hoosh.FeatureCount|hoosh.FeatureFiles|hoosh.FeatureJSONSchema || e.Deep != 0 || e.Stream {
		t.Errorf("%+v", e)
	}
	for _, body := range []string{
		`[]`, `{`, `{"model":"m"}`, `{"model":1,"messages":[]}`, `{"messages":{}}`, `{"messages":[1]}`, `{"messages":[],"stream":"a"}`, `{"messages":[],"max_tokens":-1}`,
		`{"messages":[],"max_tokens":1.5}`, `{"messages":[],"tools":{}}`, `{"messages":[],"system":1}`, `{"messages":[],"model":"a","MODEL":"b"}`, `{"messages":[],"m\u0065ssages":[]}`,
	} {
		if _, err := hoosh.ParseCall(native, hoosh.OpChat, []byte(body)); hoosh.AsError(err) == nil || hoosh.AsError(err).Kind != hoosh.ErrInvalidRequest {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// What passes from a client to a backend of its own format stays as it is.
func TestPassage(t *testing.T) {
	body := string(golden(t, "request.json"))
	got, dropped, err := translate(t, native, native, "claude-opus-4-7", body)
	if err != nil || dropped != nil || got != body {
		t.Errorf("%v, %v: %s", err, dropped, got)
	}
	got, _, _ = translate(t, native, native, "other", body)
	if want := strings.Replace(body, `"claude-opus-4-7"`, `"other"`, 1); got != want {
		t.Errorf("got %s", got)
	}
	c := parse(t, native, hoosh.OpChat, body)
	c.Stream = false
	b, _, err := c.BodyFor(profile(native))
	if want := strings.Replace(body, `"stream": true`, `"stream": false`, 1); err != nil || string(b.Bytes()) != want {
		t.Errorf("%v: %s", err, b.Bytes())
	}
	c = parse(t, native, hoosh.OpChat, `{"messages":[]}`)
	c.Model, c.Stream = "m", true
	if b, _, err = c.BodyFor(profile(native)); err != nil || !json.Valid(b.Bytes()) {
		t.Error(err)
	}
	sameJSON(t, "added", string(b.Bytes()), `{"model":"m","stream":true,"messages":[]}`)
	c = parse(t, native, hoosh.OpChat, `{"top_k":1,"messages":[],"model":"a"}`)
	p := profile(native)
	p.Rules = []hoosh.Rule{{Key: "top_k"}}
	if b, dropped, err = c.BodyFor(p); err != nil || string(b.Bytes()) != `{"messages":[],"model":"a"}` || !slices.Equal(dropped, []string{"top_k"}) {
		t.Errorf("%v, %v, %s", err, dropped, b.Bytes())
	}
}

func sealed(issuer, data string) string {
	return (&hoosh.Signature{Issuer: issuer, Data: hoosh.NewText(data)}).Seal()
}

// Signatures of another backend go, and its own lose their seals.
func TestPassageOfSignatures(t *testing.T) {
	think := func(s string) string { return `{"type":"thinking","thinking":"t","signature":"` + s + `"}` }
	redacted := (&hoosh.Signature{Issuer: "else", Data: hoosh.NewText("r"), Redacted: true}).Seal()
	text := `{"type":"text","text":"a"}`
	id := hoosh.SealID("toolu_1", &hoosh.Signature{Issuer: "else", Data: hoosh.NewText("c")}, nil)
	for _, x := range []struct{ name, from, to string }{
		{"its own", think(sealed("far", "a/b")) + ` , ` + text, think("a/b") + ` , ` + text},
		{"bare", think("x") + `,` + text, think("x") + `,` + text},
		{"first", think(sealed("else", "a")) + ` , ` + text, text},
		{"last", text + ` , ` + think(sealed("else", "a")), text},
		{"between", text + ` , ` + think(sealed("else", "a")) + ` , ` + text, text + ` , ` + text},
		{"two", think(sealed("else", "a")) + `,{"type":"redacted_thinking","data":"` + redacted + `"},` + text, text},
		{"none is left", think(sealed("else", "")), `{"type":"text","text":"…"}`},
		{"an id", `{"type":"tool_use","id":"` + id + `","name":"f","input":{}}`, use("toolu_1", "f", `{}`)},
	} {
		body := func(blocks string) string {
			return `{"model":"m", "messages":[{"role":"user","content":"q"}, {"role":"assistant","content": [` + blocks + `]}, {"role":"user","content":"q"}]}`
		}
		got, dropped, err := translate(t, native, native, "m", body(x.from))
		if err != nil || dropped != nil || got != body(x.to) {
			t.Errorf("%s: %v, %v\ngot  %s\nwant %s", x.name, err, dropped, got, body(x.to))
		}
		// The same as it is understood and written anew.
		c := parse(t, native, hoosh.OpChat, body(x.from))
		q, err := c.Request()
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := native.EncodeRequest(c, q, profile(native))
		if strings.Contains(x.from, "tool_use") { // has no result
			continue
		}
		if err != nil || strings.Contains(string(b), "hoosh1") || strings.Contains(string(b), "-hs1") {
			t.Errorf("%s: %v: %s", x.name, err, b)
		}
	}
}

// Thinking within a loop of tool calls is turned off where the vendor would refuse
// it.
func TestPassageWithoutThinking(t *testing.T) {
	body := func(thinking, blocks string) string {
		return `{"model":"m","thinking":` + thinking + `,"context_management":{"edits":[{"type":"clear_thinking_20251015"}]},"messages":[{"role":"user","content":"q"},{"role":"assistant","content":[` + blocks + use("a", "f", `{}`) + `]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"A"}]}]}`
	}
	const enabled, adaptive, off = `{"type":"enabled","budget_tokens":2000}`, `{"type":"adaptive"}`, `{"type":"disabled"}`
	foreign := `{"type":"thinking","thinking":"t","signature":"` + sealed("else", "a") + `"},`
	own := `{"type":"thinking","thinking":"t","signature":"s"},`
	for _, x := range []struct {
		name, from, to string
		off            bool
	}{
		{"signed", body(enabled, own), body(enabled, own), false},
		{"foreign", body(enabled, foreign), body(off, ""), true},
		{"foreign, adaptive", body(adaptive, foreign), body(off, ""), true},
		{"none", body(enabled, ""), body(off, ""), true},
		{"none, adaptive", body(adaptive, ""), body(adaptive, ""), false},
		{"not asked for", body(off, foreign), body(off, ""), false},
	} {
		got, dropped, err := translate(t, native, native, "m", x.from)
		if x.off {
			x.to = strings.Replace(x.to, `,"context_management":{"edits":[{"type":"clear_thinking_20251015"}]}`, "", 1)
		}
		if err != nil || got != x.to || x.off != slices.Equal(dropped, []string{"thinking", "context_management"}) {
			t.Errorf("%s: %v, %v\ngot  %s\nwant %s", x.name, err, dropped, got, x.to)
		}
	}
	// After the loop it is of no matter.
	from := strings.Replace(body(enabled, ""), `"content":"A"}]}`, `"content":"A"}]},{"role":"assistant","content":"x"},{"role":"user","content":"y"}`, 1)
	if got, dropped, err := translate(t, native, native, "m", from); err != nil || got != from || dropped != nil {
		t.Errorf("%v, %v, %s", err, dropped, got)
	}
}

// The client of another format sends back what it was given in an id, and the
// backend gets it as thinking.
func TestSignaturesThroughIDs(t *testing.T) {
	resp, err := native.DecodeResponse(hoosh.OpChat, []byte(`{"type":"message","content":[{"type":"thinking","thinking":"hm","signature":"S/1"},`+use("toolu_1", "f", `{}`)+`],"stop_reason":"tool_use"}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Choices[0].Message.Parts[0].Signature.Issuer = "far"
	c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"messages":[{"role":"user","content":"a"}]}`)
	out, err := hoosh.OpenAI.EncodeResponse(c, resp)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Choices []struct{ Message json.RawMessage }
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	sealedID := resp.Choices[0].Message.Parts[1].Call.ID
	var m struct {
		Calls []struct{ ID string } `json:"tool_calls"`
	}
	if err := json.Unmarshal(got.Choices[0].Message, &m); err != nil || m.Calls[0].ID == sealedID {
		t.Fatal(err, m)
	}
	body, dropped, err := translate(t, hoosh.OpenAI, native, new5, `{"model":"x","max_tokens":7,"reasoning_effort":"low",`+tools+`,"messages":[{"role":"user","content":"a"},`+string(got.Choices[0].Message)+`,{"role":"tool","tool_call_id":"`+m.Calls[0].ID+`","content":"A"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(dropped, "reasoning_effort") {
		t.Error(dropped)
	}
	sameJSON(t, "sent", body, `{"model":"`+new5+`","max_tokens":7,"thinking":{"type":"adaptive"},"output_config":{"effort":"low"},`+toolsThem+`,"messages":[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"S/1"},`+use("toolu_1", "f", `{}`)+`]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"A"}]}]}`)
}
