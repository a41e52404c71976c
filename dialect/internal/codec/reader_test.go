// SPDX-License-Identifier: AGPL-3.0-only

package codec

import (
	"errors"
	"testing"

	"github.com/maccracken/hoosh"
)

// read reads the member "x" of an object, and gives the error.
func read(body string, kind error, x func(*Reader)) *hoosh.Error {
	r := NewReader(hoosh.OpChat, []byte(body), kind)
	if r.C.Object() {
		for r.C.Next() {
			x(&r)
		}
	}
	var e *hoosh.Error
	errors.As(r.End(), &e)
	return e
}

func TestReaderValues(t *testing.T) {
	body := `{"x":null,"text":"a\u0062","float":1.5,"count":3,"bool":true,"raw":{"a": 1}}`
	seen := 0
	err := read(body, hoosh.ErrMalformed, func(r *Reader) {
		seen++
		ok := false
		switch name := string(r.C.Key()); name {
		case "x": // a null counts as absent, whatever is wanted
			was := r.C
			_, text := r.Text("a string")
			ok = !text
			r.C = was
			ok = ok && r.Float() == nil
			r.C = was
			ok = ok && r.Bool() == nil
			r.C = was
			ok = ok && r.Raw("an object") == nil
			r.C = was
			ok = ok && r.Count() == 0
		case "text":
			ok = r.Str("a string") == "ab"
		case "float":
			f := r.Float()
			ok = f != nil && *f == 1.5
		case "count":
			ok = r.Count() == 3
		case "bool":
			b := r.Bool()
			ok = b != nil && *b
		case "raw":
			m := r.Member()
			ok = m.Key == "raw" && string(m.Value) == `{"a": 1}`
		}
		if !ok {
			t.Errorf("%s was misread", r.C.Key())
		}
	})
	if err != nil || seen != 6 {
		t.Errorf("%d members and %v", seen, err)
	}
}

func TestReaderErrors(t *testing.T) {
	for _, x := range []struct {
		body           string
		read           func(*Reader)
		message, param string
	}{
		{`{"x":1}`, func(r *Reader) { r.Str("a name") }, "want a name, found a number", "x"},
		{`{"x":"1"}`, func(r *Reader) { r.Float() }, "want a number, found a string", "x"},
		{`{"x":[]}`, func(r *Reader) { r.Count() }, "want a whole number, found an array", "x"},
		{`{"x":-1}`, func(r *Reader) { r.Count() }, "want a whole number that is not negative", "x"},
		{`{"x":{}}`, func(r *Reader) { r.Bool() }, "want true or false, found an object", "x"},
		{`{"x":true,"y":1}`, func(r *Reader) { r.Raw("an object") }, "want an object, found a boolean", "x"}, // the first counts
	} {
		if e := read(x.body, hoosh.ErrInvalidRequest, x.read); e == nil || e.Message != x.message || e.Param != x.param || !errors.Is(e, hoosh.ErrInvalidRequest) {
			t.Errorf("%s of a caller: %+v", x.body, e)
		}
		// What a backend did wrong is no parameter of the caller's.
		if e := read(x.body, hoosh.ErrMalformed, x.read); e == nil || e.Message != x.message+", at "+x.param || e.Param != "" || !errors.Is(e, hoosh.ErrMalformed) {
			t.Errorf("%s of a backend: %+v", x.body, e)
		}
	}
	skip := func(r *Reader) { r.C.Skip() }
	if e := read(`{"x":[1,}`, hoosh.ErrInvalidRequest, skip); e == nil || e.Code != "invalid_json" || e.Param != "x" || e.Err == nil {
		t.Errorf("broken JSON of a caller: %+v", e)
	}
	if e := read(`{"x":[1,}`, hoosh.ErrMalformed, skip); e == nil || e.Code != "" || e.Param != "" || e.Err == nil {
		t.Errorf("broken JSON of a backend: %+v", e)
	}
}

func TestFold(t *testing.T) {
	for raw, want := range map[string]string{"role": "role", "ROLE": "role", `rol\u0065`: "role", "Other": "Other", `\u0041b`: "Ab"} {
		if got := string(Fold([]byte(raw), []string{"type", "role"})); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}
