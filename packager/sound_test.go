package packager

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
)

// g711 is a host's sound that viewers can't play.
var g711 = media.Track{ID: 2, Codec: media.CodecPCMA, Timescale: 8000, Config: []byte{1}, Internal: true, Language: "en", Label: "Studio"}

// telephone returns a host with that sound.
func telephone(seconds int) *host {
	h := &host{}
	h.video(mediatest.Video{Start: 90000}, seconds, "")
	h.tracks = append(h.tracks, g711)
	var units []media.AccessUnit
	for i := range seconds * 50 {
		dts := 8000 + int64(i)*160
		units = append(units, media.AccessUnit{Track: g711.ID, DTS: dts, PTS: dts, RandomAccess: true, Data: make([]byte, 160)})
	}
	h.rows = append(h.rows, units)
	return h
}

// TestSoundIsMade: the show is offered once there is what was made of the host's sound, which is its sound then, or after
// three seconds without.
func TestSoundIsMade(t *testing.T) {
	made := mediatest.Audio{ID: 2065, Start: 48000, Language: "en"}
	track := contribution(made.Track())
	track.Label = "Studio"
	voice := mediatest.Audio{ID: 2033, Start: 48000, Language: "fr"}
	french := contribution(voice.Track())
	for _, tt := range []struct {
		name    string
		after   time.Duration // what is made begins so long after the show
		offered time.Duration // at the latest
		waits   time.Duration // at least
		first   string
		later   string
	}{
		{"at once", 0, 2 * time.Second, 1200 * time.Millisecond, "v1 a3 a2", "v1 a3 a2"},
		{"after two seconds", 2 * time.Second, 3900 * time.Millisecond, 3 * time.Second, "v1 a3 a2", "v1 a3 a2"},
		{"too late", 5 * time.Second, 4500 * time.Millisecond, 3900 * time.Millisecond, "v1 a2", "v1 a3 a2"},
		{"never", time.Hour, 4500 * time.Millisecond, 3900 * time.Millisecond, "v1 a2", "v1 a2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newShow(t, "low")
			in := inspect(t, p)
			var s script
			s.host(telephone(15))
			s.add(1001*time.Millisecond, joined(french))
			s.units(french, voice.Units(15*48000/1024), 0)
			const lag = 200 * time.Millisecond
			s.add(time.Second+tt.after+lag, joined(track))
			s.units(track, slices.DeleteFunc(made.Units(15*48000/1024), func(au media.AccessUnit) bool {
				return au.DTS < 48000+media.Ticks(tt.after, 48000)
			}), lag)
			s = slices.DeleteFunc(s, func(x scene) bool { return x.at > 16*time.Second })
			slices.SortStableFunc(s, func(a, b scene) int { return int(a.at - b.at) })
			first, since := "", time.Duration(0)
			for _, x := range s {
				apply(t, p, x.ev)
				in.look()
				if first == "" && p.window.state.Load().multivariant != nil {
					first, since = offered(t, p), x.at
				}
			}
			if first != tt.first || since < tt.waits || since > tt.offered {
				t.Errorf("at %v %q is offered, want %q between %v and %v", since, first, tt.first, tt.waits, tt.offered)
			}
			if got := offered(t, p); got != tt.later {
				t.Errorf("offered are %s, want %s", got, tt.later)
			}
			if tt.name == "at once" {
				golden(t, "made.m3u8", multivariantText(t, p))
			}
		})
	}
}

// TestNobodyWaitsAgain: what was offered before the host left is not taken back when it returns.
func TestNobodyWaitsAgain(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	h := regular(6)
	feed(t, p, in, h.tracks, h.units())
	back := telephone(8)
	back.rows[0] = mediatest.Video{Start: 10 * 90000}.Units(60)
	for i := range back.rows[1] {
		back.rows[1][i].DTS += 9 * 8000
		back.rows[1][i].PTS += 9 * 8000
	}
	feed(t, p, in, back.tracks, mediatest.Interleave(back.tracks, back.rows...))
	if got := offered(t, p); got != "v1" {
		t.Errorf("offered are %s", got)
	}
}

