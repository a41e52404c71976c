// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What a request says of its tools and of the form of its answer, both ways.

func (r *openAIReader) tools(q *Request) {
	if r.c.Null() {
		return
	}
	if !r.c.Array() {
		r.want("an array of tools")
		return
	}
	for r.c.Next() {
		q.Tools = append(q.Tools, r.tool())
	}
}

func (r *openAIReader) tool() (t Tool) {
	at := r.c.Pos()
	kind := r.typeOf()
	if len(kind) > 0 && string(kind) != "function" {
		return Tool{Type: string(kind), Raw: r.c.Value()}
	}
	if !r.c.Object() {
		r.want("a tool object")
		return t
	}
	found := false
	for r.c.Next() {
		switch string(r.key()) {
		case "type":
		case "function":
			found = true
			r.function(&t)
		default:
			t.Extra = append(t.Extra, r.member())
		}
	}
	if !found {
		r.fail(at, `want a "function" with a name`)
	}
	return t
}

// function reads the definition of a function.
func (r *openAIReader) function(t *Tool) {
	at := r.c.Pos()
	if !r.c.Object() {
		r.want("an object with the function's name")
		return
	}
	for r.c.Next() {
		switch string(r.key()) {
		case "name":
			t.Name = r.str("a string")
		case "description":
			t.Description, _ = r.text("a string")
		case "parameters":
			t.Parameters = r.raw("a JSON Schema object")
		case "strict":
			t.Strict = r.bool()
		}
	}
	if t.Name == "" {
		r.fail(at, "want the function's name")
	}
}

// functions reads what tools were called before.
func (r *openAIReader) functions(q *Request) {
	if r.c.Null() {
		return
	}
	if !r.c.Array() {
		r.want("an array of functions")
		return
	}
	for r.c.Next() {
		var t Tool
		r.function(&t)
		q.Tools = append(q.Tools, t)
	}
}

func (r *openAIReader) toolChoice(q *Request) {
	if r.c.Null() {
		return
	}
	if raw, ok := r.c.Str(); ok {
		at := r.c.Pos() - len(raw) - 1
		switch mode := string(plainJSON(raw)); mode {
		case "none", "auto", "required":
			q.ToolChoice = ToolChoice{Mode: mode}
		case "any": // Mistral's word
			q.ToolChoice = ToolChoice{Mode: "required"}
		default:
			r.fail(at, `want "none", "auto", "required" or an object`)
		}
		return
	}
	if r.c.Kind() != jsonpeek.Object {
		r.want(`"none", "auto", "required" or an object`)
		return
	}
	if string(r.typeOf()) != "function" {
		q.ToolChoice = ToolChoice{Raw: r.c.Value()}
		return
	}
	at := r.c.Pos()
	q.ToolChoice = ToolChoice{Mode: "function"}
	r.c.Object()
	for r.c.Next() {
		if string(r.key()) == "function" {
			q.ToolChoice.Name = r.functionName()
		}
	}
	if q.ToolChoice.Name == "" {
		r.fail(at, `want a "function" with a name`)
	}
}

// functionChoice reads what tool_choice was called before.
func (r *openAIReader) functionChoice(q *Request) {
	if raw, ok := r.c.Str(); ok {
		q.ToolChoice = ToolChoice{Mode: "auto"}
		if string(raw) == "none" {
			q.ToolChoice.Mode = "none"
		}
		return
	}
	if r.c.Null() {
		return
	}
	at := r.c.Pos()
	q.ToolChoice = ToolChoice{Mode: "function", Name: r.functionName()}
	if q.ToolChoice.Name == "" {
		r.fail(at, `want "none", "auto" or an object with the function's name`)
	}
}

// functionName reads {"name": …}.
func (r *openAIReader) functionName() (name string) {
	if !r.c.Object() {
		r.want("an object with the function's name")
		return ""
	}
	for r.c.Next() {
		if string(r.key()) == "name" {
			name = r.str("a string")
		}
	}
	return name
}

// schemaName is that of a schema which came without, for OpenAI wants one.
const schemaName = "response"

