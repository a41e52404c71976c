// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import "testing"

// TestWhole: however an object is cut, it is whole with its last bracket and not
// before.
func TestWhole(t *testing.T) {
	for _, object := range []string{`{}`, ` {"a":1}`, `{"a":"}"}`, `{"a":"\\"}`, `{"a":"\\\"}"}`, `{"a":[{"b":"]"},[]]}`, `{"\u007d":"{"}`} {
		for size := 1; size <= len(object); size++ {
			var w Whole
			for at := 0; at < len(object); at += size {
				if w.Done() {
					t.Fatalf("%s is whole before byte %d", object, at)
				}
				w.Add(object[at:min(at+size, len(object))])
			}
			if !w.Done() {
				t.Errorf("%s in pieces of %d is not whole", object, size)
			}
		}
	}
}
