// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/maccracken/hoosh"
)

// listing is a Doer that lists models, after a while, or never.
type listing struct {
	counting
	models []hoosh.Model
	delay  time.Duration
	err    error
	asked  int
}

func (l *listing) Models(ctx context.Context) ([]hoosh.Model, error) {
	l.asked++
	select {
	case <-time.After(l.delay):
		return l.models, l.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func lists(ids ...string) *listing {
	l := &listing{}
	for _, id := range ids {
		m := hoosh.Model{ID: id, Capabilities: hoosh.Capabilities{Features: hoosh.AllFeatures}}
		if base, ok := strings.CutSuffix(id, ":latest"); ok {
			m.Aliases = []string{base}
		}
		l.models = append(l.models, m)
	}
	return l
}

// planned says where a name leads: the rule, and who would be tried with which
// model.
func planned(t *testing.T, r *hoosh.Router, model string) string {
	t.Helper()
	plan, err := r.Plan(context.Background(), hoosh.NewCall(&hoosh.Request{Model: model}))
	if errors.Is(err, hoosh.ErrModelNotFound) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{plan.Route + ":"}
	for _, c := range plan.Candidates {
		if c.Tried {
			parts = append(parts, c.Provider+"="+c.Model)
		}
	}
	return strings.Join(parts, " ")
}

// TestResolution: alias; exact route; a provider's name before the first slash;
// the whole name as listed; patterns, most literal characters first.
func TestResolution(t *testing.T) {
	r := newRouter(t, []hoosh.Provider{
		{Name: "remote", Doer: lists("gpt-4o", "shared", "both")},
		{Name: "ranked", Doer: lists("both"), Priority: hoosh.Ptr(50)},
		{Name: "local", Doer: lists("shared", "both", "llama3:latest"), Local: true},
		{Name: "router", Doer: lists("openai/gpt-4o", "remote/odd")},
		{Name: "fixed", Doer: &counting{}, Models: []string{"only-this", "claude-*"}},
	},
		hoosh.Route{Match: []string{"exact"}, To: []hoosh.Target{{Target: "local/x"}, {Target: "remote/y"}}},
		hoosh.Route{Match: []string{"gpt-*"}, To: []hoosh.Target{{Target: "router/*"}}},
		hoosh.Route{Match: []string{"gpt-5*"}, To: []hoosh.Target{{Target: "remote/gpt-4o"}}},
		hoosh.Route{Match: []string{"*-mini", "*-tiny"}, To: []hoosh.Target{{Target: "local/*"}}},
	)
	if _, err := r.Models(context.Background()); err != nil { // the lists are known
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"exact":            "route exact: local=x remote=y",
		"gpt-4o":           "model gpt-4o: remote=gpt-4o",               // listed before patterns
		"gpt-9":            "route gpt-*: router=gpt-9",                 //
		"gpt-5-turbo":      "route gpt-5*: remote=gpt-4o",               // more literal characters
		"gpt-5-mini":       "route gpt-5*: remote=gpt-4o",               // five literal characters each: file order
		"remote/gpt-4o":    "provider remote: remote=gpt-4o",            //
		"remote/odd":       "model remote/odd: router=remote/odd",       // remote does not take it; router lists the whole id
		"openai/gpt-4o":    "model openai/gpt-4o: router=openai/gpt-4o", // no provider is called openai
		"shared":           "model shared: local=shared",                // never over to a remote that nobody ranked
		"both":             "model both: local=both ranked=both",        // this one was ranked
		"llama3":           "model llama3: local=llama3",                // an alias of its list
		"local/llama3":     "provider local: local=llama3",              //
		"claude-x":         "provider patterns: fixed=claude-x",         //
		"fixed/claude-x":   "provider fixed: fixed=claude-x",            //
		"only-this":        "model only-this: fixed=only-this",          //
		"fixed/other":      "none",                                      // it does not take that
		"GPT-4o":           "none",                                      // case matters
		"nobody/has-this":  "none",                                      //
		"gpt-4o/something": "route gpt-*: router=gpt-4o/something",      //
	} {
		if got := planned(t, r, name); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
	models, err := r.Models(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range models {
		ids = append(ids, m.ID+"@"+m.Provider)
	}
	want := []string{"both@local", "exact@local", "gpt-4o@remote", "llama3:latest@local", "only-this@fixed", "openai/gpt-4o@router",
		"remote/both@remote", "remote/odd@router", "remote/shared@remote", "shared@local"}
	if !slices.Equal(ids, want) {
		t.Errorf("models\n got %q\nwant %q", ids, want)
	}
}

// TestUnknownModel: the error names what is nearest.
func TestUnknownModel(t *testing.T) {
	r := newRouter(t, []hoosh.Provider{{Name: "local", Doer: lists("llama3.2")}})
	_, _, err := ask(r, false)
	if e := hoosh.AsError(err); e.Kind != hoosh.ErrModelNotFound || e.Param != "model" {
		t.Error(err)
	}
	c := hoosh.NewCall(&hoosh.Request{Model: "lama3.2"})
	if _, err := r.Do(context.Background(), c); !strings.Contains(err.Error(), `did you mean "llama3.2"?`) {
		t.Error(err)
	}
	c = hoosh.NewCall(&hoosh.Request{})
	if _, err := r.Do(context.Background(), c); !errors.Is(err, hoosh.ErrInvalidRequest) {
		t.Error(err)
	}
}

// TestListsThatHang: one backend that hangs holds nobody up for long, and not
// every caller.
func TestListsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, good := &listing{delay: time.Hour}, lists("m")
		r := newRouter(t, []hoosh.Provider{{Name: "hung", Doer: hung}, {Name: "good", Doer: good}})
		begin := time.Now()
		if _, _, err := ask(r, false); err != nil || time.Since(begin) != 0 {
			t.Errorf("a call for a model of the good one: %v after %v", err, time.Since(begin))
		}
		for i, wait := range []time.Duration{2 * time.Second, 0, 0} { // the first waits for a fetch under way
			start := time.Now()
			models, err := r.Models(context.Background())
			if err != nil || len(models) != 1 || time.Since(start) != wait {
				t.Errorf("call %d: %v, %v after %v", i, models, err, time.Since(start))
			}
		}
		good.models = lists("m", "n").models
		time.Sleep(31 * time.Second)
		if models, _ := r.Models(context.Background()); len(models) != 2 {
			t.Errorf("the list was not read again: %v", models)
		}
		if hung.asked != 2 || good.asked != 2 { // once each time, for calls and lists together
			t.Errorf("asked %d and %d times", hung.asked, good.asked)
		}
		r.Close()
	})
}

// TestMatch: patterns.
func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true}, {"*", "x", true}, {"a", "a", true}, {"a", "A", false}, {"a*", "abc", true}, {"*c", "abc", true},
		{"a*c", "abc", true}, {"a*c", "ac", true}, {"a*c", "a", false}, {"a*b*c", "axbxc", true}, {"a*b*c", "acb", false},
		{"**", "x", true}, {"a*a", "a", false}, {"*-mini*", "gpt-4o-mini-2024", true}, {"a.c", "abc", false},
	} {
		r := newRouter(t, []hoosh.Provider{{Name: "p", Doer: &counting{}, Models: []string{tc.pattern}}})
		if got := planned(t, r, "p/"+tc.name) != "none"; got != tc.want {
			t.Errorf("%q matches %q: %t", tc.pattern, tc.name, got)
		}
	}
}
