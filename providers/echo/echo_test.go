// SPDX-License-Identifier: AGPL-3.0-only

package echo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
)

var background = context.Background()

func call(t *testing.T, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(hoosh.OpenAI, op, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return c
}

func chat(model string) *hoosh.Request {
	return &hoosh.Request{Model: model, Messages: []hoosh.Message{hoosh.System("Be brief."), hoosh.User("Hello to you")}}
}

const answered = "echo: no model was asked; you said: Hello to you"

// both gives a whole answer and the sum of a streamed one.
func both(t *testing.T, q *hoosh.Request) (whole, streamed *hoosh.Response) {
	t.Helper()
	g := hoosh.NewGateway(New(hoosh.ProviderConfig{Name: "e"}))
	whole, err := g.Infer(background, q)
	if err != nil {
		t.Fatal(err)
	}
	s, err := g.Stream(background, q)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if streamed, err = s.Response(); err != nil {
		t.Fatal(err)
	}
	return whole, streamed
}

func TestEcho(t *testing.T) {
	whole, streamed := both(t, chat("echo"))
	for _, r := range []*hoosh.Response{whole, streamed} {
		if r.Text() != answered || r.Finish() != hoosh.FinishStop || r.Provider != "e" || r.Model != "echo" || r.ID != whole.ID {
			t.Errorf("%+v: %s", r, r.Text())
		}
		if r.Usage != (hoosh.Usage{Input: 5, Output: 10, Source: hoosh.UsageReported}) {
			t.Errorf("usage %v", r.Usage)
		}
	}
	if whole.Created.IsZero() {
		t.Error("it was not made at any time")
	}
}

func TestLengths(t *testing.T) {
	for _, tc := range []struct {
		model  string
		max    int
		words  int
		finish hoosh.Finish
	}{
		{"echo", 3, 3, hoosh.FinishLength},
		{"echo", 10, 10, hoosh.FinishStop},
		{"echo-len:1000", 0, 1000, hoosh.FinishStop},
		{"echo-len:4", 0, 4, hoosh.FinishStop},
		{"echo-len:1000", 7, 7, hoosh.FinishLength},
		{"echo-chunks:2+len:30", 0, 30, hoosh.FinishStop},
	} {
		q := chat(tc.model)
		q.MaxTokens = tc.max
		whole, streamed := both(t, q)
		for _, r := range []*hoosh.Response{whole, streamed} {
			if n := len(strings.Fields(r.Text())); n != tc.words || r.Finish() != tc.finish || r.Usage.Output != int64(tc.words) || !strings.HasPrefix(r.Text(), "echo: no model") {
				t.Errorf("%+v: %d words, %v, %v", tc, n, r.Finish(), r.Usage)
			}
		}
	}
}

func TestChunks(t *testing.T) {
	for model, want := range map[string]int{"echo": 10, "echo-chunks:5": 5, "echo-chunks:1": 1, "echo-chunks:20": 20, "echo-chunks:100000": len(answered)} {
		s, err := hoosh.NewGateway(New(hoosh.ProviderConfig{})).Stream(background, chat(model))
		if err != nil {
			t.Fatal(err)
		}
		n, text := 0, ""
		for e, err := range s.Events() {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == hoosh.EventText {
				n++
				text += e.Text()
			}
		}
		if n != want || text != answered {
			t.Errorf("%s: %d pieces, want %d: %q", model, n, want, text)
		}
	}
}

func TestChoices(t *testing.T) {
	q := chat("echo")
	q.Choices = 3
	whole, streamed := both(t, q)
	for _, r := range []*hoosh.Response{whole, streamed} {
		if len(r.Choices) != 3 || r.Choices[2].Message.Text() != answered || r.Choices[2].Finish != hoosh.FinishStop || r.Usage.Output != 30 {
			t.Errorf("%+v", r)
		}
	}
}

func TestTool(t *testing.T) {
	q := chat("echo-tool:get_weather")
	whole, streamed := both(t, q)
	for _, r := range []*hoosh.Response{whole, streamed} {
		calls := r.ToolCalls()
		if len(calls) != 1 || calls[0].Name != "get_weather" || calls[0].ID == "" || r.Finish() != hoosh.FinishToolCalls || r.Text() != "" {
			t.Fatalf("%+v", r)
		}
		var args struct{ Text string }
		if err := json.Unmarshal(calls[0].Arguments.JSON(), &args); err != nil || args.Text != "Hello to you" {
			t.Errorf("%s: %v", calls[0].Arguments.JSON(), err)
		}
	}
	id := whole.ToolCalls()[0].ID
	if again := streamed.ToolCalls()[0].ID; again != id {
		t.Errorf("the same call is %q and %q", id, again)
	}
	q.Messages = append(q.Messages, whole.Choices[0].Message, hoosh.ToolResult(id, "18 degrees"))
	if whole, _ = both(t, q); whole.Text() != "echo: no model was asked; the tool said: 18 degrees" || whole.Finish() != hoosh.FinishStop {
		t.Errorf("after the result: %+v", whole)
	}
}

func TestLegacyCompletion(t *testing.T) {
	q := &hoosh.Request{Op: hoosh.OpCompletion, Model: "echo", Input: []hoosh.Input{{Content: hoosh.NewText("Once upon")}}}
	whole, streamed := both(t, q)
	for _, r := range []*hoosh.Response{whole, streamed} {
		if r.Text() != "echo: no model was asked; you said: Once upon" {
			t.Errorf("%q", r.Text())
		}
	}
}

func TestEmbeddings(t *testing.T) {
	g := hoosh.NewGateway(New(hoosh.ProviderConfig{Name: "e"}))
	vectors := func(model string, dimensions int, inputs ...string) [][]float32 {
		t.Helper()
		q := &hoosh.Request{Model: model, Dimensions: dimensions}
		for _, in := range inputs {
			q.Input = append(q.Input, hoosh.Input{Content: hoosh.NewText(in)})
		}
		r, err := g.Embed(background, q)
		if err != nil {
			t.Fatal(err)
		}
		return r.Embeddings
	}
	v := vectors("echo-embed", 0, "a", "b", "a")
	if len(v) != 3 || len(v[0]) != 64 || !slices.Equal(v[0], v[2]) || slices.Equal(v[0], v[1]) {
		t.Errorf("%v", v)
	}
	norm := 0.0
	for _, x := range v[0] {
		norm += float64(x) * float64(x)
	}
	if norm < 0.999 || norm > 1.001 {
		t.Errorf("the length is not 1: %v", norm)
	}
	if n := len(vectors("echo-embed:768", 0, "a")[0]); n != 768 {
		t.Error(n)
	}
	if n := len(vectors("echo-embed:768", 3, "a")[0]); n != 3 {
		t.Error(n)
	}
	p := New(hoosh.ProviderConfig{Name: "e"})
	reply, err := p.Do(background, call(t, hoosh.OpEmbed, `{"model":"echo-embed:2","input":"a","encoding_format":"base64"}`))
	if err != nil || !strings.Contains(string(reply.Body), `"embedding":"`) || reply.Usage.Input != 1 {
		t.Errorf("%s, %v", reply.Body, err)
	}
}

func TestNames(t *testing.T) {
	p := New(hoosh.ProviderConfig{Name: "e"})
	for _, model := range []string{"gpt-4o", "echoes", "echo:3", "echo-", "echo-what", "echo-len", "echo-len:0", "echo-len:x", "echo-len:1000000", "echo-slow:fast",
		"echo-slow:-1s", "echo-slow:200h", "echo-tool", "echo-tool:", "echo-fault", "echo-fault:200", "echo-fault:boom", "echo-chunks:2+", "echo-embed:5000"} {
		_, err := p.Do(background, call(t, hoosh.OpChat, `{"model":"`+model+`","messages":[]}`))
		if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrModelNotFound) || e.Provider != "e" || e.Model != model {
			t.Errorf("%s: %v", model, err)
		}
	}
	for _, tc := range []*hoosh.Call{call(t, hoosh.OpChat, `{"model":"echo-embed","messages":[]}`), call(t, hoosh.OpEmbed, `{"model":"echo","input":"a"}`)} {
		if _, err := p.Do(background, tc); !errors.Is(err, hoosh.ErrUnsupported) {
			t.Errorf("%s: %v", tc.Model, err)
		}
	}
	list, err := p.Models(background)
	if err != nil || len(list) != len(listed) || p.Health(background) != nil {
		t.Fatal(list, err)
	}
	for _, m := range list {
		if _, err := parse(m.ID); err != nil {
			t.Errorf("%s is listed: %v", m.ID, err)
		}
		if m.Capabilities != p.Capabilities(m.ID) || m.Features == 0 {
			t.Errorf("%+v", m)
		}
	}
	if f := p.Capabilities("echo-embed:5").Features; f != hoosh.FeatureEmbed {
		t.Error(f)
	}
}

