// SPDX-License-Identifier: AGPL-3.0-only

// Command anthropicgo is Anthropic's own Go library against hoosh.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
	"github.com/anthropics/anthropic-sdk-go/v2/toolrunner"

	"github.com/maccracken/hoosh/test/clients/go/check"
)

func main() { check.Main("github.com/anthropics/anthropic-sdk-go/v2", checks) }

// session is one client at one place.
type session struct {
	anthropic.Client
	ctx context.Context
}

func checks(url, key string, over *http.Client) []check.Check {
	options := []option.RequestOption{option.WithBaseURL(url), option.WithAPIKey(key), option.WithMaxRetries(0), option.WithRequestTimeout(time.Minute)}
	if over != nil {
		options = append(options, option.WithHTTPClient(over))
	}
	s := &session{anthropic.NewClient(options...), context.Background()}
	return slices.Concat(
		check.Both("messages", s.messages),
		check.Both("stream", s.stream),
		check.Both("tool call and result", s.tool),
		check.Both("parallel tool calls, streamed", s.toolStream),
		check.Both("tools run by the SDK", s.runner),
		check.Both("image", s.image),
		check.Both("structured output", s.structured),
		check.Both("bad request", s.badRequest),
		[]check.Check{
			{Name: "raw response", Run: s.raw},
			{Name: "leave a stream", Run: s.leave},
			{Name: "count tokens", Run: s.count},
			{Name: "models", Run: s.models},
			{Name: "wrong key", Run: s.wrongKey, OnlyOn: "http"},
			{Name: "unknown model", Run: s.unknownModel},
			{Name: "rate limit", Run: s.rateLimit},
			{Name: "error in a stream", Run: s.streamError},
		})
}

func user(text string) anthropic.MessageParam {
	return anthropic.NewUserMessage(anthropic.NewTextBlock(text))
}

func ask(model, prompt string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: anthropic.Model(model), MaxTokens: 50, Messages: []anthropic.MessageParam{user(prompt)},
		System: []anthropic.TextBlockParam{{Text: "Be brief."}},
	}
}

func withTools(p anthropic.MessageNewParams) anthropic.MessageNewParams {
	tool := anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{
		Properties: check.Schema["properties"], Required: []string{"city", "unit"}, ExtraFields: map[string]any{"additionalProperties": false},
	}, "get_weather")
	tool.OfTool.Description = anthropic.String("The weather of a city")
	p.Tools = []anthropic.ToolUnionParam{tool}
	return p
}

func checkUsage(u anthropic.Usage) {
	check.Same("usage", []int64{u.InputTokens, u.CacheReadInputTokens, u.OutputTokens}, []int64{8, 3, 5})
}

func (s *session) text(p anthropic.MessageNewParams) string {
	m := check.Must(s.Messages.New(s.ctx, p))
	check.Same("blocks", len(m.Content), 1)
	return m.Content[0].Text
}

func (s *session) messages(model string) {
	p := ask(model, "Hello")
	p.StopSequences = []string{"END"}
	m := check.Must(s.Messages.New(s.ctx, p))
	check.Same("text", m.Content[0].Text, check.Text)
	check.Same("stop reason", m.StopReason, anthropic.StopReasonEndTurn)
	check.Same("model", string(m.Model), model)
	checkUsage(m.Usage)
}

func (s *session) raw() {
	var resp *http.Response
	check.Must(s.Messages.New(s.ctx, ask(check.Model, "Hello"), option.WithResponseInto(&resp), option.WithHeader("x-request-id", "mine-1")))
	check.Same("request-id", resp.Header.Get("request-id"), "mine-1")
	check.Same("x-hoosh-provider", resp.Header.Get("x-hoosh-provider"), "backend")
}

