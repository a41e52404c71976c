// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// gemini is generateContent.
var gemini = &Vendor{
	Name: "gemini", Model: "gemini-2.5-flash", list: listGemini, read: readGemini, refuse: refuseGemini,
	words: words{
		index: brackets, camel: true,
		unknown: func(path, key string) (string, string) {
			if path == "" {
				return "", "Invalid JSON payload received. Unknown name \"" + key + "\": Cannot find field."
			}
			return "", "Invalid JSON payload received. Unknown name \"" + key + "\" at '" + path + "': Cannot find field."
		},
		missing: func(path string) (string, string) {
			return "", "* GenerateContentRequest." + path + ": is not specified"
		},
		wrong: func(path, want, got string) (string, string) {
			return "", "Invalid value at '" + path + "': expected " + want + ", got " + got
		},
	},
}

var geminiPath = regexp.MustCompile(`^/v1(?:beta)?/models/([^:]+):(generateContent|streamGenerateContent|countTokens)$`)

func listGemini(c *check, w http.ResponseWriter) bool {
	model := obj("name", "models/"+c.s.Model, "version", "001", "displayName", c.s.Model, "inputTokenLimit", 1048576, "outputTokenLimit", 65536,
		"supportedGenerationMethods", list("generateContent", "countTokens"), "thinking", true)
	path, beta := strings.CutPrefix(c.r.URL.Path, "/v1beta/models")
	if !beta {
		path, beta = strings.CutPrefix(c.r.URL.Path, "/v1/models")
	}
	switch {
	case c.r.Method != http.MethodGet || !beta:
		return false
	case path == "":
		whole(w, http.StatusOK, obj("models", list(model)), false)
	case path == "/"+c.s.Model:
		whole(w, http.StatusOK, model, false)
	default:
		return false
	}
	return true
}

var geminiKeys = []string{"model", "contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "generationConfig", "cachedContent", "store", "serviceTier"}

func readGemini(c *check) respond {
	m := geminiPath.FindStringSubmatch(c.r.URL.Path)
	if m == nil {
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultNotFound}}, "The requested URL %s was not found on this server.", c.r.URL.Path)
		return nil
	}
	c.ask.Model, c.ask.Stream = m[1], m[2] == "streamGenerateContent"
	if !c.post() {
		return nil
	}
	query := c.r.URL.Query()
	if c.r.Header.Get("X-Goog-Api-Key") == "" && query.Get("key") == "" {
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultAuth, Status: http.StatusForbidden}},
			"Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.")
	}
	sse := query.Get("alt") == "sse"
	if alt := query.Get("alt"); alt != "" && alt != "sse" && alt != "json" || sse && !c.ask.Stream {
		c.refuse("", "Invalid value for the query parameter alt: %q.", alt)
	}
	g := &geminiAsk{c: c, third: strings.HasPrefix(c.ask.Model, "gemini-3")}
	v := c.document(true)
	if m[2] == "countTokens" {
		o := v.object("contents", "generateContentRequest", "model")
		if o.has("generateContentRequest") {
			g.request(o.at("generateContentRequest").object(geminiKeys...))
		} else {
			g.contents(o.at("contents"))
		}
		return g.count
	}
	g.request(v.object(geminiKeys...))
	return geminiAnswer{c: c, third: g.third, thoughts: g.thoughts, sse: sse}.write
}

// geminiAsk reads a request to one model.
type geminiAsk struct {
	c        *check
	third    bool // of the third generation
	thoughts bool // are to be told
}

func (g *geminiAsk) request(o object) {
	if o.has("systemInstruction") {
		s := o.at("systemInstruction").object("role", "parts")
		s.at("role").strOr()
		var parts []neutral.Part
		for _, p := range s.at("parts").list() {
			parts = append(parts, g.part(p, "user").Part)
		}
		if len(parts) == 0 {
			s.refuse("* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.")
		}
		g.c.turn("system", parts...)
	}
	g.contents(o.at("contents"))
	g.tools(o)
	if o.has("safetySettings") {
		for _, s := range o.at("safetySettings").list() {
			e := s.object("category", "threshold", "method")
			e.at("category").some()
			e.at("threshold").some()
		}
	}
	if o.has("generationConfig") {
		g.config(o.at("generationConfig").object("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed",
			"presencePenalty", "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "responseLogprobs", "logprobs",
			"thinkingConfig", "responseModalities", "speechConfig", "mediaResolution", "imageConfig", "enableEnhancedCivicAnswers"))
	}
}

var geminiName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)

