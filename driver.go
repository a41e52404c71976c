// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Driver makes providers of one kind. A package that knows a kind of backend
// registers it in init; importing the package links it in.
type Driver struct {
	Name    string
	Aliases []string // other names that configurations may use
	Local   bool     // its backends run on this machine or near it: preferred, and free
	BaseURL string   // where such a backend is by default; "": must be configured

	Headers map[string]string // sent on each request, unless the configuration says otherwise

	KeyEnv []string // environment variables that may hold its key, the first wins; the command reads them
	URLEnv []string // likewise its base URL

	// New makes a provider. It must not connect to anything.
	New func(ProviderConfig) (Doer, error)
	// Probe looks whether such a backend answers at base, by what it says and
	// not by its port. nil: the driver is never discovered. The error says what
	// is there instead, or why nothing is, for a reader.
	Probe func(ctx context.Context, client *http.Client, base string) error
}

var drivers struct {
	sync.RWMutex
	byName map[string]*Driver
}

// Register makes a driver known by its name and aliases. It panics when one of
// them is taken or the driver cannot make anything: a programmer's error.
func Register(d Driver) {
	if d.Name == "" || d.New == nil {
		panic("hoosh: Register of a driver without a name or New")
	}
	drivers.Lock()
	defer drivers.Unlock()
	if drivers.byName == nil {
		drivers.byName = map[string]*Driver{}
	}
	for _, name := range append([]string{d.Name}, d.Aliases...) {
		if drivers.byName[name] != nil {
			panic("hoosh: Register called twice for driver " + name)
		}
		drivers.byName[name] = &d
	}
}

// Drivers lists the drivers that are linked in, by name.
func Drivers() []Driver {
	drivers.RLock()
	defer drivers.RUnlock()
	var list []Driver
	for name, d := range drivers.byName {
		if name == d.Name {
			list = append(list, *d)
		}
	}
	slices.SortFunc(list, func(a, b Driver) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func driverNamed(name string) (*Driver, error) {
	drivers.RLock()
	d := drivers.byName[name]
	drivers.RUnlock()
	if d != nil {
		return d, nil
	}
	var linked []string
	for _, d := range Drivers() {
		linked = append(linked, d.Name)
	}
	if len(linked) == 0 {
		return nil, fmt.Errorf(`unknown driver %q: none is linked in; import "github.com/maccracken/hoosh/providers/all" or the ones wanted`, name)
	}
	return nil, fmt.Errorf("unknown driver %q; linked in: %s%s", name, strings.Join(linked, ", "), Suggest(name, linked))
}

// Suggest gives ` (did you mean "x"?)` for the candidate nearest to name, or
// "" when none is near.
func Suggest(name string, candidates []string) string {
	best, at := 3, ""
	if len(name) <= 4 {
		best = 2
	}
	for _, c := range candidates {
		if len(c)-len(name) >= best || len(name)-len(c) >= best {
			continue // a caller's name may be long
		}
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < best {
			best, at = d, c
		}
	}
	if at == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", at)
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
