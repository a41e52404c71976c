// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

func eachNetwork(t *testing.T, f func(t *testing.T, b *hooshtest.Backend)) {
	t.Run("mem", func(t *testing.T) {
		hooshtest.CheckGoroutines(t)
		f(t, hooshtest.New(t))
	})
	t.Run("tcp", func(t *testing.T) {
		hooshtest.CheckGoroutines(t)
		f(t, hooshtest.NewTCP(t))
	})
}

func TestDelayOfAnHourTakesNoTime(t *testing.T) {
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		b.Answer(hooshtest.Answer{Delay: time.Hour, Gap: time.Minute})
		o := chat(t, b, askStream)
		if want := time.Hour + (eventsOfDefault-1)*time.Minute; o.took != want {
			t.Errorf("it took %v, want %v", o.took, want)
		}
		seen(200, nil, eventsOfDefault)(t, o)
	})
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestKillAndRevive(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		c := b.Client()
		b.Answer(hooshtest.Faulty(hooshtest.HangMid, 2), hooshtest.Text("back"))
		cut := make(chan outcome)
		go func() { cut <- ask(t.Context(), c, b, chatPath, askStream) }()
		hanging := func() bool { return b.InFlight() == 1 && b.Calls() == 1 }
		if !b.Wait(5*time.Second, hanging) {
			t.Fatal("the call does not come")
		}
		time.Sleep(20 * time.Millisecond) // for the two events to be written
		url := b.URL()
		b.Kill()
		if o := <-cut; !errors.Is(o.err, syscall.ECONNRESET) {
			t.Errorf("the call in flight: %d, %v", o.status, o.err)
		}
		if o := ask(t.Context(), c, b, chatPath, askWhole); !errors.Is(o.err, syscall.ECONNREFUSED) {
			t.Errorf("while it is dead: %v", o.err)
		}
		if b.Open() != 0 {
			t.Errorf("%d connections are open", b.Open())
		}
		b.Kill() // again: nothing
		b.Revive()
		b.Revive() // again: nothing
		if o := ask(t.Context(), c, b, chatPath, askWhole); o.err != nil || !strings.Contains(o.body, "back") || b.URL() != url {
			t.Errorf("revived at %s: %q, %v", b.URL(), o.body, o.err)
		}
		if b.Gone() != 0 || b.Calls() != 2 || !b.Wait(5*time.Second, func() bool { return b.InFlight() == 0 }) {
			t.Errorf("%d gone, %d calls, %d in flight", b.Gone(), b.Calls(), b.InFlight())
		}
	})
}

func TestKillFromScript(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		b.Script(func(*hooshtest.Request) hooshtest.Answer {
			b.Kill()
			return hooshtest.Text("never seen")
		})
		if o := chat(t, b, askWhole); o.err == nil {
			t.Errorf("answer %q", o.body)
		}
		if b.Gone() != 0 {
			t.Error("it counts as gone")
		}
	})
}

func TestGoneCounts(t *testing.T) {
	for _, a := range []hooshtest.Answer{
		{Delay: time.Hour},
		{Gap: time.Hour},
		{Fault: hooshtest.Hang},
		{Fault: hooshtest.HangMid, After: 1},
		{Step: make(chan struct{})},
		{Pieces: slices.Repeat([]string{strings.Repeat("x", 1<<18)}, 64)}, // nobody reads it
		{Body: make([]byte, 16<<20)},
	} {
		eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
			b.Answer(a)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				req, _ := http.NewRequestWithContext(ctx, "POST", b.URL()+chatPath, strings.NewReader(askStream))
				if resp, err := b.Client().Do(req); err == nil {
					<-ctx.Done()
					resp.Body.Close()
				}
			}()
			if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 1 }) {
				t.Fatal("the call does not come")
			}
			time.Sleep(10 * time.Millisecond)
			if b.Gone() != 0 {
				t.Error("nobody has left yet")
			}
			cancel()
			<-done
			if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 0 }) || b.Gone() != 1 {
				t.Errorf("%d in flight, %d gone", b.InFlight(), b.Gone())
			}
		})
	}
}

func TestClientThatLeavesWhileSending(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		b.Script(func(*hooshtest.Request) hooshtest.Answer {
			t.Error("the script was asked")
			return hooshtest.Answer{}
		})
		c, err := b.DialContext(t.Context(), "tcp", "anything")
		must(t, err)
		fmt.Fprintf(c, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"model\":")
		c.Close()
		if !b.Wait(5*time.Second, func() bool { return b.Gone() == 1 }) {
			t.Fatal("it does not count as gone")
		}
		if q := b.Last(); !q.Cut || string(q.Body) != `{"model":` {
			t.Errorf("request %+v", q)
		}
	})
}

