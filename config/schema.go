// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/maccracken/hoosh"
)

// Schema is a JSON Schema (draft 2020-12) of the file, for editors. It accepts
// what [Parse] accepts as far as such a schema can tell: names that must be
// known, and what one key asks of another, only Parse checks.
func Schema() []byte {
	sample := hoosh.Config{Providers: make([]hoosh.ProviderConfig, 1), Routes: make([]hoosh.Route, 1), Keys: make([]hoosh.KeyConfig, 1)}
	s := describe("", reflect.ValueOf(sample.Effective()))
	s.Schema = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "hoosh.yaml"
	s.Defs = properties{
		{"duration", &schema{Type: "string", Pattern: `^([0-9]+d)?([0-9.]+(ns|us|µs|ms|s|m|h))*$|\$\{`, Examples: []any{"500ms", "30s", "10m", "24h", "90d"}}},
		{"size", &schema{AnyOf: []*schema{
			{Type: "integer", Minimum: hoosh.Ptr(1)},
			{Type: "string", Pattern: `^[0-9]+(KiB|MiB|GiB)?$|\$\{`, Examples: []any{"64KiB", "32MiB", "1GiB"}},
		}}},
		{"secret", &schema{AnyOf: []*schema{
			{Type: "string"},
			{Type: "object", Properties: properties{{"file", &schema{Type: "string"}}}, Required: []string{"file"}, AdditionalProperties: false},
		}}},
		{"variable", &schema{Type: "string", Pattern: `\$\{`}},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		panic(err) // it is made of strings and numbers
	}
	return bytes.TrimSpace(b.Bytes())
}

// schema is the part of JSON Schema that is needed here.
type schema struct {
	Schema               string     `json:"$schema,omitempty"`
	Title                string     `json:"title,omitempty"`
	Description          string     `json:"description,omitempty"`
	Ref                  string     `json:"$ref,omitempty"`
	Type                 string     `json:"type,omitempty"`
	Enum                 []string   `json:"enum,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	Minimum              *int       `json:"minimum,omitempty"`
	Maximum              *int       `json:"maximum,omitempty"`
	AnyOf                []*schema  `json:"anyOf,omitempty"`
	Items                *schema    `json:"items,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties any        `json:"additionalProperties,omitempty"`
	Default              any        `json:"default,omitempty"`
	Examples             []any      `json:"examples,omitempty"`
	Defs                 properties `json:"$defs,omitempty"`
}

// properties are in the order of the file, which a map would not keep.
type properties []property

type property struct {
	name string
	*schema
}

// MarshalJSON gives an object.
func (p properties) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, one := range p {
		if i > 0 {
			b = append(b, ',')
		}
		name, _ := json.Marshal(one.name)
		var body bytes.Buffer
		e := json.NewEncoder(&body)
		e.SetEscapeHTML(false)
		if err := e.Encode(one.schema); err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), body.Bytes()...)
	}
	return append(b, '}'), nil
}

// describe gives the schema of a key. v holds its default.
func describe(name string, v reflect.Value) *schema {
	t, about := v.Type(), keys[name]
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
		v = reflect.Indirect(v)
	}
	s := &schema{Description: about.about}
	switch {
	case t == typeSecret:
		s.Ref = "#/$defs/secret"
	case t == typeDuration:
		s.Ref = "#/$defs/duration"
	case t == typeSize:
		s.Ref = "#/$defs/size"
	case t == typeTarget:
		s.AnyOf = []*schema{{Type: "string"}, describeStruct(name, reflect.Zero(t))}
	case t.Kind() == reflect.Struct:
		o := describeStruct(name, v)
		o.Description = s.Description
		return o
	case t.Kind() == reflect.Slice:
		item := reflect.Zero(t.Elem())
		if v.Len() > 0 && t.Elem().Kind() == reflect.Struct {
			item = v.Index(0)
		}
		s.Type, s.Items = "array", describe(name+"[]", item)
	case t.Kind() == reflect.Map:
		s.Type, s.AdditionalProperties = "object", describe(name+"[]", reflect.Zero(t.Elem()))
	case about.values != nil:
		s.AnyOf = []*schema{{Enum: about.values}, {Ref: "#/$defs/variable"}}
	case t.Kind() == reflect.String:
		s.Type = "string"
	case t.Kind() == reflect.Bool:
		s.AnyOf = []*schema{{Type: "boolean"}, {Ref: "#/$defs/variable"}}
	default:
		s.AnyOf = []*schema{{Type: "integer", Minimum: about.least, Maximum: about.most}, {Ref: "#/$defs/variable"}}
	}
	s.Default = defaultOf(v)
	return s
}

func describeStruct(name string, v reflect.Value) *schema {
	s := &schema{Type: "object", AdditionalProperties: false}
	for _, f := range fieldsOf(v.Type()) {
		key := f.key
		if name != "" {
			key = name + "." + f.key
		}
		s.Properties = append(s.Properties, property{f.key, describe(key, v.Field(f.index))})
		if keys[key].needed {
			s.Required = append(s.Required, f.key)
		}
	}
	return s
}

// defaultOf is a default as the file would have it, nil where there is none to
// tell.
func defaultOf(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		if x != 0 {
			return formatDuration(x)
		}
	case hoosh.Size:
		return x.String()
	case []string:
		if slices.Contains(x, "*") {
			return x
		}
	case string:
		if x != "" {
			return x
		}
	case int, bool:
		return x
	}
	return nil
}
