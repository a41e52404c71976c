// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Finding is one line of what discovery looked for.
type Finding struct {
	Driver  string `json:"driver"`
	BaseURL string `json:"base_url"`
	Local   bool   `json:"local"`
	Found   bool   `json:"found"`
	Why     string `json:"why"`    // why not, or on what ground
	Models  int    `json:"models"` // that it lists
	Costs   bool   `json:"costs"`  // a call may cost money
}

// discovery looks for backends that nobody configured.
type discovery struct {
	local, environment bool
	getenv             func(string) string
	configured         []ProviderConfig
	client             *http.Client

	once  sync.Once
	ready chan struct{} // closed after the first look

	mu       sync.Mutex // one look at a time; guards findings
	findings []Finding
}

func newDiscovery(cfg *Config) *discovery {
	d := &discovery{getenv: cfg.Getenv, configured: cfg.Providers, ready: make(chan struct{})}
	d.local = cfg.Discover.Local != nil && *cfg.Discover.Local
	d.environment = cfg.Discover.Environment != nil && *cfg.Discover.Environment
	if !d.local && !d.environment {
		return nil
	}
	if d.getenv == nil {
		d.getenv = func(string) string { return "" }
	}
	d.client = &http.Client{
		Transport: newTransport(nil, time.Second, true),
		// A fingerprint is what this address says, not what it points at.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return d
}

func (r *Router) discoverLoop(every time.Duration) {
	defer r.loops.Done()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		r.look(r.ctx)
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			return
		}
	}
}

// firstLook waits until discovery has looked once.
func (r *Router) firstLook(ctx context.Context) {
	if r.discovery == nil {
		return
	}
	select {
	case <-r.discovery.ready:
	case <-ctx.Done():
	case <-r.ctx.Done():
	}
}

// Discovered waits for the first look at this machine and its environment and
// tells what the last one found, and why it did not find the rest. It is empty
// where Config.Discover asks for nothing.
func (r *Router) Discovered(ctx context.Context) []Finding {
	r.firstLook(ctx)
	if r.discovery == nil {
		return nil
	}
	r.discovery.mu.Lock()
	defer r.discovery.mu.Unlock()
	return slices.Clone(r.discovery.findings)
}

// look probes once and takes in what is new and lets go of what has left.
func (r *Router) look(ctx context.Context) {
	d := r.discovery
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.once.Do(func() { close(d.ready) })
	spots := d.spots()
	var wait sync.WaitGroup
	for i := range spots {
		if s := &spots[i]; s.Local && s.Why == "" {
			wait.Go(func() { s.probe(ctx, d.client) })
		}
	}
	wait.Wait()
	if ctx.Err() != nil {
		return
	}
	r.takeIn(ctx, spots)
	d.findings = d.findings[:0]
	for _, s := range spots {
		d.findings = append(d.findings, s.Finding)
	}
}

// spot is a place where a backend may be.
type spot struct {
	Finding
	driver Driver
	key    Secret
}

// spots lists where to look, in the order of the drivers' names, local ones
// first.
func (d *discovery) spots() []spot {
	var spots []spot
	for _, driver := range Drivers() {
		if driver.Local && d.local && driver.Probe != nil {
			spots = append(spots, d.localSpot(driver))
		}
	}
	for _, driver := range Drivers() {
		if !driver.Local && d.environment && len(driver.KeyEnv) > 0 {
			spots = append(spots, d.remoteSpot(driver))
		}
	}
	for i := range spots {
		s := &spots[i]
		for _, p := range d.configured {
			if p.Name == s.Driver || s.same(&p) {
				s.Found, s.Why = false, "configured as "+p.Name
			}
		}
	}
	return spots
}

// same reports that a configured provider is what would be found here.
func (s *spot) same(p *ProviderConfig) bool {
	driver, err := driverNamed(or(p.Driver, p.Name))
	return err == nil && driver.Name == s.Driver && plainURL(or(p.BaseURL, driver.BaseURL)) == plainURL(s.BaseURL)
}

// plainURL brings the ways to write one address to one.
func plainURL(base string) string {
	base = strings.TrimSuffix(strings.TrimRight(base, "/"), "/v1")
	return strings.Replace(base, "//localhost", "//127.0.0.1", 1)
}

func (d *discovery) localSpot(driver Driver) spot {
	s := spot{Finding: Finding{Driver: driver.Name, BaseURL: driver.BaseURL, Local: true}, driver: driver}
	for _, name := range driver.URLEnv {
		if v := d.getenv(name); v != "" {
			base, err := hostURL(v, driver.BaseURL)
			if err != nil {
				s.Why = name + ": " + err.Error()
				return s
			}
			s.BaseURL = base
			break
		}
	}
	if !isLoopback(s.BaseURL) {
		s.Why = "not on this machine, so it is not probed; list it under providers"
	}
	return s
}

