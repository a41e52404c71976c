// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// turnState is the turn that is being written. A block that turns out to say
// nothing is taken back with it.
type turnState struct {
	role   string // "": none is open
	turns  int
	text   codec.Span // of the last block the text with its quotes, if it is a text
	system bool       // the blocks are those of the system prompt
}

// begin makes sure that a turn of this role is open, and separates what follows.
func (w *writer) begin(role string) {
	if w.turn.role != role && !w.turn.system {
		if w.turn.turns == 0 && role != "user" {
			// Anthropic wants the user to begin.
			w.b = append(w.b, `{"role":"user","content":[{"type":"text","text":"(continued)"}`...)
			w.turn.turns++
			w.turn.role = "user"
		}
		if w.turn.role != "" {
			w.b = append(w.b, "]}"...)
		}
		w.comma()
		w.b = append(append(append(w.b, `{"role":"`...), role...), `","content":[`...)
		w.turn.role = role
		w.turn.turns++
	} else {
		w.comma()
	}
	w.turn.text = codec.Span{}
}

// messages writes the system prompt and the messages.
func (w *writer) messages(ms []hoosh.Message) {
	at := 0
	for at < len(ms) && isSystem(&ms[at]) {
		at++
	}
	w.system(ms[:at])
	w.key("messages")
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
		w.b = append(w.b, `{"type":"text","text":"(continued)"}`...)
	}
	if w.turn.role == "assistant" {
		w.trimEnd()
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
	w.key("system")
	if len(ms) == 1 && len(ms[0].Parts) == 1 && ms[0].Parts[0].Kind == hoosh.PartText && len(ms[0].Parts[0].Extra) == 0 {
		at := len(w.b)
		w.b = ms[0].Parts[0].Content().AppendJSON(w.b)
		if blank(w.b[at+1 : len(w.b)-1]) {
			w.b = w.b[:from]
		}
		w.about(&ms[0])
		return
	}
	w.b = append(w.b, '[')
	inside := len(w.b)
	w.turn.system = true
	for i := range ms {
		w.about(&ms[i])
		for j := range ms[i].Parts {
			w.systemPart(i, j, &ms[i].Parts[j], "system")
		}
	}
	w.turn = turnState{}
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, ']')
}

func (w *writer) systemPart(i, j int, p *hoosh.Part, role string) {
	switch {
	case p.Kind == hoosh.PartText:
		w.text(role, p)
	case p.Kind == hoosh.PartOther && w.extras:
		w.begin(role)
		w.raw(p.Raw, place(i, j))
	default:
		w.fail(hoosh.ErrUnsupported, place(i, j), "a system prompt is text for Anthropic; it cannot hold content of kind "+p.Kind.String())
	}
}

// about names what a message holds beside its parts.
func (w *writer) about(m *hoosh.Message) {
	if m.Name != "" {
		w.drop("name")
	}
	for i := range m.Extra {
		w.drop(m.Extra[i].Key)
	}
}

// speaker writes message i, of anybody but the assistant, without the results in
// it.
func (w *writer) speaker(i int, m *hoosh.Message) {
	w.about(m)
	for j := range m.Parts {
		p := &m.Parts[j]
		switch {
		case p.Kind == hoosh.PartToolResult:
		case isSystem(m) && w.model.midSystem:
			w.systemPart(i, j, p, "system")
		case isSystem(m) && p.Kind == hoosh.PartText:
			w.instruction(p)
		case m.Role == hoosh.RoleTool:
			w.fail(hoosh.ErrInvalidRequest, place(i, j), "want tool results, and only those, in a message of role tool")
		default:
			w.userPart(i, j, p)
		}
	}
}

// instruction writes a system message in mid-conversation for models that know
// none.
func (w *writer) instruction(p *hoosh.Part) {
	was, from := w.turn, len(w.b)
	w.begin("user")
	w.b = append(w.b, `{"type":"text","text":"<system>`...)
	at := len(w.b)
	w.b = p.Content().AppendJSON(w.b)
	if blank(w.b[at+1 : len(w.b)-1]) {
		w.turn, w.b = was, w.b[:from]
		return
	}
	copy(w.b[at:], w.b[at+1:len(w.b)-1]) // without its quotes
	w.b = append(w.b[:len(w.b)-2], `</system>"`...)
	w.extra(p.Extra, "type", "text")
	w.b = append(w.b, '}')
}

