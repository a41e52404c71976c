// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
)

// describe writes an event so that a table can hold it.
func describe(e *Event) string {
	s := fmt.Sprintf("%d %v", e.Choice, e.Kind)
	switch e.Kind {
	case EventStart:
		s += fmt.Sprintf(" id=%s model=%s", e.ID, e.Model)
	case EventText, EventThinking, EventRefusal:
		s += fmt.Sprintf(" %q", e.Content().String())
	case EventToolCall:
		s += fmt.Sprintf(" %d id=%s name=%s %q %s", e.Index, e.ID, e.Name, e.Content().String(), e.Value)
	case EventArguments:
		s += fmt.Sprintf(" %d %q", e.Index, e.Content().String())
	case EventFinish:
		s += " " + e.Finish.String()
	case EventUsage:
		s += " " + e.Usage.String()
	}
	return strings.TrimSpace(s)
}

func describeAll(events []Event) string {
	var lines []string
	for i := range events {
		lines = append(lines, describe(&events[i]))
	}
	return strings.Join(lines, "; ")
}

// frameCases are chunks and what they mean.
var frameCases = []struct{ name, data, want string }{
	{"nothing", ``, ``},
	{"the end", `[DONE]`, ``},
	{"the end, spaced", `[DONE] `, ``},
	{"a role first", `{"id":"x","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}`, `0 start id=x model=m`},
	{"members in another order", `{"choices":[{"finish_reason":"stop","delta":{"content":"a","role":"assistant"},"index":2}],"model":"m","id":"x"}`, `2 start id=x model=m; 2 text "a"; 2 finish stop`},
	{"text", `{"choices":[{"index":0,"delta":{"content":"a\n\ud83d\ude00"}}]}`, "0 text \"a\\n😀\""},
	{"thinking twice", `{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm","content":null}}]}`, `0 thinking "hm"`},
	{"thinking, then text", `{"choices":[{"delta":{"reasoning":null,"reasoning_content":"hm","content":"a"}}]}`, `0 thinking "hm"; 0 text "a"`},
	{"refusal", `{"choices":[{"delta":{"refusal":"no"}}]}`, `0 refusal "no"`},
	{"Mistral's parts", `{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"}]}}]}`, `0 thinking "hm"; 0 text "a"`},
	{"a call begins", `{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"c","type":"function","function":{"name":"f","arguments":""}}]}}]}`, `0 tool_call 1 id=c name=f ""`},
	{"pieces of two calls", `{"choices":[{"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{"}},{"index":0,"function":{"arguments":"}"}}]}}]}`, `0 arguments 1 "{"; 0 arguments 0 "}"`},
	{"an id again", `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"","arguments":"{"}}]}}]}`, `0 arguments 0 "{"`},
	{"an empty piece", `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":""}}]}}]}`, ``},
	{"whole calls without index", `{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":{"x":1}}}]},"finish_reason":"tool_calls"}]}`,
		`0 tool_call 0 id=a name=f "{}"; 0 tool_call 1 id=b name=g "" {"x":1}; 0 finish tool_calls`},
	{"a custom tool", `{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"custom","custom":{"name":"sh","input":"ls"}}]}}]}`, `0 tool_call 0 id=a name=sh "ls"`},
	{"a legacy function", `{"choices":[{"delta":{"function_call":{"name":"f","arguments":""}}}]}`, `0 tool_call 0 id= name=f ""`},
	{"its arguments", `{"choices":[{"delta":{"function_call":{"arguments":"{}"}}}]}`, `0 arguments 0 "{}"`},
	{"a legacy completion", `{"id":"x","object":"text_completion","model":"m","choices":[{"text":"a","index":0,"logprobs":null,"finish_reason":"length"}]}`, `0 start id=x model=m; 0 text "a"; 0 finish length`},
	{"usage alone", `{"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5}}`, `0 usage 2 in, 3 out (reported)`},
	{"usage before the choice", `{"usage":{"prompt_tokens":2,"completion_tokens":3},"choices":[{"delta":{},"finish_reason":"stop"}]}`, `0 finish stop; 0 usage 2 in, 3 out (reported)`},
	{"Groq's usage", `{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"prompt_tokens":2,"completion_tokens":3}}}`, `0 finish stop; 0 usage 2 in, 3 out (reported)`},
	{"null for everything", `{"id":null,"model":null,"choices":null,"usage":null,"error":null,"x_groq":null}`, ``},
	{"null within", `{"choices":[null,{"delta":null,"finish_reason":null},{"index":1,"delta":{"role":null,"content":null,"tool_calls":null,"function_call":null,"refusal":null}}]}`, ``},
	{"indexes beyond reason", `{"choices":[{"index":99999999,"delta":{"tool_calls":[{"index":-5,"function":{"arguments":"1"}}]}}]}`, `127 arguments 0 "1"`},
	{"names as they are written", `{"ch\u006fices":[{"delta":{"content":"a"}}]}`, ``}, // no backend writes them so
}

