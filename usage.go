// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import "fmt"

// Usage counts what a call used, in disjoint classes: a token is in exactly one
// of them. Wire formats nest theirs; each dialect brings them to this form.
type Usage struct {
	Input       int64 // prompt tokens read afresh
	CacheRead   int64 // prompt tokens served from the backend's prompt cache
	CacheWrite  int64 // prompt tokens written to that cache
	AudioInput  int64 // audio tokens of the prompt
	Output      int64 // visible answer tokens
	Reasoning   int64 // tokens of thinking
	AudioOutput int64 // audio tokens of the answer

	Source UsageSource // who counted
}

// UsageSource tells how far a [Usage] can be trusted; a greater one is better.
type UsageSource uint8

// Where the figures of a Usage come from.
const (
	UsageNone     UsageSource = iota // nothing is known
	UsageCounted                     // hoosh estimated it from what went through
	UsagePartial                     // the backend reported part of it, before the stream broke
	UsageReported                    // the backend reported it
)

func (s UsageSource) String() string {
	return [...]string{"none", "counted", "partial", "reported"}[min(s, UsageReported)]
}

// Prompt is all that was read: input, cache reads and writes, audio.
func (u Usage) Prompt() int64 { return u.Input + u.CacheRead + u.CacheWrite + u.AudioInput }

// Completion is all that was made: output, reasoning, audio.
func (u Usage) Completion() int64 { return u.Output + u.Reasoning + u.AudioOutput }

// Total is what a budget counts.
func (u Usage) Total() int64 { return u.Prompt() + u.Completion() }

// plus is what two calls used together.
func (u Usage) plus(o Usage) Usage {
	u.Input += o.Input
	u.CacheRead += o.CacheRead
	u.CacheWrite += o.CacheWrite
	u.AudioInput += o.AudioInput
	u.Output += o.Output
	u.Reasoning += o.Reasoning
	u.AudioOutput += o.AudioOutput
	u.Source = min(u.Source, o.Source)
	return u
}

// IsZero reports that nothing is known.
func (u Usage) IsZero() bool { return u == Usage{} }

// Merge adds a later report of the same call: figures are cumulative, so what the
// later one says of the prompt, or of the answer, replaces the earlier whole.
func (u Usage) Merge(later Usage) Usage {
	if later.Prompt() > 0 {
		u.Input, u.CacheRead, u.CacheWrite, u.AudioInput = later.Input, later.CacheRead, later.CacheWrite, later.AudioInput
	}
	if later.Completion() > 0 {
		u.Output, u.Reasoning, u.AudioOutput = later.Output, later.Reasoning, later.AudioOutput
	}
	u.Source = max(u.Source, later.Source)
	return u
}

// String is for logs: "12 in, 5 out (reported)".
func (u Usage) String() string {
	return fmt.Sprintf("%d in, %d out (%s)", u.Prompt(), u.Completion(), u.Source)
}

// bytesPerToken is the usual rule of thumb for text of European languages; it is
// used only where the backend reports nothing.
const bytesPerToken = 4

// countTokens estimates the tokens of n bytes of text.
func countTokens(n int64) int64 { return (n + bytesPerToken - 1) / bytesPerToken }

// Finish says why an answer ended. Each dialect maps its own words to it.
type Finish uint8

// Reasons for an answer's end.
const (
	FinishNone          Finish = iota // it has not ended, or the backend did not say
	FinishStop                        // the model was done, or met a stop sequence
	FinishLength                      // the token ceiling was reached
	FinishToolCalls                   // the model waits for the results of its tool calls
	FinishContentFilter               // the backend withheld the rest
	FinishError                       // the backend failed while answering
	FinishOther                       // a word that hoosh does not know
)

func (f Finish) String() string {
	return [...]string{"", "stop", "length", "tool_calls", "content_filter", "error", "other"}[min(f, FinishOther)]
}
