// SPDX-License-Identifier: AGPL-3.0-only

package gemini

import (
	"bytes"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
	"github.com/maccracken/hoosh/internal/jsonpeek"
)

// maxErrorBody bounds what is kept of an error event.
const maxErrorBody = 64 << 10

// errorKinds are Google's words for what went wrong. Source: google.rpc.Code.
var errorKinds = map[string]error{
	"INVALID_ARGUMENT":    hoosh.ErrInvalidRequest,
	"OUT_OF_RANGE":        hoosh.ErrInvalidRequest,
	"FAILED_PRECONDITION": hoosh.ErrUnsupported, // where hoosh stands, or the plan of its account
	"UNAUTHENTICATED":     hoosh.ErrUpstreamAuth,
	"PERMISSION_DENIED":   hoosh.ErrUpstreamAuth,
	"NOT_FOUND":           hoosh.ErrModelNotFound,
	"RESOURCE_EXHAUSTED":  hoosh.ErrRateLimited,
	"UNIMPLEMENTED":       hoosh.ErrUnsupported,
	"UNAVAILABLE":         hoosh.ErrOverloaded,
	"DEADLINE_EXCEEDED":   hoosh.ErrTimeout,
	"INTERNAL":            hoosh.ErrUpstream,
	"UNKNOWN":             hoosh.ErrUpstream,
	"ABORTED":             hoosh.ErrUpstream,
	"CANCELLED":           hoosh.ErrUpstream,
	"DATA_LOSS":           hoosh.ErrUpstream,
}

// errorReasons are those of an ErrorInfo that say more than the status.
var errorReasons = map[string]error{
	"API_KEY_INVALID":         hoosh.ErrUpstreamAuth,
	"API_KEY_EXPIRED":         hoosh.ErrUpstreamAuth,
	"API_KEY_SERVICE_BLOCKED": hoosh.ErrUpstreamAuth,
	"SERVICE_DISABLED":        hoosh.ErrUpstreamAuth,
	"CONSUMER_INVALID":        hoosh.ErrUpstreamAuth,
	"BILLING_DISABLED":        hoosh.ErrInsufficientQuota,
}

// errorTexts are those faults of which only the text says what they are.
var errorTexts = []struct {
	text string
	kind error
}{
	{"exceeds the maximum number of tokens", hoosh.ErrContextLength},
	{"API key not valid", hoosh.ErrUpstreamAuth},
	{"API Key not found", hoosh.ErrUpstreamAuth},
	{"API key expired", hoosh.ErrUpstreamAuth},
	{"enable billing", hoosh.ErrInsufficientQuota},
	{"credits are depleted", hoosh.ErrInsufficientQuota},
	{"payload size exceeds", hoosh.ErrTooLarge},
}

const contextCode = "context_length_exceeded"

// decodeError is [hoosh.Dialect.DecodeError]. Status 0 is that of an error within
// an answer.
func decodeError(status int, _ http.Header, body []byte) *hoosh.Error {
	e := &hoosh.Error{Status: status}
	c := jsonpeek.New(body)
	if c.Array() { // the form of streams without alt=sse
		c.Next()
	}
	code := int64(0)
	if c.Object() {
		for c.Next() {
			if string(c.Key()) == "error" {
				code = readError(&c, e)
			}
		}
	}
	if status == 0 && code >= 400 && code < 600 {
		status = int(code)
	}
	e.Kind = kindOf(e, status)
	if e.Kind == hoosh.ErrContextLength {
		e.Code = contextCode
	}
	if e.Message == "" {
		e.Message = "an error without a text"
		if status != 0 {
			e.Message = strings.TrimSpace("HTTP " + strconv.Itoa(status) + " " + http.StatusText(status))
		}
	}
	return e
}

func kindOf(e *hoosh.Error, status int) error {
	for _, t := range errorTexts {
		if strings.Contains(e.Message, t.text) && (status == 0 || status < 500) {
			return t.kind
		}
	}
	if kind := errorReasons[e.Code]; kind != nil {
		return kind
	}
	if kind := errorKinds[e.Type]; kind != nil {
		return kind
	}
	if status == 0 {
		return hoosh.ErrUpstream
	}
	return hoosh.StatusKind(status)
}

// readError reads the error at hand and gives its code.
func readError(c *jsonpeek.Cursor, e *hoosh.Error) (code int64) {
	if raw, ok := c.Str(); ok { // of who stands before the API
		e.Message = jsonpeek.Unquote(raw)
		return 0
	}
	if !c.Object() {
		return 0
	}
	for c.Next() {
		switch string(c.Key()) {
		case "code":
			code, _ = c.Int()
		case "message":
			e.Message = str(c)
		case "status":
			e.Type = str(c)
		case "details":
			if c.Array() {
				for c.Next() {
					readDetail(c, e)
				}
			}
		}
	}
	return code
}

// readDetail reads the detail at hand: how long to wait, why, and which field of the
// request is wrong.
func readDetail(c *jsonpeek.Cursor, e *hoosh.Error) {
	if !c.Object() {
		return
	}
	for c.Next() {
		switch string(c.Key()) {
		case "retryDelay":
			if s, err := strconv.ParseFloat(strings.TrimSuffix(str(c), "s"), 64); err == nil && s > 0 {
				e.RetryAfter = time.Duration(min(s, 1e6) * float64(time.Second))
			}
		case "reason":
			e.Code = str(c)
		case "fieldViolations":
			if !c.Array() {
				continue
			}
			for c.Next() {
				if !c.Object() {
					continue
				}
				for c.Next() {
					if string(c.Key()) == "field" && e.Param == "" {
						e.Param = str(c)
					}
				}
			}
		}
	}
}

