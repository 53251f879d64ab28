// Package e2e tests the whole: a real encoder publishes to the real server, and a real browser plays it.
//
// What is needed (ffmpeg, Chromium, node and its playwright-core) comes with `make tools` and the Makefile's
// targets. Where something is missing, the tests are skipped, or fail if CI is set. The environment makes
// them longer and stricter:
//
//	E2E_STARTS, E2E_SECONDS   how many pages are opened one after the other, and how long each plays
//	E2E_CUES, E2E_CUE_FRAMES  how many cues are shown, and how many frames apart; E2E_PAUSE_SECONDS: a viewer's pause
//	E2E_LADDER_SECONDS        for how long all segments of a 1080p show and its three rungs are compared; without it, small ones shortly
//	E2E_FLASH_MINUTES         how long a show goes on until flash and beep are measured again
//	E2E_JUDGE=1               hold the figures against the budgets; otherwise they are only printed
//	E2E_RACE=1                build the server with the race detector
//	E2E_SHOT=1                write docs/images/player.png and operators.png
//
// Timing depends on the machine, so that without E2E_JUDGE only what must hold on any machine is tested:
// that shows play, go on, and never go back. Figures are printed, and kept in build/e2e. Tests wait for what has to come
// (harness.Patience) and not for a time; where something needs a machine that keeps up, harness.Fairly measures that.
package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

var (
	judge = os.Getenv("E2E_JUDGE") != ""
	// built and driven are made by the first test that needs them.
	built = sync.OnceValues(func() (string, error) { return harness.Build(scratch) })

	scratch string
	browser *harness.Browser
	start   sync.Once
)

func TestMain(m *testing.M) {
	flag.Parse()
	harness.Watch()
	os.Exit(func() int {
		var err error
		if scratch, err = os.MkdirTemp("", "pushcart-e2e"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(scratch)
		defer func() {
			if browser != nil {
				browser.Close()
			}
		}()
		return m.Run()
	}())
}

// together lets a test run beside others of its kind, after those that measure: nothing in it is judged by time but with
// harness.Fairly. When figures are judged, it runs alone too.
func together(t *testing.T) {
	if !judge {
		t.Parallel()
	}
}

// waitUntil waits until something is so.
func waitUntil(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(harness.Patience); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, harness.Patience)
		}
	}
}

// binary returns the server's binary.
func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// chromium returns the browser that all tests share.
func chromium(t *testing.T) *harness.Browser {
	t.Helper()
	harness.Need(t, "ffmpeg", "node", "chromium")
	if _, err := os.Stat(filepath.Join("browser", "node_modules", "playwright-core")); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("playwright-core is missing: run make e2e")
		}
		t.Skip("playwright-core is missing: run make e2e")
	}
	start.Do(func() {
		var err error
		if browser, err = harness.StartBrowser(); err != nil {
			t.Fatal(err)
		}
	})
	if browser == nil {
		t.Fatal("the browser could not be started")
	}
	return browser
}

// untroubled fails the test if the page made a request to another server, or its console has an error of the
// page's own.
func untroubled(t *testing.T, r harness.Report) {
	t.Helper()
	if len(r.Elsewhere) > 0 {
		t.Errorf("requests to other servers: %v", r.Elsewhere)
	}
	for _, line := range r.Console {
		if len(line) > 10 && line[:10] == "pageerror:" {
			t.Error(line)
		}
	}
	if r.Navigations != 1 {
		t.Errorf("the page was loaded %d times", r.Navigations)
	}
}
