// SPDX-License-Identifier: AGPL-3.0-only

// Package responses is the wire format of OpenAI's Responses API: /v1/responses
// and /v1/responses/input_tokens. It moves no bytes itself; providers/openai
// sends them.
//
// What differs from chat completions, and what becomes of it:
//
//   - The conversation is a list of items. Reasoning, text and calls of one turn
//     of the model are several items here and one message in [hoosh.Request].
//   - "instructions" is a leading system message, and the other way round.
//   - Thinking is in reasoning items; their encrypted_content is the signature. An
//     item without one that the backend has issued is left out: it would be
//     refused.
//   - Ids and states of items are not kept: they mean something only to who
//     stores the conversation. On passage they go through as they are.
//   - There are no stop sequences, seeds, penalties or several choices: they are
//     dropped and named.
//   - Tools of a namespace are functions like others; a call of one in an answer
//     says its namespace again. Custom tools, whose input is any text, are
//     functions with one string, "input", to others.
//
// What refers to something that is kept at the backend ("previous_response_id",
// "conversation", "prompt", "background") can only be passed, not translated, and
// is refused by DecodeRequest; [Resume] reads a request whose previous response
// somebody else remembers.
package responses

import "github.com/maccracken/hoosh"

// Dialect is the Responses format, for [hoosh.OpChat] and [hoosh.OpCount]. Source:
// OpenAI's API reference and the types of its SDKs; what Codex sends.
//
// Of what a request holds beyond the fields of [hoosh.Request] all goes out again
// to a backend of this format when it came from a client of it. Of OpenAI's chat
// completions these keys of Extra mean the same here: metadata, store,
// service_tier, prompt_cache_key, prompt_cache_retention, safety_identifier,
// top_logprobs. Others are dropped and named.
//
// A decoded tool of a namespace has the name of that noted in its Extra, a custom
// tool its whole definition; a decoded call of a custom tool
// is marked as in chat completions, by "type": "custom".
//
// In a stream the calls of custom tools are, as events, like those of functions:
// their arguments are an object with an "input". Arguments that come whole, with
// or without a piece before, are told once: see the scanner.
var Dialect = &hoosh.Dialect{
	Name:    "responses",
	Framing: hoosh.FramingSSE,
	Headers: []string{"Openai-Beta"},
}

func init() {
	// Not in the literal: the codec asks whether a call's dialect is this one.
	Dialect.ReadEnvelope = readEnvelope
	Dialect.Splice = splice
	Dialect.DecodeRequest = decodeRequest
	Dialect.EncodeRequest = encodeRequest
	Dialect.ScanResponse = scanResponse
	Dialect.DecodeResponse = decodeResponse
	Dialect.EncodeResponse = encodeResponse
	Dialect.NewScanner = newScanner
	Dialect.DecodeFrame = decodeFrame
	Dialect.NewEncoder = newEncoder
	Dialect.Signatures = signatures
	Dialect.DecodeError = hoosh.OpenAI.DecodeError
	Dialect.EncodeError = encodeError
	Dialect.StreamError = streamError
}

// unsupported is the error of what cannot be left out without changing what is
// asked.
func unsupported(op hoosh.Operation, param, message string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Param: param, Message: message}
}

// known reports that the format has the operation.
func known(op hoosh.Operation) bool { return op == hoosh.OpChat || op == hoosh.OpCount }

func noSuch(op hoosh.Operation) *hoosh.Error {
	return unsupported(op, "", "there is no "+op.String()+" in the Responses format")
}
