// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import "fmt"

// Fault is one way in which an answer goes wrong. Answer.After says how many
// events of a stream are written before it; of a whole answer it counts bytes,
// and 0 means half of them. Where a fault has its own use for After it says so.
// Status errors are no faults (see [Status]), and for refused connections there
// is [Backend.Kill].
type Fault int

// The faults.
const (
	None Fault = iota

	// On the connection.

	Hang        // no byte of an answer comes, until the client leaves
	SlowHeaders // status line and headers come byte by byte, a Gap apart (0: a millisecond)
	Reset       // the connection is reset before the status line
	ResetMid    // the connection is reset, after After
	Cut         // the connection is closed without the end of the body, after After
	Truncate    // the body ends properly, but early, after After
	HangMid     // nothing more comes, after After, until the client leaves
	Slow        // the body comes byte by byte, a Gap apart
	WrongLength // Content-Length is larger than the body, and the connection is closed after it
	CloseIdle   // the answer is right; then the connection is closed without notice

	// In what is sent.

	Garbage      // a page of HTML, under status 200
	Malformed    // one event of broken JSON, after After; then the stream goes on. A whole answer lacks its last byte
	Huge         // one event, after After, has over 4 MiB; a whole answer has
	ErrorEvent   // an error event, after After, and the end; a whole answer is an error object under status 200
	ErrorFirst   // an error event before anything else
	EmptyStream  // status 200 and an empty body
	NotStream    // a whole answer though a stream was asked for
	StreamAnyway // a stream though a whole answer was asked for
	CommentFlood // After (0: 1,000) keep-alive comments, with their Gap, before the first event; empty lines before a whole answer

	// In how a stream is written. These are allowed, and trip careless readers.

	CRLF          // lines end in CR LF
	CR            // lines end in CR
	SplitUTF8     // writes end inside each multi-byte character, a Gap apart (at least a millisecond)
	Batched       // all events in one write
	NoUsage       // no usage though it was asked for; also in a whole answer
	UsageAlways   // a usage chunk though it was not asked for
	UsageInFinish // usage in the chunk that has the finish reason, asked for or not
	DoubleDone    // [DONE] comes twice
	NoDone        // the stream ends after the finish chunk, or the usage chunk, without [DONE]

	faultCount
)

var faultNames = [faultCount]string{
	"None", "Hang", "SlowHeaders", "Reset", "ResetMid", "Cut", "Truncate", "HangMid", "Slow", "WrongLength", "CloseIdle",
	"Garbage", "Malformed", "Huge", "ErrorEvent", "ErrorFirst", "EmptyStream", "NotStream", "StreamAnyway", "CommentFlood",
	"CRLF", "CR", "SplitUTF8", "Batched", "NoUsage", "UsageAlways", "UsageInFinish", "DoubleDone", "NoDone",
}

// String is the constant's name.
func (f Fault) String() string {
	if f < 0 || f >= faultCount {
		return fmt.Sprintf("Fault(%d)", int(f))
	}
	return faultNames[f]
}

// Faults are all faults but None, for tests that go through them.
func Faults() []Fault {
	all := make([]Fault, 0, faultCount-1)
	for f := None + 1; f < faultCount; f++ {
		all = append(all, f)
	}
	return all
}
