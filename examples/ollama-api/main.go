// SPDX-License-Identifier: AGPL-3.0-only

// Command ollama-api asks hoosh in Ollama's format, with net/http alone: the way
// of a program that was written for Ollama and is to have every backend.
//
//	go run ./examples/ollama-api
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

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
	// A program that speaks to an Ollama takes its address from OLLAMA_HOST; here
	// hoosh is in the process, and the host of a URL does not matter.
	c := client{&http.Client{Transport: server.Transport(router)}}
	return errors.Join(c.whole(ctx, w), c.stream(ctx, w), c.tools(ctx, w))
}

// What follows is as much of Ollama's format as is needed here.
type (
	request struct {
		Model    string    `json:"model"`
		Messages []message `json:"messages"`
		Tools    []tool    `json:"tools,omitempty"`
		Stream   bool      `json:"stream"`
	}
	message struct {
		Role      string `json:"role"`
		Content   string `json:"content"`
		ToolCalls []call `json:"tool_calls,omitempty"`
		ToolName  string `json:"tool_name,omitempty"`
	}
	call struct {
		Function struct {
			Name      string          `json:"name"`
			Arguments json.RawMessage `json:"arguments"` // an object
		} `json:"function"`
	}
	tool struct {
		Type     string   `json:"type"`
		Function function `json:"function"`
	}
	function struct {
		Name        string          `json:"name"`
		Description string          `json:"description"`
		Parameters  json.RawMessage `json:"parameters"`
	}
	// answer is a whole answer, or a line of one.
	answer struct {
		Message         message `json:"message"`
		Done            bool    `json:"done"`
		DoneReason      string  `json:"done_reason"`
		PromptEvalCount int     `json:"prompt_eval_count"`
		EvalCount       int     `json:"eval_count"`
		Error           string  `json:"error"`
	}
)

type client struct{ http *http.Client }

// chat sends q and gives each line of the answer to show: one, or those of a
// stream.
func (c client) chat(ctx context.Context, q request, show func(answer)) error {
	body, err := json.Marshal(q)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://hoosh/api/chat", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for lines := json.NewDecoder(resp.Body); ; {
		var a answer
		if err := lines.Decode(&a); err != nil {
			return fmt.Errorf("the answer has no end: %w", err)
		}
		if a.Error != "" {
			return errors.New(a.Error)
		}
		show(a)
		if a.Done {
			return nil
		}
	}
}

func (c client) whole(ctx context.Context, w io.Writer) error {
	return c.chat(ctx, request{Model: "writer", Messages: []message{{Role: "user", Content: "Hello"}}}, func(a answer) {
		fmt.Fprintf(w, "%s (%s, %d tokens)\n", a.Message.Content, a.DoneReason, a.PromptEvalCount+a.EvalCount)
	})
}

func (c client) stream(ctx context.Context, w io.Writer) error {
	q := request{Model: "writer", Messages: []message{{Role: "user", Content: "Tell me more"}}, Stream: true}
	pieces := 0
	err := c.chat(ctx, q, func(a answer) {
		if a.Message.Content != "" {
			pieces++
		}
		fmt.Fprint(w, a.Message.Content)
	})
	fmt.Fprintf(w, " (%d pieces)\n", pieces)
	return err
}

var search = tool{Type: "function", Function: function{
	Name:        "search",
	Description: "Looks something up.",
	Parameters:  json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}`),
}}

// tools lets the model call a tool once, and shows what it makes of the result.
func (c client) tools(ctx context.Context, w io.Writer) error {
	q := request{Model: "agent", Messages: []message{{Role: "user", Content: "Why is the sky blue?"}}, Tools: []tool{search}}
	err := c.chat(ctx, q, func(a answer) {
		q.Messages = append(q.Messages, a.Message)
		for _, call := range a.Message.ToolCalls {
			fmt.Fprintf(w, "%s(%s)\n", call.Function.Name, call.Function.Arguments)
			q.Messages = append(q.Messages, message{Role: "tool", ToolName: call.Function.Name, Content: result(call.Function.Arguments)})
		}
	})
	if err != nil {
		return err
	}
	return c.chat(ctx, q, func(a answer) { fmt.Fprintln(w, a.Message.Content) })
}

func result(arguments []byte) string {
	var a struct{ Text string }
	if err := json.Unmarshal(arguments, &a); err != nil {
		return "these arguments do not fit: " + err.Error()
	}
	return "a page about " + a.Text
}
