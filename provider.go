// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// Provider is one backend of a [Router].
type Provider struct {
	Name     string // unique; also the prefix in "openai/gpt-4o-mini"
	Doer     Doer
	Driver   string   // for a reader
	BaseURL  string   // likewise
	Local    bool     // preferred, and free
	Models   []string // patterns of what it serves; nil: what its Models method lists, and without one everything
	Priority *int     // lower is tried first; nil: 0 when local, else 100
	Weight   *int     // 1
	Disabled bool
}

// backend is a Provider at work: what a Router learns of it.
type backend struct {
	Provider
	priority   int
	weight     int
	discovered bool

	health   health
	inFlight atomic.Int64
	first    average // until the first content of a stream
	total    average // of whole answers

	listing
}

func newBackend(p Provider) *backend {
	b := &backend{Provider: p, weight: 1, listing: listing{busy: make(chan struct{}, 1)}}
	if p.Priority != nil {
		b.priority = *p.Priority
	} else if !p.Local {
		b.priority = 100
	}
	if p.Weight != nil {
		b.weight = *p.Weight
	}
	return b
}

// names are the ids that it lists and may serve, those of its patterns that are
// exact included.
func (b *backend) names(yield func(id string, m *Model) bool) {
	if l := b.list.Load(); l != nil {
		for i := range l.models {
			m := &l.models[i]
			if b.Models == nil || matchAny(b.Models, m.ID) {
				if !yield(m.ID, m) {
					return
				}
			}
		}
	}
	for _, p := range b.Models {
		if literals(p) == len(p) && !yield(p, nil) {
			return
		}
	}
}

// wild reports that it serves names which it need not list.
func (b *backend) wild() bool {
	if b.Models == nil {
		_, lists := b.Doer.(modelLister)
		return !lists
	}
	return slices.ContainsFunc(b.Models, func(p string) bool { return literals(p) != len(p) })
}

// takes reports that it serves, or may serve, the model.
func (b *backend) takes(model string) bool {
	if b.Models != nil {
		return matchAny(b.Models, model)
	}
	l := b.list.Load()
	if l == nil {
		return true
	}
	for i := range l.models {
		if l.models[i].ID == model || slices.Contains(l.models[i].Aliases, model) {
			return true
		}
	}
	return false
}

// capabilities is what the model can do here.
func (b *backend) capabilities(model string) Capabilities {
	if c, ok := b.Doer.(capable); ok {
		return c.Capabilities(model)
	}
	return Capabilities{Features: ^Features(0)}
}

// average is a moving average of durations, 0 before the first: each sample
// moves it by three tenths.
type average struct{ bits atomic.Uint64 }

func (a *average) add(d time.Duration) {
	for {
		old := a.bits.Load()
		v := float64(d)
		if old != 0 {
			v = 0.7*math.Float64frombits(old) + 0.3*v
		}
		if a.bits.CompareAndSwap(old, math.Float64bits(v)) {
			return
		}
	}
}

func (a *average) value() time.Duration { return time.Duration(math.Float64frombits(a.bits.Load())) }
