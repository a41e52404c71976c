// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIWriter writes typed values in OpenAI's JSON, for a backend or, as a
// reply, for a client.
type openAIWriter struct {
	b       []byte
	op      Operation
	p       *Profile // never nil
	model   string
	from    *Dialect
	sent    Extra  // of the request: the names that a rule's Rename must not meet
	extras  bool   // members without a field are in OpenAI's words
	typed   bool   // a reply for a Go program
	check   bool   // raw JSON is a Go program's, and may not be JSON
	reply   bool   // a reply's message says more than a request's
	role    Role   // of the message that is written
	at      int    // which message, for names and errors
	images  []Part // of tool results, which OpenAI's have no place for
	dropped []string
	err     error
}

var plainOpenAI = Profile{}

// comma separates what follows from what stands before it. No JSON value ends
// in an opening bracket or a colon, so the last byte tells whether there is one.
func (w *openAIWriter) comma() {
	n := len(w.b)
	if n == 0 {
		return
	}
	switch w.b[n-1] {
	case '[', '{', ':':
	default:
		w.b = append(w.b, ',')
	}
}

func (w *openAIWriter) open(bracket byte)  { w.b = append(w.b, bracket) }
func (w *openAIWriter) close(bracket byte) { w.b = append(w.b, bracket) }

// key begins a member; name needs no escaping.
func (w *openAIWriter) key(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
}

// raw writes JSON as it stands. What a Go program gave is checked: one value,
// and nothing that would change the rest of the body.
func (w *openAIWriter) raw(value []byte, path string) {
	if value == nil {
		value = []byte("null")
	}
	if w.check {
		if err := jsonpeek.Valid(value); err != nil {
			w.fail(ErrInvalidRequest, path, "the raw JSON is not valid: "+err.Error())
		}
	}
	w.b = append(w.b, value...)
}

func (w *openAIWriter) fail(kind error, path, message string) {
	if w.err == nil {
		w.err = &Error{Kind: kind, Op: w.op, Param: path, Message: message}
	}
}

// drop names what is left out, once.
func (w *openAIWriter) drop(name string) {
	if !slices.Contains(w.dropped, name) {
		w.dropped = append(w.dropped, name)
	}
}

// topMember is where a top-level member was begun.
type topMember struct {
	key          string
	start, value int
}

// top begins a top-level member, to which the profile's rules apply at its end.
func (w *openAIWriter) top(name string) topMember {
	m := topMember{key: name, start: len(w.b)}
	w.key(name)
	m.value = len(w.b)
	return m
}

func (w *openAIWriter) end(m topMember) {
	if len(w.p.Rules) == 0 {
		return
	}
	rule := w.p.ruleOf([]byte(m.key), w.model)
	switch {
	case rule == nil, rule.Keep != "" && string(w.b[m.value:]) == rule.Keep:
	case rule.Rename != "" && !w.sends(rule.Rename):
		name := append(jsonpeek.AppendQuote(nil, rule.Rename), ':')
		comma := 0
		if w.b[m.start] == ',' {
			comma = 1
		}
		w.b = slices.Replace(w.b, m.start+comma, m.value, name...)
	default:
		w.b = w.b[:m.start]
		w.drop(rule.Key)
	}
}

// sends reports that the request has a member of this name among those that
// hoosh has no field for.
func (w *openAIWriter) sends(name string) bool {
	return w.extras && slices.ContainsFunc(w.sent, func(m Member) bool {
		return jsonpeek.EqualFold([]byte(m.Key), name)
	})
}

func (w *openAIWriter) float(name string, f *float64) {
	if f == nil {
		return
	}
	if math.IsNaN(*f) || math.IsInf(*f, 0) {
		w.fail(ErrInvalidRequest, name, "want a finite number")
		return
	}
	m := w.top(name)
	w.b = appendFloat(w.b, *f, 64)
	w.end(m)
}

func (w *openAIWriter) int(name string, n int64) {
	m := w.top(name)
	w.b = strconv.AppendInt(w.b, n, 10)
	w.end(m)
}

func (w *openAIWriter) str(name, s string) {
	if s != "" {
		m := w.top(name)
		w.b = jsonpeek.AppendQuote(w.b, s)
		w.end(m)
	}
}

func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }

// appendFloat appends the shortest text that reads as f again.
func appendFloat(dst []byte, f float64, bits int) []byte {
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, bits)
}

