// SPDX-License-Identifier: AGPL-3.0-only

// Package openai registers the driver "openai": OpenAI's own API, or one like it
// elsewhere.
//
// Chats go to it as chat completions, and in these cases to its Responses API:
//
//   - The client speaks Responses itself: its body is passed on.
//   - The model answers there only, or better: those that end in -pro, Codex's,
//     those of deep research, those that use a computer.
//   - The tokens of a chat are to be counted.
//
// A base URL of somebody else may lead to a server without Responses. That is known
// once it has said 404; from then on its clients of that format are answered by way
// of chat completions, the first of them included.
//
// The reasoning models refuse sampling parameters and know the ceiling of an answer
// by its newer name only; requests that come in older words are brought to that.
package openai

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
	"github.com/maccracken/hoosh/providers/compat"
)

const (
	name = "openai"
	home = "https://api.openai.com/v1"
	auth = "Authorization: Bearer "
)

// preset is what sets OpenAI apart where only chat completions are concerned.
func preset() compat.Preset {
	return compat.Preset{
		Name: name, BaseURL: home,
		KeyEnv: []string{"OPENAI_API_KEY"}, URLEnv: []string{"OPENAI_BASE_URL"},
		Profile: hoosh.Profile{Rules: compat.ReasoningRules(), NoThinking: true},
		Also:    hoosh.FeatureImages | hoosh.FeatureModeration,
	}
}

func init() {
	d := preset().Driver()
	d.New = func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
		p, err := New(cfg)
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	hoosh.Register(d)
}

// Provider is one configured backend. It is safe for concurrent use.
type Provider struct {
	*compat.Provider // for all but Responses

	up      *hoosh.Upstream
	respond *url.URL
	count   *url.URL
	foreign bool        // it is not OpenAI's own
	lacks   atomic.Bool // Responses, as it has said
}

var _ hoosh.Doer = (*Provider)(nil)

// New makes a provider. It connects to nothing; the error is of the
// configuration.
func New(cfg hoosh.ProviderConfig) (*Provider, error) {
	chat := preset()
	base := strings.TrimRight(cfg.BaseURL, "/")
	if base == "" {
		base = home
	}
	u, err := url.Parse(base)
	if err == nil && u.Path == "" { // the same rule as in package compat
		base += "/v1"
	}
	p := &Provider{foreign: base != home}
	if !p.foreign { // whoever's account it is, their signatures are OpenAI's
		chat.Profile.Issuer = name
		chat.Also |= hoosh.FeatureCount
	}
	if p.Provider, err = compat.New(cfg, chat); err != nil {
		return nil, err
	}
	p.up = p.Upstream().With(&hoosh.Profile{Dialect: responses.Dialect, Lacks: hoosh.FeatureChoices, Rules: rules()})
	p.respond, p.count = p.URL("/responses"), p.URL("/responses/input_tokens")
	return p, nil
}

// rules are those of the reasoning models for Responses.
func rules() []hoosh.Rule {
	models := []string{"o1*", "o3*", "o4*", "gpt-5*", "codex*"}
	return append([]hoosh.Rule{
		{Key: "temperature", Models: models, Keep: "1"},
		{Key: "top_p", Models: models, Keep: "1"},
	}, compat.DropFor(models, "top_logprobs")...)
}

// Do sends the call. See [hoosh.Doer].
func (p *Provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	switch {
	case c.Op == hoosh.OpCount && !p.lacks.Load():
		return p.ask(ctx, c, p.count)
	case c.Op != hoosh.OpChat, p.lacks.Load(), c.Dialect() != responses.Dialect && !responds(c.Model):
		return p.Provider.Do(ctx, c)
	}
	reply, err := p.ask(ctx, c, p.respond)
	if err != nil && p.lacks.Load() {
		return p.Provider.Do(ctx, c)
	}
	return reply, err
}

// ask sends the call to Responses, and notes a server that has no such thing.
func (p *Provider) ask(ctx context.Context, c *hoosh.Call, at *url.URL) (*hoosh.Reply, error) {
	reply, err := p.up.Do(ctx, c, at)
	if err == nil || !p.foreign {
		return reply, err
	}
	e := hoosh.AsError(err)
	// What names a part of the request has read it.
	if e.Upstream && c.Op == hoosh.OpChat && e.Code != "model_not_found" && e.Param == "" && !strings.Contains(e.Message, " with id ") &&
		(e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed || e.Status == http.StatusNotImplemented) {
		p.lacks.Store(true)
	}
	return nil, err
}

// responds reports that a model is to be asked by Responses even for others.
func responds(model string) bool {
	switch {
	case strings.HasPrefix(model, "computer-use-preview"), strings.HasPrefix(model, "codex-"):
		return true
	case !strings.HasPrefix(model, "o") && !strings.HasPrefix(model, "gpt"):
		return false
	}
	return strings.HasSuffix(model, "-pro") || strings.Contains(model, "-pro-") ||
		strings.Contains(model, "codex") || strings.Contains(model, "deep-research")
}

// Capabilities is what the last model list says of a model, and that Responses
// gives one answer to a call.
func (p *Provider) Capabilities(model string) hoosh.Capabilities {
	c := p.Provider.Capabilities(model)
	if responds(model) && !p.lacks.Load() {
		c.Features &^= hoosh.FeatureChoices
	}
	return c
}

// Models reads what the backend serves.
func (p *Provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	list, err := p.Provider.Models(ctx)
	for i := range list {
		if responds(list[i].ID) && !p.lacks.Load() {
			list[i].Features &^= hoosh.FeatureChoices
		}
	}
	return list, err
}

// Close ends what is under way and lets go of idle connections.
func (p *Provider) Close() error {
	err := p.Provider.Close()
	if other := p.up.Close(); err == nil {
		err = other
	}
	return err
}
