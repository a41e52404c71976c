// SPDX-License-Identifier: AGPL-3.0-only

package compat

import (
	"testing"

	"github.com/maccracken/hoosh"
)

func TestBaseURL(t *testing.T) {
	for _, tc := range []struct{ path, base, root, api string }{
		{"", "http://127.0.0.1:8080", "http://127.0.0.1:8080", "/v1"},
		{"", "http://127.0.0.1:8080/", "http://127.0.0.1:8080", "/v1"},
		{"", "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080", "/v1"},
		{"", "http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080", "/v1"},
		{"", "https://openrouter.ai/api/v1", "https://openrouter.ai/api", "/v1"},
		{"", "http://box.lan/llama/v1", "http://box.lan/llama", "/v1"},
		{"", "https://api.z.ai/api/paas/v4", "https://api.z.ai/api/paas/v4", ""},
		{"", "http://box.lan/llama", "http://box.lan/llama", ""},
		{"", "http://[::1]:8080", "http://[::1]:8080", "/v1"},
		{"/", "https://api.perplexity.ai", "https://api.perplexity.ai", ""},
		{"/openai/v1", "https://me.openai.azure.com", "https://me.openai.azure.com", "/openai/v1"},
		{"/openai/v1", "https://me.openai.azure.com/openai/v1/", "https://me.openai.azure.com", "/openai/v1"},
	} {
		p := Preset{Path: tc.path}
		if root, api := p.split(tc.base); root != tc.root || api != tc.api {
			t.Errorf("split(%q) with path %q = %q, %q; want %q, %q", tc.base, tc.path, root, api, tc.root, tc.api)
		}
	}
}

func TestURLs(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080/v1/chat/completions",
		"http://127.0.0.1:8080/v1":     "http://127.0.0.1:8080/v1/chat/completions",
		"http://box.lan/llama/v1":      "http://box.lan/llama/v1/chat/completions",
		"https://api.z.ai/api/paas/v4": "https://api.z.ai/api/paas/v4/chat/completions",
		"https://openrouter.ai/api/v1": "https://openrouter.ai/api/v1/chat/completions",
	} {
		p, err := New(hoosh.ProviderConfig{Name: "p", BaseURL: base}, Preset{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.paths[hoosh.OpChat].String(); got != want {
			t.Errorf("%s: chat goes to %s, want %s", base, got, want)
		}
	}
}

func TestBadBaseURL(t *testing.T) {
	for _, base := range []string{"", "127.0.0.1:8080", "ftp://x", "http://", "http://u:p@x", "http://x/?a=b", "http://x/#f", "http://x/%zz", "://"} {
		if d, err := Preset.Driver(Preset{Name: "x"}).New(hoosh.ProviderConfig{Name: "p", BaseURL: base}); err == nil || d != nil {
			t.Errorf("base_url %q was taken: %v", base, d)
		}
	}
}

func TestNearby(t *testing.T) {
	for base, want := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost/v1": true, "http://[::1]": true,
		"http://10.0.0.1": false, "https://api.example.com": false, "http://localhost.evil.test": false, "://": false,
	} {
		if nearby(base) != want {
			t.Errorf("nearby(%q) = %v", base, !want)
		}
	}
}
