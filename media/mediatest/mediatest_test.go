package mediatest_test

import (
	"slices"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
)

// checkUnits checks what every room may take for granted of a track.
func checkUnits(t *testing.T, track media.Track, units []media.AccessUnit) {
	t.Helper()
	shown := map[int64]bool{}
	last := int64(-1 << 62)
	for i, au := range units {
		if err := media.ValidUnit(track, au.Data); err != nil {
			t.Fatalf("unit %d: %v", i, err)
		}
		if got := media.RandomAccess(track, au.Data); got != au.RandomAccess {
			t.Errorf("unit %d: its bytes say random access %t, the unit %t", i, got, au.RandomAccess)
		}
		if au.Track != track.ID {
			t.Errorf("unit %d: track %d, want %d", i, au.Track, track.ID)
		}
		if au.DTS <= last {
			t.Errorf("unit %d: DTS %d after %d", i, au.DTS, last)
		}
		last = au.DTS
		if au.PTS < au.DTS {
			t.Errorf("unit %d: PTS %d below DTS %d", i, au.PTS, au.DTS)
		}
		if shown[au.PTS] {
			t.Errorf("unit %d: another has PTS %d", i, au.PTS)
		}
		shown[au.PTS] = true
	}
}

func TestVideo(t *testing.T) {
	for name, v := range map[string]mediatest.Video{
		"zero":     {},
		"rtmp":     {Timescale: 1000},
		"ntsc":     {RateNum: 30000, RateDen: 1001, Timescale: 1000},
		"bframes":  {BFrames: 2},
		"oddGOP":   {BFrames: 3, GOP: 11, Timescale: 1000},
		"allIntra": {GOP: 1},
		"tiny":     {Bytes: 1, ID: 7, Start: 1 << 40},
	} {
		t.Run(name, func(t *testing.T) {
			units := v.Units(200)
			checkUnits(t, v.Track(), units)
			for i, au := range units {
				if got := mediatest.Index(au.Data); got != i {
					t.Errorf("unit %d has index %d", i, got)
				}
			}
			f, err := media.ParseConfig(v.Track())
			if err != nil {
				t.Fatal(err)
			}
			if f.Width != 640 || f.Height != 360 || f.FrameRate != 30 || f.Codecs != "avc1.64001e" {
				t.Errorf("format %+v", f)
			}
		})
	}
}

// With B-frames each GOP is shown whole before the next.
func TestClosedGOP(t *testing.T) {
	v := mediatest.Video{BFrames: 2, GOP: 10}
	var pts []int64
	for i := range 10 {
		pts = append(pts, v.Unit(i).PTS/3000)
	}
	want := []int64{1, 4, 2, 3, 7, 5, 6, 10, 8, 9}
	if !slices.Equal(pts, want) {
		t.Errorf("shown at %v, want %v", pts, want)
	}
}

func TestAudio(t *testing.T) {
	for rate, a := range map[int]mediatest.Audio{
		48000: {},
		44100: {SampleRate: 44100, Timescale: 1000},
		32000: {SampleRate: 32000, Bytes: 5},
	} {
		units := a.Units(1000)
		checkUnits(t, a.Track(), units)
		f, err := media.ParseConfig(a.Track())
		if err != nil {
			t.Fatal(err)
		}
		if f.Channels != 2 || f.FrameSamples != 1024 || f.SampleRate != rate {
			t.Errorf("%d Hz: format %+v", rate, f)
		}
		for i, au := range units {
			if got := mediatest.Index(au.Data); got != i {
				t.Errorf("%d Hz: unit %d has index %d", rate, i, got)
			}
		}
	}
}

func TestInterleave(t *testing.T) {
	v, a := mediatest.Video{}, mediatest.Audio{Timescale: 1000}
	tracks := []media.Track{v.Track(), a.Track()}
	all := mediatest.Interleave(tracks, v.Units(30), a.Units(47))
	if len(all) != 77 {
		t.Fatalf("%d units, want 77", len(all))
	}
	scale := map[int]int64{1: 90000, 2: 1000}
	for i := 1; i < len(all); i++ {
		before, after := all[i-1], all[i]
		if media.Duration(before.DTS, scale[before.Track]) > media.Duration(after.DTS, scale[after.Track]) {
			t.Fatalf("unit %d comes before unit %d", i, i-1)
		}
	}
	if all[0].Track != 1 || all[1].Track != 2 {
		t.Errorf("units of equal time: track %d, then %d; want the order of the arguments", all[0].Track, all[1].Track)
	}
}
