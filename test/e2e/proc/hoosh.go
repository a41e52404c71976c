// SPDX-License-Identifier: AGPL-3.0-only

package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Build makes the hoosh command of the source tree at root, as it is released,
// and gives its path in dir.
func Build(ctx context.Context, root, dir string) (string, error) {
	bin := filepath.Join(dir, "hoosh")
	if runtime.GOOS == "windows" {
		bin += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, "./cmd/hoosh")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/hoosh: %w\n%s", err, out)
	}
	return bin, nil
}

// Root is the folder of hoosh's source tree, found from where we are.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if data, err := os.ReadFile(filepath.Join(dir, "go.mod")); err == nil && strings.HasPrefix(string(data), "module github.com/maccracken/hoosh\n") {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", errors.New("not inside hoosh's source tree")
	}
}

// Hoosh is a running "hoosh serve".
type Hoosh struct {
	*Process
	URL  string // without /v1
	File string // its configuration; "" without one
}

// Serve starts bin's "serve" on a free port of this machine. The configuration
// must have no server.listen: it is put in front. Without a configuration the
// process is in an empty folder with no file to find, and looks around itself;
// more are variables for its environment.
func Serve(ctx context.Context, bin, dir, config string, more ...string) (*Hoosh, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	h := &Hoosh{URL: "http://" + listen}
	home, err := os.MkdirTemp(dir, "hoosh-")
	if err != nil {
		return nil, err
	}
	args := []string{bin, "serve", "--listen", listen}
	if config != "" {
		h.File = filepath.Join(home, "hoosh.yaml")
		if err := os.WriteFile(h.File, []byte(config), 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--config", h.File)
	}
	h.Process, err = Start(Command{Name: "hoosh serve", Args: args, Dir: home, Env: Clean(home, more...)})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := h.Ready(ctx, h.URL+"/livez"); err != nil {
		h.Kill()
		return nil, err
	}
	return h, nil
}

// Clean is an environment in which hoosh finds nothing of this machine's user:
// no keys, no addresses of engines, no files.
func Clean(home string, more ...string) []string {
	keep := func(name string) bool {
		for _, end := range []string{"_API_KEY", "_BASE_URL", "_HOST", "_TOKEN"} {
			if strings.HasSuffix(name, end) {
				return false
			}
		}
		return !strings.HasPrefix(name, "HOOSH_") && !strings.HasPrefix(name, "XDG_") && !strings.HasSuffix(strings.ToLower(name), "_proxy")
	}
	return Environ(keep, append([]string{"HOME=" + home, "XDG_CONFIG_HOME=" + home, "XDG_STATE_HOME=" + home, "XDG_CACHE_HOME=" + home}, more...)...)
}
