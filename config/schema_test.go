// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/maccracken/hoosh"
)

// TestKeys holds the table of keys against the struct that they are of.
func TestKeys(t *testing.T) {
	found := map[string]bool{}
	var walk func(name string, typ reflect.Type)
	walk = func(name string, typ reflect.Type) {
		if name != "" {
			found[name] = true
		}
		switch {
		case typ.Kind() == reflect.Pointer:
			walk(name, typ.Elem())
		case typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map:
			walk(name+"[]", typ.Elem())
		case typ.Kind() == reflect.Struct:
			for _, f := range fieldsOf(typ) {
				walk(strings.TrimPrefix(name+"."+f.key, "."), typ.Field(f.index).Type)
			}
			for i := range typ.NumField() {
				if _, tagged := typ.Field(i).Tag.Lookup("yaml"); !tagged {
					t.Errorf("%s has no yaml tag in %s", typ.Field(i).Name, typ)
				}
			}
		}
	}
	walk("", reflect.TypeFor[hoosh.Config]())
	for name := range found {
		if about := keys[name].about; !strings.HasSuffix(about, ".") {
			t.Errorf("%s is not described by a sentence: %q", name, about)
		}
	}
	for name := range keys {
		if !found[name] {
			t.Errorf("%s is described and does not exist", name)
		}
	}
	for name := range later {
		holder := name[:max(0, strings.LastIndexByte(name, '.'))]
		if found[name] || holder != "" && !found[holder] {
			t.Errorf("%s is not a key of a later version", name)
		}
	}
}

// TestSchema holds the schema against files that Parse accepts and refuses.
func TestSchema(t *testing.T) {
	raw := Schema()
	if !bytes.Equal(raw, Schema()) {
		t.Fatal("it is not the same twice")
	}
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	check := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(b, &plain); err != nil {
			t.Fatal(err)
		}
		return conforms(s, s, plain, "")
	}
	sample, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := Show(&hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "openai", Key: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		string(sample), string(shown), "{}",
		"server: {insecure: '${B}', limits: {depth: '${N:-5}', body: 1000}, drain: '${D}'}",
		"providers: [{name: a, key: {file: b}, trust: '${T}'}]",
	} {
		if err := check(text); err != nil {
			t.Errorf("%v, in:\n%s", err, text)
		}
	}
	for _, text := range []string{
		"servr: {}", "server: []", "server: {drain: 5}", "server: {drain: 5w}", "server: {limits: {depth: 257}}", "server: {limits: {depth: 1.5}}",
		"server: {limits: {body: 1MB}}", "server: {insecure: maybe}", "providers: {}", "providers: [{}]", "providers: [{name: a, trust: privat}]",
		"providers: [{name: a, key: {path: b}}]", "routes: [{match: a, to: [b/c]}]", "routes: [{match: [a], to: [1]}]", "aliases: {a: 1}", "version: 2",
	} {
		if err := check(text); err == nil {
			t.Errorf("accepted: %s", text)
		}
		if _, err := Parse("x", []byte(text), nil); err == nil {
			t.Errorf("Parse accepted: %s", text)
		}
	}
}

// TestSchemaDefaults holds some defaults against what DESIGN and the sample say.
func TestSchemaDefaults(t *testing.T) {
	text := string(Schema())
	for _, want := range []string{`"default": "127.0.0.1:8088"`, `"default": "32MiB"`, `"default": "10m"`, `"default": "priority"`, `"default": 128`, `"default": false`, `"default": 2`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

// conforms checks v against the part of JSON Schema that Schema uses. It fails
// on a word that it does not know, so that none is written for nothing.
func conforms(root, s map[string]any, v any, at string) error {
	for _, word := range slices.Sorted(maps.Keys(s)) {
		arg := s[word]
		var err error
		switch word {
		case "$schema", "$defs", "title", "description", "default", "examples":
		case "$ref":
			def := root["$defs"].(map[string]any)[strings.TrimPrefix(arg.(string), "#/$defs/")]
			err = conforms(root, def.(map[string]any), v, at)
		case "type":
			if kind := jsonType(v); kind != arg {
				err = fmt.Errorf("%s: a %s, not a %s", at, kind, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				err = fmt.Errorf("%s: %v is not one of %v", at, v, arg)
			}
		case "pattern":
			if text, ok := v.(string); ok && !regexp.MustCompile(arg.(string)).MatchString(text) {
				err = fmt.Errorf("%s: %q does not match %s", at, text, arg)
			}
		case "minimum":
			if n, ok := v.(float64); ok && n < arg.(float64) {
				err = fmt.Errorf("%s: %v is too small", at, n)
			}
		case "maximum":
			if n, ok := v.(float64); ok && n > arg.(float64) {
				err = fmt.Errorf("%s: %v is too large", at, n)
			}
		case "anyOf":
			var errs []error
			for _, one := range arg.([]any) {
				errs = append(errs, conforms(root, one.(map[string]any), v, at))
			}
			if !slices.Contains(errs, nil) {
				err = fmt.Errorf("%s: none of %v", at, errs)
			}
		case "items":
			items, _ := v.([]any)
			for i, item := range items {
				if err == nil {
					err = conforms(root, arg.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))
				}
			}
		case "required":
			for _, name := range arg.([]any) {
				if o, ok := v.(map[string]any); ok && o[name.(string)] == nil {
					err = fmt.Errorf("%s: lacks %s", at, name)
				}
			}
		case "properties", "additionalProperties":
			err = conformMembers(root, s, v, at)
		default:
			err = fmt.Errorf("%s: unknown word %s", at, word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func conformMembers(root, s map[string]any, v any, at string) error {
	known, _ := s["properties"].(map[string]any)
	members, _ := v.(map[string]any)
	for name, value := range members {
		one, ok := known[name].(map[string]any)
		if !ok {
			if one, ok = s["additionalProperties"].(map[string]any); !ok {
				return fmt.Errorf("%s: unknown member %s", at, name)
			}
		}
		if err := conforms(root, one, value, at+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func jsonType(v any) string {
	switch x := v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case float64:
		if x == float64(int64(x)) {
			return "integer"
		}
		return "number"
	}
	return "null"
}
