// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/maccracken/hoosh"
)

// request is one HTTP request being served.
type request struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	id      string
	start   time.Time
	caller  hoosh.Caller
	account *account
	surface *surface
	name    string         // what the path names: a model, an answer
	dialect *hoosh.Dialect // of errors and streams
	begun   bool           // a status has gone out
}

func newRequest(s *Server, w http.ResponseWriter, r *http.Request) *request {
	q := &request{s: s, w: w, r: r, start: time.Now(), surface: surfaceOf(r), id: r.Header.Get("X-Request-Id")}
	q.dialect = q.surface.dialect
	if !validID(q.id) {
		q.id = newID()
	}
	id := []string{q.id}
	w.Header()["X-Request-Id"] = id
	if name := q.surface.idHeader; name != "" {
		w.Header()[name] = id
	}
	return q
}

// validID reports that a client's request id can go into logs and headers.
func validID(id string) bool {
	if len(id) == 0 || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' && c != ':' {
			return false
		}
	}
	return true
}

func newID() string {
	var b [12]byte
	n, m := rand.Uint64(), rand.Uint32()
	for i := range 8 {
		b[i] = byte(n >> (8 * i))
	}
	for i := range 4 {
		b[8+i] = byte(m >> (8 * i))
	}
	return hex.EncodeToString(b[:])
}

// json writes v.
func (q *request) json(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		q.fail(hoosh.AsError(err))
		return
	}
	q.write(status, append(body, '\n'))
}

var jsonType = []string{"application/json"}

func (q *request) write(status int, body []byte) {
	h := q.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	q.begun = true
	q.w.WriteHeader(status)
	if q.r.Method == http.MethodHead {
		return
	}
	if len(body) > pieceSize { // more than the socket is sure to take
		q.writeLong(body)
		return
	}
	q.w.Write(body) //nolint:errcheck // a client that has left needs no answer
}

// pieceSize is how much of an answer a client may take half a minute for.
const pieceSize = 32 << 10

// writeLong writes piece by piece: a client that reads slowly, but reads, gets all.
func (q *request) writeLong(body []byte) {
	rc := http.NewResponseController(q.w)
	defer rc.SetWriteDeadline(time.Time{}) //nolint:errcheck // not every writer has deadlines
	for len(body) > 0 {
		rc.SetWriteDeadline(time.Now().Add(30 * time.Second)) //nolint:errcheck
		n, err := q.w.Write(body[:min(len(body), pieceSize)])
		if err != nil {
			return
		}
		body = body[n:]
	}
}

// fail writes an error in the client's dialect.
func (q *request) fail(err error) {
	e := hoosh.AsError(err)
	status := e.HTTPStatus()
	if !e.Upstream && e.Status != 0 {
		status = e.Status
	}
	q.logFailure(e, status)
	h := q.w.Header()
	switch {
	case e.RetryAfter > 0:
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	if e.Provider != "" {
		h["X-Hoosh-Provider"] = []string{headerSafe(e.Provider)}
		h["X-Hoosh-Model"] = []string{headerSafe(e.Model)}
		h["X-Hoosh-Attempts"] = []string{strconv.Itoa(len(e.Tried) + 1)}
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	body := q.dialect.EncodeError(e)
	if q.surface.completeError != nil {
		body = q.surface.completeError(q, body)
	}
	q.write(status, body)
}

// logFailure tells the operator what is his: not what a client did wrong, nor
// that it left.
func (q *request) logFailure(e *hoosh.Error, status int) {
	level := slog.LevelDebug
	if status >= 500 {
		level = slog.LevelWarn
	}
	if q.s.log.Enabled(q.r.Context(), level) {
		q.s.log.Log(q.r.Context(), level, "call failed", "request_id", q.id, "path", q.r.URL.Path, "key", q.caller.Name,
			"status", status, "provider", e.Provider, "model", e.Model, "attempts", len(e.Tried)+1, "error", e.Error())
	}
}

// headerSafe keeps a name, a caller's perhaps, from breaking a header.
func headerSafe(s string) string {
	s = s[:min(len(s), 500)]
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return strconv.QuoteToASCII(s)
		}
	}
	return s
}

// number reads a number of the query.
func (q *request) number(name string, otherwise, least, most int) (int, error) {
	text := q.r.URL.Query().Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, &hoosh.Error{Kind: hoosh.ErrInvalidRequest, Param: name, Message: fmt.Sprintf("want a whole number from %d to %d", least, most)}
	}
	return n, nil
}
