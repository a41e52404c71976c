// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"slices"
	"time"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeOpenAIResponse is [Dialect.DecodeResponse].
func decodeOpenAIResponse(op Operation, body []byte) (*Response, error) {
	body = bytes.Clone(body) // a Response owns its bytes
	r := newOpenAIReader(op, body, ErrMalformed)
	if !r.c.Object() {
		return nil, r.notJSON("the answer is not a JSON object")
	}
	resp := &Response{}
	answered, content := false, openAIContent(op)
	for r.c.Next() {
		switch string(r.key()) {
		case "object":
		case "id":
			if raw, ok := r.c.Str(); ok {
				resp.ID = jsonpeek.Unquote(raw)
			}
		case "model":
			if raw, ok := r.c.Str(); ok {
				resp.Model = jsonpeek.Unquote(raw)
			}
		case "created":
			if n, ok := r.c.Int(); ok {
				resp.Created = epoch(n)
			}
		case content:
			switch op {
			case OpEmbed:
				answered = r.embeddings(resp) || answered
			case OpCount:
				resp.Usage = Usage{Source: UsageReported}
				figure(&r.c, &resp.Usage.Input)
				answered = true
			default:
				answered = r.replyChoices(resp) || answered
			}
		case "usage":
			resp.Usage = readOpenAIUsage(&r.c)
		case "error":
			if r.c.Kind() != jsonpeek.Null && r.c.Kind() != jsonpeek.Invalid {
				return nil, upstreamError(op, body)
			}
		default:
			resp.Extra = append(resp.Extra, r.member())
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	if !answered {
		return nil, &Error{Kind: ErrMalformed, Op: op, Message: "the answer has no " + content}
	}
	return resp, nil
}

// openAIContent is the member that holds what was asked for.
func openAIContent(op Operation) string {
	switch op {
	case OpEmbed, OpImage:
		return "data"
	case OpCount:
		return "input_tokens"
	case OpModerate, OpRerank:
		return "results"
	}
	return "choices"
}

func (r *openAIReader) replyChoices(resp *Response) bool {
	if !r.c.Array() {
		return false
	}
	for r.c.Next() {
		resp.Choices = append(resp.Choices, r.replyChoice(len(resp.Choices)))
	}
	slices.SortStableFunc(resp.Choices, func(a, b Choice) int { return cmp.Compare(a.Index, b.Index) })
	return true
}

func (r *openAIReader) replyChoice(index int) Choice {
	ch := Choice{Index: index, Message: Message{Role: RoleAssistant}}
	if !r.c.Object() {
		r.want("a choice object")
		return ch
	}
	for r.c.Next() {
		switch string(r.key()) {
		case "index":
			if n, ok := r.c.Int(); ok {
				ch.Index = int(n)
			}
		case "message":
			if at := r.c.Pos(); !r.c.Null() {
				if ch.Message = r.message("assistant"); ch.Message.Role == RoleTool {
					r.fail(at, "want a message of the assistant")
				}
			}
		case "text": // of a legacy completion
			if raw, ok := r.c.Str(); ok && len(raw) > 0 {
				ch.Message.Parts = append(ch.Message.Parts, NewPart(PartText, RawText(raw)))
			}
		case "finish_reason":
			if raw, ok := r.c.Str(); ok {
				ch.Finish = openAIFinish(raw)
			}
		case "logprobs":
			if !r.c.Null() {
				ch.Logprobs = r.c.Value()
			}
		default:
			ch.Extra = append(ch.Extra, r.member())
		}
	}
	if ch.Finish == FinishStop && hasCalls(ch.Message.Parts) {
		ch.Finish = FinishToolCalls
	}
	return ch
}

func hasCalls(parts []Part) bool {
	for i := range parts {
		if parts[i].Kind == PartToolCall {
			return true
		}
	}
	return false
}

// encodeOpenAIResponse is [Dialect.EncodeResponse]. Members without a field are
// written for a Go program only: a client is given what was translated from
// another dialect, in whose words they are.
func encodeOpenAIResponse(c *Call, r *Response) ([]byte, error) {
	w := openAIWriter{op: c.Op, p: &plainOpenAI, reply: true, typed: c.Dialect() == nil,
		extras: c.Dialect() == nil && r.dialect == nil || r.dialect == OpenAI, check: true}
	size := 512 + 8*len(r.Choices)
	for i := range r.Choices {
		for j := range r.Choices[i].Message.Parts {
			size += 128 + r.Choices[i].Message.Parts[j].text.Len()
		}
	}
	w.b = make([]byte, 0, size)
	switch {
	case c.Op == OpCount:
		return appendOpenAICount(w.b, r.Usage), nil
	case c.Op > OpCount:
		return nil, &Error{Kind: ErrUnsupported, Op: c.Op, Message: "this has no typed form"}
	}
	if c.Op == OpEmbed {
		w.replyEmbeddings(c, r)
	} else {
		w.b = appendOpenAIHead(append(w.b, '{'), c, r, openAIObject(c.Op, false))
		w.key("choices")
		w.open('[')
		for i := range r.Choices {
			w.replyChoice(&r.Choices[i])
		}
		w.close(']')
		if !r.Usage.IsZero() {
			w.key("usage")
			w.b = appendOpenAIUsage(w.b, r.Usage)
		}
	}
	w.extra(r.Extra, "id", "object", "created", "model", "usage", "error", openAIContent(c.Op))
	w.close('}')
	if w.err != nil {
		return nil, w.err
	}
	return w.b, nil
}

// appendOpenAICount writes the answer to a count, as the Responses API has it:
// chat completions have none.
func appendOpenAICount(dst []byte, u Usage) []byte {
	dst = appendInt(append(dst, `{"object":"response.input_tokens","input_tokens":`...), u.Prompt())
	return append(dst, '}')
}

// openAIObject is what an answer calls itself.
func openAIObject(op Operation, chunk bool) string {
	switch {
	case op == OpCompletion:
		return "text_completion"
	case chunk:
		return "chat.completion.chunk"
	}
	return "chat.completion"
}

// appendOpenAIHead appends the members that an answer, and each chunk of one,
// begins with, made up where the backend said nothing.
func appendOpenAIHead(dst []byte, c *Call, r *Response, object string) []byte {
	id, created := r.ID, r.Created
	if id == "" {
		prefix := "chatcmpl-"
		if c.Op == OpCompletion {
			prefix = "cmpl-"
		}
		if id = prefix + c.ID; c.ID == "" {
			id = newOpenAIID(prefix)
		}
	}
	if created.IsZero() {
		created = time.Now()
	}
	dst = append(dst, `"id":`...)
	dst = jsonpeek.AppendQuote(dst, id)
	dst = append(append(append(dst, `,"object":"`...), object...), `","created":`...)
	dst = append(appendInt(dst, created.Unix()), `,"model":`...)
	return jsonpeek.AppendQuote(dst, or(r.Model, c.Model))
}

// newOpenAIID makes an id nobody else has.
func newOpenAIID(prefix string) string { return prefix + rand.Text() }

func (w *openAIWriter) replyChoice(ch *Choice) {
	w.comma()
	w.b = append(w.b, `{"index":`...)
	w.b = appendInt(w.b, int64(ch.Index))
	fin := ch.Finish
	if w.op == OpCompletion {
		w.key("text")
		w.joined(ch.Message.Parts, PartText)
	} else {
		w.key("message")
		m := ch.Message
		m.Role = or(m.Role, RoleAssistant)
		w.turn(&m)
		fin = openAIFinal(fin, hasCalls(m.Parts))
	}
	w.key("logprobs")
	if ch.Logprobs == nil {
		w.b = append(w.b, "null"...)
	} else {
		w.raw(ch.Logprobs, "logprobs")
	}
	w.key("finish_reason")
	w.b = appendOpenAIFinish(w.b, fin)
	w.extra(ch.Extra, "index", "message", "text", "logprobs", "finish_reason")
	w.close('}')
}

// openAIFinal is the reason for the end of an answer that did or did not call
// tools: other dialects stop for a call as for anything else.
func openAIFinal(f Finish, calls bool) Finish {
	if calls && (f == FinishStop || f == FinishOther) {
		return FinishToolCalls
	}
	return f
}

// openAIFinish reads a finish_reason as it stands between its quotes: OpenAI's
// words, and those of the vendors and engines that speak the rest of its
// dialect.
func openAIFinish(raw []byte) Finish {
	switch string(raw) {
	case "stop":
		return FinishStop
	case "length", "max_tokens", "model_length":
		return FinishLength
	case "tool_calls", "function_call", "tool_use":
		return FinishToolCalls
	case "content_filter", "safety":
		return FinishContentFilter
	case "eos", "eos_token", "end_turn", "stop_sequence":
		return FinishStop
	case "error", "abort", "insufficient_system_resource":
		return FinishError
	case "":
		return FinishNone
	}
	return FinishOther
}

// openAIFinishWord is OpenAI's word for f; "stop" where it has none, for a
// client must be told of an end. "error" is what gateways say.
func openAIFinishWord(f Finish) string {
	switch f {
	case FinishLength:
		return "length"
	case FinishToolCalls:
		return "tool_calls"
	case FinishContentFilter:
		return "content_filter"
	case FinishError:
		return "error"
	}
	return "stop"
}

func appendOpenAIFinish(dst []byte, f Finish) []byte {
	if f == FinishNone {
		return append(dst, "null"...)
	}
	return append(append(append(dst, '"'), openAIFinishWord(f)...), '"')
}

// openAIUsage is a usage object as it stands: nested classes, not all of them
// always.
type openAIUsage struct {
	prompt, completion, total     int64 // -1: not said
	cached, written, audioIn      int64
	reasoning, audioOut, cacheHit int64
}

// maxFigure bounds what a backend may report: sums of such figures do not
// overflow.
const maxFigure = 1 << 40

// readOpenAIUsage reads the usage object at hand, the zero Usage when it is
// none or says nothing. It allocates nothing.
func readOpenAIUsage(c *jsonpeek.Cursor) Usage {
	if !c.Object() {
		return Usage{}
	}
	u := openAIUsage{prompt: -1, completion: -1, total: -1}
	for c.Next() {
		switch string(c.Key()) {
		case "prompt_tokens":
			figure(c, &u.prompt)
		case "completion_tokens":
			figure(c, &u.completion)
		case "total_tokens":
			figure(c, &u.total)
		case "prompt_cache_hit_tokens": // DeepSeek
			figure(c, &u.cacheHit)
		case "prompt_tokens_details":
			u.details(c, &u.audioIn)
		case "completion_tokens_details":
			u.details(c, &u.audioOut)
		}
	}
	return u.classes()
}

// details reads either of the inner objects.
func (u *openAIUsage) details(c *jsonpeek.Cursor, audio *int64) {
	if !c.Object() {
		return
	}
	for c.Next() {
		switch string(c.Key()) {
		case "cached_tokens":
			figure(c, &u.cached)
		case "cache_write_tokens":
			figure(c, &u.written)
		case "reasoning_tokens":
			figure(c, &u.reasoning)
		case "audio_tokens":
			figure(c, audio)
		}
	}
}

func figure(c *jsonpeek.Cursor, into *int64) {
	if n, ok := c.Int(); ok {
		*into = min(max(n, 0), maxFigure)
	}
}

// classes brings the figures to disjoint classes. Where they contradict each
// other the greater classes bound the smaller: none is negative, and the sums
// stay those that the backend gave.
func (u *openAIUsage) classes() Usage {
	if u.prompt < 0 && u.completion < 0 && u.total < 0 {
		return Usage{}
	}
	completion := max(u.completion, 0)
	prompt := u.prompt
	if prompt < 0 {
		prompt = max(u.total-completion, 0)
	}
	if more := u.total - prompt - completion; more > 0 { // xAI counts the thinking beside the answer, others in the sum only
		completion += more
		u.reasoning = max(u.reasoning, more)
	}
	take := func(n int64, from *int64) int64 {
		n = min(n, *from)
		*from -= n
		return n
	}
	out := Usage{Source: UsageReported}
	out.CacheRead = take(max(u.cached, u.cacheHit), &prompt)
	out.CacheWrite = take(u.written, &prompt)
	out.AudioInput = take(u.audioIn, &prompt)
	out.Input = prompt
	out.Reasoning = take(u.reasoning, &completion)
	out.AudioOutput = take(u.audioOut, &completion)
	out.Output = completion
	return out
}

// appendOpenAIUsage appends u as a usage object.
func appendOpenAIUsage(dst []byte, u Usage) []byte {
	dst = appendInt(append(dst, `{"prompt_tokens":`...), u.Prompt())
	dst = appendInt(append(dst, `,"completion_tokens":`...), u.Completion())
	dst = appendInt(append(dst, `,"total_tokens":`...), u.Total())
	dst = appendInt(append(dst, `,"prompt_tokens_details":{"cached_tokens":`...), u.CacheRead)
	if u.CacheWrite != 0 {
		dst = appendInt(append(dst, `,"cache_write_tokens":`...), u.CacheWrite)
	}
	if u.AudioInput != 0 {
		dst = appendInt(append(dst, `,"audio_tokens":`...), u.AudioInput)
	}
	dst = appendInt(append(dst, `},"completion_tokens_details":{"reasoning_tokens":`...), u.Reasoning)
	if u.AudioOutput != 0 {
		dst = appendInt(append(dst, `,"audio_tokens":`...), u.AudioOutput)
	}
	return append(dst, "}}"...)
}
