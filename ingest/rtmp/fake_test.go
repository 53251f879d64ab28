package rtmp

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"pushcart/ingest"
	"pushcart/ingest/doortest"
	"pushcart/media"
)

const atMost = doortest.AtMost

// fakeDesk lets hosts in and records what they deliver.
type fakeDesk struct {
	*doortest.Desk[*fakeShow]
	setTrack func(media.Track) error // may refuse; nil accepts all
}

func newFakeDesk() *fakeDesk {
	d := new(fakeDesk)
	d.Desk = doortest.NewDesk(func(r ingest.Request) *fakeShow {
		return &fakeShow{Session: doortest.NewSession(r), setTrack: d.setTrack, units: make(chan media.AccessUnit, 100_000)}
	})
	return d
}

// fakeShow is one publish.
type fakeShow struct {
	*doortest.Session
	setTrack func(media.Track) error
	units    chan media.AccessUnit // all but those that do not fit: tests read them
}

func (s *fakeShow) SetTrack(t media.Track) error {
	if s.setTrack != nil {
		if err := s.setTrack(t); err != nil {
			return err
		}
	}
	return s.Session.SetTrack(t)
}

func (s *fakeShow) Write(au media.AccessUnit) error {
	select {
	case <-s.Done():
		return s.Err()
	case s.units <- au:
		return nil
	default:
		return errors.New("the test does not read its units")
	}
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

// start runs a server on a loopback port until the test ends, and returns its address.
func start(t testing.TB, s *Server) string {
	t.Helper()
	if s.Log == nil {
		s.Log = doortest.Silent()
	}
	return doortest.Run(t, func(ctx context.Context, ln net.Listener) error { return s.Run(ctx, ln) })
}
