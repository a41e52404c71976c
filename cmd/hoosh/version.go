// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/maccracken/hoosh"
)

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(a *app) error {
	if a.JSON {
		return a.printJSON(map[string]string{
			"version": hoosh.Version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH, "commit": commit(),
		})
	}
	fmt.Fprintln(a.out, versionLine())
	return nil
}

func versionLine() string {
	line := fmt.Sprintf("hoosh %s (%s, %s/%s", hoosh.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if c := commit(); c != "" {
		line += ", " + c[:min(len(c), 12)]
	}
	return line + ")"
}

// commit is what the binary was built from, where the build could tell.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