func TestOpenAIFrame(t *testing.T) {
	for _, tt := range frameCases {
		events, err := decodeOpenAIFrame(nil, &Frame{Data: []byte(tt.data)})
		if got := describeAll(events); got != tt.want || err != nil {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tt.name, err, got, tt.want)
		}
	}
	before := []Event{{Kind: EventText}}
	for data, kind := range map[string]error{
		`{"choices":[`: ErrMalformed, `[]`: ErrMalformed, `"x"`: ErrMalformed, `{"choices":[{"delta":{"content":"a"}}]`: ErrMalformed,
		`{"error":{"message":"later","type":"overloaded_error"}}`: ErrOverloaded,
	} {
		events, err := decodeOpenAIFrame(before, &Frame{Data: []byte(data)})
		if !errors.Is(err, kind) || len(events) != 1 {
			t.Errorf("%s: %v, %d events", data, err, len(events))
		}
	}
}

// TestOpenAIStreamRecorded reads llama.cpp's streams, and writes them again.
func TestOpenAIStreamRecorded(t *testing.T) {
	for name, want := range map[string]string{
		"chat.stream.sse":        "The capital of France is Paris.",
		"chat.length.stream.sse": "L'É",
	} {
		data, err := os.ReadFile("testdata/wire/llamacpp/" + name)
		if err != nil {
			t.Fatal(err)
		}
		events := decodeStream(t, data)
		var sum, again accumulator
		for i := range events {
			sum.add(&events[i])
		}
		r := sum.response()
		if r.Text() != want || r.ID == "" || r.Model == "" || r.Finish() == FinishNone {
			t.Errorf("%s: %q %+v", name, r.Text(), r)
		}
		events = decodeStream(t, encodeEvents(t, typedCall(OpChat), events))
		for i := range events {
			again.add(&events[i])
		}
		if diff := diffResponses(OpChat, r, again.response()); diff != "" {
			t.Errorf("%s: %s changed on the way", name, diff)
		}
	}
}

func start(id, model string) Event { return Event{Kind: EventStart, ID: id, Model: model} }

func text(kind EventKind, s string) Event { return NewEvent(kind, 0, NewText(s)) }

func TestOpenAIEncoder(t *testing.T) {
	call := func(index int, id, name string) Event {
		return Event{Kind: EventToolCall, Index: index, ID: id, Name: name}
	}
	piece := func(index int, s string) Event {
		return Event{Kind: EventArguments, Index: index}.WithText(NewText(s))
	}
	end := func(f Finish) Event { return Event{Kind: EventFinish, Finish: f} }
	usage := func(u Usage) Event { return Event{Kind: EventUsage, Usage: u} }
	tests := []struct {
		name   string
		op     Operation
		wants  bool
		events []Event
		want   string // HEAD is what each chunk begins with, TAIL what each choice ends with
	}{
		{"text", OpChat, false, []Event{start("x", "m"), text(EventText, "a\"b"), text(EventText, ""), end(FinishLength), usage(Usage{Input: 1, Source: UsageReported})}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":0,"delta":{"content":"a\"b"},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]}
[DONE]`},
		{"usage", OpChat, true, []Event{start("x", "m"), usage(Usage{Input: 9, Source: UsagePartial}), text(EventText, "a"), end(FinishStop), usage(Usage{Output: 2, Source: UsageReported})}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL,"usage":null}
HEAD{"index":0,"delta":{"content":"a"},TAIL,"usage":null}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}
HEAD],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
[DONE]`},
		{"thinking, refusal, nothing said of the end", OpChat, true, []Event{start("x", "m"), text(EventThinking, "hm"), text(EventRefusal, "no")}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL,"usage":null}
