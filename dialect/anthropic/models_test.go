// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import "testing"

func TestGenerations(t *testing.T) {
	for model, want := range map[string]generation{
		"claude-opus-4-7": newest, "claude-opus-5": newest, "claude-sonnet-5-2-20260901": newest, "claude-5-haiku": newest, "claude-opus-10-1": newest,
		"claude-mythos-preview": newest, "deepseek-chat": newest, "": newest, "claude": newest,
		"claude-opus-4-6": generations[1].generation, "anthropic/claude-sonnet-4.6": generations[1].generation,
		"claude-sonnet-4-5-20250929": generations[2].generation, "claude-haiku-4-5@20251001": generations[2].generation, "anthropic/Claude-Opus-4.5:beta": generations[2].generation,
		"claude-opus-4-1-20250805": generations[3].generation,
		"claude-sonnet-4-20250514": generations[4].generation, "claude-opus-4-0": generations[4].generation, "claude-4-sonnet": generations[4].generation, "us.anthropic.claude-sonnet-4-20250514-v1:0": generations[4].generation,
		"claude-3-7-sonnet-latest":                  generations[5].generation,
		"anthropic.claude-3-5-sonnet-20241022-v2:0": generations[6].generation, "claude-3-5-haiku-latest": generations[6].generation,
		"claude-3-opus-20240229": generations[7].generation, "claude-3-haiku": generations[7].generation, "claude-2.1": generations[7].generation, "claude-instant-1.2": generations[7].generation, "anthropic.claude-v2:1": generations[7].generation,
	} {
		if got := generationOf(model); got != want {
			t.Errorf("%s: %+v, want %+v", model, got, want)
		}
	}
}

func TestJSONEnd(t *testing.T) {
	for _, x := range []struct {
		pieces []string
		done   bool
	}{
		{nil, false}, {[]string{`{`, `}`}, true}, {[]string{`{\"a\":{}`}, false}, {[]string{`{\"a\":\"}`}, false}, {[]string{`{\"a\":\"}\"`, `}`}, true},
		{[]string{`{\"a\":\"\\`, `\"}`}, false}, {[]string{`{\"a\":\"\\`, `\"\"}`}, true}, {[]string{`{\"a\":\"\\\\\"}`}, true},
		{[]string{`\u007b\u0022}\u0022`}, false}, {[]string{`\u007b\u0022}\u0022\u007d`}, true}, {[]string{` \n`}, false}, {[]string{`\ud83d`}, false}, {[]string{`}`}, false},
	} {
		var j jsonEnd
		for _, p := range x.pieces {
			j.add([]byte(p))
		}
		if j.done() != x.done {
			t.Errorf("%q: %v", x.pieces, j.done())
		}
	}
}
