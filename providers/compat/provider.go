// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/maccracken/hoosh"
)

// Provider is one configured backend. It is safe for concurrent use.
type Provider struct {
	up     *hoosh.Upstream
	count  *hoosh.Upstream // of another format; nil: the backend counts no tokens
	preset *Preset
	api    string                       // path of the API under the root
	paths  [hoosh.OpRerank + 1]*url.URL // by operation; nil: there is none

	known atomic.Pointer[map[string]hoosh.Capabilities] // by model, of the last list
}

var _ hoosh.Doer = (*Provider)(nil)

// New makes a provider of a preset's kind. It connects to nothing; the error is
// of the configuration.
func New(cfg hoosh.ProviderConfig, p Preset) (*Provider, error) {
	driver := p.Driver()
	if cfg.BaseURL == "" {
		cfg.BaseURL = p.BaseURL
	}
	root, api := p.split(cfg.BaseURL)
	cfg.BaseURL = root
	driver.Local = driver.Local || nearby(root)
	auth := p.Auth
	if auth == "" {
		auth = "Authorization: Bearer "
	}
	up, err := hoosh.NewUpstream(cfg, driver, p.profile(), auth)
	if err != nil {
		return nil, err
	}
	made := &Provider{up: up, preset: &p, api: api, paths: [...]*url.URL{
		hoosh.OpChat:       up.URL(api + "/chat/completions"),
		hoosh.OpCompletion: up.URL(api + "/completions"),
		hoosh.OpEmbed:      up.URL(api + "/embeddings"),
		hoosh.OpImage:      up.URL(api + "/images/generations"),
		hoosh.OpModerate:   up.URL(api + "/moderations"),
		hoosh.OpRerank:     up.URL(api + "/rerank"),
	}}
	if p.Count != nil {
		made.paths[hoosh.OpCount] = up.URL(p.CountPath)
		made.count = up.With(&hoosh.Profile{Dialect: p.Count})
	}
	return made, nil
}

// Do sends the call. See [hoosh.Doer].
func (p *Provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	if int(c.Op) >= len(p.paths) || p.paths[c.Op] == nil {
		return nil, &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: c.Op, Provider: p.up.Name, Model: c.Model, Message: "this backend has no such operation"}
	}
	up := p.up
	if c.Op == hoosh.OpCount {
		up = p.count
	}
	reply, err := up.Do(ctx, c, p.paths[c.Op])
	if err != nil || c.Op != hoosh.OpEmbed {
		return reply, err
	}
	return asWanted(c, reply)
}

// Upstream is the exchange with the backend, for a driver that speaks another
// format with it too.
func (p *Provider) Upstream() *hoosh.Upstream { return p.up }

// URL is the address of a path under the API's own, /responses for one.
func (p *Provider) URL(path string) *url.URL { return p.up.URL(p.api + path) }

// Profile is how requests are changed for this backend. Read-only.
func (p *Provider) Profile() *hoosh.Profile { return p.up.Profile }

// Models reads what the backend serves.
func (p *Provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	list, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	if p.preset.Describe != nil && len(list) > 0 {
		p.preset.Describe(ctx, p.up.Get, list)
	}
	known := make(map[string]hoosh.Capabilities, len(list))
	for i := range list {
		m := &list[i]
		m.Features = m.Features&^p.preset.Profile.Lacks | p.preset.features()
		known[m.ID] = m.Capabilities
		for _, alias := range m.Aliases {
			known[alias] = m.Capabilities
		}
	}
	p.known.Store(&known)
	return list, nil
}

func (p *Provider) list(ctx context.Context) ([]hoosh.Model, error) {
	if p.preset.Models != nil {
		if len(p.preset.Models) == 0 { // not an empty list, which would serve nothing
			return nil, &hoosh.Error{Kind: hoosh.ErrUnsupported, Provider: p.up.Name, Message: "it does not list what it serves; name that under models"}
		}
		list := make([]hoosh.Model, len(p.preset.Models))
		for i, id := range p.preset.Models {
			list[i] = hoosh.Model{ID: id, Provider: p.up.Name, Capabilities: hoosh.Capabilities{Features: hoosh.AllFeatures | p.preset.features()}}
		}
		return list, nil
	}
	if p.preset.List != "" {
		if list, err := p.read(ctx, p.preset.List); err == nil || ctx.Err() != nil {
			return list, err
		}
	}
	return p.read(ctx, p.api+"/models")
}

func (p *Provider) read(ctx context.Context, path string) ([]hoosh.Model, error) {
	body, err := p.up.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	list, err := ParseModels(body)
	if err != nil {
		e := hoosh.AsError(err)
		e.Provider = p.up.Name
		return nil, e
	}
	for i := range list {
		list[i].Provider = p.up.Name
	}
	return list, nil
}

// Capabilities is what the last model list and the preset say of a model;
// everything that the vendor does not lack, where neither knows it.
func (p *Provider) Capabilities(model string) hoosh.Capabilities {
	if known := p.known.Load(); known != nil {
		if c, ok := (*known)[model]; ok {
			return c
		}
	}
	return hoosh.Capabilities{Features: hoosh.AllFeatures&^p.preset.Profile.Lacks | p.preset.features()}
}

// Health asks the backend how it is, at no cost.
func (p *Provider) Health(ctx context.Context) error {
	path := p.preset.Health
	if path == "" {
		path = p.api + "/models"
	}
	_, err := p.up.Get(ctx, path)
	var e *hoosh.Error
	if p.preset.Models != nil && errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusMethodNotAllowed) {
		return nil // it has no list, and has answered
	}
	return err
}

// Close ends what is under way and lets go of idle connections.
func (p *Provider) Close() error {
	if p.count != nil {
		p.count.Close()
	}
	return p.up.Close()
}
