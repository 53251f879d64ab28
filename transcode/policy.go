package transcode

import "time"

const (
	// firstPause is how long a ladder rests after a failure; each further one doubles it up to lastPause.
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// hopelessPause is the rest when not even the lowest rung can be made.
	hopelessPause = 5 * time.Minute
	// steady is how long a ladder has to stand before its failures are forgotten.
	steady = time.Minute
	// failuresToDrop is how many failures in a row cost the top rung.
	failuresToDrop = 3
	// firstRestore is how long a ladder stands without its top rung before it is tried again; each
	// further time it is dropped doubles that, up to lastRestore.
	firstRestore = 5 * time.Minute
	lastRestore  = time.Hour
)

// policy decides what follows a failure. Its zero value is ready.
type policy struct {
	failures int // in a row
	dropped  int // rungs, from the top
	restore  time.Duration
}

// failed notes that a ladder of that many rungs in all has failed, after it stood for some time (zero: it never
// did). It returns how long to rest, and whether the top rung has been dropped.
func (p *policy) failed(rungs int, stood time.Duration) (rest time.Duration, drop bool) {
	if stood >= steady {
		p.failures = 0
	}
	p.failures++
	rest = min(firstPause<<min(p.failures-1, 10), lastPause)
	if p.failures < failuresToDrop {
		return rest, false
	}
	if p.dropped+1 >= rungs {
		return hopelessPause, false
	}
	p.failures = 0
	p.dropped++
	p.restore = min(max(2*p.restore, firstRestore), lastRestore)
	return rest, true
}

// restoreAfter is how long the ladder has to stand before its lowest dropped rung is tried again; zero if there is
// none.
func (p *policy) restoreAfter() time.Duration {
	if p.dropped == 0 {
		return 0
	}
	return p.restore
}

// restored notes that a rung is tried again.
func (p *policy) restored() {
	p.dropped--
	p.failures = 0
}
