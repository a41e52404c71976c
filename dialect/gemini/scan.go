// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxFigure bounds what a backend may report: sums of such figures do not
// overflow.
const maxFigure = 1 << 40

// usage is a usageMetadata as it stands.
type usage struct {
	prompt, cached, tools, output, thoughts int64
	audioPrompt, audioCached, audioOutput   int64
	reported                                bool
}

// readUsage reads the usageMetadata at hand. It allocates nothing.
func readUsage(c *jsonpeek.Cursor) (u usage) {
	if !c.Object() {
		return u
	}
	for c.Next() {
		switch string(c.Key()) {
		case "promptTokenCount":
			u.figure(c, &u.prompt)
		case "cachedContentTokenCount":
			u.figure(c, &u.cached)
		case "toolUsePromptTokenCount":
			u.figure(c, &u.tools)
		case "candidatesTokenCount":
			u.figure(c, &u.output)
		case "thoughtsTokenCount":
			u.figure(c, &u.thoughts)
		case "promptTokensDetails":
			u.audioPrompt = audioTokens(c)
		case "cacheTokensDetails":
			u.audioCached = audioTokens(c)
		case "candidatesTokensDetails":
			u.audioOutput = audioTokens(c)
		}
	}
	return u
}

func (u *usage) figure(c *jsonpeek.Cursor, into *int64) {
	if n, ok := c.Int(); ok {
		*into, u.reported = min(max(n, 0), maxFigure), true
	}
}

// audioTokens finds those of sound in a list of modalities.
func audioTokens(c *jsonpeek.Cursor) (n int64) {
	if !c.Array() {
		return 0
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		audio, count := false, int64(0)
		for c.Next() {
			switch string(c.Key()) {
			case "modality":
				word, _ := c.Str()
				audio = string(word) == "AUDIO"
			case "tokenCount":
				count, _ = c.Int()
			}
		}
		if audio {
			n = min(max(count, 0), maxFigure)
		}
	}
	return n
}

// classes brings the figures to disjoint ones: what was cached, and sound, is part
// of the prompt; thoughts are no part of the output.
func (u usage) classes() hoosh.Usage {
	if !u.reported {
		return hoosh.Usage{}
	}
	cached := min(u.cached, u.prompt)
	audio := min(max(u.audioPrompt-u.audioCached, 0), u.prompt-cached)
	spoken := min(u.audioOutput, u.output)
	return hoosh.Usage{Input: u.prompt - cached - audio + u.tools, CacheRead: cached, AudioInput: audio,
		Output: u.output - spoken, AudioOutput: spoken, Reasoning: u.thoughts, Source: hoosh.UsageReported}
}

// appendUsage writes a usageMetadata.
func appendUsage(dst []byte, u hoosh.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `{"promptTokenCount":`...), u.Prompt(), 10)
	dst = strconv.AppendInt(append(dst, `,"candidatesTokenCount":`...), u.Output+u.AudioOutput, 10)
	dst = strconv.AppendInt(append(dst, `,"totalTokenCount":`...), u.Total(), 10)
	if u.Reasoning > 0 {
		dst = strconv.AppendInt(append(dst, `,"thoughtsTokenCount":`...), u.Reasoning, 10)
	}
	if u.CacheRead > 0 {
		dst = strconv.AppendInt(append(dst, `,"cachedContentTokenCount":`...), u.CacheRead, 10)
	}
	if u.AudioInput > 0 {
		dst = strconv.AppendInt(append(dst, `,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":`...), u.AudioInput, 10)
		dst = append(dst, "}]"...)
	}
	if u.AudioOutput > 0 {
		dst = strconv.AppendInt(append(dst, `,"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":`...), u.AudioOutput, 10)
		dst = append(dst, "}]"...)
	}
	return append(dst, '}')
}

// finishOf reads a finishReason; calls tells that there are tool calls in the answer.
func finishOf(word []byte, calls bool) hoosh.Finish {
	switch string(word) {
	case "STOP":
		if calls {
			return hoosh.FinishToolCalls
		}
		return hoosh.FinishStop
	case "MAX_TOKENS":
		return hoosh.FinishLength
	case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR":
		return hoosh.FinishContentFilter
	case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE":
		return hoosh.FinishError
	case "", "FINISH_REASON_UNSPECIFIED":
		return hoosh.FinishNone
	}
	return hoosh.FinishOther
}

// reasonOf is Gemini's word. One for tool calls it has not.
func reasonOf(why hoosh.Finish) string {
	switch why {
	case hoosh.FinishLength:
		return "MAX_TOKENS"
	case hoosh.FinishContentFilter:
		return "SAFETY"
	case hoosh.FinishError, hoosh.FinishOther:
		return "OTHER"
	}
	return "STOP"
}

