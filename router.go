// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Router is the [Gateway] of this process: it sends each call to one of its
// providers. It is safe for concurrent use; the way of a call takes no lock of
// the Router's.
type Router struct {
	typed
	table  atomic.Pointer[table]
	health HealthConfig
	log    *slog.Logger

	ctx   context.Context // ends with Close
	stop  context.CancelFunc
	loops sync.WaitGroup

	mu         sync.Mutex // the fields below, and who swaps the table
	configured []*backend
	found      []*backend // discovered
	routes     []Route
	aliases    map[string]string

	discovery *discovery // nil: nothing is looked for
	closing   atomic.Bool
	calls     atomic.Int64 // under way
}

// New makes a Router of a configuration, whose drivers must be linked in: import
// hoosh/providers/all, or the ones wanted. It connects to nothing by itself; it
// starts looking for backends and probing them only where Discover and Health
// say so. The error is a [ConfigError] that lists all that is wrong, or what a
// driver says of its provider.
func New(cfg Config) (*Router, error) {
	cfg = cfg.WithDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	var backends []*backend
	for _, p := range cfg.Providers {
		p.EventLimit = or(p.EventLimit, int(cfg.Server.Limits.Event))
		b, err := makeBackend(p)
		if err != nil {
			return nil, fmt.Errorf("hoosh: provider %s: %w", p.Name, err)
		}
		backends = append(backends, b)
	}
	r := newRouter(backends, cfg.Routes, cfg.Aliases, cfg.Health)
	if cfg.Logger != nil {
		r.log = cfg.Logger
	}
	r.discovery = newDiscovery(&cfg)
	r.rebuild()
	if r.discovery != nil {
		r.loops.Add(1)
		go r.discoverLoop(cfg.Discover.Every)
	}
	if cfg.Health.Probe > 0 {
		r.loops.Add(1)
		go r.probeLoop(cfg.Health.Probe)
	}
	return r, nil
}

// NewRouter makes a Router of ready Doers, with no configuration and nothing
// that runs in the background.
func NewRouter(providers []Provider, routes []Route) (*Router, error) {
	var backends []*backend
	seen := map[string]bool{}
	for _, p := range providers {
		if p.Name == "" || p.Doer == nil || seen[p.Name] {
			return nil, fmt.Errorf("hoosh: provider %q needs a Doer and a name of its own", p.Name)
		}
		seen[p.Name] = true
		backends = append(backends, newBackend(p))
	}
	for _, rt := range routes {
		if len(rt.Match) == 0 || len(rt.To) == 0 {
			return nil, errors.New("hoosh: a route needs Match and To")
		}
		if rt.Strategy != "" && !slices.Contains(Strategies, rt.Strategy) {
			return nil, fmt.Errorf("hoosh: unknown strategy %q%s", rt.Strategy, Suggest(rt.Strategy, Strategies))
		}
	}
	r := newRouter(backends, routes, nil, Config{}.WithDefaults().Health)
	r.rebuild()
	return r, nil
}

func newRouter(backends []*backend, routes []Route, aliases map[string]string, health HealthConfig) *Router {
	r := &Router{
		configured: backends, routes: routes, aliases: aliases, health: health,
		log: slog.New(slog.DiscardHandler),
	}
	r.typed.d = r
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r
}

// makeBackend makes a backend through its driver.
func makeBackend(cfg ProviderConfig) (*backend, error) {
	d, err := driverNamed(or(cfg.Driver, cfg.Name))
	if err != nil {
		return nil, err
	}
	doer, err := d.New(cfg)
	if err != nil {
		return nil, err
	}
	// A driver for either kind is local where its address is.
	local := d.Local || d.BaseURL == "" && isLoopback(cfg.BaseURL)
	return newBackend(Provider{
		Name: cfg.Name, Doer: doer, Driver: d.Name, BaseURL: or(cfg.BaseURL, d.BaseURL), Local: local,
		Models: cfg.Models, Priority: cfg.Priority, Weight: cfg.Weight, Disabled: cfg.Disabled,
	}), nil
}

// rebuild swaps in a table of what is known now.
func (r *Router) rebuild() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.Store(newTable(slices.Concat(r.configured, r.found), r.routes, r.aliases))
}

