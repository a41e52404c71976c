// SPDX-License-Identifier: AGPL-3.0-only

package compat_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	"github.com/maccracken/hoosh/providers/compat"
)

var timeouts = hoosh.Timeouts{Connect: time.Second, FirstEvent: 2 * time.Minute, Idle: 3 * time.Minute, Total: time.Hour}

// faultKinds say what a call makes of each fault; nil: the whole answer.
var faultKinds = map[hooshtest.Fault]struct {
	after         int
	whole, stream error
}{
	hooshtest.Hang:         {0, hoosh.ErrTimeout, hoosh.ErrTimeout},
	hooshtest.SlowHeaders:  {},
	hooshtest.Reset:        {0, hoosh.ErrUnavailable, hoosh.ErrUnavailable},
	hooshtest.ResetMid:     {2, hoosh.ErrUnavailable, hoosh.ErrStreamCut},
	hooshtest.Cut:          {2, hoosh.ErrUnavailable, hoosh.ErrStreamCut},
	hooshtest.Truncate:     {2, hoosh.ErrMalformed, hoosh.ErrStreamCut},
	hooshtest.HangMid:      {2, hoosh.ErrTimeout, hoosh.ErrTimeout},
	hooshtest.Slow:         {},
	hooshtest.WrongLength:  {0, hoosh.ErrUnavailable, nil}, // a stream has its own end
	hooshtest.CloseIdle:    {},
	hooshtest.Garbage:      {0, hoosh.ErrMalformed, hoosh.ErrMalformed},
	hooshtest.Malformed:    {1, hoosh.ErrMalformed, nil}, // one broken event is survived
	hooshtest.Huge:         {1, nil, hoosh.ErrMalformed},
	hooshtest.ErrorEvent:   {2, hoosh.ErrUpstream, hoosh.ErrUpstream},
	hooshtest.ErrorFirst:   {0, hoosh.ErrUpstream, hoosh.ErrUpstream},
	hooshtest.EmptyStream:  {0, hoosh.ErrMalformed, hoosh.ErrStreamCut},
	hooshtest.NotStream:    {0, nil, hoosh.ErrMalformed},
	hooshtest.StreamAnyway: {0, hoosh.ErrMalformed, nil},
	hooshtest.CommentFlood: {}, hooshtest.CRLF: {}, hooshtest.CR: {}, hooshtest.SplitUTF8: {}, hooshtest.Batched: {},
	hooshtest.NoUsage: {}, hooshtest.UsageAlways: {}, hooshtest.UsageInFinish: {}, hooshtest.DoubleDone: {}, hooshtest.NoDone: {},
}

// TestFaults meets every fault that a backend can have. A bubble ends only when
// all its goroutines have, so that nothing may be left behind either.
func TestFaults(t *testing.T) {
	for _, fault := range hooshtest.Faults() {
		want, ok := faultKinds[fault]
		if !ok {
			t.Errorf("%v has no row in the table", fault)
		}
		for _, streams := range []bool{false, true} {
			kind := want.whole
			if streams {
				kind = want.stream
			}
			name := fault.String() + map[bool]string{false: "/whole", true: "/stream"}[streams]
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { meet(t, hooshtest.Faulty(fault, want.after), streams, kind) })
			})
		}
	}
}

func meet(t *testing.T, a hooshtest.Answer, streams bool, kind error) {
	b := hooshtest.New(t)
	b.Answer(a)
	p := bounded(t, b.DialContext, b.URL())
	text, err := ask(p, streams)
	if kind == nil {
		if err != nil {
			t.Fatal(err)
		}
		if want := "You said: Hi there"; text != want && a.Fault != hooshtest.SplitUTF8 && a.Fault != hooshtest.Huge {
			t.Errorf("the text is %q, want %q", text, want)
		}
		if strings.ContainsRune(text, '\uFFFD') {
			t.Errorf("a character was split: %q", text)
		}
		return
	}
	var e *hoosh.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Fatalf("%v, want the kind %q", err, kind)
	}
	if e.Provider != "p" || e.Model != "test-model" || e.Op != hoosh.OpChat {
		t.Errorf("the error does not know of what it is: %+v", e)
	}
	if strings.Contains(e.Error(), "Hi there") || strings.Contains(e.Error(), "sk-secret") {
		t.Errorf("the error tells what it must not: %v", e)
	}
}

