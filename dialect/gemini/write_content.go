// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// turnState is the content that is being written.
type turnState struct {
	role   string // "": none is open
	turns  int
	called bool // there was a call in it
}

// waitingCall is a tool call that waits for its result.
type waitingCall struct {
	id, name string // the id as OpenIDs left it, "" without one
	place    string // in the request
	result   *hoosh.Part
	at       string // place of the result
}

// begin makes sure that a content of this role is open, and separates what follows.
func (w *writer) begin(role string) {
	if w.turn.role == role {
		w.comma()
		return
	}
	if w.turn.turns == 0 && role == "model" && !w.extras {
		// A conversation begins with the user, or its first call is refused.
		w.b = append(w.b, `{"role":"user","parts":[{"text":"(continued)"}]}`...)
		w.turn.turns++
	} else if w.turn.role != "" {
		w.b = append(w.b, "]}"...)
	}
	w.comma()
	w.b = append(append(append(w.b, `{"role":"`...), role...), `","parts":[`...)
	w.turn = turnState{role: role, turns: w.turn.turns + 1}
}

// messages writes the system prompt and the contents.
func (w *writer) messages(ms []hoosh.Message) {
	at := 0
	for at < len(ms) && isSystem(&ms[at]) {
		at++
	}
	w.system(ms[:at])
	w.key("contents")
	w.b = append(w.b, '[')
	for i := at; i < len(ms); i++ {
		if ms[i].Role == hoosh.RoleAssistant {
			w.assistant(i, &ms[i])
			continue
		}
		to := i
		for to < len(ms) && ms[to].Role != hoosh.RoleAssistant {
			to++
		}
		w.results(ms, i, to)
		for ; i < to; i++ {
			w.speaker(i, &ms[i])
		}
		i--
	}
	for i := range w.waiting {
		w.fail(hoosh.ErrInvalidRequest, w.waiting[i].place, unanswered)
	}
	if w.turn.turns == 0 {
		if len(ms) == 0 {
			w.fail(hoosh.ErrInvalidRequest, "messages", "want at least one message")
		}
		w.begin("user")
		w.b = append(w.b, `{"text":"(continued)"}`...)
	}
	w.b = append(w.b, "]}]"...)
}

const unanswered = "this tool call has no result in the messages after it; want one for each call"

func isSystem(m *hoosh.Message) bool {
	return m.Role == hoosh.RoleSystem || m.Role == hoosh.RoleDeveloper
}

// system writes what stands at the head of the conversation.
func (w *writer) system(ms []hoosh.Message) {
	from := len(w.b)
	w.key("systemInstruction")
	w.b = append(w.b, `{"parts":[`...)
	inside := len(w.b)
	for i := range ms {
		w.about(&ms[i])
		for j := range ms[i].Parts {
			switch p := &ms[i].Parts[j]; {
			case p.Kind == hoosh.PartText:
				if !p.Content().IsEmpty() {
					w.comma()
					w.text(p)
				}
			case p.Kind == hoosh.PartOther && w.extras:
				w.comma()
				w.raw(p.Raw, place(i, j))
			default:
				w.fail(hoosh.ErrUnsupported, place(i, j), "a system prompt is text for Gemini; it cannot hold content of kind "+p.Kind.String())
			}
		}
	}
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, "]}"...)
}

// about names what a message holds beside its parts.
func (w *writer) about(m *hoosh.Message) {
	if m.Name != "" {
		w.drop("name")
	}
	for i := range m.Extra {
		if !m.Extra[i].IsNote() {
			w.drop(m.Extra[i].Key)
		}
	}
}

// text writes a part of text, which is not empty or has a signature.
func (w *writer) text(p *hoosh.Part) {
	w.b = append(w.b, `{"text":`...)
	w.b = p.Content().AppendJSON(w.b)
	w.endPart(p)
}

