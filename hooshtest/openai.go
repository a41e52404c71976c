// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// created is the time that every answer bears, so that the same request gets
// the same bytes: the first of January 2026.
const created = 1767225600

const doneEvent = "data: [DONE]\n\n"

// reply is what an answer says to a request, settled.
type reply struct {
	op        op
	id, model string
	choices   int
	pieces    []string
	reasoning string
	calls     []ToolCall
	finish    string
	usage     Usage
	fault     Fault
	after     int
	ask       bool // a usage chunk is due
	nulls     bool // other chunks say usage null
}

func newReply(q *Request, a *Answer) *reply {
	sum := sha256.Sum256(append([]byte(q.Path+"\n"), q.Body...))
	r := &reply{
		op: opOf(q.Path), id: hex.EncodeToString(sum[:12]), model: q.Model, choices: max(q.fields.N, 1),
		pieces: a.Pieces, reasoning: a.Reasoning, calls: make([]ToolCall, len(a.ToolCalls)),
		finish: a.FinishReason, fault: a.Fault, after: a.After,
	}
	if r.pieces == nil && (a.Text != "" || len(a.ToolCalls) == 0) {
		r.pieces = words(textFor(q, a))
	}
	for i, c := range a.ToolCalls {
		if c.ID == "" {
			c.ID = fmt.Sprintf("call_%s%d", r.id[:16], i)
		}
		r.calls[i] = c
	}
	if r.finish == "" {
		r.finish = "stop"
		if len(r.calls) > 0 {
			r.finish = "tool_calls"
		}
	}
	r.usage = r.count(q)
	if a.Usage != nil {
		r.usage = *a.Usage
	}
	r.nulls = q.IncludeUsage && a.Fault != NoUsage
	r.ask = r.nulls && a.Fault != UsageInFinish || a.Fault == UsageAlways
	return r
}

func textFor(q *Request, a *Answer) string {
	switch {
	case a.Text != "":
		return a.Text
	case a.Fault == SplitUTF8:
		return "naïve café 日本語 🎈"
	}
	return "You said: " + q.Prompt()
}

// words cuts after each space.
func words(s string) []string { return strings.SplitAfter(s, " ") }

// count is a usage by words: as good as any, and easy to foretell.
func (r *reply) count(q *Request) Usage {
	prompt := len(strings.Fields(textOf(q.fields.Prompt)))
	for _, raw := range q.fields.Messages {
		var m struct{ Content json.RawMessage }
		_ = json.Unmarshal(raw, &m) // no text, then
		prompt += len(strings.Fields(textOf(m.Content)))
	}
	said := len(strings.Fields(r.text())) + len(strings.Fields(r.reasoning))
	for _, c := range r.calls {
		said += len(strings.Fields(c.Name + " " + c.Arguments))
	}
	return Usage{Prompt: max(prompt, 1), Completion: said * r.choices}
}

func (r *reply) text() string { return strings.Join(r.pieces, "") }

// body is the whole answer.
func (r *reply) body() []byte {
	if r.fault == Huge {
		r.pieces = []string{strings.Repeat("x", hugeSize)}
	}
	object, prefix := "chat.completion", "chatcmpl-"
	if r.op == opCompletion {
		object, prefix = "text_completion", "cmpl-"
	}
	var choices []string
	for i := range r.choices {
		choices = append(choices, r.choice(i))
	}
	usage := ""
	if r.fault != NoUsage {
		usage = `,"usage":` + r.usage.json()
	}
	return fmt.Appendf(nil, `{"id":%s,"object":%q,"created":%d,"model":%s,"choices":[%s]%s,"system_fingerprint":"fp_hooshtest"}`,
		quote(prefix+r.id), object, created, quote(r.model), strings.Join(choices, ","), usage)
}

