// SPDX-License-Identifier: AGPL-3.0-only

// Package mistral registers the driver "mistral". Mistral refuses any key that
// it does not know, has other words for some, and takes tool-call ids of nine
// letters and digits only: those of other makers are replaced, the same by the
// same, in calls and results alike.
package mistral

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "mistral", BaseURL: "https://api.mistral.ai/v1", KeyEnv: []string{"MISTRAL_API_KEY"},
		Profile: hoosh.Profile{
			Lacks: hoosh.FeatureCompletion,
			Rules: append([]hoosh.Rule{
				{Key: "seed", Rename: "random_seed"},
				{Key: "dimensions", Rename: "output_dimension"},
				compat.OldCeiling,
			}, compat.Drop("user", "top_k", "logprobs", "top_logprobs", "logit_bias", "store", "metadata", "service_tier",
				"modalities", "audio", "web_search_options", "verbosity", "moderation", "safety_identifier",
				"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "functions", "function_call")...),
			NoThinking:         true,
			Recode:             []string{"magistral*", "mistral-*"}, // thinking comes as content parts, which OpenAI's clients do not know
			NoStreamOptions:    true,                                // usage comes unasked
			NoDeveloper:        true,
			ToolID:             toolID,
			ToolChoiceRequired: "any",
		},
		FloatVectors: true,
	})
}

// idLength is that of a tool-call id at Mistral's.
const idLength = 9

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// toolID leaves an id of Mistral's form as it is and makes one of any other.
// Nine characters hold 53 bits: two ids of one conversation do not meet.
func toolID(id string) string {
	if wellFormed(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	n := binary.BigEndian.Uint64(sum[:])
	var made [idLength]byte
	for i := range made {
		made[i] = alphabet[n%uint64(len(alphabet))]
		n /= uint64(len(alphabet))
	}
	return string(made[:])
}

func wellFormed(id string) bool {
	if len(id) != idLength {
		return false
	}
	for _, b := range []byte(id) {
		if (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
			return false
		}
	}
	return true
}
