// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// isTerminal reports that somebody sits at f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull) // a device too
	return err != nil || !os.SameFile(info, null)
}

// isPiped reports that f is a pipe or a file, which somebody gave us to read. A
// socket or a device may be there by inheritance and never end.
func isPiped(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeNamedPipe != 0)
}

// style colours text, where it is on.
type style bool

func newStyle(terminal, off bool, getenv func(string) string) style {
	return style(terminal && !off && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb")
}

func (s style) paint(code, text string) string {
	if !s || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string   { return s.paint("1", text) }
func (s style) dim(text string) string    { return s.paint("2", text) }
func (s style) red(text string) string    { return s.paint("31", text) }
func (s style) green(text string) string  { return s.paint("32", text) }
func (s style) yellow(text string) string { return s.paint("33", text) }

// clean drops what would steer a terminal: models and backends are not to be
// trusted with that.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// cell is one field of a table; paint may be nil.
type cell struct {
	text  string
	paint func(string) string
}

func text(s string) cell { return cell{text: s} }

// table prints rows in columns. A head that is not nil comes first, dimmed.
func table(w io.Writer, s style, head []string, rows [][]cell) {
	if head != nil {
		first := make([]cell, len(head))
		for i, h := range head {
			first[i] = cell{h, s.dim}
		}
		rows = append([][]cell{first}, rows...)
	}
	var width []int
	for _, row := range rows {
		for i := range row {
			row[i].text = strings.ReplaceAll(clean(row[i].text), "\n", " ")
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(row[i].text))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		pad := 0
		for i, c := range row {
			if c.text != "" {
				line.WriteString(strings.Repeat(" ", pad))
				pad = 0
				if c.paint != nil {
					line.WriteString(c.paint(c.text))
				} else {
					line.WriteString(c.text)
				}
			}
			pad += width[i] - utf8.RuneCountInString(c.text) + 2
		}
		fmt.Fprintln(w, line.String())
	}
}

// wrap prints words, separated by sep, in lines of a readable width; those after
// the first are indented.
func wrap(w io.Writer, indent int, sep string, words []string) {
	const width = 80
	column := indent
	for i, word := range words {
		if i < len(words)-1 {
			word += sep
		}
		n := utf8.RuneCountInString(word)
		if i > 0 {
			if column+1+n > width {
				fmt.Fprint(w, "\n", strings.Repeat(" ", indent))
				column = indent
			} else {
				fmt.Fprint(w, " ")
				column++
			}
		}
		fmt.Fprint(w, word)
		column += n
	}
	fmt.Fprintln(w)
}
