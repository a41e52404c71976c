// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

const (
	callerKey  = "sk-of-the-caller"  // between client and hoosh
	backendKey = "sk-of-the-backend" // between hoosh and backend
)

// hooshConfig has two backends, of OpenAI's chat format and of Anthropic's. The
// models "limited" are tried once only, so that the client gets to see the refusal.
func hooshConfig(chat, messages string) string {
	return fmt.Sprintf(`version: 1
keys:
  - {name: clients, secret: %s}
providers:
  - {name: backend, driver: compat, base_url: %q, key: %s}
  - {name: messages, driver: anthropic, base_url: %q, key: %s}
routes:
  - {match: [limited], to: [backend/limited], retry: {attempts: 1}}
  - {match: [claude-limited], to: [messages/claude-limited], retry: {attempts: 1}}
`, callerKey, chat, backendKey, messages, backendKey)
}

// newBackend makes the scripted backend of OpenAI's chat format. It is strict:
// what a client does not send, and OpenAI would refuse, hoosh may not add.
func newBackend(tb testing.TB) *hooshtest.Backend {
	b := hooshtest.NewTCP(tb, hooshtest.Key(backendKey), hooshtest.Strict())
	b.Models("test-model", "test-embed", "limited", "breaks")
	b.Script(answer)
	return b
}

func answer(q *hooshtest.Request) hooshtest.Answer {
	var body chatBody
	if q.JSON(&body) != nil { // an embedding's input, say
		return hooshtest.Answer{}
	}
	a, err := body.read()
	switch {
	case err != nil:
		return refused("The backend refuses this: "+err.Error(), "messages", "invalid_value")
	case q.Model == "limited":
		return hooshtest.Status(429, 7*time.Second)
	case q.Model == "breaks":
		return hooshtest.Answer{Pieces: []string{"one ", "two ", "three ", "four "}, Fault: hooshtest.ErrorEvent, After: 3}
	case q.Prompt() == "refuse":
		return refused(refusalText, "temperature", "invalid_value")
	}
	text, calls := a.answer()
	if text == hello {
		return hooshtest.Answer{Text: text, Usage: &helloUsage}
	}
	return hooshtest.Answer{Text: text, ToolCalls: calls}
}

func refused(message, param, code string) hooshtest.Answer {
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"message": message, "type": "invalid_request_error", "param": param, "code": code}})
	return hooshtest.Raw(400, "application/json", string(body))
}

// chatBody is what the script wants to know of a chat.
type chatBody struct {
	Tools []struct {
		Type     string
		Function struct{ Name string }
	}
	Messages       []chatMessage
	ResponseFormat struct {
		Type       string
		JSONSchema struct {
			Name   string
			Schema struct{ Properties map[string]json.RawMessage }
		} `json:"json_schema"`
	} `json:"response_format"`
}

type chatMessage struct {
	Role       string
	Content    json.RawMessage
	ToolCallID string `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string
		Type     string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
}

// functionName is what OpenAI takes.
var functionName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)

// read takes a chat in, and refuses what OpenAI would refuse in it.
func (b *chatBody) read() (*asked, error) {
	a := &asked{}
	for _, t := range b.Tools {
		if t.Type != "function" || !functionName.MatchString(t.Function.Name) {
			return nil, fmt.Errorf("a tool of type %q with the name %q", t.Type, t.Function.Name)
		}
		if slices.Contains(a.tools, t.Function.Name) {
			return nil, fmt.Errorf("two tools with the name %q", t.Function.Name)
		}
		a.tools = append(a.tools, t.Function.Name)
	}
	switch f := b.ResponseFormat; f.Type {
	case "", "text", "json_object":
	case "json_schema":
		if a.schema = len(f.JSONSchema.Schema.Properties) > 0; !a.schema || !functionName.MatchString(f.JSONSchema.Name) {
			return nil, fmt.Errorf("a json_schema with the name %q and %d properties", f.JSONSchema.Name, len(f.JSONSchema.Schema.Properties))
		}
	default:
		return nil, fmt.Errorf("the response_format %q", f.Type)
	}
	var open []string // calls without an answer
	for i := range b.Messages {
		m := &b.Messages[i]
		text, images, err := m.content()
		if err != nil {
			return nil, err
		}
		a.answers = m.Role == "tool"
		if a.answers {
			at := slices.Index(open, m.ToolCallID)
			if at < 0 {
				return nil, fmt.Errorf("messages[%d] answers %q, which is not open", i, m.ToolCallID)
			}
			open = slices.Delete(open, at, at+1)
			a.results = append(a.results, text)
			continue
		}
		if len(open) > 0 {
			return nil, fmt.Errorf("messages[%d] comes while the calls %q are open", i, open)
		}
		switch m.Role {
		case "user":
			a.all += text + "\n"
			a.images = append(a.images, images...)
		case "assistant":
			if open, err = m.calls(); err != nil {
				return nil, fmt.Errorf("messages[%d]: %w", i, err)
			}
		case "system", "developer":
		default:
			return nil, fmt.Errorf("messages[%d] has the role %q", i, m.Role)
		}
		a.prompt = text
	}
	if len(open) > 0 {
		return nil, fmt.Errorf("nobody answered the calls %q", open)
	}
	return a, nil
}

func (m *chatMessage) calls() (ids []string, err error) {
	for _, c := range m.ToolCalls {
		var arguments map[string]json.RawMessage
		if c.Type != "function" || c.ID == "" || json.Unmarshal([]byte(c.Function.Arguments), &arguments) != nil {
			return nil, fmt.Errorf("a call of type %q with the id %q and the arguments %q", c.Type, c.ID, c.Function.Arguments)
		}
		if slices.Contains(ids, c.ID) {
			return nil, fmt.Errorf("two calls with the id %q", c.ID)
		}
		ids = append(ids, c.ID)
	}
	return ids, nil
}

func (m *chatMessage) content() (text string, images [][]byte, err error) {
	if json.Unmarshal(m.Content, &text) == nil || len(m.Content) == 0 {
		return text, nil, nil
	}
	var parts []struct {
		Type, Text string
		ImageURL   struct{ URL string } `json:"image_url"`
	}
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return "", nil, fmt.Errorf("content is neither text nor a list of parts: %w", err)
	}
	for _, p := range parts {
		switch {
		case p.Type == "text":
			text += p.Text
		case p.Type == "image_url" && m.Role == "user":
			data, ok := strings.CutPrefix(p.ImageURL.URL, "data:image/png;base64,")
			if !ok {
				return "", nil, errors.New("an image that is no PNG in a data URL")
			}
			image, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				return "", nil, fmt.Errorf("an image: %w", err)
			}
			images = append(images, image)
		default:
			return "", nil, fmt.Errorf("a part of type %q in a message of role %q", p.Type, m.Role)
		}
	}
	return text, images, nil
}

// lasting is a testing.TB of the whole run, for the backend.
type lasting struct {
	testing.TB // nil: for its unexported method

	mu   sync.Mutex
	ends []func()
	why  string
}

func newLasting() *lasting { return &lasting{} }

func (l *lasting) Helper() {}

func (l *lasting) Cleanup(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = append(l.ends, f)
}

func (l *lasting) Errorf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.why = fmt.Sprintf(format, args...)
}

func (l *lasting) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l *lasting) problem() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.why
}

func (l *lasting) close() {
	for i := len(l.ends) - 1; i >= 0; i-- {
		l.ends[i]()
	}
}
