// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// backendProvider puts a scripted backend behind an Upstream.
func backendProvider(tb testing.TB, name string, b *hooshtest.Backend, t hoosh.Timeouts) hoosh.Provider {
	tb.Helper()
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: name, BaseURL: b.URL(), DialContext: b.DialContext, Timeouts: t},
		hoosh.Driver{}, &hoosh.Profile{Dialect: hoosh.OpenAI}, "")
	if err != nil {
		tb.Fatal(err)
	}
	return hoosh.Provider{Name: name, Doer: upstreamDoer{u, u.URL("/chat/completions")}}
}

// pair is a router over two backends, with a route "m" to both in order.
func pair(t *testing.T, timeouts hoosh.Timeouts, route hoosh.Route) (*hoosh.Router, *hooshtest.Backend, *hooshtest.Backend) {
	a, b := hooshtest.New(t, hooshtest.Host("a.test")), hooshtest.New(t, hooshtest.Host("b.test"))
	route.Match = []string{"m"}
	route.To = []hoosh.Target{{Target: "a/m"}, {Target: "b/m"}}
	return newRouter(t, []hoosh.Provider{backendProvider(t, "a", a, timeouts), backendProvider(t, "b", b, timeouts)}, route), a, b
}

func ask(r hoosh.Gateway, stream bool) (*hoosh.Reply, string, error) {
	return askCtx(context.Background(), r, stream)
}

// askCtx makes one call and reads its answer to the end.
func askCtx(ctx context.Context, r hoosh.Gateway, stream bool) (*hoosh.Reply, string, error) {
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":%t}`, stream))
	if err != nil {
		return nil, "", err
	}
	reply, err := r.Do(ctx, c)
	if err != nil || !stream {
		if err != nil {
			return nil, "", err
		}
		return reply, string(reply.Body), nil
	}
	text, err := readOut(reply.Stream)
	return reply, text, err
}

// readOut reads a stream to its end and closes it.
func readOut(s hoosh.Stream) (string, error) {
	defer s.Close()
	var b strings.Builder
	for {
		f, err := s.Next()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), err
		}
		b.Write(f.Raw)
	}
}

