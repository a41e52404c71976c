// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// module writes a module of several packages, public and not, and returns its folder.
func module(t *testing.T) string {
	t.Helper()
	files := map[string]string{
		"go.mod": "module example.com/mod\n\ngo 1.26\n",
		"root.go": `package mod

import (
	"errors"
	"io"

	"example.com/mod/sub"
)

var ErrBad = errors.New("bad")

const (
	Max  = 10
	Low Level = 1
	name = "x"
)

type Level uint8

func (Level) String() string { return "" }

type hidden struct{ Deep int }

func (*hidden) Promoted() {}

type Box[T any] struct {
	Value  T
	Next   *Box[T]
	Option sub.Option
	io.Reader
	hidden
	secret int
}

func (b *Box[T]) Get(key string) (T, error) { return b.Value, nil }
func (b Box[T]) Len() int                   { return 0 }
func (b *Box[T]) private()                  {}

type Gate interface {
	io.Closer
	Do(x int) error
	sealed()
}

type Open interface{ Do(x int) error }

type Number interface{ ~int | ~int64 }

type Hook func(level Level, args ...any) error

type Same = sub.Option

func New(opts ...sub.Option) (*Box[int], error) { return nil, nil }

func unseen() {}
`,
		"sub/sub.go":           "package sub\n\ntype Option struct{ A, b int }\n",
		"internal/in/in.go":    "package in\n\nfunc In() {}\n",
		"sub/internal/in.go":   "package internal\n\nfunc In() {}\n",
		"cmd/x/main.go":        "package main\n\nfunc Main() {}\nfunc main() {}\n",
		"cmd/lib/lib.go":       "package lib\n\nfunc Lib() {}\n",
		"examples/ex/ex.go":    "package ex\n\nfunc Ex() {}\n",
		"test/engines/e.go":    "package engines\n\nfunc E() {}\n",
		"sub/other_windows.go": "package sub\n\nfunc OnlyWindows() {}\n",
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
	return dir
}

const want = `pkg mod, const Low Level = 1
pkg mod, const Max untyped int = 10
pkg mod, func New(opts ...sub.Option) (*Box[int], error)
pkg mod, method (*Box) Get(key string) (T, error)
pkg mod, method (*Box) Promoted()
pkg mod, method (Box) Len() int
pkg mod, method (Level) String() string
pkg mod, type Box[T any] struct
pkg mod, type Box[T any] struct, Next *Box[T]
pkg mod, type Box[T any] struct, Option sub.Option
pkg mod, type Box[T any] struct, Value T
pkg mod, type Box[T any] struct, embedded io.Reader
pkg mod, type Gate interface (sealed)
pkg mod, type Gate interface, Close() error
pkg mod, type Gate interface, Do(x int) error
pkg mod, type Hook func(level Level, args ...any) error
pkg mod, type Level uint8
pkg mod, type Number interface{~int | ~int64}
pkg mod, type Open interface
pkg mod, type Open interface, Do(x int) error
pkg mod, type Same = sub.Option
pkg mod, var ErrBad error
pkg sub, type Option struct
pkg sub, type Option struct, A int
`

func TestRun(t *testing.T) {
	dir := module(t)
	var out bytes.Buffer
	if err := run(dir, "", &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != want {
		for _, line := range compare(strings.Split(want, "\n"), strings.Split(got, "\n")) {
			t.Error(line)
		}
		t.Fatalf("got:\n%s", got)
	}

	file := filepath.Join(dir, "api.txt")
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := run(dir, file, &out); err != nil || out.Len() > 0 {
		t.Errorf("check of what was printed: %v\n%s", err, out.String())
	}

	old := strings.Replace(want, "Do(x int) error", "Do(x string) error", 1)
	if err := os.WriteFile(file, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	err := run(dir, file, &out)
	if err == nil || !strings.Contains(err.Error(), "make api") {
		t.Errorf("check of an old file: %v", err)
	}
	if got, want := out.String(), "+pkg mod, type Gate interface, Do(x int) error\n-pkg mod, type Gate interface, Do(x string) error\n"; got != want {
		t.Errorf("check of an old file printed\n%swant\n%s", got, want)
	}
}

func TestRunErrors(t *testing.T) {
	dir := module(t)
	if err := run(dir, filepath.Join(dir, "none.txt"), &bytes.Buffer{}); err == nil {
		t.Error("no error without the file")
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.go"), []byte("package mod\n\nvar x = undefined\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(dir, "", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "undefined") {
		t.Errorf("code that does not compile: %v", err)
	}
}

func TestCompare(t *testing.T) {
	for _, test := range []struct {
		name     string
		old, new []string
		want     []string
	}{
		{"equal", []string{"a", "b"}, []string{"a", "b"}, nil},
		{"added", []string{"a"}, []string{"a", "b"}, []string{"+b"}},
		{"removed", []string{"a", "b"}, []string{"b"}, []string{"-a"}},
		{"changed", []string{"a", "b 1"}, []string{"a", "b 2"}, []string{"-b 1", "+b 2"}},
		{"order", []string{"a", "b"}, []string{"b", "a"}, []string{"the order of the lines"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := compare(test.old, test.new); !slices.Equal(got, test.want) {
				t.Errorf("compare = %q, want %q", got, test.want)
			}
		})
	}
}
