// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/maccracken/hoosh"
)

// providerLister is a gateway that can tell of its providers.
type providerLister interface {
	Providers(ctx context.Context) ([]hoosh.ProviderStatus, error)
}

// planner is a gateway that can explain itself.
type planner interface {
	Plan(ctx context.Context, c *hoosh.Call) (*hoosh.Plan, error)
}

// live says that the process serves. Backends do not matter to that.
func (s *Server) live(q *request) { q.json(http.StatusOK, map[string]string{"status": "ok"}) }

// ready says whether calls can be served, component by component.
func (s *Server) ready(q *request) {
	status, backends := http.StatusOK, "ok"
	if err := s.gateway.Health(q.r.Context()); err != nil {
		status, backends = http.StatusServiceUnavailable, "none is up"
		q.w.Header().Set("Retry-After", "1")
	}
	q.json(status, map[string]any{"ready": status == http.StatusOK, "components": map[string]string{"server": "ok", "backends": backends}})
}

// health is the summary.
func (s *Server) health(q *request) {
	out := struct {
		Status    string         `json:"status"` // ok | degraded | down
		Version   string         `json:"version"`
		Providers map[string]int `json:"providers"` // how many in which state
	}{"ok", hoosh.Version, map[string]int{}}
	list, err := s.statuses(q)
	if err != nil {
		q.fail(err)
		return
	}
	for _, p := range list {
		out.Providers[p.State.String()]++
		if p.State > hoosh.StateOnline && p.State < hoosh.StateDisabled {
			out.Status = "degraded"
		}
	}
	if s.gateway.Health(q.r.Context()) != nil {
		out.Status = "down"
	}
	q.json(http.StatusOK, out)
}

func (s *Server) statuses(q *request) ([]hoosh.ProviderStatus, error) {
	l, ok := s.gateway.(providerLister)
	if !ok {
		return []hoosh.ProviderStatus{}, nil
	}
	list, err := l.Providers(q.r.Context())
	if list == nil {
		list = []hoosh.ProviderStatus{}
	}
	return list, err
}

func (s *Server) providers(q *request) {
	list, err := s.statuses(q)
	if err != nil {
		q.fail(err)
		return
	}
	q.json(http.StatusOK, map[string]any{"providers": list})
}

// beat is one provider's heartbeat.
type beat struct {
	Provider string      `json:"provider"`
	State    hoosh.State `json:"state"`
	LastOK   time.Time   `json:"last_ok,omitzero"`
	LastFail time.Time   `json:"last_fail,omitzero"`
	Problem  string      `json:"problem,omitempty"`
}

func (s *Server) heartbeat(q *request) {
	list, err := s.statuses(q)
	if err != nil {
		q.fail(err)
		return
	}
	beats := make([]beat, len(list))
	for i, p := range list {
		beats[i] = beat{p.Name, p.State, p.LastOK, p.LastFail, p.Problem}
	}
	q.json(http.StatusOK, map[string]any{"at": time.Now().UTC(), "heartbeats": beats})
}

// explain says where a call would go: the body is the call's own, or only a
// model's name.
func (s *Server) explain(q *request) {
	p, ok := s.gateway.(planner)
	if !ok {
		q.fail(&hoosh.Error{Kind: hoosh.ErrUnsupported, Message: "this gateway cannot explain its routes"})
		return
	}
	c, err := s.explained(q)
	if err != nil {
		q.fail(err)
		return
	}
	defer c.Release()
	c.Caller = q.caller
	if err := q.may(c); err != nil {
		q.fail(err)
		return
	}
	plan, err := p.Plan(q.r.Context(), c)
	if err != nil {
		q.fail(err)
		return
	}
	q.json(http.StatusOK, plan)
}

func (s *Server) explained(q *request) (*hoosh.Call, error) {
	limits := &s.cfg.Limits
	read := func(op hoosh.Operation, r io.Reader, size int64) (*hoosh.Call, error) {
		return hoosh.ReadCall(hoosh.OpenAI, op, r, size, int64(limits.Body), limits.Depth)
	}
	// As a completion every part is optional.
	c, err := read(hoosh.OpCompletion, q.r.Body, q.r.ContentLength)
	if err != nil {
		return nil, err
	}
	again := func(op hoosh.Operation) (*hoosh.Call, error) {
		defer c.Release()
		return read(op, bytes.NewReader(c.Body()), -1)
	}
	switch e := c.Envelope(); {
	case e.Has("messages"):
		return again(hoosh.OpChat)
	case e.Has("input"):
		return again(hoosh.OpEmbed)
	case e.Has("prompt"):
		return c, nil
	}
	return hoosh.NewCall(&hoosh.Request{Model: c.Model}), nil
}
