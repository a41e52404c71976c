// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// answerOf is an answer that counts as size bytes.
func answerOf(caller, id string, size int, before *storedAnswer) *storedAnswer {
	return &storedAnswer{caller: caller, id: id, before: before, object: []byte(strings.Repeat("x", size-entryBytes-len(id)))}
}

// fill puts one answer after the other, of 300 bytes each.
func fill(s *responseStore, caller string, from, to int) {
	for i := from; i < to; i++ {
		s.put(answerOf(caller, fmt.Sprint(i), 300, nil))
	}
}

// has lists which of the answers 0 to 9 a caller finds.
func has(s *responseStore, caller string) (list string) {
	for _, id := range strings.Split("0123456789", "") {
		if s.find(caller, id) != nil {
			list += id
		}
	}
	return list
}

// sound fails a test unless what the store counts is what there is.
func sound(t *testing.T, s *responseStore) {
	t.Helper()
	entries, bytes := 0, 0
	refs := map[*storedAnswer]int{}
	for caller, x := range s.callers {
		own := map[*storedAnswer]bool{}
		for e := x.used.Front(); e != nil; e = e.Next() {
			a := e.Value.(*storedAnswer)
			refs[a]++
			if a.caller != caller || x.byID[a.id] != e {
				t.Errorf("%s/%s is with %s", a.caller, a.id, caller)
			}
			for ; a != nil && !own[a]; a = a.before {
				own[a] = true
				if a.before != nil {
					refs[a.before]++
				}
			}
		}
		sum := 0
		for a := range own {
			sum += a.size()
		}
		if sum != x.bytes || len(x.byID) != x.used.Len() || x.used.Len() == 0 {
			t.Errorf("%s: %d bytes said, %d there, %d entries, %d ids", caller, x.bytes, sum, x.used.Len(), len(x.byID))
		}
		entries, bytes = entries+x.used.Len(), bytes+sum
	}
	for a, n := range refs {
		if a.refs != n {
			t.Errorf("%s/%s: %d refs said, %d there", a.caller, a.id, a.refs, n)
		}
	}
	if entries != s.entries || bytes != s.bytes || entries > s.mostEntries || bytes > s.mostBytes {
		t.Errorf("%d entries said, %d there, at most %d; %d bytes said, %d there, at most %d", s.entries, entries, s.mostEntries, s.bytes, bytes, s.mostBytes)
	}
}

// TestResponseStore: it keeps what was used last, within its bounds.
func TestResponseStore(t *testing.T) {
	s := newResponseStore(3, 2000)
	fill(s, "k", 0, 3)
	if s.get("k", "0") == nil { // and so it is the latest
		t.Fatal("the first is gone")
	}
	for _, x := range []struct {
		id   string
		size int
		want string
	}{
		{"3", 300, "023"},
		{"4", 1400, "034"},
		{"5", 1000, "5"},
		{"6", 2001, "5"}, // does not fit, and takes no other's place
		{"6", 1000, "56"},
		{"5", 300, "56"},
	} {
		s.put(answerOf("k", x.id, x.size, nil))
		if got := has(s, "k"); got != x.want {
			t.Errorf("after %s of %d bytes there are %s, want %s", x.id, x.size, got, x.want)
		}
		sound(t, s)
	}
	if !s.delete("k", "5") || s.delete("k", "5") || !s.delete("k", "6") || has(s, "k") != "" {
		t.Error("deleted once")
	}
	if s.bytes != 0 || s.entries != 0 || len(s.callers) != 0 {
		t.Errorf("empty, it has %d bytes, %d entries and %d callers", s.bytes, s.entries, len(s.callers))
	}
}

// TestResponseStoreTurns: what an answer goes on from is there once, and for as
// long as it is needed.
func TestResponseStoreTurns(t *testing.T) {
	s := newResponseStore(10, 2000)
	one := answerOf("k", "1", 400, nil)
	two := answerOf("k", "2", 400, one)
	s.put(one)
	s.put(two)
	s.put(answerOf("k", "3", 400, one))
	if s.bytes != 1200 {
		t.Errorf("%d bytes", s.bytes)
	}
	if s.delete("k", "1"); has(s, "k") != "23" || s.bytes != 1200 {
		t.Errorf("%s, %d bytes: what two go on from does not count", has(s, "k"), s.bytes)
	}
	sound(t, s)
	s.delete("k", "3")
	s.put(answerOf("k", "4", 400, two))
	if s.delete("k", "2"); has(s, "k") != "4" || s.bytes != 1200 {
		t.Errorf("%s, %d bytes", has(s, "k"), s.bytes)
	}
	sound(t, s)
	if s.delete("k", "4"); s.bytes != 0 {
		t.Errorf("%d bytes are left", s.bytes)
	}
	// Two made room while a call went on from it.
	s.put(answerOf("k", "5", 400, two))
	if has(s, "k") != "5" || s.bytes != 1200 {
		t.Errorf("%s, %d bytes", has(s, "k"), s.bytes)
	}
	sound(t, s)
	// Only what nothing goes on from makes room.
	s.put(answerOf("k", "6", 300, s.get("k", "5")))
	s.put(answerOf("k", "7", 400, nil))
	s.put(answerOf("k", "8", 400, nil))
	if has(s, "k") != "578" {
		t.Errorf("there are %s", has(s, "k"))
	}
	sound(t, s)
	// A conversation goes on beyond all entries, only its first turns cannot be named.
	s, one = newResponseStore(3, 1<<20), nil
	for i := range 10 {
		one = answerOf("k", fmt.Sprint(i), 300, one)
		s.put(one)
	}
	if has(s, "k") != "789" || s.bytes != 3000 || len(s.get("k", "9").said()) != 19 {
		t.Errorf("there are %s, %d bytes, %d pieces", has(s, "k"), s.bytes, len(s.get("k", "9").said()))
	}
	sound(t, s)
}

