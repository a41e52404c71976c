// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

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

func unsupportedOp(op hoosh.Operation) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Message: "Anthropic's format has no " + op.String()}
}

// innerKeys are the names below the top level that say what is asked. Backends
// differ in how they read names, so in another spelling they must not pass as
// unknown.
var innerKeys = [...]string{"type", "role", "content", "text", "citations", "thinking", "signature", "data", "source", "media_type", "url", "file_id", "title",
	"id", "name", "input", "tool_use_id", "is_error", "description", "input_schema", "strict", "disable_parallel_tool_use",
	"budget_tokens", "display", "format", "schema", "effort", "user_id"}

// key is the name of the member at hand as the most liberal backend reads it.
func (r *reader) key() []byte { return innerKey(r.C.Key()) }

func innerKey(raw []byte) []byte { return codec.Fold(raw, innerKeys[:]) }

// typeOf looks ahead for the type of the object at hand, nil without one.
func (r *reader) typeOf() []byte {
	c := r.C
	return typeOf(&c)
}

// typeOf consumes what is at the cursor up to its type.
func typeOf(c *jsonpeek.Cursor) []byte {
	if c.Object() {
		for c.Next() {
			if string(innerKey(c.Key())) == "type" {
				raw, _ := c.Str()
				return codec.Plain(raw)
			}
		}
	}
	return nil
}
