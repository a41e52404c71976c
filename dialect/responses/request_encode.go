// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// minTokens is the least ceiling of an answer that OpenAI takes.
const minTokens = 16

// shared are the keys of Extra that mean the same in chat completions.
var shared = [...]string{"metadata", "store", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "top_logprobs"}

// counted are the members that a count of tokens may have.
var counted = [...]string{"conversation", "instructions", "parallel_tool_calls", previousID, "reasoning", "text", "tool_choice", "tools", "truncation"}

// encodeRequest is [hoosh.Dialect.EncodeRequest]. For a call of another format the
// answer is not to be stored, and a model that thinks is asked for its thinking,
// encrypted: without it the next turn could not go on from there.
func encodeRequest(c *hoosh.Call, q *hoosh.Request, p *hoosh.Profile) ([]byte, []string, error) {
	if !known(c.Op) {
		return nil, nil, noSuch(c.Op)
	}
	if p == nil {
		p = &noProfile
	}
	from := c.Dialect()
	w := &writer{op: c.Op, p: p, model: c.Model, from: from, native: from == nil || from == Dialect, check: from == nil, tools: q.Tools}
	w.b = make([]byte, 0, sizeOf(c, q))
	w.put(`{"model":`)
	w.quote(c.Model)
	messages := q.Messages
	if t, ok := instructions(messages); ok {
		w.top("instructions", func() { w.b = t.AppendJSON(w.b) })
		messages = messages[1:]
		w.at++
	}
	w.top("input", func() { w.items(messages) })
	w.toolList(q)
	w.textOptions(q)
	w.reasoning(q.Reasoning)
	if c.Op == hoosh.OpChat {
		w.sampling(q)
		w.switches(c, q)
	}
	w.extraTop(q)
	w.put("}")
	if w.err != nil {
		return nil, nil, w.err
	}
	return w.b, w.dropped, nil
}

// instructions are those of a leading system message that is text alone.
func instructions(ms []hoosh.Message) (t hoosh.Text, ok bool) {
	if len(ms) < 2 || ms[0].Role != hoosh.RoleSystem || len(ms[0].Parts) != 1 || ms[0].Name != "" || len(ms[0].Extra) > 0 {
		return t, false
	}
	p := &ms[0].Parts[0]
	return p.Content(), p.Kind == hoosh.PartText && len(p.Extra) == 0 && !p.Content().IsEmpty()
}

// sampling writes what governs how the answer is made, and names what cannot be
// said.
func (w *writer) sampling(q *hoosh.Request) {
	if q.MaxTokens > 0 {
		w.top("max_output_tokens", func() { w.b = appendInt(w.b, int64(max(q.MaxTokens, minTokens))) })
	}
	w.float("temperature", q.Temperature)
	w.float("top_p", q.TopP)
	if q.User != "" {
		w.top("user", func() { w.quote(q.User) })
	}
	for _, x := range []struct {
		name string
		said bool
	}{{"top_k", q.TopK != nil}, {"frequency_penalty", q.FrequencyPenalty != nil && *q.FrequencyPenalty != 0},
		{"presence_penalty", q.PresencePenalty != nil && *q.PresencePenalty != 0},
		{"seed", q.Seed != nil}, {"stop", len(q.Stop) > 0}, {"n", q.Choices > 1}} {
		if x.said {
			w.drop(x.name)
		}
	}
}

// switches writes how the answer comes, and what is kept of it.
func (w *writer) switches(c *hoosh.Call, q *hoosh.Request) {
	if c.Stream {
		w.top("stream", func() { w.put("true") })
	}
	if w.native && w.from != nil {
		return
	}
	if q.Extra.Get("store") == nil || !w.crosses("store") {
		w.top("store", func() { w.put("false") })
	}
	if reasons(w.model) && q.Extra.Get("include") == nil {
		w.top("include", func() { w.put(`["reasoning.encrypted_content"]`) })
	}
}

