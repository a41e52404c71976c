// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// The strategies by which a route orders its candidates.
const (
	StrategyPriority      = "priority"       // the order of the route, or of the providers' priorities
	StrategyRoundRobin    = "round-robin"    // in turn
	StrategyLowestLatency = "lowest-latency" // by the moving average of what was measured
	StrategyWeighted      = "weighted"       // by chance, in proportion to the weights
	StrategyLeastBusy     = "least-busy"     // by calls in flight over weight
	StrategyDirect        = "direct"         // the one that the caller named
)

// Strategies are those that a [Route] may have.
var Strategies = []string{StrategyPriority, StrategyRoundRobin, StrategyLowestLatency, StrategyWeighted, StrategyLeastBusy}

// rule is where a name leads: what a route, an alias or a list makes of it.
type rule struct {
	name     string // for a reader: "route gpt-*"
	strategy string
	retry    RetryConfig
	strict   bool // on_unsupported: refuse
	to       []candidate
	turn     atomic.Uint32 // of round-robin
}

// candidate is one backend a rule leads to.
type candidate struct {
	b       *backend
	model   string // as the backend knows it; "": as asked
	weight  int
	guarded bool // remote, while a local engine lists the name and nobody ranked the remote
}

// table is the routing state: immutable, swapped whole.
type table struct {
	backends []*backend
	byName   map[string]*rule // "direct" rules, by provider
	aliases  map[string]string
	exact    map[string]*rule
	patterns []patternRule // most literal characters first, then in file order
	listed   map[string]*rule
	wild     []*backend // serve names that they do not list
	models   []Model    // what Models answers
}

type patternRule struct {
	pattern string
	rule    *rule
}

// maxCandidates is the most that one rule may have: a bit each in a mask.
const maxCandidates = 64

func newTable(backends []*backend, routes []Route, aliases map[string]string) *table {
	t := &table{backends: backends, aliases: aliases, byName: map[string]*rule{}, exact: map[string]*rule{}, listed: map[string]*rule{}}
	for _, b := range backends {
		t.byName[b.Name] = &rule{
			name: "provider " + b.Name, strategy: StrategyDirect, retry: RetryConfig{}.withDefaults(),
			to: []candidate{{b: b, weight: b.weight}},
		}
		if b.wild() {
			t.wild = append(t.wild, b)
		}
	}
	for i := range routes {
		t.addRoute(&routes[i])
	}
	slices.SortStableFunc(t.patterns, func(a, b patternRule) int {
		return cmp.Compare(literals(b.pattern), literals(a.pattern))
	})
	t.addLists()
	t.models = t.catalogue()
	return t
}

func (t *table) addRoute(r *Route) {
	to := &rule{strategy: or(r.Strategy, StrategyPriority), retry: r.Retry.withDefaults(), strict: r.OnUnsupported == "refuse"}
	for _, target := range r.To {
		name, model, _ := strings.Cut(target.Target, "/")
		direct := t.byName[name]
		if direct == nil || len(to.to) == maxCandidates {
			continue // a discovered backend that is not there now
		}
		if model == "*" {
			model = ""
		}
		c := candidate{b: direct.to[0].b, model: model, weight: direct.to[0].weight}
		if target.Weight != nil {
			c.weight = *target.Weight
		}
		to.to = append(to.to, c)
	}
	to.name = "route " + strings.Join(r.Match, ", ")
	for _, m := range r.Match {
		if literals(m) == len(m) {
			t.exact[m] = to
		} else {
			t.patterns = append(t.patterns, patternRule{m, to})
		}
	}
}

// addLists makes a rule of every id that backends list.
func (t *table) addLists() {
	add := func(id string, b *backend) {
		r := t.listed[id]
		if r == nil {
			r = &rule{name: "model " + id, strategy: StrategyPriority, retry: RetryConfig{}.withDefaults()}
			t.listed[id] = r
		}
		if len(r.to) < maxCandidates && !slices.ContainsFunc(r.to, func(c candidate) bool { return c.b == b }) {
			r.to = append(r.to, candidate{b: b, weight: b.weight})
		}
	}
	for _, b := range t.backends {
		if b.Disabled {
			continue
		}
		for id, m := range b.names {
			add(id, b)
			if m != nil {
				for _, alias := range m.Aliases {
					add(alias, b)
				}
			}
		}
	}
	for id, r := range t.listed {
		for _, b := range t.wild {
			if b.takes(id) && !b.Disabled {
				add(id, b)
			}
		}
		r.rank()
	}
}

