// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Role says who speaks in a message.
type Role string

// The roles. A dialect may not have all of them.
const (
	RoleSystem    Role = "system"
	RoleDeveloper Role = "developer" // OpenAI's newer word for system
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool" // results of tool calls: its parts are [PartToolResult]
)

// Message is one turn of a conversation.
type Message struct {
	Role  Role
	Name  string // of the participant, where the dialect has one
	Parts []Part
	Extra Extra
}

// System makes a system message.
func System(text string) Message { return message(RoleSystem, text) }

// User makes a message of the user; more parts may follow the text.
func User(text string, more ...Part) Message {
	m := message(RoleUser, text)
	m.Parts = append(m.Parts, more...)
	return m
}

// Assistant makes a message of the model; tool calls may follow the text.
func Assistant(text string, more ...Part) Message {
	m := Message{Role: RoleAssistant}
	if text != "" {
		m.Parts = append(m.Parts, TextPart(text))
	}
	m.Parts = append(m.Parts, more...)
	return m
}

// ToolResult makes the message that answers the tool call id.
func ToolResult(id, text string) Message {
	return Message{Role: RoleTool, Parts: []Part{{Kind: PartToolResult, Result: &Result{ID: id, Parts: []Part{TextPart(text)}}}}}
}

func message(role Role, text string) Message {
	return Message{Role: role, Parts: []Part{TextPart(text)}}
}

// Text joins the text parts.
func (m Message) Text() string {
	if len(m.Parts) == 1 && m.Parts[0].Kind == PartText {
		return m.Parts[0].Text()
	}
	var b strings.Builder
	for _, p := range m.Parts {
		if p.Kind == PartText {
			b.WriteString(p.Text())
		}
	}
	return b.String()
}

// ToolCalls lists the calls among the parts.
func (m Message) ToolCalls() []*ToolCall {
	var calls []*ToolCall
	for _, p := range m.Parts {
		if p.Kind == PartToolCall {
			calls = append(calls, p.Call)
		}
	}
	return calls
}

// Equal compares what the messages say.
func (m Message) Equal(o Message) bool {
	return m.Role == o.Role && m.Name == o.Name && slices.EqualFunc(m.Parts, o.Parts, Part.Equal) && m.Extra.equal(o.Extra)
}

// String is for a reader: "user: Hello".
func (m Message) String() string { return string(m.Role) + ": " + m.Text() }

// MarshalJSON gives the message in OpenAI's form.
func (m Message) MarshalJSON() ([]byte, error) { return appendOpenAIMessages(nil, []Message{m}, nil) }

// PartKind says what a [Part] holds.
type PartKind uint8

// The kinds of parts.
const (
	PartText       PartKind = iota
	PartThinking            // what the model thought
	PartRefusal             // why the model refuses
	PartImage               // Media
	PartAudio               // Media
	PartFile                // Media
	PartToolCall            // Call
	PartToolResult          // Result
	PartOther               // a kind that only its own dialect knows: Raw
)

func (k PartKind) String() string {
	return [...]string{"text", "thinking", "refusal", "image", "audio", "file", "tool_call", "tool_result", "other"}[min(k, PartOther)]
}

// Part is one piece of a message.
type Part struct {
	Kind   PartKind
	text   Text
	Media  *Media
	Call   *ToolCall
	Result *Result
	Raw    json.RawMessage // the whole part, of [PartOther]

	// Signature is what the backend wants back with its thinking, or with a tool
	// call; nil without one.
	Signature *Signature
	Citations []Citation // where a text of the model has it from
	// Extra holds members beside. "cache_control", in Anthropic's form, marks the end
	// of a prefix that a backend shall cache; all dialects with such marks know it.
	Extra Extra
}

// Citation is a source of a text, or of the piece of it from Start to End.
type Citation struct {
	URL, Title string
	Quote      string // of the source
	Start, End int    // in characters of the part's text, both 0: all of it, or not said
	// Raw is the whole citation in its own dialect, if it came in one.
	Raw json.RawMessage
}

func (c Citation) equal(o Citation) bool {
	return c.URL == o.URL && c.Title == o.Title && c.Quote == o.Quote && c.Start == o.Start && c.End == o.End && bytes.Equal(c.Raw, o.Raw)
}

// TextPart makes a part of text.
func TextPart(s string) Part { return Part{text: NewText(s)} }

// NewPart makes a part of a kind that is text: text, thinking or refusal.
func NewPart(kind PartKind, t Text) Part { return Part{Kind: kind, text: t} }

// Image makes a part of an image at an https or data URL.
func Image(url string) Part {
	return Part{Kind: PartImage, Media: MediaURL(NewText(url))}
}

