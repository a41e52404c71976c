// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

// call serves one operation of a dialect: body in, whole answer or stream out.
func (s *Server) call(d *hoosh.Dialect, op hoosh.Operation) func(*request) {
	return func(q *request) {
		if c := q.read(d, op); c != nil {
			defer c.Release()
			q.answer(c, nil)
		}
	}
}

// read makes a call of the request's body. It is nil when that was not possible,
// and the client has been told then.
func (q *request) read(d *hoosh.Dialect, op hoosh.Operation) *hoosh.Call {
	q.dialect = d
	limits := &q.s.cfg.Limits
	c, err := hoosh.ReadCall(d, op, q.r.Body, q.r.ContentLength, int64(limits.Body), limits.Depth)
	if err != nil {
		q.fail(err)
		return nil
	}
	q.adopt(c)
	return c
}

// adopt makes c a call of this request.
func (q *request) adopt(c *hoosh.Call) {
	c.ID, c.Caller = q.id, q.caller
	for _, name := range c.Dialect().Headers {
		if v := q.r.Header[name]; len(v) > 0 {
			if c.Header == nil {
				c.Header = http.Header{}
			}
			c.Header[name] = v
		}
	}
}

// form is what a surface does to answers on their way to the client. A nil func
// does nothing.
type form struct {
	whole func(body []byte) []byte
	// frame gives what is sent for a frame. What it gives is valid until the next.
	frame func(f *hoosh.Frame) []byte

	// instead gives what is answered in the place of an error; nil: the error.
	instead func(e *hoosh.Error) []byte
	// failure gives the error that a client is told of before anything was answered.
	failure func(e *hoosh.Error) *hoosh.Error

	contentType string // of a stream, "": the dialect's own; with another one nothing keeps it alive
	end         func() []byte
}

// answer does the call and writes what comes of it; f is nil for an answer as it
// comes.
func (q *request) answer(c *hoosh.Call, f *form) {
	if err := q.may(c); err != nil {
		q.fail(err)
		return
	}
	if ctx := q.r.Context(); q.s.log.Enabled(ctx, slog.LevelDebug) {
		c.OnEnd(&callLog{q: q, op: c.Op, model: c.Model})
	}
	if c.Stream && (c.Op == hoosh.OpChat || c.Op == hoosh.OpCompletion) {
		q.stream(c, f)
		return
	}
	c.Stream = false
	reply, err := q.s.gateway.Do(q.r.Context(), c)
	if err == nil {
		reply, err = reply.For(c)
	}
	if err != nil {
		q.refuse(err, f)
		return
	}
	body := reply.Body
	if f != nil && f.whole != nil {
		body = f.whole(body)
	}
	q.tell(q.w.Header(), reply, "")
	q.write(http.StatusOK, body)
}

// refuse tells of an error, unless the surface has something better to say.
func (q *request) refuse(err error, f *form) {
	e := hoosh.AsError(err)
	if f != nil && f.failure != nil {
		e = f.failure(e)
	}
	if f != nil && f.instead != nil {
		if body := f.instead(e); body != nil {
			q.write(http.StatusOK, body)
			return
		}
	}
	q.fail(e)
}

// may reports what the caller's key does not allow. A Router looks itself; other
// gateways do not know of keys.
func (q *request) may(c *hoosh.Call) error {
	if c.Model != "" && !q.caller.MayAsk(c.Model) {
		return &hoosh.Error{Kind: hoosh.ErrForbidden, Op: c.Op, Param: "model", Model: c.Model, Message: "the caller's key may not ask for this model"}
	}
	if _, ok := q.s.gateway.(*hoosh.Router); !ok && q.caller.Name != "" && q.caller.Providers != nil && !slices.Contains(q.caller.Providers, "*") {
		return &hoosh.Error{Kind: hoosh.ErrForbidden, Op: c.Op, Message: "the caller's key may use some providers only, and this gateway does not let one choose"}
	}
	return nil
}

// tell puts what there is to know of a reply into headers, or trailers where
// prefix is [http.TrailerPrefix].
func (q *request) tell(h http.Header, r *hoosh.Reply, prefix string) {
	overhead := max(0, time.Since(q.start)-r.Waited)
	v := [...]string{headerSafe(r.Provider), headerSafe(r.Model), headerSafe(r.Route), strconv.Itoa(r.Attempts), strconv.FormatInt(overhead.Microseconds(), 10)}
	if prefix == "" {
		h["X-Hoosh-Provider"] = v[0:1:1]
		h["X-Hoosh-Model"] = v[1:2:2]
		h["X-Hoosh-Route"] = v[2:3:3]
		h["X-Hoosh-Attempts"] = v[3:4:4]
		h["X-Hoosh-Overhead-Us"] = v[4:5:5]
	} else {
		for i, name := range toldNames {
			h[prefix+name] = v[i : i+1 : i+1]
		}
	}
	if len(r.Dropped) > 0 {
		h[prefix+"X-Hoosh-Dropped"] = []string{headerSafe(strings.Join(r.Dropped, ", "))}
	}
}

var toldNames = [...]string{"X-Hoosh-Provider", "X-Hoosh-Model", "X-Hoosh-Route", "X-Hoosh-Attempts", "X-Hoosh-Overhead-Us"}

// callLog writes the line of a call that has ended.
type callLog struct {
	q     *request
	op    hoosh.Operation
	model string
}

func (l *callLog) End(o *hoosh.Outcome) {
	l.q.s.log.Debug("call", "request_id", l.q.id, "key", l.q.caller.Name, "op", l.op.String(), "asked", l.model, "provider", o.Provider, "model", o.Model,
		"end", o.End.String(), "finish", o.Finish.String(), "stream", o.Stream, "attempts", o.Attempts,
		"input", o.Usage.Prompt(), "output", o.Usage.Completion(), "usage", o.Usage.Source.String(),
		"first", o.First.Round(time.Microsecond), "total", o.Total.Round(time.Microsecond))
}
