// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

const sse = "text/event-stream"

// typed reads a backend's stream as a Go program does.
func typed(t testing.TB, body string) (*hoosh.Response, error) {
	t.Helper()
	c := parse(t, hoosh.OpenAI, `{"model":"m","messages":[{"role":"user","content":"a"}],"stream":true,"stream_options":{"include_usage":true}}`)
	reply, err := send(t, own, c, &answer{kind: sse, body: body})
	if err != nil {
		return nil, err
	}
	defer reply.Stream.Close()
	reply, err = reply.For(c)
	if err != nil {
		return nil, err
	}
	raw, err := drain(reply.Stream)
	if err != nil {
		return nil, err
	}
	again, err := send(t, hoosh.OpenAI, c, &answer{kind: sse, body: raw})
	if err != nil {
		t.Fatal(err)
	}
	return join(again)
}

// join collects the events of a reply.
func join(reply *hoosh.Reply) (*hoosh.Response, error) {
	defer reply.Stream.Close()
	r := &hoosh.Response{Choices: []hoosh.Choice{{}}}
	m := &r.Choices[0].Message
	last := func() *hoosh.Part { return &m.Parts[len(m.Parts)-1] }
	grow := func(kind hoosh.PartKind, text string) {
		if len(m.Parts) == 0 || last().Kind != kind || last().Signature != nil {
			m.Parts = append(m.Parts, hoosh.Part{Kind: kind})
		}
		p := hoosh.NewPart(kind, hoosh.NewText(last().Text()+text))
		p.Citations = last().Citations
		*last() = p
	}
	arguments := map[int]string{}
	calls := map[int]*hoosh.ToolCall{}
	var events []hoosh.Event
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			for i, call := range calls {
				call.Arguments = hoosh.QuotedArguments(hoosh.NewText(arguments[i]))
			}
			return r, nil
		}
		if err != nil {
			return nil, err
		}
		if events, err = reply.Dialect.DecodeFrame(events[:0], f); err != nil {
			return nil, err
		}
		for i := range events {
			e := &events[i]
			content := e.Content()
			switch e.Kind {
			case hoosh.EventStart:
				r.ID, r.Model = e.ID, e.Model
			case hoosh.EventText:
				grow(hoosh.PartText, content.String())
			case hoosh.EventRefusal:
				grow(hoosh.PartRefusal, content.String())
			case hoosh.EventThinking:
				grow(hoosh.PartThinking, content.String())
			case hoosh.EventSignature:
				s := *e.Signature
				s.Data = hoosh.NewText(s.Data.String())
				if s.Redacted {
					m.Parts = append(m.Parts, hoosh.Part{Kind: hoosh.PartThinking})
				}
				last().Signature = &s
			case hoosh.EventCitation:
				grow(hoosh.PartText, "") // it may come first
				last().Citations = append(last().Citations, *e.Citation)
			case hoosh.EventToolCall:
				calls[e.Index] = &hoosh.ToolCall{ID: e.ID, Name: e.Name}
				arguments[e.Index] += string(e.Value) + content.String()
				m.Parts = append(m.Parts, hoosh.Part{Kind: hoosh.PartToolCall, Call: calls[e.Index]})
			case hoosh.EventArguments:
				arguments[e.Index] += content.String()
			case hoosh.EventFinish:
				r.Choices[0].Finish = e.Finish
			case hoosh.EventUsage:
				r.Usage = r.Usage.Merge(e.Usage)
			}
		}
	}
}

// direct is join of a backend's stream in this format.
func direct(t testing.TB, body string) (*hoosh.Response, error) {
	t.Helper()
	c := parse(t, own, `{"model":"m","input":"a","stream":true}`)
	reply, err := send(t, own, c, &answer{kind: sse, body: body})
	if err != nil {
		t.Fatal(err)
	}
	return join(reply)
}

