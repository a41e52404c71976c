// SPDX-License-Identifier: AGPL-3.0-only

package backend

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// fault is a refusal with the words that some vendors have beside its kind.
type fault struct {
	neutral.Fault
	code, param string
}

// check is one request that is being checked. The first thing that is wrong is
// what the client is told.
type check struct {
	s     *Server
	r     *http.Request
	words words
	body  []byte

	ask   neutral.Ask
	fault *fault
}

// words are a vendor's way to say where and what.
type words struct {
	index   func(path string, i int) string
	unknown func(path, key string) (code, message string)
	missing func(path string) (code, message string)
	wrong   func(path, want, got string) (code, message string)
	// camel: names may be written in snake_case too, and numbers as strings.
	camel bool
}

func brackets(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func dots(path string, i int) string { return path + "." + strconv.Itoa(i) }

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// refuse refuses the request as the client's own mistake at path.
func (c *check) refuse(path, format string, args ...any) {
	c.refuseAs(fault{param: path}, format, args...)
}

// refuseAs refuses with the kind, status and code of f.
func (c *check) refuseAs(f fault, format string, args ...any) {
	if c.fault != nil {
		return
	}
	if f.Kind == "" {
		f.Kind = neutral.FaultInvalid
	}
	f.Message = fmt.Sprintf(format, args...)
	c.fault = &f
}

// ok reports that nothing is wrong yet.
func (c *check) ok() bool { return c.fault == nil }

// post refuses any other method.
func (c *check) post() bool {
	if c.r.Method != http.MethodPost {
		c.refuseAs(fault{Fault: neutral.Fault{Status: http.StatusMethodNotAllowed}}, "Method %s is not allowed for %s.", c.r.Method, c.r.URL.Path)
	}
	return c.ok()
}

// key demands one by Authorization, or by one of the other headers.
func (c *check) key(headers ...string) {
	got := ""
	if scheme, key, _ := strings.Cut(c.r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Bearer") {
		got = strings.TrimSpace(key)
	}
	for _, h := range headers {
		if v := c.r.Header.Get(h); v != "" {
			got = v
		}
	}
	if got == "" {
		c.refuseAs(fault{Fault: neutral.Fault{Kind: neutral.FaultAuth, Status: http.StatusUnauthorized}}, "You didn't provide an API key.")
	}
}

// document gives the body as a value: one JSON object in valid UTF-8.
func (c *check) document(jsonType bool) value {
	if jsonType {
		if t, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type")); err != nil || t != "application/json" {
			c.refuse("", "Content-Type must be application/json, got %q.", c.r.Header.Get("Content-Type"))
		}
	}
	if err := wellFormed(c.body); err != nil {
		c.refuse("", "We could not parse the JSON body of your request: %v.", err)
		return value{c: c}
	}
	return value{c: c, raw: bytes.TrimSpace(c.body)}
}

