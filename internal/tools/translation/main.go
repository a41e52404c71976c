// SPDX-License-Identifier: AGPL-3.0-only

// Command translation writes docs/translation.md from the table in package
// dialect, where it stands.
package main

import (
	"fmt"
	"os"

	"github.com/maccracken/hoosh/dialect"
)

func main() {
	if err := os.WriteFile("../docs/translation.md", []byte(dialect.Markdown()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "translation:", err)
		os.Exit(1)
	}
}
