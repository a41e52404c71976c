// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// key numbers the top-level keys that hoosh acts on.
type key uint8

const (
	keyOther key = iota
	keyModel
	keyOptions
	keyStream // from here on of a chat only
	keyMessages
	keyTools
	keyFormat
	keyThink
	keyInput // from here on of an embedding only
	keyDimensions
	keyEnd
)

var keyNames = [keyEnd]string{"", "model", "options", "stream", "messages", "tools", "format", "think", "input", "dimensions"}

// keyOf finds the key that Ollama reads a name as.
func keyOf(op hoosh.Operation, name []byte) key {
	for k := keyModel; k < keyEnd; k++ {
		if is(name, keyNames[k]) {
			if k >= keyInput && op != hoosh.OpEmbed || k >= keyStream && k < keyInput && op != hoosh.OpChat {
				return keyOther // Ollama does not look at it there
			}
			return k
		}
	}
	return keyOther
}

// is reports that Ollama reads a member's name as name.
func is(got []byte, name string) bool {
	return string(got) == name || jsonpeek.EqualFold(got, name)
}

// readEnvelope is [hoosh.Dialect.ReadEnvelope].
func readEnvelope(op hoosh.Operation, body []byte, depth int, e *hoosh.Envelope) error {
	if depth == 0 {
		depth = jsonpeek.DefaultDepth
	}
	e.Choices, e.WantsUsage = 1, true
	switch op {
	case hoosh.OpChat:
		e.Stream, e.Needs = true, hoosh.FeatureChat
	case hoosh.OpEmbed:
		e.Needs = hoosh.FeatureEmbed
	default:
		return unsupported(op, "", "a "+op.String()+" in Ollama's own format")
	}
	c := jsonpeek.NewDepth(body, depth)
	if !c.Object() {
		return notJSON(op, body, &c, "want a JSON object")
	}
	var seen uint32
	for c.Next() {
		k := hoosh.TopKey{Name: c.Key(), Start: c.KeyStart(), From: c.Pos()}
		which := keyOf(op, k.Name)
		if which != keyOther {
			if seen&(1<<which) != 0 {
				return invalid(op, keyNames[which], fmt.Sprintf("a second key, %q, that reads as %q", jsonpeek.Unquote(k.Name), keyNames[which]))
			}
			seen |= 1 << which
			if at, want := readMember(e, &c, which); want != "" && c.Err() == nil {
				return invalid(op, keyNames[which]+at, "want "+want)
			}
		}
		if k.From == c.Pos() { // nothing of it was consumed
			c.Skip()
		}
		k.To = c.Pos()
		if len(e.Keys) == hoosh.MaxKeys {
			return invalid(op, "", fmt.Sprintf("more than %d top-level keys", hoosh.MaxKeys))
		}
		e.AddKey(k)
	}
	e.End = c.Pos() - 1
	if c.End() != nil {
		return notJSON(op, body, &c, "")
	}
	return nil
}

// readMember notes the value at hand. Want is what the value, or what lies at
// the path at within it, should have been; "" when it may be so.
func readMember(e *hoosh.Envelope, c *jsonpeek.Cursor, which key) (at, want string) {
	if which != keyModel && c.Null() {
		return "", "" // to a Go program like none
	}
	switch which {
	case keyModel:
		name, ok := c.Str()
		if !ok {
			return "", "a string, the model's name"
		}
		e.Model = jsonpeek.Unquote(name)
	case keyStream:
		on, ok := c.Bool()
		if !ok {
			return "", "true or false"
		}
		e.Stream = on
	case keyMessages:
		return readMessageNeeds(e, c)
	case keyInput:
		return "", readInputSize(e, c)
	case keyTools:
		from := c.Pos()
		if !c.Array() {
			return "", "an array"
		}
		for c.Next() {
			e.Needs |= hoosh.FeatureTools
		}
		e.Text += c.Pos() - from
	case keyFormat:
		if word, ok := c.Str(); ok {
			if len(word) > 0 && !jsonpeek.Equal(word, "json") {
				return "", `"json" or a JSON Schema object`
			}
		} else if c.Kind() != jsonpeek.Object {
			return "", `"json" or a JSON Schema object`
		} else {
			e.Needs |= hoosh.FeatureJSONSchema
		}
	case keyThink:
		word, isWord := c.Str()
		on, isBool := c.Bool()
		if on || len(word) > 0 {
			e.Needs |= hoosh.FeatureThinking
		} else if !isWord && !isBool {
			return "", "true, false or a level"
		}
	case keyOptions:
		return readCeiling(e, c)
	}
	return "", ""
}

