// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/maccracken/hoosh/hooshtest"
)

const chatPath = "/chat/completions"

const (
	askWhole  = `{"model":"m","messages":[{"role":"user","content":"Hi there"}]}`
	askStream = `{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi there"}]}`
	askUsage  = `{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi there"}]}`
)

// outcome is what a client saw.
type outcome struct {
	status int
	header http.Header
	body   string
	err    error // of the request, or of reading the body
	took   time.Duration
}

func ask(ctx context.Context, c *http.Client, b *hooshtest.Backend, path, body string) (o outcome) {
	start := time.Now()
	defer func() { o.took = time.Since(start) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL()+path, strings.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	resp, err := c.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return outcome{status: resp.StatusCode, header: resp.Header, body: string(got), err: err}
}

func chat(t *testing.T, b *hooshtest.Backend, body string) outcome {
	t.Helper()
	return ask(t.Context(), b.Client(), b, chatPath, body)
}

// data are the payloads of the events of an SSE stream with LF line ends.
func (o outcome) data() (list []string) {
	for block := range strings.SplitSeq(o.body, "\n\n") {
		if payload, ok := strings.CutPrefix(block, "data: "); ok {
			list = append(list, payload)
		}
	}
	return list
}

// events of the default answer to "Hi there": role, You, said:, Hi, there, finish, [DONE].
const eventsOfDefault = 7

type faultCase struct {
	answer hooshtest.Answer
	ask    string
	check  func(t *testing.T, o outcome)
}

func seen(status int, err error, events int) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		if o.status != status || !errors.Is(o.err, err) || len(o.data()) != events {
			t.Errorf("status %d, error %v, %d events; want %d, %v, %d", o.status, o.err, len(o.data()), status, err, events)
		}
	}
}

func wholeSeen(err error, size int) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		if o.status != 200 || !errors.Is(o.err, err) || len(o.body) != size {
			t.Errorf("status %d, error %v, %d bytes; want %v, %d", o.status, o.err, len(o.body), err, size)
		}
	}
}

func has(parts ...string) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		for _, p := range parts {
			if !strings.Contains(o.body, p) {
				t.Errorf("no %q in %q, %v", p, o.body, o.err)
			}
		}
	}
}

func lacks(parts ...string) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		if o.status != 200 || o.err != nil {
			t.Errorf("status %d, %v", o.status, o.err)
		}
		for _, p := range parts {
			if strings.Contains(o.body, p) {
				t.Errorf("%q in %q", p, o.body)
			}
		}
	}
}

func all(checks ...func(*testing.T, outcome)) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		for _, c := range checks {
			c(t, o)
		}
	}
}

func after(d time.Duration) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		if o.took < d {
			t.Errorf("it took only %v", o.took)
		}
	}
}

func contentType(kind string) func(*testing.T, outcome) {
	return func(t *testing.T, o outcome) {
		if got := o.header.Get("Content-Type"); !strings.HasPrefix(got, kind) {
			t.Errorf("content type %q", got)
		}
	}
}

func faulty(f hooshtest.Fault, after int) hooshtest.Answer { return hooshtest.Faulty(f, after) }

// patience is how long the client of a case waits: where something has to come
// first, long enough for a busy machine.
func (c *faultCase) patience() time.Duration {
	switch {
	case c.answer.Fault == hooshtest.Hang || c.answer.Gap == time.Hour:
		return 100 * time.Millisecond
	case c.answer.Fault == hooshtest.HangMid:
		return time.Second
	}
	return time.Minute
}

