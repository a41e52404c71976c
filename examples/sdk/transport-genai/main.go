// SPDX-License-Identifier: AGPL-3.0-only

// Command transport-genai puts hoosh under Google's own Go library, in this
// process: what was written for Gemini gets every backend.
//
//	go -C examples/sdk run ./transport-genai
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

	"google.golang.org/genai"

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
	// The host does not matter, nor does the key, but the library wants both.
	client, err := genai.NewClient(ctx, &genai.ClientConfig{
		Backend:     genai.BackendGeminiAPI,
		APIKey:      "none",
		HTTPOptions: genai.HTTPOptions{BaseURL: "http://hoosh"},
		HTTPClient:  &http.Client{Transport: server.Transport(router)},
	})
	if err != nil {
		return err
	}
	models := client.Models
	return errors.Join(whole(ctx, w, models), stream(ctx, w, models), tools(ctx, w, models), unknown(ctx, w, models))
}

func whole(ctx context.Context, w io.Writer, models *genai.Models) error {
	resp, err := models.GenerateContent(ctx, "writer", genai.Text("Hello"), nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s (%d tokens)\n", resp.Text(), resp.UsageMetadata.TotalTokenCount)
	return nil
}

func stream(ctx context.Context, w io.Writer, models *genai.Models) error {
	var finish genai.FinishReason
	for resp, err := range models.GenerateContentStream(ctx, "writer", genai.Text("Tell me more"), nil) {
		if err != nil {
			return err
		}
		fmt.Fprint(w, resp.Text())
		for _, candidate := range resp.Candidates {
			finish += candidate.FinishReason
		}
	}
	fmt.Fprintf(w, " (%s)\n", finish)
	return nil
}

var search = &genai.FunctionDeclaration{
	Name:        "search",
	Description: "Looks something up.",
	Parameters: &genai.Schema{
		Type:       genai.TypeObject,
		Properties: map[string]*genai.Schema{"text": {Type: genai.TypeString}},
		Required:   []string{"text"},
	},
}

// tools lets the model call a tool once, and shows what it makes of the result.
func tools(ctx context.Context, w io.Writer, models *genai.Models) error {
	conversation := genai.Text("Why is the sky blue?")
	config := &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{search}}}}
	resp, err := models.GenerateContent(ctx, "agent", conversation, config)
	if err != nil {
		return err
	}
	var results []*genai.Part
	for _, call := range resp.FunctionCalls() {
		arguments, err := json.Marshal(call.Args)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s(%s)\n", call.Name, arguments)
		results = append(results, &genai.Part{FunctionResponse: &genai.FunctionResponse{
			ID: call.ID, Name: call.Name, Response: map[string]any{"output": fmt.Sprint("a page about ", call.Args["text"])},
		}})
	}
	conversation = append(conversation, resp.Candidates[0].Content, genai.NewContentFromParts(results, genai.RoleUser))
	if resp, err = models.GenerateContent(ctx, "agent", conversation, config); err != nil {
		return err
	}
	fmt.Fprintln(w, resp.Text())
	return nil
}

// unknown shows that errors are the library's own, with Google's words.
func unknown(ctx context.Context, w io.Writer, models *genai.Models) error {
	_, err := models.GenerateContent(ctx, "nothing", genai.Text("Hello"), nil)
	var e genai.APIError
	if !errors.As(err, &e) {
		return fmt.Errorf("a model that nobody has was answered: %v", err)
	}
	fmt.Fprintln(w, e.Code, e.Status)
	return nil
}
