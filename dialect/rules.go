// SPDX-License-Identifier: AGPL-3.0-only

// Package dialect says what becomes of each feature of a request in each wire
// format: the rules of translation, in one table. docs/translation.md is made of
// it, and its tests hold it against what the packages below it do.
package dialect

import (
	"fmt"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/dialect/gemini"
	"github.com/maccracken/hoosh/dialect/ollama"
	"github.com/maccracken/hoosh/dialect/responses"
)

// All are the dialects, in the order of the table's columns.
var All = []*hoosh.Dialect{hoosh.OpenAI, responses.Dialect, anthropic.Dialect, gemini.Dialect, ollama.Dialect}

// Outcome is what becomes of a feature.
type Outcome uint8

// The outcomes.
const (
	Carried  Outcome = iota // the format has it
	Emulated                // hoosh does it, or says it in other words
	Dropped                 // it is left out and named in x-hoosh-dropped
	Left                    // it is left out and not named: nobody misses it
	Refused                 // the attempt fails: without it another thing would be asked
)

func (o Outcome) String() string {
	return [...]string{"carried", "emulated", "dropped", "left out", "refused"}[o]
}

// Rule is what becomes of one feature, from any other format.
type Rule struct {
	Feature string // the row's name
	// Sample is a request that has the feature, for the tests.
	Sample func() *hoosh.Request
	// Name is what is named when it is dropped, or the path of a refusal.
	Name string
	// Kept reports that what was sent, read again, still has the feature. Of one that is
	// emulated it is not asked.
	Kept func(q *hoosh.Request) bool
	// To has an outcome for each of [All].
	To   [5]Outcome
	Note string // for the reader
	// Models are the model names of the sample, where they matter.
	Models [5]string
}

// models are those of a sample that names none.
var models = [5]string{"gpt-4.1", "gpt-4.1", "claude-sonnet-4-5", "gemini-2.5-flash", "llama3.2"}

// Model is the model that the sample is sent to in the i-th format.
func (r *Rule) Model(i int) string {
	if r.Models[i] != "" {
		return r.Models[i]
	}
	return models[i]
}

// Markdown is docs/translation.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(head)
	b.WriteString("| feature |")
	for _, d := range All {
		fmt.Fprintf(&b, " %s |", d.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(All)) + "\n")
	for i := range Rules {
		r := &Rules[i]
		fmt.Fprintf(&b, "| %s |", r.Feature)
		for _, o := range r.To {
			fmt.Fprintf(&b, " %s |", o)
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n## Notes\n\n")
	for i := range Rules {
		if r := &Rules[i]; r.Note != "" {
			fmt.Fprintf(&b, "- **%s**: %s\n", r.Feature, r.Note)
		}
	}
	b.WriteString(answers)
	return b.String()
}

const head = `# Translation

This page is written by ` + "`go generate ./dialect`" + ` from the table in dialect/table.go; a test fails when it is stale.

Where client and backend speak the same format, bodies and answers pass as they are: nothing here applies but the vendor's own rules. Where they differ, a
request is read and written anew. The table says what becomes of each feature in the format of the backend, whatever format it came from:

- **carried**: the format has it.
- **emulated**: hoosh does it itself, or says it in other words.
- **dropped**: left out, and named in the header ` + "`x-hoosh-dropped`" + `. A route with ` + "`on_unsupported: refuse`" + ` refuses the call instead.
- **left out**: not sent and not named, for it is of use to nobody else.
- **refused**: the attempt fails with the path of what cannot be said, and another backend is tried: without it something else would be asked.

`

const answers = `
## Answers

Text, refusals, thinking, tool calls, citations, the reason for the end and the usage, in classes of tokens, go from every format to every other. Formats without a
field for citations or a place for several answers lose those. Tool arguments come joined exactly, and as "{}" where a model gave none. An error keeps its kind, its message and
how long to wait, in the client's own shape; a prompt over the context window is context_length_exceeded, or the client's format's word for it, whoever says so.
`
