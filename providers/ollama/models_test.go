// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
)

func TestModels(t *testing.T) {
	s := some()
	p := newProvider(t, s)
	if can := p.Capabilities("plain:1b"); can.Features&hoosh.FeatureTools == 0 || can.Features&hoosh.FeatureCompletion != 0 || can.Context != 0 {
		t.Errorf("of an unknown model: %v", can)
	}
	models, err := p.Models(t.Context())
	if err != nil || len(models) != 5 {
		t.Fatal(models, err)
	}
	chat := hoosh.FeatureChat | hoosh.FeatureJSONSchema | hoosh.FeatureEmbed
	for i, want := range []hoosh.Model{
		{ID: "plain:1b", Capabilities: hoosh.Capabilities{Features: chat, Context: 8192}},
		{ID: "thinker:latest", Aliases: []string{"thinker"}, Capabilities: hoosh.Capabilities{Features: chat | hoosh.FeatureTools | hoosh.FeatureThinking, Context: 40960}},
		{ID: "leveller:20b", Capabilities: hoosh.Capabilities{Features: chat | hoosh.FeatureTools | hoosh.FeatureThinking, Context: 131072}},
		{ID: "seeing:latest", Aliases: []string{"seeing"}, Capabilities: hoosh.Capabilities{Features: chat | hoosh.FeatureVision, Context: 32768}},
		{ID: "embedder:latest", Aliases: []string{"embedder"}, Capabilities: hoosh.Capabilities{Features: hoosh.FeatureEmbed, Context: 512}},
	} {
		got := models[i]
		if got.ID != want.ID || !slices.Equal(got.Aliases, want.Aliases) || got.Capabilities != want.Capabilities || got.Provider != "near" {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got.Created != time.Date(2026, 11, 24, 6, 3, 19, 0, time.UTC) {
			t.Error(got.Created)
		}
		for _, name := range append(want.Aliases, want.ID) {
			if can := p.Capabilities(name); can != want.Capabilities {
				t.Errorf("%s: %v", name, can)
			}
		}
	}
}

func TestRecordedModels(t *testing.T) {
	p := newProvider(t, &server{})
	models, err := p.Models(t.Context())
	if err != nil || len(models) != 2 || models[0].ID != "gemma3:270m" || models[1].ID != "smollm2:135m" {
		t.Fatal(models, err)
	}
	if want := (hoosh.Capabilities{Features: hoosh.FeatureChat | hoosh.FeatureJSONSchema | hoosh.FeatureEmbed, Context: 8192}); models[1].Capabilities != want {
		t.Errorf("%v", models[1].Capabilities)
	}
}

// Each version of a model is asked about once, however it is called.
func TestShowOnce(t *testing.T) {
	s := some()
	p := known(t, s)
	known := s.times("/api/show")
	if known != 5 {
		t.Errorf("asked %d times", known)
	}
	list := func(want int) {
		t.Helper()
		if _, err := p.Models(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.times("/api/show"); n != known+want {
			t.Errorf("asked %d times more, want %d", n-known, want)
		}
		known += want
	}
	list(0)
	s.pages["/api/tags"] = lists("plain:1b", "d1", "plain:copy", "d1", "thinker:latest", "d9")
	list(1)
	if p.Capabilities("plain:copy").Context != 8192 {
		t.Error("the copy is not known")
	}
	// One that is not answered is asked again, and taken to be able to do anything.
	s.pages["/api/tags"] = lists("mystery:latest", "m")
	list(1)
	if can := p.Capabilities("mystery"); can.Features&(hoosh.FeatureVision|hoosh.FeatureTools) != hoosh.FeatureVision|hoosh.FeatureTools {
		t.Error(can)
	}
	list(1)
	// An older server that tells no capabilities is not asked again.
	s.pages["/api/show"] = text(`{"model_info":{"general.architecture":"a","a.context_length":99}}`)
	list(1)
	list(0)
	if can := p.Capabilities("mystery"); can.Features&hoosh.FeatureVision == 0 || can.Context != 99 {
		t.Error(can)
	}
}

func TestShowAtMostFour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		var pairs []string
		for i := range 10 {
			pairs = append(pairs, fmt.Sprintf("m%d:latest", i), fmt.Sprintf("d%d", i))
		}
		s := &server{pages: map[string]func([]byte) (int, string){
			"/api/tags": lists(pairs...),
			"/api/show": func([]byte) (int, string) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				return 200, plain
			},
		}}
		p := newProvider(t, s)
		start := time.Now()
		models, err := p.Models(t.Context())
		if err != nil || len(models) != 10 || most.Load() != 4 || time.Since(start) != 3*time.Second {
			t.Errorf("%d models, %v, %d at a time, %v", len(models), err, most.Load(), time.Since(start))
		}
	})
}

// A model that talks may embed or not; Ollama tells when it is asked to.
func TestNoEmbedding(t *testing.T) {
	s := some()
	p := known(t, s)
	s.pages["/api/embed"] = func([]byte) (int, string) {
		return 400, `{"error":"this model does not support embeddings"}`
	}
	tokens := parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"plain:1b","input":[1,2]}`)
	if _, err := p.Do(t.Context(), tokens); !errors.Is(err, hoosh.ErrUnsupported) || p.Capabilities("plain:1b").Features&hoosh.FeatureEmbed == 0 {
		t.Error(err) // it is the call that cannot be, not the model
	}
	ask := parse(t, hoosh.OpenAI, hoosh.OpEmbed, `{"model":"plain:1b","input":"a"}`)
	if _, err := p.Do(t.Context(), ask); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Error(err)
	}
	if can := p.Capabilities("plain:1b"); can.Features != hoosh.FeatureChat|hoosh.FeatureJSONSchema {
		t.Error(can)
	}
	if can := p.Capabilities("thinker"); can.Features&hoosh.FeatureEmbed == 0 {
		t.Error(can)
	}
}

func TestModelsGoWrong(t *testing.T) {
	p := newProvider(t, &server{pages: map[string]func([]byte) (int, string){"/api/tags": text("<html>")}})
	if _, err := p.Models(t.Context()); !errors.Is(err, hoosh.ErrMalformed) {
		t.Error(err)
	}
	p = newProvider(t, &server{pages: map[string]func([]byte) (int, string){"/api/tags": func([]byte) (int, string) { return 500, "" }}})
	if _, err := p.Models(t.Context()); !errors.Is(err, hoosh.ErrUpstream) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := some()
	s.pages["/api/show"] = func([]byte) (int, string) { cancel(); return 200, plain }
	if _, err := newProvider(t, s).Models(ctx); !errors.Is(err, hoosh.ErrCanceled) {
		t.Error(err)
	}
}
