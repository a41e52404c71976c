// SPDX-License-Identifier: AGPL-3.0-only

package goopenai_test

import (
	"context"
	"fmt"
	"log"

	openai "github.com/sashabaranov/go-openai"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/goopenai"
	_ "github.com/maccracken/hoosh/providers/echo"
)

// echoRouter is a router with one provider, which answers in this process.
func echoRouter() *hoosh.Router {
	router, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "echo"}}})
	if err != nil {
		log.Fatal(err)
	}
	return router
}

var hello = openai.ChatCompletionRequest{
	Model:    "echo",
	Messages: []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleUser, Content: "Hello"}},
}

// A program that has go-openai's values asks with them, and gets them.
func Example() {
	router := echoRouter()
	defer router.Close()

	q, err := goopenai.Request(hello)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := router.Infer(context.Background(), q)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := goopenai.FromResponse(resp)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Choices[0].Message.Content)
	fmt.Println(answer.Choices[0].FinishReason, answer.Usage.TotalTokens)
	// Output:
	// echo: no model was asked; you said: Hello
	// stop 9
}

func ExampleChunks() {
	router := echoRouter()
	defer router.Close()

	q, err := goopenai.Request(hello)
	if err != nil {
		log.Fatal(err)
	}
	stream, err := router.Stream(context.Background(), q)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for chunk, err := range goopenai.Chunks(stream) {
		if err != nil {
			log.Fatal(err)
		}
		for _, choice := range chunk.Choices {
			fmt.Print(choice.Delta.Content)
		}
		if chunk.Usage != nil {
			fmt.Printf(" (%d tokens)", chunk.Usage.TotalTokens)
		}
	}
	fmt.Println()
	// Output:
	// echo: no model was asked; you said: Hello (9 tokens)
}

// What go-openai's values cannot hold is named.
func ExampleFromRequest() {
	q := &hoosh.Request{
		Model:       "echo",
		Messages:    []hoosh.Message{hoosh.User("Hello")},
		Temperature: hoosh.Ptr(0.0), // go-openai does not send a zero
		TopK:        hoosh.Ptr(40),
		MaxTokens:   100,
	}
	theirs, dropped, err := goopenai.FromRequest(q)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(theirs.MaxCompletionTokens, dropped)
	// Output:
	// 100 [temperature top_k]
}

func ExampleFromError() {
	router := echoRouter()
	defer router.Close()

	_, err := router.Infer(context.Background(), &hoosh.Request{Model: "ecko", Messages: []hoosh.Message{hoosh.User("Hello")}})
	e := goopenai.FromError(err)
	fmt.Println(e.HTTPStatusCode, e.Code)
	// Output:
	// 404 model_not_found
}

func ExampleEmbeddingRequest() {
	router := echoRouter()
	defer router.Close()

	q, err := goopenai.EmbeddingRequest(openai.EmbeddingRequestStrings{Model: "echo-embed", Input: []string{"the sky", "the sea"}, Dimensions: 16})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := router.Embed(context.Background(), q)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := goopenai.FromEmbeddingResponse(resp)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(answer.Data), "vectors of", len(answer.Data[0].Embedding))
	// Output:
	// 2 vectors of 16
}
