// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"net/http"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/gemini"
)

var geminiSurface = &surface{dialect: gemini.Dialect, models: geminiModels, model: func(q *request, m *hoosh.Model) { q.json(200, geminiEntry(m)) }}

// geminiVerbs are what can be asked of a model, by a word behind its name.
var geminiVerbs = map[string]struct {
	op     hoosh.Operation
	stream bool
}{
	"generateContent":       {hoosh.OpChat, false},
	"streamGenerateContent": {hoosh.OpChat, true},
	"countTokens":           {hoosh.OpCount, false},
	"embedContent":          {hoosh.OpEmbed, false},
	"batchEmbedContents":    {hoosh.OpEmbed, false},
}

// geminiVerb finds what a path MODEL:verb asks for. The model may hold colons and
// slashes, and the word models/ before it.
func (s *Server) geminiVerb(q *request, name string) (endpoint, bool) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return endpoint{}, false
	}
	verb, ok := geminiVerbs[name[i+1:]]
	if !ok {
		return endpoint{}, false
	}
	q.name = strings.TrimPrefix(name[:i], "models/")
	return post(func(q *request) {
		c := q.read(gemini.Dialect, verb.op)
		if c == nil {
			return
		}
		defer c.Release()
		c.Model, c.Stream = q.name, verb.stream
		var f *form
		if verb.stream && q.r.URL.Query().Get("alt") != "sse" {
			f = newJSONArray().form()
		}
		q.answer(c, f)
	}), q.name != ""
}

// geminiModel is an entry of the list of models.
type geminiModel struct {
	Name                       string   `json:"name"`
	Version                    string   `json:"version"`
	DisplayName                string   `json:"displayName"`
	InputTokenLimit            int      `json:"inputTokenLimit,omitempty"`
	SupportedGenerationMethods []string `json:"supportedGenerationMethods"`
}

func geminiEntry(m *hoosh.Model) geminiModel {
	g := geminiModel{Name: "models/" + m.ID, Version: "1", DisplayName: m.ID, InputTokenLimit: m.Context}
	if m.Features == 0 || m.Features&hoosh.FeatureChat != 0 {
		g.SupportedGenerationMethods = append(g.SupportedGenerationMethods, "generateContent", "streamGenerateContent", "countTokens")
	}
	if m.Features&hoosh.FeatureEmbed != 0 {
		g.SupportedGenerationMethods = append(g.SupportedGenerationMethods, "embedContent", "batchEmbedContents")
	}
	return g
}

// Google's bounds of a page of models.
const (
	usualGeminiPage = 50
	mostGeminiPage  = 1000
)

// geminiModels gives a page; the token of the next is the name of the last model
// of this one.
func geminiModels(q *request, list []hoosh.Model) {
	size, err := q.number("pageSize", usualGeminiPage, 0, 1<<31-1)
	if err != nil {
		q.fail(err)
		return
	}
	if size == 0 {
		size = usualGeminiPage
	}
	after := -1
	if token := q.r.URL.Query().Get("pageToken"); token != "" {
		for i := range list {
			if list[i].ID == token {
				after = i
			}
		}
		if after < 0 {
			q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: "pageToken", Message: "want the nextPageToken of a page before"})
			return
		}
	}
	out := struct {
		Models        []geminiModel `json:"models"`
		NextPageToken string        `json:"nextPageToken,omitempty"`
	}{Models: []geminiModel{}}
	from, to, more := window(len(list), min(size, mostGeminiPage), after, -1)
	for i := from; i < to; i++ {
		out.Models = append(out.Models, geminiEntry(&list[i]))
	}
	if more {
		out.NextPageToken = list[to-1].ID
	}
	q.json(http.StatusOK, out)
}
