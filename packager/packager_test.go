package packager

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/fmp4"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

var epochStart = time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)

func newShow(t testing.TB, preset string) *Packager {
	t.Helper()
	l, ok := Preset(preset)
	if !ok {
		t.Fatalf("no preset %q", preset)
	}
	cfg := Config{Latency: l}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	return New(cfg, Show{Epoch: "e1", Start: epochStart, FirstMSN: 100, FirstDSN: 7})
}

// feed applies tracks and units and has the show inspected after each.
func feed(t testing.TB, p *Packager, in *inspector, tracks []media.Track, units []media.AccessUnit) {
	t.Helper()
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: tracks})
	for _, au := range units {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
		if in != nil {
			in.look()
		}
	}
}

// apply applies ev to p. Beside it a packager sleeps that is only woken for what is due: viewers must not notice.
func apply(t testing.TB, p *Packager, ev stream.Event) {
	t.Helper()
	s := sleeperOf(t, p)
	if err := p.Apply(ev); err != nil {
		t.Fatal(err)
	}
	s.take(ev)
	s.sees(t, p, ev)
}

// inspector follows what a packager publishes and holds it against the rules of the protocol.
type inspector struct {
	t    testing.TB
	p    *Packager
	seen map[string]*followed
}

// followed is what the inspector has seen of one rendition.
type followed struct {
	nextPart int64
	tfdt     uint64
	fresh    bool // a discontinuity, or a gap, allows a jump
	list     *playlist
	broken   bool // nothing can be decoded before the next keyframe
	last     *part
	lastMSN  int64
	segments map[int64]*segment
	units    []fmp4.ReadSample
	text     string
}

func inspect(t testing.TB, p *Packager) *inspector {
	return &inspector{t: t, p: p, seen: make(map[string]*followed)}
}

// look reads all renditions.
func (in *inspector) look() {
	for _, r := range in.p.renditions {
		pl := r.state.Load()
		if pl == nil {
			continue
		}
		f := in.seen[r.name]
		if f == nil {
			f = &followed{segments: make(map[int64]*segment), fresh: true}
			in.seen[r.name] = f
		}
		if f.list != pl {
			f.list = pl
			in.rendition(f, pl)
		}
	}
}

func (in *inspector) rendition(f *followed, pl *playlist) {
	t := in.t
	for _, s := range pl.segments {
		if old := f.segments[s.msn]; old != nil && old != s {
			t.Fatalf("%s: segment %d has changed", pl.name, s.msn)
		}
		if f.segments[s.msn] == nil {
			f.segments[s.msn] = s
			in.parts(f, pl, s.msn, s.discontinuity, s.parts, true)
			in.segment(f, pl, s)
			if len(s.parts) == 0 {
				f.fresh, f.broken = true, true
			}
		}
	}
	in.parts(f, pl, pl.open.msn, pl.open.discontinuity, pl.open.parts, false)
	if len(pl.open.parts) > 0 || len(pl.segments) > 0 {
		if pl.nextPart != f.nextPart {
			t.Fatalf("%s: hints part %d, %d have been seen", pl.name, pl.nextPart, f.nextPart)
		}
	}
}

// decodable checks that pictures can be decoded from the beginning of each segment and behind each gap segment.
func (in *inspector) decodable(f *followed, pl *playlist, first bool, x *part) {
	if x.gap {
		return
	}
	if pl.name[0] == 'v' && (first || f.broken) && !x.independent && (pl.independent || f.broken && in.p.lead != nil && pl.name != in.p.lead.name) {
		in.t.Fatalf("%s: part %d does not begin with a keyframe", pl.name, x.seq)
	}
	f.broken = false
}

