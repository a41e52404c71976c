// SPDX-License-Identifier: AGPL-3.0-only

package goopenai_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	openai "github.com/sashabaranov/go-openai"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/goopenai"
)

const schema = `{"type":"object","properties":{"unit":{"type":"string"},"city":{"type":"string"}},"required":["city"]}`

// full uses every field of go-openai's that hoosh has one for.
func full() openai.ChatCompletionRequest {
	return openai.ChatCompletionRequest{
		Model: "m",
		Messages: []openai.ChatCompletionMessage{
			{Role: "developer", Content: "Be brief.", Name: "boss"},
			{Role: "user", MultiContent: []openai.ChatMessagePart{
				{Type: "text", Text: "What is <this>?"},
				{Type: "image_url", ImageURL: &openai.ChatMessageImageURL{URL: "https://example.com/cat.png", Detail: "low"}},
			}},
			{Role: "assistant", ReasoningContent: "Hm.", ToolCalls: []openai.ToolCall{
				{ID: "call_1", Type: "function", Function: openai.FunctionCall{Name: "look", Arguments: `{"at":"cat"}`}},
			}},
			{Role: "tool", ToolCallID: "call_1", Content: "a cat"},
			{Role: "assistant", Refusal: "I would rather not."},
			{Role: "user", Content: "Go on"},
		},
		MaxCompletionTokens: 100, Temperature: 0.7, TopP: 0.9, N: 2, Stop: []string{"END", "\n\n"}, Stream: true,
		StreamOptions:   &openai.StreamOptions{IncludeUsage: true},
		PresencePenalty: 0.1, FrequencyPenalty: -0.2, Seed: hoosh.Ptr(7),
		ResponseFormat: &openai.ChatCompletionResponseFormat{Type: "json_schema", JSONSchema: &openai.ChatCompletionResponseFormatJSONSchema{
			Name: "animal", Schema: json.RawMessage(schema), Strict: true,
		}},
		Tools: []openai.Tool{
			{Type: "function", Function: &openai.FunctionDefinition{Name: "look", Description: "Looks", Parameters: json.RawMessage(schema), Strict: true}},
			{Type: "custom", Parameters: map[string]any{"custom": map[string]any{"name": "shell"}}},
		},
		ToolChoice:        openai.ToolChoice{Type: "function", Function: openai.ToolFunction{Name: "look"}},
		ParallelToolCalls: false, ReasoningEffort: "low", Verbosity: "high", User: "u-1",
		LogitBias: map[string]int{"1639": 6}, LogProbs: true, TopLogProbs: 2, Store: true, ServiceTier: "flex",
		Metadata: map[string]string{"team": "a"}, ChatTemplateKwargs: map[string]any{"enable_thinking": false},
		ChatCompletionRequestExtensions: openai.ChatCompletionRequestExtensions{GuidedChoice: []string{"yes", "no"}},
	}
}

func TestRequest(t *testing.T) {
	q, err := goopenai.Request(full())
	if err != nil {
		t.Fatal(err)
	}
	want := &hoosh.Request{
		Model: "m",
		Messages: []hoosh.Message{
			{Role: hoosh.RoleDeveloper, Name: "boss", Parts: []hoosh.Part{hoosh.TextPart("Be brief.")}},
			hoosh.User("What is <this>?", hoosh.Part{Kind: hoosh.PartImage, Media: &hoosh.Media{URL: hoosh.NewText("https://example.com/cat.png"), Detail: "low"}}),
			{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{
				hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("Hm.")), hoosh.CallPart("call_1", "look", `{"at":"cat"}`),
			}},
			hoosh.ToolResult("call_1", "a cat"),
			{Role: hoosh.RoleAssistant, Parts: []hoosh.Part{hoosh.NewPart(hoosh.PartRefusal, hoosh.NewText("I would rather not."))}},
			hoosh.User("Go on"),
		},
		MaxTokens: 100, Temperature: hoosh.Ptr(0.7), TopP: hoosh.Ptr(0.9), Choices: 2, Stream: true,
		Stop:            []hoosh.Text{hoosh.NewText("END"), hoosh.NewText("\n\n")},
		PresencePenalty: hoosh.Ptr(0.1), FrequencyPenalty: hoosh.Ptr(-0.2), Seed: hoosh.Ptr[int64](7),
		Format: hoosh.Format{Type: "json_schema", Name: "animal", Schema: []byte(schema), Strict: hoosh.Ptr(true)},
		Tools: []hoosh.Tool{
			{Name: "look", Description: hoosh.NewText("Looks"), Parameters: []byte(schema), Strict: hoosh.Ptr(true)},
			{Type: "custom", Raw: []byte(`{"custom":{"name":"shell"},"type":"custom"}`)},
		},
		ToolChoice:    hoosh.ToolChoice{Mode: "function", Name: "look"},
		ParallelTools: hoosh.Ptr(false), Reasoning: hoosh.Reasoning{Effort: "low"}, Verbosity: "high", User: "u-1",
	}
	want.Extra = q.Extra
	if !q.Equal(want) {
		t.Errorf("got  %s\nwant %s", text(t, q), text(t, want))
	}
	keys := slices.Sorted(slices.Values(q.Extra.Keys()))
	if want := []string{"chat_template_kwargs", "guided_choice", "logit_bias", "logprobs", "metadata", "service_tier", "store", "top_logprobs"}; !slices.Equal(keys, want) {
		t.Errorf("extra: %q, want %q", keys, want)
	}
}

