package e2e

import (
	"math"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// hostTone and voiceTone tell the host's sound from an interpreter's.
const hostTone, voiceTone = 660, 1500

// startHearing has a page measure the pitch of what it plays; heard is that pitch in Hz, 0 for silence.
const (
	startHearing = `(() => {
		const context = new AudioContext();
		const ear = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
		context.createMediaStreamSource(video.captureStream()).connect(ear);
		window.heard = () => {
			const bins = new Float32Array(ear.frequencyBinCount);
			ear.getFloatFrequencyData(bins);
			const loudest = bins.indexOf(Math.max(...bins));
			return bins[loudest] > -80 ? loudest * context.sampleRate / ear.fftSize : 0;
		};
	})()`
	heard = `window.heard()`
)

// untilHears waits until the sound of a page has a pitch, and returns how long that took.
func untilHears(t *testing.T, page *harness.Page, pitch float64, within time.Duration) time.Duration {
	t.Helper()
	var hz float64
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if page.Evaluate(heard, &hz); math.Abs(hz-pitch) < 40 {
			return time.Since(began)
		}
		if time.Since(began) > within {
			t.Fatalf("the page sounds at %.0f Hz, not at %.0f, after %v", hz, pitch, within)
		}
	}
}

// until waits until an expression is true in a page.
func until(t *testing.T, page *harness.Page, what, js string, within time.Duration) {
	t.Helper()
	for end := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		var is bool
		if page.Evaluate(js, &is); is {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, within)
		}
	}
}

// unbroken fails the test unless the same player has played on since began. It returns the figures.
func unbroken(t *testing.T, page *harness.Page, began time.Time) harness.Figures {
	t.Helper()
	r := page.Report(began)
	untroubled(t, r)
	f := r.Figures(harness.WallMs(began))
	if r.Phase != "playing" {
		t.Errorf("phase %q", r.Phase)
	}
	var same bool
	if page.Evaluate(`window.pushcart.engine === window.first`, &same); !same {
		t.Error("the player was started anew")
	}
	if judge && f.Freezes+f.Backwards > 0 {
		t.Errorf("%d freezes, the longest %.0f ms; the picture went back %d times", f.Freezes, f.LongestMs, f.Backwards)
	}
	return f
}

// TestVoiceJoins has an interpreter join a show that a page plays already. The page learns of it and offers it; the viewer
// chooses and hears it, goes back to the host, and when the interpreter has left for good while being listened to, hears the host again.
func TestVoiceJoins(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	for _, player := range []string{"hls", "shaka"} {
		t.Run(player, func(t *testing.T) {
			harness.Publish(t, s.PublishURL(player), harness.HostOptions{Tone: hostTone})
			page := b.Open(t, s.PageURL(player, "?player="+player), harness.PageOptions{Width: 800, Height: 450})
			page.UntilPlaying(20 * time.Second)
			page.Evaluate(startHearing, nil)
			untilHears(t, page, hostTone, 20*time.Second)
			page.Plays(2 * time.Second)
			page.Evaluate(`void (window.first = pushcart.engine)`, nil)
			until(t, page, "one language, and a choice", `document.querySelector(".languages").hidden`, time.Second)

			joined := time.Now()
			harness.Publish(t, s.PublishURL(player)+"@fr", harness.HostOptions{NoVideo: true, Tone: voiceTone})
			until(t, page, "the language in the menu", `!document.querySelector(".languages").hidden`, 40*time.Second)
			t.Logf("in the menu %v after the interpreter has started", time.Since(joined).Round(10*time.Millisecond))
			page.Plays(2 * time.Second)
			f := unbroken(t, page, joined)
			t.Logf("%s, while it joined: %d freezes, the longest time between two pictures %.0f ms", player, f.Freezes, f.LongestMs)

			for _, choice := range []struct {
				name  string
				pitch float64
			}{{"Français", voiceTone}, {"Original", hostTone}, {"Français", voiceTone}} {
				chosen := time.Now()
				page.Click("#language")
				page.Click(`#language-menu >> text="` + choice.name + `"`)
				untilHears(t, page, choice.pitch, 30*time.Second)
				took := time.Since(chosen)
				page.Plays(3 * time.Second)
				f := unbroken(t, page, chosen)
				t.Logf("%s: %s was heard %v after the menu was opened; %d freezes, the longest time between two pictures %.0f ms",
					player, choice.name, took.Round(10*time.Millisecond), f.Freezes, f.LongestMs)
				var checked string
				page.Evaluate(`document.querySelector("#language-menu [aria-checked=true]")?.textContent ?? ""`, &checked)
				if !strings.Contains(checked, choice.name) {
					t.Errorf("the menu says %q, not %q", checked, choice.name)
				}
			}
		})
	}
}

