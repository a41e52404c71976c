// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"slices"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// feature is something that not every format has a word for.
type feature string

const (
	hasSeed     feature = "seed"
	hasN        feature = "n"
	hasStop     feature = "stop"
	hasChoice   feature = "tool choice"
	hasParallel feature = "parallel switch"
	hasURL      feature = "image URL"
	hasOrder    feature = "order of text and images"
	hasName     feature = "schema name"
	hasFailed   feature = "failed results"
	hasPicture  feature = "images in results"
	hasSign     feature = "signatures"
	hasKind     feature = "kinds of errors in streams"
	hasCallID   feature = "ids of calls"
	hasWait     feature = "retry after"
)

var words = map[string][]feature{
	"openai":    {hasSeed, hasN, hasStop, hasChoice, hasParallel, hasURL, hasOrder, hasName, hasKind, hasCallID, hasWait},
	"responses": {hasChoice, hasParallel, hasURL, hasOrder, hasName, hasPicture, hasSign, hasKind, hasCallID, hasWait},
	"anthropic": {hasStop, hasChoice, hasParallel, hasURL, hasOrder, hasFailed, hasPicture, hasSign, hasKind, hasCallID, hasWait},
	"gemini":    {hasSeed, hasN, hasStop, hasChoice, hasURL, hasOrder, hasFailed, hasPicture, hasSign, hasKind, hasWait},
	"ollama":    {hasSeed, hasStop, hasPicture},
}

// can reports that the format has a word for f.
func can(dialect string, f feature) bool { return slices.Contains(words[dialect], f) }

// plainModels are asked for everything but thinking; thinkers think.
var (
	plainModels = map[string]string{
		"openai": "gpt-4.1", "responses": "gpt-5.1-codex", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "ollama": "qwen3:8b",
	}
	thinkers = map[string]string{
		"openai": "gpt-5-mini", "responses": "gpt-5.1-codex", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-3-pro", "ollama": "gpt-oss:20b",
	}
)

// fold gives usage in the classes that the format has.
func fold(u neutral.Usage, dialect string) neutral.Usage {
	if dialect == "gemini" || dialect == "ollama" {
		u.Input += u.CacheWrite
		u.CacheWrite = 0
	}
	if dialect == "ollama" {
		u.Input += u.CacheRead
		u.Output += u.Reasoning
		u.CacheRead, u.Reasoning = 0, 0
	}
	return u
}
