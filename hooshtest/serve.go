// SPDX-License-Identifier: AGPL-3.0-only

package hooshtest

import (
	"errors"
	"net/http"
	"runtime/debug"
	"time"
)

// serve answers one request.
func (b *Backend) serve(w http.ResponseWriter, r *http.Request) {
	p := &player{b: b, w: w, c: r.Context().Value(connKey{}).(*serverConn)}
	p.begin()
	defer p.end()
	q := readRequest(r, b.set.maxBody)
	q.Conn = p.c.n
	p.q = q
	b.record(q)
	err := errGone
	if !q.Cut || errors.Is(q.fields.bad, errTooLarge) {
		plan := b.plan(q, b.decide(q))
		p.c.closeIdle.Store(plan.ending == endIdle)
		err = p.play(plan)
	}
	if err == nil {
		return
	}
	if errors.Is(err, errGone) && !p.c.killed.Load() {
		b.mu.Lock()
		b.count.gone++
		b.change()
		b.mu.Unlock()
	}
	panic(http.ErrAbortHandler) // closes the connection, and net/http says nothing about it
}

func (b *Backend) record(q *Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, q)
	q.N = len(b.seen)
	if q.Method == http.MethodPost {
		b.count.calls++
	}
	b.change()
}

// decide is the answer to q, by the rules of the API and then by the script.
func (b *Backend) decide(q *Request) (a Answer) {
	b.mu.Lock()
	script := b.script
	if q.Method != http.MethodPost {
		script = b.probes
	}
	b.mu.Unlock()
	if refusal := b.refuse(q); refusal != nil {
		return *refusal
	}
	if script == nil {
		return Answer{}
	}
	defer func() {
		if v := recover(); v != nil {
			b.tb.Errorf("hooshtest: the script panicked: %v\n%s", v, debug.Stack())
			a = Status(http.StatusInternalServerError, 0)
		}
	}()
	return script(q)
}

// The ways in which playing a plan fails.
var (
	errGone  = errors.New("the client left")
	errFault = errors.New("cut on purpose")
)

// player writes one answer.
type player struct {
	b     *Backend
	c     *serverConn
	w     http.ResponseWriter
	q     *Request
	ended bool // counted as no longer in flight
}

func (p *player) begin() {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.b.count.inFlight++
	p.b.count.peak = max(p.b.count.peak, p.b.count.inFlight)
	p.b.change()
}

func (p *player) end() {
	if p.ended {
		return
	}
	p.ended = true
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	p.b.count.inFlight--
	p.b.change()
}

func (p *player) play(plan *plan) error {
	if err := p.sleep(plan.delay); err != nil {
		return err
	}
	if plan.headless {
		return p.finish(plan.ending)
	}
	if err := p.head(plan); err != nil {
		return err
	}
	for i := range plan.writes {
		last := i == len(plan.writes)-1 && plan.ending.whole()
		if err := p.write(&plan.writes[i], last); err != nil {
			return err
		}
	}
	return p.finish(plan.ending)
}

func (p *player) finish(e ending) error {
	switch e {
	case endHang:
		<-p.q.ctx.Done()
		return errGone
	case endReset:
		p.end() // before the client can know
		p.c.reset()
		return errFault
	case endCut:
		return errFault
	}
	return nil
}

// head writes the status and the headers; of a stream they go out at once.
func (p *player) head(plan *plan) error {
	h := p.w.Header()
	for name, values := range plan.header {
		h[name] = values
	}
	if plan.slowHead > 0 {
		p.c.dribble.Store(&dribble{plan.slowHead, p.q.ctx.Done()})
		defer p.c.dribble.Store(nil)
	}
	p.w.WriteHeader(plan.status)
	if plan.stream || plan.slowHead > 0 {
		return p.flush()
	}
	return nil
}

// write sends one piece. The last byte of an answer goes after the books are
// closed, so that no client sees the end of a call that still counts.
func (p *player) write(wr *write, last bool) error {
	if err := p.sleep(wr.pause); err != nil {
		return err
	}
	if wr.step != nil {
		select {
		case <-wr.step:
		case <-p.q.ctx.Done():
			return errGone
		}
	}
	data := wr.data
	if last && len(data) > 0 {
		if err := p.send(data[:len(data)-1]); err != nil {
			return err
		}
		p.end()
		data = data[len(data)-1:]
	}
	if err := p.send(data); err != nil {
		return err
	}
	return p.flush()
}

func (p *player) send(data []byte) error {
	_, err := p.w.Write(data)
	if errors.Is(err, http.ErrContentLength) || errors.Is(err, http.ErrBodyNotAllowed) {
		return errFault // the script's own headers
	}
	return gone(err)
}

func (p *player) flush() error { return gone(http.NewResponseController(p.w).Flush()) }

func gone(err error) error {
	if err != nil {
		return errGone
	}
	return nil
}

func (p *player) sleep(d time.Duration) error {
	if !pause(d, p.q.ctx.Done()) {
		return errGone
	}
	return nil
}

// pause waits for d, and reports false if it was ended.
func pause(d time.Duration, ended <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ended:
		return false
	}
}
