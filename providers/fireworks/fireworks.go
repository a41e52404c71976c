// SPDX-License-Identifier: AGPL-3.0-only

// Package fireworks registers the driver "fireworks": Fireworks AI. Models have
// long names, accounts/fireworks/models/NAME.
package fireworks

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "fireworks", BaseURL: "https://api.fireworks.ai/inference/v1", KeyEnv: []string{"FIREWORKS_API_KEY"},
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles, Rules: []hoosh.Rule{compat.OldCeiling}},
		FloatVectors: true,
	})
}
