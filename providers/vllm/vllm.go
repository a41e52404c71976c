// SPDX-License-Identifier: AGPL-3.0-only

// Package vllm registers the driver "vllm": vLLM's OpenAI-compatible server.
package vllm

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "vllm", Local: true, BaseURL: "http://127.0.0.1:8000",
		Also:    hoosh.FeatureRerank,
		Profile: hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles},
		Health:  "/health",
		// LocalAI has a /version too, and SGLang lists models in the same form.
		Probe: []compat.Mark{{Path: "/version", Has: []string{"version"}}, {Path: "/v1/models", Has: []string{"data.owned_by=vllm"}}},
	})
}
