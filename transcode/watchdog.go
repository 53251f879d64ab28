package transcode

import (
	"fmt"
	"time"

	"pushcart/transcode/ffmpeg"
)

// maxLag is how far a rung may be behind the show, at lateChecks in a row. Players have given up by then.
const (
	maxLag     = 4 * time.Second
	lateChecks = 3
)

// watchdog judges a process by its vitals. Pictures that are late are of no use to anybody: it is told apart from sound's,
// which lets a process catch up, since silence has taken the place of what is late.
type watchdog struct {
	started   time.Time
	late      int // checks in a row that found it behind
	overflows ffmpeg.Overflows
}

// check returns what is wrong, as the rest of a sentence that begins with "the ladder", or "".
func (w *watchdog) check(now time.Time, v ffmpeg.Vitals) string {
	full := w.overflows.TooMany(now, v.Overflows)
	switch {
	case v.Joined.IsZero() && now.Sub(w.started) < ffmpeg.StartTimeout:
		return ""
	case v.Joined.IsZero() && v.LastOut.IsZero():
		return fmt.Sprintf("has had no picture from ffmpeg for %v", ffmpeg.StartTimeout)
	case v.Joined.IsZero():
		return fmt.Sprintf("can't catch up with the show: it is %.1f s behind after %v", v.Lag.Seconds(), ffmpeg.StartTimeout)
	}
	if v.Lag > maxLag {
		w.late++
	} else {
		w.late = 0
	}
	if w.late >= lateChecks {
		if quiet := now.Sub(v.LastOut); quiet > ffmpeg.Silence {
			return fmt.Sprintf("has had no picture from ffmpeg for %.0f s: it hangs", quiet.Seconds())
		}
		return fmt.Sprintf("is %.1f s behind the show: the encoders are too slow", v.Lag.Seconds())
	}
	if full {
		return "falls behind the show again and again: the encoders are too slow"
	}
	return ""
}