// TestQualities: each variant goes with the sound in its quality, in a group of the same renditions, as long as there is
// such.
func TestQualities(t *testing.T) {
	h := regular(30)
	rung := mediatest.Video{ID: 2001, Start: 90000, Bytes: 500}
	least := mediatest.Video{ID: 2002, Start: 90000, Bytes: 200}
	voice := mediatest.Audio{ID: 2033, Start: 48000, Language: "fr"}
	quality := mediatest.Audio{ID: 2065, Start: 48000, Bytes: 150}
	unused := mediatest.Audio{ID: 2066, Start: 48000, Bytes: 50}
	tracks := []media.Track{contribution(rung.Track()), contribution(least.Track()), contribution(voice.Track()), contribution(quality.Track()), contribution(unused.Track())}
	tracks[0].Group, tracks[1].Group, tracks[3].Group, tracks[4].Group = "64k", "32k", "64k", "24k"
	rows := [][]media.AccessUnit{rung.Units(900), least.Units(900), voice.Units(1400), quality.Units(1400), unused.Units(1400)}
	seen := make(map[int]string)
	for _, order := range [][]int{{0, 1, 2, 3, 4}, {4, 3, 2, 1, 0}} {
		var s script
		s.host(h)
		for _, i := range order {
			s.add(1001*time.Millisecond, joined(tracks[i]))
		}
		for i, units := range rows {
			if i == 3 { // it comes later, and leaves before
				units = slices.DeleteFunc(slices.Clone(units), func(au media.AccessUnit) bool { return au.DTS < 6*48000 || au.DTS >= 16*48000 })
				s.add(16*time.Second, left(tracks[i]))
			}
			s.units(tracks[i], units, 0)
		}
		p := newShow(t, "low")
		s.play(t, p, inspect(t, p), func(second int) {
			if second < 3 {
				return
			}
			text := multivariantText(t, p)
			m, err := m3u8.ParseMultivariant([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			sameMembers(t, m)
			var refers []string
			for _, v := range m.Variants {
				refers = append(refers, v.AudioGroup)
			}
			seen[second] = strings.Join(refers, " ")
			if second == 12 && order[0] == 0 {
				golden(t, "qualities.m3u8", text)
			}
			if strings.Contains(text, "24k") {
				t.Error("a quality is offered that no variant goes with")
			}
			if err := reportsHold(t, p); err != nil {
				t.Error(err)
			}
		})
		for second, want := range map[int]string{6: "audio audio audio", 9: "audio audio-64k audio", 14: "audio audio-64k audio", 19: "audio audio audio"} {
			if seen[second] != want {
				t.Errorf("in order %v, at %d s the variants go with %s, want %s", order, second, seen[second], want)
			}
		}
	}
}

// TestQualityIsTheHosts: an interpreter in the host's own language, who is called like the host's sound, is heard in all
// groups.
func TestQualityIsTheHosts(t *testing.T) {
	h := &host{}
	h.video(mediatest.Video{Start: 90000}, 12, "")
	h.audio(mediatest.Audio{Start: 48000, Language: "en"}, 12)
	rung := mediatest.Video{ID: 2001, Start: 90000, Bytes: 500}
	voice := mediatest.Audio{ID: 2033, Start: 48000, Language: "en"}
	quality := mediatest.Audio{ID: 2065, Start: 48000, Bytes: 150, Language: "en"}
	tracks := []media.Track{contribution(rung.Track()), contribution(voice.Track()), contribution(quality.Track())}
	tracks[0].Group, tracks[2].Group = "64k", "64k"
	var s script
	s.host(h)
	for i, units := range [][]media.AccessUnit{rung.Units(330), voice.Units(510), quality.Units(510)} {
		s.add(1001*time.Millisecond, joined(tracks[i]))
		s.units(tracks[i], units, 0)
	}
	p := newShow(t, "low")
	s.play(t, p, inspect(t, p), nil)
	m, err := m3u8.ParseMultivariant([]byte(multivariantText(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	sameMembers(t, m)
	played := make(map[string][]string)
	for _, a := range m.Audio {
		played[a.Group] = append(played[a.Group], a.StableID)
	}
	if own, low := played["audio"], played["audio-64k"]; len(own) != 2 || len(low) != 2 || low[0] == own[0] || low[1] != own[1] {
		t.Errorf("played are %v, and %v at the lower rate", own, low)
	}
}

// sameMembers checks that all groups have the same renditions, in the same order, with the same attributes but for
// where they are found (rfc8216bis 4.4.6.1.1).
func sameMembers(t *testing.T, m *m3u8.Multivariant) {
	t.Helper()
	groups := make(map[string][]m3u8.AudioRendition)
	for _, a := range m.Audio {
		group := a.Group
		a.Group, a.URI, a.Channels, a.StableID = "", "", 0, ""
		groups[group] = append(groups[group], a)
	}
	for id, members := range groups {
		if !slices.Equal(members, groups["audio"]) {
			t.Errorf("group %s has %+v\naudio has %+v", id, members, groups["audio"])
		}
	}
}

// TestQualityOfMadeSound: the qualities of a sound that is made itself are made of the same track, and belong to it.
func TestQualityOfMadeSound(t *testing.T) {
	made, quality := mediatest.Audio{ID: 2065, Start: 48000, Language: "en"}, mediatest.Audio{ID: 2066, Start: 48000, Language: "en", Bytes: 100}
	rung := mediatest.Video{ID: 2001, Start: 90000, Bytes: 500}
	tracks := []media.Track{contribution(rung.Track()), contribution(quality.Track()), contribution(made.Track())}
	tracks[0].Group, tracks[1].Group = "64k", "64k"
	tracks[1].Label, tracks[2].Label = "Studio", "Studio"
	var s script
	s.host(telephone(12))
	s.add(1001*time.Millisecond, joined(tracks...))
	s.units(tracks[0], rung.Units(300), 0)
	s.units(tracks[1], quality.Units(500), 100*time.Millisecond)
	s.units(tracks[2], made.Units(500), 100*time.Millisecond)
	p := newShow(t, "low")
	s.play(t, p, inspect(t, p), nil)
	m, err := m3u8.ParseMultivariant([]byte(multivariantText(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	sameMembers(t, m)
	if len(m.Audio) != 2 || m.Audio[0].URI == m.Audio[1].URI || !m.Audio[0].Default || m.Audio[0].Name != "Studio" || m.Variants[1].AudioGroup != "audio-64k" {
		t.Errorf("audio %+v\nvariants %+v", m.Audio, m.Variants)
	}
}
