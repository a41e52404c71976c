// SPDX-License-Identifier: AGPL-3.0-only

package server

import "github.com/maccracken/hoosh"

// openAISurface is also that of hoosh's own paths.
var openAISurface = &surface{dialect: hoosh.OpenAI, ping: comment, models: openAIModels, model: openAIModel}

func openAIModels(q *request, list []hoosh.Model) {
	q.json(200, map[string]any{"object": "list", "data": list})
}

func openAIModel(q *request, m *hoosh.Model) { q.json(200, m) }

// defaultModeration is OpenAI's model for a body that names none.
const defaultModeration = "omni-moderation-latest"

func (s *Server) moderations(q *request) {
	c := q.read(hoosh.OpenAI, hoosh.OpModerate)
	if c == nil {
		return
	}
	defer c.Release()
	if c.Model == "" {
		c.Model = defaultModeration
	}
	q.answer(c, nil)
}
