// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/maccracken/hoosh"
)

// TestRequestRoundTrip: what the format can say, written and read, is the same.
func TestRequestRoundTrip(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		q := random(r)
		c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
		c.Model = []string{flash25, pro3}[r.IntN(2)]
		if q.Reasoning.Budget != 0 {
			c.Model = flash25
		} else if q.Reasoning.Effort == "low" {
			c.Model = pro3
		}
		body, dropped, err := native.EncodeRequest(c, q, profile(native))
		if err != nil || len(dropped) > 0 {
			t.Fatalf("seed %d: %v %q", seed, err, dropped)
		}
		back, err := native.DecodeRequest(hoosh.OpChat, body)
		if err != nil {
			t.Fatalf("seed %d: %v in %s", seed, err, body)
		}
		if c.Model == pro3 { // first calls without a signature were given the word that stands for one
			for i := range back.Messages {
				for j := range back.Messages[i].Parts {
					if p := &back.Messages[i].Parts[j]; p.Signature != nil && p.Signature.Data.String() == "skip_thought_signature_validator" {
						p.Signature = nil
					}
				}
			}
		}
		if !back.Equal(q) {
			a, _ := json.Marshal(q)
			b, _ := json.Marshal(back)
			t.Fatalf("seed %d: %s\nwas  %s\nread %s", seed, body, a, b)
		}
	}
}

func random(r *rand.Rand) *hoosh.Request {
	one := func() bool { return r.IntN(2) == 0 }
	text := func() string {
		return []string{"a", "Grüß \"Gott\"", "line\nend", "\u2028\u0000", "🙂", `{"a":1}`, " b "}[r.IntN(7)]
	}
	q := &hoosh.Request{}
	if one() {
		q.Messages = append(q.Messages, hoosh.System(text()))
	}
	for i := range 1 + r.IntN(3) {
		user := hoosh.User(text())
		if one() {
			user.Parts = append(user.Parts, hoosh.Part{Kind: hoosh.PartImage, Media: &hoosh.Media{Type: "image/png", Data: hoosh.NewText("AAAA")}})
		}
		if one() {
			user.Parts = append(user.Parts, hoosh.Part{Kind: hoosh.PartAudio, Media: &hoosh.Media{Type: "audio/wav", Format: "wav", Data: hoosh.NewText("AAAA")}},
				hoosh.Part{Kind: hoosh.PartFile, Media: &hoosh.Media{URL: hoosh.NewText("gs://b/a"), Type: "application/pdf"}})
		}
		q.Messages = append(q.Messages, user)
		m := hoosh.Message{Role: hoosh.RoleAssistant}
		if one() {
			p := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText(text()))
			p.Signature = &hoosh.Signature{Data: hoosh.NewText("c2ln")}
			m.Parts = append(m.Parts, p)
		}
		m.Parts = append(m.Parts, hoosh.TextPart(text()))
		if one() {
			m.Parts = append(m.Parts, hoosh.Part{Kind: hoosh.PartOther, Raw: json.RawMessage(`{"executableCode":{"code":"x"}}`)})
		}
		results := hoosh.Message{Role: hoosh.RoleTool}
		for j := range r.IntN(3) {
			name, id := fmt.Sprintf("f%d", r.IntN(2)), ""
			if i%2 == 0 {
				id = fmt.Sprintf("c%d-%d", i, j)
			}
			call := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{ID: id, Name: name, Arguments: hoosh.ValueArguments([]byte(`{"a":[1,"\u00e9"]}`))}}
			if one() {
				call.Signature = &hoosh.Signature{Data: hoosh.NewText("c2lnMg==")}
			}
			m.Parts = append(m.Parts, call)
			result := hoosh.Part{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: id, Name: name, Failed: one(), Parts: []hoosh.Part{hoosh.TextPart(text())}}}
			results.Parts = append(results.Parts, result)
		}
		q.Messages = append(q.Messages, m)
		if len(results.Parts) > 0 {
			q.Messages = append(q.Messages, results, hoosh.Assistant(text()))
		}
	}
	settings(r, q)
	return q
}

func settings(r *rand.Rand, q *hoosh.Request) {
	one := func() bool { return r.IntN(2) == 0 }
	if one() {
		q.Tools = []hoosh.Tool{{Name: "f0", Description: hoosh.NewText("d"), Parameters: json.RawMessage(`{"type":"object"}`)}, {Type: "googleSearch", Raw: json.RawMessage(`{"googleSearch":{}}`)}, {Name: "f1"}}
		q.ToolChoice = []hoosh.ToolChoice{{}, {Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "function", Name: "f0"}, {Raw: json.RawMessage(`{"mode":"VALIDATED"}`)}}[r.IntN(6)]
	}
	q.Format = []hoosh.Format{{}, {Type: "text"}, {Type: "json_object"}, {Type: "json_schema", Schema: json.RawMessage(`{"type":"array"}`)}}[r.IntN(4)]
	q.Reasoning = []hoosh.Reasoning{{}, {Budget: 2048, Show: hoosh.Ptr(true)}, {Effort: "low"}, {Budget: -1}, {Show: hoosh.Ptr(false)}}[r.IntN(5)]
	if one() {
		q.MaxTokens, q.Temperature, q.TopP, q.TopK = 7, hoosh.Ptr(0.25), hoosh.Ptr(1e-9), hoosh.Ptr(3)
	}
	if one() {
		q.Seed, q.FrequencyPenalty, q.PresencePenalty, q.Choices = hoosh.Ptr(int64(-5)), hoosh.Ptr(0.0), hoosh.Ptr(-1.5), 2
		q.Stop = []hoosh.Text{hoosh.NewText("\n"), hoosh.NewText("END")}
	}
	if one() {
		q.Extra = hoosh.Extra{{Key: "generationConfig", Value: json.RawMessage(`{"responseModalities":["TEXT"],"newThing":{"a":1}}`)}, {Key: "safetySettings", Value: json.RawMessage(`[]`)}, {Key: "brandNew", Value: json.RawMessage(`null`)}}
	}
}

// TestTyped: a Go program's raw JSON is checked, and cannot contradict a field.
func TestTyped(t *testing.T) {
	q := &hoosh.Request{Model: flash25, MaxTokens: 5, Messages: []hoosh.Message{hoosh.User("a")}}
	q.Extra = hoosh.Extra{{Key: "generationConfig", Value: json.RawMessage(`{"maxOutputTokens":9,"mediaResolution":"X"}`)}, {Key: "contents", Value: json.RawMessage(`[]`)}, {Key: "labels", Value: json.RawMessage(`{}`)}}
	body, dropped, err := hoosh.NewCall(q).BodyFor(profile(native))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(body.Bytes()); got != `{"contents":[{"role":"user","parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":5,"mediaResolution":"X"},"labels":{}}` || fmt.Sprint(dropped) != "[generationConfig.maxOutputTokens contents]" {
		t.Errorf("%s %q", got, dropped)
	}
	for _, raw := range []string{"", "{", `{},"contents":[]`} {
		q.Extra = hoosh.Extra{{Key: "labels", Value: json.RawMessage(raw)}}
		if _, _, err := hoosh.NewCall(q).BodyFor(profile(native)); err == nil {
			t.Errorf("%q was taken", raw)
		}
	}
}
