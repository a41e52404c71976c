// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// ending is what a response object says of its end.
type ending struct {
	id, model []byte // between quotes
	status    []byte
	reason    []byte // of its being incomplete
	err       []byte // the error, a JSON value; nil without one
	created   int64
	usage     hoosh.Usage
	answer    bool // there is an output, or a status
	calls     bool // of functions
}

// scanObject reads a response object as far as its end is concerned. The cursor
// is at it.
func scanObject(c *jsonpeek.Cursor) (o ending) {
	if !c.Object() {
		return o
	}
	for c.Next() {
		switch string(c.Key()) {
		case "id":
			o.id, _ = c.Str()
		case "model":
			o.model, _ = c.Str()
		case "status":
			o.status, _ = c.Str()
			o.answer = o.answer || o.status != nil
		case "created_at":
			if n, ok := c.Int(); ok {
				o.created = n
			} else if f, ok := c.Float(); ok && f > 0 && f < 1<<40 {
				o.created = int64(f)
			}
		case "output":
			o.answer = o.answer || c.Kind() == jsonpeek.Array
			o.calls = hasCalls(c)
		case "usage":
			o.usage = readUsage(c)
		case "incomplete_details":
			if c.Object() {
				for c.Next() {
					if string(c.Key()) == "reason" {
						o.reason, _ = c.Str()
					}
				}
			}
		case "error":
			if c.Kind() != jsonpeek.Null {
				o.err = c.Value()
			}
		}
	}
	return o
}

// hasCalls reports that the output at hand has calls that wait for a result.
func hasCalls(c *jsonpeek.Cursor) (yes bool) {
	if !c.Array() {
		return false
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			if string(c.Key()) == "type" {
				kind, _ := c.Str()
				yes = yes || isCallType(kind)
			}
		}
	}
	return yes
}

func isCallType(kind []byte) bool {
	return string(kind) == "function_call" || string(kind) == "custom_tool_call"
}

// finish is why the answer ended.
func (o *ending) finish() hoosh.Finish {
	switch string(o.status) {
	case "completed":
		if o.calls {
			return hoosh.FinishToolCalls
		}
		return hoosh.FinishStop
	case "incomplete":
		switch string(o.reason) {
		case "max_output_tokens", "max_tokens":
			return hoosh.FinishLength
		case "content_filter":
			return hoosh.FinishContentFilter
		}
		return hoosh.FinishOther
	case "failed", "cancelled":
		return hoosh.FinishError
	}
	return hoosh.FinishNone
}

// failure is the error that the object reports, nil without one.
func (o *ending) failure(op hoosh.Operation) *hoosh.Error {
	failed := string(o.status) == "failed"
	if o.err == nil && !failed && string(o.status) != "cancelled" {
		return nil
	}
	if o.err == nil {
		message := "the answer has the status " + jsonpeek.Unquote(o.status)
		return &hoosh.Error{Kind: hoosh.ErrUpstream, Op: op, Upstream: true, Message: message}
	}
	return reported(op, append(append([]byte(`{"error":`), o.err...), '}'))
}

// maxFigure bounds what a backend may report: sums of such figures do not
// overflow.
const maxFigure = 1 << 40

// readUsage reads the usage at hand, if there is one. Where the figures contradict
// each other the sums bound their parts.
func readUsage(c *jsonpeek.Cursor) (u hoosh.Usage) {
	if !c.Object() {
		return u
	}
	count := func() int64 {
		n, _ := c.Int()
		return min(max(n, 0), maxFigure)
	}
	details := func(read func(key string)) {
		if c.Object() {
			for c.Next() {
				read(string(c.Key()))
			}
		}
	}
	var input, output int64
	for c.Next() {
		switch string(c.Key()) {
		case "input_tokens":
			input = count()
		case "output_tokens":
			output = count()
		case "input_tokens_details":
			details(func(key string) {
				switch key {
				case "cached_tokens":
					u.CacheRead = count()
				case "cache_write_tokens":
					u.CacheWrite = count()
				}
			})
		case "output_tokens_details":
			details(func(key string) {
				if key == "reasoning_tokens" {
					u.Reasoning = count()
				}
			})
		}
	}
	if input == 0 && output == 0 {
		return hoosh.Usage{}
	}
	u.CacheRead = min(u.CacheRead, input)
	u.CacheWrite = min(u.CacheWrite, input-u.CacheRead)
	u.Reasoning = min(u.Reasoning, output)
	u.Input, u.Output = input-u.CacheRead-u.CacheWrite, output-u.Reasoning
	u.Source = hoosh.UsageReported
	return u
}

func appendUsage(dst []byte, u hoosh.Usage) []byte {
	dst = appendInt(append(dst, `{"input_tokens":`...), u.Prompt())
	dst = appendInt(append(dst, `,"input_tokens_details":{"cached_tokens":`...), u.CacheRead)
	dst = appendInt(append(dst, `,"cache_write_tokens":`...), u.CacheWrite)
	dst = appendInt(append(dst, `},"output_tokens":`...), u.Completion())
	dst = appendInt(append(dst, `,"output_tokens_details":{"reasoning_tokens":`...), u.Reasoning)
	dst = appendInt(append(dst, `},"total_tokens":`...), u.Total())
	return append(dst, '}')
}

