// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ConfigProblem is one thing that is wrong with a [Config].
type ConfigProblem struct {
	// Path is where, in the names of hoosh.yaml: "providers[1].base_url",
	// `aliases["fast"]`. It may name a key that is missing.
	Path string
	// Message says what is wrong. Like Want it never holds a secret.
	Message string
	// Want says what would be right; "" where the message says it already.
	Want string
}

// String is "path: message; want what would be right".
func (p ConfigProblem) String() string {
	s := p.Message
	if p.Path != "" {
		s = p.Path + ": " + s
	}
	if p.Want != "" {
		s += "; want " + p.Want
	}
	return s
}

// ConfigError is all that is wrong with a [Config], in the order of its fields.
// It is never empty.
type ConfigError []ConfigProblem

// Error gives the problems, one a line.
func (e *ConfigError) Error() string {
	lines := make([]string, len(*e))
	for i, p := range *e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Validate reports all that is wrong with c as a [*ConfigError], or nil. It
// knows the drivers that are linked in, looks nothing up and connects to nothing.
func (c *Config) Validate() error {
	v := &validation{c: c, providers: map[string]int{}, matches: map[string]int{}, keys: map[string]int{}, digests: map[string]int{}}
	if c.Version != 0 && c.Version != 1 {
		v.add("version", "1", "%d is not a version of this format", c.Version)
	}
	v.server()
	v.duration("discover.every", c.Discover.Every)
	for i := range c.Providers {
		v.provider(i)
	}
	for i := range c.Routes {
		v.route(i)
	}
	v.aliases()
	for i := range c.Keys {
		v.key(i)
	}
	v.health()
	v.oneOf("observe.log.level", c.Observe.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("observe.log.format", c.Observe.Log.Format, "auto", "text", "json")
	if len(v.problems) == 0 {
		return nil
	}
	return &v.problems
}

// Effective is a copy in which every field has the value that counts: what
// [Config.WithDefaults] fills in, and the defaults of each provider, route and
// key, of which some depend on the driver. What stays unset has no value that
// could stand for it: Discover; a provider's Models (what it lists), Trust (by
// its address) and Priority (a remote to which somebody gave one takes over
// names that a local engine lists); a target's Weight (its provider's).
func (c Config) Effective() Config {
	c = c.WithDefaults()
	c.Observe.Log.Level = or(c.Observe.Log.Level, "info")
	c.Observe.Log.Format = or(c.Observe.Log.Format, "auto")
	c.Providers = slices.Clone(c.Providers)
	for i := range c.Providers {
		p := &c.Providers[i]
		p.Driver = or(p.Driver, p.Name)
		d, err := driverNamed(p.Driver)
		if err != nil {
			d = &Driver{}
		}
		p.BaseURL = or(p.BaseURL, d.BaseURL)
		p.Timeouts = p.Timeouts.withDefaults(d.Local)
		if p.Weight == nil {
			p.Weight = Ptr(1)
		}
	}
	c.Routes = slices.Clone(c.Routes)
	for i := range c.Routes {
		c.Routes[i].Strategy = or(c.Routes[i].Strategy, "priority")
		c.Routes[i].OnUnsupported = or(c.Routes[i].OnUnsupported, "drop")
		c.Routes[i].Retry = c.Routes[i].Retry.withDefaults()
	}
	c.Keys = slices.Clone(c.Keys)
	for i := range c.Keys {
		if c.Keys[i].Models == nil {
			c.Keys[i].Models = []string{"*"}
		}
		if c.Keys[i].Providers == nil {
			c.Keys[i].Providers = []string{"*"}
		}
	}
	return c
}

// validation gathers the problems of one Config.
type validation struct {
	c        *Config
	problems ConfigError

	// What has a name of its own, with the index of who had it first.
	providers, matches, keys, digests map[string]int
}

// taken reports whether another had the name before i, and who.
func taken(names map[string]int, name string, i int) (first int, yes bool) {
	if first, yes = names[name]; !yes {
		names[name] = i
	}
	return first, yes
}

func (v *validation) add(path, want, format string, args ...any) {
	v.problems = append(v.problems, ConfigProblem{Path: path, Message: fmt.Sprintf(format, args...), Want: want})
}

func (v *validation) duration(path string, d time.Duration) {
	if d < 0 {
		v.add(path, "", "%v is negative", d)
	}
}

// bound checks a number where it is set.
func bound[T int | Size](v *validation, path string, n, low, high T) {
	if n != 0 && (n < low || n > high) {
		v.add(path, fmt.Sprintf("%v to %v", low, high), "%v is out of range", n)
	}
}

func (v *validation) oneOf(path, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		v.add(path, "one of "+strings.Join(known, ", "), "unknown %q%s", value, Suggest(value, known))
	}
}

// patterns checks a list of which nil means everything. An empty one would read
// as "nothing" and must not become "everything".
func (v *validation) patterns(path string, list []string) {
	if list != nil && len(list) == 0 {
		v.add(path, `patterns, or the key left out for all`, "the list is empty")
	}
	for i, p := range list {
		if p == "" {
			v.add(fmt.Sprintf("%s[%d]", path, i), `a name or a pattern, such as "gpt-*"`, "empty")
		}
	}
}

func (v *validation) server() {
	s := &v.c.Server
	v.listen(s)
	for i, h := range s.Hosts {
		if h == "" || strings.Contains(h, "/") || strings.ContainsFunc(h, unicode.IsSpace) {
			v.add(fmt.Sprintf("server.hosts[%d]", i), "a host name, such as ai.example.net", "%q is not a host name", h)
		}
	}
	for i, o := range s.CORS {
		v.origin(fmt.Sprintf("server.cors[%d]", i), o)
	}
	v.duration("server.keepalive", s.Keepalive)
	v.duration("server.drain", s.Drain)
	bound(v, "server.limits.body", s.Limits.Body, KiB, 4*GiB)
	bound(v, "server.limits.headers", s.Limits.Headers, KiB, 16*MiB)
	bound(v, "server.limits.depth", s.Limits.Depth, 1, 256)
	bound(v, "server.limits.event", s.Limits.Event, KiB, maxAnswer)
	bound(v, "server.limits.streams_per_key", s.Limits.StreamsPerKey, 1, 1_000_000)
}

// listen checks the address, and that nobody is let in from elsewhere without
// having been asked for a key.
func (v *validation) listen(s *ServerConfig) {
	if s.Listen == "" || strings.HasPrefix(s.Listen, "unix:") {
		return
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
		v.add("server.listen", "127.0.0.1:8088, or another host and port", "%q is not host:port", s.Listen)
		return
	}
	addr, err := netip.ParseAddr(host)
	loopback := host == "localhost" || err == nil && addr.IsLoopback()
	if !loopback && len(v.c.Keys) == 0 && !s.Insecure {
		v.add("server.listen", "keys, a loopback address, or server.insecure: true", "%q can be reached from elsewhere and no key is configured", s.Listen)
	}
}

func (v *validation) origin(path, o string) {
	const want = "an origin, such as https://app.example.net"
	if o == "*" {
		if len(v.c.Keys) == 0 && !v.c.Server.Insecure {
			v.add(path, want+", or keys", `"*" lets every web page in and no key is configured`)
		}
		return
	}
	u, err := url.Parse(o)
	if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		v.add(path, want, "%q is not an origin", shownURL(o))
	}
}

