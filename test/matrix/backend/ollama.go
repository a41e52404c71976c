// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// ollama is /api/chat. Unlike the real server it refuses names that it does not
// know, which the real one passes over: what is passed over was not asked.
var ollama = &Vendor{
	Name: "ollama", Model: "qwen3:8b", list: listOllama, read: readOllama, refuse: refuseOllama,
	words: words{
		index:   brackets,
		unknown: func(path, key string) (string, string) { return "", "unknown field: " + join(path, key) },
		missing: func(path string) (string, string) { return "", path + " is required" },
		wrong: func(path, want, got string) (string, string) {
			return "", "json: cannot unmarshal " + got + " into field " + path + ", which is " + want
		},
	},
}

func listOllama(c *check, w http.ResponseWriter) bool {
	s, r := c.s, c.r
	details := obj("parent_model", "", "format", "gguf", "family", "qwen3", "families", list("qwen3"), "parameter_size", "8.2B", "quantization_level", "Q4_K_M")
	tag := obj("name", s.Model, "model", s.Model, "modified_at", "2026-01-02T03:04:05.678Z", "size", 5225388164,
		"digest", strings.Repeat("0123456789abcdef", 4), "details", details)
	switch r.Method + " " + r.URL.Path {
	case "GET /", "HEAD /":
		io.WriteString(w, "Ollama is running")
	case "GET /api/version":
		whole(w, http.StatusOK, obj("version", "0.14.0"), false)
	case "GET /api/tags":
		whole(w, http.StatusOK, obj("models", list(tag)), false)
	case "GET /api/ps":
		whole(w, http.StatusOK, obj("models", list[any]()), false)
	case "POST /api/show":
		showOllama(c, w)
	default:
		return false
	}
	return true
}

// showOllama tells what the model can do.
func showOllama(c *check, w http.ResponseWriter) {
	o := c.document(false).object("model", "name", "verbose", "system", "template", "options")
	name := o.at("model").strOr()
	if name == "" {
		name = o.at("name").strOr()
	}
	if name != c.s.Model {
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultNotFound}}, "model '%s' not found", name)
	}
	if c.fault != nil {
		refuseOllama(c, w, *c.fault)
		return
	}
	whole(w, http.StatusOK, obj("modelfile", "", "parameters", "", "template", "{{ .Prompt }}",
		"details", obj("format", "gguf", "family", "qwen3", "parameter_size", "8.2B", "quantization_level", "Q4_K_M"),
		"model_info", obj("general.architecture", "qwen3", "qwen3.context_length", 40960, "general.parameter_count", 8190735360),
		"capabilities", list("completion", "tools", "vision", "thinking")), false)
}

var (
	ollamaKeys    = []string{"model", "messages", "tools", "format", "options", "stream", "think", "keep_alive", "logprobs", "top_logprobs", "truncate", "shift"}
	ollamaOptions = []string{
		"num_predict", "temperature", "top_p", "top_k", "min_p", "typical_p", "seed", "stop", "num_ctx", "repeat_last_n", "repeat_penalty",
		"presence_penalty", "frequency_penalty", "num_keep", "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread",
	}
)

func readOllama(c *check) respond {
	switch {
	case c.r.URL.Path != "/api/chat":
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultNotFound, Status: http.StatusNotFound}}, "404 page not found")
		return nil
	case !c.post():
		return nil
	}
	o := c.document(false).object(ollamaKeys...)
	c.ask.Model = o.at("model").some()
	c.ask.Stream = !o.has("stream") || o.at("stream").boolean()
	if o.has("messages") {
		for _, m := range o.at("messages").list() {
			ollamaMessage(m)
		}
	}
	if len(c.ask.Turns) == 0 {
		o.at("messages").refuse("messages: there is none")
	}
	if o.has("tools") {
		for _, t := range o.at("tools").list() {
			ollamaTool(t)
		}
	}
	if f := o.at("format"); f.is('"') {
		f.oneOf("json", "")
	} else if f.there() {
		f.object()
		c.ask.Schema = f.raw
	}
	switch t := o.at("think"); {
	case !t.there():
	case t.is('"'):
		c.ask.Effort = t.oneOf("low", "medium", "high")
	case t.boolean():
		c.ask.Effort = "medium"
	}
	if k := o.at("keep_alive"); k.there() && !k.is('"') {
		k.number(-1<<31, 1<<31)
	}
	if o.has("options") {
		ollamaSampling(o.at("options").object(ollamaOptions...))
	}
	return ollamaAnswer{c}.write
}

