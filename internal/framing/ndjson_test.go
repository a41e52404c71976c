// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

var ndjsonStreams = []struct {
	name, in string
	want     []got
}{
	{"empty", "", nil},
	{"lines", "{\"a\":1}\n{\"b\":2}\n", []got{
		{"{\"a\":1}\n", none, `{"a":1}`},
		{"{\"b\":2}\n", none, `{"b":2}`},
	}},
	{"CRLF", "1\r\n2\r\n", []got{{"1\r\n", none, "1"}, {"2\r\n", none, "2"}}},
	{"a CR alone ends no line", "1\r2\n", []got{{"1\r2\n", none, "1\r2"}}},
	{"blank lines are frames", "\n1\n \t\r\n\n2\n", []got{
		{"\n", none, none},
		{"1\n", none, "1"},
		{" \t\r\n", none, none},
		{"\n", none, none},
		{"2\n", none, "2"},
	}},
	{"trimmed", " \t{\"a\": 1} \t\r\r\n", []got{{" \t{\"a\": 1} \t\r\r\n", none, `{"a": 1}`}}},
	{"U+2028 is data", "\"\u2028\u0085\"\n", []got{{"\"\u2028\u0085\"\n", none, "\"\u2028\u0085\""}}},
	{"no last line end", "1\n2", []got{{"1\n", none, "1"}, {"2\n", none, "2"}}},
	{"cut in the last line end", "1\r", []got{{"1\r\n", none, "1"}}},
	{"cut in the data", "{\"a\":", []got{{"{\"a\":\n", none, `{"a":`}}},
	{"cut in a blank line", "1\n ", []got{{"1\n", none, "1"}, {" \n", none, none}}},
}

func TestNDJSON(t *testing.T) {
	for _, tt := range ndjsonStreams {
		t.Run(tt.name, func(t *testing.T) {
			check := func(r io.Reader) {
				t.Helper()
				all, err := readAll(t, NewNDJSON(r, 0))
				if err != io.EOF || !slices.Equal(all, tt.want) {
					t.Errorf("got  %q, %v\nwant %q", all, err, tt.want)
				}
				if err := rawIsInput(tt.in, all); err != nil {
					t.Error(err)
				}
			}
			check(strings.NewReader(tt.in))
			check(iotest.OneByteReader(strings.NewReader(tt.in)))
			check(iotest.HalfReader(strings.NewReader(tt.in)))
			check(iotest.DataErrReader(strings.NewReader(tt.in)))
			for i := range len(tt.in) + 1 {
				check(inChunks(tt.in[:i], tt.in[i:]))
			}
		})
	}
}
