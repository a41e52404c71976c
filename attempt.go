// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"
)

// route is the innermost stage: it tries the candidates of the call's model,
// round by round, until one has answered or trying is of no use.
func (r *Router) route(ctx context.Context, c *Call) (*Reply, error) {
	res, err := r.resolve(ctx, c)
	if err != nil {
		return nil, err
	}
	try := trying{r: r, c: c, res: &res, start: time.Now()}
	for round := 0; ; round++ {
		reply, err := try.round(ctx, round == 0)
		if reply == nil && err == nil && (round+1 >= *res.rule.retry.Attempts || !try.wait(ctx, round)) {
			err = try.failure(ctx)
		}
		if err != nil && c.Op == OpCount && cannotCount(err) {
			return try.estimate(), nil
		}
		if reply != nil || err != nil {
			return reply, err
		}
	}
}

// trying is the state of one call's attempts.
type trying struct {
	r      *Router
	c      *Call
	res    *resolution
	start  time.Time
	dead   uint64        // candidates that said no for good, a bit each
	tried  []*Error      // oldest first
	due    []time.Time   // when those that failed may be tried again; zero: they have not failed
	waited time.Duration // in failed attempts and between rounds
}

// round tries each candidate once, without waiting: another backend that is
// free now is better than the same one later. It gives neither a reply nor an
// error when all have failed and another round may be of use.
func (t *trying) round(ctx context.Context, first bool) (*Reply, error) {
	now := time.Now()
	p := t.r.newPicker(t.c, t.res, t.dead|t.notDue(now), now, false, nil)
	if first && !p.left() {
		err := t.nobody(now)
		if t.c.Op == OpCount && AsError(err).Kind == ErrUnsupported { // none of them counts
			return t.estimate(), nil
		}
		return nil, err
	}
	for {
		i, ok := p.next()
		if !ok {
			return nil, nil
		}
		reply, err := t.r.attempt(ctx, t.c, t.res, &t.res.rule.to[i])
		if err == nil {
			reply.Attempts = len(t.tried) + 1
			reply.Route = t.res.routeName()
			reply.Waited += t.waited
			return reply, nil
		}
		t.tried = append(t.tried, err)
		t.waited = time.Since(t.start)
		switch {
		case err.Final() || ctx.Err() != nil:
			return nil, t.failure(ctx)
		case !err.Retryable() || err.RetryAfter > t.res.rule.retry.RetryAfter:
			t.dead |= 1 << i
		default:
			t.again(i, err.RetryAfter)
		}
	}
}

// estimate is the answer to a count that no candidate can give.
func (t *trying) estimate() *Reply {
	to := &t.res.rule.to[0]
	reply := estimate(t.c, to.b.Name, or(to.model, t.res.asked))
	reply.Route = t.res.routeName()
	return reply
}

// again notes that a candidate may be tried again, after a while if it asked for
// one.
func (t *trying) again(i int, after time.Duration) {
	if t.due == nil {
		t.due = make([]time.Time, len(t.res.rule.to))
	}
	t.due[i] = time.Now().Add(after)
}

// notDue is the mask of those that asked to be left alone for longer.
func (t *trying) notDue(now time.Time) (mask uint64) {
	for i, at := range t.due {
		if at.After(now) {
			mask |= 1 << i
		}
	}
	return mask
}

