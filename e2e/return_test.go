package e2e

import (
	"fmt"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// resumeMost is how long after the first part is there a page may take to play on; judged with E2E_JUDGE.
const resumeMost = 2 * time.Second

// TestHostReturns takes the host away for a while. The same page plays on by itself: no reload, nobody seeks.
func TestHostReturns(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	for _, away := range []time.Duration{5 * time.Second, 20 * time.Second} {
		t.Run(fmt.Sprintf("killed for %v", away), func(t *testing.T) {
			t.Parallel()
			returns(t, b, s, func(t *testing.T, url string, host *harness.Host) {
				host.Kill()
				time.Sleep(away)
				harness.Publish(t, url, harness.HostOptions{})
			})
		})
	}
	// The host's machine stops without closing the connection, and then goes on as if nothing had been.
	t.Run("frozen for 5s", func(t *testing.T) {
		t.Parallel()
		returns(t, b, s, func(t *testing.T, url string, host *harness.Host) {
			host.Freeze()
			time.Sleep(5 * time.Second)
			host.Thaw()
		})
	})
	// It stops, and another one takes over with the same key while the dead connection is still there.
	t.Run("frozen for 20s", func(t *testing.T) {
		t.Parallel()
		returns(t, b, s, func(t *testing.T, url string, host *harness.Host) {
			host.Freeze()
			time.Sleep(20 * time.Second)
			harness.Publish(t, url, harness.HostOptions{})
		})
	})
}

// returns plays a show, lets interrupt take the host away and bring it back, and looks at what the page did.
func returns(t *testing.T, b *harness.Browser, s *harness.Server, interrupt func(t *testing.T, url string, host *harness.Host)) {
	name := "shop" + fmt.Sprint(time.Now().UnixNano())
	url := s.PublishURL(name)
	host := harness.Publish(t, url, harness.HostOptions{})
	followed := s.Follow(t, name)
	page := b.Open(t, s.PageURL(name, ""), harness.PageOptions{Width: 800, Height: 450})
	page.UntilPlaying()
	page.Plays(5 * time.Second)
	before := page.Report(time.Time{})
	if len(before.Frames) == 0 {
		t.Fatal("no picture was shown")
	}

	interrupt(t, url, host)
	returned := time.Now()
	r := page.Until("playing on", func(r harness.Report) bool {
		n := len(r.Frames)
		return r.Phase == "playing" && n > 0 && r.Frames[n-1].Stamp > harness.WallMs(returned)
	})
	if r.Token != before.Token {
		t.Error("the page was loaded anew")
	}
	settling := 4 * time.Second
	if judge {
		settling = 12 * time.Second // for the distance to settle
	}
	page.Plays(settling)
	after := page.Report(time.Time{})
	untroubled(t, after)
	for _, rule := range followed.Broken() {
		t.Error(rule)
	}

	steady := after.Now - 4000
	was, is := before.Figures(before.Frames[0].Shown+2500), after.Figures(steady)
	resumed := firstFrameOf(after, returned)
	part, found := followed.FirstAfter(returned)
	if !found {
		t.Fatal("no part came after the return")
	}
	late := resumed - harness.WallMs(part)
	t.Logf("first part %.2f s after the return, picture %.0f ms after it; glass to glass %.3f s before, %.3f s after; player %.3f s before, %.3f s after; %d players",
		part.Sub(returned).Seconds(), late, was.GlassP50, is.GlassP50, was.PlayerP50, is.PlayerP50, players(page))
	harness.KeepJSON(t, "figures.json", map[string]any{"before": was, "after": is, "resume_ms": late})
	if !judge {
		return
	}
	if late > float64(resumeMost.Milliseconds()) {
		t.Errorf("the picture came %.0f ms after the first part: more than %v", late, resumeMost)
	}
	// Not glass to glass: an encoder that was frozen may keep a backlog of its own for ever.
	if is.PlayerP50 > was.PlayerP50+0.3 {
		t.Errorf("latency was %.3f s and is %.3f s", was.PlayerP50, is.PlayerP50)
	}
}

// firstFrameOf returns the wall time at which the first picture made after t was shown.
func firstFrameOf(r harness.Report, t time.Time) float64 {
	for _, f := range r.Frames {
		if f.Stamp > harness.WallMs(t) {
			return f.Shown
		}
	}
	return 0
}

// players returns how many players the page has had.
func players(page *harness.Page) (n int) {
	page.Evaluate("window.pushcart.controller.generation", &n)
	return n
}
