// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"fmt"
	"strconv"

	"github.com/maccracken/hoosh"
)

// LoadModel is the code of the error that a request without a prompt is to a
// backend which is no Ollama: it asks for nothing but that the model be loaded, or
// let go.
const LoadModel = "load_model"

// Generate is the format of /api/generate, for [hoosh.OpChat]: a conversation of
// a system prompt and one message of the user, and an answer that is text and
// thinking. Source: as of [Dialect].
//
// Bodies that say how the model's template is to be filled ("raw", "template",
// "suffix", "context"), or nothing, which loads the model, go to an Ollama as they
// are and cannot be translated.
var Generate = &hoosh.Dialect{
	Name:    "ollama-generate",
	Framing: hoosh.FramingNDJSON,
}

func init() {
	// Not in the literal: the codec asks whether a call's dialect is this one.
	Generate.ReadEnvelope = readGenerateEnvelope
	Generate.Splice = splice
	Generate.DecodeRequest = decodeGenerate
	Generate.EncodeRequest = encodeGenerate
	Generate.ScanResponse = scanGenerated
	Generate.DecodeResponse = decodeGenerated
	Generate.EncodeResponse = encodeGenerated
	Generate.NewScanner = newGenerateScanner
	Generate.DecodeFrame = decodeGenerateFrame
	Generate.NewEncoder = newGenerateEncoder
	Generate.DecodeError = decodeError
	Generate.EncodeError = encodeGenerateError
	Generate.StreamError = streamError
}

// decodeGenerate is [hoosh.Dialect.DecodeRequest].
func decodeGenerate(op hoosh.Operation, body []byte) (*hoosh.Request, error) {
	f, err := generateOnly(op)
	if err != nil {
		return nil, err
	}
	r := newReader(op, body)
	q := &hoosh.Request{Op: op, Stream: true}
	c := &r.c
	if !c.Object() {
		return nil, notJSON(op, body, c, "want a JSON object")
	}
	var system, prompt message
	only := "" // what only an Ollama understands
	for c.Next() {
		switch which := keyOf(f, c.Key()); which {
		case keyModel:
			q.Model = r.string()
		case keyStream:
			if on, ok := r.bool(); ok {
				q.Stream = on
			}
		case keyPrompt:
			prompt.content = r.text()
		case keySystem:
			system.content = r.text()
		case keyImages:
			prompt.images = r.images()
		case keyFormat:
			q.Format = r.format()
		case keyThink:
			q.Reasoning.Effort = r.think()
		case keyOptions:
			r.options(q)
		case keySuffix, keyTemplate, keyRaw, keyContext:
			switch string(c.Value()) {
			case "null", "false", `""`, "[]":
			default:
				only = keys[which].name
			}
		default:
			q.Extra = append(q.Extra, r.extra())
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	switch {
	case only != "":
		return nil, unsupported(op, only, strconv.Quote(only)+" with another backend than an Ollama")
	case prompt.content.IsEmpty():
		e := unsupported(op, "prompt", "to load a model, which is what no prompt asks for, with another backend than an Ollama")
		e.Code = LoadModel
		return nil, e
	}
	if !system.content.IsEmpty() {
		q.Messages = append(q.Messages, hoosh.Message{Role: hoosh.RoleSystem, Parts: system.parts()})
	}
	q.Messages = append(q.Messages, hoosh.Message{Role: hoosh.RoleUser, Parts: prompt.parts()})
	return q, nil
}

// encodeGenerate is [hoosh.Dialect.EncodeRequest]. There is room for system
// messages and then one of the user; anything else is refused.
func encodeGenerate(c *hoosh.Call, q *hoosh.Request, _ *hoosh.Profile) ([]byte, []string, error) {
	if _, err := generateOnly(c.Op); err != nil {
		return nil, nil, err
	}
	system, user, err := twoMessages(c.Op, q)
	if err != nil {
		return nil, nil, err
	}
	w := &writer{op: c.Op, native: c.Dialect() == Generate, check: c.Dialect() == nil, stream: c.Stream}
	w.dst = make([]byte, 0, 512+max(len(c.Body())+len(c.Body())/16, c.Envelope().Text*9/8))
	w.raw(`{"model":`)
	w.quote(c.Model)
	if len(system.Parts) > 0 {
		w.raw(`,"system":`)
		w.texts(system.Parts, lines, hoosh.PartText, hoosh.PartText)
		w.dropPartExtras(&system)
	}
	w.raw(`,"prompt":`)
	w.texts(user.Parts, lines, hoosh.PartText, hoosh.PartText)
	if err := w.images(len(q.Messages)-1, -1, user.Parts); err != nil {
		return nil, nil, err
	}
	w.dropPartExtras(&user)
	w.raw(`,"stream":`)
	w.dst = strconv.AppendBool(w.dst, w.stream)
	if err := w.rest(q); err != nil {
		return nil, nil, err
	}
	w.extras(q)
	if w.err != nil {
		return nil, nil, w.err
	}
	w.raw("}")
	return w.dst, w.dropped, nil
}

// twoMessages joins the system messages that q begins with, and gives the one of
// the user behind them.
func twoMessages(op hoosh.Operation, q *hoosh.Request) (system, user hoosh.Message, err error) {
	if len(q.Tools) > 0 {
		return system, user, unsupported(op, "tools", "to call tools with /api/generate")
	}
	for i, m := range q.Messages {
		last := i == len(q.Messages)-1
		switch {
		case !last && (m.Role == hoosh.RoleSystem || m.Role == hoosh.RoleDeveloper):
			system.Parts = append(system.Parts, m.Parts...)
		case last && m.Role == hoosh.RoleUser:
			user = m
		default:
			return system, user, unsupported(op, fmt.Sprintf("messages[%d]", i), "a conversation with /api/generate")
		}
	}
	if user.Parts == nil {
		return system, user, invalid(op, "messages", "want a message of the user")
	}
	return system, user, nil
}

func (w *writer) dropPartExtras(m *hoosh.Message) {
	for i := range m.Parts {
		for _, x := range m.Parts[i].Extra {
			if !x.IsNote() {
				w.drop(x.Key)
			}
		}
	}
}
