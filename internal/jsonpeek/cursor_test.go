// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"fmt"
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

// at returns a cursor at the first element of the array [doc, "after"].
func at(doc string) Cursor {
	c := New([]byte("[ " + doc + ` , "after"]`))
	if !c.Array() || !c.Next() {
		panic("no element: " + doc)
	}
	return c
}

// wantAfter checks that the cursor of at is through with its first element.
func wantAfter(t *testing.T, c Cursor) {
	t.Helper()
	if c.Kind() != Invalid {
		t.Errorf("a consumed value is still of kind %v", c.Kind())
	}
	if !c.Next() {
		t.Fatalf("no next element: %v", c.Err())
	}
	if s, ok := c.Str(); string(s) != "after" || !ok {
		t.Errorf("next element is %q, %v", s, ok)
	}
	if c.Next() || c.End() != nil {
		t.Errorf("not at the end: %v", c.Err())
	}
}

// wantUntouched checks that the cursor of at still has doc at hand.
func wantUntouched(t *testing.T, c Cursor, doc string) {
	t.Helper()
	if err := c.Err(); err != nil {
		t.Fatalf("Err() = %v", err)
	}
	if c.Pos() != 2 {
		t.Errorf("Pos() = %d, want 2", c.Pos())
	}
	if got := c.Value(); string(got) != doc {
		t.Errorf("Value() = %q, want %q", got, doc)
	}
}

func TestKind(t *testing.T) {
	for doc, want := range map[string]Kind{
		"null": Null, "true": Bool, "false": Bool, "-1": Number, "0": Number, "9e9": Number,
		`""`: String, "[]": Array, "{}": Object,
		" \t\r\n{}": Object,
		"":          Invalid, " ": Invalid, "x": Invalid, "+1": Invalid, "]": Invalid, "}": Invalid, ",": Invalid, "\xef\xbb\xbf1": Invalid,
		"nonsense": Null, // only the first byte is looked at
	} {
		c := New([]byte(doc))
		if got := c.Kind(); got != want {
			t.Errorf("Kind of %q is %v, want %v", doc, got, want)
		}
		if c.Err() != nil {
			t.Errorf("Kind of %q: %v", doc, c.Err())
		}
	}
	for kind, want := range []string{"invalid", "null", "bool", "number", "string", "array", "object", "invalid"} {
		if got := Kind(kind).String(); got != want {
			t.Errorf("Kind(%d).String() = %q, want %q", kind, got, want)
		}
	}
}

func TestStr(t *testing.T) {
	for _, text := range []string{``, `a`, `\"`, `\\`, `é\u00e9`, strings.Repeat(`long \n `, 100)} {
		c := at(`"` + text + `"`)
		got, ok := c.Str()
		if string(got) != text || got == nil || !ok {
			t.Errorf("Str() = %q, %v, want %q", got, ok, text)
		}
		wantAfter(t, c)
	}
	for _, doc := range []string{"1", "null", "[]", `{"a":"b"}`} {
		c := at(doc)
		if got, ok := c.Str(); got != nil || ok {
			t.Errorf("Str() of %s = %q, %v", doc, got, ok)
		}
		wantUntouched(t, c, doc)
	}
}

func TestInt(t *testing.T) {
	for doc, want := range map[string]int64{
		"0": 0, "-0": 0, "7": 7, "-7": -7, "512": 512,
		"3.0": 3, "3e2": 300, "3E+2": 300, "1.25e2": 125, "1200e-2": 12, "-120.0e-1": -12, "100000": 100000,
		"1.000000000000000000000000000000000": 1, "0.00e5": 0, "0e999999999999999999999": 0, "0.001e3": 1,
		"10000000000000000000000e-22":          1,
		"9223372036854775807":                  9223372036854775807,
		"-9223372036854775808":                 -9223372036854775808,
		"9.223372036854775807e18":              9223372036854775807,
		"9007199254740993":                     9007199254740993, // a float64 would lose the last digit
		strings.Repeat("1", 18):                111111111111111111,
		"5" + strings.Repeat("0", 18):          5000000000000000000,
		"1" + strings.Repeat("0", 90) + "e-90": 1,
	} {
		c := at(doc)
		if got, ok := c.Int(); got != want || !ok {
			t.Errorf("Int() of %s = %d, %v, want %d", doc, got, ok, want)
		}
		wantAfter(t, c)
	}
	for _, doc := range []string{
		"0.5", "-1.5", "1e-1", "12e-1", "1.01e1", "1e-999999999999999999999",
		"9223372036854775808", "-9223372036854775809", "18446744073709551616", "92233720368547758070", "9223372036854775810",
		"1e19", "1e99999999999999999999", "9.3e18", strings.Repeat("9", 400),
		`"1"`, "null", "true", "[1]", "{}",
	} {
		c := at(doc)
		if got, ok := c.Int(); got != 0 || ok {
			t.Errorf("Int() of %s = %d, %v", doc, got, ok)
		}
		wantUntouched(t, c, doc)
	}
}

