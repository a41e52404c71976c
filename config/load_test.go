// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/maccracken/hoosh"
)

var update = flag.Bool("update", false, "write the .want files of testdata/bad")

// The drivers that the tests' files name. Real ones would tie these tests to
// what the real ones say.
func init() {
	made := func(hoosh.ProviderConfig) (hoosh.Doer, error) { return hoosh.DoerFunc(nobody), nil }
	hoosh.Register(hoosh.Driver{Name: "openai", BaseURL: "https://api.openai.com/v1", New: made})
	hoosh.Register(hoosh.Driver{Name: "ollama", Local: true, BaseURL: "http://127.0.0.1:11434", New: made})
	hoosh.Register(hoosh.Driver{Name: "echo", Local: true, New: made})
	hoosh.Register(hoosh.Driver{Name: "compat", New: func(p hoosh.ProviderConfig) (hoosh.Doer, error) {
		if p.BaseURL == "" {
			return nil, errors.New("no base_url")
		}
		return made(p)
	}})
}

func nobody(context.Context, *hoosh.Call) (*hoosh.Reply, error) { return nil, errors.New("nobody") }

// environment is a lookup of these variables and no others.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

// TestBad reads every file of testdata/bad and compares all that is said of it.
func TestBad(t *testing.T) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	if len(files) < 20 {
		t.Fatalf("%d files", len(files))
	}
	env := environment(map[string]string{"DEPTH": "5", "WORD": "a-word-from-the-environment"})
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			cfg, err := Parse(filepath.ToSlash(path), data, env)
			if err == nil || cfg != nil {
				t.Fatalf("accepted: %+v", cfg)
			}
			checkError(t, err)
			got := strings.ReplaceAll(err.Error(), "testdata/bad/", "") + "\n"
			golden := strings.TrimSuffix(path, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			for _, hidden := range []string{"a-word-from-the-environment", "s3cr3t", "secret-of-a-file", "same-for-two"} {
				if strings.Contains(got, hidden) {
					t.Errorf("%q is in the error", hidden)
				}
			}
		})
	}
}

// checkError checks what holds for every error of Parse.
func checkError(t *testing.T, err error) {
	t.Helper()
	var e *Error
	var list *hoosh.ConfigError
	if !errors.As(err, &e) || !errors.As(err, &list) || len(e.Problems) == 0 || len(*list) != len(e.Problems) {
		t.Fatalf("not an *Error and a *hoosh.ConfigError with problems: %v", err)
	}
	for i, p := range e.Problems {
		if p.Line < 1 || p.Column < 1 || p.Message == "" {
			t.Errorf("problem %d is incomplete: %+v", i, p)
		}
		if i > 0 && (p.Line < e.Problems[i-1].Line || p.Line == e.Problems[i-1].Line && p.Column < e.Problems[i-1].Column) {
			t.Errorf("problem %d is out of order: %+v", i, p)
		}
	}
}

func TestFull(t *testing.T) {
	data, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse("full.yaml", data, environment(map[string]string{"TEAM_A_KEY": "k-1"}))
	if err != nil {
		t.Fatal(err)
	}
	want := hoosh.Config{
		Discover: hoosh.DiscoverConfig{Local: hoosh.Ptr(false), Environment: hoosh.Ptr(false)},
		Providers: []hoosh.ProviderConfig{
			{Name: "openai", Models: []string{"*"}, Priority: hoosh.Ptr(100), Headers: map[string]string{}},
			{Name: "ollama"},
		},
		Routes: []hoosh.Route{{
			Match: []string{"gpt-*"},
			To:    []hoosh.Target{{Target: "openai/gpt-4o-mini"}, {Target: "ollama/smollm2:135m", Weight: hoosh.Ptr(1)}},
		}},
		Aliases: map[string]string{"fast": "ollama/smollm2:135m"},
		Keys: []hoosh.KeyConfig{
			{Name: "team-a", Secret: "k-1"},
			{Name: "team-b", Hash: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},
		},
	}.Effective()
	want.Server.Hosts, want.Server.CORS = []string{}, []string{}
	if whole := got.Effective(); !reflect.DeepEqual(whole, want) {
		t.Errorf("got  %+v\nwant %+v", whole, want)
	}
	// Every key is in the file, so only what it leaves out on purpose changes.
	want.Providers[1], want.Keys[1] = got.Providers[1], got.Keys[1]
	want.Providers[0].Models = []string{"*"}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("not every key has its default in the file:\ngot  %+v\nwant %+v", *got, want)
	}
	for key := range keys {
		last := key[strings.LastIndexByte(key, '.')+1:]
		if !strings.Contains(string(data), strings.TrimSuffix(last, "[]")+":") {
			t.Errorf("the sample lacks %s", key)
		}
	}
}

func TestEmpty(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing\n", "---\n", "~\n", "\ufeff", "server:\nproviders:\n", "server: {limits: ~}"} {
		cfg, err := Parse("x", []byte(text), nil)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		cfg.Providers = nil // a list with nothing in it
		if !reflect.DeepEqual(*cfg, hoosh.Config{}) {
			t.Errorf("%q: %+v", text, cfg)
		}
	}
}

