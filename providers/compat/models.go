// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"slices"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxModels bounds a model list; the longest of a vendor has a thousand.
const maxModels = 10_000

// maxAliases bounds the other names of one model.
const maxAliases = 64

// ParseModels reads a model list, whoever wrote it: an object with the list
// under data, as OpenAI has it, or the bare list. Of what vendors add it takes
// the context window and what a model can, or cannot, do; what it does not
// understand it passes over, and a model is thought to do what nobody denies.
func ParseModels(body []byte) ([]hoosh.Model, error) {
	list := []hoosh.Model{}
	c := jsonpeek.New(body)
	found := c.Kind() == jsonpeek.Array
	if found {
		list = readModels(&c, list)
	} else if c.Object() {
		for c.Next() {
			if string(c.Key()) == "data" && c.Kind() == jsonpeek.Array {
				found = true
				list = readModels(&c, list)
			}
		}
	}
	if err := c.End(); err != nil {
		return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Message: "the model list: " + err.Error(), Err: err}
	}
	if !found {
		return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Message: "the model list has no data"}
	}
	return list, nil
}

func readModels(c *jsonpeek.Cursor, list []hoosh.Model) []hoosh.Model {
	if !c.Array() {
		return list
	}
	for c.Next() {
		if len(list) == maxModels {
			continue
		}
		e := entry{can: hoosh.AllFeatures}
		if id, ok := c.Str(); ok {
			e.id = jsonpeek.Unquote(id)
		} else if c.Object() {
			for c.Next() {
				e.member(c)
			}
		}
		if m, ok := e.model(); ok {
			list = append(list, m)
		}
	}
	return list
}

// entry is one model while it is read.
type entry struct {
	id, name string
	aliases  []string
	created  int64
	can      hoosh.Features
	context  int
	trust    int // in context: the greater, the nearer to what is in force
}

func (e *entry) model() (hoosh.Model, bool) {
	if e.id == "" {
		e.id = e.name
	}
	m := hoosh.Model{ID: e.id, Aliases: e.aliases}
	m.Aliases = slices.DeleteFunc(m.Aliases, func(a string) bool { return a == m.ID })
	if e.created > 1 { // some say 0 or 1 for "unknown"
		m.Created = time.Unix(e.created, 0).UTC()
	}
	m.Features, m.Context = e.can, e.context
	return m, m.ID != ""
}

// windows are the names of the context window, with how far to trust each: what
// a model was loaded with comes before what it could be.
var windows = map[string]int{
	"loaded_context_length": 4, "n_ctx": 4,
	"max_model_len":  3,
	"context_length": 2, "context_window": 2, "max_context_length": 2, "ctx_len": 2,
	"n_ctx_train": 1,
}

// flags are members that say yes or no.
var flags = map[string]hoosh.Features{
	"supports_chat": hoosh.FeatureChat, "completion_chat": hoosh.FeatureChat,
	"supports_tools": hoosh.FeatureTools, "function_calling": hoosh.FeatureTools,
	"supports_image_input": hoosh.FeatureVision, "supports_image_in": hoosh.FeatureVision, "vision": hoosh.FeatureVision,
}

// kinds are the words of a member type, with what such a model cannot do.
var kinds = map[string]hoosh.Features{
	"embedding": notEmbedding, "embeddings": notEmbedding,
	"llm": hoosh.FeatureEmbed | hoosh.FeatureVision, "vlm": hoosh.FeatureEmbed,
	"chat": hoosh.FeatureEmbed, "language": hoosh.FeatureEmbed, "code": hoosh.FeatureEmbed,
	"image": hoosh.AllFeatures, "video": hoosh.AllFeatures, "audio": hoosh.AllFeatures,
	"rerank": hoosh.AllFeatures, "transcribe": hoosh.AllFeatures,
}

const notEmbedding = hoosh.AllFeatures &^ hoosh.FeatureEmbed

func (e *entry) member(c *jsonpeek.Cursor) {
	key := string(c.Key())
	if trust := windows[key]; trust > 0 {
		if n, ok := c.Int(); ok && n > 0 && n < 1<<40 && trust >= e.trust {
			e.context, e.trust = int(n), trust
		}
		return
	}
	if feature, ok := flags[key]; ok {
		if yes, ok := c.Bool(); ok && !yes {
			e.can &^= feature
		}
		return
	}
	switch key {
	case "id":
		readText(c, &e.id)
	case "name":
		readText(c, &e.name)
	case "created":
		e.created, _ = c.Int()
	case "aliases":
		for _, alias := range readTexts(c) {
			if len(e.aliases) < maxAliases {
				e.aliases = append(e.aliases, alias)
			}
		}
	case "type":
		var kind string
		readText(c, &kind)
		e.can &^= kinds[kind]
	case "meta", "capabilities", "architecture": // llama.cpp, Mistral, OpenRouter
		if c.Object() {
			for c.Next() {
				e.member(c)
			}
		}
	case "input_modalities":
		e.takes(readTexts(c))
	case "output_modalities":
		if gives := readTexts(c); len(gives) > 0 && !slices.Contains(gives, "text") {
			e.can &= hoosh.FeatureEmbed // it draws, speaks, or embeds
		}
	case "supported_parameters": // OpenRouter
		e.knows(readTexts(c))
	case "providers": // Hugging Face: any of those that run it
		e.anyOf(c)
	}
}

// takes drops what is not among the kinds of input.
func (e *entry) takes(inputs []string) {
	if len(inputs) == 0 {
		return
	}
	if !slices.Contains(inputs, "image") {
		e.can &^= hoosh.FeatureVision
	}
	if !slices.Contains(inputs, "audio") {
		e.can &^= hoosh.FeatureAudio
	}
}

// knows drops what is not among the parameters.
func (e *entry) knows(parameters []string) {
	if len(parameters) == 0 {
		return
	}
	if !slices.Contains(parameters, "tools") {
		e.can &^= hoosh.FeatureTools
	}
	if !slices.Contains(parameters, "structured_outputs") && !slices.Contains(parameters, "response_format") {
		e.can &^= hoosh.FeatureJSONSchema
	}
}

// anyOf reads the list of who runs a model: it can do what one of them can.
func (e *entry) anyOf(c *jsonpeek.Cursor) {
	if !c.Array() {
		return
	}
	var best entry
	for c.Next() {
		one := entry{can: hoosh.AllFeatures}
		if c.Object() {
			for c.Next() {
				one.member(c)
			}
			best.can |= one.can
			best.context = max(best.context, one.context)
		}
	}
	if best.can != 0 {
		e.can &= best.can
		if e.context == 0 {
			e.context = best.context
		}
	}
}

func readText(c *jsonpeek.Cursor, into *string) {
	if raw, ok := c.Str(); ok {
		*into = jsonpeek.Unquote(raw)
	}
}

func readTexts(c *jsonpeek.Cursor) (texts []string) {
	if !c.Array() {
		return nil
	}
	for c.Next() {
		if raw, ok := c.Str(); ok {
			texts = append(texts, jsonpeek.Unquote(raw))
		}
	}
	return texts
}
