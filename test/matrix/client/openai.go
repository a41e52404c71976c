// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"encoding/json"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// OpenAI is Chat Completions. Streams are asked for their usage.
var OpenAI = register(&Dialect{Name: "openai", Render: renderOpenAI(true), Read: readOpenAI(true)})

// OpenAIBare is the same without stream_options, as older clients ask: then no
// chunk may have empty choices.
var OpenAIBare = &Dialect{Name: "openai", Render: renderOpenAI(false), Read: readOpenAI(false)}

// members is a JSON object in the order of its making.
type members []member

type member struct {
	key   string
	value any
}

// put adds a member, unless its value is nil or empty.
func (m *members) put(key string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case int:
		if v == 0 {
			return
		}
	case *float64:
		if v == nil {
			return
		}
	case *bool:
		if v == nil {
			return
		}
	case *int64:
		if v == nil {
			return
		}
	case []string:
		if v == nil {
			return
		}
	case members:
		if v == nil {
			return
		}
	case []any:
		if v == nil {
			return
		}
	}
	*m = append(*m, member{key, value})
}

// MarshalJSON keeps the order.
func (m members) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, f := range m {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quote(f.key)...), ':')
		b = append(b, encode(f.value)...)
	}
	return append(b, '}'), nil
}

func quote(s string) []byte { return encode(s) }

// encode is JSON without HTML's escapes.
func encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a value of the matrix itself
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

func obj(kv ...any) members {
	m := members{}
	for i := 0; i < len(kv); i += 2 {
		m = append(m, member{kv[i].(string), kv[i+1]})
	}
	return m
}

func renderOpenAI(usage bool) func(neutral.Ask) Request {
	return func(a neutral.Ask) Request {
		var b members
		b.put("model", a.Model)
		b.put("messages", openAIMessages(a.Turns))
		if a.Stream {
			b.put("stream", true)
			if usage {
				b.put("stream_options", obj("include_usage", true))
			}
		}
		var tools []any
		for _, t := range a.Tools {
			f := obj("name", t.Name, "description", t.Description, "parameters", t.Parameters)
			tools = append(tools, obj("type", "function", "function", f))
		}
		b.put("tools", tools)
		if name, ok := strings.CutPrefix(a.Choice, "tool:"); ok {
			b.put("tool_choice", obj("type", "function", "function", obj("name", name)))
		} else {
			b.put("tool_choice", a.Choice)
		}
		b.put("parallel_tool_calls", a.Parallel)
		if a.Schema != nil {
			b.put("response_format", obj("type", "json_schema", "json_schema", obj("name", a.SchemaName, "strict", true, "schema", a.Schema)))
		}
		b.put("reasoning_effort", a.Effort)
		b.put("max_completion_tokens", a.MaxTokens)
		b.put("temperature", a.Temperature)
		b.put("top_p", a.TopP)
		b.put("stop", a.Stop)
		b.put("seed", a.Seed)
		b.put("n", a.N)
		return Request{"POST", "/v1/chat/completions", head("Authorization", "Bearer test-key"), encode(b)}
	}
}

func openAIMessages(turns []neutral.Turn) []any {
	var ms []any
	for _, t := range turns {
		switch {
		case t.Role == "tool":
			for _, p := range t.Parts {
				ms = append(ms, obj("role", "tool", "tool_call_id", p.Result.ID, "content", p.Result.Text))
			}
		case t.Role == "assistant":
			m := obj("role", "assistant")
			var calls []any
			for _, p := range t.Parts {
				if c := p.Call; c != nil {
					calls = append(calls, obj("id", c.ID, "type", "function", "function", obj("name", c.Name, "arguments", c.Args)))
				}
			}
			if s := text(t.Parts); s != "" || calls == nil {
				m.put("content", any(json.RawMessage(quote(s))))
			} else {
				m.put("content", json.RawMessage("null"))
			}
			m.put("reasoning_content", thinking(t.Parts))
			m.put("tool_calls", calls)
			ms = append(ms, m)
		case plain(t.Parts) && len(t.Parts) == 1:
			ms = append(ms, obj("role", t.Role, "content", t.Parts[0].Text))
		default:
			ms = append(ms, obj("role", t.Role, "content", openAIParts(t.Parts)))
		}
	}
	return ms
}

// thinking joins the thinking of a turn. OpenAI's own models show none, others
// in its format do, and their clients send it back.
func thinking(parts []neutral.Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Thinking)
	}
	return b.String()
}

func openAIParts(parts []neutral.Part) []any {
	var ps []any
	for _, p := range parts {
		switch {
		case p.Image != nil:
			ps = append(ps, obj("type", "image_url", "image_url", obj("url", dataURL(p.Image))))
		case p.File != nil:
			ps = append(ps, obj("type", "file", "file", obj("filename", p.File.Name, "file_data", dataURL(p.File))))
		default:
			ps = append(ps, obj("type", "text", "text", p.Text))
		}
	}
	return ps
}