// An empty list of what a key may do must not become everything.
func TestEmptyListIsNotAll(t *testing.T) {
	for _, list := range []string{"", " []", "\n    # - gpt-4o"} {
		_, err := Parse("x", []byte("keys:\n  - name: a\n    secret: s\n    models:"+list), nil)
		if err == nil || !strings.Contains(err.Error(), "keys[0].models: the list is empty") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

func TestEnvironment(t *testing.T) {
	env := environment(map[string]string{"A": "a", "EMPTY": "", "YAML": "x: [y]\n- *z # &", "DOLLAR": "$A ${A} $$", "_x9": "u"})
	for _, test := range []struct{ in, want string }{
		{"${A}", "a"},
		{"x-${A}-y-${A}", "x-a-y-a"},
		{"${A}${_x9}", "au"},
		{"${EMPTY}", ""},
		{"${EMPTY:-default}", "default"},
		{"${NONE:-default}", "default"},
		{"${NONE:-}", ""},
		{"${NONE:-a:-b c$$d}", "a:-b c$d"},
		{"${A:-default}", "a"},
		{"$$", "$"},
		{"$${A}", "${A}"},
		{"$$$${A}", "$${A}"},
		{"$$${A}", "$a"},
		{"$A $ $1 a$", "$A $ $1 a$"},
		{"${YAML}", "x: [y]\n- *z # &"}, // what a variable holds is never structure
		{"${DOLLAR}", "$A ${A} $$"},     // nor looked at again
	} {
		for _, form := range []string{"data: %s", "data: '%s'", `data: "%s"`, "data: |-\n  %s", `{"data": "%s"}`} {
			cfg, err := Parse("x", fmt.Appendf(nil, form, test.in), env)
			if err != nil {
				t.Errorf("%s: %v", test.in, err)
			} else if cfg.Data != test.want {
				t.Errorf("%s: got %q, want %q", test.in, cfg.Data, test.want)
			}
		}
	}
}

func TestEnvironmentInOtherTypes(t *testing.T) {
	env := environment(map[string]string{"N": "7", "D": "90d", "S": "1GiB", "B": "true"})
	cfg, err := Parse("x", []byte(`
server: {insecure: "${B}", drain: "${D}", limits: {depth: "${N}", body: "${S}", headers: "${N}000"}}
discover: {local: "${B}"}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	s := cfg.Server
	if !s.Insecure || s.Drain != 90*24*time.Hour || s.Limits.Depth != 7 || s.Limits.Body != hoosh.GiB || s.Limits.Headers != 7000 || !*cfg.Discover.Local {
		t.Errorf("%+v", cfg)
	}
}

func TestDuration(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "10m": 10 * time.Minute, "24h": 24 * time.Hour, "90d": 2160 * time.Hour,
		"1m30s": 90 * time.Second, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "0s": 0, "-1s": -time.Second, "0d": 0,
	} {
		got, err := parseDuration(in)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
		if again, err := parseDuration(formatDuration(want)); err != nil || again != want {
			t.Errorf("%s, written as %s: %v, %v", in, formatDuration(want), again, err)
		}
	}
	for in, want := range map[string]string{
		"30":          `"30" has no unit (did you mean "30s"?)`,
		"0":           `"0" has no unit (did you mean "0s"?)`,
		"1.5":         `"1.5" has no unit (did you mean "1.5s"?)`,
		"":            `"" is not a duration`,
		"d":           `"d" is not a duration`,
		"inf":         `"inf" is not a duration`,
		"-1d":         `"-1d" is not a duration`,
		"1d-5h":       `"1d-5h" is not a duration`,
		"1d 5h":       `"1d 5h" is not a duration`,
		"106752d":     `"106752d" is not a duration`,
		"106751d24h":  `"106751d24h" is not a duration`,
		"99999999999": `"99999999999" has no unit (did you mean "99999999999s"?)`,
	} {
		if d, err := parseDuration(in); err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v; want %s", in, d, err, want)
		}
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]hoosh.Size{"64KiB": 64 << 10, "32MiB": 32 << 20, "1GiB": 1 << 30, "1000": 1000, "0": 0} {
		got, err := parseSize(in)
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
		if again, err := parseSize(want.String()); err != nil || again != want {
			t.Errorf("%s, written as %s: %v, %v", in, want, again, err)
		}
	}
	for in, want := range map[string]string{
		"32MB":                 `"32MB" is not a size (did you mean "32MiB"?)`,
		"64 KiB":               `"64 KiB" is not a size (did you mean "64KiB"?)`,
		"1g":                   `"1g" is not a size (did you mean "1GiB"?)`,
		"5B":                   `"5B" is not a size (did you mean "5"?)`,
		"1TiB":                 `"1TiB" is not a size`,
		"1.5GiB":               `"1.5GiB" is not a size`,
		"MiB":                  `"MiB" is not a size`,
		"":                     `"" is not a size`,
		"9999999999GiB":        `"9999999999GiB" is too large`,
		"99999999999999999999": `"99999999999999999999" is not a size`,
	} {
		if n, err := parseSize(in); err == nil || err.Error() != want {
			t.Errorf("%s: %v, %v; want %s", in, n, err, want)
		}
	}
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	absolute := write("absolute", " two words \r\n")
	write("beside", "$not ${A_VARIABLE}: [yaml]\n\n")
	path := write("hoosh.yaml", fmt.Sprintf("providers:\n  - {name: openai, key: {file: beside}}\n  - {name: ollama, key: {file: %q}}\n", absolute))
	cfg, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(cfg.Providers[0].Key); got != "$not ${A_VARIABLE}: [yaml]" {
		t.Errorf("beside: %q", got)
	}
	if got := string(cfg.Providers[1].Key); got != " two words " {
		t.Errorf("absolute: %q", got)
	}

	write("large", strings.Repeat("x", maxSecret)+"y")
	path = write("large.yaml", "providers:\n  - {name: openai, key: {file: large}}\n")
	want := path + `:2:32: providers[0].key: cannot read "large": larger than 64 KiB; want a file that holds the secret`
	if _, err := Load(path); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestLoadMissing(t *testing.T) {
	if _, err := Load(filepath.Join(t.TempDir(), "no.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}

// Discovery and probes are off in the library unless the file turns them on.
func TestUnsetStaysOff(t *testing.T) {
	cfg, err := Parse("x", []byte("providers: [{name: openai}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Discover.Local != nil || cfg.Discover.Environment != nil || cfg.Health.Probe != 0 {
		t.Errorf("%+v", cfg)
	}
}

// What would cost the reader much is refused before it does.
func TestBounds(t *testing.T) {
	var laughs strings.Builder
	laughs.WriteString("aliases:\n  a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 12 {
		fmt.Fprintf(&laughs, "  a%d: &a%d [%s*a%d]\n", i+1, i+1, strings.Repeat(fmt.Sprintf("*a%d,", i), 9), i)
	}
	for name, test := range map[string]struct{ text, want string }{
		"large":             {strings.Repeat("#", maxFile+1), "x:1:1: the file is larger than 1 MiB"},
		"many keys":         {strings.Repeat("a: b\n", 200_000), "x:16667:4: the file holds too much"},
		"deep lists":        {strings.Repeat("[", 1<<20), "x:1:65: nested deeper than 64"},
		"deep mappings":     {strings.Repeat("{a: ", 1<<18), "x:1:257: nested deeper than 64"},
		"deep dashes":       {strings.Repeat("- ", 1<<19), "x:1:129: nested deeper than 64"},
		"deep keys":         {strings.Repeat("? ", 1<<19), "x:1:129: nested deeper than 64"},
		"many tags":         {strings.Repeat("!t ", 1<<18), "x:1:129: nested deeper than 64"},
		"many anchors":      {strings.Repeat("&a ", 1<<18), "x:1:193: nested deeper than 64"},
		"a billion laughs":  {laughs.String(), "x:6:"},
		"an endless anchor": {"aliases: &a\n  b: *a\n", "x:2:6: no anchor of this name comes before it"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := Parse("x", []byte(test.text), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.300v, want %s", err, test.want)
			}
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/home/u/.config")
	t.Setenv("HOME", "/home/u")
	folder, err := os.UserConfigDir()
	if err != nil {
		t.Skip(err)
	}
	user := filepath.Join(folder, "hoosh", "hoosh.yaml")
	for _, test := range []struct {
		flag, variable string
		files          []string
		want           string
	}{
		{"a.yaml", "b.yaml", []string{"hoosh.yaml", user}, "a.yaml"},
		{"", "b.yaml", []string{"hoosh.yaml", user}, "b.yaml"},
		{"", "", []string{"hoosh.yaml", user}, "hoosh.yaml"},
		{"", "", []string{user}, user},
		{"", "", nil, ""},
	} {
		getenv := func(name string) string { return map[string]string{"HOOSH_CONFIG": test.variable}[name] }
		exists := func(path string) bool {
			for _, f := range test.files {
				if f == path {
					return true
				}
			}
			return false
		}
		path, ok := Find(test.flag, getenv, exists)
		if ok != (test.want != "") || ok && path != test.want {
			t.Errorf("%+v: %q, %v", test, path, ok)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("a: &x {b: *x}\n<<: *x\n"))
	f.Add([]byte("? {a: b}\n: &a !!str |2-\n   x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 16<<10 {
			t.Skip("bounds have a test of their own")
		}
		l := &loader{
			name: "x", at: map[string]position{},
			env:        environment(map[string]string{"A": "from the environment", "N": "1"}),
			readSecret: func(path string) (string, error) { return "from a file " + path, nil },
		}
		start := time.Now()
		cfg, err := l.load(data)
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("it took %v", took)
		}
		if (cfg == nil) != (err != nil) {
			t.Fatalf("%v and %v", cfg, err)
		}
		if err != nil {
			checkError(t, err)
			if strings.Contains(err.Error(), "from the environment") && !strings.Contains(string(data), "from the environment") {
				t.Fatalf("the environment is in the error:\n%v", err)
			}
			return
		}
		roundTrip(t, cfg)
	})
}