// endPart writes what stands beside the content of a part.
func (w *writer) endPart(p *hoosh.Part) {
	if p.Signature != nil && w.p.Accepts(p.Signature, w.from) {
		w.key("thoughtSignature")
		w.b = p.Signature.Data.AppendJSON(w.b)
	}
	w.extra(p.Extra, "text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse")
	w.b = append(w.b, '}')
}

// speaker writes message i, of anybody but the model, without the results in it.
func (w *writer) speaker(i int, m *hoosh.Message) {
	w.about(m)
	for j := range m.Parts {
		p := &m.Parts[j]
		switch {
		case p.Kind == hoosh.PartToolResult:
		case isSystem(m) && p.Kind == hoosh.PartText:
			w.instruction(p)
		case m.Role == hoosh.RoleTool && !w.extras:
			w.fail(hoosh.ErrInvalidRequest, place(i, j), "want tool results, and only those, in a message of role tool")
		case p.Kind == hoosh.PartText:
			if !p.Content().IsEmpty() || w.accepted(p) {
				w.begin("user")
				w.text(p)
			}
		case p.Kind == hoosh.PartImage, p.Kind == hoosh.PartAudio, p.Kind == hoosh.PartFile:
			w.begin("user")
			w.media(p, place(i, j))
			w.endPart(p)
		case p.Kind == hoosh.PartOther:
			w.other(p, "user", place(i, j))
		default:
			w.fail(hoosh.ErrInvalidRequest, place(i, j), "content of kind "+p.Kind.String()+" in a message of the user is not possible with Gemini")
		}
	}
}

func (w *writer) accepted(p *hoosh.Part) bool { return w.p.Accepts(p.Signature, w.from) }

// other writes a part of a kind that only one format knows.
func (w *writer) other(p *hoosh.Part, role, where string) {
	if !w.extras {
		w.drop(where)
		return
	}
	w.begin(role)
	w.raw(p.Raw, where)
}

// instruction writes a system message in mid-conversation.
func (w *writer) instruction(p *hoosh.Part) {
	if p.Content().IsEmpty() {
		return
	}
	w.begin("user")
	w.b = append(w.b, `{"text":"<system>`...)
	w.inside(p.Content())
	w.b = append(w.b, `</system>"`...)
	w.extra(p.Extra, "text")
	w.b = append(w.b, '}')
}

// inside writes a text without its quotes.
func (w *writer) inside(t hoosh.Text) {
	at := len(w.b)
	w.b = t.AppendJSON(w.b)
	copy(w.b[at:], w.b[at+1:len(w.b)-1])
	w.b = w.b[:len(w.b)-2]
}

// assistant writes message i, of the model.
func (w *writer) assistant(i int, m *hoosh.Message) {
	w.about(m)
	for j := range m.Parts {
		p := &m.Parts[j]
		switch p.Kind {
		case hoosh.PartText, hoosh.PartRefusal:
			if !p.Content().IsEmpty() || w.accepted(p) {
				w.begin("model")
				w.text(p)
			}
		case hoosh.PartThinking:
			if w.accepted(p) {
				w.begin("model")
				w.b = append(w.b, `{"text":`...)
				w.b = p.Content().AppendJSON(w.b)
				w.b = append(w.b, `,"thought":true`...)
				w.endPart(p)
			}
		case hoosh.PartToolCall:
			w.call(i, j, p)
		case hoosh.PartImage, hoosh.PartAudio, hoosh.PartFile:
			w.begin("model")
			w.media(p, place(i, j))
			w.endPart(p)
		case hoosh.PartOther:
			w.other(p, "model", place(i, j))
		default:
			w.fail(hoosh.ErrInvalidRequest, place(i, j), "content of kind "+p.Kind.String()+" in a message of the assistant is not possible with Gemini")
		}
	}
}

// noSignature is what Google lets stand in the place of a signature that was lost, or
// never was: for calls that another model has made.
const noSignature = "skip_thought_signature_validator"

