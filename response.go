// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"encoding/json"
	"strings"
	"time"
)

// Response is a whole answer, in no wire format. It owns its bytes.
type Response struct {
	ID       string
	Created  time.Time // zero when the backend did not say
	Model    string    // as the backend calls it
	Provider string    // who answered

	Choices    []Choice    // of a chat or completion
	Embeddings [][]float32 // of an embedding, in the order of the inputs
	Usage      Usage       // of a count, its Input is the answer
	Extra      Extra

	Took time.Duration // until it was there; 0: not known

	dialect *Dialect // of Extra, nil: OpenAI's
}

// size is how many bytes of text there are.
func (r *Response) size() (n int64) {
	for i := range r.Choices {
		for j := range r.Choices[i].Message.Parts {
			p := &r.Choices[i].Message.Parts[j]
			n += int64(p.text.Len())
			if p.Call != nil {
				n += int64(len(p.Call.Arguments.JSON()))
			}
		}
	}
	return n
}

// Choice is one of the answers.
type Choice struct {
	Index    int
	Message  Message
	Finish   Finish
	Stopped  string // the stop sequence that was met, where it is known
	Logprobs json.RawMessage
	Extra    Extra
}

// Text is the text of the first choice.
func (r *Response) Text() string {
	if len(r.Choices) == 0 {
		return ""
	}
	return r.Choices[0].Message.Text()
}

// ToolCalls lists the tool calls of the first choice.
func (r *Response) ToolCalls() []*ToolCall {
	if len(r.Choices) == 0 {
		return nil
	}
	return r.Choices[0].Message.ToolCalls()
}

// Finish is why the first choice ended.
func (r *Response) Finish() Finish {
	if len(r.Choices) == 0 {
		return FinishNone
	}
	return r.Choices[0].Finish
}

// MarshalJSON gives the response as an OpenAI chat completion, or as its list of
// embeddings.
func (r *Response) MarshalJSON() ([]byte, error) {
	op := OpChat
	if r.Embeddings != nil {
		op = OpEmbed
	}
	return OpenAI.EncodeResponse(&Call{Op: op, Model: r.Model, load: &payload{}}, r)
}

// Model is a model that can be asked for.
type Model struct {
	ID       string
	Aliases  []string // other names that reach it at the same backend
	Provider string   // who is asked first
	Created  time.Time
	Capabilities
}

// MarshalJSON gives the model as an entry of OpenAI's list, with its context
// and, where they are known, its capabilities beside.
func (m Model) MarshalJSON() ([]byte, error) {
	entry := struct {
		ID            string   `json:"id"`
		Object        string   `json:"object"`
		Created       int64    `json:"created"`
		OwnedBy       string   `json:"owned_by"`
		ContextLength int      `json:"context_length,omitempty"`
		Capabilities  []string `json:"capabilities,omitempty"`
	}{ID: m.ID, Object: "model", OwnedBy: m.Provider, ContextLength: m.Context}
	if !m.Created.IsZero() {
		entry.Created = m.Created.Unix()
	}
	if m.Features != 0 && m.Features&AllFeatures != AllFeatures {
		entry.Capabilities = strings.Split(m.Features.String(), ", ")
	}
	return json.Marshal(entry)
}
