// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"math"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Embeddings: embedContent, which is of one text, and batchEmbedContents.

// embed reads a request for embeddings, whose reader is at its start. What the
// requests of a batch have beside stays in Extra: a value where all have the same,
// else an array with one for each.
func (r *reader) embed(q *hoosh.Request) (*hoosh.Request, error) {
	if r.c.Kind() != jsonpeek.Object {
		return nil, notJSON(r.op, r.kind, r.body, r.c.End(), "want a JSON object")
	}
	var all []hoosh.Extra
	r.object("an object", func(name string) {
		if name == "requests" {
			r.array("an array of requests", func() {
				all = append(all, nil)
				at := r.c.Pos()
				found := false
				r.object("a request object", func(name string) {
					found = found || name == "content"
					r.embedMember(name, q, &all[len(all)-1], len(all) > 1)
				})
				if !found {
					r.fail(at, "want content")
				}
			})
			return
		}
		r.embedMember(name, q, &q.Extra, false)
	})
	if err := r.end(); err != nil {
		return nil, err
	}
	if len(q.Input) == 0 {
		return nil, invalid(r.op, "content", `missing; want what to embed, or several in "requests"`)
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
		at := r.c.Pos()
		n := r.count()
		if later && n != q.Dimensions {
			r.failAs(hoosh.ErrUnsupported, at, "requests of one batch with different dimensions cannot be translated")
		}
		q.Dimensions = n
	default:
		*extra = append(*extra, r.member())
	}
}

// embedText is the text of the content at hand.
func (r *reader) embedText() hoosh.Text {
	at := r.c.Pos()
	if raw, ok := r.c.Str(); ok {
		return hoosh.RawText(raw)
	}
	var texts []hoosh.Text
	r.object("a content object", func(name string) {
		if name != "parts" {
			return
		}
		r.array("an array of parts", func() {
			here, found := r.c.Pos(), false
			r.object("a part, an object", func(name string) {
				if name == "text" {
					t, _ := r.text()
					texts, found = append(texts, t), true
				}
			})
			if !found {
				r.failAs(hoosh.ErrUnsupported, here, "only text can be embedded by other backends; want text")
			}
		})
	})
	switch len(texts) {
	case 0:
		r.fail(at, "want a part of text")
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
	for r.c.Next() {
		switch string(r.c.Key()) {
		case "embedding":
			found = true
			resp.Embeddings = append(resp.Embeddings, r.vector())
		case "embeddings":
			if found = r.c.Kind() == jsonpeek.Array; found {
				r.array("an array of embeddings", func() { resp.Embeddings = append(resp.Embeddings, r.vector()) })
			}
		case "usageMetadata":
			resp.Usage = readUsage(&r.c).classes()
		default:
			resp.Extra = append(resp.Extra, r.member())
		}
	}
	return found
}

// vector reads the values of the embedding at hand.
func (r *reader) vector() []float32 {
	at := r.c.Pos()
	var v []float32
	found := false
	if r.c.Object() {
		for r.c.Next() {
			if string(r.c.Key()) != "values" || !r.c.Array() {
				continue
			}
			v, found = make([]float32, 0, 1024), true
			for r.c.Next() {
				f, ok := r.c.Float()
				if !ok || !finite(float32(f)) {
					r.want("a number that fits 32 bits")
					break
				}
				v = append(v, float32(f))
			}
		}
	}
	if !found {
		r.fail(at, "want an embedding with values")
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
