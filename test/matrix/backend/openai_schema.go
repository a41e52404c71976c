// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// openAIWords are those of both of OpenAI's APIs.
var openAIWords = words{
	index: brackets,
	unknown: func(path, key string) (string, string) {
		return "unknown_parameter", "Unknown parameter: '" + join(path, key) + "'."
	},
	missing: func(path string) (string, string) {
		return "missing_required_parameter", "Missing required parameter: '" + path + "'."
	},
	wrong: func(path, want, got string) (string, string) {
		return "invalid_type", "Invalid type for '" + path + "': expected " + want + ", but got " + got + " instead."
	},
}

var openAIName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// openAICallID is what may come back as the id of a call.
var openAICallID = regexp.MustCompile(`^[A-Za-z0-9_.:|~+/=-]{1,64}$`)

func (v value) openAIName() string {
	s := v.str()
	if v.is('"') && !openAIName.MatchString(s) {
		v.coded("invalid_value", "Invalid '%s': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$' of at most 64 characters.", v.path)
	}
	return s
}

func (v value) openAICallID() string {
	s := v.str()
	switch {
	case !v.is('"'):
	case len(s) > 64:
		v.coded("string_above_max_length", "Invalid '%s': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", v.path, len(s))
	case !openAICallID.MatchString(s):
		v.coded("invalid_value", "Invalid '%s': %q is no id of a call.", v.path, s)
	}
	return s
}

// reasons reports that a model of OpenAI's thinks before it answers.
func reasons(model string) bool {
	return strings.HasPrefix(model, "gpt-5") || strings.HasPrefix(model, "o")
}

var openAIEfforts = []string{"none", "minimal", "low", "medium", "high", "xhigh"}

// openAIEffort reads a word for how much to think; "" for not at all.
func openAIEffort(v value) string {
	if !v.there() {
		return ""
	}
	e := v.oneOf(openAIEfforts...)
	if !reasons(v.c.ask.Model) {
		v.coded("unsupported_parameter", "Unsupported parameter: '%s' is not supported with this model.", v.path)
	}
	if e == "none" {
		return ""
	}
	return e
}

// openAIFormat reads a format of the answer, either of the two APIs': in one of
// them the schema is in a member of its own.
func openAIFormat(v value, nested bool) {
	if !v.there() {
		return
	}
	o := v.object()
	switch o.at("type").oneOf("text", "json_object", "json_schema") {
	case "json_schema":
		of := []string{"name", "description", "schema", "strict"}
		if nested {
			v.object("type", "json_schema")
			o = o.at("json_schema").object(of...)
		} else {
			o = v.object(append(of, "type")...)
		}
		o.at("name").openAIName()
		strict := o.at("strict").booleanOr()
		if nested && !o.has("schema") {
			break // by the chat API it need not be there
		}
		openAISchema(o.at("schema"), strict, true)
		v.c.ask.Schema, v.c.ask.SchemaName = o.at("schema").raw, o.at("name").strOr()
	case "json_object":
		v.object("type")
		if !mentionsJSON(v.c.ask.Turns) {
			v.refuse("'messages' must contain the word 'json' in some form, to use '%s' of type 'json_object'.", v.path)
		}
	default:
		v.object("type")
	}
}

func mentionsJSON(turns []neutral.Turn) bool {
	return slices.ContainsFunc(turns, func(t neutral.Turn) bool {
		return slices.ContainsFunc(t.Parts, func(p neutral.Part) bool { return strings.Contains(strings.ToLower(p.Text), "json") })
	})
}

