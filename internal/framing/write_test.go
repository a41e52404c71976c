// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"bytes"
	"strings"
	"testing"
)

func TestAppendSSE(t *testing.T) {
	for _, tt := range []struct {
		name, event, data, want string
		back                    string // as a Reader sees it
	}{
		{"data only", "", `{"a":1}`, "data: {\"a\":1}\n\n", `{"a":1}`},
		{"event", "ping", "{}", "event: ping\ndata: {}\n\n", "{}"},
		{"empty", "", "", "data: \n\n", ""},
		{"leading space", "", " a", "data:  a\n\n", " a"},
		{"lines", "", "a\nb\n", "data: a\ndata: b\ndata: \n\n", "a\nb\n"},
		{"CR and CRLF", "", "a\rb\r\nc\n\rd\r", "data: a\ndata: b\ndata: c\ndata: \ndata: d\ndata: \n\n", "a\nb\nc\n\nd\n"},
		{"data cannot end the event", "", "a\r\revent: b", "data: a\ndata: \ndata: event: b\n\n", "a\n\nevent: b"},
		{"nor can the name", "e\n\ndata: x", "a", "event: e\ndata: a\n\n", "a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := AppendSSE([]byte("before|"), tt.event, []byte(tt.data))
			if string(b) != "before|"+tt.want {
				t.Errorf("%q, want %q", b, tt.want)
			}
			f, err := NewSSE(strings.NewReader(tt.want), 0).Next()
			if err != nil || string(f.Data) != tt.back || string(f.Raw) != tt.want {
				t.Errorf("read back: %q, %v", f.Data, err)
			}
		})
	}
}

func TestAppendComment(t *testing.T) {
	for text, want := range map[string]string{
		"":             ": \n\n",
		"ping":         ": ping\n\n",
		"a\ndata: b\r": ": a\n: data: b\n: \n\n",
	} {
		b := AppendComment([]byte("|"), text)
		if string(b) != "|"+want {
			t.Errorf("%q, want %q", b, want)
		}
		if f, err := NewSSE(bytes.NewReader(b[1:]), 0).Next(); err != nil || f.Data != nil || string(f.Raw) != want {
			t.Errorf("read back: %q, %v", f.Raw, err)
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst, data := make([]byte, 0, 1024), []byte("{\n}")
	if n := testing.AllocsPerRun(100, func() {
		dst = AppendSSE(dst[:0], "e", data)
		dst = AppendComment(dst, "ping")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
