// SPDX-License-Identifier: AGPL-3.0-only

// Package anthropic is the wire format of Anthropic's Messages API: /v1/messages
// and /v1/messages/count_tokens. It moves no bytes itself; providers/anthropic
// sends them.
//
// What differs from OpenAI's format, and what becomes of it:
//
//   - The system prompt is beside the messages. Leading system and developer
//     messages go there. Later ones stay where they are for models that know such
//     a role, and become a text of the user, within <system> tags, for the others.
//   - User and assistant take turns: neighbours of one role are one message. All
//     results of a turn's tool calls come first in the message after it, in the
//     order of the calls; a call without a result is refused. A conversation that
//     begins with the assistant gets a user's "(continued)" before it.
//   - Text without a visible character is left out, for it is refused there.
//   - The ceiling of tokens is needed. Without one it is what the model can give.
//   - Thinking is a budget of tokens for older models and an effort for newer ones.
//     Within a loop of tool calls it needs the thinking of the turns before, signed;
//     where that is lacking it is left off, and named "reasoning_effort".
//   - Sampling parameters that the model refuses are left out and named, and a
//     temperature over 1 is sent as 1 and named.
//   - The history may hold calls of tools that the request does not define. They
//     are defined by their names then, and not to be called.
//
// Signatures of thinking have a field of their own. Towards a client that of
// another vendor is sealed, see [hoosh.Signature], and so is the fact that
// thinking has none.
package anthropic

import "github.com/maccracken/hoosh"

// Dialect is Anthropic's format, for [hoosh.OpChat] and [hoosh.OpCount]. Source:
// Anthropic's API reference, for the versions 2023-06-01 and 2026-10-21, and the
// types of its SDKs.
//
// Of what a request holds beyond the fields of [hoosh.Request] all goes out again
// when it came from a client of this format. From others "cache_control" on parts
// and tools is kept, "service_tier" where it is "auto" or "standard_only", and
// "safety_identifier" where there is no User; the rest is dropped and named.
//
// A profile's Rules and ToolID are heeded. The Index of events of tool calls is
// that of their content block.
var Dialect = &hoosh.Dialect{
	Name:    "anthropic",
	Framing: hoosh.FramingSSE,
	Headers: []string{"Anthropic-Version", "Anthropic-Beta"},
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
