// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// recorded adds the files whose names end in suffix to the corpus.
func recorded(f *testing.F, suffix string, add func(string)) {
	f.Helper()
	files, err := filepath.Glob("../../testdata/wire/ollama/*" + suffix)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) < 2000 {
			add(string(b))
		}
	}
}

// A body that is accepted is understood or refused, and what is made of it is
// JSON, for a backend of either dialect.
func FuzzRequest(f *testing.F) {
	recorded(f, ".request.json", func(s string) { f.Add(s, false); f.Add(s, true) })
	f.Add(`{"Model":"m","messages":[{"role":"assistant","content":"a","thinking":"b","images":["\/9j\/"],"tool_calls":[{"id":"i","function":{"index":1,"name":"f","arguments":{"a":1}}},{"function":{"arguments":"{"}}]},{"role":"tool","tool_name":"f","content":"x"}],"think":"low","format":{},"keep_alive":0,"options":{"num_predict":1.5,"stop":["a"],"x":[]},"tools":[{"type":"x"},{"function":{"name":"f"}}]}`, false)
	f.Add(`{"input":["a","b"],"dimensions":2}`, true)
	f.Fuzz(func(t *testing.T, body string, embed bool) {
		op := hoosh.OpChat
		if embed {
			op = hoosh.OpEmbed
		}
		if _, err := ollamaDialect.DecodeRequest(op, []byte(body)); err != nil && hoosh.AsError(err).Kind != hoosh.ErrInvalidRequest {
			t.Fatal(err)
		}
		c, err := hoosh.ParseCall(ollamaDialect, op, []byte(body))
		if err != nil {
			return
		}
		c.Model = "other"
		for _, d := range []*hoosh.Dialect{ollamaDialect, hoosh.OpenAI} {
			b, _, err := c.BodyFor(&hoosh.Profile{Dialect: d})
			if err == nil && !json.Valid(b.Bytes()) {
				t.Fatalf("%q becomes %q", body, b.Bytes())
			}
		}
		q, err := c.Request()
		if err != nil {
			return
		}
		b, _, err := ollamaDialect.EncodeRequest(c, q, &hoosh.Profile{Dialect: ollamaDialect})
		if err != nil {
			return
		}
		again, err := ollamaDialect.DecodeRequest(op, b)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", body, b, err)
		}
		if len(again.Messages) != len(q.Messages) || len(again.Input) != len(q.Input) || again.MaxTokens != q.MaxTokens || len(again.Tools) != len(q.Tools) {
			t.Fatalf("%q becomes %q", body, b)
		}
	})
}

// An OpenAI body that can be said in Ollama's words is JSON in them.
func FuzzRequestToOllama(f *testing.F) {
	f.Add(`{"model":"x","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"c","content":"r"}],"temperature":0,"stop":["a"],"options":{"num_ctx":1},"keep_alive":"1m","min_p":0.5,"response_format":{"type":"json_object"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(body))
		if err != nil {
			return
		}
		b, _, err := c.BodyFor(&hoosh.Profile{Dialect: ollamaDialect})
		if err != nil {
			return
		}
		if !json.Valid(b.Bytes()) {
			t.Fatalf("%q becomes %q", body, b.Bytes())
		}
		if _, err := hoosh.ParseCall(ollamaDialect, hoosh.OpChat, b.Bytes()); err != nil {
			t.Fatalf("%q becomes %q: %v", body, b.Bytes(), err)
		}
	})
}

func FuzzResponse(f *testing.F) {
	recorded(f, ".json", func(s string) { f.Add(s, false); f.Add(s, true) })
	f.Add(`{"model":"m","created_at":"2026-11-24T06:12:20Z","message":{"content":"a","thinking":"b","tool_calls":[{"function":{"name":"f","arguments":{}}}]},"done":true,"logprobs":[],"eval_count":1}`, false)
	f.Fuzz(func(t *testing.T, body string, embed bool) {
		op := hoosh.OpChat
		if embed {
			op = hoosh.OpEmbed
		}
		_, _, scanned := ollamaDialect.ScanResponse(op, []byte(body))
		r, err := ollamaDialect.DecodeResponse(op, []byte(body))
		if err != nil || scanned != nil {
			return
		}
		for _, d := range []*hoosh.Dialect{ollamaDialect, hoosh.OpenAI} {
			c, err := hoosh.ParseCall(d, op, []byte(`{"messages":[{"role":"user","content":"a"}],"input":"a"}`))
			if err != nil {
				t.Fatal(err)
			}
			if out, err := d.EncodeResponse(c, r); err == nil && !json.Valid(out) {
				t.Fatalf("%q becomes %q", body, out)
			}
		}
		e := ollamaDialect.DecodeError(500, nil, []byte(body))
		if out := ollamaDialect.EncodeError(e); !json.Valid(out) {
			t.Fatalf("%q becomes %q", body, out)
		}
	})
}

// Whatever lines come: the scanner and the decoder agree, and what the encoders
// make of them is well-formed.
func FuzzFrames(f *testing.F) {
	recorded(f, ".ndjson", func(s string) { f.Add(s) })
	f.Add(`{"message":{"content":"a","thinking":"b","tool_calls":[{"id":"k","function":{"index":3,"name":"f","arguments":{"a":1}}},{"function":{}}]},"done":false}` + "\n" + `{"done":true,"done_reason":"length","eval_count":2}`)
	f.Add(`{"error":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := ollamaDialect.NewScanner(hoosh.OpChat, 1)
		var encoders []hoosh.FrameEncoder
		for _, d := range []*hoosh.Dialect{ollamaDialect, hoosh.OpenAI} {
			c, err := hoosh.ParseCall(d, hoosh.OpChat, []byte(`{"messages":[{"role":"user","content":"a"}]}`))
			if err != nil {
				t.Fatal(err)
			}
			encoders = append(encoders, d.NewEncoder(c, &hoosh.Reply{}))
		}
		var out [2][]byte
		for line := range strings.SplitSeq(body, "\n") {
			frame := hoosh.Frame{Raw: []byte(line + "\n"), Data: []byte(strings.TrimSpace(line))}
			scanned := s.Scan(&frame)
			events, err := ollamaDialect.DecodeFrame(nil, &frame)
			if (scanned == nil) != (err == nil) {
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
		for j, enc := range encoders {
			out[j] = enc.End(out[j])
		}
		out[0] = s.End(out[0], hoosh.FinishLength, hoosh.Usage{}, true)
		for line := range strings.SplitSeq(strings.TrimSpace(string(out[0])), "\n") {
			if !json.Valid([]byte(line)) {
				t.Fatalf("%q becomes %q", body, line)
			}
		}
	})
}
