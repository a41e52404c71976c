// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/config"
)

// engine is what commands ask: the router of this process, or a client of the
// hoosh that --server names.
type engine interface {
	hoosh.Gateway
	Providers(ctx context.Context) ([]hoosh.ProviderStatus, error)
	Plan(ctx context.Context, c *hoosh.Call) (*hoosh.Plan, error)
}

var (
	_ engine = (*hoosh.Router)(nil)
	_ engine = (*hoosh.Client)(nil)
)

// configPath is the file to read, "" without one.
func (a *app) configPath() string {
	path, ok := config.Find(a.Config, a.getenv, func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	})
	if !ok {
		return ""
	}
	return path
}

// load reads the configuration. Where no providers are listed they are looked
// for on this machine and in its environment.
func (a *app) load() (*hoosh.Config, error) {
	cfg := &hoosh.Config{}
	if path := a.configPath(); path != "" {
		var err error
		if cfg, err = loadFile(path); err != nil {
			return nil, err
		}
	}
	look := len(cfg.Providers) == 0
	if cfg.Discover.Local == nil {
		cfg.Discover.Local = &look
	}
	if cfg.Discover.Environment == nil {
		cfg.Discover.Environment = &look
	}
	cfg.Getenv = a.getenv
	return cfg, nil
}

func loadFile(path string) (*hoosh.Config, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fileProblem("configuration", path, err)
	}
	return config.Load(path)
}

// open gives the engine that the flags ask for; whoever asks closes it.
func (a *app) open() (engine, error) {
	if a.Server != "" {
		return a.client()
	}
	return a.router()
}

func (a *app) client() (engine, error) {
	url := a.Server
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	client, err := hoosh.NewClient(hoosh.ClientConfig{BaseURL: url, Key: hoosh.Secret(a.Key)})
	if err != nil {
		return nil, &problem{code: exitUsage, text: "--server " + a.Server + ": " + strings.TrimPrefix(err.Error(), "hoosh: ")}
	}
	return client, nil
}

// router makes the router of a command that asks once and ends.
func (a *app) router() (*hoosh.Router, error) {
	cfg, err := a.load()
	if err != nil {
		return nil, err
	}
	// What the operator of a server wants to know is noise around one answer.
	cfg.Logger, _ = a.logger(cfg.Observe.Log, true)
	return hoosh.New(*cfg)
}

// settled asks every provider what it serves, and tells how each is after that.
func settled(ctx context.Context, e engine) ([]hoosh.Model, []hoosh.ProviderStatus, error) {
	models, err := e.Models(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := e.Providers(ctx)
	for i := range list {
		s := &list[i]
		switch {
		case s.State == hoosh.StateUnknown && s.Models > 0: // a list is an answer
			s.State = hoosh.StateOnline
		case s.State == hoosh.StateOnline && s.Problem != "" && !s.LastOK.After(s.LastFail):
			// One failure is little to a router that goes on; here it is all that is known.
			s.State = hoosh.StateSuspect
		}
	}
	return models, list, err
}

// builtin is the engine that answers when there is no other.
func builtin() (engine, error) {
	return hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "echo", Driver: "echo"}}})
}

// stdin reads all that was piped in, at most limit bytes of text.
func (a *app) stdin(ctx context.Context, limit int64) (string, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() { // a read cannot be interrupted
		data, err := readText(a.in, limit)
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return "", fmt.Errorf("standard input: %w", r.err)
		}
		return strings.TrimRight(string(r.data), "\r\n"), nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
