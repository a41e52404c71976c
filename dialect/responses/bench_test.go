// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// longChat is a request of about 200 KB, as a coding agent sends it.
func longChat() string {
	var b strings.Builder
	b.WriteString(`{"model":"x","stream":true,"max_tokens":1000,"tools":[{"type":"function","function":{"name":"run","parameters":{"type":"object"}}}],"messages":[{"role":"system","content":"be brief"}`)
	text := strings.Repeat(`if err != nil {\n\treturn fmt.Errorf(\"read %s: %w\", name, err)\n}\n`, 30)
	for i := 0; b.Len() < 200<<10; i++ {
		fmt.Fprintf(&b, `,{"role":"user","content":"%s"},{"role":"assistant","content":null,"tool_calls":[{"id":"c%d","type":"function","function":{"name":"run","arguments":"{\"city\":\"Ulm\"}"}}]},{"role":"tool","tool_call_id":"c%d","content":"%s"}`, text, i, i, text)
	}
	b.WriteString("]}")
	return b.String()
}

func BenchmarkRequest200KB(b *testing.B) {
	chat := longChat()
	native, _, err := translate(b, hoosh.OpenAI, own, chat)
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range []struct {
		name     string
		from, to *hoosh.Dialect
		body     string
	}{{"from-chat", hoosh.OpenAI, own, chat}, {"to-chat", own, hoosh.OpenAI, native}, {"passage", own, own, native}} {
		b.Run(x.name, func(b *testing.B) {
			body := []byte(x.body)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				c, err := hoosh.ParseCall(x.from, hoosh.OpChat, body)
				if err != nil {
					b.Fatal(err)
				}
				c.Model = "m"
				if _, _, err = c.BodyFor(&hoosh.Profile{Dialect: x.to}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A piece of text, from the bytes of one format to those of the other.
func BenchmarkFrame(b *testing.B) {
	mine := `{"type":"response.output_text.delta","content_index":0,"delta":" capital","item_id":"msg_68a1f0c1d2e3","logprobs":[],"obfuscation":"aBcDeFgH","output_index":0,"sequence_number":42}`
	chat := `{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1760000000,"model":"gpt-4.1","choices":[{"index":0,"delta":{"content":" capital"},"logprobs":null,"finish_reason":null}]}`
	for _, x := range []struct {
		name     string
		from, to *hoosh.Dialect
		data     string
		client   string
	}{{"to-chat", own, hoosh.OpenAI, mine, `{"messages":[{"role":"user","content":"a"}]}`}, {"from-chat", hoosh.OpenAI, own, chat, `{"input":"a"}`}} {
		b.Run(x.name, func(b *testing.B) {
			c := parse(b, x.to, x.client)
			enc := x.to.NewEncoder(c, &hoosh.Reply{})
			data := []byte(x.data)
			var f hoosh.Frame
			var events []hoosh.Event
			var out []byte
			var err error
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%4096 == 4095 { // it keeps what it tells
					enc = x.to.NewEncoder(c, &hoosh.Reply{})
				}
				f = hoosh.Frame{Raw: data, Data: data}
				if events, err = x.from.DecodeFrame(events[:0], &f); err != nil {
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
	b.Run("scan", func(b *testing.B) {
		s := own.NewScanner(hoosh.OpChat, 1)
		data := []byte(mine)
		b.ReportAllocs()
		for b.Loop() {
			f := hoosh.Frame{Raw: data, Data: data}
			if err := s.Scan(&f); err != nil {
				b.Fatal(err)
			}
		}
	})
}
