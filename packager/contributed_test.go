package packager

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// script is what happens in a show, by the time at which it reaches the packager.
type script []scene

type scene struct {
	at time.Duration // media time
	ev stream.Event
}

func (s *script) add(at time.Duration, ev stream.Event) { *s = append(*s, scene{at, ev}) }

// units has units of a track arrive when they are due, and lag later.
func (s *script) units(t media.Track, units []media.AccessUnit, lag time.Duration) {
	for _, au := range units {
		s.add(media.Duration(au.DTS, t.Timescale)+lag, stream.Event{Kind: stream.EventUnit, Unit: au})
	}
}

func (s *script) host(h *host) {
	s.add(0, stream.Event{Kind: stream.EventTracks, Tracks: h.tracks})
	for i, t := range h.tracks {
		s.units(t, h.rows[i], 0)
	}
}

// play applies the scenes in order, and looks after each. then, if not nil, is called with each time that the
// host has reached a new second.
func (s script) play(t testing.TB, p *Packager, in *inspector, then func(second int)) {
	t.Helper()
	slices.SortStableFunc(s, func(a, b scene) int { return cmp.Compare(a.at, b.at) })
	second := 0
	for _, x := range s {
		if now := int(x.at / time.Second); then != nil && now > second {
			second = now
			then(second)
		}
		apply(t, p, x.ev)
		in.look()
	}
}

func named(t testing.TB, p *Packager, name string) *rendition {
	t.Helper()
	for _, r := range p.renditions {
		if r.name == name {
			return r
		}
	}
	t.Fatalf("there is no rendition %s", name)
	return nil
}

// contribution is a track that somebody else adds.
func contribution(t media.Track) media.Track {
	t.Contributed = true
	return t
}

func joined(tracks ...media.Track) stream.Event {
	return stream.Event{Kind: stream.EventJoined, Tracks: tracks}
}

func left(tracks ...media.Track) stream.Event {
	return stream.Event{Kind: stream.EventLeft, Tracks: tracks}
}

// regular returns a host of 30 frames a second and audio, from one second on.
func regular(seconds int) *host {
	h := &host{}
	h.video(mediatest.Video{Start: 90000}, seconds, "")
	h.audio(mediatest.Audio{Start: 48000}, seconds)
	return h
}

// gaps returns what is missing of the listed segments behind the show's beginning, as one letter each: m for
// media, p for partly, and a dot for a gap.
func gaps(r *rendition, from time.Time) string {
	var b strings.Builder
	for _, s := range r.segments {
		if s.start.Before(from) {
			continue
		}
		missing := slices.ContainsFunc(s.parts, func(x part) bool { return x.gap })
		switch {
		case s.gap:
			b.WriteByte('.')
		case missing:
			b.WriteByte('p')
		default:
			b.WriteByte('m')
		}
	}
	return b.String()
}

var showBegins = epochStart.Add(time.Second)

// TestRungJoins has a rung of a transcoder join a running show, with all sorts of lags. It has the host's
// boundaries to the tick, and the host's own renditions are as they would be without it.
func TestRungJoins(t *testing.T) {
	rung := mediatest.Video{ID: 2001, Start: 90000, Bytes: 500}
	track := contribution(rung.Track())
	for _, tt := range []struct {
		lag     time.Duration
		first   int // picture
		segment string
		shown   bool
	}{
		{0, 0, "mmmmmmmmm", true},
		{300 * time.Millisecond, 0, "mmmmmmmmm", true},
		{time.Second, 60, ".mmmmmmmm", true},
		{time.Second, 100, "..mmmmmmm", true}, // in the middle of a GOP
		{3 * time.Second, 60, "..mmmmmm", true},
		{8 * time.Second, 60, ".......", false},
	} {
		t.Run(fmt.Sprint(tt.lag, tt.first), func(t *testing.T) {
			alone := newShow(t, "low")
			var s script
			s.host(regular(20))
			s.play(t, alone, inspect(t, alone), nil)

			p := newShow(t, "low")
			in := inspect(t, p)
			begin := rung.Unit(tt.first)
			s.add(media.Duration(begin.DTS, 90000)+tt.lag, joined(track))
			s.units(track, rung.Units(600)[tt.first:], tt.lag)
			slices.SortStableFunc(s, func(a, b scene) int { return cmp.Compare(a.at, b.at) })
			s = slices.DeleteFunc(s, func(x scene) bool { return x.at > 20*time.Second+500*time.Millisecond })
			for _, x := range s {
				apply(t, p, x.ev)
				in.look()
			}
			r := named(t, p, "v2")
			if got := gaps(r, showBegins); got != tt.segment {
				t.Errorf("its segments are %s, want %s", got, tt.segment)
			}
			if got := strings.Contains(offered(t, p), "v2"); got != tt.shown {
				t.Errorf("offered are %s", offered(t, p))
			}
			for i, s := range r.segments {
				lead := p.lead.segments[i]
				if s.msn != lead.msn || s.duration != lead.duration || !s.start.Equal(lead.start) || s.discontinuity {
					t.Errorf("segment %d begins at %v and lasts %v, the lead's %v and %v", s.msn, s.start, s.duration, lead.start, lead.duration)
				}
			}
			for i, want := range alone.renditions {
				sameBoundaries(t, want, p.renditions[i])
			}
		})
	}
}

