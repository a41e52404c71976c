// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// TestSuite: what fails is seen to fail.
func TestSuite(t *testing.T) {
	var out bytes.Buffer
	s := &suite{ctx: context.Background(), out: &out}
	var order []string
	s.run("good", func(t *T) {
		t.Cleanup(func() { order = append(order, "last") })
		t.Cleanup(func() { order = append(order, "first") })
	})
	s.run("error", func(t *T) { t.Errorf("one"); t.Error("two", 2); t.Errorf("one") })
	s.run("fatal", func(t *T) {
		t.Cleanup(func() { order = append(order, "after fatal") })
		t.Fatalf("it is %s", "over")
	})
	s.run("panic", func(*T) { panic("oh") })
	s.run("late", func(t *T) { t.Cleanup(func() { t.Fatal("too late") }) })
	s.run("skip", func(t *T) { t.Skipf("no engine") })
	s.run("must", func(t *T) { must(0, context.Canceled)(t) })
	got := out.String()
	for _, want := range []string{"ok good (0.", "FAIL error: one; two 2\n", "FAIL fatal: it is over\n", "FAIL panic: panic: oh\n", "FAIL late: too late\n", "skip skip: no engine\n", "FAIL must: context canceled\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if s.passed != 1 || s.failed != 5 {
		t.Errorf("%d passed, %d failed", s.passed, s.failed)
	}
	if strings.Join(order, ", ") != "first, last, after fatal" {
		t.Errorf("order %q", order)
	}
	s.only = "nothing of the kind"
	s.run("left out", func(t *T) { t.Errorf("it runs") })
	stopped, stop := context.WithCancel(context.Background())
	stop()
	s.ctx, s.only = stopped, ""
	s.run("stopped", func(t *T) { t.Errorf("it runs") })
	if s.failed != 5 {
		t.Error("what is left out was run")
	}
}

func TestVersions(t *testing.T) {
	for want, v := range map[string]versions{
		"scripted": {},
		"llama.cpp 1.2 SmolLM2 135M, Ollama 3.4, scripted": {"1.2", "3.4"},
	} {
		if got := v.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestReadAll: what a stream must keep to is looked at.
func TestReadAll(t *testing.T) {
	var out bytes.Buffer
	s := &suite{ctx: context.Background(), out: &out}
	const text = `data: {"id":"a","choices":[{"delta":{"content":"x"}}]}` + "\n\n"
	for name, stream := range map[string]string{
		"no end":       text,
		"second id":    text + `data: {"id":"b","choices":[{"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n",
		"after end":    text + "data: [DONE]\n\n" + text,
		"after error":  text + `data: {"error":{"message":"m"}}` + "\n\n" + text,
		"error":        text + `data: {"error":{"message":"m"}}` + "\n\n",
		"no text":      "data: [DONE]\n\n",
		"two finishes": text + strings.Repeat(`data: {"id":"a","choices":[{"finish_reason":"stop"}]}`+"\n\n", 2) + "data: [DONE]\n\n",
	} {
		s.run(name, func(t *T) { reading(strings.NewReader(stream)).readAll(t).checkEnd(t) })
	}
	s.run("good", func(t *T) {
		r := reading(strings.NewReader(": comment\n\n" + text + `data: {"id":"a","choices":[{"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n")).readAll(t)
		r.checkEnd(t)
	})
	if s.passed != 1 || s.failed != 7 {
		t.Errorf("%d passed, %d failed:\n%s", s.passed, s.failed, out.String())
	}
}
