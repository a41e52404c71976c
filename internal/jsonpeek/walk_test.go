// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

// TestRandomWalk makes documents, and reads each in many ways at once: at every
// value it either takes the bytes, skips, leaves it to Next, or enters, and
// then reads all of the inside or leaves somewhere. All that it sees must be
// what encoding/json decodes.
func TestRandomWalk(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		doc := randomDoc(rng, 0)
		var want any
		if err := json.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatalf("seed %d: the test made a faulty document: %v\n%s", seed, err, doc)
		}
		for range 4 {
			w := walker{t: t, c: New([]byte(doc)), rng: rng}
			w.value(want)
			if err := w.c.End(); err != nil {
				t.Errorf("End: %v", err)
			}
			if t.Failed() {
				t.Fatalf("seed %d\n%s", seed, doc)
			}
		}
	}
}

type walker struct {
	t   *testing.T
	c   Cursor
	rng *rand.Rand
}

// value deals with the value at hand, which is want, in one way or another. It
// may leave a value that is not a container at hand, for Next to skip.
func (w *walker) value(want any) {
	switch w.rng.IntN(8) {
	case 0:
		w.c.Skip()
		return
	case 1:
		return
	case 2:
		var got any
		raw := w.c.Value()
		if err := json.Unmarshal(raw, &got); err != nil || !reflect.DeepEqual(got, want) {
			w.t.Errorf("Value() = %s, %v, want %v", raw, err, want)
		}
		return
	}
	switch want := want.(type) {
	case map[string]any:
		w.object(want)
	case []any:
		w.array(want)
	case string:
		w.equal(String, func() (any, bool) { s, ok := w.c.Str(); return Unquote(s), ok }, want)
	case float64:
		w.number(want)
	case bool:
		w.equal(Bool, func() (any, bool) { v, ok := w.c.Bool(); return v, ok }, want)
	case nil:
		w.equal(Null, func() (any, bool) { return nil, w.c.Null() }, want)
	}
}

func (w *walker) equal(kind Kind, read func() (any, bool), want any) {
	if w.c.Kind() != kind {
		w.t.Errorf("Kind() = %v, want %v", w.c.Kind(), kind)
	}
	if got, ok := read(); !ok || got != want {
		w.t.Errorf("read %v, %v, want %v", got, ok, want)
	}
}

func (w *walker) number(want float64) {
	if n, ok := w.c.Int(); ok {
		if float64(n) != want {
			w.t.Errorf("Int() = %d, want %v", n, want)
		}
		return
	}
	if want == float64(int32(want)) {
		w.t.Errorf("Int() refuses %v", want)
	}
	w.equal(Number, func() (any, bool) { f, ok := w.c.Float(); return f, ok }, want)
}

func (w *walker) object(want map[string]any) {
	if w.c.Array() || !w.c.Object() {
		w.t.Fatal("not an object")
	}
	seen := 0
	for !w.bored() {
		if !w.c.Next() {
			if seen != len(want) {
				w.t.Errorf("%d members, want %d", seen, len(want))
			}
			return
		}
		seen++
		key := Unquote(w.c.Key())
		v, ok := want[key]
		if !ok {
			w.t.Errorf("member %q, want one of %v", key, want)
		}
		w.value(v)
	}
	w.c.Leave()
}

func (w *walker) array(want []any) {
	if w.c.Object() || !w.c.Array() {
		w.t.Fatal("not an array")
	}
	for i := 0; !w.bored(); i++ {
		if !w.c.Next() {
			if i != len(want) {
				w.t.Errorf("%d elements, want %d", i, len(want))
			}
			return
		}
		if i >= len(want) {
			w.t.Fatalf("more than %d elements", len(want))
		}
		w.value(want[i])
	}
	w.c.Leave()
}

// bored tells whether to leave the container now.
func (w *walker) bored() bool { return w.rng.IntN(12) == 0 }

// randomDoc returns a document with random white space; the keys of each
// object differ.
func randomDoc(rng *rand.Rand, depth int) string {
	space := func() string {
		return strings.Repeat([]string{" ", "\n", "\t", "\r\n"}[rng.IntN(4)], max(0, rng.IntN(8)-5))
	}
	kind := rng.IntN(8)
	if depth > 6 {
		kind = rng.IntN(4)
	}
	var b strings.Builder
	b.WriteString(space())
	switch kind {
	case 0:
		b.WriteString([]string{"null", "true", "false"}[rng.IntN(3)])
	case 1, 2:
		b.WriteString([]string{"0", "-0", "17", "-3.25", "1e3", "0.5E-2", "12.0", "70e-1", "123456789"}[rng.IntN(9)])
	case 3:
		b.WriteString(`"` + randomText(rng) + `"`)
	case 4, 5:
		b.WriteString("[" + space())
		for i := range rng.IntN(5) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(randomDoc(rng, depth+1))
		}
		b.WriteString("]")
	default:
		b.WriteString("{" + space())
		for i := range rng.IntN(5) {
			if i > 0 {
				b.WriteString("," + space())
			}
			fmt.Fprintf(&b, `"%d%s"%s:%s`, i, randomText(rng), space(), randomDoc(rng, depth+1))
		}
		b.WriteString("}")
	}
	b.WriteString(space())
	return b.String()
}

func randomText(rng *rand.Rand) string {
	bits := []string{"a", "lazy dog ", "[", "}", ":", ",", "é", "€", "😀", `\"`, `\\`, `\n`, `\u00e9`, `\ud83d\ude00`, `\ud800`, "\xff"}
	var b strings.Builder
	for range rng.IntN(12) {
		b.WriteString(bits[rng.IntN(len(bits))])
	}
	return b.String()
}
