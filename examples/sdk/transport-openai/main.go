// SPDX-License-Identifier: AGPL-3.0-only

// Command transport-openai puts hoosh under OpenAI's own Go library, in this
// process: chat completions and the Responses API, with every backend.
//
//	go -C examples/sdk run ./transport-openai
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/echo" // or providers/all, or the ones you want
	"github.com/maccracken/hoosh/server"
)

func main() {
	router, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "echo", Models: []string{"echo*"}}}, // it asks no model
		Aliases:   map[string]string{"writer": "echo/echo", "agent": "echo/echo-tool:search"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer router.Close()
	if err := run(context.Background(), os.Stdout, router); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer, router *hoosh.Router) error {
	// The host does not matter, nor does the key, but the library wants both. hoosh
	// tries again by itself, so the library need not.
	client := openai.NewClient(
		option.WithBaseURL("http://hoosh/v1"),
		option.WithAPIKey("none"),
		option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: server.Transport(router)}),
	)
	return errors.Join(whole(ctx, w, client), stream(ctx, w, client), tools(ctx, w, client), respond(ctx, w, client), unknown(ctx, w, client))
}

func user(text string) []openai.ChatCompletionMessageParamUnion {
	return []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)}
}

func whole(ctx context.Context, w io.Writer, client openai.Client) error {
	resp, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "writer", Messages: user("Hello")})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s (%d tokens)\n", resp.Choices[0].Message.Content, resp.Usage.TotalTokens)
	return nil
}

func stream(ctx context.Context, w io.Writer, client openai.Client) error {
	stream := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{Model: "writer", Messages: user("Tell me more")})
	defer stream.Close()
	finish := ""
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			fmt.Fprint(w, choice.Delta.Content)
			finish += choice.FinishReason
		}
	}
	fmt.Fprintf(w, " (%s)\n", finish)
	return stream.Err()
}

// tools lets the model call a tool once, and shows what it makes of the result.
func tools(ctx context.Context, w io.Writer, client openai.Client) error {
	q := openai.ChatCompletionNewParams{
		Model:    "agent",
		Messages: user("Why is the sky blue?"),
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name:        "search",
			Description: openai.String("Looks something up."),
			Parameters: shared.FunctionParameters{
				"type":       "object",
				"properties": map[string]any{"text": map[string]any{"type": "string"}},
				"required":   []string{"text"},
			},
		})},
	}
	resp, err := client.Chat.Completions.New(ctx, q)
	if err != nil {
		return err
	}
	message := resp.Choices[0].Message
	q.Messages = append(q.Messages, message.ToParam())
	for _, call := range message.ToolCalls {
		fmt.Fprintf(w, "%s(%s)\n", call.Function.Name, call.Function.Arguments)
		q.Messages = append(q.Messages, openai.ToolMessage(result(call.Function.Arguments), call.ID))
	}
	if resp, err = client.Chat.Completions.New(ctx, q); err != nil {
		return err
	}
	fmt.Fprintln(w, resp.Choices[0].Message.Content)
	return nil
}

func result(arguments string) string {
	var a struct{ Text string }
	if err := json.Unmarshal([]byte(arguments), &a); err != nil {
		return "these arguments are no JSON: " + err.Error()
	}
	return "a page about " + a.Text
}

// respond asks in OpenAI's newer format, the Responses API.
func respond(ctx context.Context, w io.Writer, client openai.Client) error {
	resp, err := client.Responses.New(ctx, responses.ResponseNewParams{
		Model: "writer",
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Hello again")},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s (%s)\n", resp.OutputText(), resp.Status)
	return nil
}

// unknown shows that errors are the library's own, with hoosh's codes.
func unknown(ctx context.Context, w io.Writer, client openai.Client) error {
	_, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{Model: "nothing", Messages: user("Hello")})
	var e *openai.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("a model that nobody has was answered: %v", err)
	}
	fmt.Fprintln(w, e.StatusCode, e.Code)
	return nil
}