// wait lets the backoff pass, or the shortest wait that a backend asked for if
// that is longer. It reports whether there is anything to try after it.
func (t *trying) wait(ctx context.Context, round int) bool {
	var first time.Time // when the first of those that may be tried again is due
	for i, at := range t.due {
		if t.dead&(1<<i) == 0 && !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	if first.IsZero() {
		return false
	}
	retry := &t.res.rule.retry
	backoff := min(retry.Backoff<<min(round, 16), retry.Max)
	backoff = backoff/2 + rand.N(backoff/2+1)
	d := max(backoff, time.Until(first))
	if time.Since(t.start)+d > retry.Total {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		t.waited = time.Since(t.start)
		return true
	case <-ctx.Done():
	case <-t.r.ctx.Done():
	}
	return false
}

// failure is the error of the whole call: the last one, with those before it.
func (t *trying) failure(ctx context.Context) error {
	if ctx.Err() != nil {
		e := endOf(ctx)
		e = &Error{Kind: e.Kind, Op: t.c.Op, Model: t.c.Model, Message: e.Message, Err: e.Err, Tried: t.tried}
		return e
	}
	last := t.tried[len(t.tried)-1]
	whole := *last
	whole.Tried = t.tried[:len(t.tried)-1]
	return &whole
}

// nobody is the error when no candidate may even be tried.
func (t *trying) nobody(now time.Time) error {
	e := &Error{Kind: ErrNoProvider, Op: t.c.Op, Model: t.c.Model, Message: "no backend is configured for " + quoteName(t.c.Model)}
	same := true
	var first verdict
	t.r.newPicker(t.c, t.res, 0, now, true, func(i int, v verdict) {
		if i == 0 {
			first = v
			to := &t.res.rule.to[0]
			e.Message = to.b.Name + ": " + v.why(t.c, to, t.res.asked)
		}
		same = same && v == first
	})
	switch {
	case !same:
		e.Message = "none of the backends can take it; the first: " + e.Message
	case first == verdictLacks:
		e.Kind = ErrUnsupported
	case first == verdictForbidden:
		e.Kind = ErrForbidden
	case first == verdictContext:
		e.Kind = ErrContextLength
	}
	return e
}

// attempt sends the call to one backend. Of a stream it reads up to the first
// content, so that an error event after a 200 is still a failed attempt.
func (r *Router) attempt(ctx context.Context, c *Call, res *resolution, to *candidate) (*Reply, *Error) {
	b := to.b
	x := &struct { // together, for they live together
		fork Call
		end  attemptEnd
	}{}
	f, a := &x.fork, &x.end
	f.forkOf(c)
	f.Model = or(to.model, res.asked)
	f.Strict = f.Strict || res.rule.strict
	f.ledger.open = true
	a.b, a.start = b, time.Now()
	b.inFlight.Add(1)
	f.OnEnd(a)
	settled := false
	defer func() {
		if !settled { // a panic
			f.ledger.end(&Outcome{End: EndPanicked})
		}
	}()
	reply, err := b.do(ctx, f)
	if err == nil && f.Strict && len(reply.Dropped) > 0 { // by the provider, beyond what it encoded
		if reply.Stream != nil {
			reply.Stream.Close()
		}
		err = cannotTell(reply.Dropped)
	}
	if err == nil && reply.Stream != nil {
		var s *primed
		if s, err = prime(reply.Stream); err == nil {
			reply.Stream = s
		}
	}
	settled = true
	if err != nil {
		e := AsError(err)
		if e.Provider == "" {
			own := *e
			own.Provider, own.Model, own.Op = b.Name, f.Model, c.Op
			if own.Kind == ErrInternal && own.Err == err { // a plain error of a Doer's
				own.Kind = ErrUpstream
			}
			e = &own
		}
		end := EndFailed
		if ctx.Err() != nil { // not the backend's matter
			end = EndGone
		}
		f.ledger.end(&Outcome{End: end, Err: e})
		return nil, e
	}
	a.first = time.Since(a.start)
	reply.Waited = a.first
	if reply.Provider == "" {
		reply.Provider = b.Name
	}
	reply.op = c.Op
	c.adopt(f)
	return reply, nil
}

// do asks the backend, for each choice by itself if it can give but one.
func (b *backend) do(ctx context.Context, c *Call) (*Reply, error) {
	if c.load.envelope.Choices > 1 && c.Op.streams() && b.capabilities(c.Model).Features&FeatureChoices == 0 {
		return several(ctx, b.Doer, c)
	}
	return b.Doer.Do(ctx, c)
}

// attemptEnd is what an attempt holds of its backend.
type attemptEnd struct {
	b     *backend
	start time.Time
	first time.Duration // until its first content, or its whole answer
}

func (a *attemptEnd) End(o *Outcome) {
	a.b.inFlight.Add(-1)
	now := time.Now()
	switch o.End {
	case EndComplete:
		a.b.health.good(now)
		if o.Stream {
			a.b.first.add(a.first)
		} else {
			a.b.total.add(a.first)
		}
	case EndFailed:
		a.b.health.note(now, o.Err)
	}
}

// primed is a stream of which what came up to the first content was read.
type primed struct {
	Stream
	held []*Frame // copies of what came before it
	cur  *Frame   // the content, still the stream's
}

// maxPrelude bounds what may come before the first content.
const maxPrelude = 4096

func prime(s Stream) (p *primed, err error) {
	defer func() {
		if p == nil { // an error, or a panic
			s.Close()
		}
	}()
	var held []*Frame
	for range maxPrelude {
		f, err := s.Next()
		switch {
		case err == io.EOF:
			return nil, &Error{Kind: ErrMalformed, Message: "the stream ended before it began"}
		case err != nil:
			return nil, err
		case f.Kind == FrameContent, f.Kind == FrameEnd, f.Finish != FinishNone:
			return &primed{Stream: s, held: held, cur: f}, nil
		}
		if f.Raw != nil || f.Usage.Source != UsageNone {
			f = f.Clone()
			f.More = true // what follows is here already
			held = append(held, f)
		}
	}
	return nil, &Error{Kind: ErrMalformed, Message: "the stream has thousands of events and no content"}
}

func (p *primed) Next() (*Frame, error) {
	if len(p.held) > 0 {
		f := p.held[0]
		p.held = p.held[1:]
		return f, nil
	}
	if f := p.cur; f != nil {
		p.cur = nil
		return f, nil
	}
	return p.Stream.Next()
}

func (p *primed) Stop(why Finish, u Usage) {
	p.held, p.cur = nil, nil
	p.Stream.Stop(why, u)
}

// resolve finds where the call's model leads, waiting for what is not known
// yet: the first look for local engines, the first list of a backend.
func (r *Router) resolve(ctx context.Context, c *Call) (resolution, error) {
	if c.Model == "" {
		return resolution{}, &Error{Kind: ErrInvalidRequest, Op: c.Op, Param: "model", Message: "missing; say which model shall answer"}
	}
	if !c.Caller.MayAsk(c.Model) {
		return resolution{}, &Error{Kind: ErrForbidden, Op: c.Op, Param: "model", Model: c.Model, Message: "the caller's key may not ask for this model"}
	}
	res, ok := r.table.Load().resolve(c.Model)
	if !ok {
		res, ok = r.learn(ctx, c.Model)
	}
	if ok {
		return res, nil
	}
	if err := ctx.Err(); err != nil {
		return resolution{}, AsError(err)
	}
	return resolution{}, r.unknownModel(c)
}

func (r *Router) unknownModel(c *Call) error {
	t := r.table.Load()
	e := &Error{Kind: ErrModelNotFound, Op: c.Op, Param: "model", Model: c.Model, Code: "model_not_found"}
	names := make([]string, len(t.models))
	for i := range t.models {
		names[i] = t.models[i].ID
	}
	switch {
	case len(t.backends) == 0:
		e.Message = "no backend has the model " + quoteName(c.Model) + "; none is configured or was found"
	default:
		e.Message = "no backend has the model " + quoteName(c.Model) + Suggest(c.Model, names)
	}
	return e
}

func quoteName(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return `"` + s + `"`
}

var errRouterClosed = errors.New("the router was closed")