// TestFaults plays each fault, of whole answers and of streams.
func TestFaults(t *testing.T) {
	timeouts := hoosh.Timeouts{FirstEvent: time.Minute, Idle: time.Hour}
	for _, tc := range []struct {
		fault         string
		whole, stream error
		pieces        int // of a stream, before it fails
		after         time.Duration
	}{
		{fault: "503", whole: hoosh.ErrOverloaded, stream: hoosh.ErrOverloaded},
		{fault: "429", whole: hoosh.ErrRateLimited, stream: hoosh.ErrRateLimited},
		{fault: "500", whole: hoosh.ErrUpstream, stream: hoosh.ErrUpstream},
		{fault: "401", whole: hoosh.ErrUpstreamAuth, stream: hoosh.ErrUpstreamAuth},
		{fault: "400", whole: hoosh.ErrInvalidRequest, stream: hoosh.ErrInvalidRequest},
		{fault: "reset", whole: hoosh.ErrUnavailable, stream: hoosh.ErrUnavailable},
		{fault: "hang", whole: hoosh.ErrTimeout, stream: hoosh.ErrTimeout, after: time.Minute},
		{fault: "malformed", whole: hoosh.ErrMalformed, stream: hoosh.ErrMalformed, pieces: 5},
		{fault: "cut", whole: hoosh.ErrUnavailable, stream: hoosh.ErrStreamCut, pieces: 5},
		{fault: "error-event", whole: hoosh.ErrUpstream, stream: hoosh.ErrUpstream, pieces: 5},
		{fault: "stall", whole: hoosh.ErrTimeout, stream: hoosh.ErrTimeout, pieces: 5, after: time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := hoosh.NewGateway(New(hoosh.ProviderConfig{Name: "e", Timeouts: timeouts}))
			_, err := g.Infer(background, chat("echo-fault:"+tc.fault))
			if e := hoosh.AsError(err); !errors.Is(err, tc.whole) || e.Provider != "e" || e.Model != "echo-fault:"+tc.fault {
				t.Errorf("%s, whole: %+v", tc.fault, e)
			}
			start, pieces := time.Now(), 0
			s, err := g.Stream(background, chat("echo-fault:"+tc.fault))
			if err == nil {
				for e, broken := range s.Events() {
					if err = broken; e.Kind == hoosh.EventText {
						pieces++
					}
				}
				s.Close()
			}
			if !errors.Is(err, tc.stream) || pieces != tc.pieces || time.Since(start) != tc.after {
				t.Errorf("%s, stream: %v after %d pieces and %v", tc.fault, err, pieces, time.Since(start))
			}
			if e := hoosh.AsError(err); (tc.fault == "429" || tc.fault == "503") != (e.RetryAfter == time.Second) {
				t.Errorf("%s: retry after %v", tc.fault, e.RetryAfter)
			}
		})
	}
}

