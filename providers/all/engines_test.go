// SPDX-License-Identifier: AGPL-3.0-only

package all_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// engine is what a local engine answers to GET; the body of any other path is
// under "".
type engine struct {
	server string
	status int // of any other path
	pages  map[string]string
}

func (e engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.server != "" {
		w.Header().Set("Server", e.server)
	}
	body, ok := e.pages[r.URL.Path]
	if !ok {
		body = e.pages[""]
		if e.status != 0 {
			w.WriteHeader(e.status)
		}
	}
	io.WriteString(w, body)
}

func recorded(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "wire", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// engines answer as theirs do: llama.cpp and Ollama as recorded, the others
// after their documentation, with what they imitate of each other.
func engines(t *testing.T) map[string]engine {
	return map[string]engine{
		"llamacpp": {server: "llama.cpp", status: 404, pages: map[string]string{
			"/health": recorded(t, "llamacpp/health.json"), "/props": recorded(t, "llamacpp/props.json"), "/v1/models": recorded(t, "llamacpp/models.json")}},
		"ollama": {status: 404, pages: map[string]string{
			"/": "Ollama is running", "/api/version": recorded(t, "ollama/version.json"), "/api/tags": recorded(t, "ollama/tags.json"),
			"/v1/models": `{"object":"list","data":[{"id":"smollm2:135m","object":"model","created":1,"owned_by":"library"}]}`}},
		"lmstudio": {pages: map[string]string{
			"": `{"error":"Unexpected endpoint or method. (GET /)"}`,
			"/api/v0/models": `{"object":"list","data":[{"id":"qwen","object":"model","type":"vlm","state":"loaded","max_context_length":32768,"loaded_context_length":4096},
				{"id":"nomic","object":"model","type":"embeddings","state":"not-loaded","max_context_length":2048}]}`,
			"/v1/models": `{"object":"list","data":[{"id":"qwen","object":"model","owned_by":"organization_owner"}]}`}},
		"localai": {status: 404, pages: map[string]string{
			"/system": `{"backends":["llama-cpp"],"loaded_models":[]}`, "/version": `{"version":"v3.5.0"}`, "/readyz": "OK",
			"/v1/models": `{"object":"list","data":[{"id":"gpt-4","object":"model"}]}`}},
		"synapse": {status: 404, pages: map[string]string{
			"/health": "ok", "/system/status": `{"version":"2026.3.8","loaded_models":1,"registered_backends":["llamacpp"],"hardware":{},"bridge":{"enabled":false}}`,
			"/v1/models": `{"object":"list","data":[{"id":"m","object":"model","owned_by":"synapse"}]}`}},
		"vllm": {server: "uvicorn", status: 404, pages: map[string]string{
			"/health": "", "/version": `{"version":"0.17.0"}`, "/v1/models": `{"object":"list","data":[{"id":"m","object":"model","owned_by":"vllm","max_model_len":4096}]}`}},
		"sglang": {server: "uvicorn", status: 404, pages: map[string]string{
			"/health": "", "/get_model_info": `{"model_path":"m","tokenizer_path":"m","is_generation":true}`, "/model_info": `{"model_path":"m","is_generation":true}`,
			"/v1/models": `{"object":"list","data":[{"id":"m","object":"model","owned_by":"sglang","max_model_len":4096}]}`}},
		"tgi": {status: 404, pages: map[string]string{
			"/health": "", "/info": `{"model_id":"o/m","max_concurrent_requests":128,"max_input_tokens":3000,"max_total_tokens":4000,"router":"text-generation-router","version":"3.3.6"}`,
			"/v1/models": `{"object":"list","data":[{"id":"o/m","object":"model","created":0,"owned_by":"o/m"}]}`}},
		"koboldcpp": {server: "KoboldCppServer", status: 404, pages: map[string]string{
			"/api/extra/version":                 `{"result":"KoboldCpp","version":"1.113","protected":false,"llm":true,"vision":true,"audio":false,"embeddings":false}`,
			"/api/extra/true_max_context_length": `{"value":8192}`, "/props": `{"default_generation_settings":{"n_ctx":8192}}`,
			"/api/tags":  `{"models":[{"name":"koboldcpp/m"}]}`,
			"/v1/models": `{"object":"list","data":[{"id":"koboldcpp/m","object":"model","created":1,"owned_by":"koboldcpp"}]}`}},
		"jan": {status: 401, pages: map[string]string{
			"/openapi.json": `{"openapi":"3.0.0","info":{"title":"Jan API Server Endpoints"},"paths":{}}`, "": "Missing authorization header"}},
	}
}

// TestFingerprints sends every driver's probe to every engine: ports say nothing,
// and four of them share one.
func TestFingerprints(t *testing.T) {
	for name, e := range engines(t) {
		ln := hooshtest.Serve(t, e)
		for _, d := range hoosh.Drivers() {
			if d.Probe == nil {
				continue
			}
			err := d.Probe(context.Background(), ln.Client(), ln.URL())
			if (err == nil) != (d.Name == name) {
				t.Errorf("the probe of %s at %s: %v", d.Name, name, err)
			}
		}
	}
}

// TestLoading: llama.cpp is known while it loads its model.
func TestLoading(t *testing.T) {
	ln := hooshtest.Serve(t, engine{server: "llama.cpp", status: 503, pages: map[string]string{"": recorded(t, "llamacpp/error_loading.json")}})
	if err := driver(t, "llamacpp").Probe(context.Background(), ln.Client(), ln.URL()); err != nil {
		t.Error(err)
	}
}

// TestDescribed is what the engines' own pages tell of their models.
func TestDescribed(t *testing.T) {
	const common = hoosh.AllFeatures &^ hoosh.FeatureFiles
	for _, tc := range []struct {
		engine, model string
		features      hoosh.Features
		context       int
		models        int
	}{
		{"llamacpp", "smollm2-135m-instruct", common&^(hoosh.FeatureVision|hoosh.FeatureAudio|hoosh.FeatureTools) | hoosh.FeatureRerank | hoosh.FeatureCount, 2048, 1},
		{"lmstudio", "qwen", common &^ (hoosh.FeatureEmbed | hoosh.FeatureAudio | hoosh.FeatureChoices), 4096, 2},
		{"lmstudio", "nomic", hoosh.FeatureEmbed, 2048, 2},
		{"tgi", "o/m", common &^ (hoosh.FeatureEmbed | hoosh.FeatureAudio | hoosh.FeatureChoices), 4000, 1},
		{"koboldcpp", "koboldcpp/m", common &^ (hoosh.FeatureEmbed | hoosh.FeatureAudio | hoosh.FeatureChoices), 8192, 1},
		{"vllm", "m", common | hoosh.FeatureRerank, 4096, 1},
		{"localai", "gpt-4", common | hoosh.FeatureRerank | hoosh.FeatureImages, 0, 1},
	} {
		ln := hooshtest.Serve(t, engines(t)[tc.engine])
		p := provider(t, tc.engine, hoosh.ProviderConfig{BaseURL: ln.URL(), DialContext: ln.DialContext})
		list, err := p.Models(context.Background())
		if err != nil || len(list) != tc.models {
			t.Errorf("%s: %v, %v", tc.engine, list, err)
		}
		if got, want := p.Capabilities(tc.model), (hoosh.Capabilities{Features: tc.features, Context: tc.context}); got != want {
			t.Errorf("%s: %s can %v with %d, want %v with %d", tc.engine, tc.model, got.Features, got.Context, want.Features, want.Context)
		}
		if err := p.Health(context.Background()); err != nil {
			t.Errorf("%s: %v", tc.engine, err)
		}
	}
}

// TestUndescribed: without its page a model is what the list says.
func TestUndescribed(t *testing.T) {
	for name, page := range map[string]string{"llamacpp": "/props", "tgi": "/info", "koboldcpp": "/api/extra/version"} {
		for _, body := range []string{"", "<html>", "[]", `{"default_generation_settings":7}`} {
			e := engines(t)[name]
			delete(e.pages, "/api/extra/true_max_context_length")
			if e.pages[page] = body; body == "" {
				delete(e.pages, page)
			}
			ln := hooshtest.Serve(t, e)
			p := provider(t, name, hoosh.ProviderConfig{BaseURL: ln.URL(), DialContext: ln.DialContext})
			if list, err := p.Models(context.Background()); err != nil || len(list) != 1 || list[0].Features&hoosh.FeatureTools == 0 {
				t.Errorf("%s with %q: %+v, %v", name, body, list, err)
			}
		}
	}
}

// TestRecordedLlamaCpp plays what a real server said.
func TestRecordedLlamaCpp(t *testing.T) {
	b := hooshtest.New(t)
	p := provider(t, "llamacpp", hoosh.ProviderConfig{BaseURL: b.URL(), DialContext: b.DialContext})
	ask := func(op hoosh.Operation, request, answer, kind string, status int) (*hoosh.Reply, error) {
		t.Helper()
		b.Answer(hooshtest.Raw(status, kind, recorded(t, answer)))
		c, err := hoosh.ParseCall(hoosh.OpenAI, op, []byte(recorded(t, request)))
		if err != nil {
			t.Fatal(err)
		}
		return p.Do(context.Background(), c)
	}
	reply, err := ask(hoosh.OpChat, "llamacpp/chat.request.json", "llamacpp/chat.json", "application/json; charset=utf-8", 200)
	if err != nil || string(reply.Body) != recorded(t, "llamacpp/chat.json") || reply.Usage.Total() == 0 {
		t.Errorf("%+v, %v", reply, err)
	}
	reply, err = ask(hoosh.OpChat, "llamacpp/chat.stream.request.json", "llamacpp/chat.stream.sse", "text/event-stream", 200)
	if err != nil {
		t.Fatal(err)
	}
	raw, usage := "", hoosh.Usage{}
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		raw += string(f.Raw)
		usage = usage.Merge(f.Usage)
	}
	if raw != recorded(t, "llamacpp/chat.stream.sse") || usage.Source != hoosh.UsageReported {
		t.Errorf("usage %v of\n%s", usage, raw)
	}
	reply, err = ask(hoosh.OpEmbed, "llamacpp/embeddings.base64.request.json", "llamacpp/embeddings.base64.json", "application/json", 200)
	if err != nil || string(reply.Body) != recorded(t, "llamacpp/embeddings.base64.json") {
		t.Errorf("%v", err)
	}
	for answer, want := range map[string]struct {
		status int
		kind   error
	}{
		"error_embeddings_off": {501, hoosh.ErrUnsupported}, "error_loading": {503, hoosh.ErrOverloaded}, "error_context": {400, hoosh.ErrContextLength},
		"error_schema": {400, hoosh.ErrInvalidRequest}, "error_unauthorized": {401, hoosh.ErrUpstreamAuth},
	} {
		_, err := ask(hoosh.OpChat, "llamacpp/chat.request.json", "llamacpp/"+answer+".json", "application/json", want.status)
		if e := hoosh.AsError(err); e.Kind != want.kind || !e.Upstream {
			t.Errorf("%s: %+v", answer, e)
		}
	}
}
