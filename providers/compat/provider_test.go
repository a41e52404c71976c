// SPDX-License-Identifier: AGPL-3.0-only

package compat_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/providers/compat"
)

func open(t *testing.T, b *hooshtest.Backend, p compat.Preset) *compat.Provider {
	t.Helper()
	if p.Name == "" {
		p.Name = "compat"
	}
	provider, err := compat.New(hoosh.ProviderConfig{Name: "p", BaseURL: b.URL(), Key: "sk-secret", DialContext: b.DialContext}, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { provider.Close() })
	return provider
}

func parse(t *testing.T, op hoosh.Operation, body string) *hoosh.Call {
	t.Helper()
	c, err := hoosh.ParseCall(hoosh.OpenAI, op, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return c
}

// readAll gives what a caller of the stream sees, and the usage it was told.
func readAll(s hoosh.Stream) (raw string, u hoosh.Usage, err error) {
	defer s.Close()
	var b strings.Builder
	for {
		f, err := s.Next()
		if err == io.EOF {
			return b.String(), u, nil
		}
		if err != nil {
			return b.String(), u, err
		}
		b.Write(f.Raw)
		u = u.Merge(f.Usage)
	}
}

const chatBody = `{"model":"test-model","messages":[{"role":"user","content":"Hi there"}],"zeta":[1.50]}`

func TestChat(t *testing.T) {
	b := hooshtest.New(t)
	p := open(t, b, compat.Preset{})
	reply, err := p.Do(context.Background(), parse(t, hoosh.OpChat, chatBody))
	if err != nil {
		t.Fatal(err)
	}
	got := b.Last()
	if got.Path != "/v1/chat/completions" || string(got.Body) != chatBody {
		t.Errorf("sent to %s: %s", got.Path, got.Body)
	}
	if auth := got.Header.Get("Authorization"); auth != "Bearer sk-secret" {
		t.Errorf("Authorization: %q", auth)
	}
	resp, err := reply.Response()
	if err != nil || resp.Text() != "You said: Hi there" {
		t.Errorf("%v, %v", resp, err)
	}
	if reply.Provider != "p" || reply.Model != "test-model" || reply.Usage.Source != hoosh.UsageReported || reply.Finish != hoosh.FinishStop {
		t.Errorf("%+v", reply)
	}
}

func TestStream(t *testing.T) {
	for _, wants := range []bool{false, true} {
		b := hooshtest.New(t)
		p := open(t, b, compat.Preset{})
		body := `{"model":"test-model","stream":true,"messages":[{"role":"user","content":"Hi"}]}`
		if wants {
			body = `{"model":"test-model","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}`
		}
		reply, err := p.Do(context.Background(), parse(t, hoosh.OpChat, body))
		if err != nil {
			t.Fatal(err)
		}
		raw, u, err := readAll(reply.Stream)
		if err != nil {
			t.Fatal(err)
		}
		if !b.Last().IncludeUsage || u.Source != hoosh.UsageReported || u.Output == 0 {
			t.Errorf("usage was not asked for, or not told: %v", u)
		}
		if strings.Contains(raw, `"choices":[]`) != wants || !strings.HasSuffix(raw, "data: [DONE]\n\n") {
			t.Errorf("wants usage: %v, and sees\n%s", wants, raw)
		}
	}
}

func TestCompletionAndTypedEmbedding(t *testing.T) {
	b := hooshtest.New(t)
	p := open(t, b, compat.Preset{})
	if _, err := p.Do(context.Background(), parse(t, hoosh.OpCompletion, `{"model":"test-model","prompt":"Once"}`)); err != nil {
		t.Fatal(err)
	}
	if b.Last().Path != "/v1/completions" {
		t.Error(b.Last().Path)
	}
	resp, err := hoosh.NewGateway(p).Embed(context.Background(), &hoosh.Request{Model: "test-model", Input: []hoosh.Input{{Content: hoosh.NewText("a")}}})
	if err != nil || len(resp.Embeddings) != 1 || !slices.Equal(resp.Embeddings[0], hooshtest.Embedding("a", 0)) {
		t.Errorf("%v, %v", resp, err)
	}
	if b.Last().Path != "/v1/embeddings" {
		t.Error(b.Last().Path)
	}
}

// TestVectors: who asks for base64 gets it, whatever the backend knows.
func TestVectors(t *testing.T) {
	for _, tc := range []struct {
		name, ask  string
		floats     bool // the preset's flag
		deaf       bool // the backend gives numbers whatever it is asked
		sent, kind string
		dropped    []string
	}{
		{name: "the backend knows base64", ask: `"base64"`, sent: "base64", kind: "base64"},
		{name: "it ignores the wish", ask: `"base64"`, deaf: true, sent: "base64", kind: "base64"},
		{name: "it is not told of the wish", ask: `"base64"`, floats: true, kind: "base64"},
		{name: "escaped", ask: `"base\u00364"`, floats: true, kind: "base64"},
		{name: "numbers", ask: `"float"`, floats: true, sent: "float", kind: "numbers"},
		{name: "not said", floats: true, kind: "numbers"},
		{name: "a wish that nobody knows", ask: `"hex"`, floats: true, kind: "numbers", dropped: []string{"encoding_format"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := hooshtest.New(t)
			p := open(t, b, compat.Preset{FloatVectors: tc.floats})
			if tc.deaf {
				b.Answer(hooshtest.Raw(200, "application/json", `{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-1.25e-3,3]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}`))
			}
			body := `{"model":"test-model","input":"a","user":"u"`
			if tc.ask != "" {
				body += `,"encoding_format":` + tc.ask
			}
			c := parse(t, hoosh.OpEmbed, body+"}")
			reply, err := p.Do(context.Background(), c)
			if err != nil {
				t.Fatal(err)
			}
			var sent struct {
				Format string `json:"encoding_format"`
			}
			b.Last().JSON(&sent)
			if sent.Format != tc.sent {
				t.Errorf("sent %q, want %q: %s", sent.Format, tc.sent, b.Last().Body)
			}
			if !slices.Equal(reply.Dropped, tc.dropped) {
				t.Errorf("dropped %v", reply.Dropped)
			}
			var got struct {
				Data []struct{ Embedding json.RawMessage }
			}
			if err := json.Unmarshal(reply.Body, &got); err != nil || len(got.Data) != 1 {
				t.Fatalf("%v: %s", err, reply.Body)
			}
			want := hooshtest.Embedding("a", 0)
			if tc.deaf {
				want = []float32{0.5, -1.25e-3, 3}
			}
			if kind, v := vectorOf(t, got.Data[0].Embedding); kind != tc.kind || !slices.Equal(v, want) {
				t.Errorf("%s: %v, want %s: %v", kind, v, tc.kind, want)
			}
			if r, err := reply.Response(); err != nil || !slices.Equal(r.Embeddings[0], want) || reply.Usage.Input != 1 {
				t.Errorf("typed: %v, %v, usage %v", r, err, reply.Usage)
			}
		})
	}
}

// TestTypedVectors: a typed caller gets vectors, and lost nothing.
func TestTypedVectors(t *testing.T) {
	b := hooshtest.New(t)
	p := open(t, b, compat.Preset{FloatVectors: true})
	c := hoosh.NewCall(&hoosh.Request{Op: hoosh.OpEmbed, Model: "test-model", Encoding: "base64", Input: []hoosh.Input{{Content: hoosh.NewText("a")}}})
	reply, err := p.Do(context.Background(), c)
	if err != nil || len(reply.Dropped) != 0 || strings.Contains(string(b.Last().Body), "base64") {
		t.Fatalf("%+v, %v; sent %s", reply, err, b.Last().Body)
	}
	if r, err := reply.Response(); err != nil || !slices.Equal(r.Embeddings[0], hooshtest.Embedding("a", 0)) {
		t.Errorf("%v, %v", r, err)
	}
}

// TestBrokenVectors: numbers that are none are the backend's fault.
func TestBrokenVectors(t *testing.T) {
	b := hooshtest.New(t)
	b.Answer(hooshtest.Raw(200, "application/json", `{"data":[{"index":0,"embedding":["x"]}]}`))
	_, err := open(t, b, compat.Preset{}).Do(context.Background(), parse(t, hoosh.OpEmbed, `{"model":"test-model","input":"a","encoding_format":"base64"}`))
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrMalformed) || e.Provider != "p" || e.Model != "test-model" {
		t.Errorf("%+v", e)
	}
}

