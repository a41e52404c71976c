// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// geminiSays are the messages of faults for which the script has none.
var geminiSays = map[string]string{
	neutral.FaultInvalid:    "Request contains an invalid argument.",
	neutral.FaultContext:    "The input token count (1048600) exceeds the maximum number of tokens allowed (1048576).",
	neutral.FaultAuth:       "API key not valid. Please pass a valid API key.",
	neutral.FaultNotFound:   "The model is not found for API version v1beta, or is not supported for generateContent.",
	neutral.FaultRate:       "You exceeded your current quota, please check your plan and billing details.",
	neutral.FaultOverloaded: "The model is overloaded. Please try again later.",
	neutral.FaultServer:     "An internal error has occurred. Please retry or report.",
}

// geminiError is the body of an error, and its status. A key that is refused is
// an invalid argument.
func geminiError(f fault) (body json.RawMessage, status int) {
	word, details := "INVALID_ARGUMENT", []json.RawMessage{}
	status = statusOf(f.Fault)
	switch f.Kind {
	case neutral.FaultAuth:
		if status == http.StatusForbidden {
			word = "PERMISSION_DENIED"
			break
		}
		status = http.StatusBadRequest
		details = append(details, obj("@type", "type.googleapis.com/google.rpc.ErrorInfo", "reason", "API_KEY_INVALID", "domain", "googleapis.com",
			"metadata", obj("service", "generativelanguage.googleapis.com")))
	case neutral.FaultNotFound:
		word = "NOT_FOUND"
	case neutral.FaultRate:
		word = "RESOURCE_EXHAUSTED"
		details = append(details, obj("@type", "type.googleapis.com/google.rpc.QuotaFailure", "violations",
			list(obj("quotaMetric", "generativelanguage.googleapis.com/generate_content_requests", "quotaId", "GenerateRequestsPerMinutePerProjectPerModel"))))
		if f.RetryAfter > 0 {
			details = append(details, obj("@type", "type.googleapis.com/google.rpc.RetryInfo", "retryDelay", fmt.Sprintf("%ds", f.RetryAfter)))
		}
	case neutral.FaultOverloaded:
		word = "UNAVAILABLE"
	case neutral.FaultServer:
		word = "INTERNAL"
	}
	return obj("error", obj("code", status, "message", say(f.Fault, geminiSays), "status", word, "details", when(len(details) > 0, list(details...)))), status
}

// refuseGemini writes an error; that of a stream that is no SSE is in an array.
func refuseGemini(c *check, w http.ResponseWriter, f fault) {
	body, status := geminiError(f)
	if c.ask.Stream && c.r.URL.Query().Get("alt") != "sse" {
		body = list(body)
	}
	whole(w, status, body, false)
}

