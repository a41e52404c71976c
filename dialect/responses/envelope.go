// SPDX-License-Identifier: AGPL-3.0-only

package responses

import (
	"bytes"
	"cmp"
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// envelopeKeys are the top-level keys that are acted on: none may be there twice.
var envelopeKeys = [...]string{"model", "input", "stream", "instructions", "tools", "text", "max_output_tokens", previousID, "conversation", "prompt", "store", "background"}

// indices into envelopeKeys.
const (
	keyModel = iota
	keyInput
	keyStream
	keyInstructions
	keyTools
	keyText
	keyMaxTokens
	keyPrevious
	keyConversation
	keyPrompt
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

// readEnvelope is [hoosh.Dialect.ReadEnvelope]. Usage is in the last event of every
// stream.
func readEnvelope(op hoosh.Operation, body []byte, depth int, e *hoosh.Envelope) error {
	if !known(op) {
		return noSuch(op)
	}
	c := jsonpeek.NewDepth(body, cmp.Or(depth, jsonpeek.DefaultDepth))
	e.Choices, e.WantsUsage, e.Needs = 1, true, hoosh.FeatureChat
	if op == hoosh.OpCount {
		e.Needs = hoosh.FeatureCount
	}
	if !c.Object() {
		return codec.NotJSON(op, hoosh.ErrInvalidRequest, body, c.Err(), "want a JSON object")
	}
	var seen, said uint32 // said: and not null
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
			if c.Kind() != jsonpeek.Null {
				said |= 1 << which
			}
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
	if said&(1<<keyInput|1<<keyPrevious|1<<keyConversation|1<<keyPrompt) == 0 {
		return codec.Invalid(op, "input", "missing; want a string or an array of items")
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
	case keyInstructions:
		text, _ := c.Str()
		e.Text += len(text)
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
	case keyText:
		if kind := stringMember(member(c.Value(), "format"), "type"); jsonpeek.Equal(kind, "json_schema") {
			e.Needs |= hoosh.FeatureJSONSchema
		}
	case keyInput:
		if text, ok := c.Str(); ok {
			e.Text += len(text)
		} else if c.Array() {
			for c.Next() {
				if !c.Object() {
					return "an array of item objects"
				}
				noteItem(e, c)
			}
		} else if !null {
			return "a string or an array of items"
		}
	}
	return ""
}

// ownReasoning begins the ids of the reasoning items that hoosh makes up.
const ownReasoning = "rs_hs1"

func noteItem(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	for c.Next() {
		switch string(c.Key()) {
		case "role":
			if role, _ := c.Str(); string(role) == "developer" {
				e.Deep |= hoosh.DeepDeveloper
			}
		case "content", "output":
			noteContent(e, c)
		case "summary":
			at := c.Pos()
			c.Skip()
			e.Text += c.Pos() - at
		case "arguments", "input":
			text, _ := c.Str()
			e.Text += len(text)
		case "call_id":
			e.Deep |= hoosh.DeepToolIDs
			if id, _ := c.Str(); hoosh.HasSeal(id) {
				e.Deep |= hoosh.DeepSignatures
			}
		case "encrypted_content":
			if c.Kind() == jsonpeek.String {
				e.Deep |= hoosh.DeepSignatures
			}
		case "id":
			if id, _ := c.Str(); bytes.HasPrefix(id, []byte(ownReasoning)) {
				e.Deep |= hoosh.DeepSignatures
			}
		}
	}
}

func noteContent(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	if text, ok := c.Str(); ok {
		e.Text += len(text)
		return
	}
	if !c.Array() {
		return
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			switch string(c.Key()) {
			case "type":
				switch kind, _ := c.Str(); string(kind) {
				case "input_image":
					e.Needs |= hoosh.FeatureVision
				case "input_audio":
					e.Needs |= hoosh.FeatureAudio
				case "input_file":
					e.Needs |= hoosh.FeatureFiles
				}
			case "text", "refusal":
				text, _ := c.Str()
				e.Text += len(text)
			}
		}
	}
}
