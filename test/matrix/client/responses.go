// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Responses is OpenAI's Responses API, without anything stored at the server.
var Responses = register(&Dialect{Name: "responses", Render: renderResponses, Read: readResponses})

func renderResponses(a neutral.Ask) Request {
	var b members
	b.put("model", a.Model)
	system, turns := systemAhead(a.Turns)
	b.put("instructions", text(system))
	b.put("input", responsesInput(turns))
	var tools []any
	for _, t := range a.Tools {
		tools = append(tools, obj("type", "function", "name", t.Name, "description", t.Description, "parameters", t.Parameters, "strict", false))
	}
	b.put("tools", tools)
	if name, ok := strings.CutPrefix(a.Choice, "tool:"); ok {
		b.put("tool_choice", obj("type", "function", "name", name))
	} else {
		b.put("tool_choice", a.Choice)
	}
	b.put("parallel_tool_calls", a.Parallel)
	if a.Schema != nil {
		b.put("text", obj("format", obj("type", "json_schema", "name", a.SchemaName, "schema", a.Schema, "strict", true)))
	}
	if a.Effort != "" {
		b.put("reasoning", obj("effort", a.Effort, "summary", "auto"))
	}
	b.put("max_output_tokens", a.MaxTokens)
	b.put("temperature", a.Temperature)
	b.put("top_p", a.TopP)
	b.put("store", false)
	b.put("include", []string{"reasoning.encrypted_content"})
	if a.Stream {
		b.put("stream", true)
	}
	return Request{"POST", "/v1/responses", head("Authorization", "Bearer test-key"), encode(b)}
}

func responsesInput(turns []neutral.Turn) []any {
	items := []any{}
	for _, t := range turns {
		switch t.Role {
		case "tool":
			for _, p := range t.Parts {
				var output any = p.Result.Text
				if p.Result.Image != nil {
					ps := []any{obj("type", "input_image", "detail", "auto", "image_url", dataURL(p.Result.Image))}
					if p.Result.Text != "" {
						ps = append([]any{obj("type", "input_text", "text", p.Result.Text)}, ps...)
					}
					output = ps
				}
				items = append(items, obj("type", "function_call_output", "call_id", p.Result.ID, "output", output))
			}
		case "assistant":
			items = append(items, responsesAssistant(t.Parts)...)
		default:
			role := t.Role
			if role == "system" {
				role = "developer"
			}
			m := obj("type", "message", "role", role)
			if plain(t.Parts) && len(t.Parts) == 1 {
				items = append(items, append(m, member{"content", t.Parts[0].Text}))
			} else {
				items = append(items, append(m, member{"content", responsesParts(t.Parts)}))
			}
		}
	}
	return items
}

func responsesAssistant(parts []neutral.Part) []any {
	var items []any
	for _, p := range parts {
		switch {
		case p.Call != nil:
			items = append(items, obj("type", "function_call", "call_id", p.Call.ID, "name", p.Call.Name, "arguments", p.Call.Args))
		case p.Text != "":
			part := obj("type", "output_text", "text", p.Text, "annotations", []any{})
			items = append(items, obj("type", "message", "role", "assistant", "id", itemID("msg_", p.Text), "status", "completed", "content", []any{part}))
		default:
			summary := []any{}
			if p.Thinking != "" {
				summary = append(summary, obj("type", "summary_text", "text", p.Thinking))
			}
			r := obj("type", "reasoning", "id", itemID("rs_", p.Thinking+p.Signature), "summary", summary)
			r.put("encrypted_content", p.Signature)
			items = append(items, r)
		}
	}
	return items
}

// itemID makes an id of an item that the neutral form has none for.
func itemID(prefix, of string) string {
	h := fnv.New64a()
	h.Write([]byte(of))
	return fmt.Sprintf("%s%016x", prefix, h.Sum64())
}

func responsesParts(parts []neutral.Part) []any {
	var ps []any
	for _, p := range parts {
		switch {
		case p.Image != nil:
			ps = append(ps, obj("type", "input_image", "detail", "auto", "image_url", dataURL(p.Image)))
		case p.File != nil:
			ps = append(ps, obj("type", "input_file", "filename", p.File.Name, "file_data", dataURL(p.File)))
		default:
			ps = append(ps, obj("type", "input_text", "text", p.Text))
		}
	}
	return ps
}