// TestFailover: what the first backend does, and what the caller sees. Time is
// a bubble's, so that waits cost nothing and are exact.
func TestFailover(t *testing.T) {
	short := hoosh.Timeouts{Connect: time.Second, FirstEvent: 5 * time.Second, Idle: 3 * time.Second, Total: time.Minute}
	one := hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}
	for _, tc := range []struct {
		name   string
		first  hooshtest.Answer
		stream bool
		retry  hoosh.RetryConfig
		by     string // who answers; "": nobody
		kind   error
		calls  int // of the first backend
	}{
		{"503", hooshtest.Status(503, 0), false, one, "b", nil, 1},
		{"429", hooshtest.Status(429, 0), false, one, "b", nil, 1},
		{"500 to a stream", hooshtest.Status(500, 0), true, one, "b", nil, 1},
		{"401 is the backend's own matter", hooshtest.Status(401, 0), false, one, "b", nil, 1},
		{"404: another may have the model", hooshtest.Status(404, 0), false, one, "b", nil, 1},
		{"402", hooshtest.Status(402, 0), false, one, "b", nil, 1},
		{"400 is the client's own", hooshtest.Status(400, 0), false, one, "", hoosh.ErrInvalidRequest, 1},
		{"422 is the client's own", hooshtest.Status(422, 0), true, one, "", hoosh.ErrInvalidRequest, 1},
		{"413 is the client's own", hooshtest.Status(413, 0), false, one, "", hoosh.ErrTooLarge, 1},
		{"reset before the headers", hooshtest.Faulty(hooshtest.Reset, 0), false, one, "b", nil, 1},
		{"hangs before the headers", hooshtest.Faulty(hooshtest.Hang, 0), false, one, "b", nil, 1},
		{"hangs before the first event", hooshtest.Faulty(hooshtest.HangMid, 0), true, one, "b", nil, 1},
		{"hangs after the role", hooshtest.Faulty(hooshtest.HangMid, 1), true, one, "b", nil, 1},
		{"HTML under 200", hooshtest.Faulty(hooshtest.Garbage, 0), false, one, "b", nil, 1},
		{"HTML under 200 to a stream", hooshtest.Faulty(hooshtest.Garbage, 0), true, one, "b", nil, 1},
		{"an error event first", hooshtest.Faulty(hooshtest.ErrorFirst, 0), true, one, "b", nil, 1},
		{"an error object under 200", hooshtest.Faulty(hooshtest.ErrorEvent, 0), false, one, "b", nil, 1},
		{"an empty stream", hooshtest.Faulty(hooshtest.EmptyStream, 0), true, one, "b", nil, 1},
		{"cut before content", hooshtest.Faulty(hooshtest.Truncate, 1), true, one, "b", nil, 1},
		{"a whole answer to a stream", hooshtest.Faulty(hooshtest.NotStream, 0), true, one, "b", nil, 1},
		{"a body cut", hooshtest.Faulty(hooshtest.Cut, 0), false, one, "b", nil, 1},
		{"cut after content", hooshtest.Faulty(hooshtest.Truncate, 3), true, one, "a", hoosh.ErrStreamCut, 1},
		{"reset after content", hooshtest.Faulty(hooshtest.ResetMid, 3), true, one, "a", hoosh.ErrStreamCut, 1},
		{"stalled after content", hooshtest.Faulty(hooshtest.HangMid, 3), true, one, "a", hoosh.ErrTimeout, 1},
		{"an error event after content", hooshtest.Faulty(hooshtest.ErrorEvent, 3), true, one, "a", hoosh.ErrUpstream, 1},
		{"one broken line is survived", hooshtest.Faulty(hooshtest.Malformed, 3), true, one, "a", nil, 1},
		{"an event too large", hooshtest.Faulty(hooshtest.Huge, 3), true, one, "a", hoosh.ErrMalformed, 1},
		{"no [DONE] but a finish", hooshtest.Faulty(hooshtest.NoDone, 0), true, one, "a", nil, 1},
		{"[DONE] twice", hooshtest.Faulty(hooshtest.DoubleDone, 0), true, one, "a", nil, 1},
		{"CRLF", hooshtest.Faulty(hooshtest.CRLF, 0), true, one, "a", nil, 1},
		{"a flood of comments", hooshtest.Faulty(hooshtest.CommentFlood, 0), true, one, "a", nil, 1},
		{"characters cut in two", hooshtest.Faulty(hooshtest.SplitUTF8, 0), true, one, "a", nil, 1},
		{"slow", hooshtest.Faulty(hooshtest.Slow, 0), true, one, "a", nil, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, b := pair(t, short, hoosh.Route{Retry: tc.retry})
				a.Answer(tc.first)
				reply, text, err := ask(r, tc.stream)
				by := ""
				if reply != nil {
					by = reply.Provider
				}
				if by != tc.by || !errors.Is(err, tc.kind) {
					t.Errorf("answered by %q with error %v, want %q and %v", by, err, tc.by, tc.kind)
				}
				if tc.by != "" && tc.kind == nil && !strings.Contains(text, "You") && !strings.Contains(text, "café") {
					t.Errorf("the answer is %q", text)
				}
				if reply != nil && reply.Attempts != map[string]int{"a": 1, "b": 2}[by] {
					t.Errorf("%d attempts", reply.Attempts)
				}
				if a.Calls() != tc.calls {
					t.Errorf("the first backend got %d calls, want %d", a.Calls(), tc.calls)
				}
				if tc.stream && tc.kind != nil && tc.by == "a" && strings.Contains(text, "[DONE]") {
					t.Error("a broken stream looks complete")
				}
				r.Close()
				a.Close()
				b.Close()
			})
		})
	}
}

