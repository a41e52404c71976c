// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// got is a Frame made comparable; "<nil>" tells nil from empty.
type got struct{ raw, event, data string }

func text(b []byte) string {
	if b == nil {
		return "<nil>"
	}
	return string(b)
}

func copyOf(f Frame) got { return got{string(f.Raw), text(f.Event), text(f.Data)} }

// readAll returns all frames and the final error, and checks what holds for any
// stream: More tells whether Next reads, the error stays, the memory is let go.
func readAll(t testing.TB, r *Reader) ([]got, error) {
	t.Helper()
	counter := &readCounter{Reader: r.buf.src}
	r.buf.src = counter
	var all []got
	for {
		before, more := counter.n, r.More()
		f, err := r.Next()
		if more && (counter.n != before || err != nil) {
			t.Fatalf("More was true, then Next read %d times, error %v", counter.n-before, err)
		}
		if err != nil {
			if _, again := r.Next(); again != err || r.More() {
				t.Fatalf("after the final error %v: %v, More %v", err, again, r.More())
			}
			if r.buf.buf != nil || r.buf.box != nil {
				t.Fatal("the buffer was kept")
			}
			return all, err
		}
		if len(f.Raw) == 0 {
			t.Fatal("a frame without a byte")
		}
		if cap(f.Raw) != len(f.Raw) || cap(f.Data) != len(f.Data) || cap(f.Event) != len(f.Event) {
			t.Fatal("an append to a frame's slice would write into the buffer")
		}
		all = append(all, copyOf(f))
	}
}

type readCounter struct {
	io.Reader
	n int
}

func (c *readCounter) Read(p []byte) (int, error) {
	c.n++
	return c.Reader.Read(p)
}

// chunks returns one chunk per Read, then err together with no byte.
type chunks struct {
	list []string
	err  error
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.list) == 0 {
		return 0, c.err
	}
	n := copy(p, c.list[0])
	if c.list[0] = c.list[0][n:]; c.list[0] == "" {
		c.list = c.list[1:]
	}
	return n, nil
}

func inChunks(list ...string) io.Reader {
	return &chunks{slices.DeleteFunc(list, func(s string) bool { return s == "" }), io.EOF}
}

func joinRaw(all []got) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString(f.raw)
	}
	return b.String()
}

// sameWhateverChunking compares what does not depend on chunking: all but the
// place of an LF that is the second half of a CRLF.
func sameWhateverChunking(a, b []got) error {
	a, b = meaningful(a), meaningful(b)
	if len(a) != len(b) {
		return fmt.Errorf("%d frames, not %d:\n%q\n%q", len(b), len(a), b, a)
	}
	for i := range a {
		if a[i].event != b[i].event || a[i].data != b[i].data ||
			strings.Trim(a[i].raw, "\n") != strings.Trim(b[i].raw, "\n") {
			return fmt.Errorf("frame %d is %q, not %q", i, b[i], a[i])
		}
	}
	return nil
}

func meaningful(all []got) []got {
	return slices.DeleteFunc(slices.Clone(all), func(f got) bool { return strings.Trim(f.raw, "\r\n") == "" })
}

// rawIsInput checks that nothing was lost and only line ends were added.
func rawIsInput(input string, all []got) error {
	raw := joinRaw(all)
	if rest, ok := strings.CutPrefix(raw, input); !ok || strings.Trim(rest, "\n") != "" || len(rest) > 2 {
		return fmt.Errorf("all Raw together: %q, input: %q", raw, input)
	}
	return nil
}

var errReset = errors.New("connection reset")

func lines(n int, line string) []byte { return bytes.Repeat([]byte(line), n) }