func (d *discovery) remoteSpot(driver Driver) spot {
	s := spot{Finding: Finding{Driver: driver.Name, BaseURL: driver.BaseURL, Costs: true}, driver: driver}
	for _, name := range driver.KeyEnv {
		if v := d.getenv(name); v != "" {
			s.key, s.Found, s.Why = Secret(v), true, name+" is set"
			break
		}
	}
	if !s.Found {
		s.Why = strings.Join(driver.KeyEnv, " or ") + " is not set"
		return s
	}
	for _, name := range driver.URLEnv {
		if v := d.getenv(name); v != "" {
			if _, err := parseBase(v); err != nil {
				s.Found, s.Why = false, name+": "+err.Error()
				return s
			}
			if isLoopback(v) { // perhaps hoosh itself: clients are told to point there
				s.Found, s.Why = false, name+" is an address of this machine; list it under providers if it is not hoosh's own"
				return s
			}
			s.BaseURL = strings.TrimRight(v, "/")
			break
		}
	}
	return s
}

// probeFor bounds one fingerprint.
const probeFor = 1500 * time.Millisecond

func (s *spot) probe(ctx context.Context, client *http.Client) {
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	if err := s.driver.Probe(ctx, client, s.BaseURL); err != nil {
		s.Why = probeWhy(err)
		return
	}
	s.Found, s.Why = true, "it answers as "+s.Driver
}

// probeWhy shortens what every user sees many times.
func probeWhy(err error) string {
	if strings.Contains(err.Error(), "connection refused") {
		return "nothing listens there"
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return "no answer in time"
	}
	return err.Error()
}

// takeIn makes backends of what was found, keeps those that are there still,
// and closes those that have left.
func (r *Router) takeIn(ctx context.Context, spots []spot) {
	r.mu.Lock()
	var now, fresh, gone []*backend
	for i := range spots {
		s := &spots[i]
		if !s.Found {
			continue
		}
		j := slices.IndexFunc(r.found, func(b *backend) bool { return b.Driver == s.Driver && b.BaseURL == s.BaseURL })
		if j >= 0 {
			now = append(now, r.found[j])
			continue
		}
		b, err := makeBackend(ProviderConfig{Name: s.Driver, Driver: s.Driver, BaseURL: s.BaseURL, Key: s.key})
		if err != nil {
			s.Found, s.Why = false, err.Error()
			continue
		}
		b.discovered = true
		now, fresh = append(now, b), append(fresh, b)
	}
	for _, b := range r.found {
		if !slices.Contains(now, b) {
			// An engine that is busy may miss one look: it leaves when it has
			// also no call under way.
			if b.inFlight.Load() > 0 {
				now = append(now, b)
			} else {
				gone = append(gone, b)
			}
		}
	}
	r.found = now
	r.mu.Unlock()
	if len(fresh)+len(gone) > 0 {
		r.rebuild()
	}
	r.listFound(ctx, fresh, gone)
	for i := range spots {
		for _, b := range now {
			if l := b.list.Load(); l != nil && b.Driver == spots[i].Driver && spots[i].Found {
				spots[i].Models = len(l.models)
			}
		}
	}
}

// listFound reads the lists of what is new, and of local engines again, whose
// models come and go.
func (r *Router) listFound(ctx context.Context, fresh, gone []*backend) {
	for _, b := range gone {
		r.log.Info("a backend has left", "provider", b.Name, "base_url", b.BaseURL)
		if closer, ok := b.Doer.(interface{ Close() error }); ok {
			closer.Close()
		}
	}
	for _, b := range fresh {
		r.log.Info("found a backend", "provider", b.Name, "base_url", b.BaseURL, "local", b.Local)
	}
	r.fetchLists(ctx, listFresh, never)
}

// hostURL makes a base URL of what an environment variable says: a URL, a
// host:port or a host. An address that stands for every interface is reached
// through loopback.
func hostURL(v, base string) (string, error) {
	def, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	if !strings.Contains(v, "://") {
		v = def.Scheme + "://" + v
	}
	u, err := url.Parse(strings.TrimRight(v, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("not a host or URL, without a user or query")
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = def.Port()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	u.Host = net.JoinHostPort(host, port)
	return u.String(), nil
}

// isLoopback reports that a URL names this machine's loopback, without asking
// a name server.
func isLoopback(base string) bool {
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
