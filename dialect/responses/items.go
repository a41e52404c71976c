// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"unicode/utf8"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Items as they are read, of a request's input and of an answer's output;
// write_items.go writes them.

// customCall marks the call of a custom tool, as chat completions' codec does.
var customCall = hoosh.Member{Key: "type", Value: []byte(`"custom"`)}

func isCustomCall(t *hoosh.ToolCall) bool {
	return string(t.Extra.Get("type")) == string(customCall.Value)
}

// conversation is what the items read so far say.
type conversation struct {
	messages []hoosh.Message
	answer   bool // the items are an answer's
}

// turn is the model's message that is being said; items of the model that stand
// together are one.
func (v *conversation) turn() *hoosh.Message {
	if n := len(v.messages); n > 0 && v.messages[n-1].Role == hoosh.RoleAssistant {
		return &v.messages[n-1]
	}
	v.messages = append(v.messages, hoosh.Message{Role: hoosh.RoleAssistant})
	return &v.messages[len(v.messages)-1]
}

func (v *conversation) say(p hoosh.Part) {
	m := v.turn()
	m.Parts = append(m.Parts, p)
}

// input reads a string or items.
func (r *reader) input(v *conversation) {
	if raw, ok := r.C.Str(); ok {
		m := hoosh.Message{Role: hoosh.RoleUser}
		if len(raw) > 0 {
			m.Parts = []hoosh.Part{hoosh.NewPart(hoosh.PartText, hoosh.RawText(raw))}
		}
		v.messages = append(v.messages, m)
		return
	}
	if r.C.Null() {
		return
	}
	if !r.C.Array() {
		r.Want("a string or an array of items")
		return
	}
	for r.C.Next() {
		r.item(v)
	}
}

// item reads one item.
func (r *reader) item(v *conversation) {
	at := r.C.Pos()
	if r.C.Kind() != jsonpeek.Object {
		r.Want("an item, an object with a type")
		return
	}
	kind := string(r.peek("type"))
	if kind == "" {
		switch {
		case r.peek("role") != nil:
			kind = "message"
		case r.peek("id") != nil:
			kind = "item_reference"
		}
	}
	switch kind {
	case "message":
		r.message(v)
	case "reasoning":
		r.reasoningItem(v)
	case "function_call", "custom_tool_call":
		r.call(v, kind == "custom_tool_call")
	case "function_call_output", "custom_tool_call_output":
		r.output(v)
	case "":
		r.Fail(at, `want a "type", or a "role" if it is a message`)
	default:
		v.say(hoosh.Part{Kind: hoosh.PartOther, Raw: r.C.Value()})
	}
}

const roles = `"user", "assistant", "system" or "developer"`

func (r *reader) message(v *conversation) {
	at := r.C.Pos()
	m := hoosh.Message{}
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "role":
			from := r.C.Pos()
			switch role := r.Str("a role: " + roles); role {
			case "user", "assistant", "system", "developer":
				m.Role = hoosh.Role(role)
			default:
				r.Fail(from, "want one of "+roles)
			}
		case "content":
			m.Parts = r.content(m.Parts, "a string or an array of content parts")
		case "type", "id", "status", "phase": // of who keeps the conversation
		default:
			m.Extra = append(m.Extra, r.Member())
		}
	}
	switch m.Role {
	case "":
		if !v.answer {
			r.Fail(at, "want a role: "+roles)
		}
		fallthrough
	case hoosh.RoleAssistant:
		if len(m.Parts) > 0 {
			t := v.turn()
			t.Parts = append(t.Parts, m.Parts...)
		}
	default:
		v.messages = append(v.messages, m)
	}
}

// content reads a string, or an array of parts. Empty text is no part.
func (r *reader) content(parts []hoosh.Part, what string) []hoosh.Part {
	if raw, ok := r.C.Str(); ok {
		if len(raw) > 0 {
			parts = append(parts, hoosh.NewPart(hoosh.PartText, hoosh.RawText(raw)))
		}
		return parts
	}
	if r.C.Null() {
		return parts
	}
	if !r.C.Array() {
		r.Want(what)
		return parts
	}
	for r.C.Next() {
		if p, ok := r.part(); ok {
			parts = append(parts, p)
		}
	}
	return parts
}

// part reads a content part; ok is false for one that says nothing.
func (r *reader) part() (p hoosh.Part, ok bool) {
	at := r.C.Pos()
	if r.C.Kind() != jsonpeek.Object {
		r.Want("a content part, an object with a type")
		return p, false
	}
	switch kind := string(r.peek("type")); kind {
	case "input_text", "output_text", "text":
		return r.textPart(hoosh.PartText, "text")
	case "refusal":
		return r.textPart(hoosh.PartRefusal, "refusal")
	case "input_image":
		return r.mediaPart(hoosh.PartImage)
	case "input_file":
		return r.mediaPart(hoosh.PartFile)
	case "input_audio":
		return r.mediaPart(hoosh.PartAudio)
	case "":
		r.Fail(at, `want a "type"`)
		r.C.Skip()
		return p, false
	}
	return hoosh.Part{Kind: hoosh.PartOther, Raw: r.C.Value()}, true
}

