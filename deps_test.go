// SPDX-License-Identifier: AGPL-3.0-only

package hoosh_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWhatImportLinks: import hoosh brings the standard library, hoosh's own
// packages, and of others no more than the few that the engine stands on; no
// cgo, and none of the packages that are for a command or a server.
func TestWhatImportLinks(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}{{range .CgoFiles}} cgo{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	const own = "github.com/maccracken/hoosh"
	for _, path := range strings.Fields(string(out)) {
		switch {
		case path == own, strings.HasPrefix(path, own+"/internal/"):
		case strings.HasPrefix(path, "github.com/puzpuzpuz/xsync/v3"), strings.HasPrefix(path, "golang.org/x/"):
		default:
			t.Errorf("import hoosh links %s", path)
		}
	}
}
