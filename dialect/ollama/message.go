// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// message is a message as Ollama has it. What it holds aliases the body.
type message struct {
	role     string
	content  hoosh.Text
	thinking hoosh.Text
	images   []image
	calls    []hoosh.ToolCall
	toolName string // of role tool
	callID   string // likewise, of recent clients
	extra    hoosh.Extra
}

// image is one image of a message, base64.
type image struct {
	data hoosh.Text
	kind string // media type
}

// reader walks one document and keeps the first thing that is wrong with it.
type reader struct {
	op   hoosh.Operation
	body []byte
	c    jsonpeek.Cursor
	err  *hoosh.Error
}

func newReader(op hoosh.Operation, body []byte) *reader {
	return &reader{op: op, body: body, c: jsonpeek.NewDepth(body, jsonpeek.MaxDepth)}
}

// want notes that the value at hand is not what it should be, if it is well
// formed; null is like nothing.
func (r *reader) want(what string) {
	if r.err == nil && !r.c.Null() && r.c.Err() == nil {
		r.err = invalid(r.op, jsonpeek.Path(r.body, r.c.Pos()), "want "+what)
	}
}

// end is the error of the walk: of the JSON, or of what it says.
func (r *reader) end() error {
	if r.c.End() != nil {
		return notJSON(r.op, r.body, &r.c, "")
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

func (r *reader) text() hoosh.Text {
	raw, ok := r.c.Str()
	if !ok {
		r.want("a string")
		return hoosh.Text{}
	}
	return hoosh.RawText(raw)
}

func (r *reader) string() string {
	raw, ok := r.c.Str()
	if !ok {
		r.want("a string")
	}
	return jsonpeek.Unquote(raw)
}

func (r *reader) bool() (v, ok bool) {
	if v, ok = r.c.Bool(); !ok {
		r.want("true or false")
	}
	return v, ok
}

func (r *reader) float() (v float64, ok bool) {
	if v, ok = r.c.Float(); !ok {
		r.want("a number")
	}
	return v, ok
}

// extra is the member at hand as it stood.
func (r *reader) extra() hoosh.Member {
	name := jsonpeek.Unquote(r.c.Key())
	return hoosh.Member{Key: name, Value: r.c.Value()}
}

// message reads the object at hand.
func (r *reader) message() (m message) {
	c := &r.c
	if !c.Object() {
		r.want("a message object")
		return m
	}
	for c.Next() {
		switch name := c.Key(); {
		case is(name, "role"):
			m.role = strings.ToLower(r.string())
		case is(name, "content"):
			m.content = r.text()
		case is(name, "thinking"):
			m.thinking = r.text()
		case is(name, "images"):
			m.images = r.images()
		case is(name, "tool_calls"):
			m.calls = r.calls()
		case is(name, "tool_name"):
			m.toolName = r.string()
		case is(name, "tool_call_id"):
			m.callID = r.string()
		default:
			m.extra = append(m.extra, r.extra())
		}
	}
	return m
}

func (r *reader) images() (images []image) {
	if !r.c.Array() {
		r.want("an array of base64 strings")
		return nil
	}
	for r.c.Next() {
		raw, ok := r.c.Str()
		if !ok {
			r.want("a base64 string")
			continue
		}
		images = append(images, image{hoosh.RawText(raw), imageType(raw)})
	}
	return images
}

func (r *reader) calls() (calls []hoosh.ToolCall) {
	c := &r.c
	if !c.Array() {
		r.want("an array of tool calls")
		return nil
	}
	for c.Next() {
		if !c.Object() {
			r.want("a tool call")
			continue
		}
		var call hoosh.ToolCall
		for c.Next() {
			switch name := c.Key(); {
			case is(name, "id"):
				call.ID = r.string()
			case is(name, "function"):
				r.function(&call)
			case is(name, "type"):
			default:
				call.Extra = append(call.Extra, r.extra())
			}
		}
		calls = append(calls, call)
	}
	return calls
}

func (r *reader) function(call *hoosh.ToolCall) {
	c := &r.c
	if !c.Object() {
		r.want("an object with the function's name and arguments")
		return
	}
	for c.Next() {
		switch name := c.Key(); {
		case is(name, "name"):
			call.Name = r.string()
		case is(name, "arguments"):
			// Ollama wants an object. A string that holds one, OpenAI's way, is
			// understood all the same.
			if text, ok := c.Str(); ok {
				call.Arguments = hoosh.QuotedArguments(hoosh.RawText(text))
			} else if !c.Null() {
				call.Arguments = hoosh.ValueArguments(c.Value())
			}
		}
	}
}

// parts is what the message says, but for the result of a tool.
func (m *message) parts() []hoosh.Part {
	var parts []hoosh.Part
	if !m.thinking.IsEmpty() {
		parts = append(parts, hoosh.NewPart(hoosh.PartThinking, m.thinking))
	}
	if !m.content.IsEmpty() {
		parts = append(parts, hoosh.NewPart(hoosh.PartText, m.content))
	}
	for _, x := range m.images {
		parts = append(parts, hoosh.Part{Kind: hoosh.PartImage, Media: &hoosh.Media{Data: x.data, Type: x.kind}})
	}
	for i := range m.calls {
		parts = append(parts, hoosh.Part{Kind: hoosh.PartToolCall, Call: &m.calls[i]})
	}
	return parts
}

// imageType tells the media type of an image by the beginning of its base64, for
// other formats name it; "" when it is none of the usual ones.
func imageType(raw []byte) string {
	head := jsonpeek.Unquote(raw[:min(len(raw), 24)])
	for _, t := range [...]struct{ start, name string }{
		{"iVBORw0KGgo", "image/png"},
		{"/9j/", "image/jpeg"},
		{"R0lGOD", "image/gif"},
		{"UklGR", "image/webp"},
		{"Qk", "image/bmp"},
	} {
		if strings.HasPrefix(head, t.start) {
			return t.name
		}
	}
	return ""
}
