// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
)

// ender counts how often it was ended, and how.
type ender struct {
	times atomic.Int32
	out   atomic.Pointer[hoosh.Outcome]
	order *[]string
	name  string
}

func (e *ender) End(o *hoosh.Outcome) {
	e.times.Add(1)
	if e.order != nil {
		*e.order = append(*e.order, e.name)
	}
	cp := *o
	e.out.Store(&cp) // last: who sees it sees the rest
}

// scripted is a stream of n content frames; it blocks at frame hang until it is
// closed, and fails at frame fail.
type scripted struct {
	n, hang, fail int
	i             int
	closed        chan struct{}
	once          sync.Once
	closes        *atomic.Int32
}

func newScripted(n, hang, fail int, closes *atomic.Int32) *scripted {
	return &scripted{n: n, hang: hang, fail: fail, closed: make(chan struct{}), closes: closes}
}

func (s *scripted) Next() (*hoosh.Frame, error) {
	s.i++
	switch {
	case s.i == s.hang:
		<-s.closed
		return nil, &hoosh.Error{Kind: hoosh.ErrCanceled, Message: "closed"}
	case s.i == s.fail:
		return nil, &hoosh.Error{Kind: hoosh.ErrStreamCut}
	case s.i > s.n:
		return nil, io.EOF
	}
	return &hoosh.Frame{Raw: []byte("x"), Kind: hoosh.FrameContent, Text: 8}, nil
}

func (s *scripted) Stop(hoosh.Finish, hoosh.Usage) {}

func (s *scripted) Close() error {
	s.once.Do(func() { close(s.closed); s.closes.Add(1) })
	return nil
}

func streaming(s hoosh.Stream) hoosh.Doer {
	return hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Stream: s, Provider: "p", Model: "m"}, nil
	})
}

// TestSettleOnce walks the ways in which a call can end.
func TestSettleOnce(t *testing.T) {
	var closes atomic.Int32
	whole := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: []byte("12345678"), Provider: "p", Usage: hoosh.Usage{Input: 7, Source: hoosh.UsageReported}}, nil
	})
	failing := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		return nil, &hoosh.Error{Kind: hoosh.ErrUpstream, Provider: "p"}
	})
	for _, tc := range []struct {
		name  string
		doer  hoosh.Doer
		drive func(context.CancelFunc, *hoosh.Reply)
		want  hoosh.End
		usage hoosh.Usage
	}{
		{"a whole reply", whole, nil, hoosh.EndComplete, hoosh.Usage{Input: 7, Source: hoosh.UsageReported}},
		{"an error", failing, nil, hoosh.EndFailed, hoosh.Usage{}},
		{"a stream read to its end", streaming(newScripted(3, 0, 0, &closes)), func(_ context.CancelFunc, r *hoosh.Reply) {
			for {
				if _, err := r.Stream.Next(); err != nil {
					break
				}
			}
			r.Stream.Close()
		}, hoosh.EndComplete, hoosh.Usage{Input: 1, Output: 6, Source: hoosh.UsageCounted}},
		{"a stream that is cut", streaming(newScripted(3, 0, 3, &closes)), func(_ context.CancelFunc, r *hoosh.Reply) {
			for {
				if _, err := r.Stream.Next(); err != nil {
					break
				}
			}
		}, hoosh.EndFailed, hoosh.Usage{Input: 1, Output: 4, Source: hoosh.UsageCounted}},
		{"a stream closed early", streaming(newScripted(9, 0, 0, &closes)), func(_ context.CancelFunc, r *hoosh.Reply) {
			r.Stream.Next()
			r.Stream.Close()
			r.Stream.Close()
		}, hoosh.EndGone, hoosh.Usage{Input: 1, Output: 2, Source: hoosh.UsageCounted}},
		{"a stream dropped, its context canceled", streaming(newScripted(9, 0, 0, &closes)), func(cancel context.CancelFunc, r *hoosh.Reply) {
			r.Stream.Next()
			cancel()
		}, hoosh.EndGone, hoosh.Usage{Input: 1, Output: 2, Source: hoosh.UsageCounted}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var order []string
			first, second := &ender{name: "first", order: &order}, &ender{name: "second", order: &order}
			c := hoosh.NewCall(&hoosh.Request{Model: "m", Messages: []hoosh.Message{hoosh.User("four")}})
			c.OnEnd(first)
			c.OnEnd(second)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			reply, err := hoosh.Settle(hoosh.Settle(tc.doer)).Do(ctx, c)
			if (reply == nil) != (err != nil) {
				t.Fatal("a reply if and only if there is no error")
			}
			if tc.drive != nil {
				tc.drive(cancel, reply)
			}
			eventually(t, func() bool { return first.out.Load() != nil })
			if first.times.Load() != 1 || second.times.Load() != 1 {
				t.Fatalf("ended %d and %d times", first.times.Load(), second.times.Load())
			}
			if order[0] != "second" {
				t.Error("what was taken last is given back first")
			}
			o := first.out.Load()
			if o.End != tc.want || (o.Err == nil) != (tc.want == hoosh.EndComplete) {
				t.Errorf("end %v (%v), want %v", o.End, o.Err, tc.want)
			}
			if err == nil && o.Usage != tc.usage {
				t.Errorf("usage %+v, want %+v", o.Usage, tc.usage)
			}
		})
	}
}

