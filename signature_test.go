// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"strings"
	"testing"
)

// TestSealID: what goes into an id comes out of it, and an id that only looks so
// is an id.
func TestSealID(t *testing.T) {
	data := strings.Repeat("Eo+/=\"\\é\x00", 200)
	for _, issuer := range []string{"", "a", "anthropic", strings.Repeat("x", 255)} {
		sig := &Signature{Issuer: issuer, Data: NewText(data)}
		id := SealID("toolu_1", sig, nil)
		for _, ch := range id {
			if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", ch) {
				t.Fatalf("%q in an id", ch)
			}
		}
		plain, got, kind := openID(id)
		if plain != "toolu_1" || kind != sealCall || !got.equal(sig) || CutID(id) != "toolu_1" {
			t.Errorf("%q, %c, %+v", plain, kind, got)
		}
	}
	for _, id := range []string{"", "call_1", "call-hs1", "call-hs1AA", "call-hs1!!", "-hs1-hs1", "x-hs1" + sealCoding.EncodeToString([]byte{'z', 0}),
		"x-hs1" + sealCoding.EncodeToString([]byte{'c', 9, 'a'})} {
		if plain, sig, _ := openID(id); plain != id || sig != nil {
			t.Errorf("%q is read as %q with %+v", id, plain, sig)
		}
	}
	if SealID("x", nil, nil) != "x" || SealID("x", nil, &Part{Kind: PartThinking}) != "x" {
		t.Error("an id without a signature has a seal")
	}
}

// TestOpenIDs: each kind of seal, and where its signature goes.
func TestOpenIDs(t *testing.T) {
	sig := func(redacted bool) *Signature {
		return &Signature{Issuer: "a", Data: NewText("data"), Redacted: redacted}
	}
	thinking := func(text string, s *Signature) Part {
		return Part{Kind: PartThinking, text: NewText(text), Signature: s}
	}
	for _, tc := range []struct {
		name  string
		first Part   // thinking as the backend gave it
		kept  []Part // what the client sends before the call
		want  []Part // what is before the call then
	}{
		{"the client keeps the thinking", thinking("hm", sig(false)), []Part{thinking("hm", nil)}, []Part{thinking("hm", sig(false))}},
		{"the client loses it", thinking("hm", sig(false)), nil, nil},
		{"there was nothing to keep", thinking("", sig(false)), nil, []Part{thinking("", sig(false))}},
		{"redacted", thinking("", sig(true)), nil, []Part{thinking("", sig(true))}},
	} {
		id := SealID("c1", nil, &tc.first)
		ms := []Message{
			{Role: RoleAssistant, Parts: append(tc.kept, CallPart(id, "f", "{}"))},
			ToolResult(id, "1"),
		}
		OpenIDs(ms)
		want := Message{Role: RoleAssistant, Parts: append(tc.want, CallPart("c1", "f", "{}"))}
		if !ms[0].Equal(want) || ms[1].Parts[0].Result.ID != "c1" {
			t.Errorf("%s: %+v and %+v", tc.name, ms[0], ms[1].Parts[0].Result)
		}
	}
	call := CallPart(SealID("c1", sig(false), nil), "f", "{}")
	ms := []Message{{Role: RoleAssistant, Parts: []Part{call}}}
	OpenIDs(ms)
	if p := ms[0].Parts[0]; p.Call.ID != "c1" || !p.Signature.equal(sig(false)) {
		t.Errorf("%+v", p)
	}
}

// TestAccepts: a signature goes to nobody but its issuer.
func TestAccepts(t *testing.T) {
	other := &Dialect{Name: "other"}
	p := &Profile{Dialect: OpenAI, Issuer: "a"}
	issued.note([]byte("of b"), "b")
	issued.note([]byte("of a"), "a")
	for _, tc := range []struct {
		sig  *Signature
		from *Dialect
		want bool
	}{
		{nil, OpenAI, false},
		{&Signature{Issuer: "a", Data: NewText("x")}, other, true},
		{&Signature{Issuer: "b", Data: NewText("x")}, OpenAI, false},
		{&Signature{Data: NewText("nobody's")}, OpenAI, true},
		{&Signature{Data: NewText("nobody's")}, other, false},
		{&Signature{Data: NewText("of a")}, OpenAI, true},
		{&Signature{Data: NewText("of b")}, OpenAI, false},
		{OpenSignature(NewText((&Signature{Issuer: "a", Data: NewText("x")}).Seal())), other, true},
		{OpenSignature(RawText([]byte((&Signature{Issuer: "b", Data: NewText("x")}).Seal()))), OpenAI, false},
	} {
		if got := p.Accepts(tc.sig, tc.from); got != tc.want {
			t.Errorf("%+v from %s: %v", tc.sig, tc.from.Name, got)
		}
	}
}

// TestIssuersBound: what is remembered does not grow without end, and what came
// lately is there.
func TestIssuersBound(t *testing.T) {
	var x issuers
	signature := func(i int) []byte { return []byte{byte(i), byte(i >> 8), byte(i >> 16)} }
	const many = 5 * maxIssued
	for i := range many {
		x.note(signature(i), "a")
	}
	if n := len(x.young) + len(x.old); n > 2*maxIssued || x.issuer(signature(many-1)) != "a" || x.issuer(signature(0)) != "" {
		t.Errorf("%d are remembered", n)
	}
}

// TestSealedPassage: seals are taken off ids for a backend of the same dialect,
// and for nobody else's eyes is anything changed.
func TestSealedPassage(t *testing.T) {
	sealed := SealID("call_1", &Signature{Issuer: "google", Data: NewText("sig")}, nil)
	body := `{"model":"m","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"` + sealed + `","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"` + sealed + `","content":"1"}]}`
	c, err := ParseCall(OpenAI, OpChat, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, hooshes := range []bool{false, true} {
		b, _, err := c.BodyFor(&Profile{Dialect: OpenAI, Issuer: "a", Sealed: hooshes})
		if err != nil {
			t.Fatal(err)
		}
		want := body
		if !hooshes {
			want = strings.ReplaceAll(body, sealed, "call_1")
		}
		if got := string(b.Bytes()); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func FuzzOpenID(f *testing.F) {
	for _, id := range []string{"", "call_1", "a-hs1Y3g", SealID("c", &Signature{Issuer: "i", Data: NewText("d")}, nil)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		plain, s, kind := openID(id)
		if s == nil && plain != id {
			t.Fatalf("%q became %q", id, plain)
		}
		if s == nil || kind != sealCall {
			return
		}
		if again, same, _ := openID(SealID(plain, s, nil)); again != plain || !same.equal(s) {
			t.Fatalf("%q %+v, then %q %+v", plain, s, again, same)
		}
	})
}
