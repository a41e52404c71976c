// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// anthropicTurn is a message as far as the rules between messages need it.
type anthropicTurn struct {
	value
	role    string
	calls   []neutral.Part // tool_use
	kinds   []string       // of its blocks, in order
	signed  []string       // signatures of its thinking
	results []string       // ids of calls
}

// messages reads the conversation, then checks what hangs together in it.
func (a *anthropicAsk) messages(v value) {
	ms := v.list()
	if len(ms) == 0 {
		v.refuse("messages: at least one message is required")
		return
	}
	var turns []anthropicTurn
	for i, m := range ms {
		o := m.object("role", "content")
		t := anthropicTurn{value: m, role: o.at("role").oneOf("user", "assistant", "system")}
		if t.role == "system" && !a.model.system {
			m.refuse("%s.role: Input should be 'user' or 'assistant'", m.path)
		}
		if i == 0 && t.role != "user" {
			m.refuse("messages: first message must use the \"user\" role")
		}
		last := i == len(ms)-1
		a.message(&t, o.at("content"), last)
		if last && t.role == "assistant" {
			a.prefill(o.at("content"))
		}
		turns = append(turns, t)
	}
	if a.c.ok() {
		a.paired(turns)
		a.loop(turns)
	}
}

// prefill checks a last message that the model is to go on with.
func (a *anthropicAsk) prefill(v value) {
	switch {
	case !a.model.prefill:
		v.refuse("This model does not support assistant message prefill. The conversation must end with a user message.")
	case a.think:
		v.refuse("When `thinking` is enabled, a final `assistant` message is not supported.")
	}
	s := v
	if v.is('[') {
		blocks := v.list()
		if len(blocks) == 0 {
			return
		}
		s = blocks[len(blocks)-1].object().at("text")
	}
	if s.is('"') && strings.TrimRight(s.str(), " \t\r\n") != s.str() {
		v.refuse("messages: final assistant content cannot end with trailing whitespace")
	}
}

// message reads one, and adds it to what was asked: results in a turn of their own.
func (a *anthropicAsk) message(t *anthropicTurn, v value, last bool) {
	if v.is('"') {
		s := v.str()
		switch {
		case s == "" && !(last && t.role == "assistant"):
			v.refuse("%s: all messages must have non-empty content except for the optional final assistant message", t.path)
		case strings.TrimSpace(s) == "" && s != "":
			v.refuse("messages: text content blocks must contain non-whitespace text")
		}
		t.kinds = append(t.kinds, "text")
		a.c.turn(t.role, textPart(s))
		return
	}
	blocks := v.list()
	if len(blocks) == 0 && !(last && t.role == "assistant") {
		v.refuse("%s: all messages must have non-empty content except for the optional final assistant message", t.path)
	}
	var results, parts []neutral.Part
	kinds := map[string][]string{
		"user":      {"text", "image", "document", "tool_result", "search_result"},
		"assistant": {"text", "document", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "web_search_tool_result"},
		"system":    {"text"},
	}[t.role]
	for _, b := range blocks {
		kind := b.object().at("type").oneOf(kinds...)
		t.kinds = append(t.kinds, kind)
		p := a.block(t, b, kind)
		switch {
		case p.Result != nil:
			results = append(results, p)
			t.results = append(t.results, p.Result.ID)
		case p != (neutral.Part{}):
			parts = append(parts, p)
		}
		if p.Call != nil {
			t.calls = append(t.calls, p)
		}
	}
	if results != nil {
		a.c.turn("tool", results...)
	}
	if parts != nil {
		a.c.turn(t.role, parts...)
	}
}

func (a *anthropicAsk) block(t *anthropicTurn, b value, kind string) neutral.Part {
	switch kind {
	case "text":
		if o := b.object(); a.newest && t.role == "user" && o.has("citations") && len(o.at("citations").list()) > 0 {
			b.refuse("%s.citations: must be empty in user messages", b.path)
		}
		return a.text(b, "text", "type", "text", "cache_control", "citations")
	case "image":
		return neutral.Part{Image: anthropicSource(b.object("type", "source", "cache_control").at("source"), true)}
	case "document":
		if a.newest && t.role == "assistant" {
			b.refuse("%s: document blocks are not permitted in assistant messages", b.path)
		}
		o := b.object("type", "source", "cache_control", "title", "context", "citations")
		m := anthropicSource(o.at("source"), false)
		m.Name = o.at("title").strOr()
		return neutral.Part{File: m}
	case "thinking":
		o := b.object("type", "thinking", "signature")
		return a.signed(t, o, neutral.Part{Thinking: o.at("thinking").str(), Signature: o.at("signature").str()}, "signature", "thinking")
	case "redacted_thinking":
		o := b.object("type", "data")
		return a.signed(t, o, neutral.Part{Signature: o.at("data").some()}, "data", "redacted_thinking")
	case "tool_use":
		o := b.object("type", "id", "name", "input", "cache_control", "caller")
		input := o.at("input")
		input.object()
		return neutral.Part{Call: &neutral.Call{ID: o.at("id").matches(anthropicID), Name: o.at("name").matches(anthropicName), Args: string(input.raw)}}
	case "tool_result":
		return neutral.Part{Result: a.result(b)}
	}
	return neutral.Part{}
}

// text reads a block of text, which must say something.
func (a *anthropicAsk) text(b value, key string, names ...string) neutral.Part {
	o := b.object(names...)
	o.at("type").oneOf("text")
	s := o.at(key).str()
	switch {
	case s == "":
		b.refuse("messages: text content blocks must be non-empty")
	case strings.TrimSpace(s) == "":
		b.refuse("messages: text content blocks must contain non-whitespace text")
	}
	if o.has("cache_control") {
		cacheControl(o.at("cache_control"))
	}
	return textPart(s)
}

