// SPDX-License-Identifier: AGPL-3.0-only

// Package openrouter registers the driver "openrouter". It takes keys that it
// does not know, so nothing is dropped: what a model cannot do is in its list.
package openrouter

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "openrouter", BaseURL: "https://openrouter.ai/api/v1", KeyEnv: []string{"OPENROUTER_API_KEY"},
		Profile: hoosh.Profile{CacheMarks: true},
	})
}
