// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// lacking is a router whose one backend, "a", speaks OpenAI's dialect as the
// profile says, and can do what features say.
func lacking(t *testing.T, p hoosh.Profile, can hoosh.Features, routes ...hoosh.Route) (*hoosh.Router, *hooshtest.Backend) {
	t.Helper()
	b := hooshtest.New(t)
	p.Dialect = hoosh.OpenAI
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "a", BaseURL: b.URL(), DialContext: b.DialContext}, hoosh.Driver{}, &p, "")
	if err != nil {
		t.Fatal(err)
	}
	d := ableDoer{upstreamDoer{u, u.URL("/chat/completions")}, can}
	return newRouter(t, []hoosh.Provider{{Name: "a", Doer: d}}, routes...), b
}

type ableDoer struct {
	upstreamDoer
	can hoosh.Features
}

func (d ableDoer) Capabilities(string) hoosh.Capabilities {
	return hoosh.Capabilities{Features: d.can}
}

// inform makes the call of a body and gives the answer in the caller's form.
func inform(t *testing.T, r hoosh.Gateway, body string) (reply *hoosh.Reply, text string, err error) {
	t.Helper()
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	reply, err = r.Do(context.Background(), c)
	if err != nil {
		return nil, "", err
	}
	if reply, err = reply.For(c); err != nil {
		return nil, "", err
	}
	if reply.Stream == nil {
		return reply, string(reply.Body), nil
	}
	text, err = readOut(reply.Stream)
	return reply, text, err
}

// said joins what the choices of an OpenAI answer, whole or a stream, say, with
// the reasons for their ends.
func said(t *testing.T, answer string) (texts, finishes []string) {
	t.Helper()
	type choice struct {
		Index   int
		Message struct{ Content string }
		Delta   struct{ Content string }
		Finish  string `json:"finish_reason"`
	}
	read := func(data string) {
		var chunk struct{ Choices []choice }
		if err := json.Unmarshal([]byte(data), &chunk); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		for _, ch := range chunk.Choices {
			for len(texts) <= ch.Index {
				texts, finishes = append(texts, ""), append(finishes, "")
			}
			texts[ch.Index] += ch.Message.Content + ch.Delta.Content
			finishes[ch.Index] += ch.Finish
		}
	}
	if strings.HasPrefix(answer, "{") {
		read(answer)
		return texts, finishes
	}
	for line := range strings.Lines(answer) {
		if data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok && data != "[DONE]" {
			read(data)
		}
	}
	if !strings.HasSuffix(answer, "data: [DONE]\n\n") {
		t.Errorf("the stream has no end: %q", answer)
	}
	return texts, finishes
}

var noStop = hoosh.Profile{Rules: []hoosh.Rule{{Key: "stop"}}}

// TestStopSequences: a backend that cannot be told where to stop is stopped.
func TestStopSequences(t *testing.T) {
	for _, tc := range []struct {
		name   string
		pieces []string
		stop   string
		want   string
	}{
		{"none comes", []string{"one ", "two"}, `["END"]`, "one two"},
		{"in one piece", []string{"one END two"}, `["END"]`, "one "},
		{"over three pieces", []string{"one E", "N", "D two", " three"}, `["END"]`, "one "},
		{"almost, and then not", []string{"E", "N", "N", "ED"}, `["END"]`, "ENNED"},
		{"the beginning at the end", []string{"one EN"}, `["END"]`, "one EN"},
		{"the first of several", []string{"a, b; c"}, `[";",","]`, "a"},
		{"one within another", []string{"aab"}, `["aab","ab"]`, ""},
		{"at once", []string{"END"}, `"END"`, ""},
		{"astral", []string{"x\U0001F600", "y"}, `["\ud83d\ude00y"]`, "x"},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprint(tc.name, stream), func(t *testing.T) {
				r, b := lacking(t, noStop, hoosh.AllFeatures)
				b.Answer(hooshtest.Answer{Text: strings.Join(tc.pieces, ""), Pieces: tc.pieces})
				reply, answer, err := inform(t, r, fmt.Sprintf(`{"model":"a/m","messages":[{"role":"user","content":"hi"}],"stop":%s,"stream":%t}`, tc.stop, stream))
				if err != nil {
					t.Fatal(err)
				}
				texts, finishes := said(t, answer)
				if len(texts) != 1 || texts[0] != tc.want || finishes[0] != "stop" {
					t.Errorf("%q %q, want %q: %s", texts, finishes, tc.want, answer)
				}
				if len(reply.Dropped) > 0 || strings.Contains(string(b.Last().Body), "stop\":[") {
					t.Errorf("dropped %q, sent %s", reply.Dropped, b.Last().Body)
				}
			})
		}
	}
}

