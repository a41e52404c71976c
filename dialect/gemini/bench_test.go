// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// longBody is an OpenAI request of about 200 KB, as a coding agent sends it.
func longBody() string {
	var b strings.Builder
	b.WriteString(`{"model":"x","stream":true,"temperature":0,"max_tokens":1000,` + tools + `,"messages":[{"role":"system","content":"be brief"}`)
	text := strings.Repeat(`if err != nil {\n\treturn fmt.Errorf(\"read %s: %w\", name, err)\n}\n`, 30)
	for i := 0; b.Len() < 200<<10; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[%s]},{"role":"tool","tool_call_id":"c%d","content":"%s"}`, text, call(fmt.Sprint("c", i), "f", `{"city":"Ulm"}`), i, text)
	}
	b.WriteString("]}")
	return b.String()
}

func BenchmarkRequest200KB(b *testing.B) {
	body := []byte(longBody())
	b.Run("valid", func(b *testing.B) { // the least that can be done with it
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if err := jsonpeek.Valid(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	run := func(name string, from, to *hoosh.Dialect, body []byte) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := hoosh.ParseCall(from, hoosh.OpChat, body)
				if err != nil {
					b.Fatal(err)
				}
				c.Model = flash25
				if _, _, err = c.BodyFor(profile(to)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("to-gemini", hoosh.OpenAI, native, body)
	there, _, err := translate(b, hoosh.OpenAI, native, flash25, string(body))
	if err != nil {
		b.Fatal(err)
	}
	run("from-gemini", native, hoosh.OpenAI, []byte(there))
	run("passage", native, native, []byte(there))
}

func BenchmarkFrame(b *testing.B) {
	data := []byte(`{"candidates": [{"content": {"parts": [{"text": " capital of Styria, which"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 3,"candidatesTokenCount": 2,"totalTokenCount": 5},"modelVersion": "gemini-2.5-flash","responseId": "r1"}`)
	openai := []byte(`{"id":"i","object":"chat.completion.chunk","created":1,"model":"far","choices":[{"index":0,"delta":{"content":" capital"},"finish_reason":null}]}`)
	run := func(name string, from, to *hoosh.Dialect, data []byte) {
		b.Run(name, func(b *testing.B) {
			c := parse(b, to, hoosh.OpChat, `{"model":"m","messages":[{"role":"user","content":"a"}],"contents":[]}`)
			enc := to.NewEncoder(c, &hoosh.Reply{})
			s := from.NewScanner(hoosh.OpChat, 1)
			var f hoosh.Frame
			var events []hoosh.Event
			var out []byte
			var err error
			step := func(data []byte) {
				f = hoosh.Frame{Raw: data, Data: data}
				if err = s.Scan(&f); err != nil {
					b.Fatal(err)
				}
				if events, err = from.DecodeFrame(events[:0], &f); err != nil {
					b.Fatal(err)
				}
				out = out[:0]
				for i := range events {
					if out, err = enc.Encode(out, &events[i]); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				step(data)
			}
		})
	}
	run("to-openai", native, hoosh.OpenAI, data)
	run("from-openai", hoosh.OpenAI, native, openai)
	b.Run("scan", func(b *testing.B) {
		s := native.NewScanner(hoosh.OpChat, 1)
		var f hoosh.Frame
		b.ReportAllocs()
		for b.Loop() {
			f = hoosh.Frame{Raw: data, Data: data}
			if err := s.Scan(&f); err != nil {
				b.Fatal(err)
			}
		}
	})
}
