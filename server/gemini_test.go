// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/server"
)

const geminiHi = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`

// geminiRouter has a model whose name has a slash and a colon.
func geminiRouter(t *testing.T, b *hooshtest.Backend) *hoosh.Router {
	t.Helper()
	to := []hoosh.Target{{Target: "a/m"}}
	r, err := hoosh.NewRouter([]hoosh.Provider{newProvider(t, "a", b)}, []hoosh.Route{
		{Match: []string{"m"}, To: to, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}},
		{Match: []string{"vendor/m:1b"}, To: to, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// texts joins the texts of Gemini's answers.
func texts(t *testing.T, answers []json.RawMessage) string {
	t.Helper()
	var b strings.Builder
	for _, a := range answers {
		text, _ := at(t, string(a), "candidates", 0, "content", "parts", 0, "text").(string)
		b.WriteString(text)
	}
	return b.String()
}

// TestGeminiPaths: the model is in the path, with what its name holds, wherever the
// clients put it.
func TestGeminiPaths(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, geminiRouter(t, b))
	b.Answer(hooshtest.Text("yes"))
	for _, path := range []string{
		"/v1beta/models/m:generateContent",
		"/v1/models/m:generateContent",
		"/v1beta/models/models/m:generateContent",
		"/v1beta/models/vendor/m:1b:generateContent",
		"/v1beta/models/vendor%2Fm%3A1b:generateContent",
		"/v1beta/vendor/m:1b:generateContent",
		"/v1/models/vendor/m:1b:generateContent",
	} {
		resp, text := post(t, c, path, geminiHi)
		if resp.StatusCode != 200 || at(t, text, "candidates", 0, "content", "parts", 0, "text") != "yes" {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
	for path, method := range map[string]string{
		"/v1beta/models/m:generateNothing": "POST", "/v1beta/models/m": "POST", "/v1beta/nope": "GET",
		"/v1beta/models/nope:generateContent": "POST", "/v1/models/m:generateNothing": "POST", "/v1beta/models/:generateContent": "POST",
	} {
		resp, text := do(t, c, method, path, geminiHi)
		if resp.StatusCode != 404 || at(t, text, "error", "status") != "NOT_FOUND" || at(t, text, "error", "code") != 404.0 {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
	}
}

// TestGeminiStreams: events where they are asked for, else one array.
func TestGeminiStreams(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, geminiRouter(t, b))
	b.Answer(hooshtest.Text("one two three"))
	for _, root := range []string{"/v1beta", "/v1"} {
		resp, text := post(t, c, root+"/models/m:streamGenerateContent?alt=sse", geminiHi)
		var answers []json.RawMessage
		for line := range strings.Lines(text) {
			if data, ok := strings.CutPrefix(line, "data: "); ok {
				answers = append(answers, json.RawMessage(strings.TrimSpace(data)))
			}
		}
		if resp.Header.Get("Content-Type") != "text/event-stream" || texts(t, answers) != "one two three" {
			t.Errorf("%s: %v %s", root, resp.Header, text)
		}
		resp, text = post(t, c, root+"/models/m:streamGenerateContent", geminiHi)
		answers = nil
		if err := json.Unmarshal([]byte(text), &answers); err != nil || len(answers) < 3 || texts(t, answers) != "one two three" {
			t.Errorf("%s: %v %s", root, err, text)
		}
		if resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("X-Hoosh-Provider") != "a" {
			t.Errorf("%s: %v", root, resp.Header)
		}
		if at(t, string(answers[len(answers)-1]), "candidates", 0, "finishReason") != "STOP" {
			t.Errorf("%s: %s", root, text)
		}
	}
	b.Answer(hooshtest.Answer{Text: "one two three", Fault: hooshtest.ResetMid, After: 2})
	_, text := post(t, c, "/v1beta/models/m:streamGenerateContent", geminiHi)
	var answers []json.RawMessage
	if err := json.Unmarshal([]byte(text), &answers); err != nil || at(t, string(answers[len(answers)-1]), "error", "message") == nil || texts(t, answers) == "" {
		t.Errorf("an error in mid-stream: %v %s", err, text)
	}
	_, text = post(t, c, "/v1beta/models/m:streamGenerateContent?alt=sse", geminiHi)
	if i := strings.LastIndex(text, "data: "); i <= 0 || at(t, strings.TrimPrefix(text[i:], "data: "), "error", "message") == nil {
		t.Errorf("an error in mid-stream: %s", text)
	}
	b.Answer(hooshtest.Status(503, 0))
	if resp, text := post(t, c, "/v1beta/models/m:streamGenerateContent", geminiHi); resp.StatusCode != 503 || at(t, text, "error", "status") != "UNAVAILABLE" {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestGeminiSilence: nothing keeps a stream alive. In an array there is no place for
// it, and two of the SDKs take a comment among events for an event.
func TestGeminiSilence(t *testing.T) {
	for query, times := range map[string]int{"?alt=sse": 0, "": 0} {
		synctest.Test(t, func(t *testing.T) {
			b := hooshtest.New(t)
			r := newRouter(t, b)
			l := hooshtest.Serve(t, server.New(r).Handler())
			b.Answer(hooshtest.Answer{Text: "late", Delay: 50 * time.Second})
			_, text := post(t, l.Client(), "/v1beta/models/m:streamGenerateContent"+query, geminiHi)
			if n := strings.Count(text, ": keep-alive\n\n"); n != times || !strings.Contains(text, "late") {
				t.Errorf("%d comments: %s", n, text)
			}
			r.Close()
			b.Close()
			l.Close()
		})
	}
}

// TestGeminiRest: tokens, and vectors one by one or many at once.
func TestGeminiRest(t *testing.T) {
	b := hooshtest.New(t)
	c := serve(t, geminiRouter(t, b))
	resp, text := post(t, c, "/v1beta/models/m:countTokens", `{"contents":[{"parts":[{"text":"one two three four"}]}]}`)
	if n, _ := at(t, text, "totalTokens").(float64); resp.StatusCode != 200 || n < 4 || n > 20 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	b.Answer(hooshtest.Raw(200, "application/json", `{"data":[{"index":0,"embedding":[0.5,-1]}],"usage":{"prompt_tokens":2}}`))
	resp, text = post(t, c, "/v1beta/models/m:embedContent", `{"model":"models/m","content":{"parts":[{"text":"a"}]}}`)
	if resp.StatusCode != 200 || at(t, text, "embedding", "values", 1) != -1.0 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
	resp, text = post(t, c, "/v1beta/models/m:batchEmbedContents", `{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}`)
	if resp.StatusCode != 200 || at(t, text, "embeddings", 0, "values", 1) != -1.0 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestGeminiRefusals: in Google's words, whatever the path.
func TestGeminiRefusals(t *testing.T) {
	b := hooshtest.New(t)
	cfg := hoosh.Config{Keys: []hoosh.KeyConfig{{Name: "k", Secret: "sk-k"}}, Server: hoosh.ServerConfig{Limits: hoosh.ServerLimits{Body: 1024}}}
	c := serve(t, geminiRouter(t, b), server.Config(cfg))
	key := []string{"X-Goog-Api-Key", "sk-k"}
	for _, x := range []struct {
		method, path, body string
		header             []string
		status             int
	}{
		{"POST", "/v1beta/models/m:generateContent", geminiHi, nil, 401},
		{"POST", "/v1/models/m:generateContent", geminiHi, nil, 401},
		{"GET", "/v1beta/nope", "", nil, 401},
		{"GET", "/v1beta/models", "", []string{"X-Goog-Api-Key", "nope"}, 401},
		{"GET", "/v1/models", "", []string{"X-Goog-Api-Key", "nope"}, 401},
		{"GET", "/v1beta/models/m:generateContent", "", key, 404}, // a model of that name
		{"DELETE", "/v1beta/models", "", key, 405},
		{"POST", "/v1beta/models/m:generateContent", "{", key, 400},
		{"POST", "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"` + strings.Repeat("x", 2000) + `"}]}]}`, key, 413},
	} {
		resp, text := do(t, c, x.method, x.path, x.body, x.header...)
		message, _ := at(t, text, "error", "message").(string)
		status, _ := at(t, text, "error", "status").(string)
		if resp.StatusCode != x.status || message == "" || status == "" || status == "OK" {
			t.Errorf("%s %s: %d %s", x.method, x.path, resp.StatusCode, text)
		}
	}
	if resp, text := post(t, c, "/v1beta/models/m:generateContent?key=sk-k", geminiHi); resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestGeminiModels: pages of them, and one.
