// SPDX-License-Identifier: AGPL-3.0-only

// Package groq registers the driver "groq". It refuses what it does not know,
// and more than one choice.
package groq

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "groq", BaseURL: "https://api.groq.com/openai/v1", KeyEnv: []string{"GROQ_API_KEY"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			NoThinking:  true,
			Lacks:       hoosh.FeatureChoices | hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureFiles | hoosh.FeatureAudio,
			Rules: compat.Drop("top_k", "logprobs", "top_logprobs", "logit_bias", "store", "metadata", "prediction", "modalities", "audio",
				"web_search_options", "verbosity", "moderation", "safety_identifier",
				"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
		},
	})
}
