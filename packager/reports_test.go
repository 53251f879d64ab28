package packager

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// reportsHold checks that each playlist has a report about each other one that the multivariant playlist
// lists, and about nothing else, and that it is true.
func reportsHold(t *testing.T, p *Packager) error {
	t.Helper()
	d := p.Window().state.Load().multivariant
	if d == nil {
		return nil
	}
	var want []string
	for line := range strings.Lines(string(d.Text())) {
		uri := strings.TrimSpace(line)
		if strings.HasPrefix(uri, "#EXT-X-MEDIA:") {
			_, uri, _ = strings.Cut(uri, `URI="`)
			uri, _, _ = strings.Cut(uri, `"`)
		}
		if uri != "" && uri[0] != '#' && !slices.Contains(want, uri) {
			want = append(want, uri)
		}
	}
	slices.Sort(want)
	for _, r := range p.renditions {
		pl := r.state.Load()
		if pl == nil {
			if slices.Contains(want, r.list) {
				return fmt.Errorf("%s is offered and is not there", r.list)
			}
			continue
		}
		var have []string
		for _, x := range pl.otherReports() {
			have = append(have, x.URI)
		}
		slices.Sort(have)
		others := slices.DeleteFunc(slices.Clone(want), func(uri string) bool { return uri == r.list })
		if !slices.Equal(have, others) {
			return fmt.Errorf("%s reports %v, and listed are %v", r.list, have, others)
		}
	}
	for _, uri := range want {
		if !slices.ContainsFunc(p.renditions, func(r *rendition) bool { return r.list == uri }) {
			return fmt.Errorf("%s is listed and is not there", uri)
		}
	}
	return nil
}

// TestReportsFollowTheOffer has rungs and voices come and go, also in numbers that make the show forget some.
func TestReportsFollowTheOffer(t *testing.T) {
	rung := mediatest.Video{ID: 2001, Start: 90000}
	voice := mediatest.Audio{ID: 2040, Start: 48000, Language: "fr"}
	rt, vt := contribution(rung.Track()), contribution(voice.Track())
	pictures, sound := rung.Units(100*30), voice.Units(100*48000/1024)
	at := func(seconds float64) int { return int((seconds - 1) * 48000 / 1024) }
	var s script
	s.host(regular(100))
	s.add(3*time.Second, joined(rt))
	s.units(rt, pictures[3*30:10*30], 0)
	s.add(11500*time.Millisecond, left(rt))
	s.add(16700*time.Millisecond, joined(rt))
	s.units(rt, pictures[16*30:], 0)
	s.add(5300*time.Millisecond, joined(vt))
	s.units(vt, sound[at(5.3):at(12)], 100*time.Millisecond)
	s.add(12500*time.Millisecond, left(vt))
	s.add(50*time.Second, joined(vt)) // after it has left the list
	s.units(vt, sound[at(50):at(60)], 100*time.Millisecond)
	s.add(61*time.Second, left(vt))
	for i := range maxRenditions + 4 { // so many that voices are forgotten that are still listed
		v := mediatest.Audio{ID: 3000 + i, Start: 48000, Language: "es"}
		x := contribution(v.Track())
		from := 62 + float64(i)/2
		s.add(time.Duration(from*float64(time.Second)), joined(x))
		s.units(x, v.Units(at(from + 0.4))[at(from):], 0)
		s.add(time.Duration((from+0.45)*float64(time.Second)), left(x))
	}
	p := newShow(t, "low")
	slices.SortStableFunc(s, func(a, b scene) int { return int(a.at - b.at) })
	failures := 0
	check := func(when time.Duration) {
		if err := reportsHold(t, p); err != nil && failures < 12 {
			failures++
			t.Errorf("at %v: %v", when, err)
		}
	}
	for _, x := range s {
		apply(t, p, x.ev)
		check(x.at)
	}
	apply(t, p, stream.Event{Kind: stream.EventInterrupted})
	check(0)
	h := regular(20)
	h.rows, h.tracks = h.rows[1:], h.tracks[1:]
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: append(slices.Clone(h.tracks), rt)})
	check(-1)
}

// TestVoiceReturnsOtherwise has an interpreter come back with another sample rate at once: viewers do not get the
// language twice, of which one would be silent for good.
func TestVoiceReturnsOtherwise(t *testing.T) {
	before := mediatest.Audio{ID: 2001, Start: 48000, Language: "fr"}
	after := mediatest.Audio{ID: 2001, Start: 44100, SampleRate: 44100, Language: "fr"}
	bt, at := contribution(before.Track()), contribution(after.Track())
	var s script
	s.host(regular(22))
	s.add(3*time.Second, joined(bt))
	s.units(bt, before.Units(9 * 48000 / 1024)[2*48000/1024:], 0)
	s.add(10500*time.Millisecond, left(bt))
	s.add(11500*time.Millisecond, joined(at))
	s.units(at, after.Units(15 * 44100 / 1024)[21*44100/2048:], 0)
	s.add(16500*time.Millisecond, left(at))
	s.add(17500*time.Millisecond, joined(bt)) // as it was first
	s.units(bt, before.Units(22 * 48000 / 1024)[33*48000/2048:], 0)
	p := newShow(t, "low")
	in := inspect(t, p)
	seen := make(map[int]string)
	s.play(t, p, in, func(second int) {
		if second > 2 {
			seen[second] = offered(t, p)
		}
		if err := reportsHold(t, p); err != nil {
			t.Errorf("at %d s: %v", second, err)
		}
	})
	for second, want := range map[int]string{9: "v1 a1 a2", 11: "v1 a1 a2", 13: "v1 a1 a3", 16: "v1 a1 a3", 19: "v1 a1 a2"} {
		if seen[second] != want {
			t.Errorf("at %d s offered are %s, want %s", second, seen[second], want)
		}
	}
}

// TestVoiceMovesBack has an interpreter reconnect with a smaller offset: its units come again for a time that already
// has some. Each moment is heard once, to a unit and a half.
func TestVoiceMovesBack(t *testing.T) {
	for _, back := range []time.Duration{10 * time.Millisecond, 200 * time.Millisecond, time.Second, 3 * time.Second} {
		voice := mediatest.Audio{ID: 2001, Start: 48000, Language: "fr"}
		track := contribution(voice.Track())
		units := voice.Units(20 * 48000 / 1024)
		again := mediatest.Audio{ID: 2001, Start: 9*48000 - media.Ticks(back, 48000), Language: "fr"}.Units(12 * 48000 / 1024)
		var s script
		s.host(regular(20))
		s.add(2*time.Second, joined(track))
		s.units(track, units[2*48000/1024:8*48000/1024], -back)
		s.add(9*time.Second-back, left(track))
		s.add(9*time.Second-back+time.Millisecond, joined(track))
		s.units(track, again, 2*time.Millisecond)
		p := newShow(t, "low")
		in := inspect(t, p)
		s.play(t, p, in, nil)
		end := int64(0)
		for i, x := range in.seen["a2"].units {
			if i > 0 && x.PTS() < end-1024*3/2 {
				t.Fatalf("back by %v: unit %d is heard at %d, the one before until %d", back, i, x.PTS(), end)
			}
			end = x.PTS() + 1024
		}
		if len(in.seen["a2"].units) < 700 {
			t.Errorf("back by %v: %d units", back, len(in.seen["a2"].units))
		}
	}
}
