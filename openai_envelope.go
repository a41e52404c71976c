// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// openAIKey numbers the top-level keys that hoosh acts on.
type openAIKey uint8

const (
	keyOther openAIKey = iota
	keyModel
	keyStream
	keyStreamOptions
	keyMaxTokens
	keyMaxCompletionTokens
	keyN
	keyMessages
	keyPrompt
	keyInput
	keyTools
	keyFunctions
	keyResponseFormat
	keyEnd
)

var openAIKeys = [keyEnd]string{"", "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n",
	"messages", "prompt", "input", "tools", "functions", "response_format"}

// openAIKeyOf finds the key that a name reads as. Backends differ in how they
// read names: Go's take MODEL, and all take mod\u0065l, as model. What one of
// them may read as a key that hoosh acts on is that key.
func openAIKeyOf(name []byte) openAIKey {
	switch string(name) {
	case "model":
		return keyModel
	case "messages":
		return keyMessages
	case "stream":
		return keyStream
	}
	plain := true
	for _, b := range name {
		if (b < 'a' || b > 'z') && b != '_' {
			plain = false
			break
		}
	}
	for k := keyModel; k < keyEnd; k++ {
		if string(name) == openAIKeys[k] || !plain && jsonpeek.EqualFold(name, openAIKeys[k]) {
			return k
		}
	}
	return keyOther
}

// readOpenAIEnvelope is [Dialect.ReadEnvelope].
func readOpenAIEnvelope(op Operation, body []byte, depth int, e *Envelope) error {
	c := jsonpeek.NewDepth(body, or(depth, jsonpeek.DefaultDepth))
	e.Choices, e.Needs = 1, opFeature(op)
	if !c.Object() {
		return notJSON(op, body, &c, "want a JSON object")
	}
	var seen uint32
	for c.Next() {
		if len(e.Keys) == MaxKeys {
			return invalid(op, "", fmt.Sprintf("more than %d top-level keys", MaxKeys))
		}
		k := TopKey{Name: c.Key(), Start: c.KeyStart(), From: c.Pos()}
		which := openAIKeyOf(k.Name)
		if op >= OpImage && which >= keyTools { // what they have under these names is something else
			which = keyOther
		}
		if which != keyOther {
			if seen&(1<<which) != 0 {
				return invalid(op, openAIKeys[which], fmt.Sprintf("a second key, %q, that reads as %q", jsonpeek.Unquote(k.Name), openAIKeys[which]))
			}
			seen |= 1 << which
			if want := e.openAIMember(&c, which); want != "" && c.Err() == nil {
				return invalid(op, openAIKeys[which], "want "+want)
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
		return notJSON(op, body, &c, "")
	}
	need, name := keyMessages, "want an array of messages"
	switch op {
	case OpEmbed:
		need, name = keyInput, "want a string, an array of strings or an array of tokens"
	case OpModerate:
		need, name = keyInput, "want a string or an array of inputs"
	case OpImage:
		need, name = keyPrompt, "want a string"
	case OpCompletion, OpRerank:
		return nil
	}
	if seen&(1<<need) == 0 {
		return invalid(op, openAIKeys[need], "missing; "+name)
	}
	return nil
}

// openAIMember notes the value at hand; what it says is what the value should
// have been, "" when it may be so.
func (e *Envelope) openAIMember(c *jsonpeek.Cursor, which openAIKey) (want string) {
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
	case keyStreamOptions:
		on, ok := readStreamOptions(c)
		if !ok {
			return "an object with include_usage once"
		}
		e.WantsUsage = on
	case keyMaxTokens, keyMaxCompletionTokens, keyN:
		n, ok := c.Int()
		if !ok && !null || n < 0 || n > 1<<40 {
			return "a whole number"
		}
		if which == keyN {
			if e.Choices = max(int(n), 1); n > 1 {
				e.Needs |= FeatureChoices
			}
		} else if n > 0 {
			e.MaxTokens = int(n)
		}
	case keyMessages:
		return e.openAIMessages(c)
	case keyPrompt, keyInput:
		return e.openAIInput(c)
	case keyTools, keyFunctions:
		at := c.Pos()
		if c.Array() {
			for c.Next() {
				e.Needs |= FeatureTools
			}
			e.Text += c.Pos() - at
		} else if !null {
			return "an array"
		}
	case keyResponseFormat:
		if c.Object() {
			for c.Next() {
				if string(c.Key()) == "type" {
					if kind, _ := c.Str(); jsonpeek.Equal(kind, "json_schema") {
						e.Needs |= FeatureJSONSchema
					}
				}
			}
		} else if !null {
			return "an object"
		}
	}
	return ""
}

// readStreamOptions finds include_usage; ok is false when the value at hand
// cannot hold it or holds it twice.
func readStreamOptions(c *jsonpeek.Cursor) (on, ok bool) {
	if c.Null() {
		return false, true
	}
	if !c.Object() {
		return false, false
	}
	seen := false
	for c.Next() {
		if jsonpeek.EqualFold(c.Key(), "include_usage") {
			if seen {
				return false, false
			}
			seen = true
			on, _ = c.Bool()
		}
	}
	return on, true
}

// openAIMessages counts the text of the messages and notes what they hold
// besides.
func (e *Envelope) openAIMessages(c *jsonpeek.Cursor) (want string) {
	if !c.Array() {
		return "an array of messages"
	}
	for c.Next() {
		if !c.Object() {
			return "an array of message objects"
		}
		for c.Next() {
			switch string(c.Key()) {
			case "role":
				if role, _ := c.Str(); string(role) == "developer" {
					e.Deep |= DeepDeveloper
				}
			case "content":
				if text, ok := c.Str(); ok {
					e.Text += len(text)
				} else if c.Array() {
					e.openAIParts(c)
				}
			case "tool_calls":
				e.Deep |= DeepToolIDs
				calls := c.Value()
				e.Text += len(calls)
				if HasSeal(calls) {
					e.Deep |= DeepSignatures
				}
			case "reasoning_content":
				e.Deep |= DeepThinking
			case "tool_call_id":
				e.Deep |= DeepToolIDs
				if id, _ := c.Str(); HasSeal(id) {
					e.Deep |= DeepSignatures
				}
			}
		}
	}
	return ""
}

func (e *Envelope) openAIParts(c *jsonpeek.Cursor) {
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			switch string(c.Key()) {
			case "type":
				kind, _ := c.Str()
				switch {
				case jsonpeek.Equal(kind, "text"):
				case jsonpeek.Equal(kind, "image_url"):
					e.Needs |= FeatureVision
				case jsonpeek.Equal(kind, "input_audio"):
					e.Needs |= FeatureAudio
				case jsonpeek.Equal(kind, "file"):
					e.Needs |= FeatureFiles
				}
			case "text":
				if text, ok := c.Str(); ok {
					e.Text += len(text)
				}
			}
		}
	}
}

