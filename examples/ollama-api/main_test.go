// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	router := exampletest.Router(t)
	var out bytes.Buffer
	if err := run(t.Context(), &out, router); err != nil {
		t.Fatal(err)
	}
	const want = `You said: Hello (stop, 4 tokens)
You said: Tell me more (5 pieces)
search({"text":"the sky"})
I found: a page about the sky
`
	if out.String() != want {
		t.Errorf("it says\n%swant\n%s", &out, want)
	}
}

// TestRunRefused: an error is in the answer, under Ollama's name for it.
func TestRunRefused(t *testing.T) {
	router, err := hoosh.New(hoosh.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer router.Close()
	if err := run(t.Context(), &bytes.Buffer{}, router); err == nil || !strings.Contains(err.Error(), "writer") {
		t.Errorf("without a backend: %v", err)
	}
}
