// SPDX-License-Identifier: AGPL-3.0-only

package anthropic_test

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
	f.Add(`{"model":"claude-3-opus","messages":[{"content":"a","role":"user"},{"role":"assistant","content":[{"type":"tool_use","id":"a.b","name":"f","input":{"a":[1]}},{"type":"server_tool_use","id":"s"}]},{"role":"user","content":[{"type":"text","text":"x"},{"type":"tool_result","tool_use_id":"a.b","is_error":true}]}],"tool_choice":{"type":"tool","name":"f"},"stop_sequences":["\n"],"top_k":1,"top_p":0.5,"temperature":1.5}`)
	f.Add(`{"messages":[{"role":"user","content":[{"type":"document","title":"t","source":{"type":"text","data":"a"}},{"type":"image","source":{"type":"file","file_id":"f"}}]},{"role":"system","content":" "}],"thinking":{"type":"enabled","budget_tokens":5000},"output_format":{"type":"json_schema","schema":{}}}`)
	f.Add(`{"messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"` + sealed("else", "x") + `"},{"type":"thinking","thinking":"a","signature":"` + sealed("far", "x") + `"},{"type":"text","text":"a "}]}]}`)
	f.Add(`{"max_tokens":0,"messages":[{"role":"user","content":"a"}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := native.DecodeRequest(hoosh.OpChat, []byte(body)); err != nil && !errors.Is(err, hoosh.ErrInvalidRequest) && !errors.Is(err, hoosh.ErrUnsupported) {
			t.Fatal(err)
		}
		c, err := hoosh.ParseCall(native, hoosh.OpChat, []byte(body))
		if err != nil {
			return
		}
		for _, model := range []string{"m", "claude-3-haiku", "claude-sonnet-4-5"} {
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
			again, err := native.DecodeRequest(hoosh.OpChat, b)
			if err != nil {
				t.Fatalf("%q becomes %q: %v", body, b, err)
			}
			// Written once it is in the order that Anthropic wants, and does not change again.
			twice, _, err := native.EncodeRequest(c, again, profile(native))
			if err != nil || string(twice) != string(b) && !strings.Contains(body, "thinking") && !strings.Contains(body, "effort") {
				t.Fatalf("%q becomes %q and %q, %v", body, b, twice, err)
			}
		}
	})
}

// What can be said in Anthropic's words is a body that it could take.
func FuzzEncodeRequest(f *testing.F) {
	f.Add(`{"model":"x",`+tools+`,"messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},{"role":"assistant","tool_calls":[`+call("c", "f", `{"a":1}`)+`]},{"role":"tool","tool_call_id":"c","content":"r"},{"role":"developer","content":"d"}],"reasoning_effort":"low"}`, "claude-sonnet-4-5")
	f.Add(`{"model":"x","messages":[{"role":"assistant","content":"a\u00a0"},{"role":"assistant","content":[{"type":"text","text":"\n"}]}],"stop":["\t","a"]}`, "claude-opus-4-7")
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

// takes says what Anthropic would refuse in a body, "" for nothing.
func takes(body []byte) string {
	var q struct {
		MaxTokens int `json:"max_tokens"`
		System    json.RawMessage
		Thinking  struct {
			Type   string
			Budget int `json:"budget_tokens"`
		}
		Tools    []any
		Messages []struct {
			Role    string
			Content []struct {
				Type, Text, ID string
				Of             string `json:"tool_use_id"`
				Input          json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return err.Error()
	}
	switch {
	case q.MaxTokens < 1:
		return "no ceiling"
	case q.Thinking.Type == "enabled" && (q.Thinking.Budget < 1024 || q.Thinking.Budget >= q.MaxTokens):
		return "the budget"
	case string(q.System) == `""`, string(q.System) == "[]":
		return "an empty system prompt"
	case len(q.Messages) == 0, q.Messages[0].Role != "user":
		return "the first message"
	}
	var waits []string
	before := ""
	for i, m := range q.Messages {
		if m.Role == before || len(m.Content) == 0 {
			return "turns"
		}
		before = m.Role
		if len(waits) > 0 {
			for j, id := range waits {
				if j >= len(m.Content) || m.Content[j].Type != "tool_result" || m.Content[j].Of != id {
					return "results"
				}
			}
			m.Content, waits = m.Content[len(waits):], nil
		}
		for j, b := range m.Content {
			switch b.Type {
			case "text":
				if strings.TrimSpace(b.Text) == "" {
					return "blank text"
				}
				if i == len(q.Messages)-1 && m.Role == "assistant" && j == len(m.Content)-1 && strings.TrimSpace("." + b.Text)[1:] != b.Text {
					return "white space at the end"
				}
			case "tool_result":
				return "a result of nothing"
			case "tool_use":
				waits = append(waits, b.ID)
				if b.ID == "" || b.Input[0] != '{' || len(q.Tools) == 0 {
					return "a call"
				}
			}
		}
	}
	if len(waits) > 0 {
		return "a call without a result"
	}
	return ""
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(string(golden(f, "response.json")))
	f.Add(`{"type":"error","error":{"type":"overloaded_error","message":"x"}}`)
	f.Add(`{"input_tokens":5}`)
	f.Fuzz(func(t *testing.T, body string) {
		for _, op := range []hoosh.Operation{hoosh.OpChat, hoosh.OpCount} {
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
				c, err := hoosh.ParseCall(d, op, []byte(`{"messages":[{"role":"user","content":"a"}]}`))
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
	for ev := range strings.SplitSeq(string(golden(f, "stream.sse")), "\n\n") {
		if _, d, ok := strings.Cut(ev, "data: "); ok {
			data = append(data, d)
		}
	}
	f.Add(strings.Join(data, "\n"))
	f.Add(`{"type":"content_block_start","index":-1,"content_block":{"type":"tool_use","input":{"a":1}}}` + "\n" + `{"type":"content_block_delta","index":9,"delta":{"type":"input_json_delta","partial_json":"\u007b\\"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		s := native.NewScanner(hoosh.OpChat, 1)
		var encoders []hoosh.FrameEncoder
		for _, d := range both {
			c, err := hoosh.ParseCall(d, hoosh.OpChat, []byte(`{"messages":[{"role":"user","content":"a"}]}`))
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
		blocks(t, string(encoders[0].End(out[0])))
		blocks(t, string(native.NewScanner(hoosh.OpChat, 1).End(nil, hoosh.FinishStop, hoosh.Usage{}, true)))
	})
}