func TestWaits(t *testing.T) {
	for _, tc := range []struct {
		model   string
		streams bool
		took    time.Duration
	}{
		{"echo-slow:2s", false, 2 * time.Second},
		{"echo-slow:2s", true, 20 * time.Second},
		{"echo-slow:2s+chunks:3", true, 6 * time.Second},
		{"echo-delay:5s", false, 5 * time.Second},
		{"echo-delay:5s+slow:1s", true, 15 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := hoosh.NewGateway(New(hoosh.ProviderConfig{}))
			start := time.Now()
			if !tc.streams {
				g.Infer(background, chat(tc.model))
			} else if s, err := g.Stream(background, chat(tc.model)); err != nil {
				t.Fatal(err)
			} else if _, err := s.Response(); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took != tc.took {
				t.Errorf("%+v took %v", tc, took)
			}
			ctx, cancel := context.WithTimeout(background, 500*time.Millisecond)
			defer cancel()
			if _, err := g.Infer(ctx, chat(tc.model)); !errors.Is(err, hoosh.ErrTimeout) {
				t.Errorf("%s does not heed the context: %v", tc.model, err)
			}
		})
	}
}

// TestBytes: what a caller of a stream sees is OpenAI's, and usage only if it
// was asked for, while who counts sees it always.
func TestBytes(t *testing.T) {
	for _, wants := range []bool{false, true} {
		body := `{"model":"echo-chunks:2","stream":true,"messages":[{"role":"user","content":"Hi"}]}`
		if wants {
			body = strings.Replace(body, `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1)
		}
		reply, err := New(hoosh.ProviderConfig{Name: "e"}).Do(background, call(t, hoosh.OpChat, body))
		if err != nil {
			t.Fatal(err)
		}
		var raw strings.Builder
		var u hoosh.Usage
		var fin hoosh.Finish
		content, last := 0, hoosh.FrameOther
		for {
			f, err := reply.Stream.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			raw.Write(f.Raw)
			u = u.Merge(f.Usage)
			fin = max(fin, f.Finish)
			content += f.Text
			last = f.Kind
		}
		text := raw.String()
		if strings.Contains(text, `"choices":[]`) != wants || !strings.HasSuffix(text, "data: [DONE]\n\n") || last != hoosh.FrameEnd {
			t.Errorf("wants usage: %v\n%s", wants, text)
		}
		if u.Output != 8 || fin != hoosh.FinishStop || content != len("echo: no model was asked; you said: Hi") {
			t.Errorf("usage %v, finish %v, %d bytes of text", u, fin, content)
		}
		if _, err := reply.Stream.Next(); err != io.EOF {
			t.Error(err)
		}
	}
}

func openStream(t *testing.T, ctx context.Context, model string) hoosh.Stream {
	t.Helper()
	body := `{"model":"` + model + `","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}`
	reply, err := New(hoosh.ProviderConfig{Name: "e"}).Do(ctx, call(t, hoosh.OpChat, body))
	if err != nil {
		t.Fatal(err)
	}
	return reply.Stream
}

func TestStop(t *testing.T) {
	for _, n := range []int{0, 1, 3} {
		s := openStream(t, background, "echo")
		for range n {
			if _, err := s.Next(); err != nil {
				t.Fatal(err)
			}
		}
		s.Stop(hoosh.FinishLength, hoosh.Usage{Output: 7, Source: hoosh.UsageCounted})
		s.Stop(hoosh.FinishStop, hoosh.Usage{})
		var raw strings.Builder
		var err error
		for err == nil {
			var f *hoosh.Frame
			if f, err = s.Next(); err == nil {
				raw.Write(f.Raw)
			}
		}
		text := raw.String()
		if err != io.EOF || strings.Count(text, `"finish_reason":"length"`) != 1 || !strings.Contains(text, `"completion_tokens":7`) || !strings.HasSuffix(text, "[DONE]\n\n") {
			t.Errorf("stopped after %d: %v\n%s", n, err, text)
		}
	}
}

func TestCloseAndContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStream(t, background, "echo-slow:1h")
		time.AfterFunc(time.Second, func() { s.Close(); s.Close() })
		if _, err := s.Next(); !errors.Is(err, hoosh.ErrCanceled) {
			t.Error(err)
		}
		if _, err := s.Next(); !errors.Is(err, hoosh.ErrCanceled) {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(background)
		left := openStream(t, ctx, "echo-slow:1h")
		time.AfterFunc(time.Second, cancel)
		if _, err := left.Next(); !errors.Is(err, hoosh.ErrCanceled) {
			t.Error(err)
		}
	})
}

// TestInARouter: any script can be asked for where the configuration says so,
// and a fault of one echo fails over to the next.
func TestInARouter(t *testing.T) {
	r, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "bad", Driver: "echo", Models: []string{"echo*"}}, {Name: "echo", Models: []string{"echo*"}}},
		Routes:    []hoosh.Route{{Match: []string{"both"}, To: []hoosh.Target{{Target: "bad/echo-fault:503"}, {Target: "echo/echo"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	resp, err := r.Infer(background, chat("both"))
	if err != nil || resp.Provider != "echo" || resp.Text() != answered {
		t.Errorf("%+v, %v", resp, err)
	}
	if resp, err = r.Infer(background, chat("echo/echo-len:12")); err != nil || resp.Usage.Output != 12 {
		t.Errorf("%+v, %v", resp, err)
	}
	if _, err = r.Infer(background, chat("llama3.2")); !errors.Is(err, hoosh.ErrModelNotFound) {
		t.Errorf("it answers for a name that is not its own: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range append(listed, "echo-slow:50ms+len:200+fault:cut", "echo-+") {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		s, err := parse(name)
		if err == nil && (s.words > maxWords || s.chunks > maxChunks || s.size < 1 || s.size > maxSize || s.slow > maxWait || s.delay > maxWait) {
			t.Fatalf("%q: %+v", name, s)
		}
	})
}
