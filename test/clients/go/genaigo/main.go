// SPDX-License-Identifier: AGPL-3.0-only

// Command genaigo is Google's own Go library of the Gemini API against hoosh.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"google.golang.org/genai"

	"github.com/maccracken/hoosh/test/clients/go/check"
)

func main() { check.Main("google.golang.org/genai", checks) }

// session is one client at one place.
type session struct {
	*genai.Client
	ctx context.Context
	at  func(key string) *genai.Client
}

func checks(url, key string, over *http.Client) []check.Check {
	s := &session{ctx: context.Background()}
	s.at = func(key string) *genai.Client {
		c, err := genai.NewClient(s.ctx, &genai.ClientConfig{APIKey: key, Backend: genai.BackendGeminiAPI, HTTPClient: over, HTTPOptions: genai.HTTPOptions{BaseURL: url}})
		if err != nil {
			fmt.Println("FAIL client:", err)
			os.Exit(1)
		}
		return c
	}
	s.Client = s.at(key)
	return slices.Concat(
		check.Both("generate content", s.generate),
		check.Both("stream", s.stream),
		check.Both("chat history", s.chat),
		check.Both("tool call and result", s.tool),
		check.Both("parallel tool calls, streamed", s.toolStream),
		check.Both("image", s.image),
		check.Both("structured output", s.structured),
		check.Both("bad request", s.badRequest),
		[]check.Check{
			{Name: "count tokens", Run: s.count},
			{Name: "embeddings", Run: s.embeddings},
			{Name: "models", Run: s.models},
			{Name: "wrong key", Run: s.wrongKey, OnlyOn: "http"},
			{Name: "unknown model", Run: s.unknownModel},
			{Name: "rate limit", Run: s.rateLimit},
			{Name: "error in a stream", Run: s.streamError},
		})
}

var tools = []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
	Name: "get_weather", Description: "The weather of a city", ParametersJsonSchema: check.Schema,
}}}}

func checkUsage(u *genai.GenerateContentResponseUsageMetadata) {
	if u == nil {
		check.Fatalf("no usage")
	}
	check.Same("usage", []int32{u.PromptTokenCount, u.CachedContentTokenCount, u.CandidatesTokenCount, u.TotalTokenCount}, []int32{11, 3, 5, 16})
}

func (s *session) ask(model string, contents []*genai.Content, cfg *genai.GenerateContentConfig) *genai.GenerateContentResponse {
	return check.Must(s.Models.GenerateContent(s.ctx, model, contents, cfg))
}

func (s *session) generate(model string) {
	r := s.ask(model, genai.Text("Hello"), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser), MaxOutputTokens: 50, StopSequences: []string{"END"},
	})
	check.Same("text", r.Text(), check.Text)
	check.Same("finish reason", r.Candidates[0].FinishReason, genai.FinishReasonStop)
	check.Same("role", r.Candidates[0].Content.Role, genai.RoleModel)
	checkUsage(r.UsageMetadata)
}

// read takes a stream to its end.
func (s *session) read(model string, contents []*genai.Content, cfg *genai.GenerateContentConfig) (list []*genai.GenerateContentResponse, text string, err error) {
	for r, err := range s.Models.GenerateContentStream(s.ctx, model, contents, cfg) {
		if err != nil {
			return list, text, err
		}
		list, text = append(list, r), text+r.Text()
	}
	return list, text, nil
}

func (s *session) stream(model string) {
	list, text, err := s.read(model, genai.Text("Hello"), nil)
	check.Same("error", err, nil)
	check.Same("text", text, check.Text)
	if len(list) < 4 {
		check.Fatalf("%d parts", len(list))
	}
	last := list[len(list)-1]
	check.Same("finish reason", last.Candidates[0].FinishReason, genai.FinishReasonStop)
	checkUsage(last.UsageMetadata)
}

func (s *session) chat(model string) {
	chat := check.Must(s.Chats.Create(s.ctx, model, nil, nil))
	check.Same("text", check.Must(chat.SendMessage(s.ctx, genai.Part{Text: "Hello"})).Text(), check.Text)
	text := ""
	for r, err := range chat.SendMessageStream(s.ctx, genai.Part{Text: "Hello again"}) {
		text += check.Must(r, err).Text()
	}
	check.Same("streamed", text, check.Text)
}

func (s *session) tool(model string) {
	contents, cfg := genai.Text("How is the weather?"), &genai.GenerateContentConfig{Tools: tools}
	r := s.ask(model, contents, cfg)
	calls := r.FunctionCalls()
	check.Same("calls", len(calls), 1)
	check.Same("name", calls[0].Name, "get_weather")
	check.Same("arguments", string(check.Must(json.Marshal(calls[0].Args))), check.Arguments)
	result := genai.NewPartFromFunctionResponse("get_weather", map[string]any{"output": "rain"})
	result.FunctionResponse.ID = calls[0].ID
	contents = append(contents, r.Candidates[0].Content, genai.NewContentFromParts([]*genai.Part{result}, genai.RoleUser))
	inOrder(s.ask(model, contents, cfg).Text(), "The tool says", "rain")
}

func inOrder(text string, words ...string) {
	rest := text
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			check.Fatalf("no %q, in its place, in %q", w, text)
		}
		rest = after
	}
}