// call writes a call. The first of a turn must be signed for newer models.
func (w *writer) call(i, j int, p *hoosh.Part) {
	if p.Call == nil {
		return
	}
	w.begin("model")
	w.b = append(w.b, `{"functionCall":{`...)
	w.id(p.Call.ID)
	w.key("name")
	w.b = jsonpeek.AppendQuote(w.b, p.Call.Name)
	w.key("args")
	var ok bool
	custom := w.from != Dialect && string(p.Call.Extra.Get("type")) == `"custom"`
	if custom { // OpenAI's: its arguments are any text
		w.b = append(p.Call.Arguments.AppendString(append(w.b, `{"input":`...)), '}')
	} else if w.b, ok = appendArgs(w.b, p.Call.Arguments); !ok {
		w.fail(hoosh.ErrInvalidRequest, place(i, j), "the arguments of the call are not a JSON object; Gemini takes nothing else")
	}
	for i := range p.Call.Extra {
		if x := p.Call.Extra[i : i+1]; !custom || x[0].Key != "type" {
			w.extra(x, "id", "name", "args")
		}
	}
	w.b = append(w.b, '}')
	if w.model.signed && !w.turn.called && !w.accepted(p) {
		w.b = append(w.b, `,"thoughtSignature":"`+noSignature+`"`...)
	}
	w.endPart(p)
	w.turn.called = true
	w.waiting = append(w.waiting, waitingCall{id: p.Call.ID, name: p.Call.Name, place: place(i, j)})
}

// id writes the id of a call, if it has one.
func (w *writer) id(id string) {
	if id == "" {
		return
	}
	if w.p.ToolID != nil {
		id = w.p.ToolID(id)
	}
	w.key("id")
	w.b = jsonpeek.AppendQuote(w.b, id)
}

// appendArgs writes arguments as an object, an empty one for none and for null. It
// reports whether they are one.
func appendArgs(dst []byte, a hoosh.Arguments) ([]byte, bool) {
	from := len(dst)
	dst, ok := a.AppendValue(dst)
	if !ok {
		return append(dst, "{}"...), false
	}
	c := jsonpeek.NewDepth(dst[from:], jsonpeek.MaxDepth)
	switch c.Kind() {
	case jsonpeek.Object:
		return dst, true
	case jsonpeek.Null:
		return append(dst[:from], "{}"...), true
	}
	return dst, false
}

// results writes those among the messages [from, to), which are all up to the next
// turn of the model: in the order of the calls, in one content, first in it.
func (w *writer) results(ms []hoosh.Message, from, to int) {
	var later []waitingCall // without an id
	for i := from; i < to; i++ {
		for j := range ms[i].Parts {
			p := &ms[i].Parts[j]
			if p.Kind != hoosh.PartToolResult || p.Result == nil {
				continue
			}
			k := -1
			if id := p.Result.ID; id != "" {
				k = slices.IndexFunc(w.waiting, func(c waitingCall) bool { return c.id == id && c.result == nil })
			}
			if k < 0 && (p.Result.ID == "" || w.lacksID()) {
				later = append(later, waitingCall{name: p.Result.Name, result: p, at: place(i, j)})
				continue
			}
			w.answer(k, p, place(i, j))
		}
	}
	for _, r := range later {
		k := slices.IndexFunc(w.waiting, func(c waitingCall) bool { return r.name != "" && c.name == r.name && c.result == nil })
		if k < 0 {
			k = slices.IndexFunc(w.waiting, func(c waitingCall) bool { return c.result == nil })
		}
		w.answer(k, r.result, r.at)
	}
	for i := range w.waiting {
		c := &w.waiting[i]
		if c.result == nil {
			w.fail(hoosh.ErrInvalidRequest, c.place, unanswered)
			continue
		}
		w.result(c)
	}
	if !w.model.mediaInside { // then media follow, as the user's
		for i := range w.waiting {
			if c := &w.waiting[i]; c.result != nil {
				for j := range c.result.Result.Parts {
					if p := &c.result.Result.Parts[j]; isMedia(p) {
						w.begin("user")
						w.media(p, c.at)
						w.endPart(p)
					}
				}
			}
		}
	}
	w.waiting = w.waiting[:0]
}