// parts checks those that are new.
func (in *inspector) parts(f *followed, pl *playlist, msn int64, discontinuity bool, parts []part, complete bool) {
	t := in.t
	target := pl.latency.Part
	for i := range parts {
		x := &parts[i]
		if x.seq < f.nextPart {
			continue
		}
		if x.seq != f.nextPart {
			t.Fatalf("%s: part %d after %d", pl.name, x.seq, f.nextPart-1)
		}
		f.nextPart++
		if i == 0 && discontinuity {
			f.fresh = true
		}
		in.decodable(f, pl, i == 0, x)
		if max(x.duration, x.listed) > target {
			t.Fatalf("%s: part %d.%d lasts %v, PART-TARGET is %v", pl.name, msn, i, x.duration, target)
		}
		if l := f.last; l != nil && f.lastMSN == msn && !l.independent && !l.gap && !x.gap && min(l.duration, l.listed) < target*85/100 {
			t.Fatalf("%s: part %d.%d lasts %v, that is under 85 %%", pl.name, msn, i-1, l.duration)
		}
		f.last, f.lastMSN = x, msn
		if x.gap {
			f.tfdt += uint64(x.ticks)
			continue
		}
		frag, err := fmp4.ReadFragment(x.data)
		if err != nil {
			t.Fatalf("%s: part %d.%d: %v", pl.name, msn, i, err)
		}
		if frag.BaseTime != f.tfdt && !f.fresh {
			t.Fatalf("%s: part %d.%d begins at %d, the one before ended at %d", pl.name, msn, i, frag.BaseTime, f.tfdt)
		}
		f.fresh = false
		f.tfdt = frag.End()
		if got := int64(frag.End() - frag.BaseTime); got != x.ticks {
			t.Fatalf("%s: part %d.%d: samples last %d, DURATION is of %d", pl.name, msn, i, got, x.ticks)
		}
		if x.independent != frag.Samples[0].Sync {
			t.Fatalf("%s: part %d.%d: INDEPENDENT is %v", pl.name, msn, i, x.independent)
		}
		f.units = append(f.units, frag.Samples...)
	}
}

func (in *inspector) segment(f *followed, pl *playlist, s *segment) {
	t := in.t
	var sum, listed time.Duration
	for _, x := range s.parts {
		sum += x.duration
		listed += x.listed
	}
	if d := sum - s.duration; len(s.parts) > 0 && d.Abs() > time.Duration(len(s.parts))*time.Nanosecond {
		t.Fatalf("%s: segment %d lasts %v, its parts %v", pl.name, s.msn, s.duration, sum)
	}
	if len(s.parts) > 0 && listed != s.duration.Round(m3u8.Precision) {
		t.Fatalf("%s: segment %d is listed with %v, its parts with %v", pl.name, s.msn, s.duration.Round(m3u8.Precision), listed)
	}
	if roundSeconds(s.duration) > in.p.targetDuration {
		t.Fatalf("%s: segment %d lasts %v, the target duration is %d s", pl.name, s.msn, s.duration, in.p.targetDuration)
	}
	in.dated(pl, s)
	if before := f.segments[s.msn-1]; before != nil && !s.discontinuity {
		if d := s.start.Sub(before.start) - before.duration; d.Abs() > time.Millisecond {
			t.Fatalf("%s: segment %d is dated %v off", pl.name, s.msn, d)
		}
	}
	for name, other := range in.seen {
		o := other.segments[s.msn]
		if o == nil {
			continue
		}
		if o.discontinuity != s.discontinuity {
			t.Fatalf("%s: segment %d: the renditions differ in discontinuity", pl.name, s.msn)
		}
		// To the nearest unit of audio; other pictures may be a frame away, of 15 a second in these tests.
		most := 50 * time.Millisecond
		if name[0] == 'v' && name != "v1" || pl.name[0] == 'v' && pl.name != "v1" {
			most += 75 * time.Millisecond
		}
		if d := o.start.Sub(s.start); d.Abs() > most && !o.gap && !s.gap {
			t.Fatalf("%s: segment %d: the renditions begin %v apart", pl.name, s.msn, d)
		}
	}
}

// dated checks that the segment's date is that of its media.
func (in *inspector) dated(pl *playlist, s *segment) {
	at := s.start
	for _, x := range s.parts {
		if x.gap {
			at = at.Add(x.duration)
			continue
		}
		frag, err := fmp4.ReadFragment(x.data)
		if err != nil {
			in.t.Fatal(err)
		}
		init, err := fmp4.ReadInit(s.init.data)
		if err != nil {
			in.t.Fatal(err)
		}
		if d := in.p.positionTime(int64(frag.BaseTime), int64(init.Timescale)).Sub(at); d.Abs() > time.Millisecond {
			in.t.Fatalf("%s: segment %d is dated %v, its media is %v later", pl.name, s.msn, s.start, d)
		}
		return
	}
}

