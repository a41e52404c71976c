// SPDX-License-Identifier: AGPL-3.0-only

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/maccracken/hoosh/hooshtest"
)

// syncBuffer is written by the server and read by the test.
type syncBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// served is "hoosh serve" in this process.
type served struct {
	url     string
	client  *http.Client
	log     *syncBuffer
	signals chan os.Signal
	ended   chan error
}

func serveHere(t *testing.T, config string, c *serveCmd, change func(*app)) *served {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hoosh.yaml")
	if err := os.WriteFile(file, []byte("discover: {local: false, environment: false}\n"+config), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &served{log: &syncBuffer{}, signals: make(chan os.Signal, 2), ended: make(chan error, 1)}
	a := &app{in: strings.NewReader(""), out: s.log, err: s.log, getenv: func(string) string { return "" }}
	a.Config = file
	if change != nil {
		change(a)
	}
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	ready := make(chan string, 1)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { s.ended <- c.serve(ctx, a, s.signals, func(url string) { ready <- url }) }()
	select {
	case s.url = <-ready:
	case err := <-s.ended:
		t.Fatalf("serve ended: %v", err)
	}
	transport := &http.Transport{}
	if path, ok := strings.CutPrefix(s.url, unixPrefix); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		s.url = "http://localhost"
	}
	s.client = &http.Client{Transport: transport}
	t.Cleanup(transport.CloseIdleConnections)
	s.listed(t)
	return s
}

// listed waits until the backend's model is known: a call that comes while its
// list is being read may be told that there is no such model.
func (s *served) listed(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		resp, err := s.client.Get(s.url + "/v1/models")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), "test-model") {
			return
		}
	}
	t.Fatal("the backend's model is not listed")
}

func (s *served) wait(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		t.Fatalf("serve does not end; it said:\n%s", s.log)
		return nil
	}
}

func (s *served) ask(t *testing.T, stream bool) *http.Response {
	t.Helper()
	body := fmt.Sprintf(`{"model":"test-model","stream":%v,"messages":[{"role":"user","content":"hi"}]}`, stream)
	resp, err := s.client.Post(s.url+"/v1/chat/completions", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s: %s", resp.Status, text)
	}
	return resp
}

const providerAt = `
providers:
  - name: fake
    driver: llamacpp
    base_url: %s
`

// steps lets the backend send its next n events.
func steps(t *testing.T, step chan<- struct{}, n int) {
	t.Helper()
	for range n {
		select {
		case step <- struct{}{}:
		case <-time.After(10 * time.Second):
			t.Fatal("the backend does not answer")
		}
	}
}

// A stream that is under way when the signal comes is finished; new calls are
// not taken; then serve ends well.
func TestServeDrains(t *testing.T) {
	b := hooshtest.NewTCP(t)
	step := make(chan struct{})
	b.Answer(hooshtest.Answer{Pieces: []string{"one ", "two ", "three"}, Step: step})
	s := serveHere(t, fmt.Sprintf(providerAt, b.URL()), &serveCmd{}, nil)
	reply := make(chan *http.Response, 1)
	go func() { reply <- s.ask(t, true) }()
	steps(t, step, 3)
	resp := <-reply
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(first, "data: ") {
		t.Fatalf("the stream began with %q, %v", first, err)
	}
	s.signals <- syscall.SIGTERM
	refused := func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			c.Close()
		}
		return err != nil
	}
	for deadline := time.Now().Add(5 * time.Second); !refused(); {
		if time.Now().After(deadline) {
			t.Fatal("after the signal it still takes connections")
		}
	}
	select {
	case err := <-s.ended:
		t.Fatalf("it ended with a stream under way: %v", err)
	default:
	}
	close(step)
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.Contains(string(rest), "three") || !strings.Contains(string(rest), "[DONE]") {
		t.Errorf("the stream ended with %q, %v", rest, err)
	}
	if err := s.wait(t); err != nil {
		t.Errorf("serve: %v", err)
	}
}

// A stream that does not end is cut after the time for that, and told so.
func TestServeCuts(t *testing.T) {
	b := hooshtest.NewTCP(t)
	step := make(chan struct{})
	b.Answer(hooshtest.Answer{Pieces: []string{"one ", "two ", "three"}, Step: step})
	s := serveHere(t, "server: {drain: 50ms}\n"+fmt.Sprintf(providerAt, b.URL()), &serveCmd{}, nil)
	reply := make(chan *http.Response, 1)
	go func() { reply <- s.ask(t, true) }()
	steps(t, step, 3)
	resp := <-reply
	s.signals <- os.Interrupt
	rest, _ := io.ReadAll(resp.Body)
	if strings.Contains(string(rest), "[DONE]") || !strings.Contains(string(rest), `"error"`) {
		t.Errorf("the cut stream ended with %q", rest)
	}
	if err := s.wait(t); err != nil {
		t.Errorf("serve: %v", err)
	}
	if !strings.Contains(s.log.String(), "are cut") {
		t.Errorf("the log does not tell: %s", s.log)
	}
}

