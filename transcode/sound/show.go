package sound

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"pushcart/stream"
)

// show is all that is made for one show.
type show struct {
	st *Studio
	s  *stream.Stream

	mu   sync.Mutex // guards jobs; who is in it, stays
	jobs []*job
}

func newShow(st *Studio, s *stream.Stream) *show { return &show{st: st, s: s} }

// run starts and ends jobs as the show's tracks come and go, until it is over or ctx is done. A show that needs nothing
// costs nothing but this goroutine.
func (sh *show) run(ctx context.Context) {
	defer sh.apply(ctx, nil)
	select {
	case <-sh.st.probed:
	case <-sh.s.Done():
		return
	case <-ctx.Done():
		return
	}
	for {
		tracks, changed := sh.s.Lineup()
		sh.apply(ctx, sh.st.plan(sh.s.Name(), tracks))
		select {
		case <-changed:
		case <-sh.s.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// apply sees to it that these tasks are done and no others.
func (sh *show) apply(ctx context.Context, tasks []*task) {
	var kept []*job
	for _, j := range sh.jobs { // nobody else writes it
		if j.task == nil {
			continue
		}
		if slices.ContainsFunc(tasks, func(k *task) bool { return k.role == j.role && k.equal(j.task) }) {
			kept = append(kept, j)
			continue
		}
		j.cancel()
	}
	for _, j := range sh.jobs {
		if j.task != nil && !slices.Contains(kept, j) {
			<-j.done
			j.task = nil
		}
	}
	for _, k := range tasks {
		j := sh.job(k.role)
		if j.task != nil {
			continue
		}
		var own context.Context
		own, j.cancel = context.WithCancel(ctx)
		j.task, j.done = k, make(chan struct{})
		j.show(k)
		go func() {
			defer close(j.done)
			j.do(own, k)
		}()
	}
}

// job returns the one with that role.
func (sh *show) job(role string) *job {
	for _, j := range sh.jobs {
		if j.role == role {
			return j
		}
	}
	j := &job{sh: sh, role: role, state: Idle, log: sh.st.log.With(slog.String("stream", sh.s.Name()), slog.String("role", role))}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.jobs = append(sh.jobs, j)
	return j
}
