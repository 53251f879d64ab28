package e2e

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestMultitrackLadder publishes three sizes and two voices on one connection. A page that is told to changes between all
// of them, up and down, without a stall and without a picture that jumps back.
func TestMultitrackLadder(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.PublishLadder(t, s.PublishURL("shop"), []int{360, 240, 180}, 2)
	followed := s.Follow(t, "shop")
	s.Lists(t, "shop/index.m3u8", "TYPE=AUDIO", 2) // the second voice is heard of a little later than the first
	s.Lists(t, "shop/v1.m3u8", "#EXT-X-PART:", 13) // hls.js remembers against a level that it met gaps there
	page := b.Open(t, s.PageURL("shop", "?player=hls"), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	page.UntilTrue("three levels and two voices", `pushcart.player.levels.length === 3 && pushcart.player.audioTracks.length === 2`)
	page.Plays(3 * time.Second)
	changesSmoothly(t, page)
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
}

// changesSmoothly takes a page through all sizes and voices, and looks at the pictures meanwhile. Freezes are judged with
// E2E_JUDGE: on a busy machine they are there without any change.
func changesSmoothly(t *testing.T, page *harness.Page) {
	t.Helper()
	began := time.Now()
	for _, level := range []int{0, 2, 1, 2, 0, 1} { // by rate
		want := []int{180, 240, 360}[level]
		page.UntilTrue(fmt.Sprintf("a picture of height %d", want), mayHave(level)+fmt.Sprintf(` && video.videoHeight === %d`, want))
	}
	for _, voice := range []int{1, 0} {
		page.UntilTrue(fmt.Sprintf("voice %d", voice), fmt.Sprintf(`(pushcart.player.audioTrack = %d) === pushcart.player.audioTrack`, voice))
		page.Plays(2 * time.Second)
	}
	r := page.Report(began)
	untroubled(t, r)
	timesAgree(t, r)
	f := r.Figures(harness.WallMs(began))
	t.Logf("%+v", f)
	if judge && f.Freezes > 0 {
		t.Errorf("%d freezes, the longest %.0f ms", f.Freezes, f.LongestMs)
	}
}

// mayHave is an expression that lets hls.js choose by itself, among the levels up to a limit. What a busy machine makes it
// think of its network does not count.
func mayHave(level int) string {
	return fmt.Sprintf(`(() => {
		const { player } = pushcart;
		if (player.autoLevelCapping !== %d) {
			if (!player.autoLevelEnabled) player.loadLevel = -1;
			player.capLevelToPlayerSize = false;
			player.bandwidthEstimate = 50e6;
			player.autoLevelCapping = %[1]d;
		}
		return true;
	})()`, level)
}

// timesAgree fails the test if a picture on the page went back, or if what pictures say of their numbers and what the
// media says of their times does not go together, whatever rendition each comes from.
func timesAgree(t *testing.T, r harness.Report) {
	t.Helper()
	// The observer of a page that is short of time may read a picture that came after the one whose time it was told. That
	// happens to one picture or two; a rendition that is out of step is so for as long as it plays.
	most := 4
	if judge {
		most = 0
	}
	read, out := 0, 0
	var was harness.Frame
	begun := false
	for _, is := range r.Frames {
		if is.Number < 0 {
			continue
		}
		read++
		if !begun || r.Had("emptied", was.Shown, is.Shown) {
			was, begun, out = is, true, 0 // a player that was made anew counts anew
			continue
		}
		if is.Number < was.Number {
			t.Errorf("after picture %d the page showed %d", was.Number, is.Number)
		}
		media, drawn := is.MediaTime-was.MediaTime, float64(is.Number-was.Number)/30
		if math.Abs(media-drawn) <= 0.04 {
			was, out = is, 0
		} else if out++; out > most {
			t.Errorf("from picture %d to %d, media time goes on by %.3f s", was.Number, is.Number, media)
			was, out = is, 0
		}
	}
	if read < len(r.Frames)/2 {
		t.Errorf("%d of %d pictures could be read", read, len(r.Frames))
	}
}
