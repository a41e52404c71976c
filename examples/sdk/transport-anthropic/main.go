// SPDX-License-Identifier: AGPL-3.0-only

// Command transport-anthropic puts hoosh under Anthropic's own Go library, in
// this process: what was written for Claude gets every backend.
//
//	go -C examples/sdk run ./transport-anthropic
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

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

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
	client := anthropic.NewClient(
		option.WithoutEnvironmentDefaults(),
		option.WithBaseURL("http://hoosh"),
		option.WithAPIKey("none"),
		option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: server.Transport(router)}),
	)
	return errors.Join(whole(ctx, w, client), stream(ctx, w, client), tools(ctx, w, client), unknown(ctx, w, client))
}

func ask(model anthropic.Model, text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     model,
		MaxTokens: 1000,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
	}
}

func whole(ctx context.Context, w io.Writer, client anthropic.Client) error {
	message, err := client.Messages.New(ctx, ask("writer", "Hello"))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s (%d tokens)\n", text(message), message.Usage.InputTokens+message.Usage.OutputTokens)
	return nil
}

// text joins the blocks of text.
func text(message *anthropic.Message) (s string) {
	for _, block := range message.Content {
		if t, ok := block.AsAny().(anthropic.TextBlock); ok {
			s += t.Text
		}
	}
	return s
}

func stream(ctx context.Context, w io.Writer, client anthropic.Client) error {
	stream := client.Messages.NewStreaming(ctx, ask("writer", "Tell me more"))
	defer stream.Close()
	var message anthropic.Message
	for stream.Next() {
		event := stream.Current()
		if err := message.Accumulate(event); err != nil {
			return err
		}
		if e, ok := event.AsAny().(anthropic.ContentBlockDeltaEvent); ok {
			fmt.Fprint(w, e.Delta.Text)
		}
	}
	fmt.Fprintf(w, " (%s)\n", message.StopReason)
	return stream.Err()
}

// tools lets the model call a tool once, and shows what it makes of the result.
func tools(ctx context.Context, w io.Writer, client anthropic.Client) error {
	q := ask("agent", "Why is the sky blue?")
	q.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
		Name:        "search",
		Description: anthropic.String("Looks something up."),
		InputSchema: anthropic.ToolInputSchemaParam{
			Properties: map[string]any{"text": map[string]any{"type": "string"}},
			Required:   []string{"text"},
		},
	}}}
	message, err := client.Messages.New(ctx, q)
	if err != nil {
		return err
	}
	var results []anthropic.ContentBlockParamUnion
	for _, block := range message.Content {
		if call, ok := block.AsAny().(anthropic.ToolUseBlock); ok {
			fmt.Fprintf(w, "%s(%s)\n", call.Name, call.Input)
			results = append(results, anthropic.NewToolResultBlock(call.ID, result(call.Input), false))
		}
	}
	q.Messages = append(q.Messages, message.ToParam(), anthropic.NewUserMessage(results...))
	if message, err = client.Messages.New(ctx, q); err != nil {
		return err
	}
	fmt.Fprintln(w, text(message))
	return nil
}

func result(arguments []byte) string {
	var a struct{ Text string }
	if err := json.Unmarshal(arguments, &a); err != nil {
		return "these arguments do not fit: " + err.Error()
	}
	return "a page about " + a.Text
}

// unknown shows that errors are the library's own, with Anthropic's words.
func unknown(ctx context.Context, w io.Writer, client anthropic.Client) error {
	_, err := client.Messages.New(ctx, ask("nothing", "Hello"))
	var e *anthropic.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("a model that nobody has was answered: %v", err)
	}
	fmt.Fprintln(w, e.StatusCode, e.Type())
	return nil
}
