// SPDX-License-Identifier: AGPL-3.0-only

package ollama_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
)

// prompt is a chat with n bytes of text.
func prompt(model string, n int, more string) string {
	return fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"%s"}]%s}`, model, strings.Repeat("a", n), more)
}

func TestWindow(t *testing.T) {
	for _, x := range []struct {
		name, body string
		want       any
	}{
		{"short", prompt("plain:1b", 100, ""), 4096.},
		{"with the answer beyond the default", prompt("plain:1b", 7000, ""), 8192.},
		{"bounded by the model", prompt("plain:1b", 40000, ""), 8192.},
		{"a small answer", prompt("plain:1b", 7000, `,"max_tokens":64`), 4096.},
		{"a large answer reserves no more than", prompt("leveller:20b", 1000, `,"max_tokens":100000`), 16384.},
		{"long", prompt("leveller:20b", 100000, ""), 65536.},
		{"a power of two", prompt("leveller:20b", 3*(8192-2048-8), ""), 8192.},
		{"and one more", prompt("leveller:20b", 3*(8192-2048-8)+3, ""), 16384.},
		{"the Modelfile's", prompt("seeing", 10, ""), 16384.},
		{"an unknown model", prompt("unheard-of", 300000, ""), 131072.},
		{"the caller's", prompt("plain:1b", 40000, `,"num_ctx":512`), 512.},
		{"the caller's option", prompt("plain:1b", 40000, `,"options":{"num_ctx":256}`), 256.},
		{"images", `{"model":"seeing","messages":[{"role":"user","content":[` + strings.TrimSuffix(strings.Repeat(`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},`, 20), ",") + `]}]}`, 32768.},
	} {
		s := some()
		p := known(t, s)
		if _, err := p.Do(t.Context(), openAI(t, x.body)); err != nil {
			t.Fatal(err)
		}
		if got := s.options(t)["num_ctx"]; got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
		if _, sent := s.last(); !strings.Contains(sent, `"truncate":false`) || !strings.Contains(sent, `"shift":false`) {
			t.Errorf("%s: Ollama may cut: %s", x.name, sent[max(0, len(sent)-200):])
		}
	}
}

func TestWindowOfTypedCall(t *testing.T) {
	s := some()
	p := known(t, s)
	long := strings.Repeat("a", 10000)
	q := &hoosh.Request{Model: "leveller:20b", MaxTokens: 10, Tools: []hoosh.Tool{{Name: "f", Description: hoosh.NewText(long)}},
		Messages: []hoosh.Message{hoosh.User("a"), hoosh.Assistant("", hoosh.CallPart("i", "f", `{"a":"`+long+`"}`)), hoosh.ToolResult("i", long)}}
	if _, err := p.Do(t.Context(), hoosh.NewCall(q)); err != nil {
		t.Fatal(err)
	}
	if got := s.options(t)["num_ctx"]; got != 16384. {
		t.Error(got)
	}
	if q.Extra != nil {
		t.Error("the caller's request was changed")
	}
	// Each input is embedded by itself.
	q = &hoosh.Request{Op: hoosh.OpEmbed, Model: "embedder"}
	for range 20 {
		q.Input = append(q.Input, hoosh.Input{Content: hoosh.NewText(long[:1200])})
	}
	if _, err := p.Do(t.Context(), hoosh.NewCall(q)); err != nil {
		t.Fatal(err)
	}
	if got := s.options(t)["num_ctx"]; got != 512. {
		t.Error(got)
	}
	if _, sent := s.last(); strings.Contains(sent, "shift") {
		t.Error("an embedding does not shift")
	}
}

// What cannot fit is refused here; what may, Ollama is told to refuse rather than
// to cut.
func TestTooLong(t *testing.T) {
	s := some()
	p := known(t, s)
	before := s.times("/api/chat")
	_, err := p.Do(t.Context(), openAI(t, prompt("plain:1b", 60000, "")))
	if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrContextLength || e.Code != "context_length_exceeded" || e.Param != "messages" || s.times("/api/chat") != before {
		t.Error(err)
	}
	q := &hoosh.Request{Op: hoosh.OpEmbed, Model: "embedder", Input: []hoosh.Input{{Content: hoosh.NewText(strings.Repeat("a", 9000))}}}
	if _, err := p.Do(t.Context(), hoosh.NewCall(q)); !errors.Is(err, hoosh.ErrContextLength) || hoosh.AsError(err).Param != "input" {
		t.Error(err)
	}
	s.pages["/api/chat"] = func([]byte) (int, string) { return 400, wire("error_context.json") }
	if _, err = p.Do(t.Context(), openAI(t, prompt("plain:1b", 48000, ""))); !errors.Is(err, hoosh.ErrContextLength) {
		t.Error(err)
	}
	// The caller who wants it cut says so.
	s.pages["/api/chat"] = nil
	if _, err = p.Do(t.Context(), openAI(t, prompt("plain:1b", 100, `,"truncate":true,"shift":true`))); err != nil {
		t.Fatal(err)
	}
	if _, sent := s.last(); strings.Contains(sent, `"truncate":false`) || strings.Contains(sent, `"shift":false`) || !strings.Contains(sent, `"truncate":true`) {
		t.Error(sent)
	}
}

// A model is not loaded anew for a call that fits the window it has.
func TestWindowStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := some()
		s.pages["/api/ps"] = text(`{"models":[{"name":"thinker:latest","expires_at":"` + time.Now().Add(time.Hour).Format(time.RFC3339Nano) + `","context_length":32768}]}`)
		p := known(t, s)
		ask := func(model string, bytes int, want float64) {
			t.Helper()
			if _, err := p.Do(t.Context(), openAI(t, prompt(model, bytes, ""))); err != nil {
				t.Fatal(err)
			}
			if got := s.options(t)["num_ctx"]; got != want {
				t.Errorf("num_ctx %v, want %v", got, want)
			}
		}
		ask("leveller:20b", 20000, 16384)
		ask("leveller:20b", 10, 16384)
		time.Sleep(4 * time.Minute)
		ask("leveller:20b", 10, 16384)
		time.Sleep(4 * time.Minute)
		ask("leveller:20b", 60000, 32768)
		time.Sleep(5*time.Minute + time.Second) // unloaded by now
		ask("leveller:20b", 10, 4096)

		ask("thinker", 10, 32768) // somebody else had it loaded
		ask("thinker:latest", 200000, 40960)
		ask("thinker", 10, 40960)
		time.Sleep(2 * time.Hour)
		ask("thinker", 10, 4096)
	})
}