func (s *session) toolStream(model string) {
	contents, cfg := genai.Text("How is it in both?"), &genai.GenerateContentConfig{Tools: tools}
	list, _, err := s.read(model, contents, cfg)
	check.Same("error", err, nil)
	var calls, results []*genai.Part
	for _, r := range list {
		for _, c := range r.FunctionCalls() {
			calls = append(calls, genai.NewPartFromFunctionCall(c.Name, c.Args)) // without ids: by order
			results = append(results, genai.NewPartFromFunctionResponse(c.Name, map[string]any{"output": "sun in " + fmt.Sprint(c.Args["city"])}))
		}
	}
	check.Same("calls", len(calls), 2)
	check.Same("arguments", string(check.Must(json.Marshal(calls[0].FunctionCall.Args))), check.Arguments)
	contents = append(contents, genai.NewContentFromParts(calls, genai.RoleModel), genai.NewContentFromParts(results, genai.RoleUser))
	inOrder(s.ask(model, contents, cfg).Text(), "The tool says", "sun in Köln", "and", "sun in Paris")
}

func (s *session) image(model string) {
	parts := []*genai.Part{genai.NewPartFromBytes(check.PNG(), "image/png"), genai.NewPartFromText("What is this?")}
	check.Same("text", s.ask(model, []*genai.Content{genai.NewContentFromParts(parts, genai.RoleUser)}, nil).Text(), check.Seen)
}

func (s *session) structured(model string) {
	cfg := &genai.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseJsonSchema: check.Schema}
	check.Same("by JSON Schema", s.ask(model, genai.Text("Extract the event"), cfg).Text(), check.Event)
	cfg = &genai.GenerateContentConfig{ResponseMIMEType: "application/json", ResponseSchema: &genai.Schema{
		Type: genai.TypeObject, Required: []string{"name"}, Properties: map[string]*genai.Schema{"name": {Type: genai.TypeString}},
	}}
	check.Same("by the API's own schema", s.ask(model, genai.Text("Extract the event"), cfg).Text(), check.Event)
}

func (s *session) count() {
	count := func(model, prompt string) int32 {
		return check.Must(s.Models.CountTokens(s.ctx, model, genai.Text(prompt), nil)).TotalTokens
	}
	check.Same("counted by the backend", count(check.Claude, "Hello"), int32(42))
	if few, many := count(check.Model, "Hello"), count(check.Model, strings.Repeat("Hello ", 200)); few < 1 || few >= many {
		check.Fatalf("%d tokens, and %d of much more", few, many)
	}
}

func (s *session) embeddings() {
	contents := []*genai.Content{genai.NewContentFromText("the sea", genai.RoleUser), genai.NewContentFromText("a spanner", genai.RoleUser)}
	r := check.Must(s.Models.EmbedContent(s.ctx, "test-embed", contents, nil))
	check.Same("embeddings", len(r.Embeddings), 2)
	if a, b := r.Embeddings[0].Values, r.Embeddings[1].Values; len(a) < 8 || slices.Equal(a, b) {
		check.Fatalf("%v and %v", a, b)
	}
}

func (s *session) models() {
	names := map[string]bool{}
	page := check.Must(s.Models.List(s.ctx, &genai.ListModelsConfig{PageSize: 2}))
	for err := error(nil); err == nil; page, err = page.Next(s.ctx) {
		for _, m := range page.Items {
			names[m.Name] = true
		}
		if page.NextPageToken == "" {
			break
		}
	}
	for _, id := range []string{"test-model", "test-embed", "limited", "breaks", "claude-test"} {
		check.Same(id, names["models/"+id], true)
	}
	check.Same("name", check.Must(s.Models.Get(s.ctx, "test-model", nil)).Name, "models/test-model")
	_, err := s.Models.Get(s.ctx, "nothing", nil)
	refused(err, 404, "NOT_FOUND")
}

// refused is the typed error of a refusal.
func refused(err error, code int, status string) genai.APIError {
	var e genai.APIError
	if !errors.As(err, &e) {
		check.Fatalf("no genai.APIError: %v", err)
	}
	check.Same("code", e.Code, code)
	check.Same("status", e.Status, status)
	check.Same("a message", e.Message != "", true)
	return e
}

func (s *session) wrongKey() {
	_, err := s.at("sk-wrong").Models.GenerateContent(s.ctx, check.Model, genai.Text("Hello"), nil)
	var e genai.APIError
	if !errors.As(err, &e) || e.Code != 400 && e.Code != 401 {
		check.Fatalf("%v", err)
	}
}

func (s *session) unknownModel() {
	_, err := s.Models.GenerateContent(s.ctx, "nothing", genai.Text("Hello"), nil)
	refused(err, 404, "NOT_FOUND")
	_, _, err = s.read("nothing", genai.Text("Hello"), nil)
	refused(err, 404, "NOT_FOUND")
}

func (s *session) badRequest(model string) {
	_, err := s.Models.GenerateContent(s.ctx, model, genai.Text("refuse"), nil)
	inOrder(refused(err, 400, "INVALID_ARGUMENT").Message, "'temperature' is out of range.")
}

func (s *session) rateLimit() {
	for _, model := range []string{"limited", "claude-limited"} {
		_, err := s.Models.GenerateContent(s.ctx, model, genai.Text("Hello"), nil)
		wait := ""
		for _, d := range refused(err, 429, "RESOURCE_EXHAUSTED").Details {
			if d["@type"] == "type.googleapis.com/google.rpc.RetryInfo" {
				wait, _ = d["retryDelay"].(string)
			}
		}
		check.Same("retryDelay", wait, "7s")
	}
}

func (s *session) streamError() {
	for _, model := range []string{"breaks", "claude-breaks"} {
		_, text, err := s.read(model, genai.Text("Hello"), nil)
		var e genai.APIError
		if !errors.As(err, &e) || e.Message == "" || !strings.HasPrefix(text, "one ") {
			check.Fatalf("after %q the stream ended with %v", text, err)
		}
	}
}
