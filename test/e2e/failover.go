// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"sync"
	"time"
)

// duo asks for the route that leads to the second engine first.
func duo(tokens int, more doc) doc {
	return merge(llama.chat("Tell me about the sea.", tokens, more), doc{"model": "duo"})
}

// failover kills one of two engines with calls in flight. After the first
// content of a stream the client has to be told, before it nobody notices.
func failover(t *T, w *world, at surface) {
	w.revive(t)
	shown := at.stream(t, "/v1/chat/completions", duo(llama.words, doc{"stream": true}))
	if got := shown.header.Get("X-Hoosh-Provider"); got != "second" {
		t.Fatalf("the first of the route is second, and %q answered", got)
	}
	for range 3 {
		if _, err := shown.next(); err != nil {
			t.Fatal(err)
		}
	}
	const calls = 3 // one more than the engine has slots left
	var wait sync.WaitGroup
	answers := make([]*answer, calls)
	for i := range calls {
		wait.Go(func() {
			a, err := at.whole(t.ctx, "POST", "/v1/chat/completions", duo(24, nil))
			if err != nil {
				t.Error(err)
				return
			}
			answers[i] = a
		})
	}
	within(t, 10*time.Second, "all calls are in flight", func() bool { return inFlight(t, at, "second") == calls+1 })
	w.second.Kill()
	if r := shown.readAll(t); r.done || r.failed == "" {
		t.Errorf("a stream that was cut ended without an error (done: %v)", r.done)
	}
	if wait.Wait(); t.Failed() {
		return
	}
	for _, a := range answers {
		if a.status != 200 || a.header.Get("X-Hoosh-Attempts") != "2" || a.header.Get("X-Hoosh-Provider") != "llamacpp" {
			t.Errorf("status %d, attempts %s, provider %s: %s", a.status, a.header.Get("X-Hoosh-Attempts"), a.header.Get("X-Hoosh-Provider"), short(a.body))
		}
	}
	for range 2 { // and it goes on
		a := at.post(t, "/v1/chat/completions", duo(4, nil)).want(t, 200, nil)
		if got := a.header.Get("X-Hoosh-Provider"); got != "llamacpp" {
			t.Errorf("%q answered", got)
		}
		at.stream(t, "/v1/chat/completions", duo(6, doc{"stream": true})).readAll(t).checkEnd(t)
	}
}

// inFlight is how many calls a provider has under way, as hoosh says.
func inFlight(t *T, at surface, provider string) int {
	var list struct {
		Providers []struct {
			Name     string
			InFlight int `json:"in_flight"`
		}
	}
	at.get(t, "/v1/health/providers").want(t, 200, &list)
	for _, p := range list.Providers {
		if p.Name == provider {
			return p.InFlight
		}
	}
	t.Fatalf("no provider %s", provider)
	return 0
}

// revive starts the second engine where it was, if it was killed.
func (w *world) revive(t *T) {
	select {
	case <-w.second.Done():
	default:
		return
	}
	e, err := w.start("llamacpp", w.second.port, "--ctx", "2048")
	if err != nil {
		t.Fatal(err)
	}
	w.second = e
	if err := e.Ready(t.ctx, e.base+"/health"); err != nil {
		t.Fatal(err)
	}
}
