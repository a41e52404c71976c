// SPDX-License-Identifier: AGPL-3.0-only

// Command openaigo is OpenAI's own Go library against hoosh.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/shared"

	"github.com/maccracken/hoosh/test/clients/go/check"
)

func main() { check.Main("github.com/openai/openai-go/v3", checks) }

// session is one client at one place.
type session struct {
	openai.Client
	ctx context.Context
}

func checks(url, key string, over *http.Client) []check.Check {
	options := []option.RequestOption{option.WithBaseURL(url + "/v1"), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithRequestTimeout(time.Minute)}
	if over != nil {
		options = append(options, option.WithHTTPClient(over))
	}
	s := &session{openai.NewClient(options...), context.Background()}
	return append([]check.Check{
		{Name: "chat", Run: s.chat},
		{Name: "raw response", Run: s.raw},
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
	}, slices.Concat(
		check.Both("responses", s.response),
		check.Both("responses, streamed", s.responseStream),
		check.Both("responses with tools", s.responseTools),
		check.Both("responses with an image", s.responseImage),
		check.Both("responses refused", s.responseErrors),
	)...)
}

func ask(model, prompt string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."), openai.UserMessage(prompt)},
	}
}

func withTools(p openai.ChatCompletionNewParams) openai.ChatCompletionNewParams {
	p.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "get_weather", Description: openai.String("The weather of a city"), Strict: openai.Bool(true), Parameters: check.Schema,
	})}
	return p
}

func checkUsage(u openai.CompletionUsage) {
	check.Same("usage", []int64{u.PromptTokens, u.CompletionTokens, u.TotalTokens, u.PromptTokensDetails.CachedTokens}, []int64{11, 5, 16, 3})
}

func (s *session) chat() {
	p := ask(check.Model, "Hello")
	p.Temperature, p.MaxCompletionTokens = openai.Float(0), openai.Int(50)
	r := check.Must(s.Chat.Completions.New(s.ctx, p))
	check.Same("text", r.Choices[0].Message.Content, check.Text)
	check.Same("finish", r.Choices[0].FinishReason, "stop")
	checkUsage(r.Usage)
}

func (s *session) raw() {
	var resp *http.Response
	check.Must(s.Chat.Completions.New(s.ctx, ask(check.Model, "Hello"), option.WithResponseInto(&resp), option.WithHeader("x-request-id", "mine-1")))
	check.Same("x-request-id", resp.Header.Get("x-request-id"), "mine-1")
	check.Same("x-hoosh-provider", resp.Header.Get("x-hoosh-provider"), "backend")
}

// read takes a stream to its end.
func (s *session) read(p openai.ChatCompletionNewParams) (acc openai.ChatCompletionAccumulator, text string, empty int) {
	st := s.Chat.Completions.NewStreaming(s.ctx, p)
	defer st.Close()
	for st.Next() {
		chunk := st.Current()
		if !acc.AddChunk(chunk) {
			check.Fatalf("the accumulator refuses %s", chunk.RawJSON())
		}
		if len(chunk.Choices) == 0 {
			empty++
			continue
		}
		text += chunk.Choices[0].Delta.Content
	}
	if err := st.Err(); err != nil {
		check.Fatalf("%v", err)
	}
	return acc, text, empty
}

func (s *session) stream() {
	acc, text, empty := s.read(ask(check.Model, "Hello"))
	check.Same("text", text, check.Text)
	check.Same("accumulated", acc.Choices[0].Message.Content, check.Text)
	check.Same("finish", acc.Choices[0].FinishReason, "stop")
	check.Same("chunks without a choice", empty, 0)
}

func (s *session) streamUsage() {
	p := ask(check.Model, "Hello")
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	acc, text, empty := s.read(p)
	check.Same("text", text, check.Text)
	check.Same("finish", acc.Choices[0].FinishReason, "stop")
	check.Same("chunks without a choice", empty, 1)
	checkUsage(acc.Usage)
}

func (s *session) leave() {
	st := s.Chat.Completions.NewStreaming(s.ctx, ask(check.Model, "Hello"))
	if !st.Next() {
		check.Fatalf("nothing came: %v", st.Err())
	}
	check.Same("close", st.Close(), nil)
}

func (s *session) tool() {
	p := withTools(ask(check.Model, "How is the weather?"))
	r := check.Must(s.Chat.Completions.New(s.ctx, p))
	m := r.Choices[0].Message
	check.Same("finish", r.Choices[0].FinishReason, "tool_calls")
	check.Same("calls", len(m.ToolCalls), 1)
	call := m.ToolCalls[0]
	check.Same("call", []string{call.ID, call.Type, call.Function.Name, call.Function.Arguments}, []string{"call_only", "function", "get_weather", check.Arguments})
	p.Messages = append(p.Messages, m.ToParam(), openai.ToolMessage("rain", call.ID))
	check.Same("text", check.Must(s.Chat.Completions.New(s.ctx, p)).Choices[0].Message.Content, "The tool says rain")
}

