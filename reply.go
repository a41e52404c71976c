// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"net/http"
	"time"
)

// Reply is a backend's answer. It belongs to whoever called Do, who must close
// its Stream, if there is one, on every path.
type Reply struct {
	Provider string   // the provider's name
	Issuer   string   // of the signatures in it, see [Signature]; "": Provider
	Model    string   // as the backend knows it
	Route    string   // the rule that led there, for a reader
	Dialect  *Dialect // of Body and Stream
	Header   http.Header
	Body     []byte // nil for a stream
	Stream   Stream // nil for a whole answer
	Usage    Usage  // of a whole answer; a stream's comes with its frames
	Finish   Finish // likewise
	Dropped  []string
	Attempts int
	Waited   time.Duration // for backends, all attempts and backoffs together

	op     Operation
	stops  []string // that the backend could not be told
	schema bool     // a tool stands for the schema that was asked for
	recode bool     // it has vendor's forms in it that a client of its dialect would not know
}

// For is the reply in the dialect of the call's maker: itself when it is in it
// already, or when the call is a typed one.
func (r *Reply) For(c *Call) (*Reply, error) {
	to := c.load.dialect
	if to == nil || to == r.Dialect && r.stops == nil && !r.recode {
		return r, nil
	}
	if r.Dialect == nil || r.Dialect.DecodeFrame == nil || to.NewEncoder == nil || to.EncodeResponse == nil {
		return nil, &Error{Kind: ErrUnsupported, Op: c.Op, Provider: r.Provider, Message: "this answer cannot be translated to " + to.Name}
	}
	t := *r
	t.Issuer = or(r.Issuer, r.Provider)
	if r.Stream != nil {
		t.Stream = &translation{src: r.Stream, from: r.Dialect, enc: to.NewEncoder(c, &t), emulate: newEmulation(r, c)}
		t.Dialect = to
		return &t, nil
	}
	t.Dialect = to
	resp, err := r.Response()
	if err != nil {
		return nil, err
	}
	t.Body, err = to.EncodeResponse(c, resp)
	return &t, err
}

// Response is what a whole answer means. It owns its bytes.
func (r *Reply) Response() (*Response, error) {
	if r.Stream != nil {
		return nil, &Error{Kind: ErrInternal, Op: r.op, Provider: r.Provider, Message: "Response of a reply that streams"}
	}
	resp, err := r.Dialect.DecodeResponse(r.op, r.Body)
	if err != nil {
		return nil, err
	}
	resp.Provider, resp.Took = r.Provider, r.Waited
	resp.signed(or(r.Issuer, r.Provider))
	resp.emulated(r.stops, r.schema)
	switch {
	case resp.Usage.IsZero():
		resp.Usage = r.Usage
	case r.Usage.Source != UsageNone: // it may be hoosh's own estimate
		resp.Usage.Source = min(resp.Usage.Source, r.Usage.Source)
	}
	resp.dialect = r.Dialect
	return resp, nil
}

// signed names who issued the signatures in it.
func (r *Response) signed(issuer string) {
	for i := range r.Choices {
		for j := range r.Choices[i].Message.Parts {
			if s := r.Choices[i].Message.Parts[j].Signature; s != nil && s.Issuer == "" {
				s.Issuer = issuer
			}
		}
	}
}

// Stream is an answer that comes in frames. Next and Stop belong to one
// goroutine; Close may come from any, at any time, and more than once.
type Stream interface {
	// Next gives the next frame, valid until the next call of Next or Stop. The
	// error is [io.EOF] only after the dialect's own end; otherwise it is an
	// [*Error]: cut, stalled, malformed, the backend's own. It is final.
	Next() (*Frame, error)
	// Stop ends the stream early but cleanly: the backend is let go, and Next
	// gives the dialect's own ending with this reason and usage, then io.EOF.
	Stop(why Finish, u Usage)
	// Close lets go of the backend.
	Close() error
}

// FrameKind says what a frame is to the one who counts it.
type FrameKind uint8

// The kinds of frames.
const (
	FrameOther   FrameKind = iota // nothing of the answer: a role, a comment, a ping
	FrameContent                  // a piece of the answer
	FrameUsage                    // usage and nothing else
	FrameEnd                      // the dialect's terminator
)

// Frame is one piece of a stream. It belongs to the stream.
type Frame struct {
	Raw    []byte // as it came, framing included; nil: nothing for this caller, metered all the same
	Event  []byte // name of an SSE event, nil without one
	Data   []byte // the payload within Raw, nil when there is none
	Kind   FrameKind
	More   bool   // another frame is already here: do not flush yet
	Usage  Usage  // what the frame reports, cumulative
	Finish Finish // the reason that the frame gives
	// Signature is one that the frame holds, as it stands between its quotes.
	Signature []byte
	Text      int // bytes of content, as they stand in the JSON
}

// Clone is a copy that owns its bytes.
func (f *Frame) Clone() *Frame {
	g := *f
	g.Raw = bytes.Clone(f.Raw)
	g.Signature = bytes.Clone(f.Signature)
	g.Event = bytes.Clone(f.Event)
	if i := dataOffset(f); i >= 0 {
		g.Data = g.Raw[i : i+len(f.Data)]
	} else {
		g.Data = bytes.Clone(f.Data)
	}
	return &g
}

// dataOffset is where Data lies within Raw, -1 when it lies elsewhere.
func dataOffset(f *Frame) int {
	if len(f.Data) == 0 || len(f.Raw) == 0 {
		return -1
	}
	return bytes.Index(f.Raw, f.Data)
}
