package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestPagesInBadNetwork has pages play shows of whose packets on the way to the server one in a hundred is lost, and one in
// twenty. The picture stands where pictures are lost, and play does not: it goes on as if nothing were missing.
func TestPagesInBadNetwork(t *testing.T) {
	b := chromium(t)
	for _, n := range []badNetwork{
		{name: "1 % lost", weather: harness.Weather{Loss: 0.01}, seed: 1, kilobits: 700},
		{name: "5 % lost", weather: harness.Weather{Loss: 0.05}, seed: 2, kilobits: 500},
	} {
		t.Run(n.name, func(t *testing.T) {
			harness.Fairly(t, n.name, func() []string { return pagesInStorm(t, b, n, "hls", "shaka") })
		})
	}
}

// pagesInStorm has a page with each of the players watch a show before, in and behind a storm.
func pagesInStorm(t *testing.T, b *harness.Browser, n badNetwork, players ...string) (faults []string) {
	t.Helper()
	n.begin(t)
	defer n.host.Kill()
	pages := make([]*harness.Page, len(players))
	for i, player := range players {
		pages[i] = b.Open(t, n.server.PageURL("cam", "?player="+player), harness.PageOptions{Width: 800, Height: 450})
		defer pages[i].Close()
	}
	for _, page := range pages {
		page.UntilPlaying()
		page.Plays(2 * time.Second) // what a start costs is another matter
	}
	began := time.Now()
	n.relay.Storm(badWeather)
	waitUntil(t, "the end of the storm", func() bool { return n.relay.Since() > 0 })
	fair := time.Now()
	waitUntil(t, "fair weather again", func() bool { return n.relay.Since() >= fairWeather })
	reports := make([]harness.Report, len(pages))
	for i, page := range pages {
		page.Until("what came behind the storm is on the screen", func(r harness.Report) bool {
			return r.Phase == "playing" && slices.ContainsFunc(r.Samples, func(s harness.Sample) bool {
				return s.ByDate > 0 && s.At-s.ByDate*1000 >= harness.WallMs(fair)+1000
			})
		})
		reports[i] = page.Report(began)
		untroubled(t, reports[i])
	}
	faults = n.check(t)
	for i, r := range reports {
		faults = append(faults, n.stoodStill(t, players[i], r)...)
	}
	return faults
}

// stoodStill prints for how long a page's player stood still, or jumped. It does neither for longer than pictures were
// missing, on any machine; on one that has time for it, it does not at all.
func (n *badNetwork) stoodStill(t *testing.T, player string, r harness.Report) (faults []string) {
	t.Helper()
	still, jumped := 0.0, 0.0 // seconds
	for i := 1; i < len(r.Samples); i++ {
		moved, passed := r.Samples[i].Time-r.Samples[i-1].Time, (r.Samples[i].At-r.Samples[i-1].At)/1000
		switch {
		case moved < passed/4:
			still += passed - max(0, moved)
		case moved > 2*passed:
			jumped += moved - passed
		}
	}
	stalls, seeks := r.Count("waiting"), r.Count("seeking")
	t.Logf("%s, %s: stood still for %.1f s and jumped %.1f s, with %d stalls and %d seeks, while %.1f s of pictures were missing; %v",
		n.name, player, still, jumped, stalls, seeks, n.missing.Seconds(), r.Figures(0))
	if most := n.missing.Seconds(); still > most || jumped > most {
		faults = append(faults, fmt.Sprintf("%s, %s: stood still for %.1f s and jumped %.1f s while %.1f s were missing", n.name, player, still, jumped, most))
	}
	if judge && stalls+seeks > 0 {
		faults = append(faults, fmt.Sprintf("%s, %s: %d stalls and %d seeks", n.name, player, stalls, seeks))
	}
	if len(faults) > 0 {
		harness.KeepJSON(t, player+".json", r)
	}
	return faults
}
