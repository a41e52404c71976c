// SPDX-License-Identifier: AGPL-3.0-only

// Package nvidia registers the driver "nvidia": NVIDIA's API catalogue.
package nvidia

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "nvidia", BaseURL: "https://integrate.api.nvidia.com/v1", KeyEnv: []string{"NVIDIA_API_KEY"},
		Profile: hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles, Rules: []hoosh.Rule{compat.OldCeiling}},
	})
}