// appendInside appends what t says without the quotes, so that pieces can be
// joined into one string.
func appendInside(dst []byte, t Text) []byte {
	if t.raw == nil {
		return jsonpeek.AppendEscape(dst, t.s)
	}
	return append(dst, t.raw...)
}

// appendOpenAIMessages appends the messages with commas between them and no
// brackets around. One that holds several tool results becomes several. p may
// be nil.
func appendOpenAIMessages(dst []byte, ms []Message, p *Profile) ([]byte, error) {
	w := openAIWriter{b: dst, p: p, extras: true, check: true}
	if p == nil {
		w.p = &plainOpenAI
	}
	w.messages(ms)
	return w.b, w.err
}

// appendOpenAIPart appends one part: a content part, an element of tool_calls,
// or the whole message that is the result of a tool.
func appendOpenAIPart(dst []byte, p Part) ([]byte, error) {
	w := openAIWriter{p: &plainOpenAI, extras: true, check: true}
	switch {
	case p.Kind == PartToolCall && p.Call != nil:
		w.toolCall(p.Call, p.Call.ID)
	case p.Kind == PartToolResult && p.Result != nil:
		w.result(p.Result, nil)
	default:
		w.part(&p, 0)
	}
	return append(dst, w.b...), w.err
}

func (w *openAIWriter) messages(ms []Message) {
	for i := 0; i < len(ms); {
		w.at = i
		w.message(&ms[i])
		i++
		if w.extras || !hasCalls(ms[i-1].Parts) {
			continue
		}
		// The results come right behind their calls, whatever stood between.
		end := i
		for end < len(ms) && ms[end].Role != RoleAssistant {
			end++
		}
		for k := i; k < end; k++ {
			w.at = k
			w.results(&ms[k])
		}
		for ; i < end; i++ {
			w.at = i
			w.rest(&ms[i])
		}
	}
	w.resultImages()
}

// resultImages writes what came with the results of tools and is no text, as a
// message of the user behind them.
func (w *openAIWriter) resultImages() {
	if len(w.images) == 0 {
		return
	}
	m := Message{Role: RoleUser, Parts: append([]Part{TextPart("From the results of the tools:")}, w.images...)}
	w.images = nil
	w.turn(&m)
}

// message writes the tool results within m as messages of their own, first,
// and then what else there is: other dialects have both in one turn.
func (w *openAIWriter) message(m *Message) {
	w.results(m)
	w.rest(m)
}

func isResult(p *Part) bool { return p.Kind == PartToolResult && p.Result != nil }

// hasRest reports that m is not only results.
func (m *Message) hasRest() bool {
	for i := range m.Parts {
		if !isResult(&m.Parts[i]) {
			return true
		}
	}
	return len(m.Parts) == 0
}

func (w *openAIWriter) results(m *Message) {
	extra := m.Extra
	if m.hasRest() {
		extra = nil // it is what is beside the rest
	}
	for i := range m.Parts {
		if p := &m.Parts[i]; isResult(p) {
			w.result(p.Result, extra)
			extra = nil
		}
	}
}

// rest writes what m holds beside results.
func (w *openAIWriter) rest(m *Message) {
	switch {
	case !m.hasRest():
	case w.unsaid(m):
	case m.Role == RoleTool:
		w.fail(ErrInvalidRequest, fmt.Sprintf("messages[%d]", w.at), "want tool results, and only those, in a message of role tool")
	default:
		w.resultImages()
		w.turn(m)
	}
}

// unsaid reports that nothing of a message is left to be said: it was thinking that
// nobody but who thought it understands, or of a kind that only its own dialect knows.
func (w *openAIWriter) unsaid(m *Message) bool {
	for i := range m.Parts {
		switch p := &m.Parts[i]; {
		case p.Kind == PartThinking && !w.thinks(p):
		case p.Kind == PartOther && !w.extras:
		default:
			return false
		}
	}
	for i := range m.Parts {
		if m.Parts[i].Kind == PartOther {
			w.drop(w.place(i))
		}
	}
	return len(m.Parts) > 0
}

// thinks reports that a part of thinking is written.
func (w *openAIWriter) thinks(p *Part) bool {
	switch {
	case p.text.IsEmpty():
		return false
	case w.reply:
		return true
	case w.p.NoThinking:
		return false
	}
	return p.Signature == nil || p.Signature.Issuer == "" || p.Signature.Issuer == w.p.Issuer || w.p.Sealed
}

