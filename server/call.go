// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

// call serves one operation of a dialect: body in, whole answer or stream out.
func (s *Server) call(d *hoosh.Dialect, op hoosh.Operation) func(*request) {
	return func(q *request) {
		q.dialect = d
		limits := &s.cfg.Limits
		c, err := hoosh.ReadCall(d, op, q.r.Body, q.r.ContentLength, int64(limits.Body), limits.Depth)
		if err != nil {
			q.fail(err)
			return
		}
		defer c.Release()
		c.ID, c.Caller = q.id, q.caller
		if ctx := q.r.Context(); s.log.Enabled(ctx, -4) {
			c.OnEnd(&callLog{q: q, op: op, model: c.Model})
		}
		if c.Stream && op != hoosh.OpEmbed {
			q.stream(c)
			return
		}
		c.Stream = false
		reply, err := s.gateway.Do(q.r.Context(), c)
		if err == nil {
			reply, err = reply.For(c)
		}
		if err != nil {
			q.fail(err)
			return
		}
		q.tell(q.w.Header(), reply, "")
		q.write(http.StatusOK, reply.Body)
	}
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
