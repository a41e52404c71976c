// SPDX-License-Identifier: AGPL-3.0-only

// Package sglang registers the driver "sglang": SGLang's OpenAI-compatible
// server.
package sglang

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "sglang", Local: true, BaseURL: "http://127.0.0.1:30000",
		Profile: hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles},
		Health:  "/health",
		Probe:   []compat.Mark{{Path: "/get_model_info", Has: []string{"model_path", "is_generation"}}},
	})
}
