// SPDX-License-Identifier: AGPL-3.0-only

package framing

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// An error other than the end comes after the frames that were whole, and the
// unfinished one is dropped: nobody knows what it would have said.
func TestReadError(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		new      func(io.Reader, int) *Reader
		want     []string
	}{
		{"SSE, between events", "data: a\n\ndata: b\n\n", NewSSE, []string{"a", "b"}},
		{"SSE, inside an event", "data: a\n\ndata: b\n", NewSSE, []string{"a"}},
		{"SSE, CR", "data: a\r\rdata: b\r", NewSSE, []string{"a"}},
		{"SSE, nothing", "", NewSSE, nil},
		{"NDJSON, between lines", "1\n2\n", NewNDJSON, []string{"1", "2"}},
		{"NDJSON, inside a line", "1\n2", NewNDJSON, []string{"1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for how, src := range map[string]io.Reader{
				"error alone":         &chunks{[]string{tt.in}, errReset},
				"error with the data": iotest.DataErrReader(&chunks{[]string{tt.in}, errReset}),
				"byte by byte":        iotest.OneByteReader(&chunks{[]string{tt.in}, errReset}),
			} {
				all, err := readAll(t, tt.new(src, 0))
				if err != errReset {
					t.Errorf("%s: error %v", how, err)
				}
				var data []string
				for _, f := range all {
					data = append(data, f.data)
				}
				if !slices.Equal(data, tt.want) {
					t.Errorf("%s: %q, want %q", how, data, tt.want)
				}
			}
		})
	}
}

func TestUnexpectedEOFIsNoEnd(t *testing.T) {
	all, err := readAll(t, NewSSE(&chunks{[]string{"data: a\n"}, io.ErrUnexpectedEOF}, 0))
	if err != io.ErrUnexpectedEOF || all != nil {
		t.Errorf("%q, %v", all, err)
	}
}

// idle reads nothing n times before each chunk.
type idle struct {
	chunks
	n, left int
}

func (s *idle) Read(p []byte) (int, error) {
	if s.left > 0 {
		s.left--
		return 0, nil
	}
	s.left = s.n
	return s.chunks.Read(p)
}

func TestNoProgress(t *testing.T) {
	src := func(n int) io.Reader {
		return &idle{chunks{[]string{"data: a\n\n", "data", ": b\n\n"}, io.EOF}, n, n}
	}
	if all, err := readAll(t, NewSSE(src(emptyReads-1), 0)); err != io.EOF || len(all) != 2 {
		t.Errorf("%d frames, %v", len(all), err)
	}
	if all, err := readAll(t, NewSSE(src(emptyReads), 0)); err != io.ErrNoProgress || len(all) != 0 {
		t.Errorf("%d frames, %v", len(all), err)
	}
}

// The limit holds to the byte, and the same for any chunking: neither a frame
// that came whole nor one that is cut off at the end escapes it, and the LF of
// a split CRLF counts for nobody.
func TestTooLong(t *testing.T) {
	for _, tt := range []struct {
		name string
		new  func(io.Reader, int) *Reader
		// The first frame is short and the second has size bytes, line ends included.
		in   string
		size int
	}{
		{"SSE", NewSSE, "data:1\n\ndata: 123456789\n\n", 17},
		{"SSE, CR", NewSSE, "data:1\r\rdata: 123456789\r\r", 17},
		{"SSE, CRLF", NewSSE, "data:1\r\n\r\ndata: 123456789\r\n\r\n", 18},
		{"SSE, not ended", NewSSE, "data:1\n\ndata: 123456789", 15},
		{"SSE, blank lines", NewSSE, "data:1\n\n\n\n\n\n\n\n\n\ndata\n\n", 14},
		{"NDJSON", NewNDJSON, "1\n123456789\n", 10},
		{"NDJSON, not ended", NewNDJSON, "1\n123456789", 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i := range len(tt.in) {
				split := func() io.Reader { return inChunks(tt.in[:i], tt.in[i:]) }
				if all, err := readAll(t, tt.new(split(), tt.size)); err != io.EOF || len(meaningful(all)) != 2 {
					t.Errorf("split at %d, max %d: %q, %v", i, tt.size, all, err)
				}
				if all, err := readAll(t, tt.new(split(), tt.size-1)); err != ErrTooLong || len(all) != 1 {
					t.Errorf("split at %d, max %d: %q, %v", i, tt.size-1, all, err)
				}
			}
		})
	}
}

