// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"context"
	"encoding/json"
	"fmt"
	"math/bits"
	"sync"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// How the context window is chosen. Ollama's default is 4,096 tokens unless the
// machine is large, whatever the model can take.
const (
	leastWindow = 4096
	mostWindow  = 128 << 10 // of a model that does not say
	// Tokens are guessed on the safe side: a window that is too small refuses the
	// call, one that is too large costs memory.
	bytesPerToken   = 3
	tokensPerTurn   = 8 // what a template puts around a message
	tokensPerImage  = 1024
	tokensForAnswer = 2048 // for which the caller set no ceiling
	mostForAnswer   = 8192 // a ceiling above it reserves no more: few answers get there
	// A text of more bytes than this a token is so rare that a call which has
	// them is refused without the model being loaded for it.
	mostBytesPerToken = 6
	// For so long Ollama keeps a model that is not used.
	keepAlive = 5 * time.Minute
)

// windows remembers the window that each model was loaded with last. Another
// one makes Ollama load the model anew, so it only grows while the model stays.
type windows struct {
	mu   sync.Mutex
	open map[string]loaded // by full name
}

type loaded struct {
	tokens int
	until  time.Time
}

// atLeast gives the window to ask for when tokens are needed.
func (w *windows) atLeast(model string, tokens int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if old := w.open[model]; time.Now().Before(old.until) {
		tokens = max(tokens, old.tokens)
	}
	return tokens
}

// note remembers the window of a call that was answered: one that the machine
// cannot hold must not be asked for again.
func (w *windows) note(model string, tokens int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	until := now.Add(keepAlive)
	if old := w.open[model]; now.Before(old.until) && old.until.After(until) {
		until = old.until
	}
	if w.open == nil {
		w.open = map[string]loaded{}
	}
	if len(w.open) > 1024 { // of names that a client made up
		clear(w.open)
	}
	w.open[model] = loaded{tokens, until}
}

// noteLoaded learns the windows of the models in memory, whoever had them loaded.
// Without an answer nothing is known, which is no fault.
func (p *provider) noteLoaded(ctx context.Context) {
	body, err := p.up.Get(ctx, "/api/ps")
	if err != nil {
		return
	}
	var list struct {
		Models []struct {
			Name          string    `json:"name"`
			ExpiresAt     time.Time `json:"expires_at"`
			ContextLength int       `json:"context_length"`
		} `json:"models"`
	}
	if json.Unmarshal(body, &list) != nil {
		return
	}
	w := &p.windows
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open = map[string]loaded{}
	for _, m := range list.Models {
		if m.ContextLength > 0 {
			w.open[full(m.Name)] = loaded{m.ContextLength, m.ExpiresAt}
		}
	}
}

// givesWindow reports that the caller chose the window.
func givesWindow(q *hoosh.Request) bool {
	if q.Extra.Get("num_ctx") != nil {
		return true
	}
	c := jsonpeek.New(q.Extra.Get("options"))
	found := false
	if c.Object() {
		for c.Next() {
			found = found || jsonpeek.Equal(c.Key(), "num_ctx") && c.Kind() != jsonpeek.Null
		}
	}
	return found
}

// window is the num_ctx to ask for: a power of two that prompt and answer fit in
// by a careful guess, no less than what the model's file says or than what the
// model is loaded with, and no more than the model can take. A prompt that is
// certainly longer is [hoosh.ErrContextLength].
func (p *provider) window(c *hoosh.Call, q *hoosh.Request, in *info) (int, error) {
	if in == nil {
		in = &info{}
	}
	text, more := size(c, q)
	if in.context > 0 && text/mostBytesPerToken > in.context {
		param := "messages"
		if c.Op == hoosh.OpEmbed {
			param = "input"
		}
		e := p.refuse(c, hoosh.ErrContextLength, param, fmt.Sprintf("a text of %d bytes does not fit the model's context of %d tokens", text, in.context))
		e.Code = "context_length_exceeded"
		return 0, e
	}
	need := text/bytesPerToken + more
	if c.Op == hoosh.OpChat {
		answer := q.MaxTokens
		if answer == 0 {
			answer = tokensForAnswer
		}
		need += min(answer, mostForAnswer)
	}
	tokens := max(1<<bits.Len(uint(max(need, leastWindow)-1)), in.window)
	tokens = p.windows.atLeast(full(c.Model), tokens)
	most := mostWindow
	if in.context > 0 {
		most = in.context
	}
	return min(tokens, most), nil
}

// size is how many bytes of text must fit in the window at once, and how many
// tokens besides.
func size(c *hoosh.Call, q *hoosh.Request) (text, more int) {
	if c.Op == hoosh.OpEmbed { // each input by itself
		for i := range q.Input {
			text = max(text, q.Input[i].Content.Len())
		}
		return text, tokensPerTurn
	}
	text = c.Envelope().Text
	for i := range q.Messages {
		more += tokensPerTurn
		for j := range q.Messages[i].Parts {
			part := &q.Messages[i].Parts[j]
			if part.Kind == hoosh.PartImage {
				more += tokensPerImage
			}
			if part.Result != nil {
				for k := range part.Result.Parts {
					if part.Result.Parts[k].Kind == hoosh.PartImage {
						more += tokensPerImage
					}
				}
			}
		}
	}
	return text, more
}
