// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
)

func show(all []hoosh.Event) string {
	var b strings.Builder
	for i := range all {
		e := &all[i]
		fmt.Fprintf(&b, "%v", e.Kind)
		if e.Choice > 0 {
			fmt.Fprintf(&b, "#%d", e.Choice)
		}
		switch e.Kind {
		case hoosh.EventStart:
			fmt.Fprintf(&b, " %s %s", e.ID, e.Model)
		case hoosh.EventToolCall:
			fmt.Fprintf(&b, " %d %q %s %s", e.Index, e.ID, e.Name, e.Value)
		case hoosh.EventFinish:
			fmt.Fprintf(&b, " %v", e.Finish)
		case hoosh.EventUsage:
			fmt.Fprintf(&b, " %v", e.Usage)
		case hoosh.EventCitation:
			fmt.Fprintf(&b, " %s", e.Citation.URL)
		default:
			fmt.Fprintf(&b, " %q", e.Content().String())
		}
		if e.Signature != nil {
			fmt.Fprintf(&b, " signed %s", e.Signature.Data.String())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestDecodeStream(t *testing.T) {
	const want = `start r9 gemini-3-pro-preview
thinking "Let me "
usage 9 in, 3 out (reported)
thinking "think."
signature "" signed dGg=
text "Grüße "
text "dir"
tool_call 0 "" weather {"city": "Graz"} signed c2ln
tool_call 1 "k2" now {}
finish tool_calls
usage 9 in, 9 out (reported)
`
	if got := show(events(t, native, string(golden(t, "stream.sse")))); got != want {
		t.Errorf("got\n%s", got)
	}
	list, s := frames(t, native, string(golden(t, "stream.sse")))
	last := list[len(list)-1]
	if !s.Complete() || last.Kind != hoosh.FrameEnd || last.Finish != hoosh.FinishToolCalls || last.Usage.CacheRead != 4 || string(list[3].Signature) != "c2ln" || list[2].Kind != hoosh.FrameContent {
		t.Errorf("%+v", last)
	}
	// Several candidates end one by one; their index may stand last.
	const two = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"STOP\",\"index\":1}],\"usageMetadata\":{\"promptTokenCount\":1}}\r\n\r\n"
	r, s := frames(t, native, two)
	if !s.Complete() || show(events(t, native, two)) != "start  \ntext#1 \"b\"\nfinish#1 stop\nusage 1 in, 0 out (reported)\n" {
		t.Error(show(events(t, native, two)))
	}
	s = native.NewScanner(hoosh.OpChat, 2)
	if err := s.Scan(&r[0]); err != nil || s.Complete() {
		t.Error("complete with one of two")
	}
	if end := string(s.End(nil, hoosh.FinishStop, hoosh.Usage{Input: 3}, true)); !strings.Contains(end, `"index":0`) || strings.Contains(end, `"index":1`) || !strings.Contains(end, `"promptTokenCount":3`) {
		t.Error(end)
	}
	// Sources come with the end.
	const cited = `{"candidates":[{"content":{"parts":[{"text":""}]},"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a"}},{"web":{"uri":"https://b"}}]},"index":0}]}`
	if got := show(events(t, native, "data: "+cited+"\n\n")); got != "start  \ncitation https://a\ncitation https://b\n" {
		t.Error(got)
	}
}

// TestEncodeStream: what a Gemini client gets of an OpenAI stream.
func TestEncodeStream(t *testing.T) {
	delta := func(d string) string {
		return `data: {"id":"i","created":1,"model":"far","choices":[{"index":0,"delta":` + d + `,"finish_reason":null}]}` + "\n\n"
	}
	stream := delta(`{"role":"assistant","content":""}`) + delta(`{"reasoning_content":"hm"}`) + delta(`{"content":"Grü"}`) + delta(`{"content":"ße"}`) +
		delta(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":""}}]}`) + delta(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}`) +
		delta(`{"tool_calls":[{"index":1,"id":"c2","function":{"name":"g","arguments":""}}]}`) + delta(`{"tool_calls":[{"index":0,"function":{"arguments":":\n1}"}}]}`) +
		`data: {"id":"i","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}` + "\n\n" +
		`data: {"id":"i","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}}` + "\n\ndata: [DONE]\n\n"
	c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
	c.Model, c.Stream = "m", true
	reply, err := send(t, hoosh.OpenAI, c, &answer{kind: "text/event-stream", body: stream})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	got, err := drain(reply.Stream)
	if err != nil {
		t.Fatal(err)
	}
	frame := func(parts string) string {
		return `data: {"candidates":[{"content":{"parts":[` + parts + `],"role":"model"},"index":0}],"modelVersion":"far","responseId":"i"}` + "\r\n\r\n"
	}
	want := frame(`{"text":"hm","thought":true}`) + frame(`{"text":"Grü"}`) + frame(`{"text":"ße"}`) +
		frame(`{"functionCall":{"id":"c1","name":"f","args":{"a":`+` 1}}}`) + frame(`{"functionCall":{"id":"c2","name":"g","args":{}}}`) +
		`data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12},"modelVersion":"far","responseId":"i"}` + "\r\n\r\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestEncoderTolerates: events in an order that they should not have.
func TestEncoderTolerates(t *testing.T) {
	if got := still(write(t, native, nil)); got != `data: {"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0},"modelVersion":"m","responseId":"X"}`+"\r\n\r\n" {
		t.Error(got)
	}
	piece := func(kind hoosh.EventKind, choice int, text string) hoosh.Event {
		return hoosh.NewEvent(kind, choice, hoosh.NewText(text))
	}
	again := piece(hoosh.EventToolCall, 0, `{"b"`)
	again.ID, again.Name = "c1", "f"
	rest := piece(hoosh.EventToolCall, 0, `:2}`)
	rest.ID = "c1"
	got := write(t, native, []hoosh.Event{
		{Kind: hoosh.EventUsage, Usage: hoosh.Usage{Input: 4, Source: hoosh.UsageReported}},
		piece(hoosh.EventText, 1, "zwei"), piece(hoosh.EventText, 0, "eins"), {Kind: hoosh.EventStart, ID: "late", Model: "late"},
		{Kind: hoosh.EventToolCall, Name: "one", Value: []byte("{\n}")}, {Kind: hoosh.EventToolCall, Name: "two", Value: []byte("{}")},
		again, rest, {Kind: hoosh.EventToolCall, ID: "c2", Name: "h"},
		{Kind: hoosh.EventFinish, Choice: 1, Finish: hoosh.FinishLength},
		{Kind: hoosh.EventCitation, Citation: &hoosh.Citation{URL: "https://a"}},
	})
	back := events(t, native, got)
	var names []string
	for _, e := range back {
		if e.Kind == hoosh.EventToolCall {
			names = append(names, e.Name+string(e.Value))
			if e.ID == "" {
				t.Error("a call without an id")
			}
		}
	}
	if strings.Join(names, " ") != `one{ } two{} f{"b":2} h{}` || strings.Contains(got, "late") || !strings.Contains(show(back), "text#1 \"zwei\"") || !strings.Contains(show(back), "finish#1 length") || !strings.Contains(show(back), "citation https://a") {
		t.Errorf("%q\n%s", names, show(back))
	}
	// Arguments that are no object.
	enc := native.NewEncoder(parse(t, native, hoosh.OpChat, `{"contents":[]}`), &hoosh.Reply{})
	bad := piece(hoosh.EventToolCall, 0, `{"b"`)
	if _, err := enc.Encode(nil, &bad); err != nil {
		t.Fatal(err)
	}
	if _, err := enc.Encode(nil, &hoosh.Event{Kind: hoosh.EventFinish, Finish: hoosh.FinishStop}); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
}

// TestStreamToOthers: a Gemini's stream, as clients of the others read it.
func TestStreamToOthers(t *testing.T) {
	for _, d := range []*hoosh.Dialect{hoosh.OpenAI, anthropic.Dialect} {
		got := write(t, d, events(t, native, string(golden(t, "stream.sse"))))
		back := show(events(t, d, got))
		for _, want := range []string{"Grüße ", "weather", "now", "finish tool_calls", "Let me "} {
			if !strings.Contains(back, want) {
				t.Errorf("%s: no %q in\n%s", d.Name, want, back)
			}
		}
	}
	// Through another and back: the thinking of Anthropic, sealed.
	think := hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.NewText("hm"))
	got := write(t, native, []hoosh.Event{think, {Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("sig")}}})
	var parts []string
	list, _ := frames(t, native, got)
	for i := range list {
		var f struct {
			Candidates []struct {
				Content struct{ Parts []json.RawMessage }
			}
		}
		if err := json.Unmarshal(list[i].Data, &f); err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Candidates[0].Content.Parts {
			parts = append(parts, string(p))
		}
	}
	q, err := native.DecodeRequest(hoosh.OpChat, []byte(`{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[`+strings.Join(parts, ",")+`]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p := q.Messages[1].Parts
	if len(p) != 1 || p[0].Text() != "hm" || p[0].Signature == nil || p[0].Signature.Issuer != "far" || p[0].Signature.Data.String() != "sig" {
		t.Errorf("%+v", p)
	}
}

// TestStreamEnds: complete, cut, an error.
func TestStreamEnds(t *testing.T) {
	whole := string(golden(t, "stream.sse"))
	for _, tt := range []struct {
		name, body string
		kind       error
	}{
		{"whole", whole, nil},
		{"cut", whole[:strings.LastIndex(whole, "data:")], hoosh.ErrStreamCut},
		{"an error", whole[:strings.LastIndex(whole, "data:")] + "data: {\"error\":{\"code\":429,\"message\":\"x\",\"status\":\"RESOURCE_EXHAUSTED\"}}\n\n", hoosh.ErrRateLimited},
		{"blocked", "data: {\"promptFeedback\":{\"blockReason\":\"OTHER\"}}\n\n", nil},
		{"usage behind the reason", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\ndata: {\"usageMetadata\":{\"promptTokenCount\":1}}\n\n", nil},
		{"no usage", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}\n\n", nil},
	} {
		c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
		c.Stream = true
		reply, err := send(t, native, c, &answer{kind: "text/event-stream", body: tt.body})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := drain(reply.Stream)
		if !errors.Is(err, tt.kind) || tt.kind == nil && raw != tt.body {
			t.Errorf("%s: %v, %q", tt.name, err, raw)
		}
	}
}
