// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// writer writes one request.
type writer struct {
	op      hoosh.Operation
	native  bool // the request came in this dialect: its unknown keys go out again
	check   bool // raw JSON is a Go program's, and may not be JSON
	stream  bool
	levels  bool // the model thinks by levels
	dst     []byte
	err     *hoosh.Error
	dropped []string
	tools   map[string]string // names by the ids of the calls so far
}

// encodeRequest is [hoosh.Dialect.EncodeRequest].
func encodeRequest(c *hoosh.Call, q *hoosh.Request, _ *hoosh.Profile) ([]byte, []string, error) {
	w := &writer{op: c.Op, native: c.Dialect() == Dialect, levels: strings.Contains(c.Model, "gpt-oss"), check: c.Dialect() == nil, stream: c.Stream && c.Op == hoosh.OpChat}
	w.dst = make([]byte, 0, 512+max(len(c.Body())+len(c.Body())/16, c.Envelope().Text*9/8))
	w.raw(`{"model":`)
	w.quote(c.Model)
	var err error
	switch c.Op {
	case hoosh.OpChat:
		err = w.chat(q)
	case hoosh.OpEmbed:
		err = w.embed(q)
	default:
		err = unsupported(c.Op, "", "a "+c.Op.String()+" in Ollama's own format")
	}
	w.extras(q)
	if err == nil && w.err != nil {
		err = w.err
	}
	if err != nil {
		return nil, nil, err
	}
	w.raw("}")
	return w.dst, w.dropped, nil
}

// value writes JSON as it stands. What a Go program gave is checked: one value,
// and nothing that would change the rest of the body.
func (w *writer) value(v json.RawMessage, path string) {
	if w.check && w.err == nil {
		if err := jsonpeek.Valid(v); err != nil {
			w.err = invalid(w.op, path, "the raw JSON is not valid: "+err.Error())
		}
	}
	w.dst = append(w.dst, v...)
}

func (w *writer) raw(s string)   { w.dst = append(w.dst, s...) }
func (w *writer) quote(s string) { w.dst = jsonpeek.AppendQuote(w.dst, s) }

// drop notes that something cannot be said, once.
func (w *writer) drop(what string) {
	if !slices.Contains(w.dropped, what) && len(w.dropped) < 64 {
		w.dropped = append(w.dropped, what)
	}
}

func (w *writer) chat(q *hoosh.Request) error {
	w.raw(`,"messages":[`)
	from := len(w.dst)
	for i := range q.Messages {
		if err := w.message(i, &q.Messages[i], from); err != nil {
			return err
		}
	}
	w.raw(`],"stream":`)
	w.dst = strconv.AppendBool(w.dst, w.stream)
	w.toolList(q)
	return w.rest(q)
}

// rest writes what a chat and a generated text have alike.
func (w *writer) rest(q *hoosh.Request) error {
	switch {
	case q.Format.Schema != nil:
		w.raw(`,"format":`)
		w.value(q.Format.Schema, "response_format.json_schema.schema")
	case q.Format.Type == "json_object", q.Format.Type == "json_schema":
		w.raw(`,"format":"json"`)
	}
	if q.Extra.Get("think") == nil {
		// Of 0.17 only gpt-oss takes a level, others answer it with an error; all
		// models that can think at all take true.
		switch {
		case q.Reasoning.Effort == "none":
			w.raw(`,"think":false`)
		case w.native && q.Reasoning.Effort != "" && q.Reasoning.Effort != "medium": // the caller's own word
			w.raw(`,"think":`)
			w.quote(q.Reasoning.Effort)
		case w.levels && levels[q.Reasoning.Effort] != "":
			w.raw(`,"think":`)
			w.quote(levels[q.Reasoning.Effort])
		case q.Reasoning.Effort != "" || q.Reasoning.Budget > 0:
			w.raw(`,"think":true`)
		}
	}
	if q.Choices > 1 {
		w.drop("n")
	}
	if q.User != "" {
		w.drop("user")
	}
	if q.Verbosity != "" {
		w.drop("verbosity")
	}
	return w.options(q)
}

