// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"crypto/rand"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeResponse is [hoosh.Dialect.DecodeResponse]. A prompt that was refused is an
// answer without content.
func decodeResponse(op hoosh.Operation, body []byte) (*hoosh.Response, error) {
	if _, _, err := scanResponse(op, body); err != nil {
		return nil, err
	}
	body = bytes.Clone(body) // a Response owns its bytes
	r := newReader(op, body, hoosh.ErrMalformed)
	r.C.Object()
	resp := &hoosh.Response{}
	switch op {
	case hoosh.OpEmbed:
		r.vectors(resp)
	case hoosh.OpCount:
		r.total(resp)
	default:
		for r.C.Next() {
			switch string(r.C.Key()) {
			case "candidates":
				r.array("an array of candidates", func() {
					if len(resp.Choices) < maxChoices {
						resp.Choices = append(resp.Choices, r.candidate(len(resp.Choices)))
					}
				})
			case "usageMetadata":
				resp.Usage = readUsage(&r.C).classes()
			case "responseId":
				resp.ID = r.Str("a string")
			case "modelVersion":
				resp.Model = r.Str("a string")
			default:
				resp.Extra = append(resp.Extra, r.Member())
			}
		}
		if len(resp.Choices) == 0 {
			resp.Choices = []hoosh.Choice{{Message: hoosh.Message{Role: hoosh.RoleAssistant}, Finish: hoosh.FinishContentFilter}}
		}
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	return resp, nil
}

// total reads the answer to a count.
func (r *reader) total(resp *hoosh.Response) {
	for r.C.Next() {
		if string(r.C.Key()) != "totalTokens" {
			resp.Extra = append(resp.Extra, r.Member())
		} else if n, ok := r.C.Int(); ok {
			resp.Usage = hoosh.Usage{Input: min(max(n, 0), maxFigure), Source: hoosh.UsageReported}
		}
	}
}

// candidate reads the candidate at hand, the n-th.
func (r *reader) candidate(n int) hoosh.Choice {
	ch := hoosh.Choice{Index: n, Message: hoosh.Message{Role: hoosh.RoleAssistant}}
	var reason []byte
	var sources grounding
	if !r.C.Object() {
		r.Want("a candidate object")
		return ch
	}
	for r.C.Next() {
		switch string(r.C.Key()) {
		case "content":
			if !r.C.Object() {
				continue
			}
			for r.C.Next() {
				if string(r.C.Key()) == "parts" {
					ch.Message.Parts = r.parts(hoosh.RoleAssistant)
				}
			}
		case "finishReason":
			reason, _ = r.C.Str()
		case "index":
			if i, ok := r.C.Int(); ok && i >= 0 && i < maxChoices {
				ch.Index = int(i)
			}
		case "groundingMetadata":
			at := r.C
			sources.read(&at)
			ch.Extra = append(ch.Extra, r.Member())
		case "citationMetadata":
			at := r.C
			sources.readCitations(&at)
			ch.Extra = append(ch.Extra, r.Member())
		default:
			ch.Extra = append(ch.Extra, r.Member())
		}
	}
	ch.Finish = finishOf(reason, len(ch.Message.ToolCalls()) > 0)
	sources.attach(ch.Message.Parts)
	return ch
}

// encodeResponse is [hoosh.Dialect.EncodeResponse].
func encodeResponse(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	switch c.Op {
	case hoosh.OpCount:
		return append(strconv.AppendInt([]byte(`{"totalTokens":`), r.Usage.Prompt(), 10), '}'), nil
	case hoosh.OpEmbed:
		return appendVectors(nil, c, r)
	case hoosh.OpChat:
	default:
		return nil, unsupportedOp(c.Op)
	}
	size := 512
	for i := range r.Choices {
		for j := range r.Choices[i].Message.Parts {
			size += 128 + r.Choices[i].Message.Parts[j].Content().Len()
		}
	}
	w := answerWriter{b: make([]byte, 0, size), op: c.Op}
	w.b = append(w.b, `{"candidates":[`...)
	for i := range r.Choices {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := w.candidate(&r.Choices[i]); err != nil {
			return nil, err
		}
	}
	w.b = append(w.b, ']')
	if v := r.Extra.Get("promptFeedback"); isObject(v) {
		w.b = append(append(w.b, `,"promptFeedback":`...), v...)
	}
	w.b = appendUsage(append(w.b, `,"usageMetadata":`...), r.Usage)
	w.b = appendIdentity(w.b, r.ID, r.Model, c.Model)
	return append(w.b, '}'), nil
}

// appendIdentity writes the members that say which answer it is, and whose.
func appendIdentity(dst []byte, id, model, asked string) []byte {
	if model == "" {
		model = asked
	}
	if id == "" {
		id = newID("")
	}
	dst = jsonpeek.AppendQuote(append(dst, `,"modelVersion":`...), model)
	return jsonpeek.AppendQuote(append(dst, `,"responseId":`...), id)
}

// newID makes an id nobody else has.
func newID(prefix string) string { return prefix + rand.Text() }

// answerWriter writes the parts of an answer.
type answerWriter struct {
	b  []byte
	op hoosh.Operation
}

func (w *answerWriter) candidate(ch *hoosh.Choice) error {
	w.b = append(w.b, '{')
	if len(ch.Message.Parts) > 0 || ch.Finish != hoosh.FinishContentFilter { // of what was withheld there is no content
		w.b = append(w.b, `"content":{"parts":[`...)
		inside := len(w.b)
		for i := range ch.Message.Parts {
			p := &ch.Message.Parts[i]
			if p.Kind == hoosh.PartToolCall && ch.Finish == hoosh.FinishLength && p.Call != nil {
				if _, whole := p.Call.Arguments.AppendValue(nil); !whole {
					continue // the answer was cut off in it
				}
			}
			if err := w.part(p); err != nil {
				return err
			}
		}
		if len(w.b) == inside {
			w.b = append(w.b, `{"text":""}`...)
		}
		w.b = append(w.b, `],"role":"model"},`...)
	}
	w.b = append(append(append(w.b, `"finishReason":"`...), reasonOf(ch.Finish)...), `","index":`...)
	w.b = strconv.AppendInt(w.b, int64(ch.Index), 10)
	grounded := false
	for i := range ch.Extra {
		if x := &ch.Extra[i]; slices.Contains(candidateMembers, x.Key) && jsonpeek.Valid(x.Value) == nil {
			w.b = append(append(append(append(w.b, `,"`...), x.Key...), `":`...), x.Value...)
			grounded = grounded || x.Key == "groundingMetadata" || x.Key == "citationMetadata"
		}
	}
	if !grounded {
		w.grounding(ch)
	}
	w.b = append(w.b, '}')
	return nil
}

// candidateMembers are those of this format that hoosh has no field for.
var candidateMembers = []string{"groundingMetadata", "citationMetadata", "safetyRatings", "finishMessage", "avgLogprobs", "logprobsResult", "urlContextMetadata", "tokenCount"}

func isObject(v []byte) bool {
	c := jsonpeek.New(v)
	return c.Kind() == jsonpeek.Object && c.End() == nil
}

func (w *answerWriter) comma() {
	if w.b[len(w.b)-1] != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *answerWriter) part(p *hoosh.Part) error {
	switch p.Kind {
	case hoosh.PartText, hoosh.PartRefusal:
		if p.Content().IsEmpty() && p.Signature == nil {
			return nil
		}
		w.comma()
		w.b = p.Content().AppendJSON(append(w.b, `{"text":`...))
	case hoosh.PartThinking:
		if p.Content().IsEmpty() && p.Signature == nil {
			return nil
		}
		w.comma()
		w.b = p.Content().AppendJSON(append(w.b, `{"text":`...))
		w.b = append(w.b, `,"thought":true`...)
	case hoosh.PartToolCall:
		if p.Call == nil {
			return nil
		}
		w.comma()
		var ok bool
		if w.b, ok = appendCall(w.b, p.Call); !ok {
			return badArguments(w.op)
		}
	case hoosh.PartImage, hoosh.PartAudio, hoosh.PartFile:
		if p.Media == nil || p.Media.Data.IsEmpty() && p.Media.URL.IsEmpty() {
			return nil
		}
		w.comma()
		in := writer{b: w.b, p: &hoosh.Profile{}, extras: true, op: w.op}
		in.media(p, "")
		w.b = in.b
	case hoosh.PartOther:
		if c := jsonpeek.New(p.Raw); isOwnPart(c) && jsonpeek.Valid(p.Raw) == nil {
			w.comma()
			w.b = append(w.b, p.Raw...)
		}
		return nil
	default:
		return nil
	}
	if p.Signature != nil {
		w.b = jsonpeek.AppendQuote(append(w.b, `,"thoughtSignature":`...), sealed(p.Signature))
	}
	w.b = append(w.b, '}')
	return nil
}

// isOwnPart reports that a part is one of this format's that hoosh has no kind for.
func isOwnPart(c jsonpeek.Cursor) bool {
	own := false
	if c.Object() {
		for c.Next() {
			switch string(c.Key()) {
			case "executableCode", "codeExecutionResult", "toolCall", "toolResponse":
				own = true
			}
		}
	}
	return own
}

// appendCall writes the functionCall of a part, whose end is missing. A client may
// tell calls apart by their ids only, so each has one.
func appendCall(dst []byte, call *hoosh.ToolCall) ([]byte, bool) {
	id := call.ID
	if id == "" {
		id = newID("call_")
	}
	dst = jsonpeek.AppendQuote(append(dst, `{"functionCall":{"id":`...), id)
	dst = jsonpeek.AppendQuote(append(dst, `,"name":`...), call.Name)
	dst, ok := appendArgs(append(dst, `,"args":`...), call.Arguments)
	return append(dst, '}'), ok
}

// badArguments is the error of a model that calls a tool with something else than
// an object, which this format cannot say.
func badArguments(op hoosh.Operation) *hoosh.Error {
	return malformed(op, "the model calls a tool with arguments that are not a JSON object", nil)
}
