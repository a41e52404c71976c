// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// messagesBody is a request of Anthropic's Messages format. A member that is not
// here is refused.
type messagesBody struct {
	Model             string                 `json:"model"`
	MaxTokens         *int                   `json:"max_tokens"`
	Messages          []message              `json:"messages"`
	System            json.RawMessage        `json:"system"`
	Stream            bool                   `json:"stream"`
	Temperature       *float64               `json:"temperature"`
	TopP              *float64               `json:"top_p"`
	TopK              *int                   `json:"top_k"`
	StopSequences     []string               `json:"stop_sequences"`
	Tools             []messagesTool         `json:"tools"`
	ToolChoice        *struct{ Type string } `json:"tool_choice"`
	Thinking          *thinking              `json:"thinking"`
	OutputConfig      *outputConfig          `json:"output_config"`
	Metadata          json.RawMessage        `json:"metadata"`
	ServiceTier       string                 `json:"service_tier"`
	CacheControl      json.RawMessage        `json:"cache_control"`
	ContextManagement json.RawMessage        `json:"context_management"`
}

type messagesTool struct {
	Type        string
	Name        string
	InputSchema struct{ Type string } `json:"input_schema"`
}

type thinking struct {
	Type         string
	BudgetTokens int `json:"budget_tokens"`
}

type outputConfig struct {
	Effort string
	Format *struct {
		Type   string
		Schema struct{ Properties map[string]json.RawMessage }
	}
}

type message struct {
	Role    string
	Content json.RawMessage
}

type block struct {
	Type, Text, Thinking, Signature string
	ID, Name                        string
	Input                           map[string]json.RawMessage
	ToolUseID                       string `json:"tool_use_id"`
	Content                         json.RawMessage
	Source                          struct {
		Type, Data string
		MediaType  string `json:"media_type"`
	}
}

var (
	errNoModel   = errors.New("model: not found")
	errNoThreads = errors.New("thread: this request cannot be threaded")
	toolUseID    = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	toolName     = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)
)

// readMessages takes a request in, and refuses what Anthropic would refuse in it.
func readMessages(data []byte, version string, count bool) (*messagesBody, *asked, error) {
	var m messagesBody
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&m); err != nil {
		return nil, nil, err
	}
	var members map[string]json.RawMessage
	json.Unmarshal(data, &members) //nolint:errcheck // it was read above
	if _, ok := members["thread"]; ok {
		return nil, nil, errNoThreads
	}
	for name := range members {
		if !slices.Contains(messagesMembers, name) {
			return nil, nil, fmt.Errorf("%s: Extra inputs are not permitted", name)
		}
	}
	if !slices.Contains(messagesModels, m.Model) {
		return nil, nil, fmt.Errorf("%w: %s", errNoModel, m.Model)
	}
	if err := m.checkNumbers(version, count); err != nil {
		return nil, nil, err
	}
	a := &asked{}
	if err := m.readTools(a); err != nil {
		return nil, nil, err
	}
	if f := m.OutputConfig; f != nil && f.Format != nil {
		if a.schema = f.Format.Type == "json_schema" && len(f.Format.Schema.Properties) > 0; !a.schema {
			return nil, nil, fmt.Errorf("output_config.format: type %q, %d properties", f.Format.Type, len(f.Format.Schema.Properties))
		}
	}
	blocks, err := blocksOf(m.System)
	if err != nil {
		return nil, nil, fmt.Errorf("system: %w", err)
	}
	for i, b := range blocks {
		if b.Type != "text" || b.Text == "" {
			return nil, nil, fmt.Errorf("system.%d: type %q, text %q", i, b.Type, b.Text)
		}
	}
	return &m, a, m.readHistory(a)
}

// messagesMembers are the names that messagesBody has.
var messagesMembers = strings.Fields(`model max_tokens messages system stream temperature top_p top_k stop_sequences tools
	tool_choice thinking output_config metadata service_tier cache_control context_management`)

func (m *messagesBody) checkNumbers(version string, count bool) error {
	sampling := m.Temperature != nil || m.TopP != nil || m.TopK != nil
	switch {
	case count && (m.MaxTokens != nil || m.Stream || m.Temperature != nil || m.Metadata != nil):
		return errors.New("max_tokens, stream, temperature, metadata: Extra inputs are not permitted")
	case !count && (m.MaxTokens == nil || *m.MaxTokens < 1):
		return errors.New("max_tokens: Field required")
	case m.Temperature != nil && (*m.Temperature < 0 || *m.Temperature > 1):
		return errors.New("temperature: range: 0..1")
	case m.Temperature != nil && m.TopP != nil:
		return errors.New("temperature and top_p cannot both be specified for this model")
	case sampling && version == "2026-10-21":
		return errors.New("temperature, top_p, top_k: not with anthropic-version 2026-10-21")
	}
	if t := m.Thinking; t != nil && t.Type == "enabled" {
		switch {
		case t.BudgetTokens < 1024 || !count && t.BudgetTokens >= *m.MaxTokens:
			return fmt.Errorf("thinking.budget_tokens: %d is not between 1024 and max_tokens", t.BudgetTokens)
		case sampling:
			return errors.New("thinking: not with temperature, top_p or top_k")
		case m.ToolChoice != nil && (m.ToolChoice.Type == "any" || m.ToolChoice.Type == "tool"):
			return errors.New("thinking: not when tool_choice forces tool use")
		}
	}
	return nil
}

