// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

var geminiFinishes = map[string]string{
	"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter", "RECITATION": "content_filter",
	"BLOCKLIST": "content_filter", "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter",
}

// geminiStatuses are google.rpc's words, with the HTTP statuses that they stand for.
var geminiStatuses = map[string]struct {
	kind     string
	statuses []int
}{
	"INVALID_ARGUMENT":    {neutral.FaultInvalid, []int{400, 405, 413, 422}},
	"FAILED_PRECONDITION": {neutral.FaultInvalid, []int{400}},
	"UNAUTHENTICATED":     {neutral.FaultAuth, []int{401}},
	"PERMISSION_DENIED":   {neutral.FaultAuth, []int{403}},
	"NOT_FOUND":           {neutral.FaultNotFound, []int{404}},
	"RESOURCE_EXHAUSTED":  {neutral.FaultRate, []int{429}},
	"INTERNAL":            {neutral.FaultServer, []int{500, 502}},
	"UNKNOWN":             {neutral.FaultServer, []int{500, 502}},
	"UNAVAILABLE":         {neutral.FaultOverloaded, []int{503, 502}},
	"DEADLINE_EXCEEDED":   {neutral.FaultServer, []int{504}},
}

func readGemini(array bool) func(int, http.Header, io.Reader, bool) (Got, error) {
	return func(status int, h http.Header, body io.Reader, stream bool) (Got, error) {
		if stream && status == http.StatusOK {
			return readGeminiStream(h, body, array)
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
		if array && status != http.StatusOK && len(top.raw) > 0 && top.raw[0] == '[' { // the vendor wraps this one too
			if l := top.list(); len(l) == 1 {
				top = l[0]
			}
		}
		if status != http.StatusOK {
			return Got{Answer: neutral.Answer{Error: geminiFault(top, status, h)}}, d.err
		}
		g := &geminiStream{d: d}
		g.event(top)
		if d.err == nil && !g.complete() {
			d.fail("body", "a candidate without finishReason: %.300s", raw)
		}
		return g.answer(), d.err
	}
}

// geminiStream joins the events of a stream; a whole answer is one event.
type geminiStream struct {
	d       *doc
	id      string
	model   string
	choices []*geminiChoiceOf
	usage   neutral.Usage
	counted bool
	pieces  int
}

type geminiChoiceOf struct {
	joiner
	finish string
}

func (g *geminiStream) event(n node) {
	n.only("candidates", "usageMetadata", "modelVersion", "responseId", "promptFeedback", "createTime")
	id, model := n.at("responseId").some(), n.at("modelVersion").some()
	if g.id == "" {
		g.id, g.model = id, model
	} else if id != g.id || model != g.model {
		g.d.fail(n.path, "responseId or modelVersion changed: %q %q, were %q %q", id, model, g.id, g.model)
	}
	if n.at("promptFeedback").there() && n.at("promptFeedback").at("blockReason").there() {
		g.choices = []*geminiChoiceOf{{finish: "content_filter"}}
	}
	for _, c := range n.at("candidates").listOr() {
		i := int(c.at("index").intOr())
		for len(g.choices) <= i && i < 16 {
			g.choices = append(g.choices, &geminiChoiceOf{})
		}
		if i < len(g.choices) {
			g.candidate(g.choices[i], c)
		}
	}
	if u := n.at("usageMetadata"); u.there() {
		g.usage, g.counted = geminiUsage(u), true
	}
}

func (g *geminiStream) candidate(to *geminiChoiceOf, c node) {
	if to.finish != "" {
		g.d.fail(c.path, "comes after its finishReason")
	}
	if content := c.at("content"); content.there() {
		content.only("role", "parts")
		content.at("role").is("model")
		for _, p := range content.at("parts").listOr() {
			g.part(to, p)
		}
	}
	if w := c.at("finishReason"); w.there() {
		f, ok := geminiFinishes[w.str()]
		if !ok {
			g.d.fail(w.path, "%s is none that is known", w.raw)
		}
		if f == "stop" && called(to.parts) {
			f = "tool_calls"
		}
		to.finish = f
	}
}

func (g *geminiStream) part(to *geminiChoiceOf, p node) {
	p.only("text", "functionCall", "thought", "thoughtSignature")
	signature := p.at("thoughtSignature").strOr()
	if _, err := base64.StdEncoding.DecodeString(signature); err != nil { // the SDKs hold bytes
		g.d.fail(p.path+".thoughtSignature", "is no base64 of the standard alphabet, padded: %.60s", signature)
	}
	thought := p.at("thought").there() && p.at("thought").bool()
	switch call := p.at("functionCall"); {
	case call.there():
		if p.at("text").there() || thought {
			g.d.fail(p.path, "text or thought beside functionCall")
		}
		call.only("id", "name", "args")
		args := "{}"
		if a := call.at("args"); a.there() {
			args = string(a.raw)
		}
		checkArgs(g.d, call.path+".args", args)
		to.parts = append(to.parts, neutral.Part{Signature: signature, Call: &neutral.Call{ID: call.at("id").strOr(), Name: call.at("name").some(), Args: args}})
	case thought:
		to.thinking(p.at("text").str())
		to.sign(signature)
	default:
		s := p.at("text").str()
		if s != "" {
			g.pieces++
		}
		to.text(s)
		to.sign(signature)
	}
}

// sign gives the last part its signature.
func (j *geminiChoiceOf) sign(signature string) {
	if p := j.last(); p != nil && signature != "" {
		p.Signature = signature
	} else if signature != "" {
		j.parts = append(j.parts, neutral.Part{Signature: signature})
	}
}

func (g *geminiStream) complete() bool {
	for _, c := range g.choices {
		if c.finish == "" {
			return false
		}
	}
	return len(g.choices) > 0
}

func (g *geminiStream) answer() Got {
	got := Got{Pieces: g.pieces}
	got.ID, got.Model, got.Usage = g.id, g.model, g.usage
	for i, c := range g.choices {
		if i == 0 {
			got.Parts, got.Finish = c.parts, c.finish
		} else {
			got.More = append(got.More, neutral.Answer{ID: g.id, Model: g.model, Parts: c.parts, Finish: c.finish})
		}
	}
	return got
}

func geminiUsage(n node) neutral.Usage {
	prompt, thoughts, out := n.at("promptTokenCount").intOr(), n.at("thoughtsTokenCount").intOr(), n.at("candidatesTokenCount").intOr()
	cached := n.at("cachedContentTokenCount").intOr()
	if total := n.at("totalTokenCount").int(); total != prompt+thoughts+out {
		n.d.fail(n.path+".totalTokenCount", "%d is not %d + %d + %d", total, prompt, thoughts, out)
	}
	if cached > prompt {
		n.d.fail(n.path, "more is cached than was said: %s", n.raw)
	}
	return neutral.Usage{Input: prompt - cached, CacheRead: cached, Output: out, Reasoning: thoughts}
}

func geminiFault(top node, status int, h http.Header) *neutral.Fault {
	e := top.at("error")
	code, message, word := int(e.at("code").int()), e.at("message").some(), e.at("status").some()
	known, ok := geminiStatuses[word]
	fits := false
	for _, s := range known.statuses {
		fits = fits || s == code
	}
	if !ok || !fits || status != http.StatusOK && status != code {
		top.d.fail(e.path, "status %q with code %d and HTTP %d", word, code, status)
	}
	f := fault(known.kind, status, message, h)
	if code == http.StatusBadGateway {
		f.Kind = neutral.FaultServer
	}
	if strings.Contains(message, "token count") && strings.Contains(message, "exceeds the maximum number of tokens") {
		f.Kind = neutral.FaultContext
	}
	for _, detail := range e.at("details").listOr() {
		if detail.at("@type").strOr() == "type.googleapis.com/google.rpc.RetryInfo" {
			s, err := strconv.ParseFloat(strings.TrimSuffix(detail.at("retryDelay").str(), "s"), 64)
			if err != nil {
				top.d.fail(detail.path, "retryDelay %s", detail.raw)
			}
			f.RetryAfter = int(math.Ceil(s))
		}
	}
	return f
}

func readGeminiStream(h http.Header, body io.Reader, array bool) (got Got, err error) {
	g := &geminiStream{d: &doc{}}
	var frames []string
	var next func() (string, error)
	if array {
		if err := media(h, "application/json"); err != nil {
			return got, err
		}
		raw, err := io.ReadAll(body)
		next = arrayElements(raw, err, g.d)
	} else {
		if err := media(h, "text/event-stream"); err != nil {
			return got, err
		}
		e := newEvents(body, "\r\n")
		next = func() (string, error) {
			ev, err := e.next()
			if ev.name != "" {
				g.d.fail("event", "has the name %q", ev.name)
			}
			return ev.data, err
		}
	}
	defer func() { got.Frames = frames }()
	for i := 0; ; i++ {
		data, err := next()
		if err == io.EOF || err == errTorn {
			got = g.answer()
			switch {
			case err == errTorn || !g.complete():
				got.Error = &neutral.Fault{Cut: true}
			case !g.counted:
				g.d.fail("stream", "no usageMetadata")
			}
			return got, g.d.err
		}
		if err != nil {
			return got, err
		}
		frames = append(frames, data)
		n := g.d.parse(fmt.Sprintf("event %d", i), []byte(data))
		if n.at("error").there() {
			got = g.answer()
			got.Error = geminiFault(n, http.StatusOK, nil)
			got.Error.Status = http.StatusOK
			if data, err := next(); err == nil {
				g.d.fail("stream", "after the error comes %.200s", data)
			}
			if g.complete() {
				g.d.fail("stream", "a finishReason ahead of an error")
			}
			return got, g.d.err
		}
		g.event(n)
		if g.d.err != nil {
			return got, g.d.err
		}
	}
}

// arrayElements gives the elements of a JSON array that may be cut.
func arrayElements(raw []byte, readErr error, d *doc) func() (string, error) {
	rest, first := bytes.TrimSpace(raw), true
	return func() (string, error) {
		rest = bytes.TrimSpace(rest)
		switch {
		case len(rest) == 0 || readErr != nil && len(rest) == 1:
			return "", errTorn
		case rest[0] == ']':
			if len(bytes.TrimSpace(rest[1:])) > 0 {
				d.fail("stream", "something follows the array: %.80q", rest[1:])
			}
			return "", io.EOF
		case first && rest[0] != '[', !first && rest[0] != ',':
			return "", fmt.Errorf("the stream is no JSON array at %.80q", rest)
		}
		rest, first = bytes.TrimSpace(rest[1:]), false
		n := valueLength(rest)
		if n == 0 {
			return "", errTorn
		}
		element := string(rest[:n])
		rest = rest[n:]
		return element, nil
	}
}

// valueLength is the length of the JSON object at the start of b, 0 if it is not
// whole.
func valueLength(b []byte) int {
	depth, inString := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
