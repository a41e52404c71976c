// SPDX-License-Identifier: AGPL-3.0-only

package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/maccracken/hoosh/config"
)

func ExampleLoad() {
	dir, err := os.MkdirTemp("", "hoosh")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "hoosh.yaml")
	os.WriteFile(path, []byte(`
providers:
  - name: ollama
  - name: openai
    key: ${NO_KEY_YET:-sk-test}
    timeouts: {total: 5m}
routes:
  - match: ["gpt-*"]
    to: [openai/*, ollama/llama3.2]
`), 0o600)

	cfg, err := config.Load(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range cfg.Providers {
		fmt.Println(p.Name, p.Key, p.Timeouts.Total)
	}
	// Output:
	// ollama  0s
	// openai [redacted] 5m0s
}

// All that is wrong with a file is told at once.
func ExampleParse() {
	_, err := config.Parse("hoosh.yaml", []byte(`
providers:
  - name: openai
    timeouts: {totl: 5m, idle: 60}
routes:
  - match: gpt-*
    to: [opnai/*]
`), os.LookupEnv)
	fmt.Println(err)

	var e *config.Error
	if errors.As(err, &e) {
		fmt.Println(len(e.Problems), "problems, the first in line", e.Problems[0].Line)
	}
	// Output:
	// hoosh.yaml:4:16: providers[0].timeouts.totl: unknown key (did you mean "total"?)
	// hoosh.yaml:4:32: providers[0].timeouts.idle: "60" has no unit (did you mean "60s"?); want a duration with its unit, such as 500ms, 30s, 10m, 24h or 90d
	// hoosh.yaml:6:12: routes[0].match: want a list of strings, found a string
	// hoosh.yaml:7:10: routes[0].to[0]: no provider of "opnai/*" is configured (did you mean "openai"?); want the name of a provider before the slash
	// 4 problems, the first in line 4
}
