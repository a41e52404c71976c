// SPDX-License-Identifier: AGPL-3.0-only

// Package localai registers the driver "localai": LocalAI, which serves models
// through many engines behind one API.
package localai

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "localai", Local: true, BaseURL: "http://127.0.0.1:8080",
		Also:         hoosh.FeatureImages | hoosh.FeatureRerank,
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles, Rules: []hoosh.Rule{compat.OldCeiling}},
		FloatVectors: true,
		Health:       "/readyz",
		Probe:        []compat.Mark{{Path: "/system", Has: []string{"backends", "loaded_models"}}},
	})
}
