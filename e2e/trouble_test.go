package e2e

import (
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// A viewer in a tunnel: the page says so, and plays on by itself afterwards, as near to the edge as before.
func TestViewerLosesTheNetwork(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{})
	page.UntilPlaying()
	page.Plays(3 * time.Second)
	page.Offline(true)
	page.Until("the notice", func(r harness.Report) bool { return r.Headline == "No connection" && r.Phase == "offline" })
	page.Offline(false)
	page.UntilPlaying()
	untroubled(t, page.Plays(4*time.Second))
}

// The server dies and comes back, and so does the host: the page plays the new show by itself, with no reload.
func TestServerCrashes(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	host := harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	page := b.Open(t, s.PageURL("shop", ""), harness.PageOptions{})
	page.UntilPlaying()
	page.Plays(3 * time.Second)
	s.Crash(t)
	host.Kill()
	page.Until("the notice", func(r harness.Report) bool { return r.Headline == "The host is reconnecting" })
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	page.UntilPlaying()
	untroubled(t, page.Plays(4*time.Second))
}
