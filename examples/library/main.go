// SPDX-License-Identifier: AGPL-3.0-only

// Command library uses hoosh as a package: it asks for a whole answer, for one as
// it is made, and for one that needs a tool.
//
//	go run ./examples/library
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/echo" // or providers/all, or the ones you want
)

func main() {
	router, err := hoosh.New(hoosh.Config{
		// echo asks no model, so that this runs anywhere. With another driver only
		// this configuration changes: {Name: "ollama"}, {Name: "openai", Key: …}.
		Providers: []hoosh.ProviderConfig{{Name: "echo", Models: []string{"echo*"}}},
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
	return errors.Join(whole(ctx, w, router), stream(ctx, w, router), tools(ctx, w, router))
}

// whole asks for one whole answer.
func whole(ctx context.Context, w io.Writer, router *hoosh.Router) error {
	resp, err := router.Infer(ctx, &hoosh.Request{
		Model:       "writer",
		Messages:    []hoosh.Message{hoosh.System("Be brief."), hoosh.User("Hello")},
		MaxTokens:   200,
		Temperature: hoosh.Ptr(0.2), // a pointer, for zero is a choice
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %s (%d tokens)\n", resp.Provider, resp.Text(), resp.Usage.Total())
	return nil
}

// stream shows an answer as it is made.
func stream(ctx context.Context, w io.Writer, router *hoosh.Router) error {
	stream, err := router.Stream(ctx, &hoosh.Request{
		Model:    "writer",
		Messages: []hoosh.Message{hoosh.User("Tell me more")},
	})
	if err != nil {
		return err // nothing has been shown; other backends were tried
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			return err // it broke off after what was shown
		}
		fmt.Fprint(w, event.Text())
	}
	resp, err := stream.Response() // the whole of it
	if err != nil {
		return err
	}
	fmt.Fprintf(w, " (%s)\n", resp.Finish())
	return nil
}

// search is a tool that the model may call.
var search = hoosh.Tool{
	Name:        "search",
	Description: hoosh.NewText("Looks something up."),
	Parameters:  json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`),
}

// tools goes on until the model has all the results that it asked for.
func tools(ctx context.Context, w io.Writer, router *hoosh.Router) error {
	q := &hoosh.Request{
		Model:    "agent",
		Messages: []hoosh.Message{hoosh.User("Why is the sky blue?")},
		Tools:    []hoosh.Tool{search},
	}
	for range 5 { // a model may ask again
		resp, err := router.Infer(ctx, q)
		if err != nil {
			return err
		}
		calls := resp.ToolCalls()
		if len(calls) == 0 {
			fmt.Fprintln(w, resp.Text())
			return nil
		}
		q.Messages = append(q.Messages, resp.Choices[0].Message)
		for _, call := range calls {
			fmt.Fprintf(w, "%s(%s)\n", call.Name, call.Arguments.JSON())
			q.Messages = append(q.Messages, hoosh.ToolResult(call.ID, result(call)))
		}
	}
	return errors.New("the model asks for tools without an end")
}

// result is what a tool answers. The arguments are the model's: they may be
// anything, and telling it so is often enough.
func result(call *hoosh.ToolCall) string {
	var arguments struct{ Text string }
	if err := json.Unmarshal(call.Arguments.JSON(), &arguments); err != nil {
		return "these arguments are no JSON: " + err.Error()
	}
	return "a page about " + arguments.Text
}
