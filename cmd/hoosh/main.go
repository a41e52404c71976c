// SPDX-License-Identifier: AGPL-3.0-only

// Command hoosh serves and asks inference backends: engines on this machine,
// and remote APIs. "hoosh --help" says what it can do.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	_ "github.com/maccracken/hoosh/providers/all"
)

func main() { os.Exit(runMain()) }

func runMain() int {
	a := &app{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv,
		inTTY: isTerminal(os.Stdin), outTTY: isTerminal(os.Stdout), errTTY: isTerminal(os.Stderr), piped: isPiped(os.Stdin),
	}
	return a.main(context.Background(), os.Args[1:])
}

// app is what a command has of the world outside, so that tests can give it
// another one.
type app struct {
	in       io.Reader
	out, err io.Writer
	inTTY    bool
	outTTY   bool
	errTTY   bool
	piped    bool // in is a pipe or a file, and will end
	getenv   func(string) string

	globals
	style, errStyle style // for out and err
}

// leave is how kong's --help and --version end a parse.
type leave int

// main runs one command line and gives the exit code.
func (a *app) main(ctx context.Context, args []string) (code int) {
	defer func() {
		if v := recover(); v != nil {
			l, ok := v.(leave)
			if !ok {
				panic(v)
			}
			code = int(l)
		}
	}()
	var c cli
	parser, err := kong.New(&c, a.options()...)
	if err != nil {
		panic(err) // the grammar is fixed: a programmer's error
	}
	parsed, err := parser.Parse(helpArgs(args))
	a.globals = c.globals
	a.style = newStyle(a.outTTY, a.NoColor, a.getenv)
	a.errStyle = newStyle(a.errTTY, a.NoColor, a.getenv)
	if err != nil {
		return a.fail(a.usage(err))
	}
	if command := parsed.Selected(); command.Name != "serve" && command.Name != "chat" { // these have ways of their own to end
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop) // a second signal ends us at once
		defer stop()
	}
	parsed.BindTo(ctx, (*context.Context)(nil))
	return a.fail(parsed.Run(a, parser.Model))
}

// helpArgs makes "hoosh" and "hoosh help serve" what they mean.
func helpArgs(args []string) []string {
	if len(args) == 0 {
		return []string{"--help"}
	}
	if args[0] == "help" {
		return append(args[1:len(args):len(args)], "--help")
	}
	return args
}

func (a *app) options() []kong.Option {
	return []kong.Option{
		kong.Name("hoosh"),
		kong.Description("An AI inference gateway: one address for the engines of this machine and for remote APIs."),
		kong.Vars{"version": versionLine()},
		kong.Writers(a.out, a.err),
		kong.Exit(func(code int) { panic(leave(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Help(printHelp),
	}
}

// usage is a parse error as ours.
func (a *app) usage(err error) error {
	hint := `"hoosh --help" lists the commands`
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		hint = `"` + p.Context.Selected().FullPath() + ` --help" says more`
	}
	return &problem{code: exitUsage, text: err.Error(), hint: hint}
}