// openAISchema checks a JSON Schema of a tool or an answer, and with strict what
// strict ones must be like.
func openAISchema(v value, strict, root bool) {
	if string(v.raw) == "true" || string(v.raw) == "false" {
		if strict {
			v.coded("invalid_json_schema", "Invalid schema at %s: schema must be an object.", v.path)
		}
		return
	}
	o := v.object()
	bad := func(format string, args ...any) {
		v.coded("invalid_json_schema", "Invalid schema at "+v.path+": "+format, args...)
	}
	kind := ""
	if o.at("type").is('"') {
		kind = o.at("type").str()
	}
	if root && kind != "object" {
		bad("schema must be a JSON Schema of 'type: \"object\"', got 'type: %s'.", o.at("type").raw)
	}
	var names []string
	if o.has("properties") {
		p := o.at("properties").object()
		for name := range p.m {
			names = append(names, name)
			openAISchema(p.at(name), strict, false)
		}
	}
	if o.has("required") {
		required := o.at("required").strs()
		slices.Sort(required)
		slices.Sort(names)
		if strict && !slices.Equal(required, names) {
			bad("'required' must list every key of 'properties'.")
		}
	} else if strict && len(names) > 0 {
		bad("'required' is required to be supplied and to be an array including every key in properties.")
	}
	if strict && kind == "object" && string(o.at("additionalProperties").raw) != "false" {
		bad("'additionalProperties' is required to be supplied and to be false.")
	}
	switch items := o.at("items"); {
	case items.there():
		openAISchema(items, strict, false)
	case kind == "array" && o.at("prefixItems").raw == nil:
		bad("array schema missing items.")
	}
	for _, key := range []string{"anyOf", "allOf", "oneOf"} {
		if o.has(key) {
			for _, e := range o.at(key).list() {
				openAISchema(e, strict, false)
			}
		}
	}
}

// openAIFunction reads what a tool is, of the members of a function.
func openAIFunction(o object) {
	t := neutral.Tool{Name: o.at("name").openAIName(), Description: o.at("description").strOr()}
	strict := o.at("strict").booleanOr()
	if o.has("parameters") {
		openAISchema(o.at("parameters"), strict, true)
		t.Parameters = o.at("parameters").raw
	}
	o.c.ask.Tools = append(o.c.ask.Tools, t)
}

// declared refuses a choice of a tool that is not among the tools.
func (v value) declared(name string) string {
	if v.c.ok() && !slices.ContainsFunc(v.c.ask.Tools, func(t neutral.Tool) bool { return t.Name == name }) {
		v.refuse("Tool choice '%s' not found in 'tools' parameter.", name)
	}
	return "tool:" + name
}

var dataURLPattern = regexp.MustCompile(`^data:([a-z]+/[a-zA-Z0-9.+-]+);base64,(.+)$`)

var openAIImages = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// openAIImage reads a URL of an image, or one that holds it.
func (v value) openAIImage() *neutral.Media {
	s := v.some()
	if m := dataURLPattern.FindStringSubmatch(s); m != nil {
		if !slices.Contains(openAIImages, m[1]) {
			v.coded("invalid_image_format", "You uploaded an unsupported image (%s). Please make sure your image has one of the following formats: %q.", m[1], openAIImages)
		}
		v.base64(m[2])
		return &neutral.Media{Type: m[1], Data: m[2]}
	}
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		v.coded("invalid_value", "Invalid '%s': expected a valid URL or base64-encoded data URL, got %.60q.", v.path, s)
	}
	return &neutral.Media{URL: s}
}

// openAIFile reads the members of a file.
func openAIFile(o object) *neutral.Media {
	name := o.at("filename").strOr()
	if o.has("file_id") {
		return &neutral.Media{URL: o.at("file_id").str(), Name: name}
	}
	if o.has("file_url") {
		return &neutral.Media{URL: o.at("file_url").str(), Name: name}
	}
	v := o.at("file_data")
	m := dataURLPattern.FindStringSubmatch(v.some())
	if m == nil {
		v.coded("invalid_value", "Invalid '%s': expected base64-encoded data URL with a MIME type.", v.path)
		return &neutral.Media{}
	}
	v.base64(m[2])
	if name == "" {
		o.at("filename").wrong("a string")
	}
	return &neutral.Media{Type: m[1], Data: m[2], Name: name}
}
