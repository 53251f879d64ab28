package e2e

import (
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestHostsOwnLadder has a host send three sizes of the picture, two of them on connections of their own. Pages
// change between them every two seconds, and the picture goes on.
func TestHostsOwnLadder(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{Rungs: []int{270, 180}})
	followed := s.Follow(t, "shop")
	time.Sleep(settle) // the rungs join
	for player, change := range map[string]string{
		"hls": `pushcart.player.nextLevel = (Math.max(0, pushcart.player.currentLevel) + 1) % pushcart.player.levels.length`,
		"shaka": `(() => {
			const { player } = pushcart;
			player.configure('abr.enabled', false);
			const tracks = player.getVariantTracks().sort((a, b) => a.height - b.height);
			player.selectVariantTrack(tracks[(tracks.findIndex((t) => t.active) + 1) % tracks.length]);
		})()`,
	} {
		t.Run(player, func(t *testing.T) {
			page := b.Open(t, s.PageURL("shop", "?player="+player), harness.PageOptions{Width: 900, Height: 500})
			page.UntilPlaying(20 * time.Second)
			page.Plays(3 * time.Second)
			began := time.Now()
			page.Evaluate(`(() => {
				window.heights = new Set([video.videoHeight]);
				video.addEventListener('resize', () => window.heights.add(video.videoHeight));
				setInterval(() => { `+change+` }, 2000);
			})()`, nil)
			page.Plays(18 * time.Second)
			var heights []int
			page.Evaluate(`[...window.heights]`, &heights)
			if len(heights) != 3 {
				t.Fatalf("the picture has had the heights %v", heights)
			}
			r := page.Report(began)
			untroubled(t, r)
			f := r.Figures(harness.WallMs(began))
			t.Logf("heights %v; %+v", heights, f)
			// A page on a busy machine does not show every picture. It skips media only when it has none.
			const skipped = 60
			for i := 1; i < len(r.Frames); i++ {
				if was, is := r.Frames[i-1].Number, r.Frames[i].Number; was >= 0 && is >= 0 && (is < was || is-was > skipped) {
					t.Errorf("after picture %d the page showed %d", was, is)
				}
			}
			if stalls := waits(r); judge && (stalls > 0 || f.Freezes > 0) {
				t.Errorf("%d stalls, %d freezes, the longest %.0f ms", stalls, f.Freezes, f.LongestMs)
			}
		})
	}
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
	if log := s.Log(); strings.Contains(log, "has no keyframes where the host has them") || strings.Contains(log, "clock of its own") {
		t.Error("the rungs of one encoder do not line up")
	}
}