// lacksID reports that a call without an id waits: its result may have one all the
// same.
func (w *writer) lacksID() bool {
	return slices.ContainsFunc(w.waiting, func(c waitingCall) bool { return c.id == "" })
}

func (w *writer) answer(k int, p *hoosh.Part, where string) {
	if k < 0 {
		w.fail(hoosh.ErrInvalidRequest, where, "this tool result answers no call of the assistant's turn before it; want one for each call")
		return
	}
	w.waiting[k].result, w.waiting[k].at = p, where
}

func isMedia(p *hoosh.Part) bool {
	return p.Kind == hoosh.PartImage || p.Kind == hoosh.PartAudio || p.Kind == hoosh.PartFile
}

// result writes one, under the name and the id of its call.
func (w *writer) result(c *waitingCall) {
	r := c.result.Result
	w.begin("user")
	w.b = append(w.b, `{"functionResponse":{`...)
	w.id(c.id)
	w.key("name")
	w.b = jsonpeek.AppendQuote(w.b, c.name)
	w.key("response")
	w.response(c)
	if w.model.mediaInside && slices.ContainsFunc(r.Parts, func(p hoosh.Part) bool { return isMedia(&p) }) {
		w.key("parts")
		w.b = append(w.b, '[')
		for j := range r.Parts {
			if p := &r.Parts[j]; isMedia(p) {
				w.comma()
				w.media(p, c.at)
				w.b = append(w.b, '}')
			}
		}
		w.b = append(w.b, ']')
	}
	w.extra(c.result.Extra, "id", "name", "response", "parts", "text", "functionResponse")
	w.b = append(w.b, "}}"...)
}

// response writes what the tool gave as an object. An object in text is one already.
func (w *writer) response(c *waitingCall) {
	r := c.result.Result
	var texts []*hoosh.Part
	for j := range r.Parts {
		switch p := &r.Parts[j]; {
		case p.Kind == hoosh.PartText, p.Kind == hoosh.PartRefusal:
			texts = append(texts, p)
			for k := range p.Extra {
				if !p.Extra[k].IsNote() {
					w.drop(p.Extra[k].Key)
				}
			}
		case isMedia(p):
		case p.Kind == hoosh.PartOther && !w.extras:
			w.drop(c.at)
		default:
			w.fail(hoosh.ErrUnsupported, c.at, "content of kind "+p.Kind.String()+" in a tool's result is not possible with Gemini")
		}
	}
	if len(texts) == 1 && !r.Failed {
		w.textResponse(texts[0].Content())
		return
	}
	word := "result"
	if r.Failed {
		word = "error"
	}
	if len(texts) == 0 && !r.Failed {
		w.b = append(w.b, "{}"...)
		return
	}
	w.b = append(append(append(w.b, `{"`...), word...), `":"`...)
	for i, p := range texts {
		if i > 0 {
			w.b = append(w.b, `\n`...)
		}
		w.inside(p.Content())
	}
	w.b = append(w.b, `"}`...)
}

// textResponse writes a text: what it is made of if that is an object, else as a
// member of one. A long one is not unescaped unless it begins like an object.
func (w *writer) textResponse(t hoosh.Text) {
	from := len(w.b)
	w.b = append(w.b, `{"result":`...)
	at := len(w.b) + 1
	w.b = append(t.AppendJSON(w.b), '}')
	for at < len(w.b) && (w.b[at] == ' ' || w.b[at] == '\\' && strings.IndexByte("nrt", w.b[at+1]) >= 0) {
		if w.b[at] == '\\' {
			at++
		}
		at++
	}
	if w.b[at] != '{' {
		return
	}
	object := []byte(t.String())
	if c := jsonpeek.New(object); c.Kind() == jsonpeek.Object && c.End() == nil {
		w.b = append(w.b[:from], bytes.TrimSpace(object)...)
	}
}

// place is the path of part j of message i, as OpenAI has it.
func place(i, j int) string { return fmt.Sprintf("messages[%d].content[%d]", i, j) }
