// SPDX-License-Identifier: AGPL-3.0-only

// Command goopenai is the community's Go library against hoosh.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"

	openai "github.com/sashabaranov/go-openai"
	"github.com/sashabaranov/go-openai/jsonschema"

	"github.com/maccracken/hoosh/test/clients/go/check"
)

func main() { check.Main("github.com/sashabaranov/go-openai", checks) }

// session is one client at one place.
type session struct {
	*openai.Client
	wrong *openai.Client // with a key that nobody knows
	ctx   context.Context
}

func checks(url, key string, over *http.Client) []check.Check {
	client := func(key string) *openai.Client {
		cfg := openai.DefaultConfig(key)
		cfg.BaseURL = url + "/v1"
		if over != nil {
			cfg.HTTPClient = over
		}
		return openai.NewClientWithConfig(cfg)
	}
	s := &session{client(key), client("sk-wrong"), context.Background()}
	return []check.Check{
		{Name: "chat", Run: s.chat},
		{Name: "stream", Run: s.stream},
		{Name: "stream with usage", Run: s.streamUsage},
		{Name: "leave a stream", Run: s.leave},
		{Name: "tool call and result", Run: s.tool},
		{Name: "parallel tool calls, streamed", Run: s.toolStream},
		{Name: "structured output", Run: s.structured},
		{Name: "embeddings", Run: s.embeddings},
		{Name: "models", Run: s.models},
		{Name: "legacy completion", Run: s.legacy},
		{Name: "wrong key", Run: s.wrongKey, OnlyOn: "http"},
		{Name: "unknown model", Run: s.unknownModel},
		{Name: "bad request", Run: s.badRequest},
		{Name: "rate limit", Run: s.rateLimit},
		{Name: "error in a stream", Run: s.streamError},
	}
}

func ask(model, prompt string) openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{Model: model, Messages: []openai.ChatCompletionMessage{
		{Role: "system", Content: "Be brief."}, {Role: "user", Content: prompt},
	}}
}

func withTools(q openai.ChatCompletionRequest) openai.ChatCompletionRequest {
	q.Tools = []openai.Tool{{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
		Name: "get_weather", Description: "The weather of a city", Strict: true, Parameters: check.Schema,
	}}}
	return q
}

func checkUsage(u openai.Usage) {
	check.Same("usage", []int{u.PromptTokens, u.CompletionTokens, u.TotalTokens, u.PromptTokensDetails.CachedTokens}, []int{11, 5, 16, 3})
}

func (s *session) chat() {
	q := ask(check.Model, "Hello")
	q.MaxCompletionTokens = 50
	r := check.Must(s.CreateChatCompletion(s.ctx, q))
	check.Same("text", r.Choices[0].Message.Content, check.Text)
	check.Same("finish", r.Choices[0].FinishReason, openai.FinishReasonStop)
	check.Same("x-hoosh-provider", r.Header().Get("x-hoosh-provider"), "backend")
	checkUsage(r.Usage)
}

// read takes a stream to its end, and hands each chunk with a choice to f.
func (s *session) read(q openai.ChatCompletionRequest, f func(openai.ChatCompletionStreamChoiceDelta)) (usage *openai.Usage, finish openai.FinishReason, empty int) {
	st := check.Must(s.CreateChatCompletionStream(s.ctx, q))
	defer st.Close()
	for {
		chunk, err := st.Recv()
		if errors.Is(err, io.EOF) {
			return usage, finish, empty
		}
		if err != nil {
			check.Fatalf("%v", err)
		}
		if chunk.Usage != nil {
			usage = chunk.Usage
		}
		if len(chunk.Choices) == 0 {
			empty++
			continue
		}
		if r := chunk.Choices[0].FinishReason; r != "" {
			finish = r
		}
		f(chunk.Choices[0].Delta)
	}
}

func (s *session) stream() {
	text := ""
	usage, finish, empty := s.read(ask(check.Model, "Hello"), func(d openai.ChatCompletionStreamChoiceDelta) { text += d.Content })
	check.Same("text", text, check.Text)
	check.Same("finish", finish, openai.FinishReasonStop)
	check.Same("chunks without a choice", empty, 0)
	check.Same("usage that nobody asked for", usage == nil, true)
}

func (s *session) streamUsage() {
	q := ask(check.Model, "Hello")
	q.StreamOptions = &openai.StreamOptions{IncludeUsage: true}
	usage, _, empty := s.read(q, func(openai.ChatCompletionStreamChoiceDelta) {})
	check.Same("chunks without a choice", empty, 1)
	check.Same("usage came", usage != nil, true)
	checkUsage(*usage)
}

func (s *session) leave() {
	st := check.Must(s.CreateChatCompletionStream(s.ctx, ask(check.Model, "Hello")))
	check.Must(st.Recv())
	check.Same("close", st.Close(), nil)
}

func (s *session) tool() {
	q := withTools(ask(check.Model, "How is the weather?"))
	r := check.Must(s.CreateChatCompletion(s.ctx, q))
	m := r.Choices[0].Message
	check.Same("finish", r.Choices[0].FinishReason, openai.FinishReasonToolCalls)
	check.Same("calls", len(m.ToolCalls), 1)
	call := m.ToolCalls[0]
	check.Same("call", []string{call.ID, string(call.Type), call.Function.Name, call.Function.Arguments}, []string{"call_only", "function", "get_weather", check.Arguments})
	q.Messages = append(q.Messages, m, openai.ChatCompletionMessage{Role: "tool", ToolCallID: call.ID, Content: "rain"})
	check.Same("text", check.Must(s.CreateChatCompletion(s.ctx, q)).Choices[0].Message.Content, "The tool says rain")
}

