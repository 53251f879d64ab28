package transcode

import "time"

// ledger remembers what has gone into ffmpeg, so that what comes out can be held against it.
type ledger struct {
	entries map[int64]entry // by presentation time
	order   []int64         // the times, as they went in
}

type entry struct {
	key bool
	at  time.Time // when it went in
}

// maxLedger bounds the ledger: some ten seconds of the fastest pictures.
const maxLedger = 4096

func newLedger() ledger { return ledger{entries: make(map[int64]entry)} }

func (l *ledger) add(pts int64, key bool, at time.Time) {
	if len(l.order) == maxLedger {
		delete(l.entries, l.order[0])
		l.order = l.order[1:]
	}
	l.entries[pts] = entry{key, at}
	l.order = append(l.order, pts)
}

// settle forgets all that went in before the time pts, which every rung has passed.
func (l *ledger) settle(pts int64) {
	n := 0
	for n < len(l.order) && l.order[n] < pts {
		delete(l.entries, l.order[n])
		n++
	}
	l.order = l.order[n:]
}
