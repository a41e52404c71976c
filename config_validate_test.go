// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func init() {
	idle := func(ProviderConfig) (Doer, error) { return idleDoer{}, nil }
	Register(Driver{Name: "v-remote", Aliases: []string{"v-alias"}, BaseURL: "https://api.example.com/v1", New: idle})
	Register(Driver{Name: "v-local", Local: true, BaseURL: "http://127.0.0.1:9", New: idle})
	Register(Driver{Name: "v-builtin", Local: true, New: idle})
	Register(Driver{Name: "v-anywhere", New: func(p ProviderConfig) (Doer, error) {
		_, err := parseBase(p.BaseURL)
		return idleDoer{}, err
	}})
}

type idleDoer struct{}

func (idleDoer) Do(context.Context, *Call) (*Reply, error) { return nil, errors.New("idle") }

// validConfig uses every field; each test breaks one thing in it.
func validConfig() *Config {
	return &Config{
		Version: 1,
		Server: ServerConfig{
			Listen: "127.0.0.1:8088", Hosts: []string{"ai.example.net"}, CORS: []string{"https://app.example.net", "*"},
			Keepalive: time.Second, Drain: time.Second,
			Limits: ServerLimits{Body: KiB, Headers: KiB, Depth: 256, Event: KiB, StreamsPerKey: 1},
		},
		Providers: []ProviderConfig{
			{Name: "v-remote", Key: "sk-1", Models: []string{"gpt-*"}, Priority: Ptr(0), Weight: Ptr(0), Trust: "private", Headers: map[string]string{"X-Team": "a"}},
			{Name: "box", Driver: "v-anywhere", BaseURL: "http://10.0.0.1:8000/v1/"},
			{Name: "v-builtin"},
		},
		Routes:  []Route{{Match: []string{"gpt-4o", "gpt-*"}, To: []Target{{Target: "v-remote/gpt-4o"}, {Target: "box/*", Weight: Ptr(2)}}, Strategy: "weighted", Retry: RetryConfig{Attempts: Ptr(1)}}},
		Aliases: map[string]string{"fast": "box/small", "quick": "gpt-4o"},
		Keys: []KeyConfig{
			{Name: "a", Secret: "secret-a", Models: []string{"gpt-*"}, Providers: []string{"v-*", "box"}},
			{Name: "b", Hash: "sha256:" + strings.Repeat("0f", 32)},
		},
		Health:  HealthConfig{Probe: time.Second, Suspect: time.Second, Offline: 2 * time.Second},
		Observe: ObserveConfig{Log: LogConfig{Level: "warn", Format: "json"}},
	}
}

func TestValidateAccepts(t *testing.T) {
	for name, c := range map[string]*Config{
		"nothing":    {},
		"everything": validConfig(),
		"defaults":   Ptr(Config{}.WithDefaults()),
		"effective":  Ptr(validConfig().Effective()),
		"a route to what may be discovered": {
			Routes: []Route{{Match: []string{"*"}, To: []Target{{Target: "v-local/small"}}}},
		},
		"a route to what is discovered": {
			Discover:  DiscoverConfig{Local: Ptr(true)},
			Providers: []ProviderConfig{{Name: "v-remote"}},
			Routes:    []Route{{Match: []string{"*"}, To: []Target{{Target: "v-local/small"}, {Target: "v-remote/*"}}}},
		},
		"open to others, with keys":    {Server: ServerConfig{Listen: ":8088"}, Keys: []KeyConfig{{Name: "a", Secret: "s"}}},
		"open to others, said so":      {Server: ServerConfig{Listen: "0.0.0.0:8088", Insecure: true}},
		"loopback by name, any port":   {Server: ServerConfig{Listen: "localhost:0"}},
		"loopback of IPv6":             {Server: ServerConfig{Listen: "[::1]:8088"}},
		"keys of a shown config":       {Keys: []KeyConfig{{Name: "a", Secret: redacted}, {Name: "b", Secret: redacted}}},
		"a pattern in two routes":      {Routes: []Route{{Match: []string{"g*"}, To: []Target{{Target: "v-local/a"}}}, {Match: []string{"g*"}, To: []Target{{Target: "v-local/b"}}}}},
		"a model id with a slash":      {Routes: []Route{{Match: []string{"x/y"}, To: []Target{{Target: "v-remote/x/y"}}}}},
		"an alias to something listed": {Aliases: map[string]string{"fast": "x/y:z"}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Validate(); err != nil {
				t.Fatalf("refused:\n%v", err)
			}
		})
	}
}

