// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
	"time"

	"github.com/maccracken/hoosh/internal/framing"
)

// upstreamStream is a backend's stream: frames as they come, looked at by the
// dialect's scanner, with an end that is one of complete, cut, stalled,
// malformed or the backend's own error.
type upstreamStream struct {
	x      *exchange
	up     *Upstream
	op     Operation
	model  string
	body   io.ReadCloser
	frames *framing.Reader
	scan   FrameScanner
	hide   bool // the usage chunk was our wish, not the caller's
	wants  bool // the caller wants to see usage
	closed atomic.Bool

	// of Next's goroutine
	frame   Frame
	begun   bool // content has come
	broken  int  // malformed frames so far
	stopped bool
	err     error // final
}

// drainTime is how long the end of the HTTP body may take after the end of the
// stream in it; without that end the connection is not used again.
const drainTime = 250 * time.Millisecond

func newUpstreamStream(x *exchange, u *Upstream, c *Call, body io.ReadCloser) *upstreamStream {
	d := u.Profile.Dialect
	return &upstreamStream{
		x: x, up: u, op: c.Op, model: c.Model, body: body,
		frames: d.Framing.reader(body, u.limit), scan: d.NewScanner(c.Op, max(c.load.envelope.Choices, 1)),
		hide: !c.WantsUsage(), wants: c.WantsUsage(),
	}
}

func (s *upstreamStream) Next() (*Frame, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.frame.Kind == FrameEnd && !s.stopped {
		return nil, s.drain()
	}
	if s.begun && !s.stopped && !s.frames.More() {
		s.x.wait(s.up.timeouts.Idle, errIdleTimeout)
	}
	fr, err := s.frames.Next()
	if err != nil {
		return nil, s.finish(s.ended(err))
	}
	if fr.Data == nil && bytes.HasPrefix(fr.Raw, errorField) {
		return nil, s.finish(upstreamError(s.op, bytes.TrimSpace(fr.Raw[len(errorField):])))
	}
	s.frame = Frame{Raw: fr.Raw, Event: fr.Event, Data: fr.Data}
	f := &s.frame
	if fr.Data != nil {
		if err := s.scan.Scan(f); err != nil {
			if !errors.Is(err, ErrMalformed) || s.broken > 0 {
				return nil, s.finish(AsError(err))
			}
			// One broken line is survived, and not passed on: it would break
			// the client's parser too.
			s.broken++
			f.Raw, f.Data, f.Kind = nil, nil, FrameOther
		}
	}
	if f.Signature != nil {
		issued.noteRaw(f.Signature, s.up.Profile.Issuer)
	}
	switch f.Kind {
	case FrameContent:
		s.begun = true
	case FrameUsage:
		if s.hide {
			f.Raw = nil
		}
	}
	f.More = f.Kind != FrameEnd && s.frames.More()
	if s.begun && !s.stopped {
		s.x.rest() // how long the caller takes with it is not the backend's matter
	}
	return f, nil
}

// errorField begins an error that an older llama.cpp sends as a field of its own.
var errorField = []byte("error:")

// ended is what the end of the bytes means.
func (s *upstreamStream) ended(err error) error {
	if s.stopped || s.scan.Complete() {
		return io.EOF
	}
	if err == io.EOF {
		if s.broken > 0 {
			return &Error{Kind: ErrMalformed, Message: "the stream holds a broken frame and ends without its terminator"}
		}
		return &Error{Kind: ErrStreamCut, Message: "the stream ended without its terminator"}
	}
	if errors.Is(err, framing.ErrTooLong) {
		return &Error{Kind: ErrMalformed, Message: "an event of the stream is over the size limit", Err: err}
	}
	e := s.x.explain(err)
	if e.Kind == ErrUnavailable {
		e.Kind, e.Message = ErrStreamCut, "the connection broke in mid-stream"
	}
	return e
}

// drain reads what follows the terminator, for the connection's sake.
func (s *upstreamStream) drain() error {
	s.x.wait(drainTime, errIdleTimeout)
	for n := 0; n < 64; n++ {
		if _, err := s.frames.Next(); err != nil {
			break
		}
	}
	return s.finish(io.EOF)
}

// finish is the one place where the stream's end is set.
func (s *upstreamStream) finish(err error) error {
	if err != io.EOF {
		e := s.up.fail(nil, err)
		e.Op, e.Model = s.op, s.model
		err = e
	}
	s.err = err
	s.letGo(nil)
	return err
}

func (s *upstreamStream) Stop(why Finish, u Usage) {
	if s.err != nil || s.stopped || s.frame.Kind == FrameEnd {
		return
	}
	s.stopped = true
	s.letGo(errClosed)
	// What is left to say is read like any other stream, so that who translates
	// it sees frames.
	ending := s.scan.End(nil, why, u, s.wants)
	s.frames = s.up.Profile.Dialect.Framing.reader(bytes.NewReader(ending), s.up.limit)
	s.hide = false
}

func (s *upstreamStream) Close() error { return s.letGo(errClosed) }

func (s *upstreamStream) letGo(cause error) error {
	if s.closed.Swap(true) {
		return nil
	}
	if cause != nil {
		s.x.end(cause) // first, for a Close in mid-read
		return s.body.Close()
	}
	err := s.body.Close()
	s.x.end(nil)
	return err
}
