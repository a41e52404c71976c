// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/maccracken/hoosh"
)

// stream serves a streaming call.
func (q *request) stream(c *hoosh.Call, shape *form) {
	out := newStreamWriter(q, shape)
	defer out.stop()
	reply, err := q.s.gateway.Do(q.r.Context(), c)
	if err == nil {
		defer closeStream(reply)
		reply, err = reply.For(c)
	}
	if err != nil {
		out.fail(hoosh.AsError(err))
		return
	}
	out.begin(reply)
	for {
		f, err := reply.Stream.Next()
		if err == io.EOF {
			out.end()
			return
		}
		if err != nil {
			out.fail(hoosh.AsError(err))
			return
		}
		if out.frame(f) != nil {
			return // the client has left; closing the stream lets the backend go
		}
	}
}

func closeStream(r *hoosh.Reply) {
	if r.Stream != nil {
		r.Stream.Close()
	}
}

// streamWriter writes one stream. A timer keeps it alive while the backend is
// silent, and ends it when the client no longer reads.
type streamWriter struct {
	q     *request
	form  *form // nil: as it comes
	rc    *http.ResponseController
	every time.Duration

	mu       sync.Mutex // the response, between the call's goroutine and the timer's
	timer    *time.Timer
	extended time.Time
	wrote    bool      // since the timer fired last
	dirty    bool      // there is something to flush
	numbers  numbering // of events, where the format has it
	late     bool      // the status went out before the reply was known
	ended    bool
}

func newStreamWriter(q *request, shape *form) *streamWriter {
	o := &streamWriter{q: q, form: shape, rc: http.NewResponseController(q.w), every: q.s.cfg.Keepalive}
	o.timer = time.AfterFunc(time.Hour, o.tick)
	o.timer.Reset(o.every) // tick looks at o.timer, so it is set before
	o.mu.Lock()
	defer o.mu.Unlock()
	o.extend(time.Now())
	return o
}

// extend gives the writes to come half a minute, or three intervals. A client that does not read
// makes a write hang, then nothing extends the time, and the write fails.
func (o *streamWriter) extend(now time.Time) {
	o.extended = now
	o.rc.SetWriteDeadline(now.Add(max(3*o.every, 30*time.Second))) //nolint:errcheck // not every writer has deadlines
}

// ping is what may be said in silence.
func (o *streamWriter) ping() []byte {
	if o.form != nil && o.form.contentType != "" {
		return nil
	}
	return o.q.surface.ping
}

// tick says something if there was silence.
func (o *streamWriter) tick() {
	if !o.mu.TryLock() { // a write is under way, which is no silence
		o.timer.Reset(o.every)
		return
	}
	defer o.mu.Unlock()
	if o.ended {
		return
	}
	o.extend(time.Now())
	if ping := o.ping(); !o.wrote && ping != nil {
		if !o.q.begun {
			o.late = true
			o.head()
		}
		o.write(ping) //nolint:errcheck // the next write will tell
		o.flush()     //nolint:errcheck
	}
	o.wrote = false
	o.timer.Reset(o.every)
}

// head sends the status.
func (o *streamWriter) head() {
	h := o.q.w.Header()
	h["Content-Type"] = []string{o.q.dialect.Framing.ContentType()}
	if o.form != nil && o.form.contentType != "" {
		h["Content-Type"] = []string{o.form.contentType}
	}
	h["Cache-Control"] = noCache
	h["X-Accel-Buffering"] = noBuffer
	o.q.begun = true
	o.q.w.WriteHeader(http.StatusOK)
}

var noCache, noBuffer = []string{"no-cache"}, []string{"no"}

// begin takes up the reply: its headers, or trailers where it is too late.
func (o *streamWriter) begin(r *hoosh.Reply) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.late {
		o.q.tell(o.q.w.Header(), r, http.TrailerPrefix)
		return
	}
	o.q.tell(o.q.w.Header(), r, "")
	o.head()
}

// frame writes one frame, and flushes unless another is here already.
func (o *streamWriter) frame(f *hoosh.Frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if raw := o.shaped(f); len(raw) > 0 {
		if o.q.surface.numbered {
			o.numbers.note(raw)
		}
		if err := o.write(raw); err != nil {
			return err
		}
	}
	if f.More || !o.dirty {
		return nil
	}
	return o.flush()
}

// shaped is what of a frame is sent.
func (o *streamWriter) shaped(f *hoosh.Frame) []byte {
	if o.form != nil && o.form.frame != nil {
		return o.form.frame(f)
	}
	return f.Raw
}

// end writes what the form has after the last frame.
func (o *streamWriter) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last()
}

func (o *streamWriter) last() {
	o.ended = true
	if o.form != nil && o.form.end != nil {
		o.write(o.form.end()) //nolint:errcheck // it was the last word
	}
}

func (o *streamWriter) write(b []byte) error {
	o.wrote, o.dirty = true, true
	if now := time.Now(); now.Sub(o.extended) > o.every { // one that reads slowly, but reads
		o.extend(now)
	}
	_, err := o.q.w.Write(b)
	return err
}

func (o *streamWriter) flush() error {
	o.dirty = false
	return o.rc.Flush()
}

// fail ends the stream with an error: an ordinary answer if nothing has gone
// out, else the dialect's own error event, and nothing after it.
func (o *streamWriter) fail(e *hoosh.Error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	if !o.q.begun {
		o.q.refuse(e, o.form)
		return
	}
	o.q.logFailure(e, e.HTTPStatus())
	event := o.q.dialect.StreamError(e)
	if o.q.surface.numbered {
		event = o.numbers.follow(event)
	}
	o.write(o.shaped(&hoosh.Frame{Raw: event})) //nolint:errcheck // it was the last word
	o.last()
	o.flush() //nolint:errcheck
}

// stop ends the timer, and what it may be doing.
func (o *streamWriter) stop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	o.timer.Stop()
	if o.dirty {
		o.flush() //nolint:errcheck
	}
	o.rc.SetWriteDeadline(time.Time{}) //nolint:errcheck // the connection lives on
}
