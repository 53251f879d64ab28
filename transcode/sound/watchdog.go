package sound

import (
	"fmt"
	"time"
)

const (
	// watchEvery is how often ffmpeg is looked after.
	watchEvery = 500 * time.Millisecond
	// startTimeout is how long it may take until there is sound.
	startTimeout = 20 * time.Second
	// maxLag is how far it may be behind the show, at lateChecks in a row, unless it gains catchingUp from one to the
	// next: silence has taken its place by then.
	maxLag     = 4 * time.Second
	catchingUp = watchEvery / 5
	lateChecks = 4
	// quiet is how long ffmpeg has said nothing when it hangs, and is not only slow.
	quiet = 3 * time.Second
	// maxOverflows of the queue within overflowSpan are too many.
	maxOverflows = 3
	overflowSpan = time.Minute
)

// vitals is what can be seen of a process from outside.
type vitals struct {
	joined    time.Time     // when its sound joined the show; zero before it did
	lastOut   time.Time     // when the last unit came; zero if none has
	lag       time.Duration // how far the slowest output is behind the show, in media time
	overflows int           // times that the queue has been full
}

// watchdog judges a process by its vitals. A source that sends nothing is not the process's fault: lag is what has
// gone in and has not come out.
type watchdog struct {
	started   time.Time
	lag       time.Duration // at the last check
	late      int           // checks in a row that found it behind
	overflows []time.Time
}

// check returns what is wrong, as the rest of a sentence that begins with what is made, or "".
func (w *watchdog) check(now time.Time, v vitals) string {
	for len(w.overflows) < v.overflows {
		w.overflows = append(w.overflows, now)
	}
	if v.lag > maxLag && w.lag-v.lag < catchingUp {
		w.late++
	} else {
		w.late = 0
	}
	w.lag = v.lag
	if n := len(w.overflows); n >= maxOverflows && now.Sub(w.overflows[n-maxOverflows]) < overflowSpan {
		return "falls behind the show again and again: the machine is too slow"
	}
	switch {
	case v.joined.IsZero() && now.Sub(w.started) < startTimeout:
		w.late = 0
		return ""
	case w.late < lateChecks:
		return ""
	case v.joined.IsZero():
		return fmt.Sprintf("has had no sound from ffmpeg for %v", startTimeout)
	}
	if silent := now.Sub(v.lastOut); silent > quiet {
		return fmt.Sprintf("has had no sound from ffmpeg for %.0f s: it hangs", silent.Seconds())
	}
	return fmt.Sprintf("is %.1f s behind the show: the machine is too slow", v.lag.Seconds())
}
