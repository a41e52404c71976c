// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"strings"

	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Gemini's own schemas, a subset of OpenAPI's, as JSON Schema.

// keywords of the subset that hold schemas, or are written otherwise.
var keywords = map[string]string{
	"type": "type", "nullable": "nullable", "properties": "properties", "items": "items", "anyof": "anyOf", "prefixitems": "prefixItems",
	"minitems": "minItems", "maxitems": "maxItems", "minlength": "minLength", "maxlength": "maxLength", "minproperties": "minProperties", "maxproperties": "maxProperties",
	"propertyordering": "propertyOrdering", "additionalproperties": "additionalProperties", "required": "required", "enum": "enum", "format": "format",
	"description": "description", "title": "title", "default": "default", "example": "example", "pattern": "pattern", "minimum": "minimum", "maximum": "maximum",
}

// keyword is how JSON Schema writes a keyword.
func keyword(raw []byte) string {
	text := jsonpeek.Unquote(raw)
	if word := keywords[fold(text)]; word != "" {
		return word
	}
	return text
}

// appendJSONSchema writes the schema at hand as JSON Schema. What is no keyword of
// the subset goes as it is.
func appendJSONSchema(dst []byte, c *jsonpeek.Cursor) []byte {
	if !c.Object() {
		return append(dst, c.Value()...)
	}
	nullable := isNullable(*c)
	dst = append(dst, '{')
	for n := 0; c.Next(); {
		word := keyword(c.Key())
		if word == "nullable" || word == "propertyOrdering" || word == "type" && isUnspecified(*c) {
			continue
		}
		if n++; n > 1 {
			dst = append(dst, ',')
		}
		dst = append(jsonpeek.AppendQuote(dst, word), ':')
		at := len(dst)
		switch word {
		case "type":
			dst = appendType(dst, c, nullable)
		case "properties", "$defs", "definitions":
			dst = appendSchemas(dst, c, true)
		case "anyOf":
			dst = appendSchemas(dst, c, false)
			if nullable {
				dst = withElement(dst, at, nullSchema)
			}
		case "enum":
			dst = append(dst, c.Value()...)
			if nullable {
				dst = withElement(dst, at, "null")
			}
		case "prefixItems", "allOf", "oneOf":
			dst = appendSchemas(dst, c, false)
		case "items", "additionalProperties":
			dst = appendJSONSchema(dst, c)
		case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
			peek := *c
			v := c.Value()
			if text, ok := peek.Str(); ok && isNumber(codec.Plain(text)) { // proto-JSON's way with 64 bits
				v = codec.Plain(text)
			}
			dst = append(dst, v...)
		default:
			dst = append(dst, c.Value()...)
		}
	}
	return append(dst, '}')
}

// nullSchema is the schema of null by itself.
const nullSchema = `{"type":"null"}`

// withElement adds an element to the array that begins at from, unless it has it:
// null must be allowed by each of these keywords, the type alone does not do it.
func withElement(dst []byte, from int, element string) []byte {
	c := jsonpeek.NewDepth(dst[from:], jsonpeek.MaxDepth)
	if !c.Array() {
		return dst
	}
	n := 0
	for ; c.Next(); n++ {
		if string(c.Value()) == element {
			return dst
		}
	}
	dst = dst[:len(dst)-1] // the bracket
	if n > 0 {
		dst = append(dst, ',')
	}
	return append(append(dst, element...), ']')
}

func isNumber(text []byte) bool {
	c := jsonpeek.New(text)
	return c.Kind() == jsonpeek.Number && c.End() == nil
}

// appendSchemas writes an object or an array of schemas.
func appendSchemas(dst []byte, c *jsonpeek.Cursor, named bool) []byte {
	if named && !c.Object() || !named && !c.Array() {
		return append(dst, c.Value()...)
	}
	open, end := byte('['), byte(']')
	if named {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for n := 0; c.Next(); n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		if named {
			dst = append(append(append(dst, '"'), c.Key()...), `":`...)
		}
		dst = appendJSONSchema(dst, c)
	}
	return append(dst, end)
}

// isNullable looks ahead in the schema that was entered.
func isNullable(c jsonpeek.Cursor) bool {
	for c.Next() {
		if keyword(c.Key()) == "nullable" {
			is, _ := c.Bool()
			return is
		}
	}
	return false
}

func isUnspecified(c jsonpeek.Cursor) bool {
	raw, _ := c.Str()
	return string(raw) == "TYPE_UNSPECIFIED"
}

// appendType writes a type, or several, in lower case.
func appendType(dst []byte, c *jsonpeek.Cursor, nullable bool) []byte {
	raw, ok := c.Str()
	if !ok {
		return append(dst, c.Value()...)
	}
	word := strings.ToLower(jsonpeek.Unquote(raw))
	if nullable {
		return append(jsonpeek.AppendQuote(append(dst, '['), word), `,"null"]`...)
	}
	return jsonpeek.AppendQuote(dst, word)
}
