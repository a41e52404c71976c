// SPDX-License-Identifier: AGPL-3.0-only

// Package proc runs the programs that the test suites put hoosh between: real
// engines, the hoosh command itself, clients.
package proc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// Process is a running program, with all that it starts in a group of its own
// where the system has such groups.
type Process struct {
	Name string

	cmd  *exec.Cmd
	tail tail
	done chan struct{} // closed when it has ended
}

// Command is what to run.
type Command struct {
	Name string   // for messages
	Args []string // the program and its arguments
	Dir  string   // "": where we are
	Env  []string // instead of ours; nil: ours
}

// Start runs a program. Whoever starts one has to Stop or Kill it.
func Start(c Command) (*Process, error) {
	p := &Process{Name: c.Name, cmd: exec.Command(c.Args[0], c.Args[1:]...), done: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = c.Dir, c.Env
	p.cmd.Stdout, p.cmd.Stderr = &p.tail, &p.tail
	p.cmd.WaitDelay = 5 * time.Second // for a grandchild that holds the pipe
	ownGroup(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	go func() {
		p.cmd.Wait() //nolint:errcheck // ProcessState has it
		close(p.done)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ExitCode is how it ended, -1 if by a signal or not yet.
func (p *Process) ExitCode() int {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	default:
		return -1
	}
}

// Output is the end of what it wrote, to either stream.
func (p *Process) Output() string { return p.tail.String() }

// Terminate asks it to end, and does not wait.
func (p *Process) Terminate() error { return terminate(p.cmd.Process) }

// Kill ends it, and what it has started, at once.
func (p *Process) Kill() {
	killGroup(p.cmd.Process)
	<-p.done
}

// Stop asks it to end and gives it some time; then it is killed, and what is
// left of its group in any case. It reports whether it went by itself.
func (p *Process) Stop(grace time.Duration) bool {
	asked := p.Terminate() == nil
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		asked = false
	}
	p.Kill()
	return asked
}

// Ready waits until url answers 200, the program has ended, or ctx has.
func (p *Process) Ready(ctx context.Context, url string) error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	for {
		if ok(ctx, client, url) {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended with %d before it was ready: %s", p.Name, p.ExitCode(), p.Output())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer at %s: %w: %s", p.Name, url, ctx.Err(), p.Output())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func ok(ctx context.Context, client *http.Client, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) //nolint:errcheck // only the status matters
	return resp.StatusCode == http.StatusOK
}

// FreePort is a loopback port that nobody listens on.
func FreePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// IsFree reports that nobody listens on a loopback port.
func IsFree(port int) bool {
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	ln.Close()
	return true
}

// Environ is our environment without the variables that keep says no to, and
// with more.
func Environ(keep func(name string) bool, more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !keep(name)
	})
	return append(env, more...)
}

// tail keeps the end of what was written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 8 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if over := len(t.b) - tailSize; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