// readCeiling finds num_predict among the options. A negative one is none.
// Options are a map to Ollama: names are exact, and of two the last one counts.
func readCeiling(e *hoosh.Envelope, c *jsonpeek.Cursor) (at, want string) {
	if !c.Object() {
		return "", "an object"
	}
	for c.Next() {
		if !jsonpeek.Equal(c.Key(), "num_predict") || c.Null() {
			continue
		}
		n, ok := c.Float()
		if !ok {
			return ".num_predict", "a whole number"
		}
		e.MaxTokens = int(min(max(n, 0), 1<<40))
	}
	return "", ""
}

// readMessageNeeds counts the text of the messages and notes whether they have
// images.
func readMessageNeeds(e *hoosh.Envelope, c *jsonpeek.Cursor) (at, want string) {
	if !c.Array() {
		return "", "an array of messages"
	}
	for c.Next() {
		if !c.Object() {
			return "", "an array of message objects"
		}
		for c.Next() {
			switch name := c.Key(); {
			case string(name) == "role":
			case is(name, "content"), is(name, "thinking"):
				text, _ := c.Str()
				e.Text += len(text)
			case is(name, "images"):
				if c.Array() {
					for c.Next() {
						e.Needs |= hoosh.FeatureVision
					}
				}
			case is(name, "tool_calls"):
				from := c.Pos()
				c.Skip()
				e.Text += c.Pos() - from
			}
		}
	}
	return "", ""
}

// readInputSize counts the text of what is to be embedded.
func readInputSize(e *hoosh.Envelope, c *jsonpeek.Cursor) (want string) {
	const wanted = "a string or an array of strings"
	if text, ok := c.Str(); ok {
		e.Text += len(text)
		return ""
	}
	if !c.Array() {
		return wanted
	}
	for c.Next() {
		text, ok := c.Str()
		if !ok {
			return wanted
		}
		e.Text += len(text)
	}
	return ""
}

var (
	jsonTrue  = []byte("true")
	jsonFalse = []byte("false")
)

// splice is [hoosh.Dialect.Splice]: the model's name, and whether to stream where
// the call's mind was changed. Everything else stays as the client wrote it, the
// context window included.
func splice(c *hoosh.Call, _ *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
	e := c.Envelope()
	var added []byte // at the end
	comma := len(e.Keys) > 0
	add := func(member []byte) {
		if comma {
			added = append(added, ',')
		}
		added, comma = append(added, member...), true
	}
	k, ok := e.Key("model")
	switch {
	case !ok && c.Model != "":
		add(jsonpeek.AppendQuote([]byte(`"model":`), c.Model))
	case ok && c.Model != e.Model:
		s.Replace(k.From, k.To, jsonpeek.AppendQuote(nil, c.Model))
	}
	if c.Op == hoosh.OpChat && c.Stream != e.Stream {
		word := jsonFalse
		if c.Stream {
			word = jsonTrue
		}
		if k, ok := e.Key("stream"); ok {
			s.Replace(k.From, k.To, word)
		} else {
			add(append([]byte(`"stream":`), word...))
		}
	}
	if added != nil {
		s.Replace(e.End, e.End, added)
	}
	return nil, nil
}

// invalid is the error of a body that is JSON and not what op wants.
func invalid(op hoosh.Operation, param, message string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Op: op, Param: param, Message: message}
}

// unsupported is the error of what Ollama cannot be asked.
func unsupported(op hoosh.Operation, param, what string) *hoosh.Error {
	return &hoosh.Error{Kind: hoosh.ErrUnsupported, Op: op, Param: param, Message: what + " is not possible"}
}

// notJSON is the error of a body that is not well-formed.
func notJSON(op hoosh.Operation, body []byte, c *jsonpeek.Cursor, otherwise string) *hoosh.Error {
	if err, ok := c.Err().(*jsonpeek.SyntaxError); ok && err != nil {
		return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Op: op, Code: "invalid_json", Param: jsonpeek.Path(body, err.Offset), Message: err.Error(), Err: err}
	}
	return &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Op: op, Message: otherwise}
}
