// SPDX-License-Identifier: AGPL-3.0-only

package all_test

import (
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maccracken/hoosh"
	_ "github.com/maccracken/hoosh/providers/all"
)

// drivers is what users are promised.
var drivers = []struct {
	name, base string
	local      bool
	key, url   string // the environment variables, separated by spaces
}{
	{name: "anthropic", base: "https://api.anthropic.com", key: "ANTHROPIC_API_KEY", url: "ANTHROPIC_BASE_URL"},
	{name: "azure", key: "AZURE_OPENAI_API_KEY", url: "AZURE_OPENAI_ENDPOINT"},
	{name: "cerebras", base: "https://api.cerebras.ai/v1", key: "CEREBRAS_API_KEY"},
	{name: "cohere", base: "https://api.cohere.ai/compatibility/v1", key: "COHERE_API_KEY CO_API_KEY"},
	{name: "compat"},
	{name: "deepseek", base: "https://api.deepseek.com", key: "DEEPSEEK_API_KEY"},
	{name: "echo", local: true},
	{name: "fireworks", base: "https://api.fireworks.ai/inference/v1", key: "FIREWORKS_API_KEY"},
	{name: "google", base: "https://generativelanguage.googleapis.com", key: "GEMINI_API_KEY GOOGLE_API_KEY"},
	{name: "grok", base: "https://api.x.ai/v1", key: "XAI_API_KEY"},
	{name: "groq", base: "https://api.groq.com/openai/v1", key: "GROQ_API_KEY"},
	{name: "hoosh"},
	{name: "huggingface", base: "https://router.huggingface.co/v1", key: "HF_TOKEN"},
	{name: "jan", base: "http://127.0.0.1:1337", local: true},
	{name: "koboldcpp", base: "http://127.0.0.1:5001", local: true},
	{name: "llamacpp", base: "http://127.0.0.1:8080", local: true},
	{name: "lmstudio", base: "http://127.0.0.1:1234", local: true},
	{name: "localai", base: "http://127.0.0.1:8080", local: true},
	{name: "mistral", base: "https://api.mistral.ai/v1", key: "MISTRAL_API_KEY"},
	{name: "moonshot", base: "https://api.moonshot.ai/v1", key: "MOONSHOT_API_KEY"},
	{name: "nvidia", base: "https://integrate.api.nvidia.com/v1", key: "NVIDIA_API_KEY"},
	{name: "ollama", base: "http://127.0.0.1:11434", local: true, url: "OLLAMA_HOST"},
	{name: "openai", base: "https://api.openai.com/v1", key: "OPENAI_API_KEY", url: "OPENAI_BASE_URL"},
	{name: "openrouter", base: "https://openrouter.ai/api/v1", key: "OPENROUTER_API_KEY"},
	{name: "perplexity", base: "https://api.perplexity.ai", key: "PERPLEXITY_API_KEY"},
	{name: "sglang", base: "http://127.0.0.1:30000", local: true},
	{name: "synapse", base: "http://127.0.0.1:5000", local: true},
	{name: "tgi", base: "http://127.0.0.1:8080", local: true},
	{name: "together", base: "https://api.together.xyz/v1", key: "TOGETHER_API_KEY"},
	{name: "vllm", base: "http://127.0.0.1:8000", local: true},
	{name: "zai", base: "https://api.z.ai/api/paas/v4", key: "ZAI_API_KEY"},
}

func driver(t *testing.T, name string) hoosh.Driver {
	t.Helper()
	list := hoosh.Drivers()
	i := slices.IndexFunc(list, func(d hoosh.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("%s is not registered", name)
	}
	return list[i]
}

func TestDrivers(t *testing.T) {
	var names []string
	for _, want := range drivers {
		names = append(names, want.name)
		d := driver(t, want.name)
		if d.BaseURL != want.base || d.Local != want.local || strings.Join(d.KeyEnv, " ") != want.key || strings.Join(d.URLEnv, " ") != want.url {
			t.Errorf("%+v, want %+v", d, want)
		}
		if found := d.Probe != nil; found != (d.Local && want.name != "echo") {
			t.Errorf("%s: discovered %v", want.name, found)
		}
		if u, err := url.Parse(d.BaseURL); err != nil || d.BaseURL != "" && (u.Host == "" || !d.Local && u.Scheme != "https") {
			t.Errorf("%s: base URL %q: %v", want.name, d.BaseURL, err)
		}
		doer, err := d.New(hoosh.ProviderConfig{Name: "p", BaseURL: d.BaseURL})
		if needs := d.BaseURL == "" && want.name != "echo"; (err != nil) != needs {
			t.Errorf("%s without a base_url: %v, %v", want.name, doer, err)
		}
		if needs := d.BaseURL == ""; needs {
			if doer, err = d.New(hoosh.ProviderConfig{Name: "p", BaseURL: "https://backend.test"}); err != nil {
				t.Errorf("%s: %v", want.name, err)
			}
		}
		if c, ok := doer.(interface{ Close() error }); ok {
			c.Close()
		}
	}
	for _, d := range hoosh.Drivers() {
		if !slices.Contains(names, d.Name) && !slices.Contains(elsewhere, d.Name) {
			t.Errorf("%s is linked in and not in this table", d.Name)
		}
	}
	if d := driver(t, "grok"); !slices.Equal(d.Aliases, []string{"xai"}) {
		t.Errorf("grok is also %v", d.Aliases)
	}
}

// elsewhere are drivers whose own tests look at them.
var elsewhere = []string{"anthropic", "google", "whisper", "piper"}

// TestEveryFolder: a package beside this one that nobody imports is no driver.
func TestEveryFolder(t *testing.T) {
	folders, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("all.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if name := f.Name(); f.IsDir() && name != "all" && !strings.Contains(string(text), "/providers/"+name+`"`) {
			t.Errorf("providers/%s is not imported", name)
		}
	}
}

// TestLinks: a program that imports two drivers links these two, what they are
// made of, and nothing but the standard library besides.
func TestLinks(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./testdata/two").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("there is no go command")
	}
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/maccracken/hoosh"
	var linked []string
	for path := range strings.FieldsSeq(filepath.ToSlash(string(out))) {
		name, ours := strings.CutPrefix(path, module)
		provider, isProvider := strings.CutPrefix(name, "/providers/")
		switch {
		case isProvider && provider != "all/testdata/two":
			linked = append(linked, provider)
		case !ours && !allowed(path):
			t.Errorf("it links %s", path)
		}
	}
	slices.Sort(linked)
	if !slices.Equal(linked, []string{"compat", "llamacpp", "ollama"}) {
		t.Errorf("it links the providers %v", linked)
	}
}

// allowed are the modules that the root package may stand on.
func allowed(path string) bool {
	for _, prefix := range []string{"github.com/puzpuzpuz/xsync/", "github.com/maypok86/otter/", "golang.org/x/"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