func show(r *hoosh.Response) string {
	var b strings.Builder
	for _, p := range r.Choices[0].Message.Parts {
		fmt.Fprintf(&b, "%v(%s", p.Kind, p.Text())
		if p.Call != nil {
			fmt.Fprintf(&b, "%s %s %s", p.Call.ID, p.Call.Name, p.Call.Arguments.JSON())
		}
		if p.Signature != nil {
			fmt.Fprintf(&b, " sig %s", p.Signature.Data.String())
		}
		for _, c := range p.Citations {
			fmt.Fprintf(&b, " from %s", c.URL)
		}
		b.WriteString(") ")
	}
	return b.String() + r.Choices[0].Finish.String()
}

func TestStreamIsRead(t *testing.T) {
	r, err := direct(t, string(file(t, "text.sse")))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(r), "thinking(First.\n\nSecond. sig gAAA-full) text(Ulm is \"small\" — ok. from https://ulm.example) stop"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if r.Usage != (hoosh.Usage{Input: 50, CacheRead: 20, CacheWrite: 5, Output: 18, Reasoning: 12, Source: hoosh.UsageReported}) || r.ID != "resp_68a" {
		t.Errorf("%+v", r)
	}
	if r, err = direct(t, string(file(t, "calls.sse"))); err != nil {
		t.Fatal(err)
	}
	if got, want := show(r), `tool_call(call_1 weather {"city":"Ulm"}) tool_call(call_2 apply_patch {"input":"*** \"Begin\"\n*** End"}) tool_calls`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// And by way of chat completions.
	if r, err = typed(t, string(file(t, "text.sse"))); err != nil || r.Choices[0].Finish != hoosh.FinishStop || !strings.Contains(show(r), `text(Ulm is "small" — ok.`) {
		t.Error(r, err)
	}
	if r, err = typed(t, string(file(t, "calls.sse"))); err != nil || !strings.Contains(show(r), `weather {"city":"Ulm"}`) || r.Choices[0].Finish != hoosh.FinishToolCalls {
		t.Error(r, err)
	}
}

// What comes whole, in place of pieces or after them, is told once.
func TestWholePieces(t *testing.T) {
	created := `{"type":"response.created","response":{"id":"r","model":"m"}}`
	end := `{"type":"response.completed","response":{"status":"completed","output":[]}}`
	added := func(arguments string) string {
		return `{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"` + arguments + `"}}`
	}
	delta := `{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{\"a\":1}"}`
	argsDone := `{"type":"response.function_call_arguments.done","output_index":0,"arguments":"{\"a\":1}"}`
	itemDone := `{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","id":"fc","call_id":"c","name":"f","arguments":"{\"a\":1}"}}`
	customDone := `{"type":"response.output_item.done","output_index":0,"item":{"type":"custom_tool_call","id":"ctc","call_id":"c","name":"p","input":"say \"a\""}}`
	customAdded := `{"type":"response.output_item.added","output_index":0,"item":{"type":"custom_tool_call","id":"ctc","call_id":"c","name":"p","input":""}}`
	inputDone := `{"type":"response.custom_tool_call_input.done","output_index":0,"input":"say \"a\""}`
	msg := `{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"m","content":[]}}`
	piece := `{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"Hi"}`
	text := `{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"}`
	call, custom := `tool_call(c f {"a":1}) tool_calls`, `tool_call(c p {"input":"say \"a\""}) tool_calls`
	for _, x := range []struct {
		want   string
		frames []string
	}{
		{call, []string{added(""), delta, argsDone, itemDone}},
		{call, []string{added(`{\"a\":1}`), argsDone, itemDone}},
		{call, []string{added(""), argsDone, itemDone}},
		{call, []string{added(""), itemDone}},
		{call, []string{itemDone}},
		{custom, []string{customAdded, inputDone, customDone}},
		{custom, []string{customAdded, customDone}},
		{custom, []string{customDone}},
		{`text(Hi) stop`, []string{msg, piece, text}},
		{`text(Hi) stop`, []string{msg, text}},
		{`text(Hi) stop`, []string{piece, text}},
		{`text(HiHi) stop`, []string{msg, piece, text, strings.ReplaceAll(text, `"content_index":0`, `"content_index":1`)}},
	} {
		var b strings.Builder
		for _, data := range append(append([]string{created}, x.frames...), end) {
			b.WriteString("data: " + data + "\n\n")
		}
		r, err := direct(t, b.String())
		if err != nil {
			t.Errorf("%s: %v", b.String(), err)
		} else if got := strings.Replace(show(r), " stop", " "+map[bool]string{true: "tool_calls", false: "stop"}[len(r.ToolCalls()) > 0], 1); got != x.want {
			t.Errorf("%s\ngot  %s\nwant %s", b.String(), got, x.want)
		}
	}
}

