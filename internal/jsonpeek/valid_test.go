// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

// accepted are documents at the edge of the grammar, on its inner side.
var accepted = []string{
	"0", "-0", "1", "-1", "10", "1.0", "0.1", "-0.1", "1e1", "1E1", "1e+1", "1e-1", "1.5e10", "0e0", "0e+1", "0.0e-0", "1e00", "1e400",
	"123456789012345678901234567890", "-0.000000000000000000000000000000000000000000000000001", "20e1", "123.456e78",
	"true", "false", "null",
	`""`, `" "`, `"a"`, `"/"`, `"\/"`, `"\b\f\n\r\t\"\\"`, `"\u0000"`, `"\u0012"`, `"\uABCD\uabcd"`, `"\u00e9"`, `"\\u0000"`, `"\\n"`,
	`"\ud83d\ude00"`, `"\uD834\uDd1e"`, `"\ud800"`, `"\udc00"`, `"\ud800\ud800"`, `"\udc00\ud800"`, `"\ud800\n"`, `"\ud800abc"`, `"\ud800\u0041"`,
	`"\uFFFE\uFFFF"`, `"\uDBFF\uDFFF"`, `"é"`, `"€"`, `"𝄞"`, "\"\u2028\u2029\"", "\"\x7f\"", "\"\u0080\"", `"'"`, `"/* no comment */"`, `"#"`,
	"\"\xff\"", "\"\xc3\"", "\"\xc3\\n\"", "\"\xe2\x82\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xc0\x80\"", "\"\x80\x80\"",
	`"\\"`, `"\\\\"`, `"\\\""`, `"\"\"\"\"\"\"\"\""`,
	"[]", "[ ]", "[[]]", "[[],[]]", `[""]`, "[1]", "[1,2]", "[ 1 , 2 ]", "[1\n]", "[null,1,\"1\",{}]", "[0e+1]", "[[[[[[[[]]]]]]]]", "[-0]", `["a"]`,
	"{}", "{ }", `{"":0}`, `{"a":1}`, `{"a":1,"b":2}`, `{"a":1,"a":2}`, `{"a":[]}`, `{"a":{}}`, `{ "a" : 1 , "b" : [ ] }`, `{"\u0061":"\u0061"}`,
	`{"a\"b":"}"}`, `{"[":"]"}`, `{"x":[{"id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}],"id":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`,
	" 1", "1 ", "\t\r\n 1\t\r\n ", " [] ", "\n{\n\"a\"\n:\n1\n}\n", " \"a\" ",
	strings.Repeat("[", 128) + strings.Repeat("]", 128),
	strings.Repeat(`{"a":`, 128) + "1" + strings.Repeat("}", 128),
}

