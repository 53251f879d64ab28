package packager

import (
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager/m3u8"
	"pushcart/stream"
)

// TestRatesComeDown has a host come back with a fifth of the bit rate. BANDWIDTH stays while there are segments of before,
// then it is what the host sends now; a return with the same rate changes nothing, and one with more does at once.
func TestRatesComeDown(t *testing.T) {
	p := newShow(t, "low")
	in := inspect(t, p)
	video := mediatest.Video{Start: 90000, Bytes: 10_000}
	track := video.Track()
	said := func() (peak, average int) {
		m, err := m3u8.ParseMultivariant([]byte(multivariantText(t, p)))
		if err != nil {
			t.Fatal(err)
		}
		return m.Variants[0].Bandwidth, m.Variants[0].AverageBandwidth
	}
	second := 1
	epoch := func(seconds, bytes int, each func(second int)) {
		apply(t, p, stream.Event{Kind: stream.EventTracks, Tracks: []media.Track{track}})
		v := video
		v.Bytes, v.Start = bytes, int64(second)*90000
		for i, au := range v.Units(seconds * 30) {
			apply(t, p, stream.Event{Kind: stream.EventUnit, Unit: au})
			if in.look(); i%30 == 29 && each != nil && p.window.state.Load().multivariant != nil {
				each(i / 30)
			}
		}
		apply(t, p, stream.Event{Kind: stream.EventInterrupted})
		second += seconds + 2
	}
	epoch(20, 10_000, nil)
	high, highMean := said()
	unchanged := func(at int) {
		if peak, mean := said(); peak != high || mean != highMean {
			t.Fatalf("%d s after its return %d and %d are said, before it was %d and %d", at, peak, mean, high, highMean)
		}
	}
	epoch(20, 10_000, unchanged)
	listed := int(p.cfg.Window.Seconds())
	came := 0
	epoch(listed+20, 2_000, func(at int) {
		if peak, _ := said(); peak < high && came == 0 {
			came = at
		}
		if at < listed-10 {
			unchanged(at)
		}
	})
	low, lowMean := said()
	if came == 0 || low > high/4 || lowMean > highMean/4 {
		t.Errorf("after %d s %d and %d are said, before it was %d and %d", came, low, lowMean, high, highMean)
	}
	epoch(10, 10_000, nil)
	if peak, mean := said(); peak < high*9/10 || mean < highMean*9/10 {
		t.Errorf("with more again, %d and %d are said, where it was %d and %d", peak, mean, high, highMean)
	}
}