// CallPart makes a part of a tool call, for the history of a conversation.
func CallPart(id, name, arguments string) Part {
	return Part{Kind: PartToolCall, Call: &ToolCall{ID: id, Name: name, Arguments: QuotedArguments(NewText(arguments))}}
}

// Text is the text of a part that is text, thinking or refusal, else "".
func (p Part) Text() string { return p.text.String() }

// Content is the same text as it is held, for codecs.
func (p Part) Content() Text { return p.text }

// String is the text, or what kind of part it is.
func (p Part) String() string {
	if p.Kind == PartText {
		return p.Text()
	}
	return "[" + p.Kind.String() + "]"
}

// Equal compares what the parts say.
func (p Part) Equal(o Part) bool {
	if p.Kind != o.Kind || !p.text.Equal(o.text) || !bytes.Equal(p.Raw, o.Raw) || !p.Extra.equal(o.Extra) ||
		!p.Signature.equal(o.Signature) || !slices.EqualFunc(p.Citations, o.Citations, Citation.equal) {
		return false
	}
	switch {
	case (p.Media == nil) != (o.Media == nil), (p.Call == nil) != (o.Call == nil), (p.Result == nil) != (o.Result == nil):
		return false
	case p.Media != nil && !p.Media.equal(o.Media), p.Call != nil && !p.Call.equal(o.Call):
		return false
	case p.Result != nil:
		return p.Result.ID == o.Result.ID && p.Result.Name == o.Result.Name && p.Result.Failed == o.Result.Failed &&
			slices.EqualFunc(p.Result.Parts, o.Result.Parts, Part.Equal)
	}
	return true
}

// MarshalJSON gives the part in OpenAI's form.
func (p Part) MarshalJSON() ([]byte, error) { return appendOpenAIPart(nil, p) }

// Media is an image, a sound or a file: at a URL, or as base64, or known to the
// backend by an id.
type Media struct {
	URL  Text   // where it can be fetched
	Data Text   // base64, standard alphabet
	ID   string // of an uploaded file

	Type   string // media type, "image/png"; "" unknown
	Format string // of audio: "wav", "mp3"
	Detail string // of an image: "low", "high", "auto"
	Name   string // of a file
}

// MediaURL makes Media of a URL; a data: URL in base64 becomes Data and Type.
func MediaURL(url Text) *Media {
	raw := url.raw
	if raw == nil {
		raw = []byte(url.s)
	}
	head, data, found := bytes.Cut(raw, []byte(","))
	kind, isData := bytes.CutPrefix(head, []byte("data:"))
	kind, isBase64 := bytes.CutSuffix(kind, []byte(";base64"))
	if !found || !isData || !isBase64 {
		return &Media{URL: url}
	}
	m := &Media{Type: strings.ReplaceAll(string(kind), `\/`, "/")}
	if len(data) == 0 || strings.ContainsFunc(m.Type, notMediaType) {
		return &Media{URL: url} // what it says must come out as it went in
	}
	if url.raw != nil {
		m.Data = RawText(data)
	} else {
		m.Data = NewText(string(data))
	}
	return m
}

// notMediaType finds what does not stand in a media type and its parameters.
func notMediaType(r rune) bool {
	return (r|0x20 < 'a' || r|0x20 > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("/+.-;=_", r)
}

// AppendURL appends the URL, or the data URL, as a JSON string.
func (m *Media) AppendURL(dst []byte) []byte {
	if m.Data.IsEmpty() {
		return m.URL.AppendJSON(dst)
	}
	dst = append(dst, `"data:`...)
	dst = jsonpeek.AppendEscape(dst, m.Type)
	dst = append(dst, ";base64,"...)
	return append(appendInside(dst, m.Data), '"')
}

func (m *Media) equal(o *Media) bool {
	return m.URL.Equal(o.URL) && m.Data.Equal(o.Data) && m.ID == o.ID && m.Type == o.Type &&
		m.Format == o.Format && m.Detail == o.Detail && m.Name == o.Name
}

// ToolCall is one call that the model makes.
type ToolCall struct {
	ID        string // "" where the dialect has none
	Name      string
	Arguments Arguments
	Extra     Extra
}

func (t *ToolCall) equal(o *ToolCall) bool {
	return t.ID == o.ID && t.Name == o.Name && t.Arguments.Equal(o.Arguments) && t.Extra.equal(o.Extra)
}

// Result is what a tool answered.
type Result struct {
	ID     string // of the call
	Name   string // of the tool, where the dialect asks for it
	Parts  []Part
	Failed bool
}
