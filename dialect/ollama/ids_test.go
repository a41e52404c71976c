// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/ollama"
)

// callsOf gives the ids of the tool calls in a whole answer or in lines.
func callsOf(t *testing.T, lines string) (ids []string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var l struct {
			Message struct {
				Calls []struct{ ID string } `json:"tool_calls"`
			}
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		for _, c := range l.Message.Calls {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// Signatures have no field here: they travel in the ids, and come back from them.
func TestSignaturesInIDs(t *testing.T) {
	thought := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("hm"))
	thought.Signature = &hoosh.Signature{Issuer: "far", Data: hoosh.NewText("s1")}
	first := hoosh.CallPart("a", "f", `{"x":1}`)
	second := hoosh.CallPart("", "g", `{}`)
	second.Signature = &hoosh.Signature{Issuer: "far", Data: hoosh.NewText("s2")}
	c := parse(t, ollamaDialect, hoosh.OpChat, `{"model":"m"}`)

	check := func(name, lines string) {
		t.Helper()
		ids := callsOf(t, lines)
		if len(ids) != 2 || hoosh.CutID(ids[0]) != "a" || ids[0] == "a" || hoosh.CutID(ids[1]) == ids[1] {
			t.Fatalf("%s: ids %q in %s", name, ids, lines)
		}
		// The client sends its history back.
		body := `{"model":"m","messages":[{"role":"user","content":"?"},{"role":"assistant","content":"","thinking":"hm","tool_calls":[` +
			`{"id":"` + ids[0] + `","function":{"name":"f","arguments":{"x":1}}},{"id":"` + ids[1] + `","function":{"name":"g","arguments":{}}}]},` +
			`{"role":"tool","content":"1","tool_call_id":"` + ids[1] + `"},{"role":"tool","content":"2","tool_name":"f"}]}`
		q, err := ollamaDialect.DecodeRequest(hoosh.OpChat, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		parts := q.Messages[1].Parts
		if s := parts[0].Signature; s == nil || s.Issuer != "far" || s.Data.String() != "s1" {
			t.Errorf("%s: thinking has %+v", name, s)
		}
		if parts[1].Call.ID != "a" || parts[1].Signature != nil {
			t.Errorf("%s: the first call is %+v", name, parts[1])
		}
		if s := parts[2].Signature; s == nil || s.Data.String() != "s2" || parts[2].Call.ID != hoosh.CutID(ids[1]) {
			t.Errorf("%s: the second call has %+v", name, s)
		}
		if r := q.Messages[2].Parts[0].Result; r.ID != parts[2].Call.ID {
			t.Errorf("%s: a result by id belongs to %q", name, r.ID)
		}
		if r := q.Messages[3].Parts[0].Result; r.ID != "a" {
			t.Errorf("%s: a result by the tool's name belongs to %q", name, r.ID)
		}
		// To an Ollama it goes without the seals, and otherwise as it is.
		sent, _, err := translate(t, ollamaDialect, ollamaDialect, hoosh.OpChat, body)
		want := strings.NewReplacer(ids[0], "a", ids[1], hoosh.CutID(ids[1])).Replace(body)
		if err != nil || sent != want {
			t.Errorf("%s: sent %s, %v", name, sent, err)
		}
	}

	whole, err := ollamaDialect.EncodeResponse(c, &hoosh.Response{Choices: []hoosh.Choice{{Message: hoosh.Message{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{thought, first, second}}, Finish: hoosh.FinishToolCalls}}})
	if err != nil {
		t.Fatal(err)
	}
	check("whole", string(whole))

	enc := ollamaDialect.NewEncoder(c, &hoosh.Reply{Issuer: "far"})
	var lines []byte
	for _, e := range []hoosh.Event{
		hoosh.NewEvent(hoosh.EventThinking, 0, hoosh.NewText("hm")),
		{Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.NewText("s1")}},
		{Kind: hoosh.EventToolCall, Index: 0, ID: "a", Name: "f"},
		hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(`{"x":1}`)),
		{Kind: hoosh.EventToolCall, Index: 1, Name: "g", Signature: &hoosh.Signature{Data: hoosh.NewText("s2")}},
		{Kind: hoosh.EventFinish, Finish: hoosh.FinishToolCalls},
	} {
		if lines, err = enc.Encode(lines, &e); err != nil {
			t.Fatal(err)
		}
	}
	check("streamed", strings.Join(strings.SplitAfter(string(enc.End(lines)), "\n"), ""))
}

// Results without ids belong to the call of their tool's name, else to the first
// without one; calls without ids get distinct ones.
func TestResultsWithoutIDs(t *testing.T) {
	q, err := ollamaDialect.DecodeRequest(hoosh.OpChat, []byte(`{"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"g","arguments":{}}},{"function":{"name":"f","arguments":{"x":1}}}]},`+
		`{"role":"tool","content":"g1","tool_name":"g"},{"role":"tool","content":"f1"},{"role":"tool","content":"f2"},`+
		`{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":{}}}]},{"role":"tool","content":"f3"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	calls := q.Messages[0].ToolCalls()
	calls = append(calls, q.Messages[4].ToolCalls()...)
	seen := map[string]bool{}
	for _, c := range calls {
		if c.ID == "" || seen[c.ID] {
			t.Errorf("id %q", c.ID)
		}
		seen[c.ID] = true
	}
	for i, call := range map[int]*hoosh.ToolCall{1: calls[1], 2: calls[0], 3: calls[2], 5: calls[3]} {
		if id := q.Messages[i].Parts[0].Result.ID; id != call.ID {
			t.Errorf("message %d answers %q, not %q", i, id, call.ID)
		}
	}
}

// A generated text has no place for tool calls, which nobody asked for.
func TestGenerateEncoderIgnoresCalls(t *testing.T) {
	enc := ollama.Generate.NewEncoder(parse(t, ollama.Generate, hoosh.OpChat, `{"model":"m"}`), &hoosh.Reply{})
	got, err := enc.Encode(nil, &hoosh.Event{Kind: hoosh.EventToolCall, Name: "f", Value: []byte(`{}`)})
	if err != nil || len(got) != 0 {
		t.Errorf("%s %v", got, err)
	}
}