HEAD{"index":0,"delta":{"reasoning_content":"hm"},TAIL,"usage":null}
HEAD{"index":0,"delta":{"refusal":"no"},TAIL,"usage":null}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}
[DONE]`},
		{"alternating calls, from odd numbers", OpChat, false, []Event{start("x", "m"), call(3, "a", "f"), call(7, "b", "g"), piece(3, `{"x`), piece(7, "{"), piece(3, `":1}`), piece(9, "lost"), piece(7, "}"), end(FinishStop), end(FinishStop)}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x"}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{"}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\":1}"}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"}"}}]},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}
[DONE]`},
		{"whole values, no ids, one index, no arguments", OpChat, false, []Event{start("x", "m"), {Kind: EventToolCall, Name: "f", Value: []byte("{\"a\":\n\"b\"}")}, call(0, "", "g"), end(FinishToolCalls)}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_ID","type":"function","function":{"name":"f","arguments":""}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":\n\"b\"}"}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_ID","type":"function","function":{"name":"g","arguments":""}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}
[DONE]`},
		{"a call begun again", OpChat, false, []Event{start("x", "m"), call(0, "a", "f").WithText(NewText("{")), call(0, "a", "f").WithText(NewText("}"))}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]},TAIL}
HEAD{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"}"}}]},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}
[DONE]`},
		{"two choices, one starting often", OpChat, false, []Event{start("x", "m"), start("x", "m"), {Kind: EventText, Choice: 1, text: NewText("b")}, start("y", "n"), text(EventText, "a"), end(FinishStop)}, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":1,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":1,"delta":{"content":"b"},TAIL}
