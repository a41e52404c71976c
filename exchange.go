// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maccracken/hoosh/internal/framing"
)

// exchange bounds one request to a backend in time. A wait for the backend ends
// by a cancel cause: nothing else reaches a read that hangs.
type exchange struct {
	parent   context.Context
	ctx      context.Context
	cancel   context.CancelCauseFunc
	deadline time.Time // of the total timeout

	// The timer is moved only when it would fire too late; when it fires too
	// early it sleeps on. A stream moves its limit with every event, and a timer
	// costs more to move than to let ring.
	mu    sync.Mutex
	timer *time.Timer
	rings time.Time // when the timer fires
	until time.Time // when what is waited for must have come
	cause error     // with which the exchange ends then
	over  bool

	live       *live // where it is listed
	prev, next *exchange
}

// live lists the exchanges of an Upstream that are under way.
type live struct {
	mu    sync.Mutex
	first *exchange
}

func (l *live) add(x *exchange) {
	l.mu.Lock()
	x.live, x.next = l, l.first
	if l.first != nil {
		l.first.prev = x
	}
	l.first = x
	l.mu.Unlock()
}

func (l *live) remove(x *exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case x.prev != nil:
		x.prev.next = x.next
	case l.first == x:
		l.first = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
}

// cancel ends all of them.
func (l *live) cancel(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for x := l.first; x != nil; x = x.next {
		x.cancel(cause)
	}
}

func newExchange(parent context.Context, l *live, t *Timeouts) *exchange {
	now := time.Now()
	x := &exchange{parent: parent, deadline: now.Add(t.Total), cause: errFirstTimeout}
	x.ctx, x.cancel = context.WithCancelCause(parent)
	d := t.FirstEvent
	if t.Total < d {
		d, x.cause = t.Total, errTotalTimeout
	}
	x.until = now.Add(d)
	x.rings = x.until
	x.mu.Lock() // the timer may ring before it is stored
	x.timer = time.AfterFunc(d, x.ring)
	x.mu.Unlock()
	l.add(x)
	return x
}

// ring ends the exchange, or sleeps on if its limit has moved.
func (x *exchange) ring() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return
	}
	if left := time.Until(x.until); left > 0 {
		x.rings = x.until
		x.timer.Reset(left)
		return
	}
	x.cancel(x.cause)
}