// TestRetry: rounds, backoff, Retry-After, and when it is of no use.
func TestRetry(t *testing.T) {
	busy := hooshtest.Status(503, 0)
	for _, tc := range []struct {
		name    string
		a, b    []hooshtest.Answer
		retry   hoosh.RetryConfig
		by      string
		kind    error
		tries   int
		atLeast time.Duration
		atMost  time.Duration
	}{
		{"the second round", []hooshtest.Answer{busy, {}}, []hooshtest.Answer{busy}, hoosh.RetryConfig{}, "a", nil, 3, 125 * time.Millisecond, 251 * time.Millisecond},
		{"all rounds", []hooshtest.Answer{busy}, []hooshtest.Answer{busy}, hoosh.RetryConfig{Attempts: hoosh.Ptr(3)}, "", hoosh.ErrOverloaded, 6, 375 * time.Millisecond, 752 * time.Millisecond},
		{"Retry-After is obeyed", []hooshtest.Answer{hooshtest.Status(429, 7*time.Second), {}}, []hooshtest.Answer{hooshtest.Status(429, 9*time.Second)}, hoosh.RetryConfig{}, "a", nil, 3, 7 * time.Second, 7*time.Second + time.Millisecond},
		{"but not beyond its cap", []hooshtest.Answer{hooshtest.Status(429, time.Hour)}, []hooshtest.Answer{hooshtest.Status(429, time.Hour)}, hoosh.RetryConfig{}, "", hoosh.ErrRateLimited, 2, 0, time.Millisecond},
		{"nor beyond the total", []hooshtest.Answer{hooshtest.Status(429, 7*time.Second)}, []hooshtest.Answer{hooshtest.Status(429, 7*time.Second)}, hoosh.RetryConfig{Total: 5 * time.Second}, "", hoosh.ErrRateLimited, 2, 0, time.Millisecond},
		{"what is not retryable is not retried", []hooshtest.Answer{hooshtest.Status(404, 0)}, []hooshtest.Answer{busy, {}}, hoosh.RetryConfig{}, "b", nil, 3, 125 * time.Millisecond, 251 * time.Millisecond},
		{"a refused key is nobody's to retry", []hooshtest.Answer{hooshtest.Status(401, 0)}, []hooshtest.Answer{hooshtest.Status(403, 0)}, hoosh.RetryConfig{}, "", hoosh.ErrUpstreamAuth, 2, 0, time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, b := pair(t, hoosh.Timeouts{}, hoosh.Route{Retry: tc.retry})
				a.Answer(tc.a...)
				b.Answer(tc.b...)
				start := time.Now()
				reply, _, err := ask(r, false)
				took := time.Since(start)
				by := ""
				if reply != nil {
					by = reply.Provider
				}
				if by != tc.by || !errors.Is(err, tc.kind) {
					t.Errorf("answered by %q with error %v, want %q and %v", by, err, tc.by, tc.kind)
				}
				if n := a.Calls() + b.Calls(); n != tc.tries {
					t.Errorf("%d tries, want %d", n, tc.tries)
				}
				if e := hoosh.AsError(err); e != nil && len(e.Tried) != tc.tries-1 {
					t.Errorf("the error tells of %d earlier tries", len(e.Tried))
				}
				if took < tc.atLeast || took > tc.atMost {
					t.Errorf("took %v, want %v to %v", took, tc.atLeast, tc.atMost)
				}
				r.Close()
				a.Close()
				b.Close()
			})
		})
	}
}

