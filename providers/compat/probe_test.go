// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/maccracken/hoosh/hooshtest"
)

func TestProbe(t *testing.T) {
	pages := map[string]string{
		"/ok":    `{"object":"list","data":[{"owned_by":"a"},{"owned_by":"vllm"}],"info":{"title":"Jan API Server Endpoints"},"nothing":null}`,
		"/bad":   `{"object":"list"`,
		"/plain": "ok",
	}
	ln := hooshtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "llama.cpp/1")
		switch {
		case r.URL.Path == "/loading":
			w.WriteHeader(503)
		case r.URL.Path == "/large":
			io.WriteString(w, `{"object":"`+strings.Repeat("x", 2<<20)+`"}`)
		case pages[r.URL.Path] == "":
			http.NotFound(w, r)
		default:
			io.WriteString(w, pages[r.URL.Path])
		}
	}))
	for _, tc := range []struct {
		mark Mark
		why  string // "": it is there
	}{
		{Mark{Path: "/ok", Has: []string{"object"}}, ""},
		{Mark{Path: "/ok", Has: []string{"object=list", "data", "info.title=Jan", "data.owned_by=vllm"}}, ""},
		{Mark{Path: "/loading", Server: "llama.cpp"}, ""},
		{Mark{Path: "/ok", Server: "llama.cpp", Has: []string{"data"}}, ""},
		{Mark{Path: "/ok", Server: "uvicorn"}, "llama.cpp/1 answers there, not x"},
		{Mark{Path: "/ok", Has: []string{"models"}}, "does not say models"},
		{Mark{Path: "/ok", Has: []string{"nothing"}}, "does not say nothing"},
		{Mark{Path: "/ok", Has: []string{"object=other"}}, "does not say object=other"},
		{Mark{Path: "/ok", Has: []string{"data.owned_by=sglang"}}, "does not say"},
		{Mark{Path: "/ok", Has: []string{"object.title"}}, "does not say"},
		{Mark{Path: "/bad", Has: []string{"object"}}, "does not say"},
		{Mark{Path: "/plain", Has: []string{"object"}}, "does not say"},
		{Mark{Path: "/large", Has: []string{"object"}}, "does not say"},
		{Mark{Path: "/none", Has: []string{"object"}}, "/none gives 404"},
		{Mark{Path: "/loading", Has: []string{"object"}}, "/loading gives 503"},
	} {
		d := Preset{Name: "x", Probe: []Mark{{Path: "/ok", Has: []string{"data"}}, tc.mark}}.Driver()
		for _, base := range []string{ln.URL(), ln.URL() + "/v1"} {
			err := d.Probe(context.Background(), ln.Client(), base)
			if tc.why == "" && err != nil || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("%+v at %s: %v, want %q", tc.mark, base, err, tc.why)
			}
		}
	}
	if (Preset{Name: "x"}).Driver().Probe != nil {
		t.Error("a preset without marks can be discovered")
	}
}

func TestProbeOfNothing(t *testing.T) {
	ln := hooshtest.NewListener("nobody.test")
	ln.Close()
	d := Preset{Name: "x", Probe: []Mark{{Path: "/"}}}.Driver()
	if err := d.Probe(context.Background(), ln.Client(), ln.URL()); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
}
