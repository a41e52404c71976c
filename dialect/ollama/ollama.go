// SPDX-License-Identifier: AGPL-3.0-only

// Package ollama is the wire format of Ollama's own API: /api/chat, /api/generate,
// /api/embed and its older form /api/embeddings. It moves no bytes itself;
// providers/ollama sends them.
//
// What differs from OpenAI's format, and what becomes of it:
//
//   - A stream is the default, so a body that does not say gets one.
//   - Sampling stands in "options". The ones that [hoosh.Request] has a field
//     for are read into it, the others stay together in its Extra as "options".
//   - Content is one string: text parts are joined with a line feed. Images are
//     base64 only; one that is at a URL, a sound or a file is refused.
//   - Arguments of a tool call are an object. Others are refused, whichever way
//     they go: an empty object in their place would call the tool with nothing.
//   - Nothing makes the model call a tool: tool_choice "none" takes the tools
//     away, "required" and a function's name are dropped and named.
//   - Ids of tool calls are of recent servers only. Calls without one get one by
//     their place; results without one belong to a call of their tool's name, else to
//     the first without a result. Clients are always given ids, for there is no other
//     place for signatures: see [hoosh.SealID].
//   - A finished answer says "stop" also when it calls tools; the reason becomes
//     [hoosh.FinishToolCalls] where there were calls.
//
// Ollama is written in Go, so it reads a key whatever its case. So does this
// package, and it refuses a body that has one of the keys it acts on twice.
package ollama

import "github.com/maccracken/hoosh"

// Dialect is Ollama's format, for [hoosh.OpChat] and [hoosh.OpEmbed]. Source:
// Ollama's API documentation, the types of its Go module (v0.17.4), and the
// answers recorded in testdata/wire/ollama.
//
// Of what a request holds beyond the fields of [hoosh.Request] all goes out again
// to Ollama when it came from an Ollama client. From others these keys of Extra
// are taken, the rest is dropped and named: "options" (an object, which wins over
// fields that say the same), the name of an option (num_ctx, min_p …),
// "keep_alive", "think", "truncate", "shift", and for a whole answer "logprobs" and
// "top_logprobs".
//
// The events that DecodeFrame gives for tool calls hold the whole arguments as
// their Value. Their Index is the one that the server sends, or without it the
// place within the line. Servers differ in what they count, so two calls of one
// answer may have the same Index when they came in two lines; each event is
// nevertheless a call of its own.
//
// A profile's Rules, ToolID and other wishes are not heeded: there is one server
// that speaks this.
var Dialect = &hoosh.Dialect{
	Name:    "ollama",
	Framing: hoosh.FramingNDJSON,
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
	Dialect.DecodeError = decodeError
	Dialect.EncodeError = encodeError
	Dialect.StreamError = streamError
}
