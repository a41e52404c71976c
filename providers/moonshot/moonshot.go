// SPDX-License-Identifier: AGPL-3.0-only

// Package moonshot registers the driver "moonshot": Kimi.
package moonshot

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "moonshot", BaseURL: "https://api.moonshot.ai/v1", KeyEnv: []string{"MOONSHOT_API_KEY"},
		Profile: hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureAudio | hoosh.FeatureFiles},
	})
}