// pts returns the presentation times seen in a rendition, in order.
func (in *inspector) pts(name string) []int64 {
	var all []int64
	for _, s := range in.seen[name].units {
		all = append(all, s.PTS())
	}
	return all
}

func playlistText(t testing.TB, p *Packager, name string, skip Skip) string {
	t.Helper()
	d, err := p.Window().Playlist(t.Context(), name, -1, -1, skip)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(d.Text())
}

// TestShows packages regular and irregular shows and checks that the protocol's rules are kept, that no
// unit is lost and that presentation times are those of the host.
func TestShows(t *testing.T) {
	video := mediatest.Video{Start: 90000}
	audio := mediatest.Audio{Start: 48000}
	tests := []struct {
		name   string
		video  *mediatest.Video
		audio  *mediatest.Audio
		change func([]media.AccessUnit) []media.AccessUnit
	}{
		{name: "both", video: &video, audio: &audio},
		{name: "video only", video: &video},
		{name: "audio only", audio: &audio},
		{name: "audio only 44.1 kHz", audio: &mediatest.Audio{SampleRate: 44100, Start: 44100}},
		{name: "25 fps", video: &mediatest.Video{RateNum: 25, RateDen: 1, GOP: 50, Start: 90000}, audio: &audio},
		{name: "24 fps, GOP 1 s", video: &mediatest.Video{RateNum: 24, RateDen: 1, GOP: 24, Start: 90000}, audio: &audio},
		{name: "25 fps, GOP 1 s", video: &mediatest.Video{RateNum: 25, RateDen: 1, GOP: 25, Start: 90000}, audio: &audio},
		{name: "60 fps", video: &mediatest.Video{RateNum: 60, RateDen: 1, GOP: 120, Start: 90000}, audio: &audio},
		{name: "29.97 fps", video: &mediatest.Video{RateNum: 30000, RateDen: 1001, Start: 90000}, audio: &audio},
		{name: "8 fps", video: &mediatest.Video{RateNum: 8, RateDen: 1, GOP: 16, Start: 90000}, audio: &audio},
		{name: "B-frames", video: &mediatest.Video{BFrames: 2, Start: 90000}, audio: &audio},
		{name: "GOP 8.3 s", video: &mediatest.Video{GOP: 250, Start: 90000}, audio: &audio},
		{name: "GOP 30 s", video: &mediatest.Video{GOP: 900, Start: 90000}, audio: &audio},
		{name: "GOP 0.5 s", video: &mediatest.Video{GOP: 15, Start: 90000}, audio: &audio},
		{name: "GOP 1.5 s", video: &mediatest.Video{GOP: 45, Start: 90000}, audio: &audio},
		{name: "all keyframes", video: &mediatest.Video{GOP: 1, Start: 90000}, audio: &audio},
		{name: "audio late on the wire", video: &video, audio: &audio, change: lateAudio},
		{name: "audio early on the wire", video: &video, audio: &audio, change: earlyAudio},
		{name: "jitter", video: &video, audio: &audio, change: jitter},
		{name: "missing frames", video: &video, audio: &audio, change: missing},
	}
	for _, tt := range tests {
		for _, preset := range PresetNames() {
			t.Run(tt.name+"/"+preset, func(t *testing.T) {
				const seconds = 60
				var tracks []media.Track
				var rows [][]media.AccessUnit
				if tt.video != nil {
					tracks = append(tracks, tt.video.Track())
					rows = append(rows, tt.video.Units(int(seconds*tracks[0].FrameRate)))
				}
				if tt.audio != nil {
					tracks = append(tracks, tt.audio.Track())
					rows = append(rows, tt.audio.Units(seconds*int(tracks[len(tracks)-1].Timescale)/1024))
				}
				units := mediatest.Interleave(tracks, rows...)
				if tt.change != nil {
					units = tt.change(units)
				}
				p := newShow(t, preset)
				in := inspect(t, p)
				feed(t, p, in, tracks, units)
				apply(t, p, stream.Event{Kind: stream.EventEnded})
				in.look()
				for _, track := range tracks {
					name := map[media.Kind]string{media.KindVideo: "v1", media.KindAudio: "a1"}[track.Kind()]
					var want []int64
					for _, au := range units {
						begin := units[slices.IndexFunc(units, func(au media.AccessUnit) bool { return au.Track == tracks[0].ID })].PTS
						if au.Track == track.ID && au.PTS >= media.Rescale(begin, tracks[0].Timescale, track.Timescale)-track.Timescale/100 {
							want = append(want, au.PTS)
						}
					}
					if got := in.pts(name); !slices.Equal(got, want) {
						i := 0
						for i < min(len(got), len(want)) && got[i] == want[i] {
							i++
						}
						t.Errorf("%s: %d units in, %d out; the first difference is at %d", name, len(want), len(got), i)
					}
				}
			})
		}
	}
}

