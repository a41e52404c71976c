// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"unicode/utf8"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Messages and their parts as they are read; openai_write.go writes them.

// openAIMessage is what one message holds, until its end tells its role. Parts
// come out in one order, however they stood: thinking, content, refusal, calls.
type openAIMessage struct {
	role     string
	content  []Part
	thinking Text
	refusal  Text
	calls    []Part
	sources  []Citation
	callID   Member // tool_call_id as it stands, Key "" without one
	extra    Extra
}

// message reads the message at hand; role is that of one which does not say.
func (r *openAIReader) message(role string) Message {
	at := r.c.Pos()
	if !r.c.Object() {
		r.want("a message object")
		return Message{}
	}
	m := Message{}
	x := openAIMessage{role: role}
	for r.c.Next() {
		switch string(r.key()) {
		case "role":
			x.role = r.role(role)
		case "content":
			r.content(&x)
		case "name":
			m.Name = r.str("a string")
		case "refusal":
			t, _ := r.text("a string")
			x.refusal = joinText(x.refusal, t)
		case "reasoning_content", "reasoning": // some send both, and the same in both
			if raw, ok := r.c.Str(); !ok {
				x.extra = append(x.extra, r.member())
			} else if x.thinking.IsEmpty() {
				x.thinking = RawText(raw)
			}
		case "tool_calls":
			r.toolCalls(&x)
		case "annotations":
			if r.kind == ErrInvalidRequest { // of a history: for the backend that made them
				x.extra = append(x.extra, r.member())
			} else if m := r.member(); !r.sources(&x, m.Value) {
				x.extra = append(x.extra, m)
			}
		case "function_call":
			if r.c.Kind() == jsonpeek.Object {
				call := &ToolCall{}
				r.calledFunction(call, "name", "arguments")
				x.calls = append(x.calls, Part{Kind: PartToolCall, Call: call})
			} else if !r.c.Null() {
				r.want("an object with a name and arguments")
			}
		case "tool_call_id":
			from := r.c.Pos()
			if _, ok := r.c.Str(); ok {
				x.callID = Member{Key: "tool_call_id", Value: r.body[from:r.c.Pos():r.c.Pos()]}
			} else if !r.c.Null() {
				r.want("a string, the id of a tool call")
			}
		default:
			x.extra = append(x.extra, r.member())
		}
	}
	if x.role == "" {
		r.fail(at, "want a role: "+openAIRoles)
	}
	r.assemble(at, &m, &x)
	return m
}

const openAIRoles = `"system", "developer", "user", "assistant" or "tool"`

func (r *openAIReader) role(otherwise string) string {
	raw, ok := r.c.Str()
	if !ok {
		if otherwise != "" && r.c.Null() {
			return otherwise
		}
		r.want("a role: " + openAIRoles)
		return otherwise
	}
	switch string(raw) {
	case "user":
		return "user"
	case "assistant":
		return "assistant"
	}
	role := jsonpeek.Unquote(raw)
	switch role {
	case "system", "developer", "user", "assistant", "tool", "function":
		return role
	}
	r.fail(r.c.Pos()-1, "want one of "+openAIRoles)
	return role
}

// assemble makes the message of what was found in it.
func (r *openAIReader) assemble(at int, m *Message, x *openAIMessage) {
	m.Role, m.Extra = Role(x.role), x.extra
	if x.role == "tool" || x.role == "function" {
		if len(x.calls) > 0 || !x.refusal.IsEmpty() || !x.thinking.IsEmpty() {
			r.fail(at, "want only content in the result of a tool")
		}
		res := &Result{Name: m.Name, Parts: joinTexts(x.content)}
		if len(x.callID.Value) >= len(`""`) { // not after a syntax error
			res.ID = jsonpeek.Unquote(x.callID.Value[1 : len(x.callID.Value)-1])
		}
		m.Role, m.Name = RoleTool, ""
		m.Parts = []Part{{Kind: PartToolResult, Result: res}}
		return
	}
	if x.callID.Key != "" {
		m.Extra = append(m.Extra, x.callID)
	}
	m.Parts = x.content
	if x.sources != nil {
		if len(m.Parts) == 0 {
			m.Parts = []Part{{Kind: PartText}}
		}
		m.Parts[0].Citations = x.sources
	}
	if !x.thinking.IsEmpty() {
		m.Parts = append([]Part{NewPart(PartThinking, x.thinking)}, m.Parts...)
	}
	if !x.refusal.IsEmpty() {
		m.Parts = append(m.Parts, NewPart(PartRefusal, x.refusal))
	}
	if m.Parts == nil {
		m.Parts = x.calls
	} else {
		m.Parts = append(m.Parts, x.calls...)
	}
}