// levels are the levels of gpt-oss for other dialects' words; true is the one
// between them.
var levels = map[string]string{"minimal": "low", "low": "low", "high": "high", "xhigh": "high", "max": "high"}

func (w *writer) embed(q *hoosh.Request) error {
	w.raw(`,"input":[`)
	for i := range q.Input {
		if q.Input[i].Tokens != nil {
			return unsupported(w.op, fmt.Sprintf("input[%d]", i), "an input of tokens: Ollama embeds text only; it")
		}
		if i > 0 {
			w.raw(",")
		}
		w.dst = q.Input[i].Content.AppendJSON(w.dst)
	}
	w.raw("]")
	if q.Dimensions > 0 {
		w.raw(`,"dimensions":`)
		w.dst = strconv.AppendInt(w.dst, int64(q.Dimensions), 10)
	}
	if q.User != "" {
		w.drop("user")
	}
	return w.options(q)
}

// message writes message i: first the results in it, each a message of its own
// as Ollama has them, then the rest. From is where the list begins.
func (w *writer) message(i int, m *hoosh.Message, from int) error {
	rest := len(m.Parts)
	for j := range m.Parts {
		p := &m.Parts[j]
		if p.Kind != hoosh.PartToolResult || p.Result == nil {
			continue
		}
		rest--
		w.open("tool", from)
		if err := w.content(i, j, p.Result.Parts, lines); err != nil {
			return err
		}
		w.resultOf(p.Result)
		if rest == 0 {
			w.members(m.Extra)
		}
		w.raw("}")
	}
	if rest == 0 && len(m.Parts) > 0 {
		return nil
	}
	role := m.Role
	if role == hoosh.RoleDeveloper {
		role = hoosh.RoleSystem
	}
	w.open(string(role), from)
	join := lines
	if m.Role == hoosh.RoleAssistant {
		join = seamless
	}
	if err := w.content(i, -1, m.Parts, join); err != nil {
		return err
	}
	if err := w.calls(i, m.Parts); err != nil {
		return err
	}
	if m.Name != "" {
		w.drop("name")
	}
	w.members(m.Extra)
	w.raw("}")
	return nil
}

func (w *writer) open(role string, from int) {
	if len(w.dst) > from {
		w.raw(",")
	}
	w.raw(`{"role":`)
	w.quote(role)
}

func (w *writer) resultOf(r *hoosh.Result) {
	name := r.Name
	if name == "" {
		name = w.tools[r.ID]
	}
	if name != "" {
		w.raw(`,"tool_name":`)
		w.quote(name)
	}
	if r.ID != "" {
		w.raw(`,"tool_call_id":`)
		w.quote(r.ID)
	}
	if r.Failed {
		w.drop("is_error")
	}
}

// content writes the text, the thinking and the images among parts, which are
// those of message i or of the result in its part j.
func (w *writer) content(i, j int, parts []hoosh.Part, join string) error {
	thoughts := false
	for k := range parts {
		p := &parts[k]
		thoughts = thoughts || p.Kind == hoosh.PartThinking && !p.Content().IsEmpty()
		for _, x := range p.Extra {
			if !x.IsNote() {
				w.drop(x.Key)
			}
		}
	}
	w.raw(`,"content":`)
	w.texts(parts, join, hoosh.PartText, hoosh.PartRefusal)
	if thoughts {
		w.raw(`,"thinking":`)
		w.texts(parts, seamless, hoosh.PartThinking, hoosh.PartThinking)
	}
	return w.images(i, j, parts)
}

