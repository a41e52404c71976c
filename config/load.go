// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/maccracken/hoosh"
)

// Load reads a file, with the environment of this process.
func Load(path string) (*hoosh.Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("config: %w", err)
	}
	return Parse(path, data, os.LookupEnv)
}

// Parse reads the contents of a file. The name stands in errors, and its folder
// is where a secret's {file: PATH} begins. env looks up a variable, as
// [os.LookupEnv] does; nil: none is set.
//
// The configuration is non-nil if and only if the error is nil; an error is an
// [*Error].
func Parse(name string, data []byte, env func(string) (string, bool)) (*hoosh.Config, error) {
	l := &loader{name: name, env: env, readSecret: readSecret, at: map[string]position{}}
	return l.load(data)
}

// Find says which file to read: flag, which is what --config gave; the variable
// HOOSH_CONFIG; hoosh.yaml in the working folder; hoosh/hoosh.yaml in the user's
// folder for configurations. The first two need not exist: a file that somebody
// named and that is missing is an error for [Load] to tell. ok is false where
// there is none, and hoosh runs without a file.
func Find(flag string, getenv func(string) string, exists func(path string) bool) (path string, ok bool) {
	if flag != "" {
		return flag, true
	}
	if path = getenv("HOOSH_CONFIG"); path != "" {
		return path, true
	}
	const name = "hoosh.yaml"
	if exists(name) {
		return name, true
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	path = filepath.Join(folder, "hoosh", name)
	return path, exists(path)
}

// Problem is one thing that is wrong with a file, and where it is. Lines and
// columns count from 1, columns in characters.
type Problem struct {
	Line, Column int
	hoosh.ConfigProblem
}

// Error is all that is wrong with one file, in the order of the file. No secret
// and no value of the environment is in it.
type Error struct {
	Name     string
	Problems []Problem
}

// Error gives the problems, one a line: "hoosh.yaml:3:5: path: message; want …".
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", e.Name, p.Line, p.Column, p.ConfigProblem)
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives a [*hoosh.ConfigError].
func (e *Error) Unwrap() error {
	list := make(hoosh.ConfigError, len(e.Problems))
	for i, p := range e.Problems {
		list[i] = p.ConfigProblem
	}
	return &list
}

// loader reads one file.
type loader struct {
	name       string
	env        func(string) (string, bool)
	readSecret func(path string) (string, error)

	at       map[string]position // of every path in the file
	problems []Problem
	veils    []veil
}

// veil is a value that no message may show, and what it shows in its place.
type veil struct{ value, shown string }

func (l *loader) load(data []byte) (*hoosh.Config, error) {
	root := grow(data, func(at position, message, want string) { l.report(at, "", message, want) })
	var cfg hoosh.Config
	if root != nil {
		l.root(root, &cfg)
	}
	l.validate(&cfg)
	if len(l.problems) == 0 {
		return &cfg, nil
	}
	slices.SortStableFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	veiled := l.veil()
	for i := range l.problems {
		l.problems[i].Message = veiled.Replace(l.problems[i].Message)
	}
	return nil, &Error{Name: l.name, Problems: slices.Compact(l.problems)}
}

func (l *loader) report(at position, path, message, want string) {
	l.problems = append(l.problems, Problem{at.line, at.column, hoosh.ConfigProblem{Path: path, Message: message, Want: want}})
}

// validate adds what the whole configuration shows to be wrong. It does not
// complain twice of what was reported at the same place, or within.
func (l *loader) validate(cfg *hoosh.Config) {
	var list *hoosh.ConfigError
	if !errors.As(cfg.Validate(), &list) {
		return
	}
	reported := slices.Clone(l.problems)
	for _, p := range *list {
		at := l.place(p.Path)
		if !slices.ContainsFunc(reported, func(r Problem) bool {
			if r.Path == "" { // the YAML itself
				return at == position{r.Line, r.Column}
			}
			return within(r.Path, p.Path) || within(p.Path, r.Path)
		}) {
			l.report(at, p.Path, p.Message, p.Want)
		}
	}
}

// within reports that a path is another, or inside it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// place finds a path in the file: itself, or the nearest around it that is there.
func (l *loader) place(path string) position {
	for path != "" {
		if at, ok := l.at[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return position{1, 1}
}

// veil puts what may be shown in the place of what may not. Short values are
// looked for as a message quotes them only, for they may be part of any word.
func (l *loader) veil() *strings.Replacer {
	// The first that fits wins, and a value may be part of another.
	slices.SortStableFunc(l.veils, func(a, b veil) int { return cmp.Compare(len(b.value), len(a.value)) })
	var pairs []string
	for _, v := range l.veils {
		pairs = append(pairs, strconv.Quote(v.value), strconv.Quote(v.shown))
		if len(v.value) >= 8 {
			pairs = append(pairs, v.value, v.shown)
		}
	}
	return strings.NewReplacer(pairs...)
}

// maxSecret bounds the file of a secret.
const maxSecret = 64 << 10

// readSecret reads a secret from its file, without the line break at its end.
func readSecret(path string) (string, error) {
	// Opening a pipe could wait for ever.
	info, err := os.Stat(path)
	if err != nil {
		return "", cause(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", cause(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return "", cause(err)
	case len(data) > maxSecret:
		return "", errors.New("larger than 64 KiB")
	}
	secret := strings.TrimRight(string(data), "\r\n")
	if secret == "" {
		return "", errors.New("empty")
	}
	return secret, nil
}

// cause is the reason alone, for the message has a path already, as it stands in
// the file.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