// format reads response_format. A form that hoosh has no field for stays with
// the unknown members.
func (r *openAIReader) format(q *Request) {
	if r.c.Null() {
		return
	}
	at := r.c.Pos()
	f := Format{Type: string(r.typeOf())}
	switch f.Type {
	case "text", "json_object", "json_schema":
	default:
		if f.Type == "" || r.c.Kind() != jsonpeek.Object {
			r.want("an object with a type")
			return
		}
		q.Extra = append(q.Extra, Member{Key: "response_format", Value: r.c.Value()})
		return
	}
	r.c.Object()
	found := false
	for r.c.Next() {
		switch string(r.key()) {
		case "json_schema":
			found = found || r.c.Kind() == jsonpeek.Object
			r.schema(&f)
		case "schema": // llama.cpp and others: json_object with the schema beside it
			if schema := r.raw("a JSON Schema object"); schema != nil {
				f.Type, f.Schema, found = "json_schema", schema, true
			}
		}
	}
	if f.Type == "json_schema" {
		if !found {
			r.fail(at, `want a "json_schema" object with a name and a schema`)
		}
		f.Name = or(f.Name, schemaName)
	} else {
		f = Format{Type: f.Type}
	}
	q.Format = f
}

func (r *openAIReader) schema(f *Format) {
	if r.c.Null() {
		return
	}
	if !r.c.Object() {
		r.want("an object with a name and a schema")
		return
	}
	for r.c.Next() {
		switch string(r.key()) {
		case "name":
			f.Name = r.str("a string")
		case "description":
			f.Description = r.str("a string")
		case "schema":
			f.Schema = r.raw("a JSON Schema object")
		case "strict":
			f.Strict = r.bool()
		}
	}
}

// tools writes the tools and what goes with them.
func (w *openAIWriter) tools(q *Request) {
	written := 0
	if len(q.Tools) > 0 {
		m := w.top("tools")
		w.open('[')
		for i := range q.Tools {
			if t := &q.Tools[i]; t.Type == "" || w.extras {
				w.tool(t)
				written++
			} else {
				w.drop("tools[" + strconv.Itoa(i) + "]")
			}
		}
		w.close(']')
		if written == 0 {
			w.b = w.b[:m.start]
		} else {
			w.end(m)
		}
	}
	if written == 0 && (len(q.Tools) > 0 || w.from != OpenAI) {
		return // the choice of a tool without tools is refused
	}
	if q.ToolChoice.Raw != nil && !w.extras || q.ToolChoice.Mode == "function" && !w.offers(q) {
		w.drop("tool_choice")
	} else if !q.ToolChoice.IsZero() {
		m := w.top("tool_choice")
		w.toolChoice(q.ToolChoice)
		w.end(m)
	}
	if q.ParallelTools != nil {
		m := w.top("parallel_tool_calls")
		w.b = strconv.AppendBool(w.b, *q.ParallelTools)
		w.end(m)
	}
}

// offers reports that the tool which must be called is among those written.
func (w *openAIWriter) offers(q *Request) bool {
	return w.extras || slices.ContainsFunc(q.Tools, func(t Tool) bool { return t.Type == "" && t.Name == q.ToolChoice.Name })
}