// read takes a stream to its end.
func (s *session) read(p anthropic.MessageNewParams) (m anthropic.Message, text string, err error) {
	st := s.Messages.NewStreaming(s.ctx, p)
	defer st.Close()
	for st.Next() {
		event := st.Current()
		if err := m.Accumulate(event); err != nil {
			check.Fatalf("the accumulator refuses %s: %v", event.RawJSON(), err)
		}
		if delta, ok := event.AsAny().(anthropic.ContentBlockDeltaEvent); ok {
			text += delta.Delta.Text
		}
	}
	return m, text, st.Err()
}

func (s *session) stream(model string) {
	m, text, err := s.read(ask(model, "Hello"))
	check.Same("error", err, nil)
	check.Same("text", text, check.Text)
	check.Same("accumulated", m.Content[0].Text, check.Text)
	check.Same("stop reason", m.StopReason, anthropic.StopReasonEndTurn)
	checkUsage(m.Usage)
}

func (s *session) leave() {
	st := s.Messages.NewStreaming(s.ctx, ask(check.Model, "Hello"))
	if !st.Next() {
		check.Fatalf("nothing came: %v", st.Err())
	}
	check.Same("close", st.Close(), nil)
}

func (s *session) tool(model string) {
	p := withTools(ask(model, "How is the weather?"))
	m := check.Must(s.Messages.New(s.ctx, p))
	check.Same("stop reason", m.StopReason, anthropic.StopReasonToolUse)
	check.Same("blocks", len(m.Content), 1)
	call := m.Content[0]
	check.Same("call", []string{call.Type, call.ID, call.Name}, []string{"tool_use", "call_only", "get_weather"})
	sameJSON(call.Input, check.Arguments)
	p.Messages = append(p.Messages, m.ToParam(), anthropic.NewUserMessage(anthropic.NewToolResultBlock(call.ID, "rain", false)))
	check.Same("text", s.text(p), "The tool says rain")
}

func (s *session) toolStream(model string) {
	p := withTools(ask(model, "How is it in both?"))
	m, _, err := s.read(p)
	check.Same("error", err, nil)
	check.Same("stop reason", m.StopReason, anthropic.StopReasonToolUse)
	check.Same("blocks", len(m.Content), 2)
	check.Same("ids", []string{m.Content[0].ID, m.Content[1].ID}, []string{"call_first", "call_second"})
	sameJSON(m.Content[0].Input, check.Arguments)
	sameJSON(m.Content[1].Input, check.Elsewhere)
	p.Messages = append(p.Messages, m.ToParam(), anthropic.NewUserMessage(
		anthropic.NewToolResultBlock("call_first", "rain", false), anthropic.NewToolResultBlock("call_second", "sun", false)))
	check.Same("text", s.text(p), "The tool says rain and sun")
}

func sameJSON(got any, want string) {
	data, ok := got.(json.RawMessage)
	if !ok {
		data = []byte(check.Must(json.Marshal(got)))
	}
	var a, b any
	if json.Unmarshal(data, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		check.Fatalf("no JSON: %s", data)
	}
	check.Same("JSON", a, b)
}

func (s *session) runner(model string) {
	type input struct {
		City string `json:"city" jsonschema:"required"`
		Unit string `json:"unit" jsonschema:"required"`
	}
	tool := check.Must(toolrunner.NewBetaToolFromJSONSchema("get_weather", "The weather of a city",
		func(_ context.Context, in input) (anthropic.BetaToolResultBlockParamContentUnion, error) {
			return anthropic.BetaToolResultBlockParamContentUnion{OfText: &anthropic.BetaTextBlockParam{Text: "sun in " + in.City + ", in " + in.Unit}}, nil
		}))
	run := s.Beta.Messages.NewToolRunner([]anthropic.BetaTool{tool}, anthropic.BetaToolRunnerParams{BetaMessageNewParams: anthropic.BetaMessageNewParams{
		Model: anthropic.Model(model), MaxTokens: 50,
		Messages: []anthropic.BetaMessageParam{anthropic.NewBetaUserMessage(anthropic.NewBetaTextBlock("How is the weather?"))},
	}})
	m := check.Must(run.RunToCompletion(s.ctx))
	check.Same("text", m.Content[0].Text, "The tool says sun in Köln, in celsius")
}

