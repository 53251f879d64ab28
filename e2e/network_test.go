package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// Kilobits a second: what the host sends, with filler where the picture needs less, and what comes through a bad network.
const (
	hostsRate = 2000
	badRate   = 900
)

// TestLadderFollowsTheNetwork makes a page's network too slow for the host's own rendition, and then fast again. hls.js goes
// down to one of the server's rungs, plays on there, and comes back up. Whatever it plays, no picture goes back,
// and numbers and times go together, across all changes.
func TestLadderFollowsTheNetwork(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), `ladder:
  shows:
    - match: "*"
      rungs:
        - {short_side: 240, bitrate: 400k}
        - {short_side: 180, bitrate: 200k}
`)
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{KilobitsPerSecond: hostsRate, ExtraVideoSettings: []string{"-nal-hrd", "cbr"}})
	s.Lists(t, "shop/index.m3u8", "#EXT-X-STREAM-INF", 3)
	page := b.Open(t, s.PageURL("shop", "?player=hls"), harness.PageOptions{Width: 1280, Height: 720})
	page.UntilPlaying()
	page.UntilTrue("three levels", `pushcart.player.levels.length === 3`)
	page.UntilTrue("the host's own rendition", `video.videoHeight === 360`)
	page.Evaluate(notesHeights, nil)
	began := time.Now()
	harness.Fairly(t, "down and up", func() (faults []string) {
		failures := s.Ladder(t, "shop").Failures
		page.Throttle(badRate)
		page.UntilTrue("a smaller rendition", `video.videoHeight < 360`)
		page.Plays(2 * time.Second)
		// The network carries this one: from here on there is no reason to stand still.
		const steady = 8 * time.Second
		slow := time.Now()
		faults = append(faults, standsStill(t, "with the bad network", page.Plays(steady))...)
		if took := time.Since(slow); took > 2*steady {
			faults = append(faults, fmt.Sprintf("with the bad network %v of play took %v", steady, took.Round(time.Second)))
		}
		fast := time.Now()
		page.Throttle(0)
		page.UntilTrue("the host's own rendition again", `video.videoHeight === 360`)
		page.Plays(3 * time.Second)
		faults = append(faults, standsStill(t, "back up", page.Report(fast))...)
		if n := s.Ladder(t, "shop").Failures - failures; n > 0 {
			t.Logf("the server could not make the rungs for a while, %d times", n) // the page had something to go down to all the same
		}
		return faults
	})
	var heights []int
	page.Evaluate(`heights`, &heights)
	t.Logf("heights: %v", heights)
	r := page.Report(began)
	untroubled(t, r)
	timesAgree(t, r)
}

// standsStill prints what a page did for some time, and returns how often it stood still if that is judged: a browser that
// is short of time does so for reasons of its own.
func standsStill(t *testing.T, what string, r harness.Report) []string {
	t.Helper()
	stalls := r.Count("waiting")
	t.Logf("%s: %d stalls; %v", what, stalls, r.Figures(0))
	if judge && stalls > 0 {
		return []string{fmt.Sprintf("%s: %d stalls", what, stalls)}
	}
	return nil
}

// TestFullCPU keeps all processors busy with something else while a page plays the host's own rendition. The server's
// ffmpeg, which stands back, starves: its rungs go, the show's state says why, and they come back when there is time
// again. Of the host's rendition nothing is lost.
func TestFullCPU(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), `ladder:
  nice: 19
  shows:
    - match: "*"
      rungs:
        - {short_side: 240, bitrate: 300k}
        - {short_side: 180, bitrate: 200k}
        - {short_side: 120, bitrate: 100k}
`)
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	s.UntilLadder(t, "shop", "running", running)
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	page.UntilTrue("the host's own rendition", `(pushcart.player.levels.length > 1 ? pushcart.player.nextLevel = pushcart.player.levels.length - 1 : 0, video.videoHeight === 360)`)
	audit := s.Audit(t, "shop")
	page.Plays(3 * time.Second)
	before := s.UntilLadder(t, "shop", "running", running).Failures
	began := time.Now()
	stop := harness.FullCPU(t)
	starved := s.UntilLadder(t, "shop", "starved", func(l harness.Ladder) bool { return l.Failures > before })
	page.Plays(4 * time.Second)
	stop()
	var said []string
	for _, remark := range s.Show(t, "shop").Remarks {
		said = append(said, remark.Text)
	}
	t.Logf("after %v: %+v; remarks: %q", time.Since(began).Round(time.Second), starved, said)
	slow := func(remark string) bool {
		return strings.Contains(remark, "too slow") || strings.Contains(remark, "no picture from ffmpeg") || strings.Contains(remark, "catch up")
	}
	if !slices.ContainsFunc(said, slow) {
		t.Errorf("the show's state does not say that ffmpeg was too slow: %q", said)
	}
	s.UntilLadder(t, "shop", "back", running)
	page.Plays(3 * time.Second)
	r := page.Report(began)
	untroubled(t, r)
	goesOn(t, r)
	t.Logf("%+v", r.Figures(harness.WallMs(began)))
	hostIsWhole(t, audit)
}
