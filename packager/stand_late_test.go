package packager

import (
	"slices"
	"testing"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// TestStandsNotForEver has pictures missing in shows in which no keyframe comes in time behind them: the host's pictures come
// later than its sound, or there is no other keyframe. Viewers see the host's pictures again nevertheless.
func TestStandsNotForEver(t *testing.T) {
	for _, tt := range []struct {
		name    string
		lag     time.Duration // of pictures behind sound
		missing int           // pictures
		keys    bool
		gaps    bool // there are some, as without pictures that repeat
	}{
		{name: "in time", missing: 78, keys: true},
		{name: "half a second late", lag: 500 * time.Millisecond, missing: 78, keys: true},
		{name: "most of a second late", lag: 900 * time.Millisecond, missing: 78, keys: true},
		{name: "so late that something is always missing", lag: 1600 * time.Millisecond, keys: true, gaps: true},
		{name: "later than that", lag: 2500 * time.Millisecond, keys: true, gaps: true},
		{name: "without keyframes", missing: 78, gaps: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const seconds, hole, end = 90, 182, 75
			track, pictures := loop("h264", 1, time.Second, seconds)
			sound, units := loop("aac", 2, time.Second, seconds)
			pictures = slices.Delete(pictures, hole, hole+tt.missing)
			for i := range pictures {
				pictures[i].RandomAccess = pictures[i].RandomAccess && (tt.keys || i == 0)
			}
			var s script
			s.add(0, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{track, sound}})
			s.units(track, pictures, tt.lag)
			s.units(sound, units, 0)
			p := newShow(t, "low")
			in := inspect(t, p)
			skipped := 0
			s.play(t, p, in, func(second int) {
				if second == end {
					skipped = p.stats.Skipped
				}
			})
			if (p.stats.Gaps > 0) != tt.gaps || skipped == 0 {
				t.Errorf("%d pictures are left out, and there are %d gaps", skipped, p.stats.Gaps)
			}
			if n := p.stats.Skipped - skipped; n > 0 {
				t.Errorf("%d pictures of the last 15 s are left out", n)
			}
			got := in.pts("v1")
			for _, au := range pictures[len(pictures)-300 : len(pictures)-120] {
				if !slices.Contains(got, au.PTS) {
					t.Fatalf("the picture of %d is not shown at its time", au.PTS)
				}
			}
		})
	}
}
