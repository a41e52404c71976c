// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"strings"
	"testing"

	"github.com/maccracken/hoosh/test/matrix/client"
	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// TestDirect has the clients ask the vendors without hoosh: both ends agree on
// what each format is.
func TestDirect(t *testing.T) {
	for _, name := range client.Names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if run(options{pair: name + "/" + name, direct: true}, &out) > 0 {
				t.Error("\n" + out.String())
			}
		})
	}
}

// TestJudge: what is explained must fail, and only in what is explained.
func TestJudge(t *testing.T) {
	world := &world{in: "openai", out: "anthropic"}
	rows := map[string]bool{"seed": true}
	seed := failure{check: "seed", what: "seed: nothing, want 42", dropped: "seed"}
	broken, unnamed, other := seed, seed, seed
	broken.broken, unnamed.dropped, other.check = true, "", "turns"
	for _, c := range []struct {
		name  string
		rows  map[string]bool
		fails []failure
		want  string
	}{
		{"explained", rows, []failure{seed}, "explained"},
		{"stale", rows, nil, "failed"},
		{"broken", rows, []failure{seed, broken}, "failed"},
		{"dropped in silence", rows, []failure{unnamed}, "failed"},
		{"something else", rows, []failure{seed, other}, "failed"},
		{"no such row", map[string]bool{"speed": true}, []failure{seed}, "failed"},
	} {
		cell := &cell{world: world, group: "chat", fails: c.fails}
		if judge(cell, options{rows: c.rows}); cell.result != c.want {
			t.Errorf("%s: %s, want %s: %+v", c.name, cell.result, c.want, cell.fails)
		}
	}
	plain := &cell{world: world, group: "unicode"}
	if judge(plain, options{rows: rows}); plain.result != "passed" {
		t.Errorf("without explanations: %s", plain.result)
	}
}

func asked(turns ...neutral.Turn) neutral.Ask { return neutral.Ask{Turns: turns} }

// TestMeaning: one conversation in two forms is one, and a result at another
// call is not.
func TestMeaning(t *testing.T) {
	paris, rome := `{"city":"Paris"}`, `{"city":"Rome"}`
	ids := &cell{world: &world{in: "openai", out: "anthropic"}}
	none := &cell{world: &world{in: "ollama", out: "ollama"}}
	a := asked(system("s"), user("a"), user("b"), assistant("c", ids.past(1, "f", paris), ids.past(2, "g", rome)), results(ids.outcome(2, "g", "y"), ids.outcome(1, "f", "x")))
	b := asked(system("s"), user("ab"), assistant("c"), assistant(none.past(0, "f", `{ "city" : "Paris" }`), none.past(0, "g", rome)), results(none.outcome(0, "f", "x")), results(none.outcome(0, "g", "y")))
	if d := sameAsk(a, b, "openai", "ollama"); len(d) > 0 {
		t.Error(d)
	}
	for i, b := range []neutral.Ask{
		asked(system("s"), user("ab"), assistant("c", ids.past(1, "f", paris), ids.past(2, "g", rome)), results(ids.outcome(1, "g", "y"), ids.outcome(2, "f", "x"))),
		asked(system("s"), user("ab"), assistant("c", ids.past(1, "f", paris), ids.past(2, "g", rome)), results(ids.outcome(1, "f", "x"))),
		asked(system("s"), user("ab"), assistant("c", ids.past(1, "f", paris), ids.past(2, "g", paris)), results(ids.outcome(1, "f", "x"), ids.outcome(2, "g", "y"))),
		asked(user("sab"), assistant("c", ids.past(1, "f", paris), ids.past(2, "g", rome)), results(ids.outcome(1, "f", "x"), ids.outcome(2, "g", "y"))),
	} {
		if len(sameAsk(a, b, "openai", "anthropic")) == 0 {
			t.Errorf("%d: another conversation is taken for the same", i)
		}
	}
}
