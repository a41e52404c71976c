// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/test/e2e/proc"
)

// discovery: with no configuration at all hoosh finds what runs here.
func (s *suite) discovery(w *world) {
	need := func(t *T) {
		if w.llama == nil {
			t.Skipf("there is no llama.cpp")
		} else if w.llama.port != llamaPort {
			t.Skipf("port %d was in use", llamaPort)
		}
	}
	s.run("served, zero configuration: llama.cpp is found", func(t *T) {
		need(t)
		at := serve(t, w, "")
		bare := llama
		bare.provider, bare.model = "llamacpp", smollm
		bare.listed(t, at)
		a := at.post(t, "/v1/chat/completions", merge(llama.chat("hi", 4, nil), doc{"model": smollm})).want(t, 200, nil)
		if got := a.header.Get("X-Hoosh-Provider"); got != "llamacpp" {
			t.Errorf("%q answered", got)
		}
	})
	s.run("in-process, zero configuration: llama.cpp is found", func(t *T) {
		need(t)
		router, err := hoosh.New(hoosh.Config{Discover: hoosh.DiscoverConfig{Local: hoosh.Ptr(true)}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { router.Close() })
		found := ""
		for _, f := range router.Discovered(t.ctx) {
			if f.Driver == "llamacpp" && f.Found {
				found = f.BaseURL
			}
			if !f.Found && f.Why == "" {
				t.Errorf("%s was not found, and nobody says why", f.Driver)
			}
		}
		if found == "" {
			t.Fatalf("not found: %+v", router.Discovered(t.ctx))
		}
		r, err := router.Infer(t.ctx, &hoosh.Request{Model: smollm, MaxTokens: 4, Messages: []hoosh.Message{hoosh.User("hi")}})
		if err != nil || r.Provider != "llamacpp" {
			t.Fatalf("%v, %+v", err, r)
		}
	})
	s.run("served, zero configuration: Ollama where OLLAMA_HOST says", func(t *T) {
		if w.ollama == nil {
			t.Skipf("there is no Ollama")
		}
		at := serve(t, w, "", fmt.Sprintf("OLLAMA_HOST=127.0.0.1:%d", w.ollama.port))
		var list struct{ Data []struct{ ID string } }
		a := at.get(t, "/v1/models").want(t, 200, &list)
		for _, m := range list.Data {
			if m.ID == smollmTag {
				return
			}
		}
		t.Errorf("%s is not listed: %s", smollmTag, short(a.body))
	})
}

// serve starts a hoosh of the case's own.
func serve(t *T, w *world, config string, env ...string) surface {
	h := serveAs(t, w, config, env...)
	return overHTTP("served", h.URL)
}

func serveAs(t *T, w *world, config string, env ...string) *proc.Hoosh {
	h, err := proc.Serve(context.WithoutCancel(t.ctx), w.bin, w.dir, config, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Stop(5 * time.Second)
		if t.Failed() {
			out := h.Output()
			t.Errorf("hoosh serve wrote: %s", out[max(0, len(out)-1500):])
		}
	})
	return h
}

// refusedConfig gives hoosh a file with a mistake in it.
func refusedConfig(t *T, w *world) {
	file := write(t, "version: 1\nproviders:\n  - name: a\n    driver: compat\n    base_ulr: http://127.0.0.1:1\n")
	p, err := proc.Start(proc.Command{Name: "hoosh serve", Args: []string{w.bin, "serve", "--listen", "127.0.0.1:0", "--config", file}, Env: proc.Clean(t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
		t.Fatalf("it serves")
	}
	if out := p.Output(); p.ExitCode() == 0 || !strings.Contains(out, file+":5:5") || !strings.Contains(out, "base_url") {
		t.Errorf("exit code %d, without the place or the right word: %s", p.ExitCode(), out)
	}
}
