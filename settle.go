// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// End says how a call ended.
type End uint8

// The ways a call ends.
const (
	EndComplete End = iota + 1 // the whole answer was given
	EndFailed                  // an error
	EndGone                    // the caller left before the end
	EndPanicked                // a panic came through; it goes on to the caller
)

func (e End) String() string {
	return [...]string{"", "complete", "failed", "gone", "panicked"}[min(e, EndPanicked)]
}

// Outcome is what there is to know of a call, or of one attempt, when it has
// ended.
type Outcome struct {
	End      End
	Err      *Error // nil when complete
	Provider string
	Model    string
	Attempts int
	Usage    Usage // counted by hoosh where the backend reported none
	Finish   Finish
	Stream   bool
	Sent     int64         // content bytes that came from the backend
	First    time.Duration // until the first content of a stream, the whole answer otherwise; 0: none came
	Total    time.Duration
}

// Ender is something a stage took for a call and gives back when it ends: a
// slot, a reservation, a timer. End is called once, under no lock, perhaps in
// another goroutine than the call's, and must not block.
type Ender interface{ End(*Outcome) }

// OnEnd books e to be ended when this call, or for a fork the attempt, has
// ended: before Do or while it runs, on a call that goes through [Settle], which
// every [Gateway] does.
func (c *Call) OnEnd(e Ender) { c.ledger.add(e) }

// ledger is what stages booked on a call.
type ledger struct {
	open   bool
	enders []Ender
	few    [3]Ender
}

func (l *ledger) add(e Ender) {
	if l.enders == nil {
		l.enders = l.few[:0]
	}
	l.enders = append(l.enders, e)
}

// end runs what was booked, last in first out.
func (l *ledger) end(o *Outcome) {
	enders := l.enders
	l.enders = nil
	for i := len(enders) - 1; i >= 0; i-- {
		enders[i].End(o)
	}
}

// adopt hands the bookings of an attempt that won to its parent.
func (c *Call) adopt(fork *Call) {
	for _, e := range fork.ledger.enders {
		c.ledger.add(e)
	}
	fork.ledger.enders = nil
}

// Settle wraps a Doer so that what is booked on a call inside it is ended
// exactly once: on an error, when a whole reply was given, at a stream's end, at
// its Close, when its context ends, on a panic. Within another Settle it does
// nothing.
func Settle(next Doer) Doer { return settler{next} }

type settler struct{ next Doer }

func (s settler) Do(ctx context.Context, c *Call) (*Reply, error) { return settle(ctx, c, s.next) }

func settle(ctx context.Context, c *Call, next Doer) (reply *Reply, err error) {
	if c.ledger.open {
		return next.Do(ctx, c)
	}
	c.ledger.open = true
	start := time.Now()
	returned := false
	defer func() {
		c.ledger.open = false // the call may be made again
		if !returned {
			c.ledger.end(&Outcome{End: EndPanicked, Err: &Error{Kind: ErrInternal, Op: c.Op, Message: "panic"}, Total: time.Since(start)})
		}
	}()
	reply, err = next.Do(ctx, c)
	returned = true
	switch {
	case err != nil:
		e := AsError(err)
		o := Outcome{End: EndFailed, Err: e, Provider: e.Provider, Model: e.Model, Attempts: len(e.Tried) + 1, Total: time.Since(start)}
		if e.Kind == ErrCanceled || ctx.Err() != nil {
			o.End = EndGone
		}
		c.ledger.end(&o)
		return nil, e
	case reply.Stream == nil:
		took := time.Since(start)
		o := outcomeOf(c, reply)
		o.End, o.First, o.Total, o.Sent = EndComplete, took, took, int64(len(reply.Body))
		o.Usage = counted(o.Usage, c.Op, int64(c.load.envelope.Text), o.Sent)
		c.ledger.end(&o)
		return reply, nil
	}
	reply.Stream = watchStream(ctx, c, reply, start)
	return reply, nil
}

func outcomeOf(c *Call, r *Reply) Outcome {
	if c.Op == OpCount { // its figure is the answer, and costs nothing
		return Outcome{Provider: r.Provider, Model: r.Model, Attempts: r.Attempts}
	}
	return Outcome{Provider: r.Provider, Model: r.Model, Attempts: r.Attempts, Usage: r.Usage, Finish: r.Finish, Stream: r.Stream != nil}
}