func bounded(t *testing.T, dial func(context.Context, string, string) (net.Conn, error), url string) *compat.Provider {
	t.Helper()
	p, err := compat.New(hoosh.ProviderConfig{Name: "p", BaseURL: url, Key: "sk-secret", DialContext: dial, Timeouts: timeouts}, compat.Preset{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// ask gives the text of an answer, as a typed caller reads it.
func ask(p hoosh.Doer, streams bool) (string, error) {
	return askWith(context.Background(), p, streams)
}

func askWith(ctx context.Context, p hoosh.Doer, streams bool) (string, error) {
	q := &hoosh.Request{Model: "test-model", Messages: []hoosh.Message{hoosh.User("Hi there")}}
	g := hoosh.NewGateway(p)
	if !streams {
		resp, err := g.Infer(ctx, q)
		if err != nil {
			return "", err
		}
		return resp.Text(), nil
	}
	s, err := g.Stream(ctx, q)
	if err != nil {
		return "", err
	}
	defer s.Close()
	resp, err := s.Response()
	if err != nil {
		return "", err
	}
	return resp.Text(), nil
}

func TestRefusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		p := bounded(t, b.DialContext, b.URL())
		b.Kill()
		for _, streams := range []bool{false, true} {
			if _, err := ask(p, streams); !errors.Is(err, hoosh.ErrUnavailable) {
				t.Error(err)
			}
		}
		b.Revive()
		if _, err := ask(p, true); err != nil {
			t.Errorf("after it came back: %v", err)
		}
	})
}

func TestStatuses(t *testing.T) {
	for status, kind := range map[int]error{
		400: hoosh.ErrInvalidRequest, 401: hoosh.ErrUpstreamAuth, 402: hoosh.ErrInsufficientQuota, 403: hoosh.ErrUpstreamAuth,
		404: hoosh.ErrModelNotFound, 408: hoosh.ErrTimeout, 413: hoosh.ErrTooLarge, 422: hoosh.ErrInvalidRequest,
		429: hoosh.ErrRateLimited, 500: hoosh.ErrUpstream, 501: hoosh.ErrUnsupported, 503: hoosh.ErrOverloaded, 529: hoosh.ErrOverloaded,
	} {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Status(status, 1500*time.Millisecond))
		p := bounded(t, b.DialContext, b.URL())
		for _, streams := range []bool{false, true} {
			_, err := ask(p, streams)
			e := hoosh.AsError(err)
			// OpenAI's code for a 5xx of its own is server_error, whatever the status.
			if !errors.Is(err, kind) && !(status >= 500 && e.Kind == hoosh.ErrUpstream) || e.Status != status || !e.Upstream || e.RetryAfter != 1500*time.Millisecond || len(e.Body) == 0 {
				t.Errorf("%d: %+v", status, e)
			}
		}
	}
}