func TestFloat(t *testing.T) {
	for doc, want := range map[string]float64{
		"0": 0, "1": 1, "-1.5": -1.5, "0.7": 0.7, "1e3": 1000, "1E-2": 0.01, "1e-400": 0, "9007199254740993": 9007199254740992,
	} {
		c := at(doc)
		if got, ok := c.Float(); got != want || !ok {
			t.Errorf("Float() of %s = %v, %v, want %v", doc, got, ok, want)
		}
		wantAfter(t, c)
	}
	for _, doc := range []string{"1e400", "-1e400", `"1"`, "null", "[1]"} {
		c := at(doc)
		if got, ok := c.Float(); got != 0 || ok {
			t.Errorf("Float() of %s = %v, %v", doc, got, ok)
		}
		wantUntouched(t, c, doc)
	}
}

func TestBoolAndNull(t *testing.T) {
	for _, want := range []bool{true, false} {
		c := at(fmt.Sprint(want))
		if c.Null() {
			t.Errorf("%v is null", want)
		}
		if v, ok := c.Bool(); v != want || !ok {
			t.Errorf("Bool() of %v = %v, %v", want, v, ok)
		}
		wantAfter(t, c)
	}
	c := at("null")
	if v, ok := c.Bool(); v || ok {
		t.Errorf("Bool() of null = %v, %v", v, ok)
	}
	if !c.Null() {
		t.Error("null is not null")
	}
	wantAfter(t, c)
	for _, doc := range []string{"0", `"true"`, `"null"`, "[]", "{}"} {
		c := at(doc)
		if v, ok := c.Bool(); v || ok {
			t.Errorf("Bool() of %s = %v, %v", doc, v, ok)
		}
		if c.Null() {
			t.Errorf("%s is null", doc)
		}
		wantUntouched(t, c, doc)
	}
}

func TestValueAndSkip(t *testing.T) {
	for _, doc := range []string{
		"null", "-1.5e+3", `"a\"b"`, "[]", "{}", "[ ]", "{ }", "[1, [2, {\"a\": []}]]", `{"a": {"b": [1, {}]}, "c": ""}`,
	} {
		c := at(doc)
		if got := c.Value(); string(got) != doc {
			t.Errorf("Value() = %q, want %q", got, doc)
		}
		if c.Pos() != 2+len(doc) {
			t.Errorf("Pos() after %s = %d, want %d", doc, c.Pos(), 2+len(doc))
		}
		if got := c.Value(); got != nil {
			t.Errorf("a second Value() = %q", got)
		}
		wantAfter(t, c)

		c = at(doc)
		c.Skip()
		c.Skip() // of nothing
		wantAfter(t, c)
	}
}

func TestEnterOnlyWhatIsThere(t *testing.T) {
	for _, doc := range []string{"1", `"{"`, "[1]", "null"} {
		c := at(doc)
		if c.Object() {
			t.Errorf("%s is an object", doc)
		}
		wantUntouched(t, c, doc)
	}
	for _, doc := range []string{"1", `"["`, `{"a":1}`, "null"} {
		c := at(doc)
		if c.Array() {
			t.Errorf("%s is an array", doc)
		}
		wantUntouched(t, c, doc)
	}
	// Inside a container, before Next, there is no value at hand.
	c := New([]byte("[[1]]"))
	if !c.Array() || c.Array() || c.Kind() != Invalid || c.Value() != nil {
		t.Error("entered twice without Next")
	}
	// Outside of any container there is no next one.
	c = New([]byte("1"))
	if c.Next() || c.Kind() != Number {
		t.Error("Next consumed a value at the top level")
	}
	c.Leave()
	if c.Kind() != Number {
		t.Error("Leave consumed a value at the top level")
	}
	if c.End() != nil || c.Next() {
		t.Error("Next after the end")
	}
}

