// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What a request says of its tools and of the form of its answer, as it is read;
// write_tools.go writes it.

// keys of [hoosh.Tool.Extra], and of a call, that say where it comes from: notes, see
// [hoosh.Member].
const (
	extraNamespace = "\xffnamespace"             // a JSON string
	extraAbout     = "\xffnamespace_description" // on the first of a namespace
	extraOwnName   = "\xffname"                  // within its namespace, where another tool has it too
	extraCustom    = "\xffcustom"                // the whole definition of a custom tool
)

// inputSchema is that of the function which stands for a custom tool.
const inputSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

func (r *reader) tools(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Array() {
		r.Want("an array of tools")
		return
	}
	for r.C.Next() {
		r.tool(q, nil)
	}
}

// tool reads a tool; namespace is the name of the one that it stands in, as a
// JSON string.
func (r *reader) tool(q *hoosh.Request, namespace []byte) {
	at := r.C.Pos()
	if r.C.Kind() != jsonpeek.Object {
		r.Want("a tool object")
		return
	}
	var t hoosh.Tool
	switch kind := string(r.peek("type")); kind {
	case "function", "":
		t = r.function()
	case "custom":
		t = r.custom()
	case "namespace":
		if namespace == nil {
			r.namespace(q)
			return
		}
		fallthrough
	default:
		q.Tools = append(q.Tools, hoosh.Tool{Type: kind, Raw: r.C.Value()})
		return
	}
	if t.Name == "" {
		r.Fail(at, "want the tool's name")
	}
	if namespace != nil {
		t.Extra = append(t.Extra, hoosh.Member{Key: extraNamespace, Value: namespace})
	}
	q.Tools = append(q.Tools, t)
}

func (r *reader) function() (t hoosh.Tool) {
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
		case "name":
			t.Name = r.Str("a string")
		case "description":
			t.Description, _ = r.Text("a string")
		case "parameters":
			t.Parameters = r.Raw("a JSON Schema object")
		case "strict":
			t.Strict = r.Bool()
		default:
			t.Extra = append(t.Extra, r.Member())
		}
	}
	return t
}

// custom reads a tool whose input is any text, or text of a grammar that others
// are told in words.
func (r *reader) custom() (t hoosh.Tool) {
	whole := r.C
	t.Extra = hoosh.Extra{{Key: extraCustom, Value: whole.Value()}}
	t.Parameters = []byte(inputSchema)
	var format []byte
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "name":
			t.Name = r.Str("a string")
		case "description":
			t.Description, _ = r.Text("a string")
		case "format":
			format = r.Raw("an object")
		}
	}
	if grammar := stringMember(format, "definition"); len(grammar) > 0 {
		words := t.Description.String() + "\n\nThe input must be text of this " + jsonpeek.Unquote(stringMember(format, "syntax")) + " grammar:\n" + jsonpeek.Unquote(grammar)
		t.Description = hoosh.NewText(strings.TrimSpace(words))
	}
	return t
}

// namespace reads a tool that holds others, which become tools like any.
func (r *reader) namespace(q *hoosh.Request) {
	at, first := r.C.Pos(), len(q.Tools)
	name, about := []byte(nil), []byte(nil)
	c := r.C // ahead, for it may stand behind its tools
	for c.Object(); c.Next(); {
		if name == nil && string(innerKey(c.Key())) == "name" && c.Kind() == jsonpeek.String {
			name = c.Value()
		}
	}
	if len(name) <= len(`""`) {
		r.Fail(at, "want the namespace's name")
		name = []byte(`""`)
	}
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "description":
			if r.C.Kind() == jsonpeek.String {
				about = r.C.Value()
			}
		case "tools", "functions":
			if !r.C.Array() {
				r.Want("an array of tools")
				continue
			}
			for r.C.Next() {
				r.tool(q, name)
			}
		}
	}
	if about != nil && first < len(q.Tools) && q.Tools[first].Type == "" {
		t := &q.Tools[first]
		t.Extra = append(t.Extra, hoosh.Member{Key: extraAbout, Value: about})
	}
}

// ownName is the tool's name within its namespace.
func ownName(t *hoosh.Tool) string {
	if own := t.Extra.Get(extraOwnName); len(own) >= 2 && own[0] == '"' && t.Extra.Get(extraNamespace) != nil {
		return inside(own).String()
	}
	return t.Name
}

