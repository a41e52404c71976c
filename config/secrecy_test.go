// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secretive has a secret wherever one can be; each holds MARK.
const secretive = `version: 1
providers:
  - name: openai
    key: sk-MARK-1
    headers:
      Authorization: Bearer MARK-2
      X-Key: "MARK-3"
  - name: ollama
    key: {file: secret.txt}
    base_url: ${OLLAMA_URL}
  - name: echo
    key: 'MARK-5'
keys:
  - name: team-a
    secret: ${TEAM_A}
  - name: team-b
    secret: MARK-7
routes:
  - match: ["*"]
    to: [openai/*, {target: ollama/a, weight: 1}]
health: {suspect: 45s}
`

// TestSecretsStayHidden breaks a file at every place in many ways. Whatever is
// said of what comes out, no secret is.
func TestSecretsStayHidden(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("MARK-4"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := environment(map[string]string{"TEAM_A": "MARK-6", "OLLAMA_URL": "http://MARK-8.example/v1"})
	parse := func(text string) error {
		_, err := Parse(filepath.Join(dir, "hoosh.yaml"), []byte(text), env)
		return err
	}
	if err := parse(secretive); err != nil {
		t.Fatal(err)
	}
	refused := 0
	try := func(text string) {
		err := parse(text)
		if err == nil {
			return
		}
		refused++
		checkError(t, err)
		if strings.Contains(err.Error(), "MARK") {
			t.Fatalf("a secret is in the error:\n%v\nof:\n%s", err, text)
		}
	}
	pieces := []string{"", " ", "\n", "\t", ":", ": ", "- ", "#", `"`, "'", "{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "%", "@", "$", "${", "<<: ", "0", "x", "\x00", "\xff"}
	step := 1
	if testing.Short() {
		step = 7
	}
	for i := 0; i < len(secretive); i += step {
		for _, piece := range pieces {
			try(secretive[:i] + piece + secretive[i+1:])
			try(secretive[:i] + piece + secretive[i:])
		}
	}
	lines := strings.SplitAfter(secretive, "\n")
	for i := range lines {
		for j := range lines {
			moved := append([]string{}, lines...)
			moved[i], moved[j] = moved[j], moved[i]
			try(strings.Join(moved, ""))
		}
	}
	if refused < 10_000/step {
		t.Errorf("only %d files were refused: the test does not do what it says", refused)
	}
}

// TestSecretsInWrongPlaces puts what is a secret elsewhere where a message would
// show it.
func TestSecretsInWrongPlaces(t *testing.T) {
	env := environment(map[string]string{"SECRET": "a-secret-of-the-environment"})
	for _, place := range []string{
		"version: %s", "server: {listen: %s}", "server: {hosts: [%s/]}", "server: {cors: [%s]}", "server: {keepalive: %s}", "server: {limits: {body: %s}}", "server: {limits: {depth: %s}}",
		"providers: [{name: %s}]", "providers: [{name: x, driver: %s}]", "providers: [{name: compat, base_url: %s}]", "providers: [{name: echo, trust: %s}]",
		"providers: [{name: echo, weight: %s}]", "routes: [{match: [a], to: [%s]}]", "routes: [{match: [a], to: [%s/b]}]", "routes: [{match: [a], to: [echo/a], strategy: %s}]",
		"routes: [{match: [%s, %[1]s], to: [echo/a]}]", "aliases: {a: b, b: %s, c: a}", "keys: [{name: a, hash: %s}]", "keys: [{name: a, secret: b, providers: [%s]}]",
		"observe: {log: {level: %s}}", "discover: {local: %s}", "%s: 1", "keys: [{name: a, secret: {file: %s}}]",
	} {
		for _, secret := range []string{"a-secret-of-the-file", "a-secret-of-the-environment"} {
			written := secret
			if secret == "a-secret-of-the-environment" {
				written = `"${SECRET}"`
			}
			text := "data: ''\n" + fmt.Sprintf(place, written) + "\n"
			if strings.HasPrefix(place, "providers") {
				text = strings.Replace(text, "providers: [", "providers: [{name: openai, key: a-secret-of-the-file}, ", 1)
			} else {
				text += "providers: [{name: openai, key: a-secret-of-the-file}, {name: echo}]\n"
			}
			_, err := Parse("x", []byte(text), env)
			if err != nil && strings.Contains(err.Error(), secret) && !strings.HasPrefix(place, "%s:") {
				t.Errorf("a secret is in the error:\n%v\nof:\n%s", err, text)
			}
		}
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	cfg, err := Parse("x", []byte("providers: [{name: openai, key: sk-MARK}]\nkeys: [{name: a, secret: MARK}]"), nil)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := Show(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(cfg.Providers[0].Key), fmt.Sprintf("%#v", cfg.Keys[0].Secret), fmt.Sprintf("%v", *cfg), string(shown)} {
		if strings.Contains(text, "MARK") {
			t.Errorf("a secret is in %s", text)
		}
	}
}
