// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// seal is a signature as a client of this format has it.
func seal(issuer, data string) string {
	s := hoosh.Signature{Issuer: issuer, Data: hoosh.NewText(data)}
	return base64.StdEncoding.EncodeToString([]byte(s.Seal()))
}

// passes gives the body that goes to a backend of the same dialect.
func passes(t testing.TB, op hoosh.Operation, model, body string, p *hoosh.Profile) (string, []string) {
	t.Helper()
	c := parse(t, native, op, body)
	c.Model, c.Stream = model, true
	b, dropped, err := c.BodyFor(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b.Bytes()), dropped
}

// TestPassage: nothing changes but what must.
func TestPassage(t *testing.T) {
	id := hoosh.SealID("k", &hoosh.Signature{Issuer: "far", Data: hoosh.NewText("x")}, nil)
	for _, tt := range []struct {
		name       string
		op         hoosh.Operation
		model      string
		body, want string // "": the same
	}{
		{"a chat", hoosh.OpChat, "m", ` { "contents" :[{"parts":[{"text":"\u00e9","thought":true,"thoughtSignature":"bare"}]}],"x_new":[1.0e3] , "stream": 1}`, ""},
		{"a model in the body", hoosh.OpChat, "m", `{"model":"models/alias","contents":[{"parts":[{"text":"a"}]}]}`, `{"model":"models/m","contents":[{"parts":[{"text":"a"}]}]}`},
		{"the same model, escaped", hoosh.OpChat, "m", `{"model":"models\/m","contents":[{"parts":[{"text":"a"}]}]}`, ""},
		{"a count", hoosh.OpCount, "m", `{"generate_content_request":{"model":"models/alias","contents":[{"parts":[{"text":"a"}]}]}}`, `{"generate_content_request":{"model":"models/m","contents":[{"parts":[{"text":"a"}]}]}}`},
		{"an embedding", hoosh.OpEmbed, "m", `{"content":{"parts":[{"text":"a"}]},"model":"models/alias"}`, `{"content":{"parts":[{"text":"a"}]},"model":"models/m"}`},
		{"embeddings", hoosh.OpEmbed, "m", `{"requests":[{"model":"models/alias","content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"a"}]},"model":"models/m"}]}`, `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"a"}]},"model":"models/m"}]}`},
		{"an own seal", hoosh.OpChat, pro3, `{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"` + seal("far", "a+/=") + `"}]}]}`, `{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"a+/="}]}]}`},
		{"an own seal, in a client's alphabet", hoosh.OpChat, pro3, `{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"` + strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(seal("far", "a+/=")) + `"}]}]}`, `{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"a+/="}]}]}`},
		{"another's seal", hoosh.OpChat, pro3, `{"contents":[{"parts":[{"thoughtSignature":"` + seal("else", "a") + `","functionCall":{"name":"f"}}]}]}`, `{"contents":[{"parts":[{"thoughtSignature":"skip_thought_signature_validator","functionCall":{"name":"f"}}]}]}`},
		{"another's seal to an older model", hoosh.OpChat, flash25, `{"contents":[{"parts":[{"thoughtSignature":"` + seal("else", "a") + `","functionCall":{"name":"f"}},{"text":"a" , "thought_signature":"` + seal("else", "a") + `"}]}]}`, `{"contents":[{"parts":[{"functionCall":{"name":"f"}},{"text":"a"}]}]}`},
		{"another's thinking", hoosh.OpChat, pro3, `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"` + seal("else", "a") + `"}, {"text":"b"}]}]}`, `{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"b"}]}]}`},
		{"nothing but another's thinking", hoosh.OpChat, pro3, `{"contents":[{"role":"model","parts":[ {"text":"hm","thought":true,"thoughtSignature":"` + seal("else", "a") + `"} ]}]}`, `{"contents":[{"role":"model","parts":[ {"text":"…"} ]}]}`},
		{"a call that nobody signed", hoosh.OpChat, pro3, `{"contents":[{"role":"model","parts":[{"text":"a"},{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]}]}`, `{"contents":[{"role":"model","parts":[{"text":"a"},{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g"}}]}]}`},
		{"a call that was never signed", hoosh.OpChat, pro3, `{"contents":[{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}}]},{"parts":[{"functionCall":{"name":"f"},"thought_signature":""}]}]}`, `{"contents":[{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g"}}]},{"parts":[{"functionCall":{"name":"f"},"thought_signature":"skip_thought_signature_validator"}]}]}`},
		{"a call to an older model", hoosh.OpChat, flash25, `{"contents":[{"parts":[{"functionCall":{"name":"f"}}]}]}`, ""},
		{"sealed ids", hoosh.OpChat, flash25, `{"contents":[{"parts":[{"functionCall":{"id":"` + id + `","name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","id": "` + id + `"}}]}]}`, `{"contents":[{"parts":[{"functionCall":{"id":"k","name":"f"}}]},{"parts":[{"functionResponse":{"name":"f","id": "k"}}]}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, dropped := passes(t, tt.op, tt.model, tt.body, profile(native))
			if tt.want == "" {
				tt.want = tt.body
			}
			if got != tt.want || len(dropped) > 0 {
				t.Errorf("got  %s\nwant %s, dropped %q", got, tt.want, dropped)
			}
			// A hoosh behind this one does it itself.
			sealedProfile := profile(native)
			sealedProfile.Sealed = true
			if got, _ := passes(t, tt.op, strings.TrimPrefix(tt.model, "x"), tt.body, sealedProfile); strings.Contains(tt.name, "seal") && got != tt.body {
				t.Errorf("sealed: %s", got)
			}
		})
	}
	p := profile(native)
	p.Rules = []hoosh.Rule{{Key: "safetySettings"}, {Key: "labels", Rename: "tags"}}
	p.ToolID = func(id string) string { return "<" + id + ">" }
	got, dropped := passes(t, hoosh.OpChat, flash25, `{"safety_settings":[],"contents":[{"parts":[{"functionCall":{"id":"a","name":"f"}}]}], "labels":{}}`, p)
	if got != `{"contents":[{"parts":[{"functionCall":{"id":"<a>","name":"f"}}]}], "tags":{}}` || strings.Join(dropped, " ") != "safetySettings" {
		t.Errorf("%s %q", got, dropped)
	}
}

// TestForeignSignature: one that passed bare, from a backend that is known.
func TestForeignSignature(t *testing.T) {
	const sig = "QmFyZSBhbmQga25vd24+/w=="
	c := parse(t, native, hoosh.OpChat, `{"contents":[{"parts":[{"text":"a"}]}]}`)
	c.Model = pro3
	if _, err := send(t, native, c, &answer{kind: "application/json", body: `{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"` + sig + `"}]},"finishReason":"STOP"}]}`}); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{sig, strings.ReplaceAll(sig, "/", `\/`), strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(sig)} {
		body := `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"` + form + `"}]}]}`
		if got, _ := passes(t, hoosh.OpChat, pro3, body, profile(native)); got != body {
			t.Errorf("to who issued it: %s", got)
		}
		if got, _ := passes(t, hoosh.OpChat, pro3, body, &hoosh.Profile{Dialect: native, Issuer: "another"}); !strings.Contains(got, "skip_thought_signature_validator") {
			t.Errorf("to another: %s", got)
		}
	}
}
