// SPDX-License-Identifier: AGPL-3.0-only

package hoosh

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// modelList is what a backend said that it serves.
type modelList struct {
	models []Model
	at     time.Time
}

// listing is how a backend's list is kept.
type listing struct {
	list  atomic.Pointer[modelList] // nil: not fetched yet
	busy  chan struct{}             // holds a token while somebody fetches
	asked atomic.Int64              // when the last fetch began, in nanoseconds since the epoch
	took  atomic.Int64              // how long it took, in nanoseconds
}

const (
	// listFresh is how long a model list is good without another look.
	listFresh = 30 * time.Second
	// listTimeout bounds the wait for lists; who is slower is left out this time.
	listTimeout = 2 * time.Second
	// learnEvery bounds how often names that nobody knows make us ask a local
	// engine again; a remote is asked as if nobody had.
	learnEvery = 2 * time.Second
	// listPatience: a backend is not asked again for so many times as long as it
	// took the last time, so that one that hangs holds few callers up.
	listPatience = 10
)

// fetchList asks the backend what it serves and takes a change into the table. A
// fetch that is under way is waited for instead: asked says whether this one
// asked itself, and so whether the error tells of the backend.
func (r *Router) fetchList(ctx context.Context, b *backend) (asked bool, err error) {
	lister, ok := b.Doer.(modelLister)
	if !ok {
		return false, nil
	}
	select {
	case b.busy <- struct{}{}:
		defer func() { <-b.busy }()
	default:
		select {
		case b.busy <- struct{}{}: // it is over
			<-b.busy
		case <-ctx.Done():
		}
		return false, ctx.Err()
	}
	start := time.Now()
	b.asked.Store(start.UnixNano())
	models, err := lister.Models(ctx)
	b.took.Store(int64(time.Since(start)))
	if err != nil {
		return true, err
	}
	old := b.list.Swap(&modelList{models: models, at: time.Now()})
	if old == nil || !slices.EqualFunc(old.models, models, sameModel) {
		r.rebuild()
	}
	return true, nil
}

func sameModel(a, b Model) bool {
	return a.ID == b.ID && slices.Equal(a.Aliases, b.Aliases) && a.Capabilities == b.Capabilities
}

// listDue says whether the backend's list should be asked for, or a fetch that
// is under way be waited for: not one that takes too long already.
func (b *backend) listDue(now time.Time, fresh time.Duration) bool {
	if _, lists := b.Doer.(modelLister); !lists || b.Disabled {
		return false
	}
	age := time.Duration(now.UnixNano() - b.asked.Load())
	if len(b.busy) > 0 {
		return age < listTimeout
	}
	if !b.Local {
		fresh = max(fresh, listFresh)
	}
	return age >= max(fresh, listPatience*time.Duration(b.took.Load()))
}

// fetchLists reads the lists that were not asked for within fresh, all at once,
// and waits for them, two seconds at most and not once known says so. A fetch
// that nobody waits for goes on, and its list is taken in when it comes.
func (r *Router) fetchLists(ctx context.Context, fresh time.Duration, known func() bool) {
	var due []*backend
	now := time.Now()
	for _, b := range r.table.Load().backends {
		if b.listDue(now, fresh) {
			due = append(due, b)
		}
	}
	if len(due) == 0 {
		return
	}
	done := make(chan struct{}, len(due))
	for _, b := range due {
		go func() {
			defer func() { done <- struct{}{} }()
			r.refreshList(b)
		}()
	}
	for range due {
		select {
		case <-done:
			if known() {
				return
			}
		case <-ctx.Done():
			return
		case <-r.ctx.Done():
			return
		}
	}
}

// refreshList fetches the list and takes the answer as a sign of life.
func (r *Router) refreshList(b *backend) {
	ctx, cancel := context.WithTimeout(r.ctx, listTimeout)
	defer cancel()
	if asked, err := r.fetchList(ctx, b); asked {
		b.health.note(time.Now(), AsError(err))
	}
}

// never is for those who want all lists.
func never() bool { return false }

// learn looks again at what backends list, for a name that is not known.
func (r *Router) learn(ctx context.Context, name string) (resolution, bool) {
	r.firstLook(ctx)
	r.fetchLists(ctx, learnEvery, func() bool {
		_, ok := r.table.Load().resolve(name)
		return ok
	})
	return r.table.Load().resolve(name)
}

// Models lists every name that can be asked for. Lists are kept for half a
// minute; a backend that hangs delays the answer by two seconds at most, and
// not often.
func (r *Router) Models(ctx context.Context) ([]Model, error) {
	r.firstLook(ctx)
	r.fetchLists(ctx, listFresh, never)
	if err := ctx.Err(); err != nil {
		return nil, AsError(err)
	}
	return r.table.Load().models, nil
}
