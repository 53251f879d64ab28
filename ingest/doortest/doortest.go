// Package doortest is what stands behind a door in its tests: a desk that lets hosts in, and what is common to the
// sessions that it gives them. What becomes of their units is for each door's tests to say.
package doortest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/media"
)

// AtMost is how long anything may take before a test gives up, on a machine however busy. It measures nothing.
const AtMost = 2 * time.Minute

// Desk is an ingest.Opener that hands the publishes it has let in to the test.
type Desk[P ingest.Publisher] struct {
	// Refuse, if it is set, may turn a host down.
	Refuse func(ingest.Request) error
	// Came are the publishes, in their order. Who does not read the first hundred stops the door.
	Came chan P

	open func(ingest.Request) P
}

// NewDesk returns a desk whose sessions open makes.
func NewDesk[P ingest.Publisher](open func(ingest.Request) P) *Desk[P] {
	return &Desk[P]{Came: make(chan P, 100), open: open}
}

// Open implements ingest.Opener.
func (d *Desk[P]) Open(r ingest.Request) (ingest.Publisher, error) {
	if d.Refuse != nil {
		if err := d.Refuse(r); err != nil {
			return nil, err
		}
	}
	p := d.open(r)
	d.Came <- p
	return p, nil
}

// Next waits for the next host.
func (d *Desk[P]) Next(t testing.TB) P {
	t.Helper()
	select {
	case p := <-d.Came:
		return p
	case <-time.After(AtMost):
		t.Fatal("nobody has published in time")
		panic("unreachable")
	}
}

// Session is an ingest.Publisher but for Write.
type Session struct {
	Request ingest.Request
	// Left is closed when the door has left.
	Left chan struct{}

	sync.Mutex                 // guards what follows
	Tracks       []media.Track // every one that was announced
	Promised     bool          // Expect was called, with
	Video, Audio bool

	why  error // of Close
	err  error // of End
	done chan struct{}
}

// NewSession returns one that nothing has come from.
func NewSession(r ingest.Request) *Session {
	return &Session{Request: r, Left: make(chan struct{}), done: make(chan struct{})}
}

// SetTrack implements ingest.Publisher.
func (s *Session) SetTrack(t media.Track) error {
	s.Lock()
	defer s.Unlock()
	s.Tracks = append(s.Tracks, t)
	return nil
}

// Expect implements ingest.Publisher.
func (s *Session) Expect(video, audio bool) {
	s.Lock()
	defer s.Unlock()
	s.Promised, s.Video, s.Audio = true, video, audio
}

// Done implements ingest.Publisher.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err implements ingest.Publisher.
func (s *Session) Err() error {
	s.Lock()
	defer s.Unlock()
	return s.err
}

// Close implements ingest.Publisher.
func (s *Session) Close(why error) {
	s.Lock()
	s.why = why
	s.Unlock()
	close(s.Left)
}

// End ends the session from its side.
func (s *Session) End(err error) {
	s.Lock()
	s.err = err
	s.Unlock()
	close(s.done)
}

// Ended waits until the door has left, and returns why.
func (s *Session) Ended(t testing.TB) error {
	t.Helper()
	select {
	case <-s.Left:
	case <-time.After(AtMost):
		t.Fatal("the publish has not ended in time")
	}
	s.Lock()
	defer s.Unlock()
	return s.why
}

// Track returns the latest announcement of a track.
func (s *Session) Track(id int) (found media.Track, ok bool) {
	s.Lock()
	defer s.Unlock()
	for _, t := range s.Tracks {
		if t.ID == id {
			found, ok = t, true
		}
	}
	return found, ok
}

// Run runs a server on a loopback port until the test ends, and returns the port's address.
func Run(t testing.TB, run func(context.Context, net.Listener) error) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- run(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run returned %v", err)
		}
	})
	return ln.Addr().String()
}

// Silent is a log that nobody reads.
func Silent() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
