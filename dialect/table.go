// SPDX-License-Identifier: AGPL-3.0-only

package dialect

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/maccracken/hoosh"
)

//go:generate go run ../internal/tools/translation

const schema = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// asking is a request of the user's with something more.
func asking(more func(q *hoosh.Request)) func() *hoosh.Request {
	return func() *hoosh.Request {
		q := &hoosh.Request{MaxTokens: 4000, Messages: []hoosh.Message{hoosh.User("Hello")}}
		more(q)
		return q
	}
}

func withTool(q *hoosh.Request) {
	q.Tools = []hoosh.Tool{{Name: "weather", Description: hoosh.NewText("Tells the weather."), Parameters: json.RawMessage(schema)}}
}

// called is a conversation in which the tool was called and has answered.
func called(parts ...hoosh.Part) []hoosh.Message {
	return []hoosh.Message{
		hoosh.User("Hello"),
		{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{hoosh.CallPart("call_1", "weather", `{"city":"Graz"}`)}},
		{Role: hoosh.RoleTool, Parts: []hoosh.Part{{Kind: hoosh.PartToolResult, Result: &hoosh.Result{ID: "call_1", Name: "weather", Parts: parts}}}},
	}
}

func media(kind hoosh.PartKind, m hoosh.Media) func() *hoosh.Request {
	return asking(func(q *hoosh.Request) {
		q.Messages = []hoosh.Message{hoosh.User("What is this?", hoosh.Part{Kind: kind, Media: &m})}
	})
}

func has(kind hoosh.PartKind) func(*hoosh.Request) bool {
	return func(q *hoosh.Request) bool {
		return slices.ContainsFunc(q.Messages, func(m hoosh.Message) bool {
			return slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool { return p.Kind == kind })
		})
	}
}

func roles(q *hoosh.Request) string {
	var words []string
	for _, m := range q.Messages {
		words = append(words, string(m.Role))
	}
	return strings.Join(words, " ")
}

func number[T any](v T) *T { return &v }

