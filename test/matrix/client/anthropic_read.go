// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

var anthropicID = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

var anthropicStops = map[string]string{
	"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
	"tool_use": "tool_calls", "refusal": "content_filter",
}

func readAnthropic(status int, h http.Header, body io.Reader, stream bool) (Got, error) {
	if stream && status == http.StatusOK {
		return readAnthropicStream(h, body)
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
		return Got{Answer: neutral.Answer{Error: anthropicFault(top, status, h)}}, d.err
	}
	a := anthropicHead(top)
	for _, c := range top.at("content").list() {
		a.Parts = append(a.Parts, anthropicBlock(c)...)
	}
	a.Usage = anthropicUsage(top.at("usage"))
	anthropicStop(top, &a)
	return Got{Answer: a}, d.err
}

func anthropicHead(top node) neutral.Answer {
	top.at("type").is("message")
	top.at("role").is("assistant")
	top.needs("content", "stop_reason", "stop_sequence", "usage")
	return neutral.Answer{ID: top.at("id").some(), Model: top.at("model").some()}
}

// anthropicStop reads why the answer ended, of a message or a message_delta.
func anthropicStop(n node, a *neutral.Answer) {
	n.needs("stop_reason", "stop_sequence")
	s := n.at("stop_reason").str()
	var ok bool
	if a.Finish, ok = anthropicStops[s]; !ok {
		n.d.fail(n.path+".stop_reason", "%q is none that is known", s)
	}
	a.StopSequence = n.at("stop_sequence").strOr()
	if (a.StopSequence != "") != (s == "stop_sequence") {
		n.d.fail(n.path, "stop_reason %q with stop_sequence %q", s, a.StopSequence)
	}
	if calls := called(a.Parts); calls && s == "end_turn" || !calls && s == "tool_use" {
		n.d.fail(n.path+".stop_reason", "%q, and calls is %v", s, calls)
	}
}

func anthropicBlock(c node) []neutral.Part {
	switch c.at("type").oneOf("text", "thinking", "redacted_thinking", "tool_use") {
	case "text":
		return []neutral.Part{{Text: c.at("text").some()}}
	case "thinking":
		return []neutral.Part{{Thinking: c.at("thinking").str(), Signature: c.at("signature").str()}}
	case "redacted_thinking":
		return []neutral.Part{{Signature: c.at("data").some()}}
	case "tool_use":
		call := &neutral.Call{ID: c.at("id").some(), Name: c.at("name").some(), Args: string(c.at("input").raw)}
		if !anthropicID.MatchString(call.ID) {
			c.d.fail(c.path+".id", "%q is no id that may come back", call.ID)
		}
		checkArgs(c.d, c.path+".input", call.Args)
		return []neutral.Part{{Call: call}}
	}
	return nil
}

func anthropicUsage(n node) neutral.Usage {
	u := neutral.Usage{
		Input: n.at("input_tokens").int(), Output: n.at("output_tokens").int(),
		CacheRead: n.at("cache_read_input_tokens").intOr(), CacheWrite: n.at("cache_creation_input_tokens").intOr(),
	}
	if t := n.at("output_tokens_details"); t.there() {
		u.Reasoning = t.at("thinking_tokens").intOr()
	}
	if u.Output -= u.Reasoning; u.Output < 0 {
		n.d.fail(n.path, "more thinking than output: %s", n.raw)
	}
	return u
}

// anthropicErrors are the types, with the statuses that they come with.
var anthropicErrors = map[string]struct {
	kind     string
	statuses []int
}{
	"invalid_request_error": {neutral.FaultInvalid, []int{400, 405, 422}},
	"authentication_error":  {neutral.FaultAuth, []int{401}},
	"billing_error":         {neutral.FaultAuth, []int{402}},
	"permission_error":      {neutral.FaultAuth, []int{403}},
	"not_found_error":       {neutral.FaultNotFound, []int{404}},
	"request_too_large":     {neutral.FaultInvalid, []int{413}},
	"rate_limit_error":      {neutral.FaultRate, []int{429}},
	"api_error":             {neutral.FaultServer, []int{500, 502}},
	"timeout_error":         {neutral.FaultServer, []int{504}},
	"overloaded_error":      {neutral.FaultOverloaded, []int{529, 503}},
}

func anthropicFault(top node, status int, h http.Header) *neutral.Fault {
	top.at("type").is("error")
	e := top.at("error")
	kind, message := e.at("type").some(), e.at("message").some()
	known, ok := anthropicErrors[kind]
	fits := status == http.StatusOK
	for _, s := range known.statuses {
		fits = fits || s == status
	}
	if !ok || !fits {
		top.d.fail(e.path+".type", "%q with status %d", kind, status)
	}
	f := fault(known.kind, status, message, h)
	if kind == "invalid_request_error" && strings.Contains(message, "prompt is too long") {
		f.Kind = neutral.FaultContext
	}
	return f
}

func readAnthropicStream(h http.Header, body io.Reader) (got Got, err error) {
	if err := media(h, "text/event-stream"); err != nil {
		return got, err
	}
	e := newEvents(body, "\n")
	s := &anthropicStream{d: &doc{}, got: &got, next: "message_start"}
	defer func() { got.Frames = e.frames }()
	for i := 0; ; i++ {
		ev, err := e.next()
		if err == io.EOF || err == errTorn {
			s.far()
			got.Error = &neutral.Fault{Cut: true}
			return got, s.d.err
		}
		if err != nil {
			return got, err
		}
		n := s.d.parse(fmt.Sprintf("event %d (%s)", i, ev.name), []byte(ev.data))
		n.at("type").is(ev.name)
		over := s.event(ev.name, n)
		if s.d.err != nil {
			return got, s.d.err
		}
		if over {
			return got, e.nothing(ev.name)
		}
	}
}

