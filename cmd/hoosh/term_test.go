// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// What a model or a backend says cannot steer the terminal.
func TestClean(t *testing.T) {
	if got := clean("a\x1b]0;title\x07b\u009bc\r\nd\te é"); got != "a]0;titlebc\nd\te é" {
		t.Errorf("%q", got)
	}
	var out bytes.Buffer
	p := &printer{w: &out, terminal: true}
	p.print("\x1b[2Jhello")
	p.end()
	if out.String() != "[2Jhello\n" {
		t.Errorf("at a terminal: %q", out.String())
	}
	out.Reset()
	p = &printer{w: &out}
	p.print("\x1b[2Jhello\n")
	p.end()
	if out.String() != "\x1b[2Jhello\n" {
		t.Errorf("into a pipe: %q", out.String())
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	table(&out, true, []string{"A", "B", "C"}, [][]cell{
		{text("long one"), {"x", style(true).green}, text("last")},
		{text("é"), text(""), text("two\nlines\x1b[1m")},
	})
	want := "\x1b[2mA\x1b[0m         \x1b[2mB\x1b[0m  \x1b[2mC\x1b[0m\n" +
		"long one  \x1b[32mx\x1b[0m  last\n" +
		"é            two lines[1m\n"
	if out.String() != want {
		t.Errorf("got:\n%q\nwant:\n%q", out.String(), want)
	}
}

// Every kind of failure has its exit code.
func TestExitCodes(t *testing.T) {
	kinds := map[error]int{
		hoosh.ErrInvalidRequest: exitFailure, hoosh.ErrTooLarge: exitFailure, hoosh.ErrUnsupported: exitFailure,
		hoosh.ErrContextLength: exitFailure, hoosh.ErrForbidden: exitFailure, hoosh.ErrInternal: exitFailure,
		hoosh.ErrModelNotFound: exitNobody, hoosh.ErrNoProvider: exitNobody,
		hoosh.ErrUpstreamAuth: exitBackend, hoosh.ErrUnauthorized: exitBackend, hoosh.ErrRateLimited: exitBackend,
		hoosh.ErrInsufficientQuota: exitBackend, hoosh.ErrOverloaded: exitBackend, hoosh.ErrUnavailable: exitBackend,
		hoosh.ErrTimeout: exitBackend, hoosh.ErrUpstream: exitBackend, hoosh.ErrMalformed: exitBackend,
		hoosh.ErrStreamCut: exitBackend, hoosh.ErrContentPolicy: exitBackend,
		hoosh.ErrCanceled: exitInterrupted,
	}
	for kind, want := range kinds {
		var errs bytes.Buffer
		a := &app{err: &errs}
		if got := a.fail(fmt.Errorf("wrapped: %w", &hoosh.Error{Kind: kind, Message: "why"})); got != want {
			t.Errorf("%v: exit code %d, want %d", kind, got, want)
		}
		if lines := strings.Count(errs.String(), "\n"); lines < 1 || lines > 2 || strings.Contains(errs.String(), "hoosh: hoosh:") {
			t.Errorf("%v is told as:\n%s", kind, errs.String())
		}
	}
	others := map[error]int{
		nil: exitOK, context.Canceled: exitInterrupted, errors.New("other"): exitFailure,
		&hoosh.ConfigError{{Path: "a", Message: "b"}}: exitUsage, usagef("x"): exitUsage,
	}
	for err, want := range others {
		a := &app{err: &bytes.Buffer{}}
		if got := a.fail(err); got != want {
			t.Errorf("%v: exit code %d, want %d", err, got, want)
		}
	}
}

func TestDefaultModel(t *testing.T) {
	model := func(id, provider string, f hoosh.Features) hoosh.Model {
		return hoosh.Model{ID: id, Provider: provider, Capabilities: hoosh.Capabilities{Features: f}}
	}
	models := []hoosh.Model{
		model("gpt", "paid", hoosh.AllFeatures),
		model("nomic-embed-text", "second", 0),
		model("tiny", "second", 0),
		model("vectors", "third", hoosh.FeatureEmbed),
		model("ill", "first", hoosh.AllFeatures),
	}
	providers := []hoosh.ProviderStatus{
		{Name: "paid", Costs: true, State: hoosh.StateOnline, Models: 1},
		{Name: "first", Local: true, State: hoosh.StateOffline},
		{Name: "third", Local: true, State: hoosh.StateOnline, Models: 1},
		{Name: "second", Local: true, State: hoosh.StateOnline, Models: 2},
	}
	if got := firstLocal(models, providers, chats); got != "tiny" {
		t.Errorf("to chat with: %q", got)
	}
	if got := firstLocal(models, providers, embeds); got != "vectors" {
		t.Errorf("to embed with: %q", got)
	}
	if got := firstLocal(models, providers[:2], chats); got != "" {
		t.Errorf("of one that costs money and one that is down: %q", got)
	}
}

func TestFindings(t *testing.T) {
	findings := []hoosh.Finding{
		{Driver: "llamacpp", BaseURL: "http://127.0.0.1:8080", Local: true, Found: true, Models: 1, Why: "it answers as llamacpp"},
		{Driver: "lmstudio", BaseURL: "http://127.0.0.1:1234", Local: true, Why: "nothing listens there"},
		{Driver: "ollama", BaseURL: "http://10.0.0.1:11434", Local: true, Why: "not on this machine"},
		{Driver: "vllm", BaseURL: "http://127.0.0.1:8000", Local: true, Why: "nothing listens there"},
		{Driver: "openai", BaseURL: "https://api.openai.com/v1", Found: true, Costs: true, Models: 20, Why: "OPENAI_API_KEY is set"},
		{Driver: "groq", BaseURL: "https://api.groq.com", Costs: true, Why: "GROQ_API_KEY is not set"},
		{Driver: "cohere", BaseURL: "https://api.cohere.com", Costs: true, Why: "CO_API_KEY is not set"},
		{Driver: "mistral", BaseURL: "https://api.mistral.ai", Costs: true, Why: "configured as mine"},
	}
	a := &app{getenv: func(name string) string {
		return map[string]string{"MISTRAL_API_KEY": "x", "OPENAI_API_KEY": "x"}[name]
	}}
	var out bytes.Buffer
	a.printFindings(&out, false, findings, false)
	want := `found  llamacpp  http://127.0.0.1:8080      1 model    it answers as llamacpp
found  openai    https://api.openai.com/v1  20 models  may cost money; OPENAI_API_KEY is set
not found  nothing listens there: lmstudio :1234, vllm :8000
not found  not on this machine: ollama 10.0.0.1:11434
not found  no key in the environment: groq (GROQ_API_KEY),
           cohere (COHERE_API_KEY or CO_API_KEY)
not found  configured as mine: mistral
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	out.Reset()
	a.printFindings(&out, false, findings, true)
	if want := "not found  no key in the environment: groq, cohere\n"; !strings.Contains(out.String(), want) {
		t.Errorf("in short:\n%s", out.String())
	}
}
