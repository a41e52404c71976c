// SPDX-License-Identifier: AGPL-3.0-only

package echo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// script is what a model's name tells to do.
type script struct {
	words  int // of the answer, 0: as many as it takes
	chunks int // of a stream, 0: one a word
	slow   time.Duration
	delay  time.Duration
	tool   string
	fault  string
	status int // of fault, if it is one
	embed  bool
	size   int // of a vector
}

// The limits of what a name can ask for.
const (
	maxWords  = 100_000
	maxChunks = 100_000
	maxWait   = time.Hour
	maxSize   = 4096
)

const defaultSize = 64

var faults = []string{"reset", "hang", "malformed", "cut", "stall", "error-event"}

// listed are the names that are shown; any other script can be asked for as well
// where the configuration lets it through.
var listed = []string{
	"echo", "echo-chunks:5", "echo-delay:2s", "echo-embed", "echo-fault:503", "echo-fault:cut", "echo-len:1000",
	"echo-slow:200ms", "echo-tool:get_weather",
}

// parse reads a model's name. The error is for a reader.
func parse(model string) (script, error) {
	s := script{size: defaultSize}
	rest, ok := strings.CutPrefix(model, "echo")
	if !ok {
		return s, fmt.Errorf("the names of this provider begin with echo")
	}
	if rest == "" {
		return s, nil
	}
	rest, ok = strings.CutPrefix(rest, "-")
	if !ok {
		return s, fmt.Errorf("after echo comes a dash and an option, as in echo-slow:200ms")
	}
	for option := range strings.SplitSeq(rest, "+") {
		name, value, _ := strings.Cut(option, ":")
		if err := s.set(name, value); err != nil {
			return s, fmt.Errorf("%q: %w", option, err)
		}
	}
	return s, nil
}

func (s *script) set(name, value string) (err error) {
	switch name {
	case "len":
		s.words, err = number(value, maxWords)
	case "chunks":
		s.chunks, err = number(value, maxChunks)
	case "slow":
		s.slow, err = wait(value)
	case "delay":
		s.delay, err = wait(value)
	case "tool":
		if s.tool = value; value == "" {
			err = fmt.Errorf("which tool? tool:NAME")
		}
	case "fault":
		if s.fault = value; slices.Contains(faults, value) {
			return nil
		}
		if s.status, err = number(value, 599); err != nil || s.status < 400 {
			err = fmt.Errorf("a fault is a status from 400 to 599 or one of %s", strings.Join(faults, ", "))
		}
	case "embed":
		if s.embed = true; value != "" {
			s.size, err = number(value, maxSize)
		}
	default:
		err = fmt.Errorf("the options are len, chunks, slow, delay, tool, fault and embed")
	}
	return err
}

func number(value string, limit int) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > limit {
		return 0, fmt.Errorf("want a number from 1 to %d", limit)
	}
	return n, nil
}

func wait(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > maxWait {
		return 0, fmt.Errorf("want a time up to %v, such as 200ms", maxWait)
	}
	return d, nil
}
