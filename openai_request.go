// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIField is a top-level member of a request that [Request] has a field
// for.
type openAIField struct {
	name string
	ops  uint8 // the operations that know it, a bit each
	read func(r *openAIReader, q *Request)
}

const (
	inChat       = 1<<OpChat | 1<<OpCount
	inCompletion = 1 << OpCompletion
	inEmbed      = 1 << OpEmbed
	inText       = inChat | inCompletion
	inAll        = inText | inEmbed
)

var openAIFields = [...]openAIField{
	{"model", inAll, func(r *openAIReader, q *Request) { q.Model = r.str("a string, the model's name") }},
	{"messages", inChat, func(r *openAIReader, q *Request) { q.Messages = r.messages() }},
	{"stream", inAll, func(r *openAIReader, q *Request) { q.Stream = isTrue(r.bool()) }},
	{"stream_options", inText, func(*openAIReader, *Request) {}}, // include_usage is the envelope's
	{"max_tokens", inText, (*openAIReader).maxTokens},
	{"max_completion_tokens", inText, (*openAIReader).maxTokens},
	{"temperature", inText, func(r *openAIReader, q *Request) { q.Temperature = r.float() }},
	{"top_p", inText, func(r *openAIReader, q *Request) { q.TopP = r.float() }},
	{"top_k", inText, (*openAIReader).topK},
	{"frequency_penalty", inText, func(r *openAIReader, q *Request) { q.FrequencyPenalty = r.float() }},
	{"presence_penalty", inText, func(r *openAIReader, q *Request) { q.PresencePenalty = r.float() }},
	{"seed", inText, func(r *openAIReader, q *Request) { q.Seed = r.int() }},
	{"stop", inText, (*openAIReader).stop},
	{"n", inText, (*openAIReader).choices},
	{"tools", inChat, (*openAIReader).tools},
	{"functions", inChat, (*openAIReader).functions},
	{"tool_choice", inChat, (*openAIReader).toolChoice},
	{"function_call", inChat, (*openAIReader).functionChoice},
	{"parallel_tool_calls", inChat, func(r *openAIReader, q *Request) { q.ParallelTools = r.bool() }},
	{"response_format", inChat, (*openAIReader).format},
	{"reasoning_effort", inChat, func(r *openAIReader, q *Request) { q.Reasoning.Effort = r.str("a string") }},
	{"verbosity", inChat, func(r *openAIReader, q *Request) { q.Verbosity = r.str("a string") }},
	{"user", inAll, func(r *openAIReader, q *Request) { q.User = r.str("a string") }},
	{"prompt", inCompletion, (*openAIReader).input},
	{"input", inEmbed, (*openAIReader).input},
	{"dimensions", inEmbed, func(r *openAIReader, q *Request) { q.Dimensions = r.count() }},
	{"encoding_format", inEmbed, (*openAIReader).encoding},
}

// openAIFieldOf finds the field that a name, as it stands in the JSON, reads as
// to any backend, see openAIKeyOf; -1 when there is none: what reads as a field
// must not pass as unknown.
func openAIFieldOf(op Operation, name []byte) int {
	plain := true
	for _, b := range name {
		if (b < 'a' || b > 'z') && b != '_' {
			plain = false
			break
		}
	}
	for i := range openAIFields {
		f := &openAIFields[i]
		if f.ops&(1<<op) != 0 && (string(name) == f.name || !plain && jsonpeek.EqualFold(name, f.name)) {
			return i
		}
	}
	return -1
}

// openAINeeds are the members that a request cannot be without.
var openAINeeds = [...]string{OpChat: "messages", OpCompletion: "", OpEmbed: "input", OpCount: "messages"}

