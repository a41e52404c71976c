// SPDX-License-Identifier: AGPL-3.0-only

// Package neutral is what the matrix compares: what a client asks and what a
// model answers, in no wire format. It knows nothing of hoosh's own types, so
// that a fault in a codec cannot hide in what checks it.
package neutral

import "encoding/json"

// Ask is what a client asks, or what a vendor was asked. A zero field was not
// said.
type Ask struct {
	Model  string
	Stream bool
	Turns  []Turn // system text among them, where it stood

	Tools    []Tool
	Choice   string // "", "auto", "none", "required", or "tool:NAME"
	Parallel *bool  // whether several calls at once are allowed

	Schema     json.RawMessage // of the answer
	SchemaName string
	Effort     string // of reasoning: "low", "medium", "high"; vendors that count tokens have Budget instead
	Budget     int

	MaxTokens   int
	Temperature *float64
	TopP        *float64
	Stop        []string
	Seed        *int64
	N           int // how many answers
}

// Turn is one message.
type Turn struct {
	Role  string // "system", "user", "assistant", "tool"
	Parts []Part // of role tool: results and nothing else
}

// Part is one piece of a turn. Exactly one of Text, Thinking, Image, File, Call
// and Result is set.
type Part struct {
	Text      string
	Thinking  string
	Signature string // of Thinking, or of Call where the vendor signs those
	Image     *Media
	File      *Media
	Call      *Call
	Result    *Result
}

// Media is an image or a file: Data in base64 with its Type, or a URL.
type Media struct {
	Type string // "image/png", "application/pdf"
	Data string
	URL  string
	Name string
}

// Call is a tool call.
type Call struct {
	ID   string // "" where the format has none
	Name string
	Args string // JSON, as it was sent
}

// Result is what a tool answered.
type Result struct {
	ID     string
	Name   string // where the format names the tool instead of, or beside, the id
	Text   string
	Image  *Media
	Failed bool
}

// Tool is a function that the model may call.
type Tool struct {
	Name        string
	Description string
	Parameters  json.RawMessage
}

// Answer is what a model answers, or what a client was given.
type Answer struct {
	ID    string
	Model string
	Parts []Part // Text, Thinking and Call, in order; pieces of a stream joined
	// Finish is "stop", "length", "tool_calls", "content_filter"; StopSequence
	// the sequence that was met, where the format says it.
	Finish       string
	StopSequence string
	Usage        Usage
	More         []Answer // the other choices, where several were asked for
	Error        *Fault
}

// Usage is in disjoint classes.
type Usage struct {
	Input, CacheRead, CacheWrite, Output, Reasoning int64
}

// Fault is an error. Its Kind is one of the words below, to which every vendor
// has a shape of its own.
type Fault struct {
	Kind       string
	Status     int
	Message    string
	RetryAfter int // seconds, 0: not said
	// InStream: the error comes as an event of a stream that has begun, after the
	// parts of the answer.
	InStream bool
	// Cut: the stream ends after the parts of the answer without its terminator.
	Cut bool
}

// Kinds of faults.
const (
	FaultInvalid    = "invalid"    // the client's own mistake
	FaultContext    = "context"    // the prompt is too long
	FaultAuth       = "auth"       // the key is refused
	FaultNotFound   = "not found"  // no such model
	FaultRate       = "rate"       // too many requests
	FaultOverloaded = "overloaded" // 529, 503
	FaultServer     = "server"     // 500
)