// TestStopSequencesTyped: a Go program is stopped the same way, however the
// text was cut.
func TestStopSequencesTyped(t *testing.T) {
	const text = "abcabcabdabcENDabc"
	for range 50 {
		var pieces []string
		for rest := text; rest != ""; {
			n := 1 + rand.IntN(min(4, len(rest)))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		r, b := lacking(t, noStop, hoosh.AllFeatures)
		b.Answer(hooshtest.Answer{Text: text, Pieces: pieces})
		q := &hoosh.Request{Model: "a/m", Messages: []hoosh.Message{hoosh.User("hi")}, Stop: []hoosh.Text{hoosh.NewText("cEND"), hoosh.NewText("bda!")}}
		s, err := r.Stream(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		streamed, err := s.Response()
		if err != nil {
			t.Fatal(err)
		}
		if u := streamed.Usage; u.Input == 0 || u.Output == 0 {
			t.Fatalf("a stream that was ended has the usage %v", u)
		}
		whole, err := r.Infer(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, resp := range []*hoosh.Response{streamed, whole} {
			if resp.Text() != "abcabcabdab" || resp.Finish() != hoosh.FinishStop || resp.Choices[0].Stopped != "cEND" {
				t.Fatalf("%q: %q, %v, met %q", pieces, resp.Text(), resp.Finish(), resp.Choices[0].Stopped)
			}
		}
	}
}

// TestChoicesOneByOne: what gives one answer is asked several times at once.
func TestChoicesOneByOne(t *testing.T) {
	for _, stream := range []bool{false, true} {
		r, b := lacking(t, hoosh.Profile{}, hoosh.AllFeatures&^hoosh.FeatureChoices)
		b.Script(func(q *hooshtest.Request) hooshtest.Answer {
			return hooshtest.Answer{Pieces: []string{"an", "swer"}, Text: "answer", Usage: &hooshtest.Usage{Prompt: 5, Completion: 2}}
		})
		_, answer, err := inform(t, r, fmt.Sprintf(`{"model":"a/m","n":3,"messages":[{"role":"user","content":"hi"}],"stream":%t,"stream_options":{"include_usage":true}}`, stream))
		if !stream {
			_, answer, err = inform(t, r, `{"model":"a/m","n":3,"messages":[{"role":"user","content":"hi"}]}`)
		}
		if err != nil {
			t.Fatal(err)
		}
		texts, finishes := said(t, answer)
		if !slices.Equal(texts, []string{"answer", "answer", "answer"}) || !slices.Equal(finishes, []string{"stop", "stop", "stop"}) {
			t.Errorf("%q %q: %s", texts, finishes, answer)
		}
		if !strings.Contains(answer, `"prompt_tokens":15,"completion_tokens":6`) {
			t.Errorf("the usage is not the sum: %s", answer)
		}
		if slices.ContainsFunc(b.Requests(), func(q *hooshtest.Request) bool { return strings.Contains(string(q.Body), `"n":`) }) {
			t.Error("n was sent")
		}
	}
}

// TestChoicesEnd: one of them that fails ends all, and so does a caller
// that leaves.
func TestChoicesEnd(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	body := `{"model":"a/m","n":4,"messages":[{"role":"user","content":"hi"}],"stream":true}`
	r, b := lacking(t, hoosh.Profile{}, hoosh.AllFeatures&^hoosh.FeatureChoices)
	b.Script(func(q *hooshtest.Request) hooshtest.Answer {
		if q.N == 3 {
			return hooshtest.Status(400, 0)
		}
		return hooshtest.Answer{Fault: hooshtest.Hang}
	})
	if _, _, err := inform(t, r, body); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Errorf("%v", err)
	}
	step := make(chan struct{})
	b.Script(func(*hooshtest.Request) hooshtest.Answer {
		return hooshtest.Answer{Pieces: []string{"a", "b", "c"}, Step: step}
	})
	go func() {
		for range 12 {
			step <- struct{}{}
		}
	}()
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := r.Do(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	reply.Stream.Close()
	if _, err := reply.Stream.Next(); err == nil || err == io.EOF {
		// What was read before Close may be handed out first.
		for err == nil {
			_, err = reply.Stream.Next()
		}
		if err == io.EOF {
			t.Error("a stream that was closed looks whole")
		}
	}
	close(step)
	if !b.Wait(10*time.Second, func() bool { return b.InFlight() == 0 }) {
		t.Errorf("%d calls are still under way", b.InFlight())
	}
}

// TestSchema: an answer by a schema from backends that know none.
func TestSchema(t *testing.T) {
	const schema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`
	body := `{"model":"a/m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"hi"}],"x_own":1,"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":` + schema + `}},"stream":%t}`
	for _, stream := range []bool{false, true} {
		r, b := lacking(t, hoosh.Profile{NoSchema: []string{"*"}}, hoosh.AllFeatures)
		b.Answer(hooshtest.Tool("hoosh_answer", `{"city":"Graz"}`))
		_, answer, err := inform(t, r, fmt.Sprintf(body, stream))
		if err != nil {
			t.Fatal(err)
		}
		sent := string(b.Last().Body)
		// The answer passes as bytes where dialects agree, so it must be recoded.
		texts, finishes := said(t, answer)
		if texts[0] != `{"city":"Graz"}` || finishes[0] != "stop" {
			t.Errorf("%q %q: %s", texts, finishes, answer)
		}
		if !strings.Contains(sent, `"name":"hoosh_answer"`) || !strings.Contains(sent, schema) || strings.Contains(sent, "response_format") || !strings.Contains(sent, `"x_own":1`) {
			t.Errorf("sent %s", sent)
		}

		r, b = lacking(t, hoosh.Profile{NoSchema: []string{"m"}, SchemaInPrompt: true}, hoosh.AllFeatures)
		b.Answer(hooshtest.Text(`{"city":"Wien"}`))
		if _, answer, err = inform(t, r, fmt.Sprintf(body, stream)); err != nil {
			t.Fatal(err)
		}
		sent = string(b.Last().Body)
		if texts, _ := said(t, answer); texts[0] != `{"city":"Wien"}` || !strings.Contains(sent, `"response_format":{"type":"json_object"}`) ||
			!strings.Contains(sent, `\"required\":[\"city\"]`) || !strings.Contains(sent, `Be brief.`) {
			t.Errorf("%q, sent %s", texts, sent)
		}
	}
}

// TestOnUnsupported: what a backend cannot be told is named, or the call fails.
func TestOnUnsupported(t *testing.T) {
	drop := hoosh.Profile{Rules: []hoosh.Rule{{Key: "seed"}, {Key: "stop"}}}
	const body = `{"model":"m","messages":[{"role":"user","content":"hi"}],"seed":1,"stop":"x"}`
	for _, word := range []string{"", "drop", "refuse"} {
		r, b := lacking(t, drop, hoosh.AllFeatures, hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "a/m"}}, OnUnsupported: word})
		reply, _, err := inform(t, r, body)
		if word == "refuse" {
			if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrUnsupported) || e.Param != "seed" || e.HTTPStatus() != 400 || b.Calls() > 0 {
				t.Errorf("%v after %d calls", err, b.Calls())
			}
		} else if err != nil || !slices.Equal(reply.Dropped, []string{"seed"}) {
			t.Errorf("%q: dropped %v, %v", word, reply, err)
		}
	}
}