// userPart writes part j of message i, or of a result in it.
func (w *writer) userPart(i, j int, p *hoosh.Part) {
	switch p.Kind {
	case hoosh.PartText, hoosh.PartRefusal:
		w.text("user", p)
	case hoosh.PartImage:
		w.image(i, j, p)
	case hoosh.PartFile:
		w.document(i, j, p)
	case hoosh.PartThinking:
	case hoosh.PartOther:
		if !w.extras {
			w.drop(place(i, j))
			return
		}
		w.begin("user")
		w.raw(p.Raw, place(i, j))
	default:
		w.fail(hoosh.ErrUnsupported, place(i, j), "content of kind "+p.Kind.String()+" in a message of the user is not possible with Anthropic")
	}
}

// assistant writes message i, of the assistant.
func (w *writer) assistant(i int, m *hoosh.Message) {
	w.about(m)
	for j := range m.Parts {
		p := &m.Parts[j]
		switch p.Kind {
		case hoosh.PartText, hoosh.PartRefusal:
			w.text("assistant", p)
		case hoosh.PartThinking:
			w.thought(p)
		case hoosh.PartToolCall:
			w.call(i, j, p)
		case hoosh.PartOther:
			if !w.extras {
				w.drop(place(i, j))
				continue
			}
			w.begin("assistant")
			w.raw(p.Raw, place(i, j))
		default:
			w.fail(hoosh.ErrUnsupported, place(i, j), "content of kind "+p.Kind.String()+" in a message of the assistant is not possible with Anthropic")
		}
	}
}

// text writes a text, unless there is nothing to be seen of it.
func (w *writer) text(role string, p *hoosh.Part) {
	was, from := w.turn, len(w.b)
	w.begin(role)
	w.b = append(w.b, `{"type":"text","text":`...)
	at := len(w.b)
	w.b = p.Content().AppendJSON(w.b)
	if blank(w.b[at+1 : len(w.b)-1]) {
		w.turn, w.b = was, w.b[:from]
		return
	}
	w.turn.text = codec.Span{From: at, To: len(w.b)}
	if role == "assistant" && w.extras {
		w.citations(p.Citations)
	}
	w.extra(p.Extra, "type", "text")
	w.b = append(w.b, '}')
}

func (w *writer) citations(list []hoosh.Citation) {
	n := 0
	for i := range list {
		if !isCitation(list[i].Raw) {
			continue
		}
		if n++; n == 1 {
			w.key("citations")
			w.b = append(w.b, '[')
		}
		w.comma()
		w.b = append(w.b, list[i].Raw...)
	}
	if n > 0 {
		w.b = append(w.b, ']')
	}
}

// trimEnd takes white space from the end of the last text: Anthropic refuses an
// answer that it shall go on with and that ends so.
func (w *writer) trimEnd() {
	at := w.turn.text
	if at.To == 0 {
		return
	}
	text := jsonpeek.Unquote(w.b[at.From+1 : at.To-1])
	if short := strings.TrimSpace("." + text)[1:]; len(short) < len(text) {
		rest := slices.Clone(w.b[at.To:])
		w.b = append(jsonpeek.AppendQuote(w.b[:at.From], short), rest...)
	}
}

// thought writes thinking that the backend takes back.
func (w *writer) thought(p *hoosh.Part) {
	if !w.p.Accepts(p.Signature, w.from) {
		return
	}
	w.begin("assistant")
	if p.Signature.Redacted {
		w.b = append(w.b, `{"type":"redacted_thinking","data":`...)
		w.b = p.Signature.Data.AppendJSON(w.b)
	} else {
		w.b = append(w.b, `{"type":"thinking","thinking":`...)
		w.b = p.Content().AppendJSON(w.b)
		w.key("signature")
		w.b = p.Signature.Data.AppendJSON(w.b)
	}
	if w.extras {
		w.extra(p.Extra, "type", "thinking", "signature", "data")
	}
	w.b = append(w.b, '}')
}

