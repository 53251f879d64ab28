package e2e

import (
	"fmt"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestMultitrackLadder publishes three sizes and two voices on one connection. A page that is told to changes between all
// of them, up and down, without a stall and without a picture that jumps back.
func TestMultitrackLadder(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.PublishLadder(t, s.PublishURL("shop"), []int{360, 240, 180}, 2)
	followed := s.Follow(t, "shop")
	s.Lists(t, "shop/index.m3u8", "TYPE=AUDIO", 2) // the second voice is heard of a little later than the first
	s.Lists(t, "shop/v1.m3u8", "#EXT-X-PART:", 13) // hls.js remembers against a level that it met gaps there
	page := b.Open(t, s.PageURL("shop", "?player=hls"), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying(20 * time.Second)
	var offered []int
	page.Evaluate(`[pushcart.player.levels.length, pushcart.player.audioTracks.length]`, &offered)
	if fmt.Sprint(offered) != "[3 2]" {
		t.Fatalf("the page sees %d levels and voices", offered)
	}
	page.Plays(3 * time.Second)
	began := time.Now()
	// The page chooses by itself, among those up to a limit that moves.
	var is int
	page.Evaluate(`(pushcart.player.capLevelToPlayerSize = false, 0)`, &is)
	for _, level := range []int{0, 2, 1, 2, 0, 1} { // by rate
		page.Evaluate(fmt.Sprintf(`pushcart.player.autoLevelCapping = %d`, level), &is)
		want := []int{180, 240, 360}[level]
		page.Until(fmt.Sprintf("a picture of height %d", want), 15*time.Second, func(r harness.Report) bool { return r.Height == want })
	}
	for _, voice := range []int{1, 0} {
		page.Evaluate(fmt.Sprintf(`pushcart.player.audioTrack = %d`, voice), &is)
		page.Plays(2 * time.Second)
	}
	r := page.Report(began)
	untroubled(t, r)
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
	read := 0
	for i := 1; i < len(r.Frames); i++ {
		was, is := r.Frames[i-1], r.Frames[i]
		if was.Number < 0 || is.Number < 0 {
			continue
		}
		read++
		if is.Number < was.Number {
			t.Errorf("after picture %d the page showed %d", was.Number, is.Number)
		}
		// What a picture says of its number, and what the media says of its time, go together in all sizes.
		if media, drawn := is.MediaTime-was.MediaTime, float64(is.Number-was.Number)/30; media-drawn > 0.04 || drawn-media > 0.04 {
			t.Errorf("from picture %d to %d, media time goes on by %.3f s", was.Number, is.Number, media)
		}
	}
	if read < len(r.Frames)/2 {
		t.Errorf("%d of %d pictures could be read", read, len(r.Frames))
	}
	f := r.Figures(harness.WallMs(began))
	t.Logf("%+v", f)
	if f.Freezes > 0 && (judge || f.LongestMs > 1500) {
		t.Errorf("%d freezes, the longest %.0f ms", f.Freezes, f.LongestMs)
	}
}
