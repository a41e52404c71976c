// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek_test

import (
	"strings"
	"testing"

	. "github.com/maccracken/hoosh/internal/jsonpeek"
)

func TestPath(t *testing.T) {
	// The offset asked for is that of the marker «, which is taken out.
	for _, tt := range []struct{ doc, want string }{
		{`«1`, ""},
		{`«"text"`, ""},
		{`«{"a":1}`, ""},
		{`{«"a":1}`, "a"},
		{`{"a«":1}`, "a"},
		{`{"a" « : 1}`, "a"},
		{`{"a":«1}`, "a"},
		{`{"a":12«3}`, "a"},
		{`{"a":1«,"b":2}`, ""},
		{`{"a":1, « "b":2}`, ""},
		{`{"a":1,"b":«2}`, "b"},
		{`{"a":1«}`, ""},
		{`{"a":1} «`, ""},
		{`«[1]`, ""},
		{`[«1,2]`, "[0]"},
		{`[1,«2]`, "[1]"},
		{`[1,[2,3,«4]]`, "[1][2]"},
		{`[1,«[2,3,4]]`, "[1]"},
		{`[1,[2,3,4«]]`, "[1]"},
		{`[1,[2,3,4]«]`, ""},
		{`[[[]],[],[{}],«1]`, "[3]"},
		{`{"messages":[{"role":"system"},{},{"role":"user","content":[{"type":«"text"}]}]}`, "messages[2].content[0].type"},
		{`{"messages":[{"role":"system"},{},{"role":"user","content":[{"type":"text"«}]}]}`, "messages[2].content[0]"},
		{`{"a":{"b":{"c":{}}},"d":{"e":«null}}`, "d.e"},
		{`{"a-b_c$1":«1}`, "a-b_c$1"},
		{`{"a":{"":«1}}`, `a[""]`},
		{`{"a b":{"c.d":«1}}`, `["a b"]["c.d"]`},
		{`{"\u0061\n":«1}`, `["a\n"]`},
		{`{"é":{"x":«1}}`, `["é"].x`},
		{`{"` + strings.Repeat("k", 70) + `":{"x":«1}}`, strings.Repeat("k", 64) + "....x"},
		{`{"` + strings.Repeat("é", 70) + `":«1}`, `["` + strings.Repeat("é", 32) + `"]...`},
		{`{"` + strings.Repeat("k", 63) + `é":«1}`, strings.Repeat("k", 63) + "..."},

		// Of invalid documents, as much as could be understood.
		{`«`, ""},
		{`{"a":[1,{"b":«x}]}`, "a[1].b"},
		{`{"a":[1,{"b":tru«x}]}`, "a[1].b"},
		{`{"a":[1,{"b":«}]}`, "a[1].b"},
		{`{"a":[1,{"b"«}]}`, "a[1].b"},
		{`{"a":[1,{"b\«x"}]}`, "a[1]"},
		{`{"a":[1,{"b":1 «2}]}`, "a[1]"},
		{`{"a":[1 «2]}`, "a"},
		{`{"a":[1,«]}`, "a"},
		{`{"a":"x«`, "a"},
		{`{"a":[{"b":"\«x"}]}`, "a[0].b"},
		{`{"a":nope,"b":«1}`, "a"},
		{`{"a":[1]«`, ""},
		{strings.Repeat("[", 256) + "«1", strings.Repeat("[0]", 256)},
		{strings.Repeat("[", 300) + "«1", strings.Repeat("[0]", 256)},
	} {
		offset := strings.Index(tt.doc, "«")
		doc := strings.Replace(tt.doc, "«", "", 1)
		if got := Path([]byte(doc), offset); got != tt.want {
			t.Errorf("Path of %s is %q, want %q", tt.doc, got, tt.want)
		}
	}
	for _, offset := range []int{-1, 99} {
		if got := Path([]byte(`{"a":{"b":1}}`), offset); got != "" {
			t.Errorf("Path at %d is %q", offset, got)
		}
	}
}

// Path agrees with the cursor about where every value is.
func TestPathOfEveryValue(t *testing.T) {
	doc := []byte(`{"a":[1,{"b":[[],{},"x"],"c":{"d":null}}],"e":-1,"f":[[[true]]]}`)
	var check func(c *Cursor, path string)
	check = func(c *Cursor, path string) {
		if got := Path(doc, c.Pos()); got != path {
			t.Errorf("Path at %d is %q, want %q", c.Pos(), got, path)
		}
		if c.Object() {
			for c.Next() {
				if path == "" {
					check(c, string(c.Key()))
				} else {
					check(c, path+"."+string(c.Key()))
				}
			}
		} else if c.Array() {
			for i := 0; c.Next(); i++ {
				check(c, path+"["+string(rune('0'+i))+"]")
			}
		} else {
			c.Skip()
		}
	}
	c := New(doc)
	check(&c, "")
	if err := c.End(); err != nil {
		t.Error(err)
	}
}