func (s *session) toolStream() {
	var calls [2]openai.FunctionCall
	var ids [2]string
	pieces := 0
	_, finish, _ := s.read(withTools(ask(check.Model, "How is it in both?")), func(d openai.ChatCompletionStreamChoiceDelta) {
		for _, t := range d.ToolCalls {
			if t.Index == nil {
				check.Fatalf("a piece of a call without its index")
			}
			c := &calls[*t.Index]
			ids[*t.Index] += t.ID
			c.Name += t.Function.Name
			if c.Arguments += t.Function.Arguments; t.Function.Arguments != "" {
				pieces++
			}
		}
	})
	check.Same("finish", finish, openai.FinishReasonToolCalls)
	check.Same("ids", ids, [2]string{"call_first", "call_second"})
	check.Same("first", calls[0], openai.FunctionCall{Name: "get_weather", Arguments: check.Arguments})
	check.Same("second", strings.Contains(calls[1].Arguments, "Paris"), true)
	check.Same("several pieces", pieces > 2, true)
}

func (s *session) structured() {
	var v struct {
		Name         string   `json:"name"`
		Participants []string `json:"participants"`
	}
	schema := check.Must(jsonschema.GenerateSchemaForType(v))
	q := ask(check.Model, "Extract the event")
	q.ResponseFormat = &openai.ChatCompletionResponseFormat{
		Type: openai.ChatCompletionResponseFormatTypeJSONSchema, JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{Name: "event", Schema: schema, Strict: true},
	}
	r := check.Must(s.CreateChatCompletion(s.ctx, q))
	if err := schema.Unmarshal(r.Choices[0].Message.Content, &v); err != nil || v.Name != "Science fair" || len(v.Participants) != 2 {
		check.Fatalf("%v in %q", err, r.Choices[0].Message.Content)
	}
}

func (s *session) embeddings() {
	var vectors [2][]openai.Embedding
	for i, format := range []openai.EmbeddingEncodingFormat{openai.EmbeddingEncodingFormatFloat, openai.EmbeddingEncodingFormatBase64} {
		r := check.Must(s.CreateEmbeddings(s.ctx, openai.EmbeddingRequest{Model: "test-embed", EncodingFormat: format, Input: []string{"the sea", "a spanner"}}))
		check.Same("embeddings", len(r.Data), 2)
		vectors[i] = r.Data
	}
	for i, float := range vectors[0] {
		packed := vectors[1][i].Embedding
		if len(packed) < 8 || len(packed) != len(float.Embedding) {
			check.Fatalf("%d numbers, and %d in base64", len(float.Embedding), len(packed))
		}
		for j := range packed {
			if math.Abs(float64(packed[j]-float.Embedding[j])) > 1e-6 {
				check.Fatalf("base64 holds another vector")
			}
		}
	}
}

func (s *session) models() {
	ids := map[string]bool{}
	for _, m := range check.Must(s.ListModels(s.ctx)).Models {
		ids[m.ID] = true
	}
	for _, id := range []string{"test-model", "test-embed", "limited", "breaks"} {
		check.Same(id, ids[id], true)
	}
	check.Same("id", check.Must(s.GetModel(s.ctx, "test-model")).ID, "test-model")
	_, err := s.GetModel(s.ctx, "nothing")
	refused(err, 404, "model_not_found")
}

func (s *session) legacy() {
	q := openai.CompletionRequest{Model: check.Model, Prompt: "Say hello"}
	check.Same("text", check.Must(s.CreateCompletion(s.ctx, q)).Choices[0].Text, check.Text)
	st := check.Must(s.CreateCompletionStream(s.ctx, q))
	defer st.Close()
	text := ""
	for {
		r, err := st.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		check.Must(r, err)
		text += r.Choices[0].Text
	}
	check.Same("streamed", text, check.Text)
}

// refused is the typed error of a refusal.
func refused(err error, status int, code string) *openai.APIError {
	var e *openai.APIError
	if !errors.As(err, &e) {
		check.Fatalf("no *openai.APIError: %v", err)
	}
	check.Same("status", e.HTTPStatusCode, status)
	check.Same("code", e.Code, any(code))
	check.Same("a message", e.Message != "", true)
	return e
}

func (s *session) wrongKey() {
	_, err := s.wrong.CreateChatCompletion(s.ctx, ask(check.Model, "Hello"))
	refused(err, 401, "invalid_api_key")
}

func (s *session) unknownModel() {
	_, err := s.CreateChatCompletion(s.ctx, ask("nothing", "Hello"))
	refused(err, 404, "model_not_found")
	_, err = s.CreateChatCompletionStream(s.ctx, ask("nothing", "Hello"))
	refused(err, 404, "model_not_found")
}

func (s *session) badRequest() {
	_, err := s.CreateChatCompletion(s.ctx, ask(check.Model, "refuse"))
	e := refused(err, 400, "invalid_value")
	if e.Param == nil || *e.Param != "temperature" {
		check.Fatalf("param: %s", check.Must(json.Marshal(e)))
	}
}

func (s *session) rateLimit() {
	_, err := s.CreateChatCompletion(s.ctx, ask("limited", "Hello"))
	refused(err, 429, "rate_limit_exceeded")
}

func (s *session) streamError() {
	st := check.Must(s.CreateChatCompletionStream(s.ctx, ask("breaks", "Hello")))
	defer st.Close()
	text := ""
	for {
		chunk, err := st.Recv()
		if err == nil {
			text += chunk.Choices[0].Delta.Content
			continue
		}
		var e *openai.APIError
		if !errors.As(err, &e) || !strings.HasPrefix(text, "one ") {
			check.Fatalf("after %q the stream ended with %v", text, err)
		}
		return
	}
}