// TestTimeouts: each phase has its own, and says which it was.
func TestTimeouts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		t      hoosh.Timeouts
		answer hooshtest.Answer
		stream bool
		took   time.Duration
		says   string
	}{
		{"first event, whole", hoosh.Timeouts{FirstEvent: 4 * time.Second}, hooshtest.Faulty(hooshtest.Hang, 0), false, 4 * time.Second, "first-event"},
		{"first event, stream", hoosh.Timeouts{FirstEvent: 4 * time.Second}, hooshtest.Faulty(hooshtest.HangMid, 1), true, 4 * time.Second, "first-event"},
		{"idle", hoosh.Timeouts{Idle: 6 * time.Second}, hooshtest.Faulty(hooshtest.HangMid, 3), true, 6 * time.Second, "idle"},
		{"total, whole", hoosh.Timeouts{Total: 9 * time.Second}, hooshtest.Answer{Fault: hooshtest.Slow, Gap: time.Second}, false, 9 * time.Second, "total"},
		{"total, stream", hoosh.Timeouts{Total: 9 * time.Second}, hooshtest.Answer{Pieces: strings.Split(strings.Repeat("x ", 99), " "), Gap: time.Second}, true, 9 * time.Second, "total"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, a, b := pair(t, tc.t, hoosh.Route{Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}})
				a.Answer(tc.answer)
				b.Kill()
				start := time.Now()
				_, _, err := ask(r, tc.stream)
				first := err
				if e := hoosh.AsError(err); len(e.Tried) > 0 {
					first = e.Tried[0]
				}
				if !errors.Is(first, hoosh.ErrTimeout) || !strings.Contains(first.Error(), tc.says) {
					t.Errorf("got %v, want a timeout that says %s", first, tc.says)
				}
				if took := time.Since(start); took < tc.took || took > tc.took+10*time.Millisecond {
					t.Errorf("after %v, want %v", took, tc.took)
				}
				if !a.Wait(time.Second, func() bool { return a.InFlight() == 0 }) {
					t.Error("the backend still works for nobody")
				}
				r.Close()
				a.Close()
				b.Close()
			})
		})
	}
	t.Run("connect", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := hoosh.Provider{Name: "a"}
			u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "a", BaseURL: "http://a.test", Timeouts: hoosh.Timeouts{Connect: 2 * time.Second}, DialContext: hangingDial},
				hoosh.Driver{}, &hoosh.Profile{Dialect: hoosh.OpenAI}, "")
			if err != nil {
				t.Fatal(err)
			}
			p.Doer = upstreamDoer{u, u.URL("/x")}
			r := newRouter(t, []hoosh.Provider{p}, hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "a/m"}}, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}})
			start := time.Now()
			_, _, err = ask(r, false)
			if !errors.Is(err, hoosh.ErrTimeout) || !strings.Contains(err.Error(), "connect") || time.Since(start) != 2*time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
			r.Close()
		})
	})
}

// hangingDial never connects.
func hangingDial(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestStates: online → suspect → offline by what calls show and by time, and
// the way back by a trial.
func TestStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{}, hoosh.Route{Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}})
		state := func() hoosh.State {
			list, _ := r.Providers(context.Background())
			return list[0].State
		}
		by := func() string {
			reply, _, err := ask(r, false)
			if err != nil {
				t.Fatal(err)
			}
			return reply.Provider
		}
		want := func(s hoosh.State) {
			t.Helper()
			if state() != s {
				t.Errorf("state %v, want %v", state(), s)
			}
		}
		want(hoosh.StateUnknown)
		if by() != "a" {
			t.Error("the first of two good ones")
		}
		want(hoosh.StateOnline)
		a.Kill()
		for range 3 {
			by()
		}
		want(hoosh.StateSuspect)
		calls := a.Accepted()
		for range 5 {
			if by() != "b" {
				t.Error("a suspect comes last")
			}
		}
		if a.Accepted() != calls {
			t.Error("a suspect was tried first")
		}
		time.Sleep(3 * time.Minute)
		by() // the trial is due, and fails unseen
		want(hoosh.StateOffline)
		plan, err := r.Plan(context.Background(), hoosh.NewCall(&hoosh.Request{Model: "m"}))
		if err != nil || plan.Candidates[0].Provider != "b" || plan.Candidates[1].Tried || plan.Candidates[1].Reason == "" {
			t.Errorf("plan %+v, %v", plan, err)
		}
		a.Revive()
		if by() != "b" {
			t.Error("nobody knows yet that it is back")
		}
		time.Sleep(16 * time.Second)
		if by() != "a" {
			t.Error("the trial brings it back")
		}
		want(hoosh.StateOnline)
		a.Kill()
		b.Kill()
		for range 4 {
			ask(r, false)
		}
		time.Sleep(3 * time.Minute)
		ask(r, false)
		ask(r, false)
		a.Revive()
		if reply, _, err := ask(r, false); err != nil || reply.Provider != "a" {
			t.Errorf("with nothing else left an offline one is tried: %v", err)
		}
		r.Close()
		a.Close()
		b.Close()
	})
}

// counting is a Doer that counts its calls and answers at once.
type counting struct {
	n   atomic.Int64
	eta time.Duration
}

