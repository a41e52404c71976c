// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/maccracken/hoosh"
)

// printFindings is the table of what was looked for: a line for each thing that
// was found, then in few lines the others and why not.
func printFindings(w io.Writer, s style, findings []hoosh.Finding) {
	var rows [][]cell
	for _, f := range findings {
		if !f.Found {
			continue
		}
		note := cell{f.Why, s.dim}
		if f.Costs {
			note = cell{"may cost money; " + f.Why, s.yellow}
		}
		rows = append(rows, []cell{{"found", s.green}, {f.Driver, s.bold}, text(f.BaseURL), text(count(f.Models, "model")), note})
	}
	table(w, s, nil, rows)
	for _, group := range missing(findings) {
		fmt.Fprint(w, s.dim("not found"), "  ")
		wrap(w, 11, ",", group)
	}
}

// missing groups what was not found by the reason: [why: a, b c, …].
func missing(findings []hoosh.Finding) [][]string {
	var groups [][]string
	var whys []string
	at := map[string]int{}
	var keys []string
	for _, f := range findings {
		switch {
		case f.Found:
			continue
		case !f.Local: // each has a reason of its own: its key
			keys = append(keys, f.Driver+" ("+f.Why+")")
			continue
		}
		i, ok := at[f.Why]
		if !ok {
			i = len(groups)
			at[f.Why] = i
			groups, whys = append(groups, nil), append(whys, f.Why)
		}
		groups[i] = append(groups[i], f.Driver+" "+place(f.BaseURL))
	}
	for i := range groups {
		groups[i][0] = clean(whys[i]) + ": " + groups[i][0]
	}
	if keys != nil {
		groups = append(groups, keys)
	}
	for _, g := range groups {
		for i := range g {
			g[i] = clean(g[i])
		}
	}
	return groups
}

// place is the short form of a URL on this machine: ":8080".
func place(base string) string {
	u, err := url.Parse(base)
	if err != nil || u.Port() == "" {
		return base
	}
	if h := u.Hostname(); h != "127.0.0.1" && h != "localhost" {
		return u.Host
	}
	return ":" + u.Port()
}
