package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pushcart/origin"
	"pushcart/packager"
)

// onDemand is a show that is fetched while somebody watches. Whoever asks for its multivariant playlist has it
// fetched, and waits until it comes. It implements origin.Show.
type onDemand struct {
	name string
	find func() (*show, bool)
	want func() // has it fetched

	mu      sync.Mutex
	begun   chan struct{} // guarded by mu; closed, and replaced, when a show of that name begins, or a try fails
	failure error         // of the latest try; guarded by mu; nil when the show has begun
	fails   int           // tries that have failed; guarded by mu
}

// startTarget is the target duration of a show that is not on yet: a viewer waits three of it, for a camera to
// answer and to send a keyframe.
const startTarget = 5 * time.Second

// demand makes the shows called names ones that are fetched on demand, by want. It is called before the first
// viewer is let in.
func (s *shows) demand(names []string, want func(name string)) {
	s.onDemand = make(map[string]*onDemand, len(names))
	for _, name := range names {
		s.onDemand[name] = &onDemand{
			name: name, find: func() (*show, bool) { return s.find(name) }, want: func() { want(name) }, begun: make(chan struct{}),
		}
	}
}

// begins wakes those who wait for the show.
func (d *onDemand) begins() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failure = nil
	d.wake()
}

// failed tells those who wait why the show does not come.
func (d *onDemand) failed(why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failure = fmt.Errorf("%s; %w", why, origin.ErrAway)
	d.fails++
	d.wake()
}

// wake is called with the lock held.
func (d *onDemand) wake() {
	close(d.begun)
	d.begun = make(chan struct{})
}

// next returns what is closed when there is news, and how many tries have failed so far, with the reason for the
// latest.
func (d *onDemand) next() (news <-chan struct{}, fails int, failure error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun, d.fails, d.failure
}

// on returns the show, if it is on.
func (d *onDemand) on() (*show, bool) {
	sh, ok := d.find()
	return sh, ok && !sh.Ended()
}

// Multivariant implements origin.Show. It returns when the show can be watched, or when a try to fetch it has failed:
// then with an error that says what is wrong with the camera.
func (d *onDemand) Multivariant(ctx context.Context) (*packager.Document, error) {
	news, before, _ := d.next() // a try that failed before says nothing of now
	d.want()
	for {
		if sh, ok := d.on(); ok {
			return sh.Multivariant(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-news:
		}
		var fails int
		var failure error
		if news, fails, failure = d.next(); failure != nil && fails > before {
			return nil, failure
		}
	}
}

// Playlist implements origin.Show.
func (d *onDemand) Playlist(ctx context.Context, rendition string, msn int64, part int, skip packager.Skip) (*packager.Document, error) {
	sh, ok := d.find()
	if !ok {
		return nil, packager.ErrNotFound
	}
	return sh.Playlist(ctx, rendition, msn, part, skip)
}

// Object implements origin.Show.
func (d *onDemand) Object(ctx context.Context, path string) (packager.Object, error) {
	sh, ok := d.find()
	if !ok {
		return packager.Object{}, packager.ErrNotFound
	}
	return sh.Object(ctx, path)
}

// Ended implements origin.Show.
func (d *onDemand) Ended() bool {
	sh, ok := d.find()
	return ok && sh.Ended()
}

// TargetDuration implements origin.Show.
func (d *onDemand) TargetDuration() time.Duration {
	if sh, ok := d.on(); ok {
		return sh.TargetDuration()
	}
	return startTarget
}

// PartTarget implements origin.Show.
func (d *onDemand) PartTarget() time.Duration {
	if sh, ok := d.find(); ok {
		return sh.PartTarget()
	}
	return startTarget
}

// Done is closed when the show is over that is on; it is nil if there is none.
func (d *onDemand) Done() <-chan struct{} {
	if sh, ok := d.find(); ok {
		return sh.Done()
	}
	return nil
}

var _ origin.Show = (*onDemand)(nil)
