// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/echo"
	"github.com/maccracken/hoosh/server"
)

// The driver "echo" answers in this process, so this runs anywhere. With another
// driver, and its package imported, only Providers and Model change.
func Example() {
	router, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "echo"}},
		Aliases:   map[string]string{"small": "echo/echo"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer router.Close()

	resp, err := router.Infer(context.Background(), &hoosh.Request{
		Model:    "small",
		Messages: []hoosh.Message{hoosh.User("Hello")},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	fmt.Println(resp.Provider, resp.Finish(), resp.Usage)
	// Output:
	// echo: no model was asked; you said: Hello
	// echo stop 1 in, 8 out (reported)
}

// echoRouter is a router with one provider, which answers in this process.
func echoRouter() *hoosh.Router {
	router, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "echo"}}})
	if err != nil {
		log.Fatal(err)
	}
	return router
}

func ExampleRouter_Infer() {
	router := echoRouter()
	defer router.Close()

	resp, err := router.Infer(context.Background(), &hoosh.Request{
		Model: "echo",
		Messages: []hoosh.Message{
			hoosh.System("Be short."),
			hoosh.User("What is this?", hoosh.Image("https://example.com/cat.png")),
		},
		Temperature: hoosh.Ptr(0.0), // a pointer, for zero is a choice
		MaxTokens:   7,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	fmt.Println(resp.Finish())
	// Output:
	// echo: no model was asked; you said:
	// length
}

func ExampleRouter_Stream() {
	router := echoRouter()
	defer router.Close()

	stream, err := router.Stream(context.Background(), &hoosh.Request{
		Model:    "echo",
		Messages: []hoosh.Message{hoosh.User("Hello")},
	})
	if err != nil {
		log.Fatal(err) // nothing has been shown; other backends were tried
	}
	defer stream.Close()
	for event, err := range stream.Events() {
		if err != nil {
			log.Fatal(err) // it broke off after what was printed
		}
		fmt.Print(event.Text())
	}
	fmt.Println()

	resp, err := stream.Response() // the whole of it
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Finish(), resp.Usage.Total(), "tokens")
	// Output:
	// echo: no model was asked; you said: Hello
	// stop 9 tokens
}

func ExampleRouter_Embed() {
	router := echoRouter()
	defer router.Close()

	resp, err := router.Embed(context.Background(), &hoosh.Request{
		Model:      "echo-embed",
		Input:      []hoosh.Input{{Content: hoosh.NewText("the sky")}, {Content: hoosh.NewText("the sea")}},
		Dimensions: 16,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(resp.Embeddings), "vectors of", len(resp.Embeddings[0]))
	// Output:
	// 2 vectors of 16
}

// Anything that is a Doer can be a backend.
func ExampleNewRouter() {
	down := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return nil, &hoosh.Error{Kind: hoosh.ErrUnavailable, Message: "nobody is at home"}
	})
	up := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: []byte(`{"choices":[{"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}`)}, nil
	})
	router, err := hoosh.NewRouter(
		[]hoosh.Provider{{Name: "down", Doer: down, Local: true}, {Name: "up", Doer: up}},
		[]hoosh.Route{{Match: []string{"m"}, To: []hoosh.Target{{Target: "down/*"}, {Target: "up/*"}}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	defer router.Close()

	resp, err := router.Infer(context.Background(), &hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("Hello")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text(), "from", resp.Provider)
	// Output:
	// Hi from up
}

// Plan says who would be asked and, for the others, why not.
func ExampleRouter_Plan() {
	router, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "first", Driver: "echo"}, {Name: "second", Driver: "echo", Disabled: true}},
		Routes:    []hoosh.Route{{Match: []string{"gpt-*"}, To: []hoosh.Target{{Target: "second/echo"}, {Target: "first/echo"}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer router.Close()

	plan, err := router.Plan(context.Background(), hoosh.NewCall(&hoosh.Request{Model: "gpt-4o"}))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(plan.Route)
	for _, c := range plan.Candidates {
		fmt.Println(c.Provider, c.Tried, c.Reason)
	}
	// Output:
	// route gpt-*
	// first true local, priority 0
	// second false it is disabled in the configuration
}

// An error has a kind, and what is known of the failure.
func ExampleError() {
	router := echoRouter()
	defer router.Close()

	// This echo plays a backend that refuses our key.
	_, err := router.Infer(context.Background(), &hoosh.Request{
		Model:    "echo/echo-fault:401",
		Messages: []hoosh.Message{hoosh.User("Hello")},
	})
	fmt.Println(errors.Is(err, hoosh.ErrUpstreamAuth))

	var e *hoosh.Error
	if errors.As(err, &e) {
		fmt.Println(e.Provider, "answered", e.Status, "- a client gets", e.HTTPStatus())
		fmt.Println(e.Upstream, e.Retryable(), len(e.Tried))
	}
	// Output:
	// true
	// echo answered 401 - a client gets 502
	// true false 0
}

// A call can carry bytes as they came. To a backend of the same wire format they
// go out as they are, but for what must change: here the model's name.
func ExampleParseCall() {
	backend := hoosh.DoerFunc(func(_ context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
		body, _, err := c.BodyFor(&hoosh.Profile{Dialect: hoosh.OpenAI})
		if err != nil {
			return nil, err
		}
		fmt.Printf("sent %s\n", body.Bytes())
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: []byte(`{ "choices": [], "vendor": 1.0 }`)}, nil
	})
	router, err := hoosh.NewRouter(
		[]hoosh.Provider{{Name: "acme", Doer: backend}},
		[]hoosh.Route{{Match: []string{"fast"}, To: []hoosh.Target{{Target: "acme/acme-1"}}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	defer router.Close()

	call, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"model":"fast", "messages":[], "new_field":1e0}`))
	if err != nil {
		log.Fatal(err)
	}
	defer call.Release()
	reply, err := router.Do(context.Background(), call)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("got  %s from %s\n", reply.Body, reply.Provider)
	// Output:
	// sent {"model":"acme-1", "messages":[], "new_field":1e0}
	// got  { "choices": [], "vendor": 1.0 } from acme
}

// A Client is the Gateway of a hoosh elsewhere; here it is reached in memory.
func ExampleClient() {
	router := echoRouter()
	defer router.Close()
	l := hooshtest.NewListener("localhost")
	s := &http.Server{Handler: server.Handler(router)}
	go s.Serve(l) //nolint:errcheck // it ends with Close
	defer s.Close()

	client, err := hoosh.NewClient(hoosh.ClientConfig{BaseURL: l.URL(), DialContext: l.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	resp, err := client.Infer(context.Background(), &hoosh.Request{Model: "echo", Messages: []hoosh.Message{hoosh.User("Hello")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	_, err = client.Infer(context.Background(), &hoosh.Request{Model: "ecko", Messages: []hoosh.Message{hoosh.User("Hello")}})
	fmt.Println(errors.Is(err, hoosh.ErrModelNotFound))
	// Output:
	// echo: no model was asked; you said: Hello
	// true
}

// NewGateway gives one Doer the typed methods, without a router.
func ExampleNewGateway() {
	gateway := hoosh.NewGateway(hoosh.DoerFunc(func(_ context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
		q, err := c.Request()
		if err != nil {
			return nil, err
		}
		resp := &hoosh.Response{Choices: []hoosh.Choice{{
			Message: hoosh.Assistant(q.Messages[0].Text() + " to you too"),
			Finish:  hoosh.FinishStop,
		}}}
		body, err := resp.MarshalJSON()
		if err != nil {
			return nil, err
		}
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: body}, nil
	}))
	defer gateway.Close()

	resp, err := gateway.Infer(context.Background(), &hoosh.Request{Model: "any", Messages: []hoosh.Message{hoosh.User("Hello")}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Text())
	// Output:
	// Hello to you too
}