func TestKey(t *testing.T) {
	doc := ` {"a" : 1, "" :{"in":[true]},"\u0061\n":[], "last":null}`
	c := New([]byte(doc))
	wantKey := func(want string, start int) {
		t.Helper()
		if got := c.Key(); string(got) != want || got == nil {
			t.Errorf("Key() = %q, want %q", got, want)
		}
		if got := c.KeyStart(); got != start || doc[start] != '"' {
			t.Errorf("KeyStart() = %d, want %d", got, start)
		}
	}
	wantNone := func(when string) {
		t.Helper()
		if c.Key() != nil || c.KeyStart() != -1 {
			t.Errorf("%s there is a key %q at %d", when, c.Key(), c.KeyStart())
		}
	}
	wantNone("at the top level")
	c.Object()
	wantNone("before Next")
	c.Next()
	wantKey("a", 2)
	c.Skip()
	wantKey("a", 2)
	c.Next()
	wantKey("", 11)
	c.Object()
	wantNone("in the inner object before Next")
	c.Next()
	wantKey("in", 16)
	c.Array()
	c.Next()
	wantNone("in an array")
	c.Leave()
	c.Leave()
	wantNone("after the inner object")
	again := New([]byte(`{"outer":{"inner":1,"other":2}}`))
	again.Object()
	again.Next()
	again.Object()
	again.Next()
	again.Leave()
	if again.Key() != nil {
		t.Errorf("after an object left at %q there is a key", again.Key())
	}
	c.Next()
	wantKey(`\u0061\n`, strings.Index(doc, `"\u`))
	c.Next()
	wantKey("last", strings.Index(doc, `"last`))
	if c.Next() {
		t.Error("more members")
	}
	wantNone("at the end")
	if err := c.End(); err != nil {
		t.Error(err)
	}
}

func TestPos(t *testing.T) {
	doc := ` { "a" : 12 , "b":[ ] } `
	c := New([]byte(doc))
	want := func(what string, offset int) {
		t.Helper()
		if c.Pos() != offset {
			t.Errorf("%s Pos() = %d, want %d", what, c.Pos(), offset)
		}
	}
	want("at the object", 1)
	c.Object()
	want("inside", 2)
	c.Next()
	want("at a's value", 9)
	c.Int()
	want("after it", 11)
	c.Next()
	want("at b's value", 18)
	c.Array()
	want("inside", 19)
	c.Next()
	want("after it", 21)
	c.Next()
	want("after the object", 23)
	if c.End() != nil {
		t.Error(c.Err())
	}
	want("after End", 23)
}

func TestLeave(t *testing.T) {
	const doc = `[[1,{"a":[2,3],"b":4},5],"after"]`
	// Each way goes somewhere into the inner array and leaves it.
	ways := map[string]func(c *Cursor){
		"at once":           func(c *Cursor) {},
		"with one at hand":  func(c *Cursor) { c.Next() },
		"with one consumed": func(c *Cursor) { c.Next(); c.Int() },
		"at the last":       func(c *Cursor) { c.Next(); c.Next(); c.Next() },
		"past the last":     func(c *Cursor) { c.Next(); c.Next(); c.Next(); c.Int() },
		"after an inner one": func(c *Cursor) {
			c.Next()
			c.Next()
			c.Object()
			c.Leave()
		},
		"after a deep one": func(c *Cursor) {
			c.Next()
			c.Next()
			c.Object()
			c.Next()
			c.Array()
			c.Next()
			c.Leave()
			c.Leave()
		},
	}
	for name, way := range ways {
		c := New([]byte(doc))
		c.Array()
		c.Next()
		c.Array()
		way(&c)
		c.Leave()
		if c.Pos() != 24 {
			t.Errorf("%s: Pos() = %d, want 24", name, c.Pos())
		}
		wantAfter(t, c)
	}

	c := New([]byte("[] "))
	c.Array()
	c.Leave()
	if c.Pos() != 2 || c.End() != nil {
		t.Errorf("after an empty array: %d, %v", c.Pos(), c.Err())
	}
}