func (v *validation) provider(i int) {
	p := &v.c.Providers[i]
	at := func(key string) string { return fmt.Sprintf("providers[%d].%s", i, key) }
	v.providerName(at("name"), i, p.Name)
	switch d, err := driverNamed(or(p.Driver, p.Name)); {
	case err == nil:
		v.base(at("base_url"), *p, d)
	case p.Driver != "":
		v.add(at("driver"), "", "%v", err)
	case p.Name != "":
		v.add(at("name"), "a driver that is linked in, as the name or beside it as driver", "%v", err)
	}
	if strings.ContainsFunc(string(p.Key), unicode.IsControl) {
		v.add(at("key"), "the key alone", "a line break or another control character is in it")
	}
	v.patterns(at("models"), p.Models)
	v.least(at("priority"), p.Priority)
	v.least(at("weight"), p.Weight)
	v.oneOf(at("trust"), p.Trust, "local", "private", "remote")
	v.duration(at("timeouts.connect"), p.Timeouts.Connect)
	v.duration(at("timeouts.first_event"), p.Timeouts.FirstEvent)
	v.duration(at("timeouts.idle"), p.Timeouts.Idle)
	v.duration(at("timeouts.total"), p.Timeouts.Total)
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		v.header(fmt.Sprintf("%s[%q]", at("headers"), name), name, p.Headers[name])
	}
	if p.EventLimit < 0 {
		v.add(at("EventLimit"), "", "%d is negative", p.EventLimit)
	}
}

