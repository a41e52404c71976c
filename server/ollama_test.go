// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/server"
)

// catalogue is a backend that only has a list.
type catalogue []hoosh.Model

func (catalogue) Do(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
	return nil, &hoosh.Error{Kind: hoosh.ErrUnavailable}
}

func (l catalogue) Models(context.Context) ([]hoosh.Model, error) { return l, nil }

var listed = catalogue{
	{ID: "chatty", Created: time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC), Capabilities: hoosh.Capabilities{Features: hoosh.FeatureChat | hoosh.FeatureTools | hoosh.FeatureVision, Context: 8192}},
	{ID: "vendor/embedder", Capabilities: hoosh.Capabilities{Features: hoosh.FeatureEmbed}},
	{ID: "near:latest", Aliases: []string{"near"}},
}

func serveList(t *testing.T, opts ...server.Option) *http.Client {
	t.Helper()
	r, err := hoosh.NewRouter([]hoosh.Provider{{Name: "a", Doer: listed}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return serve(t, r, opts...)
}

// TestOllamaModels: the list, and what there is to know of one.
func TestOllamaModels(t *testing.T) {
	c := serveList(t)
	_, tags := do(t, c, "GET", "/api/tags", "")
	byName := map[any]int{}
	for i := range listed {
		byName[at(t, tags, "models", i, "name")] = i
	}
	i, ok := byName["chatty"]
	if !ok || at(t, tags, "models", i, "model") != "chatty" || at(t, tags, "models", i, "modified_at") != "2026-03-04T05:06:07.000000008Z" {
		t.Error(tags)
	}
	digest, _ := at(t, tags, "models", i, "digest").(string)
	if _, again := do(t, c, "GET", "/api/tags", ""); len(digest) != 64 || again != tags || digest == at(t, tags, "models", (i+1)%3, "digest") {
		t.Errorf("digests: %s", tags)
	}
	if _, ok := at(t, tags, "models", i, "details", "families").([]any); !ok {
		t.Errorf("details: %s", tags)
	}
	for body, want := range map[string]string{
		`{"model":"chatty"}`:                `"capabilities":["completion","tools","vision"]`,
		`{"name":"vendor/embedder"}`:        `"capabilities":["embedding"]`,
		`{"model":"near"}`:                  `"capabilities":["completion"]`,
		`{"model":"chatty:latest"}`:         `"hoosh.context_length":8192`,
		`{"model":"chatty","verbose":true}`: `"general.architecture":"hoosh"`,
	} {
		if resp, text := post(t, c, "/api/show", body); resp.StatusCode != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", body, resp.StatusCode, text)
		}
	}
	for body, want := range map[string]int{`{"model":"nope"}`: 404, `{}`: 400, `[`: 400, `{"model":"` + strings.Repeat("x", 70_000) + `"}`: 413} {
		resp, text := post(t, c, "/api/show", body)
		if message, _ := at(t, text, "error").(string); resp.StatusCode != want || message == "" {
			t.Errorf("%.20s: %d %s", body, resp.StatusCode, text)
		}
		if want == 404 && text != `{"error":"model 'nope' not found"}` {
			t.Error(text)
		}
	}
}

// TestOllamaRest: what the programs that know an Ollama ask besides.
func TestOllamaRest(t *testing.T) {
	c := serveList(t)
	if _, text := do(t, c, "GET", "/api/ps", ""); len(at(t, text, "models").([]any)) != 0 {
		t.Error(text)
	}
	if _, text := do(t, c, "GET", "/api/version", ""); at(t, text, "version") != "0.17.4" {
		t.Error(text)
	}
	resp, text := do(t, c, "GET", "/", "")
	if resp.StatusCode != 200 || text != "hoosh is running" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	resp, err := c.Head(base + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(body) != 0 || resp.ContentLength != 16 {
		t.Errorf("%d, %d bytes", resp.StatusCode, resp.ContentLength)
	}
	for path, method := range map[string]string{"/api/pull": "POST", "/api/push": "POST", "/api/create": "POST", "/api/copy": "POST", "/api/delete": "DELETE", "/api/blobs/sha256:00": "POST"} {
		resp, text := do(t, c, method, path, `{"model":"x"}`)
		if message, _ := at(t, text, "error").(string); resp.StatusCode != 501 || !strings.Contains(message, "does not manage models") {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	if resp, _ := do(t, c, "HEAD", "/api/blobs/sha256:00", ""); resp.StatusCode != 501 {
		t.Error(resp.Status)
	}
}

// TestOllamaEmbeddings: both paths, by a backend of OpenAI's.
func TestOllamaEmbeddings(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	b.Answer(hooshtest.Raw(200, "application/json", `{"data":[{"index":0,"embedding":[0.5,-1]}],"usage":{"prompt_tokens":2}}`))
	if resp, text := post(t, c, "/api/embed", `{"model":"m","input":"a"}`); resp.StatusCode != 200 || at(t, text, "embeddings", 0, 1) != -1.0 || at(t, text, "prompt_eval_count") != 2.0 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	if resp, text := post(t, c, "/api/embeddings", `{"model":"m","prompt":"a"}`); resp.StatusCode != 200 || text != `{"embedding":[0.5,-1]}` {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestModelLists: the same models in the words of whoever asks.
func TestModelLists(t *testing.T) {
	c := serveList(t)
	_, text := do(t, c, "GET", "/v1/models", "")
	if at(t, text, "object") != "list" || at(t, text, "data", 0, "object") != "model" {
		t.Error(text)
	}
	version := []string{"Anthropic-Version", "2026-10-21"}
	_, text = do(t, c, "GET", "/v1/models", "", version...)
	if at(t, text, "data", 0, "type") != "model" || at(t, text, "has_more") != false || at(t, text, "first_id") != at(t, text, "data", 0, "id") || at(t, text, "last_id") != at(t, text, "data", 2, "id") {
		t.Error(text)
	}
	first, second, third := at(t, text, "data", 0, "id"), at(t, text, "data", 1, "id"), at(t, text, "data", 2, "id")
	_, text = do(t, c, "GET", "/v1/models?limit=1", "", version...)
	if at(t, text, "has_more") != true || at(t, text, "last_id") != first || at(t, text, "data", 1) != nil {
		t.Error(text)
	}
	_, text = do(t, c, "GET", "/v1/models?limit=5&after_id="+first.(string), "", version...)
	if at(t, text, "has_more") != false || at(t, text, "first_id") != second || at(t, text, "last_id") != third {
		t.Error(text)
	}
	_, text = do(t, c, "GET", "/v1/models?limit=1&before_id="+third.(string), "", version...)
	if at(t, text, "has_more") != true || at(t, text, "first_id") != second {
		t.Error(text)
	}
	for _, wrong := range []string{"limit=0", "limit=1001", "after_id=nope", "before_id=nope"} {
		if resp, text := do(t, c, "GET", "/v1/models?"+wrong, "", version...); resp.StatusCode != 400 || at(t, text, "error", "type") != "invalid_request_error" {
			t.Errorf("%s: %d %s", wrong, resp.StatusCode, text)
		}
	}
	_, text = do(t, c, "GET", "/v1/models/chatty", "", version...)
	if at(t, text, "type") != "model" || at(t, text, "display_name") != "chatty" || at(t, text, "created_at") != "2026-03-04T05:06:07Z" {
		t.Error(text)
	}
	_, text = do(t, c, "GET", "/v1/models/vendor/embedder", "", version...)
	if at(t, text, "id") != "vendor/embedder" || at(t, text, "created_at") != "1970-01-01T00:00:00Z" {
		t.Error(text)
	}
	c = serve(t, hoosh.NewGateway(listed))
	if _, text = do(t, c, "GET", "/v1/models/near", ""); at(t, text, "id") != "near:latest" {
		t.Errorf("by another name: %s", text)
	}
}

// TestOllamaLoad: a prompt of nothing, with which a chat on the command line
// begins, loads a model where there is something to load.
func TestOllamaLoad(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, newRouter(t, b))
	for _, stream := range []string{"", `,"stream":false`} {
		for _, path := range []string{"/api/generate", "/api/chat"} {
			for keep, reason := range map[string]string{"": "load", `,"keep_alive":0`: "unload"} {
				resp, text := do(t, c, "POST", path, `{"model":"m"`+stream+keep+`}`)
				if resp.StatusCode != 200 || at(t, text, "done_reason") != reason || at(t, text, "done") != true || b.Calls() > 0 {
					t.Errorf("%d %s", resp.StatusCode, text)
				}
			}
		}
	}
}