func (w *writer) call(i, j int, p *hoosh.Part) {
	if p.Call == nil {
		return
	}
	id := p.Call.ID
	if id == "" {
		id = fmt.Sprintf("call_%d_%d", i, j)
	}
	w.begin("assistant")
	w.b = append(w.b, `{"type":"tool_use","id":`...)
	w.id(id)
	w.key("name")
	w.b = jsonpeek.AppendQuote(w.b, p.Call.Name)
	w.key("input")
	var ok bool
	if w.b, ok = appendCallInput(w.b, p.Call, w.from == hoosh.OpenAI); !ok {
		w.fail(hoosh.ErrInvalidRequest, place(i, j), "the arguments of the call are not a JSON object; Anthropic takes nothing else")
	}
	w.extra(p.Extra, "type", "id", "name", "input")
	w.extra(p.Call.Extra, "type", "id", "name", "input", cacheMark)
	w.b = append(w.b, '}')
	w.waiting = append(w.waiting, waitingCall{id: id, name: p.Call.Name, place: place(i, j)})
	if w.named && !slices.Contains(w.called, p.Call.Name) {
		w.called = append(w.called, p.Call.Name)
	}
}

// isCustomCall reports that a call is that of a custom tool as OpenAI has them: its
// arguments may be any text.
func isCustomCall(t *hoosh.ToolCall) bool { return string(t.Extra.Get("type")) == `"custom"` }

// appendCallInput writes the arguments of a call as an object; the text of a custom
// tool is the "input" in it. Where that is done already it is left, but for text
// that is known to be the bare one.
func appendCallInput(dst []byte, t *hoosh.ToolCall, bare bool) ([]byte, bool) {
	if !isCustomCall(t) || !bare && isInput(t.Arguments.JSON()) {
		return appendInput(dst, t.Arguments)
	}
	text := ""
	if !t.Arguments.Equal(hoosh.Arguments{}) {
		text = string(t.Arguments.JSON())
	}
	return append(jsonpeek.AppendQuote(append(dst, `{"input":`...), text), '}'), true
}

// isInput reports that a value is an object with an "input", a string, and nothing
// else.
func isInput(value []byte) bool {
	c := jsonpeek.NewDepth(value, jsonpeek.MaxDepth)
	found := false
	if !c.Object() {
		return false
	}
	for c.Next() {
		if found || string(c.Key()) != "input" || c.Kind() != jsonpeek.String {
			return false
		}
		found = true
	}
	return found && c.End() == nil
}

// appendInput writes arguments as an object, an empty one for none and for null.
// It reports whether they are one.
func appendInput(dst []byte, a hoosh.Arguments) ([]byte, bool) {
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

// id writes the id of a call as the vendor takes it: letters, digits, _ and -.
func (w *writer) id(id string) {
	if w.p.ToolID != nil {
		id = w.p.ToolID(id)
	} else if id == "" || strings.ContainsFunc(id, notOfID) {
		sum := sha256.Sum256([]byte(id))
		id = "toolu_" + hex.EncodeToString(sum[:12])
	}
	w.b = jsonpeek.AppendQuote(w.b, id)
}

func notOfID(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && r != '_' && r != '-'
}

// place is the path of part j of message i, as OpenAI has it.
func place(i, j int) string { return fmt.Sprintf("messages[%d].content[%d]", i, j) }

// blank reports that a text, as it stands between its quotes, shows nothing.
func blank(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		switch ch := raw[i]; {
		case ch == ' ':
		case ch == '\\' && i+1 < len(raw) && strings.IndexByte("nrtf", raw[i+1]) >= 0:
			i++
		case ch >= 0x80, ch == '\\' && i+1 < len(raw) && raw[i+1] == 'u':
			return strings.TrimSpace(jsonpeek.Unquote(raw)) == ""
		default:
			return false
		}
	}
	return true
}
