// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// decodeFrame is [hoosh.Dialect.DecodeFrame]. Calls of tools that the vendor itself
// runs are passed over: pieces of their arguments are events of an Index that no
// tool call has.
func decodeFrame(dst []hoosh.Event, f *hoosh.Frame) ([]hoosh.Event, error) {
	if len(f.Data) == 0 {
		return dst, nil
	}
	var e event
	if err := readEvent(hoosh.OpChat, f.Data, &e); err != nil {
		return dst, err
	}
	switch string(e.kind) {
	case "content_block_delta":
		return e.appendDelta(dst), nil
	case "content_block_start":
		return e.appendBlock(dst), nil
	case "message_start":
		dst = append(dst, hoosh.Event{Kind: hoosh.EventStart, ID: jsonpeek.Unquote(e.id), Model: jsonpeek.Unquote(e.model)})
	case "message_delta":
		if fin := finishOf(e.stop); fin != hoosh.FinishNone {
			dst = append(dst, hoosh.Event{Kind: hoosh.EventFinish, Finish: fin, Name: jsonpeek.Unquote(e.sequence)})
		}
	}
	if u := e.usage.classes(); !u.IsZero() {
		dst = append(dst, hoosh.Event{Kind: hoosh.EventUsage, Usage: u})
	}
	return dst, nil
}

func (e *event) appendDelta(dst []hoosh.Event) []hoosh.Event {
	kind := hoosh.EventText
	switch string(e.delta) {
	case "text_delta":
	case "thinking_delta":
		kind = hoosh.EventThinking
	case "input_json_delta":
		kind = hoosh.EventArguments
	case "signature_delta":
		if len(e.piece) == 0 {
			return dst
		}
		return append(dst, hoosh.Event{Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.RawText(e.piece)}})
	case "citations_delta":
		if e.citation == nil {
			return dst
		}
		c := jsonpeek.NewDepth(e.citation, jsonpeek.MaxDepth)
		cite := readCitation(&c)
		return append(dst, hoosh.Event{Kind: hoosh.EventCitation, Citation: &cite})
	default:
		return dst
	}
	if len(e.piece) == 0 {
		return dst
	}
	dst = append(dst, hoosh.NewEvent(kind, 0, hoosh.RawText(e.piece)))
	if kind == hoosh.EventArguments {
		dst[len(dst)-1].Index = e.index
	}
	return dst
}

func (e *event) appendBlock(dst []hoosh.Event) []hoosh.Event {
	b := &e.block
	switch string(b.kind) {
	case "tool_use":
		call := hoosh.Event{Kind: hoosh.EventToolCall, Index: e.index, ID: jsonpeek.Unquote(b.id), Name: jsonpeek.Unquote(b.name)}
		if !isEmptyObject(b.input) { // the arguments come in pieces usually
			call.Value = b.input
		}
		return append(dst, call)
	case "redacted_thinking":
		if len(b.data) > 0 {
			dst = append(dst, hoosh.Event{Kind: hoosh.EventSignature, Signature: &hoosh.Signature{Data: hoosh.RawText(b.data), Redacted: true}})
		}
	case "text", "thinking":
		if len(b.text) > 0 {
			kind := hoosh.EventText
			if string(b.kind) == "thinking" {
				kind = hoosh.EventThinking
			}
			dst = append(dst, hoosh.NewEvent(kind, 0, hoosh.RawText(b.text)))
		}
	}
	return dst
}

// isEmptyObject is also true of nothing.
func isEmptyObject(value []byte) bool {
	c := jsonpeek.New(value)
	return !c.Object() || !c.Next()
}
