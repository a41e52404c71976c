// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Upstream is the HTTP exchange with one backend: it sends a call's body,
// bounds every phase in time, and turns the answer into a [Reply] or an
// [*Error]. Drivers stand on it. It is safe for concurrent use.
type Upstream struct {
	Name    string
	Profile *Profile

	base     *url.URL
	blank    *http.Request // with the headers sent on each; read-only, shared by all of them
	trip     http.RoundTripper
	timeouts Timeouts
	limit    int // of one event
	secrets  []string
	live     live
}

// maxAnswer bounds a whole answer: embeddings of a large batch fit.
const maxAnswer = 256 << 20

// maxErrorBody bounds what is read and kept of an error.
const maxErrorBody = 64 << 10

// NewUpstream makes an Upstream of a provider's configuration, with the base URL
// and the key header that its driver says: auth is a header's name and value
// before the key, "Authorization: Bearer ". It connects to nothing.
func NewUpstream(cfg ProviderConfig, d Driver, p *Profile, auth string) (*Upstream, error) {
	base, err := parseBase(or(cfg.BaseURL, d.BaseURL))
	if err != nil {
		return nil, err
	}
	own := *p
	own.Issuer = or(p.Issuer, cfg.Name)
	u := &Upstream{
		Name: cfg.Name, Profile: &own, base: base,
		timeouts: cfg.Timeouts.withDefaults(d.Local), limit: cfg.EventLimit,
		trip: cfg.Transport,
	}
	header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"hoosh/" + Version}}
	u.blank = &http.Request{Host: base.Host, Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	if cfg.Key != "" && auth != "" {
		name, prefix, _ := strings.Cut(auth, ": ")
		header.Set(name, prefix+string(cfg.Key))
	}
	if cfg.Key != "" {
		u.secrets = append(u.secrets, string(cfg.Key))
	}
	for name, value := range d.Headers {
		header.Set(name, value)
	}
	for name, value := range cfg.Headers {
		header.Set(name, value)
		if len(value) >= 8 { // it may be a key; a shorter one could be any word
			u.secrets = append(u.secrets, value)
		}
	}
	// Not sent. It tells http.Transport that a request which dies on a used
	// connection, before a byte of the answer, may be sent once more: llama.cpp
	// closes a connection after each stream, whatever it says of keeping it.
	if header["Idempotency-Key"] == nil {
		header["Idempotency-Key"] = nil
	}
	if u.trip == nil {
		u.trip = newTransport(cfg.DialContext, u.timeouts.Connect, d.Local)
	}
	return u, nil
}

// With is another Upstream to the same backend, over the same connections, which
// speaks as p says. Each is closed by itself.
func (u *Upstream) With(p *Profile) *Upstream {
	own := *p
	own.Issuer = or(p.Issuer, u.Profile.Issuer)
	return &Upstream{
		Name: u.Name, Profile: &own, base: u.base, blank: u.blank, trip: u.trip,
		timeouts: u.timeouts, limit: u.limit, secrets: u.secrets,
	}
}

// parseBase checks a base URL and takes a slash at its end away.
func parseBase(raw string) (*url.URL, error) {
	if raw == "" {
		return nil, errors.New("base_url is needed: this driver has no default")
	}
	base, err := url.Parse(strings.TrimRight(raw, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("base_url is not an http or https URL") // which may hold a password, so it is not shown
	}
	if base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("base_url of host %s may hold no user, query or fragment", base.Host)
	}
	if base.Path == "" {
		base.Path = "/" // what is joined to no path would have no slash before it
	}
	return base, nil
}

// URL is the address of a path, perhaps with a query, under the base URL.
func (u *Upstream) URL(path string) *url.URL {
	path, query, _ := strings.Cut(path, "?")
	at := u.base.JoinPath(path)
	at.RawQuery = query
	return at
}

// Do sends the call to path, which comes from [Upstream.URL], and reads the
// answer: all of it, or of a stream its head.
func (u *Upstream) Do(ctx context.Context, c *Call, path *url.URL) (*Reply, error) {
	body, dropped, err := c.BodyFor(u.Profile)
	if err != nil {
		return nil, u.fail(c, err)
	}
	var stops []string
	if rest, ok := isUnsaid(dropped, "stop"); ok {
		dropped = rest
		if stops, err = stopsOf(c); err != nil {
			return nil, u.fail(c, err)
		}
	}
	schema, otherwise := false, u.Profile.asksOtherwise(c)
	if otherwise {
		q, err := c.Request() // it was decoded for the body
		schema = err == nil && u.Profile.asksTool(q)
	}
	if c.Strict && len(dropped) > 0 {
		return nil, u.fail(c, cannotTell(dropped))
	}
	x := newExchange(ctx, &u.live, &u.timeouts)
	var resp *http.Response
	ok := false
	defer func() { // also on a panic of a codec or a transport
		if !ok {
			if resp != nil {
				resp.Body.Close()
			}
			x.end(nil)
		}
	}()
	var header http.Header
	if d := c.Dialect(); d == nil || d == u.Profile.Dialect {
		header = c.Header
	} else if id := c.Header["X-Request-Id"]; id != nil { // of no format, a Client's
		header = http.Header{"X-Request-Id": id}
	}
	req := u.request(x.ctx, http.MethodPost, path, header)
	req.Body, req.ContentLength = body.Open(), body.Len()
	req.GetBody = func() (io.ReadCloser, error) { return body.Open(), nil }
	if resp, err = u.trip.RoundTrip(req); err != nil {
		return nil, u.fail(c, x.explain(err))
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, u.fail(c, u.refusal(resp))
	}
	reply := &Reply{Provider: u.Name, Issuer: u.Profile.Issuer, Model: c.Model, Dialect: u.Profile.Dialect, Header: resp.Header, Dropped: dropped, Attempts: 1,
		op: c.Op, stops: stops, schema: schema, recode: u.Profile.Recode != nil && matchAny(u.Profile.Recode, c.Model) || otherwise}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return nil, u.fail(c, &Error{Kind: ErrMalformed, Message: "a web page came where an answer was wanted"})
	}
	if c.Stream && c.Op.streams() && (!isJSON(resp.Header.Get("Content-Type")) || u.Profile.Dialect.Framing == FramingNDJSON) {
		reply.Stream = newUpstreamStream(x, u, c, resp.Body)
		ok = true
		return reply, nil
	}
	x.wait(u.timeouts.Total, errTotalTimeout)
	reply.Body, err = readAnswer(resp.Body, resp.ContentLength)
	if err != nil {
		return nil, u.fail(c, x.explain(err))
	}
	reply.Usage, reply.Finish, err = u.Profile.Dialect.ScanResponse(c.Op, reply.Body)
	if err != nil {
		return nil, u.fail(c, err)
	}
	if find := u.Profile.Dialect.Signatures; find != nil {
		find(reply.Body, func(s []byte) { issued.note(s, u.Profile.Issuer) })
	}
	if c.Stream && c.Op.streams() {
		return nil, u.fail(c, &Error{Kind: ErrMalformed, Message: "a whole answer came where a stream was asked for"})
	}
	return reply, nil
}