func (c *counting) Do(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
	c.n.Add(1)
	time.Sleep(c.eta)
	return &hoosh.Reply{Dialect: hoosh.OpenAI, Body: []byte(`{"choices":[]}`)}, nil
}

// TestStrategies: how calls spread.
func TestStrategies(t *testing.T) {
	spread := func(t *testing.T, route hoosh.Route, etas [3]time.Duration, calls, parallel int) [3]int64 {
		var doers [3]*counting
		var providers []hoosh.Provider
		route.Match = []string{"m"}
		for i := range doers {
			doers[i] = &counting{eta: etas[i]}
			name := string(rune('a' + i))
			providers = append(providers, hoosh.Provider{Name: name, Doer: doers[i]})
			if len(route.To) < 3 {
				route.To = append(route.To, hoosh.Target{Target: name + "/m"})
			}
		}
		r := newRouter(t, providers, route)
		var wait sync.WaitGroup
		for range parallel {
			wait.Go(func() {
				for range calls / parallel {
					if _, _, err := ask(r, false); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
		return [3]int64{doers[0].n.Load(), doers[1].n.Load(), doers[2].n.Load()}
	}
	t.Run("priority", func(t *testing.T) {
		if n := spread(t, hoosh.Route{}, [3]time.Duration{}, 30, 3); n != [3]int64{30, 0, 0} {
			t.Error(n)
		}
	})
	t.Run("round-robin is fair under concurrency", func(t *testing.T) {
		if n := spread(t, hoosh.Route{Strategy: hoosh.StrategyRoundRobin}, [3]time.Duration{}, 3000, 30); n != [3]int64{1000, 1000, 1000} {
			t.Error(n)
		}
	})
	t.Run("weighted", func(t *testing.T) {
		to := []hoosh.Target{{Target: "a/m", Weight: hoosh.Ptr(8)}, {Target: "b/m", Weight: hoosh.Ptr(2)}, {Target: "c/m", Weight: hoosh.Ptr(0)}}
		n := spread(t, hoosh.Route{Strategy: hoosh.StrategyWeighted, To: to}, [3]time.Duration{}, 5000, 1)
		if n[0] < 3800 || n[0] > 4200 || n[2] != 0 {
			t.Error(n)
		}
	})
	t.Run("lowest latency", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			etas := [3]time.Duration{30 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond}
			if n := spread(t, hoosh.Route{Strategy: hoosh.StrategyLowestLatency}, etas, 50, 1); n != [3]int64{1, 48, 1} {
				t.Error(n, "each is measured once, then the quickest gets the calls")
			}
		})
	})
	t.Run("least busy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := spread(t, hoosh.Route{Strategy: hoosh.StrategyLeastBusy}, [3]time.Duration{90 * time.Millisecond, 30 * time.Millisecond, 30 * time.Millisecond}, 900, 9)
			if n[0] < 100 || n[0] > 180 || n[1] < 300 || n[2] < 300 {
				t.Error(n, "the slow one is busier, so it gets fewer")
			}
		})
	})
}

