// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// golden compares got with a file of testdata/openai, or writes it when
// UPDATE_GOLDEN is set.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "openai", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(want)) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// oneMessage says a message of an answer as its client hears it.
func oneMessage(m Message) string {
	var said [PartOther + 1]strings.Builder
	for _, p := range m.Parts {
		said[p.Kind].WriteString(p.Text())
	}
	s := fmt.Sprintf("%s %q: %q, thought %q, refused %q", m.Role, m.Name, said[PartText].String(), said[PartThinking].String(), said[PartRefusal].String())
	for _, c := range m.ToolCalls() {
		s += fmt.Sprintf(", calls %q %q(%s) %v", c.ID, c.Name, c.Arguments.JSON(), c.Extra)
	}
	return s + fmt.Sprintf(" %v", m.Extra)
}

// diffResponses names the first thing in which b, which was written of a and
// read again, differs from it beyond what was made up.
func diffResponses(op Operation, a, b *Response) string {
	switch {
	case a.ID != "" && a.ID != b.ID:
		return "id"
	case !a.Created.IsZero() && !a.Created.Equal(b.Created):
		return "created"
	case a.Model != b.Model:
		return "model"
	case op == OpEmbed && a.Usage.Prompt() != b.Usage.Prompt(), op != OpEmbed && a.Usage != b.Usage:
		return fmt.Sprintf("usage %v %v", a.Usage, b.Usage)
	case !a.Extra.equal(b.Extra):
		return "extra"
	case !slices.EqualFunc(a.Embeddings, b.Embeddings, slices.Equal):
		return "embeddings"
	case len(a.Choices) != len(b.Choices):
		return "choices"
	}
	for i := range a.Choices {
		x, y := a.Choices[i], b.Choices[i]
		if x.Finish == FinishOther {
			x.Finish = openAIFinal(FinishStop, op == OpChat && hasCalls(x.Message.Parts))
		}
		for j, call := range x.Message.ToolCalls() {
			if calls := y.Message.ToolCalls(); call.ID == "" && j < len(calls) {
				call.ID = calls[j].ID
			}
		}
		switch {
		case x.Index != y.Index:
			return "index"
		case x.Finish != y.Finish && op != OpCompletion:
			return fmt.Sprintf("finish %v %v", x.Finish, y.Finish)
		case !x.Extra.equal(y.Extra):
			return "the choice's extra"
		case !bytes.Equal(x.Logprobs, y.Logprobs):
			return "logprobs"
		case op == OpCompletion && x.Message.Text() != y.Message.Text():
			return "text"
		case op == OpChat && oneMessage(x.Message) != oneMessage(y.Message):
			return oneMessage(x.Message) + "\n" + oneMessage(y.Message) + "\n"
		}
	}
	return ""
}

// encodeEvents is what a client of c sees of the events.
func encodeEvents(tb testing.TB, c *Call, events []Event) []byte {
	tb.Helper()
	enc := newOpenAIEncoder(c, &Reply{})
	var out []byte
	for i := range events {
		var err error
		if out, err = enc.Encode(out, &events[i]); err != nil {
			tb.Fatal(err)
		}
	}
	return enc.End(out)
}

// decodeStream is what a stream means. It checks that each frame is one line of
// JSON and that the terminator is there.
func decodeStream(tb testing.TB, stream []byte) []Event {
	tb.Helper()
	frames := framing.NewSSE(bytes.NewReader(stream), 1<<22)
	var events []Event
	ended := false
	for {
		fr, err := frames.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			tb.Fatal(err)
		}
		if ended = string(fr.Data) == "[DONE]"; !ended {
			if err := jsonpeek.Valid(fr.Data); err != nil || bytes.Count(fr.Raw, []byte("\n")) != 2 {
				tb.Fatalf("%v: %s", err, fr.Raw)
			}
		}
		n := len(events)
		events, err = decodeOpenAIFrame(events, &Frame{Raw: fr.Raw, Data: fr.Data})
		if err != nil {
			tb.Fatalf("%v: %s", err, fr.Data)
		}
		for i := n; i < len(events); i++ {
			events[i] = events[i].clone()
		}
	}
	if !ended {
		tb.Fatalf("no terminator:\n%s", stream)
	}
	return events
}

