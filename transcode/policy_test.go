package transcode

import (
	"strings"
	"testing"
	"time"

	"pushcart/transcode/ffmpeg"
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
	lagging := ffmpeg.Vitals{Joined: at(0), Lag: 5 * time.Second}
	for name, c := range map[string]struct {
		steps int
		v     func(now time.Time) ffmpeg.Vitals
		want  string
	}{
		"starts":   {39, func(time.Time) ffmpeg.Vitals { return ffmpeg.Vitals{} }, ""},
		"never":    {41, func(time.Time) ffmpeg.Vitals { return ffmpeg.Vitals{} }, "has had no picture from ffmpeg for 20s"},
		"too slow": {41, func(time.Time) ffmpeg.Vitals { return ffmpeg.Vitals{LastOut: at(time.Second), Lag: 7 * time.Second} }, "it is 7.0 s behind after 20s"},
		"well": {400, func(now time.Time) ffmpeg.Vitals {
			return ffmpeg.Vitals{Joined: at(0), LastOut: now, Lag: 100 * time.Millisecond}
		}, ""},
		"hangs":        {7, func(time.Time) ffmpeg.Vitals { v := lagging; v.LastOut = at(-4 * time.Second); return v }, "it hangs"},
		"behind":       {3, func(now time.Time) ffmpeg.Vitals { v := lagging; v.LastOut = now; return v }, "is 5.0 s behind the show"},
		"behind twice": {2, func(now time.Time) ffmpeg.Vitals { v := lagging; v.LastOut = now; return v }, ""},
		"overflows": {3, func(now time.Time) ffmpeg.Vitals {
			return ffmpeg.Vitals{Joined: at(0), LastOut: now, Overflows: int(now.Sub(start) / ffmpeg.WatchEvery)}
		}, "again and again"},
		"overflows rarely": {400, func(now time.Time) ffmpeg.Vitals {
			return ffmpeg.Vitals{Joined: at(0), LastOut: now, Overflows: int(now.Sub(start) / (40 * time.Second))}
		}, ""},
	} {
		w := watchdog{started: start}
		got := ""
		for i := 1; i <= c.steps && got == ""; i++ {
			now := at(time.Duration(i) * ffmpeg.WatchEvery)
			got = w.check(now, c.v(now))
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
