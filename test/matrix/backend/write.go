// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ascii is a string that is written with escapes for all that is not ASCII, and
// for what HTML is made of; other strings are written as they are.
type ascii string

// omit stands for a member that is not written.
type omit struct{}

// when is v, or nothing to write.
func when(there bool, v any) any {
	if there {
		return v
	}
	return omit{}
}

// obj is a JSON object of names and values in that order.
func obj(kv ...any) json.RawMessage {
	b := []byte{'{'}
	for i := 0; i < len(kv); i += 2 {
		if _, none := kv[i+1].(omit); none {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(quote(b, kv[i].(string), false), ':')
		b = encode(b, kv[i+1])
	}
	return append(b, '}')
}

// list is a JSON array.
func list[T any](elements ...T) json.RawMessage {
	b := []byte{'['}
	for i, e := range elements {
		if i > 0 {
			b = append(b, ',')
		}
		b = encode(b, e)
	}
	return append(b, ']')
}

func encode(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return quote(b, v, false)
	case ascii:
		return quote(b, string(v), true)
	case json.RawMessage:
		return append(b, v...)
	}
	j, err := json.Marshal(v)
	if err != nil {
		panic(err) // a value of this package
	}
	return append(b, j...)
}

// quote writes a JSON string. The escapes are the shortest, so that line
// separators and the like stand raw, unless all is to be ASCII.
func quote(b []byte, s string, escape bool) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ', escape && (r == 0x7f || r == '<' || r == '>' || r == '&'):
			b = fmt.Appendf(b, `\u%04x`, r)
		case escape && r == '/':
			b = append(b, `\/`...)
		case escape && r > 0xffff:
			hi, lo := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04X`, hi, lo)
		case escape && r >= utf8.RuneSelf:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// compact is JSON on one line; numbers and escapes stay as they are.
func compact(s string) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		panic(fmt.Sprintf("vendor: the script has arguments that are no JSON: %v in %q", err, s))
	}
	return b.Bytes()
}

// steps are how many characters the pieces of a text have, in turn.
var steps = []int{1, 4, 2, 9, 3, 17, 1, 30}

// pieces cuts a text between any two characters.
func pieces(s string) []string {
	return cut(s, func(left rune, n, step int) bool { return n >= step })
}

// fragments cuts arguments where it hurts: within escapes, and of those of two
// halves between them.
func fragments(s string) []string {
	cuts := 0
	return cut(s, func(left rune, n, step int) bool {
		if left == '\\' && cuts < 40 {
			cuts++
			return true
		}
		return n >= step
	})
}

// cut cuts s where at says so, which is asked with the character ahead, how many
// the piece has, and how many it should.
func cut(s string, at func(left rune, n, step int) bool) []string {
	var out []string
	start, n := 0, 0
	var left rune
	for i, r := range s {
		if i > start && at(left, n, steps[len(out)%len(steps)]) {
			out = append(out, s[start:i])
			start, n = i, 0
		}
		left = r
		n++
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

// written gives a piece of a stream now as it is, now in ASCII.
func written(i int, s string) any {
	if i%2 == 1 {
		return ascii(s)
	}
	return s
}

// stream writes events in packets that end anywhere: within characters, within
// escapes, between CR and LF.
type stream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	pending []byte
	events  int
	eol     string // of SSE
}

func newStream(w http.ResponseWriter, contentType, eol string) *stream {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	s := &stream{w: w, rc: http.NewResponseController(w), eol: eol}
	s.flush()
	return s
}

// event writes an event of SSE; name may be "".
func (s *stream) event(name string, data json.RawMessage) {
	var b strings.Builder
	if name != "" {
		b.WriteString("event: " + name + s.eol)
	}
	b.WriteString("data: ")
	b.Write(data)
	b.WriteString(s.eol + s.eol)
	s.bytes([]byte(b.String()))
}

// comment writes one, as stands between events to keep a connection alive.
func (s *stream) comment() {
	s.bytes([]byte(": keep-alive " + strconv.Itoa(s.events) + s.eol + s.eol))
}

// bytes writes b, or keeps an end of it to go out with what follows.
func (s *stream) bytes(b []byte) {
	s.pending = append(s.pending, b...)
	s.events++
	cuts := awkward(s.pending, s.events)
	at := 0
	for _, c := range cuts {
		s.packet(s.pending[at:c])
		at = c
	}
	if s.events%3 != 0 { // now and then all of it is out
		s.pending = append([]byte(nil), s.pending[at:]...)
		return
	}
	s.packet(s.pending[at:])
	s.pending = nil
}

// end writes what is left.
func (s *stream) end() {
	s.packet(s.pending)
	s.pending = nil
}

func (s *stream) packet(b []byte) {
	if len(b) == 0 {
		return
	}
	if _, err := s.w.Write(b); err != nil {
		return // the client has gone, and the next packet is of no use to it either
	}
	s.flush()
}

func (s *stream) flush() {
	// A writer that cannot flush sends all at the end, which is well-formed too.
	_ = s.rc.Flush()
}

// awkward gives a few places to cut b at.
func awkward(b []byte, seed int) []int {
	var cuts []int
	last := 0
	for i := 1; i < len(b); i++ {
		bad := !utf8.RuneStart(b[i]) || b[i-1] == '\\' || b[i-1] == '\r' || b[i-1] == ':'
		if bad && i-last > 2+seed%11 {
			cuts = append(cuts, i)
			last = i
		}
		if len(cuts) == 4 {
			break
		}
	}
	if i := (seed*37)%(len(b)+1) + 1; i < len(b) && i > last {
		cuts = append(cuts, i)
	}
	return cuts
}

// whole writes a JSON body. With broken the connection ends in the middle of it.
func whole(w http.ResponseWriter, status int, body json.RawMessage, broken bool) {
	w.Header().Set("Content-Type", "application/json")
	if broken {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	w.Write(body)
}