// anthropicStream follows the events of one message.
type anthropicStream struct {
	d      *doc
	got    *Got
	next   string // message_start, block, or message_stop
	blocks int
	kind   string // of the open block, "": none is
	part   neutral.Part
	json   strings.Builder
	signed bool
}

// far gives what had come of a message that does not end.
func (s *anthropicStream) far() {
	if s.kind == "text" || s.kind == "thinking" {
		s.got.Parts = append(s.got.Parts, s.part)
	}
}

func (s *anthropicStream) event(name string, n node) (over bool) {
	if name == "ping" {
		if s.next == "message_start" {
			s.d.fail(n.path, "before message_start")
		}
		return false
	}
	if name == "error" {
		s.got.Error = anthropicFault(n, http.StatusOK, nil)
		s.far()
		return true
	}
	phase := map[string]string{"message_start": "message_start", "message_stop": "message_stop"}[name]
	if phase == "" {
		phase = "block"
	}
	if phase != s.next {
		s.d.fail(n.path, "comes where %s should", s.next)
	}
	switch name {
	case "message_start":
		s.start(n.at("message"))
	case "content_block_start":
		s.open(n)
	case "content_block_delta":
		s.delta(n)
	case "content_block_stop":
		s.close(n)
	case "message_delta":
		if s.kind != "" {
			s.d.fail(n.path, "within a block")
		}
		anthropicStop(n.at("delta"), &s.got.Answer)
		s.usage(n.at("usage"))
		s.next = "message_stop"
	case "message_stop":
		return true
	default:
		s.d.fail(n.path, "is no event that is known")
	}
	return false
}

func (s *anthropicStream) start(m node) {
	s.got.Answer = anthropicHead(m)
	if len(m.at("content").list()) > 0 || m.at("stop_reason").there() || m.at("stop_sequence").there() {
		s.d.fail(m.path, "has content or an end at the start")
	}
	s.got.Usage = anthropicUsage(m.at("usage"))
	s.next = "block"
}

// usage takes the cumulative counts of a message_delta over those of the start,
// as the SDKs do: a figure that is not there stays.
func (s *anthropicStream) usage(n node) {
	u := &s.got.Usage
	out := n.at("output_tokens").int()
	for key, into := range map[string]*int64{"input_tokens": &u.Input, "cache_read_input_tokens": &u.CacheRead, "cache_creation_input_tokens": &u.CacheWrite} {
		if v := n.at(key); v.there() {
			*into = v.int()
		}
	}
	if t := n.at("output_tokens_details"); t.there() {
		u.Reasoning = t.at("thinking_tokens").intOr()
	}
	if u.Output = out - u.Reasoning; u.Output < 0 {
		s.d.fail(n.path, "more thinking than output: %s", n.raw)
	}
}

func (s *anthropicStream) index(n node) {
	if i := int(n.at("index").int()); i != s.blocks {
		s.d.fail(n.path+".index", "%d, not %d", i, s.blocks)
	}
}

func (s *anthropicStream) open(n node) {
	s.index(n)
	if s.kind != "" {
		s.d.fail(n.path, "the block before is open")
	}
	b := n.at("content_block")
	s.kind = b.at("type").oneOf("text", "thinking", "redacted_thinking", "tool_use")
	s.part, s.signed = neutral.Part{}, false
	s.json.Reset()
	switch s.kind {
	case "text":
		b.at("text").is("")
	case "thinking":
		b.at("thinking").is("")
		b.at("signature").is("")
	case "redacted_thinking":
		s.part.Signature = b.at("data").some()
	case "tool_use":
		s.part.Call = &neutral.Call{ID: b.at("id").some(), Name: b.at("name").some()}
		if !anthropicID.MatchString(s.part.Call.ID) {
			s.d.fail(b.path+".id", "%q is no id that may come back", s.part.Call.ID)
		}
		if canon := string(canonical(b.at("input").raw)); canon != "{}" {
			s.d.fail(b.path+".input", "%s, not {}", canon)
		}
	}
}

func (s *anthropicStream) delta(n node) {
	s.index(n)
	delta := n.at("delta")
	switch kind := delta.at("type").str(); s.kind + " " + kind {
	case "text text_delta":
		s.part.Text += delta.at("text").some()
		s.got.Pieces++
	case "thinking thinking_delta":
		if s.signed {
			s.d.fail(n.path, "thinking after its signature")
		}
		s.part.Thinking += delta.at("thinking").str()
	case "thinking signature_delta":
		s.signed = true
		s.part.Signature += delta.at("signature").str()
	case "tool_use input_json_delta":
		s.json.WriteString(delta.at("partial_json").str())
	default:
		s.d.fail(n.path, "%s in a block of %q", kind, s.kind)
	}
}

func (s *anthropicStream) close(n node) {
	s.index(n)
	switch s.kind {
	case "":
		s.d.fail(n.path, "no block is open")
		return
	case "tool_use":
		s.part.Call.Args = s.json.String()
		if s.part.Call.Args == "" {
			s.part.Call.Args = "{}"
		}
		checkArgs(s.d, n.path, s.part.Call.Args)
	}
	if s.part != (neutral.Part{}) {
		s.got.Parts = append(s.got.Parts, s.part)
	}
	s.blocks++
	s.kind = ""
}
