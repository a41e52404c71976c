// SPDX-License-Identifier: AGPL-3.0-only

// Command transport-goopenai puts hoosh under github.com/sashabaranov/go-openai,
// in this process: code that uses that client gets every backend, and nothing
// listens.
//
//	go run ./examples/transport-goopenai
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

	openai "github.com/sashabaranov/go-openai"

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
	// These three lines are all there is to it: the host does not matter, nor does
	// the key.
	cfg := openai.DefaultConfig("")
	cfg.BaseURL = "http://hoosh/v1"
	cfg.HTTPClient = &http.Client{Transport: server.Transport(router)}

	client := openai.NewClientWithConfig(cfg)
	return errors.Join(whole(ctx, w, client), stream(ctx, w, client), tools(ctx, w, client), unknown(ctx, w, client))
}

func user(text string) openai.ChatCompletionMessage {
	return openai.ChatCompletionMessage{Role: openai.ChatMessageRoleUser, Content: text}
}

func whole(ctx context.Context, w io.Writer, client *openai.Client) error {
	resp, err := client.CreateChatCompletion(ctx, openai.ChatCompletionRequest{
		Model: "writer", Messages: []openai.ChatCompletionMessage{user("Hello")},
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %s\n", resp.Header().Get("X-Hoosh-Provider"), resp.Choices[0].Message.Content)
	return nil
}

func stream(ctx context.Context, w io.Writer, client *openai.Client) error {
	stream, err := client.CreateChatCompletionStream(ctx, openai.ChatCompletionRequest{
		Model: "writer", Messages: []openai.ChatCompletionMessage{user("Tell me more")},
		StreamOptions: &openai.StreamOptions{IncludeUsage: true},
	})
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		chunk, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for _, choice := range chunk.Choices {
			fmt.Fprint(w, choice.Delta.Content)
		}
		if chunk.Usage != nil {
			fmt.Fprintf(w, " (%d tokens)\n", chunk.Usage.TotalTokens)
		}
	}
}

var search = openai.Tool{Type: openai.ToolTypeFunction, Function: &openai.FunctionDefinition{
	Name:        "search",
	Description: "Looks something up.",
	Parameters:  json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`),
}}

// tools lets the model call a tool once, and shows what it makes of the result.
func tools(ctx context.Context, w io.Writer, client *openai.Client) error {
	q := openai.ChatCompletionRequest{
		Model: "agent", Messages: []openai.ChatCompletionMessage{user("Why is the sky blue?")}, Tools: []openai.Tool{search},
	}
	resp, err := client.CreateChatCompletion(ctx, q)
	if err != nil {
		return err
	}
	message := resp.Choices[0].Message
	q.Messages = append(q.Messages, message)
	for _, call := range message.ToolCalls {
		fmt.Fprintf(w, "%s(%s)\n", call.Function.Name, call.Function.Arguments)
		q.Messages = append(q.Messages, openai.ChatCompletionMessage{
			Role: openai.ChatMessageRoleTool, ToolCallID: call.ID, Content: result(call.Function.Arguments),
		})
	}
	if resp, err = client.CreateChatCompletion(ctx, q); err != nil {
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

// unknown shows that errors are the client's own, with hoosh's codes.
func unknown(ctx context.Context, w io.Writer, client *openai.Client) error {
	_, err := client.CreateChatCompletion(ctx, openai.ChatCompletionRequest{
		Model: "nothing", Messages: []openai.ChatCompletionMessage{user("Hello")},
	})
	var e *openai.APIError
	if !errors.As(err, &e) {
		return fmt.Errorf("a model that nobody has was answered: %v", err)
	}
	fmt.Fprintln(w, e.HTTPStatusCode, e.Code)
	return nil
}
