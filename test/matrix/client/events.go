// SPDX-License-Identifier: AGPL-3.0-only

package client

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// event is one event of an SSE stream, or a line of NDJSON.
type event struct{ name, data string }

// events reads a stream of SSE. end is what a line must end with, "\n" or
// "\r\n". Comments are left out.
type events struct {
	r      *bufio.Reader
	end    string
	frames []string
}

func newEvents(r io.Reader, end string) *events {
	return &events{r: bufio.NewReader(r), end: end}
}

// line reads a line; io.EOF only between lines, a broken connection is io.EOF
// too, for it is what a cut stream looks like.
func (e *events) line() (string, error) {
	l, err := e.r.ReadString('\n')
	switch {
	case err != nil && l == "":
		return "", io.EOF
	case err != nil:
		return "", errTorn
	case e.end == "\r\n" && !strings.HasSuffix(l, "\r\n"):
		return "", fmt.Errorf("a line does not end with CR LF: %.80q", l)
	case e.end == "\n" && strings.HasSuffix(l, "\r\n"):
		return "", fmt.Errorf("a line ends with CR LF: %.80q", l)
	}
	return strings.TrimSuffix(l, e.end), nil
}

var errTorn = fmt.Errorf("the stream ends within an event: %w", io.ErrUnexpectedEOF)

// next gives the next event; io.EOF at the end of the bytes.
func (e *events) next() (event, error) {
	var ev event
	var data []string
	begun := false
	for {
		l, err := e.line()
		if err == io.EOF && begun {
			return event{}, errTorn
		}
		if err != nil {
			return event{}, err
		}
		if l == "" {
			if !begun {
				continue
			}
			if data == nil {
				return event{}, fmt.Errorf("event %q without data", ev.name)
			}
			ev.data = strings.Join(data, "\n")
			e.frames = append(e.frames, strings.TrimSpace(ev.name+" "+ev.data))
			return ev, nil
		}
		if strings.HasPrefix(l, ":") {
			continue
		}
		begun = true
		field, value, _ := strings.Cut(l, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			ev.name = value
		case "data":
			data = append(data, value)
		default:
			return event{}, fmt.Errorf("an SSE field that nobody expects: %.80q", l)
		}
	}
}

// nothing fails if another event follows.
func (e *events) nothing(after string) error {
	ev, err := e.next()
	switch err {
	case io.EOF:
		return nil
	case nil:
		return fmt.Errorf("after %s comes %s %.200s", after, ev.name, ev.data)
	}
	return fmt.Errorf("after %s: %w", after, err)
}
