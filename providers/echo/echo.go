// SPDX-License-Identifier: AGPL-3.0-only

package echo

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

func init() {
	hoosh.Register(hoosh.Driver{
		Name: "echo", Local: true,
		New: func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) { return New(cfg), nil },
	})
}

// Provider answers in this process. It holds nothing and needs no Close.
type Provider struct {
	name     string
	timeouts hoosh.Timeouts
}

var _ hoosh.Doer = (*Provider)(nil)

// New makes a Provider. Of the configuration it uses the name and the timeouts,
// which end what a script lets hang.
func New(cfg hoosh.ProviderConfig) *Provider {
	p := &Provider{name: cfg.Name, timeouts: cfg.Timeouts}
	if p.name == "" {
		p.name = "echo"
	}
	if p.timeouts.FirstEvent == 0 {
		p.timeouts.FirstEvent = 10 * time.Minute
	}
	if p.timeouts.Idle == 0 {
		p.timeouts.Idle = time.Minute
	}
	return p
}

// Models lists some scripts; the package comment has all.
func (p *Provider) Models(context.Context) ([]hoosh.Model, error) {
	list := make([]hoosh.Model, len(listed))
	for i, name := range listed {
		list[i] = hoosh.Model{ID: name, Provider: p.name, Capabilities: p.Capabilities(name)}
	}
	return list, nil
}

// Capabilities is either embeddings or all but them.
func (p *Provider) Capabilities(model string) hoosh.Capabilities {
	if s, err := parse(model); err == nil && s.embed {
		return hoosh.Capabilities{Features: hoosh.FeatureEmbed}
	}
	return hoosh.Capabilities{Features: hoosh.AllFeatures &^ hoosh.FeatureEmbed}
}

// Health is always nil.
func (p *Provider) Health(context.Context) error { return nil }

// Do plays the script that the call's model names.
func (p *Provider) Do(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
	s, err := parse(c.Model)
	if err != nil {
		return nil, p.fail(c, &hoosh.Error{Kind: hoosh.ErrModelNotFound, Param: "model", Code: "model_not_found", Message: err.Error()})
	}
	if s.embed != (c.Op == hoosh.OpEmbed) {
		return nil, p.fail(c, &hoosh.Error{Kind: hoosh.ErrUnsupported, Param: "model", Message: "echo-embed makes vectors, and nothing else does"})
	}
	q, err := c.Request()
	if err != nil {
		return nil, p.fail(c, err)
	}
	if err := pause(ctx, nil, s.delay); err != nil {
		return nil, p.fail(c, err)
	}
	if err := p.before(ctx, c, &s); err != nil {
		return nil, p.fail(c, err)
	}
	reply := &hoosh.Reply{Provider: p.name, Model: c.Model, Dialect: hoosh.OpenAI, Header: http.Header{}, Attempts: 1}
	if c.Stream {
		reply.Stream = p.stream(ctx, c, newAnswer(&s, q), &s)
		return reply, nil
	}
	if err := pause(ctx, nil, s.slow); err != nil {
		return nil, p.fail(c, err)
	}
	resp := embeddings(&s, q)
	if !s.embed {
		resp = newAnswer(&s, q).response()
	}
	resp.Model, resp.Created = c.Model, time.Now().UTC().Truncate(time.Second)
	reply.Usage, reply.Finish = resp.Usage, resp.Finish()
	if reply.Body, err = hoosh.OpenAI.EncodeResponse(c, resp); err != nil {
		return nil, p.fail(c, err)
	}
	return reply, nil
}

// before plays the faults that come instead of an answer. Those that come in a
// stream's middle are the stream's.
func (p *Provider) before(ctx context.Context, c *hoosh.Call, s *script) error {
	whole := !c.Stream
	switch {
	case s.status != 0:
		return refusal(s.status)
	case s.fault == "reset":
		return &hoosh.Error{Kind: hoosh.ErrUnavailable, Message: "echo: told to break the connection"}
	case s.fault == "hang", s.fault == "stall" && whole:
		if err := pause(ctx, nil, p.timeouts.FirstEvent); err != nil {
			return err
		}
		return &hoosh.Error{Kind: hoosh.ErrTimeout, Message: "echo: told to hang; the first-event timeout has passed"}
	case s.fault == "cut" && whole:
		return &hoosh.Error{Kind: hoosh.ErrUnavailable, Message: "echo: told to break off"}
	case s.fault != "" && whole:
		return inside(s.fault)
	}
	return nil
}

// inside is the error of a fault that comes with, or within, an answer.
func inside(fault string) *hoosh.Error {
	switch fault {
	case "malformed":
		return &hoosh.Error{Kind: hoosh.ErrMalformed, Message: "echo: told to send what is not of the wire format"}
	case "cut":
		return &hoosh.Error{Kind: hoosh.ErrStreamCut, Message: "echo: told to end in the middle"}
	case "stall":
		return &hoosh.Error{Kind: hoosh.ErrTimeout, Message: "echo: told to stall; the idle timeout has passed"}
	}
	return &hoosh.Error{Kind: hoosh.ErrUpstream, Upstream: true, Type: "server_error", Message: "echo: told to report an error"}
}

// refusal is the error that a backend's answer with this status would make.
func refusal(status int) error {
	kind := "server_error"
	if status < 500 {
		kind = "invalid_request_error"
	}
	header := http.Header{}
	body := fmt.Appendf(nil, `{"error":{"message":"echo: told to answer %d","type":%q,"param":null,"code":null}}`, status, kind)
	e := hoosh.OpenAI.DecodeError(status, header, body)
	e.Upstream, e.Status, e.Body = true, status, body
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		e.RetryAfter = time.Second
	}
	return e
}

// fail puts the facts of the call on an error.
func (p *Provider) fail(c *hoosh.Call, err error) error {
	e := *hoosh.AsError(err)
	e.Op, e.Provider, e.Model = c.Op, p.name, c.Model
	return &e
}

// pause waits for d, the end of ctx or of done.
func pause(ctx context.Context, done <-chan struct{}, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-done:
		return errClosed
	}
}

// label begins every answer.
const label = "echo: no model was asked; "

// said is what the caller said last, as the answer repeats it.
func said(q *hoosh.Request) (what string, result bool) {
	if q.Op == hoosh.OpCompletion {
		if len(q.Input) > 0 {
			return q.Input[0].Content.String(), false
		}
		return "", false
	}
	for _, m := range slices.Backward(q.Messages) {
		switch m.Role {
		case hoosh.RoleUser:
			return userText(m), false
		case hoosh.RoleTool:
			return resultText(m), true
		}
	}
	return "", false
}

func userText(m hoosh.Message) string {
	var b strings.Builder
	for _, p := range m.Parts {
		if p.Kind == hoosh.PartToolResult {
			b.WriteString(resultText(hoosh.Message{Parts: []hoosh.Part{p}}))
			continue
		}
		b.WriteString(p.String())
	}
	return b.String()
}

func resultText(m hoosh.Message) string {
	var b strings.Builder
	for _, p := range m.Parts {
		if p.Result != nil {
			for _, r := range p.Result.Parts {
				b.WriteString(r.String())
			}
		}
	}
	return b.String()
}
