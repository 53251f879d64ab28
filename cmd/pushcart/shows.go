package main

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pushcart/origin"
	"pushcart/packager"
	"pushcart/stream"
)

// shows gives each stream of the hub a packager, and origin the packager's window. A show that is over
// can be watched for as long as its window is.
type shows struct {
	conf packager.Config
	most int // shows that are over
	log  *slog.Logger

	packagers sync.WaitGroup
	onDemand  map[string]*onDemand // by name; does not change

	mu     sync.Mutex       // guards what follows
	byName map[string]*show // the latest of each name
	over   []*show          // of those, the ones that are over; oldest first
	// awaited are the shows that were on when the server stopped, and are not back yet.
	awaited map[string]*awaited
}

// show is one stream on its way to viewers. It implements origin.Show.
type show struct {
	*packager.Window
	stream *stream.Stream
	// former is the show of the same name before this one, for as long as players that are at its end may
	// still fetch segments of it; nil otherwise.
	former atomic.Pointer[packager.Window]
	over   chan struct{} // closed when the playlists have ended
}

// Done is closed when the show is over. One that is suspended until the server is back is not.
func (s *show) Done() <-chan struct{} { return s.over }

// Object returns what a playlist named, be it one of the former show's.
func (s *show) Object(ctx context.Context, path string) (packager.Object, error) {
	o, err := s.Window.Object(ctx, path)
	if former := s.former.Load(); err == packager.ErrNotFound && former != nil {
		return former.Object(ctx, path)
	}
	return o, err
}

func newShows(conf packager.Config, most int, log *slog.Logger) *shows {
	return &shows{conf: conf, most: most, log: log, byName: make(map[string]*show), awaited: make(map[string]*awaited)}
}

// begin is called by the hub with each new show.
func (s *shows) begin(st *stream.Stream) {
	numbers := packager.NewShow(st.Epoch(), st.Start())
	s.mu.Lock()
	former := s.byName[st.Name()]
	if former != nil {
		numbers.FirstMSN = max(numbers.FirstMSN, former.NextMSN())
		numbers.FirstDSN = max(numbers.FirstDSN, former.NextDSN())
		s.drop(former)
	}
	if a := s.awaited[st.Name()]; a != nil {
		numbers.FirstMSN = max(numbers.FirstMSN, a.was.NextMSN+registerLag)
		numbers.FirstDSN = max(numbers.FirstDSN, a.was.NextDSN)
		delete(s.awaited, st.Name())
		defer a.done()
	}
	p := packager.New(s.conf, numbers)
	p.OnRemark(st.Remark)
	sh := &show{Window: p.Window(), stream: st, over: make(chan struct{})}
	if former != nil {
		sh.former.Store(former.Window)
		time.AfterFunc(s.conf.WithDefaults().Window, func() { sh.former.Store(nil) })
	}
	s.byName[st.Name()] = sh
	s.mu.Unlock()
	if d := s.onDemand[st.Name()]; d != nil {
		d.begins()
	}
	reader := st.NewReader()
	s.packagers.Go(func() {
		// The hub ends every show before the server does: no other end is needed.
		packager.Run(context.Background(), reader, p, s.log.With(slog.String("stream", st.Name())))
		s.end(sh)
	})
}

// end keeps a show that is over for a while. One that never could be watched is forgotten at once.
func (s *shows) end(sh *show) {
	if sh.Ended() {
		close(sh.over)
	}
	_, err := sh.Multivariant(gone) // what can be watched at all is there by now
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName[sh.stream.Name()] != sh {
		return
	}
	if err != nil {
		s.drop(sh)
		return
	}
	s.over = append(s.over, sh)
	if len(s.over) > s.most {
		s.drop(s.over[0])
	}
	time.AfterFunc(s.conf.WithDefaults().Window, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drop(sh)
	})
}

// drop forgets a show, if it is still there. The caller holds the lock.
func (s *shows) drop(sh *show) {
	if s.byName[sh.stream.Name()] == sh {
		delete(s.byName, sh.stream.Name())
	}
	s.over = slices.DeleteFunc(s.over, func(o *show) bool { return o == sh })
}

// Show implements origin.Shows.
func (s *shows) Show(name string) (origin.Show, bool) {
	if d := s.onDemand[name]; d != nil {
		return d, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh, ok := s.byName[name]; ok {
		return sh, true
	}
	if a, ok := s.awaited[name]; ok {
		return a, true
	}
	return nil, false
}

func (s *shows) find(name string) (*show, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh, ok := s.byName[name]
	return sh, ok
}

// all returns the shows that are on or can still be watched, by name.
func (s *shows) all() []*show {
	s.mu.Lock()
	list := make([]*show, 0, len(s.byName))
	for _, sh := range s.byName {
		list = append(list, sh)
	}
	s.mu.Unlock()
	slices.SortFunc(list, func(a, b *show) int { return strings.Compare(a.stream.Name(), b.stream.Name()) })
	return list
}

// wait returns when all packagers have ended their playlists, which they do when the hub is closed.
func (s *shows) wait() { s.packagers.Wait() }
