// SPDX-License-Identifier: AGPL-3.0-only

// Package jan registers the driver "jan": the local API server of the Jan
// desktop application. It wants a key, one of the user's own choice, on
// everything but its own description.
package jan

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "jan", Local: true, BaseURL: "http://127.0.0.1:1337",
		Profile:      hoosh.Profile{NoDeveloper: true, Lacks: hoosh.FeatureFiles},
		FloatVectors: true,
		Probe:        []compat.Mark{{Path: "/openapi.json", Has: []string{"info.title=Jan API Server"}}},
	})
}
