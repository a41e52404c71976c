// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"net/http"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

func textPart(s string) neutral.Part { return neutral.Part{Text: s} }

// responsesOther are kinds of items that are of no matter here.
var responsesOther = []string{
	"item_reference", "custom_tool_call", "custom_tool_call_output", "web_search_call", "file_search_call", "computer_call",
	"computer_call_output", "code_interpreter_call", "image_generation_call", "local_shell_call", "local_shell_call_output", "shell_call",
	"shell_call_output", "apply_patch_call", "apply_patch_call_output", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response",
	"mcp_call", "compaction",
}

// responsesInput reads the conversation. Every call in it has its output in it.
func responsesInput(v value, continued bool) {
	c := v.c
	if v.is('"') {
		c.turn("user", textPart(v.some()))
		return
	}
	items := v.list()
	if len(items) == 0 && c.ok() && !continued {
		v.coded("empty_array", "Invalid 'input': empty array. Expected an array with minimum length 1.")
	}
	var calls, outputs []string
	ids := map[string]bool{}
	for i, item := range items {
		o := item.object()
		kind := o.at("type").strOr()
		if kind == "" && o.has("role") {
			kind = "message"
		}
		responsesID(o, kind, ids)
		switch kind {
		case "message":
			responsesMessage(item)
		case "function_call":
			o := item.object("type", "id", "call_id", "name", "arguments", "status", "namespace")
			call := &neutral.Call{ID: o.at("call_id").openAICallID(), Name: o.at("name").openAIName(), Args: o.at("arguments").str()}
			if slices.Contains(calls, call.ID) {
				item.refuse("Duplicate function call with call_id %s.", call.ID)
			}
			calls = append(calls, call.ID)
			c.say("assistant", neutral.Part{Call: call})
		case "function_call_output":
			o := item.object("type", "id", "call_id", "output", "status", "name", "namespace")
			r := responsesOutput(o)
			if !continued && !slices.Contains(calls, r.ID) {
				item.refuse("No tool call found for function call output with call_id %s.", r.ID)
			}
			if slices.Contains(outputs, r.ID) {
				item.refuse("Duplicate function call output with call_id %s.", r.ID)
			}
			outputs = append(outputs, r.ID)
			c.say("tool", neutral.Part{Result: r})
		case "reasoning":
			responsesReasoning(item)
			next := ""
			if i+1 < len(items) {
				n := items[i+1].object()
				next = n.at("type").strOr() + n.at("role").strOr()
			}
			if !slices.Contains([]string{"reasoning", "messageassistant", "assistant", "function_call", "custom_tool_call", "web_search_call", "item_reference"}, next) {
				item.refuse("Item '%s' of type 'reasoning' was provided without its required following item.", o.at("id").strOr())
			}
		default:
			o.at("type").oneOf(append([]string{"message", "function_call", "function_call_output", "reasoning"}, responsesOther...)...)
			if id := o.at("id").strOr(); kind == "item_reference" && !c.s.kept(id) {
				c.refuseAs(notStored(o), "Item with id '%s' not found.", id)
			}
		}
	}
	for _, id := range calls {
		if !slices.Contains(outputs, id) {
			v.refuse("No tool output found for function call %s.", id)
		}
	}
}

func notStored(o object) fault {
	return fault{Fault: neutral.Fault{Status: http.StatusNotFound}, param: "input"}
}

var responsesPrefixes = map[string]string{"message": "msg", "function_call": "fc", "function_call_output": "fc", "reasoning": "rs"}

// responsesID checks that the id of an item begins as those of its kind do, and
// is there once.
func responsesID(o object, kind string, ids map[string]bool) {
	id := o.at("id").strOr()
	if prefix := responsesPrefixes[kind]; id != "" && !strings.HasPrefix(id, prefix) {
		o.at("id").coded("invalid_value", "Invalid '%s': '%s'. Expected an ID that begins with '%s'.", o.at("id").path, id, prefix)
	}
	if id != "" && ids[id] {
		o.at("id").refuse("Duplicate item found with id %s. Remove duplicate items from your input and try again.", id)
	}
	ids[id] = true
	if o.has("status") {
		o.at("status").oneOf("in_progress", "completed", "incomplete")
	}
}

