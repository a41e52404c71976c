// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"net/http"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// openAI is Chat Completions.
var openAI = &Vendor{
	Name: "openai", Model: "gpt-4.1", words: openAIWords,
	list: listOpenAI, read: readOpenAI, refuse: refuseOpenAI,
}

func listOpenAI(c *check, w http.ResponseWriter) bool {
	s, r := c.s, c.r
	model := obj("id", s.Model, "object", "model", "created", 1700000000, "owned_by", "system")
	switch {
	case r.Method != http.MethodGet:
		return false
	case r.URL.Path == "/v1/models":
		whole(w, http.StatusOK, obj("object", "list", "data", list(model)), false)
	case r.URL.Path == "/v1/models/"+s.Model:
		whole(w, http.StatusOK, model, false)
	default:
		return false
	}
	return true
}

var openAIKeys = []string{
	"model", "messages", "audio", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "metadata",
	"modalities", "moderation", "n", "parallel_tool_calls", "prediction", "presence_penalty", "prompt_cache_key", "prompt_cache_options",
	"prompt_cache_retention", "reasoning_effort", "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream",
	"stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
}

// notFound refuses a path that there is nothing at.
func (c *check) notFound() {
	c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultNotFound, Status: http.StatusNotFound}, code: "unknown_url"},
		"Unknown request URL: %s %s.", c.r.Method, c.r.URL.Path)
}

func readOpenAI(c *check) respond {
	if c.r.URL.Path != "/v1/chat/completions" {
		c.notFound()
		return nil
	}
	if !c.post() {
		return nil
	}
	c.key()
	o := c.document(true).object(openAIKeys...)
	c.ask.Model = o.at("model").some()
	c.ask.Stream = o.at("stream").booleanOr()
	openAIMessages(o.at("messages"))
	openAITools(o)
	openAISampling(o)
	openAIFormat(o.at("response_format"), true)
	c.ask.Effort = openAIEffort(o.at("reasoning_effort"))
	for key, of := range map[string][]string{
		"service_tier": {"auto", "default", "flex", "scale", "priority", "fast"}, "verbosity": {"low", "medium", "high"}, "prompt_cache_retention": {"in_memory", "in-memory", "24h"},
	} {
		if o.has(key) {
			o.at(key).oneOf(of...)
		}
	}
	for _, key := range []string{"user", "prompt_cache_key", "safety_identifier"} {
		o.at(key).strOr()
	}
	o.at("store").booleanOr()
	metadata(o.at("metadata"))
	a := openAIAnswer{c: c, obfuscate: true}
	if o.has("stream_options") {
		if !c.ask.Stream {
			o.at("stream_options").refuse("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
		}
		options := o.at("stream_options").object("include_usage", "include_obfuscation")
		a.usage = options.at("include_usage").booleanOr()
		a.obfuscate = !options.has("include_obfuscation") || options.at("include_obfuscation").boolean()
	}
	return a.write
}

// metadata checks up to 16 pairs of strings.
func metadata(v value) {
	if !v.there() {
		return
	}
	o := v.object()
	if len(o.m) > 16 {
		v.refuse("Invalid '%s': too many properties. Expected an object with at most 16 properties.", v.path)
	}
	for k := range o.m {
		if len(o.at(k).str()) > 512 || len(k) > 64 {
			o.at(k).refuse("Invalid '%s': string too long.", o.at(k).path)
		}
	}
}

func openAITools(o object) {
	c := o.c
	if o.has("tools") {
		tools := o.at("tools").list()
		if len(tools) == 0 || len(tools) > 128 {
			o.at("tools").coded("invalid_array_length", "Invalid 'tools': there must be 1 to 128, got %d.", len(tools))
		}
		for _, t := range tools {
			switch t.object().at("type").oneOf("function", "custom") {
			case "function":
				openAIFunction(t.object("type", "function").at("function").object("name", "description", "parameters", "strict"))
			case "custom":
				t.object("type", "custom").at("custom").object("name", "description", "format").at("name").openAIName()
			}
		}
	} else if key, there := o.any("tool_choice", "parallel_tool_calls"); there {
		o.at(key).refuse("Invalid value for '%s': '%s' is only allowed when 'tools' are specified.", key, key)
	}
	c.ask.Parallel = o.booleanOf("parallel_tool_calls")
	choice := o.at("tool_choice")
	switch {
	case !choice.there():
	case choice.is('"'):
		c.ask.Choice = choice.oneOf("none", "auto", "required")
	default:
		switch choice.object().at("type").oneOf("function", "allowed_tools", "custom") {
		case "function":
			f := choice.object("type", "function").at("function").object("name")
			c.ask.Choice = choice.declared(f.at("name").str())
		case "allowed_tools":
			a := choice.object("type", "allowed_tools").at("allowed_tools").object("mode", "tools")
			c.ask.Choice = a.at("mode").oneOf("auto", "required")
			a.at("tools").list()
		}
	}
}

// openAISampling reads how the words are chosen and when to stop.
func openAISampling(o object) {
	a := &o.c.ask
	a.Temperature = o.numberOf("temperature", 0, 2)
	a.TopP = o.numberOf("top_p", 0, 1)
	a.Seed = o.integerOf("seed", -1<<63, 1<<63-1)
	o.numberOf("frequency_penalty", -2, 2)
	o.numberOf("presence_penalty", -2, 2)
	if n := o.integerOf("n", 1, 128); n != nil {
		a.N = int(*n)
	}
	if o.has("max_tokens") && o.has("max_completion_tokens") {
		o.at("max_tokens").refuse("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	}
	for _, key := range []string{"max_tokens", "max_completion_tokens"} {
		if n := o.integerOf(key, 1, 1<<31); n != nil {
			a.MaxTokens = int(*n)
		}
	}
	if stop := o.at("stop"); stop.is('"') {
		a.Stop = []string{stop.some()}
	} else if stop.there() {
		a.Stop = stop.strs()
		if len(a.Stop) > 4 {
			stop.coded("array_above_max_length", "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length %d instead.", len(a.Stop))
		}
	}
	logprobs := o.at("logprobs").booleanOr()
	if o.integerOf("top_logprobs", 0, 20) != nil && !logprobs {
		o.at("top_logprobs").refuse("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.")
	}
	if o.has("logit_bias") {
		o.at("logit_bias").object()
	}
	if !reasons(a.Model) {
		return
	}
	if o.has("max_tokens") {
		o.at("max_tokens").coded("unsupported_parameter", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
	}
	for _, key := range []string{"temperature", "top_p"} {
		if n := o.numberOf(key, 0, 2); n != nil && *n != 1 {
			o.at(key).coded("unsupported_value", "Unsupported value: '%s' does not support %g with this model. Only the default (1) value is supported.", key, *n)
		}
	}
	if key, there := o.any("stop", "logprobs", "top_logprobs", "frequency_penalty", "presence_penalty", "logit_bias"); there {
		o.at(key).coded("unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", key)
	}
}

// base64 refuses what is no base64 in the standard alphabet.
func (v value) base64(s string) {
	if _, err := base64.StdEncoding.DecodeString(s); err != nil || s == "" {
		v.coded("invalid_base64", "Invalid '%s': the data is not valid base64.", v.path)
	}
}
