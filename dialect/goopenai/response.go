// SPDX-License-Identifier: AGPL-3.0-only

package goopenai

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"

	openai "github.com/sashabaranov/go-openai"

	"github.com/maccracken/hoosh"
)

// Response is what a whole answer says. In its Logprobs the bytes of a token are
// base64, for so go-openai writes them.
func Response(v openai.ChatCompletionResponse) (*hoosh.Response, error) {
	r, err := response(hoosh.OpChat, v)
	if err != nil {
		return nil, err
	}
	if v.Usage == (openai.Usage{}) {
		r.Usage = hoosh.Usage{}
	}
	r.Extra = slices.DeleteFunc(r.Extra, isUnsaid)
	for i := range r.Choices {
		ch := &r.Choices[i]
		ch.Extra = slices.DeleteFunc(ch.Extra, isUnsaid)
		m := []hoosh.Message{ch.Message}
		hoosh.OpenIDs(m)
		ch.Message = m[0]
	}
	return r, nil
}

// FromResponse is the go-openai form of a chat's answer. Signatures of a
// backend's thinking and tool calls go into the ids of the calls; [Request] finds
// them there when the message comes back.
func FromResponse(r *hoosh.Response) (v openai.ChatCompletionResponse, err error) {
	sealed := *r
	sealed.Embeddings = nil
	sealed.Choices = slices.Clone(r.Choices)
	for i := range sealed.Choices {
		m := &sealed.Choices[i].Message
		m.Parts = sealedParts(m.Parts)
	}
	err = from(hoosh.OpChat, &sealed, &v)
	if r.ID == "" {
		v.ID = "" // one was made up
	}
	if r.Created.IsZero() {
		v.Created = 0
	}
	return v, err
}

// EmbeddingResponse is what an answer with embeddings says.
func EmbeddingResponse(v openai.EmbeddingResponse) (*hoosh.Response, error) {
	r, err := response(hoosh.OpEmbed, v)
	if err == nil && v.Usage == (openai.Usage{}) {
		r.Usage = hoosh.Usage{}
	}
	return r, err
}

// FromEmbeddingResponse is the go-openai form of an answer with embeddings.
func FromEmbeddingResponse(r *hoosh.Response) (v openai.EmbeddingResponse, err error) {
	vectors := *r
	if vectors.Embeddings == nil {
		vectors.Embeddings = [][]float32{}
	}
	return v, from(hoosh.OpEmbed, &vectors, &v)
}

// Chunks gives a stream as go-openai's client would receive it, the usage in the
// last chunk. An error is the last thing it yields, and is hoosh's own: see
// [FromError]. It is used once, and the stream is the caller's to close; after
// it the stream still has the whole answer.
func Chunks(s *hoosh.EventStream) iter.Seq2[openai.ChatCompletionStreamResponse, error] {
	return func(yield func(openai.ChatCompletionStreamResponse, error) bool) {
		call := hoosh.NewCall(&hoosh.Request{Model: s.Reply().Model})
		call.Stream = true
		enc := hoosh.OpenAI.NewEncoder(call, s.Reply())
		var frames []byte
		for e, err := range s.Events() {
			if err == nil {
				frames, err = enc.Encode(frames[:0], &e)
			}
			if err != nil {
				yield(openai.ChatCompletionStreamResponse{}, err)
				return
			}
			if !yieldChunks(frames, yield) {
				return
			}
		}
		yieldChunks(enc.End(frames[:0]), yield)
	}
}

// yieldChunks reads the frames, each of which is one line of data, and reports
// that the loop goes on.
func yieldChunks(frames []byte, yield func(openai.ChatCompletionStreamResponse, error) bool) bool {
	for frame := range bytes.SplitSeq(frames, []byte("\n\n")) {
		data, found := bytes.CutPrefix(frame, []byte("data: "))
		if !found || data[0] != '{' {
			continue // the end, or the stream's own terminator
		}
		var chunk openai.ChatCompletionStreamResponse
		err := decode(hoosh.OpChat, data, &chunk)
		if !yield(chunk, err) || err != nil {
			return false
		}
	}
	return true
}

// response reads a whole answer of go-openai's.
func response(op hoosh.Operation, v any) (*hoosh.Response, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: "this answer has no JSON: " + err.Error(), Err: err}
	}
	return hoosh.OpenAI.DecodeResponse(op, body)
}

// from writes a whole answer into a value of go-openai's.
func from(op hoosh.Operation, r *hoosh.Response, into any) error {
	body, err := r.MarshalJSON()
	if err != nil {
		return err
	}
	return decode(op, body, into)
}

// unsaidFilters is what go-openai writes for a choice that no filter has looked
// at.
var unsaidFilters, _ = json.Marshal(openai.ContentFilterResults{})

// isUnsaid reports that a member is there only because go-openai cannot leave it
// out.
func isUnsaid(m hoosh.Member) bool {
	switch m.Key {
	case "content_filter_results":
		return bytes.Equal(m.Value, unsaidFilters)
	case "system_fingerprint":
		return string(m.Value) == `""`
	}
	return false
}

// sealedParts are parts whose signatures are in the ids of their tool calls.
func sealedParts(parts []hoosh.Part) []hoosh.Part {
	parts = slices.Clone(parts)
	var thinking *hoosh.Part // the only one, which goes with the first call
	thoughts := 0
	for i := range parts {
		if parts[i].Kind == hoosh.PartThinking {
			thoughts++
			thinking = &parts[i]
		}
	}
	if thoughts > 1 {
		thinking = nil
	}
	for i := range parts {
		if p := &parts[i]; p.Kind == hoosh.PartToolCall && p.Call != nil {
			call := *p.Call
			call.ID = hoosh.SealID(call.ID, p.Signature, thinking)
			p.Call, thinking = &call, nil
		}
	}
	return parts
}
