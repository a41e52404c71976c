// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"encoding/json"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Anthropic is the Messages API.
var Anthropic = register(&Dialect{Name: "anthropic", Render: renderAnthropic, Read: readAnthropic})

func renderAnthropic(a neutral.Ask) Request {
	var b members
	b.put("model", a.Model)
	limit := a.MaxTokens
	if limit == 0 {
		limit = 4096 + a.Budget // the format wants one, over the budget
	}
	b.put("max_tokens", limit)
	system, turns := systemAhead(a.Turns)
	if len(system) > 1 {
		b.put("system", anthropicParts(system))
	} else {
		b.put("system", text(system))
	}
	b.put("messages", anthropicMessages(turns))
	var tools []any
	for _, t := range a.Tools {
		tools = append(tools, obj("name", t.Name, "description", t.Description, "input_schema", t.Parameters))
	}
	b.put("tools", tools)
	b.put("tool_choice", anthropicChoice(a))
	switch {
	case a.Budget > 0:
		b.put("thinking", obj("type", "enabled", "budget_tokens", a.Budget))
	case a.Effort != "":
		b.put("thinking", obj("type", "adaptive"))
	}
	var config members
	config.put("effort", a.Effort)
	if a.Schema != nil {
		config.put("format", obj("type", "json_schema", "schema", a.Schema))
	}
	b.put("output_config", config)
	b.put("stop_sequences", a.Stop)
	b.put("temperature", a.Temperature)
	b.put("top_p", a.TopP)
	if a.Stream {
		b.put("stream", true)
	}
	return Request{"POST", "/v1/messages", head("X-Api-Key", "test-key", "Anthropic-Version", "2023-06-01"), encode(b)}
}

func anthropicChoice(a neutral.Ask) members {
	m := members{}
	switch name, named := strings.CutPrefix(a.Choice, "tool:"); {
	case named:
		m = obj("type", "tool", "name", name)
	case a.Choice == "required":
		m = obj("type", "any")
	case a.Choice != "":
		m = obj("type", a.Choice)
	case a.Parallel != nil:
		m = obj("type", "auto")
	default:
		return nil
	}
	if a.Parallel != nil {
		m.put("disable_parallel_tool_use", !*a.Parallel)
	}
	return m
}

// anthropicMessages joins turns of one role: results come ahead of what the user
// says beside them.
func anthropicMessages(turns []neutral.Turn) []any {
	var ms []any
	var role string
	var blocks []any
	flush := func() {
		if blocks != nil {
			ms = append(ms, obj("role", role, "content", blocks))
		}
		blocks = nil
	}
	for _, t := range turns {
		r := t.Role
		if r == "tool" {
			r = "user"
		}
		if r != role {
			flush()
			role = r
		}
		blocks = append(blocks, anthropicParts(t.Parts)...)
	}
	flush()
	return ms
}

func anthropicParts(parts []neutral.Part) []any {
	var ps []any
	for _, p := range parts {
		switch {
		case p.Call != nil:
			ps = append(ps, obj("type", "tool_use", "id", p.Call.ID, "name", p.Call.Name, "input", json.RawMessage(p.Call.Args)))
		case p.Result != nil:
			ps = append(ps, anthropicResult(p.Result))
		case p.Image != nil:
			ps = append(ps, obj("type", "image", "source", anthropicSource(p.Image)))
		case p.File != nil:
			ps = append(ps, obj("type", "document", "source", anthropicSource(p.File)))
		case p.Text != "":
			ps = append(ps, obj("type", "text", "text", p.Text))
		case p.Thinking != "" || p.Signature != "":
			ps = append(ps, obj("type", "thinking", "thinking", p.Thinking, "signature", p.Signature))
		}
	}
	return ps
}

func anthropicResult(r *neutral.Result) members {
	m := obj("type", "tool_result", "tool_use_id", r.ID)
	if r.Image != nil {
		ps := []any{obj("type", "image", "source", anthropicSource(r.Image))}
		if r.Text != "" {
			ps = append([]any{obj("type", "text", "text", r.Text)}, ps...)
		}
		m.put("content", ps)
	} else {
		m = append(m, member{"content", r.Text})
	}
	if r.Failed {
		m.put("is_error", true)
	}
	return m
}

func anthropicSource(m *neutral.Media) members {
	if m.URL != "" {
		return obj("type", "url", "url", m.URL)
	}
	return obj("type", "base64", "media_type", m.Type, "data", m.Data)
}
