package e2e

import (
	"syscall"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestLadderInTrouble kills the server's ffmpeg, and then stops it in its tracks (SIGSTOP), while a page plays the host's
// own rendition. The rungs go and come back; the page does not miss a picture of it.
func TestLadderInTrouble(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), `ladder:
  shows:
    - match: "*"
      rungs:
        - {short_side: 180, bitrate: 200k}
        - {short_side: 120, bitrate: 100k}
`)
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	followed := s.Follow(t, "shop")
	s.UntilLadder(t, "shop", 30*time.Second, func(l harness.Ladder) bool { return l.State == "running" })
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying(20 * time.Second)
	page.Plays(3 * time.Second)
	began := time.Now()
	for i, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		s.SignalFFmpeg(t, sig)
		s.UntilLadder(t, "shop", time.Minute, func(l harness.Ladder) bool { return l.Failures == i+1 && l.State == "running" })
	}
	page.Plays(3 * time.Second)
	r := page.Report(began)
	untroubled(t, r)
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
	f := r.Figures(harness.WallMs(began))
	t.Logf("%+v", f)
	// A page on a busy machine does not show every picture. It skips media only when it has none.
	const skipped = 60
	for i := 1; i < len(r.Frames); i++ {
		if was, is := r.Frames[i-1].Number, r.Frames[i].Number; was >= 0 && is >= 0 && (is < was || is-was > skipped) {
			t.Errorf("after picture %d the page showed %d", was, is)
		}
	}
	if judge && f.Freezes > 0 {
		t.Errorf("%d freezes, the longest %.0f ms", f.Freezes, f.LongestMs)
	}
}
