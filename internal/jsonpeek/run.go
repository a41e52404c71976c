// SPDX-License-Identifier: AGPL-3.0-only

package jsonpeek

// run consumes the value at hand and what follows it up to where the nesting
// is base again, which must not be above depth: at depth it skips that value
// alone, one below it leaves the container as well. It checks every byte.
//
// The stack of brackets is the cursor's own, so it neither recurses nor
// allocates, whatever the document.
func (c *Cursor) run(base int) {
	data, i := c.data, c.pos
	depth, limit := int(c.depth), int(c.limit)
	if depth > base {
		c.keyStart = 0
	}
	object := depth > 0 && c.isObject(depth)

	for {
		// A value starts at i.
		if i >= len(data) {
			c.failValue(i, false)
			return
		}
		switch ch := data[i]; ch {
		case '"':
			end := scanString(data, i+1)
			if end < 0 {
				c.failString(^end)
				return
			}
			i = end
		case '{', '[':
			if depth >= limit {
				c.failDepth(i)
				return
			}
			object = ch == '{'
			c.push(depth, object)
			depth++
			i = skipSpace(data, i+1)
			if byteAt(data, i) != ch+2 { // both closing brackets are two above
				if object {
					if _, i = c.scanKey(i, true); i < 0 {
						return
					}
				} else if kinds[byteAt(data, i)] == Invalid {
					c.failValue(i, true)
					return
				}
				continue
			}
			i++
			depth--
			object = depth > 0 && c.isObject(depth)
		default:
			end := scanScalar(data, i)
			if end < 0 {
				c.failScalar(i, ^end)
				return
			}
			i = end
		}

		// A value ended at i.
		for {
			if depth <= base {
				c.pos, c.depth, c.state = i, uint16(depth), passed
				return
			}
			i = skipSpace(data, i)
			ch := byteAt(data, i)
			if ch == ',' {
				i = skipSpace(data, i+1)
				if object {
					if _, i = c.scanKey(i, false); i < 0 {
						return
					}
				}
				break
			}
			if ch != '}' && object || ch != ']' && !object {
				c.failAfter(i, object)
				return
			}
			i++
			depth--
			object = depth > 0 && c.isObject(depth)
		}
	}
}

// scanKey passes a member's key, which must start at i, and its colon. It
// returns where the key's closing quote is, 0 when it found none, and the
// offset of what follows the colon, -1 when it failed.
func (c *Cursor) scanKey(i int, first bool) (quote, next int) {
	if byteAt(c.data, i) != '"' {
		c.failKey(i, first)
		return 0, -1
	}
	end := scanString(c.data, i+1)
	if end < 0 {
		c.failString(^end)
		return 0, -1
	}
	i = skipSpace(c.data, end)
	if byteAt(c.data, i) != ':' {
		c.fail(i, "':'")
		return end - 1, -1
	}
	return end - 1, skipSpace(c.data, i+1)
}
