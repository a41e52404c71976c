// SPDX-License-Identifier: AGPL-3.0-only

package echo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/framing"
)

var errClosed = errors.New("closed")

// stream plays an answer piece by piece. What it sends is written by the OpenAI
// encoder and read by the OpenAI scanner, as if it had come over a wire.
type stream struct {
	ctx    context.Context
	p      *Provider
	c      *hoosh.Call
	fault  string
	slow   time.Duration
	enc    hoosh.FrameEncoder
	scan   hoosh.FrameScanner
	hide   bool // nobody asked for the usage: it is for whoever counts
	done   chan struct{}
	closer sync.Once

	// of Next's goroutine
	answer *answer
	at     int // pieces played
	ended  bool
	queue  []hoosh.Frame
	frame  hoosh.Frame
	err    error // final
}

func (p *Provider) stream(ctx context.Context, c *hoosh.Call, a *answer, s *script) *stream {
	return &stream{
		ctx: ctx, p: p, c: c, fault: s.fault, slow: s.slow, answer: a, done: make(chan struct{}),
		enc: hoosh.OpenAI.NewEncoder(c, &hoosh.Reply{Provider: p.name}), scan: hoosh.OpenAI.NewScanner(c.Op, c.Envelope().Choices), hide: !c.WantsUsage(),
	}
}

func (s *stream) Next() (*hoosh.Frame, error) {
	for len(s.queue) == 0 {
		if s.err == nil && s.ended {
			s.err = io.EOF
		}
		if s.err == nil {
			s.err = s.play()
		}
		if s.err != nil {
			return nil, s.err
		}
	}
	s.frame, s.queue = s.queue[0], s.queue[1:]
	s.frame.More = len(s.queue) > 0
	return &s.frame, nil
}

// play makes the frames of the next piece.
func (s *stream) play() error {
	select {
	case <-s.done:
		return s.fail(errClosed)
	default:
	}
	if s.fault != "" && s.at >= (len(s.answer.pieces)+1)/2 {
		if s.fault == "stall" {
			if err := pause(s.ctx, s.done, s.p.timeouts.Idle); err != nil {
				return s.fail(err)
			}
		}
		return s.fail(inside(s.fault))
	}
	if s.at == len(s.answer.pieces) {
		return s.finish(s.answer.finish, s.answer.usage)
	}
	if err := pause(s.ctx, s.done, s.slow); err != nil {
		return s.fail(err)
	}
	var out []byte
	var err error
	if s.at == 0 {
		out, err = s.enc.Encode(out, &hoosh.Event{Kind: hoosh.EventStart, ID: s.answer.id, Model: s.c.Model})
	}
	for i := 0; i < s.answer.choices && err == nil; i++ {
		kind := hoosh.EventText
		if s.answer.tool != "" {
			kind = hoosh.EventArguments
			if s.at == 0 {
				out, err = s.enc.Encode(out, &hoosh.Event{Kind: hoosh.EventToolCall, Choice: i, ID: s.answer.callID, Name: s.answer.tool})
			}
		}
		if err == nil {
			e := hoosh.NewEvent(kind, i, hoosh.NewText(s.answer.pieces[s.at]))
			out, err = s.enc.Encode(out, &e)
		}
	}
	if err != nil {
		return s.fail(err)
	}
	s.at++
	return s.take(out)
}

// finish makes the frames that end the stream.
func (s *stream) finish(why hoosh.Finish, u hoosh.Usage) error {
	s.ended = true
	var out []byte
	var err error
	for i := 0; i < s.answer.choices && err == nil; i++ {
		out, err = s.enc.Encode(out, &hoosh.Event{Kind: hoosh.EventFinish, Choice: i, Finish: why})
	}
	if err == nil {
		err = s.take(out)
	}
	if err == nil && s.hide {
		s.queue = append(s.queue, hoosh.Frame{Kind: hoosh.FrameUsage, Usage: u})
	} else if err == nil {
		_, err = s.enc.Encode(nil, &hoosh.Event{Kind: hoosh.EventUsage, Usage: u}) // written at the end
	}
	if err == nil {
		err = s.take(s.enc.End(nil))
	}
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// take cuts what the encoder wrote into frames.
func (s *stream) take(out []byte) error {
	r := framing.NewSSE(bytes.NewReader(bytes.Clone(out)), 0)
	for {
		fr, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return s.fail(err)
		}
		f := hoosh.Frame{Raw: fr.Raw, Event: fr.Event, Data: fr.Data}
		if fr.Data != nil {
			if err := s.scan.Scan(&f); err != nil {
				return s.fail(err)
			}
		}
		s.queue = append(s.queue, *f.Clone())
	}
}

func (s *stream) fail(err error) error {
	if errors.Is(err, errClosed) {
		err = &hoosh.Error{Kind: hoosh.ErrCanceled, Message: "closed", Err: err}
	}
	return s.p.fail(s.c, err)
}

// Stop ends the answer here.
func (s *stream) Stop(why hoosh.Finish, u hoosh.Usage) {
	if s.err != nil || s.ended {
		return
	}
	s.queue = nil
	if err := s.finish(why, u); err != nil {
		s.err = err
	}
}

// Close ends a wait of Next, whose error says that the stream was closed.
func (s *stream) Close() error {
	s.closer.Do(func() { close(s.done) })
	return nil
}
