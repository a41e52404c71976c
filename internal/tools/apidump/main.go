// SPDX-License-Identifier: AGPL-3.0-only

// Command apidump prints the exported API of the module's public packages, sorted, one declaration a line, so that a change
// of it shows up in a diff. Commands, internal packages, examples and test/ are no API.
//
//	go run ./internal/tools/apidump > api.txt
//	go run ./internal/tools/apidump -check api.txt   # exit 1 and the differences when api.txt is out of date
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/importer"
	"go/token"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

func main() {
	file := flag.String("check", "", "compare with this `file` instead of printing")
	flag.Parse()
	if err := run(".", *file, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "apidump:", err)
		os.Exit(1)
	}
}

// run prints the API of the module in dir to w, or, with a file, what differs from it.
func run(dir, file string, w io.Writer) error {
	lines, err := dump(dir)
	if err != nil {
		return err
	}
	if file == "" {
		_, err := io.WriteString(w, strings.Join(append(lines, ""), "\n"))
		return err
	}
	want, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	diff := compare(strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"), lines)
	if len(diff) == 0 {
		return nil
	}
	for _, line := range diff {
		fmt.Fprintln(w, line)
	}
	return fmt.Errorf("%s is out of date (- is in it, + is in the code): look at the change, then run 'make api'", file)
}

// compare returns the lines that only one side has, in order, marked - for old and + for new.
func compare(old, new []string) []string {
	var diff []string
	for _, line := range old {
		if !slices.Contains(new, line) {
			diff = append(diff, "-"+line)
		}
	}
	for _, line := range new {
		if !slices.Contains(old, line) {
			diff = append(diff, "+"+line)
		}
	}
	// Without its mark a line sorts beside the one that replaces it.
	slices.SortStableFunc(diff, func(a, b string) int { return strings.Compare(a[1:], b[1:]) })
	if len(diff) == 0 && !slices.Equal(old, new) {
		diff = append(diff, "the order of the lines")
	}
	return diff
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Name       string
	Export     string // the file of its export data
	Standard   bool
	Module     *struct {
		Path string
		Main bool
	}
}

// dump type-checks nothing itself: it reads the export data that the compiler wrote, where every type is exact.
func dump(dir string) ([]string, error) {
	pkgs, err := list(dir)
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string, len(pkgs))
	for _, p := range pkgs {
		exports[p.ImportPath] = p.Export
	}
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(exports[path])
	})
	var lines []string
	for _, p := range pkgs {
		if !public(p) {
			continue
		}
		pkg, err := imp.Import(p.ImportPath)
		if err != nil {
			return nil, err
		}
		lines = append(lines, describe(pkg, p.Module.Path)...)
	}
	slices.Sort(lines)
	return slices.Compact(lines), nil
}

// list asks for one fixed platform, so that the answer is the same on every machine.
func list(dir string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Name,Export,Standard,Module", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0", "GOEXPERIMENT=", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var pkgs []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		pkgs = append(pkgs, p)
	}
}

// public reports whether others may import the package and are meant to.
func public(p listed) bool {
	if p.Standard || p.Module == nil || !p.Module.Main || p.Name == "main" {
		return false
	}
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/"), "/")
	if slices.Contains(parts, "internal") {
		return false
	}
	return !slices.Contains([]string{"cmd", "examples", "test"}, parts[0])
}
