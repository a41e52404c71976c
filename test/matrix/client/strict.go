// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"
)

// doc remembers the first thing that is wrong with an answer.
type doc struct{ err error }

func (d *doc) fail(path, format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%s: "+format, append([]any{path}, args...)...)
	}
}

// node is a value within a JSON document, with the way to it. A node that is not
// there has no raw.
type node struct {
	d    *doc
	path string
	raw  json.RawMessage
}

// parse reads one whole JSON document: valid UTF-8, no key twice, nothing after it.
func (d *doc) parse(path string, raw []byte) node {
	n := node{d: d, path: path, raw: bytes.TrimSpace(raw)}
	if !utf8.Valid(raw) {
		d.fail(path, "invalid UTF-8: %.80q", raw)
		return node{d: d, path: path}
	}
	if err := wellFormed(raw); err != nil {
		d.fail(path, "%v in %.200q", err, raw)
		return node{d: d, path: path}
	}
	return n
}

// wellFormed is nil for one JSON value in which no object has a key twice.
func wellFormed(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := walk(dec); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the JSON value")
	}
	return nil
}

func walk(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		seen := map[string]bool{}
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return err
			}
			key, _ := k.(string)
			if seen[key] {
				return fmt.Errorf("key %q twice", key)
			}
			seen[key] = true
			if err := walk(dec); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	case json.Delim('['):
		for dec.More() {
			if err := walk(dec); err != nil {
				return err
			}
		}
		_, err = dec.Token()
	}
	return err
}

// there reports that the node exists and is not null.
func (n node) there() bool { return len(n.raw) > 0 && string(n.raw) != "null" }

func (n node) fields() map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if len(n.raw) == 0 {
		n.d.fail(n.path, "missing")
		return nil
	}
	if n.raw[0] != '{' || json.Unmarshal(n.raw, &m) != nil {
		n.d.fail(n.path, "not an object: %.80s", n.raw)
	}
	return m
}

// at is the member key; asking for its value fails if it is missing.
func (n node) at(key string) node {
	m := node{d: n.d, path: n.path + "." + key}
	if len(n.raw) > 0 && n.raw[0] == '{' {
		m.raw = n.fields()[key]
	}
	return m
}

// needs fails unless all keys are there, null perhaps.
func (n node) needs(keys ...string) node {
	m := n.fields()
	for _, k := range keys {
		if _, ok := m[k]; !ok && m != nil {
			n.d.fail(n.path+"."+k, "missing")
		}
	}
	return n
}

// only fails for a member that is none of keys.
func (n node) only(keys ...string) node {
	for k := range n.fields() {
		if !slices.Contains(keys, k) {
			n.d.fail(n.path+"."+k, "unknown member")
		}
	}
	return n
}

// list gives the elements of an array that must be there.
func (n node) list() []node {
	var l []json.RawMessage
	if len(n.raw) == 0 || n.raw[0] != '[' || json.Unmarshal(n.raw, &l) != nil {
		n.d.fail(n.path, "not an array: %.80s", n.raw)
		return nil
	}
	out := make([]node, len(l))
	for i := range l {
		out[i] = node{d: n.d, path: n.path + "[" + strconv.Itoa(i) + "]", raw: l[i]}
	}
	return out
}

// listOr is list, or nothing where there is none.
func (n node) listOr() []node {
	if !n.there() {
		return nil
	}
	return n.list()
}

// str is a string that must be there.
func (n node) str() string {
	var s string
	if len(n.raw) == 0 || n.raw[0] != '"' || json.Unmarshal(n.raw, &s) != nil {
		n.d.fail(n.path, "not a string: %.80s", n.raw)
	}
	return s
}

// some is a string that must be there and not be empty.
func (n node) some() string {
	s := n.str()
	if s == "" {
		n.d.fail(n.path, "an empty string")
	}
	return s
}

// strOr is a string, or "" where there is none or null.
func (n node) strOr() string {
	if !n.there() {
		return ""
	}
	return n.str()
}

// is fails unless the node is the string s.
func (n node) is(s string) {
	if got := n.str(); got != s {
		n.d.fail(n.path, "%q, not %q", got, s)
	}
}

// oneOf fails unless the node is one of the words, and gives it.
func (n node) oneOf(words ...string) string {
	s := n.str()
	if !slices.Contains(words, s) {
		n.d.fail(n.path, "%q is none of %q", s, words)
	}
	return s
}

// int is a whole number, not negative, that must be there.
func (n node) int() int64 {
	v, err := strconv.ParseInt(string(n.raw), 10, 64)
	if err != nil || v < 0 {
		n.d.fail(n.path, "not a count: %.80s", n.raw)
	}
	return v
}

// intOr is int, or 0 where there is none or null.
func (n node) intOr() int64 {
	if !n.there() {
		return 0
	}
	return n.int()
}

// bool is true or false, and must be there.
func (n node) bool() bool {
	if s := string(n.raw); s != "true" && s != "false" {
		n.d.fail(n.path, "not a boolean: %.80s", n.raw)
	}
	return string(n.raw) == "true"
}

// args is a string that holds a JSON object.
func (n node) args() string {
	s := n.str()
	checkArgs(n.d, n.path, s)
	return s
}

func checkArgs(d *doc, path, s string) {
	if err := wellFormed([]byte(s)); err != nil {
		d.fail(path, "arguments %.200q: %v", s, err)
	} else if t := bytes.TrimSpace([]byte(s)); t[0] != '{' {
		d.fail(path, "arguments are not an object: %.80q", s)
	}
}
