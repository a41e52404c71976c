// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// Operation is what a call asks for.
type Operation uint8

// The operations.
const (
	OpChat       Operation = iota // messages in, a message out
	OpCompletion                  // legacy: a prompt in, its continuation out
	OpEmbed                       // texts in, vectors out
	OpCount                       // a chat in, the number of its tokens out
	OpImage                       // a description in, images out; same dialect only
	OpModerate                    // texts in, what is wrong with them out; same dialect only
	OpRerank                      // a question and documents in, their order out; same dialect only
	opEnd
)

func (o Operation) String() string {
	return [...]string{"chat", "completion", "embed", "count", "image", "moderate", "rerank"}[min(o, opEnd-1)]
}

// streams reports that its answer can come in pieces.
func (o Operation) streams() bool { return o == OpChat || o == OpCompletion }

// Caller is who asks, as far as it matters to routing. The zero value is a
// caller without a key, who may use everything.
type Caller struct {
	Name      string   // of the key, "" without one
	Models    []string // patterns of the names it may ask for; nil: all
	Providers []string // patterns of the providers that may serve it; nil: all
}

// MayAsk reports that the caller may ask for a model of this name.
func (c *Caller) MayAsk(model string) bool { return c.Models == nil || matchAny(c.Models, model) }

// Call is one request on its way. It belongs to one goroutine; what runs beside
// it takes a [Call.Fork]. Its body is read-only once [Doer.Do] was entered.
// Whoever made it calls Release when through with the call and its reply.
type Call struct {
	ID     string // "" or unique; goes into logs and x-request-id
	Op     Operation
	Model  string // as asked; within an attempt, as the backend knows it
	Stream bool
	Caller Caller
	// Strict: what a backend cannot be told makes the attempt fail, instead of being
	// left out and named in [Reply.Dropped].
	Strict bool
	// Header holds what belongs to the wire format (anthropic-version …), not
	// what belongs to the connection; nil is usual.
	Header http.Header

	load   *payload
	ledger ledger
}

// payload is what forks share: the bytes and what they mean.
type payload struct {
	dialect  *Dialect // nil for a call made of a Request
	body     []byte
	envelope Envelope

	decode  sync.Once
	request *Request
	err     error

	refs atomic.Int32 // the call, and every open reader of its body
	buf  *bodyBuffer  // to be recycled at zero refs; nil: not pooled
}

// ParseCall reads the envelope of a body in dialect d, in one pass that also
// checks that it is well-formed JSON, at most [jsonpeek.DefaultDepth] deep. It
// keeps body. Where model or stream are not in the body but in a path, the
// caller sets both afterwards. The error is an [*Error] of kind
// [ErrInvalidRequest] with the JSON path of what is wrong.
func ParseCall(d *Dialect, op Operation, body []byte) (*Call, error) {
	return parseCall(d, op, body, nil, 0)
}

// ReadCall is ParseCall of what r holds, at most limit bytes, in a buffer that
// is used again after [Call.Release]. Size is what r is said to hold, -1 when
// unknown; depth bounds the nesting, 0 is the default. A body over the limit is
// [ErrTooLarge].
func ReadCall(d *Dialect, op Operation, r io.Reader, size, limit int64, depth int) (*Call, error) {
	buf, err := readBody(r, size, limit)
	if err != nil {
		return nil, err
	}
	c, err := parseCall(d, op, buf.b, buf, depth)
	if err != nil {
		buf.free()
	}
	return c, err
}

func parseCall(d *Dialect, op Operation, body []byte, buf *bodyBuffer, depth int) (*Call, error) {
	if d.ReadEnvelope == nil {
		return nil, &Error{Kind: ErrUnsupported, Op: op, Message: d.Name + " cannot be read"}
	}
	c := &struct {
		call Call
		load payload
	}{}
	c.load.dialect, c.load.body, c.load.buf = d, body, buf
	if err := d.ReadEnvelope(op, body, depth, &c.load.envelope); err != nil {
		return nil, err
	}
	c.load.refs.Store(1)
	c.call = Call{Op: op, Model: c.load.envelope.Model, Stream: c.load.envelope.Stream, load: &c.load}
	return &c.call, nil
}

// NewCall makes a call of a typed request, which must not change until the call
// has ended. Set Stream for a streaming reply.
func NewCall(q *Request) *Call {
	c := &struct {
		call Call
		load payload
	}{}
	c.load.request = q
	c.load.decode.Do(func() {})
	c.load.envelope.describe(q)
	c.load.refs.Store(1)
	c.call = Call{Op: q.Op, Model: q.Model, load: &c.load}
	return &c.call
}

