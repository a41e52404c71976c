// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"slices"
)

// responses is OpenAI's Responses API.
var responses = &Vendor{
	Name: "responses", Model: "gpt-5.1-codex", words: openAIWords,
	list: listOpenAI, read: readResponses, refuse: refuseOpenAI,
}

var responsesKeys = []string{
	"model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "max_output_tokens", "max_tool_calls", "include", "store",
	"previous_response_id", "conversation", "parallel_tool_calls", "truncation", "prompt_cache_key", "prompt_cache_options",
	"prompt_cache_retention", "service_tier", "stream", "stream_options", "metadata", "background", "context_management", "temperature",
	"top_p", "top_logprobs", "user", "safety_identifier", "prompt", "client_metadata", "moderation",
}

// responsesMoved are what other formats call things by.
var responsesMoved = map[string]string{
	"messages": "input", "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens", "response_format": "text.format",
	"reasoning_effort": "reasoning.effort", "functions": "tools",
}

var responsesIncludes = []string{
	"reasoning.encrypted_content", "message.output_text.logprobs", "message.input_image.image_url", "file_search_call.results",
	"web_search_call.results", "web_search_call.action.sources", "code_interpreter_call.outputs", "computer_call_output.output.image_url",
}

func readResponses(c *check) respond {
	if c.r.URL.Path != "/v1/responses" {
		c.notFound()
		return nil
	}
	if !c.post() {
		return nil
	}
	c.key()
	v := c.document(true)
	for old, now := range responsesMoved {
		if v.is('{') && c.ok() && v.object().has(old) {
			v.object().at(old).coded("unsupported_parameter", "Unsupported parameter: '%s'. In the Responses API, this parameter has moved to '%s'.", old, now)
		}
	}
	o := v.object(responsesKeys...)
	c.ask.Model = o.at("model").some()
	c.ask.Stream = o.at("stream").booleanOr()
	a := responsesAnswer{c: c, o: o, store: !o.has("store") || o.at("store").boolean()}
	if s := o.at("instructions").strOr(); s != "" {
		c.turn("system", textPart(s))
	}
	if o.has("previous_response_id") && !c.s.kept(o.at("previous_response_id").str()) {
		o.at("previous_response_id").coded("previous_response_not_found", "Previous response with id '%s' not found.", o.at("previous_response_id").str())
	}
	responsesInput(o.at("input"), o.has("previous_response_id"))
	responsesTools(o)
	if o.has("text") {
		t := o.at("text").object("format", "verbosity")
		openAIFormat(t.at("format"), false)
		if t.has("verbosity") {
			t.at("verbosity").oneOf("low", "medium", "high")
		}
	}
	if o.has("reasoning") {
		r := o.at("reasoning").object("effort", "summary", "generate_summary")
		c.ask.Effort = openAIEffort(r.at("effort"))
		if r.has("summary") {
			r.at("summary").oneOf("auto", "concise", "detailed")
			a.summary = true
		}
	}
	if n := o.integerOf("max_output_tokens", 16, 1<<31); n != nil {
		c.ask.MaxTokens = int(*n)
	}
	c.ask.Temperature = o.numberOf("temperature", 0, 2)
	c.ask.TopP = o.numberOf("top_p", 0, 1)
	for _, key := range []string{"temperature", "top_p"} {
		if n := o.numberOf(key, 0, 2); n != nil && *n != 1 && reasons(c.ask.Model) {
			o.at(key).coded("unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", key)
		}
	}
	if o.has("include") {
		for _, e := range o.at("include").list() {
			if e.oneOf(responsesIncludes...) == "reasoning.encrypted_content" {
				a.encrypted = true
			}
		}
	}
	responsesRest(o)
	a.obfuscate = true
	if o.has("stream_options") {
		if !c.ask.Stream {
			o.at("stream_options").refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
		}
		options := o.at("stream_options").object("include_obfuscation")
		a.obfuscate = !options.has("include_obfuscation") || options.at("include_obfuscation").boolean()
	}
	return a.write
}

func responsesRest(o object) {
	for key, of := range map[string][]string{
		"service_tier": {"auto", "default", "flex", "scale", "priority", "fast"}, "truncation": {"auto", "disabled"}, "prompt_cache_retention": {"in_memory", "in-memory", "24h"},
	} {
		if o.has(key) {
			o.at(key).oneOf(of...)
		}
	}
	for _, key := range []string{"user", "prompt_cache_key", "safety_identifier"} {
		o.at(key).strOr()
	}
	o.at("background").booleanOr()
	o.integerOf("max_tool_calls", 1, 1<<31)
	o.integerOf("top_logprobs", 0, 20)
	metadata(o.at("metadata"))
}

// responsesServed are tools that OpenAI itself runs, or that hold others.
var responsesServed = []string{
	"web_search", "web_search_preview", "file_search", "code_interpreter", "mcp", "image_generation", "computer_use_preview", "local_shell",
	"shell", "apply_patch", "namespace", "tool_search",
}

func responsesTools(o object) {
	c := o.c
	tools := 0
	if o.has("tools") {
		l := o.at("tools").list()
		tools = len(l)
		for _, t := range l {
			switch kind := t.object().at("type").oneOf(append([]string{"function", "custom"}, responsesServed...)...); kind {
			case "function":
				responsesFunction(t)
			case "custom":
				t.object("type", "name", "description", "format", "defer_loading").at("name").openAIName()
			case "namespace":
				n := t.object("type", "name", "description", "tools")
				n.at("name").openAIName()
				n.at("tools").list()
			}
		}
	}
	c.ask.Parallel = o.booleanOf("parallel_tool_calls")
	choice := o.at("tool_choice")
	switch {
	case !choice.there():
		return
	case choice.is('"'):
		c.ask.Choice = choice.oneOf("none", "auto", "required")
	default:
		switch kind := choice.object().at("type").oneOf(append([]string{"function", "custom", "allowed_tools"}, responsesServed...)...); kind {
		case "function":
			c.ask.Choice = choice.declared(choice.object("type", "name").at("name").str())
		case "allowed_tools":
			a := choice.object("type", "mode", "tools")
			c.ask.Choice = a.at("mode").oneOf("auto", "required")
			a.at("tools").list()
		}
	}
	if tools == 0 && !slices.Contains([]string{"", "auto", "none"}, c.ask.Choice) {
		choice.refuse("Tool choice '%s' must be specified with 'tools' parameter.", c.ask.Choice)
	}
}

// responsesFunction reads a tool whose members are not in one of their own.
func responsesFunction(t value) {
	o := t.object("type", "name", "description", "parameters", "strict", "defer_loading")
	for _, key := range []string{"name", "parameters"} {
		if len(o.at(key).raw) == 0 {
			o.at(key).wrong("")
		}
	}
	openAIFunction(o)
}
