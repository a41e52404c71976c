// SPDX-License-Identifier: AGPL-3.0-only

package goopenai_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/goopenai"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/openai"
)

// answer uses every field of go-openai's that hoosh has one for.
func answer() openai.ChatCompletionResponse {
	return openai.ChatCompletionResponse{
		ID: "chatcmpl-1", Object: "chat.completion", Created: 1767225600, Model: "m", SystemFingerprint: "fp", ServiceTier: "flex",
		Choices: []openai.ChatCompletionChoice{
			{Index: 0, FinishReason: "tool_calls", Message: openai.ChatCompletionMessage{
				Role: "assistant", Content: "I look.", ReasoningContent: "Hm.",
				ToolCalls: []openai.ToolCall{{ID: "call_1", Type: "function", Function: openai.FunctionCall{Name: "look", Arguments: `{"at":"cat"}`}}},
			}},
			{Index: 1, FinishReason: "content_filter", Message: openai.ChatCompletionMessage{Role: "assistant", Refusal: "No."},
				ContentFilterResults: openai.ContentFilterResults{Hate: openai.Hate{Filtered: true, Severity: "high"}},
				LogProbs:             &openai.LogProbs{Content: []openai.LogProb{{Token: "No", LogProb: -0.5}}}},
		},
		Usage: openai.Usage{
			PromptTokens: 11, CompletionTokens: 5, TotalTokens: 16,
			PromptTokensDetails: &openai.PromptTokensDetails{CachedTokens: 3}, CompletionTokensDetails: &openai.CompletionTokensDetails{ReasoningTokens: 2},
		},
	}
}

func TestResponse(t *testing.T) {
	r, err := goopenai.Response(answer())
	if err != nil {
		t.Fatal(err)
	}
	want := hoosh.Assistant("I look.", hoosh.CallPart("call_1", "look", `{"at":"cat"}`))
	want.Parts = append([]hoosh.Part{hoosh.NewPart(hoosh.PartThinking, hoosh.NewText("Hm."))}, want.Parts...)
	switch {
	case r.ID != "chatcmpl-1", r.Model != "m", !r.Created.Equal(time.Unix(1767225600, 0)), len(r.Choices) != 2:
		t.Errorf("got %s", text(t, r))
	case !r.Choices[0].Message.Equal(want), r.Finish() != hoosh.FinishToolCalls, len(r.Choices[0].Extra) > 0:
		t.Errorf("the first choice is %s", text(t, r))
	case r.Choices[1].Message.Parts[0].Kind != hoosh.PartRefusal, r.Choices[1].Finish != hoosh.FinishContentFilter:
		t.Errorf("the second choice is %s", text(t, r))
	case r.Choices[1].Extra.Get("content_filter_results") == nil, r.Choices[1].Logprobs == nil:
		t.Errorf("the second choice has lost something: %s", text(t, r))
	case r.Usage != hoosh.Usage{Input: 8, CacheRead: 3, Output: 3, Reasoning: 2, Source: hoosh.UsageReported}:
		t.Errorf("usage %+v", r.Usage)
	case !slices.Equal(r.Extra.Keys(), []string{"system_fingerprint", "service_tier"}):
		t.Errorf("extra %q", r.Extra.Keys())
	}
}

// TestResponseThereAndBack: all of it comes back as it was.
func TestResponseThereAndBack(t *testing.T) {
	for _, v := range []openai.ChatCompletionResponse{answer(), {
		Object: "chat.completion", Choices: []openai.ChatCompletionChoice{{Message: openai.ChatCompletionMessage{Role: "assistant", Content: "Hi"}}},
	}} {
		r, err := goopenai.Response(v)
		if err != nil {
			t.Fatal(err)
		}
		got, err := goopenai.FromResponse(r)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("got  %+v\nwant %+v", got, v)
		}
	}
}

