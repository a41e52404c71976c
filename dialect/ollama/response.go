// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"bytes"
	"cmp"
	"math"
	"strconv"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeResponse is [hoosh.Dialect.DecodeResponse]. Durations and the like stay
// in Extra.
func decodeResponse(op hoosh.Operation, body []byte) (*hoosh.Response, error) {
	f, err := formOf(op)
	if err != nil {
		return nil, err
	}
	return f.decodeResponse(body)
}

// decodeGenerated is that of [Generate].
func decodeGenerated(op hoosh.Operation, body []byte) (*hoosh.Response, error) {
	f, err := generateOnly(op)
	if err != nil {
		return nil, err
	}
	return f.decodeResponse(body)
}

func (f form) decodeResponse(body []byte) (*hoosh.Response, error) {
	op := f.op()
	l, err := scanLine(f, body)
	if err != nil {
		return nil, err
	}
	if l.failed {
		return nil, upstreamError(op, body)
	}
	body = bytes.Clone(body) // a Response owns its bytes
	r := newReader(op, body)
	resp := &hoosh.Response{Usage: l.usage()}
	choice := hoosh.Choice{Message: hoosh.Message{Role: hoosh.RoleAssistant}, Finish: finishOf(l.reason, l.calls != nil)}
	c := &r.c
	c.Object()
	var said message // of a generated text, whose members stand by themselves
	for c.Next() {
		name := string(c.Key())
		if f == generateForm && (name == "response" || name == "thinking") {
			if name == "response" {
				said.content = r.text()
			} else {
				said.thinking = r.text()
			}
			continue
		}
		switch name {
		case "model":
			resp.Model = r.string()
		case "created_at":
			resp.Created, _ = time.Parse(time.RFC3339Nano, r.string())
		case "message":
			m := r.message()
			choice.Message.Parts, choice.Message.Extra = m.parts(), m.extra
		case "logprobs": // OpenAI's form, within an object of its own
			if c.Kind() == jsonpeek.Array {
				choice.Logprobs = append(append([]byte(`{"content":`), c.Value()...), '}')
			}
		case "embeddings":
			resp.Embeddings = r.embeddings()
		case "embedding": // of the older path
			if vector, ok := r.vector(0); ok {
				resp.Embeddings = [][]float32{vector}
			}
		case "done", "done_reason", "prompt_eval_count", "eval_count", "error":
		default:
			resp.Extra = append(resp.Extra, r.extra())
		}
	}
	if err := r.end(); err != nil {
		// The backend's fault, not the caller's.
		e := hoosh.AsError(err)
		return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: "the answer, at " + e.Param + ": " + e.Message, Err: e.Err}
	}
	if f == generateForm {
		choice.Message.Parts = said.parts()
	}
	if f != embedForm {
		resp.Choices = []hoosh.Choice{choice}
	}
	return resp, nil
}

func (r *reader) embeddings() [][]float32 {
	list := [][]float32{}
	if !r.c.Array() {
		r.want("an array of embeddings")
		return list
	}
	size := 0
	for r.c.Next() {
		if vector, ok := r.vector(size); ok {
			size = len(vector)
			list = append(list, vector)
		}
	}
	return list
}

// vector reads one embedding, of about so many numbers.
func (r *reader) vector(size int) (vector []float32, ok bool) {
	if !r.c.Array() {
		r.want("an array of numbers")
		return nil, false
	}
	vector = make([]float32, 0, size)
	for r.c.Next() {
		if v, ok := r.float(); ok {
			vector = append(vector, float32(v))
		}
	}
	return vector, true
}

// encodeResponse is [hoosh.Dialect.EncodeResponse]. The format has room for one
// answer, so it is the first.
func encodeResponse(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	return chatForm.encodeResponse(c, r)
}

// encodeGenerated is that of [Generate].
func encodeGenerated(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	return generateForm.encodeResponse(c, r)
}