func (r *reader) textPart(kind hoosh.PartKind, name string) (p hoosh.Part, ok bool) {
	at := r.C.Pos()
	var t hoosh.Text
	found := false
	var extra hoosh.Extra
	var citations []hoosh.Citation
	r.C.Object()
	for r.C.Next() {
		switch key := string(r.key()); key {
		case name:
			t, found = r.Text("a string")
		case "annotations":
			citations = r.annotations()
		case "type", "logprobs":
		default:
			extra = append(extra, r.Member())
		}
	}
	if !found {
		r.Fail(at, `want "`+name+`", as its type says`)
	}
	p = hoosh.NewPart(kind, t)
	p.Extra, p.Citations = extra, citations
	return p, !t.IsEmpty() || len(extra) > 0 || len(citations) > 0
}

func (r *reader) annotations() (list []hoosh.Citation) {
	if !r.C.Array() {
		return nil
	}
	for r.C.Next() {
		if r.C.Kind() == jsonpeek.Object {
			list = append(list, citation(r.C.Value()))
		}
	}
	return list
}

// citation reads one annotation, valid JSON.
func citation(raw []byte) hoosh.Citation {
	t := hoosh.Citation{Raw: raw}
	c := jsonpeek.NewDepth(raw, jsonpeek.MaxDepth)
	c.Object()
	text := func(into *string) {
		if s, ok := c.Str(); ok {
			*into = jsonpeek.Unquote(s)
		}
	}
	place := func(into *int) {
		if n, ok := c.Int(); ok && n >= 0 && n < 1<<31 {
			*into = int(n)
		}
	}
	for c.Next() {
		switch string(c.Key()) {
		case "url":
			text(&t.URL)
		case "title", "filename":
			text(&t.Title)
		case "start_index":
			place(&t.Start)
		case "end_index":
			place(&t.End)
		}
	}
	return t
}

func (r *reader) mediaPart(kind hoosh.PartKind) (p hoosh.Part, ok bool) {
	at := r.C.Pos()
	p = hoosh.Part{Kind: kind, Media: &hoosh.Media{}}
	m := p.Media
	var id, detail, name string
	r.C.Object()
	for r.C.Next() {
		switch key := string(r.key()); key {
		case "type":
		case "image_url":
			if t, ok := r.Text("a string, a URL"); ok && kind == hoosh.PartImage && !t.IsEmpty() {
				m = hoosh.MediaURL(t)
			}
		case "file_url":
			if t, ok := r.Text("a string, a URL"); ok && !t.IsEmpty() {
				m = &hoosh.Media{URL: t}
			}
		case "file_data":
			if t, ok := r.Text("a string, base64"); ok && !t.IsEmpty() {
				m = fileData(t)
			}
		case "file_id":
			id = r.Str("a string")
		case "detail":
			detail = r.Str("a string")
		case "filename":
			name = r.Str("a string")
		case "input_audio":
			r.audio(m)
		default:
			p.Extra = append(p.Extra, r.Member())
		}
	}
	m.ID, m.Detail, m.Name = id, detail, name
	p.Media = m
	if id == "" && m.URL.IsEmpty() && m.Data.IsEmpty() {
		r.Fail(at, "want "+map[hoosh.PartKind]string{hoosh.PartImage: "an image_url or a file_id",
			hoosh.PartFile: "file_data, a file_url or a file_id", hoosh.PartAudio: "an input_audio with data and a format"}[kind])
	}
	return p, true
}

// fileData reads what is a data URL, or should be and is the bare base64.
func fileData(t hoosh.Text) *hoosh.Media {
	if m := hoosh.MediaURL(t); m.URL.IsEmpty() || isDataURL(t) {
		return m
	}
	return &hoosh.Media{Data: t}
}

func isDataURL(t hoosh.Text) bool {
	const scheme = "data:"
	if t.Len() < len(scheme) {
		return false
	}
	s := t.String()
	return len(s) >= len(scheme) && s[:len(scheme)] == scheme
}

func (r *reader) audio(m *hoosh.Media) {
	if !r.C.Object() {
		r.Want("an object with data and format")
		return
	}
	for r.C.Next() {
		switch string(r.key()) {
		case "data":
			m.Data, _ = r.Text("a string, base64")
		case "format":
			m.Format = r.Str("a string")
		}
	}
}

