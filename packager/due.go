package packager

import (
	"math"
	"time"

	"pushcart/media"
	"pushcart/stream"
)

// Most units only join the part in the making: viewers see nothing of them yet, and nobody has to wake up for them.
// This file names those that may change what viewers see. It may name too many of them, but must not leave out one,
// since a part that could be fetched would be late. So it counts on the worst as long as units are no further apart
// than they have been; a unit that is, is due by itself (stream.Due), and then all is worked out anew.

const (
	// always and never are times that every unit has reached, and that none will.
	always, never = math.MinInt64, math.MaxInt64

	// longestOpus is the longest packet (RFC 6716 section 2.1.4). Each may have a length of its own.
	longestOpus = 120 * time.Millisecond
)

// Due appends to due which units p has to be given at once, and returns the extended slice. All those of tracks
// that it does not name are. It holds until the next Apply.
func (p *Packager) Due(due []stream.Due) []stream.Due {
	if p.lead == nil || !p.started {
		return due
	}
	l, before := p.lead, len(due)
	at := l.mark()
	if l.filled > l.lastTime { // it has been moved on for others (waitNoLonger), and each unit that comes too late moves it, too
		at = always
	}
	for _, r := range p.renditions {
		if r == l || r.idle && !r.fills() && len(r.held) == 0 {
			continue
		}
		if !r.begun || r.video() && !r.step.awake {
			return due[:before]
		}
		own, lead := r.dueBeside()
		if lead != never {
			at = min(at, media.Rescale(lead, r.timescale(), l.timescale())-l.reach()-1)
		}
		if own != always {
			due = append(due, r.dueFrom(own))
		}
	}
	if p.source != nil { // its units come for others
		due = append(due, stream.Due{Track: p.source.ID, From: never, Step: never})
	}
	return append(due, l.dueFrom(at))
}

// dueFrom makes a stream.Due of a decode time.
func (r *rendition) dueFrom(at int64) stream.Due {
	d := stream.Due{Track: r.track.ID, From: at, Last: r.lastTime - r.shift, Step: r.reach(), Keys: r.video()}
	if n := len(r.held); n > 0 {
		d.Last = r.held[n-1].DTS
	}
	if at != always && at != never {
		d.From -= r.shift
	}
	return d
}

// reach is how long a unit is expected to last at most.
func (r *rendition) reach() int64 {
	switch {
	case r.video():
		return max(r.predicted, r.deltas[0], r.deltas[1], r.deltas[2]) + r.ticks(time.Millisecond) // as exact as hosts are
	case r.track.Codec == media.CodecOpus:
		return max(r.predicted, r.ticks(longestOpus))
	}
	return r.predicted
}

// mark is the decode time from which on a unit may complete the part in the making, or its segment. Key pictures may
// at any time.
func (r *rendition) mark() int64 {
	start := r.end
	if len(r.samples) > 0 {
		start = r.partStart
	}
	at := start + r.partTarget - 2*r.reach()
	switch {
	case r != r.p.lead && len(r.cuts) > 0:
		at = min(at, r.cuts[0].at-2*r.reach())
	case r != r.p.lead:
	case len(r.samples) == 0 && r.openTicks() > 0 && r.p.tooLong(r):
		return always
	case !r.video():
		at = min(at, r.open.start+r.ticks(r.p.cfg.Latency.Segment)-r.reach())
	}
	return at
}

// dueBeside is for a rendition that is not the lead: the decode time from which on its own units are due, and the
// time, in the same ticks, that a unit of the lead is due for that reaches it.
func (r *rendition) dueBeside() (own, lead int64) {
	at, horizon := r.mark(), r.p.horizon(r)
	if r.fills() {
		if r.idle || r.quiet.now { // silence follows the lead
			return always, at
		}
		own, lead = r.meet(at, horizon)
		return own, min(lead, r.end+min(r.quiet.patience, r.ticks(mostPatience)))
	}
	return r.meet(at, horizon)
}

// meet says what has to come before a unit from at on can be packaged: that unit, with the lead beyond it.
func (r *rendition) meet(at, horizon int64) (own, lead int64) {
	for _, au := range r.held {
		if r.video() {
			return always, min(at, r.due(r.held[0])) // it is ahead of the lead, which it seldom is
		}
		if r.decodeTime(au) >= at {
			if r.due(au) < horizon { // the lead has been moved on for another track: see Packager.waitNoLonger
				return always, at
			}
			return r.aheadOf(horizon), r.due(au)
		}
	}
	if horizon < at {
		return r.aheadOf(horizon), at
	}
	return at, never
}

// aheadOf is the time from which on a unit does not wait any longer for the lead (Packager.waitNoLonger).
func (r *rendition) aheadOf(horizon int64) int64 {
	if r.track.Contributed {
		return never
	}
	return horizon + r.ticks(r.p.hold())
}
