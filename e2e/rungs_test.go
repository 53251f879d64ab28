package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestHostsOwnLadder has a host send three sizes of the picture, two of them on connections of their own. Pages
// change between them every two seconds, and the picture goes on.
func TestHostsOwnLadder(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	name := joined(t, s)
	followed := s.Follow(t, name)
	audit := s.Audit(t, name)
	for player, toggles := range map[string]string{"hls": hlsToggles, "shaka": shakaToggles} {
		t.Run(player, func(t *testing.T) {
			page := b.Open(t, s.PageURL(name, "?player="+player), harness.PageOptions{Width: 900, Height: 500})
			page.UntilPlaying()
			page.Plays(3 * time.Second)
			began := time.Now()
			page.Evaluate(notesHeights, nil)
			page.Evaluate("void "+toggles, nil)
			page.Plays(14 * time.Second)
			page.UntilTrue("all three sizes", `new Set(heights).size === 3`)
			r := page.Report(began)
			untroubled(t, r)
			f := r.Figures(harness.WallMs(began))
			t.Logf("%+v", f)
			goesOn(t, r)
			if stalls := waits(r); judge && (stalls > 0 || f.Freezes > 0) {
				t.Errorf("%d stalls, %d freezes, the longest %.0f ms", stalls, f.Freezes, f.LongestMs)
			}
		})
	}
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
	hostIsWhole(t, audit)
}

// joined publishes three sizes of the picture and waits until all are in the show, whose name it returns. The server is
// to find out that they come from one encoder, which their times and the moments of their arrival tell.
func joined(t *testing.T, s *harness.Server) (name string) {
	t.Helper()
	attempt := 0
	harness.Fairly(t, "the rungs of one encoder", func() []string {
		attempt++
		name = fmt.Sprintf("shop%d", attempt)
		seen := len(s.Log())
		host := harness.Publish(t, s.PublishURL(name), harness.HostOptions{Rungs: []int{270, 180}})
		s.Lists(t, name+"/index.m3u8", "#EXT-X-STREAM-INF", 3)
		time.Sleep(settle) // they are lined up again at their next keyframes
		log := s.Log()[seen:]
		if !strings.Contains(log, "has no keyframes where the host has them") && !strings.Contains(log, "clock of its own") {
			return nil
		}
		host.Kill()
		return []string{"they do not line up"}
	})
	return name
}

// goesOn fails the test if the pictures on a page went back, or do not go with their times. How many it showed is judged
// only with E2E_JUDGE: a page that is short of time leaves pictures out, and seeks when it is late. What it could have
// shown, hostIsWhole knows.
func goesOn(t *testing.T, r harness.Report) {
	t.Helper()
	timesAgree(t, r)
	const skipped = 60
	for i := 1; judge && i < len(r.Frames); i++ {
		if was, is := r.Frames[i-1], r.Frames[i]; was.Number >= 0 && is.Number > was.Number+skipped {
			t.Errorf("after picture %d the page showed %d", was.Number, is.Number)
		}
	}
}
