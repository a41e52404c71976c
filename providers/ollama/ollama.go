// SPDX-License-Identifier: AGPL-3.0-only

// Package ollama is the driver of a local Ollama, over its own API: its OpenAI
// face cuts long prompts in silence.
//
// A call that came in one of Ollama's own formats goes through as it is, but for
// the model's name. Of others the driver sees to what Ollama would do without a word:
//
//   - It asks for a context window (num_ctx) that the prompt and its answer fit
//     in by a careful guess, but for no smaller one than the model is loaded with,
//     since another window loads it anew. It tells Ollama to refuse what does not
//     fit ("truncate": false), and to end an answer where the window does rather
//     than forget the prompt ("shift": false). What the caller says of these, as
//     "num_ctx", in "options", as "truncate" or "shift", is left alone. A prompt that
//     cannot fit the model at all is [hoosh.ErrContextLength].
//   - An image for a model without vision is refused; Ollama ignores it.
//   - A wish to think is dropped and named for a model that cannot; Ollama would
//     refuse the call.
//
// What its models can do Ollama tells only of each by itself, so a list costs one
// more question for each model, the first time that it is seen.
package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"

	"github.com/maccracken/hoosh"
	dialect "github.com/maccracken/hoosh/dialect/ollama"
)

// driver has no New yet: it would refer to itself.
var driver = hoosh.Driver{
	Name:    "ollama",
	Local:   true,
	BaseURL: "http://127.0.0.1:11434",
	URLEnv:  []string{"OLLAMA_HOST"},
}

func init() {
	d := driver
	d.New = newProvider
	d.Probe = probe
	hoosh.Register(d)
}

// provider is one Ollama. It is safe for concurrent use.
type provider struct {
	up       *hoosh.Upstream
	generate *hoosh.Upstream // for calls in the format of /api/generate
	paths    struct{ chat, generate, embed, embeddings *url.URL }

	catalogue catalogue
	windows   windows
}

func newProvider(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
	const auth = "Authorization: Bearer "
	up, err := hoosh.NewUpstream(cfg, driver, &hoosh.Profile{Dialect: dialect.Dialect, Lacks: never}, auth)
	if err != nil {
		return nil, err
	}
	generate, err := hoosh.NewUpstream(cfg, driver, &hoosh.Profile{Dialect: dialect.Generate, Lacks: never}, auth)
	if err != nil {
		return nil, err
	}
	p := &provider{up: up, generate: generate}
	p.paths.chat, p.paths.generate = up.URL("/api/chat"), up.URL("/api/generate")
	p.paths.embed, p.paths.embeddings = up.URL("/api/embed"), up.URL("/api/embeddings")
	return p, nil
}

// native reports that the call came in one of Ollama's own formats and goes
// through as it is.
func native(c *hoosh.Call) bool {
	return c.Body() != nil && (c.Dialect() == dialect.Dialect || c.Dialect() == dialect.Generate)
}

// Do sends a chat or an embedding; anything else is [hoosh.ErrUnsupported].
func (p *provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	up, path := p.up, p.paths.chat
	switch c.Op {
	case hoosh.OpChat:
		if native(c) && c.Dialect() == dialect.Generate {
			up, path = p.generate, p.paths.generate
		}
	case hoosh.OpEmbed:
		path = p.paths.embed
		if native(c) && c.Envelope().Has("prompt") { // the older form
			path = p.paths.embeddings
		}
	case hoosh.OpCompletion:
		return nil, p.refuse(c, hoosh.ErrUnsupported, "", "legacy completions are not passed to Ollama; ask for a chat")
	default:
		return nil, p.refuse(c, hoosh.ErrUnsupported, "", "Ollama has nothing for a "+c.Op.String())
	}
	in := p.catalogue.lookup(c.Model)
	if in != nil && c.Envelope().Needs&hoosh.FeatureVision != 0 && in.features&hoosh.FeatureVision == 0 {
		return nil, p.refuse(c, hoosh.ErrUnsupported, "", "the model has no vision, and Ollama would ignore the image")
	}
	call, window, dropped := c, 0, []string(nil)
	if !native(c) {
		var err error
		if call, window, dropped, err = p.shape(c, in); err != nil {
			return nil, err
		}
	}
	reply, err := up.Do(ctx, call, path)
	if err != nil {
		if e := hoosh.AsError(err); in != nil && c.Op == hoosh.OpEmbed && e.Upstream && e.Kind == hoosh.ErrUnsupported {
			in.noEmbed.Store(true)
		}
		return nil, err
	}
	if window > 0 {
		p.windows.note(full(c.Model), window)
	}
	reply.Dropped = append(reply.Dropped, dropped...)
	return reply, nil
}

// shape makes a call of c with what Ollama must be told besides, a window among
// it; 0: the caller gave one. In is what is known of the model, nil for nothing.
func (p *provider) shape(c *hoosh.Call, in *info) (call *hoosh.Call, window int, dropped []string, err error) {
	asked, err := c.Request()
	if err != nil {
		return nil, 0, nil, err
	}
	q := *asked
	q.Extra = append(hoosh.Extra(nil), asked.Extra...) // the asked one is shared
	add := func(key string, value string) {
		if q.Extra.Get(key) == nil {
			q.Extra = append(q.Extra, hoosh.Member{Key: key, Value: json.RawMessage(value)})
		}
	}
	if !givesWindow(&q) {
		if window, err = p.window(c, &q, in); err != nil {
			return nil, 0, nil, err
		}
		add("num_ctx", strconv.Itoa(window))
	}
	add("truncate", "false")
	if c.Op == hoosh.OpChat {
		add("shift", "false")
		if r := q.Reasoning; in != nil && (r.Budget > 0 || r.Effort != "" && r.Effort != "none") {
			switch {
			case in.features&hoosh.FeatureThinking == 0:
				q.Reasoning = hoosh.Reasoning{}
				dropped = append(dropped, "reasoning_effort")
			case in.levels:
				add("think", level(r.Effort))
			}
		}
	}
	return c.With(&q), window, dropped, nil
}

// level is Ollama's word, as JSON, for an effort in OpenAI's.
func level(effort string) string {
	switch effort {
	case "minimal", "low":
		return `"low"`
	case "high", "xhigh", "max":
		return `"high"`
	}
	return `"medium"`
}

func (p *provider) refuse(c *hoosh.Call, kind error, param, message string) *hoosh.Error {
	return &hoosh.Error{Kind: kind, Op: c.Op, Provider: p.up.Name, Model: c.Model, Param: param, Message: message}
}

// Close ends what is under way.
func (p *provider) Close() error { return errors.Join(p.up.Close(), p.generate.Close()) }
