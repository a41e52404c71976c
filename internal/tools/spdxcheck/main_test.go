// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestCheck(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not here")
	}
	const line = identifier + "\n"
	files := map[string]string{
		"good.go":            "// " + line + "package x\n",
		"good.sh":            "#!/bin/sh\n# " + line,
		"good.py":            "# " + line,
		"bad.go":             "package x\n// " + line,
		"late.sh":            "#!/bin/sh\n\n# " + line,
		"empty.py":           "",
		"deep/er.go":         "package x\n",
		"deep/testdata/x.go": "package x\n",
		"testdata/x.sh":      "echo\n",
		"ignored.go":         "package x\n",
		".gitignore":         "ignored.go\n",
		"README.md":          "words\n",
	}
	dir := t.TempDir()
	for name, src := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git(t, dir, "init", "-q")
	git(t, dir, "add", "bad.go", "good.go") // the others are new, not tracked

	got, err := check(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{"bad.go", "deep/er.go", "empty.py", "late.sh"}
	if !slices.Equal(got, want) {
		t.Errorf("check = %q, want %q", got, want)
	}

	if err := os.Remove(filepath.Join(dir, "bad.go")); err != nil {
		t.Fatal(err)
	}
	if got, err = check(dir); err != nil || slices.Contains(got, "bad.go") {
		t.Errorf("with bad.go deleted: check = %q, %v", got, err)
	}
}

func TestCheckOutsideGit(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if got, err := check(t.TempDir()); err == nil {
		t.Errorf("check = %q, want an error", got)
	}
}

func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}
