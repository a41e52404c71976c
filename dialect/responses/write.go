// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// writer writes one request for a backend.
type writer struct {
	b       []byte
	op      hoosh.Operation
	p       *hoosh.Profile // never nil
	model   string
	from    *hoosh.Dialect // the caller's, nil for a Go program
	native  bool           // members without a field are in this format's words
	check   bool           // raw JSON is a Go program's, and may not be JSON
	tools   []hoosh.Tool
	at      int             // which message, for names and errors
	custom  map[string]bool // ids of the calls of custom tools so far
	dropped []string
	err     *hoosh.Error
}

var noProfile = hoosh.Profile{}

// comma separates what follows from what stands before it. No JSON value ends
// in an opening bracket or a colon, so the last byte tells whether there is one.
func (w *writer) comma() {
	switch w.b[len(w.b)-1] {
	case '[', '{', ':':
	default:
		w.b = append(w.b, ',')
	}
}

// key begins a member; name needs no escaping.
func (w *writer) key(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
}

func (w *writer) put(s string)   { w.b = append(w.b, s...) }
func (w *writer) quote(s string) { w.b = jsonpeek.AppendQuote(w.b, s) }

// quoted writes a member that is a string, if it says anything.
func (w *writer) quoted(name, s string) {
	if s != "" {
		w.key(name)
		w.quote(s)
	}
}

// raw writes JSON as it stands. What a Go program gave is checked: one value,
// and nothing that would change the rest of the body.
func (w *writer) raw(value []byte, path string) {
	if value == nil {
		value = []byte("null")
	}
	if w.check {
		if err := jsonpeek.Valid(value); err != nil {
			w.fail(hoosh.ErrInvalidRequest, path, "the raw JSON is not valid: "+err.Error())
		}
	}
	w.b = append(w.b, value...)
}

func (w *writer) fail(kind error, path, message string) {
	if w.err == nil {
		w.err = &hoosh.Error{Kind: kind, Op: w.op, Param: path, Message: message}
	}
}

// maxDropped bounds what is named: more would help nobody.
const maxDropped = 64

// drop names what is left out, once.
func (w *writer) drop(name string) {
	if !slices.Contains(w.dropped, name) && len(w.dropped) < maxDropped {
		w.dropped = append(w.dropped, name)
	}
}

func (w *writer) dropExtra(x hoosh.Extra) {
	for i := range x {
		if !x[i].IsNote() {
			w.drop(x[i].Key)
		}
	}
}

// extra writes the members of x, but for those that were written already.
func (w *writer) extra(x hoosh.Extra, but ...string) {
	if !w.native {
		w.dropExtra(x)
		return
	}
	for i := range x {
		if !slices.Contains(but, x[i].Key) && !x[i].IsNote() {
			w.comma()
			w.quote(x[i].Key)
			w.put(":")
			w.raw(x[i].Value, x[i].Key)
		}
	}
}

// top writes a top-level member by the profile's rules, and reports whether it
// is there.
func (w *writer) top(name string, write func()) bool {
	start := len(w.b)
	w.key(name)
	value := len(w.b)
	write()
	if len(w.p.Rules) == 0 {
		return true
	}
	rule := w.p.RuleFor(name, w.model)
	switch {
	case rule == nil, rule.Keep != "" && string(w.b[value:]) == rule.Keep:
		return true
	case rule.Rename != "":
		renamed := append(jsonpeek.AppendQuote([]byte{','}, rule.Rename), ':')
		w.b = slices.Replace(w.b, start, value, renamed...)
		return true
	}
	w.b = w.b[:start]
	w.drop(name)
	return false
}

func (w *writer) float(name string, f *float64) {
	if f == nil {
		return
	}
	if math.IsNaN(*f) || math.IsInf(*f, 0) {
		w.fail(hoosh.ErrInvalidRequest, name, "want a finite number")
		return
	}
	w.top(name, func() { w.b = appendFloat(w.b, *f) })
}

// appendFloat appends the shortest text that reads as f again.
func appendFloat(dst []byte, f float64) []byte {
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, 64)
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendInside appends what t says without the quotes, so that pieces can be
// joined into one string.
func appendInside(dst []byte, t hoosh.Text) []byte {
	// The opening quote is written over the last byte, which comes back.
	n := len(dst)
	if n == 0 {
		quoted := t.AppendJSON(nil)
		return append(dst, quoted[1:len(quoted)-1]...)
	}
	last := dst[n-1]
	dst = t.AppendJSON(dst[:n-1])
	dst[n-1] = last
	return dst[:len(dst)-1]
}

// place is the path of a part, for names and errors.
func (w *writer) place(part int) string {
	return fmt.Sprintf("messages[%d].content[%d]", w.at, part)
}

// reasons reports that a model of OpenAI's thinks before it answers: it can be
// asked for its thinking, encrypted, and refuses to be told how to sample.
func reasons(model string) bool {
	switch {
	case strings.Contains(model, "-chat"):
		return false
	case strings.HasPrefix(model, "codex"):
		return true
	case len(model) >= 2 && model[0] == 'o':
		return '0' <= model[1] && model[1] <= '9'
	}
	version, ok := strings.CutPrefix(model, "gpt-")
	return ok && version != "" && '5' <= version[0] && version[0] <= '9'
}
