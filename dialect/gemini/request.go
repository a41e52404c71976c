// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeRequest is [hoosh.Dialect.DecodeRequest]. The model and whether it streams
// are not in a body.
func decodeRequest(op hoosh.Operation, body []byte) (*hoosh.Request, error) {
	r := newReader(op, body, hoosh.ErrInvalidRequest)
	q := &hoosh.Request{Op: op}
	var read func(name string)
	switch op {
	case hoosh.OpChat:
		read = func(name string) { r.chatMember(name, q) }
	case hoosh.OpCount:
		read = func(name string) {
			if name != "generateContentRequest" {
				r.chatMember(name, q)
				return
			}
			r.object("an object", func(name string) { r.chatMember(name, q) })
		}
	case hoosh.OpEmbed:
		return r.embed(q)
	default:
		return nil, unsupportedOp(op)
	}
	if r.C.Kind() != jsonpeek.Object {
		return nil, codec.NotJSON(op, r.Kind, body, r.C.End(), "want a JSON object")
	}
	r.object("an object", read)
	if err := r.End(); err != nil {
		return nil, err
	}
	if len(q.Messages) == 0 || len(q.Messages) == 1 && q.Messages[0].Role == hoosh.RoleSystem {
		return nil, codec.Invalid(op, "contents", "missing; want an array of contents")
	}
	hoosh.OpenIDs(q.Messages)
	return q, nil
}

// chatMember reads a member of a GenerateContentRequest.
func (r *reader) chatMember(name string, q *hoosh.Request) {
	switch name {
	case "contents":
		r.contents(q)
	case "systemInstruction":
		r.system(q)
	case "tools":
		r.tools(q)
	case "toolConfig":
		r.toolConfig(q)
	case "generationConfig":
		r.config(q)
	case "model": // it is that of the path
	default:
		q.Extra = append(q.Extra, r.Member())
	}
}

// config reads the generationConfig. What hoosh has no field for stays together,
// under its name.
func (r *reader) config(q *hoosh.Request) {
	var rest []byte
	var schema []byte
	mime := ""
	r.object("an object", func(name string) {
		switch name {
		case "temperature":
			q.Temperature = r.Float()
		case "topP":
			q.TopP = r.Float()
		case "topK":
			if k := r.Float(); k != nil { // a number of things all the same
				n := int(max(min(*k, 1<<30), 0))
				q.TopK = &n
			}
		case "candidateCount":
			q.Choices = r.Count()
		case "maxOutputTokens":
			q.MaxTokens = r.Count()
		case "stopSequences":
			r.array("an array of strings", func() {
				if t, ok := r.Text("a string"); ok {
					q.Stop = append(q.Stop, t)
				}
			})
		case "seed":
			if n, ok := r.int(); ok {
				q.Seed = &n
			}
		case "presencePenalty":
			q.PresencePenalty = r.Float()
		case "frequencyPenalty":
			q.FrequencyPenalty = r.Float()
		case "responseMimeType":
			mime = r.Str("a string")
		case "responseSchema":
			if r.C.Kind() == jsonpeek.Object && schema == nil {
				schema = appendJSONSchema(nil, &r.C)
			}
		case "responseJsonSchema":
			switch r.C.Kind() {
			case jsonpeek.Object, jsonpeek.Bool:
				schema = r.C.Value()
			}
		case "thinkingConfig":
			r.thinking(q)
		default:
			rest = appendMember(rest, r)
		}
	})
	switch {
	case mime == "text/plain":
		q.Format.Type = "text"
	case mime == "application/json" && schema == nil:
		q.Format.Type = "json_object"
	case schema != nil && (mime == "application/json" || mime == ""):
		q.Format = hoosh.Format{Type: "json_schema", Schema: schema}
	case mime != "": // one of a set of words, for one
		rest = appendField(rest, "responseMimeType", jsonpeek.AppendQuote(nil, mime))
		if schema != nil {
			rest = appendField(rest, "responseJsonSchema", schema)
		}
	}
	if rest != nil {
		q.Extra = append(q.Extra, hoosh.Member{Key: "generationConfig", Value: append(rest, '}')})
	}
}

func appendField(dst []byte, name string, value []byte) []byte {
	if dst == nil {
		dst = append(dst, '{')
	} else {
		dst = append(dst, ',')
	}
	return append(append(append(append(dst, '"'), name...), `":`...), value...)
}

// thinking reads how the model is asked to think. A budget of -1 is one that the
// model sets itself; to every other format it is not said.
func (r *reader) thinking(q *hoosh.Request) {
	var rest []byte
	r.object("an object", func(name string) {
		switch name {
		case "includeThoughts":
			q.Reasoning.Show = r.Bool()
		case "thinkingBudget":
			n, ok := r.int()
			switch {
			case !ok:
			case n < 0:
				q.Reasoning.Budget = -1
			case n == 0:
				q.Reasoning.Effort = "none"
			default:
				q.Reasoning.Budget = int(min(n, 1<<30))
			}
		case "thinkingLevel":
			if level := r.Str("a string"); level != "THINKING_LEVEL_UNSPECIFIED" {
				q.Reasoning.Effort = strings.ToLower(level)
			}
		default:
			rest = appendMember(rest, r)
		}
	})
	if rest != nil {
		q.Extra = append(q.Extra, hoosh.Member{Key: "thinkingConfig", Value: append(rest, '}')})
	}
}