// TestKillOneOfTwo kills a backend with 200 calls in flight, half of them
// streams of which half have begun.
func TestKillOneOfTwo(t *testing.T) {
	hooshtest.CheckGoroutines(t)
	// Real sockets: a reset is the kernel's.
	a, b := hooshtest.NewTCP(t), hooshtest.NewTCP(t)
	r := newRouter(t, []hoosh.Provider{backendProvider(t, "a", a, hoosh.Timeouts{}), backendProvider(t, "b", b, hoosh.Timeouts{})},
		hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "a/m"}, {Target: "b/m"}}})
	var n atomic.Int32
	a.Script(func(q *hooshtest.Request) hooshtest.Answer {
		if q.Stream && n.Add(1)%2 == 0 { // begins, and then hangs
			return hooshtest.Answer{Text: "one two three", Fault: hooshtest.HangMid, After: 2}
		}
		return hooshtest.Answer{Fault: hooshtest.Hang}
	})
	type result struct {
		by, text string
		err      error
		stream   bool
	}
	results := make(chan result, 200)
	begun := make(chan struct{}, 200)
	for i := range 200 {
		go func() {
			stream := i%2 == 0
			c, _ := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":%t}`, stream))
			res := result{stream: stream}
			var reply *hoosh.Reply
			if reply, res.err = r.Do(context.Background(), c); res.err == nil {
				res.by, res.text = reply.Provider, string(reply.Body)
				if reply.Stream != nil {
					begun <- struct{}{} // its first content has come
					res.text, res.err = readOut(reply.Stream)
				}
			}
			results <- res
		}()
	}
	if !a.Wait(20*time.Second, func() bool { return a.InFlight() == 200 }) {
		t.Fatalf("%d calls in flight", a.InFlight())
	}
	for range 50 {
		<-begun
	}
	a.Kill()
	counts := map[string]int{}
	for range 200 {
		select {
		case res := <-results:
			switch {
			case res.err == nil && res.by == "b":
				counts["elsewhere"]++
			case res.stream && res.by == "a" && errors.Is(res.err, hoosh.ErrStreamCut) && !strings.Contains(res.text, "[DONE]"):
				counts["cut"]++
			default:
				t.Errorf("by %q: %q, %v", res.by, res.text, res.err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("a call hangs")
		}
	}
	if counts["elsewhere"] != 150 || counts["cut"] != 50 {
		t.Errorf("%v, want 150 answered elsewhere and 50 cut", counts)
	}
	a.Script(nil)
	a.Revive()
	r.Close()
}

// TestCloseEndsCalls: Close lets nothing hang; Shutdown waits first.
func TestCloseEndsCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{}, hoosh.Route{})
		a.Answer(hooshtest.Faulty(hooshtest.Hang, 0))
		b.Answer(hooshtest.Faulty(hooshtest.HangMid, 3))
		errs := make(chan error, 2)
		go func() { _, _, err := ask(r, false); errs <- err }()
		c := hoosh.NewCall(&hoosh.Request{Model: "b/m", Messages: []hoosh.Message{hoosh.User("x")}})
		go func() {
			body := []byte(`{"model":"b/m","stream":true,"messages":[]}`)
			c, _ = hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, body)
			reply, err := r.Do(context.Background(), c)
			for err == nil {
				_, err = reply.Stream.Next()
			}
			errs <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if time.Since(start) != 5*time.Second {
			t.Errorf("Shutdown waited %v", time.Since(start))
		}
		for range 2 {
			if err := <-errs; err == nil || err == io.EOF {
				t.Errorf("a call ended with %v", err)
			}
		}
		if _, _, err := ask(r, false); !errors.Is(err, hoosh.ErrNoProvider) {
			t.Errorf("a call to a closed router: %v", err)
		}
		a.Close()
		b.Close()
	})
}

