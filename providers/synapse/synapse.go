// SPDX-License-Identifier: AGPL-3.0-only

// Package synapse registers the driver "synapse": the Synapse model server. It
// speaks OpenAI's chat; of embeddings and legacy completions it has nothing.
package synapse

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "synapse", Local: true, BaseURL: "http://127.0.0.1:5000",
		Profile: hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureEmbed | hoosh.FeatureCompletion | hoosh.FeatureFiles | hoosh.FeatureAudio, Rules: []hoosh.Rule{compat.OldCeiling}},
		Health:  "/health",
		Probe:   []compat.Mark{{Path: "/system/status", Has: []string{"registered_backends", "loaded_models"}}},
	})
}
