// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

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
	extras  bool // members without a field are in Anthropic's words
	check   bool // raw JSON is a Go program's, and may not be JSON
	thinks  bool // thinking is asked for
	dropped []string
	err     *hoosh.Error

	// of the messages
	turn    turnState
	waiting []waitingCall // of the assistant's last turn
	named   bool          // called is needed
	called  []string      // the names of the tools in the history
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

// extra writes the members of x that are in Anthropic's words, but for those that
// were written already.
func (w *writer) extra(x hoosh.Extra, but ...string) {
	for i := range x {
		switch {
		case slices.Contains(but, x[i].Key), x[i].IsNote():
		case w.extras || x[i].Key == cacheMark:
			w.comma()
			w.b = append(jsonpeek.AppendQuote(w.b, x[i].Key), ':')
			w.raw(x[i].Value, x[i].Key)
		default:
			w.drop(x[i].Key)
		}
	}
}

func (w *writer) int(name string, n int) {
	w.key(name)
	w.b = strconv.AppendInt(w.b, int64(n), 10)
}

func (w *writer) float(name string, f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.fail(hoosh.ErrInvalidRequest, name, "want a finite number")
		return
	}
	w.key(name)
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	w.b = strconv.AppendFloat(w.b, f, form, -1, 64)
}

// encodeRequest is [hoosh.Dialect.EncodeRequest].
func encodeRequest(c *hoosh.Call, q *hoosh.Request, p *hoosh.Profile) ([]byte, []string, error) {
	if c.Op != hoosh.OpChat && c.Op != hoosh.OpCount {
		return nil, nil, unsupportedOp(c.Op)
	}
	if p == nil {
		p = &hoosh.Profile{Dialect: Dialect}
	}
	from := c.Dialect()
	w := &writer{op: c.Op, p: p, model: generationOf(c.Model), from: from,
		extras: from == nil || from == Dialect, check: from == nil, named: len(q.Tools) == 0}
	w.b = make([]byte, 0, 512+max(len(c.Body())+len(c.Body())/16, c.Envelope().Text*9/8))
	w.b = jsonpeek.AppendQuote(append(w.b, `{"model":`...), c.Model)
	t := w.plan(q)
	if c.Op == hoosh.OpChat {
		w.int("max_tokens", t.ceiling)
	}
	w.messages(q.Messages)
	w.tools(q)
	w.thinking(&t, q)
	if c.Op == hoosh.OpChat {
		w.sampling(q)
	}
	w.rest(q)
	w.unsaid(q)
	if c.Stream && c.Op == hoosh.OpChat {
		w.b = append(w.b, `,"stream":true`...)
	}
	w.b = append(w.b, '}')
	if w.err != nil {
		return nil, nil, w.err
	}
	return w.b, w.dropped, nil
}

// sampling writes what governs how the answer is made, as far as the model takes
// it.
func (w *writer) sampling(q *hoosh.Request) {
	if t := q.Temperature; t != nil {
		switch {
		case w.model.noSampling, w.thinks && *t != 1:
			w.drop("temperature")
		case *t > 1:
			w.drop("temperature")
			w.float("temperature", 1)
		default:
			w.float("temperature", *t)
		}
	}
	if p := q.TopP; p != nil {
		switch {
		case w.model.noSampling, w.model.oneSampler && q.Temperature != nil && !w.thinks, w.thinks && *p < 0.95:
			w.drop("top_p")
		default:
			w.float("top_p", *p)
		}
	}
	if q.TopK != nil {
		if w.model.noSampling || w.thinks {
			w.drop("top_k")
		} else {
			w.int("top_k", *q.TopK)
		}
	}
	w.stops(q.Stop)
}

// stops writes the stop sequences. One that is only white space is refused, so it
// is dropped.
func (w *writer) stops(stops []hoosh.Text) {
	from, n := len(w.b), 0
	w.key("stop_sequences")
	w.b = append(w.b, '[')
	for i := range stops {
		switch s := stops[i].String(); {
		case s == "":
		case strings.TrimSpace(s) == "":
			w.drop("stop")
		default:
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

// rest writes what stands beside: the end user, and members without a field. To
// count tokens they do not matter.
func (w *writer) rest(q *hoosh.Request) {
	user := q.User
	for i := range q.Extra {
		x := &q.Extra[i]
		switch {
		case w.extras && (x.Key == "output_config" || x.Key == "metadata" || x.Key == "thinking"):
		case w.extras:
			if fieldOf(jsonpeek.AppendEscape(nil, x.Key)) >= 0 {
				w.drop(x.Key) // it would contradict the field
				continue
			}
			w.comma()
			w.b = append(jsonpeek.AppendQuote(w.b, x.Key), ':')
			w.raw(x.Value, x.Key)
		case w.op == hoosh.OpCount:
		case x.Key == "service_tier" && (string(x.Value) == `"auto"` || string(x.Value) == `"standard_only"`):
			w.key("service_tier")
			w.b = append(w.b, x.Value...)
		case x.Key == "safety_identifier" && user == "" && len(x.Value) > 2 && x.Value[0] == '"':
			user = jsonpeek.Unquote(x.Value[1 : len(x.Value)-1])
		default:
			w.drop(x.Key)
		}
	}
	more := members(w.extrasOf(q, "metadata"))
	if w.op == hoosh.OpCount || user == "" && more == nil {
		return
	}
	w.key("metadata")
	w.b = append(w.b, '{')
	if user != "" {
		w.key("user_id")
		w.b = jsonpeek.AppendQuote(w.b, user)
	}
	if more != nil {
		w.comma()
		w.b = append(w.b, more...)
	}
	w.b = append(w.b, '}')
}

// extrasOf is the member of this name that hoosh has only part of a field for, if
// it is in Anthropic's words.
func (w *writer) extrasOf(q *hoosh.Request, name string) []byte {
	if !w.extras {
		return nil
	}
	v := q.Extra.Get(name)
	if v != nil && w.check {
		if err := jsonpeek.Valid(v); err != nil {
			w.fail(hoosh.ErrInvalidRequest, name, "the raw JSON is not valid: "+err.Error())
			return nil
		}
	}
	return v
}

// members is what stands between the braces of an object, nil for nothing.
func members(object []byte) []byte {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if !c.Object() {
		return nil
	}
	from := c.Pos()
	if !c.Next() {
		return nil
	}
	c.Leave()
	return object[from : c.Pos()-1]
}

// unsaid names the fields that the format has no words for.
func (w *writer) unsaid(q *hoosh.Request) {
	if w.op == hoosh.OpCount {
		return
	}
	if q.Choices > 1 {
		w.drop("n")
	}
	if q.Seed != nil {
		w.drop("seed")
	}
	if q.FrequencyPenalty != nil {
		w.drop("frequency_penalty")
	}
	if q.PresencePenalty != nil {
		w.drop("presence_penalty")
	}
	if q.Verbosity != "" {
		w.drop("verbosity")
	}
}