// result writes the message that answers a tool call.
func (w *openAIWriter) result(t *Result, extra Extra) {
	w.comma()
	w.b = append(w.b, `{"role":"tool","tool_call_id":`...)
	w.id(t.ID)
	if t.Name != "" {
		w.key("name")
		w.b = jsonpeek.AppendQuote(w.b, t.Name)
	}
	w.key("content")
	switch {
	case onlyText(t.Parts, w.extras):
		w.lines(t.Parts)
	case w.from == OpenAI:
		w.parts(t.Parts)
	default:
		w.lines(t.Parts)
		for i := range t.Parts {
			switch p := &t.Parts[i]; p.Kind {
			case PartImage, PartAudio, PartFile:
				w.images = append(w.images, *p)
			case PartOther:
				w.drop(w.place(i))
			}
		}
	}
	if t.Failed {
		w.drop("is_error")
	}
	w.extra(extra, "role", "tool_call_id", "name", "content")
	w.close('}')
}

// maxToolID is the most that OpenAI takes.
const maxToolID = 64

// id writes the id of a tool call as the vendor takes it.
func (w *openAIWriter) id(id string) {
	switch {
	case w.p.ToolID != nil:
		id = w.p.ToolID(id)
	case len(id) > maxToolID && !w.extras && !w.reply && !w.p.Sealed:
		sum := sha256.Sum256([]byte(id))
		id = "call_" + hex.EncodeToString(sum[:16])
	}
	w.b = jsonpeek.AppendQuote(w.b, id)
}

// sealed is the id of a tool call with its signature, or with that of the
// thinking before it, for a client or for another hoosh.
func (w *openAIWriter) sealed(p, thinking *Part) string {
	id := p.Call.ID
	if id == "" && w.reply {
		id = newOpenAIID("call_")
	}
	if w.reply && !w.typed || w.p.Sealed {
		return SealID(id, p.Signature, thinking)
	}
	return id
}

// turn writes a message without its tool results.
func (w *openAIWriter) turn(m *Message) {
	role := m.Role
	if role == RoleDeveloper && w.p.NoDeveloper {
		role = RoleSystem
	}
	w.role = role
	w.comma()
	w.b = append(w.b, `{"role":`...)
	w.b = jsonpeek.AppendQuote(w.b, string(role))
	if m.Name != "" {
		w.key("name")
		w.b = jsonpeek.AppendQuote(w.b, m.Name)
	}
	var has [PartOther + 1]int
	for i := range m.Parts {
		has[min(m.Parts[i].Kind, PartOther)]++
	}
	w.key("content")
	w.content(m.Parts, has[PartToolCall]+has[PartRefusal] > 0)
	if has[PartRefusal] > 0 {
		w.key("refusal")
		w.joined(m.Parts, PartRefusal)
	} else if w.reply {
		w.b = append(w.b, `,"refusal":null`...)
	}
	var thinking *Part // whose signature goes with the first tool call
	if has[PartThinking] > 0 {
		thinking = w.thinking(m.Parts)
	}
	if has[PartToolCall] > 0 {
		w.key("tool_calls")
		w.open('[')
		for i := range m.Parts {
			if p := &m.Parts[i]; p.Kind == PartToolCall && p.Call != nil {
				w.toolCall(p.Call, w.sealed(p, thinking))
				thinking = nil
			}
		}
		w.close(']')
	}
	if w.reply {
		w.annotations(m.Parts)
	}
	w.extra(m.Extra, "role", "name", "content", "refusal", "tool_calls")
	w.close('}')
}

// thinking writes the thinking, and gives the one part of it, nil for several.
func (w *openAIWriter) thinking(parts []Part) (one *Part) {
	n := 0
	t := w.top("reasoning_content")
	w.open('"')
	said := len(w.b)
	for i := range parts {
		p := &parts[i]
		if p.Kind != PartThinking {
			continue
		}
		if one = p; n > 0 {
			one = nil
		}
		n++
		if w.thinks(p) {
			w.b = appendInside(w.b, p.text)
		}
	}
	if len(w.b) == said {
		w.b = w.b[:t.start]
		return one
	}
	w.close('"')
	w.end(t)
	return one
}