func TestRequestsAreExact(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		bodies := []string{
			" {\"model\" : \"m\\u0065\",\r\n\t\"stream\":false, \"messages\":[{\"role\":\"user\",\"content\":\"\u2028 \\ud83c\\udf88\"}], \"x\":1e400 } \n",
			"not JSON \x00\xff\xfe",
			"",
			strings.Repeat("long ", 1<<18),
		}
		c := b.Client()
		for i, body := range bodies {
			req, _ := http.NewRequest("POST", b.URL()+chatPath+"?a=b&c", strings.NewReader(body))
			req.Header.Add("X-Twice", "one")
			req.Header.Add("X-Twice", "two")
			resp, err := c.Do(req)
			must(t, err)
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			q := b.Requests()[i]
			if string(q.Body) != body || q.N != i+1 || q.Conn != 1 || q.Cut || q.Method != "POST" || q.Path != "/v1/chat/completions" || q.Query != "a=b&c" ||
				fmt.Sprint(q.Header["X-Twice"]) != "[one two]" || q.Host == "" || time.Since(q.At) > time.Minute {
				t.Errorf("request %d: %+v", i, q)
			}
		}
		if q := b.Requests()[0]; q.Model != "me" || q.Stream || q.Prompt() != "\u2028 🎈" {
			t.Errorf("model %q, prompt %q", q.Model, q.Prompt())
		}
		if b.Last() != b.Requests()[3] || b.Accepted() != 1 || b.Open() != 1 {
			t.Errorf("%d connections, %d open", b.Accepted(), b.Open())
		}
	})
}

func TestSequenceAndCounters(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		b.Answer(hooshtest.Status(503, 1500*time.Millisecond), hooshtest.Raw(418, "text/plain", "tea\x00pot"), hooshtest.Text("ok"))
		want := []struct {
			status int
			body   string
		}{{503, "Service Unavailable"}, {418, "tea\x00pot"}, {200, `"content":"ok"`}, {200, `"content":"ok"`}}
		for i, w := range want {
			o := chat(t, b, askWhole)
			if o.status != w.status || !strings.Contains(o.body, w.body) || o.err != nil {
				t.Errorf("answer %d: %d %q %v", i, o.status, o.body, o.err)
			}
			if i == 0 && (o.header.Get("Retry-After") != "2" || o.header.Get("retry-after-ms") != "1500") {
				t.Errorf("headers %v", o.header)
			}
			if b.Calls() != i+1 || b.InFlight() != 0 {
				t.Errorf("%d calls, %d in flight", b.Calls(), b.InFlight())
			}
		}
		b.Script(nil)
		if o := chat(t, b, askWhole); !strings.Contains(o.body, "You said: Hi there") {
			t.Errorf("without a script: %q", o.body)
		}
		if b.Answer(); chat(t, b, askWhole).status != 200 {
			t.Error("no answers are the default one")
		}
	})
}

// TestInFlightEndsFirst: whoever has seen the end sees no call in flight.
func TestInFlightEndsFirst(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		c := b.Client()
		for i := range 300 {
			o := ask(t.Context(), c, b, chatPath, []string{askWhole, askStream}[i%2])
			if n := b.InFlight(); n != 0 || o.err != nil {
				t.Fatalf("call %d: %d in flight, %v", i, n, o.err)
			}
		}
		b.Answer(hooshtest.Faulty(hooshtest.ResetMid, 2))
		for i := range 300 {
			o := ask(t.Context(), c, b, chatPath, askStream)
			if n := b.InFlight(); n != 0 || o.err == nil {
				t.Fatalf("reset call %d: %d in flight, %v", i, n, o.err)
			}
		}
	})
}

