// SPDX-License-Identifier: AGPL-3.0-only

// Package zai registers the driver "zai": Z.ai, the GLM models.
package zai

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "zai", BaseURL: "https://api.z.ai/api/paas/v4", KeyEnv: []string{"ZAI_API_KEY"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			Lacks:       hoosh.FeatureCompletion | hoosh.FeatureAudio | hoosh.FeatureFiles | hoosh.FeatureChoices,
			Rules:       []hoosh.Rule{compat.OldCeiling},
		},
		FloatVectors: true,
	})
}
