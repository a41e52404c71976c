// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Clients put a stream together block by block, and some give every piece to the
// block that began last. So only one block is open at a time, as Anthropic itself
// does it: the first in the list. What comes for others meanwhile (parallel calls
// of other vendors may alternate) is written and held until their turn.

// encoder is [hoosh.Dialect.NewEncoder]'s.
type encoder struct {
	op     hoosh.Operation
	model  string
	issuer string // of the source's signatures
	begun  bool
	ended  bool // no more blocks: the reason has been given
	failed bool // that reason is a failure, which the caller was told of
	blocks []openBlock
	calls  []openCall
	next   int // index of the next block
	held   int // bytes
	prefix []byte
	usage  hoosh.Usage
	finish hoosh.Finish
	stop   string
}

// openBlock is a block that has not been ended. All but the first are held.
type openBlock struct {
	kind   hoosh.PartKind // text, thinking or tool call
	index  int
	held   []byte
	signed bool // thinking: its signature was written
	call   int  // place in calls, of a tool call
}

// openCall is a tool call that was begun, and perhaps ended.
type openCall struct {
	source int // what the source counts
	id     string
	block  int // its index
	said   bool
	scan   jsonEnd
}

// What a backend can make an encoder hold.
const (
	maxCalls = 1024
	maxHeld  = 16 << 20
)

func newEncoder(c *hoosh.Call, r *hoosh.Reply) hoosh.FrameEncoder {
	return &encoder{op: c.Op, model: c.Model, issuer: cmp.Or(r.Issuer, r.Provider)}
}

func (s *encoder) Encode(dst []byte, e *hoosh.Event) ([]byte, error) {
	switch {
	case e.Kind == hoosh.EventUsage:
		s.usage = s.usage.Merge(e.Usage)
		return dst, nil
	case e.Choice != 0, s.ended: // the format has room for one answer
		return dst, nil
	}
	if !s.begun {
		s.begun = true
		id, model := "", s.model
		if e.Kind == hoosh.EventStart {
			id, model = e.ID, cmp.Or(e.Model, model)
		}
		dst = appendStart(dst, id, model, s.usage)
	}
	var err error
	switch e.Kind {
	case hoosh.EventText, hoosh.EventRefusal:
		dst = s.text(dst, hoosh.PartText, e.Content())
	case hoosh.EventThinking:
		dst = s.text(dst, hoosh.PartThinking, e.Content())
	case hoosh.EventSignature:
		dst = s.signature(dst, e.Signature)
	case hoosh.EventCitation:
		dst = s.citation(dst, e.Citation)
	case hoosh.EventToolCall:
		dst, err = s.toolCall(dst, e)
	case hoosh.EventArguments:
		dst = s.arguments(dst, s.call(e.Index), e.Content())
	case hoosh.EventFinish:
		if e.Finish == hoosh.FinishError {
			s.ended, s.failed = true, true
			return dst, answerFailed(s.op)
		}
		if e.Finish != hoosh.FinishNone {
			dst = s.close(dst)
			s.finish, s.stop, s.ended = e.Finish, e.Name, true
		}
		return dst, nil
	}
	if err != nil {
		return dst, err
	}
	if s.held > maxHeld || s.next >= maxBlocks {
		return dst, malformed(s.op, "the tool calls of the answer are too large", nil)
	}
	return s.advance(dst), nil
}

// End ends the blocks and the message. Of a failure the error is the end.
func (s *encoder) End(dst []byte) []byte {
	if s.failed {
		return dst
	}
	if !s.begun {
		s.begun = true
		dst = appendStart(dst, "", s.model, s.usage)
	}
	if !s.ended {
		dst = s.close(dst)
		s.ended = true
	}
	return appendEnd(dst, s.finish, s.stop, len(s.calls) > 0, s.usage)
}

// add puts a block at the end of the list and writes its start, but for the value
// of the content_block's members, which is block.
func (s *encoder) add(dst []byte, b openBlock, block []byte) []byte {
	b.index = s.next
	s.next++
	s.blocks = append(s.blocks, b)
	i := len(s.blocks) - 1
	return s.write(dst, i, func(dst []byte) []byte {
		dst = append(dst, "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"...)
		dst = append(strconv.AppendInt(dst, int64(b.index), 10), `,"content_block":{`...)
		return append(append(dst, block...), "}}\n\n"...)
	})
}

// write writes to block i: to the client if it is the open one, else to what is
// held of it.
func (s *encoder) write(dst []byte, i int, frame func([]byte) []byte) []byte {
	if i == 0 {
		return frame(dst)
	}
	b := &s.blocks[i]
	before := len(b.held)
	b.held = frame(b.held)
	s.held += len(b.held) - before
	return dst
}

// advance ends the first block, as long as nothing more can come for it and
// another waits.
func (s *encoder) advance(dst []byte) []byte {
	for len(s.blocks) > 1 {
		b := &s.blocks[0]
		if b.kind == hoosh.PartToolCall && !s.calls[b.call].scan.done() {
			break
		}
		dst = s.shift(dst)
	}
	return dst
}

