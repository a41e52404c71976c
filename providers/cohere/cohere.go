// SPDX-License-Identifier: AGPL-3.0-only

// Package cohere registers the driver "cohere": Cohere through its compatibility
// API.
package cohere

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "cohere", BaseURL: "https://api.cohere.ai/compatibility/v1", KeyEnv: []string{"COHERE_API_KEY", "CO_API_KEY"},
		Profile: hoosh.Profile{
			Lacks: hoosh.FeatureAudio | hoosh.FeatureFiles | hoosh.FeatureCompletion | hoosh.FeatureChoices,
			Rules: append(compat.Drop("store", "metadata", "logit_bias", "top_logprobs", "modalities", "prediction", "audio",
				"service_tier", "parallel_tool_calls", "dimensions", "user"),
				compat.OldCeiling, hoosh.Rule{Key: "n", Keep: "1"}),
		},
	})
}
