package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"pushcart/origin"
	"pushcart/packager"
)

// awaited is a show that was on when the server stopped, and whose host is expected back. To viewers it is
// one that has nothing new: they wait, as they do for any host. It implements origin.Show.
type awaited struct {
	conf  packager.Config
	was   registered
	find  func() (*show, bool)
	begun chan struct{} // closed when the show goes on, or is not waited for any longer
	once  sync.Once
}

func (a *awaited) done() { a.once.Do(func() { close(a.begun) }) }

// wait returns the show once it goes on.
func (a *awaited) wait(ctx context.Context) (*show, error) {
	select {
	case <-a.begun:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if sh, ok := a.find(); ok {
		return sh, nil
	}
	return nil, packager.ErrNotFound
}

// Multivariant implements origin.Show.
func (a *awaited) Multivariant(ctx context.Context) (*packager.Document, error) {
	sh, err := a.wait(ctx)
	if err != nil {
		return nil, err
	}
	return sh.Multivariant(ctx)
}

// Playlist implements origin.Show. The position asked for is one of before, which all that comes is behind.
func (a *awaited) Playlist(ctx context.Context, rendition string, msn int64, part int, skip packager.Skip) (*packager.Document, error) {
	sh, err := a.wait(ctx)
	if err != nil {
		return nil, err
	}
	return sh.Playlist(ctx, rendition, msn, part, skip)
}

// Object implements origin.Show: what was there before the restart is gone.
func (a *awaited) Object(context.Context, string) (packager.Object, error) {
	return packager.Object{}, packager.ErrNotFound
}

// Ended implements origin.Show.
func (a *awaited) Ended() bool { return false }

// TargetDuration implements origin.Show.
func (a *awaited) TargetDuration() time.Duration {
	return a.conf.WithDefaults().Latency.Segment.Round(time.Second)
}

// PartTarget implements origin.Show.
func (a *awaited) PartTarget() time.Duration { return a.conf.WithDefaults().Latency.Part }

var _ origin.Show = (*awaited)(nil)

// await makes shows that were on when the server stopped go on when their hosts are back, if that is within
// wait. It is called before the first host is let in.
func (s *shows) await(list []registered, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range list[:min(len(list), s.most)] {
		s.awaited[r.Name] = &awaited{
			conf:  s.conf,
			was:   r,
			find:  func() (*show, bool) { return s.find(r.Name) },
			begun: make(chan struct{}),
		}
	}
	time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, a := range s.awaited {
			a.done()
		}
		clear(s.awaited)
	})
}

// on lists the shows that are on, for the register.
func (s *shows) on() []registered {
	list := []registered{}
	for _, sh := range s.all() {
		if _, err := sh.Multivariant(gone); err == nil && !sh.Ended() {
			list = append(list, registered{Name: sh.stream.Name(), NextMSN: sh.NextMSN(), NextDSN: sh.NextDSN()})
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.awaited { // who stops before the hosts are back hands the wait on
		list = append(list, a.was)
	}
	slices.SortFunc(list, func(a, b registered) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// gone is the context of one who does not wait.
var gone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()
