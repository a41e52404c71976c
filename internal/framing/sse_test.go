// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

const none = "<nil>"

var sseStreams = []struct {
	name, in string
	want     []got
}{
	{"empty", "", nil},
	{"one event", "data: a\n\n", []got{{"data: a\n\n", none, "a"}}},
	{"two events", "data: a\n\ndata: b\n\n", []got{
		{"data: a\n\n", none, "a"},
		{"data: b\n\n", none, "b"},
	}},
	{"CRLF", "event: e\r\ndata: a\r\n\r\ndata: b\r\n\r\n", []got{
		{"event: e\r\ndata: a\r\n\r\n", "e", "a"},
		{"data: b\r\n\r\n", none, "b"},
	}},
	{"CR", "event: e\rdata: a\r\rdata: b\r\r", []got{
		{"event: e\rdata: a\r\r", "e", "a"},
		{"data: b\r\r", none, "b"},
	}},
	{"mixed ends", "data: a\r\ndata: b\rdata: c\n\r\ndata: d\r\n\ndata: e\n\rdata: f\r\r\n", []got{
		{"data: a\r\ndata: b\rdata: c\n\r\n", none, "a\nb\nc"},
		{"data: d\r\n\n", none, "d"},
		{"data: e\n\r", none, "e"},
		{"data: f\r\r\n", none, "f"},
	}},
	{"blank lines before the block are its own", "\n\r\n\rdata: a\n\n\n\ndata: b\n\n", []got{
		{"\n\r\n\rdata: a\n\n", none, "a"},
		{"\n\ndata: b\n\n", none, "b"},
	}},
	{"blank lines behind the last block", "data: a\n\n\n\r\n", []got{
		{"data: a\n\n", none, "a"},
		{"\n\r\n", none, none},
	}},
	{"only blank lines", "\n\n", []got{{"\n\n", none, none}}},
	{"one space only", "data:a\ndata: b\ndata:  c\ndata:\td\n\n", []got{
		{"data:a\ndata: b\ndata:  c\ndata:\td\n\n", none, "a\nb\n c\n\td"},
	}},
	{"empty data", "data\n\ndata:\n\ndata: \n\ndata\ndata\n\n", []got{
		{"data\n\n", none, ""},
		{"data:\n\n", none, ""},
		{"data: \n\n", none, ""},
		{"data\ndata\n\n", none, "\n"},
	}},
	{"event names", "event: a\ndata: 1\n\nevent:b\nevent: c\ndata: 2\n\nevent\ndata: 3\n\ndata: 4\n\n", []got{
		{"event: a\ndata: 1\n\n", "a", "1"},
		{"event:b\nevent: c\ndata: 2\n\n", "c", "2"},
		{"event\ndata: 3\n\n", "", "3"},
		{"data: 4\n\n", none, "4"},
	}},
	{"comments, also inside an event", ": ping\n\n:\n\ndata: a\n: OPENROUTER PROCESSING\ndata: b\n:\n\n", []got{
		{": ping\n\n", none, none},
		{":\n\n", none, none},
		{"data: a\n: OPENROUTER PROCESSING\ndata: b\n:\n\n", none, "a\nb"},
	}},
	{"other fields are in Raw only", "id: 7\nretry: 10\ndatax: 1\ndat\n data: 2\nDATA: 3\nevents: e\n\n", []got{
		{"id: 7\nretry: 10\ndatax: 1\ndat\n data: 2\nDATA: 3\nevents: e\n\n", none, none},
	}},
	{"U+2028, U+2029, U+0085, FF and NUL are data", "data: a\u2028\u2029\u0085\v\f\x00b\n\n", []got{
		{"data: a\u2028\u2029\u0085\v\f\x00b\n\n", none, "a\u2028\u2029\u0085\v\f\x00b"},
	}},
	{"invalid UTF-8 is kept", "data: \xff\xe2\x80\n\n", []got{{"data: \xff\xe2\x80\n\n", none, "\xff\xe2\x80"}}},
	{"byte order mark", "\uFEFFdata: a\n\n\uFEFFdata: b\n\n", []got{
		{"\uFEFFdata: a\n\n", none, "a"},
		{"\uFEFFdata: b\n\n", none, none}, // only at the start is it one
	}},
	{"byte order mark on a blank line", "\uFEFF\r\ndata: a\n\n", []got{{"\uFEFF\r\ndata: a\n\n", none, "a"}}},
	{"half a byte order mark", "\xEF\xBBdata: a\n\n", []got{{"\xEF\xBBdata: a\n\n", none, none}}},
	{"only a byte order mark", "\uFEFF", []got{{"\uFEFF", none, none}}},

	// Cut short by the end of the stream: Raw is completed.
	{"no blank line", "data: a\n\nevent: e\ndata: b\n", []got{
		{"data: a\n\n", none, "a"},
		{"event: e\ndata: b\n\n", "e", "b"},
	}},
	{"no blank line, CRLF", "data: b\r\n", []got{{"data: b\r\n\n", none, "b"}}},
	{"no blank line, CR", "data: b\r", []got{{"data: b\r\n\n", none, "b"}}}, // one LF would only make it a CRLF
	{"cut inside a line", "data: a\ndata: {\"b", []got{{"data: a\ndata: {\"b\n\n", none, "a\n{\"b"}}},
	{"cut inside a field name", "data: a\nda", []got{{"data: a\nda\n\n", none, "a"}}},
	{"a single byte", "d", []got{{"d\n\n", none, none}}},
	{"byte order mark, then cut", "\uFEFFdata: a", []got{{"\uFEFFdata: a\n\n", none, "a"}}},
}

