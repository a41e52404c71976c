// SPDX-License-Identifier: AGPL-3.0-only

// Package together registers the driver "together": Together AI.
package together

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "together", BaseURL: "https://api.together.xyz/v1", KeyEnv: []string{"TOGETHER_API_KEY"},
		Also:         hoosh.FeatureImages | hoosh.FeatureRerank,
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles, Rules: []hoosh.Rule{compat.OldCeiling}},
		FloatVectors: true,
	})
}
