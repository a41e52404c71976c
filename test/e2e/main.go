// SPDX-License-Identifier: AGPL-3.0-only

// Command e2e puts hoosh between clients and real engines, and looks at what
// comes through: over HTTP at a "hoosh serve" of its own, and in this process.
// It starts the engines that the flags name (test/engines has installed them)
// on loopback ports, ends them again, and runs what it can: without an engine
// only the cases with scripted backends.
//
//	go run ./test/e2e -llamacpp 2026.10.11549 -ollama 0.17.4
//
// A case never looks at what a model says, only at how it comes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/test/e2e/proc"
)

// versions of the engines that are installed, "" where one is not.
type versions struct{ llamacpp, ollama string }

// String names what the suite ran with.
func (v versions) String() string {
	var list []string
	if v.llamacpp != "" {
		list = append(list, "llama.cpp "+v.llamacpp+" SmolLM2 135M")
	}
	if v.ollama != "" {
		list = append(list, "Ollama "+v.ollama)
	}
	return strings.Join(append(list, "scripted"), ", ")
}

func main() { os.Exit(run()) }

func run() int {
	var has versions
	s := &suite{out: os.Stdout}
	flag.StringVar(&has.llamacpp, "llamacpp", "", "`version` of the llama.cpp that is installed")
	flag.StringVar(&has.ollama, "ollama", "", "`version` of the Ollama that is installed")
	flag.StringVar(&s.only, "only", "", "run only cases whose name contains this `text`")
	flag.Parse()
	var stop context.CancelFunc
	s.ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := &world{}
	defer w.close()
	start := time.Now()
	if err := w.prepare(s.ctx, has); err != nil {
		s.failed++
		fmt.Fprintf(s.out, "FAIL start: %v\n", err)
	} else {
		fmt.Fprintf(s.out, "e2e: everything runs after %.1f s\n", time.Since(start).Seconds())
		s.all(w)
	}
	fmt.Fprintf(s.out, "e2e: %d passed, %d failed (engines: %s)\n", s.passed, s.failed, has)
	if s.failed > 0 || s.passed == 0 {
		return 1
	}
	return 0
}

// prepare builds hoosh and starts everything.
func (w *world) prepare(ctx context.Context, has versions) (err error) {
	if w.root, err = proc.Root(); err != nil {
		return err
	}
	if w.dir, err = os.MkdirTemp("", "hoosh-e2e-"); err != nil {
		return err
	}
	if w.bin, err = proc.Build(ctx, w.root, w.dir); err != nil {
		return err
	}
	return w.startEngines(ctx, has)
}

// all runs the cases.
func (s *suite) all(w *world) {
	lasting := &T{name: "start", ctx: s.ctx} // what is open to the end
	w.scripted = hooshtest.NewTCP(lasting)
	defer lasting.do(func(*T) {})
	if w.ollama != nil {
		done, err := w.ollama.settle(s)
		if err != nil {
			s.failed++
			fmt.Fprintf(s.out, "FAIL start: %v\n", err)
			return
		}
		defer done()
	}
	if err := w.startHoosh(s.ctx); err != nil {
		s.failed++
		fmt.Fprintf(s.out, "FAIL start: %v\n", err)
		return
	}
	for _, at := range []surface{w.served, w.inside} {
		s.everywhere(at, scripted)
		s.refusals(at)
		if w.llama != nil {
			s.everywhere(at, llama)
			s.spokenCases(at, llama, w.llama, "llamacpp")
			s.llamaCases(w, at)
		}
		if w.ollama != nil {
			s.everywhere(at, ollama)
			s.spokenCases(at, ollama, w.ollama, "ollama")
			s.ollamaCases(w, at)
		}
	}
	s.routers(w)
	for _, at := range []surface{w.served, w.inside} {
		if w.llama != nil {
			s.run(at.name+" llama.cpp: one of two engines is killed", func(t *T) { failover(t, w, at) })
		}
	}
	s.discovery(w)
	s.failures(w)
	s.manners(w)
}

// routers runs what Go programs call.
func (s *suite) routers(w *world) {
	s.typed(w, scripted)
	s.embedded(w, scripted)
	if w.llama != nil {
		s.typed(w, llama)
		s.embedded(w, target{name: "llama.cpp", provider: "embedder", model: smollm})
	}
	if w.ollama != nil {
		s.typed(w, ollama)
	}
}