// counted fills in the usage that a backend did not report, from the bytes of
// the prompt and of the answer.
func counted(u Usage, op Operation, prompt, sent int64) Usage {
	if u.Source != UsageNone || op == OpCount {
		return u
	}
	u.Source, u.Input = UsageCounted, countTokens(prompt)
	if op != OpEmbed {
		u.Output = countTokens(sent)
	}
	return u
}

// cut is the usage of an answer that did not come to its end by itself: what was
// reported before may say nothing of the text that was sent.
func cut(u Usage, op Operation, prompt, sent int64) Usage {
	if u = counted(u, op, prompt, sent); u.Source == UsageReported {
		u.Source = UsagePartial
	}
	if more := countTokens(sent) - u.Completion(); more > 0 {
		u.Output += more
	}
	return u
}

// settledStream tallies what passes and settles once.
type settledStream struct {
	src    Stream
	ctx    context.Context
	start  time.Time
	ledger ledger
	op     Operation
	prompt int64       // bytes; the call's own envelope may be gone by the end
	unhook func() bool // stops the watch on the context, nil without one; not for the watch itself

	mu      sync.Mutex // the fields below; Close and the context may come in beside Next
	ended   bool
	stopped bool
	out     Outcome
}

func watchStream(ctx context.Context, c *Call, r *Reply, start time.Time) Stream {
	s := &settledStream{
		src: r.Stream, ctx: ctx, start: start, ledger: ledger{enders: slices.Clone(c.ledger.enders)}, out: outcomeOf(c, r),
		op: c.Op, prompt: int64(c.load.envelope.Text),
	}
	c.ledger.enders = nil
	if ctx.Done() != nil {
		// A caller that drops the stream has only its context. The function may
		// run before AfterFunc has returned, so it touches nothing set after it.
		s.unhook = context.AfterFunc(ctx, func() {
			s.src.Close()
			s.settle(EndGone, endOf(ctx))
		})
	}
	return s
}

func (s *settledStream) Next() (*Frame, error) {
	f, err := s.src.Next()
	if err == nil {
		s.mu.Lock()
		if f.Kind == FrameContent && s.out.First == 0 {
			s.out.First = time.Since(s.start)
		}
		s.out.Sent += int64(f.Text)
		if f.Usage.Source != UsageNone && !s.stopped {
			s.out.Usage = s.out.Usage.Merge(f.Usage)
		}
		if f.Finish != FinishNone {
			s.out.Finish = f.Finish
		}
		s.mu.Unlock()
		return f, nil
	}
	switch {
	case err == io.EOF:
		s.finish(EndComplete, nil)
	case errors.Is(err, ErrCanceled), errors.Is(err, errClosed), s.ctx.Err() != nil:
		s.finish(EndGone, AsError(err))
	default:
		s.finish(EndFailed, AsError(err))
	}
	return nil, err
}

func (s *settledStream) Stop(why Finish, u Usage) {
	s.mu.Lock()
	s.out.Usage = u
	s.stopped = true // what the ending says of usage is what we said
	s.mu.Unlock()
	s.src.Stop(why, u)
}

func (s *settledStream) Close() error {
	err := s.src.Close()
	s.finish(EndGone, &Error{Kind: ErrCanceled, Message: "the stream was closed before its end"})
	return err
}

// fail settles a stream that could not be told to the caller.
func (s *settledStream) fail(e *Error) { s.finish(EndFailed, e) }

// finish settles from the caller's side, where the watch is no longer needed.
func (s *settledStream) finish(end End, e *Error) {
	if s.unhook != nil {
		s.unhook()
	}
	s.settle(end, e)
}

func (s *settledStream) settle(end End, e *Error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended = true
	o := s.out
	s.mu.Unlock()
	o.End, o.Err, o.Total = end, e, time.Since(s.start)
	if end != EndComplete {
		o.Usage = cut(o.Usage, s.op, s.prompt, o.Sent)
	}
	o.Usage = counted(o.Usage, s.op, s.prompt, o.Sent)
	s.ledger.end(&o)
}
