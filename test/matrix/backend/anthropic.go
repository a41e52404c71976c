// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// anthropic is the Messages API.
var anthropic = &Vendor{
	Name: "anthropic", Model: "claude-sonnet-4-5", list: listAnthropic, read: readAnthropic, refuse: refuseAnthropic,
	words: words{
		index: dots,
		unknown: func(path, key string) (string, string) {
			return "", join(path, key) + ": Extra inputs are not permitted"
		},
		missing: func(path string) (string, string) { return "", path + ": Field required" },
		wrong: func(path, want, got string) (string, string) {
			return "", path + ": Input should be " + want + ", got " + got
		},
	},
}

func listAnthropic(c *check, w http.ResponseWriter) bool {
	s, r := c.s, c.r
	model := obj("type", "model", "id", s.Model, "display_name", s.Model, "created_at", "2025-09-29T00:00:00Z")
	switch {
	case r.Method != http.MethodGet:
		return false
	case r.URL.Path == "/v1/models":
		whole(w, http.StatusOK, obj("data", list(model), "has_more", false, "first_id", s.Model, "last_id", s.Model), false)
	case r.URL.Path == "/v1/models/"+s.Model:
		whole(w, http.StatusOK, model, false)
	default:
		return false
	}
	return true
}

// claude is what a model of Anthropic's can do, by its name.
type claude struct {
	sampling bool // takes temperature and the like
	both     bool // temperature together with top_p
	budget   bool // thinking of type enabled
	adaptive bool
	prefill  bool
	system   bool // messages of role system
	config   bool // output_config
	effort   bool
}

func claudeOf(model string) claude {
	begins := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(model, n) })
	}
	switch {
	case begins("claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5"):
		return claude{adaptive: true, system: true, config: true, effort: true}
	case begins("claude-opus-4-6", "claude-sonnet-4-6"):
		return claude{sampling: true, budget: true, adaptive: true, config: true, effort: true}
	case begins("claude-3-7"):
		return claude{sampling: true, both: true, budget: true, prefill: true}
	case begins("claude-3"):
		return claude{sampling: true, both: true, prefill: true}
	case begins("claude-opus-4-5"):
		return claude{sampling: true, budget: true, prefill: true, config: true, effort: true}
	}
	return claude{sampling: true, budget: true, prefill: true, config: true}
}

var (
	anthropicKeys = []string{
		"model", "max_tokens", "messages", "system", "metadata", "stop_sequences", "stream", "temperature", "top_p", "top_k", "tools",
		"tool_choice", "thinking", "service_tier", "output_config", "container", "inference_geo", "cache_control",
	}
	anthropicCountKeys = []string{"model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control"}
	anthropicBeta      = []string{"context_management", "mcp_servers", "speed"}
)

func readAnthropic(c *check) respond {
	counting := c.r.URL.Path == "/v1/messages/count_tokens"
	if !counting && c.r.URL.Path != "/v1/messages" {
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultNotFound, Status: http.StatusNotFound}}, "Not Found")
		return nil
	}
	if !c.post() {
		return nil
	}
	c.key("X-Api-Key")
	version := c.r.Header.Get("Anthropic-Version")
	switch version {
	case "2023-06-01", "2026-10-21":
	case "":
		c.refuse("", "anthropic-version: header is required")
	default:
		c.refuse("", "anthropic-version: %q is not a valid version", version)
	}
	keys := anthropicKeys
	if counting {
		keys = anthropicCountKeys
	}
	if c.r.Header.Get("Anthropic-Beta") != "" {
		keys = append(slices.Clone(keys), anthropicBeta...)
	}
	o := c.document(true).object(keys...)
	c.ask.Model = o.at("model").some()
	a := &anthropicAsk{c: c, model: claudeOf(c.ask.Model), newest: version == "2026-10-21"}
	a.limits(o, counting)
	a.system(o.at("system"))
	a.tools(o)
	a.thinking(o)
	a.sampling(o)
	a.config(o)
	a.messages(o.at("messages"))
	c.ask.Stream = o.at("stream").booleanOr()
	if counting {
		return a.count
	}
	return anthropicAnswer{c: c, silent: a.silent}.write
}

