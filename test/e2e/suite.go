// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// suite counts and prints.
type suite struct {
	ctx    context.Context
	out    io.Writer
	only   string // run only cases whose name has this
	passed int
	failed int
}

// limit is how long a case may take, if it does not say: engines on a busy
// machine are slow.
const limit = 2 * time.Minute

// run runs one case and prints how it went.
func (s *suite) run(name string, f func(t *T)) {
	if s.ctx.Err() != nil || !strings.Contains(name, s.only) {
		return
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(s.ctx, limit)
	defer cancel()
	t := &T{name: name, ctx: ctx}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		t.do(f)
	}()
	select {
	case <-ended:
	case <-time.After(limit + 20*time.Second): // it does not even mind its context
		t.Errorf("it does not end")
	}
	why, skipped := t.result()
	switch {
	case s.ctx.Err() != nil:
		s.failed++
		fmt.Fprintf(s.out, "FAIL %s: interrupted\n", name)
	case why != "":
		s.failed++
		fmt.Fprintf(s.out, "FAIL %s: %s\n", name, why)
	case skipped != "":
		fmt.Fprintf(s.out, "skip %s: %s\n", name, skipped)
	default:
		s.passed++
		fmt.Fprintf(s.out, "ok %s (%.2f s)\n", name, time.Since(start).Seconds())
	}
}

// T is a case under way. It is a [testing.TB], so that what is written for
// tests can be used here too.
type T struct {
	testing.TB // nil: for its unexported method
	name       string
	ctx        context.Context

	mu       sync.Mutex
	why      []string
	skipped  string
	cleanups []func()
}

// do runs f and then the cleanups, and takes in panics.
func (t *T) do(f func(*T)) {
	guarded := func(g func()) {
		ended := make(chan struct{})
		go func() { // FailNow ends its goroutine
			defer close(ended)
			defer func() {
				if v := recover(); v != nil {
					t.Errorf("panic: %v\n%s", v, debug.Stack())
				}
			}()
			g()
		}()
		<-ended
	}
	guarded(func() { f(t) })
	for {
		t.mu.Lock()
		n := len(t.cleanups)
		if n == 0 {
			t.mu.Unlock()
			return
		}
		g := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		t.mu.Unlock()
		guarded(g)
	}
}

func (t *T) result() (why, skipped string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.why, "; "), t.skipped
}

func (t *T) Name() string             { return t.name }
func (t *T) Helper()                  {}
func (t *T) Context() context.Context { return t.ctx }

// Cleanup has f run when the case has ended, the last one first.
func (t *T) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *T) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if line := fmt.Sprintf(format, args...); !slices.Contains(t.why, line) {
		t.why = append(t.why, line)
	}
}

func (t *T) Error(args ...any) { t.Errorf("%s", strings.TrimSpace(fmt.Sprintln(args...))) }

func (t *T) FailNow() { runtime.Goexit() }

func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.FailNow()
}

func (t *T) Fatal(args ...any) {
	t.Error(args...)
	t.FailNow()
}

func (t *T) Failed() bool {
	why, _ := t.result()
	return why != ""
}

func (t *T) Log(...any)          {}
func (t *T) Logf(string, ...any) {}

// Skipf ends a case that cannot be run here.
func (t *T) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	runtime.Goexit()
}

// TempDir is a folder that goes with the case.
func (t *T) TempDir() string {
	dir, err := os.MkdirTemp("", "hoosh-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
