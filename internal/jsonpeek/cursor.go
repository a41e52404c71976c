// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

const (
	// MaxDepth is the deepest nesting a Cursor can be told to accept.
	MaxDepth = 256
	// DefaultDepth is the nesting that New and Valid accept.
	DefaultDepth = 128
)

// state says what is at the cursor's position.
type state uint8

const (
	atValue state = iota // a value, not consumed
	opened               // the inside of a container, before its first Next
	passed               // the end of a consumed value
	failed               // an error; nothing moves any more
)

// A Cursor walks one JSON document. It is a plain value, meant for the stack:
// copying it makes an independent cursor at the same place, over the same
// bytes, which must not change meanwhile. It is not for concurrent use.
// The zero Cursor is over an empty document, which is an error to consume.
//
// There is a value at hand after New, and after each Next that returned true,
// until it is consumed or, being a container, entered. Methods that want one
// and find none return zero values.
type Cursor struct {
	data     []byte
	pos      int
	keyStart int // just after the key's opening quote; 0: there is no member at hand
	keyEnd   int // its closing quote
	err      *SyntaxError
	depth    uint16 // containers entered
	limit    uint16
	state    state
	objects  [MaxDepth / 64]uint64 // bit n: the container at nesting n+1 is an object
}

// New returns a cursor at the value of the document in data, which it keeps.
func New(data []byte) Cursor { return NewDepth(data, DefaultDepth) }

// NewDepth is New with another limit of nesting, brought into [1, MaxDepth].
func NewDepth(data []byte, depth int) Cursor {
	return Cursor{
		data:  data,
		pos:   skipSpace(data, 0),
		limit: uint16(min(max(depth, 1), MaxDepth)),
	}
}

// Kind tells the kind of the value at hand by its first byte. It is Invalid
// when there is none, when none can start so, and after an error.
func (c *Cursor) Kind() Kind {
	if c.state != atValue || c.pos >= len(c.data) {
		return Invalid
	}
	return kinds[c.data[c.pos]]
}

// Object enters the object at hand. It returns false, and nothing is consumed,
// when the value at hand is not an object; it is false with Err set when the
// object is nested too deep.
func (c *Cursor) Object() bool { return c.enter('{') }

// Array enters the array at hand, as Object does an object.
func (c *Cursor) Array() bool { return c.enter('[') }

func (c *Cursor) enter(bracket byte) bool {
	if c.state != atValue || c.pos >= len(c.data) || c.data[c.pos] != bracket {
		return false
	}
	if c.depth >= c.limit {
		c.failDepth(c.pos)
		return false
	}
	c.push(int(c.depth), bracket == '{')
	c.depth++
	c.pos++
	c.keyStart = 0
	c.state = opened
	return true
}

// push notes what kind of container was opened inside depth others.
func (c *Cursor) push(depth int, object bool) {
	word, bit := depth>>6&3, uint64(1)<<(depth&63)
	if object {
		c.objects[word] |= bit
	} else {
		c.objects[word] &^= bit
	}
}

// isObject tells the kind of the container that is the depth-th from outside.
func (c *Cursor) isObject(depth int) bool {
	return c.objects[(depth-1)>>6&3]>>((depth-1)&63)&1 != 0
}

// Next moves to the next member or element of the innermost entered container,
// first skipping the value at hand if nobody consumed it. It returns false on
// an error, outside of any container, and at the container's end: then the
// container has been left and counts as a consumed value of its parent.
func (c *Cursor) Next() bool {
	if c.state == atValue && c.depth > 0 {
		c.run(int(c.depth))
	}
	if c.state == failed || c.depth == 0 {
		return false
	}
	first := c.state == opened
	object := c.isObject(int(c.depth))
	c.keyStart = 0

	i := skipSpace(c.data, c.pos)
	ch := byteAt(c.data, i)
	if ch == '}' && object || ch == ']' && !object {
		c.pos = i + 1
		c.depth--
		c.state = passed
		return false
	}
	if !first {
		if ch != ',' {
			return c.failAfter(i, object)
		}
		i = skipSpace(c.data, i+1)
	}
	if object {
		quote, next := c.scanKey(i, first)
		if quote > 0 {
			c.keyStart, c.keyEnd = i+1, quote
		}
		if next < 0 {
			return false
		}
		i = next
	}
	if kinds[byteAt(c.data, i)] == Invalid {
		return c.failValue(i, first && !object)
	}
	c.pos = i
	c.state = atValue
	return true
}

// Key returns the key of the member at hand as it stood between its quotes,
// escapes not resolved. It is part of data. It is nil when the innermost
// container is an array, when its Next was not called yet, and once the
// member's value was entered.
func (c *Cursor) Key() []byte {
	if c.keyStart == 0 || c.state == failed {
		return nil
	}
	return c.data[c.keyStart:c.keyEnd:c.keyEnd]
}

// KeyStart returns the offset of the opening quote of what Key returns; -1
// when that is nil.
func (c *Cursor) KeyStart() int {
	if c.state == failed {
		return -1
	}
	return c.keyStart - 1
}

// Leave skips what is left of the innermost entered container, checking it,
// and leaves the container, which counts as consumed. Outside of any it does
// nothing.
func (c *Cursor) Leave() {
	if c.depth == 0 || c.state != atValue && !c.Next() {
		return
	}
	c.run(int(c.depth) - 1)
}

// Pos returns an offset in data: of the first byte of the value at hand; one
// past a value just consumed, or past the bracket just entered; after an
// error, where that was found. It never goes back.
func (c *Cursor) Pos() int { return c.pos }

// Err returns the first error, a *SyntaxError, or nil.
func (c *Cursor) Err() error {
	if c.err == nil {
		return nil
	}
	return c.err
}

// End finishes the document: it leaves every container still entered, consumes
// the top-level value if nobody did, and demands that nothing but white space
// follows. It returns the first error of the whole walk.
func (c *Cursor) End() error {
	for c.depth > 0 && c.state != failed {
		c.Leave()
	}
	c.Skip()
	if c.state != failed {
		if i := skipSpace(c.data, c.pos); i < len(c.data) {
			c.fail(i, "nothing more")
		}
	}
	return c.Err()
}

// Valid checks a whole document. The error is a *SyntaxError.
func Valid(data []byte) error {
	c := New(data)
	return c.End()
}