// wait starts the time anew: d from now, cause if it passes, and never beyond
// the total.
func (x *exchange) wait(d time.Duration, cause error) {
	until := time.Now().Add(d)
	if until.After(x.deadline) {
		until, cause = x.deadline, errTotalTimeout
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.until, x.cause = until, cause
	if until.Before(x.rings) {
		x.rings = until
		x.timer.Reset(time.Until(until))
	}
}

// end lets go of the request, for cause; nil when it is over anyway.
func (x *exchange) end(cause error) {
	x.mu.Lock()
	x.over = true // a ring that is under way does nothing
	x.timer.Stop()
	x.mu.Unlock()
	x.cancel(cause)
	x.live.remove(x)
}

// explain turns a transport's error into an [*Error], by what ended the context
// if something did.
func (x *exchange) explain(err error) *Error { return explain(x.parent, x.ctx, err) }

func explain(parent, ctx context.Context, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if parent.Err() != nil {
		return AsError(context.Cause(parent))
	}
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(err, errConnectTimeout) {
		cause = err
	}
	switch {
	case errors.Is(cause, errConnectTimeout), errors.Is(cause, errFirstTimeout), errors.Is(cause, errTotalTimeout), errors.Is(cause, errIdleTimeout):
		return &Error{Kind: ErrTimeout, Message: cause.Error(), Err: cause}
	case errors.Is(cause, errClosed):
		return &Error{Kind: ErrCanceled, Message: cause.Error(), Err: cause}
	}
	return &Error{Kind: ErrUnavailable, Message: err.Error(), Err: err}
}

// upstreamStream is a backend's stream: frames as they come, looked at by the
// dialect's scanner, with an end that is one of complete, cut, stalled,
// malformed or the backend's own error.
type upstreamStream struct {
	x      *exchange
	up     *Upstream
	op     Operation
	model  string
	body   io.ReadCloser
	frames *framing.Reader
	scan   FrameScanner
	hide   bool // the usage chunk was our wish, not the caller's
	wants  bool // the caller wants to see usage
	closed atomic.Bool

	// of Next's goroutine
	frame   Frame
	begun   bool // content has come
	broken  int  // malformed frames so far
	stopped bool
	err     error // final
}

// drainTime is how long the end of the HTTP body may take after the end of the
// stream in it; without that end the connection is not used again.
const drainTime = 250 * time.Millisecond

func newUpstreamStream(x *exchange, u *Upstream, c *Call, body io.ReadCloser) *upstreamStream {
	d := u.Profile.Dialect
	return &upstreamStream{
		x: x, up: u, op: c.Op, model: c.Model, body: body,
		frames: d.Framing.reader(body, u.limit), scan: d.NewScanner(c.Op),
		hide: !c.WantsUsage(), wants: c.WantsUsage(),
	}
}

func (s *upstreamStream) Next() (*Frame, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.frame.Kind == FrameEnd && !s.stopped {
		return nil, s.drain()
	}
	if s.begun && !s.stopped && !s.frames.More() {
		s.x.wait(s.up.timeouts.Idle, errIdleTimeout)
	}
	fr, err := s.frames.Next()
	if err != nil {
		return nil, s.finish(s.ended(err))
	}
	s.frame = Frame{Raw: fr.Raw, Event: fr.Event, Data: fr.Data}
	f := &s.frame
	if fr.Data != nil {
		if err := s.scan.Scan(f); err != nil {
			if !errors.Is(err, ErrMalformed) || s.broken > 0 {
				return nil, s.finish(AsError(err))
			}
			// One broken line is survived, and not passed on: it would break
			// the client's parser too.
			s.broken++
			f.Raw, f.Data, f.Kind = nil, nil, FrameOther
		}
	}
	switch f.Kind {
	case FrameContent:
		s.begun = true
	case FrameUsage:
		if s.hide {
			f.Raw = nil
		}
	}
	f.More = s.frames.More()
	return f, nil
}

// ended is what the end of the bytes means.
func (s *upstreamStream) ended(err error) error {
	if s.stopped || s.scan.Complete() {
		return io.EOF
	}
	if err == io.EOF {
		if s.broken > 0 {
			return &Error{Kind: ErrMalformed, Message: "the stream holds a broken frame and ends without its terminator"}
		}
		return &Error{Kind: ErrStreamCut, Message: "the stream ended without its terminator"}
	}
	if errors.Is(err, framing.ErrTooLong) {
		return &Error{Kind: ErrMalformed, Message: "an event of the stream is over the size limit", Err: err}
	}
	e := s.x.explain(err)
	if e.Kind == ErrUnavailable {
		e.Kind, e.Message = ErrStreamCut, "the connection broke in mid-stream"
	}
	return e
}

// drain reads what follows the terminator, for the connection's sake.
func (s *upstreamStream) drain() error {
	s.x.wait(drainTime, errIdleTimeout)
	for n := 0; n < 64; n++ {
		if _, err := s.frames.Next(); err != nil {
			break
		}
	}
	return s.finish(io.EOF)
}

// finish is the one place where the stream's end is set.
func (s *upstreamStream) finish(err error) error {
	if err != io.EOF {
		e := s.up.fail(nil, err)
		e.Op, e.Model = s.op, s.model
		err = e
	}
	s.err = err
	s.letGo(nil)
	return err
}

func (s *upstreamStream) Stop(why Finish, u Usage) {
	if s.err != nil || s.stopped {
		return
	}
	s.stopped = true
	s.letGo(errClosed)
	// What is left to say is read like any other stream, so that who translates
	// it sees frames.
	ending := s.scan.End(nil, why, u, s.wants)
	s.frames = s.up.Profile.Dialect.Framing.reader(bytes.NewReader(ending), s.up.limit)
	s.hide = false
}

func (s *upstreamStream) Close() error { return s.letGo(errClosed) }

func (s *upstreamStream) letGo(cause error) error {
	if s.closed.Swap(true) {
		return nil
	}
	if cause != nil {
		s.x.end(cause) // first, for a Close in mid-read
		return s.body.Close()
	}
	err := s.body.Close()
	s.x.end(nil)
	return err
}