// decodeOpenAIRequest is [Dialect.DecodeRequest]. What is legacy in the body
// comes out as what has taken its place: functions as tools.
func decodeOpenAIRequest(op Operation, body []byte) (*Request, error) {
	if op > OpCount {
		return nil, &Error{Kind: ErrUnsupported, Op: op, Message: "this can only be passed to a backend of the same format"}
	}
	r := newOpenAIReader(op, body, ErrInvalidRequest)
	q := &Request{Op: op}
	if !r.c.Object() {
		return nil, r.notJSON("want a JSON object")
	}
	var seen [len(openAIFields)]bool
	for r.c.Next() {
		i := openAIFieldOf(op, r.c.Key())
		if i < 0 {
			q.Extra = append(q.Extra, r.member())
			continue
		}
		if seen[i] {
			r.fail(r.c.KeyStart(), fmt.Sprintf("a second key that reads as %q", openAIFields[i].name))
		}
		seen[i] = true
		openAIFields[i].read(&r, q)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	for i, f := range openAIFields {
		if f.name == openAINeeds[op] && !seen[i] {
			return nil, invalid(op, f.name, "missing")
		}
	}
	q.Messages = withToolIDs(q.Messages)
	OpenIDs(q.Messages)
	return q, nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func (r *openAIReader) messages() []Message {
	at := r.c.Pos()
	if !r.c.Array() {
		r.want("an array of messages")
		return nil
	}
	var ms []Message
	for r.c.Next() {
		ms = append(ms, r.message(""))
	}
	if len(ms) == 0 {
		r.fail(at, "want at least one message")
	}
	return ms
}

// maxTokens reads either of the ceiling's names; where both are there the later
// one counts, as in the envelope.
func (r *openAIReader) maxTokens(q *Request) {
	if n := r.count(); n > 0 {
		q.MaxTokens = n
	}
}

func (r *openAIReader) topK(q *Request) {
	at := r.c.Pos()
	n := r.int()
	if n == nil {
		return
	}
	k := int(*n)
	if int64(k) != *n {
		r.fail(at, "want a smaller number")
	}
	q.TopK = &k
}

func (r *openAIReader) choices(q *Request) {
	if n := r.count(); n > 1 {
		q.Choices = n
	}
}

func (r *openAIReader) stop(q *Request) {
	if raw, ok := r.c.Str(); ok {
		q.Stop = []Text{RawText(raw)}
		return
	}
	if r.c.Null() {
		return
	}
	if !r.c.Array() {
		r.want("a string or an array of strings")
		return
	}
	for r.c.Next() {
		raw, ok := r.c.Str()
		if !ok {
			r.want("a string")
		}
		q.Stop = append(q.Stop, RawText(raw))
	}
}

// encodeOpenAIRequest is [Dialect.EncodeRequest]. What only another dialect has
// words for is dropped and named; what cannot be left out without changing what
// is asked is an error.
func encodeOpenAIRequest(c *Call, q *Request, p *Profile) ([]byte, []string, error) {
	from := c.Dialect()
	if c.Op > OpCount {
		return nil, nil, &Error{Kind: ErrUnsupported, Op: c.Op, Message: "this has no typed form"}
	}
	w := openAIWriter{op: c.Op, p: p, model: c.Model, sent: q.Extra, from: from,
		extras: from == nil || from == OpenAI, check: from == nil}
	if p == nil {
		w.p = &plainOpenAI
	}
	w.b = make([]byte, 0, openAISize(c, q))
	w.b = append(w.b, `{"model":`...)
	w.b = jsonpeek.AppendQuote(w.b, c.Model)
	switch c.Op {
	case OpEmbed:
		w.embed(q)
	case OpCompletion:
		w.input("prompt", q.Input)
		w.sampling(q)
	default:
		m := w.top("messages")
		w.open('[')
		w.messages(withToolIDs(q.Messages))
		w.close(']')
		w.end(m)
		w.tools(q)
		w.format(&q.Format)
		w.reasoning(q.Reasoning)
		w.str("verbosity", q.Verbosity)
		w.sampling(q)
	}
	w.str("user", q.User)
	w.extraTop(q)
	if c.Stream && c.Op.streams() {
		m := w.top("stream")
		w.b = append(w.b, "true"...)
		w.end(m)
		if !w.p.NoStreamOptions {
			m := w.top("stream_options")
			w.b = append(w.b, usageOptions...)
			w.end(m)
		}
	}
	w.close('}')
	if w.err != nil {
		return nil, nil, w.err
	}
	return w.b, w.dropped, nil
}

// maxStops is the most stop sequences that OpenAI takes.
const maxStops = 4

// sampling writes what governs how the answer is made.
func (w *openAIWriter) sampling(q *Request) {
	if q.MaxTokens > 0 {
		w.int("max_tokens", int64(q.MaxTokens))
	}
	w.float("temperature", q.Temperature)
	w.float("top_p", q.TopP)
	if q.TopK != nil {
		w.int("top_k", int64(*q.TopK))
	}
	w.float("frequency_penalty", q.FrequencyPenalty)
	w.float("presence_penalty", q.PresencePenalty)
	if q.Seed != nil {
		w.int("seed", *q.Seed)
	}
	if len(q.Stop) > maxStops && !w.extras {
		w.drop("stop") // all of them are hoosh's then
	} else if len(q.Stop) > 0 {
		m := w.top("stop")
		if len(q.Stop) == 1 {
			w.b = q.Stop[0].AppendJSON(w.b)
		} else {
			w.open('[')
			for i := range q.Stop {
				w.comma()
				w.b = q.Stop[i].AppendJSON(w.b)
			}
			w.close(']')
		}
		w.end(m)
	}
	if q.Choices > 1 {
		w.int("n", int64(q.Choices))
	}
}

// extraTop writes the members that hoosh has no field for. One that reads as a
// field would contradict it, so it is dropped: only a form of the answer that
// [Format] cannot hold stands there by right.
func (w *openAIWriter) extraTop(q *Request) {
	for i := range q.Extra {
		x := &q.Extra[i]
		name := jsonpeek.AppendEscape(nil, x.Key)
		field := openAIFieldOf(w.op, name)
		format := field >= 0 && openAIFields[field].name == "response_format" && q.Format.Type == "" && q.Format.Schema == nil
		switch {
		case x.IsNote():
			continue
		case field < 0 && w.shares(x.Key):
		case !w.extras && x.Key == "store" && string(x.Value) == "false": // as it is without it
			continue
		case !w.extras || field >= 0 && !format:
			w.drop(x.Key)
			continue
		}
		m := topMember{key: x.Key, start: len(w.b)}
		w.comma()
		w.b = append(w.b, '"')
		w.b = append(append(w.b, name...), `":`...)
		m.value = len(w.b)
		w.raw(x.Value, x.Key)
		w.end(m)
	}
}

// shares reports that a member without a field means the same here as in the
// format that the request came in: OpenAI's other one.
func (w *openAIWriter) shares(key string) bool {
	if w.from == nil || w.from.Name != "responses" {
		return false
	}
	switch key {
	case "metadata", "service_tier", "prompt_cache_key", "prompt_cache_retention", "safety_identifier":
		return true
	}
	return false
}

// openAISize estimates the size of q's body, so that a long prompt is copied
// once.
func openAISize(c *Call, q *Request) int {
	n := max(len(c.Body()), c.Envelope().Text)
	if c.Body() == nil {
		for i := range q.Messages {
			for j := range q.Messages[i].Parts {
				p := &q.Messages[i].Parts[j]
				n += 64 + len(p.Raw)
				if p.Media != nil {
					n += p.Media.Data.Len() + p.Media.URL.Len()
				}
				if p.Call != nil {
					n += len(p.Call.Arguments.value) + p.Call.Arguments.quoted.Len()
				}
			}
		}
		for i := range q.Tools {
			n += 128 + q.Tools[i].Description.Len() + len(q.Tools[i].Parameters) + len(q.Tools[i].Raw)
		}
		n += n / 16 // what must be escaped
	}
	return n + 512
}
