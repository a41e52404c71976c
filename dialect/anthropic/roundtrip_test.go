// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// maker makes typed values that the format can say.
type maker struct {
	*rand.Rand
	calls int
}

func (m *maker) text() hoosh.Text {
	list := []string{"a", "hé \U0001F600", "\"q\"\n", " b\\ ", "\u0000<&>\u2028"}
	return hoosh.NewText(list[m.IntN(len(list))] + list[m.IntN(len(list))] + ".")
}

func (m *maker) mark() hoosh.Extra {
	if m.IntN(4) > 0 {
		return nil
	}
	return hoosh.Extra{{Key: "cache_control", Value: json.RawMessage(`{"type":"ephemeral"}`)}}
}

func (m *maker) textPart() hoosh.Part {
	p := hoosh.NewPart(hoosh.PartText, m.text())
	p.Extra = m.mark()
	return p
}

func (m *maker) part() hoosh.Part {
	p := m.textPart()
	switch m.IntN(8) {
	case 0:
		p = hoosh.Part{Kind: hoosh.PartImage, Media: &hoosh.Media{Data: hoosh.NewText("iVBORw0KGgo="), Type: "image/png"}, Extra: p.Extra}
	case 1:
		p = hoosh.Image("https://example.org/a.png")
	case 2:
		p = hoosh.Part{Kind: hoosh.PartFile, Media: &hoosh.Media{Data: hoosh.NewText("JVBERi0="), Type: "application/pdf", Name: "a b"}, Extra: p.Extra}
	case 3:
		p = hoosh.Part{Kind: hoosh.PartFile, Media: &hoosh.Media{Data: hoosh.NewText("aMOpCg=="), Type: "text/plain"}}
	case 4:
		p = hoosh.Part{Kind: hoosh.PartFile, Media: &hoosh.Media{ID: "file_1"}}
	case 5:
		p = hoosh.Part{Kind: hoosh.PartOther, Raw: json.RawMessage(`{"type":"container_upload","file_id":"x"}`)}
	}
	return p
}

func (m *maker) parts(n int, one func() hoosh.Part) (list []hoosh.Part) {
	for range 1 + m.IntN(n) {
		list = append(list, one())
	}
	return list
}

// turn makes the assistant's and what follows.
func (m *maker) turn(think bool) []hoosh.Message {
	a := hoosh.Message{Role: hoosh.RoleAssistant}
	if think {
		p := hoosh.NewPart(hoosh.PartThinking, m.text())
		p.Signature = &hoosh.Signature{Data: hoosh.NewText("sig/" + fmt.Sprint(m.calls))}
		if m.IntN(3) == 0 {
			p = hoosh.Part{Kind: hoosh.PartThinking, Signature: &hoosh.Signature{Data: hoosh.NewText("red"), Redacted: true}}
		}
		a.Parts = append(a.Parts, p)
	}
	if m.IntN(2) == 0 {
		p := m.textPart()
		if m.IntN(3) == 0 {
			raw := `{"type":"web_search_result_location","cited_text":"q","url":"https://x","title":"t","encrypted_index":"e"}`
			p.Citations = []hoosh.Citation{{URL: "https://x", Title: "t", Quote: "q", Raw: json.RawMessage(raw)}}
		}
		a.Parts = append(a.Parts, p)
	}
	next := hoosh.Message{Role: hoosh.RoleTool}
	for range m.IntN(3) {
		m.calls++
		id := fmt.Sprintf("toolu_%d", m.calls)
		c := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{ID: id, Name: "f", Arguments: hoosh.ValueArguments([]byte(`{"a": [1.50,"x"]}`))}, Extra: m.mark()}
		r := hoosh.Part{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: id, Failed: m.IntN(3) == 0}, Extra: m.mark()}
		if m.IntN(4) > 0 {
			r.Result.Parts = m.parts(2, m.part)
		}
		a.Parts, next.Parts = append(a.Parts, c), append(next.Parts, r)
	}
	if len(a.Parts) == 0 {
		a.Parts = []hoosh.Part{m.textPart()}
	}
	if len(next.Parts) == 0 || m.IntN(2) == 0 {
		next.Role = hoosh.RoleUser
		next.Parts = append(next.Parts, m.parts(2, m.part)...)
	}
	return []hoosh.Message{a, next}
}

func (m *maker) request() *hoosh.Request {
	q := &hoosh.Request{Model: mid45, MaxTokens: 5000 + m.IntN(100), Stream: m.IntN(2) == 0}
	if m.IntN(2) == 0 {
		q.Messages = append(q.Messages, hoosh.Message{Role: hoosh.RoleSystem, Parts: m.parts(3, m.textPart)})
	}
	think := m.IntN(2) == 0
	if think {
		q.Reasoning.Budget = 1024 + m.IntN(3000)
		if m.IntN(2) == 0 {
			q.Reasoning.Show = hoosh.Ptr(m.IntN(2) == 0)
		}
	} else {
		q.Reasoning.Effort = []string{"", "none"}[m.IntN(2)]
		if m.IntN(2) == 0 {
			q.Temperature, q.TopK = hoosh.Ptr(float64(m.IntN(5))/4), hoosh.Ptr(m.IntN(50))
		}
	}
	q.Messages = append(q.Messages, hoosh.Message{Role: hoosh.RoleUser, Parts: m.parts(3, m.part)})
	for range m.IntN(4) {
		q.Messages = append(q.Messages, m.turn(think)...)
	}
	if m.calls > 0 || m.IntN(2) == 0 {
		q.Tools = []hoosh.Tool{{Name: "f", Description: m.text(), Parameters: json.RawMessage(`{"type":"object"}`), Extra: m.mark()},
			{Type: "web_search_20260209", Raw: json.RawMessage(`{"type":"web_search_20260209","name":"web_search"}`)}}
		q.Tools[0].Strict = []*bool{nil, hoosh.Ptr(true), hoosh.Ptr(false)}[m.IntN(3)]
		q.ToolChoice.Mode = []string{"", "auto", "none"}[m.IntN(3)]
		if !think && m.IntN(2) == 0 {
			q.ToolChoice = []hoosh.ToolChoice{{Mode: "required"}, {Mode: "function", Name: "f"}}[m.IntN(2)]
		}
		if q.ToolChoice.Mode != "" && q.ToolChoice.Mode != "none" && m.IntN(2) == 0 {
			q.ParallelTools = hoosh.Ptr(m.IntN(2) == 0)
		}
	}
	if m.IntN(3) == 0 {
		q.Format = hoosh.Format{Type: "json_schema", Schema: json.RawMessage(`{"type":"object","properties":{}}`)}
	}
	if m.IntN(3) == 0 {
		q.Stop = []hoosh.Text{m.text(), m.text()}
		q.User = "u\n"
		q.Extra = hoosh.Extra{{Key: "container", Value: json.RawMessage(`"c"`)}}
	}
	return q
}

