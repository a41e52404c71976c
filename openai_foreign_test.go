// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// foreign encodes what came in another dialect for a backend of OpenAI's.
func foreign(q *Request, p Profile) (string, []string, error) {
	p.Dialect = OpenAI
	c := &Call{Op: OpChat, Model: "m", load: &payload{dialect: &Dialect{Name: "foreign"}}}
	out, dropped, err := encodeOpenAIRequest(c, q, &p)
	return string(out), dropped, err
}

func toolCall(id, name string) Part {
	return Part{Kind: PartToolCall, Call: &ToolCall{ID: id, Name: name}}
}

func toolResult(id, name, text string) Part {
	return Part{Kind: PartToolResult, Result: &Result{ID: id, Name: name, Parts: []Part{TextPart(text)}}}
}

// TestResultsFindTheirCalls: by id, by the tool's name, or in order; and they come
// right behind the calls.
func TestResultsFindTheirCalls(t *testing.T) {
	calls := func(parts ...Part) Message { return Message{Role: RoleAssistant, Parts: parts} }
	for _, tc := range []struct {
		name string
		ms   []Message
		want string // the ids and texts of what follows the calls
	}{
		{"by name, not by order", []Message{calls(toolCall("", "weather"), toolCall("", "time")),
			{Role: RoleUser, Parts: []Part{toolResult("", "time", "noon"), toolResult("", "weather", "rain")}}}, "call_0_1 noon, call_0_0 rain"},
		{"the same tool twice: in order", []Message{calls(toolCall("", "f"), toolCall("", "f")),
			{Role: RoleTool, Parts: []Part{toolResult("", "f", "1")}}, {Role: RoleTool, Parts: []Part{toolResult("", "f", "2")}}}, "call_0_0 1, call_0_1 2"},
		{"the calls have ids", []Message{calls(toolCall("a", "f"), toolCall("b", "g")),
			{Role: RoleTool, Parts: []Part{toolResult("", "g", "2"), toolResult("", "f", "1")}}}, "b 2, a 1"},
		{"an id that no call has", []Message{calls(toolCall("", "f"), toolCall("", "g")),
			{Role: RoleTool, Parts: []Part{toolResult("x", "g", "2"), toolResult("y", "", "1")}}}, "call_0_1 2, call_0_0 1"},
		{"a message between", []Message{calls(toolCall("a", "f")), User("wait"), {Role: RoleTool, Parts: []Part{toolResult("a", "f", "1")}}, User("go on")},
			"a 1, user wait, user go on"},
	} {
		out, _, err := foreign(&Request{Messages: withToolIDs(tc.ms)}, Profile{})
		if err != nil {
			t.Fatal(err)
		}
		q, err := decodeOpenAIRequest(OpChat, []byte(out))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range q.Messages[1:] {
			if m.Role == RoleTool {
				r := m.Parts[0].Result
				got = append(got, r.ID+" "+r.Parts[0].Text())
			} else {
				got = append(got, string(m.Role)+" "+m.Text())
			}
		}
		if s := strings.Join(got, ", "); s != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, s, tc.want)
		}
	}
}

