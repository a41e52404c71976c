// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"sync"
	"time"
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

// rest stops all waiting but for the total.
func (x *exchange) rest() {
	x.mu.Lock()
	x.until, x.cause = x.deadline, errTotalTimeout
	x.mu.Unlock()
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

// endOf is the error of a context that has ended: a cause of the caller's own is
// kept beneath.
func endOf(ctx context.Context) *Error {
	cause := context.Cause(ctx)
	if e := AsError(cause); e.Kind != ErrInternal {
		return e
	}
	e := *AsError(ctx.Err())
	e.Err = cause
	return &e
}

func explain(parent, ctx context.Context, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if parent.Err() != nil {
		return endOf(parent)
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