func TestEnd(t *testing.T) {
	ways := map[string]func(c *Cursor){
		"untouched": func(c *Cursor) {},
		"skipped":   func(c *Cursor) { c.Skip() },
		"entered":   func(c *Cursor) { c.Object() },
		"deep":      func(c *Cursor) { c.Object(); c.Next(); c.Array(); c.Next() },
	}
	for name, way := range ways {
		for doc, ok := range map[string]bool{
			`{"a":[1,2],"b":3}`:        true,
			" {\"a\":[1,2],\"b\":3}\n": true,
			`{"a":[1,2],"b":3} x`:      false,
			`{"a":[1,2],"b":3}{}`:      false,
			`{"a":[1,2],"b":3`:         false,
			`{"a":[1,2,],"b":3}`:       false,
		} {
			c := New([]byte(doc))
			way(&c)
			if err := c.End(); (err == nil) != ok || err != c.Err() {
				t.Errorf("%s: End() of %s = %v", name, doc, err)
			}
			if again := c.End(); again != c.Err() {
				t.Errorf("%s: a second End() of %s = %v", name, doc, again)
			}
		}
	}
	var zero Cursor
	if zero.End() == nil {
		t.Error("a zero Cursor ends well")
	}
}

// A copy is a cursor of its own: look ahead with it, then go on with the other.
func TestCopy(t *testing.T) {
	c := at(`{"type":"text"}`)
	probe := c
	probe.Object()
	probe.Next()
	if s, _ := probe.Str(); string(s) != "text" {
		t.Errorf("type = %q", s)
	}
	wantUntouched(t, c, `{"type":"text"}`)
}

func TestDepth(t *testing.T) {
	nested := func(n int) []byte {
		s := strings.Repeat(`[{"a":`, n/2) + strings.Repeat("[", n%2)
		if n%2 == 0 {
			s += "1"
		}
		return []byte(s + strings.Repeat("]", n%2) + strings.Repeat("}]", n/2))
	}
	for _, tt := range []struct{ limit, accepts int }{
		{DefaultDepth, 128}, {MaxDepth, 256}, {1, 1}, {63, 63}, {64, 64}, {65, 65},
		{0, 1}, {-5, 1}, {1000, 256},
	} {
		c := NewDepth(nested(tt.accepts), tt.limit)
		if err := c.End(); err != nil {
			t.Errorf("limit %d: %d deep: %v", tt.limit, tt.accepts, err)
		}

		doc := nested(tt.accepts + 1)
		c = NewDepth(doc, tt.limit)
		err, _ := c.End().(*SyntaxError)
		if err == nil || err.Msg != fmt.Sprintf("nested deeper than %d", tt.accepts) {
			t.Errorf("limit %d: %d deep: %v", tt.limit, tt.accepts+1, err)
			continue
		}

		// Entering meets the same limit at the same place.
		c = NewDepth(doc, tt.limit)
		for entered := 0; ; entered++ {
			if !c.Array() && !c.Object() {
				if entered != tt.accepts {
					t.Errorf("limit %d: entered %d", tt.limit, entered)
				}
				break
			}
			c.Next()
		}
		if got := c.Err(); got == nil || got.Error() != err.Error() {
			t.Errorf("limit %d: entering says %v, skipping %v", tt.limit, got, err)
		}
	}
}

func TestAllocations(t *testing.T) {
	doc := []byte(`{"model":"llama3.2","n":[1,2.5,-3e2,9007199254740993],"ok":true,"none":null,"deep":{"a":[{"b":"c\n"}]}}`)
	var sum float64
	got := testing.AllocsPerRun(100, func() {
		c := New(doc)
		c.Object()
		for c.Next() {
			if EqualFold(c.Key(), "N") && c.Array() {
				for c.Next() {
					if n, ok := c.Int(); ok {
						sum += float64(n)
					} else if f, ok := c.Float(); ok {
						sum += f
					}
				}
			}
			c.Bool()
			c.Null()
			c.Str()
			c.Value()
		}
		if c.End() != nil {
			panic(c.Err())
		}
	})
	if got != 0 {
		t.Errorf("a walk allocates %v times", got)
	}
}
