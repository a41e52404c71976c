// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
)

type modelsCmd struct{}

// modelEntry is a model as GET /v1/models lists it.
type modelEntry struct {
	ID            string   `json:"id"`
	Object        string   `json:"object"`
	Created       int64    `json:"created"`
	OwnedBy       string   `json:"owned_by"`
	ContextLength int      `json:"context_length,omitempty"`
	Capabilities  []string `json:"capabilities,omitempty"`
}

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
		list := make([]modelEntry, 0, len(models))
		for i := range models {
			list = append(list, entryOf(&models[i]))
		}
		return a.printJSON(map[string]any{"object": "list", "data": list})
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

func entryOf(m *hoosh.Model) modelEntry {
	entry := modelEntry{ID: m.ID, Object: "model", OwnedBy: m.Provider, ContextLength: m.Context}
	if !m.Created.IsZero() {
		entry.Created = m.Created.Unix()
	}
	if m.Features != 0 && m.Features != hoosh.AllFeatures {
		entry.Capabilities = strings.Split(m.Features.String(), ", ")
	}
	return entry
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