func TestGeminiModels(t *testing.T) {
	c := serveList(t)
	_, text := do(t, c, "GET", "/v1beta/models", "")
	if at(t, text, "models", 2, "name") == nil || at(t, text, "nextPageToken") != nil {
		t.Error(text)
	}
	if _, same := do(t, c, "GET", "/v1/models", "", "X-Goog-Api-Key", "any"); same != text {
		t.Errorf("by the header: %s", same)
	}
	_, page := do(t, c, "GET", "/v1beta/models?pageSize=2", "")
	token, _ := at(t, page, "nextPageToken").(string)
	if token == "" || at(t, page, "models", 2) != nil {
		t.Fatal(page)
	}
	_, page = do(t, c, "GET", "/v1beta/models?pageSize=2&pageToken="+token, "")
	if at(t, page, "models", 0, "name") != at(t, text, "models", 2, "name") || at(t, page, "models", 1) != nil || at(t, page, "nextPageToken") != nil {
		t.Error(page)
	}
	for _, wrong := range []string{"pageSize=x", "pageSize=-1", "pageToken=nope"} {
		if resp, text := do(t, c, "GET", "/v1beta/models?"+wrong, ""); resp.StatusCode != 400 || at(t, text, "error", "status") != "INVALID_ARGUMENT" {
			t.Errorf("%s: %d %s", wrong, resp.StatusCode, text)
		}
	}
	_, text = do(t, c, "GET", "/v1beta/models/chatty", "")
	if at(t, text, "name") != "models/chatty" || at(t, text, "inputTokenLimit") != 8192.0 || at(t, text, "supportedGenerationMethods", 0) != "generateContent" {
		t.Error(text)
	}
	_, text = do(t, c, "GET", "/v1beta/models/vendor/embedder", "")
	if at(t, text, "name") != "models/vendor/embedder" || at(t, text, "supportedGenerationMethods", 0) != "embedContent" {
		t.Error(text)
	}
}