func cacheControl(v value) {
	o := v.object("type", "ttl")
	o.at("type").oneOf("ephemeral")
	if o.has("ttl") {
		o.at("ttl").oneOf("5m", "1h")
	}
}

// signed checks that thinking is this server's own, and unchanged.
func (a *anthropicAsk) signed(t *anthropicTurn, o object, p neutral.Part, key, kind string) neutral.Part {
	texts := a.c.s.known(p.Signature)
	switch {
	case texts == nil:
		o.refuse("%s: Invalid `%s` in `%s` block", o.path, key, kind)
	case p.Thinking != "" && !slices.Contains(texts, p.Thinking):
		o.refuse("%s: `thinking` or `redacted_thinking` blocks cannot be modified. These blocks must remain as they were in the original response.", o.path)
	}
	t.signed = append(t.signed, p.Signature)
	return p
}

func (a *anthropicAsk) result(b value) *neutral.Result {
	o := b.object("type", "tool_use_id", "content", "is_error", "cache_control")
	r := &neutral.Result{ID: o.at("tool_use_id").matches(anthropicID), Failed: o.at("is_error").booleanOr()}
	content := o.at("content")
	switch {
	case content.is('"'):
		r.Text = content.str()
	case content.there():
		for _, e := range content.list() {
			switch e.object().at("type").oneOf("text", "image", "document", "search_result", "tool_reference") {
			case "text":
				r.Text += a.text(e, "text", "type", "text", "cache_control", "citations").Text
			case "image":
				r.Image = anthropicSource(e.object("type", "source", "cache_control").at("source"), true)
			}
		}
	}
	if r.Failed && r.Text == "" && r.Image == nil {
		b.refuse("%s: content cannot be empty if `is_error` is true", b.path)
	}
	return r
}

var anthropicImages = []string{"image/jpeg", "image/png", "image/gif", "image/webp"}

func anthropicSource(v value, image bool) *neutral.Media {
	kinds := []string{"base64", "url", "file"}
	if !image {
		kinds = append(kinds, "text", "content")
	}
	switch v.object().at("type").oneOf(kinds...) {
	case "base64":
		o := v.object("type", "media_type", "data")
		types := anthropicImages
		if !image {
			types = []string{"application/pdf"}
		}
		m := &neutral.Media{Type: o.at("media_type").oneOf(types...), Data: o.at("data").some()}
		if _, err := base64.StdEncoding.DecodeString(m.Data); err != nil {
			v.refuse("%s.data: invalid base64 data", v.path)
		}
		return m
	case "url":
		url := v.object("type", "url").at("url").some()
		if !strings.HasPrefix(url, "https://") {
			v.refuse("%s.url: Only HTTPS URLs are supported.", v.path)
		}
		return &neutral.Media{URL: url}
	case "file":
		return &neutral.Media{URL: v.object("type", "file_id").at("file_id").some()}
	case "text":
		o := v.object("type", "media_type", "data")
		return &neutral.Media{Type: o.at("media_type").oneOf("text/plain"), Data: base64.StdEncoding.EncodeToString([]byte(o.at("data").some()))}
	case "content":
		v.object("type", "content")
	}
	return &neutral.Media{}
}

// paired checks that the calls of a message are answered by the next one, ahead
// of what else it says.
func (a *anthropicAsk) paired(turns []anthropicTurn) {
	var all []string
	for i, t := range turns {
		var ids []string
		for _, p := range t.calls {
			if slices.Contains(all, p.Call.ID) {
				t.refuse("%s: `tool_use` ids must be unique", t.path)
			}
			ids, all = append(ids, p.Call.ID), append(all, p.Call.ID)
		}
		var before []string
		if i > 0 {
			for _, p := range turns[i-1].calls {
				before = append(before, p.Call.ID)
			}
		}
		var next anthropicTurn
		if i+1 < len(turns) {
			next = turns[i+1]
		}
		for _, id := range ids {
			if next.role != "user" || !slices.Contains(next.results, id) {
				t.refuse("%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. "+
					"Each `tool_use` block must have a corresponding `tool_result` block in the next message.", t.path, id)
			}
		}
		for n, id := range t.results {
			switch {
			case !slices.Contains(before, id):
				t.refuse("%s: unexpected `tool_use_id` found in `tool_result` blocks: %s. "+
					"Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", t.path, id)
			case slices.Contains(t.results[:n], id):
				t.refuse("%s: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s", t.path, id)
			case t.kinds[n] != "tool_result":
				t.refuse("%s: `tool_result` blocks must come first in the content of the message after `tool_use`", t.path)
			}
		}
	}
}

// loop checks, where thinking is on, that the turns of the loop of tools that is
// going on have the thinking that the model did in them.
func (a *anthropicAsk) loop(turns []anthropicTurn) {
	if !a.think || len(turns[len(turns)-1].results) == 0 {
		return
	}
	begin := 0
	for i, t := range turns {
		if t.role == "user" && len(t.results) == 0 {
			begin = i + 1
		}
	}
	first := true
	for _, t := range turns[begin:] {
		if t.role != "assistant" {
			continue
		}
		if first && t.kinds[0] != "thinking" && t.kinds[0] != "redacted_thinking" {
			t.refuse("%s.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, "+
				"a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` blocks).", t.path, t.kinds[0])
		}
		first = false
		for _, p := range t.calls {
			of := a.c.s.thoughtsOf(p.Call.ID)
			if of != nil && !slices.ContainsFunc(t.signed, func(s string) bool { return slices.Contains(of, s) }) {
				t.refuse("%s: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified: the one ahead of `%s` is missing", t.path, p.Call.ID)
			}
		}
	}
}
