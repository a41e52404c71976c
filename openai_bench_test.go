// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"
	"strings"
	"testing"
)

// benchRequest is a coding agent's: some turns, some tools, and a prompt of
// about size bytes with the escapes that source code has.
func benchRequest(size int) []byte {
	line := `\tif err != nil { return fmt.Errorf(\"reading %q: %w\", name, err) } // the quick brown fox jumps over the lazy dog\n`
	prompt := strings.Repeat(line, max(size-850, 0)/len(line)+1)
	return fmt.Appendf(nil, `{"model":"m","messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"%s"},`+
		`{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"read","arguments":"{\"path\":\"a.go\"}"}}]},`+
		`{"role":"tool","tool_call_id":"call_1","content":"package a"},{"role":"user","content":[{"type":"text","text":"And now?"}]}],`+
		`"tools":[{"type":"function","function":{"name":"read","description":"Reads a file","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}],`+
		`"temperature":0.7,"max_tokens":256,"stream":true,"stream_options":{"include_usage":true}}`, prompt)
}

// BenchmarkOpenAIRequest is the whole way of a request that is translated:
// decoded, and encoded again.
func BenchmarkOpenAIRequest(b *testing.B) {
	p := &Profile{Dialect: OpenAI}
	for _, size := range []int{1_000, 200_000} {
		body := benchRequest(size)
		for _, half := range []string{"decode", "both"} {
			b.Run(fmt.Sprintf("%dB/%s", size, half), func(b *testing.B) {
				c := &Call{Op: OpChat, Model: "m", Stream: true, load: &payload{dialect: OpenAI, body: body}}
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					q, err := decodeOpenAIRequest(OpChat, body)
					if err != nil {
						b.Fatal(err)
					}
					if half == "both" {
						if _, _, err := encodeOpenAIRequest(c, q, p); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// BenchmarkOpenAICopy is the least that any encoder costs: the bytes, once.
func BenchmarkOpenAICopy(b *testing.B) {
	body := benchRequest(200_000)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		_ = append(make([]byte, 0, len(body)+512), body...)
	}
}

func BenchmarkOpenAIResponse(b *testing.B) {
	body := fmt.Appendf(nil, `{"id":"chatcmpl-1","object":"chat.completion","created":1732000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":220,"completion_tokens":160,"total_tokens":380}}`, strings.Repeat("word ", 160))
	c := typedCall(OpChat)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := decodeOpenAIResponse(OpChat, body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := encodeOpenAIResponse(c, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenAIFrame is a frame of a stream that is translated.
func BenchmarkOpenAIFrame(b *testing.B) {
	f := &Frame{Data: []byte(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1732000000,"model":"m","system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}`)}
	b.Run("decode", func(b *testing.B) {
		var events []Event
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if events, err = decodeOpenAIFrame(events[:0], f); err != nil || len(events) != 1 {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		enc := newOpenAIEncoder(typedCall(OpChat), &Reply{})
		e := NewEvent(EventText, 0, RawText([]byte(" word")))
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			out, _ = enc.Encode(out[:0], &e)
		}
		if !strings.Contains(string(out), `"content":" word"`) {
			b.Fatalf("%s", out)
		}
	})
	b.Run("both", func(b *testing.B) {
		enc := newOpenAIEncoder(typedCall(OpChat), &Reply{})
		var events []Event
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			events, _ = decodeOpenAIFrame(events[:0], f)
			for i := range events {
				out, _ = enc.Encode(out[:0], &events[i])
			}
		}
	})
}

// BenchmarkOpenAIEmbeddings is an answer of 16 vectors, from numbers to base64.
func BenchmarkOpenAIEmbeddings(b *testing.B) {
	r := &Response{Model: "e"}
	for i := range 16 {
		v := make([]float32, 1024)
		for j := range v {
			v[j] = float32(i+1) / float32(j+3)
		}
		r.Embeddings = append(r.Embeddings, v)
	}
	body, err := encodeOpenAIResponse(typedCall(OpEmbed), r)
	if err != nil {
		b.Fatal(err)
	}
	c, err := ParseCall(OpenAI, OpEmbed, []byte(`{"model":"e","input":"a","encoding_format":"base64"}`))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := decodeOpenAIResponse(OpEmbed, body)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := encodeOpenAIResponse(c, r); err != nil {
			b.Fatal(err)
		}
	}
}
