// SPDX-License-Identifier: AGPL-3.0-only

// Package lmstudio registers the driver "lmstudio": LM Studio's local server.
// Its own model list, /api/v0/models, tells of each model on disk what it is and
// with which context it is loaded; one that is not loaded yet is loaded by the
// first call.
package lmstudio

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "lmstudio", Local: true, BaseURL: "http://127.0.0.1:1234",
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles | hoosh.FeatureAudio | hoosh.FeatureChoices, Rules: []hoosh.Rule{compat.OldCeiling}},
		FloatVectors: true,
		List:         "/api/v0/models",
		// It answers 200 to any path, and says in the body that it knows none.
		Probe: []compat.Mark{{Path: "/api/v0/models", Has: []string{"object=list", "data"}}},
	})
}