// Do serves a call: the stages, outermost first, are settle and route.
func (r *Router) Do(ctx context.Context, c *Call) (*Reply, error) {
	r.calls.Add(1) // before the look at closing, so that Shutdown misses none
	c.OnEnd((*callCount)(&r.calls))
	return settle(ctx, c, routeStage{r})
}

// callCount counts the calls under way; it is the Ender of each.
type callCount atomic.Int64

func (n *callCount) End(*Outcome) { (*atomic.Int64)(n).Add(-1) }

type routeStage struct{ r *Router }

func (s routeStage) Do(ctx context.Context, c *Call) (*Reply, error) {
	if s.r.closing.Load() {
		return nil, &Error{Kind: ErrNoProvider, Op: c.Op, Message: errRouterClosed.Error(), Err: errRouterClosed}
	}
	return s.r.route(ctx, c)
}

// Plan says where the call would go. It sends nothing, but may wait for a model
// list as Do would.
func (r *Router) Plan(ctx context.Context, c *Call) (*Plan, error) {
	res, err := r.resolve(ctx, c)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Model: c.Model, Route: res.routeName(), Strategy: res.rule.strategy, Needs: c.Envelope().Needs.String()}
	now := time.Now()
	verdicts := make([]verdict, len(res.rule.to))
	p := r.newPicker(c, &res, 0, now, true, func(i int, v verdict) { verdicts[i] = v })
	add := func(i int, tried bool) {
		to := &res.rule.to[i]
		entry := Candidate{Provider: to.b.Name, Model: or(to.model, res.asked), State: to.b.status(now, &r.health).State, Tried: tried}
		entry.Reason = verdicts[i].why(c, to, res.asked)
		if tried && verdicts[i] == verdictGood {
			entry.Reason = reasonTried(res.rule, to)
		}
		plan.Candidates = append(plan.Candidates, entry)
	}
	var done uint64
	for {
		i, ok := p.next()
		if !ok {
			break
		}
		done |= 1 << i
		add(i, true)
	}
	for i := range res.rule.to {
		if done&(1<<i) == 0 {
			add(i, false)
		}
	}
	return plan, nil
}

func reasonTried(r *rule, to *candidate) string {
	switch r.strategy {
	case StrategyRoundRobin:
		return "its turn comes in this order"
	case StrategyWeighted:
		return fmt.Sprintf("by chance, with weight %d", to.weight)
	case StrategyLowestLatency:
		return fmt.Sprintf("first content after %s, whole answers after %s on average", to.b.first.value().Round(time.Millisecond), to.b.total.value().Round(time.Millisecond))
	case StrategyLeastBusy:
		return fmt.Sprintf("%d calls in flight, weight %d", to.b.inFlight.Load(), to.weight)
	case StrategyDirect:
		return "the name asks for this provider"
	}
	where := "remote"
	if to.b.Local {
		where = "local"
	}
	return fmt.Sprintf("%s, priority %d", where, to.b.priority)
}

// Providers tells how each backend is, in the order of the configuration.
func (r *Router) Providers(context.Context) ([]ProviderStatus, error) {
	now := time.Now()
	var list []ProviderStatus
	for _, b := range r.table.Load().backends {
		list = append(list, b.status(now, &r.health))
	}
	return list, nil
}

// Health is nil if there is a backend that is not known to be down.
func (r *Router) Health(ctx context.Context) error {
	list, _ := r.Providers(ctx)
	for _, s := range list {
		if s.State <= StateSuspect {
			return nil
		}
	}
	return &Error{Kind: ErrNoProvider, Message: "no backend is up"}
}

// Shutdown refuses new calls and waits until those under way, streams included,
// have ended or ctx has; then it closes.
func (r *Router) Shutdown(ctx context.Context) error {
	r.closing.Store(true)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for r.calls.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), r.Close())
		}
	}
	return r.Close()
}

// Close stops what runs in the background and closes the providers that have a
// Close, those given to [NewRouter] included: that of a driver's provider ends
// its calls under way. It may be called more than once.
func (r *Router) Close() error {
	r.closing.Store(true)
	r.stop()
	r.loops.Wait()
	if r.discovery != nil {
		r.discovery.client.CloseIdleConnections()
	}
	var errs []error
	for _, b := range r.table.Load().backends {
		if closer, ok := b.Doer.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}

func (*Router) sealed() {}
