// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"io"
	"net/http"
	"strconv"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

var openAIFinishes = []string{"stop", "length", "tool_calls", "content_filter"}

func readOpenAI(usage bool) func(int, http.Header, io.Reader, bool) (Got, error) {
	return func(status int, h http.Header, body io.Reader, stream bool) (Got, error) {
		if stream && status == http.StatusOK {
			return readOpenAIStream(h, body, usage)
		}
		raw, err := readWhole(body)
		if err != nil {
			return Got{}, err
		}
		if err := media(h, "application/json"); err != nil {
			return Got{}, err
		}
		d := &doc{}
		top := d.parse("body", raw)
		if status != http.StatusOK {
			return Got{Answer: neutral.Answer{Error: openAIFault(top, status, h)}}, d.err
		}
		return Got{Answer: openAIWhole(top)}, d.err
	}
}

func openAIWhole(top node) neutral.Answer {
	top.at("object").is("chat.completion")
	top.at("created").int()
	first := neutral.Answer{ID: top.at("id").some(), Model: top.at("model").some(), Usage: openAIUsage(top.at("usage"))}
	choices := top.at("choices").list()
	if len(choices) == 0 {
		top.d.fail("body.choices", "empty")
	}
	for i, c := range choices {
		a := &first
		if i > 0 {
			first.More = append(first.More, neutral.Answer{ID: first.ID, Model: first.Model})
			a = &first.More[i-1]
		}
		if c.at("index").int() != int64(i) {
			c.d.fail(c.path+".index", "not %d", i)
		}
		c.needs("index", "message", "finish_reason", "logprobs")
		m := c.at("message").needs("role", "content", "refusal")
		m.only("role", "content", "refusal", "annotations", "tool_calls", "audio", "reasoning_content")
		m.at("role").is("assistant")
		var j joiner
		j.thinking(m.at("reasoning_content").strOr())
		j.text(m.at("content").strOr())
		a.Parts = j.parts
		if calls := m.at("tool_calls"); calls.there() {
			l := calls.list()
			if len(l) == 0 {
				c.d.fail(calls.path, "empty")
			}
			for _, t := range l {
				t.at("type").is("function")
				f := t.at("function")
				call := &neutral.Call{ID: t.at("id").some(), Name: f.at("name").some(), Args: f.at("arguments").args()}
				a.Parts = append(a.Parts, neutral.Part{Call: call})
			}
		}
		a.Finish = openAIFinish(c.at("finish_reason"), called(a.Parts))
	}
	return first
}

// openAIFinish reads why a choice ended: a client that acts on calls looks at
// this word first.
func openAIFinish(n node, calls bool) string {
	s := n.oneOf(openAIFinishes...)
	if calls && s == "stop" || !calls && s == "tool_calls" {
		n.d.fail(n.path, "%q, and calls is %v", s, calls)
	}
	return s
}

func openAIUsage(n node) neutral.Usage {
	prompt, completion := n.at("prompt_tokens").int(), n.at("completion_tokens").int()
	if total := n.at("total_tokens").int(); total != prompt+completion {
		n.d.fail(n.path+".total_tokens", "%d is not %d + %d", total, prompt, completion)
	}
	var u neutral.Usage
	if p := n.at("prompt_tokens_details"); p.there() {
		u.CacheRead = p.at("cached_tokens").intOr()
		u.CacheWrite = p.at("cache_write_tokens").intOr()
	}
	if c := n.at("completion_tokens_details"); c.there() {
		u.Reasoning = c.at("reasoning_tokens").intOr()
	}
	u.Input, u.Output = prompt-u.CacheRead-u.CacheWrite, completion-u.Reasoning
	if u.Input < 0 || u.Output < 0 {
		n.d.fail(n.path, "details are more than the whole: %s", n.raw)
	}
	return u
}

func openAIFault(top node, status int, h http.Header) *neutral.Fault {
	e := top.at("error").needs("message", "type", "param", "code")
	message, kind, code := e.at("message").some(), e.at("type").some(), e.at("code").strOr()
	e.at("param").strOr()
	f := fault(kindOf(status), status, message, h)
	switch {
	case code == "context_length_exceeded":
		f.Kind = neutral.FaultContext
	case status == http.StatusOK && (kind == "rate_limit_error" || code == "rate_limit_exceeded"):
		f.Kind = neutral.FaultRate
	case status == http.StatusOK && kind == "overloaded_error", code == "overloaded":
		f.Kind = neutral.FaultOverloaded
	case status == http.StatusOK && kind == "invalid_request_error":
		f.Kind = neutral.FaultInvalid
	case status == http.StatusOK:
		f.Kind = neutral.FaultServer
	}
	return f
}

// openAIChoice is a choice of a stream as far as it has come.
type openAIChoice struct {
	joiner
	role   bool
	calls  []*neutral.Call
	finish string
}

