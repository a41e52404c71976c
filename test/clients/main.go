// SPDX-License-Identifier: AGPL-3.0-only

// Command clients runs unmodified client libraries against a "hoosh serve" of
// its own, in front of a scripted backend. run.sh installs the libraries and
// says with flags where they are; what each of them checks is in the folder of
// its language.
//
// A client is a program that gets OPENAI_BASE_URL, OPENAI_API_KEY and their like
// (see surroundings), prints
// "name NAME VERSION", then "ok CHECK" or "FAIL CHECK: why" for each check, and
// ends with 0. One that ends otherwise, or checks nothing, has failed.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/maccracken/hoosh/test/e2e/proc"
)

// client is a library, and the program that uses it.
type client struct {
	name    string   // as far as we know it
	command []string // nil: not installed
	why     string   // why not
	broken  bool     // it was to be installed, and we are to blame
	also    []string // more for its environment
}

// A client gets as long as this.
const patience = 2 * time.Minute

func main() { os.Exit(run()) }

func run() int {
	var list []client
	flag.Func("client", "a client to run, `NAME=PROGRAM[|ARGUMENT…]`", func(v string) error {
		name, command, ok := strings.Cut(v, "=")
		if !ok {
			return errors.New("want NAME=PROGRAM")
		}
		list = append(list, client{name: name, command: strings.Split(command, "|")})
		return nil
	})
	flag.Func("missing", "a client that is not installed, `NAME=WHY`", func(v string) error {
		name, why, _ := strings.Cut(v, "=")
		list = append(list, client{name: name, why: why})
		return nil
	})
	flag.Func("broken", "a client that cannot be built, `NAME=WHY`", func(v string) error {
		name, why, _ := strings.Cut(v, "=")
		list = append(list, client{name: name, why: why, broken: true})
		return nil
	})
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	passed, failed, missing, err := runAll(ctx, list)
	if err != nil {
		fmt.Printf("clients: %v\n", err)
		failed = max(failed, 1)
	}
	fmt.Printf("clients: %d passed, %d failed, %d not installed\n", passed, failed, missing)
	if failed > 0 {
		return 1
	}
	return 0
}

func runAll(ctx context.Context, list []client) (passed, failed, missing int, err error) {
	root, err := proc.Root()
	if err != nil {
		return 0, 0, 0, err
	}
	dir, err := os.MkdirTemp("", "hoosh-clients-")
	if err != nil {
		return 0, 0, 0, err
	}
	defer os.RemoveAll(dir)
	bin, err := proc.Build(ctx, root, dir)
	if err != nil {
		return 0, 0, 0, err
	}
	lasting := newLasting()
	defer lasting.close()
	messages := newMessages()
	defer messages.Close()
	conf := hooshConfig(newBackend(lasting).URL(), messages.URL)
	config := filepath.Join(dir, "in-process.yaml") // for clients that are Go programs
	if err := os.WriteFile(config, []byte(conf), 0o600); err != nil {
		return 0, 0, 0, err
	}
	h, err := proc.Serve(ctx, bin, dir, conf)
	if err != nil {
		return 0, 0, 0, err
	}
	defer h.Stop(5 * time.Second)
	for _, c := range list {
		c.also = append(surroundings(h.URL), "CLIENTS_CONFIG="+config)
		switch r := c.run(ctx, dir); {
		case r.missing:
			missing++
		case r.failed:
			failed++
		default:
			passed++
		}
	}
	if failed > 0 {
		fmt.Println("  hoosh wrote:", strings.ReplaceAll(h.Output(), "\n", "\n  "))
	}
	if why := lasting.problem(); why != "" {
		return passed, failed + 1, missing, errors.New(why)
	}
	return passed, failed, missing, nil
}

// surroundings are the variables by which each vendor's client finds its service.
func surroundings(url string) []string {
	return []string{
		"CLIENTS_URL=" + url,
		"OPENAI_BASE_URL=" + url + "/v1", "OPENAI_API_KEY=" + callerKey,
		"ANTHROPIC_BASE_URL=" + url, "ANTHROPIC_API_KEY=" + callerKey,
		"GOOGLE_GEMINI_BASE_URL=" + url, "GEMINI_API_KEY=" + callerKey,
		"OLLAMA_HOST=" + url, "OLLAMA_API_KEY=" + callerKey,
		"PYTHONDONTWRITEBYTECODE=1",
	}
}

// result is how a client went.
type result struct{ missing, failed bool }

func (c *client) run(ctx context.Context, dir string) result {
	switch {
	case c.broken:
		fmt.Printf("client %s: failed: %s\n", c.name, c.why)
		return result{failed: true}
	case c.command == nil:
		fmt.Printf("client %s: not installed (%s)\n", c.name, c.why)
		return result{missing: true}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.command[0], c.command[1:]...)
	cmd.Env = proc.Clean(dir, c.also...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it may have programs of its own to end
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	name, good := c.name, 0
	var bad, rest []string
	for lines := bufio.NewScanner(strings.NewReader(string(out))); lines.Scan(); {
		switch word, more, _ := strings.Cut(lines.Text(), " "); word {
		case "name":
			name = more
		case "ok":
			good++
		case "FAIL":
			bad = append(bad, more)
		default:
			rest = append(rest, lines.Text())
		}
	}
	if err != nil && len(bad) == 0 {
		bad = append(bad, err.Error()+": "+strings.Join(rest, "\n"))
	}
	if good == 0 && len(bad) == 0 {
		bad = append(bad, "it checked nothing")
	}
	if len(bad) > 0 {
		fmt.Printf("client %s: failed: %s\n", name, strings.Join(bad, "; "))
		return result{failed: true}
	}
	fmt.Printf("client %s: passed (%d checks)\n", name, good)
	return result{}
}