// crosses reports that a key of Extra says here what it says in the caller's
// format.
func (w *writer) crosses(key string) bool {
	return w.native || w.from == hoosh.OpenAI && slices.Contains(shared[:], key)
}

// extraTop writes the members that hoosh has no field for. One that reads as a
// field would contradict it, so it is dropped: only a form of the answer that
// [hoosh.Format] cannot hold stands there by right.
func (w *writer) extraTop(q *hoosh.Request) {
	for i := range q.Extra {
		x := &q.Extra[i]
		field := fieldOf(jsonpeek.AppendEscape(nil, x.Key))
		form := x.Key == "text" && q.Format.Type == "" && q.Format.Schema == nil && q.Verbosity == ""
		switch {
		case !w.crosses(x.Key), field >= 0 && !form:
			w.drop(x.Key)
		case w.op == hoosh.OpCount && !slices.Contains(counted[:], x.Key): // it changes no count
		default:
			w.unknown(x)
		}
	}
}

// unknown writes a member whose name may need escaping.
func (w *writer) unknown(x *hoosh.Member) {
	rule := w.p.RuleFor(x.Key, w.model)
	name := x.Key
	switch {
	case rule == nil, rule.Keep != "" && string(x.Value) == rule.Keep:
	case rule.Rename != "":
		name = rule.Rename
	default:
		w.drop(x.Key)
		return
	}
	w.comma()
	w.quote(name)
	w.put(":")
	w.raw(x.Value, x.Key)
}

// textOptions writes the form of the answer.
func (w *writer) textOptions(q *hoosh.Request) {
	f := &q.Format
	if f.Type == "" && f.Schema == nil && q.Verbosity == "" {
		return
	}
	w.top("text", func() {
		w.put("{")
		switch {
		case f.Type == "json_schema" || f.Schema != nil:
			w.put(`"format":{"type":"json_schema","name":`)
			name := f.Name
			if name == "" {
				name = schemaName
			}
			w.quote(name)
			w.quoted("description", f.Description)
			w.key("schema")
			if f.Schema == nil {
				w.put(`{"type":"object"}`)
			} else {
				w.raw(f.Schema, "response_format")
			}
			if f.Strict != nil {
				w.key("strict")
				w.b = strconv.AppendBool(w.b, *f.Strict)
			}
			w.put("}")
		case f.Type != "":
			w.put(`"format":{"type":`)
			w.quote(f.Type)
			w.put("}")
		}
		w.quoted("verbosity", q.Verbosity)
		w.put("}")
	})
}

// reasoning writes how much to think, a budget in tokens as the effort that
// comes near it.
func (w *writer) reasoning(t hoosh.Reasoning) {
	effort := t.Effort
	if effort == "" && t.Budget > 0 {
		switch {
		case t.Budget <= 4<<10:
			effort = "low"
		case t.Budget <= 16<<10:
			effort = "medium"
		default:
			effort = "high"
		}
	}
	show := t.Show != nil && *t.Show || t.Show == nil && effort != "none" && w.shown(t)
	if effort == "" && !show {
		return
	}
	w.top("reasoning", func() {
		w.put("{")
		w.quoted("effort", effort)
		if show {
			w.quoted("summary", "auto")
		}
		w.put("}")
	})
}

// shown reports that the client's format shows thinking unless told otherwise:
// those that give a budget, and Ollama's.
func (w *writer) shown(t hoosh.Reasoning) bool {
	return w.from != nil && (t.Budget > 0 || t.Effort != "" && strings.HasPrefix(w.from.Name, "ollama"))
}

// sizeOf estimates the size of q's body, so that a long prompt is copied once.
func sizeOf(c *hoosh.Call, q *hoosh.Request) int {
	n := max(len(c.Body()), c.Envelope().Text)
	n += n / 16 // what is longer here
	if c.Body() == nil {
		for i := range q.Messages {
			for j := range q.Messages[i].Parts {
				if m := q.Messages[i].Parts[j].Media; m != nil {
					n += m.Data.Len() + m.URL.Len()
				}
			}
		}
	}
	return n + 1024
}
