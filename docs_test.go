// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
)

// document is README.md or a page of docs.
type document struct {
	name   string // from the module's root, with slashes
	text   string // with its fenced blocks blanked, line for line
	blocks []block
}

// block is what stands between two fences.
type block struct {
	lang string
	line int // of its first line
	text string
}

// documents reads what users read.
func documents(t *testing.T) []document {
	t.Helper()
	names, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var docs []document
	for _, name := range append([]string{"README.md"}, names...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, parseDocument(filepath.ToSlash(name), string(data)))
	}
	return docs
}

func parseDocument(name, data string) document {
	d := document{name: name}
	var inside *block
	for i, line := range strings.SplitAfter(data, "\n") {
		lang, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && inside == nil:
			inside = &block{lang: lang, line: i + 2}
		case fence:
			d.blocks = append(d.blocks, *inside)
			inside = nil
		case inside != nil:
			inside.text += line
		default:
			d.text += line
			continue
		}
		d.text += "\n"
	}
	return d
}

func findDocument(t *testing.T, name string) document {
	t.Helper()
	docs := documents(t)
	i := slices.IndexFunc(docs, func(d document) bool { return d.name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return docs[i]
}

// A Go block that begins with "package" is a file of its own. Any other is the
// inside of a function that may return an error: the packages of docPackages are
// imported where it uses them, and the variables of docNames are there where it
// uses them without having made them.
var (
	docPackages = map[string]string{
		"hoosh":     "github.com/maccracken/hoosh",
		"config":    "github.com/maccracken/hoosh/config",
		"hooshtest": "github.com/maccracken/hoosh/hooshtest",
		"server":    "github.com/maccracken/hoosh/server",
		"compat":    "github.com/maccracken/hoosh/providers/compat",
		"context":   "context", "errors": "errors", "fmt": "fmt", "http": "net/http", "io": "io", "log": "log",
		"os": "os", "slog": "log/slog", "strings": "strings", "testing": "testing", "time": "time",
	}
	docNames = map[string]string{
		"body":    "[]byte",
		"call":    "*hoosh.Call",
		"cfg":     "hoosh.Config",
		"ctx":     "context.Context",
		"err":     "error",
		"gateway": "hoosh.Gateway",
		"mux":     "*http.ServeMux",
		"q":       "*hoosh.Request",
		"reply":   "*hoosh.Reply",
		"router":  "*hoosh.Router",
		"t":       "*testing.T",
	}
)

// TestDocsGo type-checks every Go block.
func TestDocsGo(t *testing.T) {
	c := newChecker(t)
	for _, d := range documents(t) {
		for _, b := range d.blocks {
			if b.lang != "go" {
				continue
			}
			if err := c.snippet(d.name, b); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDocsGoFindsMistakes: a check that lets everything pass would not be seen.
func TestDocsGoFindsMistakes(t *testing.T) {
	c := newChecker(t)
	for text, want := range map[string]string{
		"resp, err := router.Infer(ctx, q)\nif err != nil {\n\treturn err\n}\nfmt.Println(resp.Text())": "",
		"package main\n\nfunc main() {}": "",
		"fmt.Println(router.Nothing)":    "page.md:7:20",
		"x := 1":                         "page.md:7:1",
		"if router {":                    "page.md:",
		"fmt.Println(\n\tnobody)":        "page.md:8:2",
		"package main\n\nimport \"fmt\"": "page.md:9:8",
		"type Doer interface{ Do(context.Context, *hoosh.Call) error }": "page.md:7:6",
	} {
		err := c.snippet("page.md", block{"go", 7, text})
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want an error at %q", text, err, want)
		}
	}
}

// checker type-checks against what the build has compiled.
type checker struct {
	fset    *token.FileSet
	imports types.Importer
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	list := slices.Sorted(maps.Values(docPackages))
	list = append(list, "github.com/maccracken/hoosh/providers/...")
	out, err := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, list...)...).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %s", failed.Stderr)
		}
		t.Skip("there is no go command: ", err)
	}
	compiled := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		compiled[name] = file
	}
	fset := token.NewFileSet()
	return &checker{fset, importer.ForCompiler(fset, "gc", func(name string) (io.ReadCloser, error) {
		if compiled[name] == "" {
			return nil, fmt.Errorf("the documents do not know package %s", name)
		}
		return os.Open(compiled[name])
	})}
}