func (s *session) image(model string) {
	p := ask(model, "")
	p.Messages = []anthropic.MessageParam{anthropic.NewUserMessage(
		anthropic.NewImageBlockBase64("image/png", base64.StdEncoding.EncodeToString(check.PNG())), anthropic.NewTextBlock("What is this?"))}
	check.Same("text", s.text(p), check.Seen)
}

func (s *session) structured(model string) {
	p := ask(model, "Extract the event")
	p.OutputConfig.Format.Schema = check.Schema
	check.Same("text", s.text(p), check.Event)
}

func (s *session) count() {
	count := func(model, prompt string) int64 {
		p := anthropic.MessageCountTokensParams{Model: anthropic.Model(model), Messages: []anthropic.MessageParam{user(prompt)}}
		return check.Must(s.Messages.CountTokens(s.ctx, p)).InputTokens
	}
	check.Same("counted by the backend", count(check.Claude, "Hello"), int64(42))
	if few, many := count(check.Model, "Hello"), count(check.Model, strings.Repeat("Hello ", 200)); few < 1 || few >= many {
		check.Fatalf("%d tokens, and %d of much more", few, many)
	}
}

func (s *session) models() {
	ids := map[string]bool{}
	for pages := s.Models.ListAutoPaging(s.ctx, anthropic.ModelListParams{Limit: anthropic.Int(2)}); pages.Next(); {
		ids[pages.Current().ID] = true
	}
	for _, id := range []string{"test-model", "test-embed", "limited", "breaks", "claude-test"} {
		check.Same(id, ids[id], true)
	}
	check.Same("id", check.Must(s.Models.Get(s.ctx, "test-model", anthropic.ModelGetParams{})).ID, "test-model")
	_, err := s.Models.Get(s.ctx, "nothing", anthropic.ModelGetParams{})
	refused(err, 404, "not_found_error")
}

// refused is the typed error of a refusal.
func refused(err error, status int, kind string) *anthropic.Error {
	var e *anthropic.Error
	if !errors.As(err, &e) {
		check.Fatalf("no *anthropic.Error: %v", err)
	}
	check.Same("status", e.StatusCode, status)
	check.Same("type", string(e.Type()), kind)
	check.Same("a message and a request id", e.Message != "" && e.RequestID != "", true)
	return e
}

func (s *session) wrongKey() {
	_, err := s.Messages.New(s.ctx, ask(check.Model, "Hello"), option.WithAPIKey("sk-wrong"))
	refused(err, 401, "authentication_error")
}

func (s *session) unknownModel() {
	_, err := s.Messages.New(s.ctx, ask("nothing", "Hello"))
	refused(err, 404, "not_found_error")
	_, _, err = s.read(ask("nothing", "Hello"))
	refused(err, 404, "not_found_error")
}

func (s *session) badRequest(model string) {
	_, err := s.Messages.New(s.ctx, ask(model, "refuse"))
	e := refused(err, 400, "invalid_request_error")
	check.Same("the backend's words", strings.Contains(e.Message, "'temperature' is out of range."), true)
}

func (s *session) rateLimit() {
	for _, model := range []string{"limited", "claude-limited"} {
		_, err := s.Messages.New(s.ctx, ask(model, "Hello"))
		check.Same("retry-after", refused(err, 429, "rate_limit_error").Response.Header.Get("retry-after"), "7")
	}
}

func (s *session) streamError() {
	for _, model := range []string{"breaks", "claude-breaks"} {
		_, text, err := s.read(ask(model, "Hello"))
		var e *anthropic.Error
		if !errors.As(err, &e) || e.Message == "" || !strings.HasPrefix(text, "one ") {
			check.Fatalf("after %q the stream ended with %v", text, err)
		}
	}
}