// lateAudio has audio arrive 200 ms later than its time says.
func lateAudio(units []media.AccessUnit) []media.AccessUnit { return shiftAudio(units, 200) }

// earlyAudio has audio arrive 200 ms earlier.
func earlyAudio(units []media.AccessUnit) []media.AccessUnit { return shiftAudio(units, -200) }

func shiftAudio(units []media.AccessUnit, ms int64) []media.AccessUnit {
	at := func(au media.AccessUnit) int64 {
		if au.Track == 2 {
			return au.DTS*1000/48000 + ms
		}
		return au.DTS * 1000 / 90000
	}
	units = slices.Clone(units)
	slices.SortStableFunc(units, func(a, b media.AccessUnit) int { return int(at(a) - at(b)) })
	return units
}

// jitter moves video times by up to 12 ms, as phones do.
func jitter(units []media.AccessUnit) []media.AccessUnit {
	random := rand.New(rand.NewPCG(1, 2))
	units = slices.Clone(units)
	for i := range units {
		if units[i].Track == 1 && !units[i].RandomAccess {
			d := random.Int64N(1080)
			units[i].DTS += d
			units[i].PTS += d
		}
	}
	return units
}

// missing leaves out every seventh picture that is no keyframe, and half a second of them in each ten.
func missing(units []media.AccessUnit) []media.AccessUnit {
	var kept []media.AccessUnit
	for _, au := range units {
		n := mediatest.Index(au.Data)
		if au.Track == 1 && !au.RandomAccess && (n%7 == 3 || n%300 > 200 && n%300 < 216) {
			continue
		}
		kept = append(kept, au)
	}
	return kept
}

// TestHour packages an hour of a show whose host comes back with another configuration every ten minutes.
func TestHour(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	other, _ := mediatest.Clip("h264b")
	for session := range 6 {
		at := int64(session)*620 + 1
		video, audio := mediatest.Video{Start: at * 90000}, mediatest.Audio{Start: at * 48000}
		if session%2 == 1 {
			video.Config = other.Config
		}
		tracks := []media.Track{video.Track(), audio.Track()}
		feed(t, p, in, tracks, mediatest.Interleave(tracks, video.Units(600*30), audio.Units(600*48000/1024)))
		apply(t, p, stream.Event{Kind: stream.EventInterrupted})
		in.look()
	}
	if got := len(in.pts("v1")); got != 6*600*30 {
		t.Errorf("%d pictures came out", got)
	}
	if got, want := p.stats.Segments, 6*300; got != want {
		t.Errorf("%d segments, want %d", got, want)
	}
	if r := p.renditions[0]; len(r.segments) > 24 {
		t.Errorf("%d segments are in memory", len(r.segments))
	}
}

// TestPartAtItsLastFrame checks that a part can be fetched when its last frame is in, not when the next one
// is.
func TestPartAtItsLastFrame(t *testing.T) {
	p := newShow(t, "low")
	v := mediatest.Video{Start: 90000}
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{v.Track()}})
	for i := range 600 {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: v.Unit(i)})
		got := int(p.renditions[0].nextPart)
		if want := (i + 1) / 10; got != want {
			t.Fatalf("after frame %d there are %d parts, want %d", i, got, want)
		}
	}
}

