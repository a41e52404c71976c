// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"fmt"
	"strings"
)

// expand puts the environment into a value: ${NAME}, ${NAME:-default} where the
// default also stands for a variable that is empty, and $$ for a dollar sign.
// Any other dollar sign stands for itself. It works on values after the YAML
// has been read, so that nothing in a variable can become structure.
func expand(s string, lookup func(string) (string, bool)) (value string, expanded bool, err error) {
	if !strings.Contains(s, "$") {
		return s, false, nil
	}
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			b.WriteString(s)
			return b.String(), expanded, nil
		}
		b.WriteString(s[:i])
		s = s[i+1:]
		switch s[0] {
		case '$':
			b.WriteByte('$')
			s = s[1:]
		case '{':
			inside, rest, closed := strings.Cut(s[1:], "}")
			if !closed {
				return "", true, &expandError{"${ without its }", "${NAME}, ${NAME:-default}, or $${ for the characters themselves"}
			}
			v, err := variable(inside, lookup)
			if err != nil {
				return "", true, err
			}
			b.WriteString(v)
			s, expanded = rest, true
		default:
			b.WriteByte('$')
		}
	}
}

// expandError is a message with what would be right.
type expandError struct{ message, want string }

func (e *expandError) Error() string { return e.message + "; want " + e.want }

// variable gives the value of what stands between ${ and }.
func variable(inside string, lookup func(string) (string, bool)) (string, error) {
	name, otherwise, hasDefault := strings.Cut(inside, ":-")
	if !validName(name) {
		return "", &expandError{"what stands between ${ and } does not name a variable", "${NAME} or ${NAME:-default}"}
	}
	if strings.Contains(otherwise, "${") {
		return "", &expandError{fmt.Sprintf("the default of ${%s} holds another ${", name), "a default without variables"}
	}
	v, set := "", false
	if lookup != nil {
		v, set = lookup(name)
	}
	switch {
	case set && v != "":
		return v, nil
	case hasDefault:
		return strings.ReplaceAll(otherwise, "$$", "$"), nil
	case set:
		return "", nil
	}
	return "", &expandError{fmt.Sprintf("the environment variable %s is not set", name), fmt.Sprintf("it set, or a default: ${%s:-…}", name)}
}

func validName(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}
