// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// form is one of the bodies that Ollama's API has.
type form uint8

const (
	chatForm form = 1 << iota
	embedForm
	generateForm
	allForms = chatForm | embedForm | generateForm
)

// op is what a body of the form asks for.
func (f form) op() hoosh.Operation {
	if f == embedForm {
		return hoosh.OpEmbed
	}
	return hoosh.OpChat
}

// formOf is the form of an operation, of those that this package knows.
func formOf(op hoosh.Operation) (form, error) {
	switch op {
	case hoosh.OpChat:
		return chatForm, nil
	case hoosh.OpEmbed:
		return embedForm, nil
	}
	return 0, unsupported(op, "", "a "+op.String()+" in Ollama's own format")
}

// generateOnly checks that the operation is that of /api/generate.
func generateOnly(op hoosh.Operation) (form, error) {
	if op != hoosh.OpChat {
		return 0, unsupported(op, "", "a "+op.String()+" in the format of /api/generate")
	}
	return generateForm, nil
}

// key numbers the top-level keys that hoosh acts on.
type key uint8

const (
	keyOther key = iota
	keyModel
	keyOptions
	keyStream
	keyMessages
	keyTools
	keyFormat
	keyThink
	keyInput
	keyDimensions
	keyPrompt
	keySystem
	keyImages
	keySuffix
	keyTemplate
	keyRaw
	keyContext
	keyEnd
)

var keys = [keyEnd]struct {
	name string
	in   form // where Ollama looks at it
}{
	keyModel: {"model", allForms}, keyOptions: {"options", allForms},
	keyStream: {"stream", chatForm | generateForm}, keyFormat: {"format", chatForm | generateForm}, keyThink: {"think", chatForm | generateForm},
	keyMessages: {"messages", chatForm}, keyTools: {"tools", chatForm},
	keyInput: {"input", embedForm}, keyDimensions: {"dimensions", embedForm},
	keyPrompt: {"prompt", generateForm | embedForm}, // of an embedding what input was called before
	keySystem: {"system", generateForm}, keyImages: {"images", generateForm},
	keySuffix: {"suffix", generateForm}, keyTemplate: {"template", generateForm}, keyRaw: {"raw", generateForm}, keyContext: {"context", generateForm},
}

// keyOf finds the key that Ollama reads a name as.
func keyOf(f form, name []byte) key {
	for k := keyModel; k < keyEnd; k++ {
		if keys[k].in&f != 0 && is(name, keys[k].name) {
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
	f, err := formOf(op)
	if err != nil {
		return err
	}
	return f.readEnvelope(body, depth, e)
}

// readGenerateEnvelope is that of [Generate].
func readGenerateEnvelope(op hoosh.Operation, body []byte, depth int, e *hoosh.Envelope) error {
	f, err := generateOnly(op)
	if err != nil {
		return err
	}
	return f.readEnvelope(body, depth, e)
}

func (f form) readEnvelope(body []byte, depth int, e *hoosh.Envelope) error {
	if depth == 0 {
		depth = jsonpeek.DefaultDepth
	}
	op := f.op()
	e.Choices, e.WantsUsage = 1, true
	e.Stream, e.Needs = true, hoosh.FeatureChat
	if f == embedForm {
		e.Stream, e.Needs = false, hoosh.FeatureEmbed
	}
	c := jsonpeek.NewDepth(body, depth)
	if !c.Object() {
		return notJSON(op, body, &c, "want a JSON object")
	}
	var seen uint32
	for c.Next() {
		k := hoosh.TopKey{Name: c.Key(), Start: c.KeyStart(), From: c.Pos()}
		which := keyOf(f, k.Name)
		if which != keyOther {
			if seen&(1<<which) != 0 {
				return invalid(op, keys[which].name, fmt.Sprintf("a second key, %q, that reads as %q", jsonpeek.Unquote(k.Name), keys[which].name))
			}
			seen |= 1 << which
			if at, want := readMember(e, &c, which); want != "" && c.Err() == nil {
				return invalid(op, keys[which].name+at, "want "+want)
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
	if both := uint32(1<<keyInput | 1<<keyPrompt); seen&both == both {
		return invalid(op, "prompt", `want "input", or "prompt" by its old name, not both`)
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
	case keyPrompt, keySystem:
		text, ok := c.Str()
		if !ok {
			return "", "a string"
		}
		e.Text += len(text)
	case keyImages:
		if !c.Array() {
			return "", "an array of base64 strings"
		}
		for c.Next() {
			e.Needs |= hoosh.FeatureVision
		}
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
				calls := c.Value()
				e.Text += len(calls)
				e.Deep |= deepOf(calls)
			case is(name, "tool_call_id"):
				id, _ := c.Str()
				e.Deep |= deepOf(id)
			}
		}
	}
	return "", ""
}

// deepOf marks what ids may be among the bytes.
func deepOf(raw []byte) hoosh.Deep {
	if hoosh.HasSeal(raw) {
		return hoosh.DeepToolIDs | hoosh.DeepSignatures
	}
	return hoosh.DeepToolIDs
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

// splice is [hoosh.Dialect.Splice]: the model's name, whether to stream where the
// call's mind was changed, and ids without the seals of other backends'
// signatures. Everything else stays as the client wrote it, the context window
// included.
func splice(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
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
	if k, ok := e.Key("messages"); ok && e.Deep&hoosh.DeepSignatures != 0 && !p.Sealed {
		spliceIDs(c.Body(), k, s)
	}
	return nil, nil
}

// spliceIDs takes the seals off the ids in the messages.
func spliceIDs(body []byte, k hoosh.TopKey, s *hoosh.Splice) {
	c := jsonpeek.NewDepth(body[k.From:k.To], jsonpeek.MaxDepth)
	id := func() {
		from := k.From + c.Pos()
		raw, ok := c.Str()
		if !ok || !hoosh.HasSeal(raw) {
			return
		}
		sealed := jsonpeek.Unquote(raw)
		if plain := hoosh.CutID(sealed); plain != sealed {
			s.Replace(from, k.From+c.Pos(), jsonpeek.AppendQuote(nil, plain))
		}
	}
	if !c.Array() {
		return
	}
	for c.Next() {
		if !c.Object() {
			continue
		}
		for c.Next() {
			switch name := c.Key(); {
			case is(name, "tool_call_id"):
				id()
			case is(name, "tool_calls"):
				if !c.Array() {
					continue
				}
				for c.Next() {
					if !c.Object() {
						continue
					}
					for c.Next() {
						if is(c.Key(), "id") {
							id()
						}
					}
				}
			}
		}
	}
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
