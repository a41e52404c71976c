// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// usage is OpenAI's.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

// completion is a whole chat completion, or a legacy one, which has Text.
type completion struct {
	ID      string
	Object  string
	Model   string
	Choices []struct {
		Index   int
		Text    string
		Message struct {
			Role      string
			Content   string
			ToolCalls []struct {
				ID       string
				Type     string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		FinishReason string `json:"finish_reason"`
	}
	Usage *usage
}

// chunk is one event of a stream.
type chunk struct {
	ID      string
	Object  string
	Choices []struct {
		Index int
		Text  string
		Delta struct {
			Role      string
			Content   string
			ToolCalls []struct {
				Index    int
				ID       string
				Function struct{ Name, Arguments string }
			} `json:"tool_calls"`
		}
		FinishReason *string `json:"finish_reason"`
	}
	Usage *usage
	Error *struct{ Message, Type string }
}

// told is what a stream has said when it is over.
type told struct {
	text     string
	finish   string
	pieces   int // events that carried text
	usage    *usage
	empty    int  // events without a choice
	done     bool // [DONE] came
	failed   string
	toolName string
	toolArgs string
	toolBits int // events that carried arguments
}

// readAll reads a stream to its end and checks what every stream must keep to.
func (s *sse) readAll(t *T) *told {
	var r told
	var id string
	for {
		data, err := s.next()
		if errors.Is(err, io.EOF) {
			return &r
		}
		if err != nil {
			t.Fatalf("the stream broke off: %v", err)
		}
		if r.done || r.failed != "" {
			t.Fatalf("an event after the end: %s", short(data))
		}
		if string(data) == "[DONE]" {
			r.done = true
			continue
		}
		var c chunk
		if err := json.Unmarshal(data, &c); err != nil {
			t.Fatalf("%v in %s", err, short(data))
		}
		if c.Error != nil {
			r.failed = c.Error.Message
			continue
		}
		if id != "" && c.ID != id {
			t.Errorf("the id changes within the stream, from %q to %q", id, c.ID)
		}
		id = c.ID
		r.take(t, &c)
	}
}

func (r *told) take(t *T, c *chunk) {
	if len(c.Choices) == 0 {
		r.empty++
	}
	if c.Usage != nil {
		r.usage = c.Usage
	}
	for _, choice := range c.Choices {
		if text := choice.Text + choice.Delta.Content; text != "" {
			r.pieces++
			r.text += text
		}
		for _, call := range choice.Delta.ToolCalls {
			r.toolName += call.Function.Name
			r.toolArgs += call.Function.Arguments
			if call.Function.Arguments != "" {
				r.toolBits++
			}
		}
		if choice.FinishReason != nil {
			if r.finish != "" {
				t.Errorf("more than one finish reason")
			}
			r.finish = *choice.FinishReason
		}
	}
}

// checkEnd is what a stream of text must have come to.
func (r *told) checkEnd(t *T) {
	switch {
	case r.failed != "":
		t.Fatalf("the stream ended with an error: %s", r.failed)
	case !r.done:
		t.Fatalf("no [DONE] at the end")
	case strings.TrimSpace(r.text) == "":
		t.Errorf("no text")
	case r.finish != "stop" && r.finish != "length":
		t.Errorf("finish_reason %q", r.finish)
	}
}

func (u *usage) check(t *T) {
	if u == nil {
		t.Fatalf("no usage")
	}
	if u.Prompt <= 0 || u.Completion <= 0 || u.Total != u.Prompt+u.Completion {
		t.Errorf("usage does not add up: %+v", *u)
	}
}
