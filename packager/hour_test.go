package packager

import (
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// TestHourOfCompany packages an hour of a show with a rung and three voices that come and go, as a transcoder
// that restarts and interpreters who take turns: no discontinuity, bounded memory, and the same names for good.
func TestHourOfCompany(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	type guest struct {
		track media.Track
		unit  func(int) media.AccessUnit
		next  int
		here  bool
		on    func(second int) bool
	}
	rung := mediatest.Video{ID: 2001, Start: 90000, Bytes: 300}
	guests := []*guest{{track: rung.Track(), unit: rung.Unit, on: func(s int) bool { return s%300 > 5 }}}
	for i, language := range []string{"es", "fr", "pt-BR"} {
		a := mediatest.Audio{ID: 2033 + 32*i, Start: 48000, Language: language}
		guests = append(guests, &guest{track: a.Track(), unit: a.Unit, on: func(s int) bool { return (s/600)%3 == i || s%1200 == 0 }})
	}
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{video.Track(), audio.Track()}})
	names := make(map[string]bool)
	for frame := range 3600 * 30 {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: video.Unit(frame)})
		for n := frame * 48000 / 30 / 1024; n < (frame+1)*48000/30/1024; n++ {
			apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: audio.Unit(n)})
		}
		now := time.Second + time.Duration(frame)*time.Second/30
		for _, g := range guests {
			if here := g.on(frame / 30); here != g.here {
				g.here = here
				if here {
					apply(t, p, joined(contribution(g.track)))
				} else {
					apply(t, p, left(contribution(g.track)))
				}
			}
			for ; ; g.next++ {
				au := g.unit(g.next)
				if media.Duration(au.DTS, g.track.Timescale) > now {
					break
				}
				if g.here {
					apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
				}
			}
		}
		if frame%10 == 9 {
			in.look()
		}
		if frame%900 == 899 {
			names[offered(t, p)] = true
		}
	}
	if len(p.renditions) != 6 {
		t.Errorf("there are %d renditions", len(p.renditions))
	}
	for _, r := range p.renditions {
		if len(r.segments) > 24 || len(r.held) > 200 {
			t.Errorf("%s: %d segments are in memory, %d units wait", r.name, len(r.segments), len(r.held))
		}
		for _, s := range in.seen[r.name].segments {
			if s.discontinuity {
				t.Fatalf("%s: segment %d has a discontinuity", r.name, s.msn)
			}
		}
	}
	if p.stats.Discontinuities+p.stats.Gaps+p.stats.ForcedCuts != 0 {
		t.Errorf("%+v", p.stats)
	}
	if got := len(in.pts("v2")); got < 3600*30*95/100 {
		t.Errorf("%d pictures of the rung", got)
	}
	for got := range names {
		if !strings.HasPrefix(got, "v1 v2 a1 a") {
			t.Errorf("offered were %s", got)
		}
	}
	if len(names) < 3 {
		t.Errorf("offered were always %v", names)
	}
}
