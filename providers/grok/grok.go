// SPDX-License-Identifier: AGPL-3.0-only

// Package grok registers the driver "grok", also known as "xai": xAI's API. Its
// grok-4 models refuse stop sequences, penalties and a reasoning effort.
package grok

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "grok", Aliases: []string{"xai"}, BaseURL: "https://api.x.ai/v1", KeyEnv: []string{"XAI_API_KEY"},
		Also: hoosh.FeatureImages,
		Profile: hoosh.Profile{
			Lacks: hoosh.FeatureAudio,
			Rules: compat.DropFor([]string{"grok-4*"}, "stop", "presence_penalty", "frequency_penalty", "reasoning_effort"),
		},
	})
}
