package e2e

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// videoTicks is the timescale of pictures.
const videoTicks = 90_000

// TestRungsShareBoundaries has the server make three rungs of a show, and reads all segments of all four renditions at
// their edges: each begins and ends at the same tick everywhere. It prints how much later than the host's own rendition
// a part of a rung is there. By default the pictures are small. With E2E_LADDER_SECONDS the show is 1080p at 30 frames a
// second, and the rungs are 720p, 480p and 360p. For ten minutes, on a machine that has nothing else to do:
//
//	E2E_LADDER_SECONDS=600 E2E_JUDGE=1 go test -count=1 ./e2e -run TestRungsShareBoundaries -timeout 30m -v
func TestRungsShareBoundaries(t *testing.T) {
	together(t)
	harness.Need(t, "ffmpeg")
	size, rate, rungs := "640x360", "1M", []string{"240, bitrate: 400k", "180, bitrate: 250k", "120, bitrate: 120k"}
	seconds := harness.Number("E2E_LADDER_SECONDS", 0)
	if seconds > 0 {
		size, rate, rungs = "1920x1080", "5M", []string{"720, bitrate: 2.5M", "480, bitrate: 1.2M", "360, bitrate: 700k"}
	}
	wanted := time.Duration(cmp.Or(seconds, 12)) * time.Second
	config := "ladder:\n  shows:\n    - match: shop\n      rungs:\n"
	for _, rung := range rungs {
		config += "        - {short_side: " + rung + "}\n"
	}
	s := harness.Serve(t, binary(t), config)
	harness.PublishClip(t, s.PublishURL("shop"), size, rate)
	audit := s.Audit(t, "shop")
	began := time.Now()
	// A machine that can't encode three rungs in the show's own time has fewer, which the server then says.
	compared := func() (shortest time.Duration, rungs int) {
		all := audit.Renditions()
		for i := 1; i < len(all); i++ {
			ticks, _, _ := all[0].Same(all[i])
			if d := time.Duration(ticks) * time.Second / videoTicks; i == 1 || d < shortest {
				shortest = d
			}
		}
		return shortest, len(all) - 1
	}
	for end := began.Add(wanted + wanted/2 + harness.Patience); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if d, rungs := compared(); rungs == 3 && d >= wanted {
			break
		}
	}
	ladder := s.Ladder(t, "shop")
	all := audit.Renditions()
	if len(all) < 2 {
		t.Fatalf("there were %d renditions; the ladder: %+v", len(all), ladder)
	}
	host := all[0]
	t.Logf("%s: %d segments", size, len(host.Segments))
	for _, fault := range host.Whole(videoTicks, 0) {
		t.Errorf("%dp: %s", host.Height, fault)
	}
	most := time.Duration(0)
	for _, r := range all[1:] {
		ticks, segments, faults := host.Same(r)
		media := time.Duration(ticks) * time.Second / videoTicks
		most = max(most, media)
		behind := r.Behind(host)
		t.Logf("%dp: %v in %d segments beside the %dp: %d with other boundaries; parts were there %.0f ms later (p95 %.0f, %d parts)",
			r.Height, media.Round(time.Second), segments, host.Height, len(faults), 1000*harness.Median(behind), 1000*harness.Quantile(behind, 0.95), len(behind))
		for _, fault := range faults {
			t.Error(fault)
		}
		for _, miss := range r.Misses {
			t.Errorf("%dp: %s", r.Height, miss)
		}
		// Without E2E_JUDGE the machine may be too slow for some rungs, if the server says so.
		if media < wanted && (judge || ladder.Failures == 0) {
			t.Errorf("%dp: only %v of %v could be compared", r.Height, media.Round(time.Second), wanted)
		}
	}
	if most < wanted || judge && ladder.Failures > 0 {
		t.Errorf("no rung stood for %v: %+v", wanted, ladder)
	}
	if len(all) != 4 {
		t.Errorf("there were %d renditions, want 4", len(all))
	}
	if errs := audit.Errors(); errs != "" {
		t.Error(errs)
	}
	t.Log(throughFFmpeg(ladder), "failures:", ladder.Failures, "after", time.Since(began).Round(time.Second))
}

// throughFFmpeg says how long pictures take through ffmpeg, by the server's own account.
func throughFFmpeg(l harness.Ladder) string {
	text := "through ffmpeg a picture takes"
	for _, r := range l.Rungs {
		text += fmt.Sprintf(" %s %.0f ms,", r.Label, 1000*r.Latency)
	}
	return text
}
