// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	dialect "github.com/maccracken/hoosh/dialect/ollama"
)

func TestDriver(t *testing.T) {
	d := driver(t)
	if !d.Local || d.BaseURL != "http://127.0.0.1:11434" || d.Probe == nil || len(d.URLEnv) != 1 {
		t.Errorf("%+v", d)
	}
	if _, err := d.New(hoosh.ProviderConfig{Name: "near", BaseURL: "127.0.0.1"}); err == nil {
		t.Error("a base URL that is none was taken")
	}
}

// What an application sees, through a router.
func TestThroughRouter(t *testing.T) {
	s := &server{}
	router, err := hoosh.NewRouter([]hoosh.Provider{{Name: "near", Doer: newProvider(t, s), Local: true}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	ask := &hoosh.Request{Model: "smollm2:135m", Messages: []hoosh.Message{hoosh.User("What is the capital of France?")}}
	resp, err := router.Infer(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Text() != "The capital of France is Paris." || resp.Usage.Input != 16 || resp.Finish() != hoosh.FinishStop {
		t.Errorf("%+v", resp)
	}
	if path, _ := s.last(); path != "/api/chat" {
		t.Error(path)
	}
	stream, err := router.Stream(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	whole := ""
	for e, err := range stream.Events() {
		if err != nil {
			t.Fatal(err)
		}
		whole += e.Text()
	}
	if whole != "The capital of France is Paris." {
		t.Error(whole)
	}
	if resp, err = router.Embed(t.Context(), &hoosh.Request{Model: "smollm2:135m", Input: []hoosh.Input{{Content: hoosh.NewText("hello")}}}); err != nil || len(resp.Embeddings) != 1 || len(resp.Embeddings[0]) != 576 {
		t.Error(err)
	}
	if path, body := s.last(); path != "/api/embed" || !strings.Contains(body, `"truncate":false`) {
		t.Error(path, body)
	}
	models, err := router.Models(t.Context())
	if err != nil || len(models) != 2 || models[1].ID != "smollm2:135m" || models[1].Context != 8192 {
		t.Errorf("%+v, %v", models, err)
	}
}

// A call in Ollama's own words is not touched.
func TestPassage(t *testing.T) {
	s := &server{}
	p := newProvider(t, s)
	body := `{ "model":"x", "odd" : 1.50, "messages":[{"role":"user","content":"a"}], "options":{"num_ctx":64} }`
	c := native(t, body)
	c.Model = "smollm2:135m"
	reply, err := p.Do(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Stream.Close()
	if path, sent := s.last(); path != "/api/chat" || sent != strings.Replace(body, `"x"`, `"smollm2:135m"`, 1) {
		t.Error(path, sent)
	}
	if same, err := reply.For(c); err != nil || same != reply {
		t.Error("translated", err)
	}
	raw := ""
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raw += string(f.Raw)
	}
	if raw != wire("chat.stream.ndjson") {
		t.Error(raw)
	}
	// Only the wish to stream follows the call, as for a server that was told so.
	c = native(t, `{"model":"x"}`)
	c.Stream = false
	if reply, err = p.Do(t.Context(), c); err != nil || reply.Stream != nil {
		t.Fatal(err)
	}
	if _, sent := s.last(); sent != `{"model":"x","stream":false}` {
		t.Error(sent)
	}
}

// Ollama's other formats have paths of their own.
func TestOtherPassages(t *testing.T) {
	for _, x := range []struct {
		d                   *hoosh.Dialect
		op                  hoosh.Operation
		body, path, answers string
	}{
		{dialect.Generate, hoosh.OpChat, `{"model":"x","prompt":"a","raw":true,"stream":false}`, "/api/generate", `{"model":"x","response":"b","done":true,"done_reason":"stop"}`},
		{dialect.Generate, hoosh.OpChat, `{"model":"x","keep_alive":0}`, "/api/generate", `{"model":"x","response":"","done":true,"done_reason":"unload"}`},
		{dialect.Dialect, hoosh.OpEmbed, `{"model":"x","prompt":"a"}`, "/api/embeddings", `{"embedding":[1,2]}`},
		{dialect.Dialect, hoosh.OpEmbed, `{"model":"x","input":"a"}`, "/api/embed", `{"model":"x","embeddings":[[1,2]]}`},
	} {
		s := &server{pages: map[string]func([]byte) (int, string){x.path: text(x.answers)}}
		c := parse(t, x.d, x.op, x.body)
		reply, err := newProvider(t, s).Do(t.Context(), c)
		if err != nil {
			t.Errorf("%s: %v", x.body, err)
			continue
		}
		got := string(reply.Body)
		if reply.Stream != nil {
			for f, err := reply.Stream.Next(); err == nil; f, err = reply.Stream.Next() {
				got += string(f.Raw)
			}
			reply.Stream.Close()
		}
		if path, sent := s.last(); path != x.path || sent != x.body || strings.TrimSpace(got) != x.answers {
			t.Errorf("%s: sent %s to %s, got %s", x.body, sent, path, got)
		}
		if same, err := reply.For(c); err != nil || same != reply {
			t.Errorf("%s: translated, %v", x.body, err)
		}
	}
}

// What a caller of another format says beside comes with its own words: a client
// of chat completions is told by name what Ollama cannot be told.
func TestDroppedNames(t *testing.T) {
	reply, err := newProvider(t, &server{}).Do(t.Context(), openAI(t, `{"model":"smollm2:135m","messages":[{"role":"user","content":"a"}],"logit_bias":{},"n":1,"verbosity":"low"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(reply.Dropped, " "); got != "verbosity logit_bias" && got != "logit_bias verbosity" {
		t.Error(got)
	}
}

func TestUnsupported(t *testing.T) {
	p := newProvider(t, &server{})
	_, err := p.Do(t.Context(), parse(t, hoosh.OpenAI, hoosh.OpCompletion, `{"model":"x","prompt":"a"}`))
	if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrUnsupported || e.Provider != "near" {
		t.Error(err)
	}
	_, err = p.Do(t.Context(), parse(t, hoosh.OpenAI, hoosh.OpCount, `{"model":"x","messages":[]}`))
	if !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
	_, err = p.Do(t.Context(), openAI(t, `{"model":"x","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y"}}]}]}`))
	if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrUnsupported || e.Param != "messages[0].content[0]" {
		t.Error(err)
	}
	_, err = p.Do(t.Context(), openAI(t, `{"model":"x","messages":[{"role":5}]}`))
	if !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Error(err)
	}
}

const (
	plain    = `{"capabilities":["completion"],"details":{"family":"llama"},"model_info":{"general.architecture":"llama","llama.context_length":8192}}`
	thinker  = `{"capabilities":["completion","tools","thinking"],"details":{"family":"qwen3"},"model_info":{"general.architecture":"qwen3","qwen3.context_length":40960}}`
	leveller = `{"capabilities":["completion","tools","thinking"],"details":{"family":"gptoss"},"model_info":{"general.architecture":"gptoss","gptoss.context_length":131072}}`
	seeing   = `{"capabilities":["completion","vision"],"parameters":"num_ctx                        16384\nstop  \"x\"","model_info":{"general.architecture":"gemma3","gemma3.context_length":32768}}`
	embedder = `{"capabilities":["embedding"],"model_info":{"general.architecture":"bert","bert.context_length":512}}`
)

// some is a server with one model of each kind.
func some() *server {
	return &server{pages: map[string]func([]byte) (int, string){
		"/api/tags": lists("plain:1b", "d1", "thinker:latest", "d2", "leveller:20b", "d3", "seeing:latest", "d4", "embedder:latest", "d5"),
		"/api/show": shows(map[string]string{"plain:1b": plain, "thinker:latest": thinker, "leveller:20b": leveller, "seeing:latest": seeing, "embedder:latest": embedder}),
		"/api/ps":   text(`{"models":[]}`),
	}}
}

func known(t testing.TB, s *server) provider {
	t.Helper()
	p := newProvider(t, s)
	if _, err := p.Models(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestImageForTheBlind(t *testing.T) {
	p := known(t, some())
	image := `"messages":[{"role":"user","content":[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]`
	for model, kind := range map[string]error{"plain:1b": hoosh.ErrUnsupported, "thinker": hoosh.ErrUnsupported, "seeing": nil, "unheard-of": nil} {
		_, err := p.Do(t.Context(), openAI(t, `{"model":"`+model+`",`+image+`}`))
		if !errors.Is(err, kind) {
			t.Errorf("%s: %v", model, err)
		}
	}
	if _, err := p.Do(t.Context(), native(t, `{"model":"plain:1b","messages":[{"role":"user","content":"?","images":["AAAA"]}]}`)); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
}

func TestThinking(t *testing.T) {
	s := some()
	p := known(t, s)
	for _, x := range []struct {
		model, effort, want string
		dropped             bool
	}{
		{"plain:1b", "high", "", true},
		{"plain:1b", "none", `"think":false`, false},
		{"thinker", "low", `"think":true`, false},
		{"thinker", "none", `"think":false`, false},
		{"leveller:20b", "minimal", `"think":"low"`, false},
		{"leveller:20b", "medium", `"think":"medium"`, false},
		{"leveller:20b", "xhigh", `"think":"high"`, false},
		{"leveller:20b", "none", `"think":false`, false},
		{"unheard-of", "high", `"think":true`, false},
	} {
		reply, err := p.Do(t.Context(), openAI(t, `{"model":"`+x.model+`","messages":[{"role":"user","content":"a"}],"reasoning_effort":"`+x.effort+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		_, sent := s.last()
		if x.want == "" && strings.Contains(sent, `"think"`) || !strings.Contains(sent, x.want) || x.dropped != (len(reply.Dropped) == 1) {
			t.Errorf("%s, %s: dropped %v, sent %s", x.model, x.effort, reply.Dropped, sent)
		}
	}
}

func TestHealth(t *testing.T) {
	if err := newProvider(t, &server{}).Health(t.Context()); err != nil {
		t.Error(err)
	}
	for answer, kind := range map[string]error{`{"other":1}`: hoosh.ErrMalformed, `<html>`: hoosh.ErrMalformed} {
		p := newProvider(t, &server{pages: map[string]func([]byte) (int, string){"/api/version": text(answer)}})
		if err := p.Health(t.Context()); !errors.Is(err, kind) {
			t.Error(answer, err)
		}
	}
}

func TestProbe(t *testing.T) {
	look := func(s http.RoundTripper) error {
		return driver(t).Probe(t.Context(), &http.Client{Transport: s}, "http://127.0.0.1:11434/")
	}
	if err := look(&server{}); err != nil {
		t.Error(err)
	}
	for name, pages := range map[string]map[string]func([]byte) (int, string){
		"it does not say":   {"/": text(`<title>another engine</title>`)},
		"no version":        {"/api/version": text(`{}`)},
		"HTTP 404":          {"/api/version": func([]byte) (int, string) { return 404, "nothing" }},
		"something else":    {"/": func([]byte) (int, string) { return 302, "" }},
		"answers there (HT": {"/": text(strings.Repeat("x", 1<<20))},
	} {
		if err := look(&server{pages: pages}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := look(broken{}); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Error(err)
	}
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connect: connection refused")
}
