// SPDX-License-Identifier: AGPL-3.0-only

// Package perplexity registers the driver "perplexity": answers with a search of
// the web before them. It lists no models; those known here can be asked for,
// and any other as perplexity/NAME once it stands under models.
package perplexity

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "perplexity", BaseURL: "https://api.perplexity.ai", Path: "/", KeyEnv: []string{"PERPLEXITY_API_KEY"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			Lacks:       hoosh.FeatureTools | hoosh.FeatureAudio | hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureChoices,
			Rules: append(compat.Drop("logit_bias", "logprobs", "top_logprobs", "seed", "user", "store", "service_tier"),
				compat.OldCeiling),
		},
		Models: []string{"sonar", "sonar-pro", "sonar-reasoning-pro", "sonar-deep-research"},
	})
}
