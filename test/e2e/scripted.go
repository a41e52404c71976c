// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"

	"github.com/maccracken/hoosh/hooshtest"
)

var scripted = target{name: "scripted", provider: "scripted", model: "test-model", legacy: true}

// pair is two scripted backends behind a hoosh of the case's own: the route
// "pair" leads to a and then to b, "alone" to a and only once.
type pair struct {
	a, b *hooshtest.Backend
	surface
	inProcess bool
}

// pairConfig: more is put at its end, extra into provider a.
func pairConfig(a, b *hooshtest.Backend, extra, more string) string {
	return fmt.Sprintf(`version: 1
providers:
  - {name: a, driver: compat, base_url: %q, models: ["*"]%s}
  - {name: b, driver: compat, base_url: %q, models: ["*"]}
routes:
  - {match: [pair], to: [a/test-model, b/test-model]}
  - {match: [alone], to: [a/test-model], retry: {attempts: 1}}
%s`, a.URL(), extra, b.URL(), more)
}

// setting is what a case with a pair wants otherwise than usual.
type setting struct {
	extra   string // of provider a in hoosh.yaml, with a comma before it
	more    string // at the end of hoosh.yaml
	backend []hooshtest.Option
}

// pairs runs a case on both surfaces.
func (s *suite) pairs(w *world, name string, set setting, f func(t *T, p *pair)) {
	for _, kind := range []string{"served", "in-process"} {
		s.run(kind+" scripted: "+name, func(t *T) {
			p := &pair{a: hooshtest.NewTCP(t, set.backend...), b: hooshtest.NewTCP(t), inProcess: kind == "in-process"}
			config := pairConfig(p.a, p.b, set.extra, set.more)
			if !p.inProcess {
				p.surface = serve(t, w, config)
			} else {
				router, at, err := inProcess(write(t, config))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { router.Close() })
				p.surface = at
			}
			f(t, p)
		})
	}
}

// hello is a body for the model; more wins.
func hello(model string, more doc) doc {
	return merge(doc{"model": model, "messages": []doc{{"role": "user", "content": "Hello there, backend"}}}, more)
}

// answered checks that provider answered, whole and streamed, after so many
// attempts.
func (p *pair) answered(t *T, model, provider, attempts string, stream bool) {
	if !stream {
		var c completion
		a := p.post(t, "/v1/chat/completions", hello(model, nil)).want(t, 200, &c)
		if c.Choices[0].Message.Content == "" || a.header.Get("X-Hoosh-Provider") != provider || a.header.Get("X-Hoosh-Attempts") != attempts {
			t.Errorf("want %s after %s attempts: %v %s", provider, attempts, a.header, short(a.body))
		}
		return
	}
	st := p.stream(t, "/v1/chat/completions", hello(model, doc{"stream": true}))
	st.readAll(t).checkEnd(t)
	if st.header.Get("X-Hoosh-Provider") != provider || st.header.Get("X-Hoosh-Attempts") != attempts {
		t.Errorf("want %s after %s attempts: %v", provider, attempts, st.header)
	}
}

// failures are the ways of backends, and what a client sees of them: nothing,
// where another one can answer.
func (s *suite) failures(w *world) {
	for _, hidden := range []struct {
		name   string
		answer hooshtest.Answer
		stream bool
	}{
		{"503 is not seen", hooshtest.Status(503, 0), false},
		{"503 is not seen, streamed", hooshtest.Status(503, 0), true},
		{"429 is not seen", hooshtest.Status(429, 0), false},
		{"a refused key is not seen", hooshtest.Status(401, 0), false},
		{"a page of HTML is not seen", hooshtest.Faulty(hooshtest.Garbage, 0), false},
		{"a reset connection is not seen", hooshtest.Faulty(hooshtest.Reset, 0), false},
		{"half an answer is not seen", hooshtest.Faulty(hooshtest.Cut, 0), false},
		{"an error event before content is not seen", hooshtest.Faulty(hooshtest.ErrorFirst, 0), true},
		{"an empty stream is not seen", hooshtest.Faulty(hooshtest.EmptyStream, 0), true},
	} {
		s.pairs(w, hidden.name, setting{}, func(t *T, p *pair) {
			p.a.Answer(hidden.answer)
			p.answered(t, "pair", "b", "2", hidden.stream)
		})
	}
	s.pairs(w, "a killed backend is not seen, and comes back", setting{}, func(t *T, p *pair) {
		p.answered(t, "pair", "a", "1", false)
		p.a.Kill()
		p.answered(t, "pair", "b", "2", false)
		p.a.Revive()
		p.answered(t, "pair", "a", "1", true)
	})
	s.pairs(w, "silence is not waited for", setting{extra: `, timeouts: {first_event: 300ms}`}, func(t *T, p *pair) {
		p.a.Answer(hooshtest.Faulty(hooshtest.Hang, 0))
		p.answered(t, "pair", "b", "2", true)
	})
	for _, shown := range []struct {
		name  string
		fault hooshtest.Fault
	}{{"a cut stream", hooshtest.Cut}, {"a reset stream", hooshtest.ResetMid}, {"an error event in a stream", hooshtest.ErrorEvent}, {"a stream without its end", hooshtest.Truncate}} {
		s.pairs(w, shown.name+" ends with an error", setting{}, func(t *T, p *pair) {
			p.a.Answer(hooshtest.Answer{Pieces: []string{"one ", "two ", "three ", "four "}, Fault: shown.fault, After: 3})
			r := p.stream(t, "/v1/chat/completions", hello("pair", doc{"stream": true})).readAll(t)
			if r.text == "" || r.failed == "" || r.done || p.b.Calls() > 0 {
				t.Errorf("want text, then an error and no [DONE]: %+v; %d calls of b", r, p.b.Calls())
			}
		})
	}
}
