// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Answer is what a backend does with one request. The zero value is the default
// answer: of a chat, "You said: " and the text of the last message; of an
// embedding, vectors made from the inputs. A stream is sent when one was asked
// for. Answers are values and may be used again; what they point to is
// read-only.
type Answer struct {
	Status int         // 0: 200. 300 and above: an error, with Text as its message
	Header http.Header // set over the usual ones; a nil value removes one

	// What is said. All of it is optional; pieces are cut at spaces.
	Text         string
	Pieces       []string // the content of a stream, delta by delta, instead of Text
	Reasoning    string   // sent as reasoning_content before the text
	ToolCalls    []ToolCall
	FinishReason string // "": "stop", or "tool_calls" where there are some
	Usage        *Usage // nil: counted from the words

	// Raw bytes instead. They suit any path and any dialect.
	Body   []byte   // exactly this, as a whole answer, whatever was asked
	Chunks []string // exactly these, as a stream, one write each, whatever was asked

	Delay time.Duration   // before the status line
	Gap   time.Duration   // before each event but the first
	Step  <-chan struct{} // each event waits to receive from it; closed: it waits no more; nil: never

	Fault Fault
	After int // see Fault
}

// ToolCall is a call of a function by the model.
type ToolCall struct {
	ID        string // "": made from the request
	Name      string
	Arguments string // JSON
}

// Usage is what an answer says it has used. Cached is part of Prompt.
type Usage struct {
	Prompt, Completion, Cached int
}

// Text is the answer s.
func Text(s string) Answer { return Answer{Text: s} }

// Pieces is an answer whose stream has these deltas.
func Pieces(pieces ...string) Answer { return Answer{Pieces: pieces} }

// Tool is an answer that calls one function; arguments is JSON.
func Tool(name, arguments string) Answer {
	return Answer{ToolCalls: []ToolCall{{Name: name, Arguments: arguments}}}
}

// Raw is a whole answer of exactly these bytes.
func Raw(status int, contentType, body string) Answer {
	return Answer{Status: status, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
}

// Status is a refusal with OpenAI's error body for that status. A retryAfter
// that is not 0 is sent as Retry-After, rounded up to seconds, and as
// retry-after-ms.
func Status(code int, retryAfter time.Duration) Answer {
	a := Answer{Status: code}
	if retryAfter > 0 {
		a.Header = http.Header{
			"Retry-After":    {strconv.FormatFloat(math.Ceil(retryAfter.Seconds()), 'f', 0, 64)},
			"Retry-After-Ms": {strconv.FormatInt(retryAfter.Milliseconds(), 10)},
		}
	}
	return a
}

// Faulty is the default answer, gone wrong.
func Faulty(kind Fault, after int) Answer { return Answer{Fault: kind, After: after} }

// Sequence is a script that gives each call the next answer; the last one
// repeats. The place in the sequence belongs to the function that it returns.
// Without answers it gives the default.
func Sequence(answers ...Answer) func(*Request) Answer {
	var next atomic.Int64
	return func(*Request) Answer {
		n := int(next.Add(1)) - 1
		if len(answers) == 0 {
			return Answer{}
		}
		return answers[min(n, len(answers)-1)]
	}
}