// TestCount: a backend that cannot count has its tokens estimated.
func TestCount(t *testing.T) {
	r, b := lacking(t, hoosh.Profile{}, hoosh.AllFeatures)
	text := strings.Repeat("word ", 400)
	q := &hoosh.Request{Op: hoosh.OpCount, Model: "a/m", Messages: []hoosh.Message{hoosh.User(text)}}
	resp, err := r.Infer(context.Background(), q)
	if err != nil || resp.Usage.Input != 500 || b.Calls() > 0 {
		t.Errorf("%+v, %v after %d calls", resp, err, b.Calls())
	}
}

// TestCountRefused: so has one that turns out not to know how.
func TestCountRefused(t *testing.T) {
	r, b := lacking(t, hoosh.Profile{}, ^hoosh.Features(0))
	b.Answer(hooshtest.Status(404, 0))
	q := &hoosh.Request{Op: hoosh.OpCount, Model: "a/m", Messages: []hoosh.Message{hoosh.User("eight by")}}
	resp, err := r.Infer(context.Background(), q)
	if err != nil || resp.Usage.Input != 2 || b.Calls() != 1 {
		t.Errorf("%+v, %v after %d calls", resp, err, b.Calls())
	}
}

// TestChoicesPanic: a fault below meets the call as it would with one choice.
func TestChoicesPanic(t *testing.T) {
	d := ableDoer2{hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) { panic("a fault") })}
	r := newRouter(t, []hoosh.Provider{{Name: "a", Doer: d}})
	defer func() {
		if v := recover(); v != "a fault" {
			t.Errorf("recovered %v", v)
		}
	}()
	r.Infer(context.Background(), &hoosh.Request{Model: "a/m", Choices: 2, Messages: []hoosh.Message{hoosh.User("hi")}}) //nolint:errcheck // it panics
	t.Error("no panic")
}

