// SPDX-License-Identifier: AGPL-3.0-only

// Package anthropic registers the driver "anthropic": Anthropic's Messages API,
// and what else speaks it. Chats go to /v1/messages, counts of their tokens to
// /v1/messages/count_tokens.
//
// A client of the same format has its own anthropic-version and anthropic-beta sent
// on. What is made of other formats may hold sampling parameters, which the newest
// version refuses, so it is sent under 2023-06-01.
package anthropic

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/maccracken/hoosh"
	dialect "github.com/maccracken/hoosh/dialect/anthropic"
)

var driver = hoosh.Driver{
	Name:    "anthropic",
	BaseURL: "https://api.anthropic.com",
	KeyEnv:  []string{"ANTHROPIC_API_KEY"},
	URLEnv:  []string{"ANTHROPIC_BASE_URL"},
	// Of requests that do not bring one of their own.
	Headers: map[string]string{"Anthropic-Version": "2023-06-01"},
}

// features are what its models can do. Older ones lack some, and answer so.
const features = hoosh.FeatureChat | hoosh.FeatureTools | hoosh.FeatureVision | hoosh.FeatureFiles |
	hoosh.FeatureJSONSchema | hoosh.FeatureThinking | hoosh.FeatureCount

// noSchema are the models that take no JSON Schema for an answer.
var noSchema = []string{"claude-3*", "claude-sonnet-4-0*", "claude-sonnet-4-2025*", "claude-opus-4-0*", "claude-opus-4-2025*"}

func init() {
	d := driver
	d.New = newProvider
	hoosh.Register(d)
}

// provider is safe for concurrent use.
type provider struct {
	up          *hoosh.Upstream
	chat, count *url.URL
	known       atomic.Pointer[map[string]hoosh.Capabilities] // by model, of the last list
}

var _ hoosh.Doer = (*provider)(nil)

func newProvider(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = driver.BaseURL
	}
	// Written with the version or without it: both are usual.
	cfg.BaseURL = strings.TrimSuffix(strings.TrimRight(cfg.BaseURL, "/"), "/v1")
	profile := &hoosh.Profile{Dialect: dialect.Dialect, Lacks: hoosh.AllFeatures &^ features, NoSchema: noSchema, CacheMarks: true}
	if cfg.BaseURL == driver.BaseURL { // all who have a key there understand each other's signatures
		profile.Issuer = "anthropic"
	}
	up, err := hoosh.NewUpstream(cfg, driver, profile, "X-Api-Key: ")
	if err != nil {
		return nil, err
	}
	return &provider{up: up, chat: up.URL("/v1/messages"), count: up.URL("/v1/messages/count_tokens")}, nil
}

// Do sends a chat, or has its tokens counted.
func (p *provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	switch c.Op {
	case hoosh.OpChat:
		return p.up.Do(ctx, c, p.chat)
	case hoosh.OpCount:
		return p.up.Do(ctx, c, p.count)
	}
	return nil, &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: c.Op, Provider: p.up.Name, Model: c.Model, Message: "Anthropic has no such operation; ask for a chat"}
}

// Profile is how requests are changed for this backend. Read-only.
func (p *provider) Profile() *hoosh.Profile { return p.up.Profile }

// Health asks for the list of models, which costs nothing.
func (p *provider) Health(ctx context.Context) error {
	_, err := p.up.Get(ctx, modelsPath)
	return err
}

// Close ends what is under way.
func (p *provider) Close() error { return p.up.Close() }
