// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

// The types that are written in a form of their own.
var (
	typeSecret   = reflect.TypeFor[hoosh.Secret]()
	typeSize     = reflect.TypeFor[hoosh.Size]()
	typeDuration = reflect.TypeFor[time.Duration]()
	typeTarget   = reflect.TypeFor[hoosh.Target]()
)

// field is a key that a struct has.
type field struct {
	key   string
	index int
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			fields = append(fields, field{key, i})
		}
	}
	return fields
}

// spot is a value in the file: where it is, what it is called, and what the
// keys' table calls it.
type spot struct {
	path  string // routes[0].to[1]
	entry string // routes[].to[]
	*node
}

func (s spot) member(key string, n *node) spot {
	if s.path == "" {
		return spot{key, key, n}
	}
	return spot{s.path + "." + key, s.entry + "." + key, n}
}

func (s spot) item(i int) spot {
	return spot{fmt.Sprintf("%s[%d]", s.path, i), s.entry + "[]", s.items[i]}
}

func (l *loader) root(n *node, cfg *hoosh.Config) {
	l.value(spot{node: n}, reflect.ValueOf(cfg).Elem())
}

// value reads s into v. Where it cannot, it reports that and puts something
// near into v where it can, lest one mistake look like two.
func (l *loader) value(s spot, v reflect.Value) {
	l.at[s.path] = s.node.at
	t := v.Type()
	switch {
	case t == typeSecret:
		l.secret(s, v)
	case t == typeTarget && s.kind != mapping:
		l.text(s, v.FieldByName("Target"), "provider/model, or {target: provider/model, weight: 1}")
	case s.kind == null && t.Kind() != reflect.Slice && !strings.HasSuffix(s.path, "]"):
		// A key with nothing after it is as if it were not there.
	case t == typeDuration:
		l.duration(s, v)
	case t == typeSize:
		l.size(s, v)
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		l.value(s, p.Elem())
		v.Set(p)
	case t.Kind() == reflect.Struct:
		l.object(s, v)
	case t.Kind() == reflect.Slice:
		l.list(s, v)
	case t.Kind() == reflect.Map:
		l.strings(s, v)
	case t.Kind() == reflect.String:
		l.text(s, v, "a string")
	case t.Kind() == reflect.Bool:
		l.boolean(s, v)
	default:
		l.number(s, v)
	}
}

// expected reports that something else was found than was wanted.
func (l *loader) expected(want string, s spot, hint string) {
	if s.kind == broken {
		return // that was reported
	}
	l.report(s.at, s.path, fmt.Sprintf("want %s, found %s", want, s.kind), hint)
}

func (l *loader) object(s spot, v reflect.Value) {
	if s.kind != mapping {
		l.expected("a mapping", s, "")
		return
	}
	fields := fieldsOf(v.Type())
	first := map[string]position{}
	for _, p := range s.pairs {
		in := s.member(p.key, p.value)
		if at, twice := first[p.key]; twice {
			l.report(p.at, in.path, fmt.Sprintf("given twice, first at %d:%d", at.line, at.column), "")
			continue
		}
		first[p.key] = p.at
		f := find(fields, p.key)
		if f == nil {
			if f = l.unknown(in, p, fields); f == nil || s.has(f.key) {
				continue
			}
			in = s.member(f.key, p.value)
			l.hide(p.value) // the guess may be wrong
		}
		l.value(in, v.Field(f.index))
	}
}

// hide keeps all that a node holds out of messages.
func (l *loader) hide(n *node) {
	if n.text != "" {
		l.veils = append(l.veils, veil{n.text, "…"})
	}
	for _, item := range n.items {
		l.hide(item)
	}
	for _, p := range n.pairs {
		l.hide(p.value)
	}
}

func find(fields []field, key string) *field {
	for i := range fields {
		if fields[i].key == key {
			return &fields[i]
		}
	}
	return nil
}

// unknown refuses a key. It gives the one that was probably meant, for its value
// to be read: who misspelled a provider's driver is not told of its name as well.
func (l *loader) unknown(s spot, p pair, fields []field) *field {
	if later[s.entry] {
		l.report(p.at, s.path, "not in this version", "")
		return nil
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	hint := hoosh.Suggest(p.key, names)
	if hint == "" {
		l.report(p.at, s.path, "unknown key", "one of "+strings.Join(names, ", "))
		return nil
	}
	l.report(p.at, s.path, "unknown key"+hint, "")
	for i, name := range names {
		if hint == hoosh.Suggest(p.key, []string{name}) {
			return &fields[i]
		}
	}
	return nil
}

func (l *loader) list(s spot, v reflect.Value) {
	if s.kind == null {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		return
	}
	if s.kind != list {
		l.expected("a list of "+plural(v.Type().Elem()), s, "")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(s.items), len(s.items)))
	for i := range s.items {
		l.value(s.item(i), v.Index(i))
	}
}

func plural(t reflect.Type) string {
	switch {
	case t == typeTarget:
		return "targets"
	case t.Kind() == reflect.String:
		return "strings"
	}
	return "mappings"
}