// images writes the images among the parts, and refuses what Ollama has no place
// for. I and j are those of content.
func (w *writer) images(i, j int, parts []hoosh.Part) error {
	images := 0
	for k := range parts {
		p := &parts[k]
		at := k
		if j >= 0 {
			at = j
		}
		switch p.Kind {
		case hoosh.PartImage:
			images++
			if p.Media == nil || p.Media.Data.IsEmpty() {
				return unsupported(w.op, place(i, at), "an image that is not base64: Ollama fetches none; it")
			}
			if p.Media.Detail != "" && p.Media.Detail != "auto" {
				w.drop("detail")
			}
		case hoosh.PartAudio, hoosh.PartFile:
			return unsupported(w.op, place(i, at), "content of kind "+p.Kind.String()+" with Ollama")
		case hoosh.PartOther:
			w.drop(place(i, at))
		}
	}
	if images > 0 {
		w.raw(`,"images":[`)
		for k := range parts {
			if parts[k].Kind == hoosh.PartImage {
				w.dst = append(parts[k].Media.Data.AppendJSON(w.dst), ',')
			}
		}
		w.dst[len(w.dst)-1] = ']'
	}
	return nil
}

// place is the path of part j of message i, as OpenAI has it.
func place(i, j int) string { return fmt.Sprintf("messages[%d].content[%d]", i, j) }

// What stands between texts that become one, within a JSON string: a model cuts
// what it says where it likes, others mean parts of their own.
const (
	seamless = ""
	lines    = `\n`
)

// texts joins the texts of two kinds of parts as one JSON string.
func (w *writer) texts(parts []hoosh.Part, join string, a, b hoosh.PartKind) {
	none := true
	for k := range parts {
		if parts[k].Kind != a && parts[k].Kind != b {
			continue
		}
		if none {
			w.dst = parts[k].Content().AppendJSON(w.dst)
			none = false
			continue
		}
		// What separates them takes the place of the quote at the end; that of the
		// quote at the next one's beginning is closed up.
		w.dst = append(w.dst[:len(w.dst)-1], join...)
		at := len(w.dst)
		w.dst = parts[k].Content().AppendJSON(w.dst)
		w.dst = append(w.dst[:at], w.dst[at+1:]...)
	}
	if none {
		w.raw(`""`)
	}
}

func (w *writer) calls(i int, parts []hoosh.Part) error {
	n := 0
	for k := range parts {
		if parts[k].Kind != hoosh.PartToolCall || parts[k].Call == nil {
			continue
		}
		call := parts[k].Call
		if n == 0 {
			w.raw(`,"tool_calls":[`)
		}
		var ok bool
		if w.dst, ok = appendCall(w.dst, call, n); !ok {
			return invalid(w.op, fmt.Sprintf("messages[%d].tool_calls[%d].function.arguments", i, n), "want a JSON object: Ollama takes nothing else")
		}
		w.raw(",")
		if call.ID != "" {
			if w.tools == nil {
				w.tools = map[string]string{}
			}
			w.tools[call.ID] = call.Name
		}
		n++
	}
	if n > 0 {
		w.dst[len(w.dst)-1] = ']'
	}
	return nil
}

// appendCall writes a tool call, the nth of its message; it reports whether its
// arguments are an object, as they must be.
func appendCall(dst []byte, call *hoosh.ToolCall, n int) ([]byte, bool) {
	dst = append(dst, '{')
	if call.ID != "" {
		dst = append(jsonpeek.AppendQuote(append(dst, `"id":`...), call.ID), ',')
	}
	dst = append(dst, `"function":{"index":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, `,"name":`...)
	dst = jsonpeek.AppendQuote(dst, call.Name)
	dst = append(dst, `,"arguments":`...)
	if string(call.Extra.Get("type")) == `"custom"` { // OpenAI's: its arguments are any text
		dst = call.Arguments.AppendString(append(dst, `{"input":`...))
		return append(dst, "}}}"...), true
	}
	dst, ok := appendArguments(dst, call.Arguments)
	return append(dst, "}}"...), ok
}

// appendArguments writes them as an object, an empty one for none and for null.
func appendArguments(dst []byte, a hoosh.Arguments) ([]byte, bool) {
	from := len(dst)
	dst, ok := a.AppendValue(dst)
	if !ok {
		return dst, false
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