// text is how a test shows a value.
func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRequestThereAndBack: what go-openai has fields for comes back as it was,
// and nothing is dropped.
func TestRequestThereAndBack(t *testing.T) {
	q, err := goopenai.Request(full())
	if err != nil {
		t.Fatal(err)
	}
	v, dropped, err := goopenai.FromRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	if len(dropped) > 0 {
		t.Errorf("dropped %q", dropped)
	}
	again, err := goopenai.Request(v)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(again.Extra, func(a, b hoosh.Member) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(q.Extra, func(a, b hoosh.Member) int { return strings.Compare(a.Key, b.Key) })
	if !again.Equal(q) {
		t.Errorf("got  %s\nwant %s", text(t, again), text(t, q))
	}
	if v.Tools[0].Function.Description != "Looks" || text(t, v.Tools[0].Function.Parameters) != schema {
		t.Errorf("the schema is %s", text(t, v.Tools[0].Function.Parameters))
	}
	if v.Stop[1] != "\n\n" || v.Temperature != 0.7 || v.Messages[1].MultiContent[1].ImageURL.Detail != "low" {
		t.Errorf("got %+v", v)
	}
}

func TestRequestLegacy(t *testing.T) {
	v := openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{{Role: "user", Content: "Hi"}, {Role: "user"}}}
	//lint:ignore SA1019 what is old is tested
	v.Functions, v.FunctionCall, v.MaxTokens = []openai.FunctionDefinition{{Name: "f"}}, "auto", 9
	q, err := goopenai.Request(v)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Tools) != 1 || q.Tools[0].Name != "f" || q.ToolChoice.Mode != "auto" || q.MaxTokens != 9 || len(q.Messages) != 2 {
		t.Errorf("got %s", text(t, q))
	}
	if q.Temperature != nil || q.Seed != nil || q.ParallelTools != nil || q.Choices != 0 {
		t.Error("a zero field was said")
	}
}

