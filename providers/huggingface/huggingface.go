// SPDX-License-Identifier: AGPL-3.0-only

// Package huggingface registers the driver "huggingface": Hugging Face's router,
// which hands a call to one of the companies that run the model. A model may
// name which: openai/gpt-oss-120b:cerebras.
package huggingface

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "huggingface", BaseURL: "https://router.huggingface.co/v1", KeyEnv: []string{"HF_TOKEN"},
		Profile: hoosh.Profile{
			NoDeveloper: true,
			Lacks:       hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureFiles | hoosh.FeatureAudio,
			Rules:       []hoosh.Rule{compat.OldCeiling},
		},
	})
}
