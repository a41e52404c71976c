// SPDX-License-Identifier: AGPL-3.0-only

package anthropic

import (
	"context"
	"encoding/json"
	"net/url"
	"time"

	"github.com/maccracken/hoosh"
)

const modelsPath = "/v1/models"

// maxPages bounds the list: twenty models are on a page.
const maxPages = 200

// page is one of the list of models.
type page struct {
	Data []struct {
		ID           string                     `json:"id"`
		Created      time.Time                  `json:"created_at"`
		Context      int                        `json:"max_input_tokens"`
		Capabilities map[string]json.RawMessage `json:"capabilities"`
	} `json:"data"`
	More bool   `json:"has_more"`
	Last string `json:"last_id"`
}

// Models reads what the backend serves, page by page.
func (p *provider) Models(ctx context.Context) ([]hoosh.Model, error) {
	list := []hoosh.Model{}
	known := map[string]hoosh.Capabilities{}
	path := modelsPath
	for range maxPages {
		body, err := p.up.Get(ctx, path)
		if err != nil {
			return nil, err
		}
		var got page
		if err := json.Unmarshal(body, &got); err != nil || got.Data == nil {
			return nil, &hoosh.Error{Kind: hoosh.ErrMalformed, Provider: p.up.Name, Message: "the list of models is not one", Err: err}
		}
		for _, m := range got.Data {
			if _, again := known[m.ID]; m.ID == "" || again {
				continue
			}
			can := hoosh.Capabilities{Features: lacking(m.Capabilities), Context: max(m.Context, 0)}
			known[m.ID] = can
			list = append(list, hoosh.Model{ID: m.ID, Provider: p.up.Name, Created: m.Created.UTC(), Capabilities: can})
		}
		if !got.More || got.Last == "" {
			break
		}
		path = modelsPath + "?after_id=" + url.QueryEscape(got.Last)
	}
	p.known.Store(&known)
	return list, nil
}

// words are the vendor's, for what a model may lack.
var words = map[string]hoosh.Features{
	"image_input": hoosh.FeatureVision,
	"pdf_input":   hoosh.FeatureFiles,
	"thinking":    hoosh.FeatureThinking,
}

// lacking is features without what a model is said not to support.
func lacking(said map[string]json.RawMessage) hoosh.Features {
	can := features
	for word, feature := range words {
		var is struct {
			Supported *bool `json:"supported"`
		}
		if json.Unmarshal(said[word], &is) == nil && is.Supported != nil && !*is.Supported {
			can &^= feature
		}
	}
	return can
}

// Capabilities is what the last list says of a model; else what Anthropic's models
// can do.
func (p *provider) Capabilities(model string) hoosh.Capabilities {
	if known := p.known.Load(); known != nil {
		if can, ok := (*known)[model]; ok {
			return can
		}
	}
	return hoosh.Capabilities{Features: features}
}