func (v *validation) providerName(path string, i int, name string) {
	switch {
	case name == "":
		v.add(path, `a name, the prefix in "openai/gpt-4o-mini"`, "missing")
		return
	case strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r == '*' || unicode.IsSpace(r) || unicode.IsControl(r) }):
		v.add(path, "letters, digits, - and _", "%q has a slash, a space or a * in it", name)
	}
	if first, yes := taken(v.providers, name, i); yes {
		v.add(path, "a name of its own", "%q is the name of providers[%d] already", name, first)
	}
}

// base checks the base URL. Whether a driver can do without one only the driver
// knows; making a provider connects to nothing.
func (v *validation) base(path string, p ProviderConfig, d *Driver) {
	raw := or(p.BaseURL, d.BaseURL)
	if raw == "" {
		doer, err := d.New(p)
		if err != nil {
			v.add(path, "the address of the backend, such as http://127.0.0.1:8000/v1", "missing: driver %q has no default", d.Name)
		} else if c, ok := doer.(io.Closer); ok {
			c.Close()
		}
		return
	}
	if _, err := parseBase(raw); err != nil {
		v.add(path, "an http or https URL without user, query and fragment", "%q cannot be used", shownURL(raw))
	}
}

// shownURL is a URL without the parts that may hold a secret.
func shownURL(raw string) string {
	if strings.ContainsFunc(raw, unicode.IsControl) {
		return "…"
	}
	head, rest := "", raw
	if i := strings.LastIndexByte(raw, '@'); i >= 0 {
		head, rest = "…@", raw[i+1:]
		if scheme, _, _ := strings.Cut(raw, "://"); scheme == "http" || scheme == "https" {
			head = scheme + "://…@"
		}
	}
	if i := strings.IndexAny(rest, "?#"); i >= 0 {
		rest = rest[:i] + "…"
	}
	return head + rest
}

// header checks what net/http would refuse later, at each call.
func (v *validation) header(path, name, value string) {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) {
		v.add(path, "a name such as X-Team", "not the name of a header")
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		v.add(path, "one line", "a line break or another control character is in the value")
	}
}

func (v *validation) least(path string, n *int) {
	if n != nil && *n < 0 {
		v.add(path, "0 or more", "%d is negative", *n)
	}
}

func (v *validation) route(i int) {
	r := &v.c.Routes[i]
	at := func(key string) string { return fmt.Sprintf("routes[%d].%s", i, key) }
	if len(r.Match) == 0 {
		v.add(at("match"), `names and patterns, such as "gpt-*"`, "missing")
	}
	for j, m := range r.Match {
		path := fmt.Sprintf("%s[%d]", at("match"), j)
		if m == "" {
			v.add(path, "a name or a pattern", "empty")
		} else if !strings.Contains(m, "*") {
			if first, yes := taken(v.matches, m, i); yes {
				v.add(path, "each name once", "%q is matched by routes[%d] already", m, first)
			}
		}
	}
	if len(r.To) == 0 {
		v.add(at("to"), "provider/model, or provider/* to keep the name asked for", "missing")
	} else if len(r.To) > maxCandidates {
		v.add(at("to"), fmt.Sprintf("%d at most", maxCandidates), "%d targets", len(r.To))
	}
	for j, t := range r.To {
		path := fmt.Sprintf("%s[%d]", at("to"), j)
		v.target(path, t.Target)
		v.least(path+".weight", t.Weight)
	}
	if r.Strategy == "cheapest" {
		v.add(at("strategy"), "", "%q: not in this version", r.Strategy)
	} else {
		v.oneOf(at("strategy"), r.Strategy, Strategies...)
	}
	if n := r.Retry.Attempts; n != nil && (*n < 1 || *n > 10) {
		v.add(at("retry.attempts"), "1 to 10", "%d is out of range", *n)
	}
	v.oneOf(at("on_unsupported"), r.OnUnsupported, "drop", "refuse")
	v.duration(at("retry.backoff"), r.Retry.Backoff)
	v.duration(at("retry.max"), r.Retry.Max)
	v.duration(at("retry.retry_after"), r.Retry.RetryAfter)
	v.duration(at("retry.total"), r.Retry.Total)
}

func (v *validation) target(path, target string) {
	const want = "provider/model, or provider/* to keep the name asked for"
	provider, model, _ := strings.Cut(target, "/")
	switch {
	case target == "":
		v.add(path, want, "empty")
	case provider == "" || model == "":
		v.add(path, want, "%q lacks a provider or a model", target)
	case strings.Contains(provider, "*") || strings.Contains(model, "*") && model != "*":
		v.add(path, want, "%q is a pattern", target)
	case !v.known(provider):
		v.add(path, "the name of a provider before the slash", "no provider of %q is configured%s", target, Suggest(provider, v.names()))
	}
}