// TestRungLeaves has a rung leave and come back, unchanged and otherwise.
func TestRungLeaves(t *testing.T) {
	h := regular(40)
	other, _ := mediatest.Clip("h264b")
	rung := mediatest.Video{ID: 2001, Start: 90000}
	track := contribution(rung.Track())
	changed := rung
	changed.Config = other.Config
	var s script
	s.host(h)
	units := rung.Units(40 * 30)
	s.add(1*time.Second, joined(track))
	s.units(track, units[:310], 0)
	s.add(12*time.Second, left(track)) // after 11.33 s
	s.add(16*time.Second, joined(track))
	s.units(track, units[16*30:20*30], 0)
	s.add(21*time.Second, left(track))
	s.add(26*time.Second, joined(contribution(changed.Track())))
	s.units(track, units[26*30:], 0)
	p := newShow(t, "low")
	in := inspect(t, p)
	seen := make(map[int]string)
	s.play(t, p, in, func(second int) {
		if second > 2 {
			seen[second] = offered(t, p)
		}
	})
	for second, want := range map[int]string{5: "v1 v2 a1", 14: "v1 a1", 16: "v1 a1", 20: "v1 v2 a1", 21: "v1 v2 a1", 23: "v1 a1", 31: "v1 v3 a1"} {
		if seen[second] != want {
			t.Errorf("at %d s offered are %s, want %s", second, seen[second], want)
		}
	}
	v2, v3 := named(t, p, "v2"), named(t, p, "v3")
	if v2.inits != 1 || v3.inits != 1 {
		t.Errorf("initialization segments: %d and %d", v2.inits, v3.inits)
	}
	all := ""
	for msn := int64(106); in.seen["v2"].segments[msn] != nil; msn++ {
		s := in.seen["v2"].segments[msn]
		missing := slices.ContainsFunc(s.parts, func(x part) bool { return x.gap })
		all += map[bool]string{true: ".", false: map[bool]string{true: "p", false: "m"}[missing]}[s.gap]
		if s.discontinuity {
			t.Errorf("segment %d has a discontinuity", msn)
		}
	}
	if want := "mmmmmp..mm........."; !strings.HasPrefix(all, want) {
		t.Errorf("the segments of v2 are %s, want %s", all, want)
	}
	if p.stats.Gaps != 0 {
		t.Errorf("%d gaps are held against the host", p.stats.Gaps)
	}
}