// TestRungJoins has the server's own ladder join a show that pages play already.
func TestRungJoins(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), `reconnect_window: 1s
ladder:
  max_shows: 1
  shows:
    - match: "*"
      rungs:
        - {short_side: 180, bitrate: 200k}
`)
	const heights = `[...new Set(pushcart.player.levels?.map((l) => l.height) ?? pushcart.player.getVariantTracks().map((t) => t.height))].sort().join()`
	for _, tc := range []struct{ player, low, high string }{
		{"hls", `void (pushcart.player.autoLevelCapping = 0)`, `void (pushcart.player.autoLevelCapping = -1, pushcart.player.nextAutoLevel = 1)`},
		{"shaka", "", ""},
	} {
		t.Run(tc.player, func(t *testing.T) {
			// Another show has the only place.
			other := harness.Publish(t, s.PublishURL("other"), harness.HostOptions{})
			s.UntilLadder(t, "other", time.Minute, func(l harness.Ladder) bool { return l.State != "waiting" && l.State != "idle" })
			harness.Publish(t, s.PublishURL(tc.player), harness.HostOptions{})
			page := b.Open(t, s.PageURL(tc.player, "?player="+tc.player), harness.PageOptions{Width: 800, Height: 450})
			page.UntilPlaying(20 * time.Second)
			until(t, page, "one size", heights+` === "360"`, 5*time.Second)
			page.Evaluate(`void (window.first = pushcart.engine)`, nil)
			began := time.Now()
			other.Stop()
			s.UntilLadder(t, tc.player, 2*time.Minute, func(l harness.Ladder) bool { return l.State == "running" })
			if tc.player == "shaka" {
				until(t, page, "that something is missing", `pushcart.engine.renditions.missing`, 40*time.Second)
				page.Plays(2 * time.Second)
				unbroken(t, page, began)
				// Who pauses has a new start ahead anyway.
				page.Click("#play")
				page.Until("a pause", 10*time.Second, func(r harness.Report) bool { return r.Phase == "paused" })
				page.Click("#play")
				page.UntilPlaying(20 * time.Second)
				until(t, page, "two sizes", heights+` === "180,360"`, 20*time.Second)
				page.Plays(2 * time.Second)
				return
			}
			began = time.Now()
			until(t, page, "two sizes", heights+` === "180,360"`, 40*time.Second)
			page.Plays(3 * time.Second)
			f := unbroken(t, page, began)
			t.Logf("while it joined: %d freezes, the longest time between two pictures %.0f ms", f.Freezes, f.LongestMs)
			for _, change := range []struct {
				js     string
				height int
			}{{tc.low, 180}, {tc.high, 360}} {
				began = time.Now()
				page.Evaluate(change.js, nil)
				page.Until("another size", 30*time.Second, func(r harness.Report) bool { return r.Height == change.height })
				page.Plays(3 * time.Second)
				f := unbroken(t, page, began)
				t.Logf("to %dp: %d freezes, the longest time between two pictures %.0f ms", change.height, f.Freezes, f.LongestMs)
			}
		})
	}
}
