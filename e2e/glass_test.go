package e2e

import (
	"fmt"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// Budgets of a start, judged with E2E_JUDGE.
const (
	firstFrameMost = 2 * time.Second
	warmUp         = 4 * time.Second // of play, before latency counts
	settle         = 6 * time.Second // viewers come to a show that is on, not in its first second
)

// TestGlassToGlass opens the page again and again, and reads off the picture how old it is.
func TestGlassToGlass(t *testing.T) {
	b := chromium(t)
	starts, seconds := harness.Number("E2E_STARTS", 1), harness.Number("E2E_SECONDS", 6)
	for _, latency := range []struct {
		preset string
		most   time.Duration
	}{
		{"low", 1600 * time.Millisecond},
		{"lowest", 1100 * time.Millisecond},
	} {
		t.Run(latency.preset, func(t *testing.T) {
			s := harness.Serve(t, binary(t), "latency: "+latency.preset+"\n")
			harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
			time.Sleep(settle)
			for _, player := range []string{"hls", "shaka"} {
				t.Run(player, func(t *testing.T) {
					var all []harness.Figures
					for i := range starts {
						page := b.Open(t, s.PageURL("shop", "?player="+player), harness.PageOptions{})
						page.UntilPlaying()
						page.Plays(time.Duration(seconds) * time.Second)
						all = append(all, judgeStart(t, i, page.Report(time.Time{}), latency.most))
						page.Close()
					}
					harness.KeepJSON(t, "figures.json", all)
					summary(t, all, latency.most)
				})
			}
		})
	}
}

// judgeStart checks one stretch of play and returns its figures.
func judgeStart(t *testing.T, i int, r harness.Report, most time.Duration) harness.Figures {
	t.Helper()
	untroubled(t, r)
	if len(r.Frames) == 0 {
		t.Fatalf("start %d: no frame was shown", i+1)
	}
	f := r.Figures(r.Frames[0].Shown + float64(warmUp.Milliseconds()))
	t.Logf("start %d: %v", i+1, f)
	if f.Backwards > 0 {
		t.Errorf("start %d: the picture went back %d times", i+1, f.Backwards)
	}
	if f.Unreadable*10 > f.Frames {
		t.Errorf("start %d: %d of %d clocks could not be read", i+1, f.Unreadable, f.Frames)
	}
	if r.AudioBytes == 0 || r.Muted {
		t.Errorf("start %d: no sound (%d bytes decoded, muted %v)", i+1, r.AudioBytes, r.Muted)
	}
	if !judge {
		return f
	}
	if f.FirstFrameMs > float64(firstFrameMost.Milliseconds()) {
		t.Errorf("start %d: first frame after %.0f ms: more than %v", i+1, f.FirstFrameMs, firstFrameMost)
	}
	if stalls := waits(r); stalls > 0 {
		t.Errorf("start %d: %d stalls; %d ms after the first frame: %v", i+1, stalls, int(r.Now-r.Frames[0].Shown), r.Events)
	}
	return f
}

// waits counts how often the player ran dry after its first frame. A seek, such as the page's jump to its
// distance at the start, also makes the video element wait, and is no stall.
func waits(r harness.Report) int {
	n, seek := 0, 0.0
	for _, e := range r.Events {
		switch {
		case e.Type == "seeking":
			seek = e.At
		case e.Type == "waiting" && e.At > r.Frames[0].Shown && e.At > seek+300:
			n++
		}
	}
	return n
}

// summary prints the medians over all starts.
func summary(t *testing.T, all []harness.Figures, most time.Duration) {
	t.Helper()
	var glass, first []float64
	freezes := 0
	for _, f := range all {
		glass, first, freezes = append(glass, f.GlassP50), append(first, f.FirstFrameMs), freezes+f.Freezes
	}
	line := fmt.Sprintf("median of %d starts: glass to glass %.3f s (budget %v), first frame %.0f ms (budget %v), %d freezes in all",
		len(all), harness.Median(glass), most, harness.Median(first), firstFrameMost, freezes)
	t.Log(line)
	if judge && harness.Median(glass) > most.Seconds() {
		t.Error(line)
	}
}