func TestRequestRefused(t *testing.T) {
	hello := []openai.ChatCompletionMessage{{Role: "user", Content: "Hi"}}
	for _, c := range []struct {
		name, param string
		q           openai.ChatCompletionRequest
	}{
		{"no messages", "messages", openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{}}},
		{"no function", "tools[0]", openai.ChatCompletionRequest{Model: "m", Messages: hello, Tools: []openai.Tool{{Type: "function"}}}},
		{"both contents", "", openai.ChatCompletionRequest{Model: "m", Messages: []openai.ChatCompletionMessage{
			{Role: "user", Content: "a", MultiContent: []openai.ChatMessagePart{{Type: "text", Text: "b"}}},
		}}},
		{"no JSON", "", openai.ChatCompletionRequest{Model: "m", Messages: hello, ToolChoice: func() {}}},
	} {
		_, err := goopenai.Request(c.q)
		var e *hoosh.Error
		if !errors.As(err, &e) || !errors.Is(err, hoosh.ErrInvalidRequest) || e.Param != c.param {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestFromRequestDrops: what go-openai's client would not send is named.
func TestFromRequestDrops(t *testing.T) {
	q := &hoosh.Request{
		Model: "m", Temperature: hoosh.Ptr(0.0), TopP: hoosh.Ptr(0.123456789), TopK: hoosh.Ptr(5), Stop: []hoosh.Text{hoosh.NewText("END")},
		Messages: []hoosh.Message{hoosh.User(""), {Role: hoosh.RoleUser, Parts: []hoosh.Part{
			{Kind: hoosh.PartText, Extra: hoosh.Extra{{Key: "cache_control", Value: []byte(`{"type":"ephemeral"}`)}}}, hoosh.TextPart("Hi"),
		}}},
		Tools: []hoosh.Tool{{Name: "f", Strict: hoosh.Ptr(false), Extra: hoosh.Extra{{Key: "cache_control", Value: []byte(`{"type":"ephemeral"}`)}}}},
		Extra: hoosh.Extra{
			{Key: "seed", Value: []byte(`1`)}, {Key: "min_p", Value: []byte(`0`)},
			{Key: "metadata", Value: []byte(`{"a":"b"}`)}, {Key: "thinking", Value: []byte(`{"type":"enabled"}`)},
		},
	}
	v, dropped, err := goopenai.FromRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"messages[1].content[0].cache_control", "min_p", "seed", "temperature", "thinking", "tools[0].function.strict", "top_k"}
	if !slices.Equal(dropped, want) {
		t.Errorf("dropped %q, want %q", dropped, want)
	}
	if !slices.Equal(v.Stop, []string{"END"}) || v.Metadata["a"] != "b" || v.TopP != 0.12345679 {
		t.Errorf("got %+v", v)
	}
	if !strings.Contains(text(t, v), `"cache_control":{"type":"ephemeral"},"function"`) {
		t.Errorf("the mark on the tool is lost: %s", text(t, v))
	}
	if len(q.Stop) != 1 {
		t.Error("the request was changed")
	}
}

// TestFromRequestUnsupported: what must not be left out is refused.
func TestFromRequestUnsupported(t *testing.T) {
	hello := hoosh.User("Hi")
	file := hoosh.Part{Kind: hoosh.PartFile, Media: &hoosh.Media{ID: "file-1"}}
	sound := hoosh.Part{Kind: hoosh.PartAudio, Media: &hoosh.Media{Data: hoosh.NewText("AAAA"), Format: "wav"}}
	custom := hoosh.Part{Kind: hoosh.PartToolCall, Call: &hoosh.ToolCall{
		ID: "1", Name: "shell", Arguments: hoosh.QuotedArguments(hoosh.NewText("ls")), Extra: hoosh.Extra{{Key: "type", Value: []byte(`"custom"`)}},
	}}
	for _, c := range []struct {
		name, param string
		q           hoosh.Request
	}{
		{"an operation that is no chat", "", hoosh.Request{Op: hoosh.OpEmbed, Input: []hoosh.Input{{}}}},
		{"a file", "messages[1].content[1]", hoosh.Request{Messages: []hoosh.Message{hello, hoosh.User("this", file)}}},
		{"a sound", "messages[0].content[1]", hoosh.Request{Messages: []hoosh.Message{hoosh.User("this", sound)}}},
		{"another kind of part", "messages[0].content[1]", hoosh.Request{Messages: []hoosh.Message{
			hoosh.User("this", hoosh.Part{Kind: hoosh.PartOther, Raw: []byte(`{"type":"video_url","video_url":{"url":"https://example.com"}}`)}),
		}}},
		{"a call of a custom tool", "messages[1].tool_calls[0]", hoosh.Request{Messages: []hoosh.Message{hello, hoosh.Assistant("", custom)}}},
		{"another type", "metadata", hoosh.Request{Messages: []hoosh.Message{hello}, Extra: hoosh.Extra{{Key: "metadata", Value: []byte(`[1]`)}}}},
	} {
		_, _, err := goopenai.FromRequest(&c.q)
		var e *hoosh.Error
		if !errors.As(err, &e) || !errors.Is(err, hoosh.ErrUnsupported) || e.Param != c.param {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	_, _, err := goopenai.FromRequest(&hoosh.Request{Messages: []hoosh.Message{hello}, Temperature: hoosh.Ptr(1.0), Extra: hoosh.Extra{{Key: "x", Value: []byte(`{`)}}})
	if !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Errorf("JSON that is none: %v", err)
	}
}

func TestEmbeddingRequest(t *testing.T) {
	extra := hoosh.Extra{{Key: "input_type", Value: []byte(`"query"`)}}
	for _, c := range []struct {
		name string
		v    openai.EmbeddingRequestConverter
		want hoosh.Request
	}{
		{"text", openai.EmbeddingRequest{Model: "e", Input: "the sky", User: "u", EncodingFormat: "base64", Dimensions: 8},
			hoosh.Request{Input: []hoosh.Input{{Content: hoosh.NewText("the sky")}}, User: "u", Encoding: "base64", Dimensions: 8}},
		{"texts", openai.EmbeddingRequestStrings{Model: "e", Input: []string{"the sky", "the sea"}, ExtraBody: map[string]any{"input_type": "query"}},
			hoosh.Request{Input: []hoosh.Input{{Content: hoosh.NewText("the sky")}, {Content: hoosh.NewText("the sea")}}, Extra: extra}},
		{"tokens", openai.EmbeddingRequestTokens{Model: "e", Input: [][]int{{1, 2}, {1 << 24}}},
			hoosh.Request{Input: []hoosh.Input{{Tokens: []int64{1, 2}}, {Tokens: []int64{1 << 24}}}}},
	} {
		c.want.Op, c.want.Model = hoosh.OpEmbed, "e"
		q, err := goopenai.EmbeddingRequest(c.v)
		if err != nil || !q.Equal(&c.want) {
			t.Errorf("%s: %s, %v", c.name, text(t, q), err)
			continue
		}
		v, err := goopenai.FromEmbeddingRequest(q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		again, err := goopenai.EmbeddingRequest(v)
		if err != nil || !again.Equal(q) {
			t.Errorf("%s, there and back: %s, %v", c.name, text(t, again), err)
		}
	}
	if _, err := goopenai.EmbeddingRequest(openai.EmbeddingRequest{Input: 5}); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Errorf("an input that is a number: %v", err)
	}
	if _, err := goopenai.EmbeddingRequest(openai.EmbeddingRequest{Input: "a", ExtraBody: map[string]any{"f": func() {}}}); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Errorf("an extra that has no JSON: %v", err)
	}
	if _, err := goopenai.FromEmbeddingRequest(&hoosh.Request{}); !errors.Is(err, hoosh.ErrUnsupported) {
		t.Errorf("a chat: %v", err)
	}
}

func TestFromError(t *testing.T) {
	if goopenai.FromError(nil) != nil {
		t.Error("nil became an error")
	}
	param := "messages[0].role"
	for _, c := range []struct {
		name string
		err  error
		want openai.APIError
	}{
		{"ours", &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: param, Message: "want a role"},
			openai.APIError{Message: "want a role", Type: "invalid_request_error", Code: 0 /* as go-openai reads null */, Param: &param, HTTPStatusCode: 400, HTTPStatus: "400 Bad Request"}},
		{"a kind with a code", &hoosh.Error{Kind: hoosh.ErrModelNotFound, Message: "no such model"},
			openai.APIError{Message: "no such model", Type: "invalid_request_error", Code: "model_not_found", HTTPStatusCode: 404, HTTPStatus: "404 Not Found"}},
		{"a backend's", &hoosh.Error{Kind: hoosh.ErrUpstreamAuth, Provider: "acme", Status: 401, Upstream: true, Message: "bad key"},
			openai.APIError{Message: "acme: upstream refused its key: bad key", Type: "server_error", Code: "upstream_auth", HTTPStatusCode: 502, HTTPStatus: "502 Bad Gateway"}},
		{"none of hoosh's", errors.New("boo"),
			openai.APIError{Message: "boo", Type: "server_error", Code: "internal_error", HTTPStatusCode: 500, HTTPStatus: "500 Internal Server Error"}},
		{"a status without a name", &hoosh.Error{Kind: hoosh.ErrCanceled, Message: "gone"},
			openai.APIError{Message: "gone", Type: "server_error", Code: "canceled", HTTPStatusCode: 499, HTTPStatus: "499"}},
	} {
		if got := goopenai.FromError(c.err); !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, *got, c.want)
		}
	}
}
