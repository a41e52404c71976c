// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
)

// encodeResponse is [hoosh.Dialect.EncodeResponse]. Of several choices the first
// is the answer.
func encodeResponse(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	switch c.Op {
	case hoosh.OpChat:
	case hoosh.OpCount:
		b := appendInt([]byte(`{"object":"response.input_tokens","input_tokens":`), r.Usage.Prompt())
		return append(b, '}'), nil
	default:
		return nil, noSuch(c.Op)
	}
	o := newObject(c, r.ID, r.Model, r.Created)
	fin := r.Finish()
	o.end(fin)
	o.usage = &r.Usage
	if r.Usage.IsZero() {
		o.usage = nil
	}
	if len(r.Choices) > 0 {
		w := outputWriter{base: strings.TrimPrefix(o.id, "resp_"), status: "completed", tools: originsOf(c), issuer: r.Provider}
		if o.status != "completed" {
			w.status = "incomplete"
		}
		w.message(&r.Choices[0].Message)
		o.output = w.b
	}
	return o.append(make([]byte, 0, len(o.output)+len(o.echo)+1024)), nil
}

// outputWriter writes the items of a whole answer.
type outputWriter struct {
	b      []byte
	n      int    // items so far
	base   string // of the items' ids
	status string // of the last item
	tools  origins
	issuer string // of thinking that has no signature

	parts []byte // of the message that is open
	open  bool
}

// itemID makes the n-th item's id, from what the answer's ids have in common.
func itemID(prefix, base string, n int) string {
	id := prefix + base
	if n < 16 {
		id += "0"
	}
	return id + strconv.FormatInt(int64(n), 16)
}

func (w *outputWriter) item() {
	if w.n++; w.n > 1 {
		w.b = append(w.b, ',')
	}
}

func (w *outputWriter) message(m *hoosh.Message) {
	last := len(m.Parts) - 1
	for i := range m.Parts {
		p := &m.Parts[i]
		status := "completed"
		if i == last {
			status = w.status
		}
		switch p.Kind {
		case hoosh.PartText, hoosh.PartRefusal:
			w.text(p)
		case hoosh.PartThinking:
			w.close("completed")
			w.thinking(p)
		case hoosh.PartToolCall:
			if p.Call != nil {
				w.close("completed")
				w.call(p, status)
			}
		case hoosh.PartOther:
			if isItem(p.Raw) {
				w.close("completed")
				w.item()
				w.b = append(w.b, p.Raw...)
			}
		}
	}
	w.close(w.status)
}

// isItem reports that a part of another kind is an item of this format.
func isItem(raw []byte) bool {
	kind := stringMember(raw, "type")
	for _, end := range []string{"_call", "_call_output", "mcp_list_tools", "mcp_approval_request", "compaction"} {
		if bytes.HasSuffix(kind, []byte(end)) {
			return stringMember(raw, "id") != nil
		}
	}
	return false
}

func (w *outputWriter) text(p *hoosh.Part) {
	said := p.Kind == hoosh.PartText && slices.ContainsFunc(p.Citations, func(t hoosh.Citation) bool { return len(appendAnnotation(nil, &t)) > 0 })
	if p.Content().IsEmpty() && !said {
		return
	}
	w.open = true
	if len(w.parts) > 0 {
		w.parts = append(w.parts, ',')
	}
	if p.Kind == hoosh.PartRefusal {
		w.parts = append(p.Content().AppendJSON(append(w.parts, `{"type":"refusal","refusal":`...)), '}')
		return
	}
	w.parts = appendAnnotations(append(w.parts, `{"type":"output_text","annotations":`...), p.Citations, false)
	w.parts = append(p.Content().AppendJSON(append(w.parts, `,"logprobs":[],"text":`...)), '}')
}

// close ends the message that is open.
func (w *outputWriter) close(status string) {
	if !w.open {
		return
	}
	w.item()
	w.b = appendMessageItem(w.b, itemID("msg_", w.base, w.n-1), status, w.parts)
	w.open, w.parts = false, w.parts[:0]
}

func (w *outputWriter) thinking(p *hoosh.Part) {
	sig := p.Signature
	switch {
	case sig == nil && p.Content().IsEmpty():
		return
	case sig == nil: // sent back, it must be known for what no other backend takes
		sig = &hoosh.Signature{Issuer: w.issuer}
	}
	w.item()
	w.b = appendReasoningItem(w.b, itemID(ownReasoning, w.base, w.n-1), appendInside(nil, p.Content()), sig.Seal())
}

func (w *outputWriter) call(p *hoosh.Part, status string) {
	t := p.Call
	o := w.tools.of(t.Name)
	id := t.ID
	if id == "" {
		id = newID("call_")
	}
	var arguments []byte
	prefix := "fc_"
	switch {
	case isCustomCall(t): // in this format's, or chat completions', own way
		o.custom, prefix = true, "ctc_"
		arguments = hoosh.NewText(inputText(t.Arguments)).AppendJSON(nil)
	case o.custom:
		prefix = "ctc_"
		arguments = inputOf(t.Arguments.JSON())
	default:
		arguments = t.Arguments.AppendString(nil)
	}
	if namespace := t.Extra.Get(extraNamespace); o.namespace == nil && namespace != nil {
		o.namespace = namespace
	}
	w.item()
	w.b = appendCallItem(w.b, itemID(prefix, w.base, w.n-1), status, hoosh.SealID(id, p.Signature, nil), o, arguments)
}
