// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"strings"

	"github.com/maccracken/hoosh"
)

// How much a model shall think, as each generation is told it.

// plan is what a request asks of thinking, and the ceiling of tokens that goes
// with it.
type plan struct {
	ceiling int
	kind    string // "enabled", "adaptive", "disabled"; "": nothing is said
	budget  int
	effort  string // of output_config
}

// leastBudget is the smallest that Anthropic takes.
const leastBudget = 1024

// plan decides it. The ceiling holds for thinking and answer together, as that of
// the other formats does, so a budget that is too great for it is lowered to
// three quarters; where that is too little, there is no thinking.
func (w *writer) plan(q *hoosh.Request) (t plan) {
	t.ceiling = q.MaxTokens
	if t.ceiling == 0 {
		t.ceiling = w.model.ceiling
	}
	r := q.Reasoning
	switch {
	case r.Effort == "none":
		if w.model.thinking != thinksNot {
			t.kind = "disabled"
		}
		return t
	case r.Effort == "" && r.Budget <= 0:
		return t
	case w.model.thinking == thinksNot, w.unsigned(q.Messages), q.ToolChoice.Name == answerTool:
		w.drop("reasoning_effort")
		if w.model.thinking == thinksAdaptive {
			t.kind = "disabled"
		}
		return t
	}
	if w.model.thinking == thinksAdaptive || w.model.thinking == thinksEither && r.Budget <= 0 {
		t.kind, t.effort = "adaptive", w.effort(&r)
		w.thinks = true
		return t
	}
	t.budget = r.Budget
	if t.budget <= 0 {
		t.budget = budgets[r.Effort]
		if t.budget == 0 {
			t.budget = budgets["medium"]
		}
	}
	if w.model.thinking == thinksEither && r.Effort != "" {
		t.effort = w.effort(&r)
	}
	t.budget = max(t.budget, leastBudget)
	if t.budget >= t.ceiling {
		t.budget = t.ceiling / 4 * 3
	}
	if t.budget < leastBudget {
		w.drop("reasoning_effort")
		t.budget, t.effort = 0, ""
		return t
	}
	t.kind, w.thinks = "enabled", true
	return t
}

// budgets are what an effort, in OpenAI's words, means in tokens.
var budgets = map[string]int{"minimal": leastBudget, "low": 4 << 10, "medium": 16 << 10, "high": 32 << 10, "xhigh": 48 << 10, "max": 48 << 10}

// effort is Anthropic's word.
func (w *writer) effort(r *hoosh.Reasoning) string {
	switch r.Effort {
	case "minimal", "low":
		return "low"
	case "medium", "high":
		return r.Effort
	case "xhigh", "max":
		return w.model.top
	case "":
		switch {
		case r.Budget <= budgets["low"]:
			return "low"
		case r.Budget <= budgets["medium"]:
			return "medium"
		}
		return "high"
	}
	w.drop("reasoning_effort")
	return "medium"
}

// thinking writes the plan, and the form of the answer, which stands with the
// effort.
func (w *writer) thinking(t *plan, q *hoosh.Request) {
	if own := w.extrasOf(q, "thinking"); own != nil { // a Go program's own words
		w.key("thinking")
		w.b = append(w.b, own...)
	} else if t.kind != "" {
		w.key("thinking")
		w.b = append(append(append(w.b, `{"type":"`...), t.kind...), '"')
		if t.kind == "enabled" {
			w.int("budget_tokens", t.budget)
		}
		if show := q.Reasoning.Show; show != nil && w.thinks && w.model.display {
			w.key("display")
			if *show {
				w.b = append(w.b, `"summarized"`...)
			} else {
				w.b = append(w.b, `"omitted"`...)
			}
		}
		w.b = append(w.b, '}')
	}
	from := len(w.b)
	w.key("output_config")
	w.b = append(w.b, '{')
	inside := len(w.b)
	if t.effort != "" {
		w.key("effort")
		w.b = append(append(append(w.b, '"'), t.effort...), '"')
	}
	w.format(&q.Format)
	if more := members(w.extrasOf(q, "output_config")); more != nil {
		w.comma()
		w.b = append(w.b, more...)
	}
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, '}')
}

// format writes the schema of the answer. Its name is of no use there, and it is
// always strict.
func (w *writer) format(f *hoosh.Format) {
	switch {
	case f.Schema != nil:
		w.key("format")
		w.b = append(w.b, `{"type":"json_schema","schema":`...)
		if schema := f.Schema; w.extras {
			w.raw(schema, "response_format.json_schema.schema")
		} else {
			w.b = appendClosed(w.b, schema)
		}
		w.b = append(w.b, '}')
	case f.Type == "json_object", f.Type == "json_schema":
		w.drop("response_format")
	}
}

// unsigned reports that the conversation is within a loop of tool calls in which a
// turn of the assistant calls tools without beginning with thinking that the
// backend takes back.
func (w *writer) unsigned(ms []hoosh.Message) bool {
	lacks, open := false, false
	inTurn, begun, thinksFirst := false, false, false
	for i := range ms {
		m := &ms[i]
		if m.Role != hoosh.RoleAssistant {
			inTurn = false
			if m.Role == hoosh.RoleUser && !hasResult(m) { // a new question
				lacks, open = false, false
			}
			continue
		}
		if !inTurn {
			inTurn, begun, open = true, false, false
		}
		for j := range m.Parts {
			p := &m.Parts[j]
			switch {
			case p.Kind == hoosh.PartThinking && !w.p.Accepts(p.Signature, w.from), p.Kind == hoosh.PartText && isBlank(p):
				continue
			case !begun:
				begun, thinksFirst = true, p.Kind == hoosh.PartThinking
			}
			if p.Kind == hoosh.PartToolCall {
				open, lacks = true, lacks || !thinksFirst
			}
		}
	}
	return open && lacks
}

func hasResult(m *hoosh.Message) bool {
	for i := range m.Parts {
		if m.Parts[i].Kind == hoosh.PartToolResult {
			return true
		}
	}
	return false
}

// isBlank reports that a text says nothing; a long one does.
func isBlank(p *hoosh.Part) bool {
	t := p.Content()
	return t.Len() < 1024 && strings.TrimSpace(t.String()) == ""
}