// wellFormed is nil for one JSON value in valid UTF-8 without a name twice.
func wellFormed(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("it is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := walk(d); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}

func walk(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			k, err := d.Token()
			if err != nil {
				return err
			}
			name := k.(string) // a decoder gives nothing else here
			if names[name] {
				return fmt.Errorf("the name %q is there twice in an object", name)
			}
			names[name] = true
		}
		if err := walk(d); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// value is a JSON value of the request, and where it is. One that is not there
// has no raw.
type value struct {
	c    *check
	path string
	raw  json.RawMessage
}

// there reports that the value is there and not null.
func (v value) there() bool { return len(v.raw) > 0 && string(v.raw) != "null" }

func (v value) is(first byte) bool { return len(v.raw) > 0 && v.raw[0] == first }

func (v value) refuse(format string, args ...any) { v.c.refuse(v.path, format, args...) }

// coded refuses with a code of the vendor's.
func (v value) coded(code, format string, args ...any) {
	v.c.refuseAs(fault{code: code, param: v.path}, format, args...)
}

// wrong refuses a value that is not of the type it should be, or missing.
func (v value) wrong(want string) {
	if len(v.raw) == 0 {
		code, message := v.c.words.missing(v.path)
		v.coded(code, "%s", message)
		return
	}
	code, message := v.c.words.wrong(v.path, want, kindOf(v.raw))
	v.coded(code, "%s", message)
}

func kindOf(raw json.RawMessage) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// object is a value with its members.
type object struct {
	value
	m map[string]json.RawMessage
}

// object gives the members, of which the names must be known. Without names any
// may be there.
func (v value) object(names ...string) object {
	o := object{value: v, m: map[string]json.RawMessage{}}
	if !v.is('{') {
		v.wrong("an object")
		return o
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(v.raw, &m); err != nil {
		v.refuse("%v", err)
		return o
	}
	for _, k := range slices.Sorted(keysOf(m)) {
		name := k
		if v.c.words.camel {
			name = camel(k)
		}
		if names != nil && !slices.Contains(names, name) {
			code, message := v.c.words.unknown(v.path, k)
			v.c.refuseAs(fault{code: code, param: join(v.path, k)}, "%s", message)
			continue
		}
		if _, twice := o.m[name]; twice {
			v.refuse("%s is there in two spellings.", join(v.path, name))
		}
		o.m[name] = m[k]
	}
	return o
}

func keysOf(m map[string]json.RawMessage) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func camel(s string) string {
	var b strings.Builder
	up := false
	for i, r := range s {
		switch {
		case r == '_' && i > 0:
			up = true
		case up:
			b.WriteString(strings.ToUpper(string(r)))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// at is a member; it need not be there.
func (o object) at(key string) value {
	return value{o.c, join(o.path, key), bytes.TrimSpace(o.m[key])}
}

// has reports that a member is there and not null.
func (o object) has(key string) bool { return o.at(key).there() }

// any reports the first of the members that is there.
func (o object) any(keys ...string) (string, bool) {
	for _, k := range keys {
		if o.has(k) {
			return k, true
		}
	}
	return "", false
}

// list gives the elements of an array that must be there.
func (v value) list() []value {
	var l []json.RawMessage
	if !v.is('[') || json.Unmarshal(v.raw, &l) != nil {
		v.wrong("an array")
		return nil
	}
	out := make([]value, len(l))
	for i := range l {
		out[i] = value{v.c, v.c.words.index(v.path, i), bytes.TrimSpace(l[i])}
	}
	return out
}

// str is a string that must be there.
func (v value) str() string {
	var s string
	if !v.is('"') || json.Unmarshal(v.raw, &s) != nil {
		v.wrong("a string")
	}
	return s
}

// strOr is a string, "" where there is none.
func (v value) strOr() string {
	if !v.there() {
		return ""
	}
	return v.str()
}

// some is a string that must be there and not be empty.
func (v value) some() string {
	s := v.str()
	if s == "" {
		v.refuse("%s: the string must not be empty.", v.path)
	}
	return s
}

// strs is a list of strings.
func (v value) strs() []string {
	out := []string{}
	for _, e := range v.list() {
		out = append(out, e.str())
	}
	return out
}

// oneOf is a string that must be one of the words.
func (v value) oneOf(of ...string) string {
	s := v.str()
	if v.is('"') && !slices.Contains(of, s) {
		v.coded("invalid_value", "Invalid value: '%s' at %s. Supported values are: %q.", s, v.path, of)
	}
	return s
}

func (v value) boolean() bool {
	if s := string(v.raw); s != "true" && s != "false" {
		v.wrong("a boolean")
	}
	return string(v.raw) == "true"
}

func (v value) booleanOr() bool { return v.there() && v.boolean() }

func (v value) digits() string {
	s := string(v.raw)
	if v.c.words.camel && v.is('"') {
		s = strings.Trim(s, `"`)
	}
	return s
}

// integer is a whole number within the bounds.
func (v value) integer(low, high int64) int64 {
	n, err := strconv.ParseInt(v.digits(), 10, 64)
	switch {
	case err != nil:
		v.wrong("an integer")
	case n < low || n > high:
		v.coded("integer_out_of_range", "Invalid '%s': expected an integer from %d to %d, got %d.", v.path, low, high, n)
	}
	return n
}

// number is a number within the bounds.
func (v value) number(low, high float64) float64 {
	n, err := strconv.ParseFloat(v.digits(), 64)
	switch {
	case err != nil:
		v.wrong("a number")
	case n < low || n > high:
		v.coded("decimal_out_of_range", "Invalid '%s': expected a number from %g to %g, got %g.", v.path, low, high, n)
	}
	return n
}

func (o object) numberOf(key string, low, high float64) *float64 {
	if !o.has(key) {
		return nil
	}
	n := o.at(key).number(low, high)
	return &n
}

func (o object) integerOf(key string, low, high int64) *int64 {
	if !o.has(key) {
		return nil
	}
	n := o.at(key).integer(low, high)
	return &n
}

func (o object) booleanOf(key string) *bool {
	if !o.has(key) {
		return nil
	}
	b := o.at(key).boolean()
	return &b
}
