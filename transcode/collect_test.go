package transcode

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// studio is a show with a collector of two rungs, and what readers have had of them.
type studio struct {
	*collector
	t      *testing.T
	track  media.Track
	reader *stream.Reader
	joined int
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)
	host, err := hub.Publish("a", stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	track, _ := mediatest.Clip("h264")
	track.Timescale = videoTimescale
	if err := host.Begin([]media.Track{track}); err != nil {
		t.Fatal(err)
	}
	s := &studio{t: t, track: track, reader: host.Stream().NewReader()}
	r := Rung{ShortSide: 64, BitRate: 60_000, Encoder: "libx264"}
	s.collector = newCollector([]target{{Rung: r, id: 1}, {Rung: r, id: 2}}, func(tracks []media.Track) (*stream.Publisher, error) {
		s.joined++
		p, err := hub.Join("a", stream.Contribution{Role: role, Derived: true}, stream.Source{})
		if err != nil {
			return nil, err
		}
		return p, p.Begin(tracks)
	})
	return s
}

// at is picture i: ten a second, a keyframe every fourth.
func at(i int) media.AccessUnit {
	return media.AccessUnit{PTS: int64(i) * 9000, DTS: int64(i) * 9000, RandomAccess: i%4 == 0, Data: []byte{byte(i)}}
}

func (s *studio) puts(rung int, pictures ...int) {
	s.t.Helper()
	for _, i := range pictures {
		if err := s.put(rung, s.track, at(i)); err != nil {
			s.t.Fatalf("rung %d, picture %d: %v", rung, i, err)
		}
	}
}

// got returns the pictures of contributed tracks that have been written since, in their order.
func (s *studio) got() (list []int) {
	ctx, cancel := context.WithCancel(s.t.Context())
	cancel()
	for {
		events, err := s.reader.Next(ctx)
		if err != nil {
			return list
		}
		for _, ev := range events {
			if ev.Kind == stream.EventUnit {
				list = append(list, int(ev.Unit.PTS/9000))
			}
		}
	}
}

// TestCollector: rungs join together, with the same keyframe, when both are close to the show.
func TestCollector(t *testing.T) {
	s := newStudio(t)
	for i := range 20 {
		s.source(at(i))
	}
	s.puts(0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
	s.puts(1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	if s.joined != 0 || len(s.got()) != 0 {
		t.Fatal("they have joined, and one is 0.7 s behind")
	}
	s.puts(1, 13, 14, 15)
	if s.joined != 0 {
		t.Fatal("they have joined, and have different keyframes")
	}
	s.puts(1, 16)
	if got, want := s.got(), []int{16, 16}; s.joined != 1 || !slices.Equal(got, want) {
		t.Fatalf("joined %d times, with %v, want %v", s.joined, got, want)
	}
	s.puts(0, 17)
	s.puts(1, 17, 18)
	if got, want := s.got(), []int{17, 17, 18}; !slices.Equal(got, want) {
		t.Errorf("then came %v, want %v", got, want)
	}
	if v := s.Vitals(); v.Lag != 200e6 || v.Joined.IsZero() {
		t.Errorf("vitals: %+v", v)
	}
	s.Leave(nil)
	s.puts(0, 18)
	if got := s.got(); len(got) != 0 {
		t.Errorf("after leaving came %v", got)
	}
}

// TestCollectorJudges what comes out by what went in.
func TestCollectorJudges(t *testing.T) {
	s := newStudio(t)
	for i := range 40 {
		s.source(at(i))
	}
	s.puts(0, 0, 1)
	if err := s.put(0, s.track, at(1)); !errors.Is(err, errOrder) {
		t.Errorf("a picture twice: %v", err)
	}
	s.puts(0, 100) // nobody knows it: it is dropped
	var err error
	for i := 200; i < 200+maxForeign && err == nil; i++ {
		err = s.put(0, s.track, at(i))
	}
	if !errors.Is(err, errTimes) {
		t.Errorf("many unknown pictures: %v", err)
	}
	plain := func(i int) error {
		au := at(i)
		au.RandomAccess = false
		return s.put(1, s.track, au)
	}
	if err := errors.Join(plain(0), plain(4), s.put(1, s.track, at(8)), plain(12), plain(16)); err != nil {
		t.Errorf("two keyframes in a row that are none: %v", err)
	}
	if err := plain(20); !errors.Is(err, errKeyframes) {
		t.Errorf("three of them: %v", err)
	}
}

// TestLedger is bounded, whatever does not come out.
func TestLedger(t *testing.T) {
	l := newLedger()
	for i := range 3 * maxLedger {
		l.add(int64(i), false, l.entries[0].at)
	}
	if len(l.entries) != maxLedger || len(l.order) != maxLedger {
		t.Errorf("%d entries, %d times", len(l.entries), len(l.order))
	}
	l.settle(3*maxLedger - 1)
	if len(l.entries) != 1 {
		t.Errorf("%d entries are left", len(l.entries))
	}
}