// anthropicAsk reads a request to one model by one version of the API.
type anthropicAsk struct {
	c      *check
	model  claude
	newest bool

	think  bool
	silent bool // thinking is not to be told
	limit  int64
}

func (a *anthropicAsk) limits(o object, counting bool) {
	if !counting {
		a.limit = o.at("max_tokens").integer(0, 1<<31)
		a.c.ask.MaxTokens = int(a.limit)
	}
	if o.has("stop_sequences") {
		for _, s := range o.at("stop_sequences").list() {
			if strings.TrimSpace(s.str()) == "" {
				s.refuse("stop_sequences: each stop sequence must contain non-whitespace")
			}
			a.c.ask.Stop = append(a.c.ask.Stop, s.str())
		}
	}
	if o.has("service_tier") {
		o.at("service_tier").oneOf("auto", "standard_only")
	}
	if o.has("metadata") {
		o.at("metadata").object("user_id").at("user_id").strOr()
	}
}

func (a *anthropicAsk) system(v value) {
	switch {
	case !v.there():
	case v.is('"'):
		if v.str() == "" {
			v.refuse("system: text content blocks must be non-empty")
		}
		a.c.turn("system", textPart(v.str()))
	default:
		var parts []neutral.Part
		for _, b := range v.list() {
			parts = append(parts, a.text(b, "text", "type", "text", "cache_control", "citations"))
		}
		if len(parts) > 0 {
			a.c.turn("system", parts...)
		}
	}
}

var (
	anthropicName   = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
	anthropicID     = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	anthropicServed = regexp.MustCompile(`^[a-z_]+_20\d{6}$`)
)

func (v value) matches(re *regexp.Regexp) string {
	s := v.str()
	if v.is('"') && !re.MatchString(s) {
		v.refuse("%s: String should match pattern '%s'", v.path, re)
	}
	return s
}

func (a *anthropicAsk) tools(o object) {
	c := a.c
	any := false
	if o.has("tools") {
		for _, t := range o.at("tools").list() {
			any = true
			kind := t.object().at("type").strOr()
			if anthropicServed.MatchString(kind) {
				continue
			}
			of := t.object("type", "name", "description", "input_schema", "cache_control", "strict", "eager_input_streaming", "defer_loading",
				"input_examples", "allowed_callers")
			if of.has("type") {
				of.at("type").oneOf("custom")
			}
			tool := neutral.Tool{Name: of.at("name").matches(anthropicName), Description: of.at("description").strOr()}
			schema := of.at("input_schema").object()
			if schema.at("type").strOr() != "object" {
				schema.at("type").refuse("%s: Input should be 'object'", schema.at("type").path)
			}
			tool.Parameters = schema.raw
			if slices.ContainsFunc(c.ask.Tools, func(t neutral.Tool) bool { return t.Name == tool.Name }) {
				t.refuse("tools: Tool names must be unique.")
			}
			c.ask.Tools = append(c.ask.Tools, tool)
		}
	}
	choice := o.at("tool_choice")
	if !choice.there() {
		return
	}
	if !any {
		choice.refuse("tool_choice: may only be specified while providing tools")
	}
	switch kind := choice.object().at("type").oneOf("auto", "any", "tool", "none"); kind {
	case "none":
		choice.object("type")
		c.ask.Choice = "none"
	case "tool":
		of := choice.object("type", "name", "disable_parallel_tool_use")
		name := of.at("name").str()
		if any && c.ok() && !slices.ContainsFunc(c.ask.Tools, func(t neutral.Tool) bool { return t.Name == name }) {
			choice.refuse("tool_choice: Tool '%s' not found in provided tools", name)
		}
		c.ask.Choice = "tool:" + name
	default:
		choice.object("type", "disable_parallel_tool_use")
		c.ask.Choice = map[string]string{"auto": "auto", "any": "required"}[kind]
	}
	if b := choice.object().booleanOf("disable_parallel_tool_use"); b != nil {
		parallel := !*b
		c.ask.Parallel = &parallel
	}
}