func TestPeakAndStep(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		step := make(chan struct{})
		b.Answer(hooshtest.Answer{Step: step})
		var wg sync.WaitGroup
		c := b.Client()
		for range 5 {
			wg.Go(func() { seen(200, nil, eventsOfDefault)(t, ask(t.Context(), c, b, chatPath, askStream)) })
		}
		if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 5 }) {
			t.Errorf("%d in flight", b.InFlight())
		}
		for range eventsOfDefault - 1 { // not enough for any of them
			step <- struct{}{}
		}
		if b.InFlight() != 5 {
			t.Errorf("%d in flight", b.InFlight())
		}
		close(step)
		wg.Wait()
		if b.Peak() != 5 || b.InFlight() != 0 || b.Calls() != 5 {
			t.Errorf("peak %d, %d in flight, %d calls", b.Peak(), b.InFlight(), b.Calls())
		}
	})
}

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := hooshtest.New(t)
		start := time.Now()
		if b.Wait(time.Minute, func() bool { return b.Calls() == 1 }) || time.Since(start) != time.Minute {
			t.Errorf("waited %v", time.Since(start))
		}
		go chat(t, b, askWhole)
		if !b.Wait(time.Minute, func() bool { return b.Calls() == 1 }) || time.Since(start) != time.Minute {
			t.Errorf("waited %v", time.Since(start))
		}
	})
}

func TestOptions(t *testing.T) {
	b := hooshtest.New(t, hooshtest.Key("sk-1"), hooshtest.Host("10.1.2.3:8000"), hooshtest.MaxBody(100))
	if b.URL() != "http://10.1.2.3:8000/v1" {
		t.Errorf("URL %s", b.URL())
	}
	if o := chat(t, b, askWhole); o.status != 401 || !strings.Contains(o.body, `"code":"invalid_api_key"`) {
		t.Errorf("without a key: %d %q", o.status, o.body)
	}
	req, _ := http.NewRequest("GET", b.URL()+"/models", nil)
	req.Header.Set("Authorization", "Bearer sk-1")
	resp, err := b.Client().Do(req)
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("with the key: %d", resp.StatusCode)
	}
	for size, want := range map[int]int{100: 401, 101: 413} {
		o := chat(t, b, strings.Repeat("x", size))
		if o.status != want || b.Last().Cut != (want == 413) || len(b.Last().Body) != 100 {
			t.Errorf("%d bytes: %d, %d recorded", size, o.status, len(b.Last().Body))
		}
	}
	if b.Gone() != 0 {
		t.Errorf("%d gone", b.Gone())
	}
}

func TestProbes(t *testing.T) {
	b := hooshtest.New(t)
	get := func(path string) (int, string) {
		resp, err := b.Client().Get(strings.TrimSuffix(b.URL(), "/v1") + path)
		must(t, err)
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if code, body := get("/v1/models"); code != 200 || !strings.Contains(body, `"id":"test-model"`) {
		t.Errorf("%d %q", code, body)
	}
	b.Models("a", "vendor/b")
	for path, want := range map[string]int{"/v1/models": 200, "/models": 200, "/v1/models/a": 200, "/v1/models/vendor/b": 200, "/v1/models/c": 404, "/nowhere": 404} {
		if code, body := get(path); code != want || !strings.HasPrefix(body, "{") {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	b.Probes(func(q *hooshtest.Request) hooshtest.Answer {
		if q.Path == "/api/version" {
			return hooshtest.Raw(200, "application/json", `{"version":"0.1"}`)
		}
		return hooshtest.Answer{}
	})
	if code, body := get("/api/version"); code != 200 || body != `{"version":"0.1"}` {
		t.Errorf("%d %q", code, body)
	}
	if code, body := get("/v1/models"); code != 200 || !strings.Contains(body, "vendor/b") {
		t.Errorf("%d %q", code, body)
	}
	if b.Calls() != 0 || len(b.Requests()) != 9 {
		t.Errorf("%d calls, %d requests", b.Calls(), len(b.Requests()))
	}
}

// TestOtherDialect: raw answers suit any path.
func TestOtherDialect(t *testing.T) {
	b := hooshtest.New(t)
	lines := []string{"{\"message\":{\"content\":\"Hi\"},\"done\":false}\n", "{\"done\":true}\n"}
	b.Answer(hooshtest.Answer{Chunks: lines, Header: http.Header{"Content-Type": {"application/x-ndjson"}, "X-Request-Id": nil}}, hooshtest.Answer{})
	o := ask(t.Context(), b.Client(), b, "/../api/chat", `{"model":"m","messages":[{}],"stream":"odd"}`)
	if o.body != lines[0]+lines[1] || o.header.Get("Content-Type") != "application/x-ndjson" || o.header.Get("X-Request-Id") != "" {
		t.Errorf("%q, %v, %v", o.body, o.header, o.err)
	}
	if o := ask(t.Context(), b.Client(), b, "/messages", `{}`); o.status != 404 || !strings.Contains(o.body, "unknown_url") {
		t.Errorf("%d %q", o.status, o.body)
	}
	if b.Calls() != 2 || b.Requests()[0].Model != "m" {
		t.Errorf("%d calls", b.Calls())
	}
}

func TestDialIgnoresAddress(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		resp, err := b.Client().Get("http://192.0.2.1:9/v1/models")
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != 200 || b.Last().Host != "192.0.2.1:9" {
			t.Errorf("%d, host %q", resp.StatusCode, b.Last().Host)
		}
	})
}

// fakeTB collects what a test would be told.
type fakeTB struct {
	testing.TB
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (f *fakeTB) Helper()           {}
func (f *fakeTB) Cleanup(fn func()) { f.cleanups = append(f.cleanups, fn) }
func (f *fakeTB) Failed() bool      { return false }
func (f *fakeTB) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *fakeTB) end() string {
	for len(f.cleanups) > 0 {
		n := len(f.cleanups) - 1
		fn := f.cleanups[n]
		f.cleanups = f.cleanups[:n]
		fn()
	}
	return strings.Join(f.errors, "\n")
}

func TestScriptPanicFailsTheTest(t *testing.T) {
	tb := &fakeTB{TB: t}
	b := hooshtest.New(tb)
	b.Script(func(*hooshtest.Request) hooshtest.Answer { panic("oh no") })
	if o := chat(t, b, askWhole); o.status != 500 {
		t.Errorf("status %d, %v", o.status, o.err)
	}
	if said := tb.end(); !strings.Contains(said, "oh no") || !strings.Contains(said, "TestScriptPanic") {
		t.Errorf("the test is told %q", said)
	}
}

func TestCloseWaitsForScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &fakeTB{TB: t}
		b := hooshtest.New(tb)
		returned := false
		b.Script(func(q *hooshtest.Request) hooshtest.Answer {
			<-q.Context().Done()
			time.Sleep(time.Second)
			returned = true
			return hooshtest.Answer{}
		})
		go chat(t, b, askWhole)
		synctest.Wait()
		b.Close()
		b.Close()
		b.Revive()
		if o := chat(t, b, askWhole); !returned || !errors.Is(o.err, syscall.ECONNREFUSED) {
			t.Errorf("returned %v, then %v", returned, o.err)
		}
		if said := tb.end(); said != "" {
			t.Error(said)
		}
	})
}

func TestCloseTellsOfStuckScripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tb := &fakeTB{TB: t}
		b := hooshtest.New(tb)
		stuck := make(chan struct{})
		b.Script(func(q *hooshtest.Request) hooshtest.Answer { <-stuck; return hooshtest.Answer{} })
		go chat(t, b, askWhole)
		synctest.Wait()
		if said := tb.end(); !strings.Contains(said, "1 requests are still served") {
			t.Errorf("the test is told %q", said)
		}
		close(stuck)
	})
}

func TestRawBodyIsExact(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		body := bytes.Repeat([]byte{0, 0xff, '\r', '\n', 0x80}, 50_000)
		chunks := []string{": c\r\n\r\n", "data: x\n", "", "\ndata: \xff\x00\n\n"}
		b.Answer(hooshtest.Answer{Body: body}, hooshtest.Answer{Chunks: chunks}, hooshtest.Answer{Body: []byte{}})
		if o := chat(t, b, askStream); o.body != string(body) {
			t.Errorf("%d bytes, %v", len(o.body), o.err)
		}
		if o := chat(t, b, askStream); o.body != strings.Join(chunks, "") {
			t.Errorf("%q, %v", o.body, o.err)
		}
		if o := chat(t, b, askStream); o.body != "" || o.status != 200 || o.err != nil {
			t.Errorf("%d %q, %v", o.status, o.body, o.err)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	eachNetwork(t, func(t *testing.T, b *hooshtest.Backend) {
		var wg sync.WaitGroup
		c := b.Client()
		for i := range 20 {
			wg.Go(func() {
				for j := range 20 {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*j)*50*time.Microsecond)
					ask(ctx, c, b, chatPath, askStream)
					cancel()
				}
			})
		}
		wg.Go(func() {
			for range 10 {
				time.Sleep(time.Millisecond)
				b.Kill()
				b.Requests()
				b.Revive()
			}
		})
		wg.Wait()
		if !b.Wait(5*time.Second, func() bool { return b.InFlight() == 0 }) {
			t.Errorf("%d in flight", b.InFlight())
		}
	})
}

var _ net.Addr = hooshtest.Addr("")
