// SPDX-License-Identifier: AGPL-3.0-only

// Package deepseek registers the driver "deepseek". It has no JSON schemas, only
// JSON objects, and sees no images; reasoning comes as reasoning_content.
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
			Lacks: hoosh.FeatureJSONSchema | hoosh.FeatureVision | hoosh.FeatureAudio | hoosh.FeatureFiles |
				hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureChoices,
			Rules: []hoosh.Rule{compat.OldCeiling},
		},
	})
}
