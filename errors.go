// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Kinds of failure, for [errors.Is]. Every error that a [Gateway] returns is an
// [*Error] of one of these kinds.
var (
	// ErrInvalidRequest: the caller's own mistake. Never retried, never failed over.
	ErrInvalidRequest = errors.New("invalid request")
	// ErrTooLarge: the request is over a size limit, here or at the backend.
	ErrTooLarge = errors.New("request too large")
	// ErrUnauthorized: the caller's key is missing or unknown.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden: the caller is known, or need not be, and may not do this.
	ErrForbidden = errors.New("forbidden")
	// ErrModelNotFound: no backend has the model, or the backend asked said so.
	ErrModelNotFound = errors.New("model not found")
	// ErrNoProvider: backends have the model, and none of them can take the call now.
	ErrNoProvider = errors.New("no provider can take this call")
	// ErrUnsupported: the backend, or its wire format, cannot do what the call asks.
	ErrUnsupported = errors.New("unsupported")
	// ErrContextLength: the prompt does not fit the model's context window.
	ErrContextLength = errors.New("context length exceeded")
	// ErrContentPolicy: the backend refused the content.
	ErrContentPolicy = errors.New("content policy")
	// ErrRateLimited: too many requests or tokens, here or at the backend.
	ErrRateLimited = errors.New("rate limited")
	// ErrInsufficientQuota: the account at the backend has no credit left.
	ErrInsufficientQuota = errors.New("insufficient quota")
	// ErrUpstreamAuth: the backend refused the key that hoosh holds for it.
	ErrUpstreamAuth = errors.New("upstream refused its key")
	// ErrOverloaded: the backend is there and busy, or still loading its model.
	ErrOverloaded = errors.New("overloaded")
	// ErrUnavailable: the backend could not be reached, or the connection broke.
	ErrUnavailable = errors.New("unavailable")
	// ErrTimeout: a connect, first-event, idle or total time ran out.
	ErrTimeout = errors.New("timeout")
	// ErrUpstream: the backend failed in a way of its own (5xx, an error event).
	ErrUpstream = errors.New("upstream error")
	// ErrMalformed: the backend's answer is not of its own wire format.
	ErrMalformed = errors.New("malformed answer")
	// ErrStreamCut: a stream ended without its terminator.
	ErrStreamCut = errors.New("stream cut")
	// ErrCanceled: the caller left.
	ErrCanceled = errors.New("canceled")
	// ErrInternal: a fault of hoosh itself, a recovered panic for one.
	ErrInternal = errors.New("internal error")
)

// Error is what is known of a failed call. The text of Error never holds a key,
// a prompt or the backend's body.
type Error struct {
	Kind     error     // one of the sentinels above; [errors.Is] finds it
	Op       Operation // what was asked
	Provider string    // the backend that was tried last; "": none was
	Model    string    // the model asked of it

	Status  int    // the backend's HTTP status, or 0 when it gave none
	Code    string // machine-readable, in OpenAI's words: "context_length_exceeded"
	Type    string // the backend's own word for the kind, "" when we concluded it
	Param   string // JSON path of the offending part of the request: "messages[2].content"
	Message string // for a human

	RetryAfter time.Duration // how long the backend, or a limit, asks to wait; 0: not said
	Upstream   bool          // the backend said so; false: hoosh concluded it
	Body       []byte        // the backend's body, as it came, capped; nil when we concluded it

	// Tried lists the failures of earlier attempts of this call, oldest first.
	Tried []*Error
	// Err is the cause, if there is one beneath.
	Err error

	dialect *Dialect // of Body
}

// Error says where it happened, what kind it is and the message.
func (e *Error) Error() string {
	text := "hoosh: " + e.describe()
	if e.Param != "" {
		text += " (at " + e.Param + ")"
	}
	return text
}

// describe says where, what kind and the message.
func (e *Error) describe() string {
	var b strings.Builder
	if e.Provider != "" {
		b.WriteString(e.Provider)
		b.WriteString(": ")
	}
	if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	return b.String()
}

// contextLength is OpenAI's code for [ErrContextLength], which clients look for.
const contextLength = "context_length_exceeded"

