// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Ollama is /api/chat.
var Ollama = register(&Dialect{Name: "ollama", Render: renderOllama, Read: readOllama})

func renderOllama(a neutral.Ask) Request {
	var b members
	b.put("model", a.Model)
	var ms []any
	for _, t := range a.Turns {
		ms = append(ms, ollamaMessages(t)...)
	}
	b.put("messages", ms)
	var tools []any
	for _, t := range a.Tools {
		f := obj("name", t.Name, "description", t.Description, "parameters", t.Parameters)
		tools = append(tools, obj("type", "function", "function", f))
	}
	b.put("tools", tools)
	if a.Schema != nil {
		b.put("format", a.Schema)
	}
	switch {
	case a.Effort != "":
		b.put("think", a.Effort)
	case a.Budget > 0:
		b.put("think", true)
	}
	var o members
	o.put("num_predict", a.MaxTokens)
	o.put("temperature", a.Temperature)
	o.put("top_p", a.TopP)
	o.put("seed", a.Seed)
	o.put("stop", a.Stop)
	b.put("options", o)
	b = append(b, member{"stream", a.Stream})
	return Request{"POST", "/api/chat", head(), encode(b)}
}

func ollamaMessages(t neutral.Turn) []any {
	if t.Role == "tool" {
		var ms []any
		for _, p := range t.Parts {
			m := obj("role", "tool", "content", p.Result.Text)
			m.put("tool_name", p.Result.Name)
			if p.Result.Image != nil {
				m.put("images", []string{p.Result.Image.Data})
			}
			ms = append(ms, m)
		}
		return ms
	}
	m := obj("role", t.Role, "content", text(t.Parts))
	var images []string
	var calls []any
	for _, p := range t.Parts {
		if p.Image != nil {
			images = append(images, p.Image.Data)
		}
		if c := p.Call; c != nil {
			f := obj("name", c.Name, "arguments", json.RawMessage(c.Args))
			calls = append(calls, obj("function", f))
		}
	}
	m.put("thinking", thinking(t.Parts))
	m.put("images", images)
	m.put("tool_calls", calls)
	return []any{m}
}

func readOllama(status int, h http.Header, body io.Reader, stream bool) (Got, error) {
	if stream && status == http.StatusOK {
		return readOllamaStream(h, body)
	}
	raw, err := readWhole(body)
	if err != nil {
		return Got{}, err
	}
	if err := media(h, "application/json"); err != nil {
		return Got{}, err
	}
	o := &ollamaAnswer{d: &doc{}}
	top := o.d.parse("body", raw)
	if status != http.StatusOK {
		return Got{Answer: neutral.Answer{Error: ollamaFault(top, status, h)}}, o.d.err
	}
	o.line(top)
	if o.d.err == nil && !o.done {
		o.d.fail("body.done", "is not true")
	}
	return o.got, o.d.err
}

// ollamaAnswer joins the lines of an answer; a whole one is one line.
type ollamaAnswer struct {
	d    *doc
	got  Got
	join joiner
	done bool
}

func (o *ollamaAnswer) line(n node) {
	if model := n.at("model").some(); o.got.Model == "" {
		o.got.Model = model
	} else if model != o.got.Model {
		o.d.fail(n.path+".model", "%q, and was %q", model, o.got.Model)
	}
	if _, err := time.Parse(time.RFC3339Nano, n.at("created_at").str()); err != nil {
		o.d.fail(n.path+".created_at", "%v", err)
	}
	if o.done {
		o.d.fail(n.path, "comes after the last line")
	}
	m := n.at("message")
	m.only("role", "content", "thinking", "tool_calls", "images")
	m.at("role").is("assistant")
	o.join.thinking(m.at("thinking").strOr())
	if s := m.at("content").str(); s != "" {
		o.join.text(s)
		o.got.Pieces++
	}
	for _, c := range m.at("tool_calls").listOr() {
		f := c.at("function")
		call := &neutral.Call{ID: c.at("id").strOr(), Name: f.at("name").some(), Args: string(f.at("arguments").raw)}
		checkArgs(o.d, f.path+".arguments", call.Args)
		o.join.parts = append(o.join.parts, neutral.Part{Call: call})
	}
	o.got.Parts = o.join.parts
	if !n.at("done").bool() {
		if n.at("done_reason").there() {
			o.d.fail(n.path, "done_reason ahead of the end")
		}
		return
	}
	o.done = true
	o.got.Finish = n.at("done_reason").oneOf("stop", "length")
	if o.got.Finish == "stop" && called(o.got.Parts) {
		o.got.Finish = "tool_calls"
	}
	for _, key := range []string{"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"} {
		n.at(key).intOr()
	}
	o.got.Usage = neutral.Usage{Input: n.at("prompt_eval_count").intOr(), Output: n.at("eval_count").intOr()}
}

func ollamaFault(top node, status int, h http.Header) *neutral.Fault {
	top.only("error", "StatusCode", "status_code")
	message := top.at("error").some()
	f := fault(kindOf(status), status, message, h)
	if status == http.StatusOK {
		f.Kind = "" // the format has no word for it
	}
	for _, words := range []string{"context length", "context window", "exceeds the context", "prompt is too long", "exceeds the maximum number of tokens"} {
		if strings.Contains(message, words) { // the format has no code: it is the words that tell
			f.Kind = neutral.FaultContext
		}
	}
	return f
}

func readOllamaStream(h http.Header, body io.Reader) (Got, error) {
	o := &ollamaAnswer{d: &doc{}}
	if err := media(h, "application/x-ndjson"); err != nil {
		return o.got, err
	}
	r := bufio.NewReader(body)
	for i := 0; ; i++ {
		l, err := r.ReadBytes('\n')
		if err != nil {
			if len(l) > 0 || !o.done {
				o.got.Error = &neutral.Fault{Cut: true}
			}
			return o.got, o.d.err
		}
		o.got.Frames = append(o.got.Frames, string(bytes.TrimSpace(l)))
		n := o.d.parse(fmt.Sprintf("line %d", i), l)
		if n.at("error").there() {
			o.got.Error = ollamaFault(n, http.StatusOK, nil)
			if more, err := r.ReadBytes('\n'); err == nil {
				o.d.fail("stream", "after the error comes %.200s", more)
			}
			if o.done {
				o.d.fail("stream", "an error after the last line")
			}
			return o.got, o.d.err
		}
		o.line(n)
		if o.d.err != nil {
			return o.got, o.d.err
		}
	}
}