// faultCases are what clients see of each fault.
var faultCases = []faultCase{
	{faulty(hooshtest.Hang, 0), askStream, seen(0, context.DeadlineExceeded, 0)},
	{faulty(hooshtest.Hang, 0), askWhole, seen(0, context.DeadlineExceeded, 0)},
	{faulty(hooshtest.SlowHeaders, 0), askStream, all(seen(200, nil, eventsOfDefault), after(100*time.Millisecond))},
	{hooshtest.Answer{Fault: hooshtest.SlowHeaders, Gap: time.Hour}, askWhole, seen(0, context.DeadlineExceeded, 0)},
	{faulty(hooshtest.Reset, 0), askStream, seen(0, syscall.ECONNRESET, 0)},
	{faulty(hooshtest.ResetMid, 3), askStream, seen(200, syscall.ECONNRESET, 3)},
	{faulty(hooshtest.ResetMid, 0), askStream, seen(200, syscall.ECONNRESET, 0)},
	{faulty(hooshtest.ResetMid, 20), askWhole, wholeSeen(syscall.ECONNRESET, 20)},
	{faulty(hooshtest.Cut, 3), askStream, seen(200, io.ErrUnexpectedEOF, 3)},
	{faulty(hooshtest.Cut, 20), askWhole, wholeSeen(io.ErrUnexpectedEOF, 20)},
	{faulty(hooshtest.Truncate, 3), askStream, seen(200, nil, 3)},
	{faulty(hooshtest.Truncate, 20), askWhole, wholeSeen(nil, 20)},
	{faulty(hooshtest.HangMid, 3), askStream, seen(200, context.DeadlineExceeded, 3)},
	{faulty(hooshtest.HangMid, 20), askWhole, wholeSeen(context.DeadlineExceeded, 20)},
	{faulty(hooshtest.Slow, 0), askStream, seen(200, nil, eventsOfDefault)},
	{hooshtest.Answer{Fault: hooshtest.Slow, Gap: 100 * time.Microsecond}, askWhole, after(30 * time.Millisecond)},
	{faulty(hooshtest.WrongLength, 0), askStream, seen(200, io.ErrUnexpectedEOF, eventsOfDefault)},
	{faulty(hooshtest.WrongLength, 0), askWhole, all(seen(200, io.ErrUnexpectedEOF, 0), has("You said: Hi there"))},
	{faulty(hooshtest.CloseIdle, 0), askStream, seen(200, nil, eventsOfDefault)},
	{faulty(hooshtest.Garbage, 0), askStream, all(seen(200, nil, 0), has("<html>"), contentType("text/html"))},
	{faulty(hooshtest.Malformed, 2), askStream, func(t *testing.T, o outcome) {
		for i, d := range o.data() {
			if ok := json.Valid([]byte(d)) || d == "[DONE]"; ok == (i == 2) {
				t.Errorf("event %d: %q", i, d)
			}
		}
		seen(200, nil, eventsOfDefault+1)(t, o)
	}},
	{faulty(hooshtest.Malformed, 0), askWhole, func(t *testing.T, o outcome) {
		if json.Valid([]byte(o.body)) || !json.Valid([]byte(o.body+"}")) {
			t.Errorf("body %q", o.body)
		}
	}},
	{faulty(hooshtest.Huge, 2), askStream, func(t *testing.T, o outcome) {
		for i, d := range o.data() {
			if huge := len(d) > 4<<20; huge != (i == 2) {
				t.Errorf("event %d has %d bytes", i, len(d))
			}
		}
		seen(200, nil, eventsOfDefault+1)(t, o)
	}},
	{faulty(hooshtest.Huge, 0), askWhole, func(t *testing.T, o outcome) {
		if len(o.body) < 4<<20 || !json.Valid([]byte(o.body)) {
			t.Errorf("%d bytes", len(o.body))
		}
	}},
	{faulty(hooshtest.ErrorEvent, 2), askStream, all(seen(200, nil, 3), has(`data: {"error":{"message":`), lacks("[DONE]"))},
	{faulty(hooshtest.ErrorEvent, 0), askWhole, all(seen(200, nil, 0), has(`{"error":{"message":`), lacks("choices"))},
	{faulty(hooshtest.ErrorFirst, 2), askStream, all(seen(200, nil, 1), has(`data: {"error":{"message":`))},
	{faulty(hooshtest.EmptyStream, 0), askStream, all(wholeSeen(nil, 0), contentType("text/event-stream"))},
	{faulty(hooshtest.NotStream, 0), askStream, all(has(`"object":"chat.completion"`), lacks("data:"), contentType("application/json"))},
	{faulty(hooshtest.StreamAnyway, 0), askWhole, all(seen(200, nil, eventsOfDefault), contentType("text/event-stream"))},
	{faulty(hooshtest.CommentFlood, 0), askStream, all(seen(200, nil, eventsOfDefault), func(t *testing.T, o outcome) {
		if n := strings.Count(o.body, ": keep-alive\n\n"); n != 1000 {
			t.Errorf("%d comments", n)
		}
	})},
	{faulty(hooshtest.CommentFlood, 3), askWhole, has("\n\n\n{")},
	{faulty(hooshtest.CRLF, 0), askStream, all(has("\r\n\r\n"), func(t *testing.T, o outcome) {
		o.body = strings.ReplaceAll(o.body, "\r\n", "\n")
		all(seen(200, nil, eventsOfDefault), lacks("\r"))(t, o)
	})},
	{faulty(hooshtest.CR, 0), askStream, all(lacks("\n"), func(t *testing.T, o outcome) {
		o.body = strings.ReplaceAll(o.body, "\r", "\n")
		seen(200, nil, eventsOfDefault)(t, o)
	})},
	{faulty(hooshtest.SplitUTF8, 0), askStream, has("naïve ", "日本語 ", "🎈")},
	{faulty(hooshtest.Batched, 0), askStream, seen(200, nil, eventsOfDefault)},
	{faulty(hooshtest.NoUsage, 0), askUsage, all(seen(200, nil, eventsOfDefault), lacks(`"usage"`))},
	{faulty(hooshtest.NoUsage, 0), askWhole, lacks(`"usage"`)},
	{faulty(hooshtest.UsageAlways, 0), askStream, all(seen(200, nil, eventsOfDefault+1), has(`"choices":[],"usage":{`), lacks(`"usage":null`))},
	{faulty(hooshtest.UsageInFinish, 0), askStream, all(seen(200, nil, eventsOfDefault), has(`"finish_reason":"stop"}],"usage":{`))},
	{faulty(hooshtest.DoubleDone, 0), askStream, all(seen(200, nil, eventsOfDefault+1), has("data: [DONE]\n\ndata: [DONE]\n\n"))},
	{faulty(hooshtest.NoDone, 0), askStream, all(seen(200, nil, eventsOfDefault-1), has(`"finish_reason":"stop"`), lacks("[DONE]"))},
}

