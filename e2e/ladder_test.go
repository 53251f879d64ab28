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
	together(t)
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
	audit := s.Audit(t, "shop")
	s.UntilLadder(t, "shop", "running", running)
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	page.Plays(3 * time.Second)
	began := time.Now()
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP} {
		// On a busy machine it may also fail by itself.
		before := s.UntilLadder(t, "shop", "running", running).Failures
		s.SignalFFmpeg(t, sig)
		s.UntilLadder(t, "shop", "back after "+sig.String(), func(l harness.Ladder) bool { return l.Failures > before && running(l) })
	}
	page.Plays(3 * time.Second)
	r := page.Report(began)
	untroubled(t, r)
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
	f := r.Figures(harness.WallMs(began))
	t.Logf("%+v", f)
	goesOn(t, r)
	hostIsWhole(t, audit)
	if judge && f.Freezes > 0 {
		t.Errorf("%d freezes, the longest %.0f ms", f.Freezes, f.LongestMs)
	}
}

// hostIsWhole fails the test if anything is missing in the host's own rendition of 640x360 at 30 pictures a second.
func hostIsWhole(t *testing.T, audit *harness.Audit) {
	t.Helper()
	all := audit.Renditions()
	if len(all) == 0 || all[0].Height != 360 || len(all[0].Segments) == 0 {
		t.Fatalf("the host's rendition was not read: %s", audit.Errors())
	}
	host := all[0]
	for _, fault := range host.Whole(videoTicks, 30) {
		t.Error(fault)
	}
	t.Logf("%d segments of the host's rendition were read", len(host.Segments))
}

func running(l harness.Ladder) bool { return l.State == "running" }