// strings reads a mapping of strings.
func (l *loader) strings(s spot, v reflect.Value) {
	if s.kind != mapping {
		l.expected("a mapping of strings", s, "")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	first := map[string]position{}
	for _, p := range s.pairs {
		in := spot{fmt.Sprintf("%s[%q]", s.path, p.key), s.entry + "[]", p.value}
		if at, twice := first[p.key]; twice {
			l.report(p.at, in.path, fmt.Sprintf("given twice, first at %d:%d", at.line, at.column), "")
			continue
		}
		first[p.key] = p.at
		l.at[in.path] = in.node.at
		value := reflect.New(v.Type().Elem()).Elem()
		l.text(in, value, "a string")
		if keys[s.entry].secret {
			l.veils = append(l.veils, veil{value.String(), "[redacted]"})
		}
		v.SetMapIndex(reflect.ValueOf(p.key), value)
	}
}

// scalar gives the text of a value with the environment in it. ok is false where
// that cannot be had, and was reported; the text is then as it stands in the
// file.
func (l *loader) scalar(s spot) (value string, expanded, ok bool) {
	value, expanded, err := expand(s.text, l.env)
	var bad *expandError
	if errors.As(err, &bad) {
		l.report(s.at, s.path, bad.message, bad.want)
		return s.text, true, false
	}
	if expanded && value != "" {
		l.veils = append(l.veils, veil{value, s.text})
	}
	if strings.Contains(s.text, "\n") { // quotes that are not closed where they should be take in what follows
		l.hide(s.node)
	}
	return value, expanded, true
}

func (l *loader) text(s spot, v reflect.Value, want string) {
	switch s.kind {
	case text:
		value, _, _ := l.scalar(s)
		v.SetString(value)
	case number, boolean:
		l.expected(want, s, "it in quotes")
		v.SetString(s.text)
	default:
		l.expected(want, s, "")
	}
}

func (l *loader) boolean(s spot, v reflect.Value) {
	value, expanded, ok := l.scalar(s)
	if !ok {
		return
	}
	b, err := strconv.ParseBool(value)
	if err != nil || s.kind != boolean && !(s.kind == text && expanded) {
		l.mistyped(s, "true or false", expanded, err == nil && s.kind == text)
		return
	}
	v.SetBool(b)
}

func (l *loader) number(s spot, v reflect.Value) {
	value, expanded, ok := l.scalar(s)
	if !ok {
		return
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || s.kind != number && !(s.kind == text && expanded) {
		l.mistyped(s, "a whole number", expanded, err == nil && s.kind == text)
		return
	}
	if n == 0 && !l.mayBeZero(s) {
		return
	}
	v.SetInt(n)
}

// mistyped reports what is not wanted: a scalar that is wrong, or right but
// quoted. It shows the file's words, never what the environment made of them.
func (l *loader) mistyped(s spot, want string, expanded, quoted bool) {
	switch {
	case s.kind != text && s.kind != number && s.kind != boolean:
		l.expected(want, s, "")
	case quoted:
		l.expected(want, s, "it without quotes")
	case expanded:
		l.report(s.at, s.path, fmt.Sprintf("want %s, found something else in %q", want, s.text), "")
	default:
		l.report(s.at, s.path, fmt.Sprintf("want %s, found %q", want, s.text), "")
	}
}

// mayBeZero refuses a zero where zero means the default: who writes "total: 0s"
// would get ten minutes.
func (l *loader) mayBeZero(s spot) bool {
	if keys[s.entry].zero {
		return true
	}
	l.report(s.at, s.path, "it cannot be 0", "a value above 0, or the key left out for the default")
	return false
}

func (l *loader) duration(s spot, v reflect.Value) {
	if s.kind != text && s.kind != number {
		l.expected(durationForm, s, "")
		return
	}
	value, expanded, ok := l.scalar(s)
	if !ok {
		return
	}
	d, err := parseDuration(value)
	if err != nil {
		l.malformed(s, err, expanded, durationForm)
		// Seconds are what a bare number most probably means.
		d, _ = parseDuration(value + "s")
	} else if d == 0 && !l.mayBeZero(s) {
		return
	}
	v.SetInt(int64(d))
}

func (l *loader) size(s spot, v reflect.Value) {
	if s.kind != text && s.kind != number {
		l.expected(sizeForm, s, "")
		return
	}
	value, expanded, ok := l.scalar(s)
	if !ok {
		return
	}
	n, err := parseSize(value)
	if err != nil {
		l.malformed(s, err, expanded, sizeForm)
	} else if n == 0 && !l.mayBeZero(s) {
		return
	}
	v.SetInt(int64(n))
}

func (l *loader) malformed(s spot, err error, expanded bool, want string) {
	message := err.Error()
	if expanded {
		message = fmt.Sprintf("%q does not hold one", s.text)
	}
	l.report(s.at, s.path, message, want)
}

// secret reads a string or {file: PATH}.
func (l *loader) secret(s spot, v reflect.Value) {
	value := ""
	switch s.kind {
	case null:
		return
	case text:
		value, _, _ = l.scalar(s)
	case mapping:
		value = l.secretFile(s)
	case number, boolean:
		l.expected("a string or {file: PATH}", s, "it in quotes")
		value = s.text
	default:
		l.expected("a string or {file: PATH}", s, "")
		return
	}
	if value != "" {
		l.veils = append(l.veils, veil{value, "[redacted]"})
	}
	v.SetString(value)
}

// secretFile reads the secret that {file: PATH} names. Where it cannot, it gives
// a text in its place, so that the secret does not count as missing too.
func (l *loader) secretFile(s spot) string {
	const instead = "[unread]"
	if len(s.pairs) != 1 || s.pairs[0].key != "file" || s.pairs[0].value.kind != text {
		l.report(s.at, s.path, "want a string or {file: PATH}, found another mapping", "")
		return instead
	}
	in := s.member("file", s.pairs[0].value)
	path, _, ok := l.scalar(in)
	if !ok {
		return instead
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(l.name), path)
	}
	secret, err := l.readSecret(path)
	if err != nil {
		l.report(in.at, s.path, fmt.Sprintf("cannot read %q: %v", in.text, err), "a file that holds the secret")
		return instead
	}
	return secret
}
