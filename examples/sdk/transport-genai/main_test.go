// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"testing"

	"github.com/maccracken/hoosh/examples/internal/exampletest"
)

func TestRun(t *testing.T) {
	router := exampletest.Router(t)
	var out bytes.Buffer
	if err := run(t.Context(), &out, router); err != nil {
		t.Fatal(err)
	}
	const want = `You said: Hello (4 tokens)
You said: Tell me more (STOP)
search({"text":"the sky"})
I found: a page about the sky
404 NOT_FOUND
`
	if out.String() != want {
		t.Errorf("it says\n%swant\n%s", &out, want)
	}
}
