// SPDX-License-Identifier: AGPL-3.0-only

//go:build !unix

package proc

import (
	"os"
	"os/exec"
)

func ownGroup(*exec.Cmd) {}

func terminate(p *os.Process) error { return p.Kill() }

func killGroup(p *os.Process) { p.Kill() } //nolint:errcheck
