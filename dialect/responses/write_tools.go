// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
)

// toolList writes the tools and what goes with them.
func (w *writer) toolList(q *hoosh.Request) {
	written := 0
	if len(q.Tools) > 0 {
		start := len(w.b)
		if !w.top("tools", func() { written = w.toolArray(q.Tools) }) || written == 0 {
			w.b = w.b[:start]
			if q.ToolChoice.Mode == "function" {
				w.drop("tool_choice")
			}
			return // the choice of a tool without tools is refused
		}
	}
	switch {
	case q.ToolChoice.IsZero():
	case q.ToolChoice.Raw != nil && !w.native && !w.isCustomChoice(q), q.ToolChoice.Mode == "function" && !w.offers(q):
		w.drop("tool_choice")
	default:
		w.top("tool_choice", func() { w.toolChoice(q.ToolChoice) })
	}
	if q.ParallelTools != nil {
		w.top("parallel_tool_calls", func() { w.b = strconv.AppendBool(w.b, *q.ParallelTools) })
	}
}

// offers reports that the tool which must be called is among those written.
func (w *writer) offers(q *hoosh.Request) bool {
	return w.native || slices.ContainsFunc(q.Tools, func(t hoosh.Tool) bool { return t.Type == "" && t.Name == q.ToolChoice.Name })
}

// toolArray writes the tools that can be said and gives their number. Those that
// came in one namespace are in it again.
func (w *writer) toolArray(tools []hoosh.Tool) (written int) {
	w.put("[")
	var open []byte
	for i := range tools {
		t := &tools[i]
		at := "tools[" + strconv.Itoa(i) + "]"
		var namespace []byte
		if w.native {
			namespace = t.Extra.Get(extraNamespace)
		}
		if open != nil && (!bytes.Equal(open, namespace) || t.Extra.Get(extraAbout) != nil) {
			w.put("]}")
			open = nil
		}
		if namespace != nil && open == nil && t.Type == "" {
			w.comma()
			w.put(`{"type":"namespace","name":`)
			w.raw(namespace, at)
			if about := t.Extra.Get(extraAbout); about != nil {
				w.key("description")
				w.raw(about, at)
			}
			w.put(`,"tools":[`)
			open = namespace
		}
		if w.tool(t, at) {
			written++
		}
	}
	if open != nil {
		w.put("]}")
	}
	w.put("]")
	return written
}

// tool writes one tool, if it can be said.
func (w *writer) tool(t *hoosh.Tool, at string) bool {
	switch {
	case t.Type == "custom" && w.from == hoosh.OpenAI:
		return w.chatCustom(t, at)
	case t.Type != "" && !w.native:
		w.drop(at)
		return false
	case t.Type != "":
		w.comma()
		w.raw(t.Raw, at)
		return true
	}
	w.comma()
	if custom := t.Extra.Get(extraCustom); custom != nil && w.native {
		w.raw(custom, at)
		return true
	}
	w.put(`{"type":"function","name":`)
	name := t.Name
	if w.native {
		name = ownName(t)
	}
	w.quote(name)
	if !t.Description.IsEmpty() {
		w.key("description")
		w.b = t.Description.AppendJSON(w.b)
	}
	switch {
	case t.Parameters != nil:
		w.key("parameters")
		w.raw(t.Parameters, at)
	case w.from != Dialect:
		w.put(`,"parameters":{"type":"object","properties":{}}`)
	}
	switch {
	case t.Strict != nil:
		w.key("strict")
		w.b = strconv.AppendBool(w.b, *t.Strict)
	case w.from != Dialect: // here nothing means yes, elsewhere no
		w.put(`,"strict":false`)
	}
	w.extra(t.Extra, "type", "name", "description", "parameters", "strict")
	w.put("}")
	return true
}

// chatCustom writes a custom tool as chat completions define it: all of it in a
// member of its own, and a grammar in another.
func (w *writer) chatCustom(t *hoosh.Tool, at string) bool {
	def := member(t.Raw, "custom")
	name := stringMember(def, "name")
	if len(name) == 0 {
		w.fail(hoosh.ErrInvalidRequest, at, `want a "custom" with a name`)
		return false
	}
	w.comma()
	w.put(`{"type":"custom","name":"`)
	w.b = append(append(w.b, name...), '"')
	if about := member(def, "description"); about != nil {
		w.key("description")
		w.b = append(w.b, about...)
	}
	if format := member(def, "format"); format != nil {
		w.key("format")
		if grammar := member(format, "grammar"); len(grammar) > len("{}") && grammar[0] == '{' {
			w.put(`{"type":"grammar",`)
			w.b = append(w.b, grammar[1:]...)
		} else {
			w.b = append(w.b, format...)
		}
	}
	w.put("}")
	return true
}

// isCustomChoice reports that the choice is that of a custom tool, as chat
// completions write it.
func (w *writer) isCustomChoice(q *hoosh.Request) bool {
	return w.from == hoosh.OpenAI && len(stringMember(member(q.ToolChoice.Raw, "custom"), "name")) > 0
}

func (w *writer) toolChoice(t hoosh.ToolChoice) {
	switch {
	case t.Raw != nil && !w.native:
		w.put(`{"type":"custom","name":"`)
		w.b = append(append(w.b, stringMember(member(t.Raw, "custom"), "name")...), `"}`...)
	case t.Raw != nil:
		w.raw(t.Raw, "tool_choice")
	case t.Mode == "function":
		kind, name := "function", t.Name
		for i := range w.tools {
			tool := &w.tools[i]
			if tool.Type == "" && tool.Name == t.Name && w.native {
				if name = ownName(tool); tool.Extra.Get(extraCustom) != nil {
					kind = "custom"
				}
			}
		}
		w.put(`{"type":"` + kind + `","name":`)
		w.quote(name)
		w.put("}")
	case t.Mode == "required" && w.p.ToolChoiceRequired != "":
		w.quote(w.p.ToolChoiceRequired)
	default:
		w.quote(t.Mode)
	}
}
