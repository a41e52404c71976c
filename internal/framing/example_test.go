// SPDX-License-Identifier: AGPL-3.0-only

package framing_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/maccracken/hoosh/internal/framing"
)

// Frames are passed on as they came, whatever is in them; flushing waits while
// more are at hand.
func Example() {
	upstream := strings.NewReader(": keep-alive\n\n" +
		"event: delta\ndata: {\"text\":\"Hello\"}\n\n" +
		"data: [DONE]") // the server forgot the blank line

	r := framing.NewSSE(upstream, 0)
	for {
		f, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println("cut:", err)
			return
		}
		fmt.Printf("%q event=%q data=%q more=%v\n", f.Raw, f.Event, f.Data, r.More())
	}
	// Output:
	// ": keep-alive\n\n" event="" data="" more=true
	// "event: delta\ndata: {\"text\":\"Hello\"}\n\n" event="delta" data="{\"text\":\"Hello\"}" more=false
	// "data: [DONE]\n\n" event="" data="[DONE]" more=false
}

func ExampleNewNDJSON() {
	r := framing.NewNDJSON(strings.NewReader("{\"done\":false}\r\n{\"done\":true}\n"), 1<<20)
	for {
		f, err := r.Next()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s\n", f.Data)
	}
	// Output:
	// {"done":false}
	// {"done":true}
	// EOF
}

func ExampleAppendSSE() {
	b := framing.AppendSSE(nil, "error", []byte("{\n}"))
	b = framing.AppendComment(b, "keep-alive")
	fmt.Printf("%s", b)
	// Output:
	// event: error
	// data: {
	// data: }
	//
	// : keep-alive
}
