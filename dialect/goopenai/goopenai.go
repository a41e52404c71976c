// SPDX-License-Identifier: AGPL-3.0-only

// Package goopenai converts between hoosh's typed values and those of
// github.com/sashabaranov/go-openai, for Go programs that have such values
// already:
//
//	q, err := goopenai.Request(theirs) // an openai.ChatCompletionRequest
//	…
//	resp, err := router.Infer(ctx, q)
//	…
//	ours, err := goopenai.FromResponse(resp) // an openai.ChatCompletionResponse
//
// What go-openai's client would send is what a value means, so a request says
// here what it would say to OpenAI.
//
// Those types hold less than the wire format does. They have no place for members
// that they do not know, nor for sounds and files, and most of their fields cannot
// tell a zero from nothing: temperature 0 is not sent. So they are for programs,
// and nothing in hoosh itself passes through them: where both ends speak OpenAI's
// format the bytes go through as they came.
//
// A program that uses go-openai's client need not convert anything: put
// server.Transport under that client.
package goopenai

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	openai "github.com/sashabaranov/go-openai"

	"github.com/maccracken/hoosh"
)

// Request is what q asks. Legacy functions become tools; the members that
// [hoosh.Request] has no field for are in its Extra. An error is an
// [*hoosh.Error] with the JSON path of what is wrong.
func Request(q openai.ChatCompletionRequest) (*hoosh.Request, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, unsaid(err)
	}
	return hoosh.OpenAI.DecodeRequest(hoosh.OpChat, body)
}

// FromRequest is the go-openai form of a chat. Dropped are the JSON paths of what
// go-openai's client would not send, in sorted order. What must not be left out,
// a sound or a file for one, is an error of kind [hoosh.ErrUnsupported].
func FromRequest(q *hoosh.Request) (v openai.ChatCompletionRequest, dropped []string, err error) {
	body, dropped, err := encode(q, hoosh.OpChat)
	if err != nil {
		return v, nil, err
	}
	if err := decode(hoosh.OpChat, body, &v); err != nil {
		return v, nil, err
	}
	if err := restoreTools(&v, body); err != nil {
		return v, nil, err
	}
	for _, stop := range q.Stop {
		v.Stop = append(v.Stop, stop.String())
	}
	sent, err := json.Marshal(v)
	if err != nil {
		return v, nil, unsaid(err)
	}
	lost, err := difference(body, sent)
	dropped = append(dropped, lost...)
	slices.Sort(dropped)
	return v, slices.Compact(dropped), err
}

// encode writes a request in OpenAI's format, without its stop sequences: a
// single one would be a string there, which go-openai does not read.
func encode(q *hoosh.Request, op hoosh.Operation) ([]byte, []string, error) {
	if q.Op != op {
		return nil, nil, &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: q.Op, Message: "this is no " + op.String() + " request"}
	}
	r := *q
	r.Stop = nil
	call := hoosh.NewCall(&r)
	call.Stream = r.Stream
	return hoosh.OpenAI.EncodeRequest(call, &r, &profile)
}

// profile names the ceiling as go-openai's client wants it for all models.
var profile = hoosh.Profile{
	Dialect: hoosh.OpenAI,
	Rules:   []hoosh.Rule{{Key: "max_tokens", Rename: "max_completion_tokens"}},
}

// restoreTools gives the tools what go-openai writes of them and does not read:
// what stands beside the function, and the schema with its keys in their order.
func restoreTools(v *openai.ChatCompletionRequest, body []byte) error {
	var read struct {
		Tools []map[string]json.RawMessage `json:"tools"`
	}
	if err := decode(hoosh.OpChat, body, &read); err != nil {
		return err
	}
	for i, tool := range read.Tools {
		for key, value := range tool {
			if key == "type" || key == "function" {
				continue
			}
			if v.Tools[i].Parameters == nil {
				v.Tools[i].Parameters = map[string]any{}
			}
			v.Tools[i].Parameters[key] = value
		}
		if f := v.Tools[i].Function; f != nil && f.Parameters != nil {
			var function struct{ Parameters json.RawMessage }
			if err := decode(hoosh.OpChat, tool["function"], &function); err != nil {
				return err
			}
			f.Parameters = function.Parameters
		}
	}
	return nil
}

// EmbeddingRequest is what q asks: an [openai.EmbeddingRequest] or either of its
// typed forms.
func EmbeddingRequest(q openai.EmbeddingRequestConverter) (*hoosh.Request, error) {
	v := q.Convert()
	extra := v.ExtraBody
	v.ExtraBody = nil
	body, err := json.Marshal(v)
	if err == nil && len(extra) > 0 { // it goes in at the top, over what is there
		all := map[string]any{}
		if err = json.Unmarshal(body, &all); err == nil {
			for key, value := range extra {
				all[key] = value
			}
			body, err = json.Marshal(all)
		}
	}
	if err != nil {
		return nil, unsaid(err)
	}
	return hoosh.OpenAI.DecodeRequest(hoosh.OpEmbed, body)
}

// FromEmbeddingRequest is the go-openai form of a request for embeddings. Nothing
// is dropped: what it has no field for is in its ExtraBody.
func FromEmbeddingRequest(q *hoosh.Request) (v openai.EmbeddingRequest, err error) {
	body, _, err := encode(q, hoosh.OpEmbed)
	if err != nil {
		return v, err
	}
	if err := decode(hoosh.OpEmbed, body, &v); err != nil {
		return v, err
	}
	var read struct{ Input json.RawMessage }
	if err := decode(hoosh.OpEmbed, body, &read); err != nil {
		return v, err
	}
	v.Input = read.Input // as it is: tokens would have become floats
	for _, m := range q.Extra {
		if m.IsNote() {
			continue
		}
		if v.ExtraBody == nil {
			v.ExtraBody = map[string]any{}
		}
		v.ExtraBody[m.Key] = m.Value
	}
	return v, nil
}

// FromError is what go-openai's client would return for an error of hoosh's,
// with the status that hoosh answers it with; nil for nil. An error that is none
// of hoosh's counts as [hoosh.AsError] says.
func FromError(err error) *openai.APIError {
	e := hoosh.AsError(err)
	if e == nil {
		return nil
	}
	plain := *e
	plain.Body = nil // a backend's own may be of another shape
	var told openai.ErrorResponse
	for _, body := range [][]byte{hoosh.OpenAI.EncodeError(e), hoosh.OpenAI.EncodeError(&plain)} {
		if told = (openai.ErrorResponse{}); json.Unmarshal(body, &told) == nil && told.Error != nil {
			break
		}
	}
	told.Error.HTTPStatusCode = e.HTTPStatus()
	told.Error.HTTPStatus = strings.TrimSpace(strconv.Itoa(e.HTTPStatus()) + " " + http.StatusText(e.HTTPStatus()))
	return told.Error
}

// unsaid is the error of a go-openai value that has no JSON.
func unsaid(err error) error {
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Message: "go-openai cannot send this: " + err.Error(), Err: err}
}

// decode reads OpenAI's JSON into a value of go-openai's.
func decode(op hoosh.Operation, body []byte, into any) error {
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	e := &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Message: "go-openai cannot hold this: " + err.Error(), Err: err}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		e.Param = wrong.Field
	}
	return e
}
