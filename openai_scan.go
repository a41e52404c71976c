// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"math/bits"

	"github.com/maccracken/hoosh/internal/framing"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// scanOpenAIResponse is [Dialect.ScanResponse].
func scanOpenAIResponse(op Operation, body []byte) (u Usage, fin Finish, err error) {
	c := jsonpeek.New(body)
	if !c.Object() {
		return u, fin, &Error{Kind: ErrMalformed, Op: op, Message: "the answer is not a JSON object"}
	}
	answer := false
	for c.Next() {
		switch string(c.Key()) {
		case "choices":
			answer = true
			fin = scanFinish(&c)
		case "data":
			answer = answer || op == OpEmbed || op == OpImage
		case "results":
			answer = answer || op == OpModerate || op == OpRerank
		case "input_tokens":
			if n, ok := c.Int(); ok && op == OpCount {
				answer, u = true, Usage{Input: min(max(n, 0), maxFigure), Source: UsageReported}
			}
		case "usage":
			u = readOpenAIUsage(&c)
		case "error":
			if c.Kind() != jsonpeek.Null {
				return u, fin, upstreamError(op, body)
			}
		}
	}
	if err := c.End(); err != nil {
		return u, fin, &Error{Kind: ErrMalformed, Op: op, Message: err.Error(), Err: err}
	}
	if !answer {
		return u, fin, &Error{Kind: ErrMalformed, Op: op, Message: "the answer has no " + openAIContent(op)}
	}
	return u, fin, nil
}

// scanFinish finds the finish reason of the first of the choices at hand.
func scanFinish(c *jsonpeek.Cursor) (fin Finish) {
	if !c.Array() {
		return fin
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			if string(c.Key()) == "finish_reason" {
				if word, ok := c.Str(); ok && fin == FinishNone {
					fin = openAIFinish(word)
				}
			}
		}
	}
	return fin
}

// upstreamError is the error that a backend reports under a 200 or within a
// stream.
func upstreamError(op Operation, data []byte) *Error {
	e := decodeOpenAIError(0, nil, data)
	e.Op, e.Upstream, e.Body = op, true, bytes.Clone(data[:min(len(data), maxErrorBody)])
	return e
}

// openAIScanner is [Dialect.NewScanner]'s.
type openAIScanner struct {
	op      Operation
	want    int    // choices that were asked for
	head    []byte // id, created and model of the first chunk, as members
	begun   uint64 // the choices that were seen, a bit each
	done    uint64 // those that have finished
	beyond  bool   // a choice that has no bit: only [DONE] tells of its end
	endSeen bool
}

func newOpenAIScanner(op Operation, choices int) FrameScanner {
	return &openAIScanner{op: op, want: choices}
}

var doneMark = []byte("[DONE]")

func (s *openAIScanner) Scan(f *Frame) error {
	if len(f.Data) > 0 && f.Data[0] == '[' && bytes.Equal(bytes.TrimSpace(f.Data), doneMark) {
		f.Kind, s.endSeen = FrameEnd, true
		return nil
	}
	if string(f.Event) == "error" {
		return upstreamError(s.op, f.Data)
	}
	c := jsonpeek.New(f.Data)
	if !c.Object() {
		return &Error{Kind: ErrMalformed, Op: s.op, Message: "an event is not a JSON object"}
	}
	first, failed, choices := s.head == nil, false, 0
	for c.Next() {
		switch string(c.Key()) {
		case "choices":
			if c.Array() {
				for c.Next() {
					s.scanChoice(&c, f)
					choices++
				}
			}
		case "usage":
			if u := readOpenAIUsage(&c); !u.IsZero() {
				f.Usage = u
			}
		case "x_groq":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "usage" {
						if u := readOpenAIUsage(&c); !u.IsZero() {
							f.Usage = u
						}
					}
				}
			}
		case "error":
			failed = c.Kind() != jsonpeek.Null
		case "id", "created", "model":
			if first {
				s.noteHead(c.Key(), c.Value())
			}
		}
	}
	if err := c.End(); err != nil {
		f.Usage, f.Finish, f.Text = Usage{}, FinishNone, 0
		return &Error{Kind: ErrMalformed, Op: s.op, Message: err.Error(), Err: err}
	}
	if failed {
		return upstreamError(s.op, f.Data)
	}
	if f.Kind == FrameOther && choices == 0 && f.Usage.Source != UsageNone {
		f.Kind = FrameUsage
	}
	return nil
}

func (s *openAIScanner) noteHead(key, value []byte) {
	s.head = append(append(append(s.head, '"'), key...), `":`...)
	s.head = append(append(s.head, value...), ',')
}

// scanChoice looks at one element of choices.
func (s *openAIScanner) scanChoice(c *jsonpeek.Cursor, f *Frame) {
	if !c.Object() {
		return
	}
	index, finished := int64(0), false
	for c.Next() {
		switch string(c.Key()) {
		case "index":
			index, _ = c.Int()
		case "delta":
			if c.Object() {
				scanDelta(c, f)
			}
		case "text": // of a legacy completion
			if text, ok := c.Str(); ok && len(text) > 0 {
				f.Kind = FrameContent
				f.Text += len(text)
			}
		case "finish_reason":
			if word, ok := c.Str(); ok && len(word) > 0 {
				f.Finish, finished = openAIFinish(word), true
			}
		}
	}
	if index < 0 || index > 63 {
		s.beyond = true
		return
	}
	bit := uint64(1) << index
	s.begun |= bit
	if finished {
		s.done |= bit
	}
}

// scanDelta counts what a delta adds to the answer.
func scanDelta(c *jsonpeek.Cursor, f *Frame) {
	for c.Next() {
		switch string(c.Key()) {
		case "role":
		case "content", "reasoning_content", "reasoning", "refusal":
			if text, ok := c.Str(); ok {
				if len(text) > 0 {
					f.Kind = FrameContent
					f.Text += len(text)
				}
				continue
			}
			fallthrough // Mistral's content parts
		case "tool_calls", "function_call", "audio", "images", "reasoning_details":
			if c.Kind() == jsonpeek.Null {
				continue
			}
			if n := len(c.Value()); n > len("[]") {
				f.Kind = FrameContent
				f.Text += n
			}
		}
	}
}

func (s *openAIScanner) Complete() bool {
	return s.endSeen || s.begun != 0 && s.done == s.begun && !s.beyond && bits.OnesCount64(s.done) >= s.want
}

func (s *openAIScanner) End(dst []byte, why Finish, u Usage, wantsUsage bool) []byte {
	object, empty := "chat.completion.chunk", `"delta":{}`
	if s.op == OpCompletion {
		object, empty = "text_completion", `"text":""`
	}
	head := append(append([]byte("{"), s.head...), `"object":"`+object+`","choices":[`...)
	open := s.begun &^ s.done
	if s.begun == 0 {
		open = 1
	}
	for open != 0 {
		i := bits.TrailingZeros64(open)
		open &^= 1 << i
		chunk := append(bytes.Clone(head), `{"index":`...)
		chunk = append(appendInt(chunk, int64(i)), ","+empty+`,"finish_reason":`...)
		chunk = append(jsonpeek.AppendQuote(chunk, openAIFinishWord(why)), `}]}`...)
		dst = framing.AppendSSE(dst, "", chunk)
	}
	if wantsUsage {
		chunk := append(bytes.Clone(head), `],"usage":`...)
		dst = framing.AppendSSE(dst, "", append(appendOpenAIUsage(chunk, u), '}'))
	}
	return framing.AppendSSE(dst, "", doneMark)
}