// TestPlanReasons: every candidate has a reason, and the order is the live one.
func TestPlanReasons(t *testing.T) {
	blind := hoosh.Provider{Name: "blind", Doer: featured{&counting{}, hoosh.FeatureChat}, Local: true}
	r := newRouter(t, []hoosh.Provider{
		blind, {Name: "off", Doer: &counting{}, Disabled: true}, {Name: "good", Doer: &counting{}}, {Name: "secret", Doer: &counting{}},
	}, hoosh.Route{Match: []string{"see-*"}, To: []hoosh.Target{{Target: "blind/*"}, {Target: "off/x"}, {Target: "secret/x"}, {Target: "good/big"}}})
	c, err := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"model":"see-1","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Caller.Providers = []string{"blind", "off", "good"}
	plan, err := r.Plan(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range plan.Candidates {
		got = append(got, fmt.Sprintf("%s/%s %t: %s", k.Provider, k.Model, k.Tried, k.Reason))
	}
	want := []string{
		"good/big true: remote, priority 100",
		"blind/see-1 false: the model lacks vision",
		"off/x false: it is disabled in the configuration",
		"secret/x false: the caller's key may not use this provider",
	}
	if !slices.Equal(got, want) || plan.Route != "route see-*" {
		t.Errorf("%s\n got %q\nwant %q", plan.Route, got, want)
	}
	reply, err := r.Do(context.Background(), c)
	if err != nil || reply.Provider != "good" {
		t.Errorf("live: %v, %v", reply, err)
	}
}

// featured is a Doer whose models can do only so much.
type featured struct {
	hoosh.Doer
	can hoosh.Features
}

func (f featured) Capabilities(string) hoosh.Capabilities { return hoosh.Capabilities{Features: f.can} }

// TestNotTheBackendsMatter: what a caller does with its own time says nothing of
// a backend.
func TestNotTheBackendsMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{Idle: 3 * time.Second, FirstEvent: 4 * time.Second}, hoosh.Route{})
		state := func() hoosh.State {
			list, _ := r.Providers(context.Background())
			return list[0].State
		}
		ask(r, false) // so that it is known to be well
		a.Answer(hooshtest.Answer{Delay: time.Second})
		for range 4 {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			if _, _, err := askCtx(ctx, r, false); !errors.Is(err, hoosh.ErrTimeout) {
				t.Error(err)
			}
			cancel()
			cause := errors.New("the user pressed stop")
			ctx, stop := context.WithCancelCause(context.Background())
			time.AfterFunc(10*time.Millisecond, func() { stop(cause) })
			if _, _, err := askCtx(ctx, r, true); !errors.Is(err, hoosh.ErrCanceled) || !errors.Is(err, cause) {
				t.Error(err)
			}
		}
		if state() != hoosh.StateOnline {
			t.Errorf("callers that left made the backend %v", state())
		}
		a.Answer(hooshtest.Text("one two three four"))
		c, _ := hoosh.ParseCall(hoosh.OpenAI, hoosh.OpChat, []byte(`{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}`))
		reply, err := r.Do(context.Background(), c)
		for n := 0; err == nil; n++ {
			time.Sleep(time.Minute) // with each event, longer than any limit of the backend's
			_, err = reply.Stream.Next()
		}
		if err != io.EOF {
			t.Errorf("a caller that takes its time got %v", err)
		}
		r.Close()
		a.Close()
		b.Close()
	})
}

// TestRetryAfterOfEach: each backend is left alone for as long as it asked.
func TestRetryAfterOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{}, hoosh.Route{Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(3)}})
		a.Answer(hooshtest.Status(429, 20*time.Second))
		b.Answer(hooshtest.Status(500, 0), hooshtest.Status(500, 0), hooshtest.Answer{})
		reply, _, err := ask(r, false)
		if err != nil || reply.Provider != "b" || a.Calls() != 1 {
			t.Errorf("%v; the first, which asked for 20 s, got %d calls", err, a.Calls())
		}
		r.Close()
		a.Close()
		b.Close()
	})
}

// TestHungBackendFailsOver also where its own time is as long as the route's.
func TestHungBackendFailsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{FirstEvent: 10 * time.Minute, Total: 10 * time.Minute}, hoosh.Route{})
		a.Answer(hooshtest.Faulty(hooshtest.Hang, 0))
		if reply, _, err := ask(r, false); err != nil || reply.Provider != "b" {
			t.Error(err)
		}
		r.Close()
		a.Close()
		b.Close()
	})
}

// TestShutdownBetweenAttempts waits for a call that is in its backoff.
func TestShutdownBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, a, b := pair(t, hoosh.Timeouts{}, hoosh.Route{Retry: hoosh.RetryConfig{Backoff: time.Second}})
		a.Answer(hooshtest.Status(503, 0), hooshtest.Answer{})
		b.Answer(hooshtest.Status(503, 0))
		errs := make(chan error)
		go func() { _, _, err := ask(r, false); errs <- err }()
		synctest.Wait()
		down := make(chan error)
		go func() { down <- r.Shutdown(context.Background()) }()
		if err := <-errs; err != nil {
			t.Errorf("the call under way: %v", err)
		}
		if err := <-down; err != nil {
			t.Error(err)
		}
		a.Close()
		b.Close()
	})
}