// ableDoer2 gives one answer to a call.
type ableDoer2 struct{ hoosh.Doer }

func (ableDoer2) Capabilities(string) hoosh.Capabilities {
	return hoosh.Capabilities{Features: hoosh.AllFeatures &^ hoosh.FeatureChoices}
}

type countedEnder struct{ n *atomic.Int64 }

func (e countedEnder) End(*hoosh.Outcome) { e.n.Add(1) }

// TestChoicesBooked: what is booked on the calls that one becomes is ended, once.
func TestChoicesBooked(t *testing.T) {
	var booked, ended atomic.Int64
	for _, fails := range []bool{false, true} {
		d := ableDoer2{hoosh.DoerFunc(func(_ context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
			c.OnEnd(countedEnder{&ended})
			if booked.Add(1) == 2 && fails {
				return nil, &hoosh.Error{Kind: hoosh.ErrInvalidRequest}
			}
			return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: []byte(`{"choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}]}`)}, nil
		})}
		r := newRouter(t, []hoosh.Provider{{Name: "a", Doer: d}})
		booked.Store(0)
		ended.Store(0)
		resp, err := r.Infer(context.Background(), &hoosh.Request{Model: "a/m", Choices: 3, Messages: []hoosh.Message{hoosh.User("twelve bytes")}})
		if (err != nil) != fails || booked.Load() != 3 || ended.Load() != 3 {
			t.Errorf("%v: %d booked, %d ended", err, booked.Load(), ended.Load())
		}
		if !fails && (resp.Usage.Input != 9 || resp.Usage.Output != 3 || resp.Usage.Source != hoosh.UsageCounted) {
			t.Errorf("of three answers without a report: %+v", resp.Usage)
		}
	}
}

// TestChoicesBound: one call makes no hundreds.
func TestChoicesBound(t *testing.T) {
	r, b := lacking(t, hoosh.Profile{}, hoosh.AllFeatures&^hoosh.FeatureChoices)
	_, _, err := inform(t, r, `{"model":"a/m","n":500,"messages":[{"role":"user","content":"hi"}]}`)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Param != "n" || b.Calls() > 0 {
		t.Errorf("%v after %d calls", err, b.Calls())
	}
	stops := `"` + strings.Repeat(`x","`, 100) + `"`
	r, b = lacking(t, noStop, hoosh.AllFeatures)
	_, _, err = inform(t, r, `{"model":"a/m","stop":[`+stops[:len(stops)-3]+`],"messages":[{"role":"user","content":"hi"}]}`)
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrInvalidRequest) || e.Param != "stop" || b.Calls() > 0 {
		t.Errorf("%v after %d calls", err, b.Calls())
	}
}

