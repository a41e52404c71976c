// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
)

// roundTrip checks that what Show writes reads as the same configuration, its
// secrets apart.
func roundTrip(t *testing.T, c *hoosh.Config) {
	t.Helper()
	shown, err := Show(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse("shown", shown, nil)
	if err != nil {
		t.Fatalf("%v\nof:\n%s", err, shown)
	}
	got, want := again.Effective(), c.Effective()
	redact(&want)
	normal(&got)
	normal(&want)
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("shown:\n%s\ngot  %+v\nwant %+v", shown, got, want)
	}
}

func redact(c *hoosh.Config) {
	for i := range c.Providers {
		p := &c.Providers[i]
		if p.Key != "" {
			p.Key = redacted
		}
		hidden := map[string]string{}
		for name := range p.Headers {
			hidden[name] = redacted
		}
		p.Headers = hidden
	}
	for i := range c.Keys {
		if c.Keys[i].Secret != "" {
			c.Keys[i].Secret = redacted
		}
	}
}

// normal takes away the difference between nothing and empty where it means
// nothing.
func normal(c *hoosh.Config) {
	c.Server.Hosts = slices.Concat([]string{}, c.Server.Hosts)
	c.Server.CORS = slices.Concat([]string{}, c.Server.CORS)
	c.Providers = slices.Concat([]hoosh.ProviderConfig{}, c.Providers)
	c.Routes = slices.Concat([]hoosh.Route{}, c.Routes)
	c.Keys = slices.Concat([]hoosh.KeyConfig{}, c.Keys)
	if c.Aliases == nil {
		c.Aliases = map[string]string{}
	}
	for i := range c.Providers {
		if c.Providers[i].Headers == nil {
			c.Providers[i].Headers = map[string]string{}
		}
	}
}

func TestShowRoundTrip(t *testing.T) {
	odd := []string{"*", "a b", "#", "- x", "x: y", "x:", "true", "No", "null", "12", "1e3", "0x1F", "~", "'", `"`, `\`, "$", "$$", "${A}", "{", "[", "&a", "*a", "!t", "|", ">", "%", "@", "`", "é – 次 😀", "a\tb", "a\nb", " a ", "\u0085\u2028\ufeff", "2026-01-01", "12:30", ".inf", "=", "<<", "a#b", "a #b"}
	c := hoosh.Config{
		Data: "./data",
		Server: hoosh.ServerConfig{
			Listen: "0.0.0.0:80", Insecure: true, Hosts: []string{"a.example"}, CORS: []string{"https://a.example"}, Drain: 90 * 24 * time.Hour,
			Limits: hoosh.ServerLimits{Body: 12345, Headers: 3 * hoosh.KiB},
		},
		Discover: hoosh.DiscoverConfig{Local: hoosh.Ptr(true)},
		Providers: []hoosh.ProviderConfig{
			{Name: "openai", Key: "secret", Models: odd, Priority: hoosh.Ptr(0), Weight: hoosh.Ptr(0), Headers: map[string]string{"B": "b", "A": "a"}, Disabled: true},
			{Name: "${box}", Driver: "compat", BaseURL: "http://10.0.0.1:1/v1", Trust: "private", Timeouts: hoosh.Timeouts{Idle: 1500 * time.Millisecond}},
			{Name: "ollama"},
		},
		Routes: []hoosh.Route{
			{Match: odd, To: []hoosh.Target{{Target: "openai/*"}, {Target: "${box}/a", Weight: hoosh.Ptr(3)}}, Strategy: "weighted", Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}},
			{Match: []string{"x"}, To: []hoosh.Target{{Target: "openai/x", Weight: hoosh.Ptr(0)}}},
		},
		Aliases: map[string]string{},
		Keys: []hoosh.KeyConfig{
			{Name: "a", Secret: "secret", Providers: []string{"open*"}},
			{Name: "b", Hash: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Models: []string{"x"}},
			{Name: "c", Secret: "secret of c"},
		},
		Health: hoosh.HealthConfig{Probe: time.Second},
	}
	for _, name := range odd {
		c.Aliases["alias "+name] = "openai/" + name
	}
	roundTrip(t, &c)
	roundTrip(t, &hoosh.Config{})
	if shown, _ := Show(&c); strings.Contains(string(shown), "secret\n") || strings.Contains(string(shown), "secret of c") {
		t.Errorf("a secret is shown:\n%s", shown)
	}
	if shown, err := Show(&hoosh.Config{Data: "\xff"}); err == nil {
		t.Errorf("bytes that are no text are shown: %q", shown)
	}
}

// TestShow shows what a short file comes to.
func TestShow(t *testing.T) {
	cfg, err := Parse("x", []byte(`
providers:
  - {name: ollama}
  - {name: openai, key: secret, headers: {X-Team: a}, base_url: "https://proxy.example/v1"}
routes:
  - match: ["*"]
    to: [ollama/*, {target: openai/gpt-4o, weight: 2}]
keys:
  - {name: a, secret: secret}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Show(cfg)
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/show.want"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A base URL with a password cannot be loaded, but a Config made in Go may be
// shown before anybody looked at it.
func TestShowHidesPasswordsInURLs(t *testing.T) {
	for _, raw := range []string{"https://u:hunter2@h/v1", "https://h/v1?key=hunter2", "https://h/#hunter2", "u:hunter2@h", "http://u:hunter2%zz@h"} {
		shown, err := Show(&hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "a", BaseURL: raw}}})
		if err != nil || strings.Contains(string(shown), "hunter2") {
			t.Errorf("%s: %v\n%s", raw, err, shown)
		}
	}
}