func TestRequestRoundTrip(t *testing.T) {
	for seed := range uint64(3000) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 1))}
		q := m.request()
		c := hoosh.NewCall(q)
		c.Stream = q.Stream
		b, dropped, err := c.BodyFor(profile(native))
		if err != nil || dropped != nil {
			t.Fatalf("seed %d: %v, %v", seed, err, dropped)
		}
		if fault := takes(b.Bytes()); fault != "" && !slices.ContainsFunc(q.Messages, func(m hoosh.Message) bool { return m.Role == hoosh.RoleSystem }) {
			t.Fatalf("seed %d: %s: %s", seed, fault, b.Bytes())
		}
		back, err := native.DecodeRequest(hoosh.OpChat, b.Bytes())
		if err != nil || !back.Equal(q) {
			t.Fatalf("seed %d: %v\n%+v\n%+v\n%s", seed, err, q, back, b.Bytes())
		}
	}
}

// A whole answer that goes to a client and comes back is the same but for what has
// no id yet.
func TestResponseRoundTrip(t *testing.T) {
	call := parse(t, native, hoosh.OpChat, `{"messages":[]}`)
	for seed := range uint64(1000) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 2))}
		r := &hoosh.Response{ID: "msg_1", Model: "m", Usage: hoosh.Usage{Input: m.Int64N(9), CacheRead: m.Int64N(9), CacheWrite: m.Int64N(9), Output: m.Int64N(9), Reasoning: m.Int64N(2), Source: hoosh.UsageReported}}
		ch := hoosh.Choice{Message: m.turn(m.IntN(2) == 0)[0], Finish: hoosh.FinishStop}
		for i := range ch.Message.Parts {
			p := &ch.Message.Parts[i]
			if p.Extra = nil; p.Signature != nil {
				p.Signature.Issuer = "else"
			}
			if p.Kind == hoosh.PartToolCall {
				ch.Finish = hoosh.FinishToolCalls
			}
		}
		if ch.Finish == hoosh.FinishStop && m.IntN(2) == 0 {
			ch.Stopped = "END"
		}
		r.Choices = []hoosh.Choice{ch}
		out, err := native.EncodeResponse(call, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := native.DecodeResponse(hoosh.OpChat, out)
		if err != nil || back.ID != r.ID || back.Model != r.Model || back.Usage != r.Usage || back.Finish() != ch.Finish || back.Choices[0].Stopped != ch.Stopped || !back.Choices[0].Message.Equal(ch.Message) {
			t.Fatalf("seed %d: %v\n%+v\n%+v\n%s", seed, err, r, back, out)
		}
	}
}

// However the pieces of parallel calls come, mixed with text, each call gets its
// own and the form is right.
func TestEncoderMixed(t *testing.T) {
	for seed := range uint64(2000) {
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 3))}
		var all []hoosh.Event
		var rest []string // of the arguments of each call
		var want []string
		text := ""
		for range 5 + m.IntN(40) {
			switch n := m.IntN(6); {
			case n == 0 && len(rest) < 5:
				id := fmt.Sprint("c", len(rest))
				all = append(all, hoosh.Event{Kind: hoosh.EventToolCall, Index: len(rest), ID: id, Name: "f"})
				args, _ := json.Marshal(map[string]string{"a": m.text().String(), "b": m.text().String()})
				rest, want = append(rest, string(args)), append(want, "tool_use "+id+" f: "+string(args))
			case n == 1:
				all = append(all, hoosh.NewEvent(hoosh.EventText, 0, hoosh.NewText("x")))
				text += "x"
			case len(rest) > 0:
				i := m.IntN(len(rest))
				k := m.IntN(len(rest[i]) + 1)
				for k < len(rest[i]) && rest[i][k]&0xc0 == 0x80 { // between characters
					k++
				}
				e := hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(rest[i][:k]))
				e.Index, rest[i] = i, rest[i][k:]
				all = append(all, e)
			}
		}
		for i := range rest {
			e := hoosh.NewEvent(hoosh.EventArguments, 0, hoosh.NewText(rest[i]))
			e.Index = i
			all = append(all, e)
		}
		got, _, _ := blocks(t, write(t, native, all))
		for _, b := range got {
			if x, ok := strings.CutPrefix(b, "text: "); ok {
				text = strings.Replace(text, x, "", 1)
			}
		}
		got = slices.DeleteFunc(got, func(b string) bool { return strings.HasPrefix(b, "text: ") })
		if !slices.Equal(got, want) || text != "" {
			t.Fatalf("seed %d: %q\nwant %q, and text %q", seed, got, want, text)
		}
	}
}
