// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/maccracken/hoosh"
)

// askFlags are what infer and chat have in common.
type askFlags struct {
	Model       string   `short:"m" placeholder:"NAME" help:"Model, or provider/model. Default: the first that a local engine has."`
	System      string   `placeholder:"TEXT" help:"What the model shall know beforehand."`
	MaxTokens   int      `placeholder:"N" help:"Ceiling of the answer."`
	Temperature *float64 `placeholder:"T" help:"0 is sober, 1 is lively."`
}

// request is an empty request with the flags in it.
func (f *askFlags) request() *hoosh.Request {
	q := &hoosh.Request{Model: f.Model, MaxTokens: f.MaxTokens, Temperature: f.Temperature}
	if f.System != "" {
		q.Messages = append(q.Messages, hoosh.System(f.System))
	}
	return q
}

// Validate is called by kong.
func (f *askFlags) Validate() error {
	if f.MaxTokens < 0 {
		return errors.New("--max-tokens: want a number of 0 or more")
	}
	return nil
}

// pick chooses the engine and the model. Where no model was named it is the
// first that a local engine has; where there is no engine at all it is the
// built-in echo, which is said. What e gives up is closed.
func (a *app) pick(ctx context.Context, e engine, model string) (engine, string, error) {
	if model != "" {
		return e, model, nil
	}
	models, providers, err := settled(ctx, e)
	if err != nil {
		return e, "", err
	}
	if m := firstLocal(models, providers, chats); m != "" {
		return e, m, nil
	}
	if len(providers) > 0 || a.Server != "" {
		return e, "", nothingLocal(models, providers)
	}
	echo, err := builtin()
	if err != nil {
		return e, "", err
	}
	e.Close()
	if !a.Quiet {
		fmt.Fprintln(a.err, a.errStyle.yellow("No engine was found on this machine, so hoosh's built-in echo answers: it only repeats what you say."))
		fmt.Fprintln(a.err, `For a real one start Ollama (ollama.com) or llama.cpp's llama-server, or set OPENAI_API_KEY and name a model,`)
		fmt.Fprintln(a.err, `as in: hoosh infer -m openai/gpt-4o-mini "Hello". "hoosh info" tells where was looked.`)
	}
	return echo, "echo", nil
}

// firstLocal is the first model of the first local provider that is well.
func firstLocal(models []hoosh.Model, providers []hoosh.ProviderStatus, fits func(*hoosh.Model) bool) string {
	for _, p := range providers {
		if !p.Local || p.State > hoosh.StateSuspect {
			continue
		}
		for i := range models {
			if models[i].Provider == p.Name && fits(&models[i]) {
				return models[i].ID
			}
		}
	}
	return ""
}

// chats reports that a model is for chatting. Most engines do not say, and then
// names have to do: this is a default only, and anyone may name a model.
func chats(m *hoosh.Model) bool {
	if known(m) {
		return m.Features&hoosh.FeatureChat != 0
	}
	return !named(m, "embed", "rerank", "whisper", "tts")
}

func embeds(m *hoosh.Model) bool {
	if known(m) {
		return m.Features&hoosh.FeatureEmbed != 0
	}
	return named(m, "embed", "minilm", "bge-")
}

// known reports that something is known of this model, and not only of its kind
// of backend: no model both chats and makes vectors.
func known(m *hoosh.Model) bool {
	const both = hoosh.FeatureChat | hoosh.FeatureEmbed
	return m.Features != 0 && m.Features&both != both
}

func named(m *hoosh.Model, words ...string) bool {
	id := strings.ToLower(m.ID)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(id, w) })
}

// nothingLocal says why no model was chosen, and which could be named. What may
// cost money is not chosen for anybody.
func nothingLocal(models []hoosh.Model, providers []hoosh.ProviderStatus) error {
	var ill []string
	for _, p := range providers {
		if p.Problem != "" {
			ill = append(ill, p.Name+": "+p.Problem)
		}
	}
	p := &problem{code: exitNobody}
	switch {
	case len(models) > 0:
		p.text = "no local engine has a model for this, and one that may cost money is not chosen for you"
		if slices.ContainsFunc(providers, func(s hoosh.ProviderStatus) bool { return s.Local && s.Models > 0 }) {
			p.text = "no local model seems to be made for this"
		}
		p.hint = "name one with -m, such as " + example(models) + `; "hoosh models" lists them all`
	case len(ill) > 0:
		p.text = "no provider answers\n" + strings.Join(ill, "\n")
		p.hint = `"hoosh health" tells how the providers are`
	case len(providers) > 0:
		p.text = "no provider lists a model"
		p.hint = "name one with -m"
	default:
		p.text = "the hoosh there has no provider"
	}
	return p
}

// example is a model that one could name.
func example(models []hoosh.Model) string {
	m := models[0]
	if i := slices.IndexFunc(models, func(m hoosh.Model) bool { return chats(&m) }); i >= 0 {
		m = models[i]
	}
	return fmt.Sprintf("%s (of %s)", m.ID, m.Provider)
}

// maxInput bounds what is read from standard input or a file.
const maxInput = 32 << 20

// readText reads all of r, which must be text.
func readText(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("more than %s", hoosh.Size(limit))
	case !utf8.Valid(data):
		return nil, errors.New("not text in UTF-8")
	}
	return data, nil
}

// printer writes an answer as it comes. What a model says must not steer the
// terminal; into a pipe it goes as it is.
type printer struct {
	w        io.Writer
	terminal bool
	last     byte
	err      error
}

func (p *printer) print(s string) {
	if p.terminal {
		s = clean(s)
	}
	if s == "" || p.err != nil {
		return
	}
	p.last = s[len(s)-1]
	_, p.err = io.WriteString(p.w, s)
}

// end ends the last line, if there is one.
func (p *printer) end() {
	if p.last != 0 && p.last != '\n' {
		p.print("\n")
	}
	p.last = 0
}
