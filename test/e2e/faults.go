// SPDX-License-Identifier: AGPL-3.0-only

package main

// refusals runs what hoosh itself refuses, in OpenAI's shape.
func (s *suite) refusals(at surface) {
	run := func(name string, f func(*T)) { s.run(at.name+": "+name, f) }
	chat := "/v1/chat/completions"
	run("unknown model", func(t *T) {
		at.post(t, chat, doc{"model": "no-such-model", "messages": []doc{{"role": "user", "content": "hi"}}}).refused(t, 404, "model_not_found")
		at.post(t, chat, doc{"model": "no-such-model", "stream": true, "messages": []doc{{"role": "user", "content": "hi"}}}).refused(t, 404, "model_not_found")
		at.post(t, "/v1/embeddings", doc{"model": "no-such-model", "input": "hi"}).refused(t, 404, "model_not_found")
	})
	run("bad requests", func(t *T) {
		at.post(t, chat, []byte(`{"model": "said", "messages": [`)).refused(t, 400, "")
		at.post(t, chat, []byte(`[]`)).refused(t, 400, "")
		at.post(t, chat, []byte(``)).refused(t, 400, "")
		at.post(t, chat, doc{"messages": []doc{{"role": "user", "content": "hi"}}}).refused(t, 400, "")
		at.post(t, chat, doc{"model": "said", "messages": "hi"}).refused(t, 400, "")
	})
	run("paths and methods", func(t *T) {
		at.get(t, "/v1/nothing-here").refused(t, 404, "")
		at.get(t, chat).refused(t, 405, "")
		if a := at.get(t, chat); a.header.Get("Allow") != "POST" {
			t.Errorf("Allow: %q", a.header.Get("Allow"))
		}
	})
	run("health", func(t *T) {
		for _, path := range []string{"/livez", "/readyz", "/health", "/healthz", "/health/liveliness", "/health/readiness"} {
			at.get(t, path).want(t, 200, nil)
		}
		var all struct {
			Status, Version string
			Providers       map[string]int
		}
		if a := at.get(t, "/v1/health").want(t, 200, &all); all.Status != "ok" && all.Status != "degraded" || all.Version == "" || len(all.Providers) == 0 {
			t.Errorf("unexpected: %s", short(a.body))
		}
		var list struct {
			Providers  []struct{ Name, Driver, State string }
			Heartbeats []struct{ Provider, State string }
		}
		at.get(t, "/v1/health/providers").want(t, 200, &list)
		at.get(t, "/v1/health/heartbeat").want(t, 200, &list)
		if len(list.Providers) == 0 || len(list.Heartbeats) != len(list.Providers) || list.Providers[0].State == "" {
			t.Errorf("unexpected: %+v", list)
		}
	})
}