func (r *reply) choice(i int) string {
	if r.op == opCompletion {
		return fmt.Sprintf(`{"text":%s,"index":%d,"logprobs":null,"finish_reason":%s}`, quote(r.text()), i, quote(r.finish))
	}
	content, more := quote(r.text()), ""
	if len(r.calls) > 0 {
		if len(r.pieces) == 0 {
			content = "null"
		}
		var list []string
		for _, c := range r.calls {
			list = append(list, fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`, quote(c.ID), quote(c.Name), quote(c.Arguments)))
		}
		more = `,"tool_calls":[` + strings.Join(list, ",") + `]`
	}
	if r.reasoning != "" {
		more += `,"reasoning_content":` + quote(r.reasoning)
	}
	return fmt.Sprintf(`{"index":%d,"message":{"role":"assistant","content":%s,"refusal":null,"annotations":[]%s},"logprobs":null,"finish_reason":%s}`,
		i, content, more, quote(r.finish))
}

func (u Usage) json() string {
	return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}`,
		u.Prompt, u.Completion, u.Prompt+u.Completion, u.Cached)
}

// events is the answer as a stream, block by block.
func (r *reply) events() [][]byte {
	var list [][]byte
	each := func(delta string) {
		for i := range r.choices {
			list = append(list, r.chunk(r.delta(i, delta, "null"), r.null()))
		}
	}
	if r.op == opChat {
		each(`{"role":"assistant","content":"","refusal":null}`)
		if r.reasoning != "" {
			for _, piece := range words(r.reasoning) {
				each(`{"reasoning_content":` + quote(piece) + `}`)
			}
		}
	}
	for _, piece := range r.pieces {
		each(r.content(piece))
	}
	for i, c := range r.calls {
		each(fmt.Sprintf(`{"tool_calls":[{"index":%d,"id":%s,"type":"function","function":{"name":%s,"arguments":""}}]}`, i, quote(c.ID), quote(c.Name)))
		for _, piece := range runes(c.Arguments, 8) {
			each(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(piece)))
		}
	}
	if r.fault == Huge {
		event := r.chunk(r.delta(0, r.content(strings.Repeat("x", hugeSize)), "null"), r.null())
		at := min(max(r.after, 0), len(list))
		list = slices.Insert(list, at, event)
	}
	for i := range r.choices {
		usage := r.null()
		if r.fault == UsageInFinish && i == r.choices-1 {
			usage = `,"usage":` + r.usage.json()
		}
		empty := "{}"
		if r.op == opCompletion {
			empty = `""`
		}
		list = append(list, r.chunk(r.delta(i, empty, quote(r.finish)), usage))
	}
	if r.ask {
		list = append(list, r.chunk("", `,"usage":`+r.usage.json()))
	}
	return append(list, []byte(doneEvent))
}

func (r *reply) null() string {
	if r.nulls {
		return `,"usage":null`
	}
	return ""
}

// content is the delta that says piece: of a legacy completion the text itself.
func (r *reply) content(piece string) string {
	if r.op == opCompletion {
		return quote(piece)
	}
	return `{"content":` + quote(piece) + `}`
}

// delta is choice i of a chunk.
func (r *reply) delta(i int, delta, finish string) string {
	if r.op == opCompletion {
		return fmt.Sprintf(`{"text":%s,"index":%d,"logprobs":null,"finish_reason":%s}`, delta, i, finish)
	}
	return fmt.Sprintf(`{"index":%d,"delta":%s,"logprobs":null,"finish_reason":%s}`, i, delta, finish)
}

func (r *reply) chunk(choice, usage string) []byte {
	object, prefix := "chat.completion.chunk", "chatcmpl-"
	if r.op == opCompletion {
		object, prefix = "text_completion", "cmpl-"
	}
	return fmt.Appendf(nil, `data: {"id":%s,"object":%q,"created":%d,"model":%s,"system_fingerprint":"fp_hooshtest","choices":[%s]%s}`+"\n\n",
		quote(prefix+r.id), object, created, quote(r.model), choice, usage)
}

// runes cuts s into pieces of n characters.
func runes(s string, n int) []string {
	var pieces []string
	rs := []rune(s)
	for len(rs) > 0 {
		k := min(n, len(rs))
		pieces = append(pieces, string(rs[:k]))
		rs = rs[k:]
	}
	return pieces
}

// quote writes a JSON string, and leaves every character as it is that JSON
// allows to be: encoding/json would escape U+2028, which readers of streams have
// to take for data.
func quote(s string) string {
	b := []byte{'"'}
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c == '\n':
			b = append(b, '\\', 'n')
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return string(append(b, '"'))
}

// defaultDimensions is the length of an embedding that does not ask for one.
const defaultDimensions = 8

// Embedding is the vector that a backend gives for text: made from a hash, of
// length one. dimensions 0 means 8.
func Embedding(text string, dimensions int) []float32 {
	if dimensions <= 0 {
		dimensions = defaultDimensions
	}
	v := make([]float32, 0, dimensions)
	var norm float64
	block := sha256.Sum256([]byte(text))
	for i := 0; len(v) < dimensions; i = (i + 4) % len(block) {
		if i == 0 && len(v) > 0 {
			block = sha256.Sum256(block[:])
		}
		x := float64(binary.LittleEndian.Uint32(block[i:]))/math.MaxUint32*2 - 1
		v = append(v, float32(x))
		norm += x * x
	}
	for i := range v {
		v[i] = float32(float64(v[i]) / math.Sqrt(norm))
	}
	return v
}

// embeddings is the whole answer to an embedding.
func embeddings(q *Request, a *Answer) []byte {
	inputs := inputsOf(q.fields.Input)
	var list []string
	used := 0
	for i, in := range inputs {
		used += max(len(strings.Fields(in)), 1)
		v := Embedding(in, q.fields.Dimensions)
		list = append(list, fmt.Sprintf(`{"object":"embedding","index":%d,"embedding":%s}`, i, vector(v, q.fields.EncodingFormat)))
	}
	usage := ""
	if a.Usage != nil {
		used = a.Usage.Prompt
	}
	if a.Fault != NoUsage {
		usage = fmt.Sprintf(`,"usage":{"prompt_tokens":%d,"total_tokens":%d}`, used, used)
	}
	if a.Fault == Huge {
		usage += `,"padding":"` + strings.Repeat("x", hugeSize) + `"`
	}
	return fmt.Appendf(nil, `{"object":"list","data":[%s],"model":%s%s}`, strings.Join(list, ","), quote(q.Model), usage)
}

func vector(v []float32, format string) string {
	if format == "base64" {
		var b []byte
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
		return `"` + base64.StdEncoding.EncodeToString(b) + `"`
	}
	b := []byte{'['}
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return string(append(b, ']'))
}

// inputsOf are the inputs of an embedding, as text; a list of tokens is its own
// JSON.
func inputsOf(raw json.RawMessage) []string {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	if len(list) > 0 && list[0][0] != '"' && list[0][0] != '[' {
		return []string{string(raw)} // one list of tokens
	}
	inputs := make([]string, len(list))
	for i, in := range list {
		if json.Unmarshal(in, &inputs[i]) != nil {
			inputs[i] = string(in)
		}
	}
	return inputs
}
