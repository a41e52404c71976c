// SPDX-License-Identifier: AGPL-3.0-only

package framing

// AppendSSE appends one event to dst and returns the result. Data is split at
// its line ends into several data lines; a CR or CRLF in it arrives as an LF,
// for SSE cannot carry it. There is no event line when event is empty; event
// must not contain a line end, and is cut at one if it does.
func AppendSSE(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(dst, "event: "...)
		for i := 0; i < len(event) && event[i] != '\n' && event[i] != '\r'; i++ {
			dst = append(dst, event[i])
		}
		dst = append(dst, '\n')
	}
	return append(appendLines(dst, "data: ", data), '\n')
}

// AppendComment appends text to dst as a block of comment lines, one for each
// line of text, and returns the result.
func AppendComment(dst []byte, text string) []byte {
	return append(appendLines(dst, ": ", []byte(text)), '\n')
}

// appendLines writes each line of text behind prefix; no text is one empty line.
func appendLines(dst []byte, prefix string, text []byte) []byte {
	var l lineScanner
	for {
		from := l.pos
		end, ok := l.next(text)
		if !ok {
			end = len(text)
		}
		dst = append(dst, prefix...)
		dst = append(dst, text[from:end]...)
		dst = append(dst, '\n')
		if !ok {
			return dst
		}
	}
}