func (w *openAIWriter) tool(t *Tool) {
	w.comma()
	if t.Type != "" {
		w.raw(t.Raw, "tools")
		return
	}
	w.b = append(w.b, `{"type":"function","function":{"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, t.Name)
	if !t.Description.IsEmpty() {
		w.key("description")
		w.b = t.Description.AppendJSON(w.b)
	}
	if t.Parameters != nil {
		w.key("parameters")
		w.raw(t.Parameters, "tools")
	}
	if t.Strict != nil {
		w.key("strict")
		w.b = strconv.AppendBool(w.b, *t.Strict)
	}
	w.close('}')
	w.extra(t.Extra, "type", "function")
	w.close('}')
}

func (w *openAIWriter) toolChoice(t ToolChoice) {
	switch {
	case t.Raw != nil:
		w.raw(t.Raw, "tool_choice")
	case t.Mode == "function":
		w.b = append(w.b, `{"type":"function","function":{"name":`...)
		w.b = append(jsonpeek.AppendQuote(w.b, t.Name), "}}"...)
	case t.Mode == "required" && w.p.ToolChoiceRequired != "":
		w.b = jsonpeek.AppendQuote(w.b, w.p.ToolChoiceRequired)
	default:
		w.b = jsonpeek.AppendQuote(w.b, t.Mode)
	}
}

func (w *openAIWriter) format(f *Format) {
	if f.Type == "" && f.Schema == nil {
		return
	}
	m := w.top("response_format")
	if f.Type != "json_schema" && f.Schema == nil {
		w.b = append(w.b, `{"type":`...)
		w.b = append(jsonpeek.AppendQuote(w.b, f.Type), '}')
		w.end(m)
		return
	}
	w.b = append(w.b, `{"type":"json_schema","json_schema":{"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, or(f.Name, schemaName))
	if f.Description != "" {
		w.key("description")
		w.b = jsonpeek.AppendQuote(w.b, f.Description)
	}
	if f.Schema != nil {
		w.key("schema")
		w.raw(f.Schema, "response_format")
	}
	if f.Strict != nil {
		w.key("strict")
		w.b = strconv.AppendBool(w.b, *f.Strict)
	}
	w.b = append(w.b, "}}"...)
	w.end(m)
}

// reasoning writes how much to think, a budget in tokens as the effort that
// comes near it.
func (w *openAIWriter) reasoning(t Reasoning) {
	effort := t.Effort
	if effort == "" && t.Budget > 0 {
		switch {
		case t.Budget <= 4<<10:
			effort = "low"
		case t.Budget <= 16<<10:
			effort = "medium"
		default:
			effort = "high"
		}
	}
	if effort != "" {
		m := w.top("reasoning_effort")
		w.b = jsonpeek.AppendQuote(w.b, effort)
		w.end(m)
	}
}

// extra writes the members of x, but for those that were written already.
func (w *openAIWriter) extra(x Extra, but ...string) {
	if !w.extras {
		for i := range x {
			if !x[i].IsNote() && !slices.Contains(but, x[i].Key) {
				w.drop(x[i].Key)
			}
		}
		return
	}
	for i := range x {
		if slices.Contains(but, x[i].Key) || x[i].IsNote() {
			continue
		}
		w.comma()
		w.b = append(jsonpeek.AppendQuote(w.b, x[i].Key), ':')
		w.raw(x[i].Value, x[i].Key)
	}
}

// openToolCall is a call without a result.
type openToolCall struct {
	id, name string
	made     bool // the id is ours
}

// answered finds the open call that a result is of, -1 if none: by its id, else by
// its tool's name, else the first. A result whose id nobody knows may be of a call
// that had none.
func answered(open []openToolCall, t *Result) int {
	may := func(o openToolCall) bool { return t.ID == "" || o.made }
	for _, fits := range [...]func(openToolCall) bool{
		func(o openToolCall) bool { return t.ID != "" && o.id == t.ID },
		func(o openToolCall) bool { return t.Name != "" && o.name == t.Name && may(o) },
		may,
	} {
		if i := slices.IndexFunc(open, fits); i >= 0 {
			return i
		}
	}
	return -1
}

// withToolIDs gives an id to every tool call and result that has none, because
// its dialect has none or it is a legacy function's. The ids say where the call stands,
// so the same conversation has the same ids each time. It copies what it
// changes; with nothing missing it is ms itself.
func withToolIDs(ms []Message) []Message {
	if !slices.ContainsFunc(ms, lacksToolID) {
		return ms
	}
	ms = slices.Clone(ms)
	var open []openToolCall
	for i := range ms {
		m := &ms[i]
		m.Parts = slices.Clone(m.Parts)
		first := true
		for j := range m.Parts {
			p := &m.Parts[j]
			switch {
			case p.Kind == PartToolCall && p.Call != nil:
				if first { // what an earlier turn left open stays so
					open, first = open[:0], false
				}
				made := p.Call.ID == ""
				if made {
					call := *p.Call
					call.ID = fmt.Sprintf("call_%d_%d", i, j)
					p.Call = &call
				}
				open = append(open, openToolCall{id: p.Call.ID, name: p.Call.Name, made: made})
			case p.Kind == PartToolResult && p.Result != nil:
				k := answered(open, p.Result)
				if k < 0 {
					continue
				}
				if p.Result.ID != open[k].id {
					result := *p.Result
					result.ID = open[k].id
					p.Result = &result
				}
				open = slices.Delete(open, k, k+1)
			}
		}
	}
	return ms
}

func lacksToolID(m Message) bool {
	return slices.ContainsFunc(m.Parts, func(p Part) bool {
		return p.Kind == PartToolCall && p.Call != nil && p.Call.ID == "" ||
			p.Kind == PartToolResult && p.Result != nil && p.Result.ID == ""
	})
}
