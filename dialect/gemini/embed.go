// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"math"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Embeddings: embedContent, which is of one text, and batchEmbedContents.

// embed reads a request for embeddings, whose reader is at its start. What the
// requests of a batch have beside stays in Extra: a value where all have the same,
// else an array with one for each.
func (r *reader) embed(q *hoosh.Request) (*hoosh.Request, error) {
	if r.C.Kind() != jsonpeek.Object {
		return nil, codec.NotJSON(r.Op, r.Kind, r.Body, r.C.End(), "want a JSON object")
	}
	var all []hoosh.Extra
	r.object("an object", func(name string) {
		if name == "requests" {
			r.array("an array of requests", func() {
				all = append(all, nil)
				at := r.C.Pos()
				found := false
				r.object("a request object", func(name string) {
					found = found || name == "content"
					r.embedMember(name, q, &all[len(all)-1], len(all) > 1)
				})
				if !found {
					r.Fail(at, "want content")
				}
			})
			return
		}
		r.embedMember(name, q, &q.Extra, false)
	})
	if err := r.End(); err != nil {
		return nil, err
	}
	if len(q.Input) == 0 {
		return nil, codec.Invalid(r.Op, "content", `missing; want what to embed, or several in "requests"`)
	}
	q.Extra = append(q.Extra, gathered(all)...)
	return q, nil
}

func (r *reader) embedMember(name string, q *hoosh.Request, extra *hoosh.Extra, later bool) {
	switch name {
	case "model":
	case "content":
		q.Input = append(q.Input, hoosh.Input{Content: r.embedText()})
	case "outputDimensionality":
		at := r.C.Pos()
		n := r.Count()
		if later && n != q.Dimensions {
			r.FailAs(hoosh.ErrUnsupported, at, "requests of one batch with different dimensions cannot be translated")
		}
		q.Dimensions = n
	default:
		*extra = append(*extra, r.Member())
	}
}

// embedText is the text of the content at hand.
func (r *reader) embedText() hoosh.Text {
	at := r.C.Pos()
	if raw, ok := r.C.Str(); ok {
		return hoosh.RawText(raw)
	}
	var texts []hoosh.Text
	r.object("a content object", func(name string) {
		if name != "parts" {
			return
		}
		r.array("an array of parts", func() {
			here, found := r.C.Pos(), false
			r.object("a part, an object", func(name string) {
				if name == "text" {
					t, _ := r.Text("a string")
					texts, found = append(texts, t), true
				}
			})
			if !found {
				r.FailAs(hoosh.ErrUnsupported, here, "only text can be embedded by other backends; want text")
			}
		})
	})
	switch len(texts) {
	case 0:
		r.Fail(at, "want a part of text")
		return hoosh.Text{}
	case 1:
		return texts[0]
	}
	var raw []byte
	for i, t := range texts {
		if i > 0 {
			raw = append(raw, `\n`...)
		}
		quoted := t.AppendJSON(nil)
		raw = append(raw, quoted[1:len(quoted)-1]...)
	}
	return hoosh.RawText(raw)
}

// gathered brings the members of the requests of a batch together.
func gathered(all []hoosh.Extra) (x hoosh.Extra) {
	for i := range all {
		for _, m := range all[i] {
			if x.Get(m.Key) != nil {
				continue
			}
			same, list := true, []byte{'['}
			for j := range all {
				v := all[j].Get(m.Key)
				same = same && bytes.Equal(v, m.Value)
				if v == nil {
					v = []byte("null")
				}
				if j > 0 {
					list = append(list, ',')
				}
				list = append(list, v...)
			}
			if !same {
				m.Value = append(list, ']')
			}
			x = append(x, m)
		}
	}
	return x
}

