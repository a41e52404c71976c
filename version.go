// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	_ "embed"
	"strings"
)

//go:embed VERSION
var versionFile string

// Version is this release, "0.1.0".
var Version = strings.TrimSpace(versionFile)
