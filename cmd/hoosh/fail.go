// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/config"
)

// The exit codes; exitCodes tells users.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitNobody      = 3
	exitBackend     = 4
	exitInterrupted = 130
)

// problem is an error with an exit code, and what would be right.
type problem struct {
	code int
	text string // "": nothing is printed, for it was said already
	hint string
}

func (p *problem) Error() string { return p.text }

// usagef is a wrong command line.
func usagef(format string, args ...any) error {
	return &problem{code: exitUsage, text: fmt.Sprintf(format, args...)}
}

// fail says what went wrong and gives the exit code.
func (a *app) fail(err error) int {
	if err == nil {
		return exitOK
	}
	p := a.problemOf(err)
	if p.text != "" {
		for i, line := range strings.Split(strings.TrimSpace(p.text), "\n") {
			if i == 0 {
				line = a.errStyle.red("hoosh:") + " " + clean(line)
			} else {
				line = "       " + clean(line)
			}
			fmt.Fprintln(a.err, line)
		}
	}
	if p.hint != "" {
		fmt.Fprintln(a.err, "       "+clean(p.hint))
	}
	return p.code
}

// problemOf makes an error readable.
func (a *app) problemOf(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var file *config.Error
	var cfg *hoosh.ConfigError
	var call *hoosh.Error
	switch {
	case errors.As(err, &file):
		return &problem{code: exitUsage, text: file.Error()}
	case errors.As(err, &cfg):
		return &problem{code: exitUsage, text: cfg.Error()}
	case errors.As(err, &call):
		return a.callProblem(call)
	case errors.Is(err, context.Canceled):
		return &problem{code: exitInterrupted, text: "interrupted"}
	}
	return &problem{code: exitFailure, text: strings.TrimPrefix(err.Error(), "hoosh: ")}
}

// callProblem is a call that failed. What was tried before is told to those who
// want to know.
func (a *app) callProblem(e *hoosh.Error) *problem {
	told := *e
	if told.Param == "model" {
		told.Param = "" // the message names it, and nobody here wrote JSON
	}
	p := &problem{code: exitFailure, text: strings.TrimPrefix(told.Error(), "hoosh: ")}
	if a.Verbose {
		for _, t := range e.Tried {
			p.text += "\nbefore that: " + strings.TrimPrefix(t.Error(), "hoosh: ")
		}
	}
	switch e.Kind {
	case hoosh.ErrCanceled:
		p.code, p.text = exitInterrupted, "interrupted"
	case hoosh.ErrModelNotFound:
		p.code, p.hint = exitNobody, `"hoosh models" lists what there is`
	case hoosh.ErrNoProvider:
		p.code, p.hint = exitNobody, `"hoosh info" tells how the providers are`
	case hoosh.ErrUpstreamAuth, hoosh.ErrUnauthorized:
		p.code = exitBackend
		if a.Server != "" {
			p.hint = "the key for " + a.Server + " comes from --key or HOOSH_KEY"
		} else {
			p.hint = "check the key that is configured for this provider"
		}
	case hoosh.ErrUnavailable:
		p.code = exitBackend
		if a.Server != "" {
			p.hint = "is a hoosh running at " + a.Server + "? \"hoosh serve\" starts one"
		}
	case hoosh.ErrRateLimited, hoosh.ErrInsufficientQuota, hoosh.ErrOverloaded, hoosh.ErrTimeout, hoosh.ErrUpstream,
		hoosh.ErrMalformed, hoosh.ErrStreamCut, hoosh.ErrContentPolicy:
		p.code = exitBackend
	}
	return p
}

// fileProblem is a file that cannot be read.
func fileProblem(what, path string, err error) error {
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return &problem{code: exitUsage, text: fmt.Sprintf("%s %s: %v", what, path, err)}
}
