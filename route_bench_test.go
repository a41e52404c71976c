// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"fmt"
	"testing"
	"time"
)

type nullDoer struct{}

func (nullDoer) Do(context.Context, *Call) (*Reply, error) {
	return &Reply{Dialect: OpenAI, Body: []byte("{}")}, nil
}

// BenchmarkRoute is one decision: the name's rule and the first candidate.
func BenchmarkRoute(b *testing.B) {
	var providers []Provider
	for p := range 4 {
		var models []string
		for m := range 50 {
			models = append(models, fmt.Sprintf("vendor-%d-model-%d", p, m))
		}
		providers = append(providers, Provider{Name: fmt.Sprintf("p%d", p), Doer: nullDoer{}, Models: models})
	}
	r, err := NewRouter(providers, []Route{
		{Match: []string{"gpt-*"}, To: []Target{{Target: "p0/*"}, {Target: "p1/*"}}},
		{Match: []string{"spread"}, To: []Target{{Target: "p0/a"}, {Target: "p1/b"}, {Target: "p2/c"}}, Strategy: StrategyRoundRobin},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	now := time.Now()
	for _, model := range []string{"vendor-3-model-49", "p2/vendor-2-model-7", "gpt-9", "spread"} {
		b.Run(model, func(b *testing.B) {
			c := NewCall(&Request{Model: model})
			b.ReportAllocs()
			for b.Loop() {
				res, ok := r.table.Load().resolve(model)
				if !ok {
					b.Fatal("not resolved")
				}
				p := r.newPicker(c, &res, 0, now, false, nil)
				if _, ok := p.next(); !ok {
					b.Fatal("nobody")
				}
			}
		})
	}
}
