// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"encoding/json"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeRequest is [hoosh.Dialect.DecodeRequest].
func decodeRequest(op hoosh.Operation, body []byte) (*hoosh.Request, error) {
	f, err := formOf(op)
	if err != nil {
		return nil, err
	}
	r := newReader(op, body)
	q := &hoosh.Request{Op: op, Stream: op == hoosh.OpChat}
	c := &r.c
	if !c.Object() {
		return nil, notJSON(op, body, c, "want a JSON object")
	}
	for c.Next() {
		switch keyOf(f, c.Key()) {
		case keyModel:
			q.Model = r.string()
		case keyStream:
			if on, ok := r.bool(); ok {
				q.Stream = on
			}
		case keyMessages:
			q.Messages = r.messages()
		case keyInput:
			q.Input = r.input()
		case keyPrompt:
			if text := r.text(); !text.IsEmpty() {
				q.Input = []hoosh.Input{{Content: text}}
			}
		case keyTools:
			q.Tools = r.tools()
		case keyFormat:
			q.Format = r.format()
		case keyThink:
			q.Reasoning.Effort = r.think()
		case keyOptions:
			r.options(q)
		case keyDimensions:
			if n, ok := c.Int(); ok && n >= 0 && n < 1<<31 {
				q.Dimensions = int(n)
			} else {
				r.want("a whole number")
			}
		default:
			q.Extra = append(q.Extra, r.extra())
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	hoosh.OpenIDs(q.Messages)
	return q, nil
}

// think is the effort that stands for the value at hand. Plain true is
// Ollama's "medium".
func (r *reader) think() string {
	if on, ok := r.c.Bool(); ok {
		if on {
			return "medium"
		}
		return "none"
	}
	if word, ok := r.c.Str(); ok {
		return jsonpeek.Unquote(word)
	}
	r.want("true, false or a level")
	return ""
}

func (r *reader) format() (f hoosh.Format) {
	if word, ok := r.c.Str(); ok {
		if jsonpeek.Equal(word, "json") {
			f.Type = "json_object"
		}
		return f
	}
	if r.c.Kind() != jsonpeek.Object {
		r.want(`"json" or a JSON Schema object`)
		return f
	}
	return hoosh.Format{Type: "json_schema", Schema: r.c.Value()}
}

func (r *reader) input() []hoosh.Input {
	if text, ok := r.c.Str(); ok {
		if len(text) == 0 {
			return nil
		}
		return []hoosh.Input{{Content: hoosh.RawText(text)}}
	}
	if !r.c.Array() {
		r.want("a string or an array of strings")
		return nil
	}
	var list []hoosh.Input
	for r.c.Next() {
		list = append(list, hoosh.Input{Content: r.text()})
	}
	return list
}

func (r *reader) tools() (tools []hoosh.Tool) {
	if !r.c.Array() {
		r.want("an array of tools")
		return nil
	}
	for r.c.Next() {
		tools = append(tools, r.tool())
	}
	return tools
}

func (r *reader) tool() (t hoosh.Tool) {
	whole := r.c // for a tool of another kind
	c := &r.c
	if !c.Object() {
		r.want("a tool object")
		return t
	}
	for c.Next() {
		switch name := c.Key(); {
		case is(name, "type"):
			if kind := r.string(); kind != "function" {
				t.Type = kind
			}
		case is(name, "function"):
			if !c.Object() {
				r.want("an object with the function's name and parameters")
				continue
			}
			for c.Next() {
				switch name := c.Key(); {
				case is(name, "name"):
					t.Name = r.string()
				case is(name, "description"):
					t.Description = r.text()
				case is(name, "parameters"):
					if !c.Null() {
						t.Parameters = c.Value()
					}
				default:
					c.Skip()
				}
			}
		default:
			t.Extra = append(t.Extra, r.extra())
		}
	}
	if t.Type != "" {
		return hoosh.Tool{Type: t.Type, Name: t.Name, Raw: whole.Value()}
	}
	return t
}

// options reads the options that a Request has fields for; the others stay
// together. Their names are exact, and of two the last one counts.
func (r *reader) options(q *hoosh.Request) {
	c := &r.c
	if !c.Object() {
		r.want("an object")
		return
	}
	var rest []byte
	for c.Next() {
		name := jsonpeek.Unquote(c.Key())
		if c.Kind() != jsonpeek.Null && r.option(q, name) {
			continue
		}
		rest = append(rest, ',')
		rest = append(jsonpeek.AppendQuote(rest, name), ':')
		rest = append(rest, c.Value()...)
	}
	if rest != nil {
		rest[0] = '{'
		q.Extra = append(q.Extra, hoosh.Member{Key: "options", Value: append(rest, '}')})
	}
}

// option reads the value at hand into the field for name, and reports that
// there is one.
func (r *reader) option(q *hoosh.Request, name string) bool {
	into := func(p **float64) {
		if v, ok := r.float(); ok {
			*p = &v
		}
	}
	whole := func() (int64, bool) {
		if n, ok := r.c.Int(); ok {
			return n, true
		}
		v, ok := r.float() // a fraction is cut off, as Ollama does
		return int64(min(max(v, -1<<53), 1<<53)), ok
	}
	switch name {
	case "temperature":
		into(&q.Temperature)
	case "top_p":
		into(&q.TopP)
	case "frequency_penalty":
		into(&q.FrequencyPenalty)
	case "presence_penalty":
		into(&q.PresencePenalty)
	case "top_k":
		if n, ok := whole(); ok {
			q.TopK = hoosh.Ptr(int(n))
		}
	case "seed":
		if n, ok := whole(); ok {
			q.Seed = &n
		}
	case "num_predict": // a negative one is none
		n, _ := whole()
		q.MaxTokens = int(min(max(n, 0), 1<<40))
	case "stop":
		q.Stop = nil
		if !r.c.Array() {
			r.want("an array of strings")
			return true
		}
		for r.c.Next() {
			q.Stop = append(q.Stop, r.text())
		}
	default:
		return false
	}
	return true
}

// maxOpenCalls bounds the search for the call that a result belongs to.
const maxOpenCalls = 256

// messages reads the conversation. Where calls and results have no ids they get
// some that depend on nothing but their place, for the formats that need them: a
// result belongs to the first call of its tool that has none yet.
func (r *reader) messages() (list []hoosh.Message) {
	if !r.c.Array() {
		r.want("an array of messages")
		return nil
	}
	var open []*hoosh.ToolCall // without a result so far
	for i := 0; r.c.Next(); i++ {
		m := r.message()
		for j := range m.calls {
			call := &m.calls[j]
			if call.ID == "" {
				call.ID = "call_" + strconv.Itoa(i) + "_" + strconv.Itoa(j)
			}
			open = append(open, call)
		}
		open = open[max(0, len(open)-maxOpenCalls):]
		out := hoosh.Message{Role: hoosh.Role(m.role), Parts: m.parts(), Extra: m.extra}
		if out.Role == hoosh.RoleTool {
			result := &hoosh.Result{ID: m.callID, Name: m.toolName, Parts: out.Parts}
			open = answer(open, result)
			out.Parts = []hoosh.Part{{Kind: hoosh.PartToolResult, Result: result}}
		}
		list = append(list, out)
	}
	return list
}

// answer finds the call that result belongs to, gives the result its id, and takes
// the call away from those that are open.
func answer(open []*hoosh.ToolCall, result *hoosh.Result) []*hoosh.ToolCall {
	for i, call := range open {
		if result.ID != "" && result.ID != call.ID || result.ID == "" && result.Name != "" && result.Name != call.Name {
			continue
		}
		result.ID = call.ID
		copy(open[i:], open[i+1:])
		return open[:len(open)-1]
	}
	return open
}

// member gives the value of the last member of an object named name, as Ollama
// reads a map; nil when there is none.
func member(object json.RawMessage, name string) (value json.RawMessage) {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if c.Object() {
		for c.Next() {
			if jsonpeek.Equal(c.Key(), name) {
				value = c.Value()
			}
		}
	}
	return value
}
