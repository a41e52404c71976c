// SPDX-License-Identifier: AGPL-3.0-only

// Package deepseek registers the driver "deepseek". It has no JSON schemas, only
// JSON objects, so a schema goes into the prompt, and it sees no images; reasoning
// comes as reasoning_content, and is wanted back with the results of tools.
package deepseek

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "deepseek", BaseURL: "https://api.deepseek.com", KeyEnv: []string{"DEEPSEEK_API_KEY"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			NoSchema:    []string{"*"}, SchemaInPrompt: true,
			Lacks: hoosh.FeatureVision | hoosh.FeatureAudio | hoosh.FeatureFiles |
				hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureChoices,
			Rules: []hoosh.Rule{compat.OldCeiling},
		},
	})
}
