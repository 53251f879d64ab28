package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// Lip-sync: how far what an interpreter says may be from the picture of the moment. The bound without
// E2E_JUDGE is for machines on which encoders do not get to run.
const lipSync, lipSyncBusy = 100 * time.Millisecond, 300 * time.Millisecond

// What pages do about languages: hls.js and Shaka have their own ways.
var languagesOf = map[string]struct{ languages, choose, chosen string }{
	"hls": {
		`window.pushcart.player.audioTracks.map((t) => t.lang ?? "")`,
		`void (window.pushcart.player.audioTrack = window.pushcart.player.audioTracks.findIndex((t) => t.lang === "fr"))`,
		`window.pushcart.player.audioTracks[window.pushcart.player.audioTrack]?.lang ?? ""`,
	},
	"shaka": {
		`window.pushcart.engine.renditions.voices.map((v) => v.language)`,
		`void window.pushcart.player.selectAudioTrack(window.pushcart.player.getAudioTracks().find((t) => t.language === "fr"))`,
		`window.pushcart.player.getAudioTracks().find((t) => t.active)?.language ?? ""`,
	},
}

// TestInterpreters has two interpreters join a show. A page changes to one of them, who leaves and returns: the
// page plays on, and what interpreters say stays with the picture.
func TestInterpreters(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	shop := s.PublishURL("shop")
	harness.Publish(t, shop, harness.HostOptions{})
	voice := harness.HostOptions{NoVideo: true}
	fr := harness.Publish(t, shop+"@fr", voice)
	harness.Publish(t, shop+"?lang=es&label=Castellano", voice)
	followed := s.Follow(t, "shop")
	time.Sleep(settle) // encoders begin with a burst
	inSync(t, s, "es")
	inSync(t, s, "fr")
	show := t // interpreters stay when a page's test is over
	for player, how := range languagesOf {
		t.Run(player, func(t *testing.T) {
			page := b.Open(t, s.PageURL("shop", "?player="+player), harness.PageOptions{Width: 800, Height: 450})
			page.UntilPlaying()
			var languages []string
			page.Evaluate(how.languages, &languages)
			if len(languages) != 3 || !slices.Contains(languages, "fr") || !slices.Contains(languages, "es") {
				t.Fatalf("%s lists the languages %q", player, languages)
			}
			page.Plays(2 * time.Second)
			page.Evaluate(how.choose, nil)
			page.Plays(3 * time.Second) // players that change may have to fetch anew
			page.UntilTrue("the language fr", `(`+how.chosen+`) === "fr"`)
			began := time.Now()
			fr.Stop()
			page.Plays(4 * time.Second) // silence
			fr = harness.Publish(show, shop+"@fr", voice)
			page.Plays(5 * time.Second)
			page.UntilPlaying()
			r := page.Report(began)
			untroubled(t, r)
			f := r.Figures(harness.WallMs(began))
			t.Logf("%s: %+v", player, f)
			if f.Backwards > 0 || r.AudioBytes == 0 {
				t.Errorf("the picture went back %d times, %d bytes of sound", f.Backwards, r.AudioBytes)
			}
			if judge && waits(r) > 0 {
				t.Errorf("%d stalls: %v", waits(r), r.Events)
			}
			inSync(t, s, "fr")
			inSync(t, s, "es")
		})
	}
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
}

// inSync measures how far an interpreter is from the picture. Encoders that did not get to run send late, and what comes
// late counts for half a minute: so there may be another measurement then.
func inSync(t *testing.T, s *harness.Server, language string) {
	t.Helper()
	attempt := 0
	harness.Fairly(t, "lip-sync of "+language, func() []string {
		if attempt++; attempt > 1 {
			time.Sleep(30 * time.Second)
		}
		picture, voice := s.Late(t, "shop", ""), s.Late(t, "shop", language)
		// What is heard tells where seconds begin, and not which.
		apart := ((voice-picture)%time.Second + 3*time.Second/2) % time.Second
		apart = (apart - time.Second/2).Abs()
		t.Logf("%s: the picture stands %v later than it was drawn, the voice %v later than it spoke: %v apart", language, picture, voice, apart)
		most := lipSyncBusy
		if judge {
			most = lipSync
		}
		if apart > most {
			return []string{fmt.Sprintf("picture and voice are %v apart", apart)}
		}
		return nil
	})
}
