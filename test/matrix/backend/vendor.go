// SPDX-License-Identifier: AGPL-3.0-only

// Package backend has scripted backends of five wire formats, each as strict
// about its own format as the vendor is. A backend checks what it is asked,
// notes it in neutral form, and answers what the test has written down for it:
//
//	s := vendor.New("anthropic")
//	s.Script(neutral.Answer{Parts: []neutral.Part{{Text: "Hi!"}}})
//	backend := httptest.NewServer(s)
//	… // let something ask backend.URL
//	for _, seen := range s.Take() {
//		fmt.Println(seen.Ask, seen.Refused)
//	}
//
// It knows nothing of hoosh: it is what hoosh's codecs are judged by.
package backend

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/maccracken/hoosh/test/matrix/neutral"
)

// Names are the formats that [New] knows.
var Names = []string{"openai", "responses", "anthropic", "gemini", "ollama"}

// Vendor is one wire format, seen from the side that serves it.
type Vendor struct {
	Name  string
	Model string // the model that it lists

	words words // how it names places in a request, and what is wrong there
	// list answers what needs no model, such as the list of models, and reports
	// whether it did.
	list func(c *check, w http.ResponseWriter) bool
	// read checks a request and gives how to answer it. What is wrong is left in c.
	read func(c *check) respond
	// refuse writes an error that comes instead of an answer.
	refuse func(c *check, w http.ResponseWriter, f fault)
}

// respond writes an answer that is no error.
type respond func(w http.ResponseWriter, a neutral.Answer)

var vendors = map[string]*Vendor{"openai": openAI, "responses": responses, "anthropic": anthropic, "gemini": gemini, "ollama": ollama}

// Server is one running backend. It is safe for concurrent use.
type Server struct {
	// Vendor is its wire format.
	Vendor *Vendor
	// Model is the one model that it lists; it answers for any. Set it before the
	// first request.
	Model string

	mu     sync.Mutex // of all below
	script []neutral.Answer
	seen   []Seen
	count  int
	issued map[string][]string // signatures that it gave out → the texts they are of
	calls  map[string][]string // ids of calls → the signatures of the thinking ahead, "" for none
	stored map[string]bool     // ids of what it keeps for its clients
}

// Seen is one request that a model was asked by. Requests for lists are not
// noted.
type Seen struct {
	Ask     neutral.Ask // as far as it could be read
	Path    string      // with its query
	Header  http.Header
	Body    []byte
	Refused string // why the strict check refused it; "" when it was accepted
}

// New makes the backend of a format, one of [Names], or panics. Until there is a
// script it answers "Hello.".
func New(name string) *Server {
	v := vendors[name]
	if v == nil {
		panic(fmt.Sprintf("vendor: no format %q, there are %q", name, Names))
	}
	return &Server{Vendor: v, Model: v.Model, issued: map[string][]string{}, calls: map[string][]string{}, stored: map[string]bool{}}
}

// Script sets the answers to the next requests, in order; the last repeats.
// Requests that are refused take none.
func (s *Server) Script(answers ...neutral.Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = slices.Clone(answers)
}

// Take gives what was noted since the last call, and forgets it.
func (s *Server) Take() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := s.seen
	s.seen = nil
	return seen
}

// maxBody bounds what is read of a request.
const maxBody = 64 << 20

// ServeHTTP checks, notes and answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	c := &check{s: s, r: r, words: s.Vendor.words, body: body}
	if err != nil {
		c.refuse("", "the body could not be read: %v", err)
	} else if s.Vendor.list(c, w) {
		return
	}
	var answer respond
	if c.fault == nil {
		answer = s.Vendor.read(c)
	}
	seen := Seen{Ask: c.ask, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: body}
	if f := c.fault; f != nil {
		seen.Refused = fmt.Sprintf("%d %s", statusOf(f.Fault), f.Message)
		s.note(seen)
		s.Vendor.refuse(c, w, *f)
		return
	}
	a := s.take(seen)
	if f := a.Error; f != nil && !f.Cut && (!f.InStream || !c.ask.Stream) {
		s.Vendor.refuse(c, w, fault{Fault: *f})
		return
	}
	answer(w, a)
}

