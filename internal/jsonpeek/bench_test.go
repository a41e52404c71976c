// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The documents that the gateway meets.
var benchDocs = []struct {
	name string
	data []byte
}{
	{"prompt200K", chat(strings.Repeat("The quick brown fox jumps over the lazy dog, again. ", 200<<10/52))},
	{"code200K", chat(strings.Repeat(`	if err := c.open(ctx, "name"); err != nil { return 0, err }`+"\n", 200<<10/62))},
	{"cjk200K", chat(strings.Repeat("敏捷的棕色狐狸跳过了懒狗。", 200<<10/39))},
	{"dense", dense(200 << 10)},
	{"indented", indented(200 << 10)},
	{"chat1K", chat(strings.Repeat("Tell me about the sea. ", 34))},
	{"chunk", []byte(`{"id":"chatcmpl-9cXvkTPvY4kCUZ3dWdJ1xQ0yR2aBc","object":"chat.completion.chunk","created":1717171717,` +
		`"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_0f03d4f0ee",` +
		`"choices":[{"index":0,"delta":{"content":" world"},"logprobs":null,"finish_reason":null}],"usage":null}`)},
}

func chat(prompt string) []byte {
	quoted := AppendQuote(nil, prompt)
	return fmt.Appendf(nil, `{"model":"llama3.2","messages":[{"role":"system","content":"You are helpful."},`+
		`{"role":"user","content":%s}],"temperature":0.7,"max_tokens":512,"stream":true}`, quoted)
}

// dense returns about size bytes with hardly a string longer than a word.
func dense(size int) []byte {
	b := []byte{'['}
	for i := 0; len(b) < size; i++ {
		b = fmt.Appendf(b, `{"id":%d,"ok":%t,"score":%.3f,"tags":["a","bc"],"at":{"x":%d,"y":-1e3},"none":null},`,
			i, i%3 == 0, float64(i)/7, i*i)
	}
	b[len(b)-1] = ']'
	return b
}

func indented(size int) []byte {
	var v any
	if err := json.Unmarshal(dense(size/3), &v); err != nil {
		panic(err)
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err)
	}
	return b
}

func BenchmarkValid(b *testing.B) {
	for _, doc := range benchDocs {
		b.Run(doc.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc.data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Valid(doc.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStdValid is the same by encoding/json, for comparison.
func BenchmarkStdValid(b *testing.B) {
	for _, doc := range benchDocs {
		b.Run(doc.name, func(b *testing.B) {
			b.SetBytes(int64(len(doc.data)))
			for b.Loop() {
				if !json.Valid(doc.data) {
					b.Fatal("invalid")
				}
			}
		})
	}
}

// BenchmarkEnvelope reads what routing wants of a request, and checks the rest.
func BenchmarkEnvelope(b *testing.B) {
	for _, doc := range benchDocs[:2] {
		benchmarkEnvelope(b, doc.name, doc.data)
	}
	benchmarkEnvelope(b, "chat1K", chat(strings.Repeat("Tell me about the sea. ", 34)))
}

func benchmarkEnvelope(b *testing.B, name string, data []byte) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var model []byte
			var stream bool
			var limit int64
			messages := 0
			c := New(data)
			if c.Object() {
				for c.Next() {
					switch string(c.Key()) {
					case "model":
						model, _ = c.Str()
					case "stream":
						stream, _ = c.Bool()
					case "max_tokens":
						limit, _ = c.Int()
					case "messages":
						if c.Array() {
							for c.Next() {
								messages++
							}
						}
					}
				}
			}
			if err := c.End(); err != nil || len(model) == 0 || !stream || limit != 512 || messages != 2 {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkChunk reads a frame as a scanner of streams does.
func BenchmarkChunk(b *testing.B) {
	data := benchDocs[len(benchDocs)-1].data
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		text := 0
		c := New(data)
		if c.Object() {
			for c.Next() {
				if string(c.Key()) != "choices" || !c.Array() {
					continue
				}
				for c.Next() {
					if !c.Object() {
						continue
					}
					for c.Next() {
						if string(c.Key()) != "delta" || !c.Object() {
							continue
						}
						for c.Next() {
							if string(c.Key()) == "content" {
								s, _ := c.Str()
								text += len(s)
							}
						}
					}
				}
			}
		}
		if err := c.End(); err != nil || text != 6 {
			b.Fatal(err, text)
		}
	}
}

func BenchmarkUnquote(b *testing.B) {
	for _, doc := range benchDocs[:3] {
		b.Run(doc.name, func(b *testing.B) {
			raw := prompt(doc.data)
			buf := make([]byte, 0, 2*len(raw))
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendUnquote(buf[:0], raw)
			}
		})
	}
}

func BenchmarkEscape(b *testing.B) {
	for _, doc := range benchDocs[:3] {
		b.Run(doc.name, func(b *testing.B) {
			text := AppendUnquote(nil, prompt(doc.data))
			buf := make([]byte, 0, 2*len(text))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				buf = AppendEscape(buf[:0], text)
			}
		})
	}
}

// prompt returns the longest string of a document that chat made.
func prompt(data []byte) []byte {
	var longest []byte
	c := New(data)
	c.Object()
	for c.Next() {
		if string(c.Key()) != "messages" || !c.Array() {
			continue
		}
		for c.Next() {
			c.Object()
			for c.Next() {
				if s, _ := c.Str(); len(s) > len(longest) {
					longest = s
				}
			}
		}
	}
	return longest
}

func BenchmarkEqual(b *testing.B) {
	keys := [][]byte{[]byte("temperature"), []byte("max_tokens"), []byte("model"), []byte("Model")}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, key := range keys {
			if Equal(key, "model") {
				n++
			}
			if EqualFold(key, "model") {
				n += 10
			}
		}
		if n != 21 {
			b.Fatal(n)
		}
	}
}
