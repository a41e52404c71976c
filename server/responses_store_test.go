// SPDX-License-Identifier: AGPL-3.0-only

package server

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func answerOf(caller, id string, size int) *storedAnswer {
	return &storedAnswer{key: storeKey{caller, id}, object: []byte(strings.Repeat("x", size))}
}

// TestResponseStore: it keeps what was used last, within its bounds.
func TestResponseStore(t *testing.T) {
	s := newResponseStore(3, 1000)
	for i := range 3 {
		s.put(answerOf("k", fmt.Sprint(i), 10))
	}
	if s.get("k", "0") == nil { // and so it is the latest
		t.Fatal("the first is gone")
	}
	s.put(answerOf("k", "3", 10))
	if s.get("k", "1") != nil || s.get("k", "0") == nil || s.get("k", "2") == nil || s.get("k", "3") == nil {
		t.Error("not the one that was used least made room")
	}
	s.put(answerOf("k", "4", 960)) // 962 bytes with its key
	if s.get("k", "4") == nil || s.get("k", "3") == nil || s.used.Len() != 3 {
		t.Errorf("%d entries of %d bytes", s.used.Len(), s.bytes)
	}
	s.put(answerOf("k", "5", 500))
	if s.get("k", "4") != nil || s.get("k", "5") == nil || s.bytes > s.mostBytes {
		t.Errorf("%d entries of %d bytes", s.used.Len(), s.bytes)
	}
	s.put(answerOf("k", "6", 1000))
	if s.get("k", "6") != nil || s.get("k", "5") == nil {
		t.Error("one that does not fit took the place of others")
	}
	s.put(answerOf("k", "5", 1))
	if !s.delete("k", "5") || s.delete("k", "5") || s.get("k", "5") != nil {
		t.Error("deleted once")
	}
	for _, id := range []string{"0", "1", "2", "3"} {
		s.delete("k", id)
	}
	if s.bytes != 0 || s.used.Len() != 0 || len(s.byKey) != 0 {
		t.Errorf("empty, it has %d bytes, %d entries and %d keys", s.bytes, s.used.Len(), len(s.byKey))
	}
}

// TestResponseStoreCallers: nobody finds another's.
func TestResponseStoreCallers(t *testing.T) {
	s := newResponseStore(10, 1000)
	s.put(answerOf("a", "1", 1))
	if s.get("b", "1") != nil || s.get("", "1") != nil || s.delete("b", "1") || s.get("a", "1") == nil {
		t.Error("found by another caller")
	}
}

func TestResponseStoreCrowd(t *testing.T) {
	s := newResponseStore(50, 2000)
	var crowd sync.WaitGroup
	for g := range 8 {
		crowd.Go(func() {
			for i := range 500 {
				id := fmt.Sprint(i % 70)
				s.put(answerOf(fmt.Sprint(g%3), id, i%90))
				s.get("0", id)
				if i%7 == 0 {
					s.delete("1", id)
				}
			}
		})
	}
	crowd.Wait()
	sum := 0
	for e := s.used.Front(); e != nil; e = e.Next() {
		sum += e.Value.(*storedAnswer).size()
	}
	if sum != s.bytes || sum > s.mostBytes || s.used.Len() > 50 || s.used.Len() != len(s.byKey) {
		t.Errorf("%d bytes said, %d there, %d entries, %d keys", s.bytes, sum, s.used.Len(), len(s.byKey))
	}
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
