// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openCall is a call that has no result yet.
type openCall struct{ id, name string }

// maxOpenCalls bounds the search for the call that a result without an id answers.
const maxOpenCalls = 256

// items writes the messages, all of them, as items. w.at is the place of the
// first in the request.
func (w *writer) items(ms []hoosh.Message) {
	w.put("[")
	var open []openCall
	for i := range ms {
		m := &ms[i]
		open = w.results(m, open)
		if m.Role == hoosh.RoleAssistant {
			open = w.turn(m, open)
		} else {
			w.message(m)
		}
		w.at++
	}
	w.put("]")
}

func isResult(p *hoosh.Part) bool { return p.Kind == hoosh.PartToolResult && p.Result != nil }

// results writes the tool results within m, each an item of its own: other
// formats have them beside text.
func (w *writer) results(m *hoosh.Message, open []openCall) []openCall {
	for j := range m.Parts {
		p := &m.Parts[j]
		if !isResult(p) {
			continue
		}
		res := p.Result
		id := res.ID
		k := slices.IndexFunc(open, func(o openCall) bool { return id != "" && o.id == id })
		if id == "" && res.Name != "" {
			k = slices.IndexFunc(open, func(o openCall) bool { return o.name == res.Name })
		}
		if id == "" && k < 0 && len(open) > 0 {
			k = 0
		}
		if k >= 0 {
			id = open[k].id
			open = slices.Delete(open, k, k+1)
		}
		w.comma()
		if w.custom[id] {
			w.put(`{"type":"custom_tool_call_output","call_id":`)
		} else {
			w.put(`{"type":"function_call_output","call_id":`)
		}
		w.id(id)
		w.key("output")
		w.outcome(res.Parts, j)
		w.put("}")
		if res.Failed {
			w.drop("is_error")
		}
		w.dropExtra(p.Extra)
	}
	return open
}

// outcome writes what a tool answered: text as a string, its parts a line each, and
// anything else as parts.
func (w *writer) outcome(parts []hoosh.Part, at int) {
	texts := 0
	for i := range parts {
		if parts[i].Kind == hoosh.PartText && (len(parts[i].Extra) == 0 || !w.native) {
			texts++
		}
	}
	if texts < len(parts) || w.native && texts > 1 {
		w.parts(parts, func(int) int { return at })
		return
	}
	w.put(`"`)
	begun := false
	for i := range parts {
		if t := parts[i].Content(); !t.IsEmpty() {
			if begun {
				w.put(`\n`)
			}
			w.b, begun = appendInside(w.b, t), true
		}
		w.dropExtra(parts[i].Extra)
	}
	w.put(`"`)
}

// parts writes an array of parts; place gives the number of the i-th for names and
// errors. Where none of them can be said it is the empty text: an empty array
// is refused.
func (w *writer) parts(parts []hoosh.Part, place func(i int) int) {
	from := len(w.b)
	w.put("[")
	for i := range parts {
		w.part(&parts[i], place(i), "input_text")
	}
	if len(w.b) == from+1 {
		w.b = append(w.b[:from], `""`...)
		return
	}
	w.put("]")
}

// maxID is the longest id of a call that OpenAI takes.
const maxID = 64

// id writes the id of a call as the vendor takes it.
func (w *writer) id(id string) {
	switch {
	case w.p.ToolID != nil:
		id = w.p.ToolID(id)
	case len(id) > maxID && !w.p.Sealed:
		sum := sha256.Sum256([]byte(id))
		id = "call_" + hex.EncodeToString(sum[:20])
	}
	w.quote(id)
}

