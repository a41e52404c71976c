// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"encoding/base64"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Messages and their blocks as they are read; write_content.go writes them.

const roles = `"user", "assistant" or "system"`

// system reads the system prompt, which becomes the first message.
func (r *reader) system(q *hoosh.Request) {
	if parts := r.content(hoosh.RoleSystem); len(parts) > 0 {
		q.Messages = slices.Insert(q.Messages, 0, hoosh.Message{Role: hoosh.RoleSystem, Parts: parts})
	}
}

func (r *reader) messages(q *hoosh.Request) {
	at := r.C.Pos()
	if !r.C.Array() {
		r.Want("an array of messages")
		return
	}
	before := len(q.Messages)
	for r.C.Next() {
		q.Messages = append(q.Messages, r.message())
	}
	if len(q.Messages) == before {
		r.Fail(at, "want at least one message")
	}
}

// message reads the message at hand. One that holds results of tools and nothing
// else is of role tool.
func (r *reader) message() (m hoosh.Message) {
	at := r.C.Pos()
	if !r.C.Object() {
		r.Want("a message object")
		return m
	}
	late := r.C // at the content, where the role stands behind it
	waits := false
	for r.C.Next() {
		switch string(r.key()) {
		case "role":
			switch role := r.Str("a role: " + roles); role {
			case "user", "assistant", "system":
				m.Role = hoosh.Role(role)
			default:
				r.Fail(r.C.Pos()-1, "want one of "+roles)
			}
		case "content":
			if waits = m.Role == ""; waits {
				late = r.C
			} else {
				m.Parts = r.content(m.Role)
			}
		default:
			m.Extra = append(m.Extra, r.Member())
		}
	}
	if m.Role == "" {
		r.Fail(at, "want a role: "+roles)
	}
	if waits && r.C.Err() == nil {
		r.C, late = late, r.C
		m.Parts = r.content(m.Role)
		r.C = late
	}
	if m.Role == hoosh.RoleUser && len(m.Parts) > 0 && !slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool { return p.Kind != hoosh.PartToolResult }) {
		m.Role = hoosh.RoleTool
	}
	return m
}

// content reads a string or an array of blocks. Empty text is no part.
func (r *reader) content(role hoosh.Role) (parts []hoosh.Part) {
	if raw, ok := r.C.Str(); ok {
		if len(raw) > 0 {
			parts = append(parts, hoosh.NewPart(hoosh.PartText, hoosh.RawText(raw)))
		}
		return parts
	}
	if r.C.Null() {
		return nil
	}
	if !r.C.Array() {
		r.Want("a string or an array of content blocks")
		return nil
	}
	for r.C.Next() {
		if p, ok := r.block(role); ok {
			parts = append(parts, p)
		}
	}
	return parts
}

// block reads the block at hand; it is not ok when there is nothing in it.
func (r *reader) block(role hoosh.Role) (p hoosh.Part, ok bool) {
	at := r.C.Pos()
	switch kind := string(r.typeOf()); kind {
	case "text":
		return r.textBlock(role)
	case "thinking", "redacted_thinking":
		return r.thinkingBlock(), true
	case "image":
		return r.mediaBlock(hoosh.PartImage)
	case "document":
		return r.mediaBlock(hoosh.PartFile)
	case "tool_use":
		return r.toolUse(), true
	case "tool_result":
		return r.toolResult(), true
	case "":
		if r.C.Kind() != jsonpeek.Object {
			r.Want("a content block, an object with a type")
		}
		r.Fail(at, `want a "type"`)
		return p, false
	}
	return hoosh.Part{Kind: hoosh.PartOther, Raw: r.C.Value()}, true
}

func (r *reader) textBlock(role hoosh.Role) (p hoosh.Part, ok bool) {
	at, found := r.C.Pos(), false
	var text hoosh.Text
	for r.C.Object(); r.C.Next(); {
		switch string(r.key()) {
		case "type":
		case "text":
			text, found = r.Text("a string")
		case "citations":
			if role == hoosh.RoleAssistant && r.C.Kind() == jsonpeek.Array {
				p.Citations = readCitations(&r.C)
			} else if !r.C.Null() {
				p.Extra = append(p.Extra, r.Member())
			}
		default:
			p.Extra = append(p.Extra, r.Member())
		}
	}
	if !found {
		r.Fail(at, `want "text", as its type says`)
	}
	t := hoosh.NewPart(hoosh.PartText, text)
	t.Citations, t.Extra = p.Citations, p.Extra
	return t, !text.IsEmpty() || len(t.Extra) > 0 || len(t.Citations) > 0
}

// thinkingBlock reads thinking, or the encrypted kind. A seal without a signature
// in it says only whose the thinking is.
func (r *reader) thinkingBlock() hoosh.Part {
	at, found := r.C.Pos(), false
	var text hoosh.Text
	var s *hoosh.Signature
	var extra hoosh.Extra
	for r.C.Object(); r.C.Next(); {
		switch string(r.key()) {
		case "type":
		case "thinking":
			text, found = r.Text("a string")
		case "signature":
			if t, _ := r.Text("a string"); !t.IsEmpty() {
				s = hoosh.OpenSignature(t)
			}
		case "data":
			t, _ := r.Text("a string")
			s, found = hoosh.OpenSignature(t), true
			s.Redacted = true
		default:
			extra = append(extra, r.Member())
		}
	}
	if !found {
		r.Fail(at, `want "thinking", or "data" where it is redacted`)
	}
	if s != nil && s.Data.IsEmpty() && s.Issuer == "" {
		s = nil
	}
	p := hoosh.NewPart(hoosh.PartThinking, text)
	p.Signature, p.Extra = s, extra
	return p
}

