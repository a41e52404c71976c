// SPDX-License-Identifier: AGPL-3.0-only

package google_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/google"
)

const key = "AIza-very-secret"

// fake is a Gemini that is as strict as the real one.
type fake struct {
	listener *hooshtest.Listener
	mu       sync.Mutex
	asked    []string // method and path with query
	bodies   []string
	answers  []func(w http.ResponseWriter, r *http.Request) // one for each chat; then the usual
	models   int
}

func newFake(t testing.TB) *fake {
	f := &fake{models: 5}
	f.listener = hooshtest.Serve(t, f)
	return f
}

func (f *fake) then(answer ...func(w http.ResponseWriter, r *http.Request)) {
	f.answers = append(f.answers, answer...)
}

func refuse(code int, status, message, details string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		w.WriteHeader(code)
		fmt.Fprintf(w, "{\n  \"error\": {\n    \"code\": %d,\n    \"message\": %q,\n    \"status\": %q,\n    \"details\": [%s]\n  }\n}\n", code, message, status, details)
	}
}

// says answers with these bytes.
func says(kind, body string) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		io.WriteString(w, body)
	}
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.RequestURI())
	f.bodies = append(f.bodies, string(body))
	f.mu.Unlock()
	model, verb, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1beta/models/"), ":")
	switch {
	case r.Header.Get("X-Goog-Api-Key") == "":
		refuse(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers", "")(w, r)
	case r.Header.Get("X-Goog-Api-Key") != key || r.Header.Get("Authorization") != "":
		refuse(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key. "+r.Header.Get("X-Goog-Api-Key"), `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}`)(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/v1beta/models":
		f.list(w, r)
	case r.Method != http.MethodPost:
		refuse(404, "NOT_FOUND", "Requested entity was not found.", "")(w, r)
	case verb == "generateContent", verb == "streamGenerateContent":
		if fault := check(body, "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "safetySettings", "cachedContent"); fault != "" {
			refuse(400, "INVALID_ARGUMENT", fault, "")(w, r)
			return
		}
		f.chat(w, r, verb)
	case verb == "countTokens":
		fault := check(body, "generateContentRequest", "contents")
		if fault == "" && !strings.Contains(string(body), `"contents"`) {
			fault = "contents is not specified"
		}
		if fault == "" && strings.Contains(string(body), "generateContentRequest") && !strings.Contains(string(body), `"model":"models/`+model+`"`) {
			fault = "model must match"
		}
		if fault != "" {
			refuse(400, "INVALID_ARGUMENT", fault, "")(w, r)
			return
		}
		says("application/json", `{"totalTokens": 14, "promptTokensDetails":[{"modality":"TEXT","tokenCount":14}]}`)(w, r)
	case verb == "embedContent":
		if fault := check(body, "model", "content", "taskType", "title", "outputDimensionality"); fault != "" {
			refuse(400, "INVALID_ARGUMENT", fault, "")(w, r)
			return
		}
		says("application/json", `{"embedding":{"values":[0.5,-1]}}`)(w, r)
	case verb == "batchEmbedContents":
		f.batch(w, r, model, body)
	default:
		refuse(404, "NOT_FOUND", "Requested entity was not found.", "")(w, r)
	}
}

func (f *fake) batch(w http.ResponseWriter, r *http.Request, model string, body []byte) {
	var q struct {
		Requests []struct {
			Model   string
			Content struct{ Parts []struct{ Text string } }
		}
	}
	fault := check(body, "requests")
	if err := json.Unmarshal(body, &q); fault == "" && err != nil {
		fault = err.Error()
	}
	var vectors []string
	for i, one := range q.Requests {
		if one.Model != "models/"+model || len(one.Content.Parts) != 1 {
			fault = "* BatchEmbedContentsRequest.requests[" + strconv.Itoa(i) + "].model: must match"
		}
		vectors = append(vectors, fmt.Sprintf(`{"values":[%d,0.25]}`, i))
	}
	if fault != "" || len(q.Requests) == 0 {
		refuse(400, "INVALID_ARGUMENT", fault, "")(w, r)
		return
	}
	says("application/json", `{"embeddings":[`+strings.Join(vectors, ",")+`]}`)(w, r)
}

// list gives two models a page.
func (f *fake) list(w http.ResponseWriter, r *http.Request) {
	from := 0
	if token := r.URL.Query().Get("pageToken"); token != "" {
		if _, err := fmt.Sscanf(token, "a+b/%d=", &from); err != nil {
			refuse(400, "INVALID_ARGUMENT", "page token", "")(w, r)
			return
		}
	}
	to := min(from+2, f.models)
	var list []string
	for i := from; i < to; i++ {
		list = append(list, []string{
			`{"name":"models/gemini-2.5-flash","inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","countTokens"],"thinking":true}`,
			`{"name":"models/gemini-2.0-flash","inputTokenLimit":1048576,"supportedGenerationMethods":["generateContent","countTokens"]}`,
			`{"name":"models/gemini-embedding-001","inputTokenLimit":2048,"supportedGenerationMethods":["embedContent","countTextTokens","countTokens"]}`,
			`{"name":"models/imagen-4","supportedGenerationMethods":["predict"]}`,
			`{"name":"models/aqa","inputTokenLimit":7168,"supportedGenerationMethods":["generateAnswer"]}`,
		}[i])
	}
	next := ""
	if to < f.models {
		next = fmt.Sprintf(`,"nextPageToken":"a+b/%d="`, to)
	}
	says("application/json", `{"models":[`+strings.Join(list, ",")+`]`+next+`}`)(w, r)
}

const stream = "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hello \"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 3,\"candidatesTokenCount\": 1,\"totalTokenCount\": 4},\"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"r1\"}\r\n\r\n" +
	"data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"there\"}],\"role\": \"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 3,\"candidatesTokenCount\": 2,\"totalTokenCount\": 5},\"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"r1\"}\r\n\r\n" +
	"data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"\"}],\"role\": \"model\"},\"finishReason\": \"STOP\",\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": 3,\"candidatesTokenCount\": 5,\"totalTokenCount\": 8},\"modelVersion\": \"gemini-2.5-flash\",\"responseId\": \"r1\"}\r\n\r\n"

func (f *fake) chat(w http.ResponseWriter, r *http.Request, verb string) {
	f.mu.Lock()
	var next func(w http.ResponseWriter, r *http.Request)
	if len(f.answers) > 0 {
		next, f.answers = f.answers[0], f.answers[1:]
	}
	f.mu.Unlock()
	switch {
	case next != nil:
		next(w, r)
	case verb == "generateContent":
		says("application/json; charset=UTF-8", `{"candidates":[{"content":{"parts":[{"text":"Hello there"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8},"modelVersion":"gemini-2.5-flash","responseId":"r1"}`)(w, r)
	case r.URL.Query().Get("alt") == "sse":
		says("text/event-stream", stream)(w, r)
	default:
		says("application/json; charset=UTF-8", "[{}]")(w, r)
	}
}

// check says what the real one would refuse, "" for nothing: it knows no other names.
func check(body []byte, known ...string) string {
	var q map[string]json.RawMessage
	if err := json.Unmarshal(body, &q); err != nil {
		return "Invalid JSON payload received."
	}
	for name := range q {
		if !slices.Contains(known, name) {
			return fmt.Sprintf(`Invalid JSON payload received. Unknown name "%s": Cannot find field.`, name)
		}
	}
	if slices.Contains(known, "systemInstruction") && len(q["contents"]) < 3 {
		return "* GenerateContentRequest.contents: contents is not specified"
	}
	return ""
}

type provider interface {
	hoosh.Doer
	Models(ctx context.Context) ([]hoosh.Model, error)
	Health(ctx context.Context) error
	Capabilities(model string) hoosh.Capabilities
	Profile() *hoosh.Profile
	Close() error
}

func driver(t testing.TB) hoosh.Driver {
	t.Helper()
	for _, d := range hoosh.Drivers() {
		if d.Name == "google" {
			return d
		}
	}
	t.Fatal("the driver is not registered")
	return hoosh.Driver{}
}

func newProvider(t testing.TB, cfg hoosh.ProviderConfig) provider {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "goo"
	}
	if cfg.Key == "" {
		cfg.Key = key
	}
	d, err := driver(t).New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := d.(provider)
	if !ok {
		t.Fatalf("%T lacks a method", d)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// at is a provider of the fake.
func at(t testing.TB, f *fake) provider { return named(t, f, "goo") }

func named(t testing.TB, f *fake, name string) provider {
	return newProvider(t, hoosh.ProviderConfig{Name: name, BaseURL: f.listener.URL() + "/v1beta/", DialContext: f.listener.DialContext})
}