// TestVoice has an interpreter join, stall, leave and return: what listeners hear has no hole.
func TestVoice(t *testing.T) {
	h := regular(80)
	voice := mediatest.Audio{ID: 2001, Start: 48000, Language: "es"}
	track := contribution(voice.Track())
	units := voice.Units(80 * 48000 / 1024)
	at := func(seconds float64) int { return int((seconds - 1) * 48000 / 1024) }
	var s script
	s.host(h)
	s.add(4500*time.Millisecond, joined(track))
	s.units(track, units[at(4.5):at(13)], 200*time.Millisecond)
	s.units(track, units[at(13):at(16)], 3*time.Second) // too late
	s.add(20*time.Second, left(track))
	s.add(60*time.Second, joined(track))
	s.units(track, units[at(60):], 100*time.Millisecond)
	p := newShow(t, "low")
	in := inspect(t, p)
	seen := make(map[int]string)
	late := 0
	s.play(t, p, in, func(second int) {
		if second < 3 {
			return
		}
		seen[second] = offered(t, p)
		if second > 5 {
			behind := p.positionTime(p.lead.end, p.lead.timescale()).Sub(p.positionTime(named(t, p, "a2").end, 48000))
			if behind > 500*time.Millisecond {
				late++
			}
		}
	})
	for second, want := range map[int]string{4: "v1 a1", 6: "v1 a1 a2", 30: "v1 a1 a2", 49: "v1 a1 a2", 51: "v1 a1", 59: "v1 a1", 62: "v1 a1 a2"} {
		if seen[second] != want {
			t.Errorf("at %d s offered are %s, want %s", second, seen[second], want)
		}
	}
	if late > 5 {
		t.Errorf("it was behind for %d s", late)
	}
	apply(t, p, stream.Event{Kind: stream.EventEnded})
	in.look()
	f := in.seen["a2"]
	for msn := int64(107); f.segments[msn] != nil; msn++ {
		for _, x := range f.segments[msn].parts {
			if x.gap {
				t.Fatalf("segment %d has a gap", msn)
			}
		}
		if s := f.segments[msn]; s.gap || s.discontinuity {
			t.Fatalf("segment %d is %+v", msn, s)
		}
	}
	own := 0
	for _, x := range f.units {
		if mediatest.Index(x.Data) >= 0 {
			own++
			if want := units[mediatest.Index(x.Data)].PTS; x.PTS() != want {
				t.Fatalf("unit %d is played at %d, want %d", mediatest.Index(x.Data), x.PTS(), want)
			}
		}
	}
	if want := at(13) - at(4.5) + len(units) - at(60); own < want-10 { // 0.1 s of those were late when it came back
		t.Errorf("%d of its own units are there, want %d", own, want)
	}
	if p.stats.Late == 0 {
		t.Error("nothing was late")
	}
}

// TestVoiceAway has a mix whose voice is away: it goes on for those who listen, and is offered to newcomers for as long as if
// it had left; not again when it leaves for good.
func TestVoiceAway(t *testing.T) {
	h := regular(80)
	mix := mediatest.Audio{ID: 2001, Start: 48000, Language: "es"}
	track := contribution(mix.Track())
	away := track
	away.Away = true
	units := mix.Units(80 * 48000 / 1024)
	at := func(seconds float64) int { return int((seconds - 1) * 48000 / 1024) }
	var s script
	s.host(h)
	s.add(4500*time.Millisecond, joined(track))
	s.units(track, units[at(4.5):at(60)], 200*time.Millisecond)
	s.add(20*time.Second, joined(away))
	s.add(60500*time.Millisecond, left(away))
	s.add(70*time.Second, joined(track))
	s.units(track, units[at(70):], 200*time.Millisecond)
	p := newShow(t, "low")
	in := inspect(t, p)
	seen := make(map[int]string)
	s.play(t, p, in, func(second int) {
		if second > 2 {
			seen[second] = offered(t, p)
		}
	})
	for second, want := range map[int]string{6: "v1 a1 a2", 21: "v1 a1 a2", 49: "v1 a1 a2", 51: "v1 a1", 59: "v1 a1", 62: "v1 a1", 69: "v1 a1", 72: "v1 a1 a2"} {
		if seen[second] != want {
			t.Errorf("at %d s offered are %s, want %s", second, seen[second], want)
		}
	}
	own := 0
	for _, x := range in.seen["a2"].units {
		if mediatest.Index(x.Data) >= 0 {
			own++
		}
	}
	if want := at(60) - at(4.5) + len(units) - at(70); own < want-60 { // the last are not in a segment yet
		t.Errorf("%d of its own units are there, want %d", own, want)
	}
}