// A second signal does not wait.
func TestServeSecondSignal(t *testing.T) {
	b := hooshtest.NewTCP(t)
	step := make(chan struct{})
	b.Answer(hooshtest.Answer{Pieces: []string{"one ", "two ", "three"}, Step: step})
	s := serveHere(t, fmt.Sprintf(providerAt, b.URL()), &serveCmd{}, nil)
	reply := make(chan *http.Response, 1)
	go func() { reply <- s.ask(t, true) }()
	steps(t, step, 3)
	<-reply
	s.signals <- os.Interrupt
	s.signals <- os.Interrupt
	var p *problem
	if err := s.wait(t); !errors.As(err, &p) || p.code != exitInterrupted {
		t.Errorf("serve: %v", err)
	}
}

func TestServeUnix(t *testing.T) {
	b := hooshtest.NewTCP(t)
	folder, err := os.MkdirTemp("", "hoosh") // t.TempDir is longer than a socket's path may be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	path := filepath.Join(folder, "s")
	c := &serveCmd{Listen: unixPrefix + path}
	s := serveHere(t, fmt.Sprintf(providerAt, b.URL()), c, nil)
	s.ask(t, false)

	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }}
	a.Config = filepath.Join(folder, "hoosh.yaml")
	if err := os.WriteFile(a.Config, []byte("discover: {local: false, environment: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := &serveCmd{Listen: unixPrefix + path}
	if err := second.serve(t.Context(), a, nil, func(string) {}); err == nil || !strings.Contains(err.Error(), "is taken") {
		t.Errorf("a second server on the same socket: %v", err)
	}
	if err := (&serveCmd{Listen: unixPrefix + a.Config}).serve(t.Context(), a, nil, func(string) {}); err == nil || !strings.Contains(err.Error(), "not a socket") {
		t.Errorf("a file in the place of the socket: %v", err)
	}
	s.signals <- os.Interrupt
	if err := s.wait(t); err != nil {
		t.Error(err)
	}

	// A socket that a killed server left behind is taken over.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	ln.Close()
	s = serveHere(t, fmt.Sprintf(providerAt, b.URL()), &serveCmd{Listen: unixPrefix + path}, nil)
	s.ask(t, false)
}

// What somebody at a terminal is told.
func TestServeGreets(t *testing.T) {
	b := hooshtest.NewTCP(t)
	s := serveHere(t, fmt.Sprintf(providerAt, b.URL()), &serveCmd{Insecure: true}, func(a *app) { a.errTTY = true })
	want := "export OPENAI_BASE_URL=" + s.url + "/v1"
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(s.log.String(), want); {
		if time.Now().After(deadline) {
			t.Fatalf("it did not say %q:\n%s", want, s.log)
		}
	}
	for _, part := range []string{"listens on " + s.url, "configured  fake  " + b.URL(), "No keys are asked for"} {
		if !strings.Contains(s.log.String(), part) {
			t.Errorf("it did not say %q:\n%s", part, s.log)
		}
	}
	s.signals <- syscall.SIGTERM
	if err := s.wait(t); err != nil {
		t.Error(err)
	}
}

// How long it takes from the start of the process to an answer. The figure is
// for a reader; only something slow before the listener is a failure.
func TestStartTime(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "hoosh.yaml"), []byte("discover: {local: false, environment: false}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	best := time.Hour
	for range 5 {
		best = min(best, startToAnswer(t, folder))
	}
	t.Logf("start to first answer: %s", best.Round(100*time.Microsecond))
	if best > time.Second {
		t.Errorf("start to first answer took %s", best)
	}
}

func startToAnswer(t *testing.T, folder string) time.Duration {
	port := freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	cmd := exec.Command("hoosh", "serve", "--demo", "-q", "--listen", fmt.Sprintf("127.0.0.1:%d", port))
	cmd.Dir, cmd.Env = folder, []string{"HOME=" + folder}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill() //nolint:errcheck
		cmd.Wait()         //nolint:errcheck
	}()
	for time.Since(start) < 10*time.Second {
		resp, err := client.Post(url+"/v1/chat/completions", "application/json", strings.NewReader(`{"model":"any","messages":[{"role":"user","content":"hi"}]}`))
		if err != nil {
			continue // not yet
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("status %s", resp.Status)
		}
		return time.Since(start)
	}
	t.Fatal("no answer in ten seconds")
	return 0
}

func freePort(t *testing.T) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}