// maxChoices bounds the candidates of one answer.
const maxChoices = 128

// scanner is [hoosh.Dialect.NewScanner]'s. It sees whole answers too.
type scanner struct {
	op        hoosh.Operation
	want      int
	id, model []byte // of the first frame that has them, as they stand
	begun     bool
	known     bool // the usage was in a frame
	done      bool // all candidates have ended, or none comes
	choices   []scanned
	few       [1]scanned
	blocked   bool
	answer    bool // there are candidates, or a reason for there being none
}

// scanned is what was seen of a candidate.
type scanned struct{ calls, done bool }

func newScanner(op hoosh.Operation, choices int) hoosh.FrameScanner {
	return &scanner{op: op, want: max(choices, 1)}
}

// firstFrame is the name that the scanner gives the event of the first frame, which
// has none: every frame says the id and the model, and the decoder has no state.
var firstFrame = []byte("first")

func (s *scanner) Scan(f *hoosh.Frame) error {
	if err := s.read(f); err != nil {
		return err
	}
	if !s.begun {
		s.begun, f.Event = true, firstFrame
	}
	s.known = s.known || !f.Usage.IsZero()
	s.done = s.done || s.ended()
	// The usage comes with the reason. Where it has not come it may come yet.
	if s.done && (s.known || s.blocked) {
		f.Kind = hoosh.FrameEnd
	}
	return nil
}

// ended reports that every candidate has its reason.
func (s *scanner) ended() bool {
	n := 0
	for i := range s.choices {
		if s.choices[i].done {
			n++
		}
	}
	return s.blocked || n >= s.want
}

// read looks at a frame, or at a whole answer.
func (s *scanner) read(f *hoosh.Frame) error {
	c := jsonpeek.New(f.Data)
	if !c.Object() {
		if c.Kind() == jsonpeek.Array && jsonpeek.Valid(f.Data) == nil && isError(f.Data) {
			return upstreamError(s.op, f.Data)
		}
		return malformed(s.op, "the answer is not a JSON object", c.Err())
	}
	failed := false
	for c.Next() {
		switch string(c.Key()) {
		case "candidates":
			if c.Array() {
				s.answer = true
				for c.Next() {
					if c.Object() {
						s.candidate(&c, f)
					}
				}
			}
		case "usageMetadata":
			f.Usage = readUsage(&c).classes()
		case "promptFeedback":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "blockReason" {
						word, _ := c.Str()
						s.blocked = len(word) > 0 && string(word) != "BLOCK_REASON_UNSPECIFIED"
					}
				}
			}
		case "responseId":
			if raw, ok := c.Str(); ok && s.id == nil {
				s.id = bytes.Clone(raw)
			}
		case "modelVersion":
			if raw, ok := c.Str(); ok && s.model == nil {
				s.model = bytes.Clone(raw)
			}
		case "error":
			failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return malformed(s.op, err.Error(), err)
	}
	if failed {
		return upstreamError(s.op, f.Data)
	}
	if s.blocked && len(s.choices) == 0 {
		f.Finish = hoosh.FinishContentFilter
	} else {
		s.blocked = false // of what it was that was blocked there is an answer
	}
	return nil
}

// candidate looks at the candidate that was entered. Its index may stand last.
func (s *scanner) candidate(c *jsonpeek.Cursor, f *hoosh.Frame) {
	index, calls := int64(0), false
	var reason []byte
	for c.Next() {
		switch string(c.Key()) {
		case "content":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "parts" && c.Array() {
						for c.Next() {
							calls = scanPart(c, f) || calls
						}
					}
				}
			}
		case "finishReason":
			reason, _ = c.Str()
		case "index":
			index, _ = c.Int()
		}
	}
	i := int(min(max(index, 0), maxChoices-1))
	if s.choices == nil {
		s.choices = s.few[:0]
	}
	for len(s.choices) <= i {
		s.choices = append(s.choices, scanned{})
	}
	ch := &s.choices[i]
	ch.calls = ch.calls || calls
	if fin := finishOf(reason, ch.calls); fin != hoosh.FinishNone {
		ch.done = true
		f.Finish = fin
	}
}

// scanPart looks at the part at hand and reports that it is a call.
func scanPart(c *jsonpeek.Cursor, f *hoosh.Frame) (call bool) {
	if !c.Object() {
		return false
	}
	for c.Next() {
		switch string(c.Key()) {
		case "text":
			if text, _ := c.Str(); len(text) > 0 {
				f.Text += len(text)
				f.Kind = hoosh.FrameContent
			}
		case "thoughtSignature":
			if sig, _ := c.Str(); len(sig) > 0 {
				f.Signature = sig
			}
		case "functionCall":
			call = c.Kind() == jsonpeek.Object
			f.Text += len(c.Value())
			f.Kind = hoosh.FrameContent
		case "inlineData", "fileData", "executableCode", "codeExecutionResult":
			f.Kind = hoosh.FrameContent
		}
	}
	return call
}

