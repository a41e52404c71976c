// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"io"
	"net/http"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func readResponses(status int, h http.Header, body io.Reader, stream bool) (Got, error) {
	if stream && status == http.StatusOK {
		return readResponsesStream(h, body)
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
	if s := top.at("status").oneOf("completed", "incomplete", "failed"); s == "failed" {
		return Got{Answer: neutral.Answer{Error: responsesFailed(top)}}, d.err
	}
	return Got{Answer: responsesWhole(top)}, d.err
}

// responsesHead checks what every response object has, finished or not.
func responsesHead(top node) {
	top.at("object").is("response")
	top.at("id").some()
	top.at("created_at").int()
	top.at("model").some()
	// The members that typed SDKs do not take for optional.
	top.needs("error", "incomplete_details", "instructions", "metadata", "output", "parallel_tool_calls", "status",
		"temperature", "tool_choice", "tools", "top_p")
	top.at("parallel_tool_calls").bool()
	top.at("tools").list()
}

func responsesWhole(top node) neutral.Answer {
	responsesHead(top)
	a := neutral.Answer{ID: top.at("id").some(), Model: top.at("model").some(), Usage: responsesUsage(top.at("usage"))}
	ids := map[string]bool{}
	for _, item := range top.at("output").list() {
		parts := responsesItem(item, ids)
		for _, p := range parts {
			if n := len(a.Parts); n > 0 && p.Text != "" && a.Parts[n-1].Text != "" {
				a.Parts[n-1].Text += p.Text
			} else {
				a.Parts = append(a.Parts, p)
			}
		}
	}
	if top.at("error").there() {
		top.d.fail("response.error", "is set: %s", top.at("error").raw)
	}
	a.Finish = "stop"
	switch top.at("status").oneOf("completed", "incomplete") {
	case "incomplete":
		a.Finish = "length"
		if top.at("incomplete_details").at("reason").oneOf("max_output_tokens", "content_filter") == "content_filter" {
			a.Finish = "content_filter"
		}
	default:
		if top.at("incomplete_details").there() {
			top.d.fail("response.incomplete_details", "is set: %s", top.at("incomplete_details").raw)
		}
		if called(a.Parts) {
			a.Finish = "tool_calls"
		}
	}
	return a
}

// responsesItem reads an item that is done.
func responsesItem(n node, ids map[string]bool) []neutral.Part {
	id := n.at("id").some()
	if ids[id] {
		n.d.fail(n.path+".id", "%q twice", id)
	}
	ids[id] = true
	switch n.at("type").oneOf("message", "function_call", "reasoning") {
	case "message":
		n.at("role").is("assistant")
		n.at("status").oneOf("completed", "incomplete")
		var parts []neutral.Part
		for _, c := range n.at("content").list() {
			c.at("type").oneOf("output_text")
			c.at("annotations").list()
			if t := c.at("text").str(); t != "" {
				parts = append(parts, neutral.Part{Text: t})
			}
		}
		return parts
	case "function_call":
		n.at("status").oneOf("completed", "incomplete")
		return []neutral.Part{{Call: &neutral.Call{ID: n.at("call_id").some(), Name: n.at("name").some(), Args: n.at("arguments").args()}}}
	case "reasoning":
		p := neutral.Part{Signature: n.at("encrypted_content").strOr()}
		for _, s := range n.at("summary").list() {
			s.at("type").is("summary_text")
			p.Thinking += s.at("text").str()
		}
		for _, c := range n.at("content").listOr() {
			c.at("type").is("reasoning_text")
			if p.Thinking == "" {
				p.Thinking = c.at("text").str()
			}
		}
		return []neutral.Part{p}
	}
	return nil
}

func responsesUsage(n node) neutral.Usage {
	in, out := n.at("input_tokens").int(), n.at("output_tokens").int()
	if total := n.at("total_tokens").int(); total != in+out {
		n.d.fail(n.path+".total_tokens", "%d is not %d + %d", total, in, out)
	}
	details := n.at("input_tokens_details")
	u := neutral.Usage{
		CacheRead: details.at("cached_tokens").int(), CacheWrite: details.at("cache_write_tokens").intOr(),
		Reasoning: n.at("output_tokens_details").at("reasoning_tokens").int(),
	}
	u.Input, u.Output = in-u.CacheRead-u.CacheWrite, out-u.Reasoning
	if u.Input < 0 || u.Output < 0 {
		n.d.fail(n.path, "details are more than the whole: %s", n.raw)
	}
	return u
}

func responsesFailed(top node) *neutral.Fault {
	e := top.at("error")
	return responsesKind(e.at("code").some(), e.at("message").some())
}

func responsesKind(code, message string) *neutral.Fault {
	f := &neutral.Fault{Kind: neutral.FaultServer, Status: http.StatusOK, Message: message, InStream: true}
	switch code {
	case "context_length_exceeded":
		f.Kind = neutral.FaultContext
	case "rate_limit_exceeded":
		f.Kind = neutral.FaultRate
	case "overloaded", "server_is_overloaded", "slow_down":
		f.Kind = neutral.FaultOverloaded
	case "invalid_request_error", "invalid_prompt":
		f.Kind = neutral.FaultInvalid
	}
	return f
}