func TestValidateRefuses(t *testing.T) {
	for _, test := range []struct {
		name string
		bad  func(c *Config)
		want string // the lines of the error; a line that ends in … is a beginning
	}{
		{"a version", func(c *Config) { c.Version = 2 }, "version: 2 is not a version of this format; want 1"},

		{"listen without a port", func(c *Config) { c.Server.Listen = "localhost" },
			`server.listen: "localhost" is not host:port; want 127.0.0.1:8088, or another host and port`},
		{"listen on a port too far", func(c *Config) { c.Server.Listen = "127.0.0.1:65536" },
			`server.listen: "127.0.0.1:65536" is not host:port; want 127.0.0.1:8088, or another host and port`},
		{"open to others without keys", func(c *Config) { c.Keys = nil; c.Server.Listen = ":8088"; c.Server.CORS = nil },
			`server.listen: ":8088" can be reached from elsewhere and no key is configured; want keys, a loopback address, or server.insecure: true`},
		{"every origin without keys", func(c *Config) { c.Keys = nil },
			`server.cors[1]: "*" lets every web page in and no key is configured; want an origin, such as https://app.example.net, or keys`},
		{"hosts and origins", func(c *Config) {
			c.Server.Hosts = []string{"http://x", ""}
			c.Server.CORS = []string{"app.example.net", "https://a/b"}
		},
			`server.hosts[0]: "http://x" is not a host name; want a host name, such as ai.example.net
server.hosts[1]: "" is not a host name; want a host name, such as ai.example.net
server.cors[0]: "app.example.net" is not an origin; want an origin, such as https://app.example.net
server.cors[1]: "https://a/b" is not an origin; want an origin, such as https://app.example.net`},
		{"limits", func(c *Config) {
			c.Server.Limits = ServerLimits{Body: 1000, Headers: GiB, Depth: 257, Event: -1, StreamsPerKey: -1}
		},
			`server.limits.body: 1000 is out of range; want 1KiB to 4GiB
server.limits.headers: 1GiB is out of range; want 1KiB to 16MiB
server.limits.depth: 257 is out of range; want 1 to 256
server.limits.event: -1 is out of range; want 1KiB to 256MiB
server.limits.streams_per_key: -1 is out of range; want 1 to 1000000`},
		{"negative durations", func(c *Config) {
			c.Server.Keepalive, c.Server.Drain, c.Discover.Every, c.Providers[0].Timeouts.Idle, c.Routes[0].Retry.Max, c.Health.Probe = -1, -time.Second, -1, -time.Second, -1, -1
		},
			`server.keepalive: -1ns is negative
server.drain: -1s is negative
discover.every: -1ns is negative
providers[0].timeouts.idle: -1s is negative
routes[0].retry.max: -1ns is negative
health.probe: -1ns is negative`},

		{"provider names", func(c *Config) {
			c.Providers = append(c.Providers, ProviderConfig{Driver: "v-remote"}, ProviderConfig{Name: "a/b", Driver: "v-remote"}, ProviderConfig{Name: "box", Driver: "v-remote"})
		},
			`providers[3].name: missing; want a name, the prefix in "openai/gpt-4o-mini"
providers[4].name: "a/b" has a slash, a space or a * in it; want letters, digits, - and _
providers[5].name: "box" is the name of providers[1] already; want a name of its own`},
		{"an unknown driver", func(c *Config) { c.Providers[1].Driver = "v-anywhre" }, `providers[1].driver: unknown driver "v-anywhre"; linked in: …`},
		{"a name that is no driver", func(c *Config) { c.Providers[1].Driver = "" }, `providers[1].name: unknown driver "box"; linked in: …`},
		{"no address", func(c *Config) { c.Providers[1].BaseURL = "" },
			`providers[1].base_url: missing: driver "v-anywhere" has no default; want the address of the backend, such as http://127.0.0.1:8000/v1`},
		{"a wrong address", func(c *Config) { c.Providers[1].BaseURL = "10.0.0.1:8000" },
			`providers[1].base_url: "10.0.0.1:8000" cannot be used; want an http or https URL without user, query and fragment`},
		{"a password in an address", func(c *Config) { c.Providers[1].BaseURL = "https://user:hunter2@10.0.0.1/v1" },
			`providers[1].base_url: "https://…@10.0.0.1/v1" cannot be used; want an http or https URL without user, query and fragment`},
		{"a key in an address", func(c *Config) { c.Providers[1].BaseURL = "https://10.0.0.1/v1?key=hunter2" },
			`providers[1].base_url: "https://10.0.0.1/v1…" cannot be used; want an http or https URL without user, query and fragment`},
		{"the rest of a provider", func(c *Config) {
			c.Providers[0] = ProviderConfig{
				Name: "v-remote", Key: "sk-1\nX: y", Models: []string{}, Priority: Ptr(-1), Weight: Ptr(-2), Trust: "privat", EventLimit: -1,
				Headers: map[string]string{"X Team": "a", "X-Ok": "a\r\nb"},
			}
		},
			`providers[0].key: a line break or another control character is in it; want the key alone
providers[0].models: the list is empty; want patterns, or the key left out for all
providers[0].priority: -1 is negative; want 0 or more
providers[0].weight: -2 is negative; want 0 or more
providers[0].trust: unknown "privat" (did you mean "private"?); want one of local, private, remote
providers[0].headers["X Team"]: not the name of a header; want a name such as X-Team
providers[0].headers["X-Ok"]: a line break or another control character is in the value; want one line
providers[0].EventLimit: -1 is negative`},

		{"an empty route", func(c *Config) { c.Routes[0] = Route{} },
			`routes[0].match: missing; want names and patterns, such as "gpt-*"
routes[0].to: missing; want provider/model, or provider/* to keep the name asked for`},
		{"a route with nothing in its lists", func(c *Config) { c.Routes[0] = Route{Match: []string{""}, To: []Target{{}}} },
			`routes[0].match[0]: empty; want a name or a pattern
routes[0].to[0]: empty; want provider/model, or provider/* to keep the name asked for`},
		{"targets", func(c *Config) {
			c.Routes[0].To = []Target{{Target: "gpt-4o"}, {Target: "box/"}, {Target: "box/gpt-*"}, {Target: "*/x"}, {Target: "bix/x"}, {Target: "v-local/x", Weight: Ptr(-1)}}
		},
			`routes[0].to[0]: "gpt-4o" lacks a provider or a model; want provider/model, or provider/* to keep the name asked for
routes[0].to[1]: "box/" lacks a provider or a model; want provider/model, or provider/* to keep the name asked for
routes[0].to[2]: "box/gpt-*" is a pattern; want provider/model, or provider/* to keep the name asked for
routes[0].to[3]: "*/x" is a pattern; want provider/model, or provider/* to keep the name asked for
routes[0].to[4]: no provider of "bix/x" is configured (did you mean "box"?); want the name of a provider before the slash
routes[0].to[5]: no provider of "v-local/x" is configured; want the name of a provider before the slash
routes[0].to[5].weight: -1 is negative; want 0 or more`},
		{"the alias of a driver, which nothing discovered is called", func(c *Config) {
			c.Discover.Environment = Ptr(true)
			c.Routes[0].To = []Target{{Target: "v-alias/x"}}
		},
			`routes[0].to[0]: no provider of "v-alias/x" is configured; want the name of a provider before the slash`},
		{"too many targets", func(c *Config) { c.Routes[0].To = make65(Target{Target: "box/*"}) }, `routes[0].to: 65 targets; want 64 at most`},
		{"a strategy", func(c *Config) { c.Routes[0].Strategy = "round_robin" },
			`routes[0].strategy: unknown "round_robin" (did you mean "round-robin"?); want one of priority, round-robin, lowest-latency, weighted, least-busy`},
		{"a strategy to come", func(c *Config) { c.Routes[0].Strategy = "cheapest" }, `routes[0].strategy: "cheapest": not in this version`},
		{"attempts", func(c *Config) { c.Routes[0].Retry.Attempts = Ptr(0) }, `routes[0].retry.attempts: 0 is out of range; want 1 to 10`},
		{"a name matched twice", func(c *Config) { c.Routes = append(c.Routes, c.Routes[0]) },
			`routes[1].match[0]: "gpt-4o" is matched by routes[0] already; want each name once`},

		{"aliases", func(c *Config) {
			c.Aliases = map[string]string{"": "x", "a": "", "b": "b", "c": "d", "d": "c"}
		},
			`aliases[""]: the name is empty; want a name
aliases["a"]: empty; want a model or provider/model
aliases["b"]: "b" leads to itself; want a model or provider/model
aliases["c"]: "c" leads to another alias, "d"; want a model or provider/model
aliases["d"]: "d" leads to another alias, "c"; want a model or provider/model`},

		{"keys", func(c *Config) {
			c.Keys = []KeyConfig{
				{}, {Name: "a", Secret: "s", Hash: "sha256:00"}, {Name: "a", Hash: "sha256:00"},
				{Name: "d", Secret: "same"}, {Name: "e", Secret: "same"},
				{Name: "f", Hash: "sha256:0967115F2813A3541EAEF77DE9D9D5773F1C0C04314B0BBFE4FF3B3B1C55B5D5"},
				{Name: "g", Secret: "t", Models: []string{}, Providers: []string{"bx", ""}},
			}
		},
			`keys[0].name: missing; want a name, by which logs call the key
keys[0].secret: missing; want secret, or hash
keys[1].hash: there is a secret too; want one of secret and hash
keys[2].name: "a" is the name of keys[1] already; want a name of its own
keys[2].hash: not a hash; want sha256: and 64 hexadecimal digits
keys[4].secret: the same as that of keys[3]; want a secret of its own
keys[5].hash: the same as that of keys[3]; want a secret of its own
keys[6].models: the list is empty; want patterns, or the key left out for all
keys[6].providers[1]: empty; want a name or a pattern, such as "gpt-*"
keys[6].providers[0]: no provider "bx" is configured (did you mean "box"?); want the name of a provider, or a pattern`},

		{"health", func(c *Config) { c.Health = HealthConfig{Suspect: time.Minute, Offline: time.Minute} },
			`health.suspect: a backend would be offline (after 1m0s) before it is suspect (after 1m0s); want suspect before offline`},
		{"health against a default", func(c *Config) { c.Health = HealthConfig{Offline: 30 * time.Second} },
			`health.offline: a backend would be offline (after 30s) before it is suspect (after 45s); want suspect before offline`},
		{"the log", func(c *Config) { c.Observe.Log = LogConfig{Level: "warning", Format: "JSON"} },
			`observe.log.level: unknown "warning"; want one of debug, info, warn, error
observe.log.format: unknown "JSON" (did you mean "json"?); want one of auto, text, json`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := validConfig()
			test.bad(c)
			err := c.Validate()
			var list *ConfigError
			if !errors.As(err, &list) {
				t.Fatalf("want a *ConfigError, got %v", err)
			}
			got, want := strings.Split(err.Error(), "\n"), strings.Split(test.want, "\n")
			same := len(got) == len(want) && len(got) == len(*list)
			for i := 0; same && i < len(got); i++ {
				start, open := strings.CutSuffix(want[i], "…")
				same = got[i] == want[i] || open && strings.HasPrefix(got[i], start)
			}
			if !same {
				t.Errorf("got:\n%s\nwant:\n%s", err, test.want)
			}
			for _, secret := range []string{"sk-1", "secret-a", "hunter2", "same\""} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the secret %q is in the error", secret)
				}
			}
		})
	}
}

