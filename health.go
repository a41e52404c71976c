// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// health is what calls and probes have told of one backend. A time is in
// nanoseconds since the epoch, 0 for never.
type health struct {
	fails     atomic.Int32 // in a row
	lastOK    atomic.Int64
	lastFail  atomic.Int64
	firstFail atomic.Int64 // of those in a row
	nextTrial atomic.Int64 // when one call may try it again
	refused   atomic.Bool  // its last word was that our key is no good
	problem   atomic.Pointer[string]
}

// suspectFails is how many failures in a row make a backend suspect at once,
// before the time for that has passed.
const suspectFails = 3

// trialEvery is how often a backend that is not well is tried by a call: without
// active probes that is the only way back.
const trialEvery = 15 * time.Second

func (h *health) good(now time.Time) {
	h.lastOK.Store(now.UnixNano())
	if h.fails.Load() != 0 || h.refused.Load() {
		h.fails.Store(0)
		h.firstFail.Store(0)
		h.refused.Store(false)
		h.problem.Store(nil)
	}
}

func (h *health) bad(now time.Time, e *Error) {
	at := now.UnixNano()
	if h.fails.Add(1) == 1 {
		h.firstFail.Store(at)
	}
	h.lastFail.Store(at)
	h.nextTrial.Store(now.Add(trialEvery).UnixNano())
	h.refused.Store(e.Kind == ErrUpstreamAuth)
	why := e.Kind.Error()
	if e.Message != "" {
		why += ": " + e.Message
	}
	h.problem.Store(&why)
}

// note takes what a call, or an attempt of one, has shown.
func (h *health) note(now time.Time, e *Error) {
	switch {
	case e == nil:
		h.good(now)
	case e.unhealthy(), e.Kind == ErrUpstreamAuth:
		h.bad(now, e)
	case e.Upstream: // it answered, if only to refuse
		h.good(now)
	}
}

// state follows from what was noted and the time that has passed since.
func (h *health) state(now time.Time, cfg *HealthConfig) State {
	fails := h.fails.Load()
	if fails == 0 {
		if h.lastOK.Load() == 0 {
			return StateUnknown
		}
		return StateOnline
	}
	if h.refused.Load() {
		return StateMisconfigured
	}
	failing := time.Duration(now.UnixNano() - h.firstFail.Load())
	switch {
	case failing >= cfg.Offline:
		return StateOffline
	case failing >= cfg.Suspect, fails >= suspectFails, h.lastOK.Load() == 0:
		return StateSuspect
	}
	return StateOnline
}

// trialDue reports that a call may try a backend that is not well.
func (h *health) trialDue(now time.Time) bool { return now.UnixNano() >= h.nextTrial.Load() }

// claimTrial takes the trial, so that the next calls do not.
func (h *health) claimTrial(now time.Time) { h.nextTrial.Store(now.Add(trialEvery).UnixNano()) }

// status is the backend as [Router.Providers] shows it.
func (b *backend) status(now time.Time, cfg *HealthConfig) ProviderStatus {
	s := ProviderStatus{
		Name: b.Name, Driver: b.Driver, Local: b.Local, BaseURL: b.BaseURL, Discovered: b.discovered, Costs: !b.Local,
		State: b.health.state(now, cfg), InFlight: int(b.inFlight.Load()),
		FirstEvent: b.first.value(), Total: b.total.value(),
	}
	if b.Disabled {
		s.State = StateDisabled
	}
	if l := b.list.Load(); l != nil {
		s.Models = len(l.models)
	}
	if p := b.health.problem.Load(); p != nil {
		s.Problem = *p
	}
	if at := b.health.lastOK.Load(); at != 0 {
		s.LastOK = time.Unix(0, at).UTC()
	}
	if at := b.health.lastFail.Load(); at != 0 {
		s.LastFail = time.Unix(0, at).UTC()
	}
	return s
}

// probeTimeout bounds one probe; a backend that needs longer is not well.
const probeTimeout = 5 * time.Second

// listEvery is how old the model list of a remote may become; that of a local
// engine is read with each probe, for it changes under the user's hands.
const listEvery = 10 * time.Minute

// probe asks a backend how it is, at no cost, and refreshes its list when that
// is due.
func (r *Router) probe(b *backend) {
	ctx, cancel := context.WithTimeout(r.ctx, probeTimeout)
	defer cancel()
	var err error
	heard := false
	list := b.list.Load()
	p, canProbe := b.Doer.(prober)
	if !canProbe || b.Local || list == nil || time.Since(list.at) > listEvery {
		heard, err = r.fetchList(ctx, b)
	}
	if canProbe && err == nil {
		heard, err = true, p.Health(ctx)
	}
	if heard {
		b.health.note(time.Now(), AsError(err))
	}
}

// probeLoop probes every backend that had no good answer within the interval.
func (r *Router) probeLoop(every time.Duration) {
	defer r.loops.Done()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		r.probeAll(every)
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Router) probeAll(every time.Duration) {
	var wait sync.WaitGroup
	for _, b := range r.table.Load().backends {
		fresh := time.Duration(time.Now().UnixNano()-b.health.lastOK.Load()) < every
		if b.Disabled || fresh && b.list.Load() != nil {
			continue
		}
		wait.Go(func() { r.probe(b) })
	}
	wait.Wait()
}