// openAIInput counts the text of a prompt or of what is to be embedded: a
// string, strings, tokens, or arrays of tokens.
func (e *Envelope) openAIInput(c *jsonpeek.Cursor) (want string) {
	if text, ok := c.Str(); ok {
		e.Text += len(text)
		return ""
	}
	if c.Kind() == jsonpeek.Null {
		return ""
	}
	if !c.Array() {
		return "a string, an array of strings or an array of tokens"
	}
	for c.Next() {
		if text, ok := c.Str(); ok {
			e.Text += len(text)
		} else if c.Array() {
			for c.Next() {
				e.Text += bytesPerToken
			}
		} else {
			e.Text += bytesPerToken
		}
	}
	return ""
}

// invalid is the error of a body that is JSON and not what op wants.
func invalid(op Operation, param, message string) *Error {
	return &Error{Kind: ErrInvalidRequest, Op: op, Param: param, Message: message}
}

// notJSON is the error of a body that is not well-formed.
func notJSON(op Operation, body []byte, c *jsonpeek.Cursor, otherwise string) *Error {
	if err, ok := c.Err().(*jsonpeek.SyntaxError); ok && err != nil {
		return &Error{Kind: ErrInvalidRequest, Op: op, Code: "invalid_json", Param: jsonpeek.Path(body, err.Offset), Message: err.Error(), Err: err}
	}
	return &Error{Kind: ErrInvalidRequest, Op: op, Message: otherwise}
}