// TestTimeouts ends each wait after its own time, to the millisecond.
func TestTimeouts(t *testing.T) {
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	long := hooshtest.Answer{Pieces: strings.SplitAfter(strings.Repeat("x ", 100), " "), Gap: time.Minute}
	for _, tc := range []struct {
		name    string
		answer  hooshtest.Answer
		dial    func(context.Context, string, string) (net.Conn, error)
		streams bool
		after   time.Duration
	}{
		{name: "connect", dial: hang, after: timeouts.Connect},
		{name: "connect, stream", dial: hang, streams: true, after: timeouts.Connect},
		{name: "first byte", answer: hooshtest.Answer{Delay: time.Hour}, after: timeouts.FirstEvent},
		{name: "first event", answer: hooshtest.Faulty(hooshtest.HangMid, 0), streams: true, after: timeouts.FirstEvent},
		{name: "first content", answer: hooshtest.Faulty(hooshtest.HangMid, 1), streams: true, after: timeouts.FirstEvent},
		{name: "idle", answer: hooshtest.Faulty(hooshtest.HangMid, 2), streams: true, after: timeouts.Idle},
		{name: "total", answer: long, streams: true, after: timeouts.Total},
		{name: "total, whole", answer: hooshtest.Faulty(hooshtest.HangMid, 1), after: timeouts.Total},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := hooshtest.New(t)
				b.Answer(tc.answer)
				if tc.dial == nil {
					tc.dial = b.DialContext
				}
				p := bounded(t, tc.dial, b.URL())
				start := time.Now()
				_, err := ask(p, tc.streams)
				if took := time.Since(start); !errors.Is(err, hoosh.ErrTimeout) || took != tc.after {
					t.Errorf("after %v: %v; want %v", took, err, tc.after)
				}
			})
		})
	}
}

// TestCallerLeaves: the backend is let go within a second.
func TestCallerLeaves(t *testing.T) {
	for _, streams := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := hooshtest.New(t)
			b.Answer(hooshtest.Faulty(hooshtest.HangMid, 2))
			p := bounded(t, b.DialContext, b.URL())
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(10*time.Second, cancel)
			if _, err := askWith(ctx, p, streams); !errors.Is(err, hoosh.ErrCanceled) {
				t.Errorf("stream %v: %v", streams, err)
			}
			if !b.Wait(time.Second, func() bool { return b.Gone() == 1 && b.InFlight() == 0 }) {
				t.Error("the backend still works for nobody")
			}
		})
	}
}

// TestDeadline: the caller's own deadline is a timeout.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Answer{Delay: time.Hour})
		p := bounded(t, b.DialContext, b.URL())
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if _, err := askWith(ctx, p, false); !errors.Is(err, hoosh.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// TestCloseEnds: Close ends what is under way.
func TestCloseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Faulty(hooshtest.HangMid, 3))
		p := bounded(t, b.DialContext, b.URL())
		reply, err := p.Do(context.Background(), parse(t, hoosh.OpChat, strings.Replace(chatBody, "{", `{"stream":true,`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(time.Second, func() { p.Close() })
		if _, _, err := readAll(reply.Stream); !errors.Is(err, hoosh.ErrCanceled) {
			t.Error(err)
		}
	})
}

// TestStop ends a stream early and cleanly.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Faulty(hooshtest.HangMid, 3))
		p := bounded(t, b.DialContext, b.URL())
		reply, err := p.Do(context.Background(), parse(t, hoosh.OpChat, strings.Replace(chatBody, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := reply.Stream.Next(); err != nil {
				t.Fatal(err)
			}
		}
		reply.Stream.Stop(hoosh.FinishLength, hoosh.Usage{Input: 3, Output: 1, Source: hoosh.UsageCounted})
		raw, u, err := readAll(reply.Stream)
		if err != nil || !strings.Contains(raw, `"finish_reason":"length"`) || !strings.HasSuffix(raw, "data: [DONE]\n\n") || u.Input != 3 {
			t.Errorf("%v, usage %v\n%s", err, u, raw)
		}
		if _, err := reply.Stream.Next(); err != io.EOF {
			t.Error(err)
		}
		if !b.Wait(time.Second, func() bool { return b.Gone() == 1 }) {
			t.Error("the backend was not let go")
		}
	})
}

// TestStaleConnections: a backend that closes connections after its answers, as
// llama.cpp does after each stream, costs no call.
func TestStaleConnections(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	b := hooshtest.NewTCP(t)
	b.Answer(hooshtest.Faulty(hooshtest.CloseIdle, 0))
	p := bounded(t, nil, b.URL())
	for i := range 200 {
		if _, err := ask(p, i%2 == 0); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}
