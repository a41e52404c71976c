// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Request is what a body asks, in no wire format. A zero field is "not said":
// pointers where zero is a choice. What a body has beyond these fields stays in
// Extra, and goes out again where the backend speaks the same dialect.
type Request struct {
	Op       Operation // chat when zero
	Model    string
	Messages []Message // of a chat
	Input    []Input   // of an embedding; of a legacy completion its prompts
	Stream   bool      // the caller's own wish, as read; [Gateway.Infer] and [Gateway.Stream] do not look at it

	Tools         []Tool
	ToolChoice    ToolChoice
	ParallelTools *bool
	Format        Format // of the answer
	Reasoning     Reasoning

	MaxTokens        int // ceiling of the answer, 0: the backend's
	Temperature      *float64
	TopP             *float64
	TopK             *int
	FrequencyPenalty *float64
	PresencePenalty  *float64
	Seed             *int64
	Stop             []Text
	Choices          int // how many answers, OpenAI's n; 0 and 1 are one

	Dimensions int    // of an embedding, 0: the model's
	Encoding   string // of an embedding: "float" (also ""), "base64"

	Verbosity string // how wordy the answer shall be: "", "low", "medium", "high"

	User  string // the caller's own end user, opaque
	Extra Extra
}

// Input is one text to embed or to complete, or one already cut into tokens.
type Input struct {
	Content Text
	Tokens  []int64 // if not nil, instead of Content
}

// Member is one member of a JSON object that hoosh has no field for. One whose
// key begins with the byte 0xff, as no key of JSON can, is no such thing but a note
// that a decoder makes for the encoder of the same dialect: nobody else writes it,
// or names it as dropped.
type Member struct {
	Key   string
	Value json.RawMessage
}

// IsNote reports that the member is a note.
func (m *Member) IsNote() bool { return len(m.Key) > 0 && m.Key[0] == 0xff }

// Extra holds members in the order in which they stood, in the words of the
// dialect they came from.
type Extra []Member

// Get gives the value of the first member named key, nil if there is none.
func (x Extra) Get(key string) json.RawMessage {
	for i := range x {
		if x[i].Key == key {
			return x[i].Value
		}
	}
	return nil
}

// Keys lists the names.
func (x Extra) Keys() []string {
	keys := make([]string, len(x))
	for i := range x {
		keys[i] = x[i].Key
	}
	return keys
}

func (x Extra) equal(y Extra) bool {
	return slices.EqualFunc(x, y, func(a, b Member) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) })
}

// Tool is a function that the model may call. A tool of another kind (a
// vendor's own) has its Type and its whole definition in Raw.
type Tool struct {
	Name        string
	Description Text
	Parameters  json.RawMessage // a JSON Schema, as it stood
	Strict      *bool
	Extra       Extra // beside the function, cache_control for one

	Type string          // "" is a function
	Raw  json.RawMessage // of another Type: the whole definition
}

// ToolChoice says whether the model must call a tool. The zero value leaves it
// to the backend's default.
type ToolChoice struct {
	Mode string          // "", "auto", "none", "required", "function"
	Name string          // of the function, in mode "function"
	Raw  json.RawMessage // a form that only its own dialect knows
}

// IsZero reports that nothing was said.
func (t ToolChoice) IsZero() bool { return t.Mode == "" && t.Raw == nil }

// Format is the form that the answer shall have. The zero value is free text.
type Format struct {
	Type        string // "", "text", "json_object", "json_schema"
	Name        string // of the schema
	Description string
	Schema      json.RawMessage
	Strict      *bool
}

// Reasoning says how much the model shall think. The zero value leaves it to
// the backend.
type Reasoning struct {
	Effort string // "none", "minimal", "low", "medium", "high" … in OpenAI's words
	Budget int    // in tokens, where the backend counts them
	// Show: whether the thinking shall come with the answer, if the backend lets
	// one choose; nil: as it likes.
	Show *bool
}

func (r Reasoning) equal(o Reasoning) bool {
	return r.Effort == o.Effort && r.Budget == o.Budget && same(r.Show, o.Show)
}

// IsZero reports that nothing was said.
func (r Reasoning) IsZero() bool { return r == Reasoning{} }

// Equal compares two requests by what they say.
func (q *Request) Equal(o *Request) bool {
	return q.Op == o.Op && q.Model == o.Model && q.Stream == o.Stream &&
		slices.EqualFunc(q.Messages, o.Messages, Message.Equal) &&
		slices.EqualFunc(q.Input, o.Input, func(a, b Input) bool {
			return a.Content.Equal(b.Content) && slices.Equal(a.Tokens, b.Tokens)
		}) &&
		slices.EqualFunc(q.Tools, o.Tools, Tool.equal) &&
		q.ToolChoice.Mode == o.ToolChoice.Mode && q.ToolChoice.Name == o.ToolChoice.Name && bytes.Equal(q.ToolChoice.Raw, o.ToolChoice.Raw) &&
		same(q.ParallelTools, o.ParallelTools) &&
		q.Format.Type == o.Format.Type && q.Format.Name == o.Format.Name && q.Format.Description == o.Format.Description &&
		bytes.Equal(q.Format.Schema, o.Format.Schema) && same(q.Format.Strict, o.Format.Strict) &&
		q.Reasoning.equal(o.Reasoning) && q.Verbosity == o.Verbosity && q.MaxTokens == o.MaxTokens &&
		same(q.Temperature, o.Temperature) && same(q.TopP, o.TopP) && same(q.TopK, o.TopK) &&
		same(q.FrequencyPenalty, o.FrequencyPenalty) && same(q.PresencePenalty, o.PresencePenalty) && same(q.Seed, o.Seed) &&
		slices.EqualFunc(q.Stop, o.Stop, Text.Equal) && q.Choices == o.Choices &&
		q.Dimensions == o.Dimensions && q.Encoding == o.Encoding && q.User == o.User && q.Extra.equal(o.Extra)
}

func (t Tool) equal(o Tool) bool {
	return t.Name == o.Name && t.Description.Equal(o.Description) && bytes.Equal(t.Parameters, o.Parameters) &&
		same(t.Strict, o.Strict) && t.Extra.equal(o.Extra) && t.Type == o.Type && bytes.Equal(t.Raw, o.Raw)
}

// same compares what two optional values say.
func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// MarshalJSON gives the request as an OpenAI body.
func (q Request) MarshalJSON() ([]byte, error) {
	c := NewCall(&q)
	c.Stream = q.Stream
	body, _, err := OpenAI.EncodeRequest(c, &q, &Profile{Dialect: OpenAI})
	return body, err
}

// UnmarshalJSON reads an OpenAI body into q, of q's operation (chat when zero).
// What it reads aliases a copy of data.
func (q *Request) UnmarshalJSON(data []byte) error {
	read, err := OpenAI.DecodeRequest(q.Op, bytes.Clone(data))
	if err != nil {
		return err
	}
	*q = *read
	return nil
}
