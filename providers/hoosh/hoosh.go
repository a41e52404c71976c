// SPDX-License-Identifier: AGPL-3.0-only

// Package hoosh registers the driver "hoosh": another hoosh as a backend of this
// one. It needs the other's address, and a key where that one asks for it:
//
//	providers:
//	  - name: office
//	    driver: hoosh
//	    base_url: http://gateway.lan:8088
//	    key: ${OFFICE_KEY}
//
// It serves what the other one lists; who answered there is not told on, for
// here the provider is the other hoosh.
package hoosh

import (
	"context"
	"errors"
	"io"

	"github.com/maccracken/hoosh"
)

func init() {
	hoosh.Register(hoosh.Driver{Name: "hoosh", New: func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) { return open(cfg) }})
}

// provider is a client as one backend among others.
type provider struct {
	name   string
	client *hoosh.Client
}

func open(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
	if cfg.BaseURL == "" {
		return nil, errors.New("base_url is needed: the address of the other hoosh")
	}
	client, err := hoosh.NewClient(hoosh.ClientConfig{
		Name: cfg.Name, BaseURL: cfg.BaseURL, Key: cfg.Key, Headers: cfg.Headers, Timeouts: cfg.Timeouts,
		DialContext: cfg.DialContext, Transport: cfg.Transport, EventLimit: cfg.EventLimit,
	})
	if err != nil {
		return nil, err
	}
	return &provider{cfg.Name, client}, nil
}

func (p *provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	reply, err := p.client.Do(ctx, c)
	if err != nil {
		return nil, asBackend(err)
	}
	reply.Provider = p.name
	if reply.Stream != nil {
		reply.Stream = &stream{reply.Stream}
	}
	return reply, nil
}

func (p *provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	list, err := p.client.Models(ctx)
	return list, asBackend(err)
}

func (p *provider) Health(ctx context.Context) error { return asBackend(p.client.Health(ctx)) }

func (p *provider) Capabilities(model string) hoosh.Capabilities { return p.client.Capabilities(model) }

func (p *provider) Close() error { return p.client.Close() }

type stream struct{ hoosh.Stream }

func (s *stream) Next() (*hoosh.Frame, error) {
	f, err := s.Stream.Next()
	if err != nil && err != io.EOF {
		err = asBackend(err)
	}
	return f, err
}

// asBackend sees an error from this side: the key that the other hoosh refuses
// is ours, not the caller's, and what it lacks a backend for another one may
// have.
func asBackend(err error) error {
	var e *hoosh.Error
	if !errors.As(err, &e) || !e.Upstream {
		return err
	}
	switch e.Kind {
	case hoosh.ErrUnauthorized, hoosh.ErrForbidden:
		if e.Kind = hoosh.ErrUpstreamAuth; e.Param == "model" {
			e.Kind = hoosh.ErrModelNotFound // our key is good, and not for this one
		}
	case hoosh.ErrUpstreamAuth, hoosh.ErrInsufficientQuota:
		e.Kind = hoosh.ErrNoProvider
	}
	return err
}
