// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/maccracken/hoosh"
)

type modelsCmd struct{}

// Run lists the models.
func (modelsCmd) Run(ctx context.Context, a *app) error {
	e, err := a.open()
	if err != nil {
		return err
	}
	defer e.Close()
	models, providers, err := settled(ctx, e)
	if err != nil {
		return err
	}
	if a.JSON {
		if models == nil {
			models = []hoosh.Model{} // an empty list, not null
		}
		return a.printJSON(map[string]any{"object": "list", "data": models})
	}
	byName := map[string]hoosh.ProviderStatus{}
	for _, p := range providers {
		byName[p.Name] = p
	}
	var rows [][]cell
	for i := range models {
		rows = append(rows, a.modelRow(&models[i], byName[models[i].Provider]))
	}
	if len(rows) > 0 {
		table(a.out, a.style, []string{"MODEL", "PROVIDER", "CONTEXT", "CAN", ""}, rows)
	}
	a.tellIll(providers)
	if len(models) == 0 {
		a.note(`No model was found; "hoosh info" tells where was looked.`)
	}
	return nil
}

func (a *app) modelRow(m *hoosh.Model, p hoosh.ProviderStatus) []cell {
	window, can, costs := "", "", ""
	if m.Context > 0 {
		window = strconv.Itoa(m.Context)
	}
	if known(m) {
		can = m.Features.String()
	}
	if p.Costs {
		costs = "may cost money"
	}
	return []cell{text(m.ID), text(m.Provider), text(window), text(can), {costs, a.style.yellow}}
}

// tellIll names the providers whose models may be missing.
func (a *app) tellIll(providers []hoosh.ProviderStatus) {
	for _, p := range providers {
		if p.Problem != "" && !a.Quiet {
			fmt.Fprintln(a.err, a.errStyle.yellow(clean(p.Name+": "+p.Problem)))
		}
	}
}
