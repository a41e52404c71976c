// SPDX-License-Identifier: AGPL-3.0-only

package gemini_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

var both = []*hoosh.Dialect{native, hoosh.OpenAI}

// A body that is accepted is understood or refused, and what is made of it is
// JSON, for a backend of either dialect; written anew in its own it says the same.
func FuzzDecodeRequest(f *testing.F) {
	f.Add(string(golden(f, "request.json")))
	f.Add(string(golden(f, "request_snake.json")))
	f.Add(`{"contents":[{"parts":[{"functionCall":{"name":"f","args":{"a":[1]}},"thoughtSignature":"` + seal("else", "x") + `"}],"role":"model"},{"parts":[{"functionResponse":{"name":"f","response":{"error":{"a":1}},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}}}`)
	f.Add(`{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"X"},{"content":"b","outputDimensionality":"2"}],"content":{"parts":[{"text":"a"},{"text":"b"}]}}`)
	f.Add(`{"generateContentRequest":{"model":"models/x","contents":[{"parts":[{"text":"a","thought":true,"thoughtSignature":"` + seal("far", "x") + `"}]}]},"contents":[{"parts":[{"text":"a"}]}]}`)
	f.Add(`{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","nullable":true,"properties":{"a":{"minItems":"3","items":[]}}}}]}],"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"enum":["a"]},"thinkingConfig":{"thinkingBudget":"-1","x":1}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range []hoosh.Operation{hoosh.OpChat, hoosh.OpCount, hoosh.OpEmbed} {
			if _, err := native.DecodeRequest(op, []byte(body)); err != nil && !errors.Is(err, hoosh.ErrInvalidRequest) && !errors.Is(err, hoosh.ErrUnsupported) {
				t.Fatal(err)
			}
			c, err := hoosh.ParseCall(native, op, []byte(body))
			if err != nil {
				continue
			}
			for _, model := range []string{"m", flash25, "gemini-2.0-flash"} {
				c.Model = model
				for _, d := range both {
					b, _, err := c.BodyFor(profile(d))
					if err == nil && !json.Valid(b.Bytes()) {
						t.Fatalf("%q becomes %q", body, b.Bytes())
					}
				}
				q, err := c.Request()
				if err != nil {
					continue
				}
				b, _, err := native.EncodeRequest(c, q, profile(native))
				if err != nil {
					continue
				}
				if !json.Valid(b) {
					t.Fatalf("%q becomes %q", body, b)
				}
				again, err := native.DecodeRequest(op, b)
				if err != nil {
					t.Fatalf("%q becomes %q: %v", body, b, err)
				}
				// Written once it is in the order that Gemini wants, and does not change again.
				twice, _, err := native.EncodeRequest(c, again, profile(native))
				if err != nil || string(twice) != string(b) && !strings.Contains(strings.ToLower(body), "response") {
					t.Fatalf("%q becomes %q and %q, %v", body, b, twice, err)
				}
			}
		}
	})
}

// What can be said in Gemini's words is a body that it could take.
func FuzzEncodeRequest(f *testing.F) {
	f.Add(`{"model":"x",`+tools+`,"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},{"role":"assistant","tool_calls":[`+call("c", "f", `{"a":1}`)+`]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"developer","content":"d"}],"reasoning_effort":"low"}`, pro3)
	f.Add(`{"model":"x","messages":[{"role":"assistant","content":""},{"role":"tool","content":"a"}],"stop":["\t","a"]}`, flash25)
	f.Fuzz(func(t *testing.T, body, model string) {
		c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
		if err != nil {
			return
		}
		c.Model = model
		b, _, err := c.BodyFor(profile(native))
		if err != nil {
			return
		}
		if err := takes(b.Bytes()); err != "" {
			t.Fatalf("%q becomes %q: %s", body, b.Bytes(), err)
		}
	})
}

// takes says what Gemini would refuse in a body, "" for nothing.
func takes(body []byte) string {
	var q struct {
		SystemInstruction *struct{ Parts []json.RawMessage }
		GenerationConfig  struct {
			StopSequences  []string
			ThinkingConfig struct {
				ThinkingLevel  string
				ThinkingBudget *int
			}
		}
		Contents []struct {
			Role  string
			Parts []struct {
				Text             *string
				InlineData       json.RawMessage
				FileData         json.RawMessage
				FunctionCall     *struct{ Name string }
				FunctionResponse *struct {
					Name     string
					Response map[string]json.RawMessage
				}
			}
		}
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return err.Error()
	}
	switch {
	case q.SystemInstruction != nil && len(q.SystemInstruction.Parts) == 0:
		return "an empty system instruction"
	case len(q.GenerationConfig.StopSequences) > 5:
		return "stop sequences"
	case q.GenerationConfig.ThinkingConfig.ThinkingLevel != "" && q.GenerationConfig.ThinkingConfig.ThinkingBudget != nil:
		return "level and budget"
	case len(q.Contents) == 0, q.Contents[0].Role != "user":
		return "the first content"
	}
	waits, before := 0, ""
	for _, c := range q.Contents {
		if c.Role == before || len(c.Parts) == 0 || c.Role != "user" && c.Role != "model" {
			return "turns"
		}
		before = c.Role
		calls, results := 0, 0
		for _, p := range c.Parts {
			kinds := 0
			for _, has := range []bool{p.Text != nil, p.InlineData != nil, p.FileData != nil, p.FunctionCall != nil, p.FunctionResponse != nil} {
				if has {
					kinds++
				}
			}
			if kinds != 1 || p.Text != nil && *p.Text == "" {
				return "a part"
			}
			if p.FunctionCall != nil {
				calls++
			}
			if p.FunctionResponse != nil {
				if results++; p.FunctionResponse.Response == nil {
					return "a response"
				}
			}
		}
		if results != waits || calls > 0 && c.Role != "model" {
			return "results"
		}
		waits = calls
	}
	if waits > 0 {
		return "a call without a result"
	}
	return ""
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(string(golden(f, "response.json")))
	f.Add(`[{"error":{"code":429,"message":"x","details":[{"retryDelay":"1.5s"},{"fieldViolations":[{"field":"a"}]}]}}]`)
	f.Add(`{"totalTokens":5,"embedding":{"values":[1,2e3]},"embeddings":[{"values":[]}]}`)
	f.Add(`{"candidates":[{"content":{"parts":[{"text":"a"}]},"citationMetadata":{"citationSources":[{"uri":"u","startIndex":0,"endIndex":1}]}}],"promptFeedback":{"blockReason":"X"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range []hoosh.Operation{hoosh.OpChat, hoosh.OpCount, hoosh.OpEmbed} {
			_, _, scanned := native.ScanResponse(op, []byte(body))
			native.Signatures([]byte(body), func(s []byte) {
				if len(s) == 0 {
					t.Fatal("an empty signature")
				}
			})
			r, err := native.DecodeResponse(op, []byte(body))
			if err != nil || scanned != nil {
				continue
			}
			for _, d := range both {
				ask := map[hoosh.Operation]string{hoosh.OpEmbed: `{"model":"m","input":"a","content":{"parts":[{"text":"a"}]}}`}[op]
				if ask == "" {
					ask = `{"model":"m","messages":[{"role":"user","content":"a"}],"contents":[]}`
				}
				c, err := hoosh.ParseCall(d, op, []byte(ask))
				if err != nil {
					t.Fatal(err)
				}
				out, err := d.EncodeResponse(c, r)
				if err == nil && !json.Valid(out) {
					t.Fatalf("%q becomes %q", body, out)
				}
			}
		}
		e := native.DecodeError(500, nil, []byte(body))
		if out := native.EncodeError(e); !json.Valid(out) {
			t.Fatalf("%q becomes %q", body, out)
		}
	})
}

// Whatever events come: the scanner and the decoder agree, and what the encoders
// make of them is well-formed.
func FuzzDecodeFrame(f *testing.F) {
	var data []string
	for ev := range strings.SplitSeq(string(golden(f, "stream.sse")), "\r\n\r\n") {
		if _, d, ok := strings.Cut(ev, "data: "); ok {
			data = append(data, d)
		}
	}
	f.Add(strings.Join(data, "\n"))
	f.Add(`{"candidates":[{"index":-1,"content":{"parts":[{"functionCall":{"args":[]}},{"text":"","thought":true,"thoughtSignature":"x"}]}},{"index":999,"finishReason":"NEW"}]}` + "\n" + `[{"error":null}]`)
	f.Fuzz(func(t *testing.T, body string) {
		s := native.NewScanner(hoosh.OpChat, 1)
		var encoders []hoosh.FrameEncoder
		for _, d := range both {
			c, err := hoosh.ParseCall(d, hoosh.OpChat, []byte(`{"model":"m","messages":[{"role":"user","content":"a"}],"contents":[]}`))
			if err != nil {
				t.Fatal(err)
			}
			encoders = append(encoders, d.NewEncoder(c, &hoosh.Reply{Provider: "far"}))
		}
		var out [2][]byte
		for line := range strings.SplitSeq(body, "\n") {
			frame := hoosh.Frame{Raw: []byte(line + "\n"), Data: []byte(line)}
			scanned := s.Scan(&frame)
			events, err := native.DecodeFrame(nil, &frame)
			if (scanned == nil) != (err == nil) && line != "" {
				t.Fatalf("%q: the scan says %v, the decoder %v", line, scanned, err)
			}
			for i := range events {
				for j, enc := range encoders {
					if out[j], err = enc.Encode(out[j], &events[i]); err != nil {
						t.Fatalf("%q: %v", line, err)
					}
				}
			}
		}
		for _, end := range []string{string(encoders[0].End(out[0])), string(s.End(nil, hoosh.FinishStop, hoosh.Usage{}, true))} {
			for ev := range strings.SplitSeq(strings.TrimSuffix(end, "\r\n\r\n"), "\r\n\r\n") {
				if one, ok := strings.CutPrefix(ev, "data: "); !ok || !json.Valid([]byte(one)) || strings.ContainsAny(one, "\r\n") {
					t.Fatalf("%q ends in %q", body, ev)
				}
			}
		}
	})
}