// joinText joins two texts of a body.
func joinText(a, b Text) Text {
	switch {
	case a.IsEmpty():
		return b
	case b.IsEmpty():
		return a
	}
	return RawText(append(bytes.Clone(a.raw), b.raw...))
}

// joinTexts makes one part of parts that are text and nothing else, a line each: the
// results of tools are a string to most backends.
func joinTexts(parts []Part) []Part {
	if len(parts) < 2 || !onlyText(parts, true) {
		return parts
	}
	var all []byte
	for i := range parts {
		if i > 0 {
			all = append(all, `\n`...)
		}
		all = append(all, parts[i].text.raw...)
	}
	return []Part{NewPart(PartText, RawText(all))}
}

// onlyText reports that all parts are text, without members beside it where
// those count.
func onlyText(parts []Part, extras bool) bool {
	for i := range parts {
		if parts[i].Kind != PartText || extras && len(parts[i].Extra) > 0 {
			return false
		}
	}
	return true
}

// content reads a string, or an array of parts. Empty text is no part.
func (r *openAIReader) content(x *openAIMessage) {
	if raw, ok := r.c.Str(); ok {
		if len(raw) > 0 {
			x.content = append(x.content, NewPart(PartText, RawText(raw)))
		}
		return
	}
	if r.c.Null() {
		return
	}
	if !r.c.Array() {
		r.want("a string or an array of content parts")
		return
	}
	for r.c.Next() {
		r.part(x)
	}
}

// part reads a content part. Each kind that hoosh knows has its value in a
// member of the same name. Members within that value which hoosh has no field
// for are lost, those beside it are kept.
func (r *openAIReader) part(x *openAIMessage) {
	at := r.c.Pos()
	name := string(r.typeOf())
	p := Part{}
	switch name {
	case "text":
	case "refusal":
		p.Kind = PartRefusal
	case "thinking":
		p.Kind = PartThinking
	case "image_url":
		p.Kind = PartImage
	case "input_audio":
		p.Kind = PartAudio
	case "file":
		p.Kind = PartFile
	case "":
		if r.c.Kind() != jsonpeek.Object {
			r.want("a content part, an object with a type")
		}
		r.fail(at, `want a "type"`)
		return
	default:
		x.content = append(x.content, Part{Kind: PartOther, Raw: r.c.Value()})
		return
	}
	r.c.Object()
	found := false
	for r.c.Next() {
		switch key := r.key(); {
		case string(key) == name:
			found = r.partValue(&p)
		case string(key) == "type":
		default:
			p.Extra = append(p.Extra, r.member())
		}
	}
	switch {
	case !found:
		r.fail(at, `want "`+name+`", as its type says`)
	case p.Kind == PartRefusal:
		x.refusal = joinText(x.refusal, p.text)
	case p.Kind == PartThinking:
		x.thinking = joinText(x.thinking, p.text)
	case p.Kind != PartText || !p.text.IsEmpty() || len(p.Extra) > 0:
		x.content = append(x.content, p)
	}
}

// partValue reads the member that holds what the part is.
func (r *openAIReader) partValue(p *Part) (ok bool) {
	switch p.Kind {
	case PartThinking:
		p.text, ok = r.thinking()
	case PartImage:
		p.Media, ok = r.image()
	case PartAudio:
		p.Media, ok = r.audio()
	case PartFile:
		p.Media, ok = r.file()
	default:
		p.text, ok = r.text("a string")
	}
	return ok
}

// thinking reads what Mistral sends: an array of text parts.
func (r *openAIReader) thinking() (t Text, ok bool) {
	if !r.c.Array() {
		return r.text("an array of text parts")
	}
	for r.c.Next() {
		if !r.c.Object() {
			continue
		}
		for r.c.Next() {
			if string(r.key()) == "text" {
				piece, _ := r.text("a string")
				t = joinText(t, piece)
			}
		}
	}
	return t, true
}

func (r *openAIReader) image() (*Media, bool) {
	if raw, ok := r.c.Str(); ok { // Mistral's form
		return MediaURL(RawText(raw)), len(raw) > 0
	}
	if !r.c.Object() {
		r.want("an object with a url")
		return nil, false
	}
	var url Text
	found, detail := false, ""
	for r.c.Next() {
		switch string(r.key()) {
		case "url":
			url, found = r.text("a string, a URL")
		case "detail":
			detail = r.str("a string")
		}
	}
	m := MediaURL(url)
	m.Detail = detail
	return m, found && !url.IsEmpty()
}

func (r *openAIReader) audio() (*Media, bool) {
	if !r.c.Object() {
		r.want("an object with data and format")
		return nil, false
	}
	m, found := &Media{}, false
	for r.c.Next() {
		switch string(r.key()) {
		case "data":
			m.Data, found = r.text("a string, base64")
		case "format":
			m.Format = r.str("a string")
		}
	}
	return m, found && !m.Data.IsEmpty()
}

