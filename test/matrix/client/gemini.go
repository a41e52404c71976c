// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"encoding/json"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Gemini is generateContent; its streams are SSE.
var Gemini = register(&Dialect{Name: "gemini", Render: renderGemini("?alt=sse"), Read: readGemini(false)})

// GeminiArray is the same, with streams in the form that they have unless asked
// otherwise: one JSON array.
var GeminiArray = &Dialect{Name: "gemini", Render: renderGemini(""), Read: readGemini(true)}

func renderGemini(query string) func(neutral.Ask) Request {
	return func(a neutral.Ask) Request {
		var b members
		system, turns := systemAhead(a.Turns)
		if system != nil {
			b.put("systemInstruction", obj("parts", geminiParts(system)))
		}
		b.put("contents", geminiContents(turns))
		var tools []any
		for _, t := range a.Tools {
			tools = append(tools, obj("name", t.Name, "description", t.Description, "parametersJsonSchema", t.Parameters))
		}
		if tools != nil {
			b.put("tools", []any{obj("functionDeclarations", tools)})
		}
		b.put("toolConfig", geminiChoice(a.Choice))
		b.put("generationConfig", geminiConfig(a))
		path := "/v1beta/models/" + a.Model + ":generateContent"
		if a.Stream {
			path = "/v1beta/models/" + a.Model + ":streamGenerateContent" + query
		}
		return Request{"POST", path, head("X-Goog-Api-Key", "test-key"), encode(b)}
	}
}

func geminiChoice(choice string) members {
	var c members
	switch name, named := strings.CutPrefix(choice, "tool:"); {
	case named:
		c = obj("mode", "ANY", "allowedFunctionNames", []string{name})
	case choice == "required":
		c = obj("mode", "ANY")
	case choice != "":
		c = obj("mode", strings.ToUpper(choice))
	default:
		return nil
	}
	return obj("functionCallingConfig", c)
}

func geminiConfig(a neutral.Ask) members {
	var c members
	c.put("temperature", a.Temperature)
	c.put("topP", a.TopP)
	c.put("maxOutputTokens", a.MaxTokens)
	c.put("stopSequences", a.Stop)
	c.put("seed", a.Seed)
	c.put("candidateCount", a.N)
	if a.Schema != nil {
		c.put("responseMimeType", "application/json")
		c.put("responseJsonSchema", a.Schema)
	}
	switch {
	case a.Budget > 0:
		c.put("thinkingConfig", obj("includeThoughts", true, "thinkingBudget", a.Budget))
	case a.Effort != "":
		c.put("thinkingConfig", obj("includeThoughts", true, "thinkingLevel", strings.ToUpper(a.Effort)))
	}
	return c
}

func geminiContents(turns []neutral.Turn) []any {
	var cs []any
	var role string
	var parts []any
	flush := func() {
		if parts != nil {
			cs = append(cs, obj("role", role, "parts", parts))
		}
		parts = nil
	}
	for _, t := range turns {
		r := "user"
		if t.Role == "assistant" {
			r = "model"
		}
		if r != role {
			flush()
			role = r
		}
		parts = append(parts, geminiParts(t.Parts)...)
	}
	flush()
	return cs
}

func geminiParts(parts []neutral.Part) []any {
	var ps []any
	for _, p := range parts {
		var m members
		switch {
		case p.Call != nil:
			f := obj()
			f.put("id", p.Call.ID)
			f.put("name", p.Call.Name)
			f.put("args", json.RawMessage(p.Call.Args))
			m = obj("functionCall", f)
		case p.Result != nil:
			m = obj("functionResponse", geminiResult(p.Result))
		case p.Image != nil:
			m = geminiMedia(p.Image)
		case p.File != nil:
			m = geminiMedia(p.File)
		case p.Thinking != "":
			m = obj("text", p.Thinking, "thought", true)
		default:
			m = obj("text", p.Text)
		}
		m.put("thoughtSignature", p.Signature)
		ps = append(ps, m)
	}
	return ps
}

func geminiResult(r *neutral.Result) members {
	key := "output"
	if r.Failed {
		key = "error"
	}
	f := obj()
	f.put("id", r.ID)
	f.put("name", r.Name)
	f.put("response", obj(key, r.Text))
	if r.Image != nil {
		f.put("parts", []any{geminiMedia(r.Image)})
	}
	return f
}

func geminiMedia(m *neutral.Media) members {
	if m.URL != "" {
		f := obj()
		f.put("mimeType", m.Type)
		f.put("fileUri", m.URL)
		return obj("fileData", f)
	}
	return obj("inlineData", obj("mimeType", m.Type, "data", m.Data))
}