// refused are documents just outside of it.
var refused = []string{
	"", " ", "\n", "\x00", "\xef\xbb\xbf", "\xef\xbb\xbf{}", "\xff\xfe1\x00",
	"-", "+1", "--1", "-+1", "- 1", "01", "-01", "00", "1.", ".1", "-.1", "1.e1", "1e", "1e+", "1e-", "1E", "1.5e", "1e1.5", "1ee1", "1e+-1", "0x1", "1_000",
	"1,000", "1 000", "Infinity", "-Infinity", "NaN", "-NaN", "1a", "1f", "1-1", "1+1", "0.", "0e", "0e+", "-0.e1", "１", "1\x00",
	"t", "tr", "tru", "True", "TRUE", "truee", "true1", "f", "fals", "n", "nul", "nil", "Null", "nullnull", "undefined", "tru e",
	`"`, `"a`, `a"`, `'a'`, `"\`, `"\"`, `"\\\"`, `"\x"`, `"\0"`, `"\a"`, `"\U0041"`, `"\'"`, `"\ "`, `"\é"`, "\"\\\x00\"", "\"\\\n\"",
	`"\u"`, `"\u0"`, `"\u00"`, `"\u004"`, `"\u00g0"`, `"\u 041"`, `"\u+041"`, `"\u004`, `"\u`, `"\ud83d\u"`, `"\ud83d\ude0"`, `"\u{41}"`, `"\u00é"`,
	"\"\x00\"", "\"\x01\"", "\"\x1f\"", "\"\t\"", "\"\n\"", "\"\r\"", "\"aaaaaaa\x1f\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\"",
	`"a" "b"`, `"a"b`, `""""`, `"a"a"`, `"\u0022`, "\x80", "\"\x80", `“a”`,
	"[", "]", "[]]", "[[]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1;2]", "[1:2]", `["a":1]`, "[1}", "[}", "[]x", "[][]", `["a"`, `["a`, "[a]", "[-]",
	"[1,\n1\n,1", "[\x00]", "[\xff]", "[\x0b1]", "[\x0c]", "[\u00a01]", "[\u20281]", "[*]", `[""`, `["",`, "[1]1", "[1] x", "[\"a\"\"b\"]", "[[1]2]", "[{}{}]", "[//\n]", "[/**/]", "[1]#",
	"{", "}", "{}}", "{{}}", `{"a"}`, `{"a":}`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,"a":1}`, `{"a":1,,"b":2}`, `{"a" 1}`, `{"a"::1}`, `{"a":1 "b":2}`, `{"a":1;"b":2}`,
	`{"a":1:2}`, `{a:1}`, `{'a':1}`, `{1:1}`, `{null:1}`, `{[]:1}`, `{"a":1]`, `{"a"`, `{"a":`, `{"a`, `{"a":a}`, `{"a":"b"`, `{"a":"b"}x`, `{"a":"b"},`, `{"a":"b"}#`, `{"a":"b"}//`,
	`{"a":"b","c"}`, `{"a":"b",:1}`, `{:1}`, `{"a\x":1}`, "{\"a\n\":1}", `{"a":1,"b"`, `{"a","b"}`, `{"a":,}`, `{"a"=1}`, `{"a":-}`, `{"a":01}`, `{"a":tru}`, `{"\u":1}`,
	"1 1", "1,2", "1]", "1}", "null,", ":", ",", ";", "/", "//", "# 1", "<null>", "@", "[1]\x00", "{}\xff", "\x0b1", "\u00a01", "1\x0c", "\u200b1", "*", "!", "(1)", "`a`",
	"{\"a\":[{\"b\":1]}", `[{"a":[}]]`, `[{"a":1]}`, `{"a":[1}`, `{"a":[1}]`, `[[[[1}]]]`,
}

// tooDeep are documents that only the limit of nesting refuses.
var tooDeep = []string{
	strings.Repeat("[", 129) + strings.Repeat("]", 129),
	strings.Repeat(`{"a":`, 129) + "1" + strings.Repeat("}", 129),
	strings.Repeat(`[{"a":`, 1000) + "1" + strings.Repeat("}]", 1000),
}

func TestValid(t *testing.T) {
	check := func(docs []string, std, here bool) {
		for _, doc := range docs {
			if got := json.Valid([]byte(doc)); got != std {
				t.Errorf("encoding/json says %v to %.80q", got, doc)
			}
			for how, err := range map[string]error{"Valid": Valid([]byte(doc)), "walk": walk(doc)} {
				if (err == nil) != here {
					t.Errorf("%s says %v to %.80q", how, err, doc)
				}
			}
		}
	}
	check(accepted, true, true)
	check(refused, false, false)
	check(tooDeep, true, false)
}

// Every beginning of a document, and every document with one byte lost, is
// judged as encoding/json judges it.
func TestValidDamaged(t *testing.T) {
	doc := `{"model":"a\u00e9\"b","messages":[{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("lazy dog ", 9) +
		`"}]},null,true,-1.50e+10,[],{}],"x":{ "y" : [ 1 , 2 ] } }`
	same := func(doc string) {
		t.Helper()
		std := json.Valid([]byte(doc))
		if err := Valid([]byte(doc)); (err == nil) != std {
			t.Errorf("Valid says %v to %q", err, doc)
		}
		if err := walk(doc); (err == nil) != std {
			t.Errorf("walk says %v to %q", err, doc)
		}
	}
	for i := range len(doc) {
		same(doc[:i])
		same(doc[:i] + doc[i+1:])
		for _, ch := range "\x00\"\\{}[],:e-0 u\xff" {
			same(doc[:i] + string(ch) + doc[i+1:])
		}
	}
}

// A byte that matters is found at every place of a long string, whatever
// surrounds it: the scan takes words and blocks at a time.
func TestStringScan(t *testing.T) {
	fillers := []string{"a", " ", "!", "#", "[", "]", "\x7f", "\x80", "\xa2", "\xdc", "\xff"}
	for size := range 100 {
		for place := range size + 1 {
			for _, filler := range fillers {
				before, after := strings.Repeat(filler, place), strings.Repeat(filler, size-place)
				for _, stop := range []string{"\x00", "\x1f", "\n", `\x`, `\u00zz`} {
					err, _ := Valid([]byte(`"` + before + stop + after + `"`)).(*SyntaxError)
					if err == nil || err.Offset < 1+place || err.Offset > 1+place+len(stop)+5 {
						t.Fatalf("%q at %d of %d %q: %v", stop, place, size, filler, err)
					}
				}
				for _, middle := range []string{"", `\"`, `\\`, `\n`, `\u0022`, ` `} {
					c := New([]byte(`["` + before + middle + after + `",1]`))
					c.Array()
					c.Next()
					if s, _ := c.Str(); string(s) != before+middle+after || c.End() != nil {
						t.Fatalf("%q at %d of %d %q: %q, %v", middle, place, size, filler, s, c.Err())
					}
				}
			}
		}
	}
}
