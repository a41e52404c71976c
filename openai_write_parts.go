// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// The parts of messages as they are written, and tool calls; openai_write.go writes
// what is around them.

// isContent reports that the part has its place in the content.
func isContent(p *Part) bool {
	switch p.Kind {
	case PartText, PartImage, PartAudio, PartFile, PartOther:
		return true
	}
	return false
}

// content writes text as a string, anything else as an array. Nothing is null
// where something else in the message says what there is to say.
func (w *openAIWriter) content(parts []Part, orNull bool) {
	n, text := 0, -1
	for i := range parts {
		if isContent(&parts[i]) && (w.extras || parts[i].Kind != PartOther) {
			n++
			if parts[i].Kind == PartText && (!w.extras && !w.marks() || len(parts[i].Extra) == 0) {
				text = i
			}
		}
	}
	for i := range parts {
		if parts[i].Kind == PartOther && !w.extras {
			w.drop(w.place(i))
		}
	}
	switch {
	case n == 0 && orNull:
		w.b = append(w.b, "null"...)
	case n == 0:
		w.b = append(w.b, `""`...)
	case n == 1 && text >= 0:
		w.b = parts[text].text.AppendJSON(w.b)
		w.dropExtra(&parts[text])
	case w.reply: // of a reply it is always a string
		w.joined(parts, PartText)
	default:
		w.parts(parts)
	}
}

// joined writes all text of one kind as one string.
func (w *openAIWriter) joined(parts []Part, kind PartKind) {
	w.open('"')
	for i := range parts {
		if p := &parts[i]; p.Kind == kind {
			w.b = appendInside(w.b, p.text)
			w.dropExtra(p)
		}
	}
	w.close('"')
}

// lines writes all text as one string, each part on a line of its own: those of one
// tool result have nothing to do with each other.
func (w *openAIWriter) lines(parts []Part) {
	w.open('"')
	begun := false
	for i := range parts {
		if p := &parts[i]; p.Kind == PartText {
			if begun {
				w.b = append(w.b, `\n`...)
			}
			w.b = appendInside(w.b, p.text)
			w.dropExtra(p)
			begun = true
		}
	}
	w.close('"')
}

// dropExtra names the members of p that are not written.
func (w *openAIWriter) dropExtra(p *Part) {
	for i := range p.Extra {
		if !w.extras {
			w.drop(p.Extra[i].Key)
		}
	}
}

func (w *openAIWriter) parts(parts []Part) {
	w.open('[')
	for i := range parts {
		if p := &parts[i]; isContent(p) && (w.extras || p.Kind != PartOther) {
			w.part(p, i)
		}
	}
	w.close(']')
}

// part writes a content part, the i-th.
func (w *openAIWriter) part(p *Part, i int) {
	w.comma()
	switch p.Kind {
	case PartText:
		w.b = append(w.b, `{"type":"text","text":`...)
		w.b = p.text.AppendJSON(w.b)
	case PartRefusal:
		w.b = append(w.b, `{"type":"refusal","refusal":`...)
		w.b = p.text.AppendJSON(w.b)
	case PartThinking:
		w.b = append(w.b, `{"type":"thinking","thinking":[{"type":"text","text":`...)
		w.b = append(p.text.AppendJSON(w.b), "}]"...)
	case PartImage, PartAudio, PartFile:
		w.media(p, i)
	default:
		w.raw(p.Raw, w.place(i))
		return
	}
	if mark := p.Extra.Get(cacheMark); mark != nil && w.marks() && !w.extras {
		w.key(cacheMark)
		w.raw(mark, cacheMark)
	} else {
		w.extra(p.Extra, "type", "text", "refusal", "thinking", "image_url", "input_audio", "file")
	}
	w.close('}')
}

// cacheMark is the member that marks the end of a prefix to be cached.
const cacheMark = "cache_control"

// marks reports that such members are written whatever dialect they are from.
func (w *openAIWriter) marks() bool { return w.p.CacheMarks && !w.reply }

