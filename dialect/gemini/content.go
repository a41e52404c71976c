// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Contents and their parts as they are read; write_content.go writes them.

// system reads the system prompt, which becomes the first message.
func (r *reader) system(q *hoosh.Request) {
	var parts []hoosh.Part
	if raw, ok := r.C.Str(); ok {
		if len(raw) > 0 {
			parts = append(parts, hoosh.NewPart(hoosh.PartText, hoosh.RawText(raw)))
		}
	} else {
		r.object("a content object or a string", func(name string) {
			if name == "parts" {
				parts = r.parts(hoosh.RoleSystem)
			}
		})
	}
	if len(parts) > 0 {
		q.Messages = slices.Insert(q.Messages, 0, hoosh.Message{Role: hoosh.RoleSystem, Parts: parts})
	}
}

func (r *reader) contents(q *hoosh.Request) {
	at, n := r.C.Pos(), 0
	r.array("an array of contents", func() {
		n++
		m := r.content()
		if last := len(q.Messages) - 1; m.Role == hoosh.RoleAssistant && last >= 0 && q.Messages[last].Role == hoosh.RoleAssistant {
			// Clients that chat keep each piece of a stream as a content.
			q.Messages[last].Parts = append(q.Messages[last].Parts, m.Parts...)
			q.Messages[last].Extra = append(q.Messages[last].Extra, m.Extra...)
			return
		}
		q.Messages = append(q.Messages, m)
	})
	if n == 0 {
		r.Fail(at, "want at least one content")
	}
	for i := range q.Messages {
		if m := &q.Messages[i]; m.Role == hoosh.RoleAssistant {
			m.Parts = joined(m.Parts)
		}
	}
}

// content reads the content at hand. One without a role is the user's; one that
// holds results of tools and nothing else is of role tool.
func (r *reader) content() (m hoosh.Message) {
	at := r.C.Pos()
	m.Role = hoosh.RoleUser
	late := r.C // at the parts: their role may stand behind them
	found := false
	r.object("a content object", func(name string) {
		switch name {
		case "role":
			here := r.C.Pos()
			switch role := r.Str("a string"); role {
			case "", "user", "function", "tool":
			case "model":
				m.Role = hoosh.RoleAssistant
			default:
				r.Fail(here, `want "user" or "model"`)
			}
		case "parts":
			late, found = r.C, true
			r.C.Skip()
		default:
			m.Extra = append(m.Extra, r.Member())
		}
	})
	if !found {
		if r.C.Err() == nil {
			r.Fail(at, "want parts")
		}
		return m
	}
	r.C, late = late, r.C
	m.Parts = r.parts(m.Role)
	r.C = late
	if m.Role == hoosh.RoleUser && len(m.Parts) > 0 && !slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool { return p.Kind != hoosh.PartToolResult }) {
		m.Role = hoosh.RoleTool
	}
	return m
}

func (r *reader) parts(role hoosh.Role) (parts []hoosh.Part) {
	r.array("an array of parts", func() {
		if p, ok := r.part(role); ok {
			parts = append(parts, p)
		}
	})
	return parts
}

// part reads the part at hand; it is not ok when there is nothing in it.
func (r *reader) part(role hoosh.Role) (p hoosh.Part, ok bool) {
	at, whole := r.C.Pos(), r.C
	var text, signature hoosh.Text
	var extra hoosh.Extra
	kinds, thought, nothing := 0, false, true
	if !r.object("a part, an object", func(name string) {
		switch name {
		case "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			if r.C.Kind() == jsonpeek.Null {
				return
			}
			if kinds++; kinds > 1 {
				r.Fail(r.C.KeyStart(), "a part has one kind of content; want another part for this")
			}
			nothing = false
		}
		switch name {
		case "text":
			p.Kind = hoosh.PartText
			text, _ = r.Text("a string")
			nothing = text.IsEmpty()
		case "inlineData", "fileData":
			p, _ = r.media(name == "inlineData")
		case "functionCall":
			p = r.functionCall()
		case "functionResponse":
			p = r.functionResponse()
		case "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
			p.Kind = hoosh.PartOther
		case "thought":
			is := r.Bool()
			thought = is != nil && *is
		case "thoughtSignature":
			signature, _ = r.Text("a string")
		default:
			extra = append(extra, r.Member())
		}
	}) {
		return p, false
	}
	if kinds == 0 && signature.IsEmpty() && len(extra) > 0 { // of a kind that is newer than this code
		p.Kind, extra, nothing, kinds = hoosh.PartOther, nil, false, 1
	}
	if kinds == 0 && signature.IsEmpty() {
		if r.Kind != hoosh.ErrMalformed { // a backend may say nothing
			r.Fail(at, "want text, inlineData, fileData, functionCall or functionResponse")
		}
		return p, false
	}
	if p.Kind == hoosh.PartOther {
		return hoosh.Part{Kind: hoosh.PartOther, Raw: whole.Value()}, true
	}
	if p.Kind == hoosh.PartText {
		kind := hoosh.PartText
		if thought && role == hoosh.RoleAssistant {
			kind = hoosh.PartThinking
		}
		p = hoosh.NewPart(kind, text)
	}
	if !signature.IsEmpty() {
		p.Signature = r.signature(signature)
	}
	p.Extra = append(p.Extra, extra...)
	return p, !nothing || p.Signature != nil
}