func (s *scanner) Complete() bool { return s.done }

// End writes the last event. It holds the usage in any case: every client of this
// format is shown it.
func (s *scanner) End(dst []byte, why hoosh.Finish, u hoosh.Usage, _ bool) []byte {
	dst = append(dst, `data: {"candidates":[`...)
	n := 0
	for i := range max(s.want, len(s.choices), 1) {
		if i < len(s.choices) && s.choices[i].done {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = appendLast(dst, i, why, nil)
	}
	dst = appendUsage(append(dst, `],"usageMetadata":`...), u)
	if s.model != nil {
		dst = append(append(append(dst, `,"modelVersion":"`...), s.model...), '"')
	}
	if s.id != nil {
		dst = append(append(append(dst, `,"responseId":"`...), s.id...), '"')
	}
	return append(dst, "}\r\n\r\n"...)
}

// appendLast writes the candidate that says why the answer has ended, and the
// sources of it.
func appendLast(dst []byte, index int, why hoosh.Finish, sources []hoosh.Citation) []byte {
	dst = append(dst, `{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"`...)
	dst = append(append(dst, reasonOf(why)...), `","index":`...)
	dst = strconv.AppendInt(dst, int64(index), 10)
	if len(sources) > 0 {
		dst = appendGrounding(append(dst, ','), sources, "")
	}
	return append(dst, '}')
}

// scanResponse is [hoosh.Dialect.ScanResponse].
func scanResponse(op hoosh.Operation, body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	switch op {
	case hoosh.OpChat:
		s := scanner{op: op, want: 1}
		f := hoosh.Frame{Data: body}
		if err := s.read(&f); err != nil {
			return u, fin, err
		}
		if !s.answer && !s.blocked {
			return u, fin, malformed(op, "the answer has no candidates", nil)
		}
		return f.Usage, f.Finish, nil
	case hoosh.OpCount, hoosh.OpEmbed:
		return scanOther(op, body)
	}
	return u, fin, unsupportedOp(op)
}

func scanOther(op hoosh.Operation, body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	c := jsonpeek.New(body)
	if !c.Object() {
		if c.Kind() == jsonpeek.Array && jsonpeek.Valid(body) == nil && isError(body) {
			return u, fin, upstreamError(op, body)
		}
		return u, fin, malformed(op, "the answer is not a JSON object", nil)
	}
	answer, failed := false, false
	for c.Next() {
		switch string(c.Key()) {
		case "totalTokens":
			if n, ok := c.Int(); ok && op == hoosh.OpCount {
				answer, u = true, hoosh.Usage{Input: min(max(n, 0), maxFigure), Source: hoosh.UsageReported}
			}
		case "embedding":
			answer = answer || op == hoosh.OpEmbed && c.Kind() == jsonpeek.Object
		case "embeddings":
			answer = answer || op == hoosh.OpEmbed && c.Kind() == jsonpeek.Array
		case "usageMetadata":
			if op == hoosh.OpEmbed {
				u = readUsage(&c).classes()
			}
		case "error":
			failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return hoosh.Usage{}, fin, malformed(op, err.Error(), err)
	}
	switch {
	case failed:
		return hoosh.Usage{}, fin, upstreamError(op, body)
	case !answer:
		what := "totalTokens"
		if op == hoosh.OpEmbed {
			what = "embedding or embeddings"
		}
		return hoosh.Usage{}, fin, malformed(op, "the answer has no "+what, nil)
	}
	return u, fin, nil
}

// signatures is [hoosh.Dialect.Signatures].
func signatures(body []byte, yield func([]byte)) {
	eachPart(body, func(c *jsonpeek.Cursor) {
		for c.Next() {
			if string(c.Key()) == "thoughtSignature" {
				if sig, _ := c.Str(); len(sig) > 0 {
					yield(codec.Plain(sig))
				}
			}
		}
	})
}

// eachPart enters each part of an answer.
func eachPart(body []byte, part func(c *jsonpeek.Cursor)) {
	c := jsonpeek.New(body)
	if !c.Object() {
		return
	}
	for c.Next() {
		if string(c.Key()) != "candidates" || !c.Array() {
			continue
		}
		for c.Next() {
			if !c.Object() {
				continue
			}
			for c.Next() {
				if string(c.Key()) != "content" || !c.Object() {
					continue
				}
				for c.Next() {
					if string(c.Key()) != "parts" || !c.Array() {
						continue
					}
					for c.Next() {
						if c.Object() {
							part(&c)
						}
					}
				}
			}
		}
	}
}
