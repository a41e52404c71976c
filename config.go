// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Config is everything that can be set, as hoosh.yaml has it; package config
// reads one. A zero field means the default in its comment; where zero itself is
// a choice the field is a pointer. It must not change once [New] has it.
type Config struct {
	Version   int               `yaml:"version"` // of this format: 1
	Data      string            `yaml:"data"`    // folder for what outlasts the process; "": memory only
	Server    ServerConfig      `yaml:"server"`
	Discover  DiscoverConfig    `yaml:"discover"`
	Providers []ProviderConfig  `yaml:"providers"`
	Routes    []Route           `yaml:"routes"`
	Aliases   map[string]string `yaml:"aliases"` // name → model or provider/model
	Keys      []KeyConfig       `yaml:"keys"`    // who may call; none: see server
	Health    HealthConfig      `yaml:"health"`
	Observe   ObserveConfig     `yaml:"observe"`

	// Logger is told of what the operator should know; nil: nothing is logged.
	Logger *slog.Logger `yaml:"-"`
	// Getenv looks up the environment for discovery, the [os.Getenv] of a command; nil:
	// the environment is not read.
	Getenv func(string) string `yaml:"-"`
}

// ServerConfig is about the HTTP server; the engine does not look at it.
type ServerConfig struct {
	Listen    string        `yaml:"listen"`    // 127.0.0.1:8088; host:port or unix:PATH
	Hosts     []string      `yaml:"hosts"`     // Host names accepted without a key, besides loopback names
	CORS      []string      `yaml:"cors"`      // origins that may call from a browser
	Insecure  bool          `yaml:"insecure"`  // no key configured: serve any peer, Host and Origin
	Keepalive time.Duration `yaml:"keepalive"` // 15s; comment on a stream that is silent
	Drain     time.Duration `yaml:"drain"`     // 30s; for streams to end after SIGTERM
	Limits    ServerLimits  `yaml:"limits"`
}

// ServerLimits bounds what a client can make the server hold.
type ServerLimits struct {
	Body          Size `yaml:"body"`            // 32MiB
	Headers       Size `yaml:"headers"`         // 64KiB
	Depth         int  `yaml:"depth"`           // 128; nesting of a JSON body, at most 256
	Event         Size `yaml:"event"`           // 4MiB; one event of a stream
	StreamsPerKey int  `yaml:"streams_per_key"` // 512; calls at once of one key
}

// DiscoverConfig says what is looked for besides the providers listed.
type DiscoverConfig struct {
	Local       *bool         `yaml:"local"`       // loopback engines, by fingerprint; nil: no
	Environment *bool         `yaml:"environment"` // a remote for each vendor key; nil: no
	Every       time.Duration `yaml:"every"`       // 10s; how often local engines are looked for again
}

// ProviderConfig is one backend.
type ProviderConfig struct {
	Name     string            `yaml:"name"`     // also the prefix in "openai/gpt-4o-mini"
	Driver   string            `yaml:"driver"`   // the name
	BaseURL  string            `yaml:"base_url"` // the driver's
	Key      Secret            `yaml:"key"`
	Models   []string          `yaml:"models"`   // patterns of what it serves; nil: what it lists
	Priority *int              `yaml:"priority"` // lower is tried first; nil: 0 for local drivers, 100 for remote ones
	Weight   *int              `yaml:"weight"`   // 1
	Trust    string            `yaml:"trust"`    // local | private | remote; "": by the address
	Timeouts Timeouts          `yaml:"timeouts"`
	Headers  map[string]string `yaml:"headers"` // sent on each request
	Disabled bool              `yaml:"disabled"`

	// DialContext replaces the net dialer, for tests over memory and for tunnels.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error) `yaml:"-"`
	// Transport replaces the whole HTTP hop; DialContext is then not used.
	Transport http.RoundTripper `yaml:"-"`
	// EventLimit bounds one event of a stream; 0: 4 MiB.
	EventLimit int `yaml:"-"`
}

// Timeouts bound the phases of an exchange with a backend.
type Timeouts struct {
	Connect    time.Duration `yaml:"connect"`     // 5s
	FirstEvent time.Duration `yaml:"first_event"` // 120s, of a local driver 600s; until the first content, or the head of a whole answer
	Idle       time.Duration `yaml:"idle"`        // 60s; between two reads of a stream
	Total      time.Duration `yaml:"total"`       // 10m, of a local driver with the same default
}

// Route sends models to backends. Exact names come before patterns, and of
// patterns the one with the most literal characters.
type Route struct {
	Match    []string    `yaml:"match"`
	To       []Target    `yaml:"to"`       // in order of preference
	Strategy string      `yaml:"strategy"` // priority | round-robin | lowest-latency | weighted | least-busy; "": priority
	Retry    RetryConfig `yaml:"retry"`
	// OnUnsupported: what becomes of a call that the backend cannot be told wholly:
	// drop | refuse; "": drop, and name what was dropped.
	OnUnsupported string `yaml:"on_unsupported"`
}

