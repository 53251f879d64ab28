package packager

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// whole is how much of r, back from its edge, is listed without a gap.
func whole(r *rendition) (d time.Duration) {
	parts := slices.Clone(r.open.parts)
	for _, s := range slices.Backward(r.segments) {
		if s.gap && len(s.parts) == 0 {
			parts = slices.Insert(parts, 0, part{gap: true})
			break
		}
		parts = slices.Concat(s.parts, parts)
	}
	for _, x := range slices.Backward(parts) {
		if x.gap {
			break
		}
		d += x.duration
	}
	return d
}

// TestBegunWithoutGap: what the multivariant playlist begins to list beside the host's own can be begun at once. A player that has read it finds
// media, not a gap, where the server's hold back sends it as long as there is such a place in the show, and where it measures the network to choose a size.
func TestBegunWithoutGap(t *testing.T) {
	for _, preset := range PresetNames() {
		rung := mediatest.Video{ID: 2001, Start: 90000}
		voice := mediatest.Audio{ID: 2033, Start: 48000, Language: "fr"}
		rt, vt := contribution(rung.Track()), contribution(voice.Track())
		var s script
		s.host(regular(60))
		for _, from := range []time.Duration{1500 * time.Millisecond, 20 * time.Second, 40 * time.Second} {
			to := from + 14*time.Second
			s.add(from, joined(rt, vt))
			s.units(rt, between(rt, rung.Units(1800), from, to), 60*time.Millisecond)
			s.units(vt, between(vt, voice.Units(60*48000/1024), from, to), 200*time.Millisecond)
			s.add(to+time.Second, left(rt, vt))
		}
		p := newShow(t, preset)
		listed := make(map[string]bool)
		begun := 0
		slices.SortStableFunc(s, func(a, b scene) int { return int(a.at - b.at) })
		for _, x := range s {
			apply(t, p, x.ev)
			for _, r := range p.renditions {
				if r.shown && !listed[r.name] && !r.main {
					begun++
					age := media.Duration(p.lead.end-p.lead.since, p.lead.timescale())
					if got, want := whole(r), min(p.cfg.Latency.HoldBack, age-2*p.cfg.Latency.Part); got < want {
						t.Errorf("%s: at %v %s is listed with %v that can be played, players begin %v behind the edge", preset, x.at, r.name, got, want)
					}
					if n := len(r.segments); r.name == "v2" && (n == 0 || r.segments[n-1].gap || p.lead.segments[len(p.lead.segments)-1].gap) {
						t.Errorf("%s: at %v there are two sizes to choose from, and no complete segment of each", preset, x.at)
					}
				}
				listed[r.name] = r.shown
			}
		}
		if begun < 4 { // the rung three times; a voice stays for as long as there is silence for it
			t.Errorf("%s: %d times something was listed", preset, begun)
		}
	}
}

// TestHolesAreOffered: a show whose pictures have holes all the time is not waited for for ever.
func TestHolesAreOffered(t *testing.T) {
	h := regular(8)
	h.rows[0] = slices.DeleteFunc(h.rows[0], func(au media.AccessUnit) bool { return au.DTS/45000%2 == 1 }) // half of each second
	p := newShow(t, "low")
	for _, au := range mediatest.Interleave(h.tracks, h.rows...) {
		if len(p.renditions) == 0 {
			apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: h.tracks})
		}
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
	}
	if p.stats.Gaps == 0 {
		t.Error("there are no holes")
	}
	if got := offered(t, p); got != "v1 a1" {
		t.Errorf("offered are %q", got)
	}
}

// TestSilentTrackIsNotAwaited: a track that the host has declared and that never sends delays a show until there are gaps in
// its place, and no longer.
func TestSilentTrackIsNotAwaited(t *testing.T) {
	for _, preset := range PresetNames() {
		h := regular(30)
		h.audio(mediatest.Audio{ID: 3, Start: 48000}, 0)
		p := newShow(t, preset)
		apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: h.tracks})
		segments := -1
		for _, au := range mediatest.Interleave(h.tracks, h.rows...) {
			if apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au}); segments < 0 && p.lead.shown {
				segments = p.stats.Segments
			}
		}
		if segments != maxCuts+1 {
			t.Errorf("%s: the show is offered after %d segments", preset, segments)
		}
	}
}

// between returns those of units whose decode times are in a part of the show.
func between(t media.Track, units []media.AccessUnit, from, to time.Duration) []media.AccessUnit {
	return slices.DeleteFunc(slices.Clone(units), func(au media.AccessUnit) bool {
		at := media.Duration(au.DTS, t.Timescale)
		return at < from || at >= to
	})
}

// TestCaptions: that there are no closed captions is said as long as the host has sent none.
func TestCaptions(t *testing.T) {
	h := regular(12)
	sei := "\x06\x04\x0E\xB5\x00\x31GA94\x03\x41\xFF\xFC\x80\x80\xFF\x80"
	for i, au := range h.rows[0] {
		if au.DTS > 6*90000 {
			h.rows[0][i].Data = append([]byte{0, 0, 0, byte(len(sei))}, append([]byte(sei), au.Data...)...)
		}
	}
	var s script
	s.host(h)
	p := newShow(t, "low")
	said := make(map[int]int)
	s.play(t, p, inspect(t, p), func(second int) {
		if second > 2 {
			said[second] = strings.Count(multivariantText(t, p), ",CLOSED-CAPTIONS=NONE\n")
		}
	})
	if said[5] != 1 || said[9] != 0 {
		t.Errorf("captions are ruled out for %d variants before there are some, %d then", said[5], said[9])
	}
}

// TestBegunBehindHole has a voice join beside a hole in the show's pictures: that says nothing of how far the show goes back.
func TestBegunBehindHole(t *testing.T) {
	h := regular(20)
	h.rows[0] = slices.DeleteFunc(h.rows[0], func(au media.AccessUnit) bool { return au.DTS > 8*90000 && au.DTS < 11*90000 })
	voice := mediatest.Audio{ID: 2033, Start: 48000, Language: "fr"}
	track := contribution(voice.Track())
	for from := 7 * time.Second; from < 12*time.Second; from += 100 * time.Millisecond {
		var s script
		s.host(h)
		s.add(from, joined(track))
		s.units(track, between(track, voice.Units(20*48000/1024), from, 20*time.Second), 0)
		slices.SortStableFunc(s, func(a, b scene) int { return int(a.at - b.at) })
		p := newShow(t, "low")
		var a2 *rendition
		for _, x := range s {
			apply(t, p, x.ev)
			if i := slices.IndexFunc(p.renditions, func(r *rendition) bool { return r.name == "a2" && r.shown }); i >= 0 {
				a2 = p.renditions[i]
				break
			}
		}
		if a2 == nil || whole(a2) < p.cfg.Latency.HoldBack {
			t.Errorf("who joins at %v is listed (%v) with less that can be played than players stay behind", from, a2 != nil)
		}
	}
}