// snippet gives the first thing that is wrong with a block.
func (c *checker) snippet(name string, b block) error {
	at := fmt.Sprintf("//line %s:%d:1\n", name, b.line)
	if strings.HasPrefix(strings.TrimSpace(stripComments(b.text)), "package ") {
		_, _, err := c.check(at + b.text)
		return err
	}
	inside := "{\n" + at + b.text + "\nreturn nil }"
	file, info, err := c.check("package snippet\nfunc _() error " + inside)
	if file == nil || err == nil {
		return err
	}
	names := missingNames(file, info)
	var head, params strings.Builder
	imported := map[string]bool{}
	for _, n := range names {
		if kind := docNames[n]; kind != "" {
			fmt.Fprintf(&params, "%s %s, ", n, kind)
			if pkg, _, qualified := strings.Cut(strings.TrimLeft(kind, "*[]"), "."); qualified {
				imported[pkg] = true
			}
		} else if docPackages[n] != "" {
			imported[n] = true
		}
	}
	for _, n := range slices.Sorted(maps.Keys(imported)) {
		fmt.Fprintf(&head, "import %s %q\n", n, docPackages[n])
	}
	_, info, err = c.check("package snippet\n" + head.String() + "func _(" + params.String() + ") error " + inside)
	if err == nil {
		err = c.sameTypes(info)
	}
	return err
}

// check gives the file if it could be parsed, and the first error.
func (c *checker) check(source string) (*ast.File, *types.Info, error) {
	file, err := parser.ParseFile(c.fset, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: c.imports, Error: func(e error) {
		if err == nil {
			err = e
		}
	}}
	conf.Check("snippet", c.fset, []*ast.File{file}, info) //nolint:errcheck // Error is told
	return file, info, err
}

// missingNames are the names that a file uses and nobody has declared.
func missingNames(file *ast.File, info *types.Info) []string {
	found := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			ast.Inspect(n.X, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok && info.Uses[id] == nil && info.Defs[id] == nil {
					found[id.Name] = true
				}
				_, deeper := n.(*ast.SelectorExpr)
				return !deeper
			})
		case *ast.Ident:
			if info.Uses[n] == nil && info.Defs[n] == nil {
				found[n.Name] = true
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(found))
}

// sameTypes compares the types that a snippet shows with those of the same name
// in package hoosh.
func (c *checker) sameTypes(info *types.Info) error {
	pkg, err := c.imports.Import(docPackages["hoosh"])
	if err != nil {
		return err
	}
	for id, object := range info.Defs {
		if _, isType := object.(*types.TypeName); !isType {
			continue
		}
		real := pkg.Scope().Lookup(id.Name)
		if real != nil && !types.Identical(object.Type().Underlying(), real.Type().Underlying()) {
			return fmt.Errorf("%s: hoosh.%s is %s", c.fset.Position(id.Pos()), id.Name, real.Type().Underlying())
		}
	}
	return nil
}

func stripComments(text string) string {
	return regexp.MustCompile(`(?m)^\s*//.*$`).ReplaceAllString(text, "")
}

// TestReadmeRuns runs the programs of README.md and compares what they print
// with the text block that follows.
func TestReadmeRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("it links programs")
	}
	d := findDocument(t, "README.md")
	for i, b := range d.blocks {
		if b.lang != "go" || !strings.HasPrefix(b.text, "package main") {
			continue
		}
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("go", "run", file).CombinedOutput()
		if err != nil {
			t.Errorf("README.md:%d: %v\n%s", b.line, err, out)
			continue
		}
		if i+1 == len(d.blocks) || d.blocks[i+1].lang != "text" {
			t.Errorf("README.md:%d: the block after it does not say what it prints", b.line)
		} else if want := d.blocks[i+1]; string(out) != want.text {
			t.Errorf("README.md:%d: it prints\n%swant\n%s", want.line, out, want.text)
		}
	}
}

// TestDocsLinks: what a page links to is there.
func TestDocsLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading := regexp.MustCompile(`(?m)^#+ (.+)$`)
	anchors := func(d document) (list []string) {
		for _, m := range heading.FindAllStringSubmatch(d.text, -1) {
			list = append(list, slug(m[1]))
		}
		return list
	}
	docs := documents(t)
	for _, d := range docs {
		for i, line := range strings.Split(d.text, "\n") {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				to, anchor, _ := strings.Cut(m[1], "#")
				if strings.Contains(to, ":") {
					continue // elsewhere
				}
				target := d.name
				if to != "" {
					target = path.Join(path.Dir(d.name), to)
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s:%d: %s leads nowhere", d.name, i+1, m[1])
					continue
				}
				page := slices.IndexFunc(docs, func(d document) bool { return d.name == target })
				if anchor != "" && (page < 0 || !slices.Contains(anchors(docs[page]), anchor)) {
					t.Errorf("%s:%d: %s has no such heading", d.name, i+1, m[1])
				}
			}
		}
	}
}