func (f form) encodeResponse(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	switch c.Op {
	case hoosh.OpChat:
	case hoosh.OpEmbed:
		if c.Envelope().Has("prompt") {
			return appendEmbedding(nil, r), nil
		}
		return appendEmbeddings(nil, c, r), nil
	default:
		return nil, unsupported(c.Op, "", "a "+c.Op.String()+" in Ollama's own format")
	}
	var choice hoosh.Choice
	if len(r.Choices) > 0 {
		choice = r.Choices[0]
	}
	created := r.Created
	if created.IsZero() {
		created = time.Now().UTC()
	}
	dst := append([]byte(`{"model":`), modelName(c, r)...)
	dst = append(dst, `,"created_at":"`...)
	dst = created.UTC().AppendFormat(dst, time.RFC3339Nano)
	w := &writer{op: c.Op, native: true, dst: append(dst, '"')}
	if f == generateForm {
		w.raw(`,"response":`)
		w.answer(choice.Message.Parts)
	} else {
		w.raw(`,"message":{"role":"assistant","content":`)
		w.answer(choice.Message.Parts)
		if err := w.answerCalls(&choice); err != nil {
			return nil, err
		}
		w.raw("}")
	}
	if list := logprobs(choice.Logprobs); list != nil {
		w.raw(`,"logprobs":`)
		w.dst = append(w.dst, list...)
	}
	return appendDone(w.dst, choice.Finish, r.Usage, durations{total: r.Took, answer: r.Took}), nil
}

// modelName is the answer's model as a JSON string.
func modelName(c *hoosh.Call, r *hoosh.Response) []byte {
	name := r.Model
	if name == "" {
		name = c.Model
	}
	return jsonpeek.AppendQuote(nil, name)
}

// answer writes content and thinking of an answer. What it holds besides has no
// place in the format.
func (w *writer) answer(parts []hoosh.Part) {
	w.texts(parts, seamless, hoosh.PartText, hoosh.PartRefusal)
	for i := range parts {
		if parts[i].Kind == hoosh.PartThinking && !parts[i].Content().IsEmpty() {
			w.raw(`,"thinking":`)
			w.texts(parts, seamless, hoosh.PartThinking, hoosh.PartThinking)
			break
		}
	}
}

// answerCalls writes the calls, with the signatures that belong in their ids. One
// in which the answer was cut off is left out.
func (w *writer) answerCalls(ch *hoosh.Choice) error {
	parts := ch.Message.Parts
	var thinking *hoosh.Part
	thoughts, n := 0, 0
	for i := range parts {
		if parts[i].Kind == hoosh.PartThinking {
			thoughts++
			thinking = &parts[i]
		}
	}
	if thoughts != 1 {
		thinking = nil
	}
	sealed := make([]hoosh.Part, 0, len(parts))
	for i := range parts {
		if parts[i].Kind != hoosh.PartToolCall || parts[i].Call == nil {
			continue
		}
		if n++; n > 1 {
			thinking = nil
		}
		call := *parts[i].Call
		if _, whole := call.Arguments.AppendValue(nil); !whole && ch.Finish == hoosh.FinishLength {
			continue
		}
		call.ID = hoosh.SealID(cmp.Or(call.ID, newID()), parts[i].Signature, thinking)
		sealed = append(sealed, hoosh.Part{Kind: hoosh.PartToolCall, Call: &call})
	}
	if err := w.calls(0, sealed); err != nil {
		return badArguments(w.op)
	}
	return nil
}

// badArguments is the error of a model that calls a tool with something else
// than an object, which this format cannot say.
func badArguments(op hoosh.Operation) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: "the model calls a tool with arguments that are not a JSON object"}
}

// logprobs finds the list in OpenAI's form of them.
func logprobs(raw []byte) (list []byte) {
	c := jsonpeek.New(raw)
	if raw != nil && c.Object() {
		for c.Next() {
			if string(c.Key()) == "content" && c.Kind() == jsonpeek.Array {
				list = c.Value()
			}
		}
	}
	return list
}

func appendEmbeddings(dst []byte, c *hoosh.Call, r *hoosh.Response) []byte {
	dst = append(append(dst, `{"model":`...), modelName(c, r)...)
	dst = append(dst, `,"embeddings":[`...)
	for i, vector := range r.Embeddings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendVector(dst, vector)
	}
	dst = append(dst, ']')
	dst = appendCount(dst, `,"prompt_eval_count":`, r.Usage.Prompt())
	return append(dst, '}')
}

// appendEmbedding is the answer of /api/embeddings, which embeds one text.
func appendEmbedding(dst []byte, r *hoosh.Response) []byte {
	var vector []float32
	if len(r.Embeddings) > 0 {
		vector = r.Embeddings[0]
	}
	return append(appendVector(append(dst, `{"embedding":`...), vector), '}')
}

func appendVector(dst []byte, vector []float32) []byte {
	dst = append(dst, '[')
	for j, v := range vector {
		if j > 0 {
			dst = append(dst, ',')
		}
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			v = 0 // JSON has no word for it
		}
		dst = strconv.AppendFloat(dst, float64(v), 'g', -1, 32)
	}
	return append(dst, ']')
}