// TestStray has tracks whose keyframes do not line up: they leave the ladder with a remark, and come back.
func TestStray(t *testing.T) {
	frame := int64(3000)
	for _, tt := range []struct {
		name   string
		offset int64 // ticks
		gop    int
		shown  bool
		remark string
	}{
		{"aligned", 0, 60, true, ""},
		{"a frame late", frame, 60, true, ""},
		{"a frame early", -frame, 60, true, ""},
		{"two frames late", 2 * frame, 60, false, "67ms behind"},
		{"two frames early", -2 * frame, 60, false, "67ms ahead"},
		{"half a second late", 45000, 60, false, "500ms behind"},
		{"another interval", 0, 50, false, "333ms ahead"},
		{"half the interval", 0, 30, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := mediatest.Video{Start: 90000}
			w := mediatest.Video{ID: 4, Start: 90000 + tt.offset, GOP: tt.gop}
			h := &host{}
			h.video(v, 30, "")
			h.video(w, 30, "low")
			h.audio(mediatest.Audio{Start: 48000}, 30)
			p := newShow(t, "low")
			var remarks []string
			p.OnRemark(func(_, sentence string) { remarks = append(remarks, sentence) })
			in := inspect(t, p)
			feed(t, p, in, h.tracks, h.units())
			if got := strings.Contains(offered(t, p), "v2"); got != tt.shown {
				t.Errorf("offered are %s; segments are %s", offered(t, p), gaps(named(t, p, "v2"), showBegins))
			}
			if tt.remark == "" && len(remarks) > 0 || tt.remark != "" && (len(remarks) == 0 || !strings.Contains(remarks[0], tt.remark)) {
				t.Errorf("remarks: %q", remarks)
			}
			// Whatever it does, the lead is as ever.
			if got := len(in.pts("v1")); got < 890 {
				t.Errorf("%d pictures of the lead", got)
			}
		})
	}
}

// TestStrayReturns has a track lose its alignment for a while.
func TestStrayReturns(t *testing.T) {
	v, w := mediatest.Video{Start: 90000}, mediatest.Video{ID: 4, Start: 90000}
	h := &host{tracks: []media.Track{v.Track(), w.Track()}}
	units := w.Units(1800)
	for i := range units {
		if i > 590 && i < 900 {
			units[i].RandomAccess = i%60 == 20
		}
	}
	h.rows = [][]media.AccessUnit{v.Units(1800), units}
	var s script
	s.host(h)
	p := newShow(t, "low")
	remarks := 0
	p.OnRemark(func(_, sentence string) { remarks++ })
	in := inspect(t, p)
	seen := make(map[int]string)
	s.play(t, p, in, func(second int) {
		if second > 3 {
			seen[second] = offered(t, p)
		}
	})
	for second, want := range map[int]string{20: "v1 v2", 24: "v1", 30: "v1", 33: "v1", 38: "v1 v2"} {
		if seen[second] != want {
			t.Errorf("at %d s offered are %s, want %s", second, seen[second], want)
		}
	}
	if remarks == 0 {
		t.Error("nobody was told")
	}
}

