// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// writer writes one request.
type writer struct {
	b       []byte
	op      hoosh.Operation
	p       *hoosh.Profile // never nil
	model   generation
	from    *hoosh.Dialect
	extras  bool // members without a field are in this format's words
	check   bool // raw JSON is a Go program's, and may not be JSON
	dropped []string
	err     *hoosh.Error

	turn    turnState
	waiting []waitingCall // of the model's last turn
}

// comma separates what follows from what stands before it.
func (w *writer) comma() {
	switch w.b[len(w.b)-1] {
	case '[', '{', ':':
	default:
		w.b = append(w.b, ',')
	}
}

// key begins a member; name needs no escaping.
func (w *writer) key(name string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, `":`...)
}

// raw writes JSON as it stands. What a Go program gave is checked: one value,
// and nothing that would change the rest of the body.
func (w *writer) raw(value []byte, path string) {
	if value == nil {
		value = []byte("null")
	}
	if w.check {
		if err := jsonpeek.Valid(value); err != nil {
			w.fail(hoosh.ErrInvalidRequest, path, "the raw JSON is not valid: "+err.Error())
		}
	}
	w.b = append(w.b, value...)
}

func (w *writer) fail(kind error, path, message string) {
	if w.err == nil {
		w.err = &hoosh.Error{Kind: kind, Op: w.op, Param: path, Message: message}
	}
}

// drop names what is left out, once.
func (w *writer) drop(name string) {
	if !slices.Contains(w.dropped, name) {
		w.dropped = append(w.dropped, name)
	}
}

// extra writes the members of x that are in this format's words, but for those that
// were written already.
func (w *writer) extra(x hoosh.Extra, but ...string) {
	for i := range x {
		switch {
		case x[i].IsNote():
		case !w.extras:
			w.drop(x[i].Key)
		case slices.Contains(but, nameOf(jsonpeek.AppendEscape(nil, x[i].Key))):
			w.drop(x[i].Key)
		default:
			w.comma()
			w.b = append(jsonpeek.AppendQuote(w.b, x[i].Key), ':')
			w.raw(x[i].Value, x[i].Key)
		}
	}
}

func (w *writer) int(name string, n int64) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, n, 10)
}

func (w *writer) float(name string, f *float64) {
	if f == nil {
		return
	}
	if math.IsNaN(*f) || math.IsInf(*f, 0) {
		w.fail(hoosh.ErrInvalidRequest, name, "want a finite number")
		return
	}
	w.key(name)
	w.b = appendFloat(w.b, *f, 64)
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, bits)
}

// modelName is a model's name as a body has it.
func modelName(model string) string {
	if strings.HasPrefix(model, "models/") || strings.HasPrefix(model, "tunedModels/") {
		return model
	}
	return "models/" + model
}

// encodeRequest is [hoosh.Dialect.EncodeRequest].
func encodeRequest(c *hoosh.Call, q *hoosh.Request, p *hoosh.Profile) ([]byte, []string, error) {
	if p == nil {
		p = &hoosh.Profile{Dialect: Dialect}
	}
	from := c.Dialect()
	w := &writer{op: c.Op, p: p, model: generationOf(c.Model), from: from, extras: from == nil || from == Dialect, check: from == nil}
	w.b = make([]byte, 0, 512+max(len(c.Body())+len(c.Body())/16, c.Envelope().Text*9/8))
	w.b = append(w.b, '{')
	switch c.Op {
	case hoosh.OpChat:
		w.chat(c, q)
	case hoosh.OpCount:
		w.b = append(w.b, `"generateContentRequest":{"model":`...)
		w.b = jsonpeek.AppendQuote(w.b, modelName(c.Model))
		w.chat(c, q)
		w.b = append(w.b, '}')
	case hoosh.OpEmbed:
		w.embed(c, q)
	default:
		return nil, nil, unsupportedOp(c.Op)
	}
	w.b = append(w.b, '}')
	if w.err != nil {
		return nil, nil, w.err
	}
	return w.b, w.dropped, nil
}

// chat writes the members of a GenerateContentRequest. To count tokens it does not
// matter how the answer is made.
func (w *writer) chat(c *hoosh.Call, q *hoosh.Request) {
	w.messages(q.Messages)
	w.tools(q)
	if w.op == hoosh.OpChat || w.extras {
		w.config(q)
	}
	for i := range q.Extra {
		x := &q.Extra[i]
		name := nameOf(jsonpeek.AppendEscape(nil, x.Key))
		rule := w.p.RuleFor(x.Key, c.Model)
		switch {
		case x.IsNote():
		case w.extras && (name == "generationConfig" || name == "toolConfig" || name == "thinkingConfig"):
		case !w.extras && w.op == hoosh.OpCount:
		case !w.extras, name == "contents", name == "systemInstruction", name == "tools", name == "model", name == "generateContentRequest":
			w.drop(x.Key) // it would contradict the field, or nobody knows it
		case rule != nil && rule.Rename == "" && string(x.Value) != rule.Keep:
			w.drop(x.Key)
		default:
			key := x.Key
			if rule != nil && rule.Rename != "" {
				key = rule.Rename
			}
			w.comma()
			w.b = append(jsonpeek.AppendQuote(w.b, key), ':')
			w.raw(x.Value, x.Key)
		}
	}
	if w.op == hoosh.OpCount {
		return
	}
	if q.User != "" {
		w.drop("user")
	}
	if q.Verbosity != "" {
		w.drop("verbosity")
	}
}