// cannotTell is the error of a call that must lose nothing.
func cannotTell(dropped []string) *Error {
	return &Error{Kind: ErrUnsupported, Code: "unsupported_parameter", Param: dropped[0],
		Message: "the backend cannot be told " + quotedNames(dropped) + ", and the route says on_unsupported: refuse"}
}

// isJSON reports that a content type is plain JSON, which no stream of events is.
func isJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/json")
}

// Get reads a small JSON document of the backend's: a model list, its health.
// The time is bounded by ctx, and by a few seconds in any case.
func (u *Upstream) Get(ctx context.Context, path string) ([]byte, error) {
	return u.ask(ctx, http.MethodGet, path, nil)
}

// Post is Get with a body.
func (u *Upstream) Post(ctx context.Context, path string, body []byte) ([]byte, error) {
	return u.ask(ctx, http.MethodPost, path, body)
}

// askTimeout bounds what is asked beside the calls.
const askTimeout = 10 * time.Second

func (u *Upstream) ask(ctx context.Context, method, path string, body []byte) ([]byte, error) {
	caller := ctx
	ctx, cancel := context.WithTimeoutCause(caller, askTimeout, errTotalTimeout)
	defer cancel()
	req := u.request(ctx, method, u.URL(path), nil)
	if body != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	resp, err := u.trip.RoundTrip(req)
	if err != nil {
		return nil, u.fail(nil, explain(caller, ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, u.fail(nil, u.refusal(resp))
	}
	answer, err := readAnswer(io.LimitReader(resp.Body, 16<<20), resp.ContentLength)
	if err != nil {
		return nil, u.fail(nil, explain(caller, ctx, err))
	}
	return answer, nil
}

// Close ends what is under way and lets go of idle connections.
func (u *Upstream) Close() error {
	u.live.cancel(errClosed)
	if t, ok := u.trip.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

func (u *Upstream) request(ctx context.Context, method string, at *url.URL, more http.Header) *http.Request {
	req := u.blank.WithContext(ctx)
	req.Method, req.URL = method, at
	if len(more) > 0 {
		req.Header = req.Header.Clone()
		for name, values := range more {
			req.Header[name] = values
		}
	}
	return req
}

// refusal reads an answer that is not a success.
func (u *Upstream) refusal(resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody))
	e := u.Profile.Dialect.DecodeError(resp.StatusCode, resp.Header, body)
	e.Upstream, e.Status, e.Body, e.dialect = true, resp.StatusCode, body, u.Profile.Dialect
	if e.RetryAfter == 0 {
		e.RetryAfter = retryAfter(resp.Header)
	}
	return e
}

// fail puts the facts of the exchange on an error.
func (u *Upstream) fail(c *Call, err error) *Error {
	e := *AsError(err) // a copy: it may be somebody's cause
	e.Provider = u.Name
	if c != nil {
		e.Op, e.Model = c.Op, c.Model
	}
	for _, secret := range u.secrets { // backends like to quote the key that they refuse
		e.Message = strings.ReplaceAll(e.Message, secret, redacted)
		for _, text := range [...]*string{&e.Code, &e.Type, &e.Param} {
			*text = strings.ReplaceAll(*text, secret, redacted)
		}
		e.Body = bytes.ReplaceAll(e.Body, []byte(secret), []byte(redacted))
	}
	return &e
}

// readAnswer reads to the end of r, for the connection to be used again.
func readAnswer(r io.Reader, size int64) ([]byte, error) {
	if size > maxAnswer {
		return nil, &Error{Kind: ErrMalformed, Message: fmt.Sprintf("the answer has %d bytes", size)}
	}
	if size < 0 {
		size = 4 << 10
	}
	// What a backend says of the size is believed up to a megabyte.
	b := make([]byte, 0, min(size, 1<<20)+1)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if len(b) > maxAnswer {
			return nil, &Error{Kind: ErrMalformed, Message: "the answer is too large"}
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

// retryAfter reads the headers that ask a client to wait: seconds, a date, or
// OpenAI's milliseconds.
func retryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("retry-after-ms"), 64); err == nil && ms > 0 {
		return time.Duration(min(ms, 1e9) * float64(time.Millisecond))
	}
	v := h.Get("Retry-After")
	if v == "" {
		return 0
	}
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		return time.Duration(max(0, min(s, 1e6)) * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
