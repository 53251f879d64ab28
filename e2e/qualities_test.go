package e2e

import (
	"fmt"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestSoundOfTheLadder has a smaller rendition with a sound of its own, which is another group of audio renditions. Pages
// change between the two sizes: the sound changes with the picture, is heard, and hls.js, which tells, throws nothing away
// that it has of it.
func TestSoundOfTheLadder(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), `ladder:
  shows:
    - match: "*"
      rungs:
        - {short_side: 180, bitrate: 200k, audio_bitrate: 48k}
`)
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{Tone: hostTone})
	followed := s.Follow(t, "shop")
	s.Lists(t, "shop/index.m3u8", `AUDIO="audio-48k"`, 1)
	s.Lists(t, "shop/index.m3u8", `AUDIO="audio"`, 1)
	for player, how := range map[string]struct{ notes, change, group string }{
		"hls": {
			`void (window.flushes = 0, pushcart.player.on('hlsBufferFlushing', (_, d) => { if (d.type === 'audio') flushes++; }))`,
			`(%s)`,
			`pushcart.player.audioTracks[pushcart.player.audioTrack]?.groupId`,
		},
		"shaka": {
			// Shaka knows playlists, and not the groups that they are in.
			`void (window.flushes = 0, pushcart.player.configure('abr.enabled', false), fetch('index.m3u8').then((r) => r.text()).then((text) => {
				window.groups = Object.fromEntries([...text.matchAll(/GROUP-ID="([^"]+)".*URI="([^"]+)"/g)].map((m) => [m[2], m[1]]));
			}))`,
			`((height) => {
				const track = pushcart.player.getVariantTracks().find((t) => t.height === height);
				if (!track.active) pushcart.player.selectVariantTrack(track);
				return true;
			})(%s)`,
			`window.groups?.[pushcart.player.getVariantTracks().find((t) => t.active)?.originalAudioId]`,
		},
	} {
		t.Run(player, func(t *testing.T) {
			page := b.Open(t, s.PageURL("shop", "?player="+player), harness.PageOptions{Width: 800, Height: 450})
			defer page.Close()
			page.UntilPlaying()
			page.Evaluate(startHearing, nil)
			page.Evaluate(how.notes, nil)
			untilHears(page, hostTone)
			harness.Fairly(t, "changes of size and sound", func() (faults []string) {
				began := time.Now()
				for _, level := range []int{0, 1, 0, 1} { // by rate
					height, group := []int{180, 360}[level], []string{"audio-48k", "audio"}[level]
					change := fmt.Sprintf(how.change, fmt.Sprint(height))
					if player == "hls" {
						change = fmt.Sprintf(how.change, mayHave(level))
					}
					page.UntilTrue(fmt.Sprintf("a picture of height %d", height), change+fmt.Sprintf(` && video.videoHeight === %d`, height))
					page.UntilTrue("the sound that goes with it", fmt.Sprintf(`(%s) === %q`, how.group, group))
					page.Plays(2 * time.Second)
					untilHears(page, hostTone)
				}
				r := page.Report(began)
				untroubled(t, r)
				f := r.Figures(harness.WallMs(began))
				t.Logf("%s: %+v, %d waits", player, f, waits(r))
				var flushes int
				if page.Evaluate(`flushes`, &flushes); flushes > 0 {
					t.Errorf("the player has thrown away the sound %d times", flushes)
				}
				if judge && (f.Freezes > 0 || waits(r) > 0) {
					faults = append(faults, fmt.Sprintf("%d freezes, the longest %.0f ms, %d waits", f.Freezes, f.LongestMs, waits(r)))
				}
				return faults
			})
		})
	}
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}
}