// TestReconnect interrupts a show and goes on with it, unchanged and with other codecs.
func TestReconnect(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	tracks := []media.Track{video.Track(), audio.Track()}
	other := mediatest.Video{Start: 90000}
	otherTrack, _ := mediatest.Clip("h264b")
	otherTrack.ID, otherTrack.Timescale = 1, 90000
	for _, tt := range []struct {
		name    string
		tracks  []media.Track
		newInit bool
	}{
		{"same", tracks, false},
		{"other codec configuration", []media.Track{otherTrack, audio.Track()}, true},
		{"no audio", tracks[:1], false},
	} {
		for _, cut := range []int{300, 333, 345, 361, 367} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, cut), func(t *testing.T) {
				p := newShow(t, "low")
				in := inspect(t, p)
				units := mediatest.Interleave(tracks, video.Units(600), audio.Units(900))
				feed(t, p, in, tracks, units[:cut])
				apply(t, p, stream.Event{Kind: stream.EventInterrupted})
				in.look()
				before := p.msn
				v1, a1 := p.renditions[0], p.renditions[1]
				if v1.open.msn != a1.open.msn {
					t.Fatalf("after the interruption video is at %d, audio at %d", v1.open.msn, a1.open.msn)
				}
				again, sound := other, audio
				again.Start += 20 * 90000
				sound.Start += 20 * 48000
				next := mediatest.Interleave(tracks, again.Units(900), sound.Units(1400))
				if len(tt.tracks) == 1 {
					next = again.Units(900)
				}
				feed(t, p, in, tt.tracks, next)
				s := in.seen["v1"].segments[before]
				if s == nil || !s.discontinuity {
					t.Fatalf("segment %d does not begin with a discontinuity: %+v", before, s)
				}
				if old := in.seen["v1"].segments[before-1]; (old.init != s.init) != tt.newInit {
					t.Errorf("a new initialization segment: %v, want %v", old.init != s.init, tt.newInit)
				}
				if want := epochStart.Add(21 * time.Second); !s.start.Equal(want) {
					t.Errorf("the show goes on at %v, want %v", s.start, want)
				}
				if v, a := p.renditions[0].open.msn, p.renditions[1].open.msn; v-a > 1 || a > v {
					t.Errorf("video is at %d, audio at %d", v, a)
				}
				text := playlistText(t, p, "v1", SkipNone)
				if len(tt.tracks) == 2 && !strings.Contains(text, "#EXT-X-DISCONTINUITY-SEQUENCE:8\n") && !strings.Contains(text, "#EXT-X-DISCONTINUITY\n") {
					t.Errorf("no discontinuity in\n%s", text)
				}
			})
		}
	}
}

// TestAudioJoins adds audio to a show that began without.
func TestAudioJoins(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 101 * 48000}
	feed(t, p, in, []media.Track{video.Track()}, video.Units(3000))
	again := video
	again.Start = 101 * 90000
	tracks := []media.Track{video.Track(), audio.Track()}
	feed(t, p, in, tracks, mediatest.Interleave(tracks, again.Units(600), audio.Units(900)))
	v, err := m3u8.ParseMedia([]byte(playlistText(t, p, "v1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := m3u8.ParseMedia([]byte(playlistText(t, p, "a1", SkipNone)))
	if err != nil {
		t.Fatal(err)
	}
	if v.MediaSequence != a.MediaSequence || v.DiscontinuitySequence != a.DiscontinuitySequence || len(v.Segments)-len(a.Segments) > 1 {
		t.Errorf("video begins with %d (%d) and has %d segments, audio with %d (%d) and %d", v.MediaSequence, v.DiscontinuitySequence,
			len(v.Segments), a.MediaSequence, a.DiscontinuitySequence, len(a.Segments))
	}
	d, err := p.Window().Multivariant(t.Context())
	if err != nil || !strings.Contains(string(d.Text()), "TYPE=AUDIO") {
		t.Errorf("the multivariant playlist: %v\n%s", err, d.Text())
	}
}

// TestNothing ends a show before anything has come: whoever waits is told.
func TestNothing(t *testing.T) {
	for _, tracks := range [][]media.Track{nil, {mediatest.Video{}.Track()}} {
		p := newShow(t, "low")
		if tracks != nil {
			apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: tracks})
		}
		done := make(chan error)
		go func() {
			_, err := p.Window().Multivariant(t.Context())
			done <- err
		}()
		apply(t, p, stream.Event{Kind: stream.EventInterrupted})
		apply(t, p, stream.Event{Kind: stream.EventEnded})
		if err := <-done; err != ErrNotFound {
			t.Errorf("%v", err)
		}
	}
}

