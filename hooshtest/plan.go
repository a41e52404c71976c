// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// plan is an answer worked out: what is written, when, and how it ends.
type plan struct {
	status   int
	header   http.Header
	stream   bool // headers go out before the first event
	delay    time.Duration
	slowHead time.Duration // between the bytes of the headers; 0: all at once
	headless bool          // the ending comes before the headers
	writes   []write
	ending   ending
}

// write is one piece, flushed on its own.
type write struct {
	data  []byte
	pause time.Duration // before it
	step  <-chan struct{}
}

// ending is what happens after the last write.
type ending int

const (
	endClean ending = iota
	endIdle         // clean, then the idle connection is closed
	endReset
	endCut
	endHang
)

// whole says that the client gets all of the answer.
func (e ending) whole() bool { return e == endClean || e == endIdle }

// Sizes of faults.
const (
	hugeSize    = 4<<20 + 1<<16
	floodSize   = 1000
	missingSize = 64 // what Content-Length has too much
)

const garbage = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>\n"

// plan works a out for q.
func (b *Backend) plan(q *Request, a Answer) *plan {
	p := &plan{status: a.Status, header: http.Header{}, delay: a.Delay, ending: a.Fault.ending()}
	if p.status == 0 {
		p.status = http.StatusOK
	}
	p.headless = a.Fault == Hang || a.Fault == Reset
	if a.Fault == SlowHeaders {
		p.slowHead = max(a.Gap, time.Millisecond)
	}
	p.header.Set("X-Request-Id", fmt.Sprintf("req-%d", q.N))
	var body []byte
	var events [][]byte
	kind := "application/json"
	switch {
	case a.Fault == Garbage:
		body, kind, p.status = []byte(garbage), "text/html; charset=utf-8", http.StatusOK
	case a.Body != nil:
		body = a.Body
	case a.Chunks != nil:
		events = toBytes(a.Chunks)
	case p.status >= 300:
		body = errorBody(p.status, a.Text)
	case wantsStream(q, a.Fault):
		events = newReply(q, &a).events()
	default:
		body = b.whole(q, &a, p)
	}
	if events != nil {
		p.stream, kind = true, "text/event-stream; charset=utf-8"
		p.header.Set("Cache-Control", "no-cache")
		events = distort(events, &a)
	} else {
		events = distortWhole(body, &a)
	}
	p.header.Set("Content-Type", kind)
	p.measure(events, body, a.Fault)
	for name, values := range a.Header {
		p.header[http.CanonicalHeaderKey(name)] = values
	}
	p.pace(events, &a)
	return p
}

// measure sets Content-Length where the answer has one.
func (p *plan) measure(events [][]byte, body []byte, f Fault) {
	size := 0
	for _, e := range events {
		size += len(e)
	}
	switch {
	case f == WrongLength:
		size += missingSize
	case p.stream:
		return
	case f == ResetMid || f == Cut || f == HangMid:
		size = len(body) // what is missing was promised
	}
	p.header.Set("Content-Length", strconv.Itoa(size))
}

// ending is how an answer with this fault ends.
func (f Fault) ending() ending {
	switch f {
	case Hang, HangMid:
		return endHang
	case Reset, ResetMid:
		return endReset
	case Cut:
		return endCut
	case CloseIdle:
		return endIdle
	}
	return endClean
}

func wantsStream(q *Request, f Fault) bool {
	if op := opOf(q.Path); q.Method != http.MethodPost || op != opChat && op != opCompletion {
		return false
	}
	switch f {
	case NotStream:
		return false
	case StreamAnyway:
		return true
	}
	return q.Stream
}

// distort changes the events of a stream as the fault says.
func distort(events [][]byte, a *Answer) [][]byte {
	after := min(max(a.After, 0), len(events))
	switch a.Fault {
	case ResetMid, Cut, HangMid, Truncate:
		return events[:after]
	case EmptyStream:
		return nil
	case Malformed:
		return slices.Insert(events, after, []byte("data: {\"id\":\"chatcmpl-broken\",\"choices\":[{\"index\":0,\"delta\":{\"conte\n\n"))
	case ErrorEvent:
		return append(events[:after:after], errorEvent())
	case ErrorFirst:
		return [][]byte{errorEvent()}
	case CRLF, CR:
		end := []byte("\r\n")
		if a.Fault == CR {
			end = end[:1]
		}
		for i := range events {
			events[i] = bytes.ReplaceAll(events[i], []byte("\n"), end)
		}
	case Batched:
		return [][]byte{bytes.Join(events, nil)}
	case DoubleDone:
		return append(events, []byte(doneEvent))
	case NoDone:
		if n := len(events) - 1; n >= 0 && strings.TrimSpace(string(events[n])) == strings.TrimSpace(doneEvent) {
			return events[:n]
		}
	}
	return events
}

// distortWhole does it for a whole answer, which becomes one piece.
func distortWhole(body []byte, a *Answer) [][]byte {
	cut := a.After
	if cut <= 0 {
		cut = len(body) / 2
	}
	switch a.Fault {
	case ResetMid, Cut, HangMid, Truncate:
		body = body[:min(cut, len(body))]
	case EmptyStream:
		body = nil
	case Malformed:
		body = body[:max(len(body)-1, 0)]
	case ErrorEvent, ErrorFirst:
		body = errorBody(http.StatusInternalServerError, "")
	}
	if len(body) == 0 {
		return nil
	}
	return [][]byte{body}
}

// pace makes writes of pieces.
func (p *plan) pace(events [][]byte, a *Answer) {
	if a.Fault == CommentFlood {
		p.flood(a)
	}
	for _, event := range events {
		pieces, between := [][]byte{event}, time.Duration(0)
		switch a.Fault {
		case Slow:
			pieces, between = everyByte(event), a.Gap
		case SplitUTF8:
			pieces, between = insideRunes(event), max(a.Gap, time.Millisecond)
		}
		for j, piece := range pieces {
			wr := write{data: piece, pause: between}
			if j == 0 {
				wr.pause, wr.step = a.Gap, a.Step
			}
			p.writes = append(p.writes, wr)
		}
	}
	if len(p.writes) > 0 {
		p.writes[0].pause = 0
	}
}

// flood puts comments, or empty lines, before everything.
func (p *plan) flood(a *Answer) {
	n, line := a.After, ": keep-alive\n\n"
	if n <= 0 {
		n = floodSize
	}
	if !p.stream {
		line = "\n"
		p.header.Del("Content-Length")
	}
	for range n {
		p.writes = append(p.writes, write{data: []byte(line), pause: a.Gap})
	}
}

func everyByte(b []byte) [][]byte {
	pieces := make([][]byte, 0, len(b))
	for i := range b {
		pieces = append(pieces, b[i:i+1])
	}
	return pieces
}

// insideRunes cuts after the first byte of each character that has several.
func insideRunes(b []byte) [][]byte {
	var pieces [][]byte
	from := 0
	for i := 0; i < len(b); {
		_, size := utf8.DecodeRune(b[i:])
		if size > 1 {
			pieces = append(pieces, b[from:i+1])
			from = i + 1
		}
		i += size
	}
	return append(pieces, b[from:])
}

// toBytes copies: faults change what it gives.
func toBytes(list []string) [][]byte {
	out := make([][]byte, len(list))
	for i, s := range list {
		out[i] = []byte(s)
	}
	return out
}
