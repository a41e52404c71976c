// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// ClientConfig says where a hoosh is and how to reach it. The zero value is the
// one on this machine, at its default address, without a key.
type ClientConfig struct {
	Name     string            // in errors; "": "hoosh"
	BaseURL  string            // with or without /v1; "": http://127.0.0.1:8088
	Key      Secret            // "": none is sent
	Headers  map[string]string // sent on each request
	Timeouts Timeouts          // zero fields as for a provider, local if it is on loopback

	// DialContext and Transport are as in [ProviderConfig].
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	Transport   http.RoundTripper
	EventLimit  int // of one event of a stream; 0: 4 MiB
}

// Client is the [Gateway] of a hoosh elsewhere. A reply's Provider, Model, Route
// and Dropped are what that hoosh says of it, and its errors have the kinds that
// they have there. A Client retries nothing: that is done at the other end. It
// is safe for concurrent use.
type Client struct {
	typed
	up    *Upstream
	paths [opEnd]*url.URL // by operation; nil: there is none
	known atomic.Pointer[map[string]Capabilities]
}

var _ Gateway = (*Client)(nil)

// NewClient makes a Client. It connects to nothing; the error is of the
// configuration.
func NewClient(cfg ClientConfig) (*Client, error) {
	base := strings.TrimSuffix(strings.TrimRight(or(cfg.BaseURL, "http://127.0.0.1:8088"), "/"), "/v1")
	up, err := NewUpstream(ProviderConfig{
		Name: or(cfg.Name, "hoosh"), BaseURL: base, Key: cfg.Key, Headers: cfg.Headers, Timeouts: cfg.Timeouts,
		DialContext: cfg.DialContext, Transport: cfg.Transport, EventLimit: cfg.EventLimit,
	}, Driver{Local: isLoopback(base)}, &Profile{Dialect: OpenAI, Sealed: true, CacheMarks: true}, "Authorization: Bearer ")
	if err != nil {
		return nil, fmt.Errorf("hoosh: client: %w", err)
	}
	c := &Client{up: up, paths: [...]*url.URL{
		OpChat:       up.URL("v1/chat/completions"),
		OpCompletion: up.URL("v1/completions"),
		OpEmbed:      up.URL("v1/embeddings"),
		OpImage:      up.URL("v1/images/generations"),
		OpModerate:   up.URL("v1/moderations"),
		OpRerank:     up.URL("v1/rerank"),
	}}
	c.typed.d = c
	return c, nil
}

// Do sends the call. See [Doer].
func (c *Client) Do(ctx context.Context, call *Call) (*Reply, error) {
	return settle(ctx, call, remote{c})
}

// remote is the exchange itself, inside the settlement.
type remote struct{ c *Client }

func (r remote) Do(ctx context.Context, call *Call) (*Reply, error) {
	if call.Op == OpCount { // in no form of OpenAI's chat completions
		return estimate(call, r.c.up.Name, call.Model), nil
	}
	if int(call.Op) >= len(r.c.paths) {
		return nil, &Error{Kind: ErrUnsupported, Op: call.Op, Provider: r.c.up.Name, Model: call.Model, Message: "the client has no such operation"}
	}
	if call.ID != "" { // both ends log it
		id := call.Header.Clone()
		if id == nil {
			id = http.Header{}
		}
		id["X-Request-Id"] = []string{call.ID}
		call = call.Fork()
		call.Header = id
	}
	reply, err := r.c.up.Do(ctx, call, r.c.paths[call.Op])
	if err != nil {
		return nil, remoteError(err)
	}
	told(reply)
	if reply.Stream != nil {
		reply.Stream = &remoteStream{reply.Stream}
	}
	return reply, nil
}

// told takes what the other end says of its answer.
func told(r *Reply) {
	say := func(name string) string {
		v := r.Header.Get(name)
		if strings.HasPrefix(v, `"`) { // a name that a header could not hold as it is
			if s, err := strconv.Unquote(v); err == nil {
				return s
			}
		}
		return v
	}
	r.Provider = or(say("X-Hoosh-Provider"), r.Provider)
	r.Model = or(say("X-Hoosh-Model"), r.Model)
	r.Route = say("X-Hoosh-Route")
	if n, err := strconv.Atoi(say("X-Hoosh-Attempts")); err == nil && n > 0 {
		r.Attempts = n
	}
	if dropped := say("X-Hoosh-Dropped"); dropped != "" {
		for key := range strings.SplitSeq(dropped, ",") {
			if key = strings.TrimSpace(key); !slices.Contains(r.Dropped, key) {
				r.Dropped = append(r.Dropped, key)
			}
		}
	}
}

