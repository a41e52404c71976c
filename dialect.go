// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"io"
	"net/http"

	"github.com/maccracken/hoosh/internal/framing"
)

// Dialect is a wire format: static, shared, filled by the package that knows
// it. A nil func is something that the format, or its package, does not have.
// The funcs are pure: bytes in, bytes out, safe for concurrent use, and they
// may keep what they are given.
type Dialect struct {
	Name    string  // "openai"
	Framing Framing // of its streams
	// Headers are those of a request that belong to the format, "Anthropic-Version"
	// for one: they go to backends of the same dialect.
	Headers []string

	// ReadEnvelope checks that body is well-formed JSON no deeper than depth (0:
	// the default) and notes what routing needs, in one pass.
	ReadEnvelope func(op Operation, body []byte, depth int, e *Envelope) error
	// Splice notes what must change in the call's own body for p, a profile of
	// the same dialect. The strings name what was dropped.
	Splice func(c *Call, p *Profile, s *Splice) ([]string, error)

	DecodeRequest func(op Operation, body []byte) (*Request, error)
	// EncodeRequest writes q for p, with c's operation, model and stream. The
	// strings name what the format or the vendor cannot say.
	EncodeRequest func(c *Call, q *Request, p *Profile) ([]byte, []string, error)

	// ScanResponse finds the usage and the finish reason of a whole answer, and
	// checks that it is one: an error body under a 200 is an [*Error].
	ScanResponse   func(op Operation, body []byte) (Usage, Finish, error)
	DecodeResponse func(op Operation, body []byte) (*Response, error)
	EncodeResponse func(c *Call, r *Response) ([]byte, error)

	// NewScanner makes the scanner of one stream, of which so many choices were
	// asked for.
	NewScanner func(op Operation, choices int) FrameScanner
	// DecodeFrame appends the events of a frame: none, one or several. It has no
	// state; the events live as long as the frame.
	DecodeFrame func(dst []Event, f *Frame) ([]Event, error)
	// NewEncoder makes the encoder of one stream for c: r is the reply that it
	// translates, in another dialect. Signatures of its events are r's issuer's.
	NewEncoder func(c *Call, r *Reply) FrameEncoder

	// Signatures gives the signatures within a whole answer, unescaped, for hoosh to
	// remember who issued them. Of a stream the scanner notes them in the frames.
	Signatures func(body []byte, yield func(signature []byte))

	// DecodeError reads a backend's answer that is not a success. Kind, Status,
	// Code, Type, Param, Message and RetryAfter are its part.
	DecodeError func(status int, h http.Header, body []byte) *Error
	// EncodeError writes e for a client; the status is e.HTTPStatus.
	EncodeError func(e *Error) []byte
	// StreamError writes e as the last frame of a stream that has begun.
	StreamError func(e *Error) []byte
}

// Framing says how frames are told apart.
type Framing uint8

// The framings.
const (
	FramingSSE    Framing = iota // Server-Sent Events
	FramingNDJSON                // a JSON value a line
)

// ContentType is what a server says of such a stream.
func (f Framing) ContentType() string {
	if f == FramingNDJSON {
		return "application/x-ndjson"
	}
	return "text/event-stream"
}

func (f Framing) reader(r io.Reader, limit int) *framing.Reader {
	if f == FramingNDJSON {
		return framing.NewNDJSON(r, limit)
	}
	return framing.NewSSE(r, limit)
}

// FrameScanner looks at the frames of one stream as they pass. It is hot and
// decodes nothing; it keeps the little that a clean early end needs.
type FrameScanner interface {
	// Scan fills Kind, Usage, Finish and Text from f.Data. The error is an
	// [*Error]: what the backend reports in the stream, or [ErrMalformed].
	Scan(f *Frame) error
	// Complete reports that the dialect's end was seen.
	Complete() bool
	// End writes the frames that end the stream now: the reason, the usage if
	// the caller wants it, the terminator.
	End(dst []byte, why Finish, u Usage, wantsUsage bool) []byte
}

// FrameEncoder writes one stream in a dialect; all numbering and all state of a
// translated stream are in it.
type FrameEncoder interface {
	// Encode appends the frames that e makes, which may be none.
	Encode(dst []byte, e *Event) ([]byte, error)
	// End appends what ends a complete stream.
	End(dst []byte) []byte
}

// Profile is one vendor's way of speaking a dialect. The zero value but for the
// Dialect is the dialect as it is. A provider has a copy of its own; it is
// read-only while calls run.
type Profile struct {
	Dialect *Dialect
	Issuer  string   // of its signatures: the provider's name, unless the driver says that all of this vendor's are one
	Lacks   Features // what no model of this vendor can do

	Rules []Rule // for top-level keys
	// NoStreamOptions: the vendor does not know the switch that asks for usage
	// in a stream (it sends it unasked, or never).
	NoStreamOptions bool
	// NoDeveloper: role developer goes out as system.
	NoDeveloper bool
	// ToolID, where set, makes of a tool-call id the one that the vendor takes.
	// It must give the same for the same.
	ToolID func(id string) string
	// ToolChoiceRequired is the vendor's word for "required", "" the same.
	ToolChoiceRequired string
	// NoSchema are patterns of models that take no JSON Schema for an answer. They
	// are asked by a tool that they must call, or, with SchemaInPrompt, for a JSON
	// object by words.
	NoSchema       []string
	SchemaInPrompt bool
	// Recode are patterns of models whose answers have forms of the vendor's own:
	// they are read and written anew for clients of the same dialect too.
	Recode []string
	// CacheMarks: the vendor takes "cache_control" on parts of a message.
	CacheMarks bool
	// NoThinking: the vendor refuses thinking in a conversation's history.
	NoThinking bool
	// Sealed: the backend is a hoosh too, so sealed signatures go to it as they are.
	Sealed bool
}

// Rule changes one top-level key of a request for a vendor.
type Rule struct {
	Key    string
	Rename string   // the vendor's name for it; "": the key is dropped
	Models []string // patterns; nil: every model
	Keep   string   // a JSON value that may stay under the key, "1" for one
}

// applies reports that the rule concerns this model.
func (r *Rule) applies(model string) bool {
	return r.Models == nil || matchAny(r.Models, model)
}

// RuleFor gives the rule for a key and a model, nil when there is none.
func (p *Profile) RuleFor(key, model string) *Rule {
	for i := range p.Rules {
		if p.Rules[i].Key == key && p.Rules[i].applies(model) {
			return &p.Rules[i]
		}
	}
	return nil
}