// TestVideoStalls keeps audio going while video is silent: playlists move on, and players get gaps.
func TestVideoStalls(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	tracks := []media.Track{video.Track(), audio.Track()}
	units := slices.DeleteFunc(mediatest.Interleave(tracks, video.Units(1800), audio.Units(2800)), func(au media.AccessUnit) bool {
		n := mediatest.Index(au.Data)
		return au.Track == 1 && n > 310 && n < 1200
	})
	p := newShow(t, "low")
	in := inspect(t, p)
	feed(t, p, in, tracks, units)
	if p.stats.Gaps < 80 {
		t.Errorf("%d gap parts for 29.6 s without video", p.stats.Gaps)
	}
	if got := len(in.pts("v1")); got < 900 {
		t.Errorf("%d of 911 pictures are there", got)
	}
}

// TestAudioStops keeps video going while audio is silent for good.
func TestAudioStops(t *testing.T) {
	video, audio := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	tracks := []media.Track{video.Track(), audio.Track()}
	for _, n := range []int{0, 10, 1000} {
		p := newShow(t, "low")
		in := inspect(t, p)
		feed(t, p, in, tracks, mediatest.Interleave(tracks, video.Units(3600), audio.Units(n)))
		if lag := p.renditions[0].open.msn - p.renditions[1].open.msn; lag > maxCuts {
			t.Errorf("with %d audio units, the audio playlist lags %d segments behind", n, lag)
		}
		if got, want := offered(t, p), "v1 a1"; got != want {
			t.Errorf("with %d audio units, offered are %s", n, got)
		}
		apply(t, p, stream.Event{Kind: stream.EventEnded})
		in.look()
	}
}

// TestWindow checks what leaves the playlist, and when.
func TestWindow(t *testing.T) {
	p := newShow(t, "low")
	v := mediatest.Video{Start: 90000}
	feed(t, p, nil, []media.Track{v.Track()}, v.Units(30*120))
	pl := p.renditions[0].state.Load()
	total := time.Duration(0)
	for _, s := range pl.listed {
		total += s.duration
	}
	if total < 30*time.Second || total > 32*time.Second {
		t.Errorf("the playlist lasts %v, the window 30 s", total)
	}
	first, listed := pl.segments[0].msn, pl.listed[0].msn
	if kept := listed - first; kept < 3 || kept > 5 {
		t.Errorf("%d segments are kept behind the playlist, want four target durations of them", kept)
	}
	for _, tt := range []struct {
		path string
		ok   bool
	}{
		{fmt.Sprintf("e1/v1/%d.m4s", listed), true},
		{fmt.Sprintf("e1/v1/%d.m4s", first), true},
		{fmt.Sprintf("e1/v1/%d.m4s", first-1), false},
		{fmt.Sprintf("e1/v1/%d.m4s", listed+100), false},
		{fmt.Sprintf("e1/v1/0%d.m4s", listed), false},
		{"e1/v1/init1.mp4", true},
		{"e1/v1/init2.mp4", false},
		{"e2/v1/init1.mp4", false},
		{"e1/v1/p359.m4s", true},
		{"e1/v1/p361.m4s", false},
		{"e1/v1/p-1.m4s", false},
		{"e1/v1/p.m4s", false},
		{"e1/v1/.m4s", false},
		{"e1/v1/", false},
		{"e1/v2/init1.mp4", false},
		{"", false},
	} {
		o, err := p.Window().Object(t.Context(), tt.path)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.path, err)
		}
		n := 0
		for _, c := range o.Chunks {
			n += len(c)
		}
		if int64(n) != o.Size {
			t.Errorf("%s: %d bytes, Size is %d", tt.path, n, o.Size)
		}
	}
}

