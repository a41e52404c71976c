// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
)

// engineUp says whether the fake local engine answers its fingerprint.
var engineUp atomic.Bool

var probed atomic.Pointer[string]

func init() {
	hoosh.Register(hoosh.Driver{
		Name: "fake-engine", Local: true, BaseURL: "http://127.0.0.1:9", URLEnv: []string{"FAKE_HOST"},
		New: func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) { return lists("small"), nil },
		Probe: func(_ context.Context, _ *http.Client, base string) error {
			probed.Store(&base)
			if !engineUp.Load() {
				return errors.New("dial tcp: connect: connection refused")
			}
			return nil
		},
	})
	hoosh.Register(hoosh.Driver{
		Name: "fake-cloud", BaseURL: "https://cloud.example/v1", KeyEnv: []string{"FAKE_KEY", "FAKE_KEY_2"}, URLEnv: []string{"FAKE_URL"},
		New: func(cfg hoosh.ProviderConfig) (hoosh.Doer, error) {
			if cfg.Key != "sk-fake" {
				return nil, errors.New("no key")
			}
			return lists("small", "big"), nil
		},
	})
}

func discovering(t *testing.T, env map[string]string, more ...func(*hoosh.Config)) *hoosh.Router {
	t.Helper()
	cfg := hoosh.Config{
		Discover: hoosh.DiscoverConfig{Local: hoosh.Ptr(true), Environment: hoosh.Ptr(true)},
		Getenv:   func(name string) string { return env[name] },
	}
	for _, f := range more {
		f(&cfg)
	}
	r, err := hoosh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func finding(t *testing.T, r *hoosh.Router, driver string) hoosh.Finding {
	t.Helper()
	for _, f := range r.Discovered(context.Background()) {
		if f.Driver == driver {
			return f
		}
	}
	t.Fatalf("nothing is said of %s", driver)
	return hoosh.Finding{}
}

// TestDiscovery: what runs joins, what stops leaves, and every line says why.
func TestDiscovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engineUp.Store(false)
		r := discovering(t, map[string]string{"FAKE_KEY_2": "sk-fake"})
		if f := finding(t, r, "fake-engine"); f.Found || f.Why != "nothing listens there" || !f.Local || f.Costs {
			t.Errorf("%+v", f)
		}
		if f := finding(t, r, "fake-cloud"); !f.Found || f.Why != "FAKE_KEY_2 is set" || !f.Costs || f.Models != 2 {
			t.Errorf("%+v", f)
		}
		if got := planned(t, r, "small"); got != "model small: fake-cloud=small" {
			t.Error(got)
		}
		engineUp.Store(true)
		time.Sleep(11 * time.Second)
		if f := finding(t, r, "fake-engine"); !f.Found || f.Models != 1 {
			t.Errorf("%+v", f)
		}
		if got := planned(t, r, "small"); got != "model small: fake-engine=small" {
			t.Error("a name that a local engine lists never goes to a remote by itself:", got)
		}
		if got := planned(t, r, "fake-cloud/small"); got != "provider fake-cloud: fake-cloud=small" {
			t.Error(got)
		}
		if got := planned(t, r, "never-listed"); got != "none" {
			t.Error("a discovered remote serves what it lists:", got)
		}
		engineUp.Store(false)
		time.Sleep(10 * time.Second)
		if got := planned(t, r, "small"); got != "model small: fake-cloud=small" {
			t.Error("an engine that stopped has left:", got)
		}
		r.Close()
	})
}

// TestDiscoveryAddresses: nothing off the machine is probed.
func TestDiscoveryAddresses(t *testing.T) {
	engineUp.Store(false)
	for _, tc := range []struct{ env, base, why string }{
		{"", "http://127.0.0.1:9", ""},
		{"0.0.0.0", "http://127.0.0.1:9", ""},
		{"0.0.0.0:1234", "http://127.0.0.1:1234", ""},
		{"localhost:77", "http://localhost:77", ""},
		{":1235", "http://127.0.0.1:1235", ""},
		{"http://bob:secret@127.0.0.1:9", "", "not a host or URL"},
		{"http://[::1]:5/", "http://[::1]:5", ""},
		{"10.1.2.3:9", "", "not on this machine"},
		{"https://engine.example", "", "not on this machine"},
		{"http://:0:0:", "", "not a host or URL"},
	} {
		probed.Store(nil)
		r := discovering(t, map[string]string{"FAKE_HOST": tc.env})
		f := finding(t, r, "fake-engine")
		if tc.why != "" && (!strings.Contains(f.Why, tc.why) || probed.Load() != nil) {
			t.Errorf("%q: %+v", tc.env, f)
		}
		if tc.why == "" && (probed.Load() == nil || *probed.Load() != tc.base) {
			t.Errorf("%q: probed %v, want %s", tc.env, probed.Load(), tc.base)
		}
		r.Close()
	}
	r := discovering(t, nil, func(c *hoosh.Config) {
		c.Providers = []hoosh.ProviderConfig{{Name: "mine", Driver: "fake-engine"}}
	})
	defer r.Close()
	if f := finding(t, r, "fake-engine"); f.Why != "configured as mine" {
		t.Errorf("%+v", f)
	}
}

