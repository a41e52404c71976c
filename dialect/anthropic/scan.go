// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxFigure bounds what a backend may report: sums of such figures do not
// overflow.
const maxFigure = 1 << 40

// usage is a usage object as it stands.
type usage struct {
	input, read, written, output, thinking int64
	reported                               bool
}

// readUsage reads the usage object at hand. It allocates nothing.
func readUsage(c *jsonpeek.Cursor) (u usage) {
	if !c.Object() {
		return u
	}
	figure := func(into *int64) {
		if n, ok := c.Int(); ok {
			*into, u.reported = min(max(n, 0), maxFigure), true
		}
	}
	for c.Next() {
		switch string(c.Key()) {
		case "input_tokens":
			figure(&u.input)
		case "cache_read_input_tokens":
			figure(&u.read)
		case "cache_creation_input_tokens":
			figure(&u.written)
		case "output_tokens":
			figure(&u.output)
		case "output_tokens_details":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "thinking_tokens" {
						figure(&u.thinking)
					}
				}
			}
		}
	}
	return u
}

// classes brings the figures to disjoint ones: thinking is part of the output.
func (u usage) classes() hoosh.Usage {
	if !u.reported {
		return hoosh.Usage{}
	}
	thought := min(u.thinking, u.output)
	return hoosh.Usage{Input: u.input, CacheRead: u.read, CacheWrite: u.written,
		Output: u.output - thought, Reasoning: thought, Source: hoosh.UsageReported}
}

// appendUsage writes a usage object.
func appendUsage(dst []byte, u hoosh.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `{"input_tokens":`...), u.Input+u.AudioInput, 10)
	dst = strconv.AppendInt(append(dst, `,"cache_creation_input_tokens":`...), u.CacheWrite, 10)
	dst = strconv.AppendInt(append(dst, `,"cache_read_input_tokens":`...), u.CacheRead, 10)
	dst = strconv.AppendInt(append(dst, `,"output_tokens":`...), u.Completion(), 10)
	if u.Reasoning > 0 {
		dst = strconv.AppendInt(append(dst, `,"output_tokens_details":{"thinking_tokens":`...), u.Reasoning, 10)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// finishOf reads a stop_reason.
func finishOf(word []byte) hoosh.Finish {
	switch string(word) {
	case "end_turn", "stop_sequence":
		return hoosh.FinishStop
	case "tool_use":
		return hoosh.FinishToolCalls
	case "max_tokens", "model_context_window_exceeded":
		return hoosh.FinishLength
	case "refusal":
		return hoosh.FinishContentFilter
	case "":
		return hoosh.FinishNone
	}
	return hoosh.FinishOther // pause_turn
}

// appendStop writes stop_reason and stop_sequence; calls tells that there were
// tool calls in the answer.
func appendStop(dst []byte, why hoosh.Finish, sequence string, calls bool) []byte {
	word := "end_turn"
	switch {
	case why == hoosh.FinishLength:
		word = "max_tokens"
	case why == hoosh.FinishContentFilter:
		word = "refusal"
	case calls || why == hoosh.FinishToolCalls:
		word = "tool_use"
	case why == hoosh.FinishStop && sequence != "":
		word = "stop_sequence"
	}
	dst = append(append(append(dst, `"stop_reason":"`...), word...), `","stop_sequence":`...)
	if word != "stop_sequence" {
		return append(dst, "null"...)
	}
	return jsonpeek.AppendQuote(dst, sequence)
}

func malformed(op hoosh.Operation, message string, err error) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: message, Err: err}
}