func str(c *jsonpeek.Cursor) string {
	raw, _ := c.Str()
	return jsonpeek.Unquote(raw)
}

// isError reports that a document has an error in it.
func isError(body []byte) bool {
	c := jsonpeek.New(body)
	if c.Array() {
		c.Next()
	}
	if c.Object() {
		for c.Next() {
			if string(c.Key()) == "error" {
				return true
			}
		}
	}
	return false
}

// upstreamError is the error that a backend reports under a 200 or within a
// stream.
func upstreamError(op hoosh.Operation, data []byte) *hoosh.Error {
	e := decodeError(0, nil, data)
	e.Op, e.Upstream, e.Body = op, true, bytes.Clone(data[:min(len(data), maxErrorBody)])
	return e
}

// errorWords are what a client is told.
var errorWords = map[error]string{
	hoosh.ErrInvalidRequest: "INVALID_ARGUMENT",
	hoosh.ErrUnsupported:    "INVALID_ARGUMENT",
	hoosh.ErrContextLength:  "INVALID_ARGUMENT",
	hoosh.ErrContentPolicy:  "INVALID_ARGUMENT",
	hoosh.ErrTooLarge:       "INVALID_ARGUMENT",
	hoosh.ErrUnauthorized:   "UNAUTHENTICATED",
	hoosh.ErrForbidden:      "PERMISSION_DENIED",
	hoosh.ErrModelNotFound:  "NOT_FOUND",
	hoosh.ErrRateLimited:    "RESOURCE_EXHAUSTED",
	hoosh.ErrTimeout:        "DEADLINE_EXCEEDED",
	hoosh.ErrOverloaded:     "UNAVAILABLE",
	hoosh.ErrUnavailable:    "UNAVAILABLE",
	hoosh.ErrNoProvider:     "UNAVAILABLE",
	hoosh.ErrCanceled:       "CANCELLED",
}

// encodeError is [hoosh.Dialect.EncodeError]. A refusal that is the client's own
// matter and came in this dialect is handed on as it came.
func encodeError(e *hoosh.Error) []byte {
	if own := e.Original(Dialect); own != nil {
		return own
	}
	return appendError(nil, e)
}

// tooLong is how Google says that a context is too small: clients look for it.
const tooLong = "The input token count exceeds the maximum number of tokens allowed"

const detail = `{"@type":"type.googleapis.com/google.rpc.`

func appendError(dst []byte, e *hoosh.Error) []byte {
	word := errorWords[e.Kind]
	if word == "" {
		word = "INTERNAL"
	}
	text := e.ClientMessage()
	if e.Kind == hoosh.ErrContextLength && !strings.Contains(text, "exceeds the maximum number of tokens") {
		text = tooLong + ": " + text
	}
	if e.Param != "" && !strings.Contains(text, e.Param) { // few clients show the details
		text += " (at " + e.Param + ")"
	}
	dst = strconv.AppendInt(append(dst, `{"error":{"code":`...), int64(statusOf(e)), 10)
	dst = jsonpeek.AppendQuote(append(dst, `,"message":`...), text)
	dst = append(append(append(dst, `,"status":"`...), word...), '"')
	from := len(dst)
	dst = append(dst, `,"details":[`...)
	inside := len(dst)
	// A backend's code is the client's business only where the refusal is.
	if e.Code != "" && (!e.Upstream || e.Final()) {
		dst = append(append(dst, detail...), `ErrorInfo","reason":`...)
		dst = append(jsonpeek.AppendQuote(dst, e.Code), '}')
	}
	if e.Param != "" {
		dst = separate(dst, inside)
		dst = append(append(dst, detail...), `BadRequest","fieldViolations":[{"field":`...)
		dst = jsonpeek.AppendQuote(dst, e.Param)
		dst = append(jsonpeek.AppendQuote(append(dst, `,"description":`...), e.ClientMessage()), "}]}"...)
	}
	if e.RetryAfter > 0 {
		dst = separate(dst, inside)
		dst = append(append(dst, detail...), `RetryInfo","retryDelay":"`...)
		dst = strconv.AppendInt(dst, int64(math.Ceil(e.RetryAfter.Seconds())), 10)
		dst = append(dst, `s"}`...)
	}
	if len(dst) == inside {
		return append(dst[:from], "}}"...)
	}
	return append(dst, "]}}"...)
}

func separate(dst []byte, inside int) []byte {
	if len(dst) > inside {
		return append(dst, ',')
	}
	return dst
}

// streamError is [hoosh.Dialect.StreamError].
func streamError(e *hoosh.Error) []byte {
	return append(appendError([]byte("data: "), e), "\r\n\r\n"...)
}

// statusOf is the status that the body repeats: the server has some of its own.
func statusOf(e *hoosh.Error) int {
	if !e.Upstream && e.Status != 0 {
		return e.Status
	}
	return e.HTTPStatus()
}