func (s *Server) note(seen Seen) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, seen)
}

// take notes what was accepted, and gives the answer to it.
func (s *Server) take(seen Seen) neutral.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, seen)
	if len(s.script) == 0 {
		return neutral.Answer{Parts: []neutral.Part{{Text: "Hello."}}, Usage: neutral.Usage{Input: 1, Output: 2}}
	}
	a := s.script[0]
	if len(s.script) > 1 {
		s.script = s.script[1:]
	}
	return a
}

// id makes an id that was not there before.
func (s *Server) id(prefix string) string {
	var b [12]byte
	rand.Read(b[:])
	return prefix + hex.EncodeToString(b[:])
}

// signature makes one that nobody else can have made, of about 200 bytes, in
// base64 as the vendors' are.
func (s *Server) signature() string {
	s.mu.Lock()
	s.count++
	n := s.count
	s.mu.Unlock()
	var b [180]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(append(fmt.Appendf(nil, "sig-%s-%d-", s.Vendor.Name, n), b[:]...))
}

// issue remembers a signature with the text that it is of.
func (s *Server) issue(signature, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.issued[signature], text) {
		s.issued[signature] = append(s.issued[signature], text)
	}
}

// known gives the texts that a signature was given out for, nil if it never was.
func (s *Server) known(signature string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued[signature]
}

func (s *Server) keep(ids ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		s.stored[id] = true
	}
}

func (s *Server) kept(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stored[id]
}

// called remembers which thinking a call came of, "" for none. A script may say
// the same call more than once.
func (s *Server) called(id, signature string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[id] = append(s.calls[id], signature)
}

// thoughtsOf gives the signatures of the thinking ahead of a call, one of which
// must come back with it; nil if there need be none.
func (s *Server) thoughtsOf(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.calls[id], "") {
		return nil
	}
	return s.calls[id]
}

// complete gives a with what the script has left out: ids and the end.
func (c *check) complete(a neutral.Answer, answerID, callID string) neutral.Answer {
	if a.ID == "" {
		a.ID = c.s.id(answerID)
	}
	if a.Model == "" {
		a.Model = c.ask.Model
	}
	a.Parts = slices.Clone(a.Parts)
	for i, p := range a.Parts {
		if p.Call == nil {
			continue
		}
		call := *p.Call
		if call.ID == "" && callID != "" {
			call.ID = c.s.id(callID)
		}
		if call.Args == "" {
			call.Args = "{}"
		}
		a.Parts[i].Call = &call
	}
	if a.Finish == "" {
		a.Finish = "stop"
		if slices.ContainsFunc(a.Parts, isCall) {
			a.Finish = "tool_calls"
		}
	}
	a.More = slices.Clone(a.More)
	for i := range a.More {
		a.More[i] = c.complete(a.More[i], answerID, callID)
	}
	return a
}

func isCall(p neutral.Part) bool { return p.Call != nil }

// isThinking reports that a part is thinking, of which perhaps only the
// signature is told.
func isThinking(p neutral.Part) bool {
	return p.Thinking != "" || p.Signature != "" && p.Call == nil && p.Text == ""
}

// statusOf is the HTTP status of a fault for which the script names none and
// the vendors agree.
func statusOf(f neutral.Fault) int {
	if f.Status != 0 {
		return f.Status
	}
	switch f.Kind {
	case neutral.FaultAuth:
		return http.StatusUnauthorized
	case neutral.FaultNotFound:
		return http.StatusNotFound
	case neutral.FaultRate:
		return http.StatusTooManyRequests
	case neutral.FaultOverloaded:
		return http.StatusServiceUnavailable
	case neutral.FaultServer:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// say gives the message of a fault, or what the vendor says unless told.
func say(f neutral.Fault, otherwise map[string]string) string {
	if f.Message != "" {
		return f.Message
	}
	if m := otherwise[f.Kind]; m != "" {
		return m
	}
	return "Something went wrong."
}
