// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"slices"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// closer finds the object schemas that say nothing of further members: Anthropic
// takes the schema of an answer only when all objects in it are closed, and other
// vendors' callers do not write that.
type closer struct {
	ends []int // offsets of the closing braces of those
}

// appendClosed appends a schema with its objects closed. One that is not plain
// goes out as it is, for the vendor to judge.
func appendClosed(dst, schema []byte) []byte {
	var x closer
	c := jsonpeek.NewDepth(schema, jsonpeek.MaxDepth)
	x.schema(&c)
	if c.End() != nil {
		return append(dst, schema...)
	}
	slices.Sort(x.ends)
	from := 0
	for _, end := range x.ends {
		dst = append(append(dst, schema[from:end]...), `,"additionalProperties":false`...)
		from = end
	}
	return append(dst, schema[from:]...)
}

// schema looks at the schema at hand. Objects that are put together from others
// are left: closed, they would refuse each other's members.
func (x *closer) schema(c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	object, told := false, false
	for c.Next() {
		switch string(c.Key()) {
		case "properties":
			object = c.Kind() == jsonpeek.Object
			x.named(c)
		case "$defs", "definitions":
			x.named(c)
		case "items", "prefixItems", "anyOf", "oneOf":
			told = told || string(c.Key()) == "anyOf" || string(c.Key()) == "oneOf"
			x.list(c)
		case "additionalProperties", "unevaluatedProperties", "allOf", "$ref", "if":
			told = true
		}
	}
	if object && !told {
		x.ends = append(x.ends, c.Pos()-1)
	}
}

// named looks at the schemas that are the members of the object at hand.
func (x *closer) named(c *jsonpeek.Cursor) {
	if c.Object() {
		for c.Next() {
			x.schema(c)
		}
	}
}

// list looks at the schema at hand, or at those in the array at hand.
func (x *closer) list(c *jsonpeek.Cursor) {
	if !c.Array() {
		x.schema(c)
		return
	}
	for c.Next() {
		x.schema(c)
	}
}
