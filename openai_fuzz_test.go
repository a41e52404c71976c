// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// seedFiles adds the recorded files that match pattern.
func seedFiles(f *testing.F, pattern string, add func(name string, data []byte)) {
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds match %s: %v", pattern, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		add(name, data)
	}
}

// typedCall is a call that says nothing of its own.
func typedCall(op Operation) *Call { return &Call{Op: op, load: &payload{}} }

// reencode writes q as it was read: for OpenAI, of OpenAI's words.
func reencode(q *Request) ([]byte, []string, error) {
	c := &Call{Op: q.Op, Model: q.Model, Stream: q.Stream, load: &payload{dialect: OpenAI}}
	return encodeOpenAIRequest(c, q, &Profile{Dialect: OpenAI})
}

func FuzzOpenAIRequest(f *testing.F) {
	seedFiles(f, "testdata/openai/*.request.json", func(_ string, data []byte) {
		f.Add(uint8(OpChat), data)
	})
	for op, body := range map[Operation]string{
		OpCompletion: `{"model":"m","prompt":["a","b\u00e9"],"suffix":"x","stop":["\n"],"stream":true}`,
		OpEmbed:      `{"model":"m","input":[[1,2],[3]],"dimensions":3,"encoding_format":"base64"}`,
	} {
		f.Add(uint8(op), []byte(body))
	}
	for _, c := range badRequests {
		f.Add(uint8(c.op), []byte(c.body))
	}
	f.Fuzz(func(t *testing.T, op uint8, body []byte) {
		q, err := decodeOpenAIRequest(Operation(op%3), body)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Kind != ErrInvalidRequest || e.Message == "" {
				t.Fatalf("%#v is not a complete invalid request", err)
			}
			return
		}
		if err := jsonpeek.Valid(body); err != nil && !strings.Contains(err.Error(), "deeper") {
			t.Fatalf("read what is not JSON: %v", err)
		}
		out, dropped, err := reencode(q)
		if err != nil || len(dropped) > 0 {
			t.Fatalf("cannot be written: %v, dropped %v", err, dropped)
		}
		again, err := decodeOpenAIRequest(q.Op, out)
		if err != nil {
			t.Fatalf("%v, of what was written:\n%s", err, out)
		}
		if !again.Equal(q) {
			t.Fatalf("changed on the way:\n%s\n%s", body, out)
		}
	})
}

func FuzzOpenAIResponse(f *testing.F) {
	seedFiles(f, "testdata/wire/llamacpp/*.json", func(name string, data []byte) {
		op := OpChat
		switch {
		case strings.Contains(name, "completions"):
			op = OpCompletion
		case strings.Contains(name, "embeddings"):
			op = OpEmbed
		}
		if len(data) < 1<<16 {
			f.Add(uint8(op), data)
		}
	})
	seedFiles(f, "testdata/openai/*.response.json", func(_ string, data []byte) { f.Add(uint8(OpChat), data) })
	f.Fuzz(func(t *testing.T, op uint8, body []byte) {
		c := typedCall(Operation(op % 3))
		r, err := decodeOpenAIResponse(c.Op, body)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Kind == nil || e.Message == "" {
				t.Fatalf("%#v is not a complete error", err)
			}
			return
		}
		out, err := encodeOpenAIResponse(c, r)
		if err != nil {
			t.Fatalf("cannot be written: %v", err)
		}
		again, err := decodeOpenAIResponse(c.Op, out)
		if err != nil {
			t.Fatalf("%v, of what was written:\n%s", err, out)
		}
		if diff := diffResponses(c.Op, r, again); diff != "" {
			t.Fatalf("%s changed on the way:\n%s\n%s", diff, body, out)
		}
	})
}

func FuzzOpenAIFrame(f *testing.F) {
	seedFiles(f, "testdata/wire/llamacpp/*.sse", func(_ string, data []byte) {
		frames := framing.NewSSE(bytes.NewReader(data), 1<<20)
		for {
			fr, err := frames.Next()
			if err != nil {
				return
			}
			f.Add(uint8(OpChat), bytes.Clone(fr.Data))
		}
	})
	for _, c := range frameCases {
		f.Add(uint8(OpChat), []byte(c.data))
	}
	f.Fuzz(func(t *testing.T, op uint8, data []byte) {
		events, err := decodeOpenAIFrame(nil, &Frame{Data: data})
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Kind == nil || e.Message == "" {
				t.Fatalf("%#v is not a complete error", err)
			}
			return
		}
		// What a client is told is what the frame said, whatever the numbers.
		out := encodeEvents(t, &Call{Op: OpChat, ID: "x", load: &payload{}}, events)
		if bytes.Contains(out, []byte("\r")) {
			t.Fatalf("a line end within a line:\n%q", out)
		}
		again := decodeStream(t, out)
		a, b := joined(events), joined(again)
		if a != b {
			t.Fatalf("changed on the way:\n%s\n%s\n%s", a, b, out)
		}
	})
}