// endless never ends its line.
type endless struct{ n int }

func (s *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	s.n += len(p)
	return len(p), nil
}

func TestTooLongBoundsMemory(t *testing.T) {
	for _, limit := range []int{1, 100, firstSize, 100_000, 0} {
		src := &endless{}
		if _, err := NewSSE(src, limit).Next(); err != ErrTooLong {
			t.Fatal(err)
		}
		if limit <= 0 {
			limit = defaultMax
		}
		if most := max(limit+slack, firstSize); src.n > most {
			t.Errorf("max %d: read %d bytes", limit, src.n)
		}
	}
}

// A huge event in small reads is scanned and moved in proportion to its size.
// Searching again from its start with each read would look at 4.5 GB here.
func TestHugeIsLinear(t *testing.T) {
	const size = 3 << 20
	for _, tt := range []struct {
		name string
		in   []byte
		new  func(io.Reader, int) *Reader
		data int
	}{
		{"one line", slices.Concat([]byte("data: "), lines(size, "x"), []byte("\n\n")), NewSSE, size},
		{"one line, CR", slices.Concat([]byte("data: "), lines(size, "x"), []byte("\r\r")), NewSSE, size},
		{"many lines", append(lines(size/8, "data: x\n"), '\n'), NewSSE, size/4 - 1},
		{"many lines, CR", append(lines(size/8, "data: x\r"), '\r'), NewSSE, size/4 - 1},
		{"many lines, CR, and one LF", append(lines(size/8, "data: x\r"), '\n', '\n'), NewSSE, size/4 - 1},
		{"NDJSON", append(lines(size, "x"), '\n'), NewNDJSON, size},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, read := range []int{64, 1 << 10, 1 << 30} {
				r := tt.new(&smallReads{bytes.NewReader(tt.in), read}, 0)
				f, err := r.Next()
				if err != nil || len(f.Data) != tt.data || len(f.Raw) != len(tt.in) {
					t.Fatalf("reads of %d: Data has %d bytes, Raw %d, %v", read, len(f.Data), len(f.Raw), err)
				}
				if most := 2 * len(tt.in); r.lines.scanned > most {
					t.Errorf("reads of %d: looked at %d bytes of %d", read, r.lines.scanned, len(tt.in))
				}
				if most := 2 * len(tt.in); r.buf.moved > most {
					t.Errorf("reads of %d: moved %d bytes of %d", read, r.buf.moved, len(tt.in))
				}
			}
		})
	}
}

// The same for many small frames: in one buffer, and with a part of one left
// over at each read.
func TestManyFramesAreLinear(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", "\r"} {
		in := lines(20_000, "event: e"+end+"data: 0123456789"+end+end)
		for _, read := range []int{1, 100, 1 << 30} {
			r := NewSSE(&smallReads{bytes.NewReader(in), read}, 0)
			n := 0
			for ; ; n++ {
				r.More()
				if _, err := r.Next(); err != nil {
					break
				}
				r.More()
			}
			if n < 20_000 || r.lines.scanned > 2*len(in) || r.buf.moved > len(in) {
				t.Errorf("%q, reads of %d: %d frames, looked at %d bytes and moved %d, of %d",
					end, read, n, r.lines.scanned, r.buf.moved, len(in))
			}
		}
	}
}

type smallReads struct {
	r io.Reader
	n int
}

