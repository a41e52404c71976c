// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/maccracken/hoosh/internal/framing"
)

// Several choices from a backend that gives one at a time: as many calls side by
// side, whose answers become one, in OpenAI's form.

// several is d asked for each choice by itself.
func several(ctx context.Context, d Doer, c *Call) (*Reply, error) {
	asked, err := c.Request()
	if err != nil {
		return nil, err
	}
	n := c.load.envelope.Choices
	switch {
	case n > maxSeveral:
		return nil, &Error{Kind: ErrInvalidRequest, Op: c.Op, Param: "n", Message: fmt.Sprintf("want at most %d: this backend gives one answer at a time", maxSeveral)}
	case len(asked.Input) > 1:
		return nil, &Error{Kind: ErrUnsupported, Op: c.Op, Param: "n", Message: "several answers to several prompts, of a backend that gives one answer at a time"}
	}
	one := *asked
	one.Choices = 0
	ctx, cancel := context.WithCancel(ctx)
	s := &choices{call: c, cancel: cancel, done: make(chan struct{})}
	ok := false
	defer func() {
		if !ok {
			s.Close()
		}
	}()
	if err := s.ask(ctx, d, &one, n); err != nil {
		return nil, err
	}
	first := s.replies[0]
	reply := &Reply{Provider: first.Provider, Issuer: first.Issuer, Model: first.Model, Dialect: OpenAI, Header: first.Header,
		Dropped: first.Dropped, Attempts: 1, op: c.Op}
	if c.Stream {
		s.begin(reply)
		reply.Stream, ok = s, true
		return reply, nil
	}
	if err := s.join(reply); err != nil {
		return nil, err
	}
	return reply, nil
}

// maxSeveral is the most calls that are made for one.
const maxSeveral = 16

// choices is one stream of several.
type choices struct {
	call    *Call
	cancel  context.CancelFunc
	calls   []*Call
	replies []*Reply

	events  chan choiceEvent
	done    chan struct{} // closed by Close
	closing sync.Once

	// of Next's goroutine
	enc   FrameEncoder
	scan  FrameScanner
	left  int     // streams that have not ended
	usage []Usage // of each
	sent  []int64 // bytes of text, of each
	sum   Usage
	queue []Frame
	frame Frame
	err   error
}

// choiceEvent is what came of one choice: an event, or its end.
type choiceEvent struct {
	choice int
	event  Event
	err    error
}

// ask makes all calls at once. The first that fails ends the others. What was booked
// on them goes over to the call.
func (s *choices) ask(ctx context.Context, d Doer, q *Request, n int) error {
	s.calls, s.replies = make([]*Call, n), make([]*Reply, n)
	errs, panics := make([]error, n), make([]any, n)
	var wait sync.WaitGroup
	for i := range n {
		c := s.call.With(q)
		c.load.envelope.WantsUsage, c.ledger.open = true, true
		s.calls[i] = c
		wait.Go(func() {
			defer func() {
				if panics[i] = recover(); panics[i] != nil || errs[i] != nil {
					s.cancel()
				}
			}()
			s.replies[i], errs[i] = d.Do(ctx, c)
		})
	}
	wait.Wait()
	for i, c := range s.calls {
		s.call.adopt(c)
		if panics[i] != nil {
			panic(panics[i]) // where the call of one answer would have met it
		}
	}
	var failed error
	for _, err := range errs {
		if err != nil && (failed == nil || AsError(failed).Kind == ErrCanceled) {
			failed = err
		}
	}
	return failed
}

// join makes one answer of whole ones.
func (s *choices) join(reply *Reply) error {
	var all Response
	for i, r := range s.replies {
		resp, err := r.Response()
		if err != nil {
			return err
		}
		resp.Usage = counted(resp.Usage, s.call.Op, int64(s.calls[i].load.envelope.Text), resp.size())
		if i == 0 {
			all = *resp
			all.Choices, all.Extra = nil, nil
		} else {
			all.Usage = all.Usage.plus(resp.Usage)
		}
		if len(resp.Choices) > 0 {
			ch := resp.Choices[0]
			ch.Index = i
			all.Choices = append(all.Choices, ch)
		}
	}
	reply.Usage, reply.Finish = all.Usage, all.Finish()
	var err error
	reply.Body, err = OpenAI.EncodeResponse(NewCall(&Request{Op: s.call.Op, Model: s.call.Model}), &all)
	return err
}

