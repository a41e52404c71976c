// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// What embeddings and legacy completions have of their own: inputs that are
// text or tokens, and vectors.

const inputForms = "a string, an array of strings, an array of tokens or an array of those"

// input reads a prompt, or what is to be embedded.
func (r *openAIReader) input(q *Request) {
	if raw, ok := r.c.Str(); ok {
		q.Input = []Input{{Content: RawText(raw)}}
		return
	}
	if q.Op == OpCompletion && r.c.Null() {
		return
	}
	at := r.c.Pos()
	if !r.c.Array() {
		r.want(inputForms)
		return
	}
	var tokens []int64
	for r.c.Next() {
		here := r.c.Pos()
		if raw, ok := r.c.Str(); ok {
			q.Input = append(q.Input, Input{Content: RawText(raw)})
		} else if n, ok := r.c.Int(); ok {
			tokens = append(tokens, n)
		} else if r.c.Array() {
			q.Input = append(q.Input, Input{Tokens: r.tokens(here)})
		} else {
			r.want("a string, a token or an array of tokens")
		}
	}
	switch {
	case tokens == nil && len(q.Input) == 0:
		r.fail(at, "want at least one input, found an empty array")
	case tokens != nil && len(q.Input) > 0:
		r.fail(at, "want either tokens or whole inputs, found both")
	case tokens != nil:
		q.Input = []Input{{Tokens: tokens}}
	}
}

// tokens reads the rest of an array of tokens that starts at at.
func (r *openAIReader) tokens(at int) []int64 {
	var tokens []int64
	for r.c.Next() {
		n, ok := r.c.Int()
		if !ok {
			r.want("a token, a whole number")
		}
		tokens = append(tokens, n)
	}
	if tokens == nil {
		r.fail(at, "want at least one token, found an empty array")
	}
	return tokens
}

func (r *openAIReader) encoding(q *Request) {
	at := r.c.Pos()
	switch q.Encoding = r.str("a string"); q.Encoding {
	case "", "float", "base64":
	default:
		r.fail(at, `want "float" or "base64"`)
	}
}

// embed writes what a request for embeddings has.
func (w *openAIWriter) embed(q *Request) {
	w.input("input", q.Input)
	if q.Dimensions > 0 {
		w.int("dimensions", int64(q.Dimensions))
	}
	w.str("encoding_format", q.Encoding)
}

// input writes the inputs: one alone, several as an array.
func (w *openAIWriter) input(name string, inputs []Input) {
	if len(inputs) == 0 {
		return
	}
	m := w.top(name)
	if len(inputs) == 1 {
		w.oneInput(&inputs[0])
	} else {
		w.open('[')
		for i := range inputs {
			w.comma()
			w.oneInput(&inputs[i])
		}
		w.close(']')
	}
	w.end(m)
}

func (w *openAIWriter) oneInput(in *Input) {
	if in.Tokens == nil {
		w.b = in.Content.AppendJSON(w.b)
		return
	}
	w.open('[')
	for i, n := range in.Tokens {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = appendInt(w.b, n)
	}
	w.close(']')
}

// indexed is a vector with the place that it says it has.
type indexed struct {
	index  int64
	vector []float32
}

// embeddings reads data into the order of the inputs.
func (r *openAIReader) embeddings(resp *Response) bool {
	if !r.c.Array() {
		return false
	}
	var all []indexed
	for r.c.Next() {
		e := indexed{index: int64(len(all))}
		if !r.c.Object() {
			r.want("an embedding object")
			continue
		}
		at, found := r.c.Pos()-1, false
		for r.c.Next() {
			switch string(r.key()) {
			case "index":
				if n, ok := r.c.Int(); ok {
					e.index = n
				}
			case "embedding":
				e.vector, found = r.vector(), true
			}
		}
		if !found {
			r.fail(at, "want an embedding")
		}
		all = append(all, e)
	}
	slices.SortStableFunc(all, func(a, b indexed) int { return cmp.Compare(a.index, b.index) })
	resp.Embeddings = make([][]float32, len(all))
	for i := range all {
		resp.Embeddings[i] = all[i].vector
	}
	return true
}

// vector reads numbers, or base64 of little-endian float32.
func (r *openAIReader) vector() []float32 {
	at := r.c.Pos()
	if raw, ok := r.c.Str(); ok {
		v, ok := decodeVector(plainJSON(raw))
		if !ok {
			r.fail(at, "want base64 of finite 32-bit floats")
		}
		return v
	}
	if !r.c.Array() {
		r.want("an array of numbers or a base64 string")
		return nil
	}
	v := make([]float32, 0, 1024)
	for r.c.Next() {
		f, ok := r.c.Float()
		if !ok || !finite(float32(f)) {
			r.want("a number that fits 32 bits")
			return nil
		}
		v = append(v, float32(f))
	}
	return slices.Clip(v)
}

func finite(f float32) bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

func decodeVector(encoded []byte) ([]float32, bool) {
	packed, err := base64.StdEncoding.AppendDecode(nil, encoded)
	if err != nil || len(packed)%4 != 0 {
		return nil, false
	}
	v := make([]float32, len(packed)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(packed[4*i:]))
		if !finite(v[i]) {
			return nil, false
		}
	}
	return v, true
}

// appendVector appends v in the form that the caller asked for.
func appendVector(dst []byte, v []float32, packed bool) ([]byte, bool) {
	if packed {
		bits := make([]byte, 0, 4*len(v))
		for _, f := range v {
			bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(f))
		}
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), bits)
		return append(dst, '"'), true
	}
	dst = append(dst, '[')
	for i, f := range v {
		if !finite(f) {
			return dst, false
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendFloat(dst, float64(f), 32)
	}
	return append(dst, ']'), true
}

// replyEmbeddings writes the vectors of r, but for the closing brace.
func (w *openAIWriter) replyEmbeddings(c *Call, r *Response) {
	packed := false
	if c.Dialect() == OpenAI {
		q, err := c.Request()
		packed = err == nil && q.Encoding == "base64"
	}
	w.b = append(w.b, `{"object":"list","data":[`...)
	for i, v := range r.Embeddings {
		w.comma()
		w.b = append(w.b, `{"object":"embedding","index":`...)
		w.b = append(appendInt(w.b, int64(i)), `,"embedding":`...)
		var ok bool
		if w.b, ok = appendVector(w.b, v, packed); !ok {
			w.fail(ErrMalformed, "", "embedding "+strconv.Itoa(i)+" has a number that is not finite")
		}
		w.close('}')
	}
	w.b = append(w.b, `],"model":`...)
	w.b = jsonpeek.AppendQuote(w.b, or(r.Model, c.Model))
	if r.ID != "" {
		w.key("id")
		w.b = jsonpeek.AppendQuote(w.b, r.ID)
	}
	if !r.Created.IsZero() {
		w.key("created")
		w.b = appendInt(w.b, r.Created.Unix())
	}
	if !r.Usage.IsZero() {
		w.b = appendInt(append(w.b, `,"usage":{"prompt_tokens":`...), r.Usage.Prompt())
		w.b = append(appendInt(append(w.b, `,"total_tokens":`...), r.Usage.Total()), '}')
	}
}