// known reports whether a provider of this name is configured, or could be
// discovered. With no provider listed the command turns discovery on unless it
// is off by name, so it may be on then.
func (v *validation) known(name string) bool {
	if slices.ContainsFunc(v.c.Providers, func(p ProviderConfig) bool { return p.Name == name }) {
		return true
	}
	d, err := driverNamed(name)
	return err == nil && d.Name == name && v.discovers() // what is discovered has its driver's name, never an alias of it
}

func (v *validation) discovers() bool {
	may := func(on *bool) bool { return on == nil && len(v.c.Providers) == 0 || on != nil && *on }
	return may(v.c.Discover.Local) || may(v.c.Discover.Environment)
}

func (v *validation) names() []string {
	var names []string
	for _, p := range v.c.Providers {
		names = append(names, p.Name)
	}
	if v.discovers() {
		for _, d := range Drivers() {
			names = append(names, d.Name)
		}
	}
	return names
}

func (v *validation) aliases() {
	for _, name := range slices.Sorted(maps.Keys(v.c.Aliases)) {
		path, target := fmt.Sprintf("aliases[%q]", name), v.c.Aliases[name]
		_, chain := v.c.Aliases[target]
		switch {
		case name == "":
			v.add(path, "a name", "the name is empty")
		case target == "":
			v.add(path, "a model or provider/model", "empty")
		case target == name:
			v.add(path, "a model or provider/model", "%q leads to itself", name)
		case chain:
			v.add(path, "a model or provider/model", "%q leads to another alias, %q", name, target)
		}
	}
}

func (v *validation) key(i int) {
	k := &v.c.Keys[i]
	at := func(key string) string { return fmt.Sprintf("keys[%d].%s", i, key) }
	if k.Name == "" {
		v.add(at("name"), "a name, by which logs call the key", "missing")
	} else if first, yes := taken(v.keys, k.Name, i); yes {
		v.add(at("name"), "a name of its own", "%q is the name of keys[%d] already", k.Name, first)
	}
	v.secret(at, i, k)
	v.patterns(at("models"), k.Models)
	v.patterns(at("providers"), k.Providers)
	for j, p := range k.Providers {
		if p != "" && !strings.Contains(p, "*") && !v.known(p) {
			v.add(fmt.Sprintf("%s[%d]", at("providers"), j), "the name of a provider, or a pattern", "no provider %q is configured%s", p, Suggest(p, v.names()))
		}
	}
}

// secret checks what a caller shows. Two keys with one secret would be one key,
// and which of them a call counts for would be chance.
func (v *validation) secret(at func(string) string, i int, k *KeyConfig) {
	digest, where := strings.ToLower(k.Hash), "hash"
	switch {
	case k.Secret == "" && k.Hash == "":
		v.add(at("secret"), "secret, or hash", "missing")
		return
	case k.Secret != "" && k.Hash != "":
		v.add(at("hash"), "one of secret and hash", "there is a secret too")
		return
	case k.Hash != "" && !validHash(k.Hash):
		v.add(at("hash"), "sha256: and 64 hexadecimal digits", "not a hash")
		return
	case k.Secret == redacted:
		return // a configuration that was shown: it can be read, not served
	case k.Secret != "":
		sum := sha256.Sum256([]byte(k.Secret))
		digest, where = "sha256:"+hex.EncodeToString(sum[:]), "secret"
	}
	if first, yes := taken(v.digests, digest, i); yes {
		v.add(at(where), "a secret of its own", "the same as that of keys[%d]", first)
	}
}

func validHash(h string) bool {
	digits, ok := strings.CutPrefix(h, "sha256:")
	b, err := hex.DecodeString(digits)
	return ok && err == nil && len(b) == sha256.Size
}

func (v *validation) health() {
	h := &v.c.Health
	v.duration("health.probe", h.Probe)
	v.duration("health.suspect", h.Suspect)
	v.duration("health.offline", h.Offline)
	all := v.c.WithDefaults().Health
	if h.Suspect >= 0 && h.Offline >= 0 && all.Suspect >= all.Offline {
		path := "health.suspect"
		if h.Suspect == 0 {
			path = "health.offline"
		}
		v.add(path, "suspect before offline", "a backend would be offline (after %v) before it is suspect (after %v)", all.Offline, all.Suspect)
	}
}
