package packager

import "pushcart/media"

// maxHeld bounds the units that wait for the lead; the oldest go first.
const maxHeld = 4096

// hold queues a unit until the lead has got as far.
func (r *rendition) hold(au media.AccessUnit) {
	if len(r.held) == maxHeld {
		r.held = r.held[1:]
	}
	r.held = append(r.held, au)
}

func (r *rendition) newestHeld() (int64, bool) {
	if len(r.held) == 0 {
		return 0, false
	}
	return r.held[len(r.held)-1].PTS, true
}

// drain packages the held units that begin before horizon: no boundary can come up in front of them.
func (r *rendition) drain(horizon int64) {
	i := 0
	for i < len(r.held) && r.held[i].PTS+r.predicted/2 < horizon {
		r.follow(r.held[i])
		i++
	}
	n := copy(r.held, r.held[i:])
	clear(r.held[n:])
	r.held = r.held[:n]
}

// follow takes a unit of a rendition that is not the lead.
func (r *rendition) follow(au media.AccessUnit) {
	if !r.begun {
		at := media.Rescale(r.p.epochStart, r.p.lead.timescale(), r.timescale())
		switch late := au.PTS - at; {
		case late < -r.predicted/2:
			return
		case late <= r.predicted:
			at = au.PTS
		}
		r.begin(au, at)
	}
	d := r.decodeTime(au)
	for len(r.cuts) > 0 && r.cuts[0] < d { // what is missing belongs into the segments that it is missing from
		n := len(r.cuts)
		r.settle(r.cuts[0])
		r.skipTo(r.cuts[0])
		r.followCuts(r.cuts[0])
		if len(r.cuts) == n {
			break
		}
	}
	r.settle(d)
	r.followCuts(d)
	r.skipTo(d)
	r.makeRoom(au, d)
	r.add(au, d)
	if r.partFull() {
		r.closePart(false)
	}
	r.followCuts(r.end)
}

// followCuts ends the open segment at the boundaries that the lead has set up to time d, to the nearest
// unit.
func (r *rendition) followCuts(d int64) {
	for len(r.cuts) > 0 && d+r.predicted/2 >= r.cuts[0] {
		r.closePart(true)
		if len(r.open.parts) == 0 {
			return
		}
		r.closeSegment()
		r.cuts = r.cuts[1:]
	}
}

// giveUp lists gaps for a track that lags too far behind the lead.
func (r *rendition) giveUp() {
	for len(r.cuts) > maxCuts {
		if !r.begun {
			r.begin(media.AccessUnit{}, media.Rescale(r.p.epochStart, r.p.lead.timescale(), r.timescale()))
		}
		n, to := len(r.cuts), r.cuts[0]
		r.settle(to)
		r.gapTo(to)
		r.followCuts(to)
		if len(r.cuts) == n { // it has run ahead of a boundary without any media behind the last one
			r.gapSegment(r.p.lead.segments[len(r.p.lead.segments)-n])
			r.cuts = r.cuts[1:]
		}
	}
}

// flush packages all that is held and closes the part.
func (r *rendition) flush() {
	if r.idle {
		return
	}
	if r.p.started {
		for _, au := range r.held {
			r.follow(au)
		}
	}
	clear(r.held)
	r.held = r.held[:0]
	r.closePart(true)
	r.cuts = nil
}