// embed writes a batch.
func (w *writer) embed(c *hoosh.Call, q *hoosh.Request) {
	if len(q.Input) == 0 {
		w.fail(hoosh.ErrInvalidRequest, "input", "want at least one input")
	}
	model := jsonpeek.AppendQuote(nil, modelName(c.Model))
	w.key("requests")
	w.b = append(w.b, '[')
	for i := range q.Input {
		in := &q.Input[i]
		if in.Tokens != nil {
			w.fail(hoosh.ErrUnsupported, "input", "Gemini embeds text only, and this is made of tokens; want strings")
		}
		w.comma()
		w.b = append(append(w.b, `{"model":`...), model...)
		w.b = append(w.b, `,"content":{"parts":[{"text":`...)
		w.b = append(in.Content.AppendJSON(w.b), "}]}"...)
		if q.Dimensions > 0 {
			w.int("outputDimensionality", int64(q.Dimensions))
		}
		if w.extras {
			w.embedExtra(q.Extra, i, len(q.Input))
		}
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
	for i := range q.Extra {
		if !w.extras && !q.Extra[i].IsNote() {
			w.drop(q.Extra[i].Key)
		}
	}
	if q.User != "" {
		w.drop("user")
	}
}

// embedExtra writes the members of request i of n.
func (w *writer) embedExtra(x hoosh.Extra, i, n int) {
	for k := range x {
		m := &x[k]
		v := []byte(m.Value)
		switch name := nameOf(jsonpeek.AppendEscape(nil, m.Key)); {
		case m.IsNote():
			continue
		case name == "model", name == "content", name == "requests", name == "outputDimensionality":
			w.drop(m.Key)
			continue
		case name == "taskType" || name == "title":
			v = element(v, i, n)
		}
		if v == nil {
			continue
		}
		w.key(string(jsonpeek.AppendEscape(nil, m.Key)))
		w.raw(v, m.Key)
	}
}

// element is the i-th of an array of n, nil for null; another value is itself.
func element(v []byte, i, n int) []byte {
	c := jsonpeek.New(v)
	if !c.Array() {
		return v
	}
	var at []byte
	count := 0
	for ; c.Next(); count++ {
		if count == i && c.Kind() != jsonpeek.Null {
			at = c.Value()
		}
	}
	if count != n {
		return v
	}
	return at
}

// vectors reads the answer to either.
func (r *reader) vectors(resp *hoosh.Response) bool {
	found := false
	for r.C.Next() {
		switch string(r.C.Key()) {
		case "embedding":
			found = true
			resp.Embeddings = append(resp.Embeddings, r.vector())
		case "embeddings":
			if found = r.C.Kind() == jsonpeek.Array; found {
				r.array("an array of embeddings", func() { resp.Embeddings = append(resp.Embeddings, r.vector()) })
			}
		case "usageMetadata":
			resp.Usage = readUsage(&r.C).classes()
		default:
			resp.Extra = append(resp.Extra, r.Member())
		}
	}
	return found
}

// vector reads the values of the embedding at hand.
func (r *reader) vector() []float32 {
	at := r.C.Pos()
	var v []float32
	found := false
	if r.C.Object() {
		for r.C.Next() {
			if string(r.C.Key()) != "values" || !r.C.Array() {
				continue
			}
			v, found = make([]float32, 0, 1024), true
			for r.C.Next() {
				f, ok := r.C.Float()
				if !ok || !finite(float32(f)) {
					r.Want("a number that fits 32 bits")
					break
				}
				v = append(v, float32(f))
			}
		}
	}
	if !found {
		r.Fail(at, "want an embedding with values")
	}
	return v[:len(v):len(v)]
}

func finite(f float32) bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// appendVectors writes the answer to a batch, or to the call of one text.
func appendVectors(dst []byte, c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	batch := c.Envelope().Has("requests") || c.Body() == nil || len(r.Embeddings) != 1
	if batch {
		dst = append(dst, `{"embeddings":[`...)
	} else {
		dst = append(dst, `{"embedding":`...)
	}
	for i, v := range r.Embeddings {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"values":[`...)
		for j, f := range v {
			if !finite(f) {
				return nil, malformed(c.Op, "embedding "+strconv.Itoa(i)+" has a number that is not finite", nil)
			}
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendFloat(dst, float64(f), 32)
		}
		dst = append(dst, "]}"...)
	}
	if batch {
		dst = append(dst, ']')
	}
	return append(dst, '}'), nil
}
