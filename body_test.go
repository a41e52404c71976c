// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
)

// TestBodiesAreNotMixed sends long bodies of pooled buffers over real sockets,
// side by side, some of them given up half way: each must arrive as it is.
func TestBodiesAreNotMixed(t *testing.T) {
	b := hooshtest.NewTCP(t)
	r := newRouter(t, []hoosh.Provider{backendProvider(t, "a", b, hoosh.Timeouts{})}, hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "a/real"}}})
	b.Script(func(q *hooshtest.Request) hooshtest.Answer {
		// The same mark all through, and as much of it as the first digits say.
		var n, size int
		prompt := q.Prompt()
		fmt.Sscanf(prompt, "%d-%d-", &n, &size)
		if want := marked(n, size); prompt != want {
			return hooshtest.Status(400, 0)
		}
		return hooshtest.Answer{}
	})
	var wait sync.WaitGroup
	for w := range 8 {
		wait.Go(func() {
			for i := range 40 {
				n, size := w*1000+i, []int{100, 5_000, 300_000}[i%3]
				body := fmt.Appendf(nil, `{"model":"m","messages":[{"role":"user","content":%q}]}`, marked(n, size))
				ctx, cancel := context.WithCancel(context.Background())
				if i%5 == 0 {
					time.AfterFunc(time.Duration(i)*100*time.Microsecond, cancel)
				}
				c, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, bytes.NewReader(body), int64(len(body)), 1<<20, 0)
				if err != nil {
					t.Error(err)
				}
				if _, err = r.Do(ctx, c); err != nil && !errors.Is(err, hoosh.ErrCanceled) {
					t.Errorf("call %d of %d bytes: %v", n, size, err)
				}
				c.Release()
				cancel()
			}
		})
	}
	wait.Wait()
}

func marked(n, size int) string {
	mark := fmt.Sprintf("%d-%d-", n, size)
	return strings.Repeat(mark, size/len(mark)+1)
}

// TestBodyLimit: a body over the limit is refused, whatever it said of its size,
// and one that lies about its size does not make us hold more.
func TestBodyLimit(t *testing.T) {
	body := `{"model":"m","messages":[],"pad":"` + strings.Repeat("x", 100_000) + `"}`
	for _, size := range []int64{-1, int64(len(body)), 10, 1 << 40} {
		_, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, strings.NewReader(body), size, 50_000, 0)
		if !errors.Is(err, hoosh.ErrTooLarge) {
			t.Errorf("said %d: %v", size, err)
		}
		c, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, strings.NewReader(body), min(size, 1<<20), 1<<20, 0)
		if err != nil || string(c.Body()) != body {
			t.Errorf("said %d: %v", size, err)
		}
		c.Release()
	}
	_, err := hoosh.ReadCall(hoosh.OpenAI, hoosh.OpChat, io.MultiReader(strings.NewReader(body[:500]), broken{}), -1, 1<<20, 0)
	if !errors.Is(err, hoosh.ErrInvalidRequest) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
