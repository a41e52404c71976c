// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/dialect/responses"
)

// FuzzKeeper: whatever a backend sends goes through as it came where nothing is to
// be put into it, and what is put in leaves JSON what was JSON.
func FuzzKeeper(f *testing.F) {
	for _, s := range []string{
		"event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",\"previous_response_id\":null}}\n\n",
		"data: {\"response\":{\"previous_response_id\":\ndata: 1}}\n\ndata: {\"response\":\"response.completed\"}\n\n",
		"data: {\"response\":{\"previous_response_id\"\n\n", "\"response\"response.completed", "data: {\"response\":{\"id\":7,\"status\":[]},\"type\":\"response.incomplete\"}\r\r",
	} {
		f.Add([]byte(s))
	}
	s := New(hoosh.NewGateway(hoosh.DoerFunc(nil)))
	c, err := hoosh.ParseCall(responses.Dialect, hoosh.OpChat, []byte(`{"model":"m","input":"a"}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		q := newRequest(s, httptest.NewRecorder(), httptest.NewRequest("POST", "/v1/responses", nil))
		plain := keeper{q: q, c: c, keeps: true}
		if got := plain.frame(&hoosh.Frame{Raw: raw}); !bytes.Equal(got, raw) {
			t.Errorf("%q became %q", raw, got)
		}
		if got := plain.whole(raw); !bytes.Equal(got, raw) {
			t.Errorf("%q became %q", raw, got)
		}
		resumed := keeper{q: q, c: c, before: &storedAnswer{id: "resp_\"1"}, keeps: true}
		resumed.frame(&hoosh.Frame{Raw: raw})
		if got := resumed.whole(raw); json.Valid(raw) && !json.Valid(got) {
			t.Errorf("%q became %q", raw, got)
		}
	})
}
