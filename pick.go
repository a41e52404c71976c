// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"time"
)

// verdict is why a candidate may not take a call, verdictGood if it may.
type verdict uint8

const (
	verdictGood verdict = iota
	verdictSuspect
	verdictOffline
	verdictMisconfigured
	verdictDisabled
	verdictGuarded
	verdictForbidden
	verdictLacks
	verdictContext
)

// judge says whether a candidate may take the call now. One that is not well may
// when a trial of it is due.
func (r *Router) judge(c *Call, to *candidate, asked string, now time.Time) verdict {
	b := to.b
	switch {
	case b.Disabled:
		return verdictDisabled
	case to.guarded:
		return verdictGuarded
	case c.Caller.Providers != nil && !matchAny(c.Caller.Providers, b.Name):
		return verdictForbidden
	}
	e := c.Envelope()
	can := b.capabilities(or(to.model, asked))
	if e.Needs&^can.Features&^emulated != 0 {
		return verdictLacks
	}
	if can.Context > 0 && e.Text/maxBytesPerToken > can.Context {
		return verdictContext
	}
	switch b.health.state(now, &r.health) {
	case StateSuspect:
		if !b.health.trialDue(now) {
			return verdictSuspect
		}
	case StateOffline:
		if !b.health.trialDue(now) {
			return verdictOffline
		}
	case StateMisconfigured:
		if !b.health.trialDue(now) {
			return verdictMisconfigured
		}
	}
	return verdictGood
}

// emulated are the features that hoosh has in a backend's stead.
const emulated = FeatureChoices

// maxBytesPerToken is more than a token of text ever has on average: what does
// not fit by this measure does not fit.
const maxBytesPerToken = 12

// why is the verdict for a reader.
func (v verdict) why(c *Call, to *candidate, asked string) string {
	switch v {
	case verdictSuspect:
		return "it failed lately, so it comes after the others"
	case verdictOffline:
		return "it has failed for long; a call tries it now and then"
	case verdictMisconfigured:
		return "it refuses the key that is configured for it"
	case verdictDisabled:
		return "it is disabled in the configuration"
	case verdictGuarded:
		return "it may cost money, and a local engine lists this name; a route, its priority or its models would allow it"
	case verdictForbidden:
		return "the caller's key may not use this provider"
	case verdictLacks:
		can := to.b.capabilities(or(to.model, asked))
		return "the model lacks " + (c.Envelope().Needs &^ can.Features).String()
	case verdictContext:
		return fmt.Sprintf("the prompt cannot fit its context of %d tokens", to.b.capabilities(or(to.model, asked)).Context)
	}
	return ""
}

// picker hands out the candidates of one call in the order in which they are
// to be tried. It lives on the stack.
type picker struct {
	res    *resolution
	stream bool
	good   uint64 // may be tried, a bit each
	poor   uint64 // suspect: after the good
	last   uint64 // offline or misconfigured: only if there is nothing else
	turn   uint32
	now    time.Time
	dry    bool
}

// newPicker judges the candidates but for those in dead. In a dry run nothing
// is claimed and no turn is taken; note, if not nil, is told each verdict.
func (r *Router) newPicker(c *Call, res *resolution, dead uint64, now time.Time, dry bool, note func(int, verdict)) picker {
	p := picker{res: res, stream: c.Stream, now: now, dry: dry}
	for i := range res.rule.to {
		bit := uint64(1) << i
		if dead&bit != 0 {
			continue
		}
		v := r.judge(c, &res.rule.to[i], res.asked, now)
		switch v {
		case verdictGood:
			p.good |= bit
		case verdictSuspect:
			p.poor |= bit
		case verdictOffline, verdictMisconfigured:
			p.last |= bit
		}
		if note != nil {
			note(i, v)
		}
	}
	if p.good|p.poor != 0 {
		p.last = 0
	}
	if res.rule.strategy == StrategyRoundRobin || res.rule.strategy == StrategyLeastBusy {
		if dry {
			p.turn = res.rule.turn.Load()
		} else {
			p.turn = res.rule.turn.Add(1) - 1
		}
	}
	return p
}

// next takes the best of what is left; ok is false when nothing is.
func (p *picker) next() (i int, ok bool) {
	from := &p.good
	if *from == 0 {
		from = &p.poor
	}
	if *from == 0 {
		from = &p.last
	}
	if *from == 0 {
		return 0, false
	}
	i = p.choose(*from)
	*from &^= 1 << i
	if h := &p.res.rule.to[i].b.health; from == &p.good && !p.dry && h.fails.Load() > 0 {
		h.claimTrial(p.now) // somebody else may have had it; then two try
	}
	return i, true
}

// left reports that next would give another.
func (p *picker) left() bool { return p.good|p.poor|p.last != 0 }

func (p *picker) choose(mask uint64) int {
	switch p.res.rule.strategy {
	case StrategyRoundRobin:
		return p.inTurn(mask)
	case StrategyWeighted:
		return p.byWeight(mask)
	case StrategyLowestLatency:
		return bits.TrailingZeros64(p.least(mask, p.latency))
	case StrategyLeastBusy: // equals take turns, or the first would get every lone call
		return p.inTurn(p.least(mask, busy))
	}
	return bits.TrailingZeros64(mask)
}

// latency is what a caller of this kind waits for. A backend that was never
// measured counts as 0, so that it gets measured.
func (p *picker) latency(to *candidate) float64 {
	if p.stream {
		return float64(to.b.first.value())
	}
	return float64(to.b.total.value())
}

func busy(to *candidate) float64 { return float64(to.b.inFlight.Load()) / float64(max(to.weight, 1)) }

// inTurn is the turn-th of the usable ones, so that those between which one is
// missing still share evenly.
func (p *picker) inTurn(mask uint64) int {
	for skip := int(p.turn % uint32(bits.OnesCount64(mask))); skip > 0; skip-- {
		mask &= mask - 1
	}
	return bits.TrailingZeros64(mask)
}

func (p *picker) byWeight(mask uint64) int {
	sum := 0
	for m := mask; m != 0; m &= m - 1 {
		sum += p.res.rule.to[bits.TrailingZeros64(m)].weight
	}
	if sum <= 0 {
		return bits.TrailingZeros64(mask)
	}
	at := rand.IntN(sum)
	for m := mask; ; m &= m - 1 {
		i := bits.TrailingZeros64(m)
		if at -= p.res.rule.to[i].weight; at < 0 {
			return i
		}
	}
}

// least is the mask of the candidates with the smallest measure.
func (p *picker) least(mask uint64, measure func(*candidate) float64) (best uint64) {
	low := 0.0
	for m := mask; m != 0; m &= m - 1 {
		bit := m & -m
		v := measure(&p.res.rule.to[bits.TrailingZeros64(m)])
		switch {
		case best == 0 || v < low:
			best, low = bit, v
		case v == low:
			best |= bit
		}
	}
	return best
}
