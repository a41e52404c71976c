// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/maccracken/hoosh"
)

// keyring finds a key by the hash of its secret, so that a guess learns nothing
// from how long the look-up takes.
type keyring map[[sha256.Size]byte]*account

// account is a caller's key at work.
type account struct {
	caller hoosh.Caller
	hash   [sha256.Size]byte
	active atomic.Int64 // calls at once
}

func newKeyring(keys []hoosh.KeyConfig) keyring {
	if len(keys) == 0 {
		return nil
	}
	ring := keyring{}
	for _, k := range keys {
		if k.Secret.Redacted() {
			continue // of a configuration that was printed: everybody knows this one
		}
		a := &account{caller: hoosh.Caller{Name: k.Name, Models: k.Models, Providers: k.Providers}}
		if k.Secret != "" {
			a.hash = sha256.Sum256([]byte(k.Secret))
		} else if raw, err := hex.DecodeString(strings.TrimPrefix(k.Hash, "sha256:")); err == nil {
			copy(a.hash[:], raw)
		}
		ring[a.hash] = a
	}
	return ring
}

func (k keyring) find(secret string) *account {
	hash := sha256.Sum256([]byte(secret))
	a := k[hash]
	if a == nil || subtle.ConstantTimeCompare(a.hash[:], hash[:]) != 1 {
		return nil
	}
	return a
}

// inProcess marks the context of a request that came through [Transport].
type inProcess struct{}

// admit says who asks, and takes one of the caller's places; leave gives it
// back.
func (s *Server) admit(q *request) error {
	q.cors()
	a := s.idle
	switch {
	case q.r.Context().Value(inProcess{}) != nil:
		q.caller.Providers = askedProvider(q.r)
		return nil // the program is its own gate
	case s.keys == nil:
		if !s.open && !s.cfg.Insecure {
			if err := s.trusted(q.r); err != nil {
				return err
			}
		}
		q.caller.Providers = askedProvider(q.r)
	case q.r.Method == http.MethodOptions && q.r.Header.Get("Origin") != "":
		return nil // a preflight carries no key
	default:
		var err error
		if a, err = q.known(); err != nil {
			return err
		}
		q.caller = a.caller
	}
	q.account = a
	if n := a.active.Add(1); n > int64(s.cfg.Limits.StreamsPerKey) {
		q.leave()
		return &hoosh.Error{
			Kind: hoosh.ErrRateLimited, Code: "too_many_calls",
			Message: fmt.Sprintf("there are %d calls of this key, or without one, under way: the most that server.limits.streams_per_key allows", s.cfg.Limits.StreamsPerKey),
		}
	}
	return nil
}

// known finds the account of the first key in the request that is known.
// Programs may show more than one: their vendor's beside ours.
func (q *request) known() (*account, error) {
	shown := false
	for secret := range q.secrets {
		if a := q.s.keys.find(secret); a != nil {
			return a, nil
		}
		shown = true
	}
	e := &hoosh.Error{Kind: hoosh.ErrUnauthorized, Code: "invalid_api_key", Message: "this key is not known here"}
	if !shown {
		e.Message = "this gateway wants a key: Authorization: Bearer KEY, or what the API that is called has for it"
	}
	return nil, e
}

// secrets yields the keys that the request shows.
func (q *request) secrets(yield func(secret string) bool) {
	show := func(secret string) bool {
		secret = strings.TrimSpace(secret)
		return secret == "" || yield(secret)
	}
	scheme, secret, _ := strings.Cut(q.r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "bearer") && !show(secret) {
		return
	}
	if !show(q.r.Header.Get("X-Api-Key")) || !show(q.r.Header.Get("X-Goog-Api-Key")) {
		return
	}
	if q.surface == geminiSurface && q.r.URL.RawQuery != "" { // elsewhere a key does not belong in a URL
		show(q.r.URL.Query().Get("key"))
	}
}

// askedProvider is the provider that a caller without a key names, nil for any.
func askedProvider(r *http.Request) []string {
	if name := r.Header.Get("X-Hoosh-Provider"); name != "" {
		return []string{name}
	}
	return nil
}

func (q *request) leave() {
	if q.account != nil {
		q.account.active.Add(-1)
		q.account = nil
	}
}

// trusted applies the rules of a gateway without keys: it serves this machine,
// and not the web pages that are open on it.
func (s *Server) trusted(r *http.Request) error {
	refuse := func(format string, args ...any) error {
		return &hoosh.Error{Kind: hoosh.ErrForbidden, Code: "keyless", Message: fmt.Sprintf(format, args...)}
	}
	if !loopbackPeer(r) {
		return refuse("no key is configured, so only this machine is served; configure keys, or server.insecure")
	}
	if host := hostname(r.Host); !loopbackName(host) && !slices.ContainsFunc(s.cfg.Hosts, func(h string) bool { return strings.EqualFold(hostname(h), host) }) {
		return refuse("no key is configured, and Host %q is not a name of this machine; list it under server.hosts", host)
	}
	if origin := r.Header.Get("Origin"); origin != "" && !s.mayCall(origin) {
		return refuse("no key is configured, and web pages of %q may not call; list it under server.cors", origin)
	}
	return nil
}

// loopbackPeer reports that the other end is on this machine. A listener that is
// not on the network, a Unix socket or one in memory, has only such peers.
func loopbackPeer(r *http.Request) bool {
	// A proxy on this machine says for whom it asks. What cannot be read is somebody.
	for _, name := range [...]string{"X-Forwarded-For", "X-Real-Ip"} {
		for _, line := range r.Header[name] {
			for hop := range strings.SplitSeq(line, ",") {
				if hop = strings.TrimSpace(hop); hop != "" && !loopbackName(hostname(hop)) {
					return false
				}
			}
		}
	}
	if len(r.Header["Forwarded"]) > 0 {
		return false
	}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return addr.Addr().Unmap().IsLoopback()
	}
	if ip, err := netip.ParseAddr(r.RemoteAddr); err == nil { // as some middlewares leave it
		return ip.Unmap().IsLoopback()
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && !strings.HasPrefix(local.Network(), "tcp") && !strings.HasPrefix(local.Network(), "udp")
}

// hostname is a Host header without port, brackets and final dot.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func loopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// mayCall reports that server.cors lists the origin, or every one by "*".
func (s *Server) mayCall(origin string) bool {
	return slices.ContainsFunc(s.cfg.CORS, func(o string) bool { return o == origin || o == "*" })
}

// cors allows the pages that server.cors lists to read the answer.
func (q *request) cors() {
	origin := q.r.Header.Get("Origin")
	if origin == "" || !q.s.mayCall(origin) {
		return
	}
	h := q.w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Expose-Headers", "*")
}

// preflight answers a browser that asks before it calls.
func (q *request) preflight() bool {
	h := q.w.Header()
	if h.Get("Access-Control-Allow-Origin") == "" || q.r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	if want := q.r.Header.Get("Access-Control-Request-Headers"); want != "" {
		h.Set("Access-Control-Allow-Headers", want)
	}
	h.Set("Access-Control-Max-Age", "600")
	q.w.WriteHeader(http.StatusNoContent)
	return true
}

func withoutGate(ctx context.Context) context.Context {
	return context.WithValue(ctx, inProcess{}, true)
}