func (m *messagesBody) readTools(a *asked) error {
	if m.ToolChoice != nil && len(m.Tools) == 0 {
		return errors.New("tool_choice: only with tools")
	}
	for i, t := range m.Tools {
		switch {
		case t.Type != "" && t.Type != "custom":
			return fmt.Errorf("tools.%d: this backend has no tool of type %q", i, t.Type)
		case !toolName.MatchString(t.Name), slices.Contains(a.tools, t.Name):
			return fmt.Errorf("tools.%d.name: %q is not allowed, or not unique", i, t.Name)
		case t.InputSchema.Type != "object":
			return fmt.Errorf("tools.%d.input_schema.type: %q", i, t.InputSchema.Type)
		}
		a.tools = append(a.tools, t.Name)
	}
	return nil
}

// history walks through the messages. It looks above all at what belongs together:
// calls and their results, and the thinking before calls.
type history struct {
	a        *asked
	thinking bool     // as it is demanded back
	first    string   // the type of the first block of this message
	open     []string // calls of this message
	before   []string // calls of the message before, without a result yet
}

func (m *messagesBody) readHistory(a *asked) error {
	if len(m.Messages) == 0 || m.Messages[0].Role != "user" {
		return errors.New("messages: first message must use the user role")
	}
	h := history{a: a, thinking: m.Thinking != nil && m.Thinking.Type == "enabled"}
	for i, msg := range m.Messages {
		blocks, err := blocksOf(msg.Content)
		if err != nil || len(blocks) == 0 {
			return fmt.Errorf("messages.%d.content: it is empty, or: %v", i, err)
		}
		h.before, h.open, h.first = h.open, nil, blocks[0].Type
		a.answers, a.prompt = false, ""
		for j := range blocks {
			if err := h.read(msg.Role, &blocks[j]); err != nil {
				return fmt.Errorf("messages.%d.content.%d: %w", i, j, err)
			}
		}
		if len(h.before) > 0 {
			return fmt.Errorf("messages.%d: no tool_result for the calls %q", i, h.before)
		}
	}
	if len(h.open) > 0 {
		return fmt.Errorf("messages: no tool_result for the calls %q", h.open)
	}
	if last := m.Messages[len(m.Messages)-1]; last.Role == "assistant" && h.thinking {
		return errors.New("messages: no prefill with thinking")
	}
	return nil
}

func (h *history) read(role string, b *block) error {
	switch {
	case b.Type == "text":
		return h.text(role, b)
	case b.Type == "tool_result" && role == "user":
		return h.result(b)
	case b.Type == "image" && role == "user":
		if b.Source.Type != "base64" || b.Source.MediaType != "image/png" {
			return fmt.Errorf("source: type %q, media_type %q", b.Source.Type, b.Source.MediaType)
		}
		image, err := base64.StdEncoding.DecodeString(b.Source.Data)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		h.a.images = append(h.a.images, image)
		return nil
	case b.Type == "tool_use" && role == "assistant":
		return h.call(b)
	case b.Type == "thinking" && role == "assistant":
		if b.Thinking != thought || b.Signature != thoughtSignature {
			return errors.New("invalid signature in thinking block")
		}
		return nil
	}
	return fmt.Errorf("type %q in a message of role %q", b.Type, role)
}

func (h *history) text(role string, b *block) error {
	if strings.TrimSpace(b.Text) == "" {
		return errors.New("text content blocks must contain non-whitespace text")
	}
	if len(h.before) > 0 {
		return fmt.Errorf("text comes before the results of %q", h.before)
	}
	h.a.prompt += b.Text
	if role == "user" {
		h.a.all += b.Text + "\n"
	}
	return nil
}

func (h *history) result(b *block) error {
	k := slices.Index(h.before, b.ToolUseID)
	if k < 0 {
		return fmt.Errorf("unexpected tool_use_id %q", b.ToolUseID)
	}
	h.before = slices.Delete(h.before, k, k+1)
	parts, err := blocksOf(b.Content)
	if err != nil {
		return err
	}
	text := ""
	for _, p := range parts {
		text += p.Text
	}
	h.a.results, h.a.answers = append(h.a.results, text), true
	return nil
}

func (h *history) call(b *block) error {
	if !toolUseID.MatchString(b.ID) || b.Input == nil || slices.Contains(h.open, b.ID) {
		return fmt.Errorf("id %q, an object as input: %t", b.ID, b.Input != nil)
	}
	if h.thinking && h.first != "thinking" {
		return fmt.Errorf("with thinking enabled, a turn that calls tools must begin with its thinking, not with %q", h.first)
	}
	h.open = append(h.open, b.ID)
	return nil
}

// blocksOf reads content: a text, or a list of blocks.
func blocksOf(raw json.RawMessage) ([]block, error) {
	var text string
	var list []block
	switch {
	case len(raw) == 0:
	case json.Unmarshal(raw, &text) == nil:
		list = []block{{Type: "text", Text: text}}
	default:
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, err
		}
	}
	return list, nil
}
