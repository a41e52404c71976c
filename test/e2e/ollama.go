// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"slices"
	"strings"
	"time"
)

// calm is the model that the cases ask for: the one that is installed, told to
// compute with one thread, for several slow each other down on a busy machine.
const calm = "hoosh-e2e"

var ollama = target{name: "Ollama", provider: "ollama", model: calm + ":latest", schema: true, words: 600}

// settle makes the calm model; done takes it away again.
func (e *engine) settle(s *suite) (done func(), err error) {
	_, err = e.whole(s.ctx, "POST", "/api/create", doc{"model": calm, "from": smollmTag, "parameters": doc{"num_thread": 1}, "stream": false})
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 10*time.Second)
		defer cancel()
		e.whole(ctx, "DELETE", "/api/delete", doc{"model": calm}) //nolint:errcheck // nobody is there to be told
	}, err
}

func (s *suite) ollamaCases(w *world, at surface) {
	run := func(name string, f func(*T)) { s.run(at.name+" Ollama: "+name, f) }
	run("a client that leaves is not computed for", func(t *T) {
		ollama.leave(t, at, func() bool { return inFlight(t, at, "ollama") == 0 })
		// It serves one call at a time: this one would wait for the story's end.
		start := time.Now()
		at.post(t, "/v1/chat/completions", ollama.chat("hi", 1, nil)).want(t, 200, nil)
		t.Logf("the next call took %s", time.Since(start))
	})
	run("embeddings", func(t *T) {
		var show struct{ Capabilities []string }
		w.ollama.post(t, "/api/show", doc{"model": ollama.model}).want(t, 200, &show)
		direct := w.ollama.post(t, "/api/embed", doc{"model": ollama.model, "input": "hi"})
		switch can := slices.Contains(show.Capabilities, "embedding"); {
		case can || direct.status == 200 && at.post(t, "/v1/embeddings", doc{"model": ollama.id(), "input": "hi"}).status == 200:
			ollama.embeds(t, at)
		default: // its own word is that it cannot: a clear refusal then, not a failure
			at.post(t, "/v1/embeddings", doc{"model": ollama.id(), "input": "hi"}).refused(t, 400, "")
		}
	})
	run("a prompt that is too long", func(t *T) {
		at.post(t, "/v1/chat/completions", ollama.chat(strings.Repeat("sea and sand ", 40_000), 4, nil)).refused(t, 400, "context_length_exceeded")
	})
	run("a legacy completion, which it has not", func(t *T) {
		at.post(t, "/v1/completions", doc{"model": ollama.id(), "prompt": "The sea is"}).refused(t, 400, "")
	})
	run("a model that it has not", func(t *T) {
		at.post(t, "/v1/chat/completions", merge(ollama.chat("hi", 4, nil), doc{"model": "ollama/nothing-of-the-kind"})).refused(t, 404, "model_not_found")
	})
}
