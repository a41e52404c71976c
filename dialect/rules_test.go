// SPDX-License-Identifier: AGPL-3.0-only

package dialect

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/maccracken/hoosh"
)

// call asks for the sample of a rule in a format that is none of the five.
func (r *Rule) call(t *testing.T, model string) *hoosh.Call {
	t.Helper()
	other := &hoosh.Dialect{
		Name:         "other",
		ReadEnvelope: func(_ hoosh.Operation, _ []byte, _ int, e *hoosh.Envelope) error { return nil },
		DecodeRequest: func(hoosh.Operation, []byte) (*hoosh.Request, error) {
			return r.Sample(), nil
		},
	}
	c, err := hoosh.ParseCall(other, hoosh.OpChat, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Model = model
	return c
}

// TestRules: the table says what the codecs do.
func TestRules(t *testing.T) {
	for i := range Rules {
		r := &Rules[i]
		for j, d := range All {
			t.Run(r.Feature+"/"+d.Name, func(t *testing.T) {
				body, dropped, err := r.call(t, r.Model(j)).BodyFor(&hoosh.Profile{Dialect: d, Issuer: "here"})
				named := slices.Contains(dropped, r.Name)
				if r.To[j] == Refused {
					if e := hoosh.AsError(err); !errors.Is(err, hoosh.ErrUnsupported) || e.Param != r.Name {
						t.Fatalf("%v; the table says that it is refused at %s", err, r.Name)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				sent := body.Bytes()
				q, err := d.DecodeRequest(hoosh.OpChat, sent)
				if err != nil {
					t.Fatalf("what was sent cannot be read: %v\n%s", err, sent)
				}
				switch kept := r.Kept != nil && r.Kept(q); r.To[j] {
				case Carried:
					if !kept || len(dropped) > 0 {
						t.Errorf("not carried, dropped %q: %s", dropped, sent)
					}
				case Emulated: // "stop" and "n" the root is told by their names
					if len(dropped) > 0 && !(named && (r.Name == "stop" || r.Name == "n")) {
						t.Errorf("dropped %q: %s", dropped, sent)
					}
				case Dropped:
					if kept || !named {
						t.Errorf("kept %v, dropped %q: %s", kept, dropped, sent)
					}
				case Left:
					if kept || len(dropped) > 0 {
						t.Errorf("kept %v, dropped %q: %s", kept, dropped, sent)
					}
				}
			})
		}
	}
}

// TestPage: docs/translation.md is what the table says now.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../docs/translation.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Markdown() {
		t.Error("docs/translation.md is stale: go generate ./dialect")
	}
}
