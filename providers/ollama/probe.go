// SPDX-License-Identifier: AGPL-3.0-only

package ollama

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// running is what an Ollama says of itself at its root.
const running = "Ollama is running"

// Health asks for the version, which is free.
func (p *provider) Health(ctx context.Context) error {
	body, err := p.up.Get(ctx, "/api/version")
	if err != nil {
		return err
	}
	if version(body) == "" {
		return p.malformed("/api/version", errors.New("no version"))
	}
	return nil
}

func version(body []byte) string {
	var v struct {
		Version string `json:"version"`
	}
	if json.Unmarshal(body, &v) != nil {
		return ""
	}
	return v.Version
}

// probe is [hoosh.Driver.Probe]. The version alone is no proof: other engines
// answer that path too.
func probe(ctx context.Context, client *http.Client, base string) error {
	base = strings.TrimRight(base, "/")
	status, server, body, err := fetch(ctx, client, base+"/")
	if err != nil {
		return err
	}
	if strings.TrimSpace(body) != running {
		return elsewhere(status, server, "it does not say that Ollama is running")
	}
	status, server, body, err = fetch(ctx, client, base+"/api/version")
	if err != nil {
		return err
	}
	if version([]byte(body)) == "" {
		return elsewhere(status, server, "it tells no version at /api/version")
	}
	return nil
}

// elsewhere tells what answers instead.
func elsewhere(status int, server, why string) error {
	if len(server) > 64 {
		server = server[:64]
	}
	if server != "" {
		return fmt.Errorf("something else answers there: %q (HTTP %d); %s", server, status, why)
	}
	return fmt.Errorf("something else answers there (HTTP %d); %s", status, why)
}

// fetch reads the beginning of a page.
func fetch(ctx context.Context, client *http.Client, at string) (status int, server, body string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, "", "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", "", err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if err != nil {
		return 0, "", "", err
	}
	return resp.StatusCode, resp.Header.Get("Server"), string(page), nil
}
