// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"errors"
	"fmt"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/config"
)

type configCmd struct {
	Check  configCheckCmd  `cmd:"" help:"Say whether a configuration is right, and else what is wrong where."`
	Show   configShowCmd   `cmd:"" help:"Print the configuration that counts, defaults included and secrets hidden."`
	Schema configSchemaCmd `cmd:"" help:"Print the JSON Schema of hoosh.yaml, for editors."`
}

type configCheckCmd struct {
	File string `arg:"" optional:"" help:"Default: the file that the other commands would read."`
}

// Run prints ok, or every error with its place.
func (c *configCheckCmd) Run(a *app) error {
	path := c.File
	if path == "" {
		path = a.configPath()
	}
	if path == "" {
		return &problem{code: exitUsage, text: "there is no configuration to check: no --config, no HOOSH_CONFIG, no hoosh.yaml here or in your configuration folder"}
	}
	cfg, err := loadFile(path)
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		if a.JSON {
			return a.configProblems(wrong)
		}
		for _, p := range wrong.Problems {
			fmt.Fprintf(a.err, "%s: %s\n", a.errStyle.bold(clean(fmt.Sprintf("%s:%d:%d", wrong.Name, p.Line, p.Column))), clean(p.ConfigProblem.String()))
		}
		return &problem{code: exitUsage}
	case err != nil:
		return err
	case a.JSON:
		return a.printJSON(map[string]any{"file": path, "ok": true})
	}
	if !a.Quiet {
		fmt.Fprintf(a.out, "%s: %s (%s, %s, %s)\n", path, a.style.green("ok"),
			count(len(cfg.Providers), "provider"), count(len(cfg.Routes), "route"), count(len(cfg.Keys), "key"))
	}
	return nil
}

func (a *app) configProblems(wrong *config.Error) error {
	type entry struct {
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Path    string `json:"path"`
		Message string `json:"message"`
		Want    string `json:"want,omitempty"`
	}
	list := make([]entry, 0, len(wrong.Problems))
	for _, p := range wrong.Problems {
		list = append(list, entry{p.Line, p.Column, p.Path, p.Message, p.Want})
	}
	if err := a.printJSON(map[string]any{"file": wrong.Name, "ok": false, "problems": list}); err != nil {
		return err
	}
	return &problem{code: exitUsage}
}

// count is "no routes", "1 route", "2 routes".
func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

type configShowCmd struct{}

// Run prints what the commands work with.
func (configShowCmd) Run(a *app) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	serverDefaults(cfg)
	if a.JSON {
		return usagef("config show prints YAML only")
	}
	body, err := config.Show(cfg)
	if err != nil {
		return err
	}
	_, err = a.out.Write(body)
	return err
}

// serverDefaults are the defaults of a server where the library's are other ones.
func serverDefaults(cfg *hoosh.Config) {
	if cfg.Health.Probe == 0 {
		cfg.Health.Probe = probeEvery
	}
}

type configSchemaCmd struct{}

// Run prints the schema.
func (configSchemaCmd) Run(a *app) error {
	_, err := a.out.Write(append(config.Schema(), '\n'))
	return err
}