// TestDiscoveryIsNoLoop: a client's variable that points at this machine, at
// hoosh perhaps, makes no remote.
func TestDiscoveryIsNoLoop(t *testing.T) {
	r := discovering(t, map[string]string{"FAKE_KEY": "sk-fake", "FAKE_URL": "http://localhost:8088/v1"})
	defer r.Close()
	if f := finding(t, r, "fake-cloud"); f.Found || !strings.Contains(f.Why, "this machine") {
		t.Errorf("%+v", f)
	}
}

// TestNothingUnasked: a Router of a plain Config probes nothing and reads no
// environment.
func TestNothingUnasked(t *testing.T) {
	engineUp.Store(true)
	probed.Store(nil)
	r, err := hoosh.New(hoosh.Config{Getenv: func(name string) string { t.Error("read " + name); return "" }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Discovered(context.Background()) != nil || probed.Load() != nil || planned(t, r, "small") != "none" {
		t.Error("it looked around")
	}
	_, err = hoosh.New(hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "x", Driver: "fake-engin"}}})
	if err == nil || !strings.Contains(err.Error(), `did you mean "fake-engine"?`) {
		t.Error(err)
	}
}

// TestAliases: a short name for a model, before anything else is looked at.
func TestAliases(t *testing.T) {
	engineUp.Store(true)
	r, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{{Name: "mine", Driver: "fake-engine"}, {Name: "paid", Driver: "fake-cloud", Key: "sk-fake"}},
		Routes:    []hoosh.Route{{Match: []string{"spread"}, To: []hoosh.Target{{Target: "mine/small"}, {Target: "paid/big"}}}},
		Aliases:   map[string]string{"fast": "mine/small", "small": "paid/big", "both": "spread"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Models(context.Background()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"fast":  "alias fast → provider mine: mine=small",
		"small": "alias small → provider paid: paid=big",
		"both":  "alias both → route spread: mine=small paid=big",
	} {
		if got := planned(t, r, name); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

// TestProbes: a backend without traffic is probed, at no cost, and comes back by
// that.
func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engineUp.Store(true)
		r := discovering(t, nil, func(c *hoosh.Config) { c.Health.Probe = 15 * time.Second })
		r.Discovered(context.Background())
		time.Sleep(20 * time.Second)
		list, _ := r.Providers(context.Background())
		if len(list) != 1 || list[0].State != hoosh.StateOnline || !list[0].Discovered || list[0].LastOK.IsZero() {
			t.Errorf("%+v", list)
		}
		r.Close()
	})
}

// TestConfiguredIsNotDiscovered: what the configuration says of a backend holds,
// whatever the environment has.
func TestConfiguredIsNotDiscovered(t *testing.T) {
	engineUp.Store(true)
	r := discovering(t, map[string]string{"FAKE_KEY": "sk-fake"}, func(c *hoosh.Config) {
		c.Providers = []hoosh.ProviderConfig{
			{Name: "fake-cloud", Key: "sk-fake", Disabled: true},
			{Name: "mine", Driver: "fake-engine", BaseURL: "http://localhost:9/"},
		}
	})
	defer r.Close()
	for _, driver := range []string{"fake-cloud", "fake-engine"} {
		if f := finding(t, r, driver); f.Found || !strings.HasPrefix(f.Why, "configured as") {
			t.Errorf("%+v", f)
		}
	}
	if list, _ := r.Providers(context.Background()); len(list) != 2 {
		t.Errorf("%+v", list)
	}
	if got := planned(t, r, "fake-cloud/big"); got != "provider fake-cloud:" {
		t.Error("a disabled provider serves:", got)
	}
}
