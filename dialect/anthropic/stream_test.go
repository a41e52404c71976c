// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// told makes a line of each event.
func told(all []hoosh.Event) (lines []string) {
	for _, e := range all {
		line := e.Kind.String()
		switch e.Kind {
		case hoosh.EventStart:
			line += " " + e.ID + " " + e.Model
		case hoosh.EventToolCall:
			line += fmt.Sprintf(" %d %s %s %s", e.Index, e.ID, e.Name, e.Value)
		case hoosh.EventArguments:
			line += fmt.Sprintf(" %d %s", e.Index, e.Content())
		case hoosh.EventFinish:
			line += " " + e.Finish.String() + " " + e.Name
		case hoosh.EventUsage:
			line += " " + e.Usage.String()
		case hoosh.EventSignature:
			line += fmt.Sprintf(" %s %v", e.Signature.Data, e.Signature.Redacted)
		case hoosh.EventCitation:
			line += " " + e.Citation.URL
		default:
			line += " " + e.Content().String()
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func TestStream(t *testing.T) {
	stream := string(golden(t, "stream.sse"))
	got := told(events(t, native, stream))
	want := []string{"start msg_01 claude-opus-4-7", "usage 20 in, 0 out (reported)", "thinking Let me", "thinking  see.", "signature EqQBsig== false", "signature EmwKAhgB true",
		"text The sky → ", "text \"blue\"\n", "citation https://sky.example/", "tool_call 3 toolu_01 get_weather", "arguments 3 {\"city\": \"U", "arguments 3 lm\"}",
		"tool_call 4 toolu_02 get_time", "finish tool_calls", "usage 20 in, 60 out (reported)"}
	for i := range want {
		want[i] = strings.TrimSpace(want[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	list, s := frames(t, native, stream)
	var u hoosh.Usage
	var fin hoosh.Finish
	text, kinds := 0, ""
	var signed []string
	for _, f := range list {
		u = u.Merge(f.Usage)
		fin = max(fin, f.Finish)
		text += f.Text
		kinds += fmt.Sprint(f.Kind)
		if f.Signature != nil {
			signed = append(signed, string(f.Signature))
		}
	}
	if want := "000111010011001011010003"; kinds != want || !s.Complete() || u != (hoosh.Usage{Input: 12, CacheRead: 5, CacheWrite: 3, Output: 30, Reasoning: 30, Source: hoosh.UsageReported}) || fin != hoosh.FinishToolCalls {
		t.Errorf("kinds %s, want %s, %v, %v", kinds, want, u, fin)
	}
	if text != 74 || !slices.Equal(signed, []string{"EqQBsig==", "EmwKAhgB"}) {
		t.Error(text, signed)
	}
}

// A stream of this format, written anew in it, is the same but for seals, members
// that have no field, and pings.
func TestStreamAnew(t *testing.T) {
	stream := string(golden(t, "stream.sse"))
	got := write(t, native, events(t, native, stream))
	want := strings.NewReplacer(
		"event: ping\ndata: {\"type\": \"ping\"}\n\n", "",
		`"input_tokens":12,"cache_creation_input_tokens":3,"cache_read_input_tokens":5,"output_tokens":2,"service_tier":"standard"`, // of the start; told at the end
		`"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0`,
		`,"caller":{"type":"direct"}`, "",
		`"EqQBsig=="`, `"`+sealed("far", "EqQBsig==")+`"`,
		`"EmwKAhgB"`, `"`+(&hoosh.Signature{Issuer: "far", Data: hoosh.NewText("EmwKAhgB"), Redacted: true}).Seal()+`"`,
	).Replace(stream)
	sameStream(t, got, want)
}

func sameStream(t testing.TB, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) {
			t.Fatalf("%d lines, want %d; got\n%s", len(g), len(w), got)
		}
		gd, isData := strings.CutPrefix(g[i], "data: ")
		wd, wantData := strings.CutPrefix(w[i], "data: ")
		if isData && wantData {
			sameJSON(t, fmt.Sprint("line ", i), gd, wd)
		} else if g[i] != w[i] {
			t.Fatalf("line %d: %q, want %q", i, g[i], w[i])
		}
	}
}

// blocks reads a stream as a client does, checks its form and gives its blocks.
func blocks(t testing.TB, stream string) (list []string, stop string, usage string) {
	t.Helper()
	state, open := "before", -1
	var kind, text string
	for ev := range strings.SplitSeq(strings.TrimSuffix(stream, "\n\n"), "\n\n") {
		name, data, _ := strings.Cut(ev, "\ndata: ")
		var e struct {
			Type    string
			Index   int
			Message struct{ Content []any }
			Block   struct{ Type, ID, Name, Data string } `json:"content_block"`
			Delta   struct {
				Type, Text, Thinking, Signature string
				JSON                            string `json:"partial_json"`
				Stop                            string `json:"stop_reason"`
				Citation                        struct{ URL string }
			}
			Usage json.RawMessage
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || name != "event: "+e.Type {
			t.Fatalf("%q: %v", ev, err)
		}
		bad := false
		switch e.Type {
		case "message_start":
			bad, state = state != "before" || e.Message.Content == nil, "begun"
		case "content_block_start":
			bad = state != "begun" || open >= 0 || e.Index != len(list)
			open, kind, text = e.Index, e.Block.Type, ""
			if e.Block.ID != "" {
				kind += " " + e.Block.ID + " " + e.Block.Name
			}
			text += e.Block.Data
		case "content_block_delta":
			bad = open != e.Index
			text += e.Delta.Text + e.Delta.Thinking + e.Delta.JSON + e.Delta.Citation.URL
			if e.Delta.Signature != "" {
				text += "|" + e.Delta.Signature
			}
		case "content_block_stop":
			bad = open != e.Index
			list, open = append(list, kind+": "+text), -1
		case "message_delta":
			bad, state = state != "begun" || open >= 0, "told"
			stop, usage = e.Delta.Stop, string(e.Usage)
		case "message_stop":
			bad, state = state != "told", "ended"
		default:
			bad = true
		}
		if bad {
			t.Fatalf("%q in state %s: %s", ev, state, stream)
		}
	}
	if state != "ended" {
		t.Fatalf("it ends in state %s: %s", state, stream)
	}
	return list, stop, usage
}

func TestEncoder(t *testing.T) {
	text := func(kind hoosh.EventKind, s string) hoosh.Event { return hoosh.NewEvent(kind, 0, hoosh.NewText(s)) }
	begin := func(index int, id string) hoosh.Event {
		return hoosh.Event{Kind: hoosh.EventToolCall, Index: index, ID: id, Name: "f"}
	}
	args := func(index int, s string) hoosh.Event {
		e := text(hoosh.EventArguments, s)
		e.Index = index
		return e
	}
	start, finish := hoosh.Event{Kind: hoosh.EventStart, ID: "i", Model: "m"}, func(f hoosh.Finish) hoosh.Event {
		return hoosh.Event{Kind: hoosh.EventFinish, Finish: f}
	}
	usage := hoosh.Event{Kind: hoosh.EventUsage, Usage: hoosh.Usage{Input: 3, Output: 4, Source: hoosh.UsageReported}}
	other := text(hoosh.EventText, "x")
	other.Choice = 1
	for _, x := range []struct {
		name   string
		events []hoosh.Event
		want   []string
		stop   string
	}{
		{"nothing", nil, nil, "end_turn"},
		{"only a start", []hoosh.Event{start, start}, nil, "end_turn"},
		{"text", []hoosh.Event{usage, text(hoosh.EventText, "a\n"), start, text(hoosh.EventText, ""), text(hoosh.EventText, "b"), other, finish(hoosh.FinishLength), text(hoosh.EventText, "late"), usage}, []string{"text: a\nb"}, "max_tokens"},
		{"kinds", []hoosh.Event{text(hoosh.EventThinking, "t"), text(hoosh.EventText, "a"), text(hoosh.EventRefusal, "b"), finish(hoosh.FinishContentFilter)},
			[]string{"thinking: t|" + sealed("far", ""), "text: ab"}, "refusal"},
		{"signatures", []hoosh.Event{text(hoosh.EventThinking, "t"), {Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("s")}}, text(hoosh.EventThinking, "u"),
			{Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("r"), Redacted: true}}, {Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("o")}}},
			[]string{"thinking: t|" + sealed("far", "s"), "thinking: u|" + sealed("far", ""), "redacted_thinking: " + (&hoosh.Signature{Issuer: "far", Data: hoosh.NewText("r"), Redacted: true}).Seal(), "thinking: |" + sealed("far", "o")}, "end_turn"},
		{"citation", []hoosh.Event{text(hoosh.EventText, "a"), {Kind: hoosh.EventCitation, Citation: &hoosh.Citation{URL: "https://x"}}, {Kind: hoosh.EventCitation, Citation: &hoosh.Citation{}}}, []string{"text: ahttps://x"}, "end_turn"},
		{"call", []hoosh.Event{text(hoosh.EventText, "a"), begin(0, "c"), args(0, `{"a`), args(0, `":1}`), finish(hoosh.FinishStop)}, []string{"text: a", `tool_use c f: {"a":1}`}, "tool_use"},
		{"whole", []hoosh.Event{{Kind: hoosh.EventToolCall, ID: "c", Name: "f", Value: []byte(`{"a":"\\\""}`)}, {Kind: hoosh.EventToolCall, ID: "d", Name: "g", Value: []byte(`{}`)}, text(hoosh.EventText, "a")}, []string{`tool_use c f: {"a":"\\\""}`, "tool_use d g: ", "text: a"}, "tool_use"},
		{"alternating", []hoosh.Event{begin(0, "c"), begin(1, "d"), args(1, `{"b`), args(0, `{"a`), args(1, `":2}`), args(0, `":"}\"`), text(hoosh.EventText, "x"), args(0, `"}`), text(hoosh.EventText, "y"), finish(hoosh.FinishToolCalls)},
			[]string{`tool_use c f: {"a":"}\""}`, `tool_use d f: {"b":2}`, "text: xy"}, "tool_use"},
		{"the same index again", []hoosh.Event{begin(0, "c"), args(0, `{}`), begin(0, "d"), args(0, `{"a":1}`), begin(0, "d"), begin(0, "d").WithText(hoosh.NewText(" "))}, []string{`tool_use c f: {}`, `tool_use d f: {"a":1} `}, "tool_use"},
		{"cut arguments", []hoosh.Event{begin(5, "c"), args(5, `{"a`), args(9, "x"), finish(hoosh.FinishLength)}, []string{`tool_use c f: {"a`}, "max_tokens"},
		{"no arguments", []hoosh.Event{begin(0, "c"), begin(1, "d"), finish(hoosh.FinishToolCalls)}, []string{"tool_use c f: ", "tool_use d f: "}, "tool_use"},
	} {
		got, stop, u := blocks(t, write(t, native, x.events))
		if !slices.Equal(got, x.want) || stop != x.stop {
			t.Errorf("%s: %q, %s\nwant %q, %s", x.name, got, stop, x.want, x.stop)
		}
		if slices.ContainsFunc(x.events, func(e hoosh.Event) bool { return e.Kind == hoosh.EventUsage }) {
			sameJSON(t, x.name, u, `{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4}`)
		}
	}
	enc := native.NewEncoder(parse(t, native, hoosh.OpChat, `{"messages":[]}`), &hoosh.Reply{})
	if _, err := enc.Encode(nil, &hoosh.Event{Kind: hoosh.EventToolCall, ID: "c", Name: "f", Value: []byte(`[1]`)}); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
	enc = native.NewEncoder(parse(t, native, hoosh.OpChat, `{"messages":[]}`), &hoosh.Reply{Provider: "p"})
	signed := begin(0, "c")
	signed.Signature = &hoosh.Signature{Data: hoosh.NewText("s")}
	out, err := enc.Encode(nil, &signed)
	if want := hoosh.SealID("c", &hoosh.Signature{Issuer: "p", Data: hoosh.NewText("s")}, nil); err != nil || !strings.Contains(string(out), `"id":"`+want+`"`) {
		t.Errorf("%v: %s", err, out)
	}
}

// What is complete goes out before the next call has begun, not at the end.
func TestEncoderIsNotLate(t *testing.T) {
	enc := native.NewEncoder(parse(t, native, hoosh.OpChat, `{"messages":[]}`), &hoosh.Reply{})
	var out []byte
	for i, args := range []string{`{"a":"{\\"}`, `{"b":2}`} {
		var err error
		e := hoosh.Event{Kind: hoosh.EventToolCall, Index: i, ID: fmt.Sprint(i), Name: "f"}
		if out, err = enc.Encode(out[:0], &e); err != nil || !strings.Contains(string(out), `"name":"f"`) {
			t.Fatalf("%v: %s", err, out)
		}
		e = hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(args))
		e.Index = i
		if out, err = enc.Encode(out[:0], &e); err != nil || !strings.Contains(string(out), "partial_json") {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

func TestStreamEnds(t *testing.T) {
	u := hoosh.Usage{Input: 1, Output: 2, Source: hoosh.UsageCounted}
	whole := string(golden(t, "stream.sse"))
	cut := strings.SplitAfter(whole, "\n\n")
	for n := range len(cut) {
		part := strings.Join(cut[:n], "")
		_, s := frames(t, native, part)
		if s.Complete() != strings.Contains(part, "message_stop") {
			t.Errorf("after %d events: complete %v", n, s.Complete())
		}
		if strings.Contains(part, "message_delta") {
			break
		}
		part = strings.ReplaceAll(part, "event: ping\ndata: {\"type\": \"ping\"}\n\n", "")
		_, stop, usage := blocks(t, part+string(s.End(nil, hoosh.FinishLength, u, false)))
		if stop != "max_tokens" || !strings.Contains(usage, `"output_tokens":2`) {
			t.Errorf("after %d events: %s, %s", n, stop, usage)
		}
	}

	c := parse(t, native, hoosh.OpChat, `{"model":"m","stream":true,"messages":[{"role":"user","content":"a"}]}`)
	for _, x := range []struct {
		name, body string
		kind       error
	}{
		{"whole", whole, nil},
		{"cut", strings.Join(cut[:len(cut)-2], ""), hoosh.ErrStreamCut},
		{"error", string(golden(t, "overloaded.sse")), hoosh.ErrOverloaded},
		{"malformed", cut[0] + "data: {\n\ndata: {\n\n", hoosh.ErrMalformed},
		{"none", "", hoosh.ErrStreamCut},
	} {
		r, err := send(t, native, c, &answer{kind: "text/event-stream; charset=utf-8", body: x.body})
		if err != nil {
			t.Fatal(err)
		}
		got, err := drain(r.Stream)
		if !errors.Is(err, x.kind) || x.kind == nil && got != whole {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// Both ways between this format and OpenAI's, as a client sees it.
func TestTranslatedStreams(t *testing.T) {
	c := parse(t, hoosh.OpenAI, hoosh.OpChat, `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"a"}]}`)
	r, err := send(t, native, c, &answer{kind: "text/event-stream", body: string(golden(t, "stream.sse"))})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = r.For(c); err != nil {
		t.Fatal(err)
	}
	got, err := drain(r.Stream)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"reasoning_content":"Let me"`, `"content":"\"blue\"\n"`, `"url_citation"`, `"arguments":"{\"city\": \"U"`, `"index":1,"id":"toolu_02"`, `"index":1,"function":{"arguments":"{}"}`, `"finish_reason":"tool_calls"`,
		`"usage":{"prompt_tokens":20,"completion_tokens":60,"total_tokens":80,"prompt_tokens_details":{"cached_tokens":5,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":30}}`, "data: [DONE]\n\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}

	chunk := func(delta, finish string) string {
		return `data: {"id":"i","object":"chat.completion.chunk","created":1,"model":"far","choices":[{"index":0,"delta":` + delta + `,"finish_reason":` + finish + `}]}` + "\n\n"
	}
	body := chunk(`{"role":"assistant","content":""}`, "null") + chunk(`{"reasoning_content":"hm"}`, "null") + chunk(`{"content":"a"}`, "null") +
		chunk(`{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}`, "null") +
		chunk(`{"tool_calls":[{"index":1,"id":"d","type":"function","function":{"name":"f","arguments":"{\"b\":"}}]}`, "null") +
		chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}},{"index":1,"function":{"arguments":"2}"}}]}`, "null") +
		chunk(`{}`, `"tool_calls"`) + `data: {"id":"i","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}` + "\n\ndata: [DONE]\n\n"
	c = parse(t, native, hoosh.OpChat, `{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"user","content":"a"}]}`)
	if r, err = send(t, hoosh.OpenAI, c, &answer{kind: "text/event-stream", body: body}); err != nil {
		t.Fatal(err)
	}
	if r, err = r.For(c); err != nil {
		t.Fatal(err)
	}
	if got, err = drain(r.Stream); err != nil {
		t.Fatal(err)
	}
	list, stop, usage := blocks(t, got)
	if want := []string{"thinking: hm|" + sealed("far", ""), "text: a", `tool_use c f: {"a":1}`, `tool_use d f: {"b":2}`}; !slices.Equal(list, want) || stop != "tool_use" {
		t.Errorf("%q, %s", list, stop)
	}
	sameJSON(t, "usage", usage, `{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4}`)
}