// TestSeveralChoices: a stream of two answers is whole when both are.
func TestSeveralChoices(t *testing.T) {
	chunk := func(choice int, rest string) string {
		return fmt.Sprintf(`data: {"id":"1","choices":[{"index":%d,%s}]}`+"\n\n", choice, rest)
	}
	content, finish := `"delta":{"content":"x"},"finish_reason":null`, `"delta":{},"finish_reason":"stop"`
	for _, tc := range []struct {
		name   string
		chunks []string
		whole  bool
	}{
		{"both finish", []string{chunk(0, content), chunk(1, content), chunk(0, finish), chunk(1, finish)}, true},
		{"the second never begins", []string{chunk(0, content), chunk(0, finish)}, false},
		{"the second never begins, and the backend says it is done", []string{chunk(0, content), chunk(0, finish), "data: [DONE]\n\n"}, true},
		{"the second is cut", []string{chunk(0, content), chunk(1, content), chunk(0, finish)}, false},
		{"an index beyond all bits", []string{chunk(64, content), chunk(0, finish), chunk(1, finish)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := &passing{kind: "text/event-stream", reply: []byte(strings.Join(tc.chunks, ""))}
			reply, _, err := send(t, p, "*", hoosh.Profile{}, []byte(`{"model":"m","n":2,"stream":true,"messages":[]}`))
			for err == nil {
				_, err = reply.Stream.Next()
			}
			if whole := err == io.EOF; whole != tc.whole || !whole && !errors.Is(err, hoosh.ErrStreamCut) {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

// TestErrorEvents: the forms in which backends say within a stream that they
// have failed.
func TestErrorEvents(t *testing.T) {
	for _, event := range []string{
		`data: {"error":{"message":"boom","code":500}}`,
		`data: {"error":"boom"}`,
		"event: error\n" + `data: {"message":"boom","code":500}`,
		"event: error\n" + `data: "boom"`,
		`error: {"code":500,"message":"boom","type":"server_error"}`,
	} {
		chunk := `data: {"choices":[{"index":0,"delta":{"content":"x"}}]}` + "\n\n"
		p := &passing{kind: "text/event-stream", reply: []byte(chunk + event + "\n\ndata: [DONE]\n\n")}
		reply, _, err := send(t, p, "*", hoosh.Profile{}, []byte(`{"model":"m","stream":true,"messages":[]}`))
		for err == nil {
			_, err = reply.Stream.Next()
		}
		if e := hoosh.AsError(err); !e.Upstream || e.Kind != hoosh.ErrUpstream || !strings.Contains(e.Message, "boom") {
			t.Errorf("%s\n gave %v", event, err)
		}
	}
}

// TestPlainErrors: a Doer need not know of Error to be failed over.
func TestPlainErrors(t *testing.T) {
	broken := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) { return nil, errors.New("plain") })
	r := newRouter(t, []hoosh.Provider{{Name: "broken", Doer: broken}, {Name: "good", Doer: &counting{}}},
		hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "broken/m"}, {Target: "good/m"}}})
	if reply, _, err := ask(r, false); err != nil || reply.Provider != "good" {
		t.Error(err)
	}
}

// TestKeysAreNotEchoed: a backend that quotes the key it refuses does not make
// hoosh tell it on.
func TestKeysAreNotEchoed(t *testing.T) {
	rt := roundTripper(func(r *http.Request) (*http.Response, error) {
		body := fmt.Sprintf(`{"error":{"message":"Incorrect API key %s with %s"}}`, r.Header.Get("Authorization"), r.Header.Get("X-Team"))
		return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
	u, err := hoosh.NewUpstream(hoosh.ProviderConfig{Name: "u", BaseURL: "http://x.test", Key: "sk-very-secret", Headers: map[string]string{"X-Team": "team-secret"}, Transport: rt},
		hoosh.Driver{}, &hoosh.Profile{Dialect: hoosh.OpenAI}, "Authorization: Bearer ")
	if err != nil {
		t.Fatal(err)
	}
	r := newRouter(t, []hoosh.Provider{{Name: "u", Doer: upstreamDoer{u, u.URL("/x")}}}, hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "u/m"}}})
	_, _, err = ask(r, false)
	e := hoosh.AsError(err)
	for _, text := range []string{e.Error(), e.Message, string(e.Body), string(hoosh.OpenAI.EncodeError(e))} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "[redacted]") {
			t.Error(text)
		}
	}
}
