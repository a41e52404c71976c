// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

// OpenAI is the dialect of OpenAI's chat completions, legacy completions and
// embeddings, which most engines and vendors speak. It is in this package
// because [Client] speaks it. Source: OpenAI's API reference, and what
// llama.cpp's server, vLLM and the vendors of providers/… send.
//
// The hot side, which looks without decoding, is in openai_envelope.go and
// openai_scan.go; the typed side in openai_request.go, openai_response.go and
// openai_stream.go; errors in openai_error.go.
var OpenAI = &Dialect{
	Name:    "openai",
	Framing: FramingSSE,
}

func init() {
	// Not in the literal: the codec's helpers name OpenAI themselves.
	OpenAI.ReadEnvelope = readOpenAIEnvelope
	OpenAI.Splice = spliceOpenAI
	OpenAI.DecodeRequest = decodeOpenAIRequest
	OpenAI.EncodeRequest = encodeOpenAIRequest
	OpenAI.ScanResponse = scanOpenAIResponse
	OpenAI.DecodeResponse = decodeOpenAIResponse
	OpenAI.EncodeResponse = encodeOpenAIResponse
	OpenAI.NewScanner = newOpenAIScanner
	OpenAI.DecodeFrame = decodeOpenAIFrame
	OpenAI.NewEncoder = newOpenAIEncoder
	OpenAI.DecodeError = decodeOpenAIError
	OpenAI.EncodeError = encodeOpenAIError
	OpenAI.StreamError = openAIStreamError
}