func TestStreamErrors(t *testing.T) {
	created := "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"}}\n\n"
	for _, x := range []struct {
		body string
		kind error
	}{
		{created + "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"slow\",\"param\":null,\"sequence_number\":1}\n\n", hoosh.ErrRateLimited},
		{created + "data: {\"type\":\"error\",\"error\":{\"code\":\"server_error\",\"message\":\"boom\"}}\n\n", hoosh.ErrUpstream},
		{created + "data: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"context_length_exceeded\",\"message\":\"long\"}}}\n\n", hoosh.ErrContextLength},
		{created + "data: {\"type\":\"response.failed\",\"response\":{}}\n\n", hoosh.ErrUpstream},
		{created, hoosh.ErrStreamCut},
	} {
		_, err := direct(t, x.body)
		if !errors.Is(err, x.kind) {
			t.Errorf("%s: %v", x.body, err)
		}
	}
}

// encode writes events for a client of this format.
func encode(t testing.TB, c *hoosh.Call, events []hoosh.Event) string {
	t.Helper()
	enc := own.NewEncoder(c, &hoosh.Reply{Issuer: "far"})
	var out []byte
	var err error
	for i := range events {
		if out, err = enc.Encode(out, &events[i]); err != nil {
			t.Fatal(err)
		}
	}
	out = enc.End(out)
	if again := enc.End(nil); len(again) > 0 {
		t.Errorf("after the end: %s", again)
	}
	if again, _ := enc.Encode(nil, &hoosh.Event{Kind: hoosh.EventStart}); len(again) > 0 {
		t.Errorf("after the end: %s", again)
	}
	return string(out)
}

func event(kind hoosh.EventKind, text string) hoosh.Event {
	return hoosh.NewEvent(kind, 0, hoosh.NewText(text))
}

