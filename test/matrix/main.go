// SPDX-License-Identifier: AGPL-3.0-only

// Command matrix asks in each of five wire formats for what each of five
// vendors' formats has, through hoosh and over loopback: does the vendor
// understand what the client meant, and is the client told what the vendor's
// model answered? The last line is the result:
//
//	matrix: 25 pairs, 300 cells, N passed, M explained, 0 failed
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
)

// quiet is for servers whose clients leave on purpose.
var quiet = log.New(io.Discard, "", 0)

func main() {
	var o options
	flag.StringVar(&o.pair, "pair", "", "only this pair, CLIENT/VENDOR; * is any")
	flag.StringVar(&o.group, "group", "", "only this group")
	flag.BoolVar(&o.verbose, "v", false, "show every check, and what was sent where one fails")
	flag.BoolVar(&o.direct, "direct", false, "ask the vendors without hoosh, each in its own format: do both ends agree?")
	table := flag.String("table", "docs/translation.md", "the table whose rows explain what a format cannot carry")
	flag.Parse()
	rows, err := readRows(*table)
	if err != nil && !o.direct {
		fmt.Fprintln(os.Stderr, "matrix:", err)
	}
	o.rows = rows
	if failed := run(o, os.Stdout); failed > 0 {
		os.Exit(1)
	}
}

// readRows gives the first cells of the lines of all tables in a document.
func readRows(path string) (map[string]bool, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	rows := map[string]bool{}
	for l := range strings.Lines(string(b)) {
		if cells := strings.Split(l, "|"); len(cells) > 2 && strings.TrimSpace(cells[0]) == "" {
			rows[strings.Trim(cells[1], " \t`*")] = true
		}
	}
	return rows, nil
}
