// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

// typed runs the methods of a Router that take and give Go types.
func (s *suite) typed(w *world, g target) {
	run := func(name string, f func(*T)) { s.run("Router "+g.name+": "+name, f) }
	run("Infer", func(t *T) { g.infer(t, w.router) })
	run("Stream", func(t *T) { g.streamEvents(t, w.router) })
	if g.schema {
		run("Infer with a JSON schema", func(t *T) {
			q := g.ask("Is red a warm colour?", 24)
			q.Format = hoosh.Format{Type: "json_schema", Name: "x", Schema: []byte(`{"type":"object","properties":{"warm":{"type":"boolean"}},"required":["warm"],"additionalProperties":false}`)}
			if text := must(w.router.Infer(t.ctx, q))(t).Text(); !strings.Contains(text, `"warm"`) {
				t.Errorf("text %q", text)
			}
		})
	}
	run("a context that ends", func(t *T) {
		ctx, cancel := context.WithCancel(t.ctx)
		defer cancel()
		st := must(w.router.Stream(ctx, g.ask("Tell me a very long story.", max(g.words, 50))))(t)
		defer st.Close()
		cancel()
		_, err := st.Response()
		if g.words > 0 && !errors.Is(err, hoosh.ErrCanceled) {
			t.Errorf("want ErrCanceled: %v", err)
		}
		within(t, time.Second, "nothing is in flight", func() bool { return w.inFlight(t, g.provider) == 0 })
	})
	run("Models, Plan, Health", func(t *T) { g.known(t, w.router) })
	run("an unknown model", func(t *T) {
		q := g.ask("hi", 1)
		q.Model = "no-such-model"
		_, err := w.router.Infer(t.ctx, q)
		var e *hoosh.Error
		if !errors.Is(err, hoosh.ErrModelNotFound) || !errors.As(err, &e) || e.HTTPStatus() != 404 {
			t.Errorf("want ErrModelNotFound: %v", err)
		}
	})
}

func (g target) ask(prompt string, tokens int) *hoosh.Request {
	return &hoosh.Request{Model: g.id(), MaxTokens: tokens, Temperature: hoosh.Ptr(0.0), Messages: []hoosh.Message{hoosh.System("Be brief."), hoosh.User(prompt)}}
}

func (g target) infer(t *T, router *hoosh.Router) {
	r := must(router.Infer(t.ctx, g.ask("What is the sea?", 12)))(t)
	if strings.TrimSpace(r.Text()) == "" || r.Provider != g.provider || r.Usage.Source != hoosh.UsageReported || r.Usage.Prompt() <= 0 || r.Usage.Completion() <= 0 {
		t.Errorf("unexpected: %q of %s, %+v", r.Text(), r.Provider, r.Usage)
	}
	if r.Finish() != hoosh.FinishStop && r.Finish() != hoosh.FinishLength {
		t.Errorf("finish %s", r.Finish())
	}
}

func (g target) streamEvents(t *T, router *hoosh.Router) {
	st := must(router.Stream(t.ctx, g.ask("What is the sea?", 12)))(t)
	defer st.Close()
	text, finished := "", false
	for e, err := range st.Events() {
		if err != nil {
			t.Fatal(err)
		}
		text += e.Text()
		finished = finished || e.Kind == hoosh.EventFinish
	}
	r := must(st.Response())(t)
	if text == "" || r.Text() != text || !finished || r.Usage.Source != hoosh.UsageReported || r.Usage.Completion() <= 0 {
		t.Errorf("unexpected: events %q, response %q, finished %v, %+v", text, r.Text(), finished, r.Usage)
	}
}

func (g target) known(t *T, router *hoosh.Router) {
	found := false
	for _, m := range must(router.Models(t.ctx))(t) {
		found = found || m.ID == g.model || m.ID == g.id()
	}
	if !found {
		t.Errorf("%s is not listed", g.id())
	}
	c := hoosh.NewCall(g.ask("hi", 1))
	defer c.Release()
	p := must(router.Plan(t.ctx, c))(t)
	if len(p.Candidates) != 1 || !p.Candidates[0].Tried || p.Candidates[0].Provider != g.provider {
		t.Errorf("plan: %+v", p)
	}
	if err := router.Health(t.ctx); err != nil {
		t.Error(err)
	}
}

func (w *world) inFlight(t *T, provider string) int {
	for _, p := range must(w.router.Providers(t.ctx))(t) {
		if p.Name == provider {
			return p.InFlight
		}
	}
	t.Fatalf("no provider %s", provider)
	return 0
}

// embedded runs Embed, where there is a backend for it.
func (s *suite) embedded(w *world, g target) {
	s.run("Router "+g.name+": Embed", func(t *T) {
		r := must(w.router.Embed(t.ctx, &hoosh.Request{Model: g.id(), Input: []hoosh.Input{{Content: hoosh.NewText("the sea")}, {Content: hoosh.NewText("a spanner")}}}))(t)
		if len(r.Embeddings) != 2 || len(r.Embeddings[0]) < 8 || len(r.Embeddings[0]) != len(r.Embeddings[1]) || cosine(r.Embeddings[0], r.Embeddings[1]) > 0.9999 {
			t.Errorf("want two vectors that differ, of one length: %d", len(r.Embeddings))
		}
	})
}
