// SPDX-License-Identifier: AGPL-3.0-only

// Package koboldcpp registers the driver "koboldcpp": KoboldCpp's
// OpenAI-compatible face. It serves the one model it has loaded; what that can
// do, and its context, are told by pages of its own.
package koboldcpp

import (
	"context"
	"encoding/json"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

const version = "/api/extra/version"

func init() {
	compat.Register(compat.Preset{
		Name: "koboldcpp", Local: true, BaseURL: "http://127.0.0.1:5001",
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles | hoosh.FeatureChoices},
		FloatVectors: true,
		Health:       version,
		Describe:     describe,
		Probe:        []compat.Mark{{Path: version, Has: []string{"result=KoboldCpp"}}},
	})
}

func describe(ctx context.Context, get compat.Get, list []hoosh.Model) {
	var can struct{ Vision, Audio, Embeddings *bool }
	if body, err := get(ctx, version); err == nil && json.Unmarshal(body, &can) == nil {
		for i := range list {
			deny(&list[i], can.Vision, hoosh.FeatureVision)
			deny(&list[i], can.Audio, hoosh.FeatureAudio)
			deny(&list[i], can.Embeddings, hoosh.FeatureEmbed)
		}
	}
	var window struct{ Value int }
	if body, err := get(ctx, "/api/extra/true_max_context_length"); err == nil && json.Unmarshal(body, &window) == nil && window.Value > 0 {
		for i := range list {
			list[i].Context = window.Value
		}
	}
}

// deny takes a feature away that the engine says it lacks; older ones say
// nothing.
func deny(m *hoosh.Model, can *bool, f hoosh.Features) {
	if can != nil && !*can {
		m.Features &^= f
	}
}
