// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

func TestSyntaxError(t *testing.T) {
	for _, tt := range []struct {
		doc    string
		offset int
		msg    string
	}{
		{"", 0, "expected a value, found the end"},
		{"  ", 2, "expected a value, found the end"},
		{"x", 0, "expected a value, found 'x'"},
		{"]", 0, "expected a value, found ']'"},
		{"\xef\xbb\xbf1", 0, `expected a value, found '\ufeff'`},
		{"1 2", 2, "expected nothing more, found '2'"},
		{"{}}", 2, "expected nothing more, found '}'"},
		{"nulL", 3, "expected null, found 'L'"},
		{"tru", 3, "expected true, found the end"},
		{"fAlse", 1, "expected false, found 'A'"},
		{"truex", 4, "expected nothing more, found 'x'"},
		{"-", 1, "expected a digit, found the end"},
		{"-x", 1, "expected a digit, found 'x'"},
		{"01", 1, "expected nothing more, found '1'"},
		{"1.", 2, "expected a digit, found the end"},
		{"1.e3", 2, "expected a digit, found 'e'"},
		{"1e+", 3, "expected a digit, found the end"},
		{"[1", 2, "expected ',' or ']', found the end"},
		{"[1}", 2, "expected ',' or ']', found '}'"},
		{"[1 2]", 3, "expected ',' or ']', found '2'"},
		{"[1,]", 3, "expected a value, found ']'"},
		{"[,1]", 1, "expected a value or ']', found ','"},
		{"[", 1, "expected a value or ']', found the end"},
		{"{", 1, "expected a key or '}', found the end"},
		{"{a:1}", 1, "expected a key or '}', found 'a'"},
		{`{"a"}`, 4, "expected ':', found '}'"},
		{`{"a" 1}`, 5, "expected ':', found '1'"},
		{`{"a":}`, 5, "expected a value, found '}'"},
		{`{"a":1]`, 6, "expected ',' or '}', found ']'"},
		{`{"a":1 "b":2}`, 7, "expected ',' or '}', found '\"'"},
		{`{"a":1,}`, 7, "expected a key, found '}'"},
		{`{"a":1,,}`, 7, "expected a key, found ','"},
		{`{"a`, 3, `expected '"', found the end`},
		{`"abc`, 4, `expected '"', found the end`},
		{`"abc\`, 5, `expected '"', found the end`},
		{`"a\x"`, 3, "expected an escape, found 'x'"},
		{`"\u12g4"`, 5, "expected a hexadecimal digit, found 'g'"},
		{`"\u12"`, 5, "expected a hexadecimal digit, found '\"'"},
		{`"\u12`, 5, `expected '"', found the end`},
		{"\"a\nb\"", 2, `control character '\n' in a string`},
		{"\"a\x00b\"", 2, `control character '\x00' in a string`},
		{"\"\\\n\"", 2, `control character '\n' in a string`},
		{"[1,\xff]", 3, "expected a value, found byte 0xff"},
		{"[1,é]", 3, `expected a value, found '\u00e9'`},
		{"[\"" + strings.Repeat("é", 99) + "\x1f\"]", 200, `control character '\x1f' in a string`},
		{strings.Repeat("[", 129), 128, "nested deeper than 128"},
	} {
		// The fault is the same whether the document is skipped or walked.
		for how, err := range map[string]error{"Valid": Valid([]byte(tt.doc)), "walk": walk(tt.doc)} {
			got, _ := err.(*SyntaxError)
			if got == nil {
				t.Errorf("%s of %q: %v", how, tt.doc, err)
			} else if got.Offset != tt.offset || got.Msg != tt.msg {
				t.Errorf("%s of %q: %d %q, want %d %q", how, tt.doc, got.Offset, got.Msg, tt.offset, tt.msg)
			}
		}
	}
	err := &SyntaxError{Offset: 17, Msg: "expected ':', found '}'"}
	if got, want := err.Error(), "invalid JSON at byte 17: expected ':', found '}'"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}

// walk enters everything that can be entered and returns what End says.
func walk(doc string) error {
	c := New([]byte(doc))
	walkValue(&c)
	return c.End()
}

func walkValue(c *Cursor) {
	if !c.Object() && !c.Array() {
		c.Skip()
		return
	}
	for c.Next() {
		walkValue(c)
	}
}

// A method that wants a kind of value notes a fault in one that starts like it.
func TestFaultyScalars(t *testing.T) {
	methods := map[string]func(c *Cursor) bool{
		"Str":   func(c *Cursor) bool { _, ok := c.Str(); return ok },
		"Int":   func(c *Cursor) bool { _, ok := c.Int(); return ok },
		"Float": func(c *Cursor) bool { _, ok := c.Float(); return ok },
		"Bool":  func(c *Cursor) bool { _, ok := c.Bool(); return ok },
		"Null":  func(c *Cursor) bool { return c.Null() },
	}
	for _, tt := range []struct {
		method, doc string
		offset      int
	}{
		{"Str", `"a`, 2}, {"Int", "-", 1}, {"Int", "1.", 2}, {"Float", "1e", 2}, {"Bool", "ture", 1}, {"Bool", "false"[:4], 4}, {"Null", "nil", 1},
	} {
		c := New([]byte(tt.doc))
		ok := methods[tt.method](&c)
		err, _ := c.Err().(*SyntaxError)
		if ok || err == nil || err.Offset != tt.offset {
			t.Errorf("%s of %s: %v, %v, want an error at %d", tt.method, tt.doc, ok, err, tt.offset)
		}
	}
}

// After an error nothing moves, and everything is zero.
func TestAfterError(t *testing.T) {
	doc := `{"a":[1,{"b":2 "c":3}],"d":"e"}`
	c := New([]byte(doc))
	c.Object()
	for c.Next() {
	}
	err := c.Err()
	if err == nil || c.Pos() != 15 {
		t.Fatalf("no error, or not at 15: %v", err)
	}
	if c.Next() || c.Object() || c.Array() || c.Null() || c.Kind() != Invalid {
		t.Error("something was there after an error")
	}
	c.Skip()
	c.Leave()
	s, ok1 := c.Str()
	n, ok2 := c.Int()
	f, ok3 := c.Float()
	b, ok4 := c.Bool()
	if s != nil || n != 0 || f != 0 || b || ok1 || ok2 || ok3 || ok4 {
		t.Error("a value was there after an error")
	}
	if c.Key() != nil || c.KeyStart() != -1 || c.Value() != nil {
		t.Error("a member was there after an error")
	}
	if c.Pos() != 15 || c.Err() != err || c.End() != err {
		t.Errorf("the error moved: %d, %v", c.Pos(), c.Err())
	}
}