// message writes a message that is not the model's, without its tool results.
func (w *writer) message(m *hoosh.Message) {
	rest, results := len(m.Parts) == 0, false
	for j := range m.Parts {
		result := isResult(&m.Parts[j])
		rest, results = rest || !result, results || result
	}
	role := m.Role
	switch {
	case !rest:
		w.dropMessage(m)
		return
	case role == hoosh.RoleDeveloper && w.p.NoDeveloper:
		role = hoosh.RoleSystem
	case role == hoosh.RoleTool:
		w.fail(hoosh.ErrInvalidRequest, fmt.Sprintf("messages[%d]", w.at), "want tool results, and only those, in a message of role tool")
	}
	start := len(w.b)
	w.comma()
	w.put(`{"type":"message","role":`)
	w.quote(string(role))
	w.key("content")
	content := len(w.b)
	w.parts(m.Parts, func(j int) int { return j })
	if results && string(w.b[content:]) == `""` { // there was nothing else that could be said
		w.b = w.b[:start]
		w.dropMessage(m)
		return
	}
	w.extra(m.Extra, "type", "role", "content", "id", "status", "phase")
	w.put("}")
	if m.Name != "" {
		w.drop(fmt.Sprintf("messages[%d].name", w.at))
	}
}

func (w *writer) dropMessage(m *hoosh.Message) {
	if m.Name != "" {
		w.drop(fmt.Sprintf("messages[%d].name", w.at))
	}
	w.dropExtra(m.Extra)
}

// part writes a content part, the j-th of its message; text is the name of the
// type of text there.
func (w *writer) part(p *hoosh.Part, j int, text string) {
	switch p.Kind {
	case hoosh.PartText, hoosh.PartRefusal:
		w.comma()
		if p.Kind == hoosh.PartRefusal && text == "output_text" {
			w.put(`{"type":"refusal","refusal":`)
		} else {
			w.put(`{"type":"` + text + `","text":`)
		}
		w.b = p.Content().AppendJSON(w.b)
		if len(p.Citations) > 0 && w.native && p.Kind == hoosh.PartText {
			w.key("annotations")
			w.b = appendAnnotations(w.b, p.Citations, true)
		}
	case hoosh.PartImage, hoosh.PartAudio, hoosh.PartFile:
		w.media(p, j)
	case hoosh.PartOther:
		if !w.native {
			w.drop(w.place(j))
			return
		}
		w.comma()
		w.raw(p.Raw, w.place(j))
		return
	default: // results have been written, and the model's thinking is in its own messages
		return
	}
	w.extra(p.Extra, "type", "text", "refusal", "annotations", "logprobs", "image_url", "file_id", "detail", "file_data", "file_url", "filename", "input_audio")
	w.put("}")
}

func (w *writer) media(p *hoosh.Part, j int) {
	m := p.Media
	w.comma()
	switch {
	case m == nil:
		w.fail(hoosh.ErrInvalidRequest, w.place(j), "the part has no media")
		w.put(`{"type":"input_text"`)
	case p.Kind == hoosh.PartAudio:
		if m.Data.IsEmpty() {
			w.fail(hoosh.ErrUnsupported, w.place(j), "a sound that is not in the request itself")
		}
		w.put(`{"type":"input_audio","input_audio":{"data":`)
		w.b = m.Data.AppendJSON(w.b)
		w.key("format")
		w.quote(audioFormat(m))
		w.put("}")
	case p.Kind == hoosh.PartImage:
		w.put(`{"type":"input_image"`)
		w.fetched(m, j, "image_url")
		w.quoted("file_id", m.ID)
		w.quoted("detail", m.Detail)
	default:
		w.put(`{"type":"input_file"`)
		inline := !m.Data.IsEmpty() || isDataURL(m.URL)
		switch {
		case !m.Data.IsEmpty() && m.Type == "" && w.from == Dialect: // as it came
			w.key("file_data")
			w.b = m.Data.AppendJSON(w.b)
		case inline:
			w.fetched(m, j, "file_data")
		default:
			w.fetched(m, j, "file_url")
		}
		w.quoted("file_id", m.ID)
		name := m.Name
		if name == "" && inline && w.from != Dialect {
			name = fileName(m.Type)
		}
		w.quoted("filename", name)
	}
}

