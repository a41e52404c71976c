// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// reader is a [codec.Reader] that knows the format.
type reader struct{ codec.Reader }

func newReader(op hoosh.Operation, body []byte, kind error) reader {
	return reader{codec.NewReader(op, body, kind)}
}

// innerKeys are the names below the top level that say what is asked. Backends
// differ in how they read names: Go's take ROLE, and all take rol\u0065. In
// another spelling they must not pass as unknown.
var innerKeys = [...]string{"type", "role", "content", "text", "refusal", "annotations", "image_url", "file_id", "detail", "file_data", "file_url", "filename",
	"input_audio", "data", "format", "call_id", "name", "namespace", "arguments", "input", "output", "summary", "encrypted_content", "id",
	"description", "parameters", "strict", "tools", "functions", "schema", "verbosity", "effort"}

// key is the name of the member at hand as the most liberal backend reads it.
func (r *reader) key() []byte { return innerKey(r.C.Key()) }

func innerKey(raw []byte) []byte { return codec.Fold(raw, innerKeys[:]) }

// peek looks ahead for a string member of the object at hand, nil without one.
func (r *reader) peek(name string) []byte {
	c := r.C
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == name {
				raw, _ := c.Str()
				return codec.Plain(raw)
			}
		}
	}
	return nil
}

// member gives the value of an object's first member of this name, nil without
// one.
func member(object []byte, name string) []byte {
	c := jsonpeek.NewDepth(object, jsonpeek.MaxDepth)
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == name {
				return c.Value()
			}
		}
	}
	return nil
}

// stringMember is member for a string, as it stands between its quotes.
func stringMember(object []byte, name string) []byte {
	if v := member(object, name); len(v) >= 2 && v[0] == '"' {
		return v[1 : len(v)-1]
	}
	return nil
}
