package stream

import (
	"log/slog"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// TestLineup: who watches it is woken by each coming and going, and by no unit.
func TestLineup(t *testing.T) {
	h := NewHub(Config{}, slog.New(slog.DiscardHandler), nil)
	defer h.Close()
	host, err := h.Publish("a", Source{})
	if err != nil {
		t.Fatal(err)
	}
	s := host.Stream()
	tracks, changed := s.Lineup()
	expect := func(what string, n int) {
		t.Helper()
		select {
		case <-changed:
		default:
			t.Errorf("%s: nobody was told", what)
		}
		if tracks, changed = s.Lineup(); len(tracks) != n {
			t.Errorf("%s: %d tracks, want %d", what, len(tracks), n)
		}
	}
	if len(tracks) != 0 {
		t.Errorf("%d tracks before the show", len(tracks))
	}
	sound := mediatest.Audio{}
	if err := host.Begin([]media.Track{sound.Track()}); err != nil {
		t.Fatal(err)
	}
	expect("the host begins", 1)
	if err := host.Write(sound.Unit(0)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
		t.Error("a unit has woken who watches the lineup")
	default:
	}
	voice, err := h.Join("a", Contribution{Role: "@fr"}, Source{})
	if err != nil {
		t.Fatal(err)
	}
	if err := voice.Begin([]media.Track{mediatest.Audio{ID: 1}.Track()}); err != nil {
		t.Fatal(err)
	}
	expect("a voice joins", 2)
	voice.Close(nil)
	expect("it leaves", 1)
	host.Close(nil)
	expect("the host goes", 0)
	h.Cut("a")
	expect("the show ends", 0)
}
