// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/hooshtest"
	_ "github.com/maccracken/hoosh/providers/echo"
	_ "github.com/maccracken/hoosh/providers/hoosh"
	"github.com/maccracken/hoosh/server"
)

func ask(model string) *hoosh.Request {
	return &hoosh.Request{Model: model, Messages: []hoosh.Message{hoosh.User("Hello")}}
}

// far is the other hoosh.
func far(t *testing.T, keys ...hoosh.KeyConfig) *hooshtest.Listener {
	t.Helper()
	cfg := hoosh.Config{Providers: []hoosh.ProviderConfig{{Name: "echo", Models: []string{"echo*"}}}, Keys: keys}
	r, err := hoosh.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return hooshtest.Serve(t, server.Handler(r, server.Config(cfg)))
}

// near is a hoosh whose backends are the other one and an echo of its own.
func near(t *testing.T, ln *hooshtest.Listener, key hoosh.Secret) *hoosh.Router {
	t.Helper()
	r, err := hoosh.New(hoosh.Config{
		Providers: []hoosh.ProviderConfig{
			{Name: "office", Driver: "hoosh", BaseURL: "http://localhost", Key: key, DialContext: ln.DialContext},
			{Name: "own", Driver: "echo", Models: []string{"spare", "echo"}},
		},
		Routes: []hoosh.Route{{Match: []string{"try-*", "echo-len:9", "echo-fault:40*"}, To: []hoosh.Target{{Target: "office/*"}, {Target: "own/echo"}}, Retry: hoosh.RetryConfig{Attempts: hoosh.Ptr(1)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestThroughAnotherHoosh(t *testing.T) {
	ctx := context.Background()
	r := near(t, far(t), "")
	models, err := r.Models(ctx)
	if err != nil || !slices.ContainsFunc(models, func(m hoosh.Model) bool { return m.ID == "echo-embed" && m.Features == hoosh.FeatureEmbed }) {
		t.Fatalf("%+v, %v", models, err)
	}
	resp, err := r.Infer(ctx, ask("office/echo"))
	if err != nil || resp.Provider != "office" || resp.Text() != "echo: no model was asked; you said: Hello" {
		t.Errorf("%+v, %v", resp, err)
	}
	s, err := r.Stream(ctx, ask("echo-len:1000"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if resp, err = s.Response(); err != nil || resp.Provider != "office" || resp.Usage.Output != 1000 {
		t.Errorf("%+v, %v", resp, err)
	}
	if err := r.Health(ctx); err != nil {
		t.Error(err)
	}
}

// TestAsOneBackend: what the other hoosh refuses is no end of the call here.
func TestAsOneBackend(t *testing.T) {
	ctx := context.Background()
	keys := []hoosh.KeyConfig{{Name: "k", Secret: "right-key-0123456789", Models: []string{"echo*"}}}
	for _, tc := range []struct {
		keys  []hoosh.KeyConfig // over there
		key   hoosh.Secret
		model string
		state hoosh.State
	}{
		{keys, "", "echo-len:9", hoosh.StateMisconfigured},
		{keys, "wrong-key-0123456789", "echo-len:9", hoosh.StateMisconfigured},
		{keys, "right-key-0123456789", "try-this", hoosh.StateOnline}, // it may not ask for that one
		{nil, "", "try-this", hoosh.StateOnline},                      // which is not there
		{nil, "", "echo-fault:401", hoosh.StateOnline},                // nor is that one's key ours
		{nil, "", "echo-fault:402", hoosh.StateOnline},
	} {
		r := near(t, far(t, tc.keys...), tc.key)
		resp, err := r.Infer(ctx, ask(tc.model))
		if err != nil || resp.Provider != "own" {
			t.Errorf("%s with key %q: %+v, %v", tc.model, string(tc.key), resp, err)
		}
		list, _ := r.Providers(ctx)
		if i := slices.IndexFunc(list, func(s hoosh.ProviderStatus) bool { return s.Name == "office" }); list[i].State != tc.state {
			t.Errorf("%s with key %q: it is %v: %s", tc.model, string(tc.key), list[i].State, list[i].Problem)
		}
	}
}

// TestMidStream: so with what comes in a stream's middle.
func TestMidStream(t *testing.T) {
	r := near(t, far(t), "")
	s, err := r.Stream(context.Background(), ask("office/echo-fault:cut"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err = s.Response(); !errors.Is(err, hoosh.ErrStreamCut) || hoosh.AsError(err).Provider != "office" {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	list := hoosh.Drivers()
	d := list[slices.IndexFunc(list, func(d hoosh.Driver) bool { return d.Name == "hoosh" })]
	for _, base := range []string{"", "nowhere"} {
		if doer, err := d.New(hoosh.ProviderConfig{Name: "p", BaseURL: base}); err == nil || doer != nil {
			t.Errorf("base_url %q was taken", base)
		}
	}
	if d.Probe != nil {
		t.Error("it is discovered")
	}
}
