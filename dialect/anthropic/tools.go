// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What a request says of its tools, both ways.

func (r *reader) tools(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Array() {
		r.Want("an array of tools")
		return
	}
	for r.C.Next() {
		q.Tools = append(q.Tools, r.tool())
	}
}

// tool reads one. A tool of the vendor's own has a dated type.
func (r *reader) tool() (t hoosh.Tool) {
	at := r.C.Pos()
	if kind := r.typeOf(); len(kind) > 0 && string(kind) != "custom" {
		return hoosh.Tool{Type: string(kind), Raw: r.C.Value()}
	}
	if !r.C.Object() {
		r.Want("a tool object")
		return t
	}
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
		case "name":
			t.Name = r.Str("a string")
		case "description":
			t.Description, _ = r.Text("a string")
		case "input_schema":
			t.Parameters = r.Raw("a JSON Schema object")
		case "strict":
			t.Strict = r.Bool()
		default:
			t.Extra = append(t.Extra, r.Member())
		}
	}
	if t.Name == "" {
		r.Fail(at, "want the tool's name")
	}
	return t
}

func (r *reader) toolChoice(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	at, whole := r.C.Pos(), r.C
	if !r.C.Object() {
		r.Want("an object with a type")
		return
	}
	kind := ""
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
			kind = r.Str("a string")
		case "name":
			q.ToolChoice.Name = r.Str("a string")
		case "disable_parallel_tool_use":
			if off := r.Bool(); off != nil {
				q.ParallelTools = hoosh.Ptr(!*off)
			}
		}
	}
	name := q.ToolChoice.Name
	q.ToolChoice.Name = ""
	switch kind {
	case "auto", "none":
		q.ToolChoice.Mode = kind
	case "any":
		q.ToolChoice.Mode = "required"
	case "tool":
		if q.ToolChoice.Mode, q.ToolChoice.Name = "function", name; name == "" {
			r.Fail(at, "want the tool's name")
		}
	case "":
		r.Fail(at, `want a "type"`)
	default:
		q.ToolChoice = hoosh.ToolChoice{Raw: whole.Value()}
	}
}

// answerTool is the tool by which hoosh has a model answer by a schema, where it
// takes none.
const answerTool = "hoosh_answer"

// tools writes the tools, and which of them must be called. The history may hold
// calls of tools that are not among them: Anthropic wants some tool defined then.
func (w *writer) tools(q *hoosh.Request) {
	written := 0
	from := len(w.b)
	w.key("tools")
	w.b = append(w.b, '[')
	for i := range q.Tools {
		if t := &q.Tools[i]; t.Type == "" || w.extras {
			w.tool(t)
			written++
		} else {
			w.drop("tools[" + strconv.Itoa(i) + "]")
		}
	}
	choice := q.ToolChoice
	if choice.Mode == "function" && !w.offers(q) {
		w.drop("tool_choice")
		choice = hoosh.ToolChoice{}
	}
	if written == 0 {
		for _, name := range w.called {
			w.tool(&hoosh.Tool{Name: name})
			written++
		}
		choice = hoosh.ToolChoice{Mode: "none"}
	}
	w.b = append(w.b, ']')
	if written == 0 {
		w.b = w.b[:from]
		return // the choice of a tool without tools is refused
	}
	w.choice(choice, q.ParallelTools)
}

// offers reports that the tool which must be called is among those written.
func (w *writer) offers(q *hoosh.Request) bool {
	return w.extras || slices.ContainsFunc(q.Tools, func(t hoosh.Tool) bool { return t.Type == "" && t.Name == q.ToolChoice.Name })
}

// emptySchema is that of a tool without parameters.
const emptySchema = `{"type":"object","properties":{}}`

func (w *writer) tool(t *hoosh.Tool) {
	w.comma()
	if t.Type != "" {
		w.raw(t.Raw, "tools")
		return
	}
	w.b = append(w.b, `{"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, t.Name)
	if !t.Description.IsEmpty() {
		w.key("description")
		w.b = t.Description.AppendJSON(w.b)
	}
	w.key("input_schema")
	w.schema(t.Parameters)
	if t.Strict != nil {
		if w.model.schemas {
			w.key("strict")
			w.b = strconv.AppendBool(w.b, *t.Strict)
		} else if *t.Strict {
			w.drop("strict")
		}
	}
	w.extra(t.Extra, "name", "description", "input_schema", "strict", "type")
	w.b = append(w.b, '}')
}

// schema writes the schema of a tool's parameters, which must say that it is of an
// object.
func (w *writer) schema(s []byte) {
	c := jsonpeek.NewDepth(s, jsonpeek.MaxDepth)
	if len(s) == 0 || string(s) == "null" {
		w.b = append(w.b, emptySchema...)
		return
	}
	if !c.Object() {
		w.raw(s, "tools")
		return
	}
	inside, empty := c.Pos(), true
	for c.Next() {
		if empty = false; string(c.Key()) == "type" {
			w.raw(s, "tools")
			return
		}
	}
	if empty && c.Err() == nil {
		w.b = append(w.b, emptySchema...)
		return
	}
	w.b = append(w.b, `{"type":"object",`...)
	from := len(w.b)
	w.raw(s, "tools")
	w.b = append(w.b[:from], s[inside:]...)
}

// choice writes which tool must be called, and whether several may be at once.
func (w *writer) choice(t hoosh.ToolChoice, parallel *bool) {
	word := ""
	switch {
	case t.Raw != nil:
		if !w.extras {
			w.drop("tool_choice")
			break
		}
		w.key("tool_choice")
		w.raw(t.Raw, "tool_choice")
		return
	case t.Mode == "required":
		word = "any"
	case t.Mode == "function":
		word = "tool"
	default:
		word = t.Mode
	}
	if w.thinks && (word == "any" || word == "tool") {
		w.drop("tool_choice")
		word = ""
	}
	if word == "" {
		if parallel == nil {
			return
		}
		word = "auto"
	}
	w.key("tool_choice")
	w.b = append(append(append(w.b, `{"type":"`...), word...), '"')
	if word == "tool" {
		w.key("name")
		w.b = jsonpeek.AppendQuote(w.b, t.Name)
	}
	if parallel != nil && word != "none" {
		w.key("disable_parallel_tool_use")
		w.b = strconv.AppendBool(w.b, !*parallel)
	}
	w.b = append(w.b, '}')
}
