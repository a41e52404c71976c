// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"bytes"
	"crypto/rand"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeResponse is [hoosh.Dialect.DecodeResponse].
func decodeResponse(op hoosh.Operation, body []byte) (*hoosh.Response, error) {
	if op != hoosh.OpChat && op != hoosh.OpCount {
		return nil, unsupportedOp(op)
	}
	body = bytes.Clone(body) // a Response owns its bytes
	r := newReader(op, body, hoosh.ErrMalformed)
	if !r.C.Object() {
		return nil, codec.NotJSON(op, r.Kind, body, r.C.Err(), "the answer is not a JSON object")
	}
	resp := &hoosh.Response{}
	ch := hoosh.Choice{Message: hoosh.Message{Role: hoosh.RoleAssistant}}
	answered := false
	for r.C.Next() {
		switch string(r.C.Key()) {
		case "type", "role":
		case "id":
			resp.ID = r.Str("a string")
		case "model":
			resp.Model = r.Str("a string")
		case "content":
			if answered = op == hoosh.OpChat && r.C.Kind() == jsonpeek.Array; answered {
				ch.Message.Parts = r.content(hoosh.RoleAssistant)
			}
		case "stop_reason":
			word, _ := r.C.Str()
			ch.Finish = finishOf(word)
		case "stop_sequence":
			ch.Stopped = r.Str("a string")
		case "usage":
			resp.Usage = readUsage(&r.C).classes()
		case "input_tokens":
			if n, ok := r.C.Int(); ok && op == hoosh.OpCount {
				answered, resp.Usage = true, hoosh.Usage{Input: min(max(n, 0), maxFigure), Source: hoosh.UsageReported}
			}
		case "error":
			if r.C.Kind() != jsonpeek.Null && r.C.Kind() != jsonpeek.Invalid {
				return nil, upstreamError(op, body)
			}
		default:
			resp.Extra = append(resp.Extra, r.Member())
		}
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	if !answered {
		return nil, malformed(op, "the answer has no "+contentOf(op), nil)
	}
	if op == hoosh.OpChat {
		resp.Choices = []hoosh.Choice{ch}
	}
	return resp, nil
}

// encodeResponse is [hoosh.Dialect.EncodeResponse]. The format has room for one
// answer, so it is the first.
func encodeResponse(c *hoosh.Call, r *hoosh.Response) ([]byte, error) {
	switch c.Op {
	case hoosh.OpCount:
		return appendCount(nil, r.Usage), nil
	case hoosh.OpChat:
	default:
		return nil, unsupportedOp(c.Op)
	}
	var ch hoosh.Choice
	if len(r.Choices) > 0 {
		ch = r.Choices[0]
	}
	if ch.Finish == hoosh.FinishError {
		return nil, answerFailed(c.Op)
	}
	id, model := r.ID, r.Model
	if model == "" {
		model = c.Model
	}
	size := 512
	for i := range ch.Message.Parts {
		size += 128 + ch.Message.Parts[i].Content().Len()
	}
	w := answerWriter{b: make([]byte, 0, size), op: c.Op, issuer: r.Provider, cut: ch.Finish == hoosh.FinishLength}
	w.b = append(appendHead(w.b, id, model), `"content":[`...)
	for i := range ch.Message.Parts {
		if err := w.part(&ch.Message.Parts[i]); err != nil {
			return nil, err
		}
	}
	w.b = append(w.b, "],"...)
	w.b = appendStop(w.b, ch.Finish, ch.Stopped, w.calls)
	w.b = appendUsage(append(w.b, `,"usage":`...), r.Usage)
	return append(w.b, '}'), nil
}

// appendCount writes the answer to a count.
func appendCount(dst []byte, u hoosh.Usage) []byte {
	w := writer{b: append(dst, '{')}
	w.int("input_tokens", int(u.Prompt()))
	return append(w.b, '}')
}

// appendHead begins a message, up to the comma before its content.
func appendHead(dst []byte, id, model string) []byte {
	if id == "" {
		id = newID("msg_")
	}
	dst = jsonpeek.AppendQuote(append(dst, `{"id":`...), id)
	dst = append(dst, `,"type":"message","role":"assistant","model":`...)
	return append(jsonpeek.AppendQuote(dst, model), ',')
}

// newID makes an id nobody else has.
func newID(prefix string) string { return prefix + rand.Text() }

// answerWriter writes the blocks of a whole answer.
type answerWriter struct {
	b      []byte
	op     hoosh.Operation
	issuer string // of thinking without a signature
	cut    bool   // the ceiling of tokens was reached
	calls  bool
}

func (w *answerWriter) comma() {
	if w.b[len(w.b)-1] != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *answerWriter) part(p *hoosh.Part) error {
	switch p.Kind {
	case hoosh.PartText, hoosh.PartRefusal:
		w.text(p)
	case hoosh.PartThinking:
		w.thought(p)
	case hoosh.PartToolCall:
		return w.call(p)
	case hoosh.PartOther:
		c := jsonpeek.NewDepth(p.Raw, jsonpeek.MaxDepth)
		if kind := typeOf(&c); slices.Contains(serverBlocks, string(kind)) && jsonpeek.Valid(p.Raw) == nil {
			w.comma()
			w.b = append(w.b, p.Raw...)
		}
	}
	return nil
}

// serverBlocks are what the vendor's own tools say in an answer.
var serverBlocks = []string{"server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result",
	"bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result", "mcp_tool_use", "mcp_tool_result", "container_upload"}

func (w *answerWriter) text(p *hoosh.Part) {
	if p.Content().IsEmpty() && len(p.Citations) == 0 {
		return
	}
	w.comma()
	w.b = p.Content().AppendJSON(append(w.b, `{"type":"text","text":`...))
	for i := range p.Citations {
		if i == 0 {
			w.b = append(w.b, `,"citations":[`...)
		} else {
			w.b = append(w.b, ',')
		}
		w.b = appendCitation(w.b, &p.Citations[i])
	}
	if len(p.Citations) > 0 {
		w.b = append(w.b, ']')
	}
	w.b = append(w.b, '}')
}

func (w *answerWriter) thought(p *hoosh.Part) {
	s := p.Signature
	if s == nil {
		if p.Content().IsEmpty() {
			return
		}
		s = &hoosh.Signature{Issuer: w.issuer}
	}
	w.comma()
	if s.Redacted {
		w.b = jsonpeek.AppendQuote(append(w.b, `{"type":"redacted_thinking","data":`...), s.Seal())
	} else {
		w.b = p.Content().AppendJSON(append(w.b, `{"type":"thinking","thinking":`...))
		w.b = jsonpeek.AppendQuote(append(w.b, `,"signature":`...), s.Seal())
	}
	w.b = append(w.b, '}')
}

// call writes a tool call, unless the end of the answer cut it off: a client could
// do nothing with it.
func (w *answerWriter) call(p *hoosh.Part) error {
	if p.Call == nil || w.cut && !isCustomCall(p.Call) && jsonpeek.Valid(p.Call.Arguments.JSON()) != nil {
		return nil
	}
	w.calls = true
	id := p.Call.ID
	if id == "" {
		id = newID("toolu_")
	}
	w.comma()
	w.b = jsonpeek.AppendQuote(append(w.b, `{"type":"tool_use","id":`...), hoosh.SealID(clientID(id), p.Signature, nil))
	w.b = jsonpeek.AppendQuote(append(w.b, `,"name":`...), p.Call.Name)
	var ok bool
	if w.b, ok = appendCallInput(append(w.b, `,"input":`...), p.Call, false); !ok {
		return badArguments(w.op)
	}
	w.b = append(w.b, '}')
	return nil
}

// clientID is the id of a call as a client of this format may check it.
func clientID(id string) string {
	if slices.ContainsFunc([]rune(id), notOfID) {
		w := writer{p: &hoosh.Profile{}}
		w.id(id)
		return string(w.b[1 : len(w.b)-1])
	}
	return id
}

// answerFailed is the error of a backend that ended an answer with a failure: this
// format has no such end.
func answerFailed(op hoosh.Operation) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUpstream, Op: op, Message: "the model's answer failed: the backend broke it off and gave no reason that could be told"}
}

// badArguments is the error of a model that calls a tool with something else than
// an object, which this format cannot say.
func badArguments(op hoosh.Operation) *hoosh.Error {
	return malformed(op, "the model calls a tool with arguments that are not a JSON object", nil)
}
