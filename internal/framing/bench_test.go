// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"fmt"
	"io"
	"testing"
)

const chunkJSON = `{"id":"chatcmpl-BxY2a9QpL0sKf3Zt7WcR1uVe","object":"chat.completion.chunk","created":1763942400,` +
	`"model":"gpt-4o-mini-2024-07-18","system_fingerprint":"fp_06737a9306",` +
	`"choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]}`

// batch gives the same frames with each Read.
type batch struct{ b []byte }

func (s *batch) Read(p []byte) (int, error) { return copy(p, s.b), nil }

func BenchmarkReader(b *testing.B) {
	for _, bench := range []struct {
		name, frame string
		new         func(io.Reader, int) *Reader
	}{
		{"SSE", "data: " + chunkJSON + "\n\n", NewSSE},
		{"SSE-event", "event: content_block_delta\ndata: " + chunkJSON + "\n\n", NewSSE},
		{"SSE-CRLF", "data: " + chunkJSON + "\r\n\r\n", NewSSE},
		{"NDJSON", chunkJSON + "\n", NewNDJSON},
	} {
		for _, n := range []int{1, 20} {
			b.Run(fmt.Sprintf("%s/perRead=%d", bench.name, n), func(b *testing.B) {
				r := bench.new(&batch{lines(n, bench.frame)}, 0)
				b.SetBytes(int64(len(bench.frame)))
				b.ReportAllocs()
				for b.Loop() {
					f, err := r.Next()
					if err != nil || len(f.Data) != len(chunkJSON) {
						b.Fatal(len(f.Data), err)
					}
					r.More()
				}
			})
		}
	}
}

func BenchmarkAppendSSE(b *testing.B) {
	data := []byte(chunkJSON)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendSSE(dst[:0], "message", data)
	}
}