// slug is a heading as links name it.
func slug(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', r >= '0' && r <= '9', r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, strings.ToLower(heading))
}

// TestDocsNames: tests and files that pages name exist, and
// docs/architecture.md gives every file of the root package its place.
func TestDocsNames(t *testing.T) {
	files, tests := map[string]bool{}, map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || path.Ext(name) != ".go" {
			return err
		}
		files[path.Base(name)] = true
		if strings.HasSuffix(name, "_test.go") {
			text, err := os.ReadFile(name)
			for _, m := range declared.FindAllSubmatch(text, -1) {
				tests[string(m[1])] = true
			}
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z]\\w*)`")
	goFile := regexp.MustCompile(`\b\w+\.go\b`)
	for _, d := range documents(t) {
		whole := d.text
		for _, b := range d.blocks {
			whole += b.text
		}
		for _, m := range named.FindAllStringSubmatch(whole, -1) {
			if !tests[m[1]] {
				t.Errorf("%s: there is no %s", d.name, m[1])
			}
		}
		for _, name := range goFile.FindAllString(whole, -1) {
			if !files[name] {
				t.Errorf("%s: there is no %s", d.name, name)
			}
		}
		if d.name == "docs/architecture.md" {
			everyFileHasAPlace(t, whole)
		}
	}
}

func everyFileHasAPlace(t *testing.T, text string) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") && !regexp.MustCompile(`\b`+regexp.QuoteMeta(name)).MatchString(text) {
			t.Errorf("docs/architecture.md: say what %s is for", name)
		}
	}
}

// table gives the rows of a page's tables whose first cell begins with a code
// span, cell by cell.
func (d document) table() (rows [][]string) {
	for line := range strings.Lines(d.text) {
		if strings.HasPrefix(line, "| `") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	return rows
}

func code(s string) string { return "`" + s + "`" }

var kinds = map[string]error{
	"ErrInvalidRequest": hoosh.ErrInvalidRequest, "ErrTooLarge": hoosh.ErrTooLarge, "ErrUnauthorized": hoosh.ErrUnauthorized,
	"ErrForbidden": hoosh.ErrForbidden, "ErrModelNotFound": hoosh.ErrModelNotFound, "ErrNoProvider": hoosh.ErrNoProvider,
	"ErrUnsupported": hoosh.ErrUnsupported, "ErrContextLength": hoosh.ErrContextLength, "ErrContentPolicy": hoosh.ErrContentPolicy,
	"ErrRateLimited": hoosh.ErrRateLimited, "ErrInsufficientQuota": hoosh.ErrInsufficientQuota, "ErrUpstreamAuth": hoosh.ErrUpstreamAuth,
	"ErrOverloaded": hoosh.ErrOverloaded, "ErrUnavailable": hoosh.ErrUnavailable, "ErrTimeout": hoosh.ErrTimeout,
	"ErrUpstream": hoosh.ErrUpstream, "ErrMalformed": hoosh.ErrMalformed, "ErrStreamCut": hoosh.ErrStreamCut,
	"ErrCanceled": hoosh.ErrCanceled, "ErrInternal": hoosh.ErrInternal,
}