func readOpenAIStream(h http.Header, body io.Reader, usage bool) (got Got, err error) {
	if err := media(h, "text/event-stream"); err != nil {
		return got, err
	}
	e, d := newEvents(body, "\n"), &doc{}
	defer func() { got.Frames = e.frames }()
	var choices []*openAIChoice
	var created int64
	usageSeen := false
	assemble := func() {
		for i, c := range choices {
			parts := c.parts
			for _, call := range c.calls {
				checkArgs(d, "arguments of "+call.Name, call.Args)
				parts = append(parts, neutral.Part{Call: call})
			}
			if i == 0 {
				got.Parts, got.Finish = parts, c.finish
			} else {
				got.More = append(got.More, neutral.Answer{ID: got.ID, Model: got.Model, Parts: parts, Finish: c.finish})
			}
		}
	}
	for i := 0; ; i++ {
		ev, err := e.next()
		if err == io.EOF || err == errTorn {
			for _, c := range choices { // nothing was promised of what is cut
				c.calls = nil
			}
			assemble()
			got.Error = &neutral.Fault{Cut: true}
			return got, d.err
		}
		if err != nil {
			return got, err
		}
		path := "chunk " + strconv.Itoa(i)
		if ev.name != "" {
			d.fail(path, "has the name %q", ev.name)
		}
		if ev.data == "[DONE]" {
			break
		}
		top := d.parse(path, []byte(ev.data))
		if top.at("error").there() {
			got.Error = openAIFault(top, http.StatusOK, nil)
			for _, c := range choices {
				c.calls = nil
			}
			assemble()
			if d.err == nil {
				d.err = e.nothing("the error")
			}
			return got, d.err
		}
		top.at("object").is("chat.completion.chunk")
		id, model, at := top.at("id").some(), top.at("model").some(), top.at("created").int()
		if i == 0 {
			got.ID, got.Model, created = id, model, at
		} else if id != got.ID || model != got.Model || at != created {
			d.fail(path, "id, model or created changed from %q %q %d: %.200s", got.ID, got.Model, created, ev.data)
		}
		if usageSeen {
			d.fail(path, "follows the chunk with the usage")
		}
		list := top.at("choices").list()
		if u := top.at("usage"); u.there() {
			usageSeen = true
			got.Usage = openAIUsage(u)
			if !usage || len(list) != 0 {
				d.fail(path, "usage, asked for: %v, with %d choices", usage, len(list))
			}
		} else if len(list) == 0 {
			d.fail(path, "no choices and no usage")
		}
		for _, c := range list {
			c.needs("index", "delta", "finish_reason")
			n := int(c.at("index").int())
			for len(choices) <= n && n < 16 {
				choices = append(choices, &openAIChoice{})
			}
			if n < len(choices) && choices[n].take(c) {
				got.Pieces++
			}
		}
	}
	if d.err == nil {
		d.err = e.nothing("[DONE]")
	}
	assemble()
	for i, c := range choices {
		if c.finish == "" {
			d.fail("stream", "choice %d has no finish_reason", i)
		}
	}
	if len(choices) == 0 {
		d.fail("stream", "no choice")
	}
	if usage && !usageSeen {
		d.fail("stream", "no usage, and it was asked for")
	}
	return got, d.err
}

// take adds a delta, and reports that it brought text.
func (c *openAIChoice) take(n node) (piece bool) {
	d := n.d
	delta := n.at("delta")
	delta.only("role", "content", "refusal", "tool_calls", "reasoning_content")
	if c.finish != "" {
		d.fail(n.path, "comes after the choice has ended")
	}
	if !c.role {
		delta.at("role").is("assistant")
		c.role = true
	} else if delta.at("role").there() {
		d.fail(n.path, "a second role")
	}
	if s := delta.at("reasoning_content").strOr(); s != "" {
		if len(c.calls) > 0 {
			d.fail(n.path, "thinking after calls")
		}
		c.thinking(s)
	}
	if s := delta.at("content").strOr(); s != "" {
		piece = true
		c.text(s)
	}
	for _, t := range delta.at("tool_calls").listOr() {
		i := int(t.at("index").int())
		f := t.at("function")
		switch {
		case i == len(c.calls):
			t.at("type").is("function")
			c.calls = append(c.calls, &neutral.Call{ID: t.at("id").some(), Name: f.at("name").some(), Args: f.at("arguments").str()})
		case i > len(c.calls):
			d.fail(t.path+".index", "%d, and there are %d calls", i, len(c.calls))
		default:
			if t.at("id").there() || f.at("name").there() {
				d.fail(t.path, "a second id or name: %.200s", t.raw)
			}
			c.calls[i].Args += f.at("arguments").str()
		}
	}
	if w := n.at("finish_reason"); w.there() {
		c.finish = openAIFinish(w, len(c.calls) > 0)
	}
	return piece
}
