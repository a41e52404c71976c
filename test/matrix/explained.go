// SPDX-License-Identifier: AGPL-3.0-only

package main

import "slices"

// explanation says that a check cannot hold, since the vendor's format has no
// place for what it checks; row is the row of the table of translations that
// tells users so. The check runs all the same: it must end in a well-formed
// answer or refusal, and an explanation of a check that holds is a failure.
type explanation struct {
	in, out []string // formats; nil: any
	group   string
	row     string
	checks  []string
	// dropped is what must be named in x-hoosh-dropped; "": the call is refused, or
	// nothing is named.
	dropped string
}

var explained = []explanation{
	{in: []string{"openai", "anthropic", "gemini", "ollama"}, out: []string{"responses"}, group: "chat", row: "temperature",
		checks: []string{"temperature"}, dropped: "temperature"},
	{in: []string{"openai", "anthropic", "gemini", "ollama"}, out: []string{"responses"}, group: "chat", row: "top_p",
		checks: []string{"top_p"}, dropped: "top_p"},
	{in: []string{"openai", "gemini", "ollama"}, out: []string{"responses", "anthropic"}, group: "chat", row: "seed",
		checks: []string{"seed"}, dropped: "seed"},
	{in: []string{"openai", "responses", "anthropic", "gemini"}, out: []string{"ollama"}, group: "tools", row: "tool choice",
		checks: []string{"choice required", "choice tool:get_time"}, dropped: "tool_choice"},
	{in: []string{"openai", "responses", "anthropic"}, out: []string{"gemini", "ollama"}, group: "parallel tools", row: "parallel tool calls switch",
		checks: []string{"one at a time"}, dropped: "parallel_tool_calls"},
	{in: []string{"anthropic", "gemini"}, out: []string{"openai", "responses", "ollama"}, group: "tool results", row: "the mark of a tool that failed",
		checks: []string{"an error"}, dropped: "is_error"},
	{in: []string{"openai", "responses", "anthropic", "gemini"}, out: []string{"ollama"}, group: "vision", row: "images at a URL",
		checks: []string{"URL"}},
	{in: []string{"ollama"}, out: []string{"responses", "anthropic", "gemini"}, group: "reasoning", row: "signatures of thinking",
		checks: []string{"signatures"}},
}

// explanationsOf lists those that are about the cell.
func explanationsOf(c *cell) []explanation {
	var es []explanation
	for _, e := range explained {
		if e.group == c.group && (e.in == nil || slices.Contains(e.in, c.in)) && (e.out == nil || slices.Contains(e.out, c.out)) {
			es = append(es, e)
		}
	}
	return es
}