// TestResponseZero: a field that go-openai cannot leave out says nothing.
func TestResponseZero(t *testing.T) {
	r, err := goopenai.Response(openai.ChatCompletionResponse{Choices: []openai.ChatCompletionChoice{{Message: openai.ChatCompletionMessage{Role: "assistant", Content: "Hi"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Usage.IsZero() || len(r.Extra) > 0 || len(r.Choices[0].Extra) > 0 || !r.Created.IsZero() || r.Finish() != hoosh.FinishNone {
		t.Errorf("got %+v", r)
	}
	if _, err := goopenai.Response(openai.ChatCompletionResponse{}); !errors.Is(err, hoosh.ErrMalformed) {
		t.Errorf("an answer without choices: %v", err)
	}
}

// TestSignatures: what a backend signed is in the ids of the calls, and is found
// there when the conversation comes back.
func TestSignatures(t *testing.T) {
	sign := func(data string) *hoosh.Signature { return &hoosh.Signature{Issuer: "acme", Data: hoosh.NewText(data)} }
	thought := func(text, data string) hoosh.Part {
		p := hoosh.NewPart(hoosh.PartThinking, hoosh.NewText(text))
		p.Signature = sign(data)
		return p
	}
	first, second := hoosh.CallPart("call_1", "f", "{}"), hoosh.CallPart("call_2", "g", "{}")
	second.Signature = sign("of the second")
	plain := thought("Hm.", "of the thinking")
	plain.Signature = nil
	for _, c := range []struct {
		name       string
		said, want []hoosh.Part
	}{
		{"one thinking", []hoosh.Part{thought("Hm.", "of the thinking"), first, second}, []hoosh.Part{thought("Hm.", "of the thinking"), first, second}},
		{"several", []hoosh.Part{thought("H", "one"), thought("m", "two"), thought(".", "three"), first, second}, []hoosh.Part{plain, first, second}},
	} {
		said := &hoosh.Response{Choices: []hoosh.Choice{{Message: hoosh.Message{Role: hoosh.RoleAssistant, Parts: c.said}}}}
		v, err := goopenai.FromResponse(said)
		if err != nil {
			t.Fatal(err)
		}
		m := v.Choices[0].Message
		q, err := goopenai.Request(openai.ChatCompletionRequest{Messages: []openai.ChatCompletionMessage{
			m, {Role: "tool", ToolCallID: m.ToolCalls[0].ID, Content: "1"}, {Role: "tool", ToolCallID: m.ToolCalls[1].ID, Content: "2"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if want := (hoosh.Message{Role: hoosh.RoleAssistant, Parts: c.want}); !q.Messages[0].Equal(want) || q.Messages[1].Parts[0].Result.ID != "call_1" {
			t.Errorf("%s: the history is %s", c.name, text(t, q))
		}
		r, err := goopenai.Response(v)
		if err != nil || !r.Choices[0].Message.Equal(q.Messages[0]) {
			t.Errorf("%s: the answer is %s, %v", c.name, text(t, r), err)
		}
		if said.Choices[0].Message.ToolCalls()[0].ID != "call_1" {
			t.Errorf("%s: the answer was changed", c.name)
		}
	}
}

func TestFromResponseRefused(t *testing.T) {
	bad := &hoosh.Response{Choices: []hoosh.Choice{{Message: hoosh.Assistant("Hi")}}, Extra: hoosh.Extra{{Key: "x", Value: []byte("{")}}}
	if _, err := goopenai.FromResponse(bad); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Errorf("JSON that is none: %v", err)
	}
	bad.Extra = hoosh.Extra{{Key: "service_tier", Value: []byte("5")}}
	var e *hoosh.Error
	if _, err := goopenai.FromResponse(bad); !errors.As(err, &e) || e.Param != "service_tier" || !errors.Is(err, hoosh.ErrUnsupported) {
		t.Errorf("a number for a text: %v", err)
	}
}

func TestEmbeddingResponse(t *testing.T) {
	v := openai.EmbeddingResponse{Object: "list", Model: "e", Usage: openai.Usage{PromptTokens: 4, TotalTokens: 4}, Data: []openai.Embedding{
		{Object: "embedding", Index: 1, Embedding: []float32{0.25, -1}}, {Object: "embedding", Index: 0, Embedding: []float32{1, 0.1}},
	}}
	r, err := goopenai.EmbeddingResponse(v)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Embeddings, [][]float32{{1, 0.1}, {0.25, -1}}) || r.Usage.Input != 4 || r.Model != "e" {
		t.Errorf("got %+v", r)
	}
	got, err := goopenai.FromEmbeddingResponse(r)
	slices.Reverse(v.Data)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("there and back: %+v, %v", got, err)
	}
	r, err = goopenai.EmbeddingResponse(openai.EmbeddingResponse{Data: []openai.Embedding{}})
	if err != nil || !r.Usage.IsZero() {
		t.Errorf("without usage: %+v, %v", r, err)
	}
	if got, err := goopenai.FromEmbeddingResponse(&hoosh.Response{Model: "e"}); err != nil || len(got.Data) != 0 || got.Object != "list" {
		t.Errorf("no vectors: %+v, %v", got, err)
	}
}

// backend is a router in front of one backend, which answers so.
func backend(t *testing.T, a hooshtest.Answer) *hoosh.Router {
	t.Helper()
	b := hooshtest.New(t)
	b.Answer(a)
	router, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{
		{Name: "acme", Driver: "openai", BaseURL: b.URL(), DialContext: b.DialContext, Models: []string{"*"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { router.Close() })
	return router
}

var hi = &hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("Hi")}}

// TestFromErrorOfBackend: a refusal in OpenAI's shape is told as it came, one in
// another shape in OpenAI's.
func TestFromErrorOfBackend(t *testing.T) {
	for _, c := range []struct{ body, message, filter string }{
		{`{"error":{"message":"not this","type":"invalid_request_error","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, "not this", "ResponsibleAIPolicyViolation"},
		{`{"error":"not this","code":"some words"}`, "not this", ""},
		{`{"detail":[{"loc":["body","messages"],"msg":"not this"}]}`, "not this", ""},
	} {
		_, err := backend(t, hooshtest.Raw(400, "application/json", c.body)).Infer(t.Context(), hi)
		e := goopenai.FromError(err)
		if e == nil || e.HTTPStatusCode != 400 || e.Message != c.message || c.filter != "" && (e.InnerError == nil || e.InnerError.Code != c.filter) {
			t.Errorf("%s: %+v", c.body, e)
		}
	}
}

// stream asks a backend that answers so.
func stream(t *testing.T, a hooshtest.Answer) *hoosh.EventStream {
	t.Helper()
	s, err := backend(t, a).Stream(t.Context(), hi)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestChunks(t *testing.T) {
	s := stream(t, hooshtest.Answer{
		Reasoning: "Hm.", Pieces: []string{"I ", "look."}, Usage: &hooshtest.Usage{Prompt: 3, Completion: 2},
		ToolCalls: []hooshtest.ToolCall{{ID: "call_1", Name: "look", Arguments: `{"at":"the cat"}`}, {ID: "call_2", Name: "wait"}},
	})
	var content, reasoning string
	var calls [2]openai.ToolCall
	var finish openai.FinishReason
	var last openai.ChatCompletionStreamResponse
	roles := 0
	for chunk, err := range goopenai.Chunks(s) {
		if err != nil {
			t.Fatal(err)
		}
		if chunk.Object != "chat.completion.chunk" || chunk.Model != "m" || !strings.HasPrefix(chunk.ID, "chatcmpl-") || last.Usage != nil {
			t.Fatalf("got %+v after %+v", chunk, last)
		}
		last = chunk
		for _, ch := range chunk.Choices {
			content += ch.Delta.Content
			reasoning += ch.Delta.ReasoningContent
			if ch.Delta.Role == "assistant" {
				roles++
			}
			for _, d := range ch.Delta.ToolCalls {
				c := &calls[*d.Index]
				c.ID += d.ID
				c.Function.Name += d.Function.Name
				c.Function.Arguments += d.Function.Arguments
			}
			finish += ch.FinishReason
		}
	}
	want := [2]openai.ToolCall{
		{ID: "call_1", Function: openai.FunctionCall{Name: "look", Arguments: `{"at":"the cat"}`}},
		{ID: "call_2", Function: openai.FunctionCall{Name: "wait", Arguments: "{}"}},
	}
	if content != "I look." || reasoning != "Hm." || roles != 1 || finish != "tool_calls" || !reflect.DeepEqual(calls, want) {
		t.Errorf("got %q, %q, %d roles, %q, %+v", content, reasoning, roles, finish, calls)
	}
	if last.Usage == nil || last.Usage.PromptTokens != 3 || last.Usage.CompletionTokens != 2 || len(last.Choices) != 0 {
		t.Errorf("the last chunk is %+v", last)
	}
	if r, err := s.Response(); err != nil || r.Text() != "I look." {
		t.Errorf("afterwards: %+v, %v", r, err)
	}
}

// TestChunksBroken: an error ends the loop, after what came before it.
func TestChunksBroken(t *testing.T) {
	s := stream(t, hooshtest.Answer{Pieces: []string{"one ", "two "}, Fault: hooshtest.Cut, After: 2})
	content, failed := "", error(nil)
	for chunk, err := range goopenai.Chunks(s) {
		if failed != nil {
			t.Fatal("it goes on after an error")
		}
		if failed = err; err == nil && len(chunk.Choices) > 0 {
			content += chunk.Choices[0].Delta.Content
		}
	}
	if content != "one " || !errors.Is(failed, hoosh.ErrStreamCut) || goopenai.FromError(failed).Code != "stream_cut" {
		t.Errorf("%q, then %v", content, failed)
	}
}

// TestChunksLeft: leaving the loop asks for nothing more.
func TestChunksLeft(t *testing.T) {
	s := stream(t, hooshtest.Pieces("one ", "two "))
	for chunk, err := range goopenai.Chunks(s) {
		if err != nil || chunk.Choices[0].Delta.Role != "assistant" {
			t.Fatalf("%+v, %v", chunk, err)
		}
		break
	}
	if r, err := s.Response(); err != nil || r.Text() != "one two " {
		t.Errorf("the rest: %+v, %v", r, err)
	}
}
