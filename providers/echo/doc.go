// SPDX-License-Identifier: AGPL-3.0-only

// Package echo registers the driver "echo": a backend in this process that asks
// no model and says so in every answer. It shows a program, or a person, that
// everything but the model works, and plays the faults of real backends. It is
// never discovered and never answers for a name that is not its own.
//
// The model's name is the script:
//
//	echo                          repeats what was said, with a label before it
//	echo-len:1000                 an answer of 1,000 words
//	echo-chunks:5                 a stream of five pieces; otherwise it has one a word
//	echo-slow:200ms               waits so long before each piece, or before a whole answer
//	echo-delay:2s                 waits so long before anything
//	echo-tool:get_weather         calls this tool, with what was said as {"text": …};
//	                              once the result is there, it repeats that
//	echo-fault:KIND               fails, see below
//	echo-embed                    vectors made of a hash: the same text has the same
//	echo-embed:768                of this length, where the call does not ask for one
//
// Options go together with a plus: echo-slow:50ms+len:200+fault:cut. The faults:
//
//	400 … 599      an HTTP status; 429 and 503 ask to be called again in a second
//	reset          the connection breaks before an answer
//	hang           no answer, until the first-event timeout
//	malformed      not of the wire format; in a stream after half of it
//	cut            the answer ends in its middle
//	stall          a stream says no more after half of it, until the idle timeout
//	error-event    the backend reports an error; in a stream after half of it
//
// A word counts as a token: usage says how many words came and went, and a
// ceiling (max_tokens) cuts after that many. Answers are the same each time but
// for the time they bear. To let any script be asked for, give the provider the
// pattern:
//
//	providers:
//	  - name: echo
//	    models: ["echo*"]
package echo