// rank orders the candidates of a listed name: local ones first unless
// priorities say otherwise.
func (r *rule) rank() {
	slices.SortStableFunc(r.to, func(a, b candidate) int { return cmp.Compare(a.b.priority, b.b.priority) })
	local := slices.ContainsFunc(r.to, func(c candidate) bool { return c.b.Local })
	for i := range r.to {
		b := r.to[i].b
		r.to[i].guarded = local && !b.Local && b.Priority == nil && b.Models == nil
	}
}

// resolution is where one name leads now.
type resolution struct {
	rule  *rule
	asked string // the name that a candidate without a model of its own gets
	alias string // the alias that led here
}

// resolve finds the rule for a name: alias; exact route; a provider's name
// before the first slash, if that provider takes the rest; the whole name as
// listed; route patterns; what providers serve by pattern.
func (t *table) resolve(name string) (resolution, bool) {
	alias := ""
	if to, ok := t.aliases[name]; ok {
		name, alias = to, name
	}
	if r := t.exact[name]; r != nil {
		return resolution{r, name, alias}, true
	}
	if i := strings.IndexByte(name, '/'); i > 0 {
		if r := t.byName[name[:i]]; r != nil && r.to[0].b.takes(name[i+1:]) {
			return resolution{r, name[i+1:], alias}, true
		}
	}
	if r := t.listed[name]; r != nil {
		return resolution{r, name, alias}, true
	}
	for i := range t.patterns {
		if match(t.patterns[i].pattern, name) {
			return resolution{t.patterns[i].rule, name, alias}, true
		}
	}
	return t.resolveWild(name, alias)
}

func (t *table) resolveWild(name, alias string) (resolution, bool) {
	var r *rule
	for _, b := range t.wild {
		if b.Disabled || b.discovered || !b.takes(name) || name == "" {
			continue
		}
		if r == nil {
			r = &rule{name: "provider patterns", strategy: StrategyPriority, retry: RetryConfig{}.withDefaults()}
		}
		if len(r.to) < maxCandidates {
			r.to = append(r.to, candidate{b: b, weight: b.weight})
		}
	}
	if r == nil {
		return resolution{}, false
	}
	r.rank()
	return resolution{r, name, alias}, true
}

// routeName says by which rule a name was resolved, for a reader.
func (r *resolution) routeName() string {
	if r.alias == "" {
		return r.rule.name
	}
	return fmt.Sprintf("alias %s → %s", r.alias, r.rule.name)
}

// catalogue is every name that can be asked for: each listed id once, and as
// provider/id where the bare id would not reach that provider.
func (t *table) catalogue() []Model {
	byID := map[string]Model{}
	for _, b := range t.backends {
		if b.Disabled {
			continue
		}
		for id, m := range b.names {
			entry := Model{ID: id, Provider: b.Name, Capabilities: b.capabilities(id)}
			if m != nil {
				entry.Aliases, entry.Created, entry.Capabilities = m.Aliases, m.Created, m.Capabilities
			}
			if !t.reaches(id, b) {
				entry.ID = b.Name + "/" + id
			} else if first := t.listed[id].to[0].b; first != b {
				continue
			}
			byID[entry.ID] = entry
		}
	}
	for name, r := range t.exact {
		if len(r.to) > 0 {
			byID[name] = Model{ID: name, Provider: r.to[0].b.Name, Capabilities: r.to[0].b.capabilities(or(r.to[0].model, name))}
		}
	}
	for name := range t.aliases {
		if r, ok := t.resolve(name); ok && len(r.rule.to) > 0 {
			c := r.rule.to[0]
			byID[name] = Model{ID: name, Provider: c.b.Name, Capabilities: c.b.capabilities(or(c.model, r.asked))}
		}
	}
	models := make([]Model, 0, len(byID))
	for _, m := range byID {
		models = append(models, m)
	}
	slices.SortFunc(models, func(a, b Model) int { return strings.Compare(a.ID, b.ID) })
	return models
}

// reaches reports that asking for id may end at b, and that b is asked for id.
func (t *table) reaches(id string, b *backend) bool {
	r, ok := t.resolve(id)
	return ok && r.rule == t.listed[id] && slices.ContainsFunc(r.rule.to, func(c candidate) bool { return c.b == b && !c.guarded })
}