// TestContributedAcrossReturn has the host go and come back, also with sound only, while others stay.
func TestContributedAcrossReturn(t *testing.T) {
	voice := mediatest.Audio{ID: 2001, Start: 48000, Language: "fr"}
	rung := mediatest.Video{ID: 2040, Start: 90000}
	vt, rt := contribution(voice.Track()), contribution(rung.Track())
	p := newShow(t, "low")
	in := inspect(t, p)
	session := func(from, seconds int64, video bool) {
		var s script
		h := &host{}
		if video {
			h.video(mediatest.Video{Start: from * 90000}, int(seconds), "")
		}
		h.audio(mediatest.Audio{Start: from * 48000}, int(seconds))
		all := &host{tracks: append(slices.Clone(h.tracks), rt, vt), rows: slices.Clone(h.rows)}
		r, v := rung, voice
		r.Start, v.Start = (from-2)*90000, (from-2)*48000 // they have never stopped
		all.rows = append(all.rows, r.Units(int(seconds+2)*30), v.Units(int(seconds+2)*48000/1024))
		s.host(all)
		for i := range s {
			if s[i].ev.Kind == stream.EventTracks {
				s[i].at = time.Duration(from) * time.Second
			}
		}
		s.play(t, p, in, nil)
		apply(t, p, stream.Event{Kind: stream.EventInterrupted})
		in.look()
		for _, r := range p.renditions {
			if r.open.msn != p.renditions[0].open.msn {
				t.Fatalf("%s ends with %d, %s with %d", r.name, r.open.msn, p.renditions[0].name, p.renditions[0].open.msn)
			}
		}
	}
	session(3, 20, true)
	if got, want := offered(t, p), "v1 v2 a1 a2"; got != want {
		t.Errorf("offered are %s, want %s", got, want)
	}
	session(40, 10, false)
	if got, want := offered(t, p), "a1 a1 a2"; got != want {
		t.Errorf("with sound only, offered are %s, want %s", got, want)
	}
	session(60, 20, true)
	if got, want := offered(t, p), "v1 v2 a1 a2"; got != want {
		t.Errorf("after the return offered are %s, want %s", got, want)
	}
	lists := make(map[string]*m3u8.Media)
	for _, r := range p.renditions {
		m, err := m3u8.ParseMedia([]byte(playlistText(t, p, r.name, SkipNone)))
		if err != nil {
			t.Fatal(err)
		}
		lists[r.name] = m
	}
	for name, m := range lists {
		v1 := lists["v1"]
		if m.MediaSequence != v1.MediaSequence || m.DiscontinuitySequence != v1.DiscontinuitySequence || len(m.Segments) != len(v1.Segments) {
			t.Fatalf("%s has %d segments from %d (%d), v1 %d from %d (%d)", name, len(m.Segments), m.MediaSequence, m.DiscontinuitySequence,
				len(v1.Segments), v1.MediaSequence, v1.DiscontinuitySequence)
		}
		for i, s := range m.Segments {
			if s.Discontinuity != v1.Segments[i].Discontinuity {
				t.Errorf("%s: segment %d: the discontinuities differ", name, i)
			}
		}
	}
}

// TestManyRenditions joins more tracks than a show may have renditions.
func TestManyRenditions(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	h := regular(60)
	var s script
	s.host(h)
	var present []media.Track
	for i := range 50 {
		track := contribution(mediatest.Audio{ID: 2000 + i}.Track())
		s.add(time.Duration(2+i/2)*time.Second, joined(track))
		if i%3 > 0 {
			s.add(time.Duration(3+i/2)*time.Second, left(track))
		} else {
			present = append(present, track)
		}
	}
	s.play(t, p, in, nil)
	if len(p.renditions) != maxRenditions {
		t.Errorf("there are %d renditions", len(p.renditions))
	}
	for _, x := range present {
		if p.byTrack[x.ID] == nil {
			t.Errorf("track %d, which has never left, has no rendition", x.ID)
		}
	}
	if _, err := p.Window().Playlist(t.Context(), "a3", -1, -1, SkipNone); err != ErrNotFound {
		t.Errorf("a forgotten rendition: %v", err)
	}
	for i := range 40 {
		p.Apply(joined(contribution(mediatest.Audio{ID: 3000 + i}.Track()))) // these stay
	}
	if err := p.Apply(joined(contribution(mediatest.Audio{ID: 3100}.Track()))); err == nil || len(p.renditions) != maxRenditions {
		t.Errorf("one more: %v, %d renditions", err, len(p.renditions))
	}
}

// TestOtherCodec has an interpreter whose audio is in another codec than the host's: players that can't decode
// it still have variants that they can.
func TestOtherCodec(t *testing.T) {
	clip, units := mediatest.Clip("opus")
	track := clip
	track.ID, track.Language, track.Contributed = 2001, "de", true
	var s script
	s.host(regular(10))
	s.add(2*time.Second, joined(track))
	for i := range 400 { // 20 ms each
		au := units[i%len(units)]
		au.Track = 2001
		au.DTS = media.Ticks(2*time.Second+time.Duration(i)*20*time.Millisecond, track.Timescale)
		au.PTS = au.DTS
		s.units(track, []media.AccessUnit{au}, 0)
	}
	p := newShow(t, "low")
	in := inspect(t, p)
	s.play(t, p, in, nil)
	golden(t, "codecs.m3u8", multivariantText(t, p))
}
