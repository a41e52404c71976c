// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"container/list"
	"hash/maphash"
	"slices"
	"sync"
)

// Bounds of what is kept of answers in the Responses format.
const (
	storeEntries = 1000
	storeBytes   = 64 << 20
	storeIDs     = 4096 // of answers that are not kept: so many, up to twice of it
)

// responseStore keeps the latest answers of the Responses format, for clients
// that name one instead of sending the conversation again. It is in memory only.
// A caller finds its own answers and no others.
//
// An answer has what its own turn added to the conversation and shares the turns
// before: they stay, and count, for as long as one that is kept goes on from
// them, though they themselves be deleted. Where all is too much the caller that
// has most makes room, so that none loses what it has to a greater one.
type responseStore struct {
	mostEntries, mostBytes int

	mu      sync.Mutex
	callers map[string]*shelf // those who have entries
	entries int
	bytes   int
	ids     idIndex
}

// shelf is what is kept for one caller.
type shelf struct {
	byID  map[string]*list.Element
	used  list.List // of *storedAnswer, the latest first
	bytes int       // the turns before included
}

// storedAnswer is one answer. Read-only, but for the store's own count.
type storedAnswer struct {
	caller, id string
	before     *storedAnswer // what it goes on from, nil: nothing
	input      []byte        // items with commas between them: what this turn said
	output     []byte        // the items of the answer, within object
	object     []byte        // the answer, a JSON object

	refs int // its entry, and the answers that are kept and go on from it
}

// entryBytes is about what an answer takes besides what is in it.
const entryBytes = 256

func (a *storedAnswer) size() int { return entryBytes + len(a.id) + len(a.input) + len(a.object) }

// said lists the items before the answer's own, in pieces with commas between the
// items of each.
func (a *storedAnswer) said() (pieces [][]byte) {
	for {
		pieces = append(pieces, a.input)
		if a.before == nil {
			slices.Reverse(pieces)
			return pieces
		}
		a = a.before
		pieces = append(pieces, a.output)
	}
}

func newResponseStore(entries, bytes int) *responseStore {
	return &responseStore{mostEntries: entries, mostBytes: bytes, callers: map[string]*shelf{}, ids: newIDIndex(storeIDs)}
}

// put keeps an answer, unless it is larger than all room there is.
func (s *responseStore) put(a *storedAnswer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.find(a.caller, a.id); e != nil {
		s.remove(e)
	}
	if a.size() > s.mostBytes {
		s.ids.add(a.id, whereabouts{gone: true})
		return
	}
	own := s.callers[a.caller]
	if own == nil {
		own = &shelf{byID: map[string]*list.Element{}}
		s.callers[a.caller] = own
	}
	own.byID[a.id] = own.used.PushFront(a)
	s.entries++
	s.hold(a)
	for s.entries > s.mostEntries {
		s.remove(s.greatest(own, func(x *shelf) int { return x.used.Len() }).used.Back())
	}
	for s.bytes > s.mostBytes {
		s.remove(s.greatest(own, func(x *shelf) int { return x.bytes }).leaf())
	}
}

// get gives an answer, nil if there is none.
func (s *responseStore) get(caller, id string) *storedAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(caller, id)
	if e == nil {
		return nil
	}
	s.callers[caller].used.MoveToFront(e)
	return e.Value.(*storedAnswer)
}

// delete forgets an answer, and reports that there was one.
func (s *responseStore) delete(caller, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(caller, id)
	if e != nil {
		s.remove(e)
	}
	return e != nil
}

// leave notes that a caller has an answer that is kept at a backend and not here.
func (s *responseStore) leave(caller, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids.add(id, whereabouts{caller: caller})
}

// mayAsk reports that a backend may be asked for an answer that the caller does
// not have here: it is neither another's nor one that was kept and is gone.
func (s *responseStore) mayAsk(caller, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w, ok := s.ids.get(id); ok && (w.gone || w.caller != caller) {
		return false
	}
	for _, x := range s.callers {
		if x.byID[id] != nil {
			return false
		}
	}
	return true
}

func (s *responseStore) find(caller, id string) *list.Element {
	if x := s.callers[caller]; x != nil {
		return x.byID[id]
	}
	return nil
}

func (s *responseStore) remove(e *list.Element) {
	a := e.Value.(*storedAnswer)
	x := s.callers[a.caller]
	x.used.Remove(e)
	delete(x.byID, a.id)
	s.entries--
	s.letGo(a)
	if x.used.Len() == 0 {
		delete(s.callers, a.caller)
	}
	s.ids.add(a.id, whereabouts{gone: true})
}

// hold counts an answer that is needed, and what it needs: that may have been let
// go of since the call began.
func (s *responseStore) hold(a *storedAnswer) {
	for ; a != nil; a = a.before {
		if a.refs++; a.refs > 1 {
			return
		}
		s.count(a, a.size())
	}
}

func (s *responseStore) letGo(a *storedAnswer) {
	for ; a != nil; a = a.before {
		if a.refs--; a.refs > 0 {
			return
		}
		s.count(a, -a.size())
	}
}

func (s *responseStore) count(a *storedAnswer, n int) {
	s.bytes += n
	s.callers[a.caller].bytes += n
}

// greatest is the shelf with the most of something, own if none has more.
func (s *responseStore) greatest(own *shelf, most func(*shelf) int) *shelf {
	for _, x := range s.callers {
		if most(x) > most(own) {
			own = x
		}
	}
	return own
}

// leaf is the entry that was not used for the longest time of those that nothing
// goes on from: room is made by these alone.
func (x *shelf) leaf() *list.Element {
	e := x.used.Back()
	for e.Value.(*storedAnswer).refs > 1 {
		e = e.Prev()
	}
	return e
}

// idIndex remembers of late what became of answers that are not kept, by hashes of
// their ids: backends choose these, at any length.
type idIndex struct {
	most       int
	seed       maphash.Seed
	young, old map[uint64]whereabouts
}

// whereabouts are where an answer is that is not here.
type whereabouts struct {
	caller string // who has it at a backend
	gone   bool   // it was deleted, or made room
}

func newIDIndex(most int) idIndex {
	return idIndex{most: most, seed: maphash.MakeSeed(), young: map[uint64]whereabouts{}}
}

func (x *idIndex) add(id string, w whereabouts) {
	if len(x.young) >= x.most {
		x.old, x.young = x.young, map[uint64]whereabouts{}
	}
	x.young[maphash.String(x.seed, id)] = w
}

func (x *idIndex) get(id string) (whereabouts, bool) {
	hash := maphash.String(x.seed, id)
	w, ok := x.young[hash]
	if !ok {
		w, ok = x.old[hash]
	}
	return w, ok
}
