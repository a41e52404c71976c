// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// What cannot be said leaves no empty arrays, and what stands apart stays apart.
func TestNothingEmpty(t *testing.T) {
	const call = `{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}`
	for _, x := range []struct{ name, messages, want, dropped string }{
		{"texts of a result", `{"role":"user","content":"x"},` + call + `,{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"3"},{"type":"text","text":""},{"type":"text","text":"4"}]}`,
			`"output":"3\n4"`, `[]`},
		{"unknown parts of a result", `{"role":"user","content":"x"},` + call + `,{"role":"tool","tool_call_id":"c","content":[{"type":"hologram","hologram":{}}]}`,
			`"output":""`, `[messages[2].content[0]]`},
		{"unknown parts of a message", `{"role":"user","content":[{"type":"hologram","hologram":{}}]},{"role":"assistant","content":"x"},{"role":"user","content":"y"}`,
			`{"type":"message","role":"user","content":""}`, `[messages[0].content[0]]`},
	} {
		got, dropped, err := translate(t, hoosh.OpenAI, own, `{"model":"m","messages":[`+x.messages+`]}`)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if !strings.Contains(got, x.want) || strings.Contains(got, `"content":[]`) || strings.Contains(got, `"output":[]`) || fmt.Sprint(dropped) != x.dropped {
			t.Errorf("%s: %s, dropped %q", x.name, got, dropped)
		}
	}
}

// A result beside what cannot be said is all that is left of its message.
func TestResultBesideUnknown(t *testing.T) {
	q := &hoosh.Request{Messages: []hoosh.Message{
		hoosh.User("x"),
		hoosh.Assistant("", hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{ID: "c", Name: "f"}}),
		{Role: hoosh.RoleUser, Parts: []hoosh.Part{hoosh.ToolResult("c", "r").Parts[0], {Kind: hoosh.PartOther, Raw: []byte(`{"type":"hologram"}`)}}},
	}}
	c := parse(t, hoosh.OpenAI, `{"model":"m","messages":[{"role":"user","content":"x"}]}`)
	got, dropped, err := own.EncodeRequest(c, q, nil)
	if err != nil || strings.Count(string(got), `"type":"message"`) != 1 || !strings.Contains(string(got), `"output":"r"`) || fmt.Sprint(dropped) != "[messages[2].content[1]]" {
		t.Errorf("%s, dropped %q, %v", got, dropped, err)
	}
}

func TestChosenTool(t *testing.T) {
	const ask = `{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a"}},{"type":"hologram","name":"h"}],"tool_choice":{"type":"function","function":{"name":"%s"}}}`
	for name, dropped := range map[string]string{"a": "[tools[1]]", "h": "[tools[1] tool_choice]"} {
		got, d, err := translate(t, hoosh.OpenAI, own, fmt.Sprintf(ask, name))
		if err != nil || fmt.Sprint(d) != dropped || strings.Contains(got, "tool_choice") != (name == "a") {
			t.Errorf("%s: %s, dropped %q, %v", name, got, d, err)
		}
	}
}

// Figures that contradict each other are bounded by their sums.
func TestUsageBounds(t *testing.T) {
	const reported = hoosh.UsageReported
	for _, x := range []struct {
		usage string
		want  hoosh.Usage
	}{
		{`{"input_tokens":10,"input_tokens_details":{"cached_tokens":20},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":9},"total_tokens":15}`,
			hoosh.Usage{CacheRead: 10, Reasoning: 5, Source: reported}},
		{`{"input_tokens":10,"input_tokens_details":{"cached_tokens":7,"cache_write_tokens":7},"output_tokens":1}`,
			hoosh.Usage{CacheRead: 7, CacheWrite: 3, Output: 1, Source: reported}},
		{`{"input_tokens":9223372036854775807,"output_tokens":9223372036854775807}`, hoosh.Usage{Input: 1 << 40, Output: 1 << 40, Source: reported}},
		{`{"input_tokens":-4,"output_tokens":2}`, hoosh.Usage{Output: 2, Source: reported}},
		{`{"input_tokens":0,"output_tokens":0,"input_tokens_details":{"cached_tokens":3}}`, hoosh.Usage{}},
	} {
		u, _, err := own.ScanResponse(hoosh.OpChat, []byte(`{"id":"r","status":"completed","output":[],"usage":`+x.usage+`}`))
		if err != nil || u != x.want {
			t.Errorf("%s is %+v, want %+v, %v", x.usage, u, x.want, err)
		}
	}
}

// A source may be told before the text that has it.
func TestCitationFirst(t *testing.T) {
	c := parse(t, own, `{"model":"m","input":"a","stream":true}`)
	cite := hoosh.Event{Kind: hoosh.EventCitation, Citation: &hoosh.Citation{URL: "https://x"}}
	none := hoosh.Event{Kind: hoosh.EventCitation, Citation: &hoosh.Citation{Quote: "nowhere"}}
	raw := encode(t, c, []hoosh.Event{none, event(hoosh.EventThinking, "hm"), none, cite, event(hoosh.EventText, "Ulm."), cite})
	x, err := follow(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Items) != 2 || !strings.HasSuffix(say(x.Items[1]), "Ulm.") {
		t.Fatalf("%v", x.Items)
	}
	part := x.Items[1]["content"].([]any)[0].(map[string]any)
	if n := len(part["annotations"].([]any)); n != 2 {
		t.Errorf("%d annotations in %s", n, raw)
	}
}