// TestBlocking asks for positions before, at and behind the edge.
func TestBlocking(t *testing.T) {
	p := newShow(t, "low")
	v := mediatest.Video{Start: 90000}
	feed(t, p, nil, []media.Track{v.Track()}, v.Units(60*10+25)) // ten segments, two parts and five frames
	const open = 116
	for _, tt := range []struct {
		msn  int64
		part int
		want error
	}{
		{-1, -1, nil},
		{50, 0, nil},
		{open - 1, -1, nil},
		{open - 1, 5, nil},
		{open - 1, 6, nil}, // behind the last part: part 0 of the next
		{open, 0, nil},
		{open, 1, nil},
		{open, 2, context.DeadlineExceeded},
		{open, -1, context.DeadlineExceeded},
		{open, 10, context.DeadlineExceeded}, // 1 + 3 s/0.3414 s
		{open, 11, ErrTooFar},
		{open + 1, -1, context.DeadlineExceeded},
		{open + 2, -1, context.DeadlineExceeded},
		{open + 3, -1, ErrTooFar},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		_, err := p.Window().Playlist(ctx, "v1", tt.msn, tt.part, SkipNone)
		cancel()
		if err != tt.want {
			t.Errorf("msn %d, part %d: %v, want %v", tt.msn, tt.part, err, tt.want)
		}
	}
	done := make(chan string)
	for _, wait := range []func() (string, error){
		func() (string, error) {
			d, err := p.Window().Playlist(t.Context(), "v1", open, 2, SkipNone)
			return string(d.Text()), err
		},
		func() (string, error) {
			_, err := p.Window().Object(t.Context(), "e1/v1/p62.m4s")
			return "#EXT-X-PART:DURATION=0.33333,URI=\"e1/v1/p62.m4s\"", err
		},
	} {
		go func() {
			text, err := wait()
			done <- fmt.Sprint(text, err)
		}()
	}
	for i := range 5 {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: v.Unit(625 + i)})
	}
	for range 2 {
		if text := <-done; !strings.Contains(text, "URI=\"e1/v1/p62.m4s\"") || !strings.HasSuffix(text, "<nil>") {
			t.Errorf("released with %q", text)
		}
	}
}

// TestEnd checks that nothing is left waiting at the end of a show, and what the playlists say.
func TestEnd(t *testing.T) {
	p := newShow(t, "low")
	v, a := mediatest.Video{Start: 90000}, mediatest.Audio{Start: 48000}
	tracks := []media.Track{v.Track(), a.Track()}
	feed(t, p, nil, tracks, mediatest.Interleave(tracks, v.Units(705), a.Units(1100)))
	done := make(chan error)
	go func() {
		_, err := p.Window().Object(context.Background(), fmt.Sprintf("e1/v1/p%d.m4s", p.renditions[0].nextPart+1))
		done <- err
	}()
	if err := <-done; err != ErrNotFound {
		t.Errorf("a part that is not hinted: %v", err)
	}
	next := fmt.Sprintf("e1/v1/p%d.m4s", p.renditions[0].nextPart)
	go func() {
		_, err := p.Window().Object(context.Background(), next)
		done <- err
	}()
	apply(t, p, stream.Event{Kind: stream.EventEnded})
	if err := <-done; err != nil { // what was in the making has become the last part
		t.Errorf("the last part: %v", err)
	}
	for _, name := range []string{"v1", "a1"} {
		text := playlistText(t, p, name, SkipDateRanges)
		if !strings.HasSuffix(text, "#EXT-X-ENDLIST\n") || strings.Contains(text, "PRELOAD-HINT") || strings.Contains(text, "EXT-X-SKIP") {
			t.Errorf("%s ends with\n%s", name, text[max(0, len(text)-500):])
		}
	}
	if !p.Window().Ended() {
		t.Error("the window does not say that the show is over")
	}
}
