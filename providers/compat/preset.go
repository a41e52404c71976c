// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

// Preset is what sets one backend apart from OpenAI's API as it is. It is
// read-only once registered.
type Preset struct {
	// What a [hoosh.Driver] has.
	Name    string
	Aliases []string
	Local   bool
	BaseURL string // "": must be configured
	KeyEnv  []string
	URLEnv  []string

	// Path completes a base URL that has none; "": "/v1", "/": nothing.
	Path string
	// Auth is the header that carries the key, and what stands before it; "":
	// "Authorization: Bearer ".
	Auth string
	// Profile is how the vendor wants requests, and what none of its models can
	// do. Its Dialect may be nil: there is only one here.
	Profile hoosh.Profile
	// Also are the features beyond those of a language model, images for one: the
	// backend has them at the paths that OpenAI has for them.
	Also hoosh.Features
	// Count is the format in which the backend counts the tokens of a chat, at
	// CountPath under the root; nil: it cannot.
	Count     *hoosh.Dialect
	CountPath string
	// FloatVectors: the backend gives embeddings as numbers only, and may refuse
	// to be asked for base64.
	FloatVectors bool

	// Health is the path of a free probe, from the root; "": the model list.
	Health string
	// List is the path, from the root, of a model list that says more than the
	// API's own; that one is read where this fails.
	List string
	// Models, if not nil, is what is known of a vendor that lists nothing, or
	// lists what cannot be asked for. An empty one is no list at all: any model
	// can be asked for as provider/model, and by its own name what the
	// configuration names.
	Models []string
	// Describe, if not nil, fills in what the engine's own pages tell of its
	// models. Get reads a page under the root. What cannot be read stays as it is.
	Describe func(ctx context.Context, get Get, list []hoosh.Model)
	// Probe is what such a backend is known by: all of it must be there. nil: it
	// is never discovered.
	Probe []Mark
}

// Get reads a small page of an engine by its path from the root. It is bounded in
// size and time.
type Get func(ctx context.Context, path string) ([]byte, error)

// Register makes a preset a driver. It panics where [hoosh.Register] does.
func Register(p Preset) { hoosh.Register(p.Driver()) }

// Driver is the preset as a driver that is not registered.
func (p Preset) Driver() hoosh.Driver {
	d := hoosh.Driver{
		Name: p.Name, Aliases: p.Aliases, Local: p.Local, BaseURL: p.BaseURL, KeyEnv: p.KeyEnv, URLEnv: p.URLEnv,
		New: func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
			provider, err := New(cfg, p)
			if err != nil {
				return nil, err
			}
			return provider, nil
		},
	}
	if len(p.Probe) > 0 {
		d.Probe = func(ctx context.Context, client *http.Client, base string) error {
			root, _ := p.split(base)
			return p.probe(ctx, client, root)
		}
	}
	return d
}

func init() {
	Register(Preset{Name: "compat"})
}

// path is where the API is under the root.
func (p *Preset) path() string {
	switch p.Path {
	case "":
		return "/v1"
	case "/":
		return ""
	}
	return p.Path
}

// split takes a base URL apart: where the engine is, and the path of its API
// there. See the package comment for the rule.
func (p *Preset) split(base string) (root, path string) {
	base = strings.TrimRight(base, "/")
	u, err := url.Parse(base)
	if err != nil || base == "" {
		return base, "" // for who checks it to refuse
	}
	path = p.path()
	if strings.Trim(u.Path, "/") == "" {
		return base, path
	}
	if rest, ok := strings.CutSuffix(base, path); ok && path != "" {
		return rest, path
	}
	return base, ""
}

// profile is the preset's, with what the other fields say of requests.
func (p *Preset) profile() *hoosh.Profile {
	own := p.Profile
	own.Dialect = hoosh.OpenAI
	if p.FloatVectors {
		own.Rules = append(slices.Clone(own.Rules), hoosh.Rule{Key: encodingKey, Keep: `"float"`})
	}
	return &own
}

// nearby reports that a URL names this machine's loopback: no proxy leads there,
// and an engine may need minutes until its first token.
func nearby(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// features are what no list says of the backend's models.
func (p *Preset) features() hoosh.Features {
	if p.Count != nil {
		return p.Also | hoosh.FeatureCount
	}
	return p.Also
}

// Drop are rules that leave out these keys.
func Drop(keys ...string) []hoosh.Rule {
	rules := make([]hoosh.Rule, len(keys))
	for i, key := range keys {
		rules[i].Key = key
	}
	return rules
}

// DropFor are rules that leave out these keys for some models, given as
// patterns.
func DropFor(models []string, keys ...string) []hoosh.Rule {
	rules := Drop(keys...)
	for i := range rules {
		rules[i].Models = models
	}
	return rules
}

// OldCeiling is the rule for a vendor that knows the ceiling of an answer by its
// first name only, and would pass over the newer one in silence.
var OldCeiling = hoosh.Rule{Key: "max_completion_tokens", Rename: "max_tokens"}

// ReasoningRules are OpenAI's for its models, wherever they run: those that
// reason take the newer name of the ceiling and no sampling, the others no effort;
// none knows top_k.
func ReasoningRules() []hoosh.Rule {
	models := []string{"o1*", "o3*", "o4*", "gpt-5*"}
	rules := []hoosh.Rule{
		{Key: "max_tokens", Rename: "max_completion_tokens", Models: models},
		{Key: "temperature", Models: models, Keep: "1"},
		{Key: "top_p", Models: models, Keep: "1"},
		{Key: "presence_penalty", Models: models, Keep: "0"},
		{Key: "frequency_penalty", Models: models, Keep: "0"},
	}
	rules = append(rules, DropFor(models, "stop", "logprobs", "top_logprobs", "logit_bias")...)
	rules = append(rules, DropFor([]string{"gpt-4*", "gpt-3*", "chatgpt-*"}, "reasoning_effort", "verbosity")...)
	return append(rules, Drop("top_k")...)
}