func TestSSE(t *testing.T) {
	for _, tt := range sseStreams {
		t.Run(tt.name, func(t *testing.T) {
			all, err := readAll(t, NewSSE(strings.NewReader(tt.in), 0))
			if err != io.EOF {
				t.Fatal(err)
			}
			if !slices.Equal(all, tt.want) {
				t.Errorf("got  %q\nwant %q", all, tt.want)
			}
			if err := rawIsInput(tt.in, all); err != nil {
				t.Error(err)
			}
		})
	}
}

// However the network cuts the stream, the frames are the same.
func TestSSEChunking(t *testing.T) {
	for _, tt := range sseStreams {
		t.Run(tt.name, func(t *testing.T) {
			check := func(how string, r io.Reader) {
				t.Helper()
				all, err := readAll(t, NewSSE(r, 0))
				if err != io.EOF {
					t.Fatalf("%s: %v", how, err)
				}
				if err := sameWhateverChunking(tt.want, all); err != nil {
					t.Errorf("%s: %v", how, err)
				}
				if err := rawIsInput(tt.in, all); err != nil {
					t.Errorf("%s: %v", how, err)
				}
			}
			check("one byte", iotest.OneByteReader(strings.NewReader(tt.in)))
			check("half", iotest.HalfReader(strings.NewReader(tt.in)))
			check("EOF with the data", iotest.DataErrReader(strings.NewReader(tt.in)))
			for i := range len(tt.in) + 1 {
				check("split at "+tt.in[:i], inChunks(tt.in[:i], tt.in[i:]))
				for j := i; j <= len(tt.in); j++ {
					check("split at "+tt.in[:i]+"|"+tt.in[i:j], inChunks(tt.in[:i], tt.in[i:j], tt.in[j:]))
				}
			}
		})
	}
}

// An event is there as soon as its blank line is, even if that ends with a CR
// and an LF may still follow. Each chunk is followed by how many frames it
// must have brought.
func TestSSEPrompt(t *testing.T) {
	type step struct {
		chunk string
		want  []got
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"LF", []step{
			{"data: a\n\n", []got{{"data: a\n\n", none, "a"}}},
			{"data: b\n\n", []got{{"data: b\n\n", none, "b"}}},
		}},
		{"CR", []step{
			{"data: a\r\r", []got{{"data: a\r\r", none, "a"}}},
			{"data: b\r\r", []got{{"data: b\r\r", none, "b"}}},
		}},
		{"CRLF", []step{
			{"data: a\r\n\r\n", []got{{"data: a\r\n\r\n", none, "a"}}},
			{"data: b\r\n\r\n", []got{{"data: b\r\n\r\n", none, "b"}}},
		}},
		{"CRLF cut in the middle", []step{
			{"data: a\r\n\r", []got{{"data: a\r\n\r", none, "a"}}},
			{"\n", nil},
			{"data: b\r", nil},
			{"\n\r", []got{{"\ndata: b\r\n\r", none, "b"}}},
			{"\ndata: c\r\n\r\ndata: d\r\n\r", []got{
				{"\ndata: c\r\n\r\n", none, "c"},
				{"data: d\r\n\r", none, "d"},
			}},
			{"\n", nil}, // and then the end: a frame of its own
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := &chunks{err: io.EOF}
			r := NewSSE(src, 0)
			for i, step := range tt.steps {
				src.list = append(src.list, step.chunk)
				if step.want == nil {
					continue // nothing to wait for: Next would ask for more
				}
				for j, want := range step.want {
					f, err := r.Next()
					if err != nil || copyOf(f) != want {
						t.Fatalf("step %d, frame %d: %q, %v; want %q", i, j, copyOf(f), err, want)
					}
				}
				if r.More() || len(src.list) > 0 {
					t.Fatalf("step %d: more than was asked for", i)
				}
			}
			rest, err := readAll(t, r)
			if err != io.EOF || joinRaw(rest) != strings.Repeat("\n", len(rest)) {
				t.Fatalf("at the end: %q, %v", rest, err)
			}
		})
	}
}