// TestDocsErrors compares docs/errors.md with what errors do.
func TestDocsErrors(t *testing.T) {
	source, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	page := findDocument(t, "docs/errors.md")
	rows := map[string][]string{}
	for _, row := range page.table() {
		if len(row) == 6 {
			rows[strings.Trim(row[0], "`")] = row
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\t(Err\w+) += errors\.New`).FindAllSubmatch(source, -1) {
		name := string(m[1])
		kind, row := kinds[name], rows[name]
		if kind == nil || len(row) != 6 {
			t.Errorf("docs/errors.md, or this test, does not know %s", name)
			continue
		}
		e := &hoosh.Error{Kind: kind}
		var told struct{ Error struct{ Type, Code *string } }
		if err := json.Unmarshal(hoosh.OpenAI.EncodeError(e), &told); err != nil {
			t.Fatal(err)
		}
		says := "null"
		if told.Error.Code != nil {
			says = *told.Error.Code
		}
		want := []string{fmt.Sprint(e.HTTPStatus()), code(*told.Error.Type), code(says), whatThen(t, kind)}
		if !slices.Equal(row[2:], want) {
			t.Errorf("docs/errors.md: %s has %q, want %q", name, row[2:], want)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| ([0-9, ]+) \\| `(Err\\w+)` \\|$").FindAllStringSubmatch(page.text, -1) {
		for number := range strings.SplitSeq(m[1], ", ") {
			status, err := strconv.Atoi(number)
			if err != nil || hoosh.StatusKind(status) != kinds[m[2]] {
				t.Errorf("docs/errors.md: status %s is %v", number, hoosh.StatusKind(status))
			}
		}
	}
}

// whatThen tries what a router does after an attempt that failed so.
func whatThen(t *testing.T, kind error) string {
	failing := &counting{}
	fails := hoosh.DoerFunc(func(ctx context.Context, c *hoosh.Call) (*hoosh.Reply, error) {
		failing.n.Add(1)
		return nil, &hoosh.Error{Kind: kind}
	})
	busy := hoosh.DoerFunc(func(context.Context, *hoosh.Call) (*hoosh.Reply, error) {
		failing.n.Add(100)
		return nil, &hoosh.Error{Kind: hoosh.ErrOverloaded}
	})
	r := newRouter(t, []hoosh.Provider{{Name: "a", Doer: fails}, {Name: "b", Doer: busy}},
		hoosh.Route{Match: []string{"m"}, To: []hoosh.Target{{Target: "a/m"}, {Target: "b/m"}}, Retry: hoosh.RetryConfig{Backoff: 1}})
	if _, _, err := ask(r, false); err == nil {
		t.Fatal("somebody answered")
	}
	return map[int64]string{1: "ends", 201: "next", 202: "again"}[failing.n.Load()]
}

// TestDocsConfiguration compares docs/configuration.md with the fields of
// Config and their defaults.
func TestDocsConfiguration(t *testing.T) {
	defaults := map[string]string{}
	sample := hoosh.Config{
		Providers: make([]hoosh.ProviderConfig, 1), Routes: []hoosh.Route{{To: make([]hoosh.Target, 1)}}, Keys: make([]hoosh.KeyConfig, 1),
	}
	configKeys("", reflect.ValueOf(sample.Effective()), defaults)
	shown := map[string]bool{}
	for _, row := range findDocument(t, "docs/configuration.md").table() {
		name := strings.Trim(row[0], "`")
		shown[name] = true
		if value, known := defaults[name]; !known {
			t.Errorf("docs/configuration.md: there is no key %s", name)
		} else if value != "" && !strings.Contains(row[1], value) {
			t.Errorf("docs/configuration.md: %s has the default %q, want %s", name, row[1], value)
		}
	}
	for name := range defaults {
		if !shown[name] {
			t.Errorf("docs/configuration.md lacks %s", name)
		}
	}
}

// configKeys notes every key that holds a value, with its default.
func configKeys(name string, v reflect.Value, into map[string]string) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if key := v.Type().Field(i).Tag.Get("yaml"); key != "" && key != "-" {
				configKeys(strings.TrimPrefix(name+"."+key, "."), v.Field(i), into)
			}
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct:
		if name == "routes[].to" {
			into[name] = ""
		}
		configKeys(name+"[]", v.Index(0), into)
	case v.IsZero() || v.Kind() == reflect.Slice:
		into[name] = ""
	default:
		into[name] = regexp.MustCompile(`([hm])0[ms]$`).ReplaceAllString(fmt.Sprint(v.Interface()), "$1")
	}
}

// listDrivers is a program: a root test that linked every driver would look for
// their engines.
const listDrivers = `package main

import (
	"encoding/json"
	"os"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/all"
)

func main() {
	type driver struct {
		Name, BaseURL   string
		Local           bool
		Aliases, KeyEnv []string
	}
	var list []driver
	for _, d := range hoosh.Drivers() {
		list = append(list, driver{d.Name, d.BaseURL, d.Local, d.Aliases, d.KeyEnv})
	}
	json.NewEncoder(os.Stdout).Encode(list)
}
`

// TestDocsProviders compares the table of docs/providers.md with the drivers.
func TestDocsProviders(t *testing.T) {
	if testing.Short() {
		t.Skip("it links a program")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(listDrivers), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "run", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var drivers []hoosh.Driver
	if err := json.Unmarshal(out, &drivers); err != nil {
		t.Fatal(err)
	}
	codes := func(names []string) string {
		list := make([]string, len(names))
		for i, name := range names {
			list[i] = code(name)
		}
		return strings.Join(list, ", ")
	}
	want := map[string][]string{}
	for _, d := range drivers {
		kind, base := "remote", d.BaseURL
		if d.Local {
			kind = "local"
		} else if base == "" {
			base = "needed"
		}
		want[code(d.Name)] = []string{codes(append([]string{d.Name}, d.Aliases...)), kind, base, codes(d.KeyEnv)}
	}
	for _, row := range findDocument(t, "docs/providers.md").table() {
		name, _, _ := strings.Cut(row[0], ",")
		if len(row) != 5 || !slices.Equal(row[:4], want[name]) {
			t.Errorf("docs/providers.md: %q, want %q", row, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("docs/providers.md lacks %s", name)
	}
}
