// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"encoding/json"
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

func TestUnquote(t *testing.T) {
	for _, tt := range []struct{ raw, want string }{
		{``, ""},
		{`plain`, "plain"},
		{`\"\\\/\b\f\n\r\t`, "\"\\/\b\f\n\r\t"},
		{`a\nb`, "a\nb"},
		{`\u0041\u00e9\u20AC\u20ac`, "Aé€€"},
		{`\u0000`, "\x00"},
		{`\\u0041`, `\u0041`},
		{`é€😀`, "é€😀"},
		{`\ud83d\ude00`, "😀"},
		{`x\uD83D\uDE00y`, "x😀y"},
		{`\ud800`, "\ufffd"},
		{`\udc00`, "\ufffd"},
		{`\ud800x`, "\ufffdx"},
		{`\ud800\n`, "\ufffd\n"},
		{`\ud800\u0041`, "\ufffdA"},
		{`\ud800\ud800`, "\ufffd\ufffd"},
		{`\ud800\ud83d\ude00`, "\ufffd😀"},
		{`\ude00\ud83d`, "\ufffd\ufffd"},
		{`\ufffd`, "\ufffd"},
		{"\ufffd", "\ufffd"},
		{"\xff", "\ufffd"},
		{"a\xffb\xfe\xfdc", "a\ufffdb\ufffd\ufffdc"},
		{"\xc3", "\ufffd"},
		{"\xc3\\n\xa9", "\ufffd\n\ufffd"}, // an escape between does not join them
		{"\xe2\x82x", "\ufffd\ufffdx"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"\xc0\x80", "\ufffd\ufffd"},
		{strings.Repeat(`long é \" `, 50), strings.Repeat(`long é " `, 50)},
		{strings.Repeat("\xff", 500) + `\n`, strings.Repeat("\ufffd", 500) + "\n"},
	} {
		raw := []byte(tt.raw)
		if got := Unquote(raw); got != tt.want {
			t.Errorf("Unquote(%q) = %q, want %q", raw, got, tt.want)
		}
		if got := AppendUnquote([]byte("x"), raw); string(got) != "x"+tt.want {
			t.Errorf("AppendUnquote(x, %q) = %q, want x and %q", raw, got, tt.want)
		}
		if got := NeedsUnquote(raw); got != (tt.raw != tt.want) {
			t.Errorf("NeedsUnquote(%q) = %v", raw, got)
		}
		if !Equal(raw, tt.want) || !EqualFold(raw, tt.want) {
			t.Errorf("%q does not equal %q", raw, tt.want)
		}
		var std string
		if err := json.Unmarshal([]byte(`"`+tt.raw+`"`), &std); err != nil || std != tt.want {
			t.Errorf("encoding/json reads %q as %q, %v", raw, std, err)
		}
	}

	// No Cursor hands these out; they must do no harm.
	for raw, want := range map[string]string{
		`\`: "\ufffd", `a\`: "a\ufffd", `\x`: "\ufffdx", `\u`: "\ufffdu", `\u12`: "\ufffdu12", `\u12g4`: "\ufffdu12g4",
		`\ud83d\u`: "\ufffd\ufffdu", `"`: `"`, "\n": "\n",
	} {
		if got := Unquote([]byte(raw)); got != want {
			t.Errorf("Unquote(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestAppendQuote(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{`"quoted" \ /`, `"\"quoted\" \\ /"`},
		{"\b\f\n\r\t", `"\b\f\n\r\t"`},
		{"\x00\x01\x1f\x7f", `"\u0000\u0001\u001f` + "\x7f" + `"`},
		{"<a href='x'>&</a>", `"<a href='x'>&</a>"`},
		{"é€😀\u2028\u2029", "\"é€😀\u2028\u2029\""},
		{"\ufffd", "\"\ufffd\""},
		{"\xff", `"\ufffd"`},
		{"a\xffb\xc3", `"a\ufffdb\ufffd"`},
		{"é\n\xffé\n", `"é\n\ufffdé\n"`},
		{strings.Repeat("0123456", 9) + "\n" + strings.Repeat("é", 9), `"` + strings.Repeat("0123456", 9) + `\n` + strings.Repeat("é", 9) + `"`},
		{`{"a":"b\n"}`, `"{\"a\":\"b\\n\"}"`},
	} {
		if got := AppendQuote([]byte("x"), tt.text); string(got) != "x"+tt.want {
			t.Errorf("AppendQuote(x, %q) = %s, want x%s", tt.text, got, tt.want)
		}
		want := tt.want[1 : len(tt.want)-1]
		if got := AppendEscape(nil, tt.text); string(got) != want {
			t.Errorf("AppendEscape(%q) = %s, want %s", tt.text, got, want)
		}
		if got := AppendEscape(nil, []byte(tt.text)); string(got) != want {
			t.Errorf("AppendEscape of the bytes %q = %s, want %s", tt.text, got, want)
		}
	}
}

// JSON text put into a JSON string comes out as it was, however often.
func TestEscapeNests(t *testing.T) {
	const doc = `{"path":"C:\\temp\n","quote":"\"é\u00e9\""}`
	text := doc
	for range 5 {
		text = string(AppendQuote(nil, text))
		if err := Valid([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		c := New([]byte(text))
		raw, _ := c.Str()
		text = Unquote(raw)
	}
	if text != doc {
		t.Errorf("came out as %s", text)
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		raw, name string
		equal     bool
		fold      bool
	}{
		{"", "", true, true},
		{"model", "model", true, true},
		{"Model", "model", false, true},
		{"model", "mode", false, false},
		{"mode", "model", false, false},
		{"nodel", "model", false, false},
		{`mod\u0065l`, "model", true, true},
		{`mod\u0045l`, "model", false, true},
		{`\u006d\u006f\u0064\u0065\u006c`, "model", true, true},
		{`model\u0000`, "model", false, false},
		{`a\nb`, "a\nb", true, true},
		{`a\nb`, `a\nb`, false, false}, // the text is not what stands there
		{`\\`, `\`, true, true},
		{`\\`, `\\`, false, false},
		{"max_token\u017f", "max_tokens", false, true},
		{"MAX_TOKEN\\u017F", "max_tokens", false, true},
		{"\u212aey", "key", false, true},
		{"k", "\u212a", false, true},
		{"\\u212a", "\u212a", true, true},
		{"ß", "ss", false, false},
		{"ß", "ẞ", false, true},
		{"σ", "ς", false, true},
		{"É", "é", false, true},
		{"@", "`", false, false}, // a bit apart, as letters are, but none
		{"[", "{", false, false},
		{"\xff", "\xff", false, true}, // a text is never invalid; folding takes both for U+FFFD
		{"\xff", "\ufffd", true, true},
		{"\xff", "\xfe", false, true},
		{`\ud800`, "\ufffd", true, true},
		{`\ud83d\ude00`, "😀", true, true},
	} {
		if got := Equal([]byte(tt.raw), tt.name); got != tt.equal {
			t.Errorf("Equal(%q, %q) = %v", tt.raw, tt.name, got)
		}
		if got := EqualFold([]byte(tt.raw), tt.name); got != tt.fold {
			t.Errorf("EqualFold(%q, %q) = %v", tt.raw, tt.name, got)
		}
	}
}

func TestStringAllocations(t *testing.T) {
	raw := []byte(strings.Repeat(`some text \n é \u00e9 `, 20))
	text, buf := Unquote(raw), make([]byte, 0, 4096)
	bytes := []byte(text)
	for name, f := range map[string]func(){
		"AppendUnquote":            func() { buf = AppendUnquote(buf[:0], raw) },
		"AppendQuote":              func() { buf = AppendQuote(buf[:0], text) },
		"AppendEscape":             func() { buf = AppendEscape(buf[:0], bytes) },
		"AppendEscape, invalid":    func() { buf = AppendEscape(buf[:0], "é\xffé") },
		"Equal":                    func() { Equal(raw, text) },
		"EqualFold":                func() { EqualFold(raw, text) },
		"NeedsUnquote":             func() { NeedsUnquote(raw) },
		"AppendUnquote of nothing": func() { AppendUnquote(nil, nil) },
	} {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
	if got := testing.AllocsPerRun(100, func() { Unquote(raw) }); got != 1 {
		t.Errorf("Unquote allocates %v times", got)
	}
}