// distinct gives tools that are told apart by their namespaces alone names of
// their own.
func distinct(tools []hoosh.Tool) (changed bool) {
	taken := map[string]bool{}
	for i := range tools {
		if tools[i].Extra.Get(extraNamespace) == nil {
			taken[tools[i].Name] = true
		}
	}
	for i := range tools {
		t := &tools[i]
		namespace := t.Extra.Get(extraNamespace)
		if namespace == nil || t.Type != "" {
			continue
		}
		if own := t.Name; taken[own] {
			t.Extra = append(t.Extra, hoosh.Member{Key: extraOwnName, Value: jsonpeek.AppendQuote(nil, own)})
			for t.Name = inside(namespace).String() + "__" + own; taken[t.Name]; {
				t.Name += "_"
			}
			changed = true
		}
		taken[t.Name] = true
	}
	return changed
}

// rename gives the calls of tools that have got other names those names.
func rename(q *hoosh.Request) {
	if !distinct(q.Tools) {
		return
	}
	names := map[string]string{} // by namespace and own name
	for i := range q.Tools {
		t := &q.Tools[i]
		if own := ownName(t); own != t.Name {
			names[string(t.Extra.Get(extraNamespace))+own] = t.Name
		}
	}
	for i := range q.Messages {
		for _, call := range q.Messages[i].ToolCalls() {
			if name := names[string(call.Extra.Get(extraNamespace))+call.Name]; name != "" {
				call.Name = name
			}
		}
	}
}

func (r *reader) toolChoice(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	at := r.C.Pos()
	if raw, ok := r.C.Str(); ok {
		switch mode := string(codec.Plain(raw)); mode {
		case "none", "auto", "required":
			q.ToolChoice = hoosh.ToolChoice{Mode: mode}
		default:
			r.Fail(at, `want "none", "auto", "required" or an object`)
		}
		return
	}
	if r.C.Kind() != jsonpeek.Object {
		r.Want(`"none", "auto", "required" or an object`)
		return
	}
	switch string(r.peek("type")) {
	case "function", "custom":
		name := string(r.peek("name"))
		if name == "" {
			r.Fail(at, "want the tool's name")
		}
		q.ToolChoice = hoosh.ToolChoice{Mode: "function", Name: name}
		r.C.Skip()
	default:
		q.ToolChoice = hoosh.ToolChoice{Raw: r.C.Value()}
	}
}

// schemaName is that of a schema which came without, for OpenAI wants one.
const schemaName = "response"

// textOptions reads "text": the form of the answer, and how wordy it is. A form that
// hoosh has no field for stays with the unknown members, and all beside it.
func (r *reader) textOptions(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	whole := r.C
	if !r.C.Object() {
		r.Want("an object")
		return
	}
	for r.C.Next() {
		switch string(r.key()) {
		case "verbosity":
			q.Verbosity = r.Str("a string")
		case "format":
			if !r.format(&q.Format) {
				q.Extra = append(q.Extra, hoosh.Member{Key: "text", Value: whole.Value()})
			}
		}
	}
	if q.Extra.Get("text") != nil {
		q.Verbosity, q.Format = "", hoosh.Format{}
	}
}

// format reports that it knows the form.
func (r *reader) format(f *hoosh.Format) bool {
	if r.C.Null() {
		return true
	}
	at := r.C.Pos()
	*f = hoosh.Format{Type: string(r.peek("type"))}
	switch f.Type {
	case "text", "json_object":
		r.C.Skip()
		return true
	case "json_schema":
	default:
		if f.Type == "" {
			r.Want("an object with a type")
			return true
		}
		return false
	}
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "name":
			f.Name = r.Str("a string")
		case "description":
			f.Description = r.Str("a string")
		case "schema":
			f.Schema = r.Raw("a JSON Schema object")
		case "strict":
			f.Strict = r.Bool()
		}
	}
	if f.Schema == nil {
		r.Fail(at, `want a "schema", as its type says`)
	}
	if f.Name == "" {
		f.Name = schemaName
	}
	return true
}

// reasoning reads how much to think, and whether it shall be shown.
func (r *reader) reasoning(q *hoosh.Request) {
	if r.C.Null() {
		return
	}
	if !r.C.Object() {
		r.Want("an object")
		return
	}
	for r.C.Next() {
		switch string(r.key()) {
		case "effort":
			q.Reasoning.Effort = r.Str("a string")
		case "summary", "generate_summary":
			if r.Str("a string") != "" {
				q.Reasoning.Show = hoosh.Ptr(true)
			}
		}
	}
}
