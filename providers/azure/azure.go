// SPDX-License-Identifier: AGPL-3.0-only

// Package azure registers the driver "azure": OpenAI's models at Azure, through
// the v1 API, whose version stands in the path (/openai/v1) and nowhere else:
//
//	providers:
//	  - name: azure
//	    base_url: https://NAME.openai.azure.com
//	    key: ${AZURE_OPENAI_API_KEY}
//	    models: [my-gpt, my-embeddings]
//
// A model is named by its deployment. Azure lists the models that could be
// deployed, not those that are, so its list is not used: say which under models,
// or ask for azure/DEPLOYMENT. Addresses of the dated API, with api-version in
// the query, are not taken. The rules for OpenAI's reasoning models apply where
// a deployment is called as its model.
package azure

import (
	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/providers/compat"
)

func init() {
	compat.Register(compat.Preset{
		Name: "azure", Path: "/openai/v1", Auth: "api-key: ",
		KeyEnv: []string{"AZURE_OPENAI_API_KEY"}, URLEnv: []string{"AZURE_OPENAI_ENDPOINT"},
		Profile: hoosh.Profile{Rules: compat.ReasoningRules(), NoThinking: true},
		Models:  []string{},
	})
}
