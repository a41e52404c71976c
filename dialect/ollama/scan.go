// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"bytes"
	"strconv"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// line is what the scan finds in one line of an answer, or in a whole one.
type line struct {
	model    []byte // as it stands, quotes included
	content  []byte // between the quotes
	thinking []byte // likewise
	calls    []byte // the tool calls, an array; nil for none
	answer   bool   // it has a message, or embeddings
	done     bool
	reason   []byte
	counts   [2]int64 // prompt, answer
	reported bool
	failed   bool
}

// scanLine looks at data. The error is of kind [hoosh.ErrMalformed].
func scanLine(f form, data []byte) (l line, err error) {
	c := jsonpeek.New(data)
	if !c.Object() {
		return l, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: f.op(), Message: "the answer is not a JSON object"}
	}
	for c.Next() {
		switch string(c.Key()) {
		case "model":
			l.model = c.Value()
		case "message":
			if f == chatForm && c.Object() {
				l.answer = true
				for c.Next() {
					scanMessage(&c, &l)
				}
			}
		case "embeddings", "embedding":
			l.answer = l.answer || f == embedForm
		case "response":
			if f == generateForm {
				l.content, l.answer = c.Str()
			}
		case "thinking":
			if f == generateForm {
				l.thinking, _ = c.Str()
			}
		case "done":
			l.done, _ = c.Bool()
		case "done_reason":
			l.reason, _ = c.Str()
		case "prompt_eval_count":
			l.count(&c, 0)
		case "eval_count":
			l.count(&c, 1)
		case "error":
			l.failed = c.Kind() != jsonpeek.Null
		}
	}
	if err := c.End(); err != nil {
		return line{}, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: f.op(), Message: err.Error(), Err: err}
	}
	return l, nil
}

// maxCount bounds what a backend may report: sums of such counts do not overflow.
const maxCount = 1 << 40

func (l *line) count(c *jsonpeek.Cursor, i int) {
	if n, ok := c.Int(); ok && n >= 0 {
		l.counts[i], l.reported = min(n, maxCount), true
	}
}

// scanMessage notes a member of a message that is part of the answer.
func scanMessage(c *jsonpeek.Cursor, l *line) {
	switch string(c.Key()) {
	case "content":
		l.content, _ = c.Str()
	case "thinking":
		l.thinking, _ = c.Str()
	case "tool_calls":
		if c.Kind() == jsonpeek.Array {
			if l.calls = c.Value(); len(l.calls) <= len("[]") {
				l.calls = nil
			}
		}
	}
}

// text is how many bytes of the answer the line holds.
func (l *line) text() int { return len(l.content) + len(l.thinking) + len(l.calls) }

// usage is what the line reports. Thinking is part of the answer's count, and
// the prompt's has what came from the cache in it: Ollama does not tell them
// apart.
func (l *line) usage() (u hoosh.Usage) {
	if l.reported {
		u = hoosh.Usage{Input: l.counts[0], Output: l.counts[1], Source: hoosh.UsageReported}
	}
	return u
}

// finishOf is why the answer ended: calls tells that there were tool calls in
// it, which Ollama's own word does not say.
func finishOf(reason []byte, calls bool) hoosh.Finish {
	switch string(reason) {
	case "stop", "", "load", "unload": // without a word: older servers
		if calls {
			return hoosh.FinishToolCalls
		}
		return hoosh.FinishStop
	case "length":
		return hoosh.FinishLength
	case "content_filter":
		return hoosh.FinishContentFilter
	}
	return hoosh.FinishOther
}

// reasonOf is Ollama's word: it has two for an answer.
func reasonOf(why hoosh.Finish) string {
	if why == hoosh.FinishLength {
		return "length"
	}
	return "stop"
}

// scanResponse is [hoosh.Dialect.ScanResponse].
func scanResponse(op hoosh.Operation, body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	f, err := formOf(op)
	if err != nil {
		return u, fin, err
	}
	return f.scanResponse(body)
}

