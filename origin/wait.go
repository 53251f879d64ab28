package origin

import (
	"context"
	"sync/atomic"
	"time"
)

// waitTargets is how many target durations a request may wait (rfc8216bis 6.2.5.2: SHOULD be three).
const waitTargets = 3

// gauge counts what there is of something at present, up to a limit.
type gauge struct{ n atomic.Int64 }

// enter adds one, or reports false if there are limit already.
func (g *gauge) enter(limit int) bool {
	for {
		n := g.n.Load()
		if n >= int64(limit) {
			return false
		}
		if g.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *gauge) leave() { g.n.Add(-1) }

// patience is the context that a show gets with a request. It is the request's own until somebody asks
// for its Done channel, which means that there is nothing to send yet: then the request takes a place
// among the waiting, and the clock starts. A request for something that is there costs none of it.
//
// It serves one call of a Show at a time: reset before, release after.
type patience struct {
	request context.Context
	s       *Server
	room    *room
	limit   time.Duration

	refused error           // why there was no place to wait
	timer   context.Context // nil: is not waiting
	began   time.Time       // when it was made
	stop    context.CancelFunc
}

func (p *patience) reset(s *Server, request context.Context, room *room, limit time.Duration) {
	*p = patience{s: s, request: request, room: room, limit: limit}
}

// release gives the place back, if there is one.
func (p *patience) release() {
	if p.timer == nil {
		return
	}
	p.stop()
	p.timer = nil
	p.room.waiting.leave()
	p.s.waiting.leave()
	p.s.counters.waited(time.Since(p.began))
}

// Done begins the wait, once.
func (p *patience) Done() <-chan struct{} {
	if p.timer == nil && p.refused == nil {
		p.begin()
	}
	if p.refused != nil {
		return closed
	}
	return p.timer.Done()
}

func (p *patience) begin() {
	if !p.s.waiting.enter(p.s.cfg.MaxWaiting) {
		p.refused = errCrowded
		return
	}
	if !p.room.waiting.enter(p.s.cfg.MaxWaitingPerShow) {
		p.s.waiting.leave()
		p.refused = errCrowded
		return
	}
	p.began = time.Now()
	p.timer, p.stop = context.WithTimeout(p.request, p.limit)
}

// Err says why the wait is over: errCrowded, errWaited, errStopping, or errGone for a viewer who has left.
func (p *patience) Err() error {
	switch {
	case p.refused != nil:
		return p.refused
	case p.request.Err() != nil:
		if context.Cause(p.request) == errStopping {
			return errStopping
		}
		return errGone
	case p.timer != nil && p.timer.Err() != nil:
		return errWaited
	}
	return nil
}

func (p *patience) Deadline() (time.Time, bool) { return p.request.Deadline() }
func (p *patience) Value(key any) any           { return p.request.Value(key) }

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
