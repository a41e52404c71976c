// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"container/list"
	"sync"
)

// Bounds of what is kept of answers in the Responses format.
const (
	storeEntries = 1000
	storeBytes   = 64 << 20
)

// responseStore keeps the latest answers of the Responses format, for clients
// that name one instead of sending the conversation again. It is in memory only:
// the ones that were not used for the longest time make room. A caller finds its
// own answers and no others.
type responseStore struct {
	mostEntries, mostBytes int

	mu    sync.Mutex
	byKey map[storeKey]*list.Element
	used  list.List // of *storedAnswer, the latest first
	bytes int
}

// storeKey is whose answer it is, and its id.
type storeKey struct{ caller, id string }

// storedAnswer is one answer. Read-only.
type storedAnswer struct {
	key    storeKey
	input  []byte // items with commas between them: all that was said before
	object []byte // the answer, a JSON object
}

func (a *storedAnswer) size() int {
	return len(a.key.caller) + len(a.key.id) + len(a.input) + len(a.object)
}

func newResponseStore(entries, bytes int) *responseStore {
	return &responseStore{mostEntries: entries, mostBytes: bytes, byKey: map[storeKey]*list.Element{}}
}

// put keeps an answer, unless it is larger than all room there is.
func (s *responseStore) put(a *storedAnswer) {
	if a.size() > s.mostBytes {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(a.key)
	s.byKey[a.key] = s.used.PushFront(a)
	s.bytes += a.size()
	for s.bytes > s.mostBytes || s.used.Len() > s.mostEntries {
		s.remove(s.used.Back().Value.(*storedAnswer).key)
	}
}

// get gives an answer, nil if there is none.
func (s *responseStore) get(caller, id string) *storedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byKey[storeKey{caller, id}]
	if e == nil {
		return nil
	}
	s.used.MoveToFront(e)
	return e.Value.(*storedAnswer)
}

// delete forgets an answer, and reports that there was one.
func (s *responseStore) delete(caller, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(storeKey{caller, id})
}

func (s *responseStore) remove(key storeKey) bool {
	e := s.byKey[key]
	if e == nil {
		return false
	}
	delete(s.byKey, key)
	s.bytes -= s.used.Remove(e).(*storedAnswer).size()
	return true
}
