package sound

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// lonelyFor is how long a mix goes on without its voice. It is not offered any more before that (package packager).
const lonelyFor = 10 * time.Minute

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
		tasks := sh.st.plan(sh.s.Name(), tracks)
		lonely, over := sh.lonely(tasks, tracks)
		sh.apply(ctx, append(tasks, lonely...))
		select {
		case <-changed:
		case <-over:
		case <-sh.s.Done():
			return
		case <-ctx.Done():
			return
		}
	}
}

// lonely returns the mixes that go on with the show's own sound after their voices have left, besides the tasks that there
// are for these tracks, and a channel that tells when it is over with one of them. Who listens to a mix would hear
// nothing else, and not all players can be told to change.
func (sh *show) lonely(tasks []*task, tracks []media.Track) (mixes []*task, over <-chan time.Time) {
	next := lonelyFor
	for _, j := range sh.jobs { // nobody else writes it
		if slices.ContainsFunc(tasks, func(k *task) bool { return k.role == j.role }) {
			j.voiceIsThere()
			continue
		}
		if j.task == nil || j.task.duck == 0 || !hasAll(tracks, j.task.inputs[:1]) || j.status().State != Running {
			continue
		}
		if len(sh.st.slots) == cap(sh.st.slots) {
			continue // others need its process more
		}
		if rest := lonelyFor - j.lonelySince(); rest > 0 {
			mixes, next = append(mixes, j.task), min(next, rest)
		}
	}
	if len(mixes) > 0 {
		over = time.After(next)
	}
	return mixes, over
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
