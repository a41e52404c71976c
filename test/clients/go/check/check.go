// SPDX-License-Identifier: AGPL-3.0-only

// Package check is what the Go clients have in common: checks that are printed,
// and a hoosh in this process to put under a client instead of a network.
package check

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/config"
	_ "github.com/maccracken/hoosh/providers/anthropic"
	_ "github.com/maccracken/hoosh/providers/compat"
	"github.com/maccracken/hoosh/server"
)

// What the backend says; see script.go of the clients' runner.
const (
	Model     = "test-model"  // behind it is OpenAI's chat format
	Claude    = "claude-test" // behind it is Anthropic's
	Text      = "Hello from the backend 🎈"
	Arguments = `{"city":"Köln","unit":"celsius"}`
	Elsewhere = `{"city":"Paris","unit":"celsius"}`
	Event     = `{"name":"Science fair","participants":["Alice","Bob"]}`
	Seen      = "I see 2x1 pixels of #0a141e" // in PNG
)

// Schema is of the one tool that is offered.
var Schema = map[string]any{
	"type": "object", "required": []string{"city", "unit"}, "additionalProperties": false,
	"properties": map[string]any{"city": map[string]any{"type": "string"}, "unit": map[string]any{"type": "string", "enum": []string{"celsius", "fahrenheit"}}},
}

// PNG is a picture.
func PNG() []byte {
	m := image.NewRGBA(image.Rect(0, 0, 2, 1))
	for x := range 2 {
		m.Set(x, 0, color.RGBA{10, 20, 30, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Both makes two checks of one, with the models of both backends.
func Both(name string, run func(model string)) []Check {
	var list []Check
	for _, model := range []string{Model, Claude} {
		list = append(list, Check{Name: name + " " + model, Run: func() { run(model) }})
	}
	return list
}

// Check is one of a client's.
type Check struct {
	Name   string
	Run    func()
	OnlyOn string // "": everywhere; "http": where keys are asked for
}

// Main runs the checks twice, over HTTP and in this process, and ends the
// program. List gives a client's checks at a URL, without /v1, over an HTTP
// client; nil is for the client's own.
func Main(module string, list func(url, key string, over *http.Client) []Check) {
	fmt.Println("name", module, version(module))
	url, key := os.Getenv("CLIENTS_URL"), os.Getenv("OPENAI_API_KEY")
	failed := run("http", list(url, key, nil))
	over, done, err := inProcess()
	if err != nil {
		fmt.Println("FAIL in-process:", err)
		os.Exit(1)
	}
	// Neither the host nor the key matters there.
	failed = run("in-process", list("http://hoosh", "any", over)) || failed
	if err := done(); err != nil || failed {
		os.Exit(1)
	}
}

func inProcess() (over *http.Client, done func() error, err error) {
	cfg, err := config.Load(os.Getenv("CLIENTS_CONFIG"))
	if err != nil {
		return nil, nil, err
	}
	router, err := hoosh.New(*cfg)
	if err != nil {
		return nil, nil, err
	}
	return &http.Client{Transport: server.Transport(router, server.Config(*cfg))}, router.Close, nil
}

func run(surface string, list []Check) (failed bool) {
	for _, c := range list {
		if c.OnlyOn != "" && c.OnlyOn != surface {
			continue
		}
		if why := try(c.Run); why != "" {
			failed = true
			fmt.Printf("FAIL %s %s: %s\n", surface, c.Name, strings.ReplaceAll(why, "\n", " "))
			continue
		}
		fmt.Println("ok", surface, c.Name)
	}
	return failed
}

// failure is how a check ends early.
type failure string

func try(f func()) (why string) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failure:
			why = string(v)
		default:
			why = fmt.Sprintf("panic: %v %s", v, debug.Stack())
		}
	}()
	f()
	return ""
}

// Fatalf ends the check.
func Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// Must ends the check on an error.
func Must[V any](v V, err error) V {
	if err != nil {
		Fatalf("%v", err)
	}
	return v
}

// Same ends the check unless both are equal.
func Same(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		Fatalf("%s: got %#v, want %#v", what, got, want)
	}
}

// version is that of a module in this program.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}
