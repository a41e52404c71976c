// SPDX-License-Identifier: AGPL-3.0-only

// Package hoosh is an AI inference gateway as a library: one way to ask any
// model, with routing, failover and accounts of what happened.
//
//	router, err := hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "ollama"}}})
//	…
//	resp, err := router.Infer(ctx, &hoosh.Request{
//		Model:    "llama3.2",
//		Messages: []hoosh.Message{hoosh.User("Hello")},
//	})
//
// Everything is a [Doer]: a provider, the [Router] that picks among providers, a
// stage that wraps another Doer, a [Client] of a hoosh elsewhere. A [Call] that
// came off a wire holds its bytes and an [Envelope] read in one pass; where the
// backend speaks the caller's [Dialect] they go through with only what must
// change spliced, and only a change of dialect decodes them into a [Request].
// Translation lives in [Call.BodyFor] and [Reply.For] and nowhere else.
//
// Providers are made by drivers, which packages below providers/ register:
// import hoosh/providers/all, or the ones wanted. The library does nothing that
// was not asked: it probes nothing, reads no environment and writes no files
// unless its [Config] says so.
package hoosh

import "context"

// Doer does one call. It is to inference what [http.RoundTripper] is to HTTP: a
// backend is one, the [Router] is one, every stage wraps one in one. The reply
// is non-nil if and only if the error is nil; its Stream belongs to the caller.
// The context governs the call and the stream that comes of it.
//
// A Doer may also have any of:
//
//	Models(ctx context.Context) ([]Model, error)  // what it serves; without it: no list
//	Health(ctx context.Context) error             // a free probe; without it: unknown
//	Capabilities(model string) Capabilities       // without it: everything
type Doer interface {
	Do(ctx context.Context, call *Call) (*Reply, error)
}

// DoerFunc is a function that is a Doer.
type DoerFunc func(ctx context.Context, call *Call) (*Reply, error)

// Do calls f.
func (f DoerFunc) Do(ctx context.Context, call *Call) (*Reply, error) { return f(ctx, call) }

type modelLister interface {
	Models(ctx context.Context) ([]Model, error)
}

type prober interface {
	Health(ctx context.Context) error
}

type capable interface {
	Capabilities(model string) Capabilities
}

// Gateway is what applications and the HTTP server stand on: a [Router] in this
// process, a [Client] of a hoosh elsewhere, or any Doer through [NewGateway]. It
// grows with new versions, so others implement [Doer].
type Gateway interface {
	Doer
	// Infer gives one whole answer.
	Infer(ctx context.Context, q *Request) (*Response, error)
	// Stream gives an answer as it is made. An error means that nothing has been
	// shown yet; other backends were tried where that was possible.
	Stream(ctx context.Context, q *Request) (*EventStream, error)
	// Embed turns the inputs of q into vectors.
	Embed(ctx context.Context, q *Request) (*Response, error)
	// Models lists what can be asked for.
	Models(ctx context.Context) ([]Model, error)
	// Health is nil if calls can be served.
	Health(ctx context.Context) error
	// Close ends calls in flight and lets go of everything.
	Close() error

	sealed()
}

// NewGateway gives a Doer the whole of a Gateway. Closing it closes nothing: d
// is its maker's.
func NewGateway(d Doer) Gateway { return doerGateway{typed{d}, d} }

type doerGateway struct {
	typed
	doer Doer
}

func (g doerGateway) Do(ctx context.Context, c *Call) (*Reply, error) { return settle(ctx, c, g.doer) }

func (g doerGateway) Models(ctx context.Context) ([]Model, error) {
	if l, ok := g.doer.(modelLister); ok {
		return l.Models(ctx)
	}
	return nil, nil
}

func (g doerGateway) Health(ctx context.Context) error {
	if p, ok := g.doer.(prober); ok {
		return p.Health(ctx)
	}
	return nil
}

func (doerGateway) Close() error { return nil }
func (doerGateway) sealed()      {}

// typed gives a Doer the methods that take a Request.
type typed struct{ d Doer }

func (t typed) Infer(ctx context.Context, q *Request) (*Response, error) {
	return t.whole(ctx, q)
}

func (t typed) Embed(ctx context.Context, q *Request) (*Response, error) {
	if q.Op != OpEmbed {
		p := *q
		p.Op = OpEmbed
		q = &p
	}
	return t.whole(ctx, q)
}

func (t typed) whole(ctx context.Context, q *Request) (*Response, error) {
	c := NewCall(q)
	defer c.Release()
	r, err := settle(ctx, c, t.d)
	if err != nil {
		return nil, err
	}
	r.op = q.Op
	return r.Response()
}

func (t typed) Stream(ctx context.Context, q *Request) (*EventStream, error) {
	c := NewCall(q)
	defer c.Release() // a typed call has no pooled bytes: nothing of it is lent out
	c.Stream = true
	r, err := settle(ctx, c, t.d)
	if err != nil {
		return nil, err
	}
	if r.Stream == nil {
		return nil, &Error{Kind: ErrInternal, Op: q.Op, Provider: r.Provider, Message: "a whole answer came for a stream"}
	}
	return newEventStream(r, c), nil
}
