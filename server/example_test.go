// SPDX-License-Identifier: AGPL-3.0-only

package server_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/echo"
	"github.com/maccracken/hoosh/server"
)

// echoRouter is a router with one provider, which answers in this process.
func echoRouter() *hoosh.Router {
	router, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "echo"}}})
	if err != nil {
		log.Fatal(err)
	}
	return router
}

// inMemory serves h on a network that is in this process only.
func inMemory(h http.Handler) (client *http.Client, stop func() error) {
	l := hooshtest.NewListener("localhost")
	s := &http.Server{Handler: h}
	go s.Serve(l) //nolint:errcheck // it ends with stop
	return l.Client(), s.Close
}

const chat = `{"model":"echo","messages":[{"role":"user","content":"Hello"}]}`

// The handler goes into any mux, beside what else a program serves.
func ExampleHandler() {
	router := echoRouter()
	defer router.Close()
	mux := http.NewServeMux()
	mux.Handle("/ai/", http.StripPrefix("/ai", server.Handler(router)))

	client, stop := inMemory(mux)
	defer stop()
	resp, err := client.Post("http://localhost/ai/v1/chat/completions", "application/json", strings.NewReader(chat))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Header.Get("X-Hoosh-Provider"))
	fmt.Println(strings.Contains(string(body), "you said: Hello"))
	// Output:
	// 200 echo
	// true
}

// With Transport the engine is under an HTTP client, and so under any SDK that
// takes one. Nothing listens, and the host of a URL does not matter.
func ExampleTransport() {
	router := echoRouter()
	defer router.Close()
	client := &http.Client{Transport: server.Transport(router)}

	resp, err := client.Post("https://api.example.com/v1/chat/completions", "application/json", strings.NewReader(chat))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Header.Get("X-Hoosh-Route"))
	// Output:
	// 200 model echo
}

// With keys configured every call needs one.
func ExampleNew() {
	router := echoRouter()
	defer router.Close()
	s := server.New(router, server.Config(hoosh.Config{
		Keys: []hoosh.KeyConfig{{Name: "team-a", Secret: "sk-team-a", Models: []string{"echo"}}},
	}))

	client, stop := inMemory(s.Handler())
	defer stop()
	for _, key := range []string{"", "sk-wrong", "sk-team-a"} {
		req, err := http.NewRequest(http.MethodPost, "http://localhost/v1/chat/completions", strings.NewReader(chat))
		if err != nil {
			log.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+key)
		resp, err := client.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		resp.Body.Close()
		fmt.Printf("%q %d\n", key, resp.StatusCode)
	}
	// Output:
	// "" 401
	// "sk-wrong" 401
	// "sk-team-a" 200
}
