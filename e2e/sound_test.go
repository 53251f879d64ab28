package e2e

import (
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestG711 has a host send G.711, as cameras do, which no browser plays: the page that is there from the first has sound
// all the same, and it stays with the picture.
func TestG711(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{Sound: []string{"-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"}})
	followed := s.Follow(t, "shop")
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	began := time.Now()
	page.Plays(4 * time.Second)
	inSync(t, s, harness.OwnSound)
	r := page.Report(began)
	untroubled(t, r)
	if r.AudioBytes == 0 {
		t.Error("the page has had no sound")
	}
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
}