// TestResponseStoreCallers: nobody finds another's, nor takes room from one that
// has less.
func TestResponseStoreCallers(t *testing.T) {
	s := newResponseStore(10, 3000)
	s.put(answerOf("a", "1", 300, nil))
	if s.get("b", "1") != nil || s.get("", "1") != nil || s.delete("b", "1") || s.get("a", "1") == nil {
		t.Error("found by another caller")
	}
	fill(s, "b", 0, 50)
	if has(s, "a") != "1" || s.callers["b"].used.Len() != 9 {
		t.Errorf("%q are left of a's", has(s, "a"))
	}
	sound(t, s)
	fill(s, "a", 0, 9)
	if n := s.callers["a"].used.Len(); n != 5 {
		t.Errorf("a has %d entries of 10", n)
	}
	sound(t, s)
	// By bytes it is the same, though one has few entries and the other many.
	s = newResponseStore(10, 3000)
	s.put(answerOf("a", "1", 1400, nil))
	fill(s, "b", 0, 9)
	if has(s, "a") != "1" || has(s, "b") != "45678" {
		t.Errorf("%q of a's, %q of b's", has(s, "a"), has(s, "b"))
	}
	s.put(answerOf("a", "2", 1400, nil))
	if has(s, "a") != "2" || has(s, "b") != "45678" {
		t.Errorf("%q of a's, %q of b's", has(s, "a"), has(s, "b"))
	}
	sound(t, s)
}

// TestResponseStoreIDs: a backend is not asked for what is another's, nor for what
// was kept here and is gone.
func TestResponseStoreIDs(t *testing.T) {
	s := newResponseStore(2, 1000)
	may := func(want string) {
		t.Helper()
		got := ""
		for _, caller := range []string{"a", "b"} {
			for _, id := range strings.Split("0123456789", "") {
				if s.mayAsk(caller, id) {
					got += caller + id + " "
				}
			}
		}
		if got != want {
			t.Errorf("may ask for %q, want %q", got, want)
		}
	}
	fill(s, "a", 0, 4)                   // two of them made room
	s.delete("a", "3")                   // and one was deleted
	s.leave("a", "4")                    // one is at the backend
	s.put(answerOf("a", "5", 1001, nil)) // one is too large
	may("a4 a6 a7 a8 a9 b6 b7 b8 b9 ")
	// What is kept is its caller's however long ago it was used.
	s.ids = newIDIndex(3)
	for i := range 50 {
		s.leave("b", fmt.Sprint(10+i))
	}
	may("a0 a1 a3 a4 a5 a6 a7 a8 a9 b0 b1 b3 b4 b5 b6 b7 b8 b9 ")
	if n := len(s.ids.young) + len(s.ids.old); n > 6 || s.mayAsk("a", "59") || s.mayAsk("a", "57") || !s.mayAsk("a", "50") {
		t.Errorf("%d ids are known", n)
	}
}

func TestResponseStoreCrowd(t *testing.T) {
	s := newResponseStore(50, 20000)
	var crowd sync.WaitGroup
	for g := range 8 {
		crowd.Go(func() {
			caller := fmt.Sprint(g % 3)
			for i := range 500 {
				id := fmt.Sprint(i % 70)
				s.put(answerOf(caller, id, 300+i%90, s.get(caller, fmt.Sprint(i*i%70))))
				s.mayAsk("0", id)
				if i%7 == 0 {
					s.delete("1", id)
				}
			}
		})
	}
	crowd.Wait()
	sound(t, s)
}

// TestWindow: the pages of a list.
func TestWindow(t *testing.T) {
	for _, x := range []struct {
		n, limit, after, before int
		from, to                int
		more                    bool
	}{
		{5, 2, -1, -1, 0, 2, true},
		{5, 2, 1, -1, 2, 4, true},
		{5, 2, 3, -1, 4, 5, false},
		{5, 5, -1, -1, 0, 5, false},
		{5, 2, 4, -1, 5, 5, false},
		{0, 2, -1, -1, 0, 0, false},
		{5, 2, -1, 3, 1, 3, true},
		{5, 9, -1, 3, 0, 3, false},
		{5, 2, -1, 0, 0, 0, false},
	} {
		from, to, more := window(x.n, x.limit, x.after, x.before)
		if from != x.from || to != x.to || more != x.more {
			t.Errorf("%+v: %d to %d, more %t", x, from, to, more)
		}
	}
}