// shift ends the first block and goes on with the next.
func (s *encoder) shift(dst []byte) []byte {
	b := &s.blocks[0]
	if b.kind == hoosh.PartThinking && !b.signed {
		// The client's history shall tell whose it is all the same.
		dst = appendSignature(dst, b.index, &hoosh.Signature{Issuer: s.issuer})
	}
	dst = appendBlockStop(dst, b.index)
	s.blocks = slices.Delete(s.blocks, 0, 1)
	s.prefix = s.prefix[:0]
	if len(s.blocks) > 0 {
		dst = append(dst, s.blocks[0].held...)
		s.held -= len(s.blocks[0].held)
		s.blocks[0].held = nil
	}
	return dst
}

// close ends all blocks.
func (s *encoder) close(dst []byte) []byte {
	for len(s.blocks) > 0 {
		dst = s.shift(dst)
	}
	return dst
}

// last gives the place of the last block, if it is of this kind and can grow; else
// a new one is begun.
func (s *encoder) last(dst []byte, kind hoosh.PartKind) ([]byte, int) {
	n := len(s.blocks)
	if n > 0 && s.blocks[n-1].kind == kind && !s.blocks[n-1].signed {
		return dst, n - 1
	}
	start := textStart
	if kind == hoosh.PartThinking {
		start = thinkingStart
	}
	dst = s.add(dst, openBlock{kind: kind}, start)
	return s.advance(dst), len(s.blocks) - 1
}

var (
	textStart     = []byte(`"type":"text","text":""`)
	thinkingStart = []byte(`"type":"thinking","thinking":"","signature":""`)
)

// text writes a piece of text or thinking. It is the hot path: what each frame
// begins with is made once a block.
func (s *encoder) text(dst []byte, kind hoosh.PartKind, t hoosh.Text) []byte {
	if t.IsEmpty() {
		return dst
	}
	dst, i := s.last(dst, kind)
	if i > 0 {
		b := &s.blocks[i]
		before := len(b.held)
		b.held = append(t.AppendJSON(appendTextHead(b.held, b)), "}}\n\n"...)
		s.held += len(b.held) - before
		return dst
	}
	if len(s.prefix) == 0 {
		s.prefix = appendTextHead(s.prefix, &s.blocks[0])
	}
	return append(t.AppendJSON(append(dst, s.prefix...)), "}}\n\n"...)
}

func appendTextHead(dst []byte, b *openBlock) []byte {
	dst = appendDeltaHead(dst, b.index)
	if b.kind == hoosh.PartThinking {
		return append(dst, `"thinking_delta","thinking":`...)
	}
	return append(dst, `"text_delta","text":`...)
}

// appendDeltaHead begins a delta, up to the value of its type.
func appendDeltaHead(dst []byte, index int) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	return append(strconv.AppendInt(dst, int64(index), 10), `,"delta":{"type":`...)
}

func appendSignature(dst []byte, index int, s *hoosh.Signature) []byte {
	dst = append(appendDeltaHead(dst, index), `"signature_delta","signature":`...)
	return append(jsonpeek.AppendQuote(dst, s.Seal()), "}}\n\n"...)
}

// signature writes that of the thinking before it, or redacted thinking.
func (s *encoder) signature(dst []byte, sig *hoosh.Signature) []byte {
	if sig == nil {
		return dst
	}
	own := &hoosh.Signature{Issuer: cmp.Or(sig.Issuer, s.issuer), Data: sig.Data, Redacted: sig.Redacted}
	if sig.Redacted {
		start := jsonpeek.AppendQuote([]byte(`"type":"redacted_thinking","data":`), own.Seal())
		return s.add(dst, openBlock{kind: hoosh.PartThinking, signed: true}, start)
	}
	dst, i := s.last(dst, hoosh.PartThinking)
	b := &s.blocks[i]
	b.signed = true
	index := b.index
	return s.write(dst, i, func(dst []byte) []byte { return appendSignature(dst, index, own) })
}

func (s *encoder) citation(dst []byte, c *hoosh.Citation) []byte {
	if c == nil || c.URL == "" && !isCitation(c.Raw) {
		return dst
	}
	dst, i := s.last(dst, hoosh.PartText)
	index := s.blocks[i].index
	return s.write(dst, i, func(dst []byte) []byte {
		dst = append(appendDeltaHead(dst, index), `"citations_delta","citation":`...)
		return append(appendCitation(dst, c), "}}\n\n"...)
	})
}

// call is the place of the last call that the source counts so, -1 without one:
// some count none of their calls.
func (s *encoder) call(source int) int {
	k := len(s.calls) - 1
	for k >= 0 && s.calls[k].source != source {
		k--
	}
	return k
}

// toolCall begins a call, unless the source says the same beginning again.
func (s *encoder) toolCall(dst []byte, e *hoosh.Event) ([]byte, error) {
	k := s.call(e.Index)
	if k < 0 || e.ID == "" || s.calls[k].id != e.ID {
		if len(s.calls) == maxCalls {
			return dst, malformed(s.op, "the answer has too many tool calls", nil)
		}
		k = len(s.calls)
		dst = s.beginCall(dst, e)
	}
	if e.Value != nil {
		if s.calls[k].said {
			return dst, nil
		}
		value, ok := appendInput(nil, hoosh.ValueArguments(e.Value))
		if !ok {
			return dst, badArguments(s.op)
		}
		s.calls[k].scan.whole()
		if isEmptyObject(value) {
			return dst, nil
		}
		return s.piece(dst, k, hoosh.NewText(string(value))), nil
	}
	return s.arguments(dst, k, e.Content()), nil
}

