// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/internal/codec"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// readEnvelope is [hoosh.Dialect.ReadEnvelope]. Every stream tells its usage.
func readEnvelope(op hoosh.Operation, body []byte, depth int, e *hoosh.Envelope) error {
	e.Choices, e.WantsUsage = 1, true
	switch op {
	case hoosh.OpChat:
		e.Needs = hoosh.FeatureChat
	case hoosh.OpCount:
		e.Needs = hoosh.FeatureCount
	case hoosh.OpEmbed:
		e.Needs = hoosh.FeatureEmbed
	default:
		return unsupportedOp(op)
	}
	c := jsonpeek.NewDepth(body, cmp.Or(depth, jsonpeek.DefaultDepth))
	if !c.Object() {
		return codec.NotJSON(op, hoosh.ErrInvalidRequest, body, c.Err(), "want a JSON object")
	}
	has := ""
	var few [16]string
	seen := few[:0]
	for c.Next() {
		if len(e.Keys) == hoosh.MaxKeys {
			return codec.Invalid(op, "", fmt.Sprintf("more than %d top-level keys", hoosh.MaxKeys))
		}
		k := hoosh.TopKey{Name: c.Key(), Start: c.KeyStart(), From: c.Pos()}
		if name := nameOf(k.Name); name != "" {
			for _, s := range seen {
				if s == name {
					return codec.Invalid(op, name, twice(k.Name, name))
				}
			}
			seen = append(seen, name)
			switch want := note(op, e, &c, name); {
			case want != "" && c.Err() == nil:
				return codec.Invalid(op, name, "want "+want)
			case name == "contents", name == "generateContentRequest", name == "content", name == "requests":
				has = name
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
	switch {
	case op == hoosh.OpEmbed && has != "content" && has != "requests":
		return codec.Invalid(op, "content", `missing; want what to embed, or several in "requests"`)
	case op != hoosh.OpEmbed && has != "contents" && (has != "generateContentRequest" || op != hoosh.OpCount):
		return codec.Invalid(op, "contents", "missing; want an array of contents")
	}
	return nil
}

// note takes what routing needs from the value at hand; want is what it should
// have been, "" when it may be so.
func note(op hoosh.Operation, e *hoosh.Envelope, c *jsonpeek.Cursor, name string) (want string) {
	switch name {
	case "contents":
		if c.Null() {
			return "an array of contents"
		}
		if !c.Array() {
			return "an array of contents"
		}
		for c.Next() {
			if !noteContent(e, c) {
				return "an array of content objects"
			}
		}
	case "systemInstruction":
		if text, ok := c.Str(); ok {
			e.Text += len(text)
		} else if !noteContent(e, c) && c.Kind() != jsonpeek.Null {
			return "a content object or a string"
		}
	case "content":
		if op == hoosh.OpEmbed && !noteContent(e, c) {
			return "a content object"
		}
	case "tools":
		at := c.Pos()
		if c.Array() {
			for c.Next() {
				e.Needs |= hoosh.FeatureTools
			}
			e.Text += c.Pos() - at
		} else if c.Kind() != jsonpeek.Null {
			return "an array"
		}
	case "generationConfig":
		if c.Object() {
			return noteConfig(e, c)
		} else if c.Kind() != jsonpeek.Null {
			return "an object"
		}
	case "generateContentRequest":
		if op != hoosh.OpCount {
			return ""
		}
		if !c.Object() {
			return "an object"
		}
		for c.Next() {
			if want := note(op, e, c, nameOf(c.Key())); want != "" {
				return "in it " + want
			}
		}
	case "requests":
		if op != hoosh.OpEmbed {
			return ""
		}
		if !c.Array() {
			return "an array of requests"
		}
		for c.Next() {
			if !c.Object() {
				return "an array of request objects"
			}
			for c.Next() {
				if nameOf(c.Key()) == "content" {
					noteContent(e, c)
				}
			}
		}
	}
	return ""
}

func noteConfig(e *hoosh.Envelope, c *jsonpeek.Cursor) (want string) {
	for c.Next() {
		switch nameOf(c.Key()) {
		case "maxOutputTokens", "candidateCount":
			count := nameOf(c.Key()) == "candidateCount"
			n, ok := noteInt(c)
			if !ok || n < 0 || n > 1<<40 {
				return "whole numbers in maxOutputTokens and candidateCount"
			}
			if !count {
				e.MaxTokens = int(n)
			} else if e.Choices = max(int(n), 1); e.Choices > 1 {
				e.Needs |= hoosh.FeatureChoices
			}
		case "responseSchema", "responseJsonSchema":
			if c.Kind() == jsonpeek.Object || c.Kind() == jsonpeek.Bool {
				e.Needs |= hoosh.FeatureJSONSchema
			}
		}
	}
	return ""
}

// noteInt reads a number, which may stand in a string; null is 0.
func noteInt(c *jsonpeek.Cursor) (int64, bool) {
	if raw, ok := c.Str(); ok {
		n, err := strconv.ParseInt(string(codec.Plain(raw)), 10, 64)
		return n, err == nil
	}
	if n, ok := c.Int(); ok {
		return n, true
	}
	return 0, c.Null()
}

// noteContent looks at the parts of the content at hand, and reports that it is
// one.
func noteContent(e *hoosh.Envelope, c *jsonpeek.Cursor) bool {
	if !c.Object() {
		return false
	}
	for c.Next() {
		if nameOf(c.Key()) == "parts" && c.Array() {
			for c.Next() {
				notePart(e, c)
			}
		}
	}
	return true
}

func notePart(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	for c.Next() {
		switch nameOf(c.Key()) {
		case "text":
			text, _ := c.Str()
			e.Text += len(text)
		case "thoughtSignature":
			if s, _ := c.Str(); len(s) > 0 {
				e.Deep |= hoosh.DeepSignatures
			}
		case "inlineData", "fileData":
			noteMedia(e, c)
		case "functionCall", "functionResponse":
			noteCall(e, c)
		}
	}
}

// noteCall looks at a call or a result.
func noteCall(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	e.Deep |= hoosh.DeepToolIDs
	for c.Next() {
		switch nameOf(c.Key()) {
		case "id":
			if id, _ := c.Str(); hoosh.HasSeal(id) {
				e.Deep |= hoosh.DeepSignatures
			}
		case "args", "response":
			e.Text += len(c.Value())
		case "parts":
			if c.Array() {
				for c.Next() {
					notePart(e, c)
				}
			}
		}
	}
}

func noteMedia(e *hoosh.Envelope, c *jsonpeek.Cursor) {
	if !c.Object() {
		return
	}
	var kind, uri []byte
	for c.Next() {
		switch nameOf(c.Key()) {
		case "mimeType":
			kind, _ = c.Str()
		case "fileUri":
			uri, _ = c.Str()
		}
	}
	if len(kind) == 0 {
		kind = []byte(typeByName(jsonpeek.Unquote(uri)))
	}
	switch partKind(codec.Plain(kind)) {
	case hoosh.PartImage:
		e.Needs |= hoosh.FeatureVision
	case hoosh.PartAudio:
		e.Needs |= hoosh.FeatureAudio
	default:
		e.Needs |= hoosh.FeatureFiles
	}
}
