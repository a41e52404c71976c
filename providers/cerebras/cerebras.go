// SPDX-License-Identifier: AGPL-3.0-only

// Package cerebras registers the driver "cerebras". It has no developer role of
// its own and refuses penalties.
package cerebras

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "cerebras", BaseURL: "https://api.cerebras.ai/v1", KeyEnv: []string{"CEREBRAS_API_KEY"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			Lacks:       hoosh.FeatureEmbed | hoosh.FeatureVision | hoosh.FeatureAudio | hoosh.FeatureFiles,
			Rules:       compat.Drop("frequency_penalty", "presence_penalty", "logit_bias", "parallel_tool_calls", "service_tier"),
		},
	})
}
