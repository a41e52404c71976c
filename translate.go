// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import "io"

// translation is a stream in another dialect: what each frame of the source
// means, written by the encoder, which owns all state.
type translation struct {
	src     Stream
	from    *Dialect
	enc     FrameEncoder
	emulate emulation
	frame   Frame
	buf     []byte
	events  []Event
	told    []Event // what is passed on where something is emulated
	err     error
}

func (t *translation) Next() (*Frame, error) {
	if t.err != nil {
		return nil, t.err
	}
	f, err := t.src.Next()
	if err == io.EOF {
		t.err = err
		t.frame = Frame{Raw: t.enc.End(t.held()), Kind: FrameEnd}
		return &t.frame, nil
	}
	if err != nil {
		t.err = err
		if held := t.held(); len(held) > 0 { // it was no stop sequence
			t.frame = Frame{Raw: held, Kind: FrameContent}
			return &t.frame, nil
		}
		return nil, err
	}
	t.events, err = t.from.DecodeFrame(t.events[:0], f)
	events := t.events
	if err == nil && !t.emulate.idle() {
		t.told = t.told[:0]
		for i := range events {
			t.told = t.emulate.pass(t.told, &events[i])
		}
		events = t.told
	}
	out := t.buf[:0]
	for i := 0; err == nil && i < len(events); i++ {
		out, err = t.enc.Encode(out, &events[i])
	}
	if err != nil {
		e := AsError(err)
		if s, ok := t.src.(interface{ fail(*Error) }); ok {
			s.fail(e)
		}
		t.src.Close()
		t.err = e
		return nil, t.err
	}
	t.buf = out
	t.frame = Frame{Kind: f.Kind, More: f.More, Usage: f.Usage, Finish: f.Finish, Text: f.Text}
	if t.frame.Kind == FrameEnd {
		t.frame.Kind = FrameOther // the end is the encoder's, and comes after it
	}
	if len(out) > 0 {
		t.frame.Raw = out
	}
	return &t.frame, nil
}

// held is what was held back, as frames.
func (t *translation) held() []byte {
	out := t.buf[:0]
	for _, e := range t.emulate.end(nil) {
		out, _ = t.enc.Encode(out, &e) // text: nothing that could fail
	}
	return out
}

func (t *translation) Stop(why Finish, u Usage) { t.src.Stop(why, u) }
func (t *translation) Close() error             { return t.src.Close() }
