// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

func leaves(stop chan struct{}) { <-stop }

func TestCheckGoroutines(t *testing.T) {
	stop := make(chan struct{})
	defer close(stop)
	go leaves(stop) // from before
	tb := &fakeTB{TB: t}
	hooshtest.CheckGoroutines(tb)
	go leaves(stop)
	said := tb.end()
	if !strings.HasPrefix(said, "hooshtest: 1 goroutines are left:") || !strings.Contains(said, "hooshtest_test.leaves(") {
		t.Errorf("the test is told %q", said)
	}
}

func TestCheckGoroutinesWaits(t *testing.T) {
	tb := &fakeTB{TB: t}
	hooshtest.CheckGoroutines(tb)
	go time.Sleep(100 * time.Millisecond)
	if said := tb.end(); said != "" {
		t.Errorf("the test is told %q", said)
	}
}

func TestCheckGoroutinesRunsLast(t *testing.T) {
	tb := &fakeTB{TB: t}
	hooshtest.CheckGoroutines(tb)
	b := hooshtest.NewTCP(tb)
	chat(t, b, askWhole) // its idle connection is closed by t's cleanup, after this; the backend closes the other end
	if said := tb.end(); said != "" {
		t.Errorf("the test is told %q", said)
	}
}