// fetched writes where media are, or themselves.
func (w *writer) fetched(m *hoosh.Media, j int, name string) {
	switch {
	case !m.Data.IsEmpty() || !m.URL.IsEmpty():
		w.key(name)
		w.b = m.AppendURL(w.b)
	case m.ID == "":
		w.fail(hoosh.ErrInvalidRequest, w.place(j), "want data, a URL or an id")
	case w.from == nil || w.from == Dialect || w.from == hoosh.OpenAI:
	default: // ids are the vendor's that gave them
		w.fail(hoosh.ErrUnsupported, w.place(j), "a file that is kept at another provider")
	}
}

// fileName names a file that has no name, for OpenAI wants one.
func fileName(kind string) string {
	switch kind {
	case "application/pdf":
		return "file.pdf"
	case "text/markdown":
		return "file.md"
	case "text/html":
		return "file.html"
	case "text/csv":
		return "file.csv"
	case "application/json":
		return "file.json"
	}
	return "file.txt"
}

// audioFormat is OpenAI's word for the format of a sound.
func audioFormat(m *hoosh.Media) string {
	if m.Format != "" {
		return m.Format
	}
	switch m.Type {
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	}
	return "wav"
}

// turn writes the model's message: its parts in their order, those that stand
// together in one item.
func (w *writer) turn(m *hoosh.Message, open []openCall) []openCall {
	said, first := false, true // a message item is open; no call was yet
	end := func() {
		if said {
			w.put("]}")
			said = false
		}
	}
	for j := range m.Parts {
		p := &m.Parts[j]
		switch p.Kind {
		case hoosh.PartText, hoosh.PartRefusal:
			if !said {
				w.comma()
				w.put(`{"type":"message","role":"assistant","content":[`)
				said = true
			}
			w.part(p, j, "output_text")
		case hoosh.PartThinking:
			if sealed := w.accepted(p.Signature); !sealed.IsEmpty() {
				end()
				w.thought(p, sealed)
			}
		case hoosh.PartToolCall:
			if p.Call == nil {
				continue
			}
			end()
			if first { // what an earlier turn left open stays so
				open, first = open[:0], false
			}
			open = append(open, w.call(p, j))
			open = open[max(0, len(open)-maxOpenCalls):]
		case hoosh.PartOther:
			if !w.native {
				w.drop(w.place(j))
				continue
			}
			end()
			w.comma()
			w.raw(p.Raw, w.place(j))
		case hoosh.PartImage, hoosh.PartAudio, hoosh.PartFile:
			w.fail(hoosh.ErrUnsupported, w.place(j), "media in a message of the model, which this format has only as results of its tools,")
		}
	}
	end()
	w.dropMessage(m)
	return open
}

// accepted is the signature as it goes out, empty when the backend would refuse
// it.
func (w *writer) accepted(s *hoosh.Signature) hoosh.Text {
	switch {
	case s == nil || w.p.NoThinking:
	case w.p.Sealed && s.Issuer != "":
		return hoosh.NewText(s.Seal())
	case w.p.Accepts(s, w.from):
		return s.Data
	}
	return hoosh.Text{}
}

// thought writes a reasoning item. It has no id: the backend would look for it
// among what it has stored.
func (w *writer) thought(p *hoosh.Part, sealed hoosh.Text) {
	w.comma()
	w.put(`{"type":"reasoning","summary":[`)
	if t := p.Content(); !t.IsEmpty() {
		w.put(`{"type":"summary_text","text":`)
		w.b = t.AppendJSON(w.b)
		w.put("}")
	}
	w.put(`],"encrypted_content":`)
	w.b = sealed.AppendJSON(w.b)
	w.put("}")
	w.dropExtra(p.Extra)
}

