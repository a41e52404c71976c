// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

// Kind is the kind of a JSON value.
type Kind byte

// The kinds of values. Invalid is none of them.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"invalid", "null", "bool", "number", "string", "array", "object"}

// String returns the kind's name, in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Invalid]
}

// kinds maps a value's first byte to its kind.
var kinds = [256]Kind{
	'n': Null,
	't': Bool, 'f': Bool,
	'-': Number,
	'0': Number, '1': Number, '2': Number, '3': Number, '4': Number,
	'5': Number, '6': Number, '7': Number, '8': Number, '9': Number,
	'"': String,
	'[': Array,
	'{': Object,
}
