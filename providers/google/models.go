// SPDX-License-Identifier: AGPL-3.0-only

package google

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/maccracken/hoosh"
)

// maxPages bounds the list: fifty models are on a page unless more are asked for.
const maxPages = 100

// page is one of the list of models.
type page struct {
	Models []struct {
		Name     string   `json:"name"`
		Context  int      `json:"inputTokenLimit"`
		Methods  []string `json:"supportedGenerationMethods"`
		Thinking bool     `json:"thinking"`
	} `json:"models"`
	Next string `json:"nextPageToken"`
}

// Models reads what the backend serves, page by page. Models of which nothing can be
// asked here are left out.
func (p *provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	list := []hoosh.Model{}
	known := map[string]hoosh.Capabilities{}
	first := p.base + "/models?pageSize=1000"
	path := first
	for range maxPages {
		body, err := p.up.Get(ctx, path)
		if err != nil {
			return nil, err
		}
		var got page
		if err := json.Unmarshal(body, &got); err != nil || got.Models == nil && path == first {
			return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Provider: p.up.Name, Message: "the list of models is not one", Err: err}
		}
		for _, m := range got.Models {
			id := strings.TrimPrefix(m.Name, "models/")
			can := hoosh.Capabilities{Features: methods(m.Methods, m.Thinking), Context: max(m.Context, 0)}
			if _, again := known[id]; id == "" || again || can.Features&^hoosh.FeatureCount == 0 {
				continue
			}
			known[id] = can
			list = append(list, hoosh.Model{ID: id, Provider: p.up.Name, Capabilities: can})
		}
		if got.Next == "" {
			break
		}
		path = first + "&pageToken=" + url.QueryEscape(got.Next)
	}
	p.known.Store(&known)
	return list, nil
}

// methods are what can be asked of a model, by the words of the list.
func methods(words []string, thinking bool) (can hoosh.Features) {
	for _, word := range words {
		switch word {
		case "generateContent":
			can |= features &^ (hoosh.FeatureEmbed | hoosh.FeatureCount | hoosh.FeatureThinking)
			if thinking {
				can |= hoosh.FeatureThinking
			}
		case "embedContent", "batchEmbedContents":
			can |= hoosh.FeatureEmbed
		case "countTokens":
			can |= hoosh.FeatureCount
		}
	}
	return can
}

// Capabilities is what the last list says of a model; else what Google's models can
// do.
func (p *provider) Capabilities(model string) hoosh.Capabilities {
	if known := p.known.Load(); known != nil {
		if can, ok := (*known)[strings.TrimPrefix(model, "models/")]; ok {
			return can
		}
	}
	return hoosh.Capabilities{Features: features}
}