func (r *openAIReader) file() (*Media, bool) {
	if !r.c.Object() {
		r.want("an object with file_data or file_id")
		return nil, false
	}
	var data Text
	id, name := "", ""
	for r.c.Next() {
		switch string(r.key()) {
		case "file_data":
			data, _ = r.text("a string, a data URL")
		case "file_id":
			id = r.str("a string")
		case "filename":
			name = r.str("a string")
		}
	}
	m := MediaURL(data)
	m.ID, m.Name = id, name
	return m, id != "" || !data.IsEmpty()
}

func (r *openAIReader) toolCalls(x *openAIMessage) {
	if r.c.Null() {
		return
	}
	if !r.c.Array() {
		r.want("an array of tool calls")
		return
	}
	for r.c.Next() {
		x.calls = append(x.calls, Part{Kind: PartToolCall, Call: r.toolCall()})
	}
}

// toolCall reads a call of a function. One of a custom tool, whose input is
// text, has its type among the members without a field.
func (r *openAIReader) toolCall() *ToolCall {
	at := r.c.Pos()
	call := &ToolCall{}
	if !r.c.Object() {
		r.want("a tool call object")
		return call
	}
	found, custom := false, false
	for r.c.Next() {
		switch string(r.key()) {
		case "id":
			call.ID = r.str("a string")
		case "type":
			kind := r.str("a string")
			if custom = kind == "custom"; !custom && kind != "function" && kind != "" {
				r.fail(at, `want a call of type "function" or "custom"`)
			}
		case "function":
			found = true
			r.calledFunction(call, "name", "arguments")
		case "custom":
			found = true
			r.calledFunction(call, "name", "input")
		default:
			call.Extra = append(call.Extra, r.member())
		}
	}
	if !found {
		r.fail(at, `want a "function" with a name and arguments`)
	}
	if custom {
		call.Extra = append(Extra{customCall}, call.Extra...)
	}
	return call
}

var customCall = Member{Key: "type", Value: []byte(`"custom"`)}

// calledFunction reads the object with the name and the arguments of a call.
// Arguments are a string; some send the value itself.
func (r *openAIReader) calledFunction(call *ToolCall, name, arguments string) {
	at := r.c.Pos()
	if !r.c.Object() {
		r.want("an object with a " + name + " and " + arguments)
		return
	}
	for r.c.Next() {
		switch key := r.key(); {
		case string(key) == name:
			call.Name = r.str("a string")
		case string(key) == arguments:
			if raw, ok := r.c.Str(); ok {
				call.Arguments = QuotedArguments(RawText(raw))
			} else if !r.c.Null() {
				call.Arguments = ValueArguments(validValue(r.c.Value()))
			}
		}
	}
	if call.Name == "" {
		r.fail(at, "want the name of the function")
	}
}

// validValue replaces what is not valid UTF-8 in a JSON value, as a string that
// holds the value would.
func validValue(value []byte) []byte {
	if utf8.Valid(value) {
		return value
	}
	return jsonpeek.AppendUnquote(nil, jsonpeek.AppendEscape(nil, value))
}

// UnmarshalJSON reads a message in OpenAI's form. What it reads aliases a copy
// of data.
func (m *Message) UnmarshalJSON(data []byte) error {
	r := newOpenAIReader(OpChat, bytes.Clone(data), ErrInvalidRequest)
	read := r.message("")
	if err := r.end(); err != nil {
		return err
	}
	*m = read
	return nil
}

// UnmarshalJSON reads a part in OpenAI's form: a content part, an element of
// tool_calls, or the whole message that is the result of a tool. What it reads
// aliases a copy of data.
func (p *Part) UnmarshalJSON(data []byte) error {
	r := newOpenAIReader(OpChat, bytes.Clone(data), ErrInvalidRequest)
	var x openAIMessage
	switch c := r.c; string(r.typeOf()) {
	case "function", "custom":
		x.content = []Part{{Kind: PartToolCall, Call: r.toolCall()}}
	case "":
		for c.Object(); c.Next(); {
			if string(c.Key()) == "role" {
				x.content = r.message("").Parts
				break
			}
		}
		if x.content != nil {
			break
		}
		fallthrough
	default:
		r.part(&x)
	}
	if err := r.end(); err != nil {
		return err
	}
	switch {
	case !x.refusal.IsEmpty():
		*p = NewPart(PartRefusal, x.refusal)
	case !x.thinking.IsEmpty():
		*p = NewPart(PartThinking, x.thinking)
	case len(x.content) > 0:
		*p = x.content[0]
	default:
		*p = Part{}
	}
	return nil
}