// Target is one place a route leads to.
type Target struct {
	Target string `yaml:"target"` // provider/model, or provider/* to keep the name asked for
	Weight *int   `yaml:"weight"` // for strategy weighted; nil: the provider's
}

// RetryConfig says how often and how long a call is tried.
type RetryConfig struct {
	Attempts   *int          `yaml:"attempts"`    // 2; rounds through the backends, the first included
	Backoff    time.Duration `yaml:"backoff"`     // 250ms; before the second round, doubled for each further one, jittered
	Max        time.Duration `yaml:"max"`         // 8s; of a backoff
	RetryAfter time.Duration `yaml:"retry_after"` // 30s; the longest Retry-After that is waited for
	Total      time.Duration `yaml:"total"`       // 10m; no new round after it
}

// KeyConfig is a caller's key. Its secret stands in the file, or only its hash.
type KeyConfig struct {
	Name      string   `yaml:"name"`
	Secret    Secret   `yaml:"secret"`
	Hash      string   `yaml:"hash"`      // sha256:HEX
	Models    []string `yaml:"models"`    // patterns; nil: all
	Providers []string `yaml:"providers"` // patterns; nil: all
}

// HealthConfig says when a backend counts as well.
type HealthConfig struct {
	Probe   time.Duration `yaml:"probe"`   // how often a backend without traffic is probed; 0: never
	Suspect time.Duration `yaml:"suspect"` // 45s of nothing but failures: tried last
	Offline time.Duration `yaml:"offline"` // 2m: not tried, but for a trial now and then
}

// ObserveConfig is about what is written for the operator.
type ObserveConfig struct {
	Log LogConfig `yaml:"log"`
}

// LogConfig is the command's log.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug | info | warn | error; "": info
	Format string `yaml:"format"` // auto | text | json; "": auto: text on a terminal
}

// Secret is a key. It prints as "[redacted]" in every way but a conversion.
type Secret string

const redacted = "[redacted]"

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Redacted reports that this is no secret any more, but what one prints as.
func (s Secret) Redacted() bool { return s == redacted }

// GoString hides the secret.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Size is a number of bytes.
type Size int64

// The units of sizes.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
)

// String is the shortest exact form: "32MiB", "1000".
func (s Size) String() string {
	for _, u := range []struct {
		n    Size
		name string
	}{{GiB, "GiB"}, {MiB, "MiB"}, {KiB, "KiB"}} {
		if s != 0 && s%u.n == 0 {
			return fmt.Sprintf("%d%s", s/u.n, u.name)
		}
	}
	return fmt.Sprintf("%d", int64(s))
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Ptr is a pointer to v, for the fields where zero is a choice.
func Ptr[T any](v T) *T { return &v }

// or is v, or the default if v is zero.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// WithDefaults is a copy in which every zero field of Server, Health and
// Discover has its value.
func (c Config) WithDefaults() Config {
	c.Version = or(c.Version, 1)
	s := &c.Server
	s.Listen = or(s.Listen, "127.0.0.1:8088")
	s.Keepalive = or(s.Keepalive, 15*time.Second)
	s.Drain = or(s.Drain, 30*time.Second)
	s.Limits.Body = or(s.Limits.Body, 32*MiB)
	s.Limits.Headers = or(s.Limits.Headers, 64*KiB)
	s.Limits.Depth = or(s.Limits.Depth, 128)
	s.Limits.Event = or(s.Limits.Event, 4*MiB)
	s.Limits.StreamsPerKey = or(s.Limits.StreamsPerKey, 512)
	c.Discover.Every = or(c.Discover.Every, 10*time.Second)
	c.Health.Suspect = or(c.Health.Suspect, 45*time.Second)
	c.Health.Offline = or(c.Health.Offline, 2*time.Minute)
	return c
}

func (t Timeouts) withDefaults(local bool) Timeouts {
	t.Connect = or(t.Connect, 5*time.Second)
	first := 2 * time.Minute
	if local {
		first = 10 * time.Minute
	}
	t.FirstEvent = or(t.FirstEvent, first)
	t.Idle = or(t.Idle, time.Minute)
	t.Total = or(t.Total, 10*time.Minute)
	return t
}

func (r RetryConfig) withDefaults() RetryConfig {
	if r.Attempts == nil {
		r.Attempts = Ptr(2)
	}
	r.Backoff = or(r.Backoff, 250*time.Millisecond)
	r.Max = or(r.Max, 8*time.Second)
	r.RetryAfter = or(r.RetryAfter, 30*time.Second)
	r.Total = or(r.Total, 10*time.Minute)
	return r
}