// call writes a tool call, the j-th part of its message.
func (w *writer) call(p *hoosh.Part, j int) openCall {
	t := p.Call
	o := openCall{id: t.ID, name: t.Name}
	if o.id == "" {
		o.id = fmt.Sprintf("call_%d_%d", w.at, j)
	}
	custom := isCustomCall(t) && (w.native || w.from == hoosh.OpenAI)
	w.comma()
	if custom {
		w.put(`{"type":"custom_tool_call","call_id":`)
		if w.custom == nil {
			w.custom = map[string]bool{}
		}
		w.custom[o.id] = true
	} else {
		w.put(`{"type":"function_call","call_id":`)
	}
	id := o.id
	if w.p.Sealed {
		id = hoosh.SealID(id, p.Signature, nil)
	}
	w.id(id)
	name := t.Name
	if namespace := t.Extra.Get(extraNamespace); namespace != nil && w.native {
		w.key("namespace")
		w.raw(namespace, w.place(j))
		for i := range w.tools {
			if w.tools[i].Name == t.Name {
				name = ownName(&w.tools[i])
			}
		}
	}
	w.key("name")
	w.quote(name)
	switch {
	case !custom:
		w.key("arguments")
		w.b = t.Arguments.AppendString(w.b)
	case w.from == hoosh.OpenAI:
		w.key("input")
		w.quote(inputText(t.Arguments))
	default:
		w.key("input")
		w.b = append(w.b, inputOf(t.Arguments.JSON())...)
	}
	w.put("}")
	for i := range t.Extra {
		if x := &t.Extra[i]; x.Key != "type" && !x.IsNote() {
			w.drop(x.Key)
		}
	}
	w.dropExtra(p.Extra)
	return o
}

// inputText is the text that a custom tool's call carries in place of arguments.
func inputText(a hoosh.Arguments) string {
	if a.Equal(hoosh.Arguments{}) {
		return ""
	}
	return string(a.JSON())
}

// inputOf is the input of a custom tool, as a JSON string, in the arguments of
// the function that stands for it. What is no such object is the input itself.
func inputOf(arguments []byte) []byte {
	if string(arguments) == "{}" {
		return []byte(`""`)
	}
	if jsonpeek.Valid(arguments) == nil {
		if v := member(arguments, "input"); len(v) > 0 && v[0] == '"' {
			return v
		}
	}
	return jsonpeek.AppendQuote(nil, string(arguments))
}

// annotationTypes are the forms of citations that this format has.
var annotationTypes = [...]string{"url_citation", "file_citation", "container_file_citation", "file_path"}

// appendAnnotations appends what can be said of citations here; native ones are
// in this format, whatever they are.
func appendAnnotations(dst []byte, list []hoosh.Citation, native bool) []byte {
	dst = append(dst, '[')
	empty := len(dst)
	for i := range list {
		n := len(dst)
		if n > empty {
			dst = append(dst, ',')
		}
		from := len(dst)
		if native && list[i].Raw != nil {
			dst = append(dst, list[i].Raw...)
		} else {
			dst = appendAnnotation(dst, &list[i])
		}
		if len(dst) == from {
			dst = dst[:n]
		}
	}
	return append(dst, ']')
}

// appendAnnotation appends one citation, or nothing.
func appendAnnotation(dst []byte, t *hoosh.Citation) []byte {
	if t.Raw != nil && slices.Contains(annotationTypes[:], string(stringMember(t.Raw, "type"))) {
		return append(dst, t.Raw...)
	}
	if t.URL == "" {
		return dst
	}
	dst = append(dst, `{"type":"url_citation","start_index":`...)
	dst = append(appendInt(dst, int64(t.Start)), `,"end_index":`...)
	dst = append(appendInt(dst, int64(t.End)), `,"url":`...)
	dst = append(jsonpeek.AppendQuote(dst, t.URL), `,"title":`...)
	return append(jsonpeek.AppendQuote(dst, t.Title), '}')
}
