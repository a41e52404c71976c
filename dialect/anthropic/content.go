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
	at := r.c.Pos()
	if !r.c.Array() {
		r.want("an array of messages")
		return
	}
	before := len(q.Messages)
	for r.c.Next() {
		q.Messages = append(q.Messages, r.message())
	}
	if len(q.Messages) == before {
		r.fail(at, "want at least one message")
	}
}

// message reads the message at hand. One that holds results of tools and nothing
// else is of role tool.
func (r *reader) message() (m hoosh.Message) {
	at := r.c.Pos()
	if !r.c.Object() {
		r.want("a message object")
		return m
	}
	late := r.c // at the content, where the role stands behind it
	waits := false
	for r.c.Next() {
		switch string(r.key()) {
		case "role":
			switch role := r.str("a role: " + roles); role {
			case "user", "assistant", "system":
				m.Role = hoosh.Role(role)
			default:
				r.fail(r.c.Pos()-1, "want one of "+roles)
			}
		case "content":
			if waits = m.Role == ""; waits {
				late = r.c
			} else {
				m.Parts = r.content(m.Role)
			}
		default:
			m.Extra = append(m.Extra, r.member())
		}
	}
	if m.Role == "" {
		r.fail(at, "want a role: "+roles)
	}
	if waits && r.c.Err() == nil {
		r.c, late = late, r.c
		m.Parts = r.content(m.Role)
		r.c = late
	}
	if m.Role == hoosh.RoleUser && len(m.Parts) > 0 && !slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool { return p.Kind != hoosh.PartToolResult }) {
		m.Role = hoosh.RoleTool
	}
	return m
}

// content reads a string or an array of blocks. Empty text is no part.
func (r *reader) content(role hoosh.Role) (parts []hoosh.Part) {
	if raw, ok := r.c.Str(); ok {
		if len(raw) > 0 {
			parts = append(parts, hoosh.NewPart(hoosh.PartText, hoosh.RawText(raw)))
		}
		return parts
	}
	if r.c.Null() {
		return nil
	}
	if !r.c.Array() {
		r.want("a string or an array of content blocks")
		return nil
	}
	for r.c.Next() {
		if p, ok := r.block(role); ok {
			parts = append(parts, p)
		}
	}
	return parts
}

// block reads the block at hand; it is not ok when there is nothing in it.
func (r *reader) block(role hoosh.Role) (p hoosh.Part, ok bool) {
	at := r.c.Pos()
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
		if r.c.Kind() != jsonpeek.Object {
			r.want("a content block, an object with a type")
		}
		r.fail(at, `want a "type"`)
		return p, false
	}
	return hoosh.Part{Kind: hoosh.PartOther, Raw: r.c.Value()}, true
}

func (r *reader) textBlock(role hoosh.Role) (p hoosh.Part, ok bool) {
	at, found := r.c.Pos(), false
	var text hoosh.Text
	for r.c.Object(); r.c.Next(); {
		switch string(r.key()) {
		case "type":
		case "text":
			text, found = r.text("a string")
		case "citations":
			if role == hoosh.RoleAssistant && r.c.Kind() == jsonpeek.Array {
				p.Citations = readCitations(&r.c)
			} else if !r.c.Null() {
				p.Extra = append(p.Extra, r.member())
			}
		default:
			p.Extra = append(p.Extra, r.member())
		}
	}
	if !found {
		r.fail(at, `want "text", as its type says`)
	}
	t := hoosh.NewPart(hoosh.PartText, text)
	t.Citations, t.Extra = p.Citations, p.Extra
	return t, !text.IsEmpty() || len(t.Extra) > 0 || len(t.Citations) > 0
}

// thinkingBlock reads thinking, or the encrypted kind. A seal without a signature
// in it says only whose the thinking is.
func (r *reader) thinkingBlock() hoosh.Part {
	at, found := r.c.Pos(), false
	var text hoosh.Text
	var s *hoosh.Signature
	var extra hoosh.Extra
	for r.c.Object(); r.c.Next(); {
		switch string(r.key()) {
		case "type":
		case "thinking":
			text, found = r.text("a string")
		case "signature":
			if t, _ := r.text("a string"); !t.IsEmpty() {
				s = hoosh.OpenSignature(t)
			}
		case "data":
			t, _ := r.text("a string")
			s, found = hoosh.OpenSignature(t), true
			s.Redacted = true
		default:
			extra = append(extra, r.member())
		}
	}
	if !found {
		r.fail(at, `want "thinking", or "data" where it is redacted`)
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
	if !r.c.Object() {
		r.want("an object with a type")
		return s
	}
	for r.c.Next() {
		switch string(r.key()) {
		case "type":
			s.kind = r.str("a string")
		case "media_type":
			s.mediaType = r.str("a string")
		case "data":
			s.data, _ = r.text("a string")
		case "url":
			s.url, _ = r.text("a string")
		case "file_id":
			s.id = r.str("a string")
		}
	}
	return s
}

// mediaBlock reads an image or a document. One whose source is of a kind that
// hoosh has no field for stays as it is.
func (r *reader) mediaBlock(kind hoosh.PartKind) (hoosh.Part, bool) {
	at, whole := r.c.Pos(), r.c
	p := hoosh.Part{Kind: kind}
	found := false
	title := ""
	var src source
	for r.c.Object(); r.c.Next(); {
		switch string(r.key()) {
		case "type":
		case "source":
			src, found = r.source(), true
		case "title":
			title = r.str("a string")
		default:
			p.Extra = append(p.Extra, r.member())
		}
	}
	if !found {
		r.fail(at, `want a "source"`)
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
		r.fail(at, "want in the source what its type says")
	}
	return p, true
}

func (r *reader) toolUse() hoosh.Part {
	at := r.c.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{}}
	for r.c.Object(); r.c.Next(); {
		switch string(r.key()) {
		case "type":
		case "id":
			p.Call.ID = r.str("a string")
		case "name":
			p.Call.Name = r.str("a string")
		case "input":
			if input := r.raw("an object, the arguments"); input != nil {
				p.Call.Arguments = hoosh.ValueArguments(input)
			}
		case cacheMark:
			p.Extra = append(p.Extra, r.member())
		default:
			p.Call.Extra = append(p.Call.Extra, r.member())
		}
	}
	if p.Call.Name == "" || p.Call.ID == "" {
		r.fail(at, "want an id and the name of the tool")
	}
	return p
}

func (r *reader) toolResult() hoosh.Part {
	at := r.c.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolResult, Result: &hoosh.Result{}}
	for r.c.Object(); r.c.Next(); {
		switch string(r.key()) {
		case "type":
		case "tool_use_id":
			p.Result.ID = r.str("a string, the id of a tool call")
		case "content":
			p.Result.Parts = r.content(hoosh.RoleTool)
		case "is_error":
			failed := r.bool()
			p.Result.Failed = failed != nil && *failed
		default:
			p.Extra = append(p.Extra, r.member())
		}
	}
	if p.Result.ID == "" {
		r.fail(at, `want a "tool_use_id"`)
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
