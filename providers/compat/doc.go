// SPDX-License-Identifier: AGPL-3.0-only

// Package compat is the provider for everything that speaks OpenAI's API over
// HTTP: chat completions, legacy completions and embeddings. Most engines and
// vendors do, each with some way of its own; a [Preset] is what sets one of them
// apart, and the packages beside this one hold little else:
//
//	func init() {
//		compat.Register(compat.Preset{
//			Name: "example", BaseURL: "https://api.example.com/v1", KeyEnv: []string{"EXAMPLE_API_KEY"},
//			Profile: hoosh.Profile{Rules: []hoosh.Rule{{Key: "logit_bias"}}},
//		})
//	}
//
// The driver "compat" is the one without a preset, for any address by
// configuration alone:
//
//	providers:
//	  - name: mine
//	    driver: compat
//	    base_url: http://10.0.0.7:8000/v1
//
// # The base URL
//
// One rule for all of them: a base URL without a path gets the preset's, which
// is /v1 unless the vendor has another; one with a path is taken as it stands.
// So http://127.0.0.1:8080 and http://127.0.0.1:8080/v1 are the same, and behind
// a proxy one says the whole of it: http://box.lan/llama/v1. What an engine has
// beside the API (/health, /props) is looked for at the same address without
// that path.
//
// # Vectors
//
// OpenAI's own SDKs ask for embeddings in base64, which not every backend has.
// Where a caller asked for it and numbers came, they are packed here; a backend
// that would refuse the wish is not told of it ([Preset.FloatVectors]).
package compat