// Rules is the table.
var Rules = []Rule{
	{
		Feature: "system message", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Sample: asking(func(q *hoosh.Request) { q.Messages = append([]hoosh.Message{hoosh.System("Be brief.")}, q.Messages...) }),
		Kept:   func(q *hoosh.Request) bool { return strings.HasPrefix(roles(q), "system user") },
	},
	{
		Feature: "developer message", To: [5]Outcome{Carried, Carried, Emulated, Emulated, Emulated},
		Note: "said as system.",
		Sample: asking(func(q *hoosh.Request) {
			q.Messages = append([]hoosh.Message{{Role: hoosh.RoleDeveloper, Parts: []hoosh.Part{hoosh.TextPart("Be brief.")}}}, q.Messages...)
		}),
		Kept: func(q *hoosh.Request) bool { return strings.HasPrefix(roles(q), "developer user") },
	},
	{
		Feature: "system message in mid-conversation", To: [5]Outcome{Carried, Carried, Emulated, Emulated, Carried},
		Note: "said by the user between <system> and </system> to Gemini and to Claude models before Opus 4.7; newer ones have it.",
		Sample: asking(func(q *hoosh.Request) {
			q.Messages = append(q.Messages, hoosh.Assistant("Hi."), hoosh.System("Be brief."), hoosh.User("Go on."))
		}),
		Kept: func(q *hoosh.Request) bool { return strings.HasPrefix(roles(q), "user assistant system user") },
	},
	{
		Feature: "tools", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Sample: asking(withTool),
		Kept: func(q *hoosh.Request) bool {
			return len(q.Tools) == 1 && q.Tools[0].Name == "weather" && q.Tools[0].Parameters != nil
		},
	},
	{
		Feature: "a vendor's own tools", To: [5]Outcome{Dropped, Dropped, Dropped, Dropped, Dropped}, Name: "tools[0]",
		Note: "web search and the like, by type. Tools of a Codex namespace are functions to everybody else, and custom tools are functions with one text.",
		Sample: asking(func(q *hoosh.Request) {
			q.Tools = []hoosh.Tool{{Type: "vendor_tool", Raw: json.RawMessage(`{"type":"vendor_tool"}`)}}
		}),
	},
	{
		Feature: "tool choice", To: [5]Outcome{Carried, Carried, Carried, Carried, Dropped}, Name: "tool_choice",
		Note: `for Ollama "none" takes the tools away, and "auto" is what it does anyway; that a tool must be called cannot be said.`,
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.ToolChoice = hoosh.ToolChoice{Mode: "required"}
		}),
		Kept: func(q *hoosh.Request) bool { return q.ToolChoice.Mode == "required" },
	},
	{
		Feature: "parallel tool calls switch", To: [5]Outcome{Carried, Carried, Carried, Dropped, Dropped}, Name: "parallel_tool_calls",
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.ParallelTools = number(false)
		}),
		Kept: func(q *hoosh.Request) bool { return q.ParallelTools != nil && !*q.ParallelTools },
	},
	{
		Feature: "tool calls and results", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Note: "ids are kept, or mapped the same way each time where a vendor wants another form; results go behind their calls in the calls' order where the format wants that.",
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.Messages = called(hoosh.TextPart("rain"))
		}),
		Kept: func(q *hoosh.Request) bool { return has(hoosh.PartToolCall)(q) && has(hoosh.PartToolResult)(q) },
	},
	{
		Feature: "an image as a tool's result", To: [5]Outcome{Emulated, Carried, Carried, Carried, Carried},
		Note: "for chat completions it follows in a message of the user; for Gemini before 3 it is a part beside the result.",
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.Messages = called(hoosh.TextPart("a map"), hoosh.Image("data:image/png;base64,"+pixel))
		}),
		Kept: func(q *hoosh.Request) bool {
			return slices.ContainsFunc(q.Messages, func(m hoosh.Message) bool {
				return slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool {
					return p.Kind == hoosh.PartImage || p.Result != nil && len(p.Result.Parts) > 1
				})
			})
		},
	},
	{
		Feature: "the mark of a tool that failed", To: [5]Outcome{Dropped, Dropped, Carried, Emulated, Dropped}, Name: "is_error",
		Note: `to Gemini the result is {"error": …}. The text of the result goes out in any case.`,
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.Messages = called(hoosh.TextPart("no network"))
			q.Messages[2].Parts[0].Result.Failed = true
		}),
		Kept: func(q *hoosh.Request) bool { return q.Messages[len(q.Messages)-1].Parts[0].Result.Failed },
	},
	{
		Feature: "images in the request", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Sample: media(hoosh.PartImage, hoosh.Media{Type: "image/png", Data: hoosh.NewText(pixel)}), Kept: has(hoosh.PartImage),
	},
	{
		Feature: "images at a URL", To: [5]Outcome{Carried, Carried, Carried, Carried, Refused}, Name: "messages[0].content[1]",
		Note:   "hoosh fetches nothing.",
		Sample: media(hoosh.PartImage, hoosh.Media{URL: hoosh.NewText("https://example.com/a.png")}), Kept: has(hoosh.PartImage),
	},
	{
		Feature: "audio", To: [5]Outcome{Carried, Carried, Refused, Carried, Refused}, Name: "messages[0].content[1]",
		Sample: media(hoosh.PartAudio, hoosh.Media{Format: "wav", Data: hoosh.NewText("UklGRg==")}), Kept: has(hoosh.PartAudio),
	},
	{
		Feature: "PDF files in the request", To: [5]Outcome{Carried, Carried, Carried, Carried, Refused}, Name: "messages[0].content[1]",
		Sample: media(hoosh.PartFile, hoosh.Media{Type: "application/pdf", Name: "a.pdf", Data: hoosh.NewText("JVBERi0=")}), Kept: has(hoosh.PartFile),
	},
	{
		Feature: "JSON schema", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Note: "models without it are asked by a tool that they must call (Claude 3, Opus and Sonnet 4.0), or by words and for a JSON object (DeepSeek).",
		Sample: asking(func(q *hoosh.Request) {
			q.Format = hoosh.Format{Type: "json_schema", Name: "place", Schema: json.RawMessage(schema)}
		}),
		Kept: func(q *hoosh.Request) bool { return q.Format.Type == "json_schema" && len(q.Format.Schema) > 0 },
	},
	{
		Feature: "JSON object", To: [5]Outcome{Carried, Carried, Dropped, Carried, Carried}, Name: "response_format",
		Sample: asking(func(q *hoosh.Request) { q.Format.Type = "json_object" }),
		Kept:   func(q *hoosh.Request) bool { return q.Format.Type == "json_object" },
	},
	{
		Feature: "reasoning effort", To: [5]Outcome{Carried, Carried, Emulated, Emulated, Carried},
		Note:   "as a budget of tokens for the Claude 4.5 generation and Gemini 2.5; newer ones have levels. Models that do not reason are not told, and the name is dropped.",
		Sample: asking(func(q *hoosh.Request) { q.Reasoning.Effort = "low" }),
		Kept:   func(q *hoosh.Request) bool { return !q.Reasoning.IsZero() },
	},
	{
		Feature: "reasoning budget", To: [5]Outcome{Emulated, Emulated, Carried, Carried, Emulated},
		Note:   "as the effort that comes near it.",
		Sample: asking(func(q *hoosh.Request) { q.Reasoning.Budget = 2048 }),
		Kept:   func(q *hoosh.Request) bool { return q.Reasoning.Budget == 2048 },
	},
	{
		Feature: "signatures of thinking", To: [5]Outcome{Left, Left, Left, Left, Left},
		Note: "they go back to the backend that issued them and to no other: clients are given them sealed, with the issuer, in the field that their format has for signatures, " +
			"or at the end of a tool call's id. A backend that must have them and cannot is asked not to think for that turn, which is named as reasoning_effort.",
		Sample: asking(func(q *hoosh.Request) {
			withTool(q)
			q.Messages = called(hoosh.TextPart("rain"))
			thought := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("hm"))
			thought.Signature = &hoosh.Signature{Issuer: "another", Data: hoosh.NewText("c2lnbmVk")}
			q.Messages[1].Parts = append([]hoosh.Part{thought}, q.Messages[1].Parts...)
			q.Messages[1].Parts[1].Signature = &hoosh.Signature{Issuer: "another", Data: hoosh.NewText("c2lnbmVk")}
		}),
		Kept: func(q *hoosh.Request) bool {
			return slices.ContainsFunc(q.Messages, func(m hoosh.Message) bool {
				return slices.ContainsFunc(m.Parts, func(p hoosh.Part) bool {
					return p.Signature != nil && p.Signature.Data.String() == "c2lnbmVk"
				})
			})
		},
	},
	{
		Feature: "max tokens", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried},
		Note:   "Anthropic's must have one: without it the most that the model is known to give.",
		Sample: asking(func(*hoosh.Request) {}), Kept: func(q *hoosh.Request) bool { return q.MaxTokens == 4000 },
	},
	{
		Feature: "temperature", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried}, Name: "temperature",
		Note:   "models that refuse sampling parameters (OpenAI's that reason, Claude from Opus 4.7 on) are not told, and the name is dropped. Anthropic's end at 1.",
		Sample: asking(func(q *hoosh.Request) { q.Temperature = number(0.5) }),
		Kept:   func(q *hoosh.Request) bool { return q.Temperature != nil && *q.Temperature == 0.5 },
	},
	{
		Feature: "temperature to newer Claude models", Models: [5]string{2: "claude-opus-4-7"}, Name: "temperature",
		To:     [5]Outcome{Carried, Carried, Dropped, Carried, Carried},
		Sample: asking(func(q *hoosh.Request) { q.Temperature = number(0.5) }),
		Kept:   func(q *hoosh.Request) bool { return q.Temperature != nil && *q.Temperature == 0.5 },
	},
	{
		Feature: "top_p", To: [5]Outcome{Carried, Carried, Carried, Carried, Carried}, Name: "top_p",
		Note:   "Claude from 4.5 on takes it only without a temperature.",
		Sample: asking(func(q *hoosh.Request) { q.TopP = number(0.5) }), Kept: func(q *hoosh.Request) bool { return q.TopP != nil },
	},
	{
		Feature: "top_k", To: [5]Outcome{Carried, Dropped, Carried, Carried, Carried}, Name: "top_k",
		Note:   "chat completions of OpenAI, Azure, Groq and Mistral do not know it, and there it is dropped.",
		Sample: asking(func(q *hoosh.Request) { q.TopK = number(5) }), Kept: func(q *hoosh.Request) bool { return q.TopK != nil },
	},
	{
		Feature: "stop sequences", To: [5]Outcome{Carried, Emulated, Carried, Carried, Carried}, Name: "stop",
		Note:   "where a format or a model has none hoosh ends the answer itself, also in the middle of a stream.",
		Sample: asking(func(q *hoosh.Request) { q.Stop = []hoosh.Text{hoosh.NewText("END")} }),
		Kept:   func(q *hoosh.Request) bool { return len(q.Stop) == 1 },
	},
	{
		Feature: "seed", To: [5]Outcome{Carried, Dropped, Dropped, Carried, Carried}, Name: "seed",
		Sample: asking(func(q *hoosh.Request) { q.Seed = number(int64(7)) }), Kept: func(q *hoosh.Request) bool { return q.Seed != nil },
	},
	{
		Feature: "penalties", To: [5]Outcome{Carried, Dropped, Dropped, Carried, Carried}, Name: "frequency_penalty",
		Sample: asking(func(q *hoosh.Request) { q.FrequencyPenalty = number(0.5) }),
		Kept:   func(q *hoosh.Request) bool { return q.FrequencyPenalty != nil },
	},
	{
		Feature: "several choices", To: [5]Outcome{Carried, Emulated, Emulated, Carried, Emulated}, Name: "n",
		Note:   "as many calls side by side; the usage is their sum. Clients whose format has one answer cannot ask for more.",
		Sample: asking(func(q *hoosh.Request) { q.Choices = 2 }), Kept: func(q *hoosh.Request) bool { return q.Choices == 2 },
	},
	{
		Feature: "verbosity", To: [5]Outcome{Carried, Carried, Dropped, Dropped, Dropped}, Name: "verbosity",
		Sample: asking(func(q *hoosh.Request) { q.Verbosity = "low" }), Kept: func(q *hoosh.Request) bool { return q.Verbosity == "low" },
	},
	{
		Feature: "end user's id", To: [5]Outcome{Carried, Carried, Carried, Dropped, Dropped}, Name: "user",
		Sample: asking(func(q *hoosh.Request) { q.User = "u1" }), Kept: func(q *hoosh.Request) bool { return q.User == "u1" },
	},
	{
		Feature: "prompt cache marks", To: [5]Outcome{Dropped, Dropped, Carried, Dropped, Dropped}, Name: "cache_control",
		Note: "OpenRouter takes them in chat completions too.",
		Sample: asking(func(q *hoosh.Request) {
			q.Messages[0].Parts[0].Extra = hoosh.Extra{{Key: "cache_control", Value: json.RawMessage(`{"type":"ephemeral"}`)}}
		}),
		Kept: func(q *hoosh.Request) bool { return q.Messages[0].Parts[0].Extra.Get("cache_control") != nil },
	},
	{
		Feature: "what only one format has", To: [5]Outcome{Dropped, Dropped, Dropped, Dropped, Dropped}, Name: "x_unknown",
		Note: "any other member of a body; named by its key.",
		Sample: asking(func(q *hoosh.Request) {
			q.Extra = hoosh.Extra{{Key: "x_unknown", Value: json.RawMessage(`1`)}}
		}),
	},
}
