package rtsp

import (
	"testing"
	"time"

	"pushcart/media"
)

// TestWeather sends a minute through networks of all kinds. No picture is torn, sound has no holes, and what is
// counted is what has happened.
func TestWeather(t *testing.T) {
	for _, tt := range []struct {
		name   string
		camera fakeCamera
		weather
	}{
		{"fair", fakeCamera{}, weather{}},
		{"jitter", fakeCamera{}, weather{jitter: 100 * time.Millisecond}},
		{"twice", fakeCamera{clip: "h264"}, weather{twice: 0.05}},
		{"1 %", fakeCamera{inBand: true}, weather{loss: 0.01}},
		{"5 %", fakeCamera{}, weather{loss: 0.05}},
		{"1 % and jitter", fakeCamera{clip: "hevc"}, weather{loss: 0.01, jitter: 100 * time.Millisecond, twice: 0.01}},
		{"5 % and jitter", fakeCamera{inBand: true, perSlice: true, noSets: true}, weather{loss: 0.05, jitter: 100 * time.Millisecond, twice: 0.01}},
		{"outages", fakeCamera{}, weather{outage: 500 * time.Millisecond}},
		{"outages out of order", fakeCamera{clip: "h264b"}, weather{outage: 400 * time.Millisecond}},
		{"hopeless", fakeCamera{}, weather{loss: 0.4, jitter: 100 * time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := tt.camera
			c.videoStart, c.audioStart, c.sequence = 1<<32-100_000, 1<<32-1_000_000, 65000 // all of them wrap
			c.prepare(t)
			begin := time.Now()
			const d = time.Minute
			packets, damage := tt.through(c.film(t, begin, d))
			show := receive(t, &c, defaultReorder, packets)
			pictures := c.checkPictures(t, show)
			sounds, silences := c.checkSounds(t, show)
			all := int(d / media.Duration(c.frame, 90000))
			t.Logf("%d of %d pictures, %d filled in, none for %v at most, %d units of sound, %d of silence; damage %+v; counts %v", pictures, all, c.standIns, media.Duration(c.hole, 90000), sounds, silences, damage, show.counts)
			if got := show.counts[countLost]; got != int64(damage.lost) {
				t.Errorf("%d packets were counted as lost, %d were", got, damage.lost)
			}
			if got := show.counts[countLate]; got != int64(damage.twice) {
				t.Errorf("%d packets were counted as late, %d came twice", got, damage.twice)
			}
			if got := show.counts[countFilled]; got != int64(silences) {
				t.Errorf("%d units of silence were counted, %d there are", got, silences)
			}
			if (tt.jitter > 0) != (show.counts[countReordered] > 0) {
				t.Errorf("%d packets put in order", show.counts[countReordered])
			}
			if got := show.counts[countRepeated]; got != int64(c.standIns) {
				t.Errorf("%d pictures were counted as filled in, %d there are", got, c.standIns)
			}
			if (c.standIns > 0) != (tt.loss+tt.outage.Seconds() > 0 && c.track.Codec == media.CodecH264) {
				t.Errorf("%d pictures are filled in", c.standIns)
			}
			// Where all is lost up to a keyframe, that one ends the hole.
			if most := 10 * c.frame; c.standIns > 0 && tt.loss < 0.1 && c.hole > most {
				t.Errorf("no picture for %v", media.Duration(c.hole, 90000))
			}
			if tt.loss == 0 && tt.outage == 0 && (pictures != all || silences > 0 || show.counts[countDropped] > 0 || show.counts[countMalformed] > 0) {
				t.Errorf("%d of %d pictures without a loss", pictures, all)
			}
			if tt.loss+tt.outage.Seconds() > 0 && (pictures == all || int64(pictures)+show.counts[countDropped] > int64(all)) {
				t.Errorf("%d of %d pictures, %d counted as dropped", pictures, all, show.counts[countDropped])
			}
		})
	}
}

// TestExactTimes has presentation times only, as RTP does: decoding times are those that the encoder had.
func TestExactTimes(t *testing.T) {
	for _, clip := range []string{"h264", "h264b", "hevc"} {
		t.Run(clip, func(t *testing.T) {
			c := &fakeCamera{clip: clip}
			c.prepare(t)
			show := receive(t, c, 0, c.film(t, time.Now(), 20*time.Second))
			c.checkPictures(t, show)
			units := show.of(videoTrackID)
			depth, _ := media.ReorderDepth(c.track)
			for i, au := range units {
				if want := units[0].PTS + int64(i-depth)*c.frame; au.DTS != want {
					t.Fatalf("picture %d has DTS %d, want %d", i, au.DTS, want)
				}
				// The clip's own times, from its muxer.
				of := c.units[i%len(c.units)]
				if got, want := au.PTS-au.DTS, media.Rescale(of.PTS-of.DTS, c.track.Timescale, 90000); got != want {
					t.Fatalf("picture %d is shown %d ticks after its decoding, its encoder said %d", i, got, want)
				}
			}
		})
	}
}

// TestOutage has nothing come for a while: pictures stand in for all that is missing up to the next keyframe, unless that was
// for too long.
func TestOutage(t *testing.T) {
	for outage, longest := range map[time.Duration]time.Duration{2 * time.Second: 70 * time.Millisecond, 4 * time.Second: 5 * time.Second} {
		c := &fakeCamera{}
		c.prepare(t)
		packets, _ := weather{outage: outage}.through(c.film(t, time.Now(), time.Minute))
		c.checkPictures(t, receive(t, c, defaultReorder, packets))
		hole := media.Duration(c.hole, 90000)
		if c.standIns == 0 || hole > longest || outage > longestOutage && hole < outage {
			t.Errorf("nothing came for %v: %d pictures stand in, and there is none for %v", outage, c.standIns, hole)
		}
	}
}
