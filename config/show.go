// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"bytes"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maccracken/hoosh"
)

// redacted stands for what is not shown. It reads as a secret of these words.
const redacted = "[redacted]"

// Show is c as a file that [Parse] reads, in the order of the schema, with what
// counts where c leaves something out (see [hoosh.Config.Effective]). Secrets
// and the values of headers are redacted, so the file tells what is set but does
// not serve in the other's place. The error is for text that no file can hold.
func Show(c *hoosh.Config) ([]byte, error) {
	effective := c.Effective()
	w := &writer{}
	w.object("", reflect.ValueOf(effective), "")
	if !utf8.Valid(w.Bytes()) {
		return nil, fmt.Errorf("config: a value is not UTF-8")
	}
	return w.Bytes(), nil
}

// writer writes YAML in block style, but lists of scalars in one line.
type writer struct{ bytes.Buffer }

// object writes the keys of a struct. What comes before the first of them, such
// as the dash of a list, is written by the caller.
func (w *writer) object(entry string, v reflect.Value, indent string) {
	for i, f := range fieldsOf(v.Type()) {
		name := f.key
		if entry != "" {
			name = entry + "." + f.key
		}
		value := v.Field(f.index)
		if unset(name, value) {
			continue
		}
		if i > 0 || entry == "" || !strings.HasSuffix(entry, "[]") {
			w.WriteString(indent)
		}
		w.WriteString(f.key + ":")
		w.value(name, reflect.Indirect(value), indent)
	}
}

// unset reports a value that is left out because nothing that could be written
// means the same.
func unset(name string, v reflect.Value) bool {
	return v.Kind() == reflect.Pointer && v.IsNil() || name == "providers[].models" && v.IsNil()
}

// value writes what comes after a key and its colon.
func (w *writer) value(name string, v reflect.Value, indent string) {
	switch {
	case v.Kind() == reflect.Struct:
		w.WriteByte('\n')
		w.object(name, v, indent+"  ")
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && v.Len() > 0:
		w.WriteByte('\n')
		for i := range v.Len() {
			w.WriteString(indent + "  - ")
			if t, ok := v.Index(i).Interface().(hoosh.Target); ok && t.Weight == nil {
				w.WriteString(quote(t.Target) + "\n")
			} else {
				w.object(name+"[]", v.Index(i), indent+"    ")
			}
		}
	case v.Kind() == reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = scalarText(name, v.Index(i))
		}
		w.WriteString(" [" + strings.Join(items, ", ") + "]\n")
	case v.Kind() == reflect.Map && v.Len() > 0:
		w.WriteByte('\n')
		for _, key := range sortedKeys(v) {
			w.WriteString(indent + "  " + quoteKey(key) + ": " + scalarText(name, v.MapIndex(reflect.ValueOf(key))) + "\n")
		}
	case v.Kind() == reflect.Map:
		w.WriteString(" {}\n")
	default:
		w.WriteString(" " + scalarText(name, v) + "\n")
	}
}

func sortedKeys(v reflect.Value) []string {
	var names []string
	for _, k := range v.MapKeys() {
		names = append(names, k.String())
	}
	slices.Sort(names)
	return names
}

// scalarText is a value in the form that the file has it.
func scalarText(name string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return formatDuration(x)
	case hoosh.Size:
		return x.String()
	case hoosh.Secret:
		return quote(x.String())
	case string:
		switch {
		case keys[name].secret:
			return quote(redacted)
		case name == "providers[].base_url":
			return quote(shownURL(x))
		}
		return quote(x)
	default:
		return fmt.Sprint(x)
	}
}

// shownURL is the URL unless there may be a secret in it.
func shownURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(raw, "@") {
		return redacted
	}
	return raw
}

// plain are strings that need no quotes; those that YAML would take for
// something else are among [words].
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./-]*(:[A-Za-z0-9_./-]+)*$`)

var words = set("true", "false", "null", "yes", "no", "on", "off", "y", "n")

// quoteKey puts s in quotes where YAML needs them.
func quoteKey(s string) string {
	if plain.MatchString(s) && !words[strings.ToLower(s)] || !utf8.ValidString(s) {
		return s // Show looks whether the whole is text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// quote also keeps a dollar sign from being read as the start of a variable.
func quote(s string) string { return quoteKey(strings.ReplaceAll(s, "$", "$$")) }