// source is where an image or a document is.
type source struct {
	kind, mediaType, id string
	data, url           hoosh.Text
}

func (r *reader) source() (s source) {
	if !r.C.Object() {
		r.Want("an object with a type")
		return s
	}
	for r.C.Next() {
		switch string(r.key()) {
		case "type":
			s.kind = r.Str("a string")
		case "media_type":
			s.mediaType = r.Str("a string")
		case "data":
			s.data, _ = r.Text("a string")
		case "url":
			s.url, _ = r.Text("a string")
		case "file_id":
			s.id = r.Str("a string")
		}
	}
	return s
}

// mediaBlock reads an image or a document. One whose source is of a kind that
// hoosh has no field for stays as it is.
func (r *reader) mediaBlock(kind hoosh.PartKind) (hoosh.Part, bool) {
	at, whole := r.C.Pos(), r.C
	p := hoosh.Part{Kind: kind}
	found := false
	title := ""
	var src source
	for r.C.Object(); r.C.Next(); {
		switch string(r.key()) {
		case "type":
		case "source":
			src, found = r.source(), true
		case "title":
			title = r.Str("a string")
		default:
			p.Extra = append(p.Extra, r.Member())
		}
	}
	if !found {
		r.Fail(at, `want a "source"`)
		return p, false
	}
	p.Media = &hoosh.Media{Type: src.mediaType, Name: title}
	switch src.kind {
	case "base64":
		p.Media.Data = src.data
		found = !src.data.IsEmpty()
	case "url":
		p.Media.URL = src.url
		found = !src.url.IsEmpty()
	case "file":
		p.Media.ID = src.id
		found = src.id != ""
	case "text": // plain, and base64 is what media is made of
		p.Media.Data = hoosh.NewText(base64.StdEncoding.EncodeToString([]byte(src.data.String())))
		found = !src.data.IsEmpty()
	default:
		return hoosh.Part{Kind: hoosh.PartOther, Raw: whole.Value()}, true
	}
	if !found {
		r.Fail(at, "want in the source what its type says")
	}
	return p, true
}

func (r *reader) toolUse() hoosh.Part {
	at := r.C.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{}}
	for r.C.Object(); r.C.Next(); {
		switch string(r.key()) {
		case "type":
		case "id":
			p.Call.ID = r.Str("a string")
		case "name":
			p.Call.Name = r.Str("a string")
		case "input":
			if input := r.Raw("an object, the arguments"); input != nil {
				p.Call.Arguments = hoosh.ValueArguments(input)
			}
		case cacheMark:
			p.Extra = append(p.Extra, r.Member())
		default:
			p.Call.Extra = append(p.Call.Extra, r.Member())
		}
	}
	if p.Call.Name == "" || p.Call.ID == "" {
		r.Fail(at, "want an id and the name of the tool")
	}
	return p
}

func (r *reader) toolResult() hoosh.Part {
	at := r.C.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolResult, Result: &hoosh.Result{}}
	for r.C.Object(); r.C.Next(); {
		switch string(r.key()) {
		case "type":
		case "tool_use_id":
			p.Result.ID = r.Str("a string, the id of a tool call")
		case "content":
			p.Result.Parts = r.content(hoosh.RoleTool)
		case "is_error":
			failed := r.Bool()
			p.Result.Failed = failed != nil && *failed
		default:
			p.Extra = append(p.Extra, r.Member())
		}
	}
	if p.Result.ID == "" {
		r.Fail(at, `want a "tool_use_id"`)
	}
	return p
}

// cacheMark is the member that marks the end of a prefix to be cached.
const cacheMark = "cache_control"

// maxCitations bounds those of one text.
const maxCitations = 4096

// readCitations reads the array at hand.
func readCitations(c *jsonpeek.Cursor) (list []hoosh.Citation) {
	if !c.Array() {
		return nil
	}
	for c.Next() {
		if len(list) < maxCitations {
			list = append(list, readCitation(c))
		}
	}
	return list
}

// readCitation reads the citation at hand. Where it says where in its source it
// stands, only Raw has that.
func readCitation(c *jsonpeek.Cursor) (cite hoosh.Citation) {
	at := *c
	cite.Raw = at.Value()
	if !c.Object() {
		return cite
	}
	text := func(into *string) {
		if raw, ok := c.Str(); ok {
			*into = jsonpeek.Unquote(raw)
		}
	}
	for c.Next() {
		switch string(c.Key()) {
		case "url":
			text(&cite.URL)
		case "source": // of a search result
			if cite.URL == "" {
				text(&cite.URL)
			}
		case "title", "document_title":
			text(&cite.Title)
		case "cited_text":
			text(&cite.Quote)
		}
	}
	return cite
}

// isCitation reports that a raw citation is in this format.
func isCitation(raw []byte) bool {
	c := jsonpeek.NewDepth(raw, jsonpeek.MaxDepth)
	kind := string(typeOf(&c))
	return c.End() == nil && len(kind) > len("_location") && kind[len(kind)-len("_location"):] == "_location"
}

// appendCitation writes a citation: as it came where it came in this format, else
// as one of a search of the web.
func appendCitation(dst []byte, c *hoosh.Citation) []byte {
	if isCitation(c.Raw) {
		return append(dst, c.Raw...)
	}
	dst = jsonpeek.AppendQuote(append(dst, `{"type":"web_search_result_location","cited_text":`...), c.Quote)
	dst = jsonpeek.AppendQuote(append(dst, `,"url":`...), c.URL)
	dst = jsonpeek.AppendQuote(append(dst, `,"title":`...), c.Title)
	return append(dst, `,"encrypted_index":""}`...)
}
