// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

// FuzzValid holds Valid against encoding/json, and reads the document once
// more in the ways that choices name, which must come to the same end.
func FuzzValid(f *testing.F) {
	for i, doc := range append(append(accepted, refused...), tooDeep...) {
		f.Add([]byte(doc), []byte{byte(i), byte(i >> 1), 0, byte(i >> 2), 3, 4})
	}
	f.Fuzz(func(t *testing.T, doc, choices []byte) {
		before := bytes.Clone(doc)
		err := Valid(doc)
		deep := nesting(doc) > DefaultDepth
		if std := json.Valid(doc); std != (err == nil) && !(std && deep) {
			t.Fatalf("encoding/json says %v, Valid says %v", std, err)
		}
		if err == nil && deep {
			t.Fatal("Valid accepts what is nested too deep")
		}

		// Entering everything shows everything.
		r := rebuilder{c: New(doc)}
		r.value()
		wantSame(t, "entering", r.c.End(), err)
		if err == nil {
			var want bytes.Buffer
			if err := json.Compact(&want, doc); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.out, want.Bytes()) {
				t.Fatalf("walked %q, want %q", r.out, want.Bytes())
			}
		}

		// Entering here and skipping there shows parts.
		r = rebuilder{c: New(doc), choices: choices}
		r.value()
		wantSame(t, "choosing", r.c.End(), err)

		if serr, ok := err.(*SyntaxError); ok {
			if serr.Offset < 0 || serr.Offset > len(doc) {
				t.Fatalf("an error at %d", serr.Offset)
			}
			Path(doc, serr.Offset)
		}
		Path(doc, len(choices))
		if !bytes.Equal(doc, before) {
			t.Fatal("the document was written to")
		}
	})
}

func wantSame(t *testing.T, how string, got, want error) {
	t.Helper()
	if (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
		t.Fatalf("%s says %v, Valid says %v", how, got, want)
	}
}

// rebuilder writes the document that it walks, without white space, as far as
// it enters. Each choice decides what to do with one value; when there are no
// more it enters.
type rebuilder struct {
	c       Cursor
	choices []byte
	out     []byte
}

func (r *rebuilder) choice() (ch byte) {
	if len(r.choices) > 0 {
		ch, r.choices = r.choices[0], r.choices[1:]
	}
	return ch
}

func (r *rebuilder) value() {
	ch := r.choice()
	switch ch % 8 {
	case 1:
		r.c.Skip()
		return
	case 2:
		r.c.Value()
		return
	case 3:
		return
	}
	limit := -1
	if ch%8 == 4 {
		limit = int(ch / 8)
	}
	switch r.c.Kind() {
	case Object:
		r.members(r.c.Object, "{", "}", limit)
	case Array:
		r.members(r.c.Array, "[", "]", limit)
	case String:
		if s, ok := r.c.Str(); ok {
			r.out = append(append(append(r.out, '"'), s...), '"')
		}
	case Number:
		if ch%8 == 5 {
			r.c.Float()
		}
		if ch%8 == 6 {
			r.c.Int()
		}
		r.out = append(r.out, r.c.Value()...)
	case Bool:
		if v, ok := r.c.Bool(); ok && v {
			r.out = append(r.out, "true"...)
		} else if ok {
			r.out = append(r.out, "false"...)
		}
	case Null:
		if r.c.Null() {
			r.out = append(r.out, "null"...)
		}
	case Invalid:
		r.c.Skip()
	}
}

// members enters the container at hand and writes it, or its first limit
// members if that is not negative.
func (r *rebuilder) members(enter func() bool, open, end string, limit int) {
	if !enter() {
		return
	}
	r.out = append(r.out, open...)
	for n := 0; n != limit; n++ {
		if !r.c.Next() {
			r.out = append(r.out, end...)
			return
		}
		if n > 0 {
			r.out = append(r.out, ',')
		}
		if open == "{" {
			r.out = append(append(append(r.out, '"'), r.c.Key()...), `":`...)
		}
		r.value()
	}
	r.c.Leave()
}

// nesting returns the deepest nesting of a document, told simply.
func nesting(doc []byte) int {
	depth, deepest := 0, 0
	quoted := false
	for i := 0; i < len(doc); i++ {
		switch ch := doc[i]; {
		case ch == '"':
			quoted = !quoted
		case quoted && ch == '\\':
			i++
		case quoted:
		case ch == '[' || ch == '{':
			depth++
			deepest = max(deepest, depth)
		case ch == ']' || ch == '}':
			depth--
		}
	}
	return deepest
}

