// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"

	"github.com/maccracken/hoosh"
)

type infoCmd struct{}

// about is what info tells.
type about struct {
	Version   string                 `json:"version"`
	Config    string                 `json:"config"` // "": none was found
	Server    string                 `json:"server,omitempty"`
	Listen    string                 `json:"listen,omitempty"` // of serve
	Drivers   []string               `json:"drivers"`
	Providers []hoosh.ProviderStatus `json:"providers"`
	Findings  []hoosh.Finding        `json:"discovery"`
}

// Run tells what is here.
func (infoCmd) Run(ctx context.Context, a *app) error {
	is := about{Version: hoosh.Version, Server: a.Server, Findings: []hoosh.Finding{}}
	for _, d := range hoosh.Drivers() {
		is.Drivers = append(is.Drivers, d.Name)
	}
	if a.Server == "" {
		cfg, err := a.load()
		if err != nil {
			return err
		}
		is.Config, is.Listen = a.configPath(), cfg.WithDefaults().Server.Listen
	}
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	if _, is.Providers, err = settled(ctx, e); err != nil {
		return err
	}
	if is.Providers == nil {
		is.Providers = []hoosh.ProviderStatus{}
	}
	if r, ok := e.(*hoosh.Router); ok {
		is.Findings = append(is.Findings, r.Discovered(ctx)...)
	}
	if a.JSON {
		return a.printJSON(is)
	}
	a.printAbout(&is)
	return nil
}

func (a *app) printAbout(is *about) {
	fmt.Fprintln(a.out, a.style.bold(versionLine()))
	rows := [][]cell{{text("configuration"), text(is.Config)}, {text("serve listens on"), text(is.Listen)}}
	switch {
	case is.Server != "":
		rows = [][]cell{{text("server"), text(is.Server)}}
	case is.Config == "":
		rows[0][1].text = "none: hoosh looks around by itself"
	}
	table(a.out, a.style, nil, rows)
	fmt.Fprintf(a.out, "%-18s", "drivers")
	wrap(a.out, 18, ",", is.Drivers)
	if len(is.Providers) > 0 {
		fmt.Fprintln(a.out)
		a.printProviders(is.Providers)
	}
	if len(is.Findings) > 0 {
		fmt.Fprintln(a.out)
		a.printFindings(a.out, a.style, is.Findings, false)
	}
	if len(is.Providers) == 0 {
		fmt.Fprintln(a.out, "\nThere is no provider: infer and chat are answered by the built-in echo. Start Ollama or llama.cpp, or set a vendor's key.")
	}
}