func ollamaSampling(o object) {
	a := &o.c.ask
	a.Temperature = o.numberOf("temperature", 0, 1<<10)
	a.TopP = o.numberOf("top_p", 0, 1)
	a.Seed = o.integerOf("seed", -1<<31, 1<<62)
	if n := o.integerOf("num_predict", -2, 1<<31); n != nil && *n > 0 {
		a.MaxTokens = int(*n)
	}
	if o.has("stop") {
		a.Stop = o.at("stop").strs()
	}
	for _, key := range []string{"top_k", "num_ctx", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread", "repeat_last_n"} {
		o.integerOf(key, -1<<31, 1<<31)
	}
	for _, key := range []string{"min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"} {
		o.numberOf(key, -1<<10, 1<<10)
	}
}

func ollamaMessage(m value) {
	c := m.c
	role := m.object().at("role").oneOf("system", "user", "assistant", "tool")
	names := []string{"role", "content", "images"}
	switch role {
	case "assistant":
		names = append(names, "thinking", "tool_calls")
	case "tool":
		names = append(names, "tool_name", "tool_call_id")
	}
	o := m.object(names...)
	var parts []neutral.Part
	if s := o.at("thinking").strOr(); s != "" {
		parts = append(parts, neutral.Part{Thinking: s})
	}
	s := ""
	if len(o.at("content").raw) > 0 {
		s = o.at("content").str() // null is no string
	}
	if s != "" {
		parts = append(parts, textPart(s))
	}
	var images []*neutral.Media
	if o.has("images") {
		for _, i := range o.at("images").list() {
			images = append(images, ollamaImage(i))
			parts = append(parts, neutral.Part{Image: images[len(images)-1]})
		}
	}
	if role == "tool" {
		r := &neutral.Result{ID: o.at("tool_call_id").strOr(), Name: o.at("tool_name").strOr(), Text: s}
		if r.ID == "" && r.Name == "" {
			m.refuse("%s: a message of role tool needs tool_name or tool_call_id", m.path)
		}
		if len(images) > 0 {
			r.Image = images[0]
		}
		c.say("tool", neutral.Part{Result: r})
		return
	}
	if o.has("tool_calls") {
		for _, v := range o.at("tool_calls").list() {
			call := v.object("id", "function")
			f := call.at("function").object("index", "name", "arguments")
			f.integerOf("index", 0, 1<<20)
			f.at("arguments").object()
			parts = append(parts, neutral.Part{Call: &neutral.Call{ID: call.at("id").strOr(), Name: f.at("name").some(), Args: string(f.at("arguments").raw)}})
		}
	}
	if len(parts) == 0 {
		m.refuse("%s: the message is empty", m.path)
	}
	c.turn(role, parts...)
}

// ollamaImage reads base64 without anything ahead of it; the type is in the bytes.
func ollamaImage(v value) *neutral.Media {
	s := v.some()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		v.refuse("%s: illegal base64 data: %v", v.path, err)
	}
	m := &neutral.Media{Type: http.DetectContentType(b), Data: s}
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, m.Type) {
		v.refuse("%s: Failed to load image or audio file: it is %s", v.path, m.Type)
	}
	return m
}

func ollamaTool(v value) {
	t := v.object("type", "function")
	t.at("type").oneOf("function")
	f := t.at("function").object("name", "description", "parameters", "strict")
	tool := neutral.Tool{Name: f.at("name").some(), Description: f.at("description").strOr()}
	if f.has("parameters") {
		p := f.at("parameters").object()
		p.at("type").str()
		if p.has("required") {
			p.at("required").strs()
		}
		if p.has("properties") {
			of := p.at("properties").object()
			for name := range of.m {
				if kind := of.at(name).object().at("type"); kind.there() && !kind.is('[') {
					kind.str()
				}
			}
		}
		tool.Parameters = p.raw
	}
	v.c.ask.Tools = append(v.c.ask.Tools, tool)
}

func refuseOllama(c *check, w http.ResponseWriter, f fault) {
	whole(w, statusOf(f.Fault), ollamaError(c, f), false)
}

// ollamaError is an error's only shape: text.
func ollamaError(c *check, f fault) json.RawMessage {
	return obj("error", say(f.Fault, map[string]string{
		neutral.FaultInvalid:    "invalid request",
		neutral.FaultContext:    "the input length exceeds the context length",
		neutral.FaultAuth:       "unauthorized",
		neutral.FaultNotFound:   "model '" + c.ask.Model + "' not found",
		neutral.FaultRate:       "too many requests",
		neutral.FaultOverloaded: "server busy, please try again. maximum pending requests exceeded",
		neutral.FaultServer:     "llama runner process has terminated: exit status 2",
	}))
}
