// SPDX-License-Identifier: AGPL-3.0-only

package gemini

// jsonEnd finds out where a JSON object that comes in pieces has ended.
type jsonEnd struct {
	depth    int
	begun    bool
	inString bool
	escaped  bool // the next character of the string is
}

// done reports that nothing more can belong to the object.
func (j *jsonEnd) done() bool { return j.begun && j.depth == 0 }

func (j *jsonEnd) add(piece string) {
	for i := range len(piece) {
		ch := piece[i]
		switch {
		case j.escaped:
			j.escaped = false
		case j.inString:
			j.escaped = ch == '\\'
			j.inString = ch != '"'
		case ch == '"':
			j.inString = true
		case ch == '{', ch == '[':
			j.depth++
			j.begun = true
		case ch == '}', ch == ']':
			j.depth = max(j.depth-1, 0)
		}
	}
}