func TestFaults(t *testing.T) {
	made := map[string]func(testing.TB, ...hooshtest.Option) *hooshtest.Backend{"mem": hooshtest.New, "tcp": hooshtest.NewTCP}
	for network, newBackend := range made {
		for _, c := range faultCases {
			kind := map[bool]string{true: "stream", false: "whole"}[c.ask != askWhole]
			t.Run(network+"/"+c.answer.Fault.String()+"/"+kind, func(t *testing.T) {
				hooshtest.CheckGoroutines(t)
				b := newBackend(t)
				b.Answer(c.answer)
				ctx, cancel := context.WithTimeout(t.Context(), c.patience())
				defer cancel()
				o := ask(ctx, b.Client(), b, chatPath, c.ask)
				c.check(t, o)
				late := errors.Is(o.err, context.DeadlineExceeded)
				if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 0 && b.Gone() == map[bool]int{true: 1}[late] }) {
					t.Errorf("%d in flight, %d gone; error %v", b.InFlight(), b.Gone(), o.err)
				}
			})
		}
	}
}

// TestFaultsInBubble: the same, in no time.
func TestFaultsInBubble(t *testing.T) {
	for _, c := range faultCases {
		t.Run(c.answer.Fault.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := hooshtest.New(t)
				b.Answer(c.answer)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
				defer cancel()
				c.check(t, ask(ctx, b.Client(), b, chatPath, c.ask))
			})
		})
	}
}

func TestEveryFaultIsTested(t *testing.T) {
	names := map[string]bool{}
	for _, f := range hooshtest.Faults() {
		tested := false
		for _, c := range faultCases {
			tested = tested || c.answer.Fault == f
		}
		if name := f.String(); !tested || name == "" || names[name] || strings.Contains(name, "(") {
			t.Errorf("fault %d %q: tested %v", f, name, tested)
		}
		names[f.String()] = true
	}
	if s := hooshtest.Fault(-1).String(); s != "Fault(-1)" {
		t.Error(s)
	}
}

// TestCloseIdle: the second request finds a connection that is closed.
func TestCloseIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Faulty(hooshtest.CloseIdle, 0), hooshtest.Text("ok"))
		c := b.Client()
		ask(t.Context(), c, b, chatPath, askWhole)
		synctest.Wait()
		if b.Open() != 0 {
			t.Errorf("%d connections are open", b.Open())
		}
		for range 2 {
			if o := ask(t.Context(), c, b, chatPath, askWhole); o.err != nil {
				t.Error(o.err)
			}
		}
		if b.Accepted() != 2 {
			t.Errorf("%d connections", b.Accepted())
		}
	})
}

// TestSplitUTF8: in a bubble a pause is a pause, so each write is read by itself.
func TestSplitUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Answer{Text: "é 日 🎈", Fault: hooshtest.SplitUTF8})
		resp, err := b.Client().Post(b.URL()+chatPath, "", strings.NewReader(askStream))
		must(t, err)
		defer resp.Body.Close()
		split := 0
		buf := make([]byte, 64<<10)
		for err == nil {
			var n int
			n, err = resp.Body.Read(buf)
			if n > 0 && !utf8.Valid(buf[:n]) && !utf8.RuneStart(buf[0]) {
				split++
			}
		}
		if split != 3 || err != io.EOF {
			t.Errorf("%d reads begin inside a character, %v", split, err)
		}
	})
}