// reasoningItem reads what the model thought: the summary, or where there is none the
// thinking itself, as open models give it.
func (r *reader) reasoningItem(v *conversation) {
	var summary, content []byte
	var sealed hoosh.Text
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "summary":
			summary = r.thoughts(summary)
		case "content":
			content = r.thoughts(content)
		case "encrypted_content":
			sealed, _ = r.Text("a string")
		}
	}
	if len(summary) == 0 {
		summary = content
	}
	p := hoosh.NewPart(hoosh.PartThinking, hoosh.RawText(summary))
	if !sealed.IsEmpty() {
		if v.answer {
			p.Signature = &hoosh.Signature{Data: sealed}
		} else {
			p.Signature = hoosh.OpenSignature(sealed)
		}
		if p.Signature.Issuer == "" && len(summary) == 0 {
			p.Signature.Redacted = true
		}
	}
	if p.Signature != nil || len(summary) > 0 {
		v.say(p)
	}
}

// thoughts appends the texts of an array of parts, blank lines between them.
func (r *reader) thoughts(all []byte) []byte {
	if r.C.Null() {
		return all
	}
	if !r.C.Array() {
		r.Want("an array of texts")
		return all
	}
	for r.C.Next() {
		if !r.C.Object() {
			r.Want("an object with a text")
			continue
		}
		for r.C.Next() {
			if string(r.key()) != "text" {
				continue
			}
			t, ok := r.C.Str()
			if !ok && !r.C.Null() {
				r.Want("a string")
			}
			if len(t) == 0 {
				continue
			}
			if len(all) == 0 {
				all = t[:len(t):len(t)]
			} else {
				all = append(append(all, blankLine...), t...)
			}
		}
	}
	return all
}

// blankLine is what stands between two texts of a summary, as within quotes.
const blankLine = `\n\n`

func (r *reader) call(v *conversation, custom bool) {
	at := r.C.Pos()
	call := &hoosh.ToolCall{}
	if custom {
		call.Extra = hoosh.Extra{customCall}
	}
	var input []byte
	itemID := ""
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "call_id":
			call.ID = r.Str("a string")
		case "id":
			itemID = r.Str("a string")
		case "name":
			call.Name = r.Str("a string")
		case "namespace":
			if r.C.Kind() == jsonpeek.String {
				call.Extra = append(call.Extra, hoosh.Member{Key: extraNamespace, Value: r.C.Value()})
			}
		case "arguments":
			if raw, ok := r.C.Str(); ok {
				call.Arguments = hoosh.QuotedArguments(hoosh.RawText(raw))
			} else if !r.C.Null() && !custom {
				call.Arguments = hoosh.ValueArguments(validValue(r.C.Value()))
			}
		case "input":
			if r.C.Kind() == jsonpeek.String {
				input = r.C.Value()
			} else if custom && !r.C.Null() {
				r.Want("a string")
			}
		}
	}
	if call.ID == "" && v.answer { // some servers have one id for both
		call.ID = itemID
	}
	switch {
	case call.Name == "":
		r.Fail(at, "want the name of the tool")
	case call.ID == "":
		r.Fail(at, "want a call_id")
	case custom && v.answer: // as chat completions have it
		call.Arguments = hoosh.QuotedArguments(inside(input))
	case custom:
		call.Arguments = hoosh.ValueArguments(inputArguments(input))
	}
	v.say(hoosh.Part{Kind: hoosh.PartToolCall, Call: call})
}

// validValue replaces what is not valid UTF-8 in a JSON value, as a string that
// holds the value would.
func validValue(value []byte) []byte {
	if utf8.Valid(value) {
		return value
	}
	return jsonpeek.AppendUnquote(nil, jsonpeek.AppendEscape(nil, value))
}

// inside is the text of a JSON string.
func inside(quoted []byte) hoosh.Text {
	if len(quoted) < 2 {
		return hoosh.Text{}
	}
	return hoosh.RawText(quoted[1 : len(quoted)-1])
}

// inputArguments are the arguments of the function that stands for a custom
// tool; input is a JSON string.
func inputArguments(input []byte) []byte {
	if input == nil {
		input = []byte(`""`)
	}
	return append(append([]byte(`{"input":`), input...), '}')
}

func (r *reader) output(v *conversation) {
	at := r.C.Pos()
	res := &hoosh.Result{}
	r.C.Object()
	for r.C.Next() {
		switch string(r.key()) {
		case "call_id":
			res.ID = r.Str("a string")
		case "output":
			res.Parts = r.content(res.Parts, "a string or an array of content parts")
		}
	}
	if res.ID == "" {
		r.Fail(at, "want the call_id of the call that this answers")
	}
	v.messages = append(v.messages, hoosh.Message{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: res}}})
}
