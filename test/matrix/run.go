// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// options are the command's flags.
type options struct {
	pair, group     string
	verbose, direct bool
	rows            map[string]bool // of the table; nil: it could not be read
}

// group is a set of checks that every pair must pass.
type group struct {
	name string
	run  func(c *cell)
}

// groups are in the order of the report.
var groups = []group{
	{"chat", chat}, {"stream", stream}, {"tools", tools}, {"parallel tools", parallelTools}, {"tool results", toolResults},
	{"vision", vision}, {"structured output", structured}, {"reasoning", reasoning}, {"usage", usage}, {"errors", failures},
	{"stop", stop}, {"unicode", unicodes},
}

// cell is one pair and one group, with what came of it.
type cell struct {
	*world
	group   string
	verbose bool

	mu     sync.Mutex // fails, while several hands check
	ran    []string
	fails  []failure
	result string // "passed", "explained", "failed"
	rows   []string
}

// failure is a check that did not hold. A broken one is no matter of what a
// format can carry, and cannot be explained.
type failure struct {
	check, mode, what string
	broken            bool
	dropped           string // what hoosh says that it left out
}

// run runs all cells that o asks for, reports, and gives the number of failed ones.
func run(o options, out io.Writer) int {
	cells := o.cells()
	work := make(chan *cell)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for c := range work {
				c.runGroup(o.direct)
			}
		})
	}
	for _, c := range cells {
		work <- c
	}
	close(work)
	wg.Wait()
	return report(cells, o, out)
}

func (o options) cells() []*cell {
	var cells []*cell
	for _, in := range client.Names {
		for _, to := range client.Names {
			if o.direct && in != to || !matchPair(o.pair, in, to) {
				continue
			}
			for _, g := range groups {
				if o.group == "" || o.group == g.name {
					cells = append(cells, &cell{world: &world{in: in, out: to}, group: g.name, verbose: o.verbose})
				}
			}
		}
	}
	return cells
}

func matchPair(pair, in, out string) bool {
	if pair == "" {
		return true
	}
	a, b, _ := strings.Cut(pair, "/")
	fits := func(pattern, name string) bool { return pattern == "*" || pattern == "" || pattern == name }
	return fits(a, in) && fits(b, out)
}

func (c *cell) runGroup(direct bool) {
	w, err := newWorld(c.in, c.out, direct)
	if err != nil {
		c.fail("setup", "", true, "%v", err)
		return
	}
	c.world = w
	defer w.close()
	defer func() {
		if v := recover(); v != nil {
			c.fail("setup", "", true, "a fault of the matrix: %v", v)
		}
	}()
	if c.in == "responses" && c.out == "openai" && !direct {
		// OpenAI's driver passes such calls on until the server says that it knows chats only.
		hello := neutral.Ask{Model: c.model(first, plainModels[c.out]), Turns: []neutral.Turn{user("Hello")}}
		if _, err := c.send(client.Responses, hello, nil); err != nil {
			c.fail("setup", "", true, "%v", err)
		}
	}
	i := slices.IndexFunc(groups, func(g group) bool { return g.name == c.group })
	groups[i].run(c)
}

func (c *cell) fail(check, mode string, broken bool, format string, args ...any) {
	c.add(failure{check: check, mode: mode, what: fmt.Sprintf(format, args...), broken: broken})
}

func (c *cell) add(f failure) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = append(c.fails, f)
}

func report(cells []*cell, o options, out io.Writer) (failed int) {
	count := map[string]int{}
	pairs := map[string]bool{}
	var explanations []string
	for _, c := range cells {
		pairs[c.in+"/"+c.out] = true
		judge(c, o)
		count[c.result]++
		for _, f := range c.fails {
			if c.result == "failed" {
				fmt.Fprintf(out, "FAIL %s/%s, %s: %s%s: %s\n", c.in, c.out, c.group, f.check, f.mode, f.what)
			}
		}
		if c.result == "explained" {
			explanations = append(explanations, fmt.Sprintf("explained %s/%s, %s: %s", c.in, c.out, c.group, strings.Join(c.rows, ", ")))
		}
		if o.verbose {
			fmt.Fprintf(out, "%s %s/%s, %s: %s\n", c.result, c.in, c.out, c.group, strings.Join(c.ran, ", "))
		}
	}
	for _, e := range explanations {
		fmt.Fprintln(out, e)
	}
	name := "matrix"
	if o.direct {
		name = "matrix without hoosh"
	}
	fmt.Fprintf(out, "%s: %d pairs, %d cells, %d passed, %d explained, %d failed\n", name, len(pairs), len(cells), count["passed"], count["explained"], count["failed"])
	return count["failed"]
}

// judge decides what the cell is: explained, if each check that failed is one
// that the list excuses. What the list excuses in vain is a failure itself.
func judge(c *cell, o options) {
	var bad []failure
	if !o.direct {
		entries := explanationsOf(c)
		used := make([]bool, len(entries))
		for _, f := range c.fails {
			i := slices.IndexFunc(entries, func(e explanation) bool { return slices.Contains(e.checks, f.check) })
			if i < 0 || f.broken {
				bad = append(bad, f)
				continue
			}
			used[i] = true
			if name := entries[i].dropped; !slices.Contains(splitNames(f.dropped), name) && name != "" {
				f.what += fmt.Sprintf("; x-hoosh-dropped is %q and does not name %s", f.dropped, name)
				bad = append(bad, f)
			}
			if row := entries[i].row; !slices.Contains(c.rows, row) {
				c.rows = append(c.rows, row)
				if !o.rows[row] {
					bad = append(bad, failure{check: "explanation", what: fmt.Sprintf("%q is no row of the table of translations", row)})
				}
			}
		}
		for i, e := range entries {
			if !used[i] && !slices.ContainsFunc(c.fails, func(f failure) bool { return f.check == "setup" }) {
				bad = append(bad, failure{check: "explanation", what: fmt.Sprintf("stale: %q explains %v, which pass", e.row, e.checks)})
			}
		}
	} else {
		bad = c.fails
	}
	switch {
	case len(bad) > 0:
		c.result, c.fails = "failed", bad
	case len(c.rows) > 0:
		c.result = "explained"
	default:
		c.result = "passed"
	}
}

func splitNames(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
