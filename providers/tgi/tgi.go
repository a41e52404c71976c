// SPDX-License-Identifier: AGPL-3.0-only

// Package tgi registers the driver "tgi": Hugging Face's Text Generation
// Inference. It serves one model, whose context /info tells.
package tgi

import (
	"context"
	"encoding/json"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "tgi", Local: true, BaseURL: "http://127.0.0.1:8080",
		Profile: hoosh.Profile{
			NoDeveloper: true,
			Lacks:       hoosh.FeatureEmbed | hoosh.FeatureFiles | hoosh.FeatureAudio | hoosh.FeatureChoices,
			Rules:       []hoosh.Rule{compat.OldCeiling},
		},
		Health:   "/health",
		Describe: describe,
		Probe:    []compat.Mark{{Path: "/info", Has: []string{"model_id", "max_total_tokens"}}},
	})
}

func describe(ctx context.Context, get compat.Get, list []hoosh.Model) {
	body, err := get(ctx, "/info")
	if err != nil {
		return
	}
	var info struct {
		Total int `json:"max_total_tokens"`
	}
	if json.Unmarshal(body, &info) == nil && len(list) == 1 && info.Total > 0 {
		list[0].Context = info.Total
	}
}
