package e2e

import (
	"fmt"
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
func untilHears(page *harness.Page, pitch float64) time.Duration {
	began := time.Now()
	page.UntilTrue(fmt.Sprintf("a sound of %.0f Hz", pitch), fmt.Sprintf(`Math.abs(%s - %v) < 40`, heard, pitch))
	return time.Since(began)
}

// unbroken waits until the page plays and returns what it did since began, and whether that was all by the same player:
// one that a busy machine has kept waiting is started anew, too.
func unbroken(t *testing.T, page *harness.Page, began time.Time) (f harness.Figures, faults []string) {
	t.Helper()
	page.UntilPlaying()
	r := page.Report(began)
	untroubled(t, r)
	f = r.Figures(harness.WallMs(began))
	var same bool
	if page.Evaluate(`window.pushcart.engine === window.first`, &same); !same {
		faults = append(faults, "the player was started anew")
	}
	if judge && f.Freezes+f.Backwards > 0 {
		faults = append(faults, fmt.Sprintf("%d freezes, the longest %.0f ms; the picture went back %d times", f.Freezes, f.LongestMs, f.Backwards))
	}
	return f, faults
}

// TestVoiceJoins has an interpreter join a show that a page plays already. The page learns of it and offers it; the viewer
// chooses and hears it, and goes back to the host.
func TestVoiceJoins(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	for _, player := range []string{"hls", "shaka"} {
		t.Run(player, func(t *testing.T) {
			attempt := 0
			harness.Fairly(t, "a voice joins", func() []string {
				attempt++
				return voiceJoins(t, b, s, player, fmt.Sprint(player, attempt))
			})
		})
	}
}

func voiceJoins(t *testing.T, b *harness.Browser, s *harness.Server, player, show string) (faults []string) {
	t.Helper()
	host := harness.Publish(t, s.PublishURL(show), harness.HostOptions{Tone: hostTone})
	defer host.Kill()
	page := b.Open(t, s.PageURL(show, "?player="+player), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	page.Evaluate(startHearing, nil)
	untilHears(page, hostTone)
	page.Plays(2 * time.Second)
	page.Evaluate(`void (window.first = pushcart.engine)`, nil)
	page.UntilTrue("one language, and no choice", `document.querySelector(".languages").hidden`)

	joined := time.Now()
	voice := harness.Publish(t, s.PublishURL(show)+"@fr", harness.HostOptions{NoVideo: true, Tone: voiceTone})
	defer voice.Kill()
	page.UntilTrue("the language in the menu", `!document.querySelector(".languages").hidden`)
	t.Logf("in the menu %v after the interpreter has started", time.Since(joined).Round(10*time.Millisecond))
	page.Plays(2 * time.Second)
	f, faults := unbroken(t, page, joined)
	t.Logf("%s, while it joined: %d freezes, the longest time between two pictures %.0f ms", player, f.Freezes, f.LongestMs)

	for _, choice := range []struct {
		name  string
		pitch float64
	}{{"Français", voiceTone}, {"Original", hostTone}, {"Français", voiceTone}} {
		chosen := time.Now()
		page.Click("#language")
		page.Click(`#language-menu >> text="` + choice.name + `"`)
		untilHears(page, choice.pitch)
		took := time.Since(chosen)
		page.Plays(3 * time.Second)
		f, broken := unbroken(t, page, chosen)
		faults = append(faults, broken...)
		t.Logf("%s: %s was heard %v after the menu was opened; %d freezes, the longest time between two pictures %.0f ms",
			player, choice.name, took.Round(10*time.Millisecond), f.Freezes, f.LongestMs)
		page.UntilTrue("the choice in the menu", `document.querySelector("#language-menu [aria-checked=true]")?.textContent.includes("`+choice.name+`")`)
	}
	page.Close()
	return faults
}

// TestRungJoins has the server's own ladder join a show that pages play already.
func TestRungJoins(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), `reconnect_window: 1s
ladder:
  max_shows: 1
  shows:
    - match: "*"
      rungs:
        - {short_side: 180, bitrate: 200k}
`)
	for _, player := range []string{"hls", "shaka"} {
		t.Run(player, func(t *testing.T) {
			attempt := 0
			harness.Fairly(t, "a rung joins", func() []string {
				attempt++
				return rungJoins(t, b, s, player, fmt.Sprint(player, attempt))
			})
		})
	}
}

func rungJoins(t *testing.T, b *harness.Browser, s *harness.Server, player, show string) (faults []string) {
	t.Helper()
	const heights = `[...new Set(pushcart.player.levels?.map((l) => l.height) ?? pushcart.player.getVariantTracks().map((t) => t.height))].sort().join()`
	// Another show has the only place.
	other := harness.Publish(t, s.PublishURL("other"), harness.HostOptions{})
	s.UntilLadder(t, "other", "at work", func(l harness.Ladder) bool { return l.State == "starting" || l.State == "running" })
	host := harness.Publish(t, s.PublishURL(show), harness.HostOptions{})
	defer host.Stop()
	page := b.Open(t, s.PageURL(show, "?player="+player), harness.PageOptions{Width: 800, Height: 450})
	defer page.Close()
	page.UntilPlaying()
	page.UntilTrue("one size", heights+` === "360"`)
	page.Evaluate(`void (window.first = pushcart.engine)`, nil)
	began := time.Now()
	other.Stop()
	s.UntilLadder(t, show, "running", running)
	if player == "shaka" {
		page.UntilTrue("that something is missing", `pushcart.engine.renditions.missing`)
		page.Plays(2 * time.Second)
		_, faults = unbroken(t, page, began)
		// Who pauses has a new start ahead anyway.
		page.Click("#play")
		page.Until("a pause", func(r harness.Report) bool { return r.Phase == "paused" })
		page.Click("#play")
		page.UntilPlaying()
		page.UntilTrue("two sizes", heights+` === "180,360"`)
		page.Plays(2 * time.Second)
		return faults
	}
	began = time.Now()
	page.UntilTrue("two sizes", heights+` === "180,360"`)
	page.Plays(3 * time.Second)
	f, faults := unbroken(t, page, began)
	t.Logf("while it joined: %d freezes, the longest time between two pictures %.0f ms", f.Freezes, f.LongestMs)
	for level, height := range []int{180, 360} {
		began = time.Now()
		page.UntilTrue("another size", mayHave(level)+fmt.Sprintf(` && video.videoHeight === %d`, height))
		page.Plays(3 * time.Second)
		f, broken := unbroken(t, page, began)
		faults = append(faults, broken...)
		t.Logf("to %dp: %d freezes, the longest time between two pictures %.0f ms", height, f.Freezes, f.LongestMs)
	}
	return faults
}
