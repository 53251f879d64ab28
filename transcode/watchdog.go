package transcode

import (
	"fmt"
	"time"
)

const (
	// watchEvery is how often ffmpeg is looked after.
	watchEvery = 500 * time.Millisecond
	// startTimeout is how long it may take until the rungs have joined.
	startTimeout = 20 * time.Second
	// maxLag is how far a rung may be behind the show, at lateChecks in a row. Players have given up by then.
	maxLag     = 4 * time.Second
	lateChecks = 3
	// silence is how long ffmpeg has said nothing when it hangs, and is not only slow.
	silence = 3 * time.Second
	// maxOverflows of the queue within overflowSpan are too many.
	maxOverflows = 3
	overflowSpan = time.Minute
)

// vitals is what can be seen of a process from outside.
type vitals struct {
	joined    time.Time     // when the rungs joined the show; zero before they did
	lastOut   time.Time     // when the last picture came; zero if none has
	lag       time.Duration // how far the slowest rung is behind the show
	overflows int           // times that the queue has been full
}

// watchdog judges a process by its vitals.
type watchdog struct {
	started   time.Time
	late      int // checks in a row that found it behind
	overflows []time.Time
}

// check returns what is wrong, as the rest of a sentence that begins with "the ladder", or "".
func (w *watchdog) check(now time.Time, v vitals) string {
	for len(w.overflows) < v.overflows {
		w.overflows = append(w.overflows, now)
	}
	switch {
	case v.joined.IsZero() && now.Sub(w.started) < startTimeout:
		return ""
	case v.joined.IsZero() && v.lastOut.IsZero():
		return fmt.Sprintf("has had no picture from ffmpeg for %v", startTimeout)
	case v.joined.IsZero():
		return fmt.Sprintf("can't catch up with the show: it is %.1f s behind after %v", v.lag.Seconds(), startTimeout)
	}
	if v.lag > maxLag {
		w.late++
	} else {
		w.late = 0
	}
	if w.late >= lateChecks {
		if quiet := now.Sub(v.lastOut); quiet > silence {
			return fmt.Sprintf("has had no picture from ffmpeg for %.0f s: it hangs", quiet.Seconds())
		}
		return fmt.Sprintf("is %.1f s behind the show: the encoders are too slow", v.lag.Seconds())
	}
	if n := len(w.overflows); n >= maxOverflows && now.Sub(w.overflows[n-maxOverflows]) < overflowSpan {
		return "falls behind the show again and again: the encoders are too slow"
	}
	return ""
}