func (s *session) toolStream() {
	acc, _, _ := s.read(withTools(ask(check.Model, "How is it in both?")))
	calls := acc.Choices[0].Message.ToolCalls
	check.Same("calls", len(calls), 2)
	check.Same("ids", []string{calls[0].ID, calls[1].ID}, []string{"call_first", "call_second"})
	check.Same("arguments", calls[0].Function.Arguments, check.Arguments)
	check.Same("second arguments", strings.Contains(calls[1].Function.Arguments, "Paris"), true)
	check.Same("finish", acc.Choices[0].FinishReason, "tool_calls")
}

func (s *session) structured() {
	p := ask(check.Model, "Extract the event")
	p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
		JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "event", Strict: openai.Bool(true), Schema: check.Schema},
	}
	var v struct {
		Name         string
		Participants []string
	}
	text := check.Must(s.Chat.Completions.New(s.ctx, p)).Choices[0].Message.Content
	if err := json.Unmarshal([]byte(text), &v); err != nil || v.Name != "Science fair" || len(v.Participants) != 2 {
		check.Fatalf("%v in %q", err, text)
	}
}

func (s *session) embeddings() {
	var vectors [2][]openai.Embedding
	for i, format := range []openai.EmbeddingNewParamsEncodingFormat{"", openai.EmbeddingNewParamsEncodingFormatBase64} {
		r := check.Must(s.Embeddings.New(s.ctx, openai.EmbeddingNewParams{
			Model: "test-embed", EncodingFormat: format, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"the sea", "a spanner"}},
		}))
		check.Same("embeddings", len(r.Data), 2)
		vectors[i] = r.Data
	}
	for i, float := range vectors[0] {
		packed := vectors[1][i].Embedding
		if len(packed) < 8 || len(packed) != len(float.Embedding) {
			check.Fatalf("%d numbers, and %d in base64", len(float.Embedding), len(packed))
		}
		for j := range packed {
			if math.Abs(packed[j]-float.Embedding[j]) > 1e-6 {
				check.Fatalf("base64 holds another vector")
			}
		}
	}
}

func (s *session) models() {
	ids := map[string]bool{}
	for pages := s.Models.ListAutoPaging(s.ctx); pages.Next(); {
		ids[pages.Current().ID] = true
	}
	for _, id := range []string{"test-model", "test-embed", "limited", "breaks"} {
		check.Same(id, ids[id], true)
	}
	check.Same("id", check.Must(s.Models.Get(s.ctx, "test-model")).ID, "test-model")
	_, err := s.Models.Get(s.ctx, "nothing")
	refused(err, 404, "model_not_found")
}

func (s *session) legacy() {
	p := openai.CompletionNewParams{Model: check.Model, Prompt: openai.CompletionNewParamsPromptUnion{OfString: openai.String("Say hello")}}
	check.Same("text", check.Must(s.Completions.New(s.ctx, p)).Choices[0].Text, check.Text)
	text := ""
	st := s.Completions.NewStreaming(s.ctx, p)
	for st.Next() {
		text += st.Current().Choices[0].Text
	}
	check.Same("error", st.Err(), nil)
	check.Same("streamed", text, check.Text)
}

func asError(err error) *openai.Error {
	var e *openai.Error
	if !errors.As(err, &e) {
		check.Fatalf("no *openai.Error: %v", err)
	}
	return e
}

// refused is the typed error of a refusal.
func refused(err error, status int, code string) *openai.Error {
	e := asError(err)
	check.Same("status", e.StatusCode, status)
	check.Same("code", e.Code, code)
	check.Same("a message", e.Message != "", true)
	return e
}

func (s *session) wrongKey() {
	_, err := s.Chat.Completions.New(s.ctx, ask(check.Model, "Hello"), option.WithAPIKey("sk-wrong"))
	refused(err, 401, "invalid_api_key")
}

func (s *session) unknownModel() {
	_, err := s.Chat.Completions.New(s.ctx, ask("nothing", "Hello"))
	refused(err, 404, "model_not_found")
	st := s.Chat.Completions.NewStreaming(s.ctx, ask("nothing", "Hello"))
	check.Same("a chunk", st.Next(), false)
	refused(st.Err(), 404, "model_not_found")
}

func (s *session) badRequest() {
	_, err := s.Chat.Completions.New(s.ctx, ask(check.Model, "refuse"))
	check.Same("param", refused(err, 400, "invalid_value").Param, "temperature")
}

func (s *session) rateLimit() {
	_, err := s.Chat.Completions.New(s.ctx, ask("limited", "Hello"))
	check.Same("retry-after", refused(err, 429, "rate_limit_exceeded").Response.Header.Get("retry-after"), "7")
}

func (s *session) streamError() {
	st := s.Chat.Completions.NewStreaming(s.ctx, ask("breaks", "Hello"))
	text := ""
	for st.Next() {
		text += st.Current().Choices[0].Delta.Content
	}
	var e *ssestream.StreamError
	if !errors.As(st.Err(), &e) || !strings.HasPrefix(text, "one ") {
		check.Fatalf("after %q the stream ended with %v", text, st.Err())
	}
}
