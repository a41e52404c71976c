// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

import "strconv"

// Skip consumes the value at hand, checking it.
func (c *Cursor) Skip() {
	if c.state == atValue {
		c.run(int(c.depth))
	}
}

// Value consumes the value at hand and returns its bytes, with no space
// around; nil on error. They are part of data.
func (c *Cursor) Value() []byte {
	if c.state != atValue {
		return nil
	}
	start := c.pos
	c.run(int(c.depth))
	if c.state == failed {
		return nil
	}
	return c.data[start:c.pos:c.pos]
}

// Str consumes the string at hand and returns the bytes between its quotes,
// escapes not resolved; see [Unquote]. They are part of data, and not nil. It
// returns nil and false, and nothing is consumed, when the value at hand is
// not a string; on a faulty one Err is set as well.
func (c *Cursor) Str() ([]byte, bool) {
	if c.Kind() != String {
		return nil, false
	}
	start := c.pos + 1
	end := scanString(c.data, start)
	if end < 0 {
		return nil, c.failString(^end)
	}
	c.pos, c.state = end, passed
	return c.data[start : end-1 : end-1], true
}

// Int consumes the number at hand if it is an integer in value, however it is
// written (3, 3.0, 3e2), and fits. Otherwise it returns false and nothing is
// consumed; on a faulty number Err is set as well.
func (c *Cursor) Int() (int64, bool) {
	end := c.number()
	if end < 0 {
		return 0, false
	}
	n, ok := parseInt(c.data[c.pos:end])
	if !ok {
		return 0, false
	}
	c.pos, c.state = end, passed
	return n, true
}

// Float consumes the number at hand. It returns false, and nothing is
// consumed, when the value is not a number or is beyond a float64; on a faulty
// number Err is set as well.
func (c *Cursor) Float() (float64, bool) {
	end := c.number()
	if end < 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(c.data[c.pos:end]), 64)
	if err != nil {
		return 0, false
	}
	c.pos, c.state = end, passed
	return f, true
}

// number returns where the number at hand ends; -1 when there is none, or none
// without fault, which it notes.
func (c *Cursor) number() int {
	if c.Kind() != Number {
		return -1
	}
	end := scanNumber(c.data, c.pos)
	if end < 0 {
		c.failScalar(c.pos, ^end)
		return -1
	}
	return end
}

// Bool consumes true or false and returns which. When the value at hand is
// neither, ok is false and nothing is consumed; on a word that only starts
// like them Err is set as well.
func (c *Cursor) Bool() (v, ok bool) {
	if c.Kind() != Bool {
		return false, false
	}
	v = c.data[c.pos] == 't'
	if !c.word() {
		return false, false
	}
	return v, true
}

// Null consumes null and reports true. Otherwise it returns false and nothing
// is consumed; on a word that only starts like null Err is set as well.
func (c *Cursor) Null() bool { return c.Kind() == Null && c.word() }

func (c *Cursor) word() bool {
	end := scanScalar(c.data, c.pos)
	if end < 0 {
		return c.failScalar(c.pos, ^end)
	}
	c.pos, c.state = end, passed
	return true
}
