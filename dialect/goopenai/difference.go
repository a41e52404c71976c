// SPDX-License-Identifier: AGPL-3.0-only

package goopenai

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/maccracken/hoosh"
)

// difference gives the JSON paths of what is in want and, in go-openai's words,
// no more in got.
func difference(want, got []byte) ([]string, error) {
	var d differ
	a, err := tree(want)
	if err != nil {
		return nil, err
	}
	b, err := tree(got)
	if err != nil {
		return nil, err
	}
	d.compare("", a, b)
	return d.paths, d.err
}

// tree reads JSON without a loss in its numbers.
func tree(body []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, &hoosh.Error{Kind: hoosh.ErrInternal, Message: err.Error(), Err: err}
	}
	return v, nil
}

type differ struct {
	paths []string
	err   error
}

// compare notes what of a is not in b. Neither null nor an empty text says
// anything.
func (d *differ) compare(path string, a, b any) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			d.members(path, a, b)
			return
		}
	case []any:
		if b, ok := b.([]any); ok && len(a) == len(b) {
			for i := range a {
				d.compare(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])
			}
			return
		}
	case json.Number:
		if b, ok := b.(json.Number); ok && sameNumber(a, b) {
			return
		}
	case nil:
		return
	default:
		if a == b || a == "" {
			return
		}
	}
	d.paths = append(d.paths, path)
}

// members compares two objects. One of a kind that go-openai does not have is of
// no use without what its kind is about.
func (d *differ) members(path string, a, b map[string]any) {
	before := len(d.paths)
	for _, key := range slices.Sorted(maps.Keys(a)) {
		within := key
		if path != "" {
			within = path + "." + key
		}
		d.compare(within, a[key], b[key])
	}
	kind, _ := a["type"].(string)
	if d.err == nil && len(d.paths) > before && !known[kind] {
		d.err = &hoosh.Error{Kind: hoosh.ErrUnsupported, Param: path, Message: fmt.Sprintf("go-openai has no %q", kind)}
	}
}

// known are the kinds of content parts, tools, calls and formats that go-openai
// has fields for; "" is what has no kind.
var known = map[string]bool{"": true, "text": true, "image_url": true, "function": true, "json_object": true, "json_schema": true}

// sameNumber compares as go-openai holds its numbers.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && float32(x) == float32(y)
}
