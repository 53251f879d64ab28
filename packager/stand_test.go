package packager

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/stream"
)

// TestStands has pictures missing while sound goes on. In H.264, others stand in that decode to the one before, so that
// there is no gap; where nobody knew what would follow, and it is no keyframe, pictures are left out up to the next one.
func TestStands(t *testing.T) {

	for _, tt := range []struct {
		name     string
		clip     string
		from, to int // of the picture, in decoding order: those in between are missing
		gaps     bool
		stood    int
		skipped  int
	}{
		{name: "half a second, to a keyframe", clip: "h264", from: 90, to: 105, stood: 1},
		{name: "most of a second, to a keyframe", clip: "h264", from: 92, to: 120, stood: 2},
		{name: "more than half a second, to any picture", clip: "h264", from: 92, to: 112, stood: 1},
		{name: "most of a second, with B-frames", clip: "h264b", from: 90, to: 120, stood: 2},
		{name: "three seconds, to a keyframe", clip: "h264", from: 92, to: 180, stood: 8},
		{name: "three seconds, to a keyframe, with B-frames", clip: "h264b", from: 92, to: 180, stood: 8},
		{name: "three seconds, to any picture", clip: "h264", from: 92, to: 182, stood: 9, skipped: 13},
		{name: "fifteen seconds", clip: "h264", from: 92, to: 540, stood: 43},
		{name: "HEVC", clip: "hevc", from: 92, to: 180, gaps: true},
		{name: "AV1", clip: "av1", from: 92, to: 120, gaps: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			track, pictures := loop(tt.clip, 1, time.Second, 24)
			sound, units := loop("aac", 2, time.Second, 24)
			tracks := []media.Track{track, sound}
			all := mediatest.Interleave(tracks, slices.Concat(pictures[:tt.from], pictures[tt.to:]), units)
			p := newShow(t, "low")
			in := inspect(t, p)
			feed(t, p, in, tracks, all)
			apply(t, p, stream.Event{Kind: stream.EventEnded})
			in.look()
			if (p.stats.Gaps > 0) != tt.gaps || (p.stats.Stood > 0) != (tt.stood > 0) || p.stats.Stood < tt.stood || p.stats.Skipped != tt.skipped {
				t.Errorf("%d gaps, %d pictures stand in, %d are left out", p.stats.Gaps, p.stats.Stood, p.stats.Skipped)
			}
			if missing := slices.ContainsFunc(p.renditions[0].segments, func(s *segment) bool {
				return s.msn >= p.show.FirstMSN+minListed && slices.ContainsFunc(s.parts, func(x part) bool { return x.gap })
			}); missing != tt.gaps {
				t.Errorf("a segment has a gap: %v", missing)
			}
			if !tt.gaps {
				repeats(t, p, in, pictures)
			}
		})
	}
}

// TestStandsBesideSound has pictures missing for good: what stands in for them is not far behind the sound.
func TestStandsBesideSound(t *testing.T) {
	track, pictures := loop("h264", 1, time.Second, 24)
	sound, units := loop("aac", 2, time.Second, 24)
	tracks := []media.Track{track, sound}
	p := newShow(t, "low")
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: tracks})
	furthest := time.Duration(0)
	for _, au := range mediatest.Interleave(tracks, pictures[:92], units) {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
		if au.Track == sound.ID && p.stats.Stood > 2 {
			lag := media.Duration(au.PTS, sound.Timescale) - media.Duration(p.lead.end, track.Timescale)
			furthest = max(furthest, lag)
		}
	}
	if most := heldFor + 2*p.cfg.Latency.Part; furthest == 0 || furthest > most {
		t.Errorf("the picture is up to %v behind the sound, %v is expected at most", furthest, most)
	}
}

// TestFewPictures has a host send two pictures a second, which is fewer than there are parts. As soon as the encoder's habits
// are known, there is no gap, and each picture is shown at its time.
func TestFewPictures(t *testing.T) {
	const slow = 15
	track, pictures := loop("h264", 1, time.Second, 2)
	track.FrameRate /= slow
	first := pictures[0].PTS
	for i := range pictures {
		pictures[i].PTS = first + slow*(pictures[i].PTS-first)
		pictures[i].DTS = pictures[i].PTS
	}
	sound, units := loop("aac", 2, time.Second, 30)
	tracks := []media.Track{track, sound}
	p := newShow(t, "low")
	in := inspect(t, p)
	apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: tracks})
	early := 0
	for _, au := range mediatest.Interleave(tracks, pictures, units) {
		apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
		in.look()
		if au.Track == 1 && au.PTS <= pictures[15].PTS { // the second keyframe, behind which nothing is a gap
			early = p.stats.Gaps
		}
	}
	if n := p.stats.Gaps - early; n > 0 || p.stats.Stood < 15 || p.stats.Skipped > 0 {
		t.Errorf("%d gaps, %d pictures stand in, %d are left out", n, p.stats.Stood, p.stats.Skipped)
	}
	got := in.pts("v1")
	for _, au := range pictures[:len(pictures)-1] {
		if !slices.Contains(got, au.PTS) {
			t.Errorf("the picture of %d is not shown at its time", au.PTS)
		}
	}
}

// repeats checks that what stands in for the host's pictures looks as the one before, and that of the host's all others come
// at their times.
func repeats(t *testing.T, p *Packager, in *inspector, host []media.AccessUnit) {
	t.Helper()
	at := make(map[int64]media.AccessUnit)
	for _, au := range host {
		at[au.PTS] = au
	}
	samples := slices.Clone(in.seen["v1"].units)
	run := bytes.Clone(p.renditions[0].init.data)
	for _, s := range p.renditions[0].segments {
		for _, x := range s.parts {
			run = append(run, x.data...)
		}
	}
	looks := framemd5(t, run)
	if len(looks) != len(samples) {
		t.Fatalf("%d pictures are decoded of %d", len(looks), len(samples))
	}
	// Decoders put them out in the order in which they are shown.
	own := 0
	order := make([]int64, 0, len(samples))
	standing := make(map[int64]bool)
	for _, s := range samples {
		pts := s.PTS()
		order = append(order, pts)
		if au, ok := at[pts]; ok && bytes.Equal(au.Data, s.Data) {
			own++
		} else {
			standing[pts] = true
		}
	}
	slices.Sort(order)
	for i, pts := range order {
		if i > 0 && pts == order[i-1] {
			t.Errorf("two pictures are shown at %d", pts)
		}
		if standing[pts] && (i == 0 || looks[i] != looks[i-1]) {
			t.Errorf("what stands in at %d does not look as the picture before", pts)
		}
	}
	if len(standing) != p.stats.Stood || own+len(standing) != len(samples) {
		t.Errorf("%d pictures of the host's and %d that stand in for them; %d were counted", own, len(standing), p.stats.Stood)
	}
}

// framemd5 has ffmpeg decode a file, of which nothing may displease it, and returns what each picture looks like.
func framemd5(t *testing.T, data []byte) (looks []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.mp4")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffmpeg", "-v", "error", "-xerror", "-err_detect", "explode", "-i", file, "-map", "0:v", "-fps_mode", "passthrough", "-enc_time_base", "-1", "-f", "framemd5", "-")
	var says strings.Builder
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil || says.Len() > 0 {
		t.Fatalf("ffmpeg: %v\n%s", err, says.String())
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			looks = append(looks, strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:]))
		}
	}
	return looks
}
