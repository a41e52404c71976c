// SPDX-License-Identifier: AGPL-3.0-only

// Package openai registers the driver "openai": OpenAI's own API. Its reasoning
// models refuse sampling parameters and know the ceiling of an answer by its
// newer name only; requests that come in older words are brought to that.
package openai

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "openai", BaseURL: "https://api.openai.com/v1",
		KeyEnv: []string{"OPENAI_API_KEY"}, URLEnv: []string{"OPENAI_BASE_URL"},
		Profile: hoosh.Profile{Rules: compat.ReasoningRules()},
	})
}
