// SPDX-License-Identifier: AGPL-3.0-only

// Package hooshtest is a backend that does what a test tells it, for tests of
// programs that call inference APIs, with hoosh or without. It speaks OpenAI's
// API (chat, completions, embeddings, models; whole answers and streams) and can
// fail in the ways in which real backends fail.
//
//	b := hooshtest.New(t)
//	b.Answer(hooshtest.Status(503, 0), hooshtest.Text("Hello"))
//
//	cfg := hoosh.ProviderConfig{Name: "b", Driver: "openai", BaseURL: b.URL(), DialContext: b.DialContext}
//	… the first call is refused, those after it are answered "Hello" …
//
//	if b.Calls() != 2 { … }
//	if !bytes.Equal(b.Requests()[1].Body, want) { … }
//
// [New] needs no socket: client and backend are joined in memory, and a backend
// made inside a [testing/synctest] bubble stays inside it, so that a delay of an
// hour takes no time. [NewTCP] listens on the loopback interface, for programs
// that cannot be given a dial function and for the faults of real sockets.
//
// [Listener], [Conn] and [Serve] are the same network without the backend, for
// any [net/http.Handler]. [CheckGoroutines] fails a test that leaves goroutines
// behind.
package hooshtest