func TestStreamOrder(t *testing.T) {
	c := parse(t, own, string(file(t, "codex.request.json")))
	call := hoosh.Event{Kind: hoosh.EventToolCall, ID: "c1", Name: "exec_command", Signature: &hoosh.Signature{Data: hoosh.NewText("T")}}
	raw := encode(t, c, []hoosh.Event{
		{Kind: hoosh.EventStart, ID: "chatcmpl-1", Model: "far-1"},
		event(hoosh.EventThinking, "hm"), {Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("S")}},
		event(hoosh.EventText, "Ulm"), event(hoosh.EventText, "."), {Kind: hoosh.EventCitation, Citation: &hoosh.Citation{URL: "https://x", Title: "X", End: 3}}, event(hoosh.EventRefusal, "no"),
		call, event(hoosh.EventArguments, `{"cmd":`), event(hoosh.EventArguments, `"ls"}`),
		{Kind: hoosh.EventToolCall, Index: 1, ID: "c2", Name: "multi_agent_v1__exec_command"},
		{Kind: hoosh.EventToolCall, Index: 2, ID: "c3", Name: "apply_patch", Value: []byte(`{"input":"*** \"x\"\n"}`)},
		{Kind: hoosh.EventFinish, Finish: hoosh.FinishToolCalls}, {Kind: hoosh.EventUsage, Usage: hoosh.Usage{Input: 3, Output: 2, Source: hoosh.UsageReported}},
	})
	x, err := follow(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	want := `created in_progress output_item.added reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done output_item.done
output_item.added content_part.added output_text.delta output_text.delta output_text.annotation.added output_text.done content_part.done content_part.added refusal.delta refusal.done content_part.done output_item.done
output_item.added function_call_arguments.delta function_call_arguments.delta function_call_arguments.done output_item.done output_item.added output_item.added
function_call_arguments.delta function_call_arguments.done output_item.done custom_tool_call_input.delta custom_tool_call_input.done output_item.done completed`
	if got := strings.Join(x.Types, " "); got != strings.ReplaceAll(want, "\n", " ") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var items []string
	for _, item := range x.Items {
		items = append(items, say(item))
	}
	wantItems := "reasoning:hm | message:Ulm.[no] | function_call: exec_command {\"cmd\":\"ls\"} | function_call: exec_command multi_agent_v1 {} | custom_tool_call: apply_patch *** \"x\"\n"
	if got := strings.Join(items, " | "); got != wantItems {
		t.Errorf("got  %s\nwant %s", got, wantItems)
	}
	if s := hoosh.OpenSignature(hoosh.NewText(x.Items[0]["encrypted_content"].(string))); s.Issuer != "far" || s.Data.String() != "S" {
		t.Errorf("signature %+v", s)
	}
	if id := x.Items[2]["call_id"].(string); hoosh.CutID(id) != "c1" || id == "c1" {
		t.Errorf("call_id %s", id)
	}
	if !strings.HasPrefix(x.ID, "resp_") || x.Model != "far-1" {
		t.Errorf("%s %s", x.ID, x.Model)
	}
	usage := x.Response["usage"].(map[string]any)
	if usage["input_tokens"] != 3.0 || usage["output_tokens"] != 2.0 || usage["total_tokens"] != 5.0 || usage["input_tokens_details"] == nil || usage["output_tokens_details"] == nil {
		t.Errorf("usage %v", usage)
	}
}

func TestStreamEndings(t *testing.T) {
	c := parse(t, own, `{"model":"m","input":"a","stream":true}`)
	for _, x := range []struct {
		fin    hoosh.Finish
		status string
	}{{hoosh.FinishNone, "completed"}, {hoosh.FinishStop, "completed"}, {hoosh.FinishLength, "incomplete"}, {hoosh.FinishContentFilter, "incomplete"}, {hoosh.FinishError, "failed"}} {
		for _, events := range [][]hoosh.Event{nil, {event(hoosh.EventText, "a")}} {
			raw := encode(t, c, append(events, hoosh.Event{Kind: hoosh.EventFinish, Finish: x.fin}))
			got, err := follow(raw)
			if err != nil || got.Status != x.status || len(got.Items) != len(events) {
				t.Errorf("%v: %v %s", x.fin, err, raw)
			}
		}
	}
	if x, err := follow(encode(t, c, nil)); err != nil || x.Status != "completed" || x.Model != "m" {
		t.Error(x, err)
	}
}

// anyEvents is what a backend of any format might say, in any order.
func anyEvents(r *rand.Rand) (events []hoosh.Event) {
	pieces := []string{"a", "\"", "\n", "é", "{", "}", `{"x":1}`, "\\"}
	for range r.IntN(25) {
		e := event(hoosh.EventKind(r.IntN(int(hoosh.EventCitation)+1)), pieces[r.IntN(len(pieces))])
		e.Index, e.Choice = r.IntN(3), max(0, r.IntN(8)-6)
		switch e.Kind {
		case hoosh.EventToolCall:
			e.ID = []string{"", "a", "b"}[r.IntN(3)]
			e.Name = []string{"f", "apply_patch"}[r.IntN(2)]
			if r.IntN(2) == 0 {
				e.Value = []byte(`{"x": 1}`)
			}
		case hoosh.EventSignature:
			e.Signature = &hoosh.Signature{Data: hoosh.NewText("s"), Redacted: r.IntN(2) == 0}
		case hoosh.EventCitation:
			e.Citation = &hoosh.Citation{URL: []string{"", "https://x"}[r.IntN(2)]}
		case hoosh.EventFinish:
			e.Finish = hoosh.Finish(r.IntN(int(hoosh.FinishOther) + 1))
		}
		events = append(events, e)
	}
	return events
}

