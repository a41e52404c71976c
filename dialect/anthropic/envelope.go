// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"cmp"
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// envelopeKeys are the top-level keys that are acted on: none may be there twice.
var envelopeKeys = [...]string{"model", "messages", "stream", "system", "tools", "max_tokens", "output_config", "output_format", "thinking"}

// indices into envelopeKeys.
const (
	keyModel = iota
	keyMessages
	keyStream
	keySystem
	keyTools
	keyMaxTokens
	keyOutputConfig
	keyOutputFormat
)

func envelopeKey(name []byte) int {
	spelt := codec.IsPlain(name)
	for i, known := range envelopeKeys {
		if string(name) == known || !spelt && jsonpeek.EqualFold(name, known) {
			return i
		}
	}
	return -1
}

// readEnvelope is [hoosh.Dialect.ReadEnvelope]. Every stream tells its usage. A
// ceiling is not demanded: only Anthropic itself cannot do without.
func readEnvelope(op hoosh.Operation, body []byte, depth int, e *hoosh.Envelope) error {
	e.Choices, e.WantsUsage = 1, true
	switch op {
	case hoosh.OpChat:
		e.Needs = hoosh.FeatureChat
	case hoosh.OpCount:
		e.Needs = hoosh.FeatureCount
	default:
		return unsupportedOp(op)
	}
	c := jsonpeek.NewDepth(body, cmp.Or(depth, jsonpeek.DefaultDepth))
	if !c.Object() {
		return codec.NotJSON(op, hoosh.ErrInvalidRequest, body, c.Err(), "want a JSON object")
	}
	var seen uint32
	for c.Next() {
		if len(e.Keys) == hoosh.MaxKeys {
			return codec.Invalid(op, "", fmt.Sprintf("more than %d top-level keys", hoosh.MaxKeys))
		}
		k := hoosh.TopKey{Name: c.Key(), Start: c.KeyStart(), From: c.Pos()}
		if which := envelopeKey(k.Name); which >= 0 {
			if seen&(1<<which) != 0 {
				return codec.Invalid(op, envelopeKeys[which], fmt.Sprintf("a second key, %q, that reads as %q", jsonpeek.Unquote(k.Name), envelopeKeys[which]))
			}
			seen |= 1 << which
			if want := note(e, &c, which); want != "" && c.Err() == nil {
				return codec.Invalid(op, envelopeKeys[which], "want "+want)
			}
		}
		if k.From == c.Pos() { // nothing of it was consumed
			c.Skip()
		}
		k.To = c.Pos()
		e.AddKey(k)
	}
	e.End = c.Pos() - 1
	if err := c.End(); err != nil {
		return codec.NotJSON(op, hoosh.ErrInvalidRequest, body, err, "")
	}
	if seen&(1<<keyMessages) == 0 {
		return codec.Invalid(op, "messages", "missing; want an array of messages")
	}
	return nil
}

// note takes what routing needs from the value at hand; want is what it should
// have been, "" when it may be so.
func note(e *hoosh.Envelope, c *jsonpeek.Cursor, which int) (want string) {
	null := c.Kind() == jsonpeek.Null
	switch which {
	case keyModel:
		name, ok := c.Str()
		if !ok {
			return "a string, the model's name"
		}
		e.Model = jsonpeek.Unquote(name)
	case keyStream:
		on, ok := c.Bool()
		if !ok && !null {
			return "true or false"
		}
		e.Stream = on
	case keyMaxTokens:
		n, ok := c.Int()
		if !ok && !null || n < 0 || n > 1<<40 {
			return "a whole number"
		}
		e.MaxTokens = int(n)
	case keySystem:
		if text, ok := c.Str(); ok {
			e.Text += len(text)
		} else if c.Array() {
			noteBlocks(e, c)
		} else if !null {
			return "a string or an array of text blocks"
		}
	case keyTools:
		at := c.Pos()
		if c.Array() {
			for c.Next() {
				e.Needs |= hoosh.FeatureTools
			}
			e.Text += c.Pos() - at
		} else if !null {
			return "an array"
		}
	case keyMessages:
		return noteMessages(e, c)
	case keyOutputConfig:
		if c.Object() {
			for c.Next() {
				if string(innerKey(c.Key())) == "format" && c.Kind() == jsonpeek.Object {
					e.Needs |= hoosh.FeatureJSONSchema
				}
			}
		} else if !null {
			return "an object"
		}
	case keyOutputFormat:
		if c.Kind() == jsonpeek.Object {
			e.Needs |= hoosh.FeatureJSONSchema
		}
	}
	return ""
}

// noteMessages counts the text of the messages and notes what they hold besides.
func noteMessages(e *hoosh.Envelope, c *jsonpeek.Cursor) (want string) {
	if !c.Array() {
		return "an array of messages"
	}
	for c.Next() {
		if !c.Object() {
			return "an array of message objects"
		}
		for c.Next() {
			if string(innerKey(c.Key())) != "content" {
				continue
			}
			if text, ok := c.Str(); ok {
				e.Text += len(text)
			} else if c.Array() {
				noteBlocks(e, c)
			}
		}
	}
	return ""
}

// noteBlocks looks at the elements of the array that was entered.
func noteBlocks(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	for c.Next() {
		if !c.Object() {
			continue
		}
		redacted := false
		for c.Next() {
			switch string(innerKey(c.Key())) {
			case "type":
				kind, _ := c.Str()
				switch string(codec.Plain(kind)) {
				case "image":
					e.Needs |= hoosh.FeatureVision
				case "document":
					e.Needs |= hoosh.FeatureFiles
				case "redacted_thinking":
					redacted = true
					e.Deep |= hoosh.DeepSignatures
				}
			case "text", "thinking":
				text, _ := c.Str()
				e.Text += len(text)
			case "signature":
				if s, _ := c.Str(); len(s) > 0 {
					e.Deep |= hoosh.DeepSignatures
				}
			case "data":
				if s, _ := c.Str(); redacted {
					e.Text += len(s)
				}
			case "id", "tool_use_id":
				id, _ := c.Str()
				e.Deep |= hoosh.DeepToolIDs
				if hoosh.HasSeal(id) {
					e.Deep |= hoosh.DeepSignatures
				}
			case "input":
				e.Text += len(c.Value())
			case "content": // of a tool result
				if text, ok := c.Str(); ok {
					e.Text += len(text)
				} else if c.Array() {
					noteBlocks(e, c)
				}
			}
		}
	}
}
