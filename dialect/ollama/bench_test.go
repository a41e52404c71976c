// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// longBody is an OpenAI request of about 200 KB, as a coding agent sends it.
func longBody() string {
	var b strings.Builder
	b.WriteString(`{"model":"x","stream":true,"temperature":0,"max_tokens":1000,` + openAITools + `,"messages":[{"role":"system","content":"be brief"}`)
	text := strings.Repeat(`if err != nil {\n\treturn fmt.Errorf(\"read %s: %w\", name, err)\n}\n`, 30)
	for i := 0; b.Len() < 200<<10; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Ulm\"}"}}]},{"role":"tool","tool_call_id":"c%d","content":"%s"}`, text, i, i, text)
	}
	b.WriteString("]}")
	return b.String()
}

func BenchmarkRequest200KB(b *testing.B) {
	body := []byte(longBody())
	b.Run("to-ollama", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err = c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect}); err != nil {
				b.Fatal(err)
			}
		}
	})
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body)
	if err != nil {
		b.Fatal(err)
	}
	there, _, err := c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
	if err != nil {
		b.Fatal(err)
	}
	native := there.Bytes()
	run := func(name string, to *hoosh.Dialect) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(native)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := hoosh.ParseCall(ollamaDialect, hoosh.OpChat, native)
				if err != nil {
					b.Fatal(err)
				}
				c.Model = "m"
				if _, _, err = c.BodyFor(&hoosh.Profile{Dialect: to}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("from-ollama", hoosh.OpenAI)
	run("passage", ollamaDialect)
}

func BenchmarkFrame(b *testing.B) {
	line := `{"model":"smollm2:135m","created_at":"2026-11-24T06:12:20.218009603Z","message":{"role":"assistant","content":" capital"},"done":false}` + "\n"
	data := []byte(line)
	b.Run("scan", func(b *testing.B) {
		s := ollamaDialect.NewScanner(hoosh.OpChat, 1)
		var f hoosh.Frame
		b.ReportAllocs()
		for b.Loop() {
			f = hoosh.Frame{Raw: data, Data: data[:len(data)-1]}
			if err := s.Scan(&f); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("to-openai", func(b *testing.B) {
		c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"messages":[{"role":"user","content":"a"}]}`))
		if err != nil {
			b.Fatal(err)
		}
		enc := hoosh.OpenAI.NewEncoder(c, &hoosh.Reply{})
		s := ollamaDialect.NewScanner(hoosh.OpChat, 1)
		var f hoosh.Frame
		var events []hoosh.Event
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			f = hoosh.Frame{Raw: data, Data: data[:len(data)-1]}
			if err = s.Scan(&f); err != nil {
				b.Fatal(err)
			}
			if events, err = ollamaDialect.DecodeFrame(events[:0], &f); err != nil {
				b.Fatal(err)
			}
			out = out[:0]
			for i := range events {
				if out, err = enc.Encode(out, &events[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("from-openai", func(b *testing.B) {
		data := []byte(`{"id":"i","object":"chat.completion.chunk","created":1,"model":"far","choices":[{"index":0,"delta":{"content":" capital"},"finish_reason":null}]}`)
		c, err := hoosh.ParseCall(ollamaDialect, hoosh.OpChat, []byte(`{}`))
		if err != nil {
			b.Fatal(err)
		}
		enc := ollamaDialect.NewEncoder(c, &hoosh.Reply{})
		var f hoosh.Frame
		var events []hoosh.Event
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			f = hoosh.Frame{Data: data}
			if events, err = hoosh.OpenAI.DecodeFrame(events[:0], &f); err != nil {
				b.Fatal(err)
			}
			out = out[:0]
			for i := range events {
				if out, err = enc.Encode(out, &events[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