HEAD{"index":0,"delta":{"content":"a"},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
HEAD{"index":1,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
[DONE]`},
		{"a completion", OpCompletion, true, []Event{start("x", "m"), text(EventThinking, "hm"), text(EventText, "a"), end(FinishOther), usage(Usage{Output: 2, Source: UsageReported})}, `
HEAD{"index":0,"text":"a",TAIL,"usage":null}
HEAD{"index":0,"text":"","logprobs":null,"finish_reason":"stop"}],"usage":null}
HEAD],"usage":{"prompt_tokens":0,"completion_tokens":2,"total_tokens":2,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
[DONE]`},
		{"nothing at all", OpChat, false, nil, `
HEAD{"index":0,"delta":{"role":"assistant","content":""},TAIL}
HEAD{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}
[DONE]`},
	}
	made := regexp.MustCompile(`call_[A-Z2-7]{26}`)
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) { // where it is midnight, 1 January 2000
			c := &Call{Op: tt.op, ID: "x", Model: "m", load: &payload{dialect: OpenAI}}
			c.load.envelope.WantsUsage = tt.wants
			head := `{"id":"x","object":"chat.completion.chunk","created":946684800,"model":"m","choices":[`
			switch {
			case tt.op == OpCompletion:
				head = strings.Replace(head, "chat.completion.chunk", "text_completion", 1)
			case tt.events == nil:
				head = strings.Replace(head, `"x"`, `"chatcmpl-x"`, 1)
			}
			out := encodeEvents(t, c, tt.events)
			got := made.ReplaceAllString(strings.ReplaceAll(strings.ReplaceAll(string(out), "data: ", ""), "\n\n", "\n"), "call_ID")
			got = strings.ReplaceAll(got, head, "HEAD")
			got = strings.ReplaceAll(got, `"logprobs":null,"finish_reason":null}]`, "TAIL")
			want := strings.TrimPrefix(tt.want, "\n")
			if strings.TrimSpace(got) != want {
				t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, want)
			}
			decodeStream(t, out)
		})
	}
}

// TestOpenAIStreamRandom cuts random answers into pieces in random order: what
// a client joins of our stream is what the source's events join to.
func TestOpenAIStreamRandom(t *testing.T) {
	r := requests{rand.New(rand.NewPCG(3, 4))}
	for n := range 2000 {
		events := []Event{start("id"+r.word(), r.word())}
		calls := 0
		for range r.IntN(30) {
			e := Event{Choice: r.IntN(2)}
			switch k := r.IntN(6); {
			case k < 3:
				e.Kind = []EventKind{EventText, EventThinking, EventRefusal}[k]
				e.text = NewText(r.word())
			case k == 3 && r.IntN(2) == 0:
				e.Kind, e.Index, e.ID, e.Name = EventToolCall, calls, fmt.Sprint("c", calls), r.word()
				calls++
			default:
				e.Kind, e.Index, e.text = EventArguments, r.IntN(calls+1), NewText(r.word())
			}
			events = append(events, e)
		}
		events = append(events, Event{Kind: EventFinish, Finish: FinishStop}, Event{Kind: EventFinish, Choice: 1, Finish: FinishLength},
			Event{Kind: EventUsage, Usage: Usage{Input: r.Int64N(9), Output: 1, Source: UsageReported}})
		stream := encodeEvents(t, typedCall(OpChat), events)
		again := decodeStream(t, stream)
		if a, b := joined(events), joined(again); a != b {
			t.Fatalf("stream %d changed on the way:\n%s\n%s\n%s", n, a, b, stream)
		}
		var x, y accumulator
		for i := range events {
			x.add(&events[i])
		}
		for i := range again {
			y.add(&again[i])
		}
		want := x.response()
		for i := range want.Choices {
			ch := &want.Choices[i]
			ch.Finish = openAIFinal(ch.Finish, hasCalls(ch.Message.Parts))
		}
		if diff := diffResponses(OpChat, want, y.response()); diff != "" {
			t.Fatalf("stream %d: %s changed on the way", n, diff)
		}
	}
}

// TestOpenAIStreamSum joins what backends that count badly send.
func TestOpenAIStreamSum(t *testing.T) {
	var events []Event
	for _, data := range []string{
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}`,
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":":1}"}}]}}]}`, // begun again
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":""}}]}}]}`,    // another of the same index
		`{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}`,
	} {
		var err error
		if events, err = decodeOpenAIFrame(events, &Frame{Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	const want = `a f({"x":1}) b g({}) `
	sums := map[string][]Event{"as it came": events, "written again": decodeStream(t, encodeEvents(t, typedCall(OpChat), events))}
	for name, events := range sums {
		var sum accumulator
		for i := range events {
			sum.add(&events[i])
		}
		got := ""
		for _, call := range sum.response().ToolCalls() {
			got += fmt.Sprintf("%s %s(%s) ", call.ID, call.Name, call.Arguments.JSON())
		}
		if got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestOpenAIStreamScanned holds the encoder to what the scanner understands.
func TestOpenAIStreamScanned(t *testing.T) {
	events := []Event{start("x", "m"), text(EventText, "abc"), {Kind: EventFinish, Finish: FinishLength}, {Kind: EventUsage, Usage: Usage{Input: 3, Output: 4, Source: UsageReported}}}
	s := newOpenAIScanner(OpChat, 1)
	n, u, fin := 0, Usage{}, FinishNone
	for line := range bytes.SplitSeq(encodeEvents(t, typedCall(OpChat), events), []byte("\n\n")) {
		f := &Frame{Data: bytes.TrimPrefix(line, []byte("data: "))}
		if len(f.Data) == 0 {
			continue
		}
		if err := s.Scan(f); err != nil {
			t.Fatal(err)
		}
		n, u = n+f.Text, u.Merge(f.Usage)
		fin = max(fin, f.Finish)
	}
	if n != 3 || u != events[3].Usage || fin != FinishLength || !s.Complete() {
		t.Error(n, u, fin, s.Complete())
	}
	// And what it ends a stream with itself.
	ending := s.End(nil, FinishLength, u, true)
	if events := decodeStream(t, ending); events[len(events)-1].Usage != u {
		t.Errorf("%s", ending)
	}
	for line := range bytes.SplitSeq(bytes.TrimSpace(ending), []byte("\n\n")) {
		if data := bytes.TrimPrefix(line, []byte("data: ")); string(data) != "[DONE]" && !json.Valid(data) {
			t.Errorf("%s", data)
		}
	}
}