func (g *geminiAsk) tools(o object) {
	c := g.c
	if o.has("tools") {
		for _, t := range o.at("tools").list() {
			of := t.object("functionDeclarations", "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "fileSearch", "computerUse")
			if !of.has("functionDeclarations") {
				continue
			}
			for _, d := range of.at("functionDeclarations").list() {
				f := d.object("name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior")
				tool := neutral.Tool{Name: f.at("name").str(), Description: f.at("description").strOr()}
				if !geminiName.MatchString(tool.Name) {
					d.refuse("* GenerateContentRequest.%s.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.", d.path)
				}
				if slices.ContainsFunc(c.ask.Tools, func(t neutral.Tool) bool { return t.Name == tool.Name }) {
					d.refuse("Duplicate function declaration found: %s", tool.Name)
				}
				switch {
				case f.has("parameters") && f.has("parametersJsonSchema"):
					d.refuse("* GenerateContentRequest.%s: parameters and parameters_json_schema are mutually exclusive.", d.path)
				case f.has("parameters"):
					geminiSchema(f.at("parameters"))
					tool.Parameters = lowerTypes(f.at("parameters").raw)
				case f.has("parametersJsonSchema"):
					f.at("parametersJsonSchema").object()
					tool.Parameters = f.at("parametersJsonSchema").raw
				}
				c.ask.Tools = append(c.ask.Tools, tool)
			}
		}
	}
	if !o.has("toolConfig") {
		return
	}
	config := o.at("toolConfig").object("functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations")
	if !config.has("functionCallingConfig") {
		return
	}
	f := config.at("functionCallingConfig").object("mode", "allowedFunctionNames", "streamFunctionCallArguments")
	if len(c.ask.Tools) == 0 {
		f.refuse("Function calling config is set without function_declarations.")
	}
	mode := "AUTO"
	if f.has("mode") {
		mode = f.at("mode").oneOf("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")
	}
	var names []string
	if f.has("allowedFunctionNames") {
		names = f.at("allowedFunctionNames").strs()
		if len(names) > 0 && mode != "ANY" && mode != "VALIDATED" {
			f.refuse("* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: allowed_function_names should only be set when the function calling mode is ANY.")
		}
		for _, n := range names {
			if c.ok() && !slices.ContainsFunc(c.ask.Tools, func(t neutral.Tool) bool { return t.Name == n }) {
				f.refuse("* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: function %q is not declared.", n)
			}
		}
	}
	switch {
	case mode == "ANY" && len(names) == 1:
		c.ask.Choice = "tool:" + names[0]
	case mode == "ANY":
		c.ask.Choice = "required"
	case mode == "NONE":
		c.ask.Choice = "none"
	default:
		c.ask.Choice = "auto"
	}
}

func (g *geminiAsk) config(o object) {
	a := &g.c.ask
	a.Temperature = o.numberOf("temperature", 0, 2)
	a.TopP = o.numberOf("topP", 0, 1)
	o.numberOf("topK", 1, 1<<20)
	o.numberOf("presencePenalty", -2, 2)
	o.numberOf("frequencyPenalty", -2, 2)
	a.Seed = o.integerOf("seed", -1<<31, 1<<31-1)
	if n := o.integerOf("candidateCount", 1, 8); n != nil {
		a.N = int(*n)
	}
	if n := o.integerOf("maxOutputTokens", 1, 1<<31-1); n != nil {
		a.MaxTokens = int(*n)
	}
	if o.has("stopSequences") {
		a.Stop = o.at("stopSequences").strs()
		if len(a.Stop) > 5 {
			o.refuse("* GenerateContentRequest.generation_config.stop_sequences: the number of stop sequences must be at most 5, got %d.", len(a.Stop))
		}
		if slices.Contains(a.Stop, "") {
			o.refuse("* GenerateContentRequest.generation_config.stop_sequences: a stop sequence must not be empty.")
		}
	}
	mime := o.at("responseMimeType").strOr()
	if mime != "" {
		o.at("responseMimeType").oneOf("text/plain", "application/json", "text/x.enum")
	}
	key, schema := o.any("responseSchema", "responseJsonSchema")
	switch {
	case !schema:
	case mime != "application/json" && mime != "text/x.enum":
		o.refuse("* GenerateContentRequest.generation_config.%s: only allowed when response_mime_type is 'application/json' or 'text/x.enum'.", key)
	case o.has("responseSchema") && o.has("responseJsonSchema"):
		o.refuse("* GenerateContentRequest.generation_config: response_schema and response_json_schema are mutually exclusive.")
	case key == "responseSchema":
		geminiSchema(o.at(key))
		a.Schema = lowerTypes(o.at(key).raw)
	default:
		o.at(key).object()
		a.Schema = o.at(key).raw
	}
	if o.has("thinkingConfig") {
		g.thinking(o.at("thinkingConfig").object("includeThoughts", "thinkingBudget", "thinkingLevel"))
	}
}

// thinking reads how much to think. A budget that is left to the model counts as
// a medium effort.
func (g *geminiAsk) thinking(o object) {
	a := &g.c.ask
	g.thoughts = o.at("includeThoughts").booleanOr()
	if strings.HasPrefix(a.Model, "gemini-1") || strings.HasPrefix(a.Model, "gemini-2.0") {
		o.refuse("Thinking is not enabled for this model.")
	}
	if o.has("thinkingBudget") && o.has("thinkingLevel") {
		o.refuse("You can only set only one of thinking budget and thinking level.")
	}
	if n := o.integerOf("thinkingBudget", -1, 32768); n != nil {
		switch {
		case *n == -1:
			a.Effort = "medium"
		case *n == 0 && (g.third || strings.Contains(a.Model, "-pro")):
			o.refuse("Budget 0 is invalid. This model only works in thinking mode.")
		}
		a.Budget = max(0, int(*n))
		if a.Budget == 0 && a.Effort == "" && g.thoughts {
			o.refuse("* GenerateContentRequest.generation_config.thinking_config.include_thoughts: include_thoughts is only enabled when thinking is enabled.")
		}
	}
	if o.has("thinkingLevel") {
		a.Effort = strings.ToLower(o.at("thinkingLevel").oneOf("MINIMAL", "LOW", "MEDIUM", "HIGH"))
		if !g.third {
			o.refuse("Thinking level is not supported for this model.")
		}
	}
}

var geminiTypes = []string{"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}

// geminiSchema checks a schema of the OpenAPI subset.
func geminiSchema(v value) {
	o := v.object("type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "properties", "required", "minProperties",
		"maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf", "propertyOrdering", "default", "items", "minimum", "maximum")
	kind := ""
	if o.has("type") {
		if kind = strings.ToUpper(o.at("type").str()); !slices.Contains(geminiTypes, kind) {
			o.at("type").refuse("Invalid value at '%s' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), %q", o.at("type").path, o.at("type").raw)
		}
	}
	if o.has("enum") {
		o.at("enum").strs()
		if kind != "STRING" && kind != "" {
			o.refuse("%s.enum: only allowed for STRING type", v.path)
		}
	}
	if o.has("properties") {
		// A map: its names are nobody's to spell otherwise.
		var m map[string]json.RawMessage
		if p := o.at("properties"); json.Unmarshal(p.raw, &m) == nil {
			for name, raw := range m {
				geminiSchema(value{v.c, join(p.path, name), raw})
			}
		} else {
			p.wrong("an object")
		}
		if o.has("required") {
			for _, name := range o.at("required").strs() {
				if _, there := m[name]; !there {
					o.refuse("%s.required: property is not defined: %q", v.path, name)
				}
			}
		}
		if kind == "OBJECT" && len(m) == 0 {
			o.refuse("%s.properties: should be non-empty for OBJECT type", v.path)
		}
	} else if kind == "OBJECT" {
		o.refuse("%s.properties: should be non-empty for OBJECT type", v.path)
	}
	if o.has("items") {
		geminiSchema(o.at("items"))
	} else if kind == "ARRAY" {
		o.refuse("%s.items: missing field.", v.path)
	}
	if o.has("anyOf") {
		for _, e := range o.at("anyOf").list() {
			geminiSchema(e)
		}
	}
}

// lowerTypes is a schema with its types spelled as JSON Schema spells them.
func lowerTypes(raw json.RawMessage) json.RawMessage {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return raw
	}
	for k, e := range m {
		switch k {
		case "type":
			m[k] = []byte(strings.ToLower(string(e)))
		case "items":
			m[k] = lowerTypes(e)
		case "properties":
			var p map[string]json.RawMessage
			if json.Unmarshal(e, &p) == nil {
				for name, s := range p {
					p[name] = lowerTypes(s)
				}
				m[k] = encode(nil, p)
			}
		case "anyOf":
			var l []json.RawMessage
			if json.Unmarshal(e, &l) == nil {
				for i := range l {
					l[i] = lowerTypes(l[i])
				}
				m[k] = list(l...)
			}
		}
	}
	return encode(nil, m)
}

func (g *geminiAsk) count(w http.ResponseWriter, a neutral.Answer) {
	n := a.Usage.Input + a.Usage.CacheRead + a.Usage.CacheWrite
	if n == 0 {
		n = int64(len(g.c.body)/4 + 1)
	}
	whole(w, http.StatusOK, obj("totalTokens", n, "promptTokensDetails", list(obj("modality", "TEXT", "tokenCount", n))), a.Error != nil)
}
