package contribute

import (
	"errors"
	"log/slog"
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// begin begins a show, and returns its host and a reader that has been told of its tracks.
func begin(t *testing.T, hub *stream.Hub) (*stream.Publisher, *stream.Reader, int) {
	t.Helper()
	host, err := hub.Publish("a", stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Begin([]media.Track{mediatest.Video{}.Track()}); err != nil {
		t.Fatal(err)
	}
	r := host.Stream().NewReader()
	events, err := r.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return host, r, events[0].Epoch
}

// sound is an audio track of some timescale.
func sound(id int, timescale int64) media.Track {
	return media.Track{ID: id, Codec: media.CodecAAC, Timescale: timescale}
}

// row is units of a track at these milliseconds.
func row(t media.Track, at ...int64) (units []media.AccessUnit) {
	for _, ms := range at {
		units = append(units, media.AccessUnit{Track: t.ID, DTS: ms * t.Timescale / 1000, PTS: ms * t.Timescale / 1000, RandomAccess: true})
	}
	return units
}

// TestEntrance: what was held of several tracks comes into the show in the order of time.
func TestEntrance(t *testing.T) {
	hub := stream.NewHub(stream.Config{}, slog.New(slog.DiscardHandler), nil)
	host, r, epoch := begin(t, hub)
	e := Entrance{Join: Place{Hub: hub, Show: host.Stream(), Role: "x", Epoch: epoch}.Join}
	tracks := []media.Track{sound(1, 48000), sound(2, 8000)}
	if e.In() || !e.Joined.IsZero() {
		t.Error("it is in the show before it entered")
	}
	if err := e.Enter(tracks, [][]media.AccessUnit{row(tracks[0], 10, 20, 50), row(tracks[1], 5, 30, 40)}); err != nil {
		t.Fatal(err)
	}
	if err := e.Write(row(tracks[0], 60)[0]); err != nil || !e.In() || e.Joined.IsZero() {
		t.Errorf("a unit behind them: %v", err)
	}
	events, err := r.Next(t.Context())
	if err != nil || events[0].Kind != stream.EventJoined || len(events[0].Tracks) != 2 {
		t.Fatalf("%+v, %v", events, err)
	}
	var got []int64
	for _, ev := range events[1:] {
		for i, joined := range events[0].Tracks {
			if joined.ID == ev.Unit.Track {
				got = append(got, ev.Unit.DTS*1000/tracks[i].Timescale)
			}
		}
	}
	if want := []int64{5, 10, 20, 30, 40, 50, 60}; !slices.Equal(got, want) {
		t.Errorf("units at %v, want %v", got, want)
	}
	e.Leave(nil)
	if n := len(host.Stream().Status().Contributors); n != 0 || !e.Closed {
		t.Errorf("%d contributors are left", n)
	}
}

// TestPlaceIsOver: nobody joins an epoch that is over, or another show of the same name; nobody stays behind.
func TestPlaceIsOver(t *testing.T) {
	hub := stream.NewHub(stream.Config{ReconnectWindow: -1}, slog.New(slog.DiscardHandler), nil)
	host, _, epoch := begin(t, hub)
	s := host.Stream()
	if err := host.Begin([]media.Track{mediatest.Video{}.Track()}); err != nil {
		t.Fatal(err)
	}
	late := Place{Hub: hub, Show: s, Role: "x", Epoch: epoch}
	if _, err := late.Join([]media.Track{sound(1, 48000)}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("in the next epoch: %v", err)
	}
	host.Close(nil)
	<-s.Done()
	if _, err := late.Join([]media.Track{sound(1, 48000)}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("when the show is over: %v", err)
	}
	host, _, _ = begin(t, hub)
	if _, err := late.Join([]media.Track{sound(1, 48000)}); !errors.Is(err, stream.ErrClosed) {
		t.Errorf("in another show: %v", err)
	}
	if n := len(host.Stream().Status().Contributors); n != 0 {
		t.Errorf("%d contributors in another show", n)
	}
}
