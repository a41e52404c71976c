// SPDX-License-Identifier: AGPL-3.0-only

// Command spdxcheck says which source files lack the licence line. It looks at every .go, .sh and .py file that git tracks
// or would add, outside testdata: the first line, or the second when the first is a shebang, must hold the identifier.
//
//	go run ./internal/tools/spdxcheck
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const identifier = "SPDX-License-Identifier: AGPL-3.0-only"

func main() {
	bad, err := check(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "spdxcheck:", err)
		os.Exit(2)
	}
	for _, name := range bad {
		fmt.Printf("%s: no %q at the top\n", name, identifier)
	}
	if len(bad) > 0 {
		os.Exit(1)
	}
}

// check returns the files under dir, a folder of a git work tree, that lack the line.
func check(dir string) ([]string, error) {
	git := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.go", "*.sh", "*.py")
	git.Dir = dir
	git.Stderr = os.Stderr
	list, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var bad []string
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		if name == "" || slices.Contains(strings.Split(name, "/"), "testdata") {
			continue
		}
		src, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, and git has not been told yet
		}
		if err != nil {
			return nil, err
		}
		if !licensed(src) {
			bad = append(bad, name)
		}
	}
	return bad, nil
}

func licensed(src []byte) bool {
	line, rest, _ := bytes.Cut(src, []byte("\n"))
	if bytes.HasPrefix(line, []byte("#!")) {
		line, _, _ = bytes.Cut(rest, []byte("\n"))
	}
	return bytes.Contains(line, []byte(identifier))
}
