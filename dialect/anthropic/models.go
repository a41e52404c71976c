// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import "strings"

// generation is what is known of a model by its name.
type generation struct {
	ceiling    int    // tokens of an answer, thinking included
	thinking   thinks // how it is asked to think
	noSampling bool   // temperature, top_p and top_k are refused
	oneSampler bool   // temperature and top_p together are refused
	midSystem  bool   // messages of role system are taken
	schemas    bool   // output_config.format and strict tools
	display    bool   // it can be told whether to show its thinking
	top        string // its word for the greatest effort
}

// thinks says how a model is asked to think.
type thinks uint8

const (
	thinksNot      thinks = iota
	thinksBudget          // thinking {enabled, budget_tokens}
	thinksEither          // that, or adaptive with an effort
	thinksAdaptive        // thinking {adaptive} and output_config.effort
)

// generations are those of Anthropic's models, newest first. A model is of the
// first whose version is not beyond its own.
var generations = [...]struct {
	major, minor int
	generation
}{
	{4, 7, newest},
	{4, 6, generation{ceiling: 64000, thinking: thinksEither, oneSampler: true, schemas: true, display: true, top: "max"}},
	{4, 5, generation{ceiling: 64000, thinking: thinksBudget, oneSampler: true, schemas: true, display: true}},
	{4, 1, generation{ceiling: 32000, thinking: thinksBudget, oneSampler: true, schemas: true, display: true}},
	{4, 0, generation{ceiling: 32000, thinking: thinksBudget, display: true}},
	{3, 7, generation{ceiling: 64000, thinking: thinksBudget}},
	{3, 5, generation{ceiling: 8192}},
	{0, 0, generation{ceiling: 4096}},
}

// newest is also taken for models of other names.
var newest = generation{ceiling: 64000, thinking: thinksAdaptive, noSampling: true, oneSampler: true, midSystem: true, schemas: true, display: true, top: "xhigh"}

// generationOf reads a model's name, as Anthropic or one of those who sell its
// models write it: claude-3-5-sonnet-20241022, anthropic.claude-opus-4-1-v1:0,
// anthropic/claude-sonnet-4.5.
func generationOf(model string) generation {
	major, minor, ok := version(model)
	if !ok {
		return newest
	}
	for _, g := range generations {
		if major > g.major || major == g.major && minor >= g.minor {
			return g.generation
		}
	}
	return newest
}

// version finds the two numbers of a Claude's name. It is not ok for another
// name, and for a family that is not known: it is new.
func version(model string) (major, minor int, ok bool) {
	_, rest, found := strings.Cut(strings.ToLower(model), "claude")
	if !found {
		return 0, 0, false
	}
	for word := range strings.FieldsFuncSeq(rest, func(r rune) bool { return strings.ContainsRune("-._@:/", r) }) {
		n, isNumber := number(word)
		switch {
		case isNumber && !ok:
			major, ok = n, true
		case isNumber:
			return major, n, true
		case ok:
			return major, 0, true // claude-3-opus
		case word != "opus" && word != "sonnet" && word != "haiku" && word != "instant" && word != "v2":
			return 0, 0, false
		}
	}
	return major, 0, ok
}

// number reads one of at most two digits: a longer one is a date.
func number(word string) (n int, ok bool) {
	if len(word) > 2 {
		return 0, false
	}
	for _, ch := range word {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		n = 10*n + int(ch-'0')
	}
	return n, word != ""
}
