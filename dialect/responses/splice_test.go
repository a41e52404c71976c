// SPDX-License-Identifier: AGPL-3.0-only

package responses_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

func sealed(issuer, data string) string {
	return (&hoosh.Signature{Issuer: issuer, Data: hoosh.NewText(data)}).Seal()
}

func passed(t *testing.T, body string, p *hoosh.Profile, change func(*hoosh.Call)) (string, []string) {
	t.Helper()
	c := parse(t, own, body)
	if change != nil {
		change(c)
	}
	p.Dialect = own
	b, dropped, err := c.BodyFor(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b.Bytes()), dropped
}

func TestPassage(t *testing.T) {
	item := func(id, sealed string) string {
		return `{ "type":"reasoning", "id":"` + id + `", "summary":[] ,"encrypted_content":"` + sealed + `"}`
	}
	user := `{"role":"user","content":"a"}`
	call := func(id string) string {
		return `{"type":"function_call","call_id":"` + id + `","name":"f","arguments":"{}"}`
	}
	for _, x := range []struct {
		name, body, want, dropped string
		p                         hoosh.Profile
		change                    func(*hoosh.Call)
	}{
		{"nothing", string(file(t, "codex.request.json")), string(file(t, "codex.request.json")), "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"model", ` { "x" : 1e2 , "model":"a\u0062" ,"input":[ ]}`, ` { "x" : 1e2 , "model":"b" ,"input":[ ]}`, "[]", hoosh.Profile{}, func(c *hoosh.Call) { c.Model = "b" }},
		{"no model", `{"input":"a"}`, `{"model":"b","input":"a"}`, "[]", hoosh.Profile{}, func(c *hoosh.Call) { c.Model = "b" }},
		{"stream", `{"model":"m","input":"a"}`, `{"stream":true,"model":"m","input":"a"}`, "[]", hoosh.Profile{}, func(c *hoosh.Call) { c.Stream = true }},
		{"no stream", `{"model":"m","stream":true,"input":"a"}`, `{"model":"m","stream":false,"input":"a"}`, "[]", hoosh.Profile{}, func(c *hoosh.Call) { c.Stream = false }},
		{"rules", `{"temperature":0.5,"model":"m","top_p":1,"input":"a","old":2, "gone":3}`, `{"model":"m","top_p":1,"input":"a","new":2}`, "[temperature gone]",
			hoosh.Profile{Rules: []hoosh.Rule{{Key: "temperature", Keep: "1"}, {Key: "top_p", Keep: "1"}, {Key: "old", Rename: "new"}, {Key: "gone"}}}, nil},
		{"own seal", `{"model":"m","input":[` + user + `,` + item("rs_hs1ab", sealed("far", "sig\"n")) + `]}`,
			`{"model":"m","input":[` + user + `,{ "type":"reasoning", "summary":[] ,"encrypted_content":"sig\"n"}]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"foreign seals", `{"model":"m","input":[` + item("rs_hs1", sealed("b", "x")) + ` , ` + item("rs_hs1", sealed("c", "x")) + ` , ` + user + ` ,` + item("rs_hs1", sealed("b", "x")) + ` ]}`,
			`{"model":"m","input":[` + user + ` ]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"all foreign", `{"model":"m","input":[` + item("rs_hs1", sealed("b", "x")) + `]}`, `{"model":"m","input":[]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"made up, unsigned", `{"model":"m","input":[` + user + `,{"type":"reasoning","id":"rs_hs1aa","summary":[{"type":"summary_text","text":"t"}]}]}`,
			`{"model":"m","input":[` + user + `]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"vendor's own", `{"model":"m","input":[` + item("rs_1", "gAAA") + `,{"type":"reasoning","id":"rs_2","summary":[]}]}`,
			`{"model":"m","input":[` + item("rs_1", "gAAA") + `,{"type":"reasoning","id":"rs_2","summary":[]}]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"sealed backend", `{"model":"m","input":[` + item("rs_hs1", sealed("b", "x")) + `]}`, `{"model":"m","input":[` + item("rs_hs1", sealed("b", "x")) + `]}`, "[]", hoosh.Profile{Issuer: "far", Sealed: true}, nil},
		{"ids", `{"model":"m","input":[` + call(hoosh.SealID("c1", &hoosh.Signature{Issuer: "g", Data: hoosh.NewText("s")}, nil)) + `]}`,
			`{"model":"m","input":[` + call("c1") + `]}`, "[]", hoosh.Profile{Issuer: "far"}, nil},
		{"tool ids", `{"model":"m","input":[` + call("c1") + `,{"type":"function_call_output","output":"x","call_id":"c1"}]}`,
			`{"model":"m","input":[` + call("C1") + `,{"type":"function_call_output","output":"x","call_id":"C1"}]}`, "[]", hoosh.Profile{ToolID: strings.ToUpper}, nil},
		{"no developer", `{"model":"m","input":[{"content":"a","role":"developer"}],"tool_choice":"required"}`, `{"model":"m","input":[{"content":"a","role":"system"}],"tool_choice":"any"}`, "[]",
			hoosh.Profile{NoDeveloper: true, ToolChoiceRequired: "any"}, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			got, dropped := passed(t, x.body, &x.p, x.change)
			if got != x.want {
				t.Errorf("got  %s\nwant %s", got, x.want)
			}
			if fmt.Sprint(dropped) != x.dropped {
				t.Errorf("dropped %q", dropped)
			}
		})
	}
}

// Whatever is taken out of a body, the rest is JSON and in its order.
func TestPassageProperty(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		var items, want []string
		for i := range r.IntN(6) {
			kind := r.IntN(3)
			s := fmt.Sprintf(`{"type":"reasoning","id":"rs_hs1%d","encrypted_content":"%s"}`, i, sealed("b", "x"))
			if kind == 0 {
				s = fmt.Sprintf(`{"role":"user","content":"%d"}`, i)
				want = append(want, s)
			} else if kind == 1 {
				s = fmt.Sprintf(`{"type":"reasoning","id":"rs_%d","encrypted_content":"gA"}`, i)
				want = append(want, s)
			}
			items = append(items, s)
		}
		body := `{"a":1,"model":"m","input":[` + strings.Join(items, ",") + `],"b":2}`
		p := hoosh.Profile{Issuer: "far"}
		if r.IntN(2) == 0 {
			p.Rules = []hoosh.Rule{{Key: "a"}}
		}
		got, _ := passed(t, body, &p, nil)
		if !json.Valid([]byte(got)) || !strings.Contains(got, `"input":[`+strings.Join(want, ",")+`]`) {
			t.Fatalf("%s\nbecomes %s", body, got)
		}
	}
}