func malformed(op hoosh.Operation, message string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrMalformed, Op: op, Message: message}
}

// scanResponse is [hoosh.Dialect.ScanResponse]. A count uses nothing.
func scanResponse(op hoosh.Operation, body []byte) (hoosh.Usage, hoosh.Finish, error) {
	c := jsonpeek.NewDepth(body, jsonpeek.MaxDepth)
	if op == hoosh.OpCount {
		_, err := readCount(&c)
		return hoosh.Usage{}, hoosh.FinishNone, err
	}
	if c.Kind() != jsonpeek.Object {
		return hoosh.Usage{}, 0, malformed(op, "the answer is not a JSON object")
	}
	o := scanObject(&c)
	if err := c.End(); err != nil {
		return hoosh.Usage{}, 0, codec.NotJSON(op, hoosh.ErrMalformed, body, err, "")
	}
	if err := o.failure(op); err != nil {
		return o.usage, hoosh.FinishError, err
	}
	if !o.answer {
		return hoosh.Usage{}, 0, malformed(op, "the answer has no output")
	}
	return o.usage, o.finish(), nil
}

// readCount reads the answer to a count.
func readCount(c *jsonpeek.Cursor) (n int64, err error) {
	found := false
	var failed []byte
	if c.Object() {
		for c.Next() {
			switch string(c.Key()) {
			case "input_tokens":
				n, found = c.Int()
			case "error":
				if c.Kind() != jsonpeek.Null {
					failed = c.Value()
				}
			}
		}
	}
	switch {
	case c.End() != nil:
		return 0, &hoosh.Error{Kind: hoosh.ErrMalformed, Op: hoosh.OpCount, Message: c.Err().Error(), Err: c.Err()}
	case failed != nil:
		return 0, reported(hoosh.OpCount, append(append([]byte(`{"error":`), failed...), '}'))
	case !found || n < 0:
		return 0, malformed(hoosh.OpCount, "the answer has no input_tokens")
	}
	return n, nil
}

// decodeResponse is [hoosh.Dialect.DecodeResponse]. An answer that is still being
// made has no finish, and its status in Extra.
func decodeResponse(op hoosh.Operation, body []byte) (*hoosh.Response, error) {
	body = bytes.Clone(body) // a Response owns its bytes
	if op == hoosh.OpCount {
		c := jsonpeek.New(body)
		n, err := readCount(&c)
		if err != nil {
			return nil, err
		}
		return &hoosh.Response{Usage: hoosh.Usage{Input: n, Source: hoosh.UsageReported}}, nil
	}
	r := newReader(op, body, hoosh.ErrMalformed)
	scan := r.C
	if r.C.Kind() != jsonpeek.Object {
		return nil, codec.NotJSON(op, r.Kind, body, r.C.Err(), "the answer is not a JSON object")
	}
	o := scanObject(&scan)
	if err := scan.End(); err != nil {
		return nil, codec.NotJSON(op, hoosh.ErrMalformed, body, err, "")
	}
	if err := o.failure(op); err != nil {
		return nil, err
	}
	if !o.answer {
		return nil, malformed(op, "the answer has no output")
	}
	resp := &hoosh.Response{ID: jsonpeek.Unquote(o.id), Model: jsonpeek.Unquote(o.model), Usage: o.usage}
	if o.created > 0 {
		resp.Created = time.Unix(o.created, 0).UTC()
	}
	v := conversation{answer: true}
	r.C.Object()
	for r.C.Next() {
		switch string(r.C.Key()) {
		case "output":
			if r.C.Kind() == jsonpeek.Array {
				r.input(&v)
			}
		case "service_tier":
			if r.C.Kind() == jsonpeek.String {
				resp.Extra = append(resp.Extra, r.Member())
			}
		case "status":
			if o.finish() == hoosh.FinishNone && r.C.Kind() == jsonpeek.String {
				resp.Extra = append(resp.Extra, r.Member())
			}
		}
	}
	if err := r.End(); err != nil {
		return nil, err
	}
	m := hoosh.Message{Role: hoosh.RoleAssistant}
	for i := range v.messages {
		m.Parts = append(m.Parts, v.messages[i].Parts...)
	}
	resp.Choices = []hoosh.Choice{{Message: m, Finish: o.finish()}}
	return resp, nil
}

// signatures is [hoosh.Dialect.Signatures].
func signatures(body []byte, yield func([]byte)) {
	c := jsonpeek.NewDepth(body, jsonpeek.MaxDepth)
	if !c.Object() {
		return
	}
	for c.Next() {
		if string(c.Key()) != "output" || !c.Array() {
			continue
		}
		for c.Next() {
			if !c.Object() {
				continue
			}
			for c.Next() {
				if string(c.Key()) == "encrypted_content" {
					if raw, ok := c.Str(); ok && len(raw) > 0 {
						yield(codec.Plain(raw))
					}
				}
			}
		}
	}
}
