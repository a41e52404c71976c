// SPDX-License-Identifier: AGPL-3.0-only

// Command mount is a web program of its own that has hoosh below /ai/.
//
//	go run ./examples/mount
//	curl http://127.0.0.1:8080/ai/v1/chat/completions -d '{"model": "writer", "messages": [{"role": "user", "content": "Hello"}]}'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

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
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, router, l); err != nil {
		log.Fatal(err)
	}
}

// run serves on l until ctx has ended, and then lets the calls in flight end.
func run(ctx context.Context, w io.Writer, router *hoosh.Router, l net.Listener) error {
	s := &http.Server{Handler: pages(router), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(w, "listening on http://%s\n", l.Addr())
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.Shutdown(ctx)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	fmt.Fprintln(w, "ended")
	return err
}

// pages are the program's own, with hoosh beside them. All of hoosh's formats
// are below /ai: /ai/v1/chat/completions, /ai/v1/messages, /ai/api/chat …
//
// Without keys hoosh serves this machine only, also here. Give it the keys of its
// callers with server.Config, or, where this program knows its callers by itself,
// put its own check around the handler and open it with server.Open.
func pages(router *hoosh.Router) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "The models are below /ai/.")
	})
	mux.Handle("/ai/", http.StripPrefix("/ai", server.New(router).Handler()))
	return mux
}