// TestForeignToOpenAI: what other dialects have and OpenAI refuses is named, made
// up for, or an error that lets another backend be tried.
func TestForeignToOpenAI(t *testing.T) {
	stops := []Text{NewText("a"), NewText("b"), NewText("c"), NewText("d"), NewText("e")}
	other := Part{Kind: PartOther, Raw: []byte(`{"type":"x"}`)}
	file := func(m Media) []Message {
		return []Message{{Role: RoleUser, Parts: []Part{{Kind: PartFile, Media: &m}}}}
	}
	for _, tc := range []struct {
		name    string
		q       Request
		want    string // is in the body; with ! it is not
		dropped string
		param   string // of an error
	}{
		{"five stop sequences", Request{Messages: []Message{User("x")}, Stop: stops}, `!"stop"`, "stop", ""},
		{"the choice of a tool that is not offered", Request{Messages: []Message{User("x")}, Tools: []Tool{{Name: "f"}, {Type: "web", Name: "w", Raw: []byte(`{}`)}},
			ToolChoice: ToolChoice{Mode: "function", Name: "w"}}, `!tool_choice`, "tools[1] tool_choice", ""},
		{"a message of nothing that can be said", Request{Messages: []Message{User("x"), {Role: RoleAssistant, Parts: []Part{other}}}}, `!assistant`, "messages[1].content[0]", ""},
		{"a call beside such a thing", Request{Messages: []Message{{Role: RoleAssistant, Parts: []Part{other, toolCall("a", "f")}}}}, `"content":null`, "messages[0].content[0]", ""},
		{"several texts of one result", Request{Messages: []Message{{Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &Result{ID: "a", Parts: []Part{TextPart("3"), TextPart("4"), other}}}}}}},
			`"content":"3\n4"`, "messages[0].content[2]", ""},
		{"a file without a name", Request{Messages: file(Media{Type: "application/pdf", Data: NewText("JVBE")})}, `"filename":"file.pdf"`, "", ""},
		{"a file at a URL", Request{Messages: file(Media{URL: NewText("https://x/a.pdf")})}, "", "", "messages[0].content[0]"},
		{"a file of another provider", Request{Messages: file(Media{ID: "file_1"})}, "", "", "messages[0].content[0]"},
		{"an image that the model made", Request{Messages: []Message{Assistant("", Image("data:image/png;base64,AA=="))}}, "", "", "messages[0].content[0]"},
		{"arguments of nothing but space", Request{Messages: []Message{Assistant("", CallPart("a", "f", " \n"))}}, `"arguments":"{}"`, "", ""},
	} {
		out, dropped, err := foreign(&tc.q, Profile{})
		if tc.param != "" {
			if e := AsError(err); !errors.Is(err, ErrUnsupported) || e.Param != tc.param {
				t.Errorf("%s: %v", tc.name, err)
			}
			continue
		}
		text, not := strings.CutPrefix(tc.want, "!")
		if err != nil || strings.Contains(out, text) == not || strings.Join(dropped, " ") != tc.dropped {
			t.Errorf("%s: %s, dropped %q, %v", tc.name, out, dropped, err)
		}
	}
}

// TestUsageMerge: a later report replaces what it speaks of as a whole.
func TestUsageMerge(t *testing.T) {
	for _, tc := range []struct {
		name    string
		reports []string
		want    Usage
	}{
		{"a class that was not told apart at first", []string{`{"prompt_tokens":100,"completion_tokens":1}`, `{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":100},"completion_tokens_details":{"reasoning_tokens":50}}`},
			Usage{CacheRead: 100, Reasoning: 50, Source: UsageReported}},
		{"one side only", []string{`{"prompt_tokens":7}`, `{"completion_tokens":3}`}, Usage{Input: 7, Output: 3, Source: UsageReported}},
		{"thinking beside the answer", []string{`{"prompt_tokens":5,"completion_tokens":10,"total_tokens":35,"completion_tokens_details":{"reasoning_tokens":20}}`}, Usage{Input: 5, Output: 10, Reasoning: 20, Source: UsageReported}},
		{"thinking in the sum only", []string{`{"prompt_tokens":5,"completion_tokens":10,"total_tokens":200}`}, Usage{Input: 5, Output: 10, Reasoning: 185, Source: UsageReported}},
	} {
		var u Usage
		for _, r := range tc.reports {
			events, err := decodeOpenAIFrame(nil, &Frame{Data: []byte(`{"choices":[],"usage":` + r + `}`)})
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(events, func(e Event) bool { return e.Kind == EventUsage }); i >= 0 {
				u = u.Merge(events[i].Usage)
			}
		}
		if u != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, u, tc.want)
		}
	}
}
