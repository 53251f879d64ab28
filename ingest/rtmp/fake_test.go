package rtmp

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/media"
)

// atMost is how long anything may take before a test gives up, on a machine however busy. It measures nothing.
const atMost = time.Minute

// fakeDesk lets hosts in and records what they deliver. Nil functions accept everything.
type fakeDesk struct {
	refuse   func(ingest.Request) error
	setTrack func(media.Track) error

	mu    sync.Mutex
	shows []*fakeShow
	came  chan *fakeShow
}

func newFakeDesk() *fakeDesk { return &fakeDesk{came: make(chan *fakeShow, 100)} }

func (d *fakeDesk) Open(r ingest.Request) (ingest.Publisher, error) {
	if d.refuse != nil {
		if err := d.refuse(r); err != nil {
			return nil, err
		}
	}
	s := &fakeShow{request: r, setTrack: d.setTrack, done: make(chan struct{}), closed: make(chan struct{}), units: make(chan media.AccessUnit, 100_000)}
	d.mu.Lock()
	d.shows = append(d.shows, s)
	d.mu.Unlock()
	d.came <- s
	return s, nil
}

// next waits for the next host.
func (d *fakeDesk) next(t testing.TB) *fakeShow {
	t.Helper()
	select {
	case s := <-d.came:
		return s
	case <-time.After(atMost):
		t.Fatal("nobody has published in time")
		return nil
	}
}

// fakeShow is one publish.
type fakeShow struct {
	request  ingest.Request
	setTrack func(media.Track) error
	units    chan media.AccessUnit // all but those that do not fit: tests read them
	closed   chan struct{}

	mu           sync.Mutex
	tracks       []media.Track // every SetTrack that was accepted
	promised     bool
	video, audio bool
	why          error // of Close

	done chan struct{}
	err  error
}

func (s *fakeShow) SetTrack(t media.Track) error {
	if s.setTrack != nil {
		if err := s.setTrack(t); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tracks = append(s.tracks, t)
	return nil
}

func (s *fakeShow) Expect(video, audio bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promised, s.video, s.audio = true, video, audio
}

func (s *fakeShow) Write(au media.AccessUnit) error {
	select {
	case <-s.done:
		return s.err
	case s.units <- au:
		return nil
	default:
		return errors.New("the test does not read its units")
	}
}

func (s *fakeShow) Done() <-chan struct{} { return s.done }
func (s *fakeShow) Err() error            { return s.err }

// end ends the session from its side.
func (s *fakeShow) end(err error) {
	s.err = err
	close(s.done)
}

func (s *fakeShow) Close(why error) {
	s.mu.Lock()
	s.why = why
	s.mu.Unlock()
	close(s.closed)
}

// ended waits until the door has left, and returns why.
func (s *fakeShow) ended(t testing.TB) error {
	t.Helper()
	select {
	case <-s.closed:
	case <-time.After(atMost):
		t.Fatal("the publish has not ended in time")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// unit waits for the next unit.
func (s *fakeShow) unit(t testing.TB) media.AccessUnit {
	t.Helper()
	select {
	case au := <-s.units:
		return au
	case <-time.After(atMost):
		t.Fatal("no unit has come in time")
		return media.AccessUnit{}
	}
}

// track returns the last announcement of a track.
func (s *fakeShow) track(id int) (found media.Track, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		if t.ID == id {
			found, ok = t, true
		}
	}
	return found, ok
}

// start runs a server for desk on a loopback port until the test ends, and returns its address.
func start(t testing.TB, s *Server) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.Log == nil {
		s.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return ln.Addr().String()
}