// heard is one answer of a stream, its pieces joined.
type heard struct {
	items  []string // in order
	kinds  []EventKind
	calls  map[int]int // of each index, the item of its last call
	ids    map[int]string
	said   map[int]bool
	finish Finish
}

// joined says what events mean however they are cut: text by text, call by
// call, and how each choice ended.
func joined(events []Event) string {
	choices := map[int]*heard{}
	var u Usage
	for _, e := range events {
		if e.Kind == EventUsage {
			u = u.Merge(e.Usage)
			continue
		}
		h := choices[e.Choice]
		if h == nil {
			h = &heard{calls: map[int]int{}, ids: map[int]string{}, said: map[int]bool{}}
			choices[e.Choice] = h
		}
		h.hear(e)
	}
	if len(choices) == 0 {
		choices[0] = &heard{}
	}
	var b strings.Builder
	for i := range maxChoices {
		h := choices[i]
		if h == nil {
			continue
		}
		fin := cmp.Or(h.finish, FinishStop)
		if fin == FinishOther || fin == FinishStop {
			fin = openAIFinal(FinishStop, len(h.calls) > 0)
		}
		for at := range h.items {
			if h.kinds[at] == EventToolCall && !h.said[at] {
				h.items[at] += "{}"
			}
		}
		fmt.Fprintf(&b, "%d: %q %v\n", i, h.items, fin)
	}
	fmt.Fprintf(&b, "%+v", u)
	return b.String()
}

func (h *heard) hear(e Event) {
	text := e.Content().String()
	switch e.Kind {
	case EventFinish:
		if h.finish != FinishNone || e.Finish == FinishNone {
			return
		}
		h.finish = e.Finish
		for at := range h.items {
			if h.kinds[at] == EventToolCall && !h.said[at] {
				h.items[at] += "{}"
				h.said[at] = true
			}
		}
	case EventText, EventThinking, EventRefusal:
		if text == "" {
			return
		}
		n := len(h.items)
		if n == 0 || h.kinds[n-1] != e.Kind {
			h.items, h.kinds = append(h.items, e.Kind.String()+" "), append(h.kinds, e.Kind)
			n++
		}
		h.items[n-1] += text
	case EventToolCall:
		at, known := h.calls[e.Index]
		if !known || e.ID == "" || h.ids[at] != e.ID {
			at = len(h.items)
			h.items, h.kinds = append(h.items, "call "+e.Name+" "), append(h.kinds, e.Kind)
			h.calls[e.Index], h.ids[at] = at, e.ID
		}
		if e.Value != nil && !h.said[at] {
			text = jsonpeek.Unquote(jsonpeek.AppendEscape(nil, e.Value))
		}
		h.items[at] += text
		h.said[at] = h.said[at] || text != ""
	case EventArguments:
		if at, ok := h.calls[e.Index]; ok && text != "" {
			h.items[at] += text
			h.said[at] = true
		}
	}
}

// requests makes random valid requests, in the form that reading gives.
type requests struct{ *rand.Rand }

func (r requests) word() string {
	words := []string{"a", "é", "\"", "\\", "\n", "\x00", "😀", "</script>", " ", "data:image/png;base64,AA==", "{}", "\u2028", strings.Repeat("long ", 20)}
	s := words[r.IntN(len(words))]
	for r.IntN(2) == 0 {
		s += words[r.IntN(len(words))]
	}
	return s
}

func (r requests) raw() []byte {
	switch r.IntN(4) {
	case 0:
		return []byte("null")
	case 1:
		return jsonpeek.AppendQuote(nil, r.word())
	case 2:
		return fmt.Appendf(nil, `{"k%d": [%s]}`, r.IntN(9), r.raw())
	}
	return fmt.Append(nil, r.Int64())
}

func (r requests) object() []byte { return fmt.Appendf(nil, `{"a":%s}`, r.raw()) }

func (r requests) extra() (x Extra) {
	for r.IntN(4) == 0 {
		x = append(x, Member{Key: fmt.Sprint("x_", r.word(), r.IntN(9)), Value: r.raw()})
	}
	return x
}