// ClientMessage is what a client is told: the backend's own words where the
// refusal is the client's matter, else also where it happened.
func (e *Error) ClientMessage() string {
	if e.Message == "" || e.Provider != "" && !(e.Upstream && e.Final()) {
		return e.describe()
	}
	return e.Message
}

// Original is the backend's body, if it is in dialect d and the refusal is the
// client's own matter: then it is handed on as it came. Else nil.
func (e *Error) Original(d *Dialect) []byte {
	if e.Kind == ErrContextLength && e.Code != contextLength {
		return nil // clients look for the code, and this one has another or none
	}
	if e.dialect == d && e.Upstream && e.Final() && e.HTTPStatus() == e.Status && isObject(e.Body) {
		return e.Body
	}
	return nil
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// HTTPStatus is the status that tells a client of this error. It is not always
// the backend's: a backend that refuses hoosh's own key is 502 to the client.
func (e *Error) HTTPStatus() int {
	if e.Upstream && e.Status >= 400 && e.Status < 500 && e.Final() {
		return e.Status
	}
	switch e.Kind {
	case ErrInvalidRequest, ErrUnsupported, ErrContextLength, ErrContentPolicy:
		return http.StatusBadRequest
	case ErrTooLarge:
		return http.StatusRequestEntityTooLarge
	case ErrUnauthorized:
		return http.StatusUnauthorized
	case ErrForbidden:
		return http.StatusForbidden
	case ErrModelNotFound:
		return http.StatusNotFound
	case ErrRateLimited:
		return http.StatusTooManyRequests
	case ErrInsufficientQuota, ErrUpstreamAuth, ErrUnavailable, ErrUpstream, ErrMalformed, ErrStreamCut:
		return http.StatusBadGateway
	case ErrNoProvider, ErrOverloaded:
		return http.StatusServiceUnavailable
	case ErrTimeout:
		return http.StatusGatewayTimeout
	case ErrCanceled:
		return 499 // nginx's word for a client that has left; nobody is there to read it
	}
	return http.StatusInternalServerError
}

// Retryable reports whether the same call, sent to the same backend again,
// could succeed.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case ErrRateLimited, ErrOverloaded, ErrUnavailable, ErrTimeout, ErrUpstream, ErrMalformed, ErrStreamCut:
		return true
	}
	return false
}

// Final reports that another backend would say the same: the call itself is
// what is wrong, or nobody waits for it any more.
func (e *Error) Final() bool {
	switch e.Kind {
	case ErrInvalidRequest, ErrTooLarge, ErrContextLength, ErrContentPolicy, ErrCanceled, ErrUnauthorized, ErrForbidden, ErrInternal:
		return true
	}
	return false
}

// unhealthy reports that the backend itself did not work, as against having
// answered with a refusal.
func (e *Error) unhealthy() bool {
	switch e.Kind {
	case ErrUnavailable, ErrTimeout, ErrUpstream, ErrMalformed, ErrStreamCut, ErrOverloaded:
		return true
	}
	return false
}

// AsError finds the [*Error] in err, or makes one: of a context that ended,
// [ErrCanceled] or [ErrTimeout]; of anything else [ErrInternal]. nil stays nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &Error{Kind: ErrCanceled, Message: "the caller left", Err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: ErrTimeout, Message: "the caller's deadline passed", Err: err}
	}
	return &Error{Kind: ErrInternal, Message: err.Error(), Err: err}
}

// StatusKind gives the kind that an HTTP status of a backend stands for, where
// its body says nothing more exact.
func StatusKind(status int) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrUpstreamAuth
	case status == http.StatusPaymentRequired:
		return ErrInsufficientQuota
	case status == http.StatusNotFound:
		return ErrModelNotFound
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return ErrTimeout
	case status == http.StatusRequestEntityTooLarge:
		return ErrTooLarge
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status == http.StatusNotImplemented, status == http.StatusMethodNotAllowed:
		return ErrUnsupported
	case status == http.StatusServiceUnavailable, status == 529:
		return ErrOverloaded
	case status >= 500, status < 400: // a redirect is no answer either: it is never followed
		return ErrUpstream
	}
	return ErrInvalidRequest
}
