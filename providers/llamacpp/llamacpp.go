// SPDX-License-Identifier: AGPL-3.0-only

// Package llamacpp registers the driver "llamacpp": the HTTP server of llama.cpp.
//
// It serves the one model it has loaded, whatever a call names. What that model
// can do is read from /v1/models and /props: images and sound, the context of a
// slot, and whether its template has a place for tools, which would otherwise
// be dropped in silence. Embeddings need a server started with --embeddings;
// another one refuses them, and so the call goes to the next backend.
package llamacpp

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/anthropic"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "llamacpp", Local: true, BaseURL: "http://127.0.0.1:8080",
		Also: hoosh.FeatureRerank, Count: anthropic.Dialect, CountPath: "/v1/messages/count_tokens",
		Profile:  hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles},
		Health:   "/health",
		Describe: describe,
		// Its word stands on every answer, also while the model loads.
		Probe: []compat.Mark{{Path: "/health", Server: "llama.cpp"}},
	})
}

// props is what is read of /props.
type props struct {
	Settings struct {
		Context int `json:"n_ctx"`
	} `json:"default_generation_settings"`
	Alias      string `json:"model_alias"`
	Modalities *struct{ Vision, Audio bool }
	Template   *struct {
		Tools *bool `json:"supports_tools"`
	} `json:"chat_template_caps"`
}

// describe tells of the loaded model. A server of several models has props of
// its own that say nothing of them.
func describe(ctx context.Context, get compat.Get, list []hoosh.Model) {
	body, err := get(ctx, "/props")
	if err != nil {
		return
	}
	var p props
	if json.Unmarshal(body, &p) != nil {
		return
	}
	i := slices.IndexFunc(list, func(m hoosh.Model) bool { return m.ID == p.Alias || slices.Contains(m.Aliases, p.Alias) })
	if i < 0 && len(list) == 1 {
		i = 0
	}
	if i < 0 {
		return
	}
	m := &list[i]
	if p.Settings.Context > 0 {
		m.Context = p.Settings.Context
	}
	if p.Modalities != nil {
		if !p.Modalities.Vision {
			m.Features &^= hoosh.FeatureVision
		}
		if !p.Modalities.Audio {
			m.Features &^= hoosh.FeatureAudio
		}
	}
	if p.Template != nil && p.Template.Tools != nil && !*p.Template.Tools {
		m.Features &^= hoosh.FeatureTools
	}
}