// scanGenerated is that of [Generate].
func scanGenerated(op hoosh.Operation, body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	f, err := generateOnly(op)
	if err != nil {
		return u, fin, err
	}
	return f.scanResponse(body)
}

func (f form) scanResponse(body []byte) (u hoosh.Usage, fin hoosh.Finish, err error) {
	op := f.op()
	l, err := scanLine(f, body)
	switch {
	case err != nil:
		return u, fin, err
	case l.failed:
		return u, fin, upstreamError(op, body)
	case !l.answer:
		return u, fin, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: "the answer has no " + [...]string{chatForm: "message", embedForm: "embeddings", generateForm: "response"}[f]}
	}
	if f != embedForm && l.done {
		fin = finishOf(l.reason, l.calls != nil)
	}
	return l.usage(), fin, nil
}

// scanner is [hoosh.Dialect.NewScanner]'s.
type scanner struct {
	form  form
	model []byte // of the first line, as it stands
	calls bool
	done  bool
}

func newScanner(hoosh.Operation, int) hoosh.FrameScanner { return &scanner{form: chatForm} }

// newGenerateScanner is that of [Generate].
func newGenerateScanner(hoosh.Operation, int) hoosh.FrameScanner {
	return &scanner{form: generateForm}
}

func (s *scanner) Scan(f *hoosh.Frame) error {
	l, err := scanLine(s.form, f.Data)
	if err != nil {
		return err
	}
	if l.failed {
		return upstreamError(s.form.op(), f.Data)
	}
	if s.model == nil {
		s.model = bytes.Clone(l.model)
	}
	s.calls = s.calls || l.calls != nil
	f.Text, f.Usage = l.text(), l.usage()
	switch {
	case l.done: // it may hold the rest of the answer, or all of it
		f.Kind, f.Finish, s.done = hoosh.FrameEnd, finishOf(l.reason, s.calls), true
	case f.Text > 0:
		f.Kind = hoosh.FrameContent
	}
	return nil
}

func (s *scanner) Complete() bool { return s.done }

// End writes the last line. It holds the counts in any case: every client of
// this format is shown them.
func (s *scanner) End(dst []byte, why hoosh.Finish, u hoosh.Usage, _ bool) []byte {
	model := s.model
	if model == nil {
		model = []byte(`""`)
	}
	dst = appendHead(dst, model)
	dst = append(dst, s.form.empty()...)
	return append(appendDone(dst, why, u, durations{}), '\n')
}

// empty is the part of a line that holds the answer, without any.
func (f form) empty() string {
	if f == generateForm {
		return `"response":""`
	}
	return `"message":{"role":"assistant","content":""}`
}

// appendHead begins an answer; model is a JSON string.
func appendHead(dst, model []byte) []byte {
	dst = append(append(dst, `{"model":`...), model...)
	dst = append(dst, `,"created_at":"`...)
	dst = time.Now().UTC().AppendFormat(dst, time.RFC3339Nano)
	return append(dst, `",`...)
}

// durations are what clients are told of the time that an answer took. Of other
// backends it is not known how long they loaded a model and read the prompt.
type durations struct {
	total, prompt, answer time.Duration
}

// appendDone ends an answer. Zeros are left out, as Ollama does.
func appendDone(dst []byte, why hoosh.Finish, u hoosh.Usage, took durations) []byte {
	dst = append(dst, `,"done":true,"done_reason":"`...)
	dst = append(append(dst, reasonOf(why)...), '"')
	dst = appendCount(dst, `,"total_duration":`, int64(took.total))
	dst = appendCount(dst, `,"prompt_eval_count":`, u.Prompt())
	dst = appendCount(dst, `,"prompt_eval_duration":`, int64(took.prompt))
	dst = appendCount(dst, `,"eval_count":`, u.Completion())
	dst = appendCount(dst, `,"eval_duration":`, int64(took.answer))
	return append(dst, '}')
}

func appendCount(dst []byte, name string, n int64) []byte {
	if n == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, name...), n, 10)
}
