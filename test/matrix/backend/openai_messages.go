// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// openAIMessages reads the conversation. Every call is answered by a message of
// role tool before anything else is said.
func openAIMessages(v value) {
	c := v.c
	messages := v.list()
	if len(messages) == 0 {
		v.coded("empty_array", "Invalid 'messages': empty array. Expected an array with minimum length 1.")
	}
	var open []string // calls of the assistant's message that have no answer yet
	var calling value
	unanswered := func() {
		if len(open) > 0 {
			c.refuse(calling.path, "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "+
				"The following tool_call_ids did not have response messages: %s", strings.Join(open, ", "))
		}
	}
	for _, m := range messages {
		role := m.object().at("role").oneOf("developer", "system", "user", "assistant", "tool")
		if role == "tool" {
			o := m.object("role", "content", "tool_call_id", "name")
			id := o.at("tool_call_id").openAICallID()
			i := slices.Index(open, id)
			if i < 0 {
				m.refuse("Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls' (%s, '%s').", m.path, id)
				return
			}
			open = slices.Delete(open, i, i+1)
			r := &neutral.Result{ID: id, Name: o.at("name").strOr(), Text: text(openAIContent(o.at("content"), true, "text"))}
			c.say("tool", neutral.Part{Result: r})
			continue
		}
		unanswered()
		switch role {
		case "assistant":
			calling = m
			parts := openAIAssistant(m)
			for _, p := range parts {
				if p.Call != nil {
					if slices.Contains(open, p.Call.ID) {
						m.refuse("Duplicate tool call id '%s' in %s.", p.Call.ID, m.path)
					}
					open = append(open, p.Call.ID)
				}
			}
			c.turn("assistant", parts...)
		case "user":
			o := m.object("role", "content", "name")
			c.turn("user", openAIContent(o.at("content"), false, "text", "image_url", "input_audio", "file")...)
		default:
			o := m.object("role", "content", "name")
			c.turn("system", openAIContent(o.at("content"), false, "text")...)
		}
	}
	unanswered()
}

// turn adds a message to what was asked.
func (c *check) turn(role string, parts ...neutral.Part) {
	c.ask.Turns = append(c.ask.Turns, neutral.Turn{Role: role, Parts: parts})
}

// say adds to the last message if it is of the same role, else a message.
func (c *check) say(role string, parts ...neutral.Part) {
	if n := len(c.ask.Turns); n > 0 && c.ask.Turns[n-1].Role == role {
		c.ask.Turns[n-1].Parts = append(c.ask.Turns[n-1].Parts, parts...)
		return
	}
	c.turn(role, parts...)
}

// text joins the texts of parts.
func text(parts []neutral.Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func openAIAssistant(m value) []neutral.Part {
	o := m.object("role", "content", "name", "refusal", "audio", "tool_calls", "annotations")
	var parts []neutral.Part
	_, otherwise := o.any("tool_calls", "refusal", "audio")
	switch {
	case o.has("content"):
		parts = openAIContent(o.at("content"), otherwise, "text", "refusal")
	case !otherwise:
		m.coded("invalid_value", "Invalid value for 'content': expected a string, got null.")
	}
	if o.has("refusal") {
		parts = append(parts, neutral.Part{Text: o.at("refusal").str()})
	}
	if !o.has("tool_calls") {
		return parts
	}
	calls := o.at("tool_calls").list()
	if len(calls) == 0 {
		o.at("tool_calls").coded("empty_array", "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", o.at("tool_calls").path)
	}
	for _, v := range calls {
		switch v.object().at("type").oneOf("function", "custom") {
		case "function":
			o := v.object("id", "type", "function")
			f := o.at("function").object("name", "arguments")
			call := &neutral.Call{ID: o.at("id").openAICallID(), Name: f.at("name").openAIName(), Args: f.at("arguments").str()}
			parts = append(parts, neutral.Part{Call: call})
		case "custom":
			o := v.object("id", "type", "custom")
			f := o.at("custom").object("name", "input")
			call := &neutral.Call{ID: o.at("id").openAICallID(), Name: f.at("name").openAIName(), Args: f.at("input").str()}
			parts = append(parts, neutral.Part{Call: call})
		}
	}
	return parts
}

// openAIContent reads a text, or parts of the kinds.
func openAIContent(v value, mayBeEmpty bool, kinds ...string) []neutral.Part {
	if v.is('"') {
		s := v.str()
		if s == "" {
			if !mayBeEmpty {
				v.refuse("Invalid '%s': the content must not be empty.", v.path)
			}
			return nil
		}
		return []neutral.Part{{Text: s}}
	}
	elements := v.list()
	if len(elements) == 0 && !mayBeEmpty {
		v.coded("empty_array", "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", v.path)
	}
	var parts []neutral.Part
	for _, e := range elements {
		switch e.object().at("type").oneOf(kinds...) {
		case "text":
			parts = append(parts, neutral.Part{Text: e.object("type", "text").at("text").some()})
		case "refusal":
			parts = append(parts, neutral.Part{Text: e.object("type", "refusal").at("refusal").some()})
		case "image_url":
			o := e.object("type", "image_url").at("image_url").object("url", "detail")
			if o.has("detail") {
				o.at("detail").oneOf("auto", "low", "high", "original")
			}
			parts = append(parts, neutral.Part{Image: o.at("url").openAIImage()})
		case "file":
			o := e.object("type", "file").at("file").object("file_data", "file_id", "filename")
			parts = append(parts, neutral.Part{File: openAIFile(o)})
		case "input_audio":
			o := e.object("type", "input_audio").at("input_audio").object("data", "format")
			o.at("data").base64(o.at("data").str())
			parts = append(parts, neutral.Part{File: &neutral.Media{Type: "audio/" + o.at("format").oneOf("wav", "mp3"), Data: o.at("data").str()}})
		}
	}
	return parts
}