// maxStops is how many stop sequences are taken.
const maxStops = 5

// config writes the generationConfig.
func (w *writer) config(q *hoosh.Request) {
	from := len(w.b)
	w.key("generationConfig")
	w.b = append(w.b, '{')
	inside := len(w.b)
	if q.MaxTokens > 0 {
		w.int("maxOutputTokens", int64(q.MaxTokens))
	}
	w.float("temperature", q.Temperature)
	w.float("topP", q.TopP)
	if q.TopK != nil {
		w.int("topK", int64(*q.TopK))
	}
	w.stops(q.Stop)
	if q.Choices > 1 {
		w.int("candidateCount", int64(q.Choices))
	}
	if s := q.Seed; s != nil {
		if *s < math.MinInt32 || *s > math.MaxInt32 {
			w.drop("seed")
		} else {
			w.int("seed", *s)
		}
	}
	w.float("presencePenalty", q.PresencePenalty)
	w.float("frequencyPenalty", q.FrequencyPenalty)
	w.format(&q.Format)
	w.thinking(q)
	but := []string{"maxOutputTokens", "temperature", "topP", "topK", "stopSequences", "candidateCount", "seed", "presencePenalty", "frequencyPenalty", "thinkingConfig"}
	if q.Format.Type != "" {
		but = append(but, "responseMimeType", "responseSchema", "responseJsonSchema")
	}
	w.rest(q.Extra, "generationConfig", but...)
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, '}')
}

// stops writes the stop sequences: all of them or, where they are too many, none,
// so that hoosh looks for them itself.
func (w *writer) stops(stops []hoosh.Text) {
	if len(stops) > maxStops {
		w.drop("stop")
		return
	}
	from, n := len(w.b), 0
	w.key("stopSequences")
	w.b = append(w.b, '[')
	for i := range stops {
		if !stops[i].IsEmpty() {
			w.comma()
			w.b = stops[i].AppendJSON(w.b)
			n++
		}
	}
	if n == 0 {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, ']')
}

// format writes the form of the answer. The name of a schema is of no use here, and
// it is always strict.
func (w *writer) format(f *hoosh.Format) {
	switch {
	case f.Schema != nil:
		w.key("responseMimeType")
		w.b = append(w.b, `"application/json"`...)
		w.key("responseJsonSchema")
		w.raw(f.Schema, "response_format.json_schema.schema")
	case f.Type == "json_object", f.Type == "json_schema":
		w.key("responseMimeType")
		w.b = append(w.b, `"application/json"`...)
	case f.Type == "text" && w.extras:
		w.key("responseMimeType")
		w.b = append(w.b, `"text/plain"`...)
	}
}

// thinking writes how the model shall think, in its generation's way. A client of
// another format that asks for it is shown it unless it says otherwise.
func (w *writer) thinking(q *hoosh.Request) {
	from := len(w.b)
	w.key("thinkingConfig")
	w.b = append(w.b, '{')
	inside := len(w.b)
	r := &q.Reasoning
	asked := r.Effort != "" && r.Effort != "none" || r.Budget > 0
	show := r.Show
	if asked && show == nil && !w.extras {
		show = hoosh.Ptr(true)
	}
	switch w.model.thinking {
	case thinksNot:
		if asked {
			w.drop("reasoning_effort")
		}
		show = nil
	case thinksBudget:
		w.budget(q)
	case thinksLevel:
		w.level(q)
	}
	if show != nil && (*show && r.Effort != "none" || w.extras) {
		w.key("includeThoughts")
		w.b = strconv.AppendBool(w.b, *show)
	}
	w.rest(q.Extra, "thinkingConfig", "includeThoughts", "thinkingBudget", "thinkingLevel")
	if len(w.b) == inside {
		w.b = w.b[:from]
		return
	}
	w.b = append(w.b, '}')
}

func (w *writer) budget(q *hoosh.Request) {
	r, g := &q.Reasoning, &w.model
	n := r.Budget
	switch {
	case r.Effort == "none":
		if n = 0; !g.mayStop {
			n = g.least
			w.drop("reasoning_effort")
		}
		w.int("thinkingBudget", int64(n))
		return
	case n > 0:
	case r.Effort != "":
		e, known := efforts[r.Effort]
		if !known {
			w.drop("reasoning_effort")
			return
		}
		n = e.budget
	case n < 0 && w.extras:
		w.int("thinkingBudget", -1)
		return
	default:
		return
	}
	w.int("thinkingBudget", int64(min(max(n, g.least), g.most)))
}

// level writes the level. Thinking cannot be turned off: the least is what comes
// nearest, and the wish is named.
func (w *writer) level(q *hoosh.Request) {
	r, n := &q.Reasoning, 0
	switch e, known := efforts[r.Effort]; {
	case r.Effort == "none":
		w.drop("reasoning_effort")
	case known:
		n = e.level
	case r.Effort != "" && r.Budget <= 0:
		w.drop("reasoning_effort")
		return
	case r.Budget > 0:
		n = levelOf(r.Budget)
	default:
		return
	}
	w.key("thinkingLevel")
	w.b = append(append(append(w.b, '"'), w.model.level(n)...), '"')
}