// Whatever comes, a strict client can follow, and the scanner understands it.
func TestStreamRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	c := parse(t, own, string(file(t, "codex.request.json")))
	for range 3000 {
		events := anyEvents(r)
		raw := encode(t, c, events)
		x, err := follow(raw)
		if err != nil {
			t.Fatalf("%v\n%+v\n%s", err, events, raw)
		}
		if x.Status == "failed" {
			continue
		}
		again, err := direct(t, raw)
		if err != nil {
			t.Fatalf("%v\n%s", err, raw)
		}
		want, got := map[hoosh.EventKind]string{}, map[hoosh.PartKind]string{}
		for _, e := range events {
			if content := e.Content(); e.Choice == 0 {
				want[e.Kind] += content.String()
			}
		}
		for _, p := range again.Choices[0].Message.Parts {
			got[p.Kind] += p.Text()
		}
		if got[hoosh.PartText] != want[hoosh.EventText] || got[hoosh.PartThinking] != want[hoosh.EventThinking] || got[hoosh.PartRefusal] != want[hoosh.EventRefusal] {
			t.Fatalf("%+v\nbecomes %s", events, show(again))
		}
	}
}

// A stream that is ended early is a whole one to its client.
func TestEarlyEnd(t *testing.T) {
	for _, name := range []string{"text.sse", "calls.sse"} {
		body := string(file(t, name))
		for n := range strings.Count(body, "\n\n") {
			c := parse(t, own, `{"model":"m","input":"a","stream":true}`)
			reply, err := send(t, own, c, &answer{kind: sse, body: body})
			if err != nil {
				t.Fatal(err)
			}
			raw := ""
			for range n {
				f, err := reply.Stream.Next()
				if err != nil {
					t.Fatal(err)
				}
				raw += string(f.Raw)
			}
			reply.Stream.Stop(hoosh.FinishLength, hoosh.Usage{Input: 1, Output: 2, Source: hoosh.UsageCounted})
			rest, err := drain(reply.Stream)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(rest, `"status":"incomplete"`) || strings.Count(rest, "event: response.incomplete") != 1 || !strings.Contains(rest, `"total_tokens":3`) {
				t.Errorf("%s after %d: %s", name, n, rest)
			}
			again, err := direct(t, raw+rest)
			if err != nil || again.Choices[0].Finish != hoosh.FinishLength {
				t.Errorf("%s after %d: %v\n%s", name, n, err, raw+rest)
			}
			if n > 16 && name == "text.sse" && !strings.Contains(rest, `"text":"Ulm is \"small\" \u2014 ok."`) {
				t.Errorf("after %d the text is lost: %s", n, rest)
			}
		}
	}
}

// Codex, over a backend of chat completions.
func TestCodexStream(t *testing.T) {
	chunks := []string{
		`{"id":"c","model":"far-1","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{"content":"I look."}}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"exec_command","arguments":""}}]}}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"cmd\":\"ls\"}"}}]}}]}`,
		`{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
		`{"id":"c","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5}}`,
		`[DONE]`}
	body := "data: " + strings.Join(chunks, "\n\ndata: ") + "\n\n"
	c := parse(t, own, string(file(t, "codex.request.json")))
	reply, err := send(t, hoosh.OpenAI, c, &answer{kind: sse, body: body})
	if err != nil {
		t.Fatal(err)
	}
	if reply, err = reply.For(c); err != nil {
		t.Fatal(err)
	}
	raw, err := drain(reply.Stream)
	if err != nil {
		t.Fatal(err)
	}
	x, err := follow(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	if x.Status != "completed" || len(x.Items) != 3 || say(x.Items[2]) != `function_call: exec_command {"cmd":"ls"}` || x.Response["usage"] == nil {
		t.Errorf("%+v", x)
	}
}
