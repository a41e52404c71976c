// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maccracken/hoosh"
)

const (
	// never is what no model has at an Ollama.
	never = hoosh.FeatureCompletion | hoosh.FeatureAudio | hoosh.FeatureFiles | hoosh.FeatureChoices
	// perhaps is what a model may have of which nothing is known.
	perhaps = hoosh.AllFeatures &^ never
)

// atOnce is how many models are asked about at a time.
const atOnce = 4

// info is what is known of a model. Read-only, but for what a call found out.
type info struct {
	features hoosh.Features
	context  int  // tokens that it can take, 0: unknown
	window   int  // num_ctx of its Modelfile, 0: none
	levels   bool // it thinks by levels, not just so or not at all

	noEmbed atomic.Bool // a call said so, against features
}

// can is what the model is known to be able to do.
func (in *info) can() hoosh.Features {
	if in.noEmbed.Load() {
		return in.features &^ hoosh.FeatureEmbed
	}
	return in.features
}

// catalogue is what is known of the models that are listed.
type catalogue struct {
	now atomic.Pointer[map[string]*info] // by listed name; unknown ones are not in it

	mu       sync.Mutex // guards byDigest
	byDigest map[string]*info
}

// full is a name with its tag: none is "latest".
func full(model string) string {
	if strings.Contains(model[strings.LastIndexByte(model, '/')+1:], ":") {
		return model
	}
	return model + ":latest"
}

// lookup gives what is known of a model, nil for nothing.
func (c *catalogue) lookup(model string) *info {
	if byName := c.now.Load(); byName != nil {
		return (*byName)[full(model)]
	}
	return nil
}

// Capabilities tells what the last list found out. Of a model that is not in it
// everything is assumed but what no model has at an Ollama.
func (p *provider) Capabilities(model string) hoosh.Capabilities {
	if in := p.catalogue.lookup(model); in != nil {
		return hoosh.Capabilities{Features: in.can(), Context: in.context}
	}
	return hoosh.Capabilities{Features: perhaps}
}

// tags is the answer of /api/tags.
type tags struct {
	Models []struct {
		Name       string    `json:"name"`
		Digest     string    `json:"digest"`
		ModifiedAt time.Time `json:"modified_at"`
	} `json:"models"`
}

// Models lists the models that are installed, with what each can do. A model that
// Ollama does not describe is listed all the same.
func (p *provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	body, err := p.up.Get(ctx, "/api/tags")
	if err != nil {
		return nil, err
	}
	var list tags
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, p.malformed("/api/tags", err)
	}
	p.noteLoaded(ctx)
	p.describe(ctx, &list)
	if err := ctx.Err(); err != nil {
		return nil, hoosh.AsError(context.Cause(ctx))
	}
	models := make([]hoosh.Model, 0, len(list.Models))
	for _, m := range list.Models {
		out := hoosh.Model{ID: m.Name, Provider: p.up.Name, Created: m.ModifiedAt.UTC(), Capabilities: p.Capabilities(m.Name)}
		if short, ok := strings.CutSuffix(m.Name, ":latest"); ok {
			out.Aliases = []string{short}
		}
		models = append(models, out)
	}
	return models, nil
}

func (p *provider) malformed(path string, err error) error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Provider: p.up.Name, Message: "the answer of " + path + " is not what Ollama says there", Err: err}
}

// describe finds out about the listed models that are new, and makes the list
// the one that counts.
func (p *provider) describe(ctx context.Context, list *tags) {
	c := &p.catalogue
	asked := map[string]chan *info{} // by digest; each holds one answer
	c.mu.Lock()
	known := c.byDigest
	c.mu.Unlock() // what is in there is never changed, only replaced as a whole

	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, m := range list.Models {
		if known[m.Digest] != nil || asked[m.Digest] != nil {
			continue
		}
		answer := make(chan *info, 1)
		asked[m.Digest] = answer
		wait.Go(func() {
			slots <- struct{}{}
			answer <- p.show(ctx, m.Name)
			<-slots
		})
	}
	wait.Wait()
	byDigest, byName := map[string]*info{}, map[string]*info{}
	for _, m := range list.Models {
		in := known[m.Digest]
		if in == nil {
			answer := asked[m.Digest]
			in = <-answer
			answer <- in // for another name of the same
		}
		if in != nil {
			byDigest[m.Digest], byName[full(m.Name)] = in, in
		}
	}
	c.mu.Lock()
	c.byDigest = byDigest
	c.mu.Unlock()
	c.now.Store(&byName)
}

// description is what matters of the answer of /api/show.
type description struct {
	Capabilities []string `json:"capabilities"`
	Details      struct {
		Family string `json:"family"`
	} `json:"details"`
	Parameters string                     `json:"parameters"`
	Info       map[string]json.RawMessage `json:"model_info"`
}

// show asks about one model. It is nil when Ollama does not say.
func (p *provider) show(ctx context.Context, model string) *info {
	if ctx.Err() != nil {
		return nil
	}
	question, _ := json.Marshal(map[string]string{"model": model})
	body, err := p.up.Post(ctx, "/api/show", question)
	if err != nil {
		return nil
	}
	var d description
	if json.Unmarshal(body, &d) != nil {
		return nil
	}
	return d.read()
}

// read turns Ollama's words into ours.
func (d *description) read() *info {
	in := &info{}
	if d.Capabilities == nil { // a server from before it told them
		in.features = perhaps
	}
	for _, word := range d.Capabilities {
		switch word {
		case "completion":
			// A grammar holds any of them to a schema. Some embed as well, those
			// that llama.cpp runs; Ollama tells only when asked for an embedding.
			in.features |= hoosh.FeatureChat | hoosh.FeatureJSONSchema | hoosh.FeatureEmbed
		case "embedding":
			in.features |= hoosh.FeatureEmbed
		case "tools":
			in.features |= hoosh.FeatureTools
		case "vision":
			in.features |= hoosh.FeatureVision
		case "thinking":
			in.features |= hoosh.FeatureThinking
		}
	}
	var architecture string
	json.Unmarshal(d.Info["general.architecture"], &architecture)
	json.Unmarshal(d.Info[architecture+".context_length"], &in.context)
	for line := range strings.Lines(d.Parameters) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == "num_ctx" {
			in.window, _ = strconv.Atoi(f[1])
		}
	}
	in.levels = d.Details.Family == "gptoss" || d.Details.Family == "gpt-oss"
	return in
}