// begin reads the streams, each in a goroutine that ends with it.
func (s *choices) begin(reply *Reply) {
	typed := NewCall(&Request{Op: s.call.Op, Model: s.call.Model})
	s.enc, s.scan = OpenAI.NewEncoder(typed, reply), OpenAI.NewScanner(s.call.Op, len(s.replies))
	s.left, s.usage, s.sent = len(s.replies), make([]Usage, len(s.replies)), make([]int64, len(s.replies))
	s.events = make(chan choiceEvent)
	for i, r := range s.replies {
		go s.read(i, r)
	}
}

func (s *choices) read(i int, r *Reply) {
	stream := newEventStream(r, s.calls[i])
	defer stream.Close()
	defer func() {
		if v := recover(); v != nil { // of a codec; nobody else could take it
			s.tell(choiceEvent{choice: i, err: &Error{Kind: ErrInternal, Op: s.call.Op, Message: fmt.Sprint("panic: ", v)}})
		}
	}()
	for e, err := range stream.Events() {
		if !s.tell(choiceEvent{choice: i, event: e, err: err}) || err != nil {
			return
		}
	}
	s.tell(choiceEvent{choice: i, err: io.EOF})
}

func (s *choices) tell(e choiceEvent) bool {
	select {
	case s.events <- e:
		return true
	case <-s.done:
		return false
	}
}

func (s *choices) Next() (*Frame, error) {
	for len(s.queue) == 0 {
		if s.err == nil {
			s.err = s.wait()
		}
		if s.err != nil && len(s.queue) == 0 {
			s.Close()
			return nil, s.err
		}
	}
	s.frame, s.queue = s.queue[0], s.queue[1:]
	s.frame.More = len(s.queue) > 0
	return &s.frame, nil
}

// wait takes what comes next from any of the streams.
func (s *choices) wait() error {
	var got choiceEvent
	select {
	case got = <-s.events:
	case <-s.done:
		return &Error{Kind: ErrCanceled, Op: s.call.Op, Message: "the stream was closed before its end", Err: errClosed}
	}
	switch {
	case got.err == io.EOF:
		if s.left--; s.left > 0 {
			return nil
		}
		for i, u := range s.usage {
			u = counted(u, s.call.Op, int64(s.calls[i].load.envelope.Text), s.sent[i])
			if i == 0 {
				s.sum = u
			} else {
				s.sum = s.sum.plus(u)
			}
		}
		out, err := s.enc.Encode(nil, &Event{Kind: EventUsage, Usage: s.sum})
		if err != nil {
			return err
		}
		if err := s.frames(s.enc.End(out)); err != nil {
			return err
		}
		return io.EOF
	case got.err != nil:
		return got.err
	}
	e := &got.event
	if e.Kind == EventUsage {
		s.usage[got.choice] = s.usage[got.choice].Merge(e.Usage)
		return nil
	}
	e.Choice = got.choice
	s.sent[got.choice] += int64(e.text.Len() + len(e.Value))
	out, err := s.enc.Encode(nil, e)
	if err != nil {
		return err
	}
	return s.frames(out)
}

// frames cuts what the encoder wrote.
func (s *choices) frames(b []byte) error {
	r := framing.NewSSE(bytes.NewReader(b), len(b)+1)
	for {
		fr, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		f := (&Frame{Raw: fr.Raw, Event: fr.Event, Data: fr.Data}).Clone()
		if err := s.scan.Scan(f); err != nil {
			return err
		}
		if f.Usage.Source != UsageNone && s.sum.Source != UsageNone {
			f.Usage = s.sum // who counted does not stand in it
		}
		if f.Kind == FrameUsage && !s.call.WantsUsage() {
			f.Raw = nil
		}
		s.queue = append(s.queue, *f)
	}
}

func (s *choices) Stop(why Finish, u Usage) {
	if s.err != nil {
		return
	}
	s.Close()
	s.queue = nil
	s.err = s.frames(s.scan.End(nil, why, u, s.call.WantsUsage()))
	if s.err == nil {
		s.err = io.EOF
	}
}

// Close ends what is under way; the readers end with their streams.
func (s *choices) Close() error {
	s.closing.Do(func() {
		close(s.done)
		s.cancel()
		for _, r := range s.replies {
			if r != nil && r.Stream != nil {
				r.Stream.Close()
			}
		}
	})
	return nil
}