// scanResponse is [hoosh.Dialect.ScanResponse].
func scanResponse(op hoosh.Operation, body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	c := jsonpeek.New(body)
	if !c.Object() {
		return u, fin, malformed(op, "the answer is not a JSON object", nil)
	}
	answer, failed := false, false
	for c.Next() {
		switch string(c.Key()) {
		case "content":
			answer = op == hoosh.OpChat && c.Kind() == jsonpeek.Array
		case "input_tokens":
			if n, ok := c.Int(); ok && op == hoosh.OpCount {
				answer, u = true, hoosh.Usage{Input: min(max(n, 0), maxFigure), Source: hoosh.UsageReported}
			}
		case "stop_reason":
			word, _ := c.Str()
			fin = finishOf(word)
		case "usage":
			u = readUsage(&c).classes()
		case "error":
			failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return hoosh.Usage{}, hoosh.FinishNone, malformed(op, err.Error(), err)
	}
	if failed {
		return hoosh.Usage{}, hoosh.FinishNone, upstreamError(op, body)
	}
	if !answer {
		return hoosh.Usage{}, hoosh.FinishNone, malformed(op, "the answer has no "+contentOf(op), nil)
	}
	return u, fin, nil
}

// contentOf is the member that holds what was asked for.
func contentOf(op hoosh.Operation) string {
	if op == hoosh.OpCount {
		return "input_tokens"
	}
	return "content"
}

// signatures is [hoosh.Dialect.Signatures].
func signatures(body []byte, yield func([]byte)) {
	c := jsonpeek.New(body)
	if !c.Object() {
		return
	}
	for c.Next() {
		if string(c.Key()) != "content" || !c.Array() {
			continue
		}
		for c.Next() {
			if !c.Object() {
				continue
			}
			var kind, signature, data []byte
			for c.Next() {
				switch string(c.Key()) {
				case "type":
					kind, _ = c.Str()
				case "signature":
					signature, _ = c.Str()
				case "data":
					data, _ = c.Str()
				}
			}
			if string(kind) == "redacted_thinking" {
				signature = data
			}
			if len(signature) > 0 {
				yield(codec.Plain(signature))
			}
		}
	}
}

// event is what one frame of a stream says; what is in it aliases the frame.
type event struct {
	kind      []byte // between quotes, like all text here
	index     int
	id, model []byte // of message_start
	block     blockStart
	delta     []byte // its kind
	piece     []byte // the text of a delta
	citation  []byte // a JSON object
	stop      []byte // stop_reason
	sequence  []byte // stop_sequence
	usage     usage
	failed    bool
}

// blockStart is the block of content_block_start.
type blockStart struct {
	kind, id, name, text, data []byte
	input                      []byte // a JSON object
}

// readEvent reads a frame.
func readEvent(op hoosh.Operation, data []byte, e *event) error {
	c := jsonpeek.New(data)
	if !c.Object() {
		return malformed(op, "an event is not a JSON object", nil)
	}
	for c.Next() {
		switch string(c.Key()) {
		case "type":
			e.kind, _ = c.Str()
		case "index":
			n, _ := c.Int()
			e.index = int(min(max(n, 0), maxBlocks-1))
		case "delta":
			if c.Object() {
				for c.Next() {
					e.readDelta(&c)
				}
			}
		case "content_block":
			if c.Object() {
				for c.Next() {
					e.block.read(&c)
				}
			}
		case "message":
			if c.Object() {
				for c.Next() {
					switch string(c.Key()) {
					case "id":
						e.id, _ = c.Str()
					case "model":
						e.model, _ = c.Str()
					case "usage":
						e.usage = readUsage(&c)
						// The answer has not begun: what is counted of it is a first token or two.
						e.usage.output, e.usage.thinking = 0, 0
					}
				}
			}
		case "usage":
			e.usage = readUsage(&c)
		case "error":
			e.failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return malformed(op, err.Error(), err)
	}
	if e.failed || string(e.kind) == "error" {
		return upstreamError(op, data)
	}
	return nil
}

func (e *event) readDelta(c *jsonpeek.Cursor) {
	switch string(c.Key()) {
	case "type":
		e.delta, _ = c.Str()
	case "text", "partial_json", "thinking", "signature":
		e.piece, _ = c.Str()
	case "citation":
		if c.Kind() == jsonpeek.Object {
			e.citation = c.Value()
		}
	case "stop_reason":
		e.stop, _ = c.Str()
	case "stop_sequence":
		e.sequence, _ = c.Str()
	}
}

func (b *blockStart) read(c *jsonpeek.Cursor) {
	switch string(c.Key()) {
	case "type":
		b.kind, _ = c.Str()
	case "id":
		b.id, _ = c.Str()
	case "name":
		b.name, _ = c.Str()
	case "text", "thinking":
		b.text, _ = c.Str()
	case "data":
		b.data, _ = c.Str()
	case "input":
		if c.Kind() == jsonpeek.Object {
			b.input = c.Value()
		}
	}
}

// maxBlocks bounds the blocks of one answer.
const maxBlocks = 4096

// scanner is [hoosh.Dialect.NewScanner]'s.
type scanner struct {
	op    hoosh.Operation
	begun bool
	open  []int // blocks
	next  int   // index of a block to come
	calls bool
	done  bool
}

func newScanner(op hoosh.Operation, _ int) hoosh.FrameScanner { return &scanner{op: op} }

func (s *scanner) Scan(f *hoosh.Frame) error {
	var e event
	if err := readEvent(s.op, f.Data, &e); err != nil {
		return err
	}
	switch string(e.kind) {
	case "content_block_delta":
		if len(e.piece) > 0 {
			f.Kind = hoosh.FrameContent
			if string(e.delta) == "signature_delta" {
				f.Signature = e.piece
			} else {
				f.Text = len(e.piece)
			}
		}
	case "message_start":
		s.begun = true
		f.Usage = e.usage.classes()
	case "content_block_start":
		s.next = max(s.next, e.index+1)
		if !slices.Contains(s.open, e.index) {
			s.open = append(s.open, e.index)
		}
		s.block(f, &e.block)
	case "content_block_stop":
		s.open = slices.DeleteFunc(s.open, func(i int) bool { return i == e.index })
	case "message_delta":
		f.Finish, f.Usage = finishOf(e.stop), e.usage.classes()
	case "message_stop":
		f.Kind, s.done = hoosh.FrameEnd, true
	}
	return nil
}

// block notes what the start of a block brings.
func (s *scanner) block(f *hoosh.Frame, b *blockStart) {
	switch string(b.kind) {
	case "tool_use":
		s.calls = true
		f.Kind, f.Text = hoosh.FrameContent, len(b.name)
		if len(b.input) > len("{}") {
			f.Text += len(b.input)
		}
	case "redacted_thinking":
		f.Kind, f.Signature = hoosh.FrameContent, b.data
	default:
		if len(b.text) > 0 {
			f.Kind, f.Text = hoosh.FrameContent, len(b.text)
		}
	}
}

func (s *scanner) Complete() bool { return s.done }

// End closes what is open. The usage is told in any case: every client of this
// format is shown it.
func (s *scanner) End(dst []byte, why hoosh.Finish, u hoosh.Usage, _ bool) []byte {
	if !s.begun {
		dst = appendStart(dst, "", "", hoosh.Usage{})
	}
	for _, i := range s.open {
		dst = appendBlockStop(dst, i)
	}
	return appendEnd(dst, why, "", s.calls && why == hoosh.FinishToolCalls, u)
}

// upstreamError is the error that a backend reports under a 200 or within a
// stream.
func upstreamError(op hoosh.Operation, data []byte) *hoosh.Error {
	e := decodeError(0, nil, data)
	e.Op, e.Upstream, e.Body = op, true, bytes.Clone(data[:min(len(data), maxErrorBody)])
	return e
}
