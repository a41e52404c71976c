// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

// Whole finds out where a JSON object that comes in pieces has ended. It takes for
// granted that the object is well formed. The zero value has seen nothing.
type Whole struct {
	depth    int
	begun    bool
	inString bool
	escaped  bool // the next character of the string is
}

// Done reports that nothing more can belong to the object.
func (j *Whole) Done() bool { return j.begun && j.depth == 0 }

// Add takes the next piece, unescaped.
func (j *Whole) Add(piece string) {
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