// TestSchemaAnswer: the call of the tool that stands for a schema is the answer, and
// nothing else is; a tool of that name which the caller has is the caller's.
func TestSchemaAnswer(t *testing.T) {
	calls := hooshtest.Answer{Text: "Let me see. ", Pieces: []string{"Let me ", "see. "},
		ToolCalls: []hooshtest.ToolCall{{Name: "hoosh_answer", Arguments: `{"city":"Graz"}`}, {Name: "hoosh_answer", Arguments: `{"city":"Wien"}`}}}
	schema := hoosh.Format{Type: "json_schema", Name: "n", Schema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`)}
	for _, tc := range []struct {
		name   string
		answer hooshtest.Answer
		want   string
	}{{"two calls and text", calls, `{"city":"Graz"}`}, {"no call", hooshtest.Text(`{"city":"Linz"}`), `{"city":"Linz"}`}} {
		r, b := lacking(t, hoosh.Profile{NoSchema: []string{"*"}}, hoosh.AllFeatures)
		b.Answer(tc.answer)
		q := &hoosh.Request{Model: "a/m", Format: schema, Messages: []hoosh.Message{hoosh.User("where?")}}
		whole, err := r.Infer(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.Stream(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		streamed, err := s.Response()
		if err != nil {
			t.Fatal(err)
		}
		for _, resp := range []*hoosh.Response{whole, streamed} {
			if resp.Text() != tc.want || resp.Finish() != hoosh.FinishStop || len(resp.ToolCalls()) > 0 {
				t.Errorf("%s: %q, %v, %d calls", tc.name, resp.Text(), resp.Finish(), len(resp.ToolCalls()))
			}
		}
	}
	r, b := lacking(t, hoosh.Profile{NoSchema: []string{"*"}}, hoosh.AllFeatures)
	b.Answer(hooshtest.Tool("hoosh_answer", `{}`))
	resp, err := r.Infer(context.Background(), &hoosh.Request{Model: "a/m", Tools: []hoosh.Tool{{Name: "hoosh_answer"}}, Messages: []hoosh.Message{hoosh.User("x")}})
	if err != nil || len(resp.ToolCalls()) != 1 {
		t.Errorf("the caller's own tool: %+v, %v", resp, err)
	}
}

// TestCutUsage: text that was sent is counted though only the prompt was reported.
func TestCutUsage(t *testing.T) {
	p := &passing{kind: "text/event-stream", reply: []byte(`data: {"choices":[{"index":0,"delta":{"content":"four by four by four"}}],"usage":{"prompt_tokens":10,"completion_tokens":0}}` + "\n\n")}
	reply, _, err := send(t, p, "*", hoosh.Profile{}, []byte(`{"model":"m","stream":true,"messages":[]}`))
	_ = reply
	if err != nil {
		t.Fatal(err)
	}
	var out hoosh.Outcome
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"model":"m","stream":true,"messages":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	c.OnEnd(outcomeOf{&out})
	settled, err := hoosh.Settle(hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) { return reply, nil })).Do(context.Background(), c)
	for err == nil {
		_, err = settled.Stream.Next()
	}
	if out.End != hoosh.EndFailed || out.Usage.Input != 10 || out.Usage.Output != 5 || out.Usage.Source != hoosh.UsagePartial {
		t.Errorf("%v: %+v, %v", out.End, out.Usage, err)
	}
}

type outcomeOf struct{ out *hoosh.Outcome }

func (o outcomeOf) End(out *hoosh.Outcome) { *o.out = *out }

// TestImageFormat: what images have under a name is not what chats have.
func TestImageFormat(t *testing.T) {
	for _, body := range []string{`{"model":"m","prompt":"a cat","response_format":"b64_json"}`, `{"model":"m","prompt":"a cat","n":2,"tools":"none"}`} {
		if _, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpImage, []byte(body)); err != nil {
			t.Error(err)
		}
	}
}