// remoteKinds are the kinds of the codes that a hoosh gives its errors. Its own
// faults are not among them: to this end they are the backend's.
var remoteKinds = func() map[string]error {
	kinds := map[string]error{}
	for kind, words := range openAIErrorWords {
		if words.code != "" && kind != ErrInternal && kind != ErrCanceled {
			kinds[words.code] = kind
		}
	}
	return kinds
}()

// remoteError gives an error of the other end the kind that it has there.
func remoteError(err error) error {
	var e *Error
	if errors.As(err, &e) && e.Upstream {
		if kind := remoteKinds[e.Code]; kind != nil {
			e.Kind = kind
		}
	}
	return err
}

// remoteStream is a stream whose error events are a hoosh's.
type remoteStream struct{ Stream }

func (s *remoteStream) Next() (*Frame, error) {
	f, err := s.Stream.Next()
	if err != nil && err != io.EOF {
		err = remoteError(err)
	}
	return f, err
}

// Models lists what can be asked for there.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var list struct {
		Data []struct {
			ID           string   `json:"id"`
			OwnedBy      string   `json:"owned_by"`
			Created      int64    `json:"created"`
			Context      int      `json:"context_length"`
			Capabilities []string `json:"capabilities"`
		} `json:"data"`
	}
	if err := c.get(ctx, "v1/models", &list); err != nil {
		return nil, err
	}
	models := make([]Model, len(list.Data))
	known := make(map[string]Capabilities, len(list.Data))
	for i, m := range list.Data {
		can := Capabilities{Features: featuresNamed(m.Capabilities), Context: m.Context}
		models[i] = Model{ID: m.ID, Provider: m.OwnedBy, Created: epoch(m.Created), Capabilities: can}
		known[m.ID] = can
	}
	c.known.Store(&known)
	return models, nil
}

// featuresNamed reads the names of features; no names at all mean every one.
func featuresNamed(names []string) (f Features) {
	if len(names) == 0 {
		return AllFeatures
	}
	for i, name := range featureNames {
		if slices.Contains(names, name) {
			f |= 1 << i
		}
	}
	return f
}

// Capabilities is what the last list of Models says of a model, and everything
// for one that it does not have.
func (c *Client) Capabilities(model string) Capabilities {
	if known := c.known.Load(); known != nil {
		if can, ok := (*known)[model]; ok {
			return can
		}
	}
	return Capabilities{Features: AllFeatures}
}

// Health is nil if the other end serves calls: it answers, and one of its
// backends is up.
func (c *Client) Health(ctx context.Context) error {
	var health struct{ Status string }
	if err := c.get(ctx, "v1/health", &health); err != nil {
		return err
	}
	if health.Status == "down" {
		return &Error{Kind: ErrNoProvider, Provider: c.up.Name, Upstream: true, Message: "none of its backends is up"}
	}
	return nil
}

// Providers tells what the other end knows of its backends.
func (c *Client) Providers(ctx context.Context) ([]ProviderStatus, error) {
	var list struct{ Providers []ProviderStatus }
	err := c.get(ctx, "v1/health/providers", &list)
	return list.Providers, err
}

// Plan asks where the call would go there. It sends the whole call, and nothing
// of it goes on to a backend.
func (c *Client) Plan(ctx context.Context, call *Call) (*Plan, error) {
	body, _, err := call.BodyFor(c.up.Profile)
	if err != nil {
		return nil, c.up.fail(call, err)
	}
	answer, err := c.up.Post(ctx, "v1/route/explain", body.Bytes())
	if err != nil {
		return nil, remoteError(err)
	}
	plan := new(Plan)
	if err := c.read(answer, plan); err != nil {
		return nil, err
	}
	return plan, nil
}

func (c *Client) get(ctx context.Context, path string, into any) error {
	body, err := c.up.Get(ctx, path)
	if err != nil {
		return remoteError(err)
	}
	return c.read(body, into)
}

func (c *Client) read(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return &Error{Kind: ErrMalformed, Provider: c.up.Name, Message: "this is not what a hoosh answers", Err: err}
	}
	return nil
}

// Close ends what is under way and lets go of idle connections.
func (c *Client) Close() error { return c.up.Close() }

func (*Client) sealed() {}
