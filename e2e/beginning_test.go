package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestAtTheBeginning opens pages in the moments in which a player may first read what there is: of a show, and of a ladder. Players
// find what they begin with at once. hls.js holds nothing against a size, since it would never choose it by itself again.
func TestAtTheBeginning(t *testing.T) {
	b := chromium(t)
	for _, tt := range []struct{ name, config, listed string }{
		{"a show", "", "v1.m3u8"},
		{"a ladder", "ladder:\n  shows:\n    - match: \"*\"\n      rungs:\n        - {short_side: 180, bitrate: 200k}\n", "v2.m3u8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			harness.Fairly(t, "the beginning of "+tt.name, func() (faults []string) {
				s := harness.Serve(t, binary(t), tt.config)
				harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
				s.Lists(t, "shop/index.m3u8", tt.listed, 1)
				return beginning(t, b, s)
			})
		})
	}
}

// beginning opens a page for each player and returns what went wrong before they played.
func beginning(t *testing.T, b *harness.Browser, s *harness.Server) (faults []string) {
	t.Helper()
	began := time.Now()
	pages := map[string]*harness.Page{}
	for _, player := range []string{"hls", "shaka"} {
		pages[player] = b.Open(t, s.PageURL("shop", "?player="+player), harness.PageOptions{Width: 800, Height: 450})
		defer pages[player].Close()
	}
	for player, page := range pages {
		page.UntilPlaying()
		r := page.Report(began)
		untroubled(t, r)
		for _, line := range r.Console {
			if strings.Contains(line, "trouble") {
				faults = append(faults, player+": "+line)
			}
		}
	}
	var errors int
	if pages["hls"].Evaluate(`pushcart.player.levels.reduce((sum, l) => sum + l.loadError + l.fragmentError, 0)`, &errors); errors > 0 {
		faults = append(faults, fmt.Sprintf("hls.js holds %d errors against sizes", errors))
	}
	return faults
}