func responsesMessage(item value) {
	o := item.object("type", "role", "content", "id", "status", "phase")
	role := o.at("role").oneOf("user", "system", "developer", "assistant")
	content := o.at("content")
	var parts []neutral.Part
	if content.is('"') {
		parts = []neutral.Part{textPart(content.some())}
	} else {
		kinds := []string{"input_text", "input_image", "input_file"}
		if role == "assistant" {
			kinds = []string{"output_text", "refusal"}
		}
		elements := content.list()
		if len(elements) == 0 {
			content.coded("empty_array", "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", content.path)
		}
		parts = responsesContent(elements, kinds)
	}
	switch role {
	case "assistant":
		item.c.say("assistant", parts...)
	case "developer", "system":
		item.c.turn("system", parts...)
	default:
		item.c.turn(role, parts...)
	}
}

func responsesContent(elements []value, kinds []string) (parts []neutral.Part) {
	for _, e := range elements {
		switch e.object().at("type").oneOf(kinds...) {
		case "input_text":
			parts = append(parts, textPart(e.object("type", "text").at("text").str()))
		case "output_text":
			parts = append(parts, textPart(e.object("type", "text", "annotations", "logprobs").at("text").str()))
		case "refusal":
			parts = append(parts, textPart(e.object("type", "refusal").at("refusal").str()))
		case "input_image":
			o := e.object("type", "image_url", "file_id", "detail")
			if o.has("detail") {
				o.at("detail").oneOf("auto", "low", "high", "original")
			}
			if o.has("file_id") {
				parts = append(parts, neutral.Part{Image: &neutral.Media{URL: o.at("file_id").str()}})
				continue
			}
			parts = append(parts, neutral.Part{Image: o.at("image_url").openAIImage()})
		case "input_file":
			parts = append(parts, neutral.Part{File: openAIFile(e.object("type", "file_data", "file_id", "file_url", "filename", "detail"))})
		}
	}
	return parts
}

func responsesOutput(o object) *neutral.Result {
	r := &neutral.Result{ID: o.at("call_id").openAICallID(), Name: o.at("name").strOr()}
	output := o.at("output")
	if output.is('"') {
		r.Text = output.str()
		return r
	}
	for _, p := range responsesContent(output.list(), []string{"input_text", "input_image", "input_file"}) {
		r.Text += p.Text
		if p.Image != nil {
			r.Image = p.Image
		}
	}
	return r
}

func responsesReasoning(item value) {
	c := item.c
	o := item.object("type", "id", "summary", "content", "encrypted_content", "status")
	p := neutral.Part{Signature: o.at("encrypted_content").strOr()}
	for _, s := range o.at("summary").list() {
		p.Thinking += s.object("type", "text").at("text").str()
		s.object().at("type").oneOf("summary_text")
	}
	if o.has("content") {
		for _, e := range o.at("content").list() {
			e.object("type", "text").at("type").oneOf("reasoning_text")
			if p.Thinking == "" {
				p.Thinking = e.object().at("text").str()
			}
		}
	}
	id := o.at("id").strOr()
	switch {
	case p.Signature == "" && !c.s.kept(id):
		c.refuseAs(notStored(o), "Item with id '%s' not found. Items are not persisted when `store` is set to false. "+
			"Try again with `store` set to true, or remove this item from your input.", id)
	case p.Signature != "" && c.s.known(p.Signature) == nil:
		o.at("encrypted_content").coded("invalid_encrypted_content", "The encrypted content for item %s could not be verified. Reason: Encrypted content could not be decrypted or parsed.", id)
	}
	c.say("assistant", p)
}