func vectorOf(t *testing.T, raw json.RawMessage) (kind string, v []float32) {
	t.Helper()
	if json.Unmarshal(raw, &v) == nil {
		return "numbers", v
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	for ; len(b) >= 4; b = b[4:] {
		v = append(v, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return "base64", v
}

func TestModelsAndCapabilities(t *testing.T) {
	b := hooshtest.New(t)
	p := open(t, b, compat.Preset{Profile: hoosh.Profile{Lacks: hoosh.FeatureAudio}})
	if c := p.Capabilities("any"); c.Features != hoosh.AllFeatures&^hoosh.FeatureAudio || c.Context != 0 {
		t.Errorf("before the list: %+v", c)
	}
	b.Probes(func(*hooshtest.Request) hooshtest.Answer {
		return hooshtest.Raw(200, "application/json", `{"data":[{"id":"m","aliases":["n"],"context_length":100,"vision":false}]}`)
	})
	list, err := p.Models(context.Background())
	if err != nil || len(list) != 1 || list[0].Provider != "p" {
		t.Fatalf("%+v, %v", list, err)
	}
	want := hoosh.Capabilities{Features: hoosh.AllFeatures &^ (hoosh.FeatureAudio | hoosh.FeatureVision), Context: 100}
	if p.Capabilities("m") != want || p.Capabilities("n") != want || list[0].Capabilities != want {
		t.Errorf("%+v, %+v, %+v", p.Capabilities("m"), p.Capabilities("n"), list[0])
	}
	if b.Last().Path != "/v1/models" || b.Last().Header.Get("Authorization") == "" {
		t.Errorf("%+v", b.Last())
	}
}

func TestModelSources(t *testing.T) {
	answers := map[string]string{"/v1/models": `{"data":[{"id":"plain"}]}`}
	b := hooshtest.New(t)
	b.Probes(func(q *hooshtest.Request) hooshtest.Answer {
		if body, ok := answers[q.Path]; ok {
			return hooshtest.Raw(200, "application/json", body)
		}
		return hooshtest.Status(404, 0)
	})
	ids := func(p *compat.Provider) string {
		t.Helper()
		list, err := p.Models(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, m := range list {
			ids = append(ids, m.ID)
		}
		return strings.Join(ids, " ")
	}
	if got := ids(open(t, b, compat.Preset{List: "/api/v0/models"})); got != "plain" {
		t.Errorf("without its own list: %q", got)
	}
	answers["/api/v0/models"] = `{"error":"Unexpected endpoint"}`
	if got := ids(open(t, b, compat.Preset{List: "/api/v0/models"})); got != "plain" {
		t.Errorf("with an error under a 200: %q", got)
	}
	answers["/api/v0/models"] = `{"data":[{"id":"rich"}]}`
	if got := ids(open(t, b, compat.Preset{List: "/api/v0/models"})); got != "rich" {
		t.Errorf("with its own list: %q", got)
	}
	asked := len(b.Requests())
	if got := ids(open(t, b, compat.Preset{Models: []string{"a", "b"}})); got != "a b" {
		t.Errorf("with a fixed list: %q", got)
	}
	if list, err := open(t, b, compat.Preset{Models: []string{}}).Models(context.Background()); list != nil || !errors.Is(err, hoosh.ErrUnsupported) || len(b.Requests()) != asked {
		t.Errorf("with an empty list: %v, %v", list, err)
	}
	answers["/v1/models"] = "<html>"
	_, err := open(t, b, compat.Preset{}).Models(context.Background())
	if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrMalformed) || e.Provider != "p" {
		t.Error(err)
	}
}

func TestDescribe(t *testing.T) {
	b := hooshtest.New(t)
	b.Probes(func(q *hooshtest.Request) hooshtest.Answer {
		if q.Path == "/props" {
			return hooshtest.Raw(200, "application/json", `{"n":7}`)
		}
		return hooshtest.Answer{}
	})
	p := open(t, b, compat.Preset{Describe: func(ctx context.Context, get compat.Get, list []hoosh.Model) {
		if page, err := get(ctx, "/props"); err == nil && string(page) == `{"n":7}` {
			list[0].Context = 7
		}
	}})
	if list, err := p.Models(context.Background()); err != nil || list[0].Context != 7 || p.Capabilities("test-model").Context != 7 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestHealth(t *testing.T) {
	status := 200
	b := hooshtest.New(t)
	b.Probes(func(q *hooshtest.Request) hooshtest.Answer { return hooshtest.Raw(status, "text/plain", "ok") })
	for _, tc := range []struct {
		preset compat.Preset
		path   string
		status int
		kind   error
	}{
		{compat.Preset{}, "/v1/models", 200, nil},
		{compat.Preset{Health: "/health"}, "/health", 200, nil},
		{compat.Preset{Health: "/health"}, "/health", 503, hoosh.ErrOverloaded},
		{compat.Preset{}, "/v1/models", 401, hoosh.ErrUpstreamAuth},
		{compat.Preset{}, "/v1/models", 404, hoosh.ErrModelNotFound},
		{compat.Preset{Models: []string{"a"}}, "/v1/models", 404, nil},
		{compat.Preset{Models: []string{"a"}}, "/v1/models", 401, hoosh.ErrUpstreamAuth},
	} {
		status = tc.status
		err := open(t, b, tc.preset).Health(context.Background())
		if tc.kind == nil && err != nil || tc.kind != nil && !errors.Is(err, tc.kind) || b.Last().Path != tc.path {
			t.Errorf("%+v with %d: %v, asked %s", tc.preset, tc.status, err, b.Last().Path)
		}
	}
}

func TestAuthAndHeaders(t *testing.T) {
	b := hooshtest.New(t)
	p, err := compat.New(hoosh.ProviderConfig{Name: "p", BaseURL: b.URL(), Key: "k", Headers: map[string]string{"X-Org": "o"}, DialContext: b.DialContext},
		compat.Preset{Name: "x", Auth: "api-key: "})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Models(context.Background())
	if h := b.Last().Header; h.Get("Api-Key") != "k" || h.Get("Authorization") != "" || h.Get("X-Org") != "o" {
		t.Errorf("%v", h)
	}
}

// TestRulesForTypedCalls: a typed call goes out in OpenAI's words, by the same
// rules as a body.
func TestRulesForTypedCalls(t *testing.T) {
	b := hooshtest.New(t)
	p := open(t, b, compat.Preset{Profile: hoosh.Profile{
		NoDeveloper: true, ToolChoiceRequired: "any", ToolID: strings.ToUpper,
		Rules: []hoosh.Rule{{Key: "seed", Rename: "random_seed"}, {Key: "user"}, {Key: "temperature", Keep: "1"}},
	}})
	_, err := hoosh.NewGateway(p).Infer(context.Background(), &hoosh.Request{
		Model: "test-model", User: "u", Seed: hoosh.Ptr(int64(7)), Temperature: hoosh.Ptr(0.5), ToolChoice: hoosh.ToolChoice{Mode: "required"},
		Tools: []hoosh.Tool{{Name: "f", Parameters: json.RawMessage(`{}`)}},
		Messages: []hoosh.Message{
			{Role: hoosh.RoleDeveloper, Parts: []hoosh.Part{hoosh.TextPart("Be brief.")}}, hoosh.User("Hi"),
			hoosh.Assistant("", hoosh.CallPart("call_a", "f", "{}")), hoosh.ToolResult("call_a", "ok"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var sent struct {
		Seed        int             `json:"random_seed"`
		User        json.RawMessage `json:"user"`
		Temperature json.RawMessage `json:"temperature"`
		Choice      string          `json:"tool_choice"`
		Messages    []struct {
			Role      string
			ID        string `json:"tool_call_id"`
			ToolCalls []struct{ ID string }
			Calls     []struct{ ID string } `json:"tool_calls"`
		}
	}
	if err := b.Last().JSON(&sent); err != nil {
		t.Fatal(err)
	}
	if sent.Seed != 7 || sent.User != nil || sent.Temperature != nil || sent.Choice != "any" || sent.Messages[0].Role != "system" ||
		sent.Messages[2].Calls[0].ID != "CALL_A" || sent.Messages[3].ID != "CALL_A" {
		t.Errorf("sent %s", b.Last().Body)
	}
}

func TestDriver(t *testing.T) {
	i := slices.IndexFunc(hoosh.Drivers(), func(d hoosh.Driver) bool { return d.Name == "compat" })
	if i < 0 {
		t.Fatal("not registered")
	}
	d := hoosh.Drivers()[i]
	if _, err := d.New(hoosh.ProviderConfig{Name: "p"}); err == nil || !strings.Contains(err.Error(), "base_url") {
		t.Errorf("without a base_url: %v", err)
	}
	if d.Probe != nil || d.Local {
		t.Error("it is discovered")
	}
	doer, err := d.New(hoosh.ProviderConfig{Name: "p", BaseURL: "http://x.test", Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := doer.Do(context.Background(), &hoosh.Call{Op: 200}); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Errorf("of an operation that it does not have: %v", err)
	}
}
