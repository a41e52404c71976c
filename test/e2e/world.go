// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/config"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/all"
	"github.com/maccracken/hoosh/server"
	"github.com/maccracken/hoosh/test/e2e/proc"
)

const (
	smollm    = "smollm2-135m-instruct" // as llama.cpp has it
	smollmTag = "smollm2:135m"          // as Ollama has it
	engineKey = "key-of-the-embedder"
)

// engine is a backend that runs, or one of hooshtest's.
type engine struct {
	*proc.Process
	port int
	surface
}

// world is what the cases run in.
type world struct {
	root string // of the source tree
	dir  string // for everything that is left behind; removed at the end
	bin  string // the hoosh command

	llama    *engine // nil: not here, as the next three
	second   *engine // of the same model; one case kills it
	embedder *engine // with a key
	ollama   *engine
	scripted *hooshtest.Backend

	served  surface // hoosh serve, with all of the above
	inside  surface // the same configuration in this process
	hoosh   *proc.Hoosh
	router  *hoosh.Router
	running []*proc.Process
}

// close ends everything, the last started first.
func (w *world) close() {
	if w.router != nil {
		w.router.Close()
	}
	for i := len(w.running) - 1; i >= 0; i-- {
		w.running[i].Stop(10 * time.Second)
	}
	os.RemoveAll(w.dir)
}

// start starts an engine on a port, 0 for any. It does not wait for it.
func (w *world) start(name string, port int, args ...string) (*engine, error) {
	var err error
	if port == 0 {
		if port, err = proc.FreePort(); err != nil {
			return nil, err
		}
	}
	script := filepath.Join(w.root, "test", "engines", "start.sh")
	p, err := proc.Start(proc.Command{Name: name, Args: append([]string{"bash", script, name, strconv.Itoa(port)}, args...), Dir: w.dir})
	if err != nil {
		return nil, err
	}
	w.running = append(w.running, p)
	return &engine{Process: p, port: port, surface: overHTTP(name, fmt.Sprintf("http://127.0.0.1:%d", port))}, nil
}

// startEngines starts all that there are and waits until they can be asked.
func (w *world) startEngines(ctx context.Context, has versions) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	var errs []error
	add := func(e **engine, name string, port int, args ...string) {
		var err error
		if *e, err = w.start(name, port, args...); err != nil {
			errs = append(errs, err)
		}
	}
	if has.llamacpp != "" {
		port := 0
		if proc.IsFree(llamaPort) {
			port = llamaPort
		}
		add(&w.llama, "llamacpp", port, "--ctx", "2048")
		add(&w.second, "llamacpp", 0, "--ctx", "2048")
		add(&w.embedder, "llamacpp", 0, "--ctx", "1024", "--embeddings", "--api-key", engineKey)
	}
	if has.ollama != "" {
		add(&w.ollama, "ollama", 0)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, wait := range []struct {
		e    *engine
		path string
	}{{w.llama, "/health"}, {w.second, "/health"}, {w.embedder, "/health"}, {w.ollama, "/api/version"}} {
		if wait.e != nil {
			errs = append(errs, wait.e.Ready(ctx, wait.e.base+wait.path))
		}
	}
	return errors.Join(errs...)
}

// llamaPort is where hoosh looks for a llama.cpp that nobody has told it of.
const llamaPort = 8080

// config is hoosh.yaml for everything that is here.
func (w *world) config() string {
	var b strings.Builder
	provider := func(name, driver, base string, more ...string) {
		fmt.Fprintf(&b, "  - {name: %s, driver: %s, base_url: %q", name, driver, base)
		for _, m := range more {
			b.WriteString(", " + m)
		}
		b.WriteString("}\n")
	}
	b.WriteString("version: 1\nproviders:\n")
	provider("scripted", "compat", w.scripted.URL())
	if w.llama != nil {
		provider("llamacpp", "llamacpp", w.llama.base)
		provider("second", "llamacpp", w.second.base, "priority: 50")
		provider("embedder", "llamacpp", w.embedder.base, "key: "+engineKey, "priority: 60")
		provider("locked-out", "llamacpp", w.embedder.base, "key: not-the-key", "priority: 70")
	}
	if w.ollama != nil {
		provider("ollama", "ollama", w.ollama.base, "priority: 10")
	}
	b.WriteString("aliases: {said: scripted/test-model}\n")
	if w.llama != nil {
		fmt.Fprintf(&b, "routes:\n  - {match: [duo], to: [second/%s, llamacpp/%s]}\n  - {match: [locked], to: [locked-out/%s]}\n", smollm, smollm, smollm)
	}
	return b.String()
}

// startHoosh serves the configuration, and loads it into this process too.
func (w *world) startHoosh(ctx context.Context) (err error) {
	if w.hoosh, err = proc.Serve(ctx, w.bin, w.dir, w.config()); err != nil {
		return err
	}
	w.running = append(w.running, w.hoosh.Process)
	w.served = overHTTP("served", w.hoosh.URL)
	w.router, w.inside, err = inProcess(w.hoosh.File)
	return err
}

// inProcess makes a router of a file and puts it under an HTTP client.
func inProcess(file string) (*hoosh.Router, surface, error) {
	cfg, err := config.Load(file)
	if err != nil {
		return nil, surface{}, err
	}
	router, err := hoosh.New(*cfg)
	if err != nil {
		return nil, surface{}, err
	}
	client := &http.Client{Transport: server.Transport(router, server.Config(*cfg))}
	return router, surface{"in-process", "http://hoosh", client}, nil
}
