// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/maccracken/hoosh"
)

type healthCmd struct{}

// Run asks every provider once how it is.
func (healthCmd) Run(ctx context.Context, a *app) error {
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	_, providers, err := settled(ctx, e)
	if err != nil {
		return err
	}
	up := 0
	for _, p := range providers {
		if p.State <= hoosh.StateOnline {
			up++
		}
	}
	if a.JSON {
		if providers == nil {
			providers = []hoosh.ProviderStatus{}
		}
		if err := a.printJSON(map[string]any{"up": up > 0, "providers": providers}); err != nil {
			return err
		}
	} else if len(providers) > 0 {
		a.printProviders(providers)
	}
	switch {
	case up > 0:
		return nil
	case len(providers) == 0:
		return &problem{code: exitFailure, text: "there is no provider", hint: `"hoosh info" tells where was looked`}
	}
	return &problem{code: exitFailure, text: fmt.Sprintf("none of the providers is up (%d)", len(providers))}
}

// printProviders is the table of how providers are.
func (a *app) printProviders(providers []hoosh.ProviderStatus) {
	var rows [][]cell
	for _, p := range providers {
		models, note := "", cell{}
		if p.Models > 0 {
			models = strconv.Itoa(p.Models)
		}
		switch {
		case p.Problem != "":
			note = cell{p.Problem, a.style.red}
		case p.Costs:
			note = cell{"may cost money", a.style.yellow}
		}
		rows = append(rows, []cell{text(p.Name), {p.State.String(), a.stateColour(p.State)}, text(p.Driver), text(p.BaseURL), text(models), note})
	}
	table(a.out, a.style, []string{"PROVIDER", "STATE", "DRIVER", "WHERE", "MODELS", ""}, rows)
}

func (a *app) stateColour(s hoosh.State) func(string) string {
	switch s {
	case hoosh.StateOnline:
		return a.style.green
	case hoosh.StateSuspect:
		return a.style.yellow
	case hoosh.StateOffline, hoosh.StateMisconfigured:
		return a.style.red
	}
	return a.style.dim
}
