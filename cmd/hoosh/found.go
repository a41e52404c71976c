// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

// printFindings is the table of what was looked for: a line for each thing that
// was found, then in few lines the others and why not. In short only the names
// of vendors stand there, and not how each calls its key.
func (a *app) printFindings(w io.Writer, s style, findings []hoosh.Finding, short bool) {
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
	for _, group := range missing(findings, a.getenv, short) {
		fmt.Fprint(w, s.dim("not found"), "  ")
		wrap(w, 11, ",", group)
	}
}

// missing groups what was not found by the reason: [why: a, b c, …].
func missing(findings []hoosh.Finding, getenv func(string) string, short bool) [][]string {
	var whys []string
	groups := map[string][]string{}
	for _, f := range findings {
		if f.Found {
			continue
		}
		why, entry := f.Why, f.Driver
		keys := keysOf(f.Driver, getenv)
		switch {
		case f.Local:
			entry += " " + place(f.BaseURL)
		case keys != nil:
			why = "no key in the environment"
			if !short {
				entry += " (" + strings.Join(keys, " or ") + ")"
			}
		}
		if groups[why] == nil {
			whys = append(whys, why)
		}
		groups[why] = append(groups[why], clean(entry))
	}
	var list [][]string
	for _, why := range whys {
		group := groups[why]
		group[0] = clean(why) + ": " + group[0]
		list = append(list, group)
	}
	return list
}

// keysOf are the variables that a driver's key would be in, nil if one is set.
func keysOf(driver string, getenv func(string) string) []string {
	for _, d := range hoosh.Drivers() {
		if d.Name == driver && !slices.ContainsFunc(d.KeyEnv, func(name string) bool { return getenv(name) != "" }) {
			return d.KeyEnv
		}
	}
	return nil
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