func (s *smallReads) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.n)]) }

// More looks ahead without harm to the frame that the caller still holds,
// though both have their lines joined.
func TestMore(t *testing.T) {
	src := inChunks("data: a\ndata: b\n\ndata: c\ndata: d\n\ndata: e\n\nda", "ta: f\n\n", "data: g")
	r := NewSSE(src, 0)
	if r.More() {
		t.Fatal("More before anything was read")
	}
	for _, want := range []struct {
		data string
		more bool
	}{{"a\nb", true}, {"c\nd", true}, {"e", false}, {"f", false}, {"g", false}} {
		f, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if more := r.More(); more != want.more || r.More() != more {
			t.Errorf("after %q: More is %v", want.data, more)
		}
		if string(f.Data) != want.data {
			t.Errorf("%q, want %q", f.Data, want.data)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Fatal(err)
	}
}

// Once the end is known, what it cut short needs no read either.
func TestMoreAtTheEnd(t *testing.T) {
	r := NewSSE(iotest.DataErrReader(strings.NewReader("data: a\n\ndata: b")), 0)
	f, err := r.Next()
	if err != nil || !r.More() || string(f.Raw) != "data: a\n\n" {
		t.Fatalf("%q, %v, More %v", f.Raw, err, r.More())
	}
	if f, err = r.Next(); string(f.Raw) != "data: b\n\n" || err != nil || r.More() {
		t.Fatalf("%q, %v, More %v", f.Raw, err, r.More())
	}
}

// A single data line is not copied.
func TestDataIsInRaw(t *testing.T) {
	f, err := NewSSE(strings.NewReader("data: a\n\n"), 0).Next()
	if err != nil || &f.Data[0] != &f.Raw[6] {
		t.Error("copied", err)
	}
}

// Frames are passed on in many streams at once, each with memory that another
// has used before.
func TestPooledBuffersAreNotShared(t *testing.T) {
	for i := range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			in := string(lines(3000, "data: "+strings.Repeat(string(rune('a'+i)), 50)+"\n\n"))
			for range 20 {
				all, err := readAll(t, NewSSE(strings.NewReader(in), 0))
				if err != io.EOF || joinRaw(all) != in {
					t.Fatal("another stream's bytes", err)
				}
			}
		})
	}
}

// A buffer that has grown large is not put back.
func TestLargeBuffersAreDropped(t *testing.T) {
	for range 10 {
		r := NewNDJSON(bytes.NewReader(append(lines(1<<20, "x"), '\n')), 0)
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatal(err)
		}
		b := pool.Get().(*[]byte)
		if len(*b) > keepSize {
			t.Fatalf("%d bytes in the pool", len(*b))
		}
	}
}

// repeat is a stream without end of the same bytes.
type repeat struct {
	unit []byte
	at   int
}

func (s *repeat) Read(p []byte) (n int, _ error) {
	for n < len(p) {
		k := copy(p[n:], s.unit[s.at:])
		n += k
		s.at = (s.at + k) % len(s.unit)
	}
	return n, nil
}

func TestNoAllocations(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		new        func(io.Reader, int) *Reader
	}{
		{"SSE", "event: e\ndata: {\"a\":1}\n\n", NewSSE},
		{"SSE, CRLF", "event: e\r\ndata: {\"a\":1}\r\n\r\n", NewSSE},
		{"SSE, joined", "data: {\ndata: }\n\n: ping\n\n", NewSSE},
		{"NDJSON", "{\"a\":1}\n", NewNDJSON},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.new(&repeat{unit: []byte(tt.unit)}, 0)
			next := func() {
				if _, err := r.Next(); err != nil {
					t.Fatal(err)
				}
				r.More()
			}
			for range 4 {
				next()
			}
			if n := testing.AllocsPerRun(5000, next); n != 0 {
				t.Errorf("%v allocations a frame", n)
			}
		})
	}
}
