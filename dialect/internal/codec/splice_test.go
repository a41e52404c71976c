// SPDX-License-Identifier: AGPL-3.0-only

package codec

import (
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// spliced gives the body after splice, which a dialect like OpenAI's does.
func spliced(t *testing.T, body string, p hoosh.Profile, splice func(*hoosh.Call, *hoosh.Profile, *hoosh.Splice) ([]string, error)) (string, []string) {
	t.Helper()
	d := *hoosh.OpenAI
	d.Splice = splice
	c, err := hoosh.ParseCall(&d, hoosh.OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	p.Dialect = &d
	b, dropped, err := c.BodyFor(&p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b.Bytes()), dropped
}

// Whichever members go, the others stay with a comma between each two.
func TestCuts(t *testing.T) {
	members := []string{`"model":"m"`, `"messages":[{"role":"user","content":"a"}]`, `"a":{"b":1}`, `"c":[1,2]`, `"d":null`}
	body := "{" + strings.Join(members, ",") + "}"
	for set := range 1 << len(members) {
		got, _ := spliced(t, body, hoosh.Profile{}, func(c *hoosh.Call, _ *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
			var x Cuts
			for i, k := range c.Envelope().Keys {
				x.Mark(k.Start, k.To, set>>i&1 == 1)
			}
			x.Cut(s)
			return nil, nil
		})
		var stay []string
		for i, m := range members {
			if set>>i&1 == 0 {
				stay = append(stay, m)
			}
		}
		if want := "{" + strings.Join(stay, ",") + "}"; got != want {
			t.Errorf("cut %05b: got %s, want %s", set, got, want)
		}
	}
}

func TestSpliceRules(t *testing.T) {
	p := hoosh.Profile{Rules: []hoosh.Rule{{Key: "seed"}, {Key: "n", Keep: "1"}, {Key: "max_tokens", Rename: "max_new"}}}
	splice := func(c *hoosh.Call, p *hoosh.Profile, s *hoosh.Splice) ([]string, error) {
		Insert(c.Envelope(), s, []byte(`"first":0`))
		var gone Cuts
		dropped := SpliceRules(c.Envelope(), c.Model, c.Body(), p, s, &gone)
		gone.Cut(s)
		return dropped, nil
	}
	const start, rest = `{"first":0,`, `"model":"m","messages":[{"role":"user","content":"a"}]`
	for _, x := range []struct {
		body, want string
		dropped    []string
	}{
		{`{` + rest + `}`, start + rest + `}`, nil},
		{`{` + rest + `,"n":1,"max_tokens":5}`, start + rest + `,"n":1,"max_new":5}`, nil},
		{`{` + rest + `,"n":2, "seed":3}`, start + rest + `}`, []string{"n", "seed"}},
		{`{` + rest + `,"max_new":4,"max_tokens":5}`, start + rest + `,"max_new":4}`, []string{"max_tokens"}},
	} {
		got, dropped := spliced(t, x.body, p, splice)
		if got != x.want || !slices.Equal(dropped, x.dropped) {
			t.Errorf("%s: got %s and %q, want %s and %q", x.body, got, dropped, x.want, x.dropped)
		}
	}
}