// eventually waits for what another goroutine is about to do.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}

// TestSettlePanic: a panic is settled and goes on.
func TestSettlePanic(t *testing.T) {
	e := &ender{}
	c := hoosh.NewCall(&hoosh.Request{})
	c.OnEnd(e)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		hoosh.Settle(hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) { panic("x") })).Do(context.Background(), c)
	}()
	if o := e.out.Load(); o == nil || o.End != hoosh.EndPanicked {
		t.Errorf("outcome %v", o)
	}
}

// TestRandomEndings ends streams in random ways, from several goroutines at
// once, and counts: each is settled exactly once and closed at least once
// unless it was read to its end.
func TestRandomEndings(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 200
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var wait sync.WaitGroup
	enders := make([]*ender, n)
	var closes, opened atomic.Int32
	for i := range n {
		hang, fail := 0, 0
		switch rng.IntN(3) {
		case 0:
			hang = 1 + rng.IntN(4)
		case 1:
			fail = 1 + rng.IntN(4)
		}
		how, reads, delay := rng.IntN(6), rng.IntN(5), time.Duration(rng.IntN(200))*time.Microsecond
		enders[i] = &ender{}
		wait.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if how == 5 {
				cancel() // before the call even begins
			}
			c := hoosh.NewCall(&hoosh.Request{})
			c.OnEnd(enders[i])
			reply, err := hoosh.Settle(streaming(newScripted(3, hang, fail, &closes))).Do(ctx, c)
			if err != nil {
				return
			}
			opened.Add(1)
			var other sync.WaitGroup
			other.Go(func() { // somebody else ends it, in mid-read perhaps
				time.Sleep(delay)
				switch how {
				case 0, 1:
					reply.Stream.Close()
				default:
					cancel()
				}
			})
			for range reads {
				if _, err := reply.Stream.Next(); err != nil {
					break
				}
			}
			if how == 1 {
				reply.Stream.Close()
			}
			other.Wait()
		})
	}
	wait.Wait()
	for i, e := range enders {
		eventually(t, func() bool { return e.times.Load() > 0 })
		if e.times.Load() != 1 {
			t.Fatalf("call %d was settled %d times", i, e.times.Load())
		}
	}
}

// TestErrorsIs: what callers ask of an error.
func TestErrorsIs(t *testing.T) {
	cause := errors.New("cause")
	err := error(&hoosh.Error{Kind: hoosh.ErrRateLimited, Provider: "p", Message: "slow down", Err: cause})
	if !errors.Is(err, hoosh.ErrRateLimited) || !errors.Is(err, cause) || errors.Is(err, hoosh.ErrUpstream) {
		t.Error("errors.Is")
	}
	if got := err.Error(); got != "hoosh: p: rate limited: slow down" {
		t.Error(got)
	}
	if e := hoosh.AsError(context.Canceled); e.Kind != hoosh.ErrCanceled {
		t.Error(e)
	}
	if hoosh.AsError(nil) != nil {
		t.Error("nil")
	}
}