func (s *encoder) beginCall(dst []byte, e *hoosh.Event) []byte {
	id := e.ID
	if id == "" {
		id = newID("toolu_")
	}
	shown := clientID(id)
	if sig := e.Signature; sig != nil {
		shown = hoosh.SealID(shown, &hoosh.Signature{Issuer: cmp.Or(sig.Issuer, s.issuer), Data: sig.Data}, nil)
	}
	s.calls = append(s.calls, openCall{source: e.Index, id: id, block: s.next})
	start := jsonpeek.AppendQuote([]byte(`"type":"tool_use","id":`), shown)
	start = jsonpeek.AppendQuote(append(start, `,"name":`...), e.Name)
	dst = s.add(dst, openBlock{kind: hoosh.PartToolCall, call: len(s.calls) - 1}, append(start, `,"input":{}`...))
	// The first piece is empty, as it is with Anthropic.
	i, index := len(s.blocks)-1, s.next-1
	return s.write(dst, i, func(dst []byte) []byte {
		return append(appendDeltaHead(dst, index), "\"input_json_delta\",\"partial_json\":\"\"}}\n\n"...)
	})
}

// arguments writes a piece of the arguments of call k, if there is one. White space
// that they begin with says nothing, and all of them may be such.
func (s *encoder) arguments(dst []byte, k int, t hoosh.Text) []byte {
	if k < 0 || t.IsEmpty() || !s.calls[k].said && t.Len() < 64 && strings.TrimSpace(t.String()) == "" {
		return dst
	}
	return s.piece(dst, k, t)
}

func (s *encoder) piece(dst []byte, k int, t hoosh.Text) []byte {
	call := &s.calls[k]
	i := slices.IndexFunc(s.blocks, func(b openBlock) bool { return b.index == call.block })
	if i < 0 {
		return dst // its arguments were whole
	}
	call.said = true
	return s.write(dst, i, func(dst []byte) []byte {
		dst = append(appendDeltaHead(dst, call.block), `"input_json_delta","partial_json":`...)
		from := len(dst)
		dst = t.AppendJSON(dst)
		call.scan.add(dst[from+1 : len(dst)-1])
		if sabotaged {
			dst = appendMaimed(dst[:from], t)
		}
		return append(dst, "}}\n\n"...)
	})
}

// appendStart writes message_start.
func appendStart(dst []byte, id, model string, u hoosh.Usage) []byte {
	dst = append(dst, "event: message_start\ndata: {\"type\":\"message_start\",\"message\":"...)
	dst = appendHead(dst, id, model)
	dst = append(dst, `"content":[],"stop_reason":null,"stop_sequence":null,"usage":`...)
	return append(appendUsage(dst, u), "}}\n\n"...)
}

func appendBlockStop(dst []byte, index int) []byte {
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	return append(strconv.AppendInt(dst, int64(index), 10), "}\n\n"...)
}

// appendEnd writes message_delta, with the usage of the whole, and message_stop.
func appendEnd(dst []byte, why hoosh.Finish, sequence string, calls bool, u hoosh.Usage) []byte {
	dst = append(dst, "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{"...)
	dst = appendStop(dst, why, sequence, calls)
	dst = appendUsage(append(dst, `},"usage":`...), u)
	return append(dst, "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

// jsonEnd finds out where a JSON object that comes in pieces, as the inside of a
// JSON string, has ended.
type jsonEnd struct {
	depth    int
	begun    bool
	inString bool
	escaped  bool // the next character of the value is
	known    bool // it is whole by other knowledge
}

func (j *jsonEnd) whole() { j.known = true }

func (j *jsonEnd) done() bool { return j.known || j.begun && j.depth == 0 && !j.inString }

// add takes a piece as it stands between its quotes.
func (j *jsonEnd) add(raw []byte) {
	for i := 0; i < len(raw); i++ {
		ch := raw[i]
		if ch == '\\' && i+1 < len(raw) {
			i++
			switch ch = raw[i]; ch {
			case '"', '\\', '/':
			case 'u': // what is written so is mostly no quote or bracket, but it may be
				if i+4 < len(raw) {
					text := jsonpeek.Unquote(raw[i-1 : i+5])
					ch = text[0]
					i += 4
				}
			default: // a line end and the like
				ch = ' '
			}
		}
		j.step(ch)
	}
}

func (j *jsonEnd) step(ch byte) {
	switch {
	case j.escaped:
		j.escaped = false
	case j.inString:
		j.escaped = ch == '\\'
		j.inString = ch != '"'
	case ch == '"':
		j.inString, j.begun = true, true
	case ch == '{', ch == '[':
		j.depth++
		j.begun = true
	case ch == '}', ch == ']':
		j.depth = max(j.depth-1, 0)
	}
}
