package transcode

import (
	"strings"
	"testing"
	"time"
)

// TestPolicy plays failures and what follows them.
func TestPolicy(t *testing.T) {
	var p policy
	fail := func(stood time.Duration, wantRest time.Duration, wantDrop bool) {
		t.Helper()
		if rest, drop := p.failed(2, stood); rest != wantRest || drop != wantDrop {
			t.Errorf("rest %v, drop %v; want %v, %v", rest, drop, wantRest, wantDrop)
		}
	}
	fail(0, 1*time.Second, false)
	fail(10*time.Second, 2*time.Second, false)
	fail(2*time.Minute, 1*time.Second, false) // it had stood for long: forgotten
	fail(0, 2*time.Second, false)
	fail(0, 4*time.Second, true)
	if d := p.restoreAfter(); d != 5*time.Minute {
		t.Errorf("restored after %v", d)
	}
	p.restored()
	if d := p.restoreAfter(); d != 0 {
		t.Errorf("nothing to restore, after %v", d)
	}
	for i := range 2 {
		fail(0, time.Second<<i, false)
	}
	fail(0, 4*time.Second, true)
	if d := p.restoreAfter(); d != 10*time.Minute {
		t.Errorf("the second time, restored after %v", d)
	}
	// The last rung is never dropped.
	fail(0, 1*time.Second, false)
	fail(0, 2*time.Second, false)
	fail(0, hopelessPause, false)
	fail(0, hopelessPause, false)
	if p.dropped != 1 {
		t.Errorf("%d rungs dropped", p.dropped)
	}
}

// TestWatchdog holds vitals against the clock.
func TestWatchdog(t *testing.T) {
	start := time.Unix(1000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	lagging := vitals{joined: at(0), lag: 5 * time.Second}
	for name, c := range map[string]struct {
		steps int
		v     func(now time.Time) vitals
		want  string
	}{
		"starts":       {39, func(time.Time) vitals { return vitals{} }, ""},
		"never":        {41, func(time.Time) vitals { return vitals{} }, "has had no picture from ffmpeg for 20s"},
		"too slow":     {41, func(time.Time) vitals { return vitals{lastOut: at(time.Second), lag: 7 * time.Second} }, "it is 7.0 s behind after 20s"},
		"well":         {400, func(now time.Time) vitals { return vitals{joined: at(0), lastOut: now, lag: 100 * time.Millisecond} }, ""},
		"hangs":        {7, func(time.Time) vitals { v := lagging; v.lastOut = at(-4 * time.Second); return v }, "it hangs"},
		"behind":       {3, func(now time.Time) vitals { v := lagging; v.lastOut = now; return v }, "is 5.0 s behind the show"},
		"behind twice": {2, func(now time.Time) vitals { v := lagging; v.lastOut = now; return v }, ""},
		"overflows": {3, func(now time.Time) vitals {
			return vitals{joined: at(0), lastOut: now, overflows: int(now.Sub(start) / watchEvery)}
		}, "again and again"},
		"overflows rarely": {400, func(now time.Time) vitals {
			return vitals{joined: at(0), lastOut: now, overflows: int(now.Sub(start) / (40 * time.Second))}
		}, ""},
	} {
		w := watchdog{started: start}
		got := ""
		for i := 1; i <= c.steps && got == ""; i++ {
			now := at(time.Duration(i) * watchEvery)
			got = w.check(now, c.v(now))
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
