// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What a request says of its tools, both ways.

// tools reads the tools. An entry may hold functions and tools of Google's own at
// once; each of these becomes a tool by itself, whose type is its name.
func (r *reader) tools(q *hoosh.Request) {
	r.array("an array of tools", func() {
		r.object("a tool object", func(name string) {
			if name == "functionDeclarations" {
				r.array("an array of functions", func() { q.Tools = append(q.Tools, r.function()) })
				return
			}
			m := r.Member()
			if m.Key == "" {
				r.Fail(r.C.KeyStart(), "want the name of a kind of tool")
			}
			raw := appendField(nil, string(jsonpeek.AppendEscape(nil, m.Key)), m.Value)
			q.Tools = append(q.Tools, hoosh.Tool{Type: m.Key, Raw: append(raw, '}')})
		})
	})
}

// function reads the declaration at hand.
func (r *reader) function() (t hoosh.Tool) {
	at := r.C.Pos()
	r.object("a function's declaration", func(name string) {
		switch name {
		case "name":
			t.Name = r.Str("a string")
		case "description":
			t.Description, _ = r.Text("a string")
		case "parameters":
			if r.C.Kind() == jsonpeek.Object && t.Parameters == nil {
				t.Parameters = appendJSONSchema(nil, &r.C)
			}
		case "parametersJsonSchema":
			if raw := r.Raw("a JSON Schema object"); raw != nil {
				t.Parameters = raw
			}
		default:
			t.Extra = append(t.Extra, r.Member())
		}
	})
	if t.Name == "" {
		r.Fail(at, "want the function's name")
	}
	return t
}

func (r *reader) toolConfig(q *hoosh.Request) {
	var rest []byte
	r.object("an object", func(name string) {
		if name == "functionCallingConfig" {
			r.callingConfig(q)
		} else {
			rest = appendMember(rest, r)
		}
	})
	if rest != nil {
		q.Extra = append(q.Extra, hoosh.Member{Key: "toolConfig", Value: append(rest, '}')})
	}
}

// callingConfig reads which function must be called. Several that may be, and modes
// that only this format has, stay as they are.
func (r *reader) callingConfig(q *hoosh.Request) {
	whole := r.C
	mode, allowed, other := "", []string(nil), false
	r.object("an object", func(name string) {
		switch name {
		case "mode":
			mode = strings.ToUpper(r.Str("a string"))
		case "allowedFunctionNames":
			r.array("an array of names", func() { allowed = append(allowed, r.Str("a string")) })
		default:
			other = true
		}
	})
	choice := hoosh.ToolChoice{}
	switch {
	case mode == "AUTO" && allowed == nil:
		choice.Mode = "auto"
	case mode == "NONE":
		choice.Mode = "none"
	case mode == "ANY" && allowed == nil:
		choice.Mode = "required"
	case mode == "ANY" && len(allowed) == 1:
		choice.Mode, choice.Name = "function", allowed[0]
	case mode == "" || mode == "MODE_UNSPECIFIED":
	default:
		other = true
	}
	if other {
		choice = hoosh.ToolChoice{Raw: whole.Value()}
	}
	q.ToolChoice = choice
}

// tools writes the tools, and which of them must be called.
func (w *writer) tools(q *hoosh.Request) {
	from, functions := len(w.b), 0
	w.key("tools")
	w.b = append(w.b, '[')
	inside, open := len(w.b), false
	for i := range q.Tools {
		t := &q.Tools[i]
		switch {
		case t.Type == "":
			if !open {
				w.comma()
				w.b = append(w.b, `{"functionDeclarations":[`...)
				open = true
			}
			w.function(t)
			functions++
		case w.extras:
			if open {
				w.b = append(w.b, "]}"...)
				open = false
			}
			w.comma()
			w.raw(t.Raw, "tools")
		default:
			w.drop("tools[" + strconv.Itoa(i) + "]")
		}
	}
	if open {
		w.b = append(w.b, "]}"...)
	}
	if len(w.b) == inside {
		w.b = w.b[:from]
	} else {
		w.b = append(w.b, ']')
	}
	if q.ParallelTools != nil && !*q.ParallelTools {
		w.drop("parallel_tool_calls")
	}
	w.toolConfig(q, functions > 0)
}

func (w *writer) function(t *hoosh.Tool) {
	w.comma()
	w.b = append(w.b, `{"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, t.Name)
	if !t.Description.IsEmpty() {
		w.key("description")
		w.b = t.Description.AppendJSON(w.b)
	}
	if len(t.Parameters) > 0 && string(t.Parameters) != "null" {
		w.key("parametersJsonSchema")
		w.raw(t.Parameters, "tools")
	}
	if t.Strict != nil && *t.Strict {
		w.drop("strict")
	}
	w.extra(t.Extra, "name", "description", "parameters", "parametersJsonSchema")
	w.b = append(w.b, '}')
}

// toolConfig writes the choice of a tool, which is refused without functions, and
// what else a client of this format has said there.
func (w *writer) toolConfig(q *hoosh.Request, functions bool) {
	from := len(w.b)
	w.key("toolConfig")
	w.b = append(w.b, '{')
	inside := len(w.b)
	switch t := q.ToolChoice; {
	case w.from != Dialect && t.Mode == "function" && !slices.ContainsFunc(q.Tools, func(f hoosh.Tool) bool { return f.Type == "" && f.Name == t.Name }):
		w.drop("tool_choice") // it is none of those that were written
	case functions:
		w.choice(t)
	}
	w.rest(q.Extra, "toolConfig", "functionCallingConfig")
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, '}')
}

func (w *writer) choice(t hoosh.ToolChoice) {
	mode := ""
	switch {
	case t.Raw != nil && w.extras:
		w.key("functionCallingConfig")
		w.raw(t.Raw, "tool_choice")
		return
	case t.Raw != nil:
		w.drop("tool_choice")
		return
	case t.Mode == "":
		return
	case t.Mode == "required", t.Mode == "function":
		mode = "ANY"
	case t.Mode == "none":
		mode = "NONE"
	default:
		mode = "AUTO"
	}
	w.key("functionCallingConfig")
	w.b = append(append(append(w.b, `{"mode":"`...), mode...), '"')
	if t.Mode == "function" {
		w.key("allowedFunctionNames")
		w.b = append(jsonpeek.AppendQuote(append(w.b, '['), t.Name), ']')
	}
	w.b = append(w.b, '}')
}

// rest writes the members of the object that x holds under a key, in this format's
// words, but for those that were written from fields.
func (w *writer) rest(x hoosh.Extra, key string, but ...string) {
	if !w.extras {
		return
	}
	value := x.Get(key)
	if value == nil {
		return
	}
	if w.check {
		if err := jsonpeek.Valid(value); err != nil {
			w.fail(hoosh.ErrInvalidRequest, key, "the raw JSON is not valid: "+err.Error())
			return
		}
	}
	c := jsonpeek.NewDepth(value, jsonpeek.MaxDepth)
	if !c.Object() {
		w.fail(hoosh.ErrInvalidRequest, key, "want an object")
		return
	}
	for c.Next() {
		name := keyOf(c.Key())
		if slices.Contains(but, name) {
			w.drop(key + "." + name) // it would contradict the field
			continue
		}
		w.comma()
		w.b = append(jsonpeek.AppendQuote(w.b, name), ':')
		w.b = append(w.b, c.Value()...)
	}
}