// Pieces of arguments that are white space are theirs; all of it is none.
func TestBlankArguments(t *testing.T) {
	c := parse(t, own, `{"model":"m","input":"a","stream":true}`)
	call := func(pieces ...string) string {
		events := []hoosh.Event{{Kind: hoosh.EventToolCall, ID: "c", Name: "f"}}
		for _, p := range pieces {
			events = append(events, event(hoosh.EventArguments, p))
		}
		x, err := follow(encode(t, c, events))
		if err != nil || len(x.Items) != 1 {
			t.Fatal(x, err)
		}
		return say(x.Items[0])
	}
	if s := call(" ", `{"a":"x`, " ", `y"}`); s != `function_call: f {"a":"x y"}` {
		t.Error(s)
	}
	if s := call(" ", "\n"); s != "function_call: f {}" {
		t.Error(s)
	}
}

// Items that nobody told piece by piece are not lost, and none is told twice.
func TestOnlyWhole(t *testing.T) {
	const (
		created = `data: {"type":"response.created","response":{"id":"resp_1","status":"in_progress","model":"m","output":[]},"sequence_number":0}` + "\n\n"
		text    = `{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"Ulm.","annotations":[{"type":"url_citation","url":"https://x","start_index":0,"end_index":3}]},{"type":"refusal","refusal":"no"}]}`
		thought = `{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"E"}`
		call    = `{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{}"}`
		input   = `{"type":"custom_tool_call","id":"ctc_1","call_id":"c2","name":"sh","input":"ls"}`
		delta   = `data: {"type":"response.output_text.delta","output_index":%d,"delta":"Ulm."}` + "\n\n"
	)
	done := func(index int, item string) string {
		return fmt.Sprintf(`data: {"type":"response.output_item.done","output_index":%d,"item":%s}`+"\n\n", index, item)
	}
	added := func(index int, item string) string {
		return fmt.Sprintf(`data: {"type":"response.output_item.added","output_index":%d,"item":%s}`+"\n\n", index, item)
	}
	end := func(items ...string) string {
		return `data: {"type":"response.completed","response":{"id":"resp_1","status":"completed","model":"m","usage":{"input_tokens":3,"output_tokens":2},"output":[` + strings.Join(items, ",") + `]}}` + "\n\n"
	}
	const empty = `{"type":"message","id":"msg_1","role":"assistant","content":[]}`
	const all = `thinking(a\n\nb sig E) text(Ulm. 1) refusal(no) tool_call(c1 f {}) tool_call(c2 sh {"input":"ls"}) `
	for name, x := range map[string]struct{ body, want string }{
		"items that are done":           {created + done(0, thought) + done(1, text) + done(2, call) + done(3, input) + end(thought, text, call, input), all},
		"the end":                       {created + end(thought, text, call, input), all},
		"begun, and then done":          {created + added(0, empty) + done(0, text) + end(), `text(Ulm. 1) refusal(no) `},
		"done, but for the index":       {created + done(0, text) + done(0, text) + end(), `text(Ulm. 1) refusal(no) text(Ulm. 1) refusal(no) `},
		"all was told":                  {created + added(0, empty) + fmt.Sprintf(delta, 0) + done(0, text) + end(text), `text(Ulm.) `},
		"not begun":                     {created + fmt.Sprintf(delta, 0) + done(0, text) + end(text), `text(Ulm.) `},
		"two at once":                   {created + added(0, empty) + added(1, empty) + fmt.Sprintf(delta, 0) + fmt.Sprintf(delta, 1) + done(0, text) + done(1, text) + end(text, text), `text(Ulm.Ulm.) `},
		"the end, of a call":            {created + fmt.Sprintf(delta, 0) + end(thought, text, call), `text(Ulm.) tool_call(c1 f {}) `},
		"the end, of what is unsayable": {created + end(empty, `{"type":"web_search_call","id":"ws_1"}`), ``},
	} {
		r, err := direct(t, x.body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b strings.Builder
		calls := false
		for _, p := range r.Choices[0].Message.Parts {
			fmt.Fprintf(&b, "%v(%s", p.Kind, strings.ReplaceAll(p.Text(), "\n", `\n`))
			if p.Call != nil {
				calls = true
				fmt.Fprintf(&b, "%s %s %s", p.Call.ID, p.Call.Name, p.Call.Arguments.JSON())
			}
			if p.Signature != nil {
				fmt.Fprintf(&b, " sig %s", p.Signature.Data)
			}
			if n := len(p.Citations); n > 0 {
				fmt.Fprintf(&b, " %d", n)
			}
			b.WriteString(") ")
		}
		if b.String() != x.want {
			t.Errorf("%s: %s, want %s", name, b.String(), x.want)
		}
		if r.Usage.Total() != 5 || (r.Finish() == hoosh.FinishToolCalls) != calls {
			t.Errorf("%s: %v %v", name, r.Usage, r.Finish())
		}
	}
}
