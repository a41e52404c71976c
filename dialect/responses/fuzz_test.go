// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// A body that is accepted is understood or refused; what is made of it is JSON,
// and says the same again.
func FuzzDecodeRequest(f *testing.F) {
	f.Add(string(file(f, "codex.request.json")))
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		f.Add(anyRequest(r))
	}
	f.Add(`{"INPUT":[{"Role":"user","cont\u0065nt":"a"}],"model":"m"}`)
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := own.DecodeRequest(hoosh.OpChat, []byte(body)); err != nil {
			if kind := hoosh.AsError(err).Kind; kind != hoosh.ErrInvalidRequest && kind != hoosh.ErrUnsupported {
				t.Fatal(err)
			}
		}
		c, err := hoosh.ParseCall(own, hoosh.OpChat, []byte(body))
		if err != nil {
			return
		}
		c.Model = "other"
		for _, p := range []*hoosh.Profile{{Dialect: own, Issuer: "far", NoDeveloper: true, ToolID: strings.ToUpper, Rules: []hoosh.Rule{{Key: "store"}, {Key: "user", Rename: "who"}}}, {Dialect: hoosh.OpenAI}} {
			b, _, err := c.BodyFor(p)
			if err == nil && !json.Valid(b.Bytes()) {
				t.Fatalf("%q becomes %q", body, b.Bytes())
			}
		}
		q, err := c.Request()
		if err != nil {
			return
		}
		p := &hoosh.Profile{Dialect: own, Issuer: "far"}
		b, _, err := own.EncodeRequest(c, q, p)
		if err != nil {
			return
		}
		again, err := own.DecodeRequest(hoosh.OpChat, b)
		if err != nil {
			if strings.Contains(hoosh.AsError(err).Message, "says something") { // all of it was thinking that nobody takes
				return
			}
			t.Fatalf("%q becomes %q: %v", body, b, err)
		}
		if len(again.Tools) != len(q.Tools) || again.MaxTokens < min(q.MaxTokens, 16) || again.Format.Type != q.Format.Type {
			t.Fatalf("%q becomes %q", body, b)
		}
	})
}

func FuzzDecodeResponse(f *testing.F) {
	f.Add(string(file(f, "whole.response.json")))
	f.Add(`{"status":"failed","error":{"code":"server_error","message":"x"}}`)
	f.Add(`{"output":[{"type":"custom_tool_call","name":"p","call_id":"c","input":"a"},{"type":"reasoning","content":[{"text":"a"}]},{"type":"message","content":[{"type":"refusal","refusal":"r"}]}],"usage":{"input_tokens":-1}}`)
	c, err := hoosh.ParseCall(own, hoosh.OpChat, []byte(`{"model":"m","input":"a"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_, _, scanned := own.ScanResponse(hoosh.OpChat, []byte(body))
		own.Signatures([]byte(body), func([]byte) {})
		if out := own.EncodeError(own.DecodeError(500, nil, []byte(body))); !json.Valid(out) {
			t.Fatalf("%q becomes %q", body, out)
		}
		r, err := own.DecodeResponse(hoosh.OpChat, []byte(body))
		if err != nil {
			return
		}
		if scanned != nil {
			t.Fatalf("%q is decoded, and scanned: %v", body, scanned)
		}
		out, err := own.EncodeResponse(c, r)
		if err == nil && !json.Valid(out) {
			t.Fatalf("%q becomes %q", body, out)
		}
	})
}

// Whatever frames come: the scanner and the decoder agree, what the encoders make
// of them a client can follow, and an early end is well-formed.
func FuzzDecodeFrame(f *testing.F) {
	for _, name := range []string{"text.sse", "calls.sse"} {
		var lines []string
		for line := range strings.Lines(string(file(f, name))) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				lines = append(lines, strings.TrimSpace(data))
				f.Add(strings.TrimSpace(data))
			}
		}
		f.Add(strings.Join(lines, "\n"))
	}
	f.Fuzz(func(t *testing.T, body string) {
		s := own.NewScanner(hoosh.OpChat, 1)
		mine, err := hoosh.ParseCall(own, hoosh.OpChat, []byte(`{"model":"m","input":"a","tools":[{"type":"custom","name":"apply_patch"}]}`))
		if err != nil {
			t.Fatal(err)
		}
		enc := own.NewEncoder(mine, &hoosh.Reply{Issuer: "far"})
		var out []byte
		for line := range strings.SplitSeq(body, "\n") {
			frame := hoosh.Frame{Raw: []byte(line), Data: []byte(strings.TrimSpace(line))}
			if len(frame.Data) > 0 && frame.Data[0] == '[' {
				continue
			}
			scanned := s.Scan(&frame)
			events, err := own.DecodeFrame(nil, &frame)
			if (scanned == nil) != (err == nil) {
				t.Fatalf("%q: the scan says %v, the decoder %v", line, scanned, err)
			}
			for i := range events {
				if out, err = enc.Encode(out, &events[i]); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
			}
		}
		out = enc.End(out)
		if _, err := follow(string(out)); err != nil {
			t.Fatalf("%v: %q becomes %q", err, body, out)
		}
		for line := range strings.SplitSeq(string(s.End(nil, hoosh.FinishLength, hoosh.Usage{}, true)), "\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok && !json.Valid([]byte(data)) {
				t.Fatalf("%q ends with %q", body, line)
			}
		}
	})
}
