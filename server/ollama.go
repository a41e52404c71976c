// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/ollama"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// ollamaSurface has no way to keep a stream alive: its clients read every line.
var ollamaSurface = &surface{dialect: ollama.Dialect, models: ollamaModels}

// ollamaArchitecture stands for the architecture of a model's weights, of which a
// gateway knows nothing. Clients look for the context's length under its name.
const ollamaArchitecture = "hoosh"

// ollamaDetails are known of weights only; clients want the members.
type ollamaDetails struct {
	ParentModel       string   `json:"parent_model"`
	Format            string   `json:"format"`
	Family            string   `json:"family"`
	Families          []string `json:"families"`
	ParameterSize     string   `json:"parameter_size"`
	QuantizationLevel string   `json:"quantization_level"`
}

// ollamaTag is an entry of /api/tags.
type ollamaTag struct {
	Name       string        `json:"name"`
	Model      string        `json:"model"`
	ModifiedAt time.Time     `json:"modified_at"`
	Size       int64         `json:"size"`
	Digest     string        `json:"digest"`
	Details    ollamaDetails `json:"details"`
}

func ollamaModels(q *request, list []hoosh.Model) {
	tags := make([]ollamaTag, len(list))
	for i := range list {
		m := &list[i]
		digest := sha256.Sum256([]byte(m.Provider + "\x00" + m.ID))
		tags[i] = ollamaTag{Name: m.ID, Model: m.ID, ModifiedAt: modified(m), Digest: hex.EncodeToString(digest[:]), Details: ollamaDetails{Families: []string{}}}
	}
	q.json(http.StatusOK, map[string]any{"models": tags})
}

// modified is a date that clients can read.
func modified(m *hoosh.Model) time.Time {
	if m.Created.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return m.Created.UTC()
}

// ollamaAbilities are Ollama's words for what a model can do.
var ollamaAbilities = []struct {
	feature hoosh.Features
	word    string
}{
	{hoosh.FeatureChat, "completion"},
	{hoosh.FeatureTools, "tools"},
	{hoosh.FeatureVision, "vision"},
	{hoosh.FeatureThinking, "thinking"},
	{hoosh.FeatureEmbed, "embedding"},
}

// show tells of one model.
func (s *Server) show(q *request) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, q.r.Body, 64<<10))
	var ask struct{ Model, Name string }
	if err == nil {
		err = json.Unmarshal(body, &ask)
	}
	if ask.Model == "" {
		ask.Model = ask.Name // what it was called before
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		q.fail(&hoosh.Error{Kind: hoosh.ErrTooLarge, Message: "a body of more than 64 KiB"})
		return
	case err != nil:
		q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Message: "want a JSON object with the model's name", Err: err})
		return
	case ask.Model == "":
		q.fail(&hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: "model", Message: "missing; want the model's name"})
		return
	}
	m, err := q.findTagged(ask.Model)
	if err != nil {
		q.fail(err)
		return
	}
	abilities := []string{}
	for _, a := range ollamaAbilities {
		if m.Features == 0 && a.feature == hoosh.FeatureChat || m.Features&a.feature != 0 {
			abilities = append(abilities, a.word)
		}
	}
	info := map[string]any{"general.architecture": ollamaArchitecture}
	if m.Context > 0 {
		info[ollamaArchitecture+".context_length"] = m.Context
	}
	q.json(http.StatusOK, map[string]any{
		"modelfile": "", "parameters": "", "template": "",
		"details":    ollamaDetails{Families: []string{}},
		"model_info": info, "capabilities": abilities, "modified_at": modified(m),
	})
}

// findTagged finds a model whose tag may be said or not: none is "latest".
func (q *request) findTagged(name string) (*hoosh.Model, error) {
	other, tagged := strings.CutSuffix(name, ":latest")
	if !tagged {
		other = name + ":latest"
	}
	m, err := q.findModel(name)
	if e := hoosh.AsError(err); e == nil || e.Kind != hoosh.ErrModelNotFound {
		return m, err
	}
	if m, err := q.findModel(other); err == nil {
		return m, nil
	}
	return nil, &hoosh.Error{Kind: hoosh.ErrModelNotFound, Message: "model '" + name + "' not found"}
}

// running lists the models that are in memory, which only their backends know.
func (s *Server) running(q *request) { q.json(http.StatusOK, map[string]any{"models": []any{}}) }

// ollamaVersion is the release whose API this is. Some clients want one that is
// not older than what they need, so hoosh's own would turn them away.
const ollamaVersion = "0.17.4"

func (s *Server) version(q *request) {
	q.json(http.StatusOK, map[string]string{"version": ollamaVersion})
}

// ollamaChat serves /api/chat and /api/generate. A request for nothing but the model
// to be loaded, which a chat on the command line begins with, is a success where
// there is nothing to load.
func (s *Server) ollamaChat(d *hoosh.Dialect) func(*request) {
	return func(q *request) {
		c := q.read(d, hoosh.OpChat)
		if c == nil {
			return
		}
		defer c.Release()
		if m := value(c, "messages"); d == ollama.Dialect && (m == nil || string(m) == "[]" || string(m) == "null") {
			q.load(c)
			return
		}
		q.answer(c, &form{instead: func(e *hoosh.Error) []byte {
			if e.Code != ollama.LoadModel {
				return nil
			}
			return loaded(c)
		}})
	}
}

// load has the model of a chat without messages loaded, in the form that says
// nothing else.
func (q *request) load(c *hoosh.Call) {
	body := jsonpeek.AppendQuote([]byte(`{"stream":false,"model":`), c.Model)
	if keep := value(c, "keep_alive"); keep != nil {
		body = append(append(body, `,"keep_alive":`...), keep...)
	}
	g, err := hoosh.ParseCall(ollama.Generate, hoosh.OpChat, append(body, '}'))
	if err == nil {
		q.adopt(g)
		if err = q.may(g); err == nil {
			_, err = q.s.gateway.Do(q.r.Context(), g)
		}
	}
	if err != nil && hoosh.AsError(err).Code != ollama.LoadModel {
		q.fail(err)
		return
	}
	q.write(http.StatusOK, loaded(c))
}

// loaded says that the call's model was loaded, or let go.
func loaded(c *hoosh.Call) []byte {
	content, reason := `"message":{"role":"assistant","content":""}`, "load"
	if c.Dialect() == ollama.Generate {
		content = `"response":""`
	}
	if keep := value(c, "keep_alive"); string(keep) == "0" || string(keep) == `"0"` {
		reason = "unload"
	}
	b := jsonpeek.AppendQuote([]byte(`{"model":`), c.Model)
	b = append(b, `,"created_at":"`...)
	b = time.Now().UTC().AppendFormat(b, time.RFC3339Nano)
	return fmt.Appendf(b, "\",%s,\"done\":true,\"done_reason\":%q}\n", content, reason)
}

// managesNothing answers what would change the models of an Ollama.
func (s *Server) managesNothing(q *request) {
	q.fail(&hoosh.Error{
		Kind: hoosh.ErrUnsupported, Status: http.StatusNotImplemented, Code: "not_implemented",
		Message: "hoosh does not manage models: pull, push, create, copy or delete them at the backend that has them",
	})
}

// root answers the clients that look whether anybody is there.
func (s *Server) root(q *request) {
	const text = "hoosh is running"
	h := q.w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	q.begun = true
	q.w.WriteHeader(http.StatusOK)
	if q.r.Method != http.MethodHead {
		io.WriteString(q.w, text) //nolint:errcheck // a client that has left needs no answer
	}
}