func (w *openAIWriter) media(p *Part, i int) {
	m := p.Media
	switch {
	case w.role == RoleAssistant && !w.extras && !w.reply:
		w.fail(ErrUnsupported, w.place(i), "a "+p.Kind.String()+" that the model made, in the history of a conversation")
	case m == nil:
		w.fail(ErrInvalidRequest, w.place(i), "the part has no media")
	case p.Kind == PartFile:
		w.file(m, i)
	case p.Kind == PartAudio:
		if m.Data.IsEmpty() {
			w.fail(ErrUnsupported, w.place(i), "a sound that is not in the request itself")
		}
		w.b = append(w.b, `{"type":"input_audio","input_audio":{"data":`...)
		w.b = m.Data.AppendJSON(w.b)
		w.key("format")
		w.b = append(jsonpeek.AppendQuote(w.b, audioFormat(m)), '}')
	default:
		if m.Data.IsEmpty() && m.URL.IsEmpty() {
			w.fail(ErrUnsupported, w.place(i), "an image that is neither in the request nor at a URL")
		}
		w.b = append(w.b, `{"type":"image_url","image_url":{"url":`...)
		w.b = m.AppendURL(w.b)
		if m.Detail != "" {
			w.key("detail")
			w.b = jsonpeek.AppendQuote(w.b, m.Detail)
		}
		w.close('}')
	}
}

func (w *openAIWriter) file(m *Media, i int) {
	name := m.Name
	switch foreign := w.from != nil && w.from != OpenAI; {
	case m.Data.IsEmpty() && m.URL.IsEmpty() && m.ID == "":
		w.fail(ErrInvalidRequest, w.place(i), "want a file's data or id")
	case foreign && m.ID != "":
		w.fail(ErrUnsupported, w.place(i), "a file that is kept at another provider")
	case foreign && m.Data.IsEmpty():
		w.fail(ErrUnsupported, w.place(i), "a file that is not in the request itself")
	case foreign && name == "": // it must have one
		_, kind, _ := strings.Cut(m.Type, "/")
		name = "file." + or(kind, "pdf")
	}
	w.b = append(w.b, `{"type":"file","file":{`...)
	if name != "" {
		w.key("filename")
		w.b = jsonpeek.AppendQuote(w.b, name)
	}
	if !m.Data.IsEmpty() || !m.URL.IsEmpty() {
		w.key("file_data")
		w.b = m.AppendURL(w.b)
	}
	if m.ID != "" {
		w.key("file_id")
		w.b = jsonpeek.AppendQuote(w.b, m.ID)
	}
	w.close('}')
}

// toolCall writes an element of tool_calls.
func (w *openAIWriter) toolCall(t *ToolCall, id string) {
	kind, arguments := "function", "arguments"
	if w.extras && string(t.Extra.Get("type")) == string(customCall.Value) {
		kind, arguments = "custom", "input"
	}
	w.comma()
	w.b = append(w.b, `{"id":`...)
	w.id(id)
	w.b = append(append(append(w.b, `,"type":"`...), kind...), `","`...)
	w.b = append(append(w.b, kind...), `":{"name":`...)
	w.b = jsonpeek.AppendQuote(w.b, t.Name)
	w.key(arguments)
	if kind == "custom" && t.Arguments.value == nil {
		w.b = t.Arguments.quoted.AppendJSON(w.b) // any text, none as well
	} else {
		w.b = t.Arguments.AppendString(w.b)
	}
	w.close('}')
	w.extra(t.Extra, "id", "type", "function", "custom")
	w.close('}')
}

// audioFormat is OpenAI's word for the format of a sound.
func audioFormat(m *Media) string {
	if m.Format != "" {
		return m.Format
	}
	kind, _, _ := strings.Cut(m.Type, ";")
	switch format := strings.TrimPrefix(strings.TrimPrefix(kind, "audio/"), "x-"); format {
	case "mpeg":
		return "mp3"
	case "wave", "vnd.wave":
		return "wav"
	default:
		return format
	}
}

// place is the path of a part, for names and errors.
func (w *openAIWriter) place(part int) string {
	return fmt.Sprintf("messages[%d].content[%d]", w.at, part)
}
