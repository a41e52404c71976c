// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
)

const (
	chat   = hoosh.FeatureChat
	tools  = hoosh.FeatureTools
	vision = hoosh.FeatureVision
	embed  = hoosh.FeatureEmbed
	all    = hoosh.AllFeatures
)

func TestParseModels(t *testing.T) {
	model := func(id string, f hoosh.Features, context int) hoosh.Model {
		return hoosh.Model{ID: id, Capabilities: hoosh.Capabilities{Features: f, Context: context}}
	}
	for _, tc := range []struct {
		name, body string
		want       []hoosh.Model
	}{
		{"OpenAI", `{"object":"list","data":[{"id":"gpt-4o","object":"model","created":1,"owned_by":"system"}]}`,
			[]hoosh.Model{model("gpt-4o", all, 0)}},
		{"a bare list", `[{"id":"a","type":"chat","context_length":8192},{"id":"b","type":"embedding"},{"id":"c","type":"image"}]`,
			[]hoosh.Model{model("a", all&^embed, 8192), model("b", embed, 0), model("c", 0, 0)}},
		{"vLLM", `{"data":[{"id":"m","max_model_len":32768,"owned_by":"vllm","root":"m","permission":[{"id":"p"}]}]}`,
			[]hoosh.Model{model("m", all, 32768)}},
		{"Mistral", `{"data":[{"id":"small","aliases":["small","small-latest"],"max_context_length":131072,"capabilities":{"completion_chat":true,"function_calling":false,"vision":false}},
			{"id":"emb","capabilities":{"completion_chat":false,"function_calling":false,"vision":false}}]}`,
			[]hoosh.Model{
				{ID: "small", Aliases: []string{"small-latest"}, Capabilities: hoosh.Capabilities{Features: all &^ (tools | vision), Context: 131072}},
				model("emb", all&^(chat|tools|vision), 0),
			}},
		{"OpenRouter", `{"data":[{"id":"a/b","name":"A: B","created":1700000000,"context_length":1000,"architecture":{"modality":"text->text","input_modalities":["text"],"output_modalities":["text"]},"supported_parameters":["tools","response_format"]},
			{"id":"a/draw","architecture":{"input_modalities":["text","image"],"output_modalities":["image"]},"supported_parameters":["seed"]}]}`,
			[]hoosh.Model{
				{ID: "a/b", Created: time.Unix(1700000000, 0).UTC(), Capabilities: hoosh.Capabilities{Features: all &^ (vision | hoosh.FeatureAudio), Context: 1000}},
				model("a/draw", embed, 0),
			}},
		{"LM Studio", `{"object":"list","data":[{"id":"q","object":"model","type":"vlm","state":"loaded","max_context_length":32768,"loaded_context_length":4096},
			{"id":"n","type":"embeddings","state":"not-loaded","max_context_length":2048},{"id":"l","type":"llm","loaded_context_length":100,"max_context_length":200}]}`,
			[]hoosh.Model{model("q", all&^embed, 4096), model("n", embed, 2048), model("l", all&^(embed|vision), 100)}},
		{"Hugging Face", `{"data":[{"id":"o/m","architecture":{"input_modalities":["text","image"]},"providers":[{"provider":"x","supports_tools":false,"context_length":100},{"provider":"y","supports_tools":true,"context_length":50}]},
			{"id":"o/n","providers":[{"supports_tools":false}]}]}`,
			[]hoosh.Model{model("o/m", all&^hoosh.FeatureAudio, 100), model("o/n", all&^tools, 0)}},
		{"Fireworks", `{"data":[{"id":"f","supports_chat":true,"supports_image_input":false,"supports_tools":false,"context_length":10}]}`,
			[]hoosh.Model{model("f", all&^(vision|tools), 10)}},
		{"names only", `{"data":["a","b",""]}`, []hoosh.Model{model("a", all, 0), model("b", all, 0)}},
		{"a name for an id", `{"data":[{"name":"n"},{"object":"model"},7,null]}`, []hoosh.Model{model("n", all, 0)}},
		{"wrong types", `{"data":[{"id":"m","created":"x","aliases":"y","context_length":"8192","capabilities":["chat"],"architecture":7,"type":["llm"],"providers":{},"supported_parameters":null,"meta":null,"vision":"no"}]}`,
			[]hoosh.Model{model("m", all, 0)}},
		{"escapes", `{"data":[{"id":"a\/\u00e9"}]}`, []hoosh.Model{model("a/é", all, 0)}},
		{"absurd numbers", `{"data":[{"id":"m","context_length":-1,"n_ctx":99999999999999}]}`, []hoosh.Model{model("m", all, 0)}},
		{"none", `{"data":[]}`, []hoosh.Model{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseModels([]byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			if got == nil || !slices.EqualFunc(got, tc.want, func(a, b hoosh.Model) bool {
				return a.ID == b.ID && slices.Equal(a.Aliases, b.Aliases) && a.Created.Equal(b.Created) && a.Capabilities == b.Capabilities
			}) {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestParseModelsRefuses(t *testing.T) {
	for _, body := range []string{``, `null`, `7`, `{}`, `{"error":"no"}`, `{"data":{}}`, `{"data":null}`, `{"data":[{"id":"a"}`, `[{"id":"a"}] x`, `<html>`} {
		if list, err := ParseModels([]byte(body)); !errors.Is(err, hoosh.ErrMalformed) {
			t.Errorf("%q: %v, %v", body, list, err)
		}
	}
}

func TestParseModelsIsBounded(t *testing.T) {
	body := `{"data":[` + strings.Repeat(`"m",`, 3*maxModels) + `{"id":"last"}]}`
	list, err := ParseModels([]byte(body))
	if err != nil || len(list) != maxModels {
		t.Errorf("%d models, %v", len(list), err)
	}
	body = `[{"id":"m","aliases":[` + strings.Repeat(`"a",`, 1000) + `"b"]}]`
	if list, _ = ParseModels([]byte(body)); len(list[0].Aliases) != maxAliases {
		t.Errorf("%d aliases", len(list[0].Aliases))
	}
}

// TestParseModelsRecorded reads what a real server said.
func TestParseModelsRecorded(t *testing.T) {
	body, err := os.ReadFile(filepath.FromSlash("../../testdata/wire/llamacpp/models.json"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseModels(body)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	m := list[0]
	if m.ID != "smollm2-135m-instruct" || len(m.Aliases) != 0 || m.Context != 2048 || m.Features != all&^(vision|hoosh.FeatureAudio) || m.Created.IsZero() {
		t.Errorf("%+v", m)
	}
}

func FuzzParseModels(f *testing.F) {
	f.Add([]byte(`{"data":[{"id":"m","meta":{"n_ctx":1},"aliases":["a"],"providers":[{"vision":false}]}]}`))
	f.Add([]byte(`["a",{"name":"b"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := ParseModels(body)
		if (list == nil) != (err != nil) {
			t.Fatalf("%v and %v", list, err)
		}
		for _, m := range list {
			if m.ID == "" || m.Context < 0 {
				t.Fatalf("%+v", m)
			}
		}
	})
}