func make65(t Target) []Target {
	list := make([]Target, 65)
	for i := range list {
		list[i] = t
	}
	return list
}

func TestEffective(t *testing.T) {
	c := Config{
		Providers: []ProviderConfig{{Name: "v-remote"}, {Name: "box", Driver: "v-local", BaseURL: "http://10.0.0.1", Timeouts: Timeouts{Total: time.Hour}}},
		Routes:    []Route{{Retry: RetryConfig{Attempts: Ptr(5)}}},
		Keys:      []KeyConfig{{Name: "a"}},
	}
	got := c.Effective()
	want := Config{}.WithDefaults()
	want.Observe.Log = LogConfig{Level: "info", Format: "auto"}
	want.Providers = []ProviderConfig{
		{Name: "v-remote", Driver: "v-remote", BaseURL: "https://api.example.com/v1", Weight: Ptr(1),
			Timeouts: Timeouts{Connect: 5 * time.Second, FirstEvent: 2 * time.Minute, Idle: time.Minute, Total: 10 * time.Minute}},
		{Name: "box", Driver: "v-local", BaseURL: "http://10.0.0.1", Weight: Ptr(1),
			Timeouts: Timeouts{Connect: 5 * time.Second, FirstEvent: 10 * time.Minute, Idle: time.Minute, Total: time.Hour}},
	}
	want.Routes = []Route{{Strategy: "priority", OnUnsupported: "drop", Retry: RetryConfig{Attempts: Ptr(5), Backoff: 250 * time.Millisecond, Max: 8 * time.Second, RetryAfter: 30 * time.Second, Total: 10 * time.Minute}}}
	want.Keys = []KeyConfig{{Name: "a", Models: []string{"*"}, Providers: []string{"*"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if c.Providers[0].Driver != "" || c.Routes[0].Strategy != "" || c.Keys[0].Models != nil {
		t.Error("the original was changed")
	}
}
