// SPDX-License-Identifier: AGPL-3.0-only

// Package gemini is the wire format of Google's Gemini API: generateContent,
// streamGenerateContent, countTokens, embedContent and batchEmbedContents. It moves
// no bytes itself; providers/google sends them.
//
// What differs from OpenAI's format, and what becomes of it:
//
//   - The model and whether it streams are in the path. Whoever parses a body sets
//     both on the call.
//   - Names are accepted in camelCase and in snake_case, as proto-JSON is read.
//   - The system prompt is beside the contents. Leading system and developer
//     messages go there; later ones become a text of the user, within <system> tags.
//   - Neighbours of one role are one content. All results of a turn's tool calls
//     come first in the content after it, in the order of the calls; a call without
//     a result is refused.
//   - A tool's result is an object. Text that is one goes as it is; other text is the
//     member "result" of one, or "error" where the tool failed.
//   - Ids of tool calls may be absent. Results then belong to calls by name and order.
//   - Schemas go out as JSON Schema; the older OpenAPI subset is read too, and becomes
//     JSON Schema.
//   - Thinking is a budget of tokens for models up to 2.5 and a level for newer ones.
//
// A signature may stand at any part; here those of tool calls matter, and from Gemini
// 3 on the first call of a step is refused without one. Where there is none that the
// backend accepts, it is told to do without. Signatures are bytes in this format, and
// clients check that they are base64, so the seal of another vendor's is base64 too.
package gemini

import "github.com/maccracken/hoosh"

// Dialect is Gemini's format, for [hoosh.OpChat], [hoosh.OpCount] and
// [hoosh.OpEmbed]. Source: Google's reference of the Gemini API, v1beta, and the
// types of its SDKs.
//
// An embedding's body is one of batchEmbedContents if it has the top-level key
// "requests", else one of embedContent; what EncodeRequest makes is always the first.
// The same holds for the answer that EncodeResponse writes.
//
// Of what a request holds beyond the fields of [hoosh.Request] all goes out again
// when it came from a client of this format; from others it is dropped and named. A
// profile's Rules and ToolID are heeded. There is a [hoosh.EventStart] only of frames
// that the scanner has seen.
var Dialect = &hoosh.Dialect{
	Name:    "gemini",
	Framing: hoosh.FramingSSE,
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
	Dialect.DecodeError = decodeError
	Dialect.EncodeError = encodeError
	Dialect.StreamError = streamError
}
