// SPDX-License-Identifier: AGPL-3.0-only

// Package google registers the driver "google", also called "gemini": Google's Gemini
// API, and what else speaks it. Chats go to models/MODEL:generateContent and, as
// streams, to :streamGenerateContent; counts of their tokens to :countTokens;
// embeddings to :batchEmbedContents, or to :embedContent where a client of the format
// has asked for one.
package google

import (
	"context"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/gemini"
)

var driver = hoosh.Driver{
	Name:    "google",
	Aliases: []string{"gemini"},
	BaseURL: "https://generativelanguage.googleapis.com",
	KeyEnv:  []string{"GEMINI_API_KEY", "GOOGLE_API_KEY"},
}

// features are what its models can do. None can do all, and those that are listed say
// which they are.
const features = hoosh.AllFeatures&^hoosh.FeatureCompletion | hoosh.FeatureCount

func init() {
	d := driver
	d.New = newProvider
	hoosh.Register(d)
}

// provider is safe for concurrent use.
type provider struct {
	up    *hoosh.Upstream
	base  string                                        // the version's path, "/v1beta"
	known atomic.Pointer[map[string]hoosh.Capabilities] // by model, of the last list
}

var _ hoosh.Doer = (*provider)(nil)

func newProvider(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
	if cfg.BaseURL == "" {
		cfg.BaseURL = driver.BaseURL
	}
	p := &provider{base: "/v1beta"}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	for _, version := range []string{"/v1beta", "/v1alpha", "/v1"} { // written with the version or without it: both are usual
		if rest, ok := strings.CutSuffix(cfg.BaseURL, version); ok {
			cfg.BaseURL, p.base = rest, version
			break
		}
	}
	profile := &hoosh.Profile{Dialect: gemini.Dialect, Lacks: hoosh.AllFeatures &^ features}
	if cfg.BaseURL == driver.BaseURL { // all who have a key there understand each other's signatures
		profile.Issuer = "google"
	}
	var err error
	p.up, err = hoosh.NewUpstream(cfg, driver, profile, "X-Goog-Api-Key: ")
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Do sends a chat, or has its tokens counted, or embeds.
func (p *provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	verb := verbOf(c)
	if verb == "" {
		return nil, p.refuse(c, hoosh.ErrUnsupported, "Gemini has no such operation; ask for a chat or an embedding")
	}
	at := p.address(c.Model, verb)
	if at == nil {
		return nil, p.refuse(c, hoosh.ErrModelNotFound, "no model of Google's has such a name")
	}
	return p.up.Do(ctx, c, at)
}

func (p *provider) refuse(c *hoosh.Call, kind error, message string) *hoosh.Error {
	return &hoosh.Error{Kind: kind, Op: c.Op, Provider: p.up.Name, Model: c.Model, Message: message}
}

// verbOf is the word behind the model that asks for the operation, with its query;
// "" for none.
func verbOf(c *hoosh.Call) string {
	switch c.Op {
	case hoosh.OpChat:
		if c.Stream {
			return "streamGenerateContent?alt=sse"
		}
		return "generateContent"
	case hoosh.OpCount:
		return "countTokens"
	case hoosh.OpEmbed:
		if c.Dialect() == gemini.Dialect && c.Body() != nil && !c.Envelope().Has("requests") {
			return "embedContent" // the body goes as it came
		}
		return "batchEmbedContents"
	}
	return ""
}

// address is where a model is asked. It is nil for a name that would lead elsewhere.
func (p *provider) address(model, verb string) *url.URL {
	if !strings.HasPrefix(model, "models/") && !strings.HasPrefix(model, "tunedModels/") {
		model = "models/" + model
	}
	words := strings.Split(model, "/")
	for i, word := range words {
		if word == "" || word == "." || word == ".." {
			return nil
		}
		words[i] = url.PathEscape(word)
	}
	return p.up.URL(p.base + "/" + strings.Join(words, "/") + ":" + verb)
}

// Profile is how requests are changed for this backend. Read-only.
func (p *provider) Profile() *hoosh.Profile { return p.up.Profile }

// Health asks for the list of models, which costs nothing.
func (p *provider) Health(ctx context.Context) error {
	_, err := p.up.Get(ctx, p.base+"/models?pageSize=1")
	return err
}

// Close ends what is under way.
func (p *provider) Close() error { return p.up.Close() }