// sealStart is how the base64 of a seal begins.
const sealStart = "aG9vc2gxL"

// signature reads that of a part: of a client it may be sealed, and the seal is
// base64.
func (r *reader) signature(t hoosh.Text) *hoosh.Signature {
	if r.Kind == hoosh.ErrMalformed { // a backend's own
		return &hoosh.Signature{Data: t}
	}
	return openSignature(t)
}

func openSignature(t hoosh.Text) *hoosh.Signature {
	text := t.String()
	if !strings.HasPrefix(text, sealStart) {
		return hoosh.OpenSignature(t)
	}
	seal, ok := unbase64(text)
	if !ok {
		return &hoosh.Signature{Data: t}
	}
	if s := hoosh.OpenSignature(hoosh.NewText(string(seal))); s.Issuer != "" {
		return s
	}
	return &hoosh.Signature{Data: t}
}

// unbase64 reads either alphabet, padded or not: clients that hold bytes write
// them as they like.
func unbase64(text string) ([]byte, bool) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	return b, err == nil
}

// sealed is the text of a signature for a client.
func sealed(s *hoosh.Signature) string {
	return base64.StdEncoding.EncodeToString([]byte(s.Seal()))
}

// joined makes one part of neighbours that are pieces of one text, or of one
// thinking.
func joined(parts []hoosh.Part) []hoosh.Part {
	out := parts[:0]
	for i := 0; i < len(parts); {
		n := 1
		for i+n < len(parts) && continues(&parts[i+n-1], &parts[i+n]) {
			n++
		}
		p := parts[i]
		if n > 1 {
			raw := []byte{}
			for _, piece := range parts[i : i+n] {
				quoted := piece.Content().AppendJSON(nil)
				raw = append(raw, quoted[1:len(quoted)-1]...)
			}
			p = hoosh.NewPart(p.Kind, hoosh.RawText(raw))
			p.Signature = parts[i+n-1].Signature
		}
		out = append(out, p)
		i += n
	}
	return out
}

// continues reports that p goes on with what the part before it has begun: a
// signature ends that.
func continues(before, p *hoosh.Part) bool {
	return p.Kind == before.Kind && (p.Kind == hoosh.PartText || p.Kind == hoosh.PartThinking) &&
		before.Signature == nil && (p.Signature == nil || !p.Signature.Redacted) && len(before.Extra) == 0 && len(p.Extra) == 0
}

func (r *reader) functionCall() hoosh.Part {
	at := r.C.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{}}
	r.object("an object", func(name string) {
		switch name {
		case "id":
			p.Call.ID = r.Str("a string")
		case "name":
			p.Call.Name = r.Str("a string")
		case "args":
			if args := r.Raw("an object, the arguments"); args != nil {
				p.Call.Arguments = hoosh.ValueArguments(args)
			}
		default:
			p.Call.Extra = append(p.Call.Extra, r.Member())
		}
	})
	if p.Call.Name == "" {
		r.Fail(at, "want the name of the function")
	}
	return p
}

func (r *reader) functionResponse() hoosh.Part {
	at := r.C.Pos()
	p := hoosh.Part{Kind: hoosh.PartToolResult, Result: &hoosh.Result{}}
	var response []byte
	var media []hoosh.Part
	r.object("an object", func(name string) {
		switch name {
		case "id":
			p.Result.ID = r.Str("a string")
		case "name":
			p.Result.Name = r.Str("a string")
		case "response":
			response = r.Raw("an object, what the function gave")
		case "parts":
			media = r.parts(hoosh.RoleTool)
		default:
			p.Extra = append(p.Extra, r.Member())
		}
	})
	if p.Result.Name == "" {
		r.Fail(at, "want the name of the function")
	}
	if response != nil {
		var t hoosh.Text
		t, p.Result.Failed = resultText(response, p.Result.Name)
		if !t.IsEmpty() {
			p.Result.Parts = append(p.Result.Parts, hoosh.NewPart(hoosh.PartText, t))
		}
	}
	p.Result.Parts = append(p.Result.Parts, media...)
	return p
}

// resultText is the text of a function's response: that of its only member, if it
// has the name of one that is made of text, else the object itself. The AI SDK says
// {name, content}.
func resultText(response []byte, tool string) (t hoosh.Text, failed bool) {
	c := jsonpeek.NewDepth(response, jsonpeek.MaxDepth)
	var inner, name []byte
	text, n, known := false, 0, ""
	for c.Object(); c.Next(); n++ {
		key := string(c.Key())
		switch key {
		case "result", "output", "error", "content":
			known = key
			peek := c
			var raw []byte
			if raw, text = peek.Str(); text {
				inner = raw
			} else {
				inner = peek.Value()
			}
		case "name":
			name, _ = c.Str()
		}
	}
	switch {
	case n == 1 && known != "" && known != "content", n == 2 && known == "content" && string(codec.Plain(name)) == tool:
		if text {
			return hoosh.RawText(inner), known == "error"
		}
		return hoosh.NewText(string(inner)), known == "error"
	case n == 0:
		return hoosh.Text{}, false
	}
	return hoosh.NewText(string(response)), false
}