// FuzzUnquote holds the text of raw bytes against what encoding/json decodes.
func FuzzUnquote(f *testing.F) {
	for _, doc := range accepted {
		f.Add([]byte(strings.Trim(doc, `"`)))
	}
	for _, raw := range []string{`\`, `\u12`, `\ud83d\u12`, "\xff\\u00e9\xc3", `\ud83d\ud83d\ude00`} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := Unquote(raw)
		if app := AppendUnquote([]byte("x"), raw); string(app) != "x"+got {
			t.Fatalf("AppendUnquote says %q, Unquote %q", app, got)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("the text is not valid: %q", got)
		}
		if NeedsUnquote(raw) != (got != string(raw)) {
			t.Fatalf("NeedsUnquote says %v, the text is %q", NeedsUnquote(raw), got)
		}
		if !Equal(raw, got) || !EqualFold(raw, got) || Equal(raw, got+"x") || EqualFold(raw, "x"+got) {
			t.Fatalf("equality with %q fails", got)
		}
		var want string
		if err := json.Unmarshal([]byte(`"`+string(raw)+`"`), &want); err != nil {
			return
		}
		if got != want {
			t.Fatalf("the text is %q, want %q", got, want)
		}
	})
}

// FuzzQuote sends a text through AppendQuote and back through encoding/json.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t", "\x00\x1f\x7f", "é€😀", "\u2028\u2029", "<&>", "\xff\xc3", "0123456\n", "é\xff\n", `{"a":"b\n"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted := AppendQuote(nil, s)
		if err := Valid(quoted); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(quoted, &got); err != nil {
			t.Fatal(err)
		}
		want := string([]rune(s)) // each invalid byte becomes U+FFFD
		if got != want {
			t.Fatalf("came back as %q, want %q", got, want)
		}
		c := New(quoted)
		raw, ok := c.Str()
		if !ok || Unquote(raw) != want {
			t.Fatalf("Unquote says %q, want %q", Unquote(raw), want)
		}
		if b := AppendEscape(nil, []byte(s)); !bytes.Equal(b, raw) {
			t.Fatalf("the bytes give %q, the string %q", b, raw)
		}

		// encoding/json writes the same, but for two characters it need not
		// escape.
		var std bytes.Buffer
		enc := json.NewEncoder(&std)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(strings.NewReplacer("\u2028", "-", "\u2029", "-").Replace(s)); err != nil {
			t.Fatal(err)
		}
		plain := strings.NewReplacer("\u2028", "-", "\u2029", "-").Replace(string(quoted))
		if plain != strings.TrimSuffix(std.String(), "\n") {
			t.Fatalf("wrote %s, encoding/json writes %s", plain, std.String())
		}
	})
}

// FuzzEqualFold holds EqualFold against strings.EqualFold of the text, and
// against what encoding/json takes for the key of a field.
func FuzzEqualFold(f *testing.F) {
	for _, name := range fieldNames {
		f.Add([]byte(name), name)
		f.Add([]byte(strings.ToUpper(name)), name)
	}
	f.Add([]byte("max_token\u017f"), "max_tokens")
	f.Add([]byte(`\u212aelvin`), "kelvin")
	f.Add([]byte(`mod\u0045l`), "model")
	f.Add([]byte("\xff"), "\ufffd")
	f.Add([]byte("\xff"), "\xfe")
	f.Add([]byte("ς"), "Σ")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		text := Unquote(raw)
		if got, want := EqualFold(raw, name), strings.EqualFold(text, name); got != want {
			t.Fatalf("EqualFold(%q, %q) = %v, want %v", raw, name, got, want)
		}
		if got, want := Equal(raw, name), text == name; got != want {
			t.Fatalf("Equal(%q, %q) = %v, want %v", raw, name, got, want)
		}
		if !json.Valid([]byte(`"` + string(raw) + `"`)) {
			return // not a key
		}
		for i, field := range fieldNames {
			into := reflect.New(fieldTypes[i])
			if err := json.Unmarshal([]byte(`{"`+string(raw)+`":1}`), into.Interface()); err != nil {
				t.Fatal(err)
			}
			if got, want := EqualFold(raw, field), into.Elem().Field(0).Int() == 1; got != want {
				t.Fatalf("EqualFold(%q, %q) = %v, encoding/json says %v", raw, field, got, want)
			}
		}
	})
}

// fieldNames are keys, and fieldTypes structs with one field each of that name.
var fieldNames = []string{"model", "max_tokens", "kelvin", "straße", "σ", "ſtop"}

var fieldTypes = func() (types []reflect.Type) {
	for _, name := range fieldNames {
		types = append(types, reflect.StructOf([]reflect.StructField{{
			Name: "Field",
			Type: reflect.TypeFor[int](),
			Tag:  reflect.StructTag(`json:"` + name + `"`),
		}}))
	}
	return types
}()
