// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"encoding/json"
	"testing"

	"github.com/maccracken/hoosh"
)

// TestJSONArray: whatever frames come, they are one array in the end.
func TestJSONArray(t *testing.T) {
	for _, x := range []struct {
		name   string
		frames []hoosh.Frame
		want   string
	}{
		{"nothing", nil, "[]"},
		{"nothing that says anything", []hoosh.Frame{{Raw: []byte(": comment\n\n")}, {}}, "[]"},
		{"as a backend sends them", []hoosh.Frame{
			{Raw: []byte("data: {\"a\":1}\r\n\r\n"), Data: []byte(`{"a":1}`)},
			{Raw: []byte(": comment\r\n\r\n")},
			{Data: []byte(`{"not":"for this caller"}`)},
			{Raw: []byte("data: {\"b\":2}\r\n\r\n"), Data: []byte(`{"b":2}`)},
		}, "[{\"a\":1},\r\n{\"b\":2}\n]\n"},
		{"several in one, as a translation has them", []hoosh.Frame{
			{Raw: []byte("data: {\"a\":1}\n\ndata: {\"b\":\ndata: 2}\n\n")},
			{Raw: []byte("event: x\ndata: {\"c\":3}\n\n")},
		}, "[{\"a\":1},\r\n{\"b\":\n2},\r\n{\"c\":3}\n]\n"},
	} {
		f := newJSONArray().form()
		var got []byte
		for i := range x.frames {
			got = append(got, f.frame(&x.frames[i])...)
		}
		got = append(got, f.end()...)
		if string(got) != x.want || !json.Valid(got) {
			t.Errorf("%s: %q", x.name, got)
		}
	}
}