// With is a call like c that asks for q, which must not change until it has
// ended: what q holds in Extra is in the words of c's dialect still. It is for a
// provider that must say more, or other things, than the caller did; it has no
// bytes, so q is encoded for the backend whatever its dialect.
func (c *Call) With(q *Request) *Call {
	w := NewCall(q)
	e := &w.load.envelope
	e.WantsUsage = c.WantsUsage()
	w.load.dialect = c.load.dialect
	w.ID, w.Op, w.Model, w.Stream, w.Caller, w.Strict, w.Header = c.ID, c.Op, c.Model, c.Stream, c.Caller, c.Strict, c.Header
	return w
}

// Dialect is the wire format that the caller speaks, nil for a typed call.
func (c *Call) Dialect() *Dialect { return c.load.dialect }

// Envelope is what the first look at the body found. Read-only.
func (c *Call) Envelope() *Envelope { return &c.load.envelope }

// Body is the body as it arrived, nil for a typed call. Read-only, until Release.
func (c *Call) Body() []byte { return c.load.body }

// Request is what the body means, decoded at most once, also for all forks
// together. Read-only, until Release.
func (c *Call) Request() (*Request, error) {
	l := c.load
	l.decode.Do(func() {
		if l.dialect.DecodeRequest == nil {
			l.err = &Error{Kind: ErrUnsupported, Op: c.Op, Message: l.dialect.Name + " requests cannot be translated"}
			return
		}
		l.request, l.err = l.dialect.DecodeRequest(c.Op, l.body)
	})
	return l.request, l.err
}

// Fork is a call for another goroutine, or for one attempt: the same bytes,
// fields of its own, a ledger of its own.
func (c *Call) Fork() *Call {
	f := new(Call)
	f.forkOf(c)
	return f
}

func (f *Call) forkOf(c *Call) {
	f.ID, f.Op, f.Model, f.Stream, f.Caller, f.Strict, f.Header, f.load = c.ID, c.Op, c.Model, c.Stream, c.Caller, c.Strict, c.Header, c.load
}

// Release lets go of the body: its buffer is used again once no reader of it is
// open. The call, its Request and its Envelope must not be used afterwards.
func (c *Call) Release() { c.load.release() }

func (l *payload) release() {
	if l.refs.Add(-1) == 0 && l.buf != nil {
		l.buf.free()
		l.buf = nil
	}
}

// BodyFor is the body to send to a backend of profile p: the caller's bytes
// with what must change spliced in where both speak the same dialect, else the
// request encoded anew. The strings name what was dropped.
func (c *Call) BodyFor(p *Profile) (*Body, []string, error) {
	if p.asksOtherwise(c) {
		return c.bodyWithoutSchema(p)
	}
	if c.load.dialect == p.Dialect && c.load.body != nil {
		x := &struct {
			body   Body
			splice Splice
		}{}
		var dropped []string
		if p.Dialect.Splice != nil {
			var err error
			if dropped, err = p.Dialect.Splice(c, p, &x.splice); err != nil {
				return nil, nil, err
			}
		}
		x.body.build(c.load, c.load.body, x.splice.sorted())
		return &x.body, dropped, nil
	}
	if p.Dialect.EncodeRequest == nil {
		return nil, nil, &Error{Kind: ErrUnsupported, Op: c.Op, Message: "cannot translate to " + p.Dialect.Name}
	}
	q, err := c.Request()
	if err != nil {
		return nil, nil, err
	}
	b, dropped, err := p.Dialect.EncodeRequest(c, q, p)
	if err != nil {
		return nil, nil, err
	}
	whole := new(Body)
	whole.build(nil, b, nil)
	return whole, dropped, nil
}

// bodyWithoutSchema is the body for a backend that is asked for an answer by a
// schema in other ways.
func (c *Call) bodyWithoutSchema(p *Profile) (*Body, []string, error) {
	q, err := c.Request()
	if err != nil {
		return nil, nil, err
	}
	as := c.With(withoutSchema(q, p))
	as.load.envelope.Needs &^= FeatureJSONSchema
	return as.BodyFor(p)
}

// WantsUsage reports that the caller wants to be shown the usage of a stream: a
// typed caller always does.
func (c *Call) WantsUsage() bool { return c.load.dialect == nil || c.load.envelope.WantsUsage }
