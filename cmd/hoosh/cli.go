// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// cli is the grammar of the command line.
type cli struct {
	globals `embed:""`

	Serve      serveCmd      `cmd:"" help:"Serve what is found, or configured, over HTTP."`
	Infer      inferCmd      `cmd:"" help:"Ask a model one thing."`
	Chat       chatCmd       `cmd:"" help:"Talk with a model."`
	Embed      embedCmd      `cmd:"" help:"Turn texts into vectors."`
	Models     modelsCmd     `cmd:"" help:"List the models that can be asked for."`
	Info       infoCmd       `cmd:"" help:"Tell what is here: version, configuration, providers, what was found and why not."`
	Health     healthCmd     `cmd:"" help:"Tell how the providers are; fails if none is up."`
	Explain    explainCmd    `cmd:"" help:"Tell where a call would go, and why."`
	Config     configCmd     `cmd:"" help:"Check or show the configuration."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print a script that completes commands in your shell."`

	PrintVersion kong.VersionFlag `name:"version" help:"Print the version and quit."`
}

// globals are the flags of every command.
type globals struct {
	Config  string `name:"config" placeholder:"FILE" help:"Configuration. Default: $$HOOSH_CONFIG, ./hoosh.yaml, hoosh/hoosh.yaml in your configuration folder, else none."`
	Server  string `placeholder:"URL" env:"HOOSH_URL" help:"Ask the hoosh that runs there instead of the backends themselves."`
	Key     string `placeholder:"KEY" env:"HOOSH_KEY" help:"Your key at that hoosh."`
	JSON    bool   `name:"json" help:"Print JSON."`
	Quiet   bool   `short:"q" help:"Say nothing but answers and errors."`
	Verbose bool   `short:"v" help:"Say more."`
	NoColor bool   `help:"No colours ($$NO_COLOR)."`
}

const exitCodes = `
Exit codes:
  0    it worked
  1    it failed
  2    the command line or the configuration is wrong
  3    there is no such model, or nobody to answer
  4    a backend failed
  130  interrupted`

func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	if ctx.Selected() == nil {
		fmt.Fprintln(ctx.Stdout, exitCodes)
	}
	return nil
}
