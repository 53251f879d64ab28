package sound

import (
	"fmt"
	"time"

	"pushcart/transcode/ffmpeg"
)

// maxLag is how far a process may be behind the show, at lateChecks in a row, unless it gains catchingUp from one to the
// next: silence has taken its place by then.
const (
	maxLag     = 4 * time.Second
	catchingUp = ffmpeg.WatchEvery / 5
	lateChecks = 4
)

// watchdog judges a process by its vitals. A source that sends nothing is not the process's fault: lag is what has
// gone in and has not come out.
type watchdog struct {
	started   time.Time
	lag       time.Duration // at the last check
	late      int           // checks in a row that found it behind
	overflows ffmpeg.Overflows
}

// check returns what is wrong, as the rest of a sentence that begins with what is made, or "".
func (w *watchdog) check(now time.Time, v ffmpeg.Vitals) string {
	if v.Lag > maxLag && w.lag-v.Lag < catchingUp {
		w.late++
	} else {
		w.late = 0
	}
	w.lag = v.Lag
	if w.overflows.TooMany(now, v.Overflows) {
		return "falls behind the show again and again: the machine is too slow"
	}
	switch {
	case v.Joined.IsZero() && now.Sub(w.started) < ffmpeg.StartTimeout:
		w.late = 0
		return ""
	case w.late < lateChecks:
		return ""
	case v.Joined.IsZero():
		return fmt.Sprintf("has had no sound from ffmpeg for %v", ffmpeg.StartTimeout)
	}
	if silent := now.Sub(v.LastOut); silent > ffmpeg.Silence {
		return fmt.Sprintf("has had no sound from ffmpeg for %.0f s: it hangs", silent.Seconds())
	}
	return fmt.Sprintf("is %.1f s behind the show: the machine is too slow", v.Lag.Seconds())
}
