// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// Mark is one thing by which an engine is known. Ports tell nothing: half of
// them use 8080.
type Mark struct {
	Path string // asked for with GET, from the root
	// Server is what that response header begins with, whatever the status: an
	// engine that loads its model, or wants a key, has it too. "": not looked at.
	Server string
	// Has is what the JSON of a good answer must hold: "data" for a member,
	// "info.title=Jan" for one that is text and begins so. Of a list any element
	// will do.
	Has []string
}

// maxPage bounds what is read of a page.
const maxPage = 1 << 20

// probe looks for all marks. The error says what is there instead.
func (p *Preset) probe(ctx context.Context, client *http.Client, root string) error {
	for i := range p.Probe {
		if err := p.Probe[i].look(ctx, client, root, p.Name); err != nil {
			return err
		}
	}
	return nil
}

func (m *Mark) look(ctx context.Context, client *http.Client, root, name string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, root+m.Path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "hoosh")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	server := resp.Header.Get("Server")
	named := m.Server == "" || strings.HasPrefix(server, m.Server)
	if server = server[:min(len(server), 60)]; server == "" {
		server = "something else"
	}
	if !named {
		return fmt.Errorf("%s answers there, not %s", server, name)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage)) // to the end, for the connection
	if len(m.Has) == 0 {
		return nil
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers there, not %s: %s gives %d", server, name, m.Path, resp.StatusCode)
	}
	if err != nil {
		return err
	}
	for _, want := range m.Has {
		path, text, _ := strings.Cut(want, "=")
		c := jsonpeek.New(body)
		if !has(&c, path, text) || jsonpeek.Valid(body) != nil {
			return fmt.Errorf("%s answers there, not %s: %s does not say %s", server, name, m.Path, want)
		}
	}
	return nil
}

// has reports that the value at hand, or an element of it, has a member of this
// path that, if text is not empty, is text that begins so.
func has(c *jsonpeek.Cursor, path, text string) bool {
	found := false
	if path != "" && c.Array() {
		for c.Next() {
			found = found || has(c, path, text)
		}
		return found
	}
	if path == "" {
		if text == "" {
			return c.Kind() != jsonpeek.Null
		}
		value, ok := c.Str()
		return ok && strings.HasPrefix(jsonpeek.Unquote(value), text)
	}
	key, rest, _ := strings.Cut(path, ".")
	if c.Object() {
		for c.Next() {
			if string(c.Key()) == key {
				found = found || has(c, rest, text)
			}
		}
	}
	return found
}
