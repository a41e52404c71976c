// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

// tb stands for the test that an example is part of.
var tb = &fakeTB{}

func ExampleNew() {
	b := hooshtest.New(tb)
	b.Answer(hooshtest.Status(http.StatusServiceUnavailable, time.Second), hooshtest.Text("Hello"))

	client := b.Client() // or give b.URL() and b.DialContext to what is tested
	for range 2 {
		resp, err := client.Post(b.URL()+"/chat/completions", "application/json",
			strings.NewReader(`{"model":"m","messages":[{"role":"user","content":"Hi"}]}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		fmt.Println(resp.StatusCode, resp.Header.Get("Retry-After"), strings.Contains(string(body), "Hello"))
	}
	fmt.Println(b.Calls(), "calls, the last for", b.Last().Prompt())
	// Output:
	// 503 1 false
	// 200  true
	// 2 calls, the last for Hi
}

func ExampleBackend_Script() {
	b := hooshtest.New(tb)
	b.Script(func(q *hooshtest.Request) hooshtest.Answer {
		if q.Stream {
			return hooshtest.Faulty(hooshtest.ResetMid, 2) // the role and one word, then the connection breaks
		}
		return hooshtest.Text("You asked for " + q.Model)
	})

	resp, err := b.Client().Post(b.URL()+"/chat/completions", "application/json",
		strings.NewReader(`{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(strings.Count(string(body), "data: "), "events")
	fmt.Println(strings.HasSuffix(err.Error(), "connection reset by peer"))
	// Output:
	// 2 events
	// true
}

// In a bubble of testing/synctest waiting costs nothing.
func ExampleAnswer() {
	test := func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := hooshtest.New(t)
			b.Answer(hooshtest.Answer{Text: "at last", Delay: time.Hour, Gap: time.Minute})
			// … what is tested gives up after its timeout …
		})
	}
	_ = test
}

func ExampleServe() {
	l := hooshtest.Serve(tb, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "served in memory")
	}))
	resp, err := l.Client().Get(l.URL())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(string(body))
	// Output: served in memory
}

func ExampleSequence() {
	b := hooshtest.New(tb)
	b.Script(hooshtest.Sequence(
		hooshtest.Status(http.StatusTooManyRequests, 2*time.Second),
		hooshtest.Faulty(hooshtest.Hang, 0),
		hooshtest.Text("the third call, and all after it"),
	))
}