func (r requests) part() Part {
	var p Part
	switch r.IntN(6) {
	case 0:
		p = Image("https://x/" + r.word())
		p.Media.Detail = []string{"", "low"}[r.IntN(2)]
	case 1:
		p = Part{Kind: PartAudio, Media: &Media{Data: NewText("AA=="), Format: "wav"}}
	case 2:
		p = Part{Kind: PartFile, Media: &Media{Data: NewText("AA=="), Type: "application/pdf", Name: r.word(), ID: []string{"", r.word()}[r.IntN(2)]}}
	case 3:
		return Part{Kind: PartOther, Raw: fmt.Appendf(nil, `{"type":"x","x":%s}`, r.raw())}
	default:
		p = TextPart(r.word())
	}
	p.Extra = r.extra()
	return p
}

func (r requests) message() Message {
	m := Message{Role: []Role{RoleUser, RoleAssistant, RoleSystem, RoleDeveloper, RoleTool}[r.IntN(5)], Extra: r.extra()}
	if m.Role == RoleTool {
		res := &Result{ID: r.word(), Parts: []Part{TextPart(r.word())}}
		m.Parts = []Part{{Kind: PartToolResult, Result: res}}
		return m
	}
	if m.Role == RoleAssistant && r.IntN(3) == 0 {
		m.Parts = append(m.Parts, NewPart(PartThinking, NewText(r.word())))
	}
	for r.IntN(3) > 0 {
		m.Parts = append(m.Parts, r.part())
	}
	if m.Role == RoleAssistant {
		if r.IntN(4) == 0 {
			m.Parts = append(m.Parts, NewPart(PartRefusal, NewText(r.word())))
		}
		for r.IntN(2) == 0 {
			call := CallPart(r.word(), r.word(), string(r.raw()))
			if r.IntN(2) == 0 {
				call.Call.Arguments = ValueArguments(r.object())
			}
			call.Call.Extra = r.extra()
			m.Parts = append(m.Parts, call)
		}
	}
	return m
}

func (r requests) request() *Request {
	maybe := func() bool { return r.IntN(2) == 0 }
	float := func() *float64 {
		f := r.NormFloat64() * math.Pow(10, float64(r.IntN(60)-30))
		return &f
	}
	q := &Request{Op: Operation(r.IntN(3)), Model: r.word(), Extra: r.extra()}
	if maybe() {
		q.User = r.word()
	}
	for q.Op != OpChat {
		in := Input{Content: NewText(r.word())}
		if maybe() {
			in = Input{Tokens: []int64{r.Int64N(100), -1}}
		}
		if q.Input = append(q.Input, in); maybe() {
			break
		}
	}
	if q.Op == OpEmbed {
		q.Dimensions, q.Encoding = r.IntN(3), []string{"", "float", "base64"}[r.IntN(3)]
		return q
	}
	q.Stream = maybe()
	q.MaxTokens, q.Choices = r.IntN(3), []int{0, 2}[r.IntN(2)]
	if maybe() {
		seed, k := r.Int64(), r.IntN(100)
		q.Temperature, q.TopP, q.FrequencyPenalty, q.PresencePenalty, q.Seed, q.TopK = float(), float(), float(), float(), &seed, &k
	}
	for r.IntN(3) == 0 {
		q.Stop = append(q.Stop, NewText(r.word()))
	}
	if q.Op == OpCompletion {
		return q
	}
	for ok := true; ok; ok = r.IntN(4) > 0 {
		q.Messages = append(q.Messages, r.message())
	}
	for r.IntN(3) == 0 {
		yes := maybe()
		q.Tools = append(q.Tools, Tool{Name: r.word(), Description: NewText(r.word()), Parameters: r.object(), Strict: &yes, Extra: r.extra()}, Tool{Type: "x", Raw: []byte(`{"type":"x"}`)})
		q.ParallelTools = &yes
		q.ToolChoice = []ToolChoice{{}, {Mode: "auto"}, {Mode: "required"}, {Mode: "function", Name: r.word()}, {Raw: []byte(`{"type":"x"}`)}}[r.IntN(5)]
	}
	q.Format = []Format{{}, {Type: "text"}, {Type: "json_object"}, {Type: "json_schema", Name: "n" + r.word(), Description: r.word(), Schema: r.object()}}[r.IntN(4)]
	q.Reasoning.Effort = []string{"", "low"}[r.IntN(2)]
	return q
}

// compact writes JSON so that two ways of quoting the same are the same.
func compact(tb testing.TB, data []byte) []byte {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		tb.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}
