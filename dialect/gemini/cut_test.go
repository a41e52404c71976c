// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// told gives the events of a stream as a client of this format reads them, a word
// each.
func told(t *testing.T, all ...hoosh.Event) string {
	t.Helper()
	var words []string
	for _, e := range events(t, native, write(t, native, all)) {
		switch e.Kind {
		case hoosh.EventToolCall:
			words = append(words, e.Name+string(e.Value))
		case hoosh.EventText, hoosh.EventThinking:
			words = append(words, e.Content().String())
		case hoosh.EventFinish:
			words = append(words, e.Finish.String())
		}
	}
	return strings.Join(words, " ")
}

func begins(index int, id, name string) hoosh.Event {
	return hoosh.Event{Kind: hoosh.EventToolCall, Index: index, ID: id, Name: name}
}

func goesOn(index int, text string) hoosh.Event {
	e := hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(text))
	e.Index = index
	return e
}

func says(kind hoosh.EventKind, text string) hoosh.Event {
	return hoosh.NewEvent(kind, 0, hoosh.NewText(text))
}

func ends(why hoosh.Finish) hoosh.Event {
	return hoosh.Event{Kind: hoosh.EventFinish, Finish: why}
}

// TestCallsKeepTheirPlace: nothing overtakes a call that is whole.
func TestCallsKeepTheirPlace(t *testing.T) {
	for _, tt := range []struct {
		name string
		all  []hoosh.Event
		want string
	}{
		{"text behind a call", []hoosh.Event{begins(0, "a", "f"), goesOn(0, `{"x":"}\"`), goesOn(0, `"}`), says(hoosh.EventText, "then"), begins(1, "b", "g"), ends(hoosh.FinishToolCalls)},
			`f{"x":"}\""} then g{} tool_calls`},
		{"thinking behind a call", []hoosh.Event{begins(0, "a", "f"), goesOn(0, `{}`), says(hoosh.EventThinking, "hm"), ends(hoosh.FinishToolCalls)}, `f{} hm tool_calls`},
		{"pieces that alternate", []hoosh.Event{begins(0, "a", "f"), begins(1, "b", "g"), goesOn(1, `{"y"`), goesOn(0, `{"x":`), goesOn(1, `:2}`), goesOn(0, `1}`), says(hoosh.EventText, "then"), ends(hoosh.FinishToolCalls)},
			`f{"x":1} g{"y":2} then tool_calls`},
		{"the first is not whole yet", []hoosh.Event{begins(0, "a", "f"), goesOn(0, `{"x":`), begins(1, "b", "g"), goesOn(1, `{}`), says(hoosh.EventText, "meanwhile"), goesOn(0, `1}`), ends(hoosh.FinishToolCalls)},
			`meanwhile f{"x":1} g{} tool_calls`},
		{"a beginning that is said again", []hoosh.Event{begins(0, "a", "f"), goesOn(0, `{"x":1}`), says(hoosh.EventText, "then"), begins(0, "a", "f"), goesOn(0, ` `), begins(0, "b", "g"), goesOn(0, `{"y":2}`), ends(hoosh.FinishToolCalls)},
			`f{"x":1} then g{"y":2} tool_calls`},
		{"one at once behind one in pieces", []hoosh.Event{begins(0, "a", "f"), goesOn(0, `{"x":`), {Kind: hoosh.EventToolCall, Index: 1, ID: "b", Name: "g", Value: []byte(`{}`)}, goesOn(0, `1}`), says(hoosh.EventText, "then"), ends(hoosh.FinishToolCalls)},
			`f{"x":1} g{} then tool_calls`},
	} {
		if got := told(t, tt.all...); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestCutOffCalls: a call that the limit has cut off is left out, what was said
// besides stays.
func TestCutOffCalls(t *testing.T) {
	for _, args := range []string{`{"x":`, `{"x":"}`, `{x}`, `{`} {
		cut := []hoosh.Event{says(hoosh.EventText, "so far"), begins(0, "a", "f"), goesOn(0, `{"x":1}`), begins(1, "b", "g"), goesOn(1, args)}
		if got := told(t, append(cut, ends(hoosh.FinishLength))...); got != `so far f{"x":1} length` {
			t.Errorf("%s: %s", args, got)
		}
		enc := native.NewEncoder(parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`), &hoosh.Reply{})
		var err error
		for _, e := range append(cut, says(hoosh.EventText, "more"), ends(hoosh.FinishToolCalls)) {
			if err != nil {
				t.Errorf("%s: %v before the end", args, err)
			}
			_, err = enc.Encode(nil, &e)
		}
		if !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%s: %v", args, err)
		}
	}
	whole := func(finish string) (string, error) {
		c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
		r, err := (&hoosh.Reply{Provider: "far", Dialect: hoosh.OpenAI, Body: []byte(`{"id":"i","model":"far","choices":[{"index":0,"message":{"role":"assistant","content":"so far","tool_calls":[` + call("a", "f", `{"x":1}`) + `,` + call("b", "g", `{"x":`) + `]},"finish_reason":"` + finish + `"}]}`)}).For(c)
		if err != nil {
			return "", err
		}
		return string(r.Body), nil
	}
	got, err := whole("length")
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, "whole", got, `{"candidates":[{"content":{"parts":[{"text":"so far"},{"functionCall":{"id":"a","name":"f","args":{"x":1}}}],"role":"model"},"finishReason":"MAX_TOKENS","index":0}],
		"usageMetadata":{"promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0},"modelVersion":"far","responseId":"i"}`)
	if _, err := whole("tool_calls"); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
}

// TestEmptyParts: a backend may say nothing, a client must say something.
func TestEmptyParts(t *testing.T) {
	r, err := native.DecodeResponse(hoosh.OpChat, []byte(`{"candidates":[{"content":{"parts":[{},{"text":"x"},{"thought":true}],"role":"model"},"finishReason":"STOP"}]}`))
	if err != nil || len(r.Choices[0].Message.Parts) != 1 || r.Choices[0].Message.Text() != "x" {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := native.DecodeRequest(hoosh.OpChat, []byte(`{"contents":[{"parts":[{"text":"x"},{}]}]}`)); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Error(err)
	}
}
