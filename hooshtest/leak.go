// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"
)

// leakPatience is how long goroutines may take to end after their test.
const leakPatience = 2 * time.Second

// CheckGoroutines fails the test if goroutines that were not there when it was
// called are still there when the test and its later-registered cleanups have
// ended; they get two seconds. Call it first. A test that has failed already is
// not looked at.
//
// It sees all goroutines of the process, so it is for neither parallel tests nor
// tests that run beside them. A synctest bubble needs it not: the bubble waits
// for its goroutines itself.
func CheckGoroutines(tb testing.TB) {
	tb.Helper()
	before := goroutines()
	tb.Cleanup(func() {
		tb.Helper()
		if tb.Failed() {
			return
		}
		left := leaked(before, leakPatience)
		if len(left) > 0 {
			tb.Errorf("hooshtest: %d goroutines are left:\n\n%s", len(left), strings.Join(left, "\n\n"))
		}
	})
}

// leaked are the stacks of goroutines that are not in before, once patience has
// run out or none is left.
func leaked(before map[string]string, patience time.Duration) []string {
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		var left []string
		for id, stack := range goroutines() {
			if _, old := before[id]; !old && !ours(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
		time.Sleep(pause)
	}
}

// goroutines are the stacks of all goroutines but this one, by id.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	all := map[string]string{}
	for i, stack := range bytes.Split(buf, []byte("\n\n")) {
		// "goroutine 7 [running]:"; the first is the one that asks.
		if id := strings.Fields(string(stack)); i > 0 && len(id) > 1 {
			all[id[1]] = string(stack)
		}
	}
	return all
}

// ours says that a goroutine belongs to the runtime or to package testing.
func ours(stack string) bool {
	for _, mark := range []string{
		"testing.(*T).Run(", "testing.tRunner(", "testing.(*M).", "testing.runTests(",
		"os/signal.signal_recv", "os/signal.loop", "runtime.ensureSigM", "runtime/pprof.",
	} {
		if strings.Contains(stack, mark) {
			return true
		}
	}
	return false
}