var geminiFinishes = map[string]string{"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}

// geminiAnswer writes answers to one request.
type geminiAnswer struct {
	c                    *check
	third, thoughts, sse bool
}

func (r geminiAnswer) write(w http.ResponseWriter, a neutral.Answer) {
	a = r.c.complete(a, "", "")
	all := append([]neutral.Answer{a}, a.More...)
	for i := range all {
		all[i].Parts = r.sign(all[i].Parts)
	}
	switch {
	case r.c.ask.Stream && r.sse:
		s := newStream(w, "text/event-stream", "\r\n")
		r.stream(a, all, func(j json.RawMessage) { s.event("", j) }, s.comment)
		s.end()
	case r.c.ask.Stream:
		s := newStream(w, "application/json; charset=UTF-8", "\n")
		begin := "["
		r.stream(a, all, func(j json.RawMessage) {
			s.bytes(append([]byte(begin), j...))
			begin = "\n,\r\n"
		}, func() {})
		if a.Error == nil || !a.Error.Cut {
			s.bytes([]byte("\n]\n"))
		}
		s.end()
	default:
		var candidates []json.RawMessage
		for i, c := range all {
			var parts []json.RawMessage
			for _, p := range c.Parts {
				parts = append(parts, r.part(p, p.Text, p.Thinking, p.Signature))
			}
			candidates = append(candidates, geminiCandidate(i, parts, geminiFinishes[c.Finish]))
		}
		whole(w, http.StatusOK, r.event(a, candidates, geminiUsage(a.Usage)), a.Error != nil)
	}
}

// sign leaves out thoughts that are not to be told, and signs what is not signed:
// where the script signs nothing, thoughts and the first call.
func (r geminiAnswer) sign(parts []neutral.Part) []neutral.Part {
	scripted := slices.ContainsFunc(parts, func(p neutral.Part) bool { return p.Signature != "" })
	var out []neutral.Part
	called := false
	for _, p := range parts {
		thinking := p.Thinking != ""
		if r.third && !scripted && (thinking || p.Call != nil && !called) {
			p.Signature = r.c.s.signature()
		}
		called = called || p.Call != nil
		if thinking && !r.thoughts {
			continue
		}
		if p.Signature != "" {
			b, ok := protoBytes(p.Signature)
			if !ok {
				panic(fmt.Sprintf("vendor: the script has a thoughtSignature that is no base64: %q", p.Signature))
			}
			r.c.s.issue(base64.StdEncoding.EncodeToString(b), p.Thinking)
		}
		out = append(out, p)
	}
	return out
}

// part is a part with some of its text.
func (r geminiAnswer) part(p neutral.Part, text, thinking any, signature string) json.RawMessage {
	sign := when(signature != "", signature)
	switch {
	case p.Call != nil:
		f := obj("id", when(p.Call.ID != "", p.Call.ID), "name", p.Call.Name, "args", compact(p.Call.Args))
		return obj("functionCall", f, "thoughtSignature", sign)
	case p.Thinking != "":
		return obj("text", thinking, "thought", true, "thoughtSignature", sign)
	}
	return obj("text", text, "thoughtSignature", sign)
}

// geminiCandidate has no content where there is nothing to say.
func geminiCandidate(index int, parts []json.RawMessage, finish string) json.RawMessage {
	content := when(parts != nil, obj("parts", list(parts...), "role", "model"))
	return obj("content", content, "finishReason", when(finish != "", finish), "index", index)
}

func (r geminiAnswer) event(a neutral.Answer, candidates []json.RawMessage, usage json.RawMessage) json.RawMessage {
	return obj("candidates", list(candidates...), "usageMetadata", usage, "modelVersion", a.Model, "responseId", a.ID)
}

// geminiUsage counts thoughts beside candidates, and what is cached within the
// prompt.
func geminiUsage(u neutral.Usage) json.RawMessage {
	prompt := u.Input + u.CacheRead + u.CacheWrite
	return obj("promptTokenCount", prompt, "candidatesTokenCount", when(u.Output > 0, u.Output), "totalTokenCount", prompt+u.Output+u.Reasoning,
		"cachedContentTokenCount", when(u.CacheRead > 0, u.CacheRead), "promptTokensDetails", list(obj("modality", "TEXT", "tokenCount", prompt)),
		"thoughtsTokenCount", when(u.Reasoning > 0, u.Reasoning))
}

// stream writes the events by way of event, and comments between them.
func (r geminiAnswer) stream(a neutral.Answer, all []neutral.Answer, event func(json.RawMessage), comment func()) {
	early := a.Usage
	early.Output, early.Reasoning = 0, 0
	say := func(index int, parts []json.RawMessage) {
		event(r.event(a, []json.RawMessage{geminiCandidate(index, parts, "")}, geminiUsage(early)))
	}
	var queues [][]func()
	for i, c := range all {
		queues = append(queues, r.parts(c.Parts, func(parts ...json.RawMessage) { say(i, parts) }, comment))
	}
	interleave(queues)
	if f := a.Error; f != nil {
		if !f.Cut {
			body, _ := geminiError(fault{Fault: *f})
			event(body)
		}
		return
	}
	for i, c := range all {
		var parts []json.RawMessage
		if c.Finish != "content_filter" {
			parts = []json.RawMessage{obj("text", "")}
		}
		event(r.event(a, []json.RawMessage{geminiCandidate(i, parts, geminiFinishes[c.Finish])}, geminiUsage(a.Usage)))
	}
}

// parts are the events of a candidate ahead of its end, to be written. Calls come
// whole, two of them in one event.
func (r geminiAnswer) parts(parts []neutral.Part, say func(...json.RawMessage), comment func()) (q []func()) {
	for i := 0; i < len(parts); i++ {
		p := parts[i]
		switch {
		case p.Call != nil:
			both := []json.RawMessage{r.part(p, "", "", p.Signature)}
			if i+1 < len(parts) && parts[i+1].Call != nil {
				i++
				both = append(both, r.part(parts[i], "", "", parts[i].Signature))
			}
			q = append(q, func() { say(both...) })
		case p.Thinking != "":
			cut := pieces(p.Thinking)
			for n, piece := range cut {
				signature := ""
				if n == len(cut)-1 {
					signature = p.Signature
				}
				q = append(q, func() { say(r.part(p, "", written(n, piece), signature)) })
			}
		default:
			cut := pieces(p.Text)
			for n, piece := range cut {
				q = append(q, func() {
					if n%4 == 1 {
						comment()
					}
					say(r.part(p, written(n, piece), "", ""))
				})
			}
			if p.Signature != "" { // it comes with a text of its own
				q = append(q, func() { say(r.part(p, "", "", p.Signature)) })
			}
		}
	}
	return q
}
