// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/maccracken/hoosh/hooshtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hoosh": main})
}

// TestScripts runs the stories in testdata/script. Beside testscript's own
// commands they have:
//
//	backend NAME [MODEL...]   starts a fake backend; $NAME is its base URL
//	broken NAME [MODEL...]    the same, but every call fails with 500
//	serve ARGUMENT...         starts "hoosh serve" on $SERVER, which is http://$HOSTPORT
//	code N COMMAND...         runs a command that must end with exit code N
//	until TEXT COMMAND...     runs a command until it prints the text
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each command takes a second under the race detector
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"backend": func(ts *testscript.TestScript, neg bool, args []string) { fakeBackend(t, ts, args) },
			"broken": func(ts *testscript.TestScript, neg bool, args []string) {
				fakeBackend(t, ts, args).Answer(hooshtest.Status(500, 0))
			},
			"serve": startServer,
			"code":  exitCode,
			"until": until,
		},
	})
}

func fakeBackend(t *testing.T, ts *testscript.TestScript, args []string) *hooshtest.Backend {
	if len(args) == 0 {
		ts.Fatalf("usage: backend NAME [MODEL...]")
	}
	b := hooshtest.NewTCP(t)
	if len(args) > 1 {
		b.Models(args[1:]...)
	}
	ts.Setenv(args[0], b.URL())
	return b
}

func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: code N COMMAND...")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// until waits for what a server does in the background, such as reading the list
// of a backend's models.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: until TEXT COMMAND...")
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if ts.Exec(args[1], args[2:]...) == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
	}
	ts.Fatalf("never printed %q", args[0])
}

// startServer runs "hoosh serve" until the script ends.
func startServer(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command("hoosh", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"HOME=" + ts.Getenv("HOME"), "PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"BACKEND", "OTHER", "HOOSH_CONFIG"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	url, log := make(chan string, 1), &watched{}
	log.seen = func(text string) {
		if _, rest, ok := strings.Cut(text, `"url":"`); ok {
			if u, _, ok := strings.Cut(rest, `"`); ok {
				url <- u
				log.seen = nil
			}
		}
	}
	cmd.Stderr = log
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case u := <-url:
		ts.Setenv("SERVER", u)
		ts.Setenv("HOSTPORT", strings.TrimPrefix(u, "http://"))
	case err := <-ended:
		ts.Fatalf("serve ended: %v\n%s", err, log.text.String())
	}
	ts.Defer(func() {
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck
		if err := <-ended; err != nil {
			ts.Logf("serve: %v", err)
		}
	})
}

// watched keeps what is written and shows all of it at each write.
type watched struct {
	text strings.Builder
	seen func(string)
}

func (w *watched) Write(p []byte) (int, error) {
	w.text.Write(p)
	if w.seen != nil {
		w.seen(w.text.String())
	}
	return len(p), nil
}

// An interrupt ends the call at the backend too, and is told by the exit code.
func TestInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be interrupted there")
	}
	b := hooshtest.NewTCP(t)
	step := make(chan struct{})
	b.Answer(hooshtest.Answer{Pieces: []string{"one ", "two"}, Step: step})
	file := filepath.Join(t.TempDir(), "hoosh.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, providerAt, b.URL()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"infer", "hello"}, {"infer", "--no-stream", "hello"}, {"chat"}} {
		calls := b.Calls()
		cmd := exec.Command("hoosh", append([]string{"--config", file}, args...)...)
		cmd.Stdin = strings.NewReader("hello\n")
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if !b.Wait(10*time.Second, func() bool { return b.Calls() > calls }) {
			t.Error("it did not ask")
		}
		cmd.Process.Signal(os.Interrupt) //nolint:errcheck // the next line tells
		err := cmd.Wait()
		if cmd.ProcessState.ExitCode() != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
			t.Errorf("%s: %v, %q", args, err, errs.String())
		}
		if !b.Wait(10*time.Second, func() bool { return b.InFlight() == 0 }) {
			t.Errorf("%s: the backend goes on", args)
		}
	}
}

// run is a command line in this process, with nothing in the environment but env.
func run(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(name string) string { return env[name] }}
	code = a.main(context.Background(), args)
	return code, out.String(), errs.String()
}

// With nothing configured hoosh takes what this machine has, and else answers by
// itself; which it is depends on the machine.
func TestZeroConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	code, stdout, stderr := run(t, nil, "infer", "--max-tokens", "64", "Hello there")
	switch {
	case strings.Contains(stderr, "built-in echo"):
		if code != exitOK || !strings.Contains(stdout, "Hello there") || !strings.Contains(stdout, "echo") {
			t.Errorf("the built-in echo: code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
	case code == exitOK:
		if strings.TrimSpace(stdout) == "" {
			t.Error("an engine of this machine answered nothing")
		}
	default: // an engine that is here and not well, or has no chat model
		if code != exitNobody && code != exitBackend {
			t.Errorf("code %d, stderr %q", code, stderr)
		}
	}

	code, _, stderr = run(t, nil, "infer", "-m", "hoosh-tests/no-such-model", "Hello")
	if code != exitNobody && code != exitBackend || !strings.Contains(stderr, "no-such-model") {
		t.Errorf("a model that nobody has: code %d, stderr %q", code, stderr)
	}
}
