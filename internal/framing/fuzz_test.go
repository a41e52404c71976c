// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// refLine takes a line off s by the WHATWG grammar: end is LF, CRLF or CR, and
// empty if s ends first.
func refLine(s string) (line, end, rest string) {
	for i := range len(s) {
		switch {
		case strings.HasPrefix(s[i:], "\r\n"):
			return s[:i], s[i : i+2], s[i+2:]
		case s[i] == '\n' || s[i] == '\r':
			return s[:i], s[i : i+1], s[i+1:]
		}
	}
	return s, "", ""
}

// refSSE is the WHATWG algorithm, line by line, with what this package adds:
// Raw, blocks without data, and the completion of a last block.
func refSSE(s string) (all []got) {
	f, begun := got{"", none, none}, false
	for first := true; s != ""; first = false {
		var line, end string
		line, end, s = refLine(s)
		f.raw += line + end
		if first {
			line = strings.TrimPrefix(line, "\uFEFF")
		}
		if line == "" {
			if begun && end != "" {
				all = append(all, f)
				f, begun = got{"", none, none}, false
			}
			continue
		}
		begun = true
		name, val, _ := strings.Cut(line, ":") // a comment is a field without a name
		val = strings.TrimPrefix(val, " ")
		switch {
		case name == "event":
			f.event = val
		case name == "data" && f.data == none:
			f.data = val
		case name == "data":
			f.data += "\n" + val
		}
	}
	if f.raw == "" {
		return all
	}
	if begun {
		f.raw += "\n"
		if len(refSSE(f.raw+": next\n\n")) < 2 {
			f.raw += "\n" // that was only the end of the line
		}
	}
	return append(all, f)
}

func refNDJSON(s string) (all []got) {
	for s != "" {
		line, rest, _ := strings.Cut(s, "\n")
		s = rest
		f := got{line + "\n", none, strings.Trim(line, " \t\r")}
		if f.data == "" {
			f.data = none
		}
		all = append(all, f)
	}
	return all
}

// cutUp reads cuts[0] bytes, then cuts[1], and so on round; a zero is a read of nothing.
type cutUp struct {
	in, cuts []byte
	i        int
}

func (c *cutUp) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := 1
	if len(c.cuts) > 0 {
		n = int(c.cuts[c.i%len(c.cuts)])
		if c.i++; n == 0 && c.i%50 == 0 {
			n = 1 // nothing for ever is an error
		}
	}
	n = copy(p[:min(n, len(p))], c.in)
	c.in = c.in[n:]
	return n, nil
}

func fuzzReader(t *testing.T, in, cuts []byte, max int, ref []got, newReader func(io.Reader, int) *Reader) {
	whole, err := readAll(t, newReader(bytes.NewReader(in), 0))
	if err != io.EOF {
		t.Fatal(err)
	}
	if len(in) <= firstSize && !slices.Equal(whole, ref) { // it came in one read
		t.Fatalf("got  %q\nwant %q", whole, ref)
	}
	if err := sameWhateverChunking(ref, whole); err != nil {
		t.Fatal(err)
	}
	if err := rawIsInput(string(in), whole); err != nil {
		t.Fatal(err)
	}

	cut, err := readAll(t, newReader(&cutUp{in: in, cuts: cuts}, 0))
	if err != io.EOF {
		t.Fatal(err)
	}
	if err := sameWhateverChunking(ref, cut); err != nil {
		t.Fatal(err)
	}
	if err := rawIsInput(string(in), cut); err != nil {
		t.Fatal(err)
	}

	limited, err1 := readAll(t, newReader(bytes.NewReader(in), max))
	again, err2 := readAll(t, newReader(&cutUp{in: in, cuts: cuts}, max))
	if err1 != err2 {
		t.Fatalf("max %d: %v or %v", max, err1, err2)
	}
	if err := sameWhateverChunking(limited, again); err != nil {
		t.Fatalf("max %d: %v", max, err)
	}
}

func FuzzSSE(f *testing.F) {
	for _, tt := range sseStreams {
		f.Add([]byte(tt.in), []byte{3, 1, 0, 7}, uint16(12))
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte, max uint16) {
		fuzzReader(t, in, cuts, int(max), refSSE(string(in)), NewSSE)
	})
}

func FuzzNDJSON(f *testing.F) {
	for _, tt := range ndjsonStreams {
		f.Add([]byte(tt.in), []byte{3, 1, 0, 7}, uint16(5))
	}
	f.Fuzz(func(t *testing.T, in, cuts []byte, max uint16) {
		fuzzReader(t, in, cuts, int(max), refNDJSON(string(in)), NewNDJSON)
	})
}