func (a *anthropicAsk) thinking(o object) {
	v := o.at("thinking")
	if !v.there() {
		return
	}
	kind := v.object().at("type").oneOf("enabled", "disabled", "adaptive", "between_tools")
	switch kind {
	case "enabled":
		t := v.object("type", "budget_tokens", "display")
		if !a.model.budget {
			v.refuse("\"thinking.type.enabled\" is not supported for this model. Use \"thinking.type.adaptive\" and \"output_config.effort\" to control thinking behavior.")
		}
		n := t.at("budget_tokens").integer(-1<<31, 1<<31)
		switch {
		case n < 1024:
			v.refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
		case a.limit > 0 && n >= a.limit:
			v.refuse("`max_tokens` must be greater than `thinking.budget_tokens`.")
		}
		a.c.ask.Budget = int(n)
	case "disabled":
		v.object("type")
		return
	default:
		v.object("type", "display")
		if !a.model.adaptive {
			v.refuse("adaptive thinking is not supported on this model")
		}
		a.c.ask.Effort = "high"
	}
	a.think = true
	if t := v.object(); t.has("display") {
		a.silent = t.at("display").oneOf("summarized", "omitted") == "omitted"
	}
	if _, forced := strings.CutPrefix(a.c.ask.Choice, "tool:"); forced || a.c.ask.Choice == "required" {
		v.refuse("Thinking may not be enabled when tool_choice forces tool use.")
	}
}

func (a *anthropicAsk) sampling(o object) {
	ask := &a.c.ask
	ask.Temperature = o.numberOf("temperature", 0, 1)
	ask.TopP = o.numberOf("top_p", 0, 1)
	topK := o.integerOf("top_k", 0, 1<<31)
	key, any := o.any("temperature", "top_p", "top_k")
	switch {
	case !any:
	case a.newest:
		o.at(key).refuse("%s: is not permitted by anthropic-version 2026-10-21", key)
	case !a.model.sampling:
		o.at(key).refuse("`%s` is not supported for this model.", key)
	case ask.Temperature != nil && ask.TopP != nil && !a.model.both:
		o.at(key).refuse("`temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	case a.think && ask.Temperature != nil && *ask.Temperature != 1:
		o.at(key).refuse("`temperature` may only be set to 1 when thinking is enabled.")
	case a.think && topK != nil:
		o.at("top_k").refuse("`top_k` must be unset when thinking is enabled.")
	case a.think && ask.TopP != nil && *ask.TopP < 0.95:
		o.at("top_p").refuse("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
	}
}

func (a *anthropicAsk) config(o object) {
	v := o.at("output_config")
	if !v.there() {
		return
	}
	if !a.model.config {
		v.refuse("output_config: is not supported for this model.")
	}
	config := v.object("effort", "format", "task_budget")
	if config.has("effort") {
		a.c.ask.Effort = config.at("effort").oneOf("low", "medium", "high", "xhigh", "max")
		if !a.model.effort {
			v.refuse("This model does not support the effort parameter.")
		}
	}
	if !config.has("format") {
		return
	}
	f := config.at("format").object("type", "schema")
	f.at("type").oneOf("json_schema")
	a.schema(f.at("schema"))
	a.c.ask.Schema = f.at("schema").raw
}

// schema checks that objects say what else may be in them: nothing.
func (a *anthropicAsk) schema(v value) {
	if string(v.raw) == "true" || string(v.raw) == "false" {
		return
	}
	o := v.object()
	if o.at("type").is('"') && o.at("type").str() == "object" && string(o.at("additionalProperties").raw) != "false" {
		v.refuse("output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false")
	}
	for _, key := range []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "maxItems"} {
		if o.has(key) {
			v.refuse("output_config.format.schema: property '%s' is not supported", key)
		}
	}
	if o.has("properties") {
		p := o.at("properties").object()
		for name := range p.m {
			a.schema(p.at(name))
		}
	}
	if o.has("items") {
		a.schema(o.at("items"))
	}
	for _, key := range []string{"anyOf", "allOf"} {
		if o.has(key) {
			for _, e := range o.at(key).list() {
				a.schema(e)
			}
		}
	}
}

func (a *anthropicAsk) count(w http.ResponseWriter, answer neutral.Answer) {
	u := answer.Usage
	n := u.Input + u.CacheRead + u.CacheWrite
	if n == 0 {
		n = int64(len(a.c.body)/4 + 1)
	}
	whole(w, http.StatusOK, obj("input_tokens", n), answer.Error != nil)
}
