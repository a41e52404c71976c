// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import "strings"

// match reports whether name fits pattern, in which * stands for any run of
// characters, none included. Case matters.
func match(pattern, name string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		middle, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, rest)
		}
		i := strings.Index(name, middle)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(middle):], after
	}
}

// matchAny reports whether name fits one of the patterns.
func matchAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if match(p, name) {
			return true
		}
	}
	return false
}

// literals counts the characters of a pattern that are not wild: what makes one
// pattern more specific than another.
func literals(pattern string) int { return len(pattern) - strings.Count(pattern, "*") }
